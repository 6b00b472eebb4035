// Icons: one stroke each, drawn for these pages on a grid of 24.
import { html } from "../vendor/preact.js";

/** @type {Record<string, string>} */
const PATHS = {
  overview: "M4 19V11M10 19V5M16 19v-8M22 19H2",
  gates: "M5 4v16M19 4v16M9 12h6M12.5 9l3 3-3 3",
  desk: "M4 20v-5h16v5M7 15V9a5 5 0 0 1 10 0v6M12 4V2",
  devices: "M4 5h16v10H4zM9 20h6M12 15v5",
  alarms: "M12 3l9.5 17h-19zM12 10v4M12 17.2v.1",
  approvals: "M8 12l3 3 6-7M4 4h16v16H4z",
  audit: "M6 3h9l4 4v14H6zM9.5 12h6M9.5 16h6M9.5 8h2",
  admin: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c.6-4 3.800-6 8-6s7.400 2 8 6",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c.6-4 3.800-6 8-6s7.400 2 8 6",
  close: "M6 6l12 12M18 6L6 18",
  back: "M14 6l-6 6 6 6",
  forward: "M10 6l6 6-6 6",
  wall: "M3 4h18v12H3zM8 20h8",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  more: "M5 12h.1M12 12h.1M19 12h.1",
};

/** @param {{name: string}} props */
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name] ?? PATHS.more} /></svg>`;

/** The sign of the product: two posts and the way between them. */
export const Sign = () => html`<svg viewBox="0 0 24 24" aria-hidden="true"
  ><path d="M4 3v18M20 3v18" fill="none" stroke="currentColor" stroke-width="2.600" stroke-linecap="round"
  /><path d="M8.500 12h7M12.500 8.500l3.500 3.500-3.500 3.500" fill="none" stroke="currentColor" stroke-width="2.200" stroke-linecap="round" stroke-linejoin="round" /></svg>`;
