// The virtual gate's machine against everything that a server, a network and a rider can do to it. No socket, no clock.
import assert from "node:assert/strict";
import test from "node:test";
import { GateCore } from "../../../dashboards/gate/gate-core.js";
import { sha256 } from "../../../dashboards/gate/list.js";

const CARD = { kind: "card", token: "m1" };
const STATE = 1;

function online(habits = {}) {
  const core = new GateCore({ epoch: 7, ...habits });
  core.connected(0);
  core.taken(STATE, 0, 0);
  core.take();
  return core;
}

/** What went out since the last look, by name. */
function sent(core) {
  return core.take().map(({ name, payload, cookie, retain }) => ({ name, cookie, retain, body: JSON.parse(payload) }));
}
const of = (core, name) => sent(core).filter((message) => message.name === name).map(({ body }) => body);

function decide(core, seq, code, { ref = `a1/${seq}`, at = 10, ...more } = {}) {
  const result = code === "OK" || code === "WAIVED_BY_MODE" ? "open" : "deny";
  core.message("decision", JSON.stringify({ epoch: 7, seq, result, code, ref, messages: { "zh-CN": "请通行", en: "Go" }, ...more }), at);
}
const mode = (core, rev, more, now = 0) => core.message("mode", JSON.stringify({ id: `m${rev}`, rev, service: "both", station_mode: [], issued_by: "li", reason: "", from: "", ...more }), now);
const ack = (core, upto, more = {}) => core.message("records_ack", JSON.stringify({ epoch: 7, upto, missing: [], rejected: [], ...more }), 0);

test("the state goes first, retained; taps wait until it is durable", () => {
  const core = new GateCore({ epoch: 7 });
  core.connected(0);
  const [state, ...rest] = sent(core);
  assert.deepEqual([state.name, state.retain, state.body.online, rest.length], ["state", true, true, 0]);
  core.taken(STATE, 0, 0);
  core.tap("entry", CARD, 10);
  assert.deepEqual(of(core, "tap"), [{ epoch: 7, seq: 1, direction: "entry", medium: CARD, at: "1970-01-01T00:00:00.010Z", deadline_ms: 5_000, mode: 0, list_version: 0 }]);
});

test("what stands on the deny list stays out without a link, and the gate says which version it has", () => {
  const core = online();
  core.message("list", JSON.stringify({ from: 0, to: 3, add: ["m1"], remove: [], hash_after: sha256("m1\n") }), 5);
  assert.deepEqual(of(core, "state").map((state) => state.versions), [{ list: 3 }]);
  core.disconnected();
  assert.deepEqual([core.tap("entry", CARD, 10).why, core.tap("entry", { kind: "qr", token: "m1.1.x" }, 10).why, core.tap("entry", { kind: "card", token: "m2" }, 10).why], ["denied", "denied", "trusted"]);
  core.message("list", JSON.stringify({ full: true, to: 4, url: "/api/v1/lists/4", sha256: sha256("m2\n") }), 20);
  assert.equal(core.wanted.url, "/api/v1/lists/4");
  core.fetched(4, "m2\n", core.wanted.sha256, 30);
  assert.equal(core.list.version, 4);
});

test("an answer opens, the rider passes, the passage names the answer", () => {
  const core = online();
  core.tap("exit", CARD, 0);
  core.take();
  decide(core, 1, "OK", { fare: { amount: "2.00", currency: "CNY" }, balance: { amount: "86.00", currency: "CNY" } });
  assert.deepEqual([core.passing().length, core.entries[0].fare.amount, core.entries[0].waitedMs], [1, "2.00", 10]);
  core.pass("passed", 20);
  assert.deepEqual(of(core, "passage"), [{ epoch: 7, seq: 1, ref: "a1/1", outcome: "passed", at: "1970-01-01T00:00:00.020Z" }]);
  assert.equal(core.passing().length, 0);
});

