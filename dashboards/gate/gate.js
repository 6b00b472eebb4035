// The gate of this page: the machine of gate-core.js on a real MQTT connection, with a clock and a network plug.
import { batch, signal } from "/vendor/preact.js";
import { GateCore } from "./gate-core.js";
import { borrow, keep, kept, look, renew, stations } from "./loan.js";
import { Client } from "./mqtt.js";

const TICK_MS = 100;
/** A lost connection is made again after this, then after twice as long, … */
const RETRY_MS = 500;
const RETRY_MS_MAX = 8_000;
/** Who is taken over so soon was only in somebody's way: the demo's own hand that lets the gate go. */
const TAKEN_SOON_MS = 3_000;
/** Before a gate is given back its records are handed in, for at most this long. */
const HAND_IN_MS = 3_000;
/** Where most people begin, if a gate is free there. */
const FIRST = "tianfuguangchang";
const TAKEN_OVER = 0x8e;
const BAD_CREDENTIALS = 0x86;

/** `none`: no gate yet. `lost`: the loan is over. `taken`: another page has this gate. `refused`: its secret is wrong. */
export const link = signal(/** @type {"none"|"connecting"|"live"|"unplugged"|"away"|"taken"|"refused"|"lost"} */ ("none"));
export const plugged = signal(true);
export const loan = signal(/** @type {import("./loan.js").Loan|undefined} */ (undefined));
/** Grows whenever the gate's machine has changed. */
export const rev = signal(0);
/** What the person had in hand and where it stands, as far as this page has seen: token → what the last answer said. */
export const seen = signal(/** @type {Record<string, {balance?: any, inside?: boolean}>} */ ({}));
/** Why no gate could be borrowed: a code. */
export const trouble = signal(/** @type {string|undefined} */ (undefined));

/** @type {GateCore|undefined} */ let core;
/** @type {Client|undefined} */ let client;
let skewMs = 0;
let retryMs = RETRY_MS;
let readyAt = 0;
/** @type {any} */ let retry;

/** By the gate's clock, which follows the server's. */
export const now = () => Date.now() + skewMs;
export const gate = () => core;

/** Lets time or a message in, sends what comes out, and shows it. @param {(core: GateCore) => void} input */
function run(input) {
  if (!core) return;
  input(core);
  for (const { name, payload, cookie, retain } of core.take()) client?.publish(name, payload, cookie, retain);
  if (core.wanted) void fetchList(core.wanted);
  batch(() => {
    // Not before the server has its state: until then a tap would be decided alone.
    if (link.value === "connecting" && core?.online) link.value = "live";
    rev.value += 1;
    remember();
  });
  if (loan.value?.claim) keep({ loan: loan.value, core: core.save(), plugged: plugged.value, skewMs });
}

/** Fetches the whole deny list; where that fails the gate goes on with what it has, and is told again. @param {{to: number, url: string, sha256: string}} wanted */
async function fetchList({ to, url, sha256 }) {
  const who = loan.value;
  if (!who || !core) return;
  core.wanted = undefined;
  const authorization = `Basic ${btoa(`${who.device}:${who.secret}`)}`;
  const answer = await fetch(url, { headers: { authorization }, credentials: "omit" }).catch(() => undefined);
  if (!answer?.ok) return;
  const body = await answer.text();
  run((machine) => machine.fetched(to, body, sha256, now()));
}

/** What the answers said of the media in the purse. */
function remember() {
  const last = core?.entries.filter((entry) => entry.by === "server").at(-1);
  if (!last) return;
  const before = seen.value[last.medium.token] ?? {};
  const balance = last.balance ?? before.balance;
  const inside = last.open && last.code === "OK" ? last.direction === "entry" : last.code === "ALREADY_IN" ? true : last.code === "NO_ENTRY" ? false : before.inside;
  if (balance?.amount !== before.balance?.amount || inside !== before.inside) seen.value = { ...seen.value, [last.medium.token]: { balance, inside } };
}

setInterval(() => core && core.tick(now()) && run(() => undefined), TICK_MS);

