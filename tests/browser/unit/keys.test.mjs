// What the keyboard does, and what it leaves alone.
import assert from "node:assert/strict";
import test from "node:test";
import { Keyboard, stroke } from "../../../dashboards/console/keys.js";
import { score } from "../../../dashboards/console/ui/score.js";

const press = (key, more = {}) => ({ key, target: { tagName: "BODY" }, ...more });
const run = () => undefined;
const ALL = [{ keys: "g o", label: "", run }, { keys: "g g", label: "", run }, { keys: "?", label: "", run }, { keys: "m", label: "", run }, { keys: "Mod+k", label: "", run }];

test("strokes have one name on every keyboard", () => {
  assert.equal(stroke(press("?", { shiftKey: true })), "?");
  assert.equal(stroke(press("G")), "g");
  assert.equal(stroke(press("k", { ctrlKey: true })), "Mod+k");
  assert.equal(stroke(press("k", { metaKey: true })), "Mod+k");
});

test("the browser's own keys stay the browser's", () => {
  for (const key of ["r", "t", "w", "f", "l", "p", "c", "v", "Tab"]) {
    assert.equal(stroke(press(key, { ctrlKey: true })), undefined, `Ctrl ${key}`);
    assert.equal(stroke(press(key, { metaKey: true })), undefined, `Meta ${key}`);
  }
  assert.equal(stroke(press("k", { ctrlKey: true, shiftKey: true })), undefined);
  assert.equal(stroke(press("ArrowLeft", { altKey: true })), undefined);
  assert.equal(stroke(press("m", { defaultPrevented: true })), undefined);
});

test("an input method that is composing is not disturbed", () => {
  assert.equal(stroke(press("m", { isComposing: true })), undefined);
  assert.equal(stroke(press("m", { keyCode: 229 })), undefined);
  assert.equal(stroke(press("Process")), undefined);
  assert.equal(stroke(press("k", { ctrlKey: true, keyCode: 229 })), undefined);
});

test("letters belong to the field that somebody types in", () => {
  for (const target of [{ tagName: "INPUT", type: "text" }, { tagName: "INPUT", type: "password" }, { tagName: "TEXTAREA" }, { tagName: "SELECT" }, { tagName: "DIV", isContentEditable: true }]) {
    assert.equal(stroke(press("g", { target })), undefined, target.tagName);
    assert.equal(stroke(press("Escape", { target })), "Escape");
    assert.equal(stroke(press("k", { target, ctrlKey: true })), "Mod+k");
  }
  assert.equal(stroke(press("g", { target: { tagName: "INPUT", type: "checkbox" } })), "g");
});

test("chords need both strokes in time", () => {
  const keyboard = new Keyboard();
  assert.equal(keyboard.press("g", 0, ALL), undefined);
  assert.equal(keyboard.press("o", 500, ALL)?.keys, "g o");
  assert.equal(keyboard.press("o", 600, ALL), undefined, "a chord is over after its second stroke");
  keyboard.press("g", 1_000, ALL);
  assert.equal(keyboard.press("o", 2_300, ALL), undefined, "too late");
  keyboard.press("g", 3_000, ALL);
  assert.equal(keyboard.press("g", 3_100, ALL)?.keys, "g g");
  keyboard.press("g", 4_000, ALL);
  assert.equal(keyboard.press("m", 4_100, ALL)?.keys, "m", "a stroke that ends no chord still means itself");
});

test("the latest binding of a key wins", () => {
  const mine = { keys: "m", label: "mine", run };
  assert.equal(new Keyboard().press("m", 0, [...ALL, mine])?.label, "mine");
});

test("the palette finds by beginnings first", () => {
  assert.ok(score("Chunxi Road", "chu") > score("East Chunxi", "chu"));
  assert.ok(score("East Chunxi", "chu") > score("Chengdu Hub", "chu"));
  assert.equal(score("Chunxi Road", "zz"), 0);
  assert.ok(score("春熙路", "熙") > 0);
});
