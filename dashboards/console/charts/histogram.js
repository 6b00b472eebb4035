// How long answers took: bars by bucket, the device's deadline as a line. A gate that hears nothing by then decides alone.
import { html, useRef } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { ms, number } from "../format.js";
import { rem, useWidth } from "./size.js";

/** Room for words above and below, in text sizes. */
const WORDS = 1.4;

/** @param {{latency: import("../types/wire.d.ts").Latency, deadline: number, height?: number}} props */
export function Histogram({ latency, deadline, height: sixteenths = 180 }) {
  const height = Math.round((sixteenths * rem()) / 16);
  const box = useRef(null);
  const width = useWidth(box);
  const { bounds_ms: bounds, counts } = latency;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const late = counts.reduce((sum, count, index) => sum + ((bounds[index - 1] ?? 0) >= deadline ? count : 0), 0);
  const label = t("histogram-text", { total, late, deadline });
  return html`<figure class="histogram"><div ref=${box} style=${{ height: `${height}px` }}>${width > 0 && drawing({ bounds, counts, deadline, width, height, label })}</div>
    <figcaption class="small quiet">${label}</figcaption></figure>`;
}

/** @param {any} props */
function drawing({ bounds, counts, deadline, width, height, label }) {
  const slot = width / counts.length;
  const most = Math.max(1, ...counts);
  const words = WORDS * rem();
  const floor = height - words;
  const room = floor - words;
  const edge = place(bounds, deadline) * slot;
  // The words stand on the side where there is room for them.
  const before = edge > width / 2;
  return html`<svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" role="img" aria-label=${label}>
    <line class="axis" x1="0" x2=${width} y1=${floor} y2=${floor} />
    ${counts.map((/** @type {number} */ count, /** @type {number} */ index) => {
      const tall = count === 0 ? 0 : Math.max(2, (count / most) * room);
      const late = (bounds[index - 1] ?? 0) >= deadline;
      return html`<g key=${index}><rect class=${late ? "bar late" : "bar"} x=${index * slot + 1} width=${Math.max(1, slot - 2)} y=${floor - tall} height=${tall}><title>${bucket(bounds, index)}: ${number(count)}</title></rect></g>`;
    })}
    ${decades(bounds).map((value) => {
      const x = place(bounds, value) * slot;
      return html`<g key=${value}><line class="axis" x1=${x} x2=${x} y1=${floor} y2=${floor + words * 0.2} />
        ${Math.abs(x - width / 2) < width / 2 - 1.4 * rem() && html`<text class="tick" x=${x} y=${height - words * 0.1} text-anchor="middle">${span(value)}</text>`}</g>`;
    })}
    ${edge <= width && html`<line class="deadline" x1=${edge} x2=${edge} y1=${words * 0.6} y2=${floor} />
    <text class="deadline-text" x=${before ? edge - 6 : edge + 6} y=${words * 0.6} text-anchor=${before ? "end" : "start"} dominant-baseline="middle">${t("deadline", { deadline })}</text>`}
  </svg>`;
}

/** Where a value lies among the buckets, in slots. @param {number[]} bounds @param {number} value */
export function place(bounds, value) {
  const index = bounds.findIndex((bound) => bound >= value);
  if (index < 0) return bounds.length + 1;
  const low = bounds[index - 1] ?? 0;
  return index + (value - low) / (bounds[index] - low);
}

/** Round numbers within the scale, ten times apart: the marks of its axis. @param {number[]} bounds @returns {number[]} */
export function decades(bounds) {
  const [low, high] = [bounds[0] ?? 1, bounds.at(-1) ?? 1];
  const found = [];
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high; power += 1) found.push(Number(`1e${power}`));
  return found;
}

/** A length of time with its unit. @param {number} value milliseconds @returns {string} */
const span = (value) => (value < 1000 ? t("span-ms", { time: number(value, value < 1 ? 1 : 0) }) : t("span-s", { time: number(value / 1000) }));

/** @param {number[]} bounds @param {number} index */
const bucket = (bounds, index) => (index < bounds.length ? `≤ ${t("span-ms", { time: ms(bounds[index]) })}` : `> ${t("span-ms", { time: ms(bounds.at(-1) ?? 0) })}`);
