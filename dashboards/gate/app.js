// The virtual gate: starts everything and draws the page.
import { html, render } from "/vendor/preact.js";
import { LANGUAGES, language, t, wordsFrom } from "/i18n.js";
import { scheme, setLanguage, setScheme, startPreferences } from "/preferences.js";
import { loan, pass, plug, start } from "./gate.js";
import { Controls, chosen, direction, media, tapNow } from "./controls.js";
import { Stage } from "./stage.js";
import { Records } from "./records.js";

/** @type {Record<string, () => void>} */
const KEYS = {
  t: tapNow,
  g: () => pass("passed"),
  b: () => pass("not_passed"),
  p: () => loan.value && plug(),
  e: () => (direction.value = "entry"),
  x: () => (direction.value = "exit"),
};

addEventListener("keydown", (event) => {
  const at = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || at.matches("select, textarea, input:not([type=radio])")) return;
  const nth = Number(event.key);
  if (nth >= 1 && nth <= media().length) chosen.value = nth - 1;
  else KEYS[event.key.toLowerCase()]?.();
});

const Segments = (/** @type {{label: string, of: readonly string[], now: string, name: (item: string) => string, pick: (item: any) => void}} */ { label, of, now, name, pick }) =>
  html`<div class="segments" role="group" aria-label=${label}>${of.map((item) => html`<button type="button" aria-pressed=${String(item === now)} onClick=${() => pick(item)}>${name(item)}</button>`)}</div>`;

const Head = () => html`<header class="gate-top"><a class="gate-brand" href="/"><img src="/sign.svg" alt="" width="24" height="24" /><span>${t("brand")}</span></a>
  <h1>${t("title")}</h1><div class="gate-tools"><${Segments} label=${t("language")} of=${LANGUAGES} now=${language.value} name=${(/** @type {string} */ item) => t(`language-${item}`)} pick=${setLanguage}
  /><${Segments} label=${t("scheme")} of=${["light", "dark", "system"]} now=${scheme.value} name=${(/** @type {string} */ item) => t(`scheme-${item}`)} pick=${setScheme} /></div></header>`;

function App() {
  document.title = t("document-title");
  return html`<div class="gate-page" key=${language.value}><${Head} /><main><p class="lead-in">${t("lead")}</p><div class="gate-grid"><${Stage} /><${Controls} /></div><${Records} /></main></div>`;
}

wordsFrom("/gate/locales");
await startPreferences();
render(html`<${App} />`, /** @type {Element} */ (document.getElementById("app")));
await start();
