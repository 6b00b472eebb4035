// The main work of the pages of overview and gates, by keyboard alone. Nothing here touches a mouse.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, Desk, missing, Server } from "./harness.mjs";

test("by keyboard alone", { skip: missing() ?? false }, async (t) => {
  const server = await Server.start();
  const chromium = await browser();
  t.after(async () => {
    await chromium.close();
    await server.stop();
  });
  const speechless = await server.speechless();
  if (speechless) return t.skip(speechless);
  const wang = await server.person("wang", ["gate_operator"]);
  const li = await server.person("li", ["gate_operator", "manager"]);
  const desk = await Desk.open(chromium, server);
  await desk.signIn(wang);
  await desk.live();

  await t.test("the wallboard and back", async () => {
    await desk.keys("w");
    await desk.page.locator(".wall").waitFor();
    await desk.keys("Escape");
    await desk.page.locator("nav.rail").waitFor();
  });

  await t.test("the sheet of keys, and what it does while it is open", async () => {
    await desk.keys("?");
    await desk.page.getByRole("dialog").waitFor();
    await desk.keys("g", "g");
    assert.equal(new URL(desk.page.url()).pathname, "/", "keys behind a dialog are dead");
    await desk.keys("Escape");
    await desk.page.getByRole("dialog").waitFor({ state: "detached" });
  });

  await t.test("a station is found by a part of its name", async () => {
    await desk.keys("g", "g");
    await desk.page.locator(".gates-list tbody tr").first().waitFor();
    await desk.keys("f");
    await desk.page.keyboard.type("Chunxi");
    await desk.page.waitForFunction(() => document.querySelectorAll(".gates-list tbody tr").length === 1);
    await desk.tabTo(/Chunxi Road/);
    await desk.keys("Enter");
    await desk.page.waitForURL("**/gates/chunxilu");
  });

  await t.test("a station is found in the palette, in the other language's letters too", async () => {
    await desk.keys("g", "g");
    await desk.page.locator(".gates-list tbody tr").first().waitFor();
    await desk.keys("Control+k");
    await desk.page.keyboard.type("春熙");
    await desk.page.getByRole("option").first().waitFor();
    await desk.keys("Enter");
    await desk.page.waitForURL("**/gates/chunxilu");
  });

  await t.test("a mode is changed with its reason, by a hold, and the gates acknowledge", async () => {
    await desk.live();
    await desk.page.getByRole("button", { name: "Change mode" }).waitFor();
    await desk.keys("m");
    await desk.page.getByRole("dialog").waitFor();
    await desk.tabTo(/^Order waived/);
    await desk.keys("Space");
    await desk.tabTo(/^Hold to set/);
    await desk.keys("Enter");
    await desk.page.waitForTimeout(1_200);
    assert.equal(await desk.page.getByRole("dialog").count(), 1, "a tap on the key is no hold");
    await desk.hold();
    await desk.sees("Say why: it stands in the audit.");
    await desk.tabTo(/^Reason/);
    await desk.page.keyboard.type("crowd after the match");
    await desk.tabTo(/^Hold to set/);
    await desk.hold();
    await desk.page.getByRole("dialog").waitFor({ state: "detached" });
    await desk.sees(/\d acknowledged|have acknowledged/);
    await desk.sees("crowd after the match");
    await desk.page.locator('.page-head .mark:has-text("Order waived")').waitFor();
  });

  await t.test("chosen gates change their service", async () => {
    await desk.tabTo(/^chunxilu-1/);
    await desk.keys("Space");
    await desk.sees(/^1 of \d+ chosen/);
    await desk.keys("s");
    await desk.page.getByRole("dialog").waitFor();
    await desk.tabTo(/^Both ways/);
    await desk.keys("ArrowUp");
    await desk.tabTo(/^Reason/);
    await desk.page.keyboard.type("cleaning");
    await desk.tabTo(/^Hold to set/);
    await desk.hold();
    await desk.page.getByRole("dialog").waitFor({ state: "detached" });
    await desk.page.locator('tbody tr:has-text("chunxilu-1") .mark:has-text("Maintenance")').first().waitFor();
  });

  await t.test("an emergency takes one hold; its end takes two persons", async () => {
    await desk.tabTo(/^Hold for emergency/);
    await desk.hold();
    await desk.page.locator('.page-head .mark[data-tone="alarm"]').waitFor();
    await desk.sees(/acknowledged/);
    await desk.tabTo(/^End the emergency/);
    await desk.keys("Enter");
    await desk.page.getByRole("dialog").waitFor();
    await desk.tabTo(/^Reason/);
    await desk.page.keyboard.type("all clear");
    await desk.keys("Enter");
    await desk.sees("Another person has to approve this.");
    assert.equal(await desk.page.getByText("Hold to approve").count(), 0, "nobody approves what they asked for");
    const second = await Desk.open(chromium, server);
    await second.signIn(li, "/gates/chunxilu");
    await second.sees(/wang asks: end the emergency/);
    await second.tabTo(/^Hold to approve/);
    await second.hold();
    for (const person of [desk, second]) await person.page.locator('.page-head .mark[data-tone="alarm"]').waitFor({ state: "detached" });
    await second.quiet();
    await second.close();
  });

  await t.test("the network is walked with arrows", async () => {
    await desk.keys("g", "g");
    await desk.page.locator("a.stop").first().waitFor();
    await desk.page.locator('a.stop[data-station="tianfuguangchang"]').focus();
    await desk.keys("ArrowRight");
    const at = await desk.page.evaluate(() => document.activeElement?.getAttribute("data-station"));
    assert.notEqual(at, "tianfuguangchang");
    await desk.keys("Enter");
    await desk.page.waitForURL(`**/gates/${at}`);
  });

  await t.test("the page is locked and opened again", async () => {
    await desk.keys("Control+k");
    await desk.keys("Escape");
    await desk.tabTo(/settings and sign-out/);
    await desk.keys("Enter");
    await desk.tabTo(/^Lock this page/);
    await desk.keys("Enter");
    await desk.sees("Locked");
    assert.equal(await desk.page.locator("main").count(), 0, "nothing of the city is left in the page");
    await desk.page.keyboard.type("wrong");
    await desk.keys("Enter");
    await desk.page.getByRole("alert").waitFor();
    await desk.tabTo(/^Password/);
    await desk.page.keyboard.type(wang.password);
    await desk.keys("Enter");
    await desk.page.locator("#main").waitFor();
  });
  await desk.quiet();
});
