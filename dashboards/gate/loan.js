// Which gate this page is: borrowed from a demo (`/gate/claims`), or one of one's own, typed in by hand. A borrowed gate is
// renewed while the page lives and outlives a reload; it comes back by itself when nobody renews it.
import { signal } from "/vendor/preact.js";

/** @typedef {{name: string, kind: string, token: string}} PurseMedium
 * @typedef {{claim?: string, site: string, device: string, secret: string, station?: string, epoch: number, now: number, lease_ms?: number, media: PurseMedium[]}} Loan
 * @typedef {{station: string, name: Record<string, string>, free: number}} Station */

/** Where there are gates to borrow. */
export const stations = signal(/** @type {Station[]} */ ([]));
/** Does anybody lend gates here? Undefined until that is known. */
export const lending = signal(/** @type {boolean|undefined} */ (undefined));

/** @param {string} path @param {string} method @param {any} [body] @returns {Promise<{ok: boolean, status: number, body: any}>} */
async function ask(path, method, body) {
  const response = await fetch(`/gate/claims${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const json = (response.headers.get("content-type") ?? "").includes("json");
  return { ok: response.ok, status: response.status, body: json ? await response.json() : undefined };
}

/** Asks where there is something to borrow. @returns {Promise<boolean>} whether anybody lends at all */
export async function look() {
  const answer = await ask("", "GET");
  const lent = answer.body?.stations;
  if (lent) stations.value = lent;
  lending.value = Boolean(lent);
  return Boolean(lent);
}

/** A gate at this station; an earlier loan is given back with it. @param {string} station @param {Loan} [earlier] @returns {Promise<Loan|string>} the loan, or the code of the refusal */
export async function borrow(station, earlier) {
  const answer = await ask("", "POST", { station, ...(earlier?.claim ? { claim: earlier.claim } : {}) });
  return answer.ok ? answer.body : (answer.body?.code ?? "BUSY");
}

/** @param {Loan} loan @returns {Promise<boolean>} false: it is over */
export async function renew(loan) {
  if (!loan.claim) return true;
  try {
    return (await ask(`/${loan.claim}`, "POST")).status !== 404;
  } catch {
    // Nobody answers: that says nothing about the loan.
    return true;
  }
}

const KEPT = "virtual-gate";

/** What a reload of the page must not lose. @param {{loan: Loan, core: string, plugged: boolean, skewMs: number}|undefined} state */
export function keep(state) {
  try {
    if (state) sessionStorage.setItem(KEPT, JSON.stringify(state));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing still taps.
  }
}

/** @returns {{loan: Loan, core: string, plugged: boolean, skewMs: number}|undefined} */
export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
