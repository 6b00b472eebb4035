// The network: stations as dots where the site file puts them, links between them. A station in order is a quiet dot whose size
// tells its load; colour and shape are kept for what is not in order. Every station is a link, and the arrow keys walk the net.
import { html, useRef } from "../vendor/preact.js";
import { named, t, word } from "../i18n.js";
import { rate } from "../format.js";
import { go } from "../router.js";
import { rem, useSize } from "./size.js";
import { Empty } from "../ui/states.js";

const PAD = 26;

/** What a station shows: the worst of it. @param {any} row @returns {"emergency"|"offline"|"alarm"|"mode"|"well"} */
export function condition(row) {
  if (row.modes.includes("emergency")) return "emergency";
  if (row.of > 0 && row.online === 0) return "offline";
  if (row.alarms > 0 || row.online < row.of) return "alarm";
  return row.modes.length > 0 ? "mode" : "well";
}

/** One sentence for a station. @param {any} row @returns {string} */
export function describe(row) {
  const modes = row.modes.map((/** @type {string} */ mode) => word("mode", mode)).join(", ");
  return t("station-line", { name: named(row.name, row.station), online: row.online, of: row.of, rate: rate(row.taps_s), alarms: row.alarms, modes: modes || t("mode-normal") });
}

/** Coordinates for the drawing; without any in the data, stations stand on a circle. @param {any[]} rows */
export function layout(rows) {
  const placed = rows.every((row) => Number.isFinite(row.x) && Number.isFinite(row.y)) && new Set(rows.map((row) => `${row.x} ${row.y}`)).size > rows.length / 2;
  const raw = rows.map((row, index) => (placed ? [row.x, row.y] : [Math.cos((index / rows.length) * 2 * Math.PI), Math.sin((index / rows.length) * 2 * Math.PI)]));
  const xs = raw.map(([x]) => x);
  const ys = raw.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [wide, tall] = [Math.max(...xs) - left || 1, Math.max(...ys) - top || 1];
  const scale = Math.min((1000 - 2 * PAD) / wide, 1000 / tall);
  const height = tall * scale + 2 * PAD;
  const shift = (1000 - wide * scale) / 2;
  return { height, at: new Map(rows.map((row, index) => [row.station, [shift + (raw[index][0] - left) * scale, PAD + (raw[index][1] - top) * scale]])) };
}

/** The nearest station in a direction. @param {Map<string, number[]>} at @param {string} from @param {string} key @returns {string|undefined} */
export function towards(at, from, key) {
  const here = at.get(from);
  const heading = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!here || !heading) return undefined;
  let best;
  for (const [station, [x, y]] of at) {
    const [dx, dy] = [x - here[0], y - here[1]];
    const along = dx * heading[0] + dy * heading[1];
    const aside = Math.abs(dx * heading[1]) + Math.abs(dy * heading[0]);
    if (along <= 0.5 || aside > along * 2) continue;
    const cost = along + aside * 2;
    if (!best || cost < best.cost) best = { station, cost };
  }
  return best?.station;
}

/** Letters of a label at most; a longer name is cut between words. */
const LABEL_MAX = 26;
/** Names that may stand over something else. */
const FORCED_MAX = 12;

/** @param {string} text @param {number} size @returns {number} about how wide it is drawn */
const wide = (text, size) => [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 1 : 0.56), 0) * size;

/** @param {number[]} a @param {number[]} b left, top, right, bottom */
const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

/**
 * Where names can stand without covering a station or another name: those that need somebody first, then interchanges.
 * A name that finds no room is left out unless its station is among the first that need somebody: on a bad day the map stays legible.
 * @param {any[]} rows @param {Map<string, number[]>} at @param {Map<string, number>} degree @param {number} size
 * @returns {Map<string, {x: number, y: number, anchor: string, text: string}>}
 */
