// What the gate does now: its picture, the answer in plain words, fare and balance, and what the rider may do next.
import { html } from "/vendor/preact.js";
import { language, t, word } from "/i18n.js";
import { money } from "/format.js";
import { gate, link, loan, now, pass, rev } from "./gate.js";
import { mayTap, tapNow } from "./controls.js";
import { Key, Scene } from "./scene.js";

const CLOSED = ["closed", "paused", "maintenance"];

/** The newest tap, while it is still what the gate shows. @param {import("./gate-core.js").GateCore} core */
const shown = (core) => core.passing()[0] ?? core.entries.at(-1);

/** @param {import("./gate-core.js").GateCore} core @param {import("./gate-core.js").Entry|undefined} entry */
function stateOf(core, entry) {
  if (entry?.passing) return "open";
  if (core.released) return "free";
  if (entry && entry.by === undefined) return "asking";
  if (CLOSED.includes(core.mode.service)) return "off";
  return entry && entry.open === false && entry.passed === "none" ? "deny" : "idle";
}

/** The sentence in large letters, and the one below it. @param {string} state @param {import("./gate-core.js").Entry|undefined} entry @param {import("./gate-core.js").GateCore} core @returns {[string, string]} */
function words(state, entry, core) {
  if (!loan.value) return [t("no-gate"), t("no-gate-text")];
  if (state === "asking") return [t("asking"), t("asking-text", { seconds: core.deadlineMs / 1000 })];
  if (entry && (state === "open" || state === "deny")) {
    const head = entry.by === "server" ? (entry.messages?.[language.value] ?? entry.code ?? "") : t(entry.open ? "alone-open" : "alone-deny");
    return [head, because(entry)];
  }
  if (state === "free") return [t("free"), t(core.mode.station_mode.includes("emergency") ? "free-emergency" : "free-open")];
  if (state === "off") return [t("closed"), word("service", core.mode.service)];
  if (entry && entry.passed !== "none") return [t(`did-${entry.passed}`), t("ready-text")];
  return [t("ready"), t("ready-text")];
}

/** Who decided, and how fast. @param {import("./gate-core.js").Entry} entry */
function because(entry) {
  if (entry.by === "server") return t("by-server", { code: entry.code ?? "", ms: Math.max(0, Math.round(entry.waitedMs ?? 0)) });
  return t(`alone-${entry.why}`);
}

/** What stands over the gate: a mode of the station, or what it does. @param {import("./gate-core.js").GateCore|undefined} core */
function modeOf(core) {
  if (!core || core.mode.rev === 0) return { tone: "plain", text: t("mode-none") };
  const { station_mode, service, rev: number } = core.mode;
  const names = station_mode.map((mode) => word("mode", mode));
  const text = [...names, word("service", service)].join(t("joiner"));
  return { tone: station_mode.includes("emergency") ? "alarm" : station_mode.length > 0 || service !== "both" ? "warn" : "plain", text: t("mode", { text, rev: number }) };
}

const TONES = /** @type {Record<string, string>} */ ({ live: "good", connecting: "warn", away: "warn", unplugged: "alarm", taken: "alarm", refused: "alarm", lost: "alarm" });

export function Stage() {
  rev.value;
  const core = gate();
  const entry = core && shown(core);
  const state = core && loan.value ? stateOf(core, entry) : "off";
  const [head, below] = core ? words(state, entry, core) : [t("no-gate"), t("no-gate-text")];
  const mode = modeOf(core);
  const riders = core?.passing().length ?? 0;
  const left = entry?.passing ? Math.max(0, /** @type {number} */ (entry.passUntil) - now()) : 0;
  return html`<section class="sheet stage" data-state=${state} data-by=${state === "open" || state === "deny" ? entry?.by : undefined} aria-labelledby="says">
    <div class="stage-top"><span class="id quiet">${loan.value?.device ?? t("no-device")}</span>
      <span class="mark" data-tone=${mode.tone} id="mode">${mode.text}</span>
      <span class="row-tight link"><i class="dot" data-tone=${TONES[link.value]}></i><span id="link">${t(`link-${link.value}`)}</span></span></div>
    <${Scene} state=${state} />
    <div class="says" role="status"><h2 id="says">${head}</h2><p class="quiet" id="because">${below}</p></div>
    <dl class="money"><div><dt>${t("fare")}</dt><dd id="fare">${money(entry?.fare)}</dd></div><div><dt>${t("balance")}</dt><dd id="balance">${money(entry?.balance)}</dd></div></dl>
    <p class="quiet small aisle">${riders > 0 ? t("riders", { riders }) : t("nobody")}</p>
    <div class="acts-of-gate"><button type="button" id="tap" class="button" data-size="l" data-look=${riders > 0 ? undefined : "main"} aria-disabled=${mayTap() ? undefined : "true"} onClick=${tapNow}>${t("tap")}<${Key} of="T" /></button>
      <button type="button" id="go" class="button" data-size="l" data-look=${riders > 0 ? "main" : undefined} aria-disabled=${riders === 0 ? "true" : undefined} onClick=${() => pass("passed")}>${t("go-through")}<${Key} of="G" /></button>
      <button type="button" id="back" class="button" data-size="l" aria-disabled=${riders === 0 ? "true" : undefined} onClick=${() => pass("not_passed")}>${t("turn-back")}<${Key} of="B" /></button></div>
    <${Patience} key=${entry?.seq} of=${core?.config.no_passage_ms ?? 0} left=${left} /></section>`;
}

/** How long the gate still waits for its rider: a bar that runs down. @param {{of: number, left: number}} props */
const Patience = ({ of, left }) => html`<div class="patience" aria-hidden="true">${left > 0 ? html`<i style=${{ animationDuration: `${of}ms`, animationDelay: `${left - of}ms` }}></i>` : null}</div>`;
