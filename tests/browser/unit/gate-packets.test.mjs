// MQTT packets of the virtual gate: what goes out byte for byte, what comes in however the network cuts it.
import assert from "node:assert/strict";
import test from "node:test";
import { Decoder, Malformed, connect, disconnect, ping, puback, publish, subscribe } from "../../../dashboards/gate/packets.js";

const utf8 = new TextEncoder();
const bytes = (...parts) => Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...utf8.encode(part)] : part)));
const str = (text) => [0, utf8.encode(text).length, ...utf8.encode(text)];

test("a connect carries name, secret, keep-alive and the will to be kept", () => {
  const hello = { clientId: "g1", username: "g1", password: "s", keepAliveS: 20, will: { topic: "t", payload: "{}" } };
  assert.deepEqual(connect(hello), bytes([0x10, 30], str("MQTT"), [5, 0b1110_1110, 0, 20, 0], str("g1"), [0], str("t"), str("{}"), str("g1"), str("s")));
});

test("publish, subscribe, acknowledge, ping, good-bye", () => {
  assert.deepEqual(publish("t", "过", 7), bytes([0x32, 9], str("t"), [0, 7, 0], "过"));
  assert.equal(publish("t", "", 7, { retain: true })[0], 0x33);
  assert.deepEqual(subscribe(["d/#"], 9), bytes([0x82, 9, 0, 9, 0], str("d/#"), [1]));
  assert.deepEqual([puback(258), ping(), disconnect()], [bytes([0x40, 2, 1, 2]), bytes([0xc0, 0]), bytes([0xe0, 0])]);
});

test("a long packet has a long length", () => {
  const packet = publish("t", "x".repeat(300), 1);
  assert.deepEqual([...packet.slice(0, 3)], [0x32, 0x80 | (306 & 0x7f), 306 >> 7]);
});

/** What a server may send: a greeting with properties, a message, acknowledgements with and without a reason, its good-bye. */
const STREAM = bytes(
  [0x20, 11, 0, 0, 8, 33, 0, 8, 19, 0, 60, 36, 1],
  [0x90, 4, 0, 9, 0, 1],
  [0x33, 13], str("d"), [0, 5, 2, 1, 1], "过ok",
  [0x40, 2, 0, 7], [0x40, 4, 0, 8, 0x99, 0], [0xd0, 0], [0xe0, 1, 0x8e],
);
const PACKETS = [
  { k: "connack", code: 0, keepAliveS: 60, receiveMax: 8 },
  { k: "suback", id: 9, codes: [1] },
  { k: "message", topic: "d", payload: "过ok", id: 5, retain: true },
  { k: "puback", id: 7, code: 0 },
  { k: "puback", id: 8, code: 0x99 },
  { k: "pong" },
  { k: "bye", code: 0x8e },
];

test("however the bytes are cut, the packets are the same", () => {
  for (const size of [1, 2, 3, 5, 8, 13, STREAM.length]) {
    const decoder = new Decoder();
    const packets = [];
    for (let at = 0; at < STREAM.length; at += size) packets.push(...decoder.feed(STREAM.subarray(at, at + size)));
    assert.deepEqual(packets, PACKETS, `${size} bytes at once`);
  }
});

test("bytes that are no packet of a server are said to be none", () => {
  for (const bad of [[0x10, 0], [0x30, 0xff, 0xff, 0xff, 0xff, 1], [0x40, 1, 0], [0x90, 3, 0, 9, 5], [0x20, 5, 0, 0, 2, 7, 1]]) {
    assert.throws(() => new Decoder().feed(bytes(bad)), Malformed, String(bad));
  }
});
