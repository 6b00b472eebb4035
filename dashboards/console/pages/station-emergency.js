// Emergency and its end. Opening every gate takes one person and one hold, nothing to fill in; closing them again takes two
// persons: one asks, another approves what exactly was asked.
import { html, useState } from "../vendor/preact.js";
import { t, named } from "../i18n.js";
import { command } from "../commands.js";
import { useChannel } from "../store.js";
import { me } from "../session.js";
import { may } from "../rights.js";
import { ms, number, time } from "../format.js";
import { Button, HoldButton } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Field } from "../ui/field.js";
import { explain, toast } from "../ui/toast.js";
import { answered } from "./approvals.js";

const NAMED_MISSING = 6;

/** @param {{board: import("../store.js").Board, station: string}} props */
export function Emergency({ board, station }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const name = named(board.data.name, station);
  const open = async () => {
    setBusy(true);
    // No revision: whatever else somebody has changed a moment ago, the gates open.
    const run = await command("station.mode", { station, modes: ["emergency"], reason: t("emergency-reason") });
    setBusy(false);
    if (run.phase === "refused") toast(explain(run.error), "alarm");
  };
  if (!board.data.modes.includes("emergency")) {
    return may("station.mode") ? html`<${HoldButton} look="alarm" online disabled=${board.status !== "fresh"} busy=${busy} onPress=${open}>${t("emergency")}<//>` : null;
  }
  if (!may("station.release")) return null;
  return html`<${Button} look="danger" online disabled=${board.status !== "fresh"} onPress=${() => setAsking(true)}>${t("release")}<//>
    ${asking && html`<${ReleaseDialog} station=${station} name=${name} gates=${board.data.gates.length} rev=${board.data.rev} onClose=${() => setAsking(false)} />`}`;
}

/** @param {{station: string, name: string, gates: number, rev: number, onClose: () => void}} props */
function ReleaseDialog({ station, name, gates, rev, onClose }) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState(/** @type {string|undefined} */ (undefined));
  const ask = async () => {
    if (reason.trim() === "") return setFault(t("reason-needed"));
    setBusy(true);
    const run = await command("station.release", { station, reason: reason.trim() }, { if_rev: rev });
    setBusy(false);
    if (run.phase !== "refused") return onClose();
    if (run.error?.code !== "NEEDS_APPROVAL") return setFault(explain(run.error));
    toast(t("release-asked"));
    onClose();
  };
  return html`<${Dialog} title=${t("release-title", { name })} onClose=${onClose} onSubmit=${ask}
    foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${Button} type="submit" look="main" online busy=${busy} onPress=${() => undefined}>${t("release-ask")}<//>`}>
    <p>${t("release-text", { gates })}</p>
    <${Field} label=${t("reason")} value=${reason} onInput=${setReason} fault=${fault} max=${200} required />
  <//>`;
}

/** What waits for a second person at this station. @param {{station: string}} props */
export function Waiting({ station }) {
  const board = useChannel("approvals");
  const items = (board.data?.items ?? []).filter((/** @type {any} */ item) => item.station === station && item.state === "pending");
  return items.map((/** @type {any} */ item) => html`<${WaitingItem} key=${item.approval} item=${item} fresh=${board.status === "fresh"} />`);
}

/** @param {{item: any, fresh: boolean}} props */
function WaitingItem({ item, fresh }) {
  const [busy, setBusy] = useState(false);
  const mine = item.by === me.value?.user;
  const decide = (/** @type {string} */ op) => async () => {
    setBusy(true);
    const run = await command(op, { id: item.approval, digest: item.digest });
    setBusy(false);
    answered(run);
  };
  return html`<section class="sheet notice" data-tone="accent" aria-label=${t("waiting-title")}>
    <div class="grow"><p class="strong">${t("waiting-line", { op: t(`op-${item.op.replace(".", "-")}`), by: item.by })}</p>
      <p class="small quiet">${t("waiting-reason", { reason: item.reason, time: time(item.expires_at) })}</p></div>
    ${mine ? html`<p class="small">${t("waiting-other")}</p><${Button} size="s" online disabled=${!fresh} busy=${busy} onPress=${decide("approval.reject")}>${t("waiting-back")}<//>` : null}
    ${!mine && may("approval.approve") ? html`<${Button} online disabled=${!fresh} busy=${busy} onPress=${decide("approval.reject")}>${t("reject")}<//>
      <${HoldButton} look="main" online disabled=${!fresh} busy=${busy} onPress=${decide("approval.approve")}>${t("approve")}<//>` : null}
  </section>`;
}

/** "37 of 40 acknowledged, missing: …", live. @param {{data: any, busy: boolean}} props */
export function Progress({ data, busy }) {
  const change = data.change;
  if (busy) return html`<section class="sheet notice" data-tone="accent" aria-busy="true"><p class="grow" role="status">${t("change-sending")}</p></section>`;
  if (!change) return null;
  const emergency = data.modes.includes("emergency");
  const done = change.missing.length === 0;
  const names = change.missing.slice(0, NAMED_MISSING);
  const more = change.missing.length - names.length;
  const tone = emergency ? "alarm" : done ? undefined : "warn";
  return html`<section class="sheet notice progress-notice" data-tone=${tone} aria-label=${t("change-title")}>
    <div class="grow stack-tight">
      <p role="status"><b>${done ? t("change-done", { of: change.of }) : t("change-progress", { acked: number(change.acked), of: number(change.of) })}</b>
        ${!done && html` <span>${more > 0 ? t("change-missing-more", { missing: names.join(", "), more }) : t("change-missing", { missing: names.join(", ") })}</span>`}
        ${done && change.took_ms !== undefined && html` <span class="quiet">${t("change-took", { time: ms(change.took_ms) })}</span>`}</p>
      <div class="progress" data-tone=${emergency ? "alarm" : undefined} role="progressbar" aria-label=${t("change-title")} aria-valuemin="0" aria-valuemax=${change.of} aria-valuenow=${change.acked}><i style=${{ width: `${change.of > 0 ? (change.acked / change.of) * 100 : 100}%` }}></i></div>
      <p class="small quiet">${t("change-by", { by: change.by, reason: change.reason, time: time(change.from) })}</p>
    </div>
  </section>`;
}