test("who does not go through in time has not passed", () => {
  const core = online();
  core.message("config", JSON.stringify({ no_passage_ms: 1_000, records_max: 150 }), 0);
  core.tap("entry", CARD, 0);
  decide(core, 1, "OK");
  assert.equal(core.tick(1_009), false);
  assert.equal(core.tick(1_010), true);
  assert.equal(of(core, "passage")[0].outcome, "not_passed");
});

test("the same rider twice goes through once, and the first tap's passage is told", () => {
  const core = online();
  core.tap("entry", CARD, 0);
  decide(core, 1, "OK", { ref: "a1/1" });
  core.tap("entry", CARD, 20);
  decide(core, 2, "OK", { ref: "a1/1", at: 30 });
  assert.deepEqual(core.passing().map((entry) => entry.seq), [1]);
  core.take();
  core.pass("passed", 40);
  assert.deepEqual(of(core, "passage").map((passage) => passage.seq), [1]);
});

test("without an answer in time it decides alone, says so at once and ignores the answer", () => {
  const core = online({ deadlineMs: 250 });
  core.tap("entry", CARD, 0);
  core.take();
  assert.equal(core.tick(250), false, "at the deadline itself an answer would still count");
  core.tick(251);
  const [records] = of(core, "records");
  assert.deepEqual([records.first_seq, records.records[0].by, records.records[0].shown, records.records[0].passage], [1, "gate", "open", "none"]);
  decide(core, 1, "NO_ENTRY", { at: 260 });
  assert.deepEqual([core.entries[0].by, core.entries[0].open, core.entries[0].late], ["gate", true, true]);
});

test("an answer that overtakes the timer is late all the same", () => {
  const core = online({ deadlineMs: 250 });
  core.tap("entry", CARD, 0);
  decide(core, 1, "NO_ENTRY", { at: 251 });
  assert.deepEqual([core.entries[0].by, core.entries[0].late], ["gate", true]);
});

test("unplugged it decides at once, keeps its records, and tells them before its next tap", () => {
  const core = online();
  core.disconnected();
  core.tap("entry", CARD, 10);
  core.pass("passed", 20);
  core.tap("entry", { kind: "card", token: "m2" }, 30);
  assert.deepEqual(sent(core), []);
  core.connected(40);
  core.taken(STATE, 0, 50);
  core.tap("exit", CARD, 60);
  const after = sent(core);
  assert.deepEqual(after.map(({ name }) => name), ["state", "passage", "records", "tap"]);
  assert.deepEqual(after[2].body.records.map(({ seq, by, shown, passage }) => [seq, by, shown, passage]), [[1, "gate", "open", "passed"], [2, "gate", "open", "none"]]);
  ack(core, 2);
  assert.deepEqual([core.upto, core.owed().map((entry) => entry.seq)], [2, [3]]);
});

test("alone it goes by its mode and by what was refused here", () => {
  const cases = [
    [{}, "entry", "trusted"],
    [{ service: "exit" }, "entry", "direction"],
    [{ service: "closed" }, "exit", "closed"],
    [{ service: "open" }, "exit", "released"],
    [{ station_mode: ["emergency"], service: "open" }, "entry", "released"],
  ];
  for (const [more, direction, why] of cases) {
    const core = online();
    mode(core, 1, more);
    core.disconnected();
    const entry = core.tap(direction, CARD, 0);
    assert.deepEqual([entry.why, entry.open], [why, why === "trusted" || why === "released"]);
  }
  const core = online();
  core.tap("entry", CARD, 0);
  decide(core, 1, "UNKNOWN_MEDIUM");
  core.disconnected();
  assert.deepEqual([core.tap("entry", CARD, 20).why, core.tap("entry", { kind: "card", token: "m2" }, 20).why], ["listed", "trusted"]);
});

