// One station at work: its gates, what they do this second, and the controls that change them all.
import { html, useState } from "../vendor/preact.js";
import { t, named, word, language } from "../i18n.js";
import { useChannel } from "../store.js";
import { useKeys } from "../keys.js";
import { may } from "../rights.js";
import { ago, number, time } from "../format.js";
import { go } from "../router.js";
import { find } from "./index.js";
import { pending } from "../commands.js";
import { Heat } from "../charts/heat.js";
import { Histogram } from "../charts/histogram.js";
import { Button } from "../ui/button.js";
import { Empty, Live, Mark } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { PageHead, Sheet, useNow } from "../ui/shell.js";
import { Emergency, Progress, Waiting } from "./station-emergency.js";
import { ModeDialog, ServiceDialog } from "./station-dialogs.js";

/** @param {{params: {station: string}}} props */
export function Station({ params: { station } }) {
  const board = useChannel(`gates:${station}`);
  const city = useChannel("overview:all");
  const [dialog, setDialog] = useState(/** @type {"mode"|"service"|undefined} */ (undefined));
  const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
  const data = board.data;
  const ready = data && board.status === "fresh";
  const openMode = () => ready && may("station.mode") && setDialog("mode");
  const openService = () => ready && may("gate.service") && setDialog("service");
  useKeys(
    [
      { keys: "m", label: t("mode-change"), group: t("station"), run: openMode },
      { keys: "s", label: t("service-change"), group: t("station"), run: openService },
      { keys: "u", label: t("back-to-gates"), group: t("station"), run: () => go("/gates") },
    ],
    [ready, language.value],
  );
  const toggle = (/** @type {string} */ device) => setChosen(new Set(chosen.has(device) ? [...chosen].filter((other) => other !== device) : [...chosen, device]));
  const close = () => setDialog(undefined);
  return html`
    <${PageHead} crumb=${html`<a href="/gates">${t("nav-gates")}</a>`} title=${data ? named(data.name, station) : station} text=${data && html`<${Modes} data=${data} />`}>
      ${data && may("station.mode") && html`<${Button} online disabled=${board.status !== "fresh" || data.modes.includes("emergency")} onPress=${openMode}>${t("mode-change")}<//>`}
      ${data && html`<${Emergency} board=${board} station=${station} />`}
    <//>
    <${Live} board=${board} height="48rem">${() => html`
      <${Waiting} station=${station} />
      <${Progress} data=${data} busy=${pending((run) => run.args.station === station)} />
      <div class="station-grid">
        <${Sheet} class="wide" title=${t("gates")} flush aside=${html`<${Chosen} chosen=${chosen} of=${data.gates.length} onService=${openService} onClear=${() => setChosen(new Set())} />`}><${Gates} data=${data} chosen=${chosen} onToggle=${toggle} /><//>
        <${Sheet} class="wide" title=${t("heat")} aside=${t("chart-last", { minutes: 2 })}>${data.heat.of.length > 0 ? html`<${Heat} heat=${data.heat} offline=${offline(data)} />` : html`<${Empty} title=${t("gates-empty")} />`}<//>
        <${Sheet} title=${t("taps-newest")} aside=${t("doubtful", { count: data.doubtful })} flush><${Taps} taps=${data.taps} /><//>
        <${Sheet} title=${t("histogram")} aside=${t("last-minute-city")}>${city.data ? html`<${Histogram} latency=${city.data.latency} deadline=${city.data.deadline_ms} />` : null}<//>
      </div>`}<//>
    ${dialog === "mode" && html`<${ModeDialog} data=${data} station=${station} onClose=${close} />`}
    ${dialog === "service" && html`<${ServiceDialog} data=${data} station=${station} chosen=${chosen.size > 0 ? [...chosen] : data.gates.map((/** @type {any} */ gate) => gate.device)} onClose=${close} />`}`;
}

/** @param {any} data */
const offline = (data) => new Set(data.gates.filter((/** @type {any} */ gate) => gate.link !== "online").map((/** @type {any} */ gate) => gate.device));

/** @param {{data: any}} props */
function Modes({ data }) {
  if (data.modes.length === 0) return t("mode-normal");
  return html`<span class="row">${data.modes.map((/** @type {string} */ mode) => html`<${Mark} key=${mode} tone=${mode === "emergency" ? "alarm" : "accent"}>${word("mode", mode)}<//>`)}
    ${data.until && html`<span class="small">${t("until", { time: time(data.until) })}</span>`}</span>`;
}

/** @param {{chosen: Set<string>, of: number, onService: () => void, onClear: () => void}} props */
function Chosen({ chosen, of, onService, onClear }) {
  if (!may("gate.service")) return null;
  return html`<span class="row no-print">
    ${chosen.size > 0 && html`<span>${t("chosen", { count: chosen.size, of })}</span><${Button} size="s" look="plain" onPress=${onClear}>${t("chosen-clear")}<//>`}
    <${Button} size="s" online onPress=${onService}>${t("service-change")}<//></span>`;
}

