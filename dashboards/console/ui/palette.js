// The command palette (Ctrl/⌘ K) and the sheet of keys (?). Whatever has a key or a page is found here by a few letters.
import { html, signal, useEffect, useRef, useState } from "../vendor/preact.js";
import { t, named } from "../i18n.js";
import { bindings, composing } from "../keys.js";
import { go } from "../router.js";
import { useChannel } from "../store.js";
import { navigation } from "../pages/index.js";
import { Dialog, useFocusTrap } from "./dialog.js";
import { score } from "./score.js";

const shown = signal(/** @type {"palette"|"sheet"|undefined} */ (undefined));
export const openPalette = () => (shown.value = "palette");
export const openSheet = () => (shown.value = "sheet");
const close = () => (shown.value = undefined);

/** @typedef {{id: string, label: string, hint?: string, run: () => void}} Entry */
const FOUND_MAX = 12;
/** What looks like the id of a device can be opened as one. */
const DEVICE = /^(?=.*\d)[A-Za-z0-9._-]{2,64}$/;

/** @param {any[]} stations of the overview @param {string} text as typed @returns {Entry[]} */
function entries(stations, text) {
  const shown = navigation();
  const opens = (/** @type {string} */ id) => shown.some((entry) => entry.id === id);
  const pages = shown.map((entry) => ({ id: `page ${entry.id}`, label: t(`nav-${entry.id}`), hint: `g ${entry.nav.key}`, run: () => go(entry.nav.href) }));
  const acts = bindings.value.filter((binding) => !binding.keys.startsWith("g ") && !["Mod+k", "/"].includes(binding.keys));
  return [...pages, ...acts.map((binding) => ({ id: `key ${binding.keys}`, label: binding.label, hint: binding.keys.replace("Escape", t("key-escape")), run: binding.run })), ...(opens("gates") ? stations.map(stop) : []), ...(opens("devices") && DEVICE.test(text.trim()) ? [device(text.trim())] : [])];
}

/** @param {any} row @returns {Entry} */
const stop = (row) => ({ id: `station ${row.station} ${Object.values(row.name ?? {}).join(" ")}`, label: named(row.name, row.station), hint: t("station"), run: () => go(`/gates/${encodeURIComponent(row.station)}`) });

/** @param {string} id @returns {Entry} */
const device = (id) => ({ id: `device ${id}`, label: id, hint: t("device"), run: () => go(`/devices/${encodeURIComponent(id)}`) });

export function Overlays() {
  if (shown.value === "palette") return html`<${Palette} />`;
  if (shown.value === "sheet") return html`<${KeySheet} />`;
  return null;
}

function Palette() {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const ref = useRef(/** @type {HTMLElement|null} */ (null));
  useFocusTrap(ref, close);
  useEffect(() => document.getElementById(`palette-${at}`)?.scrollIntoView({ block: "nearest" }), [at]);
  const city = useChannel("overview:all");
  const found = entries(city.data?.stations ?? [], text).map((entry) => ({ entry, points: score(`${entry.label} ${entry.id}`, text) })).filter(({ points }) => points > 0);
  const list = found.sort((a, b) => b.points - a.points).slice(0, FOUND_MAX).map(({ entry }) => entry);
  const pick = (/** @type {Entry|undefined} */ entry) => {
    if (!entry) return;
    close();
    setTimeout(entry.run);
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (composing(event)) return;
    if (event.key === "ArrowDown") setAt(Math.min(list.length - 1, at + 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (event.key === "Enter") pick(list[at]);
    else return;
    event.preventDefault();
  };
  const outside = (/** @type {any} */ event) => event.target === event.currentTarget && close();
  return html`<div class="scrim" onPointerDown=${outside}><div class="dialog palette" role="dialog" aria-modal="true" aria-label=${t("palette-open")} ref=${ref} onKeyDown=${key}>
    <input class="input" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant=${list[at] ? `palette-${at}` : undefined} aria-label=${t("palette-open")}
      placeholder=${t("palette-placeholder")} value=${text} spellcheck=${false} autocomplete="off" onInput=${(/** @type {any} */ event) => (setText(event.target.value), setAt(0))} />
    <ul id="palette-list" role="listbox" aria-label=${t("palette-open")}>
      ${list.map((entry, index) => html`<li key=${entry.id} id="palette-${index}" role="option" aria-selected=${String(index === at)} onPointerMove=${() => setAt(index)} onClick=${() => pick(entry)}
        ><span class="cut">${entry.label}</span>${entry.hint && html`<span class="quiet small nowrap">${entry.hint}</span>`}</li>`)}
    </ul>
    ${list.length === 0 && html`<p class="empty" role="status">${t("palette-none")}</p>`}
  </div></div>`;
}

function KeySheet() {
  const groups = new Map();
  for (const binding of bindings.value) {
    const group = binding.group ?? t("keys-everywhere");
    groups.set(group, [...(groups.get(group) ?? []), binding]);
  }
  return html`<${Dialog} title=${t("keys-help")} onClose=${close}>
    ${[...groups].map(([group, list]) => html`<div key=${group} class="stack-tight"><h3>${group}</h3><dl class="terms">
      ${list.map((/** @type {any} */ binding) => html`<dt key=${`${binding.keys} t`}>${strokes(binding.keys)}</dt><dd key=${binding.keys}>${binding.label}</dd>`)}
    </dl></div>`)}
    <div class="stack-tight"><h3>${t("keys-tables")}</h3><p class="small quiet">${t("keys-tables-text")}</p></div>
  <//>`;
}

/** @param {string} keys */
const strokes = (keys) => keys.split(" ").map((stroke) => html`<kbd class="key">${stroke.replace("Mod+k", t("key-palette")).replace("Escape", t("key-escape"))}</kbd> `);
