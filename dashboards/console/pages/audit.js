// Audit: who did or saw what. Live while nothing is searched; a search has an address of its own; the chain can be verified.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { t, knows, word } from "../i18n.js";
import { command } from "../commands.js";
import { useChannel } from "../store.js";
import { serverNow } from "../link.js";
import { may } from "../rights.js";
import { place, query } from "../router.js";
import { dateTime, number } from "../format.js";
import { Button } from "../ui/button.js";
import { Field, Segments } from "../ui/field.js";
import { Live } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { explain } from "../ui/toast.js";
import { PageHead, Sheet } from "../ui/shell.js";

const HOUR_MS = 3_600_000;
/** Parts of the audit: what people did comes first, faults of devices would crowd it out. */
const ONLY = ["people", "faults", "all"];
/** The city's offset: what is typed is the city's time. */
const OFFSET = "+08:00";

/** @param {number} at @returns {string} as a field of date and time wants it */
export const local = (at) => new Date(at + 8 * HOUR_MS).toISOString().slice(0, 16);
/** @param {string} text @returns {string} RFC 3339; empty where it is no time */
export function instant(text) {
  const at = new Date(`${text}:00${OFFSET}`);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}

/** What is wrong with a span of time, in words; undefined where nothing is. @param {string} from @param {string} to */
const wrong = (from, to) => (instant(from) === "" || instant(to) === "" ? t("audit-span-missing") : instant(from) >= instant(to) ? t("audit-span-backwards") : undefined);

export function Audit() {
  const asked = place.value.query;
  const searching = Boolean(asked.from);
  const only = ONLY.includes(asked.only) ? asked.only : "people";
  const board = useChannel(searching ? undefined : "audit");
  const shown = (/** @type {any} */ item) => only === "all" || (only === "faults") === !item.by;
  return html`
    <${PageHead} title=${t("nav-audit")} text=${t("audit-text")}>
      <${Segments} label=${t("audit-only")} value=${only} onChange=${(/** @type {string} */ value) => query({ only: value === "people" ? undefined : value })} options=${ONLY.map((value) => ({ value, label: t(`audit-only-${value}`) }))} /><//>
    <${Search} key=${JSON.stringify({ ...asked, only: 0 })} asked=${asked} />
    ${searching ? wrong(asked.from, asked.to ?? "") === undefined && html`<${Results} key=${JSON.stringify(asked)} asked=${asked} only=${only} />` : html`<${Live} board=${board} height="30rem">${(/** @type {any} */ data) => html`<${Sheet} title=${t("audit-newest")} aside=${t("link-live")} flush><${List} items=${data.items.filter(shown)} /><//>`}<//>`}`;
}

/** @param {{asked: Record<string, string>}} props */
function Search({ asked }) {
  const [from, setFrom] = useState(asked.from ?? local(serverNow() - 24 * HOUR_MS));
  const [to, setTo] = useState(asked.to ?? local(serverNow() + 60_000));
  const [by, setBy] = useState(asked.by ?? "");
  const [op, setOp] = useState(asked.op ?? "");
  const [fault, setFault] = useState(asked.from ? wrong(asked.from, asked.to ?? "") : undefined);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setFault(wrong(from, to));
    if (wrong(from, to) === undefined) query({ from, to, by: by.trim(), op: op.trim() });
  };
  return html`<${Sheet} label=${t("audit-search")} class="no-print"><form class="search" onSubmit=${submit}>
    <${Field} label=${t("audit-from")} type="datetime-local" value=${from} onInput=${setFrom} required />
    <${Field} label=${t("audit-to")} type="datetime-local" value=${to} onInput=${setTo} required fault=${fault} />
    <${Field} label=${t("user")} value=${by} onInput=${setBy} />
    <${Field} label=${t("audit-op")} value=${op} onInput=${setOp} />
    <div class="row search-acts"><${Button} type="submit" look="main" online onPress=${() => undefined}>${t("audit-search")}<//>
      ${asked.from && html`<${Button} look="plain" onPress=${() => query({ from: undefined, to: undefined, by: undefined, op: undefined })}>${t("audit-live")}<//>`}</div>
  </form><${Verify} from=${from} to=${to} /><//>`;
}

/** @param {{from: string, to: string}} props */
function Verify({ from, to }) {
  const [state, setState] = useState(/** @type {{busy?: boolean, text?: string, bad?: boolean}} */ ({}));
  if (!may("audit.verify")) return null;
  const verify = async () => {
    const fault = wrong(from, to);
    if (fault) return setState({ text: fault, bad: true });
    let [at, records] = [instant(from), 0];
    // A long time is verified in pieces; each answer says how far it came.
    for (;;) {
      setState({ busy: true, text: records > 0 ? t("audit-verifying", { records: number(records), until: dateTime(at) }) : undefined });
      const run = await command("audit.verify", { from: at, to: instant(to) }, { ttl_ms: 60_000 });
      if (run.phase === "refused") return setState({ text: explain(run.error), bad: true });
      if (!run.result.ok) return setState({ text: t("audit-broken", { fault: run.result.fault ?? "" }), bad: true });
      records += run.result.records;
      if (!run.result.upto || run.result.upto <= at) return setState({ text: t("audit-verified", { records: number(records) }) });
      at = run.result.upto;
    }
  };
  return html`<div class="row verify"><${Button} online busy=${state.busy} onPress=${verify}>${t("audit-verify")}<//><p role="status" class=${state.bad ? "alarm strong" : "good"}>${state.text}</p></div>`;
}