/** @param {{data: any, chosen: Set<string>, onToggle: (device: string) => void}} props */
function Gates({ data, chosen, onToggle }) {
  const now = useNow();
  const rev = data.change?.rev ?? 0;
  const late = data.gates.filter((/** @type {any} */ gate) => gate.list_version !== data.list_version);
  const devicePage = (/** @type {string} */ device) => (find(`/devices/${device}`) ? `/devices/${encodeURIComponent(device)}` : undefined);
  const tick = (/** @type {any} */ gate) => html`<input type="checkbox" tabindex="-1" aria-label=${t("choose", { gate: gate.device })} checked=${chosen.has(gate.device)} onChange=${() => onToggle(gate.device)} />`;
  const columns = [
    ...(may("gate.service") ? [{ key: "choose", title: html`<span class="unseen">${t("chosen-title")}</span>`, cell: tick, class: "tick no-print" }] : []),
    { key: "device", title: t("gate"), lead: true, cell: (/** @type {any} */ gate) => html`<span class="id">${devicePage(gate.device) ? html`<a href=${devicePage(gate.device)} tabindex="-1">${gate.device}</a>` : gate.device}</span>` },
    { key: "link", title: t("link"), cell: (/** @type {any} */ gate) => html`<${Link} gate=${gate} />` },
    { key: "service", title: t("service"), cell: (/** @type {any} */ gate) => html`<${Service} service=${gate.service} />` },
    { key: "mode", title: t("mode"), cell: (/** @type {any} */ gate) => html`<${Obeys} gate=${gate} change=${data.change} rev=${rev} />` },
    { key: "load", title: t("load"), num: true, cell: (/** @type {any} */ gate) => html`<${Load} load=${data.load?.[gate.device]} />` },
    { key: "list", title: late.length > 0 ? t("list-behind", { count: late.length }) : t("list-version"), num: true, cell: (/** @type {any} */ gate) => (late.includes(gate) ? html`<${Mark} tone="warn">${gate.list_version || t("none")}<//>` : gate.list_version || html`<span class="quiet">${t("none")}</span>`) },
    { key: "last", title: t("last-tap"), num: true, cell: (/** @type {any} */ gate) => html`<span class="nowrap" title=${time(gate.last_tap_at)}>${gate.last_tap_at ? ago(gate.last_tap_at, now) : html`<span class="quiet">${t("never")}</span>`}</span>` },
    { key: "faults", title: t("faults"), cell: (/** @type {any} */ gate) => gate.faults.map((/** @type {string} */ fault) => html`<${Mark} key=${fault} tone="warn">${word("fault", fault)}<//> `) },
  ];
  return html`<${Table} label=${t("gates")} rows=${data.gates} id=${(/** @type {any} */ gate) => gate.device} columns=${columns} empty=${t("gates-empty")}
    onToggle=${may("gate.service") ? (/** @type {any} */ gate) => onToggle(gate.device) : undefined} selected=${may("gate.service") ? (/** @type {any} */ gate) => chosen.has(gate.device) : undefined}
    onOpen=${find("/devices/x") ? (/** @type {any} */ gate) => go(`/devices/${encodeURIComponent(gate.device)}`) : undefined} />`;
}

/** @param {{gate: any}} props */
const Link = ({ gate }) => html`<${Mark} tone=${gate.link === "online" ? "plain" : "alarm"} dot=${gate.link === "online" ? "good" : "alarm"}>${word("link", gate.link)}<//>`;

/** @param {{service: string}} props */
const Service = ({ service }) => (["entry", "exit", "both"].includes(service) ? word("service", service) : html`<${Mark} tone="accent">${word("service", service)}<//>`);

/** Has the gate heard of the newest change? @param {{gate: any, change: any, rev: number}} props */
function Obeys({ gate, change, rev }) {
  if (!change || !change.missing.includes(gate.device)) return html`<span class="quiet">${t("mode-heard", { rev: gate.mode })}</span>`;
  return html`<${Mark} tone="warn">${t("mode-unheard", { rev })}<//>`;
}

/** @param {{load: any}} props */
const Load = ({ load }) => html`<span class="load">${number(load?.open ?? 0)}${load?.deny ? html` <span class="alarm" title=${t("denied")}>−${number(load.deny)}</span>` : null}</span>`;

/** @param {{taps: any[]}} props */
function Taps({ taps }) {
  if (taps.length === 0) return html`<${Empty} title=${t("taps-none")} />`;
  return html`<div class="taps" tabindex="0" role="region" aria-label=${t("taps-newest")}><table class="table">
    <thead class="unseen"><tr><th scope="col">${t("time")}</th><th scope="col">${t("gate")}</th><th scope="col">${t("direction")}</th><th scope="col">${t("result")}</th></tr></thead>
    <tbody>${taps.map((tap) => html`<tr key=${`${tap.at} ${tap.device} ${tap.code}`}>
    <td class="quiet nowrap">${time(tap.at)}</td><td class="id"><bdi>${tap.device}</bdi></td><td>${word("direction", tap.direction)}</td>
    <td class="end">${tap.result === "open" ? html`<span class="quiet">${word("code", tap.code)}</span>` : html`<span class="alarm">${word("code", tap.code)}</span>`}</td></tr>`)}</tbody></table></div>`;
}

