// How each board goes on: pure reducers from (state, event) to state, one a kind of channel. The server decides; these only follow.

/** @typedef {{snapshot: (s: any) => any, event: (s: any, d: any, at: string) => any, state: (s: any, key: string, d: any) => any}} Reducer */

/** Rows of the heat map and taps that are kept. */
const HEAT_SECONDS = 120;
const TAPS_MAX = 50;
const SERIES_MAX = 300;
const ITEMS_MAX = 200;
const HISTORY_MAX = 100;

/** @type {Reducer} */
const plain = { snapshot: (s) => s, event: (s) => s, state: (s, key, d) => ({ ...s, [key]: d }) };

/** @type {Reducer} */
const overview = {
  snapshot: (s) => s,
  event: (s, d) => (d.k === "mode" ? { ...s, stations: s.stations.map((/** @type {any} */ row) => (row.station === d.station ? { ...row, modes: d.modes } : row)) } : s),
  state(s, key, d) {
    if (key === "figures") return { ...s, ...d, series: longer(s.series, d) };
    if (key === "stations") return { ...s, stations: s.stations.map((/** @type {any} */ row) => (d[row.station] ? { ...row, ...d[row.station] } : row)) };
    return { ...s, [key]: d };
  },
};

/** @param {any} series @param {any} figures */
function longer(series, figures) {
  if (!series) return series;
  const cut = Math.max(0, series.taps.length + 1 - SERIES_MAX);
  const push = (/** @type {any[]} */ list, /** @type {any} */ value) => [...list.slice(cut), value ?? null];
  return { ...series, t0: millis(series.t0) + cut * series.step_s * 1000, taps: push(series.taps, figures.taps_s), p99: push(series.p99, figures.p99_ms) };
}

/** @param {string|number} instant @returns {number} milliseconds since the epoch */
export const millis = (instant) => (typeof instant === "number" ? instant : Date.parse(instant));

/** @type {Reducer} */
const gates = {
  snapshot: (s) => s,
  event(s, d, at) {
    switch (d.k) {
      case "tap": return { ...s, taps: [{ at, ...d }, ...s.taps].slice(0, TAPS_MAX), gates: patch(s.gates, d.device, { last_tap_at: d.at ?? at }) };
      case "mode": return { ...s, rev: d.change?.rev ?? s.rev, modes: d.modes, until: d.until, change: d.change };
      case "mode_ack": return { ...s, change: acknowledged(s.change, d), gates: patch(s.gates, d.device, { mode: d.rev }) };
      case "gate": return { ...s, gates: row(s.gates, d) };
      case "list": return { ...s, list_version: d.list_version };
      case "doubtful": return { ...s, doubtful: d.doubtful };
      default: return s;
    }
  },
  state: (s, key, d) => (key === "load" ? { ...s, load: d, heat: warmer(s.heat, d) } : { ...s, [key]: d }),
};

/** @param {any} change @param {any} d */
function acknowledged(change, d) {
  if (change?.id !== d.id) return change;
  return { ...change, missing: change.missing.filter((/** @type {string} */ gate) => gate !== d.device), acked: d.acked, took_ms: d.took_ms };
}

/** @param {any[]} rows @param {string} device @param {any} change */
const patch = (rows, device, change) => rows.map((known) => (known.device === device ? { ...known, ...change } : known));

/** @param {any[]} rows @param {any} fresh */
function row(rows, fresh) {
  const { k, ...gate } = fresh;
  return rows.some((known) => known.device === gate.device) ? patch(rows, gate.device, gate) : [...rows, gate];
}

/** One more second: what each gate opened. @param {any} heat @param {any} load */
function warmer(heat, load) {
  if (!heat) return heat;
  const opens = heat.of.map((/** @type {string} */ device) => load[device]?.open ?? 0);
  const cut = Math.max(0, heat.rows.length + 1 - HEAT_SECONDS);
  return { ...heat, t0: millis(heat.t0) + cut * heat.step_s * 1000, rows: [...heat.rows.slice(cut), opens] };
}

/** @type {Reducer} */
const device = {
  snapshot: (s) => s,
  event(s, d) {
    const { k, ...fields } = d;
    if (k === "command") return { ...s, commands: merged(s.commands, fields, "id") };
    if (k === "history") return { ...s, history: [d.item, ...s.history].slice(0, HISTORY_MAX) };
    // A whole twin: what it does not name is not known any more.
    return k === "twin" ? { ...s, service: undefined, firmware: undefined, reported: undefined, ...fields } : s;
  },
  state: (s, key, d) => ({ ...s, [key]: d }),
};

/** A list of whole items, newest first. @param {string} id @returns {Reducer} */
const listed = (id) => ({
  snapshot: (s) => s,
  event(s, d) {
    const { k, ...fields } = d;
    // An event about something that is not for this person's eyes carries nothing.
    return fields[id] === undefined ? s : { ...s, items: merged(s.items, fields, id) };
  },
  state: (s, key, d) => ({ ...s, [key]: d }),
});

/** @param {any[]} items @param {any} item @param {string} id */
function merged(items, item, id) {
  const known = items.some((old) => old[id] === item[id]);
  return known ? items.map((old) => (old[id] === item[id] ? { ...old, ...item } : old)) : [item, ...items].slice(0, ITEMS_MAX);
}

/** What people did, and faults that were counted: of each the newest, so that neither crowds the other out. @type {Reducer} */
const audit = {
  snapshot: (s) => s,
  event(s, d) {
    const { k, ...item } = d;
    let left = ITEMS_MAX;
    return { ...s, items: [item, ...s.items].filter((known) => !known.by !== !item.by || left-- > 0) };
  },
  state: (s) => s,
};

/** @type {Record<string, Reducer>} */
const kinds = { overview, gates, device, alarms: listed("alarm"), approvals: listed("approval"), audit };

/** @param {string} ch @returns {Reducer} */
export const reducerOf = (ch) => kinds[ch.split(":", 1)[0]] ?? plain;
