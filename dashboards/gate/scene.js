// The gate as a picture: two cabinets, two leaves between them, a light above the way. What it shows is said in words beside it.
import { html } from "/vendor/preact.js";

/** A key that does the same as the button beside it. @param {{of: string|number}} props */
export const Key = ({ of }) => html`<kbd class="key" aria-hidden="true">${of}</kbd>`;

/** @type {Record<string, string>} */
const SIGNS = {
  idle: "M150 34h20M163 27l7 7-7 7",
  asking: "M152 34h.1M160 34h.1M168 34h.1",
  open: "M148 34h24M164 25l9 9-9 9",
  free: "M148 34h24M164 25l9 9-9 9",
  deny: "M152 26l16 16M168 26l-16 16",
  off: "M152 34h16",
};

/** @param {{state: string}} props `idle asking open free deny off` */
export const Scene = ({ state }) => html`<svg class="scene" viewBox="0 0 320 190" data-state=${state} aria-hidden="true">
  <path class="floor" d="M8 178h304" />
  <path class="way" d="M118 178l14-92h56l14 92z" />
  <g class="leaf left"><rect x="116" y="84" width="42" height="76" rx="5" /></g>
  <g class="leaf right"><rect x="162" y="84" width="42" height="76" rx="5" /></g>
  <g class="cabinet"><rect x="52" y="70" width="66" height="108" rx="6" /><path d="M64 92h42M64 104h26" /></g>
  <g class="cabinet"><rect x="202" y="70" width="66" height="108" rx="6" /><path d="M214 92h42M214 104h26" /></g>
  <g class="reader"><circle cx="235" cy="132" r="16" /><path d="M229 126a9 9 0 0 1 0 12M235 122a15 15 0 0 1 0 20" /></g>
  <g class="sign"><rect x="128" y="12" width="64" height="44" rx="8" /><path d=${SIGNS[state] ?? SIGNS.idle} /></g>
</svg>`;
