// Alarms: what is wrong, where, since when, and who has it. One alarm a cause, the worst and newest first.
import { html, useState } from "../vendor/preact.js";
import { t, named, word } from "../i18n.js";
import { command, pending } from "../commands.js";
import { useChannel } from "../store.js";
import { serverNow } from "../link.js";
import { may } from "../rights.js";
import { go, place, query } from "../router.js";
import { ago, dateTime, time } from "../format.js";
import { find } from "./index.js";
import { Button } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Field, Segments, Select } from "../ui/field.js";
import { Live, Mark } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { explain, toast } from "../ui/toast.js";
import { PageHead, Sheet, useNow } from "../ui/shell.js";

const SEVERITIES = ["critical", "major", "minor", "warning"];
const STATES = ["raised", "acked", "snoozed", "cleared"];
/** How long an alarm can be put off here, in minutes. */
const SNOOZE = [15, 30, 60, 240];
const NAMED_DEVICES = 4;

/** The worst first; of the same kind the newest. @param {any[]} items */
export const ordered = (items) =>
  [...items].sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || Date.parse(b.since) - Date.parse(a.since));

/** Sends what is done with an alarm as it was shown. @param {string} op @param {any} item @param {any} [more] */
async function act(op, item, more) {
  const run = await command(op, { id: item.alarm, ...more }, { if_rev: item.rev });
  if (run.phase === "refused") toast(explain(run.error), "alarm");
}

export function Alarms() {
  const board = useChannel("alarms");
  const city = useChannel("overview:all");
  const [dialog, setDialog] = useState(/** @type {{op: string, item: any}|undefined} */ (undefined));
  const { show = "open" } = place.value.query;
  const names = new Map((city.data?.stations ?? []).map((/** @type {any} */ row) => [row.station, row.name]));
  const fresh = board.status === "fresh";
  const take = (/** @type {any} */ item) => fresh && item.state === "raised" && may("alarm.ack") && act("alarm.ack", item);
  const snooze = (/** @type {any} */ item) => fresh && ["raised", "acked"].includes(item.state) && may("alarm.snooze") && setDialog({ op: "alarm.snooze", item });
  const clear = (/** @type {any} */ item) => fresh && item.clearable && item.state !== "cleared" && may("alarm.clear") && setDialog({ op: "alarm.clear", item });
  const open = (/** @type {any} */ item) => item.station && go(`/gates/${encodeURIComponent(item.station)}`);
  return html`
    <${PageHead} title=${t("nav-alarms")} text=${board.data && t("alarms-text", { raised: board.data.items.filter((/** @type {any} */ item) => item.state === "raised").length })}>
      <${Segments} label=${t("alarms-show")} value=${show} onChange=${(/** @type {string} */ value) => query({ show: value === "open" ? undefined : value })} options=${["open", "all"].map((value) => ({ value, label: t(`alarms-show-${value}`) }))} /><//>
    <${Live} board=${board} height="30rem">${(/** @type {any} */ data) => {
      const rows = ordered(data.items.filter((/** @type {any} */ item) => show === "all" || item.state !== "cleared"));
      return html`<${Sheet} label=${t("nav-alarms")} flush><${Table} label=${t("nav-alarms")} rows=${rows} id=${(/** @type {any} */ item) => item.alarm} onOpen=${open} keys=${{ a: take, z: snooze, c: clear }}
        empty=${t("alarms-none")} emptyText=${t("alarms-none-text")} columns=${columns({ names, take, snooze, clear, fresh })} /><//>
        <p class="small quiet no-print keys-hint">${t("alarms-keys")}</p>`;
    }}<//>
    ${dialog?.op === "alarm.snooze" && html`<${SnoozeDialog} item=${dialog.item} onClose=${() => setDialog(undefined)} />`}
    ${dialog?.op === "alarm.clear" && html`<${ClearDialog} item=${dialog.item} onClose=${() => setDialog(undefined)} />`}`;
}

