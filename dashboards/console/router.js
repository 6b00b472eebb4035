// Addresses ↔ pages. Every view has an address of its own that can be sent to a colleague; the server answers any of them
// with the same index.html.
import { signal } from "./vendor/preact.js";

/** @typedef {{path: string, query: Record<string, string>}} Place */

/** Where we are. */
export const place = signal(/** @type {Place} */ ({ path: "/", query: {} }));

/** @param {string} href @returns {Place} */
export function parse(href) {
  const url = new URL(href, "http://console");
  return { path: url.pathname.replace(/(.)\/+$/, "$1"), query: Object.fromEntries(url.searchParams) };
}

/** Matches `/gates/:station`. @param {string} pattern @param {string} path @returns {Record<string, string>|undefined} */
export function match(pattern, path) {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  /** @type {Record<string, string>} */ const found = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(":")) found[part.slice(1)] = decoded(given[index]);
    else if (part !== given[index]) return undefined;
  }
  return Object.values(found).includes("") ? undefined : found;
}

/** @param {string} part @returns {string} empty where it is no text */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** @param {string} href @param {{replace?: boolean}} [how] */
export function go(href, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", href);
  place.value = parse(href);
}

/** Changes the query only. @param {Record<string, string|undefined>} change */
export function query(change) {
  const next = Object.entries({ ...place.value.query, ...change }).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(/** @type {any} */ (next)).toString();
  go(place.value.path + (text && `?${text}`), { replace: true });
}

export function startRouter() {
  place.value = parse(location.href);
  addEventListener("popstate", () => (place.value = parse(location.href)));
  document.addEventListener("click", (click) => {
    const anchor = /** @type {Element} */ (click.target).closest?.("a[href]");
    if (!(anchor instanceof HTMLAnchorElement) || anchor.origin !== location.origin || anchor.target || anchor.hasAttribute("download")) return;
    if (click.defaultPrevented || click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
    if (anchor.hash && anchor.pathname === location.pathname) return;
    click.preventDefault();
    go(anchor.pathname + anchor.search);
  });
}
