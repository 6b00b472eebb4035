// How numbers and times are shown: the same moment, read without a doubt in either language; an axis of round numbers.
import assert from "node:assert/strict";
import test from "node:test";
import { language } from "../../../dashboards/console/i18n.js";
import { ago, date, dateTime } from "../../../dashboards/console/format.js";
import { decades, place } from "../../../dashboards/console/charts/histogram.js";

const AT = Date.parse("2026-03-04T16:05:06Z");

test("a date says which number is the day, in the city's time", () => {
  language.value = "en";
  assert.equal(dateTime(AT), "05 Mar 2026, 00:05:06");
  assert.equal(date(AT), "5 Mar 2026");
  language.value = "zh-CN";
  assert.equal(dateTime(AT), "2026/03/05 00:05:06");
});

test("how long ago is told in words, never in the future", () => {
  language.value = "zh-CN";
  assert.equal(ago(AT, AT + 120_000), "2 分钟前");
  language.value = "en";
  assert.equal(ago(AT, AT + 120_000), "2 min. ago");
  assert.equal(ago(AT + 60_000, AT), "now");
});

test("the axis of the histogram is marked at round numbers", () => {
  assert.deepEqual(decades([0.08, 0.5, 5, 50, 1200]), [0.1, 1, 10, 100, 1000]);
  assert.equal(place([1, 2, 4], 3), 2.5);
});
