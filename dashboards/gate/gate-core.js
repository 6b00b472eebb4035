// The gate's side of the contract as a pure machine: time and messages go in, messages come out (`take()`), and everything that
// the page shows is its state. It taps, waits at most for its deadline, then decides alone and ignores a later answer; it
// reports passages, gives its own account of every tap and keeps it until it is acknowledged; it obeys modes and commands.
// It knows no socket, no clock and no page. What it must do stands in docs/devices.md.

import { GateList } from "./list.js";

/** @typedef {{kind: string, token: string}} Medium
 * @typedef {"entry"|"exit"} Direction
 * @typedef {import("../console/types/wire.d.ts").Money} Money
 * @typedef {{seq: number, direction: Direction, medium: Medium, at: number, due: number, mode: number,
 *   by?: "server"|"gate", open?: boolean, code?: string, why?: string, waitedMs?: number, late?: boolean, fare?: Money, balance?: Money, ref?: string,
 *   messages?: Record<string, string>, passing: boolean, passUntil?: number, passed: string, told?: string, sent: "no"|"sent"|"kept", rejected?: string}} Entry
 * @typedef {{k: "publish", name: string, payload: string, cookie: number, retain: boolean}} Publish
 * @typedef {{id: string, rev: number, service: string, station_mode: string[], issued_by: string, reason: string, from: string, until?: string}} Mode */

const FIRMWARE = "page-1";
const STATE = 1, TAP = 2, RECORDS = 3, LIST = 4;
/** Cookies of reports begin here. */
const REPORT = 16;
/** Of what is acknowledged so many taps are still shown. */
const SHOWN_MAX = 12;
/** A sequence that the server misses goes out again after this, in milliseconds. */
const MISSING_AFTER_MS = 1_000;
const COMMANDS = ["restart", "maintain", "resume", "config", "test_print"];
/** After these a gate remembers the medium, so that it stays shut without a link, too: its own small list. */
const REMEMBERED = ["UNKNOWN_MEDIUM", "FROZEN", "DENY_LISTED", "BAD_SIGNATURE"];

/** @param {number} ms */
const instant = (ms) => new Date(ms).toISOString();

export class GateCore {
  /** A gate that has just booted; `epoch` is above that of every boot before.
   * @param {{epoch: number, deadlineMs?: number, recordsEveryMs?: number}} habits */
  constructor({ epoch, deadlineMs = 5_000, recordsEveryMs = 30_000 }) {
    this.epoch = epoch;
    this.deadlineMs = deadlineMs;
    this.recordsEveryMs = recordsEveryMs;
    this.online = false;
    this.nextSeq = 1;
    /** @type {Entry[]} */ this.entries = [];
    /** @type {Mode} */ this.mode = { id: "", rev: 0, service: "both", station_mode: [], issued_by: "", reason: "", from: "" };
    this.config = { no_passage_ms: 8_000, records_max: 150 };
    /** @type {{cookie: number, name: string, payload: string}[]} */ this.reports = [];
    this.nextCookie = REPORT;
    /** @type {string[]} */ this.remembered = [];
    this.list = new GateList();
    /** A whole deny list that the page is to fetch. @type {{to: number, url: string, sha256: string}|undefined} */ this.wanted = undefined;
    /** @type {number|undefined} */ this.recordsAt = undefined;
    /** Highest sequence that the server has acknowledged. */ this.upto = 0;
    /** The newest refusal of a message: its name and reason code. @type {{name: string, code: number}|undefined} */ this.refused = undefined;
    /** @type {Publish[]} */ this.out = [];
  }

  /** Takes out what is to be sent. */
  take() {
    const out = this.out;
    this.out = [];
    return out;
  }

  /** @param {string} name @param {any} body @param {number} cookie @param {boolean} [retain] */
  publish(name, body, cookie, retain = false) {
    this.out.push({ k: "publish", name, payload: JSON.stringify(body), cookie, retain });
  }

  /** `up/state`; with `false` it is the will. @param {boolean} online @param {number} now */
  state(online, now) {
    return { online, service: this.mode.service, firmware: FIRMWARE, versions: online ? { list: this.list.version } : {}, faults: [], at: instant(now) };
  }

  /** The connection is up and subscribed: the state goes first, all else follows once it is durable. @param {number} now */
  connected(now) {
    this.publish("state", this.state(true, now), STATE, true);
  }

  disconnected() {
    this.online = false;
  }

  /** The server took a message, or refused it with this reason code. @param {number} cookie @param {number} code @param {number} now */
  taken(cookie, code, now) {
    const report = this.reports.findIndex((owed) => owed.cookie === cookie);
    const name = report >= 0 ? this.reports[report].name : (["", "state", "tap", "records", "list_request"][cookie] ?? "");
    // Whoever had this gate before may have acknowledged the present mode already: another acknowledgement is not wanted.
    if (code >= 0x80 && name !== "ack") this.refused = { name, code };
    if (report >= 0) this.reports.splice(report, 1);
    else if (cookie === STATE && code < 0x80) this.goOnline(now);
  }

