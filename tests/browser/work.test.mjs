// The main work of the service desk, devices, alarms, audit and administration, by keyboard alone.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, Desk, missing, Server } from "./harness.mjs";

test("the other pages by keyboard alone", { skip: missing() ?? false }, async (t) => {
  // So little that a search of the audit takes several pieces.
  const server = await Server.start({ TONGDAO__CONSOLE__AUDIT_EVENTS_MAX: "200" });
  const chromium = await browser();
  t.after(async () => {
    await chromium.close();
    await server.stop();
  });
  const speechless = await server.speechless();
  if (speechless) return t.skip(speechless);
  const li = await server.person("li", ["gate_operator", "manager"]);
  const admin = await Desk.open(chromium, server);
  await admin.signIn(server.admin);
  const desk = await Desk.open(chromium, server);
  await desk.signIn(li);

  await t.test("desk: a frozen account is found and unfrozen, a missing entry is added", async () => {
    server.account("desk-1", "desk-token-1");
    server.cli("account", "freeze", "desk-1");
    await desk.keys("g", "d");
    await desk.page.locator("form.find input").waitFor();
    await desk.page.waitForFunction(() => document.activeElement?.matches("form.find input"));
    await desk.page.keyboard.type("no-such-token-at-all");
    await desk.keys("Enter");
    await desk.page.getByRole("alert").waitFor();
    await desk.keys("Control+a");
    await desk.page.keyboard.type("desk-token-1");
    await desk.keys("Enter");
    await desk.sees("Frozen");
    assert.ok(!desk.page.url().includes("desk-token"), "nothing of a customer stands in the address");
    await desk.tabTo(/^Unfreeze/);
    await desk.keys("Enter");
    await desk.page.getByRole("dialog").waitFor();
    await desk.page.keyboard.type("looked into it");
    await desk.tabTo(/^Hold to unfreeze/);
    await desk.hold();
    await desk.sees("The account is in order again.");
    await desk.tabTo(/^Add an entry/);
    await desk.keys("Enter");
    await desk.page.getByRole("dialog").waitFor();
    await desk.tabTo(/^Reason/);
    await desk.page.keyboard.type("gate stood open");
    await desk.tabTo(/^Hold to adjust/);
    await desk.hold();
    await desk.sees(/^Adjusted\. Charged/);
    await desk.sees(/^In at /);
  });

  await t.test("audit: what the desk did stands there, can be searched, and the chain is whole", async () => {
    await admin.keys("g", "u");
    await admin.page.locator("form.search").waitFor();
    await admin.tabTo(/^User/);
    await admin.page.keyboard.type("li");
    await admin.keys("Enter");
    await admin.page.waitForURL("**/audit?*by=li*");
    await admin.page.getByRole("button", { name: "Search further back" }).waitFor();
    await admin.tabTo(/^Search further back/);
    // The focus stays where it is from piece to piece.
    for (let pieces = 0; pieces < 500 && (await admin.page.getByText("gate stood open").count()) === 0; pieces += 1) {
      assert.match(await admin.focused(), /^(Search further back|The whole time is searched)/);
      await admin.keys("Enter");
      await admin.page.locator('button[aria-busy="true"]').waitFor({ state: "detached" });
    }
    await admin.sees("gate stood open");
    await admin.tabTo(/^Verify the chain/);
    await admin.keys("Enter");
    await admin.sees(/^Unbroken/);
  });

  await t.test("devices: one is added, its secret shown once; it is revoked", async () => {
    await admin.keys("g", "v");
    await admin.page.getByRole("button", { name: "Add a device" }).waitFor();
    await admin.keys("n");
    await admin.page.getByRole("dialog").waitFor();
    await admin.page.keyboard.type("browser-gate-1");
    await admin.tabTo(/^Site/);
    await admin.keys("Control+a");
    await admin.page.keyboard.type("cd");
    await admin.keys("Enter");
    await admin.page.locator("output.secret").waitFor();
    assert.ok((await admin.page.locator("output.secret").textContent()).length >= 12);
    await admin.tabTo(/^I have kept it/);
    await admin.keys("Enter");
    await admin.page.locator("output.secret").waitFor({ state: "detached" });
    await admin.page.waitForURL("**/devices/browser-gate-1");
  });

  await t.test("devices: an order lives its life before one's eyes", async () => {
    await admin.page.goto(`${server.url}/devices/tianfuguangchang-1`);
    await admin.page.getByRole("button", { name: "Give an order" }).waitFor();
    await admin.live();
    await admin.keys("o");
    await admin.page.getByRole("dialog").waitFor();
    await admin.tabTo(/^Reason/);
    await admin.page.keyboard.type("weekly");
    await admin.keys("Enter");
    await admin.page.getByRole("dialog").waitFor({ state: "detached" });
    await admin.page.locator('td:has-text("Restart")').first().waitFor();
    await admin.page.locator('.mark:has-text("Sent"), .mark:has-text("Done"), .mark:has-text("Waiting for the device")').first().waitFor();
  });

  await t.test("alarms: one is taken and put off", async () => {
    await server.command("device.revoke", { device: "xipu-1", reason: "browser tests" });
    await desk.keys("g", "a");
    const take = desk.page.locator('button:has-text("Take")');
    await take.first().waitFor({ timeout: 120_000 });
    await desk.page.locator("tbody tr").first().focus();
    await desk.keys("a");
    await desk.sees("li has it");
    await desk.page.locator('tr:has-text("li has it")').first().focus();
    await desk.keys("z");
    await desk.page.getByRole("dialog").waitFor();
    await desk.tabTo(/^Snooze/);
    await desk.keys("Enter");
    await desk.sees(/^Snoozed until/);
  });

  await t.test("administration: a person is added with a password shown once, changed, disabled", async () => {
    await admin.keys("g", "m");
    await admin.page.locator('tbody tr:has-text("admin")').first().waitFor();
    await admin.keys("n");
    await admin.page.getByRole("dialog").waitFor();
    await admin.page.keyboard.type("zhang");
    await admin.tabTo(/^Technician/);
    await admin.keys("Space");
    await admin.tabTo(/^Reason/);
    await admin.page.keyboard.type("new colleague");
    await admin.keys("Enter");
    await admin.page.locator("output.secret").waitFor();
    const password = await admin.page.locator("output.secret").textContent();
    await admin.tabTo(/^I have kept it/);
    await admin.keys("Enter");
    const row = admin.page.locator('tbody tr:has-text("zhang")');
    await row.waitFor();
    const zhang = await Desk.open(chromium, server);
    await zhang.signIn({ user: "zhang", password });
    assert.equal(await zhang.page.locator('nav.rail a[href="/admin"]').count(), 0, "no entry for what one may not open");
    await admin.page.reload();
    await row.waitFor();
    await row.locator("button", { hasText: "Disable" }).focus();
    await admin.keys("Enter");
    await admin.page.getByRole("dialog").waitFor();
    await admin.tabTo(/^Hold to disable/);
    await admin.hold();
    await admin.sees("zhang is disabled.");
    await zhang.page.locator('input[name="user"]').waitFor();
    await zhang.quiet();
    await zhang.close();
  });

  await t.test("administration: who was slower is told so and sees what stands there now", async () => {
    await admin.page.locator('tbody tr:has-text("supervisor-a") button', { hasText: "Change" }).focus();
    await admin.keys("Enter");
    await admin.page.getByRole("dialog").waitFor();
    assert.ok((await server.command("user.roles", { user: "supervisor-a", roles: ["supervisor", "auditor"], scope: "all" })).ok);
    await admin.tabTo(/^Technician/);
    await admin.keys("Space");
    await admin.tabTo(/^Save/);
    await admin.keys("Enter");
    await admin.sees(/^Somebody was faster/);
    await admin.page.getByRole("dialog").waitFor({ state: "detached" });
    await admin.page.locator('tbody tr:has-text("supervisor-a"):has-text("Auditor")').waitFor();
  });

  await t.test("administration: a token of one's own is made, shown once, works, and works no more", async () => {
    const mine = admin.page.locator('tbody tr:has-text("you") button', { hasText: /token/ });
    const let_in = async (/** @type {string} */ value) => (await fetch(`${server.url}/api/v1/me`, { headers: { authorization: `Bearer ${value}` } })).status;
    await mine.focus();
    await admin.keys("Enter");
    await admin.page.getByRole("dialog").waitFor();
    await admin.tabTo(/^What it is for/);
    await admin.page.keyboard.type("a wall");
    await admin.keys("Enter");
    await admin.page.locator("output.secret").waitFor();
    const value = await admin.page.locator("output.secret").textContent();
    assert.equal(await let_in(value), 200);
    await admin.tabTo(/^I have kept it/);
    await admin.keys("Enter");
    await admin.page.locator('tbody tr:has-text("you")').getByText("1 token").waitFor();
    await mine.focus();
    await admin.keys("Enter");
    await admin.sees("a wall");
    assert.deepEqual(await admin.accessibility(), []);
    await admin.tabTo(/^Hold to revoke/);
    await admin.hold();
    await admin.sees("No token is good now.");
    assert.equal(await let_in(value), 401);
    await admin.keys("Escape");
  });

  for (const person of [admin, desk]) {
    await person.quiet();
    await person.close();
  }
});
