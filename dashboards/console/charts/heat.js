// Gate × second: how busy each gate was in the last two minutes. One pixel a value (ImageData), scaled without smoothing.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { shown } from "../preferences.js";
import { number, time } from "../format.js";
import { millis } from "../boards.js";
import { colour } from "./size.js";

const SECONDS = 120;
/** Opens a second that count as full. */
const FULL = 2;

/** @param {string} name @returns {number[]} red, green, blue */
const rgb = (name) => colour(name).split(/\s+/).map(Number);

/** Position on the scale of three colours. @param {number} share 0…1 @param {number[][]} scale @returns {number[]} */
export function mix(share, scale) {
  const at = Math.min(1, Math.max(0, share)) * (scale.length - 1);
  const low = Math.min(scale.length - 2, Math.floor(at));
  return scale[low].map((value, index) => Math.round(value + (scale[low + 1][index] - value) * (at - low)));
}

/** @param {{heat: any, offline?: Set<string>}} props */
export function Heat({ heat, offline }) {
  const canvas = useRef(/** @type {HTMLCanvasElement|null} */ (null));
  const [at, setAt] = useState(/** @type {{gate: number, second: number}|undefined} */ (undefined));
  const gates = heat.of.length;
  useEffect(() => paint(canvas.current, heat), [heat, shown.value]);
  const point = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    setAt({ gate: Math.min(gates - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * gates))), second: Math.floor(((event.clientX - box.left) / box.width) * SECONDS) });
  };
  const missing = SECONDS - heat.rows.length;
  const row = at && heat.rows[at.second - missing];
  return html`<figure class="heat">
    <div class="heat-grid">
      <ul class="heat-names" aria-hidden="true">${heat.of.map((/** @type {string} */ gate) => html`<li key=${gate} class=${offline?.has(gate) ? "alarm" : ""}><bdi>${gate}</bdi></li>`)}</ul>
      <canvas ref=${canvas} width=${SECONDS} height=${Math.max(1, gates)} role="img" aria-label=${t("heat-text", { gates })} style=${{ height: `${Math.max(1, gates) * 22}px` }}
        onPointerMove=${point} onPointerDown=${point} onPointerLeave=${() => setAt(undefined)}></canvas>
      <div class="heat-time" aria-hidden="true"><span>${t("heat-before", { minutes: SECONDS / 60 })}</span><span>${t("heat-before", { minutes: SECONDS / 120 })}</span><span>${t("heat-now")}</span></div>
    </div>
    <figcaption class="spread small quiet"><span>${at && row ? t("heat-at", { gate: heat.of[at.gate], count: row[at.gate], time: time(millis(heat.t0) + (at.second - missing) * heat.step_s * 1000) }) : t("heat-hint")}</span>
      <span class="row-tight"><span>${number(0)}</span><i class="heat-scale" aria-hidden="true"></i><span>${t("heat-full", { count: FULL })}</span></span></figcaption>
  </figure>`;
}

/** @param {HTMLCanvasElement|null} canvas @param {any} heat */
function paint(canvas, heat) {
  const context = canvas?.getContext("2d");
  if (!canvas || !context || heat.of.length === 0) return;
  const image = context.createImageData(SECONDS, heat.of.length);
  const scale = [rgb("--heat-0"), rgb("--heat-1"), rgb("--heat-2")];
  const missing = SECONDS - heat.rows.length;
  for (let second = 0; second < SECONDS; second += 1) {
    for (let gate = 0; gate < heat.of.length; gate += 1) {
      const value = heat.rows[second - missing]?.[gate] ?? 0;
      const [red, green, blue] = mix(value / FULL, scale);
      image.data.set([red, green, blue, 255], (gate * SECONDS + second) * 4);
    }
  }
  context.putImageData(image, 0, 0);
}
