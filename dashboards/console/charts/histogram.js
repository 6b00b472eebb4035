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
  const every = Math.max(1, Math.ceil((2.9 * rem()) / slot));
  return html`<svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" role="img" aria-label=${label}>
    <line class="axis" x1="0" x2=${width} y1=${floor} y2=${floor} />
    ${counts.map((/** @type {number} */ count, /** @type {number} */ index) => {
      const tall = count === 0 ? 0 : Math.max(2, (count / most) * room);
      const late = (bounds[index - 1] ?? 0) >= deadline;
      return html`<g key=${index}><rect class=${late ? "bar late" : "bar"} x=${index * slot + 1} width=${Math.max(1, slot - 2)} y=${floor - tall} height=${tall}><title>${bucket(bounds, index)}: ${number(count)}</title></rect>
        ${index % every === every - 1 && index < bounds.length && Math.abs((index + 1) * slot - width) > 20 && html`<text class="tick" x=${(index + 1) * slot} y=${height - words * 0.25} text-anchor="middle">${ms(bounds[index])}</text>`}</g>`;
    })}
    ${edge <= width && html`<line class="deadline" x1=${edge} x2=${edge} y1=${words * 0.6} y2=${floor} />
    <text class="deadline-text" x=${edge - 6} y=${words * 0.6} text-anchor="end" dominant-baseline="middle">${t("deadline", { deadline })}</text>`}
  </svg>`;
}

/** Where a value lies among the buckets, in slots. @param {number[]} bounds @param {number} value */
export function place(bounds, value) {
  const index = bounds.findIndex((bound) => bound >= value);
  if (index < 0) return bounds.length + 1;
  const low = bounds[index - 1] ?? 0;
  return index + (value - low) / (bounds[index] - low);
}

/** @param {number[]} bounds @param {number} index */
const bucket = (bounds, index) => (index < bounds.length ? `≤ ${ms(bounds[index])} ms` : `> ${ms(bounds.at(-1) ?? 0)} ms`);