/** Begins: with the gate of before a reload, with a borrowed one, or (where nobody lends) with none. */
export async function start() {
  const before = kept();
  const lent = await look().catch(() => undefined);
  if (lent === undefined) {
    // Nobody answers yet.
    setTimeout(() => void start(), RETRY_MS_MAX);
  } else if (before && lent && (await renew(before.loan))) {
    plugged.value = before.plugged;
    skewMs = before.skewMs;
    become(before.loan, GateCore.restore(before.core));
  } else if (lent) {
    const free = stations.value.filter((station) => station.free > 0);
    const first = free.find(({ station }) => station === FIRST) ?? free[0] ?? stations.value[0];
    await move(first?.station ?? "");
  }
}

/** Goes to a gate of this station; the old one is given back. Not while records wait for it. @param {string} station */
export async function move(station) {
  if (core?.online) {
    run((machine) => machine.close(now()));
    await handedIn();
  }
  const answer = await borrow(station, loan.value).catch(() => "BUSY");
  trouble.value = typeof answer === "string" ? answer : undefined;
  void look().catch(() => undefined);
  if (typeof answer === "string") return;
  skewMs = answer.now - Date.now();
  become(answer, new GateCore({ epoch: answer.epoch }));
}

/** Until the server has every record, or it takes too long: then the demo does without. */
async function handedIn() {
  for (const end = Date.now() + HAND_IN_MS; core?.online && core.owed().length > 0 && Date.now() < end; ) await new Promise((done) => setTimeout(done, TICK_MS));
}

/** A gate of one's own. @param {{site: string, device: string, secret: string}} who */
export function takeOwn(who) {
  skewMs = 0;
  become({ ...who, epoch: Math.floor(Date.now() / 1000), now: Date.now(), media: [] }, new GateCore({ epoch: Math.floor(Date.now() / 1000) }));
}

/** @param {import("./loan.js").Loan} next @param {GateCore} machine */
function become(next, machine) {
  drop(true);
  core = machine;
  loan.value = next;
  retryMs = RETRY_MS;
  clearInterval(renewing);
  if (next.lease_ms) renewing = setInterval(() => void stillMine(), next.lease_ms / 3);
  if (plugged.value) connect();
  else link.value = "unplugged";
  run(() => undefined);
}
/** @type {any} */ let renewing;

async function stillMine() {
  if (!loan.value || (await renew(loan.value))) return;
  clearInterval(renewing);
  drop(false);
  keep(undefined);
  link.value = "lost";
}

export function connect() {
  const who = loan.value;
  if (!who || !core) return;
  link.value = "connecting";
  const will = JSON.stringify(core.state(false, now()));
  const mine = new Client(who, will, {
    onReady: () => {
      if (mine !== client) return;
      retryMs = RETRY_MS;
      readyAt = Date.now();
      run((machine) => machine.connected(now()));
    },
    onMessage: (name, payload) => mine === client && run((machine) => machine.message(name, payload, now())),
    onTaken: (cookie, code) => mine === client && run((machine) => machine.taken(cookie, code, now())),
    onEnd: (why) => {
      if (mine === client) void ended(why);
    },
  });
  client = mine;
}

/** @param {import("./mqtt.js").End} why */
async function ended(why) {
  client = undefined;
  run((machine) => machine.disconnected());
  const taken = why.by === "server" && why.code === TAKEN_OVER && Date.now() - readyAt > TAKEN_SOON_MS;
  if (taken) link.value = "taken";
  else if (why.by === "refused" && why.code === BAD_CREDENTIALS) link.value = "refused";
  else {
    link.value = "away";
    retry = setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
  }
}

/** @param {boolean} politely */
function drop(politely) {
  clearTimeout(retry);
  const old = client;
  client = undefined;
  old?.end(politely);
  core?.disconnected();
}

/** Pulls the network plug, or puts it back. */
export function plug() {
  plugged.value = !plugged.value;
  if (plugged.value) connect();
  else {
    drop(false);
    link.value = "unplugged";
  }
  run(() => undefined);
}

/** @param {import("./gate-core.js").Direction} direction @param {import("./gate-core.js").Medium} medium */
export const tap = (direction, { kind, token }) => run((machine) => machine.tap(direction, { kind, token }, now()));
/** @param {"passed"|"not_passed"} outcome */
export const pass = (outcome) => run((machine) => machine.pass(outcome, now()));
