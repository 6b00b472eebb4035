// Approvals: what waits for a second person, with everything that is needed to decide, and what became of the others.
import { html, useState } from "../vendor/preact.js";
import { t, named, word, knows } from "../i18n.js";
import { command } from "../commands.js";
import { useChannel } from "../store.js";
import { me } from "../session.js";
import { may } from "../rights.js";
import { dateTime, time } from "../format.js";
import { Button, HoldButton } from "../ui/button.js";
import { Field } from "../ui/field.js";
import { Empty, Live, Mark } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { explain, toast } from "../ui/toast.js";
import { PageHead, Sheet, useNow } from "../ui/shell.js";

/** An operation in words. @param {string} op @returns {string} */
export const opWord = (op) => (knows(`op-${op.replace(".", "-")}`) ? t(`op-${op.replace(".", "-")}`) : op);

/** Why a decision came to nothing; what has changed since it was asked cannot be let through any more. @param {import("../commands.js").Run} run */
export function answered(run) {
  if (run.phase === "refused") toast(run.error?.code === "STALE_REV" ? t("approval-stale") : explain(run.error), "alarm");
}

export function Approvals() {
  const board = useChannel("approvals");
  const city = useChannel("overview:all");
  const names = new Map((city.data?.stations ?? []).map((/** @type {any} */ row) => [row.station, row.name]));
  return html`
    <${PageHead} title=${t("nav-approvals")} text=${t("approvals-text")} />
    <${Live} board=${board} height="24rem">${(/** @type {any} */ data) => {
      const waiting = data.items.filter((/** @type {any} */ item) => item.state === "pending");
      const past = data.items.filter((/** @type {any} */ item) => item.state !== "pending");
      return html`
        ${waiting.length === 0 && html`<${Sheet} label=${t("approvals-waiting")}><${Empty} title=${t("approvals-none")} text=${t("approvals-none-text")} /><//>`}
        ${waiting.map((/** @type {any} */ item) => html`<${Waiting} key=${item.approval} item=${item} name=${named(names.get(item.station), item.station ?? "")} fresh=${board.status === "fresh"} />`)}
        <${Sheet} title=${t("approvals-past")} flush><${Table} label=${t("approvals-past")} rows=${past} id=${(/** @type {any} */ item) => item.approval} empty=${t("approvals-past-none")} columns=${columns(names)} /><//>`;
    }}<//>`;
}

/** An argument as one reads it; nothing of it is left out. @param {string} key @param {any} value @returns {string} */
function told(key, value) {
  if (key === "kind") return word("adjust", value);
  if (key === "modes") return value.map((/** @type {string} */ mode) => word("mode", mode)).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** @param {{item: any, name: string, fresh: boolean}} props */
function Waiting({ item, name, fresh }) {
  const now = useNow();
  const [busy, setBusy] = useState(false);
  const [note, setNote] = useState("");
  const mine = item.by === me.value?.user;
  const left = Math.max(0, Math.round((Date.parse(item.expires_at) - now) / 60_000));
  const decide = (/** @type {string} */ op) => async () => {
    setBusy(true);
    const run = await command(op, { id: item.approval, digest: item.digest, ...(note.trim() && { note: note.trim() }) });
    setBusy(false);
    answered(run);
  };
  return html`<section class="sheet approval" aria-label=${opWord(item.op)}>
    <div class="sheet-head"><h2><span class="op-word">${opWord(item.op)}</span>${name && ` · ${name}`}</h2><span class="small ${left < 2 ? "warn" : "quiet"}">${t("approval-left", { minutes: left, time: time(item.expires_at) })}</span></div>
    <div class="sheet-body stack">
      <dl class="terms">
        <dt>${t("approval-by")}</dt><dd>${item.by}, ${dateTime(item.asked_at)}</dd>
        <dt>${t("reason")}</dt><dd class="strong">${item.reason}</dd>
        ${Object.entries(item.args ?? {}).filter(([key]) => key !== "reason").map(([key, value]) => html`<dt key=${key}>${word("arg", key)}</dt><dd key=${`${key} v`} class="id">${key === "station" && name ? `${name} (${value})` : told(key, value)}</dd>`)}
        <dt>${t("digest")}</dt><dd class="id quiet" title=${item.digest}>${item.digest.slice(0, 16)}…</dd>
      </dl>
      ${mine ? html`<div class="row"><p class="grow">${t("waiting-other")}</p>${may("approval.reject") && html`<${Button} online disabled=${!fresh} busy=${busy} onPress=${decide("approval.reject")}>${t("waiting-back")}<//>`}</div>` : null}
      ${!mine && may("approval.approve") ? html`<${Field} label=${t("note")} value=${note} onInput=${setNote} max=${200} />
        <div class="row"><${HoldButton} look="main" online disabled=${!fresh} busy=${busy} onPress=${decide("approval.approve")}>${t("approve")}<//><${Button} online disabled=${!fresh} busy=${busy} onPress=${decide("approval.reject")}>${t("reject")}<//></div>` : null}
    </div>
  </section>`;
}

/** @param {Map<string, any>} names */
const columns = (names) => [
  { key: "op", title: t("operation"), lead: true, cell: (/** @type {any} */ item) => html`<span class="op-word">${opWord(item.op)}</span>${item.station ? html`<span class="quiet"> · ${named(names.get(item.station), item.station)}</span>` : null}` },
  { key: "by", title: t("approval-by"), cell: (/** @type {any} */ item) => html`<span class="nowrap">${item.by}</span>` },
  { key: "reason", title: t("reason"), cell: (/** @type {any} */ item) => item.reason },
  { key: "state", title: t("state"), cell: (/** @type {any} */ item) => html`<${Mark} tone=${item.refused ? "alarm" : item.state === "done" || item.state === "approved" ? "accent" : undefined}>${word("approval-state", item.state)}<//>${item.refused && html` <span class="small alarm">${item.refused}</span>`}` },
  { key: "decided", title: t("approval-decided"), cell: (/** @type {any} */ item) => html`<span class="nowrap">${[item.decided_by, item.decided_at && dateTime(item.decided_at)].filter(Boolean).join(", ")}</span>${item.note && html`<div class="small quiet">${item.note}</div>`}` },
];
