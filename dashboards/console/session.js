// Who sits here, and whether the page is open to them: signed out, signed in, or locked until the password is given again.
import * as api from "./api.js";
import { onEffect, startLink, stopLink, used } from "./link.js";
import { clear, resume } from "./store.js";
import { go, place } from "./router.js";
import { signal } from "./vendor/preact.js";

/** @typedef {import("./types/wire.d.ts").Me} Me */

/** `asking` until the server has said who we are. */
export const phase = signal(/** @type {"asking"|"out"|"in"|"unreachable"} */ ("asking"));
export const me = signal(/** @type {Me|undefined} */ (undefined));
export const locked = signal(false);
/** Why somebody was signed out: shown above the sign-in form. */
export const farewell = signal(/** @type {string|undefined} */ (undefined));

/** The page locks itself after so long without a person, in milliseconds, also when the server cannot be asked. */
const IDLE_MS = 15 * 60_000;
let usedAt = Date.now();

/** Asks who we are; called at the start and whenever the connection could not be made. */
export async function ask() {
  try {
    const answer = await api.me();
    if (answer.ok) return enter(answer.body);
    if (answer.status === 401) return phase.value === "out" ? undefined : leave(phase.value === "in" ? "session-expired" : undefined);
  } catch {
    // No server: the connection keeps trying, and asks again.
  }
  if (phase.value === "asking") phase.value = "unreachable";
  return undefined;
}

/** @param {Me} who */
function enter(who) {
  const other = me.value !== undefined && me.value.user !== who.user;
  me.value = who;
  locked.value = who.locked;
  usedAt = Date.now();
  if (other) clear();
  if (phase.value === "in") return;
  phase.value = "in";
  farewell.value = undefined;
  resume();
  startLink();
}

/** @param {string} [why] */
function leave(why) {
  stopLink(why === undefined);
  clear();
  me.value = undefined;
  locked.value = false;
  farewell.value = why;
  phase.value = "out";
}

/** @param {string} user @param {string} password @returns {Promise<import("./api.js").Answer>} */
export async function signIn(user, password) {
  const answer = await api.signIn(user, password);
  if (answer.ok) {
    await ask();
    if (place.value.path === "/signin") go("/", { replace: true });
  }
  return answer;
}

export async function signOut() {
  await api.signOut().catch(() => undefined);
  leave();
}

/** @param {string} password @returns {Promise<import("./api.js").Answer>} */
export async function unlock(password) {
  const answer = await api.unlock(password);
  if (answer.ok) {
    locked.value = false;
    usedAt = Date.now();
  } else if (answer.status === 401 && answer.body?.code === "UNAUTHENTICATED") leave("session-expired");
  return answer;
}

/** Locks here at once, and at the server as soon as it hears of it. */
export function lockNow() {
  locked.value = true;
  api.lock().catch(() => undefined);
}

onEffect("session", () => void ask());
onEffect("hello", ({ hello }) => {
  if (me.value) me.value = { ...me.value, roles: hello.roles, scope: hello.scope };
});
onEffect("rights", ({ roles, scope }) => {
  if (me.value) me.value = { ...me.value, roles, scope };
});
onEffect("lock", ({ on }) => {
  locked.value = on;
});

export function startSession() {
  for (const kind of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(kind, () => {
      usedAt = Date.now();
      used();
    }, { passive: true, capture: true });
  }
  setInterval(() => phase.value === "in" && !locked.value && Date.now() - usedAt > IDLE_MS && lockNow(), 5_000);
  // Who has signed in beside, in another tab, is in here, too.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && phase.value === "out" && void ask());
  // Another start than the connection's: a server that is not there yet is asked again.
  setInterval(() => phase.value === "unreachable" && void ask(), 3_000);
  return ask();
}
