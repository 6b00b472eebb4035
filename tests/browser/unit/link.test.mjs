// The machine of the connection against everything that a line can do to it. No socket, no clock: both are arguments.
import assert from "node:assert/strict";
import test from "node:test";
import { LinkCore } from "../../../dashboards/console/link-core.js";

const HELLO = { t: "hello", conn: "c1", node: "n1", heartbeat_ms: 10_000, now: "2026-03-02T08:00:00.000Z", user: "wang", roles: ["gate_operator"], scope: "all" };
const START = Date.parse(HELLO.now);

/** A connection that is live at `START`. */
function live(random = () => 0) {
  const core = new LinkCore({ random });
  core.start(START);
  core.opened(START);
  core.message(HELLO, START);
  core.take();
  return core;
}

const sent = (core) => core.take().filter((effect) => effect.k === "send").map((effect) => effect.frame);
const told = (core, ...kinds) => core.take().filter((effect) => kinds.includes(effect.k));

/** Subscribes and answers with a snapshot at `seq`. */
function following(core, ch = "alarms", seq = 5) {
  core.subscribe(ch);
  const [ask] = sent(core);
  core.message({ t: "sub", id: ask.id, ch, epoch: "e1", seq, recovered: false, snapshot: { rev: seq, items: [] } }, START);
  core.take();
}

test("nothing is asked before the greeting, everything after it", () => {
  const core = new LinkCore();
  core.start(START);
  core.subscribe("alarms");
  core.command({ command_id: "c1", op: "alarm.ack", args: {}, ttl_ms: 5_000 }, START);
  core.opened(START);
  assert.deepEqual(sent(core), []);
  core.message(HELLO, START);
  assert.deepEqual(sent(core).map((frame) => frame.t), ["sub", "cmd"]);
});

test("a snapshot, then events in order, each once", () => {
  const core = live();
  core.subscribe("alarms");
  const [ask] = sent(core);
  assert.equal(ask.epoch, undefined);
  core.message({ t: "sub", id: ask.id, ch: "alarms", epoch: "e1", seq: 5, recovered: false, snapshot: { rev: 5 } }, START);
  core.message({ t: "event", ch: "alarms", seq: 6, at: HELLO.now, d: { k: "alarm" }, cause: "c9" }, START);
  core.message({ t: "event", ch: "alarms", seq: 6, at: HELLO.now, d: { k: "alarm" } }, START);
  const effects = core.take();
  assert.deepEqual(effects.map((effect) => effect.k), ["snapshot", "fresh", "event"]);
  assert.deepEqual([effects[2].seq, effects[2].cause], [6, "c9"]);
});

test("a batch is its items in order", () => {
  const core = live();
  following(core);
  core.message({ t: "batch", items: [6, 7].map((seq) => ({ t: "event", ch: "alarms", seq, at: HELLO.now, d: {} })) }, START);
  assert.deepEqual(told(core, "event").map((event) => event.seq), [6, 7]);
});

test("a gap is never applied: the channel asks again from where it stands", () => {
  const core = live();
  following(core);
  core.message({ t: "event", ch: "alarms", seq: 8, at: HELLO.now, d: {} }, START);
  const effects = core.take();
  assert.deepEqual(effects.map((effect) => effect.k), ["stale", "send"]);
  assert.deepEqual([effects[1].frame.epoch, effects[1].frame.seq], ["e1", 5]);
  core.message({ t: "event", ch: "alarms", seq: 9, at: HELLO.now, d: {} }, START);
  assert.deepEqual(core.take(), [], "nothing is taken while the answer is awaited");
  const events = [6, 7, 8, 9].map((seq) => ({ t: "event", ch: "alarms", seq, at: HELLO.now, d: {} }));
  core.message({ t: "sub", id: effects[1].frame.id, ch: "alarms", epoch: "e1", seq: 9, recovered: true, events }, START);
  assert.deepEqual(core.take().map((effect) => effect.seq ?? effect.k), [6, 7, 8, 9, "fresh"]);
});

test("a beat that is ahead of us means a lost event", () => {
  const core = live();
  following(core);
  core.message({ t: "beat", now: HELLO.now, positions: { alarms: 5 } }, START);
  assert.deepEqual(core.take(), []);
  core.message({ t: "beat", now: HELLO.now, positions: { alarms: 6 } }, START);
  assert.deepEqual(core.take().map((effect) => effect.k), ["stale", "send"]);
});

test("an answer to an older question is not ours any more", () => {
  const core = live();
  core.subscribe("alarms");
  const [first] = sent(core);
  core.closed(1006, START);
  core.connect(START);
  core.opened(START);
  core.message(HELLO, START);
  core.take();
  core.message({ t: "sub", id: first.id, ch: "alarms", epoch: "e1", seq: 1, recovered: false, snapshot: {} }, START);
  assert.deepEqual(core.take(), []);
});