/** @param {{asked: Record<string, string>, only: string}} props */
function Results({ asked, only }) {
  const [found, setFound] = useState(/** @type {{items: any[], next: string|null, busy: boolean, fault?: string}} */ ({ items: [], next: null, busy: true }));
  const end = useRef(/** @type {HTMLElement|null} */ (null));
  const pressed = useRef(false);
  const ask = async (/** @type {any[]} */ before, /** @type {string|undefined} */ cursor) => {
    setFound({ items: before, next: cursor ?? null, busy: true });
    const args = { from: instant(asked.from), to: instant(asked.to), ...(asked.by && { by: asked.by }), ...(asked.op && { op: asked.op }), ...(only !== "all" && { only }), ...(cursor && { cursor }) };
    const run = await command("audit.search", args, { ttl_ms: 30_000 });
    if (run.phase === "refused") setFound({ items: before, next: cursor ?? null, busy: false, fault: explain(run.error) });
    else setFound({ items: [...before, ...run.result.items], next: run.result.next, busy: false });
  };
  useEffect(() => {
    ask([], undefined);
  }, []);
  const further = () => {
    pressed.current = true;
    ask(found.items, found.next ?? undefined);
  };
  // The button goes when everything was searched: whoever was on it stays where they are.
  useEffect(() => {
    if (pressed.current && !found.busy && found.next === null) end.current?.focus();
  }, [found]);
  return html`<${Sheet} title=${t("audit-found")} aside=${found.busy ? t("loading") : t("audit-count", { count: found.items.length })} flush>
    ${found.fault && html`<p class="sheet-body fault" role="alert">${found.fault}</p>`}
    ${found.items.length > 0 || (!found.busy && !found.next) ? html`<${List} items=${found.items} />` : null}
    ${found.next && html`<div class="sheet-body row"><${Button} online busy=${found.busy} onPress=${further}>${t("audit-more")}<//><p role="status" class="quiet">${found.busy ? t("loading") : found.items.length === 0 ? t("audit-not-yet") : t("audit-not-all")}</p></div>`}
    ${pressed.current && !found.busy && !found.next && html`<p class="sheet-body quiet" role="status" tabindex="-1" ref=${end}>${t("audit-all")}</p>`}
  <//>`;
}

/** What was done, in words; a code that has none stands for itself. @param {string} op @returns {string} */
export function deed(op) {
  if (op.startsWith("fault.")) {
    const code = op.slice(6);
    return t("audit-fault", { fault: knows(`code-${code}`) ? t(`code-${code}`) : word("wire", code) });
  }
  const key = op.replaceAll(".", "-");
  return knows(`event-${key}`) ? t(`event-${key}`) : op;
}

/** Pages of what stands in the audit. @param {string} target @returns {string|undefined} */
function pageOf(target) {
  const [kind, id] = target.split(/\/(.*)/s);
  if (kind === "station" && id) return `/gates/${encodeURIComponent(id)}`;
  return (kind === "device" || kind === "gate") && id ? `/devices/${encodeURIComponent(id)}` : undefined;
}

/** @param {{target: string}} props */
const Target = ({ target }) => html`<span class="id">${pageOf(target) ? html`<a href=${pageOf(target)}>${target}</a>` : target}</span>`;

/** A count is told in words, everything else as it was noted. @param {any} item */
function detail(item) {
  const count = item.op.startsWith("fault.") && /^count (\d+)$/.exec(item.detail ?? "");
  return count ? t("alarm-times", { count: Number(count[1]) }) : item.detail;
}

/** @param {{items: any[]}} props */
const List = ({ items }) => html`<${Table} label=${t("nav-audit")} rows=${items} id=${(/** @type {any} */ item) => item.id} empty=${t("audit-none")} columns=${[
  { key: "at", title: t("time"), cell: (/** @type {any} */ item) => html`<span class="nowrap">${dateTime(item.at)}</span>` },
  { key: "by", title: t("audit-who"), cell: (/** @type {any} */ item) => item.by ?? html`<span class="quiet">${t("audit-nobody")}</span>` },
  { key: "op", title: t("audit-what"), lead: true, cell: (/** @type {any} */ item) => html`${deed(item.op)} <span class="id quiet small">${item.op}</span>` },
  { key: "target", title: t("audit-whom"), cell: (/** @type {any} */ item) => html`<${Target} target=${item.target} />` },
  { key: "reason", title: t("reason"), cell: (/** @type {any} */ item) => html`${item.reason}${item.detail && html`<span class="quiet"> ${detail(item)}</span>`}` },
]} />`;