test("what the server decided is told every half minute, after the rider has passed; missing records go again", () => {
  const core = online();
  for (const seq of [1, 2, 3]) {
    core.tap("entry", { kind: "card", token: `m${seq}` }, 0);
    decide(core, seq, seq === 3 ? "OK" : "ALREADY_IN");
  }
  core.take();
  core.config.no_passage_ms = 60_000;
  core.passing()[0].passUntil = 60_000;
  core.tick(30_010);
  assert.deepEqual(of(core, "records")[0].records.map(({ seq }) => seq), [1, 2], "the third is still on its way");
  ack(core, 1, { missing: [[2, 2]] });
  core.pass("passed", 30_020);
  core.tick(31_000);
  assert.deepEqual(of(core, "records")[0].records.map(({ seq, passage }) => [seq, passage]), [[2, "none"], [3, "passed"]]);
  ack(core, 3, { rejected: [{ seq: 3, code: "KEY_REUSED" }] });
  assert.deepEqual([core.owed().length, core.entries.at(-1).rejected, core.recordsAt], [0, "KEY_REUSED", undefined]);
});

test("a record stays as it was told, and is told again over a new line", () => {
  const core = online({ deadlineMs: 10 });
  core.tap("entry", CARD, 0);
  core.tick(20);
  const [first] = of(core, "records");
  core.pass("passed", 30);
  core.disconnected();
  core.connected(40);
  core.taken(STATE, 0, 40);
  assert.deepEqual(of(core, "records"), [first]);
});

test("a gate that is given up lets nobody through and tells all it knows", () => {
  const core = online();
  core.tap("entry", CARD, 0);
  decide(core, 1, "OK");
  core.take();
  core.close(20);
  const out = sent(core);
  assert.deepEqual(out.map(({ name, body }) => [name, body.outcome ?? body.records[0].passage]), [["passage", "not_passed"], ["records", "not_passed"]]);
});

test("a mode is obeyed only when it is higher, and acknowledged; commands are answered", () => {
  const core = online();
  mode(core, 2, { service: "open", station_mode: ["emergency"] });
  mode(core, 1, {});
  mode(core, 2, {});
  assert.deepEqual(of(core, "ack").map(({ id, result }) => [id, result]), [["m2", "done"], ["m2", "done"]]);
  assert.equal(core.released, true);
  assert.equal(core.tap("entry", CARD, 10).mode, 2);
  const command = (id, name, expires_at) => core.message("command", JSON.stringify({ id, command: name, args: {}, expires_at }), Date.parse("2026-01-01T00:00:00Z"));
  command("c1", "restart", "2026-01-01T00:00:01.000Z");
  command("c2", "fly", "2026-01-01T00:00:01.000Z");
  command("c3", "restart", "2025-12-31T23:59:59.000Z");
  assert.deepEqual(of(core, "ack").map(({ result }) => result), ["done", "unsupported", "expired"]);
});

test("a report is owed until it is taken, and outlives connections and a reload", () => {
  let core = online();
  mode(core, 1, {});
  core.take();
  core = GateCore.restore(core.save());
  assert.equal(core.online, false);
  core.connected(10);
  core.taken(STATE, 0, 10);
  const [, report] = sent(core);
  assert.equal(report.name, "ack");
  core.taken(report.cookie, 0, 20);
  assert.equal(core.reports.length, 0);
  assert.equal(core.tap("entry", CARD, 30).seq, 1);
  core = GateCore.restore(core.save());
  core.connected(40);
  core.taken(STATE, 0, 40);
  assert.deepEqual(of(core, "tap").map(({ seq }) => seq), [1], "what waited for its answer asks again");
});

test("what the server does not take is remembered for the page", () => {
  const core = online();
  core.tap("entry", CARD, 0);
  core.taken(2, 0x99, 0);
  assert.deepEqual(core.refused, { name: "tap", code: 0x99 });
  const again = online();
  mode(again, 1, {});
  again.taken(again.reports[0].cookie, 0x99, 0);
  assert.deepEqual([again.refused, again.reports], [undefined, []], "a mode that was acknowledged before");
});

test("what is acknowledged is not shown for ever, what is not is never forgotten", () => {
  const core = online();
  core.disconnected();
  for (let n = 0; n < 40; n += 1) core.tap("entry", { kind: "card", token: `m${n}` }, n);
  assert.equal(core.owed().length, 40);
  core.entries.forEach((entry) => (entry.passing = false));
  ack(core, 40);
  assert.equal(core.entries.length, 12);
});