test("after a cut everything is stale, and goes on from its last position", () => {
  const core = live();
  following(core);
  core.closed(1006, START);
  assert.deepEqual(told(core, "stale").map((effect) => effect.ch), ["alarms"]);
  assert.equal(core.state, "waiting");
  core.tick(core.retryAt);
  core.opened(START);
  core.message(HELLO, START);
  const [ask] = sent(core);
  assert.deepEqual([ask.t, ask.epoch, ask.seq], ["sub", "e1", 5]);
});

test("pauses grow, are drawn, and have an end", () => {
  for (const [random, first, longest] of [[() => 0, 125, 7_500], [() => 1, 250, 15_000]]) {
    const core = new LinkCore({ random });
    core.start(START);
    const pauses = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      core.closed(1006, START);
      pauses.push(core.retryAt - START);
      core.connect(START);
    }
    assert.equal(pauses[0], first);
    assert.equal(Math.max(...pauses), longest);
    assert.deepEqual([...pauses].sort((a, b) => a - b), pauses);
  }
});

test("a server that says goodbye says when to come back", () => {
  const core = live();
  core.message({ t: "bye", code: 4001, reason: "drain", retry_ms: 3_000 }, START);
  core.closed(4001, START);
  assert.equal(core.retryAt, START + 3_000);
  core.tick(START + 2_999);
  assert.equal(core.state, "waiting");
  core.tick(START + 3_000);
  assert.equal(core.state, "connecting");
});

test("4000 to 4499 come back, 4500 to 4999 do not", () => {
  for (const code of [1000, 1006, 4001, 4003, 4008, 4010, 4499]) {
    const core = live();
    core.closed(code, START);
    assert.equal(core.state, "waiting", String(code));
  }
  for (const code of [4500, 4501, 4503, 4504, 4999]) {
    const core = live();
    following(core);
    core.closed(code, START);
    assert.equal(core.state, "stopped", String(code));
    assert.equal(told(core, "stale").length, 1);
    core.tick(START + 3_600_000);
    assert.equal(core.state, "stopped");
  }
});

test("an expired session and a refused upgrade ask who we are", () => {
  const expired = live();
  expired.closed(4003, START);
  assert.equal(told(expired, "session").length, 1);
  const refused = new LinkCore();
  refused.start(START);
  refused.closed(1006, START);
  assert.equal(told(refused, "session").length, 1);
  const cut = live();
  cut.closed(1006, START);
  assert.equal(told(cut, "session").length, 0);
});

test("a silent line is hung up", () => {
  const core = live();
  core.tick(START + 24_999);
  assert.equal(core.state, "live");
  core.tick(START + 25_001);
  assert.equal(core.state, "waiting");
  assert.equal(told(core, "close").length, 1);
  const greeting = new LinkCore();
  greeting.start(START);
  greeting.opened(START);
  greeting.tick(START + 10_001);
  assert.equal(greeting.state, "waiting");
});

test("the server hears from us each heartbeat, and whether a person is there", () => {
  const core = live();
  core.active = true;
  core.tick(START + 10_000);
  assert.deepEqual(sent(core), [{ t: "beat", active: true }]);
  core.message({ t: "beat", now: HELLO.now, positions: {} }, START + 11_000);
  core.tick(START + 20_000);
  assert.deepEqual(sent(core), [{ t: "beat", active: false }]);
});

test("a command that met a cut is sent again under the same id with the time that is left", () => {
  const core = live();
  core.command({ command_id: "c1", op: "alarm.ack", args: { id: "a" }, ttl_ms: 10_000 }, START);
  const [first] = sent(core);
  assert.deepEqual([first.t, first.ttl_ms], ["cmd", 10_000]);
  core.closed(1006, START + 1_000);
  core.connect(START + 4_000);
  core.opened(START + 4_000);
  core.message(HELLO, START + 4_000);
  const [again] = sent(core);
  assert.deepEqual([again.command_id, again.ttl_ms], ["c1", 6_000]);
  assert.notEqual(again.id, first.id);
  core.message({ t: "ack", id: first.id, ok: true, result: {} }, START + 4_000);
  assert.deepEqual(told(core, "ack"), [], "the answer to the first sending belongs to a line that is gone");
  core.message({ t: "ack", id: again.id, ok: true, result: {}, ch: "alarms", seq: 6 }, START + 4_000);
  core.message({ t: "ack", id: again.id, ok: true, result: {} }, START + 4_000);
  const acks = told(core, "ack");
  assert.deepEqual(acks.map((ack) => [ack.command_id, ack.ok, ack.seq]), [["c1", true, 6]]);
});

test("past its time only the outcome of a command is asked for, never its doing", () => {
  const core = live();
  core.command({ command_id: "c1", op: "station.mode", args: {}, ttl_ms: 5_000 }, START);
  core.closed(1006, START);
  core.connect(START + 60_000);
  core.opened(START + 60_000);
  core.take();
  core.message(HELLO, START + 60_000);
  assert.deepEqual(sent(core).map((frame) => [frame.command_id, frame.ttl_ms]), [["c1", 0]]);
});