  /** What was in flight when the last connection ended goes out again, records of what was decided alone first. @param {number} now */
  goOnline(now) {
    if (this.online) return;
    this.online = true;
    for (const { cookie, name, payload } of this.reports) this.out.push({ k: "publish", name, payload, cookie, retain: false });
    for (const entry of this.entries) if (entry.sent === "sent") entry.sent = "no";
    this.sendRecords("gate");
    this.recordsDue(now);
    for (const entry of this.waiting()) this.sendTap(entry);
  }

  waiting() {
    return this.entries.filter((entry) => entry.by === undefined);
  }

  /** Who may go through now, in the order of their taps. */
  passing() {
    return this.entries.filter((entry) => entry.passing);
  }

  /** Do the doors stand open, whoever comes? */
  get released() {
    return this.mode.service === "open" || this.mode.station_mode.includes("emergency");
  }

  /** Somebody presents a medium. @param {Direction} direction @param {Medium} medium @param {number} now @returns {Entry} */
  tap(direction, medium, now) {
    const seq = this.nextSeq++;
    /** @type {Entry} */
    const entry = { seq, direction, medium, at: now, due: now + this.deadlineMs, mode: this.mode.rev, passing: false, passed: "none", sent: "no" };
    this.entries.push(entry);
    this.forget();
    if (this.online) this.sendTap(entry);
    else this.alone(entry, now);
    return entry;
  }

  /** @param {Entry} entry */
  sendTap(entry) {
    const { seq, direction, medium, at, mode } = entry;
    this.publish("tap", { epoch: this.epoch, seq, direction, medium, at: instant(at), deadline_ms: this.deadlineMs, mode, list_version: this.list.version }, TAP);
  }

  /** A message below `down/` came. @param {string} name @param {string} payload @param {number} now */
  message(name, payload, now) {
    const body = JSON.parse(payload);
    if (name === "decision") this.decision(body, now);
    else if (name === "records_ack") this.recordsAck(body, now);
    else if (name === "mode") this.obey(body, now);
    else if (name === "command") this.command(body, now);
    else if (name === "list") this.heard(this.list.message(body), now);
    else if (name === "config") this.config = { ...this.config, ...body };
  }

  /** What the deny list wants now. @param {import("./list.js").Next} next @param {number} now */
  heard({ tell, ask, fetch }, now) {
    if (fetch) this.wanted = fetch;
    if (ask !== undefined) this.publish("list_request", { have: ask }, LIST);
    // Also before its first state is taken: that has said another version.
    if (tell) this.publish("state", this.state(true, now), STATE, true);
  }

  /** The whole deny list was fetched. @param {number} to @param {string} body @param {string} sha256 @param {number} now */
  fetched(to, body, sha256, now) {
    this.heard(this.list.whole(to, body, sha256), now);
  }

  /** @param {any} answer @param {number} now */
  decision(answer, now) {
    const entry = answer.epoch === this.epoch ? this.entries.find((known) => known.seq === answer.seq) : undefined;
    if (!entry || (entry.by === "server" && entry.code)) return;
    if (entry.by === "gate" || now > entry.due) {
      if (entry.by === undefined) this.alone(entry, now);
      entry.late = true;
      return;
    }
    const { code, fare, balance, ref, messages } = answer;
    Object.assign(entry, { code, fare, balance, ref, messages, waitedMs: now - entry.at });
    const token = entry.medium.token;
    this.remembered = this.remembered.filter((known) => known !== token);
    if (REMEMBERED.includes(code)) this.remembered.push(token);
    this.show(entry, "server", answer.result === "open", now);
  }

  /** The gate opens or stays shut. @param {Entry} entry @param {"server"|"gate"} by @param {boolean} open @param {number} now */
  show(entry, by, open, now) {
    const same = entry.ref !== undefined && this.entries.some((other) => other !== entry && other.passing && other.ref === entry.ref);
    Object.assign(entry, { by, open });
    // The same rider again: who was let through may go, once.
    if (open && !same) Object.assign(entry, { passing: true, passUntil: now + this.config.no_passage_ms });
    this.recordsDue(now);
  }

  /** Without an answer, or without a link: by its own rules. @param {Entry} entry @param {number} now */
  alone(entry, now) {
    const why = this.rule(entry);
    entry.why = why;
    this.show(entry, "gate", why === "released" || why === "trusted", now);
    this.sendRecords("gate");
  }

  /** @param {Entry} entry */
  rule({ direction, medium }) {
    const { service } = this.mode;
    if (this.released) return "released";
    if (["closed", "paused", "maintenance"].includes(service)) return "closed";
    if (service !== "both" && service !== direction) return "direction";
    // Of a code the part before the first dot is the medium.
    if (this.list.denies(medium.kind === "qr" ? medium.token.split(".")[0] : medium.token)) return "denied";
    return this.remembered.includes(medium.token) ? "listed" : "trusted";
  }

  /** The rider whose turn it is went through, or did not. @param {"passed"|"not_passed"} outcome @param {number} now */
  pass(outcome, now) {
    const [entry] = this.passing();
    if (entry) this.passedBy(entry, outcome, now);
  }

