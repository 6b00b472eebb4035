// HTTP beside the socket: sign-in and what is asked once. Refusals come back as data; only a lost line throws.

/** @typedef {{ok: boolean, status: number, body: any, retryAfter?: number}} Answer */

/** @param {string} method @param {string} path @param {any} [body] @returns {Promise<Answer>} */
export async function call(method, path, body) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await fetch(`/api/v1/${path}`, { ...init, credentials: "same-origin", cache: "no-store" });
  const retryAfter = Number(response.headers.get("retry-after")) || undefined;
  return { ok: response.ok, status: response.status, body: await parsed(response), retryAfter };
}

/** @param {Response} response */
async function parsed(response) {
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

export const signIn = (/** @type {string} */ user, /** @type {string} */ password) => call("POST", "login", { user, password });
export const signOut = () => call("POST", "logout", {});
export const me = () => call("GET", "me");
export const lock = () => call("POST", "lock", {});
/** Who can sign in to a demo; 404 where this is none. */
export const demo = () => call("GET", "demo");
export const unlock = (/** @type {string} */ password) => call("POST", "unlock", { password });
/** Pages of a resource. @param {string} resource @param {Record<string, string>} [query] */
export const list = (resource, query) => call("GET", `${resource}${query ? `?${new URLSearchParams(query)}` : ""}`);
