// Numbers, money and time as people of the language write them. Times are the city's (Asia/Shanghai), wherever the desk stands.
import { language } from "./i18n.js";

/** The city's clock. */
const ZONE = "Asia/Shanghai";
/** Dates as they are read by everybody: "en" alone writes the month first, which half of the world reads as the day. */
const DATES = { en: "en-GB", "zh-CN": "zh-CN" };
/** @type {Map<string, any>} */
const kept = new Map();

/** @param {string} kind @param {any} options @param {new (language: string, options: any) => any} Maker */
function maker(kind, options, Maker) {
  const key = `${language.value} ${kind}`;
  if (!kept.has(key)) kept.set(key, new Maker(Maker === Intl.DateTimeFormat ? DATES[language.value] : language.value, options));
  return kept.get(key);
}

/** @param {number|null|undefined} value @param {number} [digits] @returns {string} */
export const number = (value, digits = 0) =>
  value === null || value === undefined ? "–" : maker(`n${digits}`, { minimumFractionDigits: digits, maximumFractionDigits: digits }, Intl.NumberFormat).format(value);

/** Rates are shown with one digit only where it matters. @param {number|null|undefined} value */
export const rate = (value) => number(value, value !== null && value !== undefined && value < 10 && value % 1 !== 0 ? 1 : 0);

/** Milliseconds. @param {number|null|undefined} value */
export const ms = (value) => (value === null || value === undefined ? "–" : number(value, value < 10 ? 1 : 0));

/** Money stays text until here: no arithmetic is done on it. @param {import("./types/wire.d.ts").Money|undefined} money */
export const money = (money) =>
  money === undefined ? "–" : maker(`m${money.currency}`, { style: "currency", currency: money.currency, currencyDisplay: "narrowSymbol" }, Intl.NumberFormat).format(Number(money.amount));

/** @param {string|number|null|undefined} instant @returns {string} hour:minute:second */
export const time = (instant) =>
  instant ? maker("t", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: ZONE }, Intl.DateTimeFormat).format(new Date(instant)) : "–";

/** @param {string|number|null|undefined} instant @returns {string} hour:minute */
export const clock = (instant) =>
  instant ? maker("c", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: ZONE }, Intl.DateTimeFormat).format(new Date(instant)) : "–";

/** @param {string|number|null|undefined} instant */
export const dateTime = (instant) =>
  instant
    ? maker("d", { year: "numeric", month: language.value === "en" ? "short" : "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: ZONE }, Intl.DateTimeFormat).format(new Date(instant))
    : "–";

/** A business day. @param {string|undefined} day */
export const day = (day) =>
  day ? maker("day", { month: "long", day: "numeric", weekday: "short", timeZone: "UTC" }, Intl.DateTimeFormat).format(new Date(`${day}T00:00:00Z`)) : "–";

/** A day with its year. @param {string|number|null|undefined} instant */
export const date = (instant) => (instant ? maker("date", { year: "numeric", month: "short", day: "numeric", timeZone: ZONE }, Intl.DateTimeFormat).format(new Date(instant)) : "–");

/** How long ago, coarse. @param {string|number|null|undefined} instant @param {number} now */
export function ago(instant, now) {
  if (!instant) return "–";
  // A clock that is ahead of ours has told of now.
  const seconds = Math.min(0, Math.round((new Date(instant).getTime() - now) / 1000));
  const relative = maker("r", { numeric: "auto", style: "short" }, Intl.RelativeTimeFormat);
  const [unit, size] = /** @type {[string, number]} */ ([["second", 1], ["minute", 60], ["hour", 3600], ["day", 86_400]].reverse().find(([, size_]) => Math.abs(seconds) >= Number(size_)) ?? ["second", 1]);
  // Chinese text keeps a space between a number and a word, as everywhere on these pages.
  return relative.format(Math.trunc(seconds / size), unit).replace(/(\d)(?=[\u4e00-\u9fff])/gu, "$1 ");
}

/** Names of a list, joined as the language does. @param {string[]} items */
export const listing = (items) => maker("l", { type: "conjunction" }, /** @type {any} */ (Intl).ListFormat).format(items);