  /** @param {Entry} entry @param {string} outcome @param {number} now */
  passedBy(entry, outcome, now) {
    Object.assign(entry, { passing: false, passed: outcome });
    this.report("passage", { epoch: this.epoch, seq: entry.seq, ...(entry.ref ? { ref: entry.ref } : {}), outcome, at: instant(now) });
  }

  /** The gate is given up: nobody is let through any more, and all that it knows is told at once. @param {number} now */
  close(now) {
    for (const entry of this.passing()) this.passedBy(entry, "not_passed", now);
    this.sendRecords();
  }

  /** Sends a report and keeps it until it is taken. @param {string} name @param {any} body */
  report(name, body) {
    const owed = { cookie: this.nextCookie++, name, payload: JSON.stringify(body) };
    this.reports.push(owed);
    if (this.online) this.out.push({ k: "publish", ...owed, retain: false });
  }

  /** Sets the time of the next account, where there is something to tell. @param {number} now */
  recordsDue(now) {
    if (this.recordsAt === undefined && this.owed().length > 0) this.recordsAt = now + this.recordsEveryMs;
  }

  /** What is not acknowledged yet. */
  owed() {
    return this.entries.filter((entry) => entry.sent !== "kept");
  }

  /** Sends the records that are complete and not on their way. @param {"gate"} [only] decided so */
  sendRecords(only) {
    if (!this.online) return;
    const ready = this.owed().filter((entry) => entry.sent === "no" && entry.by !== undefined && (!only || entry.by === only) && !(entry.by === "server" && entry.passing));
    for (let at = 0; at < ready.length; at += this.config.records_max) {
      const batch = ready.slice(at, at + this.config.records_max);
      const records = batch.map((entry) => {
        entry.sent = "sent";
        // What was told once stays as it was told.
        entry.told ??= entry.passed;
        const { seq, direction, medium, mode, by, open, told } = entry;
        return { seq, direction, medium, at: instant(entry.at), mode, by, shown: open ? "open" : "deny", passage: told };
      });
      this.publish("records", { epoch: this.epoch, first_seq: batch[0].seq, records }, RECORDS);
    }
  }

  /** @param {{epoch: number, upto: number, missing: [number, number][], rejected: {seq: number, code: string}[]}} ack @param {number} now */
  recordsAck(ack, now) {
    if (ack.epoch !== this.epoch) return;
    this.upto = Math.max(this.upto, ack.upto);
    for (const entry of this.entries) {
      if (entry.seq <= ack.upto) entry.sent = "kept";
      else if (ack.missing.some(([from, to]) => from <= entry.seq && entry.seq <= to)) {
        entry.sent = "no";
        this.recordsAt = Math.min(this.recordsAt ?? Infinity, now + MISSING_AFTER_MS);
      }
      entry.rejected = ack.rejected.find(({ seq }) => seq === entry.seq)?.code ?? entry.rejected;
    }
    if (this.owed().length === 0) this.recordsAt = undefined;
    this.forget();
  }

  /** Only the newest of what is over is kept to be shown. */
  forget() {
    const over = this.entries.filter((entry) => entry.sent === "kept" && !entry.passing);
    const gone = over.slice(0, Math.max(0, this.entries.length - SHOWN_MAX));
    this.entries = this.entries.filter((entry) => !gone.includes(entry));
  }

  /** Only a higher revision is applied; the present one is acknowledged again, since that may have been lost. @param {Mode} mode @param {number} now */
  obey(mode, now) {
    if (mode.rev < this.mode.rev) return;
    if (mode.rev > this.mode.rev) this.mode = mode;
    this.report("ack", { id: mode.id, result: "done", at: instant(now) });
  }

  /** @param {{id: string, command: string, expires_at: string}} command @param {number} now */
  command({ id, command, expires_at }, now) {
    const result = Date.parse(expires_at) < now ? "expired" : COMMANDS.includes(command) ? "done" : "unsupported";
    this.report("ack", { id, result, at: instant(now) });
  }

  /** Time has passed. @param {number} now @returns {boolean} whether anything has changed */
  tick(now) {
    const late = this.waiting().filter((entry) => entry.due < now);
    for (const entry of late) this.alone(entry, now);
    const gone = this.passing().filter((entry) => /** @type {number} */ (entry.passUntil) <= now);
    for (const entry of gone) this.passedBy(entry, "not_passed", now);
    const due = this.recordsAt !== undefined && this.recordsAt <= now;
    if (due) {
      this.recordsAt = undefined;
      // What was sent a whole turn ago and never answered is sent again.
      for (const entry of this.owed()) if (entry.sent === "sent") entry.sent = "no";
      this.sendRecords();
      this.recordsDue(now);
    }
    return late.length + gone.length > 0 || due;
  }

  /** Everything that outlives a reload of the page, and back. */
  save() {
    const { out: _out, online: _online, ...kept } = this;
    return JSON.stringify(kept);
  }

  /** @param {string} text */
  static restore(text) {
    const kept = JSON.parse(text);
    return Object.assign(new GateCore({ epoch: kept.epoch }), kept, { list: GateList.restore(kept.list) });
  }
}
