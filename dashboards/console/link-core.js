// The machine of a console's connection: what to send, what to tell the pages, when to come back.
// Pure: frames, closings and the time go in, effects come out, so that every fault can be played in a test without a socket.
// It promises that a channel's events are applied in order without gap, that a command is done at most once however often the
// line breaks, and that nothing is called live while it may be old. It is not the socket (link.js) and keeps no board (store.js).

/** @typedef {import("./types/pages.d.ts").Refusal} Problem */
/** @typedef {"idle"|"connecting"|"greeting"|"live"|"waiting"|"stopped"} LinkState */
/** @typedef {{k: "connect"} | {k: "send", frame: any} | {k: "close", code: number} | {k: "link"} | {k: "hello", hello: any}
 *   | {k: "session"} | {k: "snapshot", ch: string, snapshot: any, seq: number} | {k: "event", ch: string, seq: number, d: any, at: string, cause?: string}
 *   | {k: "state", ch: string, key: string, d: any} | {k: "fresh", ch: string} | {k: "stale", ch: string} | {k: "refused", ch: string, error: Problem}
 *   | {k: "rights", roles: string[], scope: any} | {k: "lock", on: boolean}
 *   | {k: "ack", command_id: string, ok: boolean, result?: any, error?: Problem, ch?: string, seq?: number}} Effect */
/** @typedef {{epoch?: string, seq?: number, asked?: string, answered?: string, fresh: boolean, refused?: boolean}} Subscription */
/** @typedef {{frame: any, deadline: number, sent: boolean, asking: boolean}} InFlight */

/** Waiting for the greeting, in milliseconds. */
const GREETING_MS = 10_000;
/** First pause before coming back and the longest one, in milliseconds. */
const BACKOFF_MS = 250;
const BACKOFF_MS_MAX = 15_000;
/** Silence of so many heartbeats means that the line is dead. */
const HEARTBEATS_MISSED = 2.5;
/** A command whose outcome could not be learnt is given up so long after its deadline, in milliseconds. */
const OUTCOME_MS_MAX = 120_000;

export class LinkCore {
  /** @param {{random?: () => number}} [with_] */
  constructor({ random = Math.random } = {}) {
    this.random = random;
    /** @type {LinkState} */ this.state = "idle";
    /** @type {string|undefined} */ this.reason = undefined;
    /** When the next attempt is due. */ this.retryAt = 0;
    this.attempts = 0;
    this.nextId = 1;
    this.heardAt = 0;
    this.beatAt = 0;
    /** Somebody used the page since the last beat. */ this.active = true;
    this.heartbeatMs = 10_000;
    /** @type {number|undefined} */ this.byeRetryMs = undefined;
    /** @type {string|undefined} */ this.user = undefined;
    /** Server clock minus ours, in milliseconds. */ this.skewMs = 0;
    /** @type {Map<string, Subscription>} */ this.subs = new Map();
    /** @type {Map<string, InFlight>} */ this.commands = new Map();
    /** @type {Effect[]} */ this.out = [];
  }

  /** @returns {Effect[]} what is to be done, in order */
  take() {
    const out = this.out;
    this.out = [];
    return out;
  }

  /** @param {number} now */
  start(now) {
    if (this.state === "idle" || this.state === "stopped" || this.state === "waiting") this.connect(now);
  }

  /** The network is back or the page is looked at again: do not sit out the pause. @param {number} now */
  wake(now) {
    if (this.state === "waiting") this.connect(now);
  }

  /** Ends the connection until `start`. Commands stay in flight where only the session ended: when the same person is back, their
   * outcome is asked for; at a sign-out they are forgotten. @param {boolean} forget */
  stop(forget) {
    if (this.state !== "idle") this.out.push({ k: "close", code: 1000 });
    this.subs.clear();
    if (forget) this.commands.clear();
    if (forget) this.user = undefined;
    this.become("idle");
  }

  /** @param {number} now */
  connect(now) {
    this.heardAt = now;
    this.byeRetryMs = undefined;
    this.become("connecting");
    this.out.push({ k: "connect" });
  }

  /** @param {number} now */
  opened(now) {
    this.heardAt = now;
    this.become("greeting");
  }

  /** @param {any} frame @param {number} now */
  message(frame, now) {
    if (this.state !== "greeting" && this.state !== "live") return;
    this.heardAt = now;
    if (frame.t === "batch") frame.items.forEach((/** @type {any} */ item) => this.frame(item, now));
    else this.frame(frame, now);
  }

  /** @param {any} frame @param {number} now */
  frame(frame, now) {
    switch (frame.t) {
      case "hello": return this.hello(frame, now);
      case "sub": return this.subscribed(frame, now);
      case "event": return this.event(frame);
      case "state": return this.stateValue(frame);
      case "ack": return this.ack(frame);
      case "beat": return this.beat(frame, now);
      case "unsub": return this.ended(frame);
      case "rights": return void this.out.push({ k: "rights", roles: frame.roles, scope: frame.scope });
      case "lock": return this.lock(frame.on);
      case "bye": return this.bye(frame);
      default: return undefined; // Words of a later server are no fault.
    }
  }

