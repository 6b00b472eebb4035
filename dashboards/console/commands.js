// Commands that are under way: each has an id of its own from the moment it is meant, so that no repetition does it twice, and
// stays visible as pending until the board shows its effect (or its answer says that there is none to wait for).
import { sendCommand, serverNow } from "./link.js";
import { signal } from "./vendor/preact.js";

/** @typedef {{command_id: string, op: string, args: any, phase: "sent"|"acked"|"done"|"refused", result?: any,
 *   error?: import("./types/pages.d.ts").Refusal, ch?: string, seq?: number, at: number}} Run */

/** Time in which a command makes sense, in milliseconds. */
const TTL_MS = 10_000;
/** An acknowledged command whose event is not ours to see counts as done after so many milliseconds. */
const EFFECT_MS_MAX = 3_000;
const KEPT = 50;

/** All runs by command id. */
export const runs = signal(/** @type {Record<string, Run>} */ ({}));
/** @type {Map<string, (run: Run) => void>} */
const waiting = new Map();
/** Effects that came before their acknowledgement. @type {Set<string>} */
const seen = new Set();

/** Ids sort by time: 48 bits of milliseconds, then chance (UUIDv7). @returns {string} */
export function commandId(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) % 256;
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * Sends a command; the promise ends with its outcome, refusals included (it never rejects).
 * @param {string} op @param {any} args @param {{if_rev?: number, ttl_ms?: number, command_id?: string}} [more]
 * @returns {Promise<Run>}
 */
export function command(op, args, more = {}) {
  const command_id = more.command_id ?? commandId();
  put({ command_id, op, args, phase: "sent", at: serverNow() });
  const end = new Promise((/** @type {(run: Run) => void} */ resolve) => waiting.set(command_id, resolve));
  const rev = more.if_rev === undefined ? {} : { if_rev: more.if_rev };
  sendCommand({ command_id, op, args, ttl_ms: more.ttl_ms ?? TTL_MS, ...rev });
  return end;
}

/** @param {any} ack @param {number|undefined} position where its channel stands here */
export function acked(ack, position) {
  const run = runs.value[ack.command_id];
  if (!run) return;
  if (!ack.ok) return finish({ ...run, phase: "refused", error: ack.error });
  const shown = seen.delete(run.command_id) || (ack.seq !== undefined && position !== undefined && position >= ack.seq);
  const next = { ...run, result: ack.result, ch: ack.ch, seq: ack.seq };
  if (shown) return finish({ ...next, phase: "done" });
  put({ ...next, phase: "acked" });
  waiting.get(run.command_id)?.({ ...next, phase: "acked" });
  waiting.delete(run.command_id);
  setTimeout(() => confirmed(run.command_id), EFFECT_MS_MAX);
}

/** The board shows what the command did. @param {string} command_id */
export function confirmed(command_id) {
  const run = runs.value[command_id];
  if (!run || run.phase === "done" || run.phase === "refused") return;
  if (run.phase === "sent") seen.add(command_id);
  else finish({ ...run, phase: "done" });
}

/** @param {Run} run */
function finish(run) {
  put(run);
  waiting.get(run.command_id)?.(run);
  waiting.delete(run.command_id);
}

/** @param {Run} run */
function put(run) {
  const all = Object.entries({ ...runs.value, [run.command_id]: run });
  runs.value = Object.fromEntries(all.slice(-KEPT));
}

/** Whether something like this is under way. @param {(run: Run) => boolean} about @returns {boolean} */
export const pending = (about) => Object.values(runs.value).some((run) => (run.phase === "sent" || run.phase === "acked") && about(run));
