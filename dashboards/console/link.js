// The connection of this page: the machine of link-core.js on a real WebSocket, with a clock.
import { LinkCore } from "./link-core.js";
import { batch, signal } from "./vendor/preact.js";

const PROTOCOL = "tongdao.v1.json";
/** How often the machine is told the time, in milliseconds. */
const TICK_MS = 250;

/** What the shell shows of the connection. */
export const link = signal(/** @type {{state: string, reason?: string, retryAt: number}} */ ({ state: "idle", retryAt: 0 }));
/** Server clock minus ours, in milliseconds. */
export const skewMs = signal(0);

/** The time by the server's clock. @returns {number} milliseconds since the epoch */
export const serverNow = () => Date.now() + skewMs.value;

const core = new LinkCore();
/** @type {WebSocket|undefined} */ let socket;
/** @type {Record<string, (effect: any) => void>} */ const listeners = {};

/** Who hears of effects: `snapshot event state fresh stale refused ack hello session rights lock`. @param {string} kind @param {(effect: any) => void} listener */
export function onEffect(kind, listener) {
  listeners[kind] = listener;
}

export const startLink = () => run((now) => core.start(now));
/** @param {boolean} forget also the commands in flight */
export const stopLink = (forget) => run(() => core.stop(forget));
/** @param {string} ch */
export const subscribe = (ch) => run(() => core.subscribe(ch));
/** @param {string} ch */
export const unsubscribe = (ch) => run(() => core.unsubscribe(ch));
/** @param {import("./types/pages.d.ts").Command} command */
export const sendCommand = (command) => run((now) => core.command(command, now));

/** A person used the page: keeps the session from locking. */
export const used = () => {
  core.active = true;
};

/** @param {(now: number) => void} input */
function run(input) {
  input(Date.now());
  batch(() => {
    for (const effect of core.take()) perform(effect);
  });
}

/** @param {import("./link-core.js").Effect} effect */
function perform(effect) {
  switch (effect.k) {
    case "connect": return connect();
    case "send": return socket?.send(JSON.stringify(effect.frame));
    case "close": return drop(effect.code);
    case "link":
      skewMs.value = core.skewMs;
      link.value = { state: core.state, reason: core.reason, retryAt: core.retryAt };
      return undefined;
    default: return listeners[effect.k]?.(effect);
  }
}

function connect() {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const mine = (socket = new WebSocket(url, PROTOCOL));
  mine.onopen = () => mine === socket && run((now) => core.opened(now));
  mine.onmessage = (message) => mine === socket && receive(message.data);
  mine.onclose = (closing) => {
    if (mine !== socket) return;
    socket = undefined;
    run((now) => core.closed(closing.code, now));
  };
}

/** @param {string} text */
function receive(text) {
  const frame = JSON.parse(text);
  run((now) => core.message(frame, now));
}

/** @param {number} code */
function drop(code) {
  const old = socket;
  socket = undefined;
  old?.close(code);
}

setInterval(() => run((now) => core.tick(now)), TICK_MS);
addEventListener("online", () => run((now) => core.wake(now)));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && run((now) => core.wake(now)));
