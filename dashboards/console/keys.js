// The keyboard: which key means what, kept apart from what it does. Pages add bindings while they are shown; `?` lists them.
// Never ours: keys of an input method that is composing, the browser's own combinations, and letters while somebody types.
import { signal, useEffect } from "./vendor/preact.js";

/** @typedef {{keys: string, label: string, run: () => void, group?: string}} Binding `keys` as `g o`, `?`, `Mod+k`, `Escape` */

/** Between the two strokes of `g o`, in milliseconds. */
const CHORD_MS = 1_200;

/** Bindings in force, the latest last: they win. */
export const bindings = signal(/** @type {Binding[]} */ ([]));

/** @param {{isComposing?: boolean, keyCode?: number, key: string}} event @returns {boolean} */
export const composing = (event) => Boolean(event.isComposing) || event.keyCode === 229 || event.key === "Process";

/** @param {any} target @returns {boolean} */
export function typing(target) {
  if (!target?.tagName) return false;
  if (target.isContentEditable) return true;
  if (target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  return target.tagName === "INPUT" && !["checkbox", "radio", "button", "submit", "range"].includes(target.type);
}

/** The name of a stroke, or undefined where it is not ours. @param {any} event @returns {string|undefined} */
export function stroke(event) {
  if (event.defaultPrevented || composing(event) || event.altKey) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) return key === "k" && !event.shiftKey ? "Mod+k" : undefined;
  if (typing(event.target) && key !== "Escape") return undefined;
  return key;
}

/** Follows strokes through chords. */
export class Keyboard {
  /** @type {string|undefined} */ first = undefined;
  firstAt = 0;

  /** @param {string} key @param {number} now @param {Binding[]} all @returns {Binding|undefined} what to run */
  press(key, now, all) {
    const chord = this.first !== undefined && now - this.firstAt <= CHORD_MS ? `${this.first} ${key}` : undefined;
    this.first = undefined;
    const found = last(all, chord) ?? last(all, key);
    if (!found && all.some((binding) => binding.keys.startsWith(`${key} `))) {
      this.first = key;
      this.firstAt = now;
    }
    return found;
  }
}

/** @param {Binding[]} all @param {string|undefined} keys */
const last = (all, keys) => (keys === undefined ? undefined : all.filter((binding) => binding.keys === keys).at(-1));

/** A layer above everything (a dialog, the lock screen) takes the keyboard for itself. */
export const captured = signal(0);

export function startKeys() {
  const keyboard = new Keyboard();
  document.addEventListener("keydown", (event) => {
    const key = stroke(event);
    if (key === undefined || captured.value > 0) return;
    const found = keyboard.press(key, event.timeStamp, bindings.value);
    if (!found) return;
    event.preventDefault();
    found.run();
  });
}

/** Bindings of a component while it is shown. @param {Binding[]} mine @param {any[]} inputs */
export function useKeys(mine, inputs) {
  useEffect(() => {
    bindings.value = [...bindings.value, ...mine];
    return () => {
      bindings.value = bindings.value.filter((binding) => !mine.includes(binding));
    };
  }, inputs);
}