/** @param {{names: Map<string, any>, take: any, snooze: any, clear: any, fresh: boolean}} of */
const columns = ({ names, take, snooze, clear, fresh }) => [
  { key: "severity", title: t("severity"), cell: (/** @type {any} */ item) => html`<${Severity} item=${item} />` },
  { key: "what", title: t("alarm"), lead: true, cell: (/** @type {any} */ item) => html`<b class="strong">${word("alarm", item.code)}</b><${Devices} item=${item} />` },
  { key: "where", title: t("where"), cell: (/** @type {any} */ item) => (item.station ? html`<a href="/gates/${encodeURIComponent(item.station)}" tabindex="-1">${named(names.get(item.station), item.station)}</a>` : html`<span class="id">${item.source}</span>`) },
  { key: "since", title: t("since"), cell: (/** @type {any} */ item) => html`<${Since} at=${item.since} />` },
  { key: "state", title: t("state"), cell: (/** @type {any} */ item) => html`<${State} item=${item} />` },
  { key: "do", title: html`<span class="unseen">${t("actions")}</span>`, class: "end act no-print", cell: (/** @type {any} */ item) => html`<span class="row acts">
    ${item.state === "raised" && may("alarm.ack") && html`<${Button} size="s" online disabled=${!fresh} busy=${pending((run) => run.args.id === item.alarm)} onPress=${() => take(item)}>${t("alarm-ack")}<//>`}
    ${["raised", "acked"].includes(item.state) && may("alarm.snooze") && html`<${Button} size="s" look="plain" online disabled=${!fresh} onPress=${() => snooze(item)}>${t("alarm-snooze")}<//>`}
    ${item.clearable && item.state !== "cleared" && may("alarm.clear") && html`<${Button} size="s" look="plain" online disabled=${!fresh} onPress=${() => clear(item)}>${t("alarm-clear")}<//>`}</span>` },
];

/** @param {{item: any}} props */
export function Severity({ item }) {
  const quiet = item.state === "cleared" || item.state === "snoozed";
  const tone = quiet ? "plain" : item.severity === "critical" || item.severity === "major" ? "alarm" : "warn";
  return html`<${Mark} tone=${tone} dot=${tone === "plain" ? "off" : tone}>${word("severity", item.severity)}<//>`;
}

/** @param {{item: any}} props */
function Devices({ item }) {
  if (item.devices.length === 0) return item.count > 1 ? html`<span class="quiet small"> ${t("alarm-times", { count: item.count })}</span>` : null;
  const link = (/** @type {string} */ device) => (find(`/devices/${device}`) ? html`<a class="id" href="/devices/${encodeURIComponent(device)}" tabindex="-1">${device}</a> ` : html`<span class="id">${device}</span> `);
  const more = item.devices.length - NAMED_DEVICES;
  return html`<div class="small quiet">${item.devices.slice(0, NAMED_DEVICES).map(link)}${more > 0 && t("and-more", { more })}</div>`;
}

/** @param {{at: string}} props */
function Since({ at }) {
  const now = useNow();
  return html`<time class="nowrap when" title=${dateTime(at)} data-at=${dateTime(at)}>${ago(at, now)}</time>`;
}

/** @param {{item: any}} props */
function State({ item }) {
  if (item.state === "raised") return html`<span class="strong">${t("alarm-state-raised")}</span>`;
  if (item.state === "acked") return t("alarm-state-acked", { owner: item.owner ?? "" });
  if (item.state === "snoozed") return t("alarm-state-snoozed", { time: time(item.snoozed_until) });
  return html`<span class="quiet">${t("alarm-state-cleared")}</span>`;
}

/** @param {{item: any, onClose: () => void}} props */
function SnoozeDialog({ item, onClose }) {
  const [minutes, setMinutes] = useState("30");
  const [note, setNote] = useState("");
  const send = () => {
    act("alarm.snooze", item, { until: new Date(serverNow() + Number(minutes) * 60_000).toISOString(), ...(note.trim() && { note: note.trim() }) });
    onClose();
  };
  return html`<${Dialog} title=${t("alarm-snooze-title", { alarm: word("alarm", item.code) })} onClose=${onClose} onSubmit=${send}
    foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${Button} type="submit" look="main" online onPress=${() => undefined}>${t("alarm-snooze")}<//>`}>
    <${Select} label=${t("alarm-snooze-for")} value=${minutes} onChange=${setMinutes} options=${SNOOZE.map((value) => ({ value: String(value), label: t("mode-minutes", { minutes: value }) }))} />
    <${Field} label=${t("note")} value=${note} onInput=${setNote} max=${200} /><//>`;
}

/** @param {{item: any, onClose: () => void}} props */
function ClearDialog({ item, onClose }) {
  const [note, setNote] = useState("");
  const send = () => {
    act("alarm.clear", item, note.trim() ? { note: note.trim() } : undefined);
    onClose();
  };
  return html`<${Dialog} title=${t("alarm-clear-title", { alarm: word("alarm", item.code) })} onClose=${onClose} onSubmit=${send}
    foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${Button} type="submit" look="main" online onPress=${() => undefined}>${t("alarm-clear")}<//>`}>
    <p>${t("alarm-clear-text")}</p><${Field} label=${t("note")} value=${note} onInput=${setNote} max=${200} /><//>`;
}