test("a command that was never sent is not done late", () => {
  const core = new LinkCore();
  core.start(START);
  core.command({ command_id: "c1", op: "station.mode", args: {}, ttl_ms: 5_000 }, START);
  core.take();
  core.tick(START + 5_000);
  const [ack] = told(core, "ack");
  assert.deepEqual([ack.ok, ack.error.code], [false, "NOT_SENT"]);
  core.opened(START + 5_100);
  core.message(HELLO, START + 5_100);
  assert.deepEqual(sent(core), []);
});

test("an outcome that cannot be learnt is said to be unknown", () => {
  const core = live();
  core.command({ command_id: "c1", op: "station.mode", args: {}, ttl_ms: 5_000 }, START);
  core.closed(1006, START);
  core.take();
  core.tick(START + 125_000);
  assert.equal(told(core, "ack")[0].error.code, "UNKNOWN_OUTCOME");
});

test("another person's connection never sends this person's commands", () => {
  const core = live();
  core.command({ command_id: "c1", op: "station.mode", args: {}, ttl_ms: 60_000 }, START);
  core.closed(4003, START);
  core.connect(START + 1_000);
  core.opened(START + 1_000);
  core.take();
  core.message({ ...HELLO, user: "li" }, START + 1_000);
  assert.deepEqual(sent(core), []);
});

test("after an expired session the same person's commands are asked about, after a sign-out none is", () => {
  for (const [forget, expected] of [[false, ["cmd"]], [true, []]]) {
    const core = live();
    core.command({ command_id: "c1", op: "alarm.ack", args: {}, ttl_ms: 60_000 }, START);
    core.closed(4003, START);
    core.stop(forget);
    core.start(START + 1_000);
    core.opened(START + 1_000);
    core.take();
    core.message(HELLO, START + 1_000);
    assert.deepEqual(sent(core).map((frame) => frame.t), expected);
  }
});

test("a channel that is refused or taken away shows nothing more, and is asked for anew on another connection", () => {
  const core = live();
  following(core);
  core.message({ t: "unsub", ch: "alarms", error: { code: "FORBIDDEN" } }, START);
  assert.equal(told(core, "refused")[0].error.code, "FORBIDDEN");
  core.message({ t: "event", ch: "alarms", seq: 6, at: HELLO.now, d: {} }, START);
  core.message({ t: "state", ch: "alarms", key: "x", d: {} }, START);
  assert.deepEqual(core.take(), []);
  core.closed(1006, START);
  core.connect(START);
  core.opened(START);
  core.take();
  core.message(HELLO, START);
  assert.equal(sent(core)[0].epoch, undefined);
});

test("values of the state lane count only on a fresh channel", () => {
  const core = live();
  core.subscribe("overview:all");
  core.take();
  core.message({ t: "state", ch: "overview:all", key: "figures", d: {} }, START);
  assert.deepEqual(core.take(), []);
});

test("after a lock each channel goes on from where it stands", () => {
  const core = live();
  following(core);
  core.message({ t: "lock", on: true }, START);
  core.message({ t: "lock", on: false }, START);
  assert.deepEqual(sent(core).map((frame) => [frame.t, frame.epoch, frame.seq]), [["sub", "e1", 5]]);
});

test("rights, locks and words of a later server", () => {
  const core = live();
  core.message({ t: "rights", roles: ["auditor"], scope: "all" }, START);
  core.message({ t: "lock", on: true }, START);
  core.message({ t: "sparkle", x: 1 }, START);
  assert.deepEqual(core.take().map((effect) => effect.k), ["rights", "lock"]);
});

test("a list that comes anew unasked replaces what was shown, also while an answer is under way", () => {
  const core = live();
  core.subscribe("alarms");
  const [first] = sent(core);
  const anew = (seq) => ({ t: "sub", id: first.id, ch: "alarms", epoch: `e1-${seq}`, seq, recovered: false, snapshot: { rev: seq, items: [] } });
  core.message(anew(5), START);
  core.message(anew(7), START);
  assert.deepEqual(told(core, "snapshot", "event").map((effect) => effect.seq), [5, 7]);
  core.message({ t: "event", ch: "alarms", seq: 10, d: {}, at: HELLO.now }, START);
  const [ask] = sent(core);
  assert.deepEqual([ask.epoch, ask.seq], ["e1-7", 7], "after a gap it goes on from there");
  core.message(anew(9), START);
  core.message({ t: "sub", id: ask.id, ch: "alarms", epoch: "e1-9", seq: 10, recovered: true, events: [8, 9, 10].map((seq) => ({ seq, d: {}, at: HELLO.now })) }, START);
  assert.deepEqual(told(core, "snapshot", "event").map((effect) => effect.seq), [9, 10]);
  core.message({ t: "sub", id: "other", ch: "alarms", error: { code: "NOT_FOUND" } }, START);
  assert.deepEqual(told(core, "refused", "snapshot"), [], "an answer that nobody waits for is none");
});