  /** @param {any} hello @param {number} now */
  hello(hello, now) {
    if (this.user !== undefined && this.user !== hello.user) this.commands.clear();
    this.user = hello.user;
    this.heartbeatMs = hello.heartbeat_ms || this.heartbeatMs;
    this.skewMs = Date.parse(hello.now) - now || 0;
    this.attempts = 0;
    this.beatAt = now;
    this.reason = undefined;
    this.out.push({ k: "hello", hello });
    this.become("live");
    for (const ch of this.subs.keys()) this.ask(ch);
    for (const command of this.commands.values()) this.dispatch(command, now);
  }

  /** While it is locked nothing comes; after that each channel goes on from where it stands. @param {boolean} on */
  lock(on) {
    this.out.push({ k: "lock", on });
    if (!on) for (const ch of this.subs.keys()) this.ask(ch);
  }

  // Channels.

  /** @returns {string} an id for one answer */
  id() {
    return String(this.nextId++);
  }

  /** @param {string} ch */
  subscribe(ch) {
    if (this.subs.has(ch)) return;
    this.subs.set(ch, { fresh: false });
    if (this.state === "live") this.ask(ch);
  }

  /** @param {string} ch */
  unsubscribe(ch) {
    if (this.subs.delete(ch) && this.state === "live") this.out.push({ k: "send", frame: { t: "unsub", id: this.id(), ch } });
  }

  /** @param {string} ch */
  ask(ch) {
    const sub = this.subs.get(ch);
    if (!sub) return;
    sub.asked = this.id();
    sub.fresh = false;
    const since = sub.epoch === undefined ? {} : { epoch: sub.epoch, seq: sub.seq };
    this.out.push({ k: "send", frame: { t: "sub", id: sub.asked, ch, ...since } });
  }

  /** @param {any} answer @param {number} now */
  subscribed(answer, now) {
    const sub = this.subs.get(answer.ch);
    if (!sub) return;
    // The last answer once more, unasked and whole: other rights show other items. What was asked for meanwhile is answered after it.
    const anew = sub.answered === answer.id && answer.recovered === false;
    if (sub.asked !== answer.id && !anew) return;
    if (!anew) [sub.asked, sub.answered] = [undefined, answer.id];
    if (answer.error) return this.refused(answer.ch, sub, answer.error);
    sub.refused = false;
    if (answer.recovered) {
      for (const event of answer.events ?? []) this.apply(answer.ch, sub, event);
    } else {
      this.out.push({ k: "snapshot", ch: answer.ch, snapshot: answer.snapshot, seq: answer.seq });
    }
    sub.epoch = answer.epoch;
    sub.seq = answer.seq;
    sub.fresh = true;
    this.out.push({ k: "fresh", ch: answer.ch });
  }

  /** @param {string} ch @param {Subscription} sub @param {Problem} error */
  refused(ch, sub, error) {
    sub.refused = true;
    sub.fresh = false;
    sub.epoch = sub.seq = undefined;
    this.out.push({ k: "refused", ch, error });
  }

  /** The server ended it: other rights, or the channel is gone. @param {any} frame */
  ended(frame) {
    const sub = this.subs.get(frame.ch);
    if (sub && frame.error) this.refused(frame.ch, sub, frame.error);
  }

  /** @param {any} event */
  event(event) {
    const sub = this.subs.get(event.ch);
    if (!sub || sub.asked !== undefined || sub.refused) return;
    if (event.seq > (sub.seq ?? 0) + 1) {
      this.out.push({ k: "stale", ch: event.ch });
      this.ask(event.ch);
    } else {
      this.apply(event.ch, sub, event);
    }
  }

  /** @param {string} ch @param {Subscription} sub @param {any} event */
  apply(ch, sub, event) {
    if (sub.seq !== undefined && event.seq <= sub.seq) return;
    sub.seq = event.seq;
    this.out.push({ k: "event", ch, seq: event.seq, d: event.d, at: event.at, cause: event.cause });
  }

  /** @param {any} frame */
  stateValue(frame) {
    const sub = this.subs.get(frame.ch);
    if (sub?.fresh) this.out.push({ k: "state", ch: frame.ch, key: frame.key, d: frame.d });
  }

  /** A position above ours means that something got lost on the way. @param {any} frame @param {number} now */
  beat(frame, now) {
    this.skewMs = Date.parse(frame.now) - now || 0;
    for (const [ch, seq] of Object.entries(frame.positions ?? {})) {
      const sub = this.subs.get(ch);
      if (!sub || sub.asked !== undefined || sub.seq === undefined || seq <= sub.seq) continue;
      this.out.push({ k: "stale", ch });
      this.ask(ch);
    }
  }

