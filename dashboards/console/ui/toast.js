// Short notices in a live region: what happened, never the only place where it can be seen.
import { html, signal } from "../vendor/preact.js";
import { t, knows, word } from "../i18n.js";
import { Icon } from "./icon.js";

/** @typedef {{id: number, text: string, tone?: "alarm"}} Toast */
const toasts = signal(/** @type {Toast[]} */ ([]));
let next = 1;
/** A notice stays, in milliseconds; one about a fault stays until it is closed. */
const SHOWN_MS = 6_000;

/** @param {string} text @param {"alarm"} [tone] */
export function toast(text, tone) {
  const id = next++;
  toasts.value = [...toasts.value, { id, text, tone }].slice(-4);
  if (!tone) setTimeout(() => close(id), SHOWN_MS);
}

/** @param {number} id */
function close(id) {
  toasts.value = toasts.value.filter((shown) => shown.id !== id);
}

/** A refusal in plain words, with the hint that the server gave. @param {import("../types/pages.d.ts").Refusal|undefined} error @returns {string} */
export function explain(error) {
  const code = error?.code ?? "INTERNAL";
  const key = `error-${code.toLowerCase().replaceAll("_", "-")}`;
  const text = knows(key) ? t(key, { approval: "", ...error?.params, field: word("arg", String(error?.params?.field ?? "")) }) : t("error-other", { code });
  return text;
}

export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite">
  ${toasts.value.map((shown) => html`<div key=${shown.id} class="toast" data-tone=${shown.tone}><span>${shown.text}</span>
    <button type="button" aria-label=${t("close")} onClick=${() => close(shown.id)}><${Icon} name="close" /></button></div>`)}
</div>`;