export function labels(rows, at, degree, size) {
  const weight = (/** @type {any} */ row) => (condition(row) === "well" ? (degree.get(row.station) ?? 0) : 100);
  const taken = [...at.values()].map(([x, y]) => [x - 7, y - 7, x + 7, y + 7]);
  const found = new Map();
  for (const row of rows.filter((candidate) => weight(candidate) > 2).sort((a, b) => weight(b) - weight(a))) {
    const [x, y] = /** @type {number[]} */ (at.get(row.station));
    const name = named(row.name, row.station);
    const text = name.length > LABEL_MAX ? name.slice(0, name.lastIndexOf(" ", LABEL_MAX)) : name;
    const [w, h, gap] = [wide(text, size), size * 1.2, 13];
    const spots = [[x + gap, y - h / 2, "start"], [x - gap - w, y - h / 2, "end"], [x + gap - 3, y - gap - h + 4, "start"], [x + gap - 3, y + gap - 6, "start"], [x - gap + 3 - w, y - gap - h + 4, "end"], [x - gap + 3 - w, y + gap - 6, "end"], [x - w / 2, y - gap - h, "middle"], [x - w / 2, y + gap, "middle"]];
    const free = spots.find(([left, top]) => Number(left) > 0 && Number(left) + w < 1000 && !taken.some((box) => overlap(box, [Number(left), Number(top), Number(left) + w, Number(top) + h])));
    if (!free && (condition(row) === "well" || found.size >= FORCED_MAX)) continue;
    const [left, top, anchor] = /** @type {[number, number, string]} */ (free ?? spots[0]);
    taken.push([left, top, left + w, top + h]);
    found.set(row.station, { x: anchor === "start" ? left : anchor === "end" ? left + w : left + w / 2, y: top + size, anchor, text });
  }
  return found;
}

/** @param {{stations: any[], links: [string, string][], scale?: number}} props */
export function NetworkMap({ stations, links, scale = 1 }) {
  const svg = useRef(/** @type {any} */ (null));
  const { width, height: room } = useSize(svg);
  if (stations.length === 0) return html`<${Empty} title=${t("no-stations")} text=${t("no-stations-text")} />`;
  const { at, height } = layout(stations);
  const degree = new Map();
  for (const [a, b] of links) for (const end of [a, b]) degree.set(end, (degree.get(end) ?? 0) + 1);
  // Names are drawn about as tall as the page's small text, whatever the scale of the drawing.
  const drawn = Math.min(width, room > 0 ? (room * 1000) / height : width);
  const size = drawn > 0 ? Math.min(26, Math.max(9, (12.5 * scale * rem() * 1000) / (16 * drawn))) : 13;
  const names = labels(stations, at, degree, size);
  const key = (/** @type {KeyboardEvent} */ event) => {
    const from = /** @type {Element} */ (event.target).closest("[data-station]")?.getAttribute("data-station");
    if (!from) return;
    if (event.key === "Enter") go(`/gates/${encodeURIComponent(from)}`);
    const to = towards(at, from, event.key);
    if (to) svg.current?.querySelector(`[data-station="${CSS.escape(to)}"]`)?.focus();
    if (to || event.key.startsWith("Arrow")) event.preventDefault();
  };
  return html`<div ref=${svg} class="map-box"><svg class="map" viewBox="0 0 1000 ${height}" role="group" aria-label=${t("map-label", { count: stations.length })} onKeyDown=${key}>
    <g class="links" aria-hidden="true">${links.map(([a, b]) => at.has(a) && at.has(b) && html`<line key=${`${a} ${b}`} x1=${at.get(a)?.[0]} y1=${at.get(a)?.[1]} x2=${at.get(b)?.[0]} y2=${at.get(b)?.[1]} />`)}</g>
    ${stations.map((row) => html`<${Stop} key=${row.station} row=${row} at=${at.get(row.station)} name=${names.get(row.station)} size=${size} />`)}
  </svg></div>`;
}

/** @param {{row: any, at: number[], name: any, size: number}} props */
function Stop({ row, at: [x, y], name, size }) {
  const state = condition(row);
  const r = Math.min(9, 3.2 + Math.sqrt(Math.max(0, row.taps_s)) * 1.4);
  const text = describe(row);
  return html`<a class="stop" data-state=${state} data-station=${row.station} href="/gates/${encodeURIComponent(row.station)}" aria-label=${text}>
    <title>${text}</title>
    <circle class="reach" cx=${x} cy=${y} r="14" />
    ${state === "emergency" || state === "offline" ? html`<rect class="dot-s" x=${x - 8} y=${y - 8} width="16" height="16" />` : state === "alarm" ? html`<path class="dot-s" d="M${x} ${y - 10}l10 10-10 10-10-10z" />` : html`<circle class="dot-s" cx=${x} cy=${y} r=${r} />`}
    ${name && html`<text x=${name.x} y=${name.y} text-anchor=${name.anchor} font-size=${size}>${name.text}</text>`}
  </a>`;
}
