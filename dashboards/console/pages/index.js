// The pages there are. One entry a page: adding a page is adding an entry here, its file beside this one, and its words in
// both languages (`nav-{id}` at least). What is not in this list has no place in the navigation.
import { html, useEffect, useState } from "../vendor/preact.js";
import { match } from "../router.js";
import { is } from "../rights.js";
import { Overview } from "./overview.js";
import { Gates } from "./gates.js";
import { Station } from "./station.js";
import { Desk } from "./desk.js";
import { Devices } from "./devices.js";
import { Device } from "./device.js";
import { Alarms } from "./alarms.js";
import { Approvals } from "./approvals.js";
import { Audit } from "./audit.js";
import { Admin } from "./admin.js";
import { AlarmCount, ApprovalCount } from "../ui/shell.js";

/**
 * @typedef {object} Page
 * @property {string} id
 * @property {string} path pattern of the address
 * @property {any} View gets the parts of the address as `params`
 * @property {{href: string, key: string, icon: string, Count?: any}} [nav] its entry; `key` follows `g`
 * @property {string} [under] the entry that is lit while this page is shown
 * @property {boolean} [wall] has a shape without the frame, for a wall: `?wall`
 * @property {string[]} [roles] who may open it; everybody where left out
 */

/** A page that is fetched when somebody opens it. @param {() => Promise<any>} load @returns {any} */
const lazily = (load) =>
  function Lazy(/** @type {any} */ props) {
    const [View, setView] = useState(/** @type {any} */ (undefined));
    const [fault, setFault] = useState(/** @type {any} */ (undefined));
    useEffect(() => void load().then((view) => setView(() => view), setFault), []);
    if (fault) throw fault;
    return View ? html`<${View} ...${props} />` : html`<div class="sheet" aria-busy="true"></div>`;
  };

/** Who looks at stations and devices. */
const WATCHERS = ["gate_operator", "supervisor", "manager", "technician", "admin", "auditor", "settlement"];

/** @type {Page[]} */
export const pages = [
  { id: "overview", path: "/", View: Overview, wall: true, nav: { href: "/", key: "o", icon: "overview" } },
  { id: "gates", path: "/gates", View: Gates, roles: WATCHERS, nav: { href: "/gates", key: "g", icon: "gates" } },
  { id: "station", path: "/gates/:station", View: Station, roles: WATCHERS, under: "gates" },
  { id: "desk", path: "/desk", View: Desk, roles: ["gate_operator", "supervisor", "manager"], nav: { href: "/desk", key: "d", icon: "desk" } },
  { id: "doubtful", path: "/doubtful", View: lazily(() => import("./doubtful.js").then((page) => page.Doubtful)), roles: ["gate_operator", "supervisor", "manager", "settlement"], nav: { href: "/doubtful", key: "b", icon: "approvals" } },
  { id: "devices", path: "/devices", View: Devices, roles: WATCHERS, nav: { href: "/devices", key: "v", icon: "devices" } },
  { id: "device", path: "/devices/:device", View: Device, roles: WATCHERS, under: "devices" },
  { id: "alarms", path: "/alarms", View: Alarms, roles: ["gate_operator", "supervisor", "manager", "technician", "admin", "auditor"], nav: { href: "/alarms", key: "a", icon: "alarms", Count: AlarmCount } },
  { id: "approvals", path: "/approvals", View: Approvals, roles: ["gate_operator", "supervisor", "manager", "admin", "auditor"], nav: { href: "/approvals", key: "p", icon: "approvals", Count: ApprovalCount } },
  { id: "audit", path: "/audit", View: Audit, roles: ["auditor", "inspector", "manager", "admin"], nav: { href: "/audit", key: "u", icon: "audit" } },
  { id: "admin", path: "/admin", View: Admin, roles: ["admin", "auditor"], nav: { href: "/admin", key: "m", icon: "admin" } },
];

/** Entries of the navigation for this person. */
export const navigation = () => /** @type {(Page & {nav: NonNullable<Page["nav"]>})[]} */ (pages.filter((page) => page.nav && is(page.roles)));

/** @param {string} path @returns {{page: Page, params: Record<string, string>}|undefined} */
export function find(path) {
  for (const page of pages) {
    const params = match(page.path, path);
    if (params) return { page, params };
  }
  return undefined;
}
