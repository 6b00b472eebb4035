// What to show to whom. Only a courtesy: the server decides on every command and every channel, at one place; here nothing is
// kept safe, people are only spared buttons that would be refused.
import { me } from "./session.js";

/** @typedef {import("./types/wire.d.ts").Role} Role */

/** @type {Record<string, Role[]>} */
const OPS = {
  "station.mode": ["gate_operator", "supervisor", "manager", "admin"],
  "station.release": ["gate_operator", "supervisor", "manager", "admin"],
  "gate.service": ["gate_operator", "supervisor", "manager", "technician", "admin"],
  "journey.adjust": ["gate_operator", "supervisor", "manager"],
  "record.decide": ["gate_operator", "supervisor", "manager", "settlement"],
  "medium.find": ["gate_operator", "supervisor", "manager"],
  "medium.unfreeze": ["supervisor", "manager"],
  "device.command": ["technician", "gate_operator", "manager", "admin"],
  "device.add": ["technician", "admin"],
  "device.rotate": ["technician", "admin"],
  "device.revoke": ["technician", "admin"],
  "alarm.ack": ["gate_operator", "supervisor", "manager", "technician", "admin"],
  "alarm.snooze": ["gate_operator", "supervisor", "manager", "technician", "admin"],
  "alarm.clear": ["gate_operator", "supervisor", "manager", "technician", "admin"],
  "approval.approve": ["gate_operator", "supervisor", "manager", "admin"],
  "approval.reject": ["gate_operator", "supervisor", "manager", "admin"],
  "user.add": ["admin"],
  "user.roles": ["admin"],
  "user.disable": ["admin"],
  "user.end_sessions": ["admin"],
  "audit.search": ["auditor", "admin", "manager", "inspector"],
  "audit.verify": ["auditor", "admin"],
};

/** @param {string} op @returns {boolean} */
export const may = (op) => (me.value?.roles ?? []).some((role) => OPS[op]?.includes(role));

/** @param {readonly string[]|undefined} roles @returns {boolean} no list = everybody */
export const is = (roles) => roles === undefined || (me.value?.roles ?? []).some((role) => roles.includes(role));