  // Commands.

  /** @param {import("./types/pages.d.ts").Command} command @param {number} now */
  command(command, now) {
    const flight = { frame: command, deadline: now + command.ttl_ms, sent: false, asking: false };
    this.commands.set(command.command_id, flight);
    if (this.state === "live") this.dispatch(flight, now);
  }

  /** Sends with the time that is left; past it only the outcome is asked for, under the same id: with no time left the server
   * gives the first answer or says that it was not done. @param {InFlight} flight @param {number} now */
  dispatch(flight, now) {
    const left = Math.max(0, Math.round(flight.deadline - now));
    if (left === 0 && !flight.sent) return this.settle(flight.frame.command_id, { ok: false, error: { code: "NOT_SENT", local: true } });
    flight.sent = true;
    flight.asking = left === 0;
    flight.frame = { ...flight.frame, t: "cmd", id: this.id(), ttl_ms: left };
    this.out.push({ k: "send", frame: flight.frame });
  }

  /** @param {any} ack */
  ack(ack) {
    for (const [id, flight] of this.commands) {
      if (flight.frame.id !== ack.id) continue;
      const { ok, result, error, ch, seq } = ack;
      return this.settle(id, { ok, result, error, ch, seq });
    }
  }

  /** @param {string} command_id @param {any} outcome */
  settle(command_id, outcome) {
    this.commands.delete(command_id);
    this.out.push({ k: "ack", command_id, ...outcome });
  }

  // Time and the end of a line.

  /** @param {number} now */
  tick(now) {
    if (this.state === "waiting" && now >= this.retryAt) this.connect(now);
    const silent = now - this.heardAt;
    if ((this.state === "connecting" || this.state === "greeting") && silent > GREETING_MS) this.hangUp(now, "silent");
    if (this.state === "live" && silent > this.heartbeatMs * HEARTBEATS_MISSED) this.hangUp(now, "silent");
    if (this.state === "live" && now - this.beatAt >= this.heartbeatMs) this.alive(now);
    for (const [id, flight] of this.commands) this.overdue(id, flight, now);
  }

  /** Tells the server that we are here, and whether a person is. @param {number} now */
  alive(now) {
    this.beatAt = now;
    this.out.push({ k: "send", frame: { t: "beat", active: this.active } });
    this.active = false;
  }

  /** @param {string} id @param {InFlight} flight @param {number} now */
  overdue(id, flight, now) {
    if (!flight.sent && now >= flight.deadline) this.settle(id, { ok: false, error: { code: "NOT_SENT", local: true } });
    else if (now >= flight.deadline + OUTCOME_MS_MAX) this.settle(id, { ok: false, error: { code: "UNKNOWN_OUTCOME", local: true } });
    else if (this.state === "live" && !flight.asking && now >= flight.deadline + 1_000) this.dispatch(flight, now);
  }

  /** @param {number} now @param {string} reason */
  hangUp(now, reason) {
    this.out.push({ k: "close", code: 4000 });
    this.lost(now, reason);
  }

  /** @param {any} bye */
  bye(bye) {
    this.byeRetryMs = bye.retry_ms;
    this.reason = bye.reason;
  }

  /** The socket is gone. @param {number} code @param {number} now */
  closed(code, now) {
    if (this.state === "idle" || this.state === "stopped" || this.state === "waiting") return;
    if (code >= 4500 && code <= 4999) {
      this.reason = String(code);
      this.allStale();
      if (code === 4500) this.out.push({ k: "session" });
      return this.become("stopped");
    }
    // A refused upgrade looks like any failure to a page: whether the session still lives is asked over HTTP.
    if (code === 4003 || this.state !== "live") this.out.push({ k: "session" });
    this.lost(now, this.reason ?? (this.state === "live" ? "cut" : "unreachable"));
  }

  /** @param {number} now @param {string} reason */
  lost(now, reason) {
    this.reason = reason;
    this.retryAt = now + this.pause();
    this.attempts += 1;
    this.allStale();
    this.become("waiting");
  }

  /** Never all consoles in the same instant: half of the pause is drawn. @returns {number} milliseconds */
  pause() {
    if (this.byeRetryMs !== undefined) return this.byeRetryMs + this.random() * Math.min(this.byeRetryMs + BACKOFF_MS, 2_000);
    const longest = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** Math.min(this.attempts, 10));
    return longest / 2 + (this.random() * longest) / 2;
  }

  allStale() {
    for (const [ch, sub] of this.subs) {
      sub.fresh = false;
      sub.asked = sub.answered = undefined;
      this.out.push({ k: "stale", ch });
    }
  }

  /** @param {LinkState} state */
  become(state) {
    this.state = state;
    this.out.push({ k: "link" });
  }
}
