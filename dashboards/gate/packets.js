// MQTT 5 packets ↔ bytes, as far as a device needs them: a pure codec, which knows no socket. Bytes may come in any pieces.
// Properties of what comes are passed over, but for the few that a device must obey.

const CONNECT = 1, CONNACK = 2, PUBLISH = 3, PUBACK = 4, SUBSCRIBE = 8, SUBACK = 9, PINGREQ = 12, PINGRESP = 13, DISCONNECT = 14;
const utf8 = new TextEncoder();
const text = new TextDecoder();

/** @typedef {{clientId: string, username: string, password: string, keepAliveS: number, will?: {topic: string, payload: string}}} Hello
 * @typedef {{k: "connack", code: number, keepAliveS?: number, receiveMax: number} | {k: "message", topic: string, payload: string, id?: number, retain: boolean}
 *   | {k: "puback", id: number, code: number} | {k: "suback", id: number, codes: number[]} | {k: "pong"} | {k: "bye", code: number}} Packet */

/** @param {number} n @returns {number[]} */
const u16 = (n) => [n >> 8, n & 0xff];

/** @param {string} word @returns {number[]} */
function str(word) {
  const bytes = utf8.encode(word);
  return [...u16(bytes.length), ...bytes];
}

/** @param {number} first @param {number[]} body */
function packet(first, body) {
  const length = [];
  let rest = body.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return new Uint8Array([first, ...length, ...body]);
}

/** A clean start with user name, password and will. @param {Hello} hello */
export function connect({ clientId, username, password, keepAliveS, will }) {
  const flags = 0b1100_0010 | (will ? 0b0010_1100 : 0);
  const body = [...str("MQTT"), 5, flags, ...u16(keepAliveS), 0, ...str(clientId)];
  if (will) body.push(0, ...str(will.topic), ...str(will.payload));
  return packet(CONNECT << 4, [...body, ...str(username), ...str(password)]);
}

/** At QoS 1. @param {string} topic @param {string} payload @param {number} id @param {{retain?: boolean, again?: boolean}} [how] */
export const publish = (topic, payload, id, { retain = false, again = false } = {}) =>
  packet((PUBLISH << 4) | 0b0010 | (retain ? 1 : 0) | (again ? 0b1000 : 0), [...str(topic), ...u16(id), 0, ...utf8.encode(payload)]);

/** @param {string[]} filters @param {number} id */
export const subscribe = (filters, id) => packet((SUBSCRIBE << 4) | 0b0010, [...u16(id), 0, ...filters.flatMap((filter) => [...str(filter), 1])]);

/** @param {number} id */
export const puback = (id) => packet(PUBACK << 4, u16(id));
export const ping = () => packet(PINGREQ << 4, []);
/** Without the will. */
export const disconnect = () => packet(DISCONNECT << 4, []);

/** A packet that is none. */
export class Malformed extends Error {}

/** Bytes of one packet, read from the front. */
class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  get left() {
    return this.bytes.length - this.at;
  }
  u8() {
    if (this.at >= this.bytes.length) throw new Malformed("a packet ends too early");
    return this.bytes[this.at++];
  }
  u16() {
    return (this.u8() << 8) | this.u8();
  }
  /** @param {number} length */
  take(length) {
    if (length > this.left) throw new Malformed("a packet ends too early");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  varint() {
    for (let value = 0, shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed("a length of more than four bytes");
  }
  str() {
    return text.decode(this.take(this.u16()));
  }
}

/** Lengths of properties by their identifier: a number of bytes, or how to pass over it. */
const PROPERTIES = /** @type {Record<number, number | ((reader: Reader) => unknown)>} */ ({
  1: 1, 2: 4, 3: (r) => r.str(), 8: (r) => r.str(), 9: (r) => r.take(r.u16()), 11: (r) => r.varint(), 17: 4, 18: (r) => r.str(), 19: 2, 21: (r) => r.str(),
  22: (r) => r.take(r.u16()), 23: 1, 24: 4, 25: 1, 26: (r) => r.str(), 28: (r) => r.str(), 31: (r) => r.str(), 33: 2, 34: 2, 35: 2, 36: 1, 37: 1,
  38: (r) => [r.str(), r.str()], 39: 4, 40: 1, 41: 1, 42: 1,
});

/** Numbers among the properties, by identifier. @param {Reader} reader @returns {Record<number, number>} */
function properties(reader) {
  /** @type {Record<number, number>} */ const found = {};
  const inner = new Reader(reader.take(reader.varint()));
  while (inner.left > 0) {
    const id = inner.varint();
    const kind = PROPERTIES[id];
    if (kind === undefined) throw new Malformed(`property ${id}`);
    if (typeof kind === "function") kind(inner);
    else found[id] = inner.take(kind).reduce((value, byte) => value * 256 + byte, 0);
  }
  return found;
}

const KEEP_ALIVE = 19, RECEIVE_MAX = 33;

/** @param {number} first @param {Reader} reader @returns {Packet} */
function read(first, reader) {
  switch (first >> 4) {
    case CONNACK: {
      reader.u8();
      const code = reader.u8();
      const given = reader.left > 0 ? properties(reader) : {};
      return { k: "connack", code, keepAliveS: given[KEEP_ALIVE], receiveMax: given[RECEIVE_MAX] ?? 65_535 };
    }
    case PUBLISH: {
      const topic = reader.str();
      const id = first & 0b0110 ? reader.u16() : undefined;
      properties(reader);
      return { k: "message", topic, payload: text.decode(reader.take(reader.left)), id, retain: (first & 1) === 1 };
    }
    case PUBACK:
      return { k: "puback", id: reader.u16(), code: reader.left > 0 ? reader.u8() : 0 };
    case SUBACK: {
      const id = reader.u16();
      properties(reader);
      return { k: "suback", id, codes: [...reader.take(reader.left)] };
    }
    case PINGRESP:
      return { k: "pong" };
    case DISCONNECT:
      return { k: "bye", code: reader.left > 0 ? reader.u8() : 0 };
    default:
      throw new Malformed(`packet type ${first >> 4}`);
  }
}

/** Gathers bytes until a packet is whole. */
export class Decoder {
  constructor() {
    this.rest = new Uint8Array(0);
  }

  /** @param {Uint8Array} bytes @returns {Packet[]} */
  feed(bytes) {
    const all = new Uint8Array(this.rest.length + bytes.length);
    all.set(this.rest);
    all.set(bytes, this.rest.length);
    const packets = [];
    let at = 0;
    for (;;) {
      const size = whole(all, at);
      if (size === undefined) break;
      packets.push(read(all[at], new Reader(all.subarray(at + size.head, at + size.head + size.length))));
      at += size.head + size.length;
    }
    this.rest = all.slice(at);
    return packets;
  }
}

/** Where the packet at this place ends; undefined while it is not whole. @param {Uint8Array} bytes @param {number} from */
function whole(bytes, from) {
  let length = 0;
  for (let n = 1; n <= 4; n += 1) {
    const byte = bytes[from + n];
    if (byte === undefined) return undefined;
    length |= (byte & 0x7f) << (7 * (n - 1));
    if (byte < 0x80) return from + 1 + n + length <= bytes.length ? { head: 1 + n, length } : undefined;
  }
  throw new Malformed("a length of more than four bytes");
}
