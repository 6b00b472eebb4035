// Devices: those of a station, any by its id, and new ones.
import { html, useEffect, useState } from "../vendor/preact.js";
import { t, named, word } from "../i18n.js";
import { useChannel } from "../store.js";
import { may } from "../rights.js";
import { me } from "../session.js";
import { go, place, query } from "../router.js";
import { useKeys } from "../keys.js";
import { ago } from "../format.js";
import { Button } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Field, Select } from "../ui/field.js";
import { useSending } from "../ui/form.js";
import { Once } from "../ui/once.js";
import { Live, Mark } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { PageHead, Sheet, useNow } from "../ui/shell.js";
import { needy } from "./overview.js";

const KINDS = ["gate", "kiosk", "robot", "display"];

export function Devices() {
  const city = useChannel("overview:all");
  const [adding, setAdding] = useState(false);
  const stations = city.data?.stations ?? [];
  const station = place.value.query.station ?? (needy(stations)[0] ?? stations[0])?.station;
  // What was shown first stays, whatever happens in the city meanwhile.
  useEffect(() => {
    if (station && !place.value.query.station) query({ station });
  }, [station]);
  useKeys(may("device.add") ? [{ keys: "n", label: t("device-add"), group: t("nav-devices"), run: () => setAdding(true) }] : [], []);
  return html`
    <${PageHead} title=${t("nav-devices")} text=${t("devices-text")}>${may("device.add") && html`<${Button} online onPress=${() => setAdding(true)}>${t("device-add")}<//>`}<//>
    <${Live} board=${city} height="30rem">${() => html`
      <${Sheet} label=${t("devices-find")}><div class="search">
        <${Select} label=${t("station")} value=${station ?? ""} onChange=${(/** @type {string} */ value) => query({ station: value })} options=${stations.map((/** @type {any} */ row) => ({ value: row.station, label: named(row.name, row.station) }))} />
        <${ById} />
      </div><//>
      ${station && html`<${OfStation} key=${station} station=${station} />`}`}<//>
    ${adding && html`<${AddDialog} onClose=${() => setAdding(false)} />`}`;
}

function ById() {
  const [id, setId] = useState("");
  const open = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (id.trim()) go(`/devices/${encodeURIComponent(id.trim())}`);
  };
  return html`<form class="by-id" onSubmit=${open}><${Field} label=${t("devices-by-id")} value=${id} onInput=${setId} /><${Button} type="submit" onPress=${() => undefined}>${t("open")}<//></form>`;
}

/** @param {{station: string}} props */
function OfStation({ station }) {
  const board = useChannel(`gates:${station}`);
  const now = useNow();
  const columns = [
    { key: "device", title: t("device"), lead: true, cell: (/** @type {any} */ gate) => html`<a class="id" href="/devices/${encodeURIComponent(gate.device)}" tabindex="-1">${gate.device}</a>` },
    { key: "kind", title: t("kind"), cell: () => t("kind-gate") },
    { key: "link", title: t("link"), cell: (/** @type {any} */ gate) => html`<${Mark} tone=${gate.link === "online" ? "plain" : "alarm"} dot=${gate.link === "online" ? "good" : "alarm"}>${word("link", gate.link)}<//>` },
    { key: "service", title: t("service"), cell: (/** @type {any} */ gate) => word("service", gate.service) },
    { key: "faults", title: t("faults"), cell: (/** @type {any} */ gate) => gate.faults.map((/** @type {string} */ fault) => html`<${Mark} key=${fault} tone="warn">${word("fault", fault)}<//> `) },
    { key: "last", title: t("last-tap"), num: true, cell: (/** @type {any} */ gate) => (gate.last_tap_at ? ago(gate.last_tap_at, now) : html`<span class="quiet">${t("never")}</span>`) },
  ];
  return html`<${Live} board=${board} height="24rem">${(/** @type {any} */ data) => html`<${Sheet} title=${named(data.name, station)} aside=${html`<a href="/gates/${encodeURIComponent(station)}">${t("open-station")}</a>`} flush>
    <${Table} label=${t("nav-devices")} rows=${data.gates} id=${(/** @type {any} */ gate) => gate.device} columns=${columns} onOpen=${(/** @type {any} */ gate) => go(`/devices/${encodeURIComponent(gate.device)}`)} empty=${t("gates-empty")} /><//>`}<//>`;
}

/** @param {{onClose: () => void}} props */
function AddDialog({ onClose }) {
  const [device, setDevice] = useState("");
  const [kind, setKind] = useState("gate");
  const scope = /** @type {any} */ (me.value?.scope);
  const [site, setSite] = useState(scope?.sites?.[0] ?? "");
  const [reason, setReason] = useState("");
  const [secret, setSecret] = useState(/** @type {string|undefined} */ (undefined));
  const { busy, fault, setFault, send } = useSending((run) => setSecret(run.result?.secret ?? ""));
  const add = () => (device.trim() && site.trim() ? send("device.add", { device: device.trim(), kind, site: site.trim(), ...(reason.trim() && { reason: reason.trim() }) }) : setFault(t("device-add-both")));
  if (secret !== undefined) return html`<${Once} title=${t("device-secret", { device })} text=${t("device-secret-text")} secret=${secret} onClose=${() => (onClose(), go(`/devices/${encodeURIComponent(device.trim())}`))} />`;
  return html`<${Dialog} title=${t("device-add")} onClose=${onClose} onSubmit=${add} foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${Button} type="submit" look="main" online busy=${busy} onPress=${() => undefined}>${t("device-add")}<//>`}>
    <${Field} label=${t("device")} value=${device} onInput=${setDevice} hint=${t("device-id-hint")} required fault=${fault} />
    <${Select} label=${t("kind")} value=${kind} onChange=${setKind} options=${KINDS.map((value) => ({ value, label: word("kind", value) }))} />
    <${Field} label=${t("site")} value=${site} onInput=${setSite} required />
    <${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${200} /><//>`;
}
