// What a service desk puts right: a missing entry or exit, an overstay, a waiver, a frozen account.
import { html, useState } from "../vendor/preact.js";
import { t, named, word } from "../i18n.js";
import { money } from "../format.js";
import { Button, HoldButton } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Field, Select } from "../ui/field.js";
import { useSending } from "../ui/form.js";

const REASON_MAX = 200;

/** @param {{kind: string, data: any, stations: any[], onDone: (text: string) => void, onClose: () => void}} props */
export function AdjustDialog({ kind, data, stations, onDone, onClose }) {
  const [station, setStation] = useState(data.journey?.entry?.station ?? stations[0]?.station ?? "");
  const [reason, setReason] = useState("");
  const { busy, fault, setFault, send } = useSending((run) => onDone(t("adjust-done", { fare: money(run.result?.fare) })));
  const apply = async () => {
    if (reason.trim() === "") return setFault(t("reason-needed"));
    const run = await send("journey.adjust", { account: data.account, kind, station, reason: reason.trim() });
    if (run.error?.code === "NEEDS_APPROVAL") onDone(t("adjust-asked"));
    return undefined;
  };
  return html`<${Dialog} title=${word("adjust", kind)} onClose=${onClose} foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${HoldButton} look="main" online busy=${busy} onPress=${apply}>${t("adjust-hold")}<//>`}>
    <p>${t(`adjust-${kind}-text`)}</p>
    <${Select} label=${t("station")} value=${station} onChange=${setStation} options=${stations.map((row) => ({ value: row.station, label: named(row.name, row.station) }))} />
    <${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${REASON_MAX} required fault=${fault} /><//>`;
}

/** @param {{token: string, onDone: () => void, onClose: () => void}} props */
export function UnfreezeDialog({ token, onDone, onClose }) {
  const [reason, setReason] = useState("");
  const { busy, fault, setFault, send } = useSending(onDone);
  const apply = () => (reason.trim() === "" ? setFault(t("reason-needed")) : send("medium.unfreeze", { token, reason: reason.trim() }));
  return html`<${Dialog} title=${t("unfreeze")} onClose=${onClose} foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${HoldButton} look="main" online busy=${busy} onPress=${apply}>${t("unfreeze-hold")}<//>`}>
    <p>${t("unfreeze-text")}</p><${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${REASON_MAX} required fault=${fault} /><//>`;
}
