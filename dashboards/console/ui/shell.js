// The frame around the pages: rail, head with the state of the line, stale banner, what follows a person everywhere.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { t, language, LANGUAGES } from "../i18n.js";
import { link, serverNow } from "../link.js";
import { useChannel } from "../store.js";
import { me, signOut, lockNow } from "../session.js";
import { scheme, setLanguage, setScheme } from "../preferences.js";
import { go, place } from "../router.js";
import { useKeys } from "../keys.js";
import { navigation } from "../pages/index.js";
import { clock, dateTime, time } from "../format.js";
import { Button } from "./button.js";
import { Segments } from "./field.js";
import { Icon, Sign } from "./icon.js";
import { Mark } from "./states.js";
import { openPalette, openSheet } from "./palette.js";

/** The time by the server, each second. @returns {number} */
export function useNow() {
  const [now, setNow] = useState(serverNow());
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** @param {{page: any, children?: any}} props */
export function Shell({ page, children }) {
  useKeys(
    [
      { keys: "?", label: t("keys-help"), run: openSheet },
      { keys: "Mod+k", label: t("palette-open"), run: openPalette },
      { keys: "/", label: t("palette-open"), run: openPalette },
      ...navigation().map((entry) => ({ keys: `g ${entry.nav.key}`, label: t("go-to", { page: t(`nav-${entry.id}`) }), group: t("keys-go"), run: () => go(entry.nav.href) })),
    ],
    [language.value, me.value],
  );
  return html`<div class="shell">
    <a class="skip" href="#main" onClick=${skip}>${t("skip")}</a>
    <${Rail} page=${page} />
    <div class="column">
      <${Top} />
      <${Stale} />
      <main class="main" id="main" tabindex="-1">${children}<${Printed} /></main>
    </div>
  </div>`;
}

/** Paper says when it was printed and by whom. */
function Printed() {
  const now = useNow();
  return html`<p class="print-only small">${t("printed", { time: dateTime(now), user: me.value?.user ?? "" })}</p>`;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** @param {{page: any}} props */
function Rail({ page }) {
  return html`<nav class="rail" aria-label=${t("nav")}>
    <a class="brand" href="/"><${Sign} /><span>${t("brand")}</span></a>
    <ul>${navigation().map((entry) => html`<li key=${entry.id}><a href=${entry.nav.href} aria-current=${page?.nav?.href === entry.nav.href || page?.under === entry.id ? "page" : undefined} title=${t(`nav-${entry.id}`)}
      ><${Icon} name=${entry.nav.icon} /><span>${t(`nav-${entry.id}`)}</span>${entry.nav.Count && html`<${entry.nav.Count} />`}</a></li>`)}</ul>
    <div class="rail-foot no-print"><span>${t("rail-hint-palette")}</span><span>${t("rail-hint-keys")}</span></div>
  </nav>`;
}

/** How many alarms nobody has taken yet. */
export function AlarmCount() {
  const board = useChannel("alarms");
  const raised = (board.data?.items ?? []).filter((/** @type {any} */ item) => item.state === "raised").length;
  return raised > 0 ? html`<span class="count"><${Mark} tone="alarm">${raised}<span class="unseen"> ${t("alarms-raised-short")}</span><//></span>` : null;
}

/** How many commands wait for a second person. */
export function ApprovalCount() {
  const board = useChannel("approvals");
  const waiting = (board.data?.items ?? []).filter((/** @type {any} */ item) => item.state === "pending").length;
  return waiting > 0 ? html`<span class="count"><${Mark} tone="accent">${waiting}<span class="unseen"> ${t("approvals-waiting-short")}</span><//></span>` : null;
}

function Top() {
  return html`<header class="top">
    <${LinkState} />
    <div class="top-tools">
      <${Button} class="search-button" size="s" onPress=${openPalette}><span class="row-tight"><${Icon} name="search" /><span class="label">${t("palette-open")}</span></span><kbd class="key label">${t("key-palette")}</kbd><//>
      <${PersonMenu} />
    </div>
  </header>`;
}

function LinkState() {
  const now = useNow();
  const { state } = link.value;
  const tone = state === "live" ? "good" : state === "stopped" ? "alarm" : "warn";
  return html`<p class="link-state"><i class="dot" data-tone=${tone}></i><span class="label">${t(`link-${state === "live" ? "live" : state === "stopped" ? "stopped" : "waiting"}`)}</span><time class="strong">${time(now)}</time></p>`;
}

/** Nothing old is ever shown as if it were new. */
export function Stale() {
  const { state, reason, retryAt } = link.value;
  const [since, setSince] = useState(/** @type {number|undefined} */ (undefined));
  const now = useNow();
  const gone = state !== "live";
  useEffect(() => setSince(gone ? Date.now() : undefined), [gone]);
  // A line that comes back within a second needs no banner; controls are disabled at once all the same.
  if (!gone || since === undefined || Date.now() - since < 900) return null;
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const text = state === "stopped" ? t("stale-stopped", { reason: reason ?? "" }) : t("stale", { since: time(since + (now - Date.now())) });
  return html`<div class="stale" role="alert"><i class="dot" data-tone="warn"></i><span class="grow">${text}</span>
    ${state === "waiting" && html`<span class="small nowrap">${t("stale-retry", { seconds })}</span>`}
    ${state === "stopped" && html`<${Button} size="s" onPress=${() => location.reload()}>${t("reload")}<//>`}
  </div>`;
}

function PersonMenu() {
  const [open, setOpen] = useState(false);
  const anchor = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => {
    if (!open) return undefined;
    const outside = (/** @type {Event} */ event) => !anchor.current?.contains(/** @type {Node} */ (event.target)) && setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    /** @type {HTMLElement|null|undefined} */ (anchor.current?.querySelector(".button"))?.focus();
  };
  const user = me.value?.user ?? "";
  return html`<div class="menu-anchor" ref=${anchor} onKeyDown=${key}>
    <${Button} look="plain" size="s" onPress=${() => setOpen(!open)} expanded=${open} label=${t("person-menu", { user })}><${Icon} name="person" /><span class="who">${user}</span><//>
    ${open && html`<div class="menu" role="group" aria-label=${t("person-menu", { user })}>
      <div class="menu-part"><span class="strong">${user}</span><span class="quiet small">${(me.value?.roles ?? []).map((role) => t(`role-${role}`)).join(" · ")}</span></div>
      <div class="menu-part"><${Settings} /></div>
      <div class="menu-part">
        <${Button} look="plain" size="s" onPress=${() => (setOpen(false), openSheet())}>${t("keys-help")}<//>
        <${Button} look="plain" size="s" onPress=${lockNow}>${t("lock-now")}<//>
        <${Button} look="plain" size="s" onPress=${signOut}>${t("sign-out")}<//>
      </div>
    </div>`}
  </div>`;
}

/** Language and colours. */
export const Settings = () => html`
  <${Segments} label=${t("language")} value=${language.value} onChange=${setLanguage} options=${LANGUAGES.map((value) => ({ value, label: t(`language-${value}`) }))} />
  <${Segments} label=${t("scheme")} value=${scheme.value} onChange=${setScheme} options=${["light", "dark", "system"].map((value) => ({ value, label: t(`scheme-${value}`) }))} />`;

/** The head of a page. @param {{title: any, crumb?: any, text?: any, children?: any}} props */
export function PageHead({ title, crumb, text, children }) {
  useEffect(() => {
    document.title = t("document-title", { page: typeof title === "string" ? title : t("brand") });
  });
  return html`<div class="page-head"><div>${crumb && html`<span class="crumb">${crumb}</span>`}<h1>${title}</h1>${text && html`<p>${text}</p>`}</div>${children && html`<div class="row no-print">${children}</div>`}</div>`;
}

/** Part of a page. @param {{title?: any, aside?: any, children?: any, class?: string, flush?: boolean, label?: string}} props */
export const Sheet = ({ title, aside, children, class: name, flush, label }) => html`<section class="sheet ${name ?? ""}" aria-label=${label ?? (typeof title === "string" ? title : undefined)}>
  ${title && html`<div class="sheet-head"><h2>${title}</h2>${aside && html`<div class="quiet small">${aside}</div>`}</div>`}
  ${flush ? children : html`<div class="sheet-body">${children}</div>`}
</section>`;

export { clock, place };
