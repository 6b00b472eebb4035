// Doubtful records (存疑): what gates say and what is known contradict each other. A person looks at the evidence and decides;
// until then nothing is charged. Asked for page by page, as there may be very many; each look at one is in the audit.
import { html, useEffect, useState } from "../vendor/preact.js";
import { t, named, word } from "../i18n.js";
import { list, call } from "../api.js";
import { useChannel } from "../store.js";
import { may } from "../rights.js";
import { place, query } from "../router.js";
import { dateTime } from "../format.js";
import { Button, HoldButton } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Field, Select } from "../ui/field.js";
import { useSending } from "../ui/form.js";
import { Empty, Mark } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { toast } from "../ui/toast.js";
import { PageHead, Sheet } from "../ui/shell.js";

const STATES = ["open", "accepted", "rejected", "all"];

export function Doubtful() {
  const city = useChannel("overview:all");
  const names = new Map((city.data?.stations ?? []).map((/** @type {any} */ row) => [row.station, row.name]));
  const { state = "open", station = "" } = place.value.query;
  const [items, setItems] = useState(/** @type {any[]|undefined} */ (undefined));
  const [next, setNext] = useState(/** @type {string|null} */ (null));
  const [fault, setFault] = useState(false);
  const [open, setOpen] = useState(/** @type {string|undefined} */ (undefined));
  const load = async (/** @type {string|null} */ cursor = null) => {
    const answer = await list("doubtful", { state, ...(station && { station }), ...(cursor && { cursor }) });
    setFault(!answer.ok);
    if (!answer.ok) return;
    setItems((before) => [...(cursor ? (before ?? []) : []), ...answer.body.items]);
    setNext(answer.body.next);
  };
  useEffect(() => void load(), [state, station]);
  const done = (/** @type {string} */ text) => (setOpen(undefined), toast(text), load());
  return html`
    <${PageHead} title=${t("nav-doubtful")} text=${t("doubtful-text")} />
    <${Sheet} label=${t("doubtful-which")}><div class="search">
      <${Select} label=${t("state")} value=${state} onChange=${(/** @type {string} */ value) => query({ state: value })} options=${STATES.map((value) => ({ value, label: word("doubtful-state", value) }))} />
      <${Select} label=${t("station")} value=${station} onChange=${(/** @type {string} */ value) => query({ station: value || undefined })} options=${[{ value: "", label: t("doubtful-everywhere") }, ...[...names].map(([value, name]) => ({ value, label: named(name, value) }))]} />
    </div><//>
    <${Sheet} title=${t("nav-doubtful")} flush>
      ${fault && html`<${Empty} title=${t("doubtful-fault")}><${Button} onPress=${() => load()}>${t("again")}<//><//>`}
      ${items && !fault && html`<${Table} label=${t("nav-doubtful")} rows=${items} id=${(/** @type {any} */ item) => item.record} onOpen=${(/** @type {any} */ item) => setOpen(item.record)} empty=${t("doubtful-empty")} emptyText=${t("doubtful-empty-text")} columns=${columns(names)} />`}
      ${next && !fault && html`<p class="row"><${Button} onPress=${() => load(next)}>${t("doubtful-more")}<//></p>`}<//>
    ${open && html`<${Evidence} record=${open} names=${names} onDone=${done} onClose=${() => setOpen(undefined)} />`}`;
}

/** @param {Map<string, any>} names */
const columns = (names) => [
  { key: "doubt", title: t("doubtful-why"), lead: true, cell: (/** @type {any} */ item) => html`${word("doubt", item.doubt)}<div class="small quiet">${named(names.get(item.station), item.station)} · <span class="id">${item.record}</span></div>` },
  { key: "at", title: t("time"), cell: (/** @type {any} */ item) => html`<span class="nowrap">${dateTime(item.travelled_at)}</span>` },
  { key: "way", title: t("direction"), cell: (/** @type {any} */ item) => word("direction", item.said.direction) },
  { key: "state", title: t("state"), cell: (/** @type {any} */ item) => html`<${Mark} tone=${item.state === "open" ? "warn" : undefined}>${word("doubtful-state", item.state)}<//>${item.decided_by && html`<div class="small quiet">${item.decided_by}: ${item.reason}</div>`}` },
];

