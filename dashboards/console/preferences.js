// What a person set for this browser: language and colour scheme. Kept here, never on the server.
import { pick, speak } from "./i18n.js";
import { signal } from "./vendor/preact.js";

/** `system` follows the device. */
export const scheme = signal(/** @type {"light"|"dark"|"system"} */ ("system"));
/** What is shown in the end; charts draw anew when it changes. */
export const shown = signal(/** @type {"light"|"dark"} */ ("light"));
const system = matchMedia("(prefers-color-scheme: dark)");
/** Paper is light. */
const paper = matchMedia("print");
let printing = false;

/** @param {string} key @returns {string|null} */
function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing still works.
  }
}

function paint() {
  const wanted = scheme.value === "system" ? (system.matches ? "dark" : "light") : scheme.value;
  shown.value = printing || paper.matches ? "light" : wanted;
  document.documentElement.dataset.scheme = shown.value;
}

/** @param {"light"|"dark"|"system"} next */
export function setScheme(next) {
  scheme.value = next;
  write("scheme", next);
  paint();
}

/** @param {import("./i18n.js").Language} next */
export async function setLanguage(next) {
  write("language", next);
  await speak(next);
}

export async function startPreferences() {
  const kept = read("scheme");
  scheme.value = kept === "light" || kept === "dark" ? kept : "system";
  system.addEventListener("change", paint);
  paper.addEventListener("change", paint);
  for (const [kind, on] of /** @type {[string, boolean][]} */ ([["beforeprint", true], ["afterprint", false]])) {
    addEventListener(kind, () => {
      printing = on;
      paint();
    });
  }
  paint();
  await speak(pick(read("language"), navigator.languages));
}
