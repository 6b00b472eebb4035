// The virtual gate's deny list: differences, wrong bases, wrong hashes, the whole.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { GateList, sha256 } from "../../../dashboards/gate/list.js";

const hash = (tokens) => createHash("sha256").update([...tokens].sort().map((token) => `${token}\n`).join("")).digest("hex");
const delta = (from, to, add, remove, after) => ({ from, to, add, remove, hash_after: hash(after) });

test("its own SHA-256 is the SHA-256", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const text = "x".repeat(length);
    assert.equal(sha256(text), createHash("sha256").update(text).digest("hex"), `${length} bytes`);
  }
});

test("a difference on its base is applied and told; an older one is no news", () => {
  const list = new GateList();
  assert.deepEqual(list.message(delta(0, 1, ["b", "a"], [], ["a", "b"])), { tell: true });
  assert.deepEqual(list.message(delta(1, 2, ["c"], ["a"], ["b", "c"])), { tell: true });
  assert.deepEqual([list.version, list.denies("c"), list.denies("a")], [2, true, false]);
  assert.deepEqual(list.message(delta(1, 2, ["c"], ["a"], ["b", "c"])), {});
  assert.deepEqual(list.message(delta(2, 2, [], [], ["b", "c"])), {}, "it has the newest");
});

test("another base asks from its own version, another hash from the beginning", () => {
  const list = new GateList();
  assert.deepEqual(list.message(delta(4, 5, ["a"], [], ["a"])), { ask: 0 });
  list.message(delta(0, 1, ["a"], [], ["a"]));
  assert.deepEqual(list.message(delta(4, 5, ["z"], [], ["a", "z"])), { ask: 1 });
  assert.deepEqual(list.message(delta(1, 2, ["b"], [], ["a", "x"])), { ask: 0 });
  assert.equal(list.version, 1);
  assert.deepEqual(list.message(delta(0, 2, ["a", "x"], [], ["a", "x"])), { tell: true });
  assert.deepEqual([...list.tokens].sort(), ["a", "x"]);
});

test("the whole is fetched, and thrown away where it is not what was promised", () => {
  const list = new GateList();
  const full = { full: true, to: 7, url: "/api/v1/lists/7", sha256: hash(["a", "b"]) };
  assert.deepEqual(list.message(full).fetch, { to: 7, url: "/api/v1/lists/7", sha256: full.sha256 });
  assert.deepEqual(list.whole(7, "a\n", full.sha256), { ask: 0 });
  assert.deepEqual(list.whole(7, "a\nb\n", full.sha256), { tell: true });
  assert.deepEqual([GateList.restore(JSON.parse(JSON.stringify(list))).denies("b"), list.version], [true, 7]);
});