/** What a tap says, in a line. @param {any} tap @param {string} at @param {string} shown */
const line = (tap, at, shown) => `${dateTime(at)} · ${word("direction", tap.direction)} · ${word("shown", shown)}${tap.passage && tap.passage !== "none" ? ` · ${word("passage", tap.passage)}` : ""}`;

/** @param {{record: string, names: Map<string, any>, onDone: (text: string) => void, onClose: () => void}} props */
function Evidence({ record, names, onDone, onClose }) {
  const [data, setData] = useState(/** @type {any} */ (undefined));
  const [reason, setReason] = useState("");
  const [accepts, setAccepts] = useState(true);
  const { busy, fault, setFault, send } = useSending(() => onDone(t(accepts ? "doubtful-accepted" : "doubtful-rejected")));
  useEffect(() => void call("GET", `doubtful/${encodeURIComponent(record)}`).then((answer) => setData(answer.ok ? answer.body : null)), [record]);
  const decide = (/** @type {boolean} */ accept) => () => {
    setAccepts(accept);
    return reason.trim() === "" ? setFault(t("reason-needed")) : send("record.decide", { record, accept, reason: reason.trim() });
  };
  const decidable = data?.state === "open" && may("record.decide");
  const foot = html`<${Button} onPress=${onClose}>${t("cancel")}<//>${decidable && html`<${Button} online busy=${busy} onPress=${decide(false)}>${t("doubtful-reject")}<//><${HoldButton} look="main" online busy=${busy} onPress=${decide(true)}>${t("doubtful-accept")}<//>`}`;
  return html`<${Dialog} title=${data ? word("doubt", data.doubt) : t("nav-doubtful")} onClose=${onClose} foot=${foot}>
    ${data === null && html`<${Empty} title=${t("doubtful-fault")} />`}
    ${data && html`<p>${word("doubt-text", data.doubt)}</p>
      <dl class="terms">
        <dt>${t("doubtful-gate")}</dt><dd>${named(names.get(data.station), data.station)}, <span class="id">${data.device}</span> · ${data.epoch}/${data.said.seq}</dd>
        <dt>${t("medium")}</dt><dd class="id">${data.said.medium?.token ?? "–"}${data.said.medium?.counter !== undefined && ` · ${data.said.medium.counter}`}</dd>
        <dt>${t("doubtful-said")}</dt><dd class="strong">${line(data.said, data.said.at, data.said.shown)}</dd>
        ${data.first && html`<dt>${t("doubtful-first")}</dt><dd>${line(data.first, data.first.at, data.first.shown)}</dd>`}
        ${data.known && html`<dt>${t("doubtful-known")}</dt><dd>${line(data.known, data.known.at, data.known.result)}</dd>`}
        ${data.other && html`<dt>${t("doubtful-other")}</dt><dd class="id">${data.other}</dd>`}
        ${Math.abs(data.clock_ms) >= 500 && html`<dt>${t("doubtful-clock")}</dt><dd>${t(data.corrected ? "doubtful-clock-corrected" : "doubtful-clock-off", { seconds: Math.round(data.clock_ms / 1000) })}</dd>`}
        <dt>${t("doubtful-account")}</dt><dd>${data.account ?? t("doubtful-nobody")}</dd>
        ${data.near.map((/** @type {any} */ tap) => html`<dt key=${tap.id} class="quiet">${named(names.get(tap.station), tap.station)}</dt><dd key=${`${tap.id} v`} class="quiet">${line(tap, tap.at, tap.result)}</dd>`)}
        ${data.returned && html`<dt>${t("doubtful-returned")}</dt><dd class="alarm">${data.returned}</dd>`}
      </dl>
      ${decidable && html`<${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${200} required fault=${fault} />`}`}<//>`;
}
