// A line over time: uPlot, drawn anew when the width or the colour scheme changes.
import uPlot from "../vendor/uplot.js";
import { html, useEffect, useRef } from "../vendor/preact.js";
import { shown } from "../preferences.js";
import { language } from "../i18n.js";
import { clock, number, time } from "../format.js";
import { colour, rem, useWidth } from "./size.js";

/** @typedef {{t0: number, stepMs: number, values: (number|null)[], label: string, unit?: string, height?: number, limit?: number, tone?: string}} LineProps `height` in sixteenths of the text size */

/** @param {LineProps} props */
export function Line(props) {
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const plot = useRef(/** @type {any} */ (undefined));
  const width = useWidth(box);
  const scale = rem() / 16;
  const height = Math.round((props.height ?? 160) * scale);
  const data = columns(props);
  useEffect(() => {
    if (width === 0 || !box.current) return undefined;
    plot.current = new uPlot(options(props, width, height, scale), data, box.current);
    return () => {
      plot.current.destroy();
      plot.current = undefined;
    };
  }, [width, height, shown.value, language.value, props.label]);
  useEffect(() => plot.current?.setData(data));
  const newest = [...props.values].reverse().find((value) => value !== null);
  return html`<div class="chart" ref=${box} role="img" aria-label="${props.label}: ${number(newest ?? null)} ${props.unit ?? ""}" style=${{ height: `${height}px` }}></div>`;
}

/** @param {LineProps} props */
function columns({ t0, stepMs, values, limit }) {
  const x = values.map((_, index) => (t0 + index * stepMs) / 1000);
  return limit === undefined ? [x, values] : [x, values, values.map(() => limit)];
}

/** @param {LineProps} props @param {number} width @param {number} height @param {number} scale */
function options(props, width, height, scale) {
  const font = `${12 * scale}px ${colour("--sans")}`;
  const axis = { stroke: colour("--ink-3"), font, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const series = [{}, { stroke: colour(props.tone ?? "--chart-1"), width: 1.5 * scale, fill: colour(`${props.tone ?? "--chart-1"}-wash`) || undefined, points: { show: false }, spanGaps: false }];
  if (props.limit !== undefined) series.push(/** @type {any} */ ({ stroke: colour("--alarm"), width: 1, dash: [4, 4], points: { show: false } }));
  return {
    width, height, series, legend: { show: false }, cursor: { show: false }, padding: [8 * scale, 22 * scale, 0, 0],
    scales: { x: { time: true }, y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => [0, Math.max(1, high * 1.12)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 24 * scale, space: 48 * scale, values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map((at) => (at % 60 === 0 ? clock : time)(at * 1000)) },
      { ...axis, size: 44 * scale, space: 34 * scale, values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map((value) => number(value)) },
    ],
  };
}
