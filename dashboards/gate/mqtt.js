// An MQTT 5 client for one device on a WebSocket: connects, subscribes to what is its own, publishes at QoS 1 and tells when
// each message was taken. It keeps nothing over a connection's end: what is owed is the gate's own business (gate-core.js).
import { Decoder, Malformed, connect, disconnect, ping, puback, publish, subscribe } from "./packets.js";

const KEEP_ALIVE_S = 20;
/** From opening the socket to being subscribed, in milliseconds. */
const HANDSHAKE_MS = 10_000;

/** @typedef {{site: string, device: string, secret: string}} Identity
 * @typedef {{onReady: () => void, onMessage: (name: string, payload: string) => void, onTaken: (cookie: number, code: number) => void, onEnd: (why: End) => void}} Listener
 * @typedef {{code?: number, by: "server"|"network"|"refused"}} End */

export class Client {
  /** Opens the connection at once. @param {Identity} who @param {string} will payload of `up/state` once it is gone @param {Listener} listener */
  constructor(who, will, listener) {
    this.listener = listener;
    this.base = `td/1/${who.site}/gate/${who.device}`;
    this.decoder = new Decoder();
    /** @type {Map<number, number>} packet id → cookie */ this.unacked = new Map();
    /** @type {{name: string, payload: string, cookie: number, retain: boolean}[]} */ this.waiting = [];
    this.window = 1;
    this.nextId = 1;
    this.ready = false;
    this.over = false;
    /** @type {End} */ this.why = { by: "network" };
    const url = new URL("/mqtt", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url, "mqtt");
    this.socket.binaryType = "arraybuffer";
    this.timer = setTimeout(() => this.end(), HANDSHAKE_MS);
    this.beat = /** @type {any} */ (undefined);
    this.heard = true;
    this.socket.onopen = () => {
      const state = { topic: `${this.base}/up/state`, payload: will };
      this.send(connect({ clientId: who.device, username: who.device, password: who.secret, keepAliveS: KEEP_ALIVE_S, will: state }));
    };
    this.socket.onmessage = (message) => this.receive(new Uint8Array(message.data));
    this.socket.onclose = () => this.finish();
  }

  /** Publishes below `up/`; the cookie comes back once the server has taken it. @param {string} name @param {string} payload @param {number} cookie @param {boolean} [retain] */
  publish(name, payload, cookie, retain = false) {
    this.waiting.push({ name, payload, cookie, retain });
    this.flush();
  }

  /** As if the cable had been pulled, or (`politely`) with a word. @param {boolean} [politely] */
  end(politely = false) {
    if (politely && this.ready) this.send(disconnect());
    this.socket.close();
    this.finish();
  }

  flush() {
    while (this.ready && this.unacked.size < this.window && this.waiting.length > 0) {
      const { name, payload, cookie, retain } = /** @type {any} */ (this.waiting.shift());
      const id = this.id();
      this.unacked.set(id, cookie);
      this.send(publish(`${this.base}/up/${name}`, payload, id, { retain }));
    }
  }

  id() {
    do this.nextId = (this.nextId % 65_535) + 1;
    while (this.unacked.has(this.nextId));
    return this.nextId;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  send(bytes) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  /** @param {Uint8Array} bytes */
  receive(bytes) {
    if (this.over) return;
    this.heard = true;
    try {
      for (const packet of this.decoder.feed(bytes)) this.take(packet);
    } catch (fault) {
      if (!(fault instanceof Malformed)) throw fault;
      this.end();
    }
  }

  /** @param {import("./packets.js").Packet} packet */
  take(packet) {
    switch (packet.k) {
      case "connack":
        if (packet.code !== 0) {
          this.why = { by: "refused", code: packet.code };
          return this.end();
        }
        this.window = packet.receiveMax;
        this.keepAlive(packet.keepAliveS ?? KEEP_ALIVE_S);
        return this.send(subscribe([`${this.base}/down/#`], this.id()));
      case "suback":
        clearTimeout(this.timer);
        this.ready = true;
        this.listener.onReady();
        return this.flush();
      case "message":
        if (packet.id !== undefined) this.send(puback(packet.id));
        if (packet.topic.startsWith(`${this.base}/down/`)) this.listener.onMessage(packet.topic.slice(this.base.length + 6), packet.payload);
        return undefined;
      case "puback": {
        const cookie = this.unacked.get(packet.id);
        this.unacked.delete(packet.id);
        if (cookie !== undefined) this.listener.onTaken(cookie, packet.code);
        return this.flush();
      }
      case "bye":
        this.why = { by: "server", code: packet.code };
        return this.end();
      default:
        return undefined;
    }
  }

  /** Says that it is there; where nothing is heard for two turns, nobody is. @param {number} seconds */
  keepAlive(seconds) {
    this.beat = setInterval(() => {
      if (!this.heard) return this.end();
      this.heard = false;
      return this.send(ping());
    }, seconds * 500);
  }

  finish() {
    if (this.over) return;
    this.over = true;
    this.ready = false;
    clearTimeout(this.timer);
    clearInterval(this.beat);
    this.listener.onEnd(this.why);
  }
}
