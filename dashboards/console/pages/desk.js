// Service desk (客服中心): a medium and its account in plain words, and the few things that a desk may put right. Each look and each
// change is one entry of the audit. Nothing of a customer stands in the address or is kept after leaving the page.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { t, knows, named, word, language } from "../i18n.js";
import { command } from "../commands.js";
import { useChannel } from "../store.js";
import { me } from "../session.js";
import { may } from "../rights.js";
import { useKeys } from "../keys.js";
import { date, dateTime, money } from "../format.js";
import { Button } from "../ui/button.js";
import { Field } from "../ui/field.js";
import { Empty, Mark } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { explain, toast } from "../ui/toast.js";
import { PageHead, Sheet } from "../ui/shell.js";
import { AdjustDialog, UnfreezeDialog } from "./desk-dialogs.js";

export function Desk() {
  const city = useChannel("overview:all");
  const [token, setToken] = useState("");
  const [found, setFound] = useState(/** @type {{token: string, data: any}|undefined} */ (undefined));
  const [fault, setFault] = useState(/** @type {string|undefined} */ (undefined));
  const [busy, setBusy] = useState(false);
  const [dialog, setDialog] = useState(/** @type {{kind: string, journey?: any}|undefined} */ (undefined));
  const field = useRef(/** @type {HTMLInputElement|null} */ (null));
  // A card reader types into whatever has the focus.
  useEffect(() => field.current?.focus(), []);
  const names = new Map((city.data?.stations ?? []).map((/** @type {any} */ row) => [row.station, row.name]));
  const find = async (/** @type {string} */ wanted) => {
    if (wanted.trim() === "") return;
    setBusy(true);
    const run = await command("medium.find", { token: wanted.trim() });
    setBusy(false);
    setFault(run.phase === "refused" ? (run.error?.code === "NOT_FOUND" ? t("medium-none") : explain(run.error)) : undefined);
    setFound(run.phase === "refused" ? undefined : { token: wanted.trim(), data: run.result });
  };
  const adjust = (/** @type {string} */ kind) => found && may("journey.adjust") && setDialog({ kind });
  useKeys(
    [
      { keys: "f", label: t("desk-find"), group: t("nav-desk"), run: () => field.current?.focus() },
      { keys: "e", label: t("adjust-add_entry"), group: t("nav-desk"), run: () => adjust("add_entry") },
      { keys: "x", label: t("adjust-add_exit"), group: t("nav-desk"), run: () => adjust("add_exit") },
      { keys: "o", label: t("adjust-overstay"), group: t("nav-desk"), run: () => adjust("overstay") },
      { keys: "w", label: t("adjust-waive"), group: t("nav-desk"), run: () => adjust("waive") },
    ],
    [found, language.value],
  );
  const done = (/** @type {string} */ text) => {
    setDialog(undefined);
    toast(text);
    if (found) find(found.token);
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    find(token);
  };
  return html`
    <${PageHead} title=${t("nav-desk")} text=${t("desk-text")} />
    <${Sheet} label=${t("desk-find")} class="no-print"><form class="by-id find" onSubmit=${submit}>
      <${Field} label=${t("medium-token")} value=${token} onInput=${setToken} inputRef=${field} hint=${t("desk-audited")} fault=${fault} />
      <${Button} type="submit" look="main" online busy=${busy} onPress=${() => undefined}>${t("desk-find")}<//></form><//>
    ${found ? html`<${Account} data=${found.data} names=${names} onAdjust=${adjust} onUnfreeze=${() => setDialog({ kind: "unfreeze" })} />` : html`<${Sheet} label=${t("medium")}><${Empty} title=${t("desk-empty")} text=${t("desk-empty-text")}><${DemoMedia} onPick=${(/** @type {string} */ picked) => (setToken(picked), find(picked))} /><//><//>`}
    ${dialog?.kind === "unfreeze" && found && html`<${UnfreezeDialog} token=${found.token} onDone=${() => done(t("unfreeze-done"))} onClose=${() => setDialog(undefined)} />`}
    ${dialog && dialog.kind !== "unfreeze" && found && html`<${AdjustDialog} kind=${dialog.kind} data=${found.data} stations=${city.data?.stations ?? []} onDone=${done} onClose=${() => setDialog(undefined)} />`}`;
}

/** A demo has no card to put on a reader: it names some. @param {{onPick: (token: string) => void}} props */
function DemoMedia({ onPick }) {
  const media = me.value?.demo?.media ?? [];
  if (media.length === 0) return null;
  return html`<div class="demo-media"><p class="small">${t("desk-demo")}</p><div class="row">${media.map((/** @type {any} */ one) => html`<${Button} key=${one.token} size="s" online onPress=${() => onPick(one.token)}>${one.stuck ? t("desk-demo-stuck", { token: one.token }) : one.token}<//>`)}</div></div>`;
}

/** What moved the money, in words where it was a gate. @param {string} id of the command @returns {any} */
function cause(id) {
  const [, kind, device] = /^(tap|record|passage)\/([^/]+)\//.exec(id) ?? [];
  return device ? html`<span title=${id}>${t(kind === "record" ? "posting-record" : "posting-tap", { device })}</span>` : html`<span class="id">${id}</span>`;
}

/** A journey as one tells it to the rider. @param {any} journey @param {Map<string, any>} names @returns {string} */
export function story(journey, names) {
  const stop = (/** @type {any} */ end) => named(names.get(end.station), end.station);
  if (journey.entry && journey.exit) return t("journey-both", { from: stop(journey.entry), to: stop(journey.exit) });
  if (journey.entry) return t("journey-entry", { from: stop(journey.entry) });
  if (journey.exit) return t("journey-exit", { to: stop(journey.exit) });
  return t("journey-none");
}

/** What the price of a journey comes from, in plain words. @param {any} rule @returns {any} */
function why(rule) {
  const key = `fare-rule-${rule.kind}`;
  const table = rule.table && t("fare-table", { table: rule.table, date: rule.since ? date(rule.since) : "" });
  return html`<div class="small quiet" title=${table}>${knows(key) ? t(key, { cap: rule.cap ?? "" }) : rule.kind}${table && html`<span class="unseen">, ${table}</span>`}</div>`;
}

/** @param {{data: any, names: Map<string, any>, onAdjust: (kind: string) => void, onUnfreeze: () => void}} props */
function Account({ data, names, onAdjust, onUnfreeze }) {
  const frozen = data.state === "frozen";
  return html`
    <${Sheet} title=${t("account", { account: data.account })} aside=${html`<${Mark} tone=${frozen ? "alarm" : "plain"} dot=${frozen ? "alarm" : "good"}>${word("account-state", data.state)}<//>`}>
      <div class="stack">
        <p class="story">${data.journey ? story(data.journey, names) : t("journey-none")}${data.journey?.entry && html`<span class="quiet small"> ${dateTime(data.journey.entry.at)}</span>`}</p>
        <dl class="terms"><dt>${t("balance")}</dt><dd class="strong">${money(data.balance)}</dd><dt>${t("held")}</dt><dd>${money(data.held)}</dd>
          <dt>${t("wallet-class")}</dt><dd>${data.class} · ${word("passenger", data.passenger_class)}</dd></dl>
        <div class="row no-print">
          ${may("journey.adjust") && ["add_entry", "add_exit", "overstay", "waive"].map((kind) => html`<${Button} key=${kind} online onPress=${() => onAdjust(kind)}>${word("adjust", kind)}<//>`)}
          ${frozen && may("medium.unfreeze") && html`<${Button} look="main" online onPress=${onUnfreeze}>${t("unfreeze")}<//>`}
        </div>
      </div><//>
    <div class="station-grid">
      <${Sheet} title=${t("journeys")} flush><${Table} label=${t("journeys")} rows=${data.journeys} id=${(/** @type {any} */ row) => row.id} empty=${t("journeys-none")} columns=${[
        { key: "story", title: t("journey"), lead: true, cell: (/** @type {any} */ row) => html`${story(row, names)}<div class="small quiet">${dateTime((row.entry ?? row.exit)?.at)}</div>${row.rule && why(row.rule)}` },
        { key: "state", title: t("state"), cell: (/** @type {any} */ row) => html`<${Mark} tone=${["missing_exit", "missing_entry", "overstay"].includes(row.state) ? "warn" : undefined}>${word("journey-state", row.state)}<//>` },
        { key: "fare", title: t("fare"), num: true, cell: (/** @type {any} */ row) => (row.state === "open" ? html`<span class="quiet">–</span>` : money(row.fare)) },
      ]} /><//>
      <${Sheet} title=${t("taps")} flush><${Table} label=${t("taps")} rows=${data.taps} id=${(/** @type {any} */ row) => row.id ?? `${row.device} ${row.at}`} empty=${t("taps-none")} columns=${[
        { key: "at", title: t("time"), cell: (/** @type {any} */ row) => html`<span class="nowrap">${dateTime(row.at)}</span>` },
        { key: "where", title: t("where"), lead: true, cell: (/** @type {any} */ row) => html`${named(names.get(row.station), row.station ?? row.device)} <span class="quiet">${word("direction", row.direction)}</span>` },
        { key: "code", title: t("result"), cell: (/** @type {any} */ row) => html`<span class=${row.result === "open" ? "quiet" : "alarm"}>${word("code", row.code)}</span>` },
      ]} /><//>
      <${Sheet} class="wide" title=${t("postings")} flush><${Table} label=${t("postings")} rows=${data.postings} id=${(/** @type {any} */ row) => row.ref} empty=${t("postings-none")} columns=${[
        { key: "at", title: t("time"), cell: (/** @type {any} */ row) => html`<span class="nowrap">${dateTime(row.at)}</span>` },
        { key: "cause", title: t("posting-cause"), lead: true, cell: (/** @type {any} */ row) => cause(row.command_id) },
        { key: "state", title: t("state"), cell: (/** @type {any} */ row) => word("posting", row.state) },
        { key: "amount", title: t("amount"), num: true, cell: (/** @type {any} */ row) => money(row.amount) },
      ]} /><//>
    </div>`;
}
