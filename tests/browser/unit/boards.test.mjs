// Boards as they go on from event to event.
import assert from "node:assert/strict";
import test from "node:test";
import { reducerOf } from "../../../dashboards/console/boards.js";

const AT = "2026-03-02T08:00:00.000Z";
const station = () => ({
  rev: 1, modes: [], gates: ["g1", "g2", "g3"].map((device) => ({ device, service: "both", link: "online", mode: 1, list_version: 1, faults: [] })),
  doubtful: 0, heat: { t0: AT, step_s: 1, of: ["g1", "g2", "g3"], rows: [[1, 0, 0]] }, taps: [],
});

test("a change of mode counts its acknowledgements down to none", () => {
  const gates = reducerOf("gates:tianfu");
  const change = { id: "c2", rev: 2, of: 3, acked: 0, missing: ["g1", "g2", "g3"], from: AT, by: "wang", reason: "drill" };
  let s = gates.event(gates.snapshot(station()), { k: "mode", modes: ["emergency"], change }, AT);
  assert.deepEqual([s.modes, s.change.missing.length], [["emergency"], 3]);
  s = gates.event(s, { k: "mode_ack", id: "c2", rev: 2, device: "g2", acked: 1, of: 3 }, AT);
  assert.deepEqual([s.change.acked, s.change.missing, s.gates[1].mode], [1, ["g1", "g3"], 2]);
  const late = gates.event(s, { k: "mode_ack", id: "c1", rev: 1, device: "g1", acked: 3, of: 3 }, AT);
  assert.deepEqual(late.change, s.change, "an acknowledgement of an older change is not counted");
  s = ["g1", "g3"].reduce((state, device, i) => gates.event(state, { k: "mode_ack", id: "c2", rev: 2, device, acked: 2 + i, of: 3, ...(i === 1 && { took_ms: 870 }) }, AT), s);
  assert.deepEqual([s.change.acked, s.change.missing, s.change.took_ms], [3, [], 870]);
});

test("taps stay at fifty, newest first, and touch their gate", () => {
  const gates = reducerOf("gates:tianfu");
  let s = station();
  for (let i = 0; i < 60; i += 1) s = gates.event(s, { k: "tap", device: "g1", direction: "entry", result: "open", code: "OK", at: `t${i}` }, AT);
  assert.deepEqual([s.taps.length, s.taps[0].at, s.gates[0].last_tap_at, s.gates[1].last_tap_at], [50, "t59", "t59", undefined]);
});

test("a second of load is a column of the heat map; a gate that did nothing is a zero", () => {
  const gates = reducerOf("gates:tianfu");
  let s = gates.state(station(), "load", { g2: { open: 3, deny: 1 } });
  assert.deepEqual(s.heat.rows, [[1, 0, 0], [0, 3, 0]]);
  for (let i = 0; i < 200; i += 1) s = gates.state(s, "load", {});
  assert.equal(s.heat.rows.length, 120);
  assert.equal(s.heat.t0, Date.parse(AT) + 82_000);
});

test("a gate's whole row replaces the old one", () => {
  const gates = reducerOf("gates:tianfu");
  const s = gates.event(station(), { k: "gate", device: "g3", service: "paused", link: "offline", mode: 1, list_version: 2, faults: ["door_blocked"] }, AT);
  assert.deepEqual([s.gates.length, s.gates[2].service, s.gates[2].faults], [3, "paused", ["door_blocked"]]);
});

test("the overview takes figures and only the stations that changed", () => {
  const overview = reducerOf("overview:all");
  const s0 = { taps_s: 1, p99_ms: 2, stations: [{ station: "a", taps_s: 1, modes: [] }, { station: "b", taps_s: 1, modes: [] }], series: { t0: AT, step_s: 1, taps: [1], p99: [2] } };
  const s1 = overview.state(s0, "figures", { taps_s: 9, p99_ms: null });
  assert.deepEqual([s1.taps_s, s1.p99_ms, s1.series.taps, s1.series.p99], [9, null, [1, 9], [2, null]]);
  const s2 = overview.state(s1, "stations", { b: { taps_s: 7 } });
  assert.deepEqual(s2.stations.map((row) => row.taps_s), [1, 7]);
  assert.deepEqual(overview.event(s2, { k: "mode", station: "a", modes: ["closed"] }, AT).stations[0].modes, ["closed"]);
});

test("lists take whole items, newest first", () => {
  const alarms = reducerOf("alarms");
  let s = { rev: 0, at: AT, items: [{ alarm: "fire.a", state: "raised", note: 1 }] };
  s = alarms.event(s, { k: "alarm", alarm: "door.b", state: "raised" }, AT);
  s = alarms.event(s, { k: "alarm", alarm: "fire.a", state: "acked" }, AT);
  assert.deepEqual(s.items.map((item) => [item.alarm, item.state]), [["door.b", "raised"], ["fire.a", "acked"]]);
});

test("a device's twin forgets what it no longer names", () => {
  const device = reducerOf("device:g1");
  const s0 = { online: true, firmware: "1", reported: {}, commands: [{ id: "o1", state: "sent" }], history: [] };
  const s1 = device.event(s0, { k: "twin", online: false, link: "offline", faults: [] }, AT);
  assert.deepEqual([s1.online, s1.firmware, s1.reported, s1.commands.length], [false, undefined, undefined, 1]);
  const s2 = device.event(s1, { k: "command", id: "o1", state: "done" }, AT);
  assert.deepEqual(s2.commands, [{ id: "o1", state: "done" }]);
  assert.equal(device.event(s2, { k: "history", item: { at: AT, k: "offline" } }, AT).history.length, 1);
});

test("a word that is not known leaves the board as it is", () => {
  for (const ch of ["gates:a", "overview:all", "device:g"]) {
    const s = station();
    assert.equal(reducerOf(ch).event(s, { k: "sparkle" }, AT), s);
  }
});

test("what people did and faults are kept apart, of each the newest", () => {
  const audit = reducerOf("audit");
  let s = { items: [{ id: "1/1", op: "session.login", by: "li", at: AT }] };
  for (let i = 0; i < 300; i += 1) s = audit.event(s, { k: "audit", id: `2/${i}`, op: "fault.BUSY", at: AT }, AT);
  assert.deepEqual([s.items.length, s.items[0].id, s.items.at(-1).by], [201, "2/299", "li"], "faults do not crowd people out");
  s = audit.event(s, { k: "audit", id: "1/2", op: "station.modes_set", by: "wang", at: AT }, AT);
  assert.deepEqual([s.items.length, s.items[0].by, "k" in s.items[0]], [202, "wang", false]);
});

test("a change of mode is a newer revision: what is decided next is decided on that one", () => {
  const gates = reducerOf("gates:tianfu");
  const change = { id: "c9", rev: 9, of: 3, acked: 0, missing: [], from: AT, by: "wang", reason: "drill" };
  assert.equal(gates.event(gates.snapshot(station()), { k: "mode", modes: [], change }, AT).rev, 9);
});
