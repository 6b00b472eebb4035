// Nothing younger than Chromium 100, nothing that the content security policy forbids, nothing from elsewhere, not too much.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../../dashboards/console/", import.meta.url);
const files = readdirSync(ROOT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .filter((path) => /\.(js|css|html|ftl|svg|woff2)$/.test(path));
const ours = files.filter((path) => !path.includes("/vendor/")).map((path) => ({ path, text: readFileSync(path, "utf8") }));
const of = (ending) => ours.filter(({ path }) => path.endsWith(ending));

/** What Chromium 100 does not know. */
const YOUNG_CSS = /:has\(|@container|color-mix\(|light-dark\(|\d(dvh|svh|lvh|dvw)\b|@scope|@starting-style|\n\s+&|oklch\(|subgrid|\bscale:\s|\btranslate:\s|\brotate:\s/;
const YOUNG_JS = /\.(toSorted|toReversed|toSpliced|with|findLastIndex|isSubsetOf|difference)\(\s*\d|\.(toSorted|toReversed|toSpliced)\(|Object\.groupBy|Array\.fromAsync|Promise\.(withResolvers|try)|AbortSignal\.(timeout|any)|URL\.canParse|popover=|structuredClone\(.*transfer|import\.meta\.resolve/;

test("styles and scripts are read by Chromium 100", () => {
  for (const { path, text } of of(".css")) assert.doesNotMatch(text, YOUNG_CSS, path);
  for (const { path, text } of of(".js")) assert.doesNotMatch(text, YOUNG_JS, path);
});

test("no style, script or handler stands in HTML, and nothing makes code from text", () => {
  for (const { path, text } of of(".html")) assert.doesNotMatch(text, /<style|style=|<script(?![^>]*src=)|\son\w+=/, path);
  for (const { path, text } of of(".js")) assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\("style"|style="/, path);
});

test("nothing is fetched from elsewhere", () => {
  for (const { path, text } of [...of(".js"), ...of(".css"), ...of(".html")]) {
    const elsewhere = [...text.matchAll(/https?:\/\/[^\s"'`)]+/g)].map(([url]) => url).filter((url) => !["http://console", "http://www.w3.org/2000/svg"].includes(url));
    assert.deepEqual(elsewhere, [], path);
  }
});

test("the whole console is below 200 KB over the wire", () => {
  const sizes = files.map((path) => (path.endsWith(".woff2") ? readFileSync(path).length : gzipSync(readFileSync(path)).length));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total < 200_000, `${total} bytes`);
});

test("the browser is told of every module at once, so that none waits for another", () => {
  const told = [...of(".html")[0].text.matchAll(/rel="modulepreload" href="\/([^"]+)"/g)].map(([, path]) => path).sort();
  // A page that is fetched when somebody opens it is not fetched before.
  const later = of(".js").flatMap(({ text }) => [...text.matchAll(/\bimport\("\.\/([^"]+)"\)/g)].map(([, path]) => `pages/${path}`));
  const modules = files.filter((path) => path.endsWith(".js") && !path.endsWith("/app.js")).map((path) => path.slice(ROOT.pathname.length)).filter((path) => !later.includes(path)).sort();
  assert.deepEqual(told, modules);
});

test("each vendored library has its licence beside it", () => {
  const vendor = readdirSync(new URL("vendor/", ROOT));
  for (const name of ["preact", "htm", "signals", "uplot", "fluent", "plex-sans"]) assert.ok(vendor.includes(`${name}.LICENSE`), name);
});

test("every file says what it is", () => {
  for (const { path, text } of of(".js")) assert.match(text, /^\/\/ \S/, path);
  for (const { path, text } of of(".js")) assert.ok(text.split("\n").length <= 600, path);
});
