// A short list of counts with bars.
import { html } from "../vendor/preact.js";
import { number } from "../format.js";

/** @param {{items: {id: string, label: string, value: number, href?: string}[], label: string}} props */
export function Bars({ items, label }) {
  const most = Math.max(1, ...items.map((item) => item.value));
  return html`<ul class="bars" aria-label=${label}>${items.map((item) => html`<li key=${item.id}>
    <span class="cut">${item.label}</span><span class="num">${number(item.value)}</span><i aria-hidden="true"><b style=${{ width: `${(item.value / most) * 100}%` }}></b></i></li>`)}</ul>`;
}
