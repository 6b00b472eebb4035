// Changing the modes of a station or the service of its gates: what it will do, to how many, why; then a hold.
import { html, useState } from "../vendor/preact.js";
import { t, named, word } from "../i18n.js";
import { serverNow } from "../link.js";
import { Button, HoldButton } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Choice, Field, Select } from "../ui/field.js";
import { useSending } from "../ui/form.js";

/** Modes that are chosen here; the emergency has a button of its own. */
const MODES = ["closed", "train_failure", "fare_waived", "order_waived", "time_waived", "date_waived", "entry_waived"];
const SERVICES = ["both", "entry", "exit", "open", "closed", "paused", "maintenance"];
/** How long a mode may be set for, in minutes; 0 = until somebody ends it. */
const MINUTES = [0, 15, 30, 60, 120];
const REASON_MAX = 200;

/** Somebody else was faster while the dialog was open: what stands there now, beside what one is about to do. @param {{data: any}} props */
function Meanwhile({ data }) {
  const [rev] = useState(data.rev);
  const modes = data.modes.map((/** @type {string} */ mode) => word("mode", mode)).join(", ") || t("mode-normal");
  return data.rev === rev ? null : html`<p class="warn" role="status">${t("meanwhile", { by: data.change?.by ?? "", modes })}</p>`;
}

/** @param {{data: any, station: string, onClose: () => void}} props */
export function ModeDialog({ data, station, onClose }) {
  const [modes, setModes] = useState(/** @type {string[]} */ (data.modes.filter((/** @type {string} */ mode) => mode !== "emergency")));
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState("0");
  const { busy, fault, setFault, send } = useSending(onClose);
  const online = data.gates.filter((/** @type {any} */ gate) => gate.link === "online").length;
  // Normal service where it is normal already would only be another revision for every gate.
  const nothing = modes.length === 0 && data.modes.length === 0;
  const apply = () => {
    if (reason.trim() === "") return setFault(t("reason-needed"));
    const until = minutes === "0" || modes.length === 0 ? {} : { until: new Date(serverNow() + Number(minutes) * 60_000).toISOString() };
    return send("station.mode", { station, modes, reason: reason.trim(), ...until }, { if_rev: data.rev });
  };
  const toggle = (/** @type {string} */ mode) => (/** @type {boolean} */ on) => setModes(MODES.filter((other) => (other === mode ? on : modes.includes(other))));
  return html`<${Dialog} title=${t("mode-title", { name: named(data.name, station) })} onClose=${onClose}
    foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${HoldButton} look="main" online disabled=${nothing} busy=${busy} onPress=${apply}>${modes.length === 0 ? t("mode-apply-normal") : t("mode-apply")}<//>`}>
    <fieldset class="choices"><legend>${t("mode-choose")}</legend>
      ${MODES.map((mode) => html`<${Choice} key=${mode} name="mode" checked=${modes.includes(mode)} onChange=${toggle(mode)} label=${word("mode", mode)} detail=${t(`mode-${mode}-effect`)} />`)}
    </fieldset>
    ${modes.length > 0 && html`<${Select} label=${t("mode-until")} value=${minutes} onChange=${setMinutes} options=${MINUTES.map((value) => ({ value: String(value), label: t("mode-minutes", { minutes: value }) }))} />`}
    <${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${REASON_MAX} required fault=${fault} />
    <${Meanwhile} data=${data} />
    <p class="blast" role="status">${nothing ? t("blast-nothing") : html`<b>${t("blast", { gates: data.gates.length, online })}</b> ${modes.length === 0 ? t("blast-normal") : ""}`}</p>
  <//>`;
}

/** @param {{data: any, station: string, chosen: string[], onClose: () => void}} props */
export function ServiceDialog({ data, station, chosen, onClose }) {
  const [service, setService] = useState("both");
  const [reason, setReason] = useState("");
  const { busy, fault, setFault, send } = useSending(onClose);
  const online = data.gates.filter((/** @type {any} */ gate) => gate.link === "online" && chosen.includes(gate.device)).length;
  const apply = () => (reason.trim() === "" ? setFault(t("reason-needed")) : send("gate.service", { devices: chosen, service, reason: reason.trim() }, { if_rev: data.rev }));
  return html`<${Dialog} title=${t("service-title", { name: named(data.name, station) })} onClose=${onClose}
    foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${HoldButton} look="main" online busy=${busy} onPress=${apply}>${t("service-apply")}<//>`}>
    <fieldset class="choices"><legend>${t("service-choose")}</legend>
      ${SERVICES.map((value) => html`<${Choice} key=${value} type="radio" name="service" checked=${service === value} onChange=${() => setService(value)} label=${word("service", value)} detail=${t(`service-${value}-effect`)} />`)}
    </fieldset>
    <${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${REASON_MAX} required fault=${fault} />
    <${Meanwhile} data=${data} />
    <p class="blast"><b>${t("blast", { gates: chosen.length, online })}</b> <span class="id small">${chosen.slice(0, 8).join(", ")}${chosen.length > 8 ? " …" : ""}</span></p>
  <//>`;
}
