// The gate's own account: every tap it keeps, who decided it, and how far its record has come.
import { html } from "/vendor/preact.js";
import { t, word } from "/i18n.js";
import { time } from "/format.js";
import { gate, loan, rev } from "./gate.js";

/** @param {import("./gate-core.js").Entry} entry */
function stateOf(entry) {
  if (entry.rejected) return { tone: "alarm", text: t("record-rejected", { code: entry.rejected }) };
  if (entry.by === undefined) return { tone: "plain", text: t("record-open") };
  const tones = { no: entry.by === "gate" ? "warn" : "plain", sent: "accent", kept: "plain" };
  return { tone: tones[entry.sent], text: t(`record-${entry.sent}`) };
}

/** @param {string} token */
const nameOf = (token) => {
  const known = loan.value?.media.find((medium) => medium.token === token);
  return known ? t(`medium-${known.name}`) : token;
};

/** One sentence on where the account stands. @param {import("./gate-core.js").GateCore|undefined} core */
function summary(core) {
  const owed = core?.owed() ?? [];
  const alone = owed.filter((entry) => entry.by === "gate").length;
  if (core?.refused) return t("message-refused", { name: core.refused.name, code: `0x${core.refused.code.toString(16)}` });
  if (core && alone > 0) return t(core.online ? "account-sending" : "account-waits", { count: alone });
  if (owed.length > 0) return t("account-later", { count: owed.length });
  return core && core.upto > 0 ? t("account-done", { upto: core.upto }) : t("account-empty");
}

/** Columns: key of its title, its class, what stands in it. @type {[string, string, (entry: import("./gate-core.js").Entry) => any][]} */
const COLUMNS = [
  ["seq", "num", (entry) => entry.seq],
  ["time", "nowrap", (entry) => time(entry.at)],
  ["direction", "nowrap", (entry) => t(entry.direction)],
  ["medium", "lead", (entry) => nameOf(entry.medium.token)],
  ["shown", "", shown],
  ["decided-by", "nowrap", (entry) => (entry.by ? t(`by-${entry.by}-short`) : "")],
  ["passage", "nowrap", (entry) => word("passage", entry.passing ? "waited" : entry.passed)],
  ["record", "nowrap", record],
];

/** @param {import("./gate-core.js").Entry} entry */
function shown(entry) {
  if (entry.open === undefined) return "";
  const code = entry.by === "server" ? entry.code : entry.late ? t("answer-late") : "";
  return html`${t(entry.open ? "opened" : "stayed-shut")}${code ? html` <span class="quiet id">${code}</span>` : null}`;
}

/** @param {import("./gate-core.js").Entry} entry */
function record(entry) {
  const { tone, text } = stateOf(entry);
  return html`<span class="mark" data-tone=${tone}>${text}</span>`;
}

export function Records() {
  rev.value;
  const core = gate();
  const entries = [...(core?.entries ?? [])].reverse();
  return html`<section class="sheet records" aria-labelledby="records"><div class="sheet-head"><h2 id="records">${t("records")}</h2><p class="quiet small" role="status" id="account">${summary(core)}</p></div>
    <div class="table-wrap" tabindex="0" role="region" aria-label=${t("records")}><table class="table cards"><caption class="unseen">${t("records-caption")}</caption>
      <thead><tr>${COLUMNS.map(([key, kind]) => html`<th key=${key} scope="col" class=${kind}>${t(key)}</th>`)}</tr></thead>
      <tbody>${entries.length === 0 ? html`<tr><td colspan=${COLUMNS.length} class="quiet lead">${t("records-none")}</td></tr>` : entries.map((entry) => html`<${Row} key=${entry.seq} entry=${entry} />`)}</tbody></table></div></section>`;
}

/** @param {{entry: import("./gate-core.js").Entry}} props */
function Row({ entry }) {
  // The entry itself changes, not the property: without looking here nothing would be drawn anew.
  rev.value;
  return html`<tr data-seq=${entry.seq} data-sent=${entry.sent} data-by=${entry.by}>${COLUMNS.map(
    ([key, kind, cell]) => html`<td key=${key} class=${kind} data-label=${kind === "lead" ? undefined : t(key)}>${cell(entry)}</td>`,
  )}</tr>`;
}
