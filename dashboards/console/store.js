// What the pages know: one signal for each channel, fed by the connection. A board is replaced by a snapshot and advanced by
// events and state values through its pure reducer (boards.js). A page holds a channel with `useChannel`.
import { onEffect, subscribe, unsubscribe } from "./link.js";
import { reducerOf } from "./boards.js";
import { confirmed, acked } from "./commands.js";
import { signal, useEffect } from "./vendor/preact.js";

/** @typedef {"loading"|"fresh"|"stale"|"refused"} Status */
/** @typedef {{status: Status, data: any, error?: import("./types/pages.d.ts").Refusal, seq: number}} Board */

/** A channel is kept so long after the last page let it go, in milliseconds, so that going back shows it at once. */
const LINGER_MS = 10_000;

/** What the wire calls a channel. Anything else would end the connection as a broken frame, and names nothing anyway. */
const CHANNEL = /^[a-z]+(:[A-Za-z0-9._-]{1,64})?$/;

/** @type {Map<string, {board: import("./vendor/preact.js").Signal<Board>, holders: number, timer?: any}>} */
const channels = new Map();

/** @param {string} ch */
function entry(ch) {
  let known = channels.get(ch);
  if (!known) {
    known = { board: signal(/** @type {Board} */ ({ status: "loading", data: undefined, seq: 0 })), holders: 0 };
    channels.set(ch, known);
  }
  return known;
}

/** @param {string} ch @param {Partial<Board>} change */
function put(ch, change) {
  const known = channels.get(ch);
  if (known) known.board.value = { ...known.board.value, ...change };
}

/** Follows a channel while the component lives. @param {string|undefined} ch @returns {Board} */
export function useChannel(ch) {
  useEffect(() => {
    if (ch === undefined) return undefined;
    hold(ch);
    return () => release(ch);
  }, [ch]);
  return ch === undefined ? { status: "loading", data: undefined, seq: 0 } : entry(ch).board.value;
}

/** @param {string} ch */
export function hold(ch) {
  const known = entry(ch);
  known.holders += 1;
  clearTimeout(known.timer);
  if (CHANNEL.test(ch)) subscribe(ch);
  else put(ch, { status: "refused", error: { code: "NOT_FOUND" } });
}

/** @param {string} ch */
export function release(ch) {
  const known = entry(ch);
  known.holders -= 1;
  if (known.holders > 0) return;
  known.timer = setTimeout(() => {
    if (CHANNEL.test(ch)) unsubscribe(ch);
    channels.delete(ch);
  }, LINGER_MS);
}

/** Forgets everything, as at sign-out: the next person sees nothing of this one. */
export function clear() {
  for (const known of channels.values()) {
    clearTimeout(known.timer);
    known.board.value = { status: "loading", data: undefined, seq: 0 };
  }
  for (const [ch, known] of channels) if (known.holders === 0) channels.delete(ch);
}

/** Follows again what pages hold, after another sign-in. */
export function resume() {
  for (const ch of channels.keys()) if (CHANNEL.test(ch)) subscribe(ch);
}

onEffect("snapshot", ({ ch, snapshot, seq }) => put(ch, { data: reducerOf(ch).snapshot(snapshot), seq }));
onEffect("event", ({ ch, seq, d, at, cause }) => {
  const board = channels.get(ch)?.board.value;
  if (board?.data !== undefined) put(ch, { data: reducerOf(ch).event(board.data, d, at), seq });
  if (cause) confirmed(cause);
});
onEffect("state", ({ ch, key, d }) => {
  const board = channels.get(ch)?.board.value;
  if (board?.data !== undefined) put(ch, { data: reducerOf(ch).state(board.data, key, d) });
});
onEffect("fresh", ({ ch }) => put(ch, { status: "fresh", error: undefined }));
onEffect("stale", ({ ch }) => {
  const board = channels.get(ch)?.board.value;
  if (board && board.status === "fresh") put(ch, { status: "stale" });
});
onEffect("refused", ({ ch, error }) => put(ch, { status: "refused", data: undefined, error }));
onEffect("ack", (ack) => acked(ack, channels.get(ack.ch)?.board.value.seq));
