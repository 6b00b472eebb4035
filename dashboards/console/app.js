// The console: starts everything and shows the page of the address.
import { html, render, useErrorBoundary } from "./vendor/preact.js";
import { startPreferences } from "./preferences.js";
import { startRouter, place } from "./router.js";
import { startKeys } from "./keys.js";
import { startSession, phase, locked, me } from "./session.js";
import { language, t } from "./i18n.js";
import { find } from "./pages/index.js";
import { is } from "./rights.js";
import { SignIn } from "./pages/signin.js";
import { Shell } from "./ui/shell.js";
import { Overlays } from "./ui/palette.js";
import { Toasts } from "./ui/toast.js";
import { Lock } from "./ui/lock.js";
import { Empty } from "./ui/states.js";
import { Button } from "./ui/button.js";

function App() {
  if (phase.value === "asking") return null;
  if (phase.value === "unreachable") return html`<main class="main"><${Empty} title=${t("no-server")} text=${t("no-server-text")} /></main>`;
  if (phase.value === "out") return html`<${SignIn} />`;
  if (locked.value) return html`<${Lock} />`;
  const found = find(place.value.path);
  if (found?.page.wall && place.value.query.wall !== undefined) return html`<${Page} key=${place.value.path} ...${found} />`;
  return html`<${Shell} page=${found?.page}><${Page} key=${`${me.value?.user} ${place.value.path}`} ...${found ?? {}} /><//><${Overlays} />`;
}

/** A page; a fault in one leaves the frame in place. @param {{page?: import("./pages/index.js").Page, params?: any}} props */
function Page({ page, params }) {
  const [fault, reset] = useErrorBoundary((error) => console.error(error));
  if (fault) return html`<div class="sheet"><${Empty} title=${t("page-fault")} text=${t("page-fault-text")}><p><${Button} onPress=${reset}>${t("again")}<//></p><//></div>`;
  if (!page) return html`<div class="sheet"><${Empty} title=${t("no-page")} text=${t("no-page-text")} /></div>`;
  if (!is(page.roles)) return html`<div class="sheet"><${Empty} title=${t("not-for-you")} text=${t("not-for-you-text")} /></div>`;
  return html`<${page.View} params=${params} />`;
}

const Root = () => html`<${App} key=${language.value} /><${Toasts} />`;

startRouter();
startKeys();
await startPreferences();
const first = startSession();
render(html`<${Root} />`, /** @type {Element} */ (document.getElementById("app")));
await first;
