// The deny list of this gate, as docs/devices.md has it: differences, the question where its base is another, the whole where
// it is told to fetch it. Pure: what it wants sent or fetched stands in what it gives back.

/** @typedef {{tell?: true, ask?: number, fetch?: {to: number, url: string, sha256: string}}} Next */

export class GateList {
  constructor() {
    this.version = 0;
    /** @type {string[]} */ this.tokens = [];
    /** Its tokens are not what its version should have. */ this.distrusted = false;
  }

  /** @param {string} token */
  denies(token) {
    return this.tokens.includes(token);
  }

  /** `down/list`. @param {any} list @returns {Next} */
  message(list) {
    if (list.full) return { fetch: { to: list.to, url: list.url, sha256: list.sha256 } };
    const { from, to, add, remove, hash_after } = list;
    const anew = from === 0 && (this.distrusted || to > this.version);
    if (from === to && to === this.version && !anew) return sha256(text(this.tokens)) === hash_after ? {} : this.distrust();
    if (from !== this.version && !anew) return to > this.version ? { ask: this.version } : {};
    const tokens = new Set(anew ? [] : this.tokens);
    for (const token of add) tokens.add(token);
    for (const token of remove) tokens.delete(token);
    return this.become(to, [...tokens], hash_after);
  }

  /** The whole was fetched. @param {number} to @param {string} body @param {string} hash @returns {Next} */
  whole(to, body, hash) {
    return this.become(to, body.split("\n").filter(Boolean), hash);
  }

  /** @param {number} to @param {string[]} tokens @param {string} hash @returns {Next} */
  become(to, tokens, hash) {
    if (sha256(text(tokens)) !== hash) return this.distrust();
    [this.version, this.tokens, this.distrusted] = [to, tokens, false];
    return { tell: true };
  }

  /** @returns {Next} */
  distrust() {
    this.distrusted = true;
    return { ask: 0 };
  }

  /** @param {any} kept */
  static restore(kept) {
    return Object.assign(new GateList(), kept);
  }
}

/** Tokens are ASCII, so the order of letters is that of bytes. @param {string[]} tokens */
const text = (tokens) => [...tokens].sort().map((token) => `${token}\n`).join("");

/** The fractions of the roots of the first primes, as FIPS 180-4 wants them. @param {number} count @param {number} power */
function roots(count, power) {
  const found = [];
  for (let n = 2; found.length < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) prime &&= n % d !== 0;
    if (prime) found.push(((n ** power % 1) * 2 ** 32) | 0);
  }
  return found;
}
const K = roots(64, 1 / 3);

/** SHA-256 in hexadecimal: the browser's own answers only later, and a gate decides at once. @param {string} message */
export function sha256(message) {
  const bytes = new TextEncoder().encode(message);
  const blocks = new DataView(new ArrayBuffer(((bytes.length + 8) >> 6 << 6) + 64));
  bytes.forEach((byte, at) => blocks.setUint8(at, byte));
  blocks.setUint8(bytes.length, 0x80);
  blocks.setUint32(blocks.byteLength - 8, Math.floor(bytes.length / 2 ** 29));
  blocks.setUint32(blocks.byteLength - 4, bytes.length << 3);
  const hash = roots(8, 1 / 2);
  const turn = (/** @type {number} */ x, /** @type {number} */ n) => (x >>> n) | (x << (32 - n));
  for (let block = 0; block < blocks.byteLength; block += 64) {
    /** @type {number[]} */
    const w = [];
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      const s0 = i < 16 ? 0 : turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = i < 16 ? 0 : turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = i < 16 ? blocks.getInt32(block + 4 * i) : (w[i - 16] + s0 + w[i - 7] + s1) | 0;
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, at) => (hash[at] = (hash[at] + value) | 0));
  }
  return hash.map((value) => (value >>> 0).toString(16).padStart(8, "0")).join("");
}
