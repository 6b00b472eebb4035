// Overview: is the city well? One sentence, the figures behind it, the last five minutes, and where somebody is needed.
// `?wall` shows the same on a wall, without anything to press.
import { html, useEffect } from "../vendor/preact.js";
import { t, named, word } from "../i18n.js";
import { useChannel } from "../store.js";
import { useKeys } from "../keys.js";
import { go, place } from "../router.js";
import { millis } from "../boards.js";
import { day, money, ms, number, rate, time } from "../format.js";
import { Line } from "../charts/line.js";
import { Histogram } from "../charts/histogram.js";
import { Bars } from "../charts/bars.js";
import { NetworkMap, condition } from "../charts/map.js";
import { Button } from "../ui/button.js";
import { Icon, Sign } from "../ui/icon.js";
import { Empty, Live, Mark } from "../ui/states.js";
import { PageHead, Sheet, Stale, useNow } from "../ui/shell.js";

const WORST_FIRST = ["emergency", "offline", "alarm", "mode"];

/** Stations that need somebody, the worst first. @param {any[]} stations */
export const needy = (stations) =>
  stations.filter((row) => condition(row) !== "well").sort((a, b) => WORST_FIRST.indexOf(condition(a)) - WORST_FIRST.indexOf(condition(b)) || b.alarms - a.alarms);

/** Which sentence says how the city is. @param {any} board @returns {{id: string, tone?: "alarm"|"warn", args: any}} */
export function verdict(board) {
  const emergencies = board.stations.filter((/** @type {any} */ row) => row.modes.includes("emergency")).length;
  const stations = needy(board.stations).length;
  const args = { emergencies, stations, p99: board.p99_ms ?? 0, deadline: board.deadline_ms };
  if (board.stations.length === 0) return { id: "no-stations", args };
  if (emergencies > 0) return { id: "verdict-emergency", tone: "alarm", args };
  if (board.p99_ms !== null && board.p99_ms > board.deadline_ms) return { id: "verdict-slow", tone: "alarm", args };
  if (stations > 0) return { id: "verdict-stations", tone: "warn", args };
  return { id: "verdict-well", args };
}

export function Overview() {
  const board = useChannel("overview:all");
  const wall = place.value.query.wall !== undefined;
  const toggle = () => go(wall ? "/" : "/?wall");
  useKeys([{ keys: "w", label: t("wall-toggle"), group: t("nav-overview"), run: toggle }, ...(wall ? [{ keys: "Escape", label: t("wall-leave"), group: t("nav-overview"), run: toggle }] : [])], [wall]);
  return wall ? html`<${Wall} board=${board} />` : html`<${Desk} board=${board} onWall=${toggle} />`;
}

/** @param {{board: any, onWall: () => void}} props */
function Desk({ board, onWall }) {
  const said = board.data && verdict(board.data);
  return html`
    <${PageHead} crumb=${t("nav-overview")} title=${said ? t(said.id, said.args) : t("nav-overview")}><${Button} look="plain" size="s" onPress=${onWall}><${Icon} name="wall" />${t("wall")}<//><//>
    <${Live} board=${board} height="48rem">${(/** @type {any} */ data) => html`
      <${Figures} data=${data} />
      <div class="overview-grid">
        <${Sheet} class="map-part" title=${t("network")} aside=${html`<a href="/gates">${t("open-gates")}</a>`}><${NetworkMap} stations=${data.stations} links=${data.links} /><//>
        <div class="side-part">
          <${Sheet} title=${t("needs-you")} aside=${t("of-stations", { count: data.stations.length })} flush><${Needy} stations=${data.stations} /><//>
          <${Sheet} title=${t("refusals")} aside=${t("last-minute")}><${Refusals} refusals=${data.refusals} /><//>
          <${Sheet} title=${t("histogram")} aside=${t("last-minute")}><${Histogram} latency=${data.latency} deadline=${data.deadline_ms} height=${168} /><//>
        </div>
        <${Series} data=${data} of="taps" height=${190} />
        <${Series} data=${data} of="p99" height=${190} />
      </div>`}<//>`;
}

/** The last five minutes of one figure. @param {{data: any, of: "taps"|"p99", height: number}} props */
function Series({ data, of, height }) {
  const { t0, step_s, [of]: values } = data.series;
  const [label, unit, tone] = of === "taps" ? [t("chart-taps"), t("unit-taps-s"), undefined] : [t("chart-p99"), t("unit-ms"), "--chart-2"];
  return html`<${Sheet} title=${label} aside=${t("chart-last", { minutes: 5 })}><${Line} label=${label} unit=${unit} t0=${millis(t0)} stepMs=${step_s * 1000} values=${values} tone=${tone} height=${height} /><//>`;
}

