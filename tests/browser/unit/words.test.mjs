// The words of the pages, the console's and the virtual gate's: the same keys with the same variables in both languages, none
// that nobody says, and no visible word that goes past them.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";
import { bundleOf, pick } from "../../../dashboards/console/i18n.js";
import { visible } from "./visible.mjs";

/** Key → text of a Fluent source. */
function messages(source) {
  const found = {};
  let key;
  for (const line of source.split("\n")) {
    const start = /^([a-zA-Z][\w-]*) =(.*)$/.exec(line);
    if (start) {
      key = start[1];
      assert.ok(!(key in found), `${key} stands twice`);
      found[key] = start[2];
    } else if (key && /^\s+\S/.test(line)) found[key] += `\n${line}`;
    else key = undefined;
  }
  return found;
}

const variables = (text) => [...new Set([...text.matchAll(/\$([a-z_0-9]+)/g)].map(([, name]) => name))].sort();

for (const [page, folders] of Object.entries({ console: ["", "ui/", "charts/", "pages/"], gate: [""] })) {
  const root = new URL(`../../../dashboards/${page}/`, import.meta.url);
  const read = (path) => readFileSync(new URL(path, root), "utf8");
  const sources = folders.flatMap((folder) => readdirSync(new URL(folder || ".", root)).filter((name) => name.endsWith(".js")).map((name) => folder + name)).map((path) => ({ path, text: read(path) }));
  const words = Object.fromEntries(["en", "zh-CN"].map((language) => [language, messages(read(`locales/${language}.ftl`))]));

  test(`${page}: both languages have the same keys in the same order`, () => {
    assert.deepEqual(Object.keys(words["zh-CN"]), Object.keys(words.en));
  });

  test(`${page}: a sentence knows the same things in both languages`, () => {
    for (const [key, text] of Object.entries(words.en)) {
      const [here, there] = [variables(text), variables(words["zh-CN"][key])];
      assert.deepEqual(there, here, key);
    }
  });

  test(`${page}: both sources are read without a fault, and no sentence is empty`, () => {
    for (const language of ["en", "zh-CN"]) {
      const bundle = bundleOf(language, read(`locales/${language}.ftl`));
      for (const [key, text] of Object.entries(words[language])) {
        const errors = [];
        const args = Object.fromEntries(variables(text).map((name) => [name, 2]));
        assert.notEqual(bundle.formatPattern(bundle.getMessage(key).value, args, errors).trim(), "", key);
        assert.deepEqual(errors, [], key);
      }
    }
  });

  test(`${page}: every key that is asked for exists`, () => {
    for (const { path, text } of sources) {
      for (const [, key] of text.matchAll(/\bt\(\s*"([^"]+)"/g)) assert.ok(key in words.en, `${path}: ${key}`);
      for (const [, prefix] of text.matchAll(/\b(?:t|knows)\(`([\w-]+-)\$\{/g)) assert.ok(Object.keys(words.en).some((key) => key.startsWith(prefix)), `${path}: ${prefix}…`);
      for (const [, prefix] of text.matchAll(/\bword\("([^"]+)"/g)) assert.ok(Object.keys(words.en).some((key) => key.startsWith(`${prefix}-`)), `${path}: ${prefix}-…`);
    }
  });

  test(`${page}: no word is kept that nobody says`, () => {
    const all = sources.map(({ text }) => text).join("\n");
    const prefixes = [...all.matchAll(/(?:\bt|\bknows)\(`([\w-]+-)\$\{|\bkey = `([\w-]+-)\$\{/g)].map(([, a, b]) => a ?? b).concat([...all.matchAll(/\bword\("([^"]+)"/g)].map(([, prefix]) => `${prefix}-`));
    const dead = Object.keys(words.en).filter((key) => !all.includes(`"${key}"`) && !prefixes.some((prefix) => key.startsWith(prefix)));
    assert.deepEqual(dead, []);
  });

  test(`${page}: no visible word goes past the words`, () => {
    const found = sources.flatMap(({ path, text }) => visible(text).map((words_) => `${path}: ${words_}`));
    assert.deepEqual(found, []);
  });
}

test("the scanner sees what it is for", () => {
  assert.deepEqual(visible("html`<p>Hello</p>`"), ["Hello"]);
  assert.deepEqual(visible("html`<p title=\"Hi there\">${x}</p>`"), ['title="Hi there"']);
  assert.deepEqual(visible("html`<p>${a ? html`<b>deep</b>` : t(\"x\")}</p>`"), ["deep"]);
  assert.deepEqual(visible("html`<p class=\"x\" onClick=${() => (a > b ? 1 : 2)}>${t(\"x\")} · </p>`"), []);
});

test("the language is the person's, else the browser's first that we speak", () => {
  assert.equal(pick("en", ["zh-CN"]), "en");
  assert.equal(pick(null, ["de", "zh-TW"]), "zh-CN");
  assert.equal(pick(null, ["de", "en-GB"]), "en");
  assert.equal(pick("xx", ["de"]), "en");
});
