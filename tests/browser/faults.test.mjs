// What goes wrong while somebody works: the line, the server, the session, the rights, another person who was quicker.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, Desk, missing, Server } from "./harness.mjs";

const STATION = "/gates/chunxilu";
const emergency = (desk) => desk.page.getByRole("button", { name: "Hold for emergency" });

test("faults", { skip: missing() ?? false }, async (t) => {
  const server = await Server.start();
  const chromium = await browser();
  t.after(async () => {
    await chromium.close();
    await server.stop();
  });
  const speechless = await server.speechless();
  if (speechless) return t.skip(speechless);
  const people = {};
  for (const [user, roles] of [["wang", ["gate_operator"]], ["li", ["gate_operator", "manager"]], ["zhou", ["gate_operator", "manager"]]]) people[user] = await server.person(user, roles);

  await t.test("a cut socket: controls are dead until it is back, nothing is lost", async () => {
    const desk = await Desk.open(chromium, server);
    await desk.signIn(people.wang, STATION);
    await desk.live();
    await emergency(desk).waitFor();
    const sockets = await desk.sockets();
    await desk.page.evaluate(() => {
      globalThis.__dead = [];
      new MutationObserver(() => globalThis.__dead.push(document.querySelector('.button[data-look="alarm"]')?.getAttribute("aria-disabled"))).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["aria-disabled"] });
    });
    await desk.cut();
    await desk.page.waitForFunction((before) => globalThis.__sockets.length > before, sockets);
    await desk.live();
    await desk.page.waitForFunction(() => document.querySelector('.button[data-look="alarm"]')?.getAttribute("aria-disabled") === null);
    assert.ok((await desk.page.evaluate(() => globalThis.__dead)).includes("true"), "the control was dead in between");
    await desk.quiet();
    await desk.close();
  });

  await t.test("a mistyped address says that nothing is there and costs nobody the connection", async () => {
    const desk = await Desk.open(chromium, server);
    await desk.signIn(people.wang, "/gates/no%20such%20station");
    await desk.sees("There is nothing here");
    await desk.live();
    await desk.page.goto(`${server.url}/gates/chunxilu?wall`);
    await desk.sees("Chunxi Road");
    assert.equal(await desk.page.locator("nav.rail").count(), 1, "only what has a shape for the wall loses its frame");
    await desk.quiet();
    await desk.close();
  });

  for (const [what, stations] of [["a city without stations", () => []], ["a city on its worst day", (all) => all.map((row) => ({ ...row, modes: ["emergency", "fare_waived"], alarms: 99, online: 0, name: { en: "Provincial People's Hospital and University of Medicine, North Exit", "zh-CN": "省人民医院与中医药大学北出口换乘枢纽" } }))]]) {
    await t.test(`${what} is shown as it is, within the window`, async () => {
      const desk = await Desk.open(chromium, server);
      await desk.page.routeWebSocket(/\/ws$/, (socket) => {
        const line = socket.connectToServer();
        const mended = (frame) => {
          if (frame.t === "batch") frame.items = frame.items.map(mended).filter(Boolean);
          if (frame.t === "state") return undefined;
          if (frame.ch !== "overview:all" || !frame.snapshot) return frame;
          const { money } = frame.snapshot;
          return { ...frame, snapshot: { ...frame.snapshot, stations: stations(frame.snapshot.stations), money: { ...money, posted: { ...money.posted, amount: "123456789012.34" } } } };
        };
        line.onMessage((text) => {
          const frame = mended(JSON.parse(text));
          if (frame) socket.send(JSON.stringify(frame));
        });
      });
      await desk.signIn(people.wang);
      for (const [path, width, height] of [["/", 1440, 900], ["/?wall", 1920, 1080], ["/gates", 360, 740]]) {
        await desk.page.setViewportSize({ width, height });
        await desk.page.goto(server.url + path);
        await desk.page.locator("a.stop text, .map-part .empty, .wall-map .empty, .gates-map .empty").first().waitFor();
        assert.ok(await desk.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} keeps within its window`);
      }
      await desk.quiet();
      await desk.close();
    });
  }

  await t.test("a killed server: stale is said, then the board is fresh and the command was done once", async () => {
    const desk = await Desk.open(chromium, server);
    await desk.signIn(people.wang, STATION);
    await desk.live();
    await emergency(desk).waitFor();
    await desk.tabTo(/^Hold for emergency/);
    await desk.hold();
    await server.kill("SIGKILL");
    await desk.sees(/The connection is gone/);
    assert.equal(await desk.page.locator("#main .button:not([aria-disabled])").evaluateAll((buttons) => buttons.filter((button) => /emergency|mode|service/i.test(button.textContent)).length), 0);
    await desk.page.locator(".is-stale").first().waitFor();
    await server.run();
    await again(desk, people.wang);
    await desk.page.locator(".stale").waitFor({ state: "detached" });
    await desk.page.locator(".is-stale").waitFor({ state: "detached" });
    await desk.page.locator('.page-head .mark[data-tone="alarm"]').waitFor();
    const now = Date.now();
    const { items } = (await server.command("audit.search", { from: new Date(now - 600_000).toISOString(), to: new Date(now + 600_000).toISOString(), by: "wang", op: "station" })).result;
    const ids = items.map((item) => item.command_id);
    assert.equal(new Set(ids).size, ids.length, "no command was done twice");
    await desk.quiet();
    await desk.close();
  });

  await t.test("two approvers: one is first, the other is told so, the release happens once", async () => {
    const asks = await Desk.open(chromium, server);
    await asks.signIn(people.wang, STATION);
    await asks.tabTo(/^End the emergency/);
    await asks.keys("Enter");
    await asks.page.getByRole("dialog").waitFor();
    await asks.tabTo(/^Reason/);
    await asks.page.keyboard.type("all clear");
    await asks.keys("Enter");
    const approvers = [];
    for (const user of ["li", "zhou"]) {
      const desk = await Desk.open(chromium, server);
      await desk.signIn(people[user], STATION);
      await desk.tabTo(/^Hold to approve/);
      approvers.push(desk);
    }
    await Promise.all(approvers.map((desk) => desk.hold()));
    await asks.page.locator('.page-head .mark[data-tone="alarm"]').waitFor({ state: "detached" });
    const refused = await Promise.all(approvers.map((desk) => desk.page.locator('.toast[data-tone="alarm"]').count()));
    assert.ok(refused.reduce((sum, count) => sum + count, 0) <= 1, "at most one was too late");
    for (const desk of [asks, ...approvers]) {
      await desk.quiet();
      await desk.close();
    }
  });

  await t.test("a role that is taken away closes its controls while the page is open", async () => {
    const desk = await Desk.open(chromium, server);
    await desk.signIn(people.li, STATION);
    await emergency(desk).waitFor();
    assert.ok((await server.command("user.roles", { user: "li", roles: ["auditor"], scope: "all" })).ok);
    await emergency(desk).waitFor({ state: "detached" });
    await desk.quiet();
    await desk.close();
  });

  await t.test("an expired session asks for the password and goes on where it was", async () => {
    const desk = await Desk.open(chromium, server);
    await desk.signIn(people.zhou, STATION);
    await desk.live();
    assert.ok((await server.command("user.end_sessions", { user: "zhou" })).ok);
    await desk.sees("Your session has ended. Sign in to go on where you were.");
    assert.equal(await desk.page.getByText("Chunxi Road").count(), 0, "nothing of before is left in the page");
    await desk.page.keyboard.type("zhou");
    await desk.keys("Tab");
    await desk.page.keyboard.type(people.zhou.password);
    await desk.keys("Enter");
    await desk.sees("Chunxi Road");
    assert.equal(new URL(desk.page.url()).pathname, STATION);
    await desk.quiet();
    await desk.close();
  });
});

/** Sessions may or may not live through a restart: whoever is asked signs in again. */
async function again(desk, { user, password }) {
  const field = desk.page.locator('input[name="user"]');
  await Promise.race([field.waitFor(), desk.live()]);
  if ((await field.count()) === 0) return;
  await field.focus();
  await desk.page.keyboard.type(user);
  await desk.keys("Tab");
  await desk.page.keyboard.type(password);
  await desk.keys("Enter");
  await desk.page.locator("#main").waitFor();
}
