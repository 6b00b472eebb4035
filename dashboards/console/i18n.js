// The pages' words: one Fluent source for each language, the very same keys in both. No page writes a visible word itself.
import { FluentBundle, FluentResource } from "./vendor/fluent.js";
import { signal } from "./vendor/preact.js";

export const LANGUAGES = /** @type {const} */ (["zh-CN", "en"]);
/** @typedef {typeof LANGUAGES[number]} Language */

/** @type {Map<string, FluentBundle>} */
const bundles = new Map();
export const language = signal(/** @type {Language} */ ("zh-CN"));

/** @param {string} language_ @param {string} source @returns {FluentBundle} */
export function bundleOf(language_, source) {
  // Both languages run left to right: isolation marks would only be copied along with numbers.
  const bundle = new FluentBundle(language_, { useIsolating: false });
  const errors = bundle.addResource(new FluentResource(source));
  if (errors.length > 0) throw errors[0];
  return bundle;
}

/** The language that the person chose, else the browser's first that we speak. @param {string|null} chosen @param {readonly string[]} wanted @returns {Language} */
export function pick(chosen, wanted) {
  const known = LANGUAGES.find((language_) => language_ === chosen);
  if (known) return known;
  for (const tag of wanted) {
    if (tag.toLowerCase().startsWith("zh")) return "zh-CN";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

let folder = "/locales";
/** Another page has words of its own. @param {string} from the folder of its Fluent files */
export const wordsFrom = (from) => {
  folder = from;
};

/** @param {Language} next */
export async function speak(next) {
  if (!bundles.has(next)) bundles.set(next, bundleOf(next, await (await fetch(`${folder}/${next}.ftl`)).text()));
  language.value = next;
  document.documentElement.lang = next;
}

/** A sentence in the present language. @param {string} id @param {Record<string, any>} [args] @returns {string} */
export function t(id, args) {
  const bundle = bundles.get(language.value);
  const message = bundle?.getMessage(id);
  if (!bundle || !message?.value) return id;
  /** @type {Error[]} */ const errors = [];
  return bundle.formatPattern(message.value, args ?? null, errors);
}

/** Whether the language has such a sentence: for codes that a later server may add. @param {string} id @returns {boolean} */
export const knows = (id) => bundles.get(language.value)?.hasMessage(id) ?? false;

/** @param {string} prefix @param {string} code @returns {string} the sentence for a code of the wire, or the code itself */
export const word = (prefix, code) => (knows(`${prefix}-${code}`) ? t(`${prefix}-${code}`) : code);

/** @param {import("./types/pages.d.ts").Names|undefined} name @param {string} otherwise @returns {string} */
export const named = (name, otherwise) => name?.[language.value] ?? name?.en ?? otherwise;
