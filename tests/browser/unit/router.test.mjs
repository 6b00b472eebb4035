// Addresses.
import assert from "node:assert/strict";
import test from "node:test";
import { match, parse } from "../../../dashboards/console/router.js";

test("an address is a path and a query", () => {
  assert.deepEqual(parse("/gates/?q=a%20b"), { path: "/gates", query: { q: "a b" } });
  assert.deepEqual(parse("/"), { path: "/", query: {} });
});

test("parts of an address are named, and a missing part is no match", () => {
  assert.deepEqual(match("/gates/:station", "/gates/tian%2Ffu"), { station: "tian/fu" });
  assert.deepEqual(match("/", "/"), {});
  assert.equal(match("/gates/:station", "/gates"), undefined);
  assert.equal(match("/gates/:station", "/gates/a/b"), undefined);
  assert.equal(match("/gates/:station", "/gates/"), undefined);
});

test("an address that nobody could have made is no match and no fault", () => {
  assert.equal(match("/gates/:station", "/gates/%E0%A4%A"), undefined);
});