/** @param {{data: any}} props */
function Figures({ data }) {
  const off = data.gates.of - data.gates.online;
  const late = data.p99_ms !== null && data.p99_ms > data.deadline_ms;
  return html`<dl class="figures">
    <${Figure} id="taps" value=${rate(data.taps_s)} unit=${t("unit-taps-s")} />
    <${Figure} id="p99" value=${ms(data.p99_ms)} unit=${t("unit-ms")} note=${t("figure-p99-note", { p50: ms(data.p50_ms), deadline: data.deadline_ms })} tone=${late ? "alarm" : undefined} />
    <${Figure} id="gates" value=${number(data.gates.online)} unit=${t("of", { of: number(data.gates.of) })} note=${off > 0 ? t("figure-gates-off", { count: off }) : t("figure-gates-all")} tone=${off > 0 ? "warn" : undefined} />
    <${Figure} id="alarms" value=${number(data.alarms.raised)} note=${t("figure-alarms-acked", { count: data.alarms.acked })} tone=${data.alarms.raised > 0 ? "alarm" : undefined} />
    <${Figure} id="money" value=${money(data.money.posted)} note=${t("figure-money-note", { day: day(data.money.business_day), journeys: number(data.money.journeys) })} />
  </dl>`;
}

/** @param {{id: string, value: string, unit?: string, note?: string, tone?: "alarm"|"warn"}} props */
const Figure = ({ id, value, unit, note, tone }) => html`<div class="figure" data-tone=${tone}>
  <dt>${t(`figure-${id}`)}</dt><dd class="value" data-long=${value.length > 10 ? "" : undefined} title=${value.length > 10 ? value : undefined}>${value}${unit && html`<small>${unit}</small>`}</dd>${note && html`<dd class="note">${note}</dd>`}</div>`;

/** Reasons and stations that are shown at most; the rest is counted. */
const REASONS_MAX = 6;
const NEEDY_MAX = 6;

/** @param {{refusals: Record<string, number>}} props */
function Refusals({ refusals }) {
  const items = Object.entries(refusals).sort(([, a], [, b]) => b - a).slice(0, REASONS_MAX).map(([id, value]) => ({ id, value, label: word("code", id) }));
  return items.length === 0 ? html`<${Empty} title=${t("refusals-none")} />` : html`<${Bars} items=${items} label=${t("refusals")} />`;
}

/** What is the matter with a station. @param {{row: any}} props */
export function Matter({ row }) {
  const off = row.of - row.online;
  return html`<span class="row">
    ${row.modes.map((/** @type {string} */ mode) => html`<${Mark} key=${mode} tone=${mode === "emergency" ? "alarm" : "accent"}>${word("mode", mode)}<//>`)}
    ${off > 0 && html`<${Mark} tone=${row.online === 0 ? "alarm" : "warn"}>${t("gates-off", { count: off, of: row.of })}<//>`}
    ${row.alarms > 0 && html`<${Mark} tone="warn">${t("alarms-count", { count: row.alarms })}<//>`}
  </span>`;
}

/** @param {{stations: any[], max?: number}} props */
function Needy({ stations, max = NEEDY_MAX }) {
  const all = needy(stations);
  const rows = all.slice(0, max);
  if (rows.length === 0) return html`<${Empty} title=${t("needs-nobody")} text=${t("needs-nobody-text")} />`;
  return html`<ul class="needy">${rows.map((row) => html`<li key=${row.station}><a href="/gates/${encodeURIComponent(row.station)}"><span class="needy-body"><b>${named(row.name, row.station)}</b><${Matter} row=${row} /></span><${Icon} name="forward" /></a></li>`)}
    ${all.length > max && html`<li key="more"><a href="/gates?show=needy"><span class="quiet">${t("and-more", { more: all.length - max })}</span><${Icon} name="forward" /></a></li>`}</ul>`;
}

/** @param {{board: any}} props */
function Wall({ board }) {
  const now = useNow();
  useEffect(() => {
    document.documentElement.classList.add("on-wall");
    document.title = t("document-title", { page: t("wall") });
    return () => document.documentElement.classList.remove("on-wall");
  }, []);
  const said = board.data && verdict(board.data);
  return html`<main class="wall" data-tone=${said?.tone}>
    <header class="wall-head"><span class="brand"><${Sign} /><span>${t("brand")}</span></span><h1>${said ? t(said.id, said.args) : t("loading")}</h1><time>${time(now)}</time></header>
    <${Stale} />
    <${Live} board=${board} height="80vh">${(/** @type {any} */ data) => html`
      <${Figures} data=${data} />
      <div class="wall-grid">
        <div class="wall-map"><${NetworkMap} stations=${data.stations} links=${data.links} scale=${1.5} /></div>
        <div class="wall-side">
          <${Sheet} class="wall-needy" title=${t("needs-you")} aside=${t("of-stations", { count: data.stations.length })} flush><${Needy} stations=${data.stations} max=${8} /><//>
          <${Sheet} title=${t("refusals")} aside=${t("last-minute")}><${Refusals} refusals=${data.refusals} /><//>
        </div>
        <div class="wall-side">
          <${Series} data=${data} of="taps" height=${150} />
          <${Series} data=${data} of="p99" height=${150} />
          <${Sheet} title=${t("histogram")} aside=${t("last-minute")}><${Histogram} latency=${data.latency} deadline=${data.deadline_ms} height=${150} /><//>
        </div>
      </div>`}<//>
  </main>`;
}
