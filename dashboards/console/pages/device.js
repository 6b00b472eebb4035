// One device and its twin: what it should be beside what it says it is, what it was told, what happened to it.
import { html, useState } from "../vendor/preact.js";
import { t, named, word } from "../i18n.js";
import { useChannel } from "../store.js";
import { may } from "../rights.js";
import { useKeys } from "../keys.js";
import { ago, dateTime, time } from "../format.js";
import { pending } from "../commands.js";
import { Button, HoldButton } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Field, Select } from "../ui/field.js";
import { useSending } from "../ui/form.js";
import { Once } from "../ui/once.js";
import { Empty, Live, Mark } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { PageHead, Sheet, useNow } from "../ui/shell.js";

const ORDERS = ["restart", "maintain", "resume", "config", "test_print"];
/** How long an order makes sense, in seconds. */
const SECONDS = [30, 60, 300, 3600];

/** @param {{params: {device: string}}} props */
export function Device({ params: { device } }) {
  const board = useChannel(`device:${device}`);
  const city = useChannel("overview:all");
  const [dialog, setDialog] = useState(/** @type {"order"|"rotate"|"revoke"|undefined} */ (undefined));
  const data = board.data;
  const live = board.status === "fresh" && !data?.revoked;
  const close = () => setDialog(undefined);
  useKeys(may("device.command") ? [{ keys: "o", label: t("order-give"), group: t("nav-devices"), run: () => live && setDialog("order") }] : [], [live]);
  return html`
    <${PageHead} crumb=${html`<a href="/devices${data?.station ? `?station=${encodeURIComponent(data.station)}` : ""}">${t("nav-devices")}</a>`} title=${device} text=${data && html`<${State} data=${data} stations=${city.data?.stations ?? []} />`}>
      ${data && may("device.command") && html`<${Button} online disabled=${!live} onPress=${() => setDialog("order")}>${t("order-give")}<//>`}
      ${data && may("device.rotate") && html`<${Button} online disabled=${!live} onPress=${() => setDialog("rotate")}>${t("device-rotate")}<//>`}
      ${data && may("device.revoke") && html`<${Button} look="danger" online disabled=${!live} onPress=${() => setDialog("revoke")}>${t("device-revoke")}<//>`}<//>
    <${Live} board=${board} height="40rem">${() => html`<div class="station-grid">
      <${Sheet} title=${t("twin")} class="wide" flush><${Twin} data=${data} /><//>
      <${Sheet} title=${t("orders")} aside=${pending((run) => run.args.device === device) ? t("order-sending") : ""} flush><${Orders} items=${data.commands} /><//>
      <${Sheet} title=${t("history")} flush><${History} items=${data.history} /><//>
    </div>`}<//>
    ${dialog === "order" && html`<${OrderDialog} device=${device} rev=${board.data?.orders_rev} onClose=${close} />`}
    ${dialog === "rotate" && html`<${RotateDialog} device=${device} rev=${board.data?.rev} onClose=${close} />`}
    ${dialog === "revoke" && html`<${RevokeDialog} device=${device} rev=${board.data?.rev} onClose=${close} />`}`;
}

/** @param {{data: any, stations: any[]}} props */
function State({ data, stations }) {
  const now = useNow();
  // A tap is a sign of life, too.
  const seen = [data.last_seen, data.last?.at].filter(Boolean).sort().at(-1);
  const station = stations.find((row) => row.station === data.station);
  return html`<span class="row">${data.revoked ? html`<${Mark} tone="alarm">${t("device-revoked")}<//>` : html`<${Mark} tone=${data.online ? "plain" : "alarm"} dot=${data.online ? "good" : "alarm"}>${word("link", data.link)}<//>`}
    <span>${word("kind", data.kind)}</span>${data.station && html`<a href="/gates/${encodeURIComponent(data.station)}">${named(station?.name, data.station)}</a>`}
    ${seen && html`<span title=${dateTime(seen)}>${t("last-seen", { ago: ago(seen, now) })}</span>`}
    ${data.last && html`<span>${t("device-last", { direction: word("direction", data.last.direction), result: word("code", data.last.code), time: time(data.last.at) })}</span>`}
    ${data.faults.map((/** @type {string} */ fault) => html`<${Mark} key=${fault} tone="warn">${word("fault", fault)}<//>`)}</span>`;
}

/** Rows of the twin: what, desired, reported. @param {any} data */
export function twin(data) {
  const versions = Object.entries(data.reported?.versions ?? {}).map(([key, value]) => ({ key: `version ${key}`, label: key, desired: undefined, reported: value }));
  return [
    { key: "service", label: t("service"), desired: data.desired.service && word("service", data.desired.service), reported: data.reported && word("service", data.reported.service) },
    { key: "mode", label: t("mode-rev"), desired: String(data.desired.mode), reported: data.reported && String(data.reported.mode) },
    { key: "modes", label: t("mode"), desired: data.desired.modes.map((/** @type {string} */ mode) => word("mode", mode)).join(", ") || t("mode-normal"), reported: undefined },
    { key: "firmware", label: t("firmware"), desired: undefined, reported: data.firmware },
    ...versions,
  ];
}

/** @param {{data: any}} props */
function Twin({ data }) {
  const differs = (/** @type {any} */ row) => row.desired !== undefined && row.reported !== undefined && row.desired !== row.reported;
  return html`<${Table} label=${t("twin")} compact rows=${twin(data)} id=${(/** @type {any} */ row) => row.key} columns=${[
    { key: "label", title: html`<span class="unseen">${t("twin")}</span>`, cell: (/** @type {any} */ row) => html`<span class="quiet">${row.label}</span>` },
    { key: "desired", title: t("desired"), cell: (/** @type {any} */ row) => row.desired ?? html`<span class="quiet">–</span>` },
    { key: "reported", title: data.reported ? t("reported", { time: time(data.reported.at) }) : t("reported-never"), cell: (/** @type {any} */ row) => html`${row.reported ?? html`<span class="quiet">–</span>`} ${differs(row) && html`<${Mark} tone="warn">${t("twin-differs")}<//>`}` },
  ]} />`;
}

/** @param {{items: any[]}} props */
const Orders = ({ items }) => html`<${Table} label=${t("orders")} rows=${items} id=${(/** @type {any} */ item) => item.id} empty=${t("orders-none")} columns=${[
  { key: "command", title: t("order"), lead: true, cell: (/** @type {any} */ item) => html`${word("order", item.command)}${item.by && html`<div class="small quiet">${item.by}</div>`}` },
  { key: "state", title: t("state"), cell: (/** @type {any} */ item) => html`<${Mark} tone=${item.state === "failed" ? "alarm" : item.state === "expired" ? "warn" : item.state === "done" ? undefined : "accent"}>${word("order-state", item.state)}<//>${item.detail && html` <span class="small quiet">${item.detail}</span>`}` },
  { key: "at", title: t("since"), num: true, cell: (/** @type {any} */ item) => html`<span title=${t("until", { time: dateTime(item.expires_at) })}>${time(item.at)}</span>` },
]} />`;

/** @param {{items: any[]}} props */
function History({ items }) {
  if (items.length === 0) return html`<${Empty} title=${t("history-none")} />`;
  return html`<div class="taps" tabindex="0" role="region" aria-label=${t("history")}><ol class="history">${items.map((item) => html`<li key=${`${item.at} ${item.k} ${item.detail}`}><time class="quiet nowrap">${dateTime(item.at)}</time>
    <span><b class=${["offline", "fault", "alarm"].includes(item.k) ? "warn" : ""}>${word("history", item.k)}</b>${item.detail && html` <span class="quiet id">${item.k === "state" ? word("service", item.detail) : item.k === "fault" ? word("fault", item.detail) : item.detail}</span>`}</span></li>`)}</ol></div>`;
}

/** @param {{device: string, rev?: number, onClose: () => void}} props */
function OrderDialog({ device, rev, onClose }) {
  const [order, setOrder] = useState("restart");
  const [seconds, setSeconds] = useState("60");
  const [reason, setReason] = useState("");
  const { busy, fault, send } = useSending(onClose);
  const give = () => send("device.command", { device, command: order, ttl_ms: Number(seconds) * 1000, ...(reason.trim() && { reason: reason.trim() }) }, { if_rev: rev });
  return html`<${Dialog} title=${t("order-title", { device })} onClose=${onClose} onSubmit=${give} foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${Button} type="submit" look="main" online busy=${busy} onPress=${() => undefined}>${t("order-send")}<//>`}>
    <${Select} label=${t("order")} value=${order} onChange=${setOrder} options=${ORDERS.map((value) => ({ value, label: word("order", value) }))} />
    <${Select} label=${t("order-within")} value=${seconds} onChange=${setSeconds} options=${SECONDS.map((value) => ({ value: String(value), label: t("order-seconds", { seconds: value }) }))} />
    <${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${200} fault=${fault} /><//>`;
}

/** @param {{device: string, rev?: number, onClose: () => void}} props */
function RotateDialog({ device, rev, onClose }) {
  const [reason, setReason] = useState("");
  const [secret, setSecret] = useState(/** @type {string|undefined} */ (undefined));
  const { busy, fault, send } = useSending((run) => setSecret(run.result?.secret ?? ""));
  if (secret !== undefined) return html`<${Once} title=${t("device-secret", { device })} text=${t("device-secret-text")} secret=${secret} onClose=${onClose} />`;
  const rotate = () => send("device.rotate", { device, ...(reason.trim() && { reason: reason.trim() }) }, { if_rev: rev });
  return html`<${Dialog} title=${t("device-rotate-title", { device })} onClose=${onClose} foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${HoldButton} look="main" online busy=${busy} onPress=${rotate}>${t("device-rotate-hold")}<//>`}>
    <p>${t("device-rotate-text")}</p><${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${200} fault=${fault} /><//>`;
}

/** @param {{device: string, rev?: number, onClose: () => void}} props */
function RevokeDialog({ device, rev, onClose }) {
  const [reason, setReason] = useState("");
  const { busy, fault, send } = useSending(onClose);
  const revoke = () => send("device.revoke", { device, ...(reason.trim() && { reason: reason.trim() }) }, { if_rev: rev });
  return html`<${Dialog} title=${t("device-revoke-title", { device })} onClose=${onClose} foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${HoldButton} look="alarm" online busy=${busy} onPress=${revoke}>${t("device-revoke-hold")}<//>`}>
    <p>${t("device-revoke-text")}</p><${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${200} fault=${fault} /><//>`;
}
