// Every page in both languages and both schemes, on a desk, a phone and a wall: it is there, it obeys WCAG 2.2 AA and the content
// security policy, the browser complains about nothing. The screenshots are for people to look at: target/screenshots.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, Desk, missing, Server } from "./harness.mjs";

/** Pages beside those of the navigation: name and address. */
const MORE = [["wall", "/?wall"], ["station", "/gates/tianfuguangchang"], ["device", "/devices/tianfuguangchang-1"], ["none", "/no/such/page"]];
/** Pages of people at a station, which an administrator does not have. */
const STAFF = [["desk", "/desk"], ["doubtful", "/doubtful"]];
const VIEWS = [["desk", 1440, 900], ["phone", 360, 740]];

test("pages", { skip: missing() ?? false }, async (t) => {
  const server = await Server.start();
  const chromium = await browser();
  t.after(async () => {
    await chromium.close();
    await server.stop();
  });
  const staff = await server.person("li", ["gate_operator", "manager"]);
  for (const language of ["en", "zh-CN"]) {
    for (const scheme of ["light", "dark"]) {
      await t.test(`${language}, ${scheme}`, async (t2) => {
        const desk = await Desk.open(chromium, server, { language, scheme });
        t2.after(() => desk.close());
        await desk.page.goto(server.url);
        await desk.page.locator('input[name="user"]').waitFor();
        await look(desk, `signin-${language}-${scheme}`);
        await desk.signIn(server.admin);
        const nav = await desk.page.locator("nav.rail li a").evaluateAll((links) => links.map((link) => new URL(link.href).pathname));
        const all = [...nav.map((path) => [path.slice(1).replaceAll("/", "-") || "overview", path]), ...MORE];
        for (const [name, path] of all) await visit(t2, desk, `${language}-${scheme}`, name, path);
        await desk.quiet();
        const counter = await Desk.open(chromium, server, { language, scheme });
        t2.after(() => counter.close());
        await counter.signIn(staff);
        for (const [name, path] of STAFF) await visit(t2, counter, `${language}-${scheme}`, name, path);
        await counter.quiet();
      });
    }
  }
  await t.test("a page that cannot be fetched says so, and comes when it can be", async () => {
    const desk = await Desk.open(chromium, server);
    await desk.signIn(staff);
    await desk.page.route("**/pages/doubtful.js", (route) => route.abort());
    await desk.page.goto(`${server.url}/doubtful`);
    await desk.page.getByText("This page has a fault").waitFor();
    await desk.page.unroute("**/pages/doubtful.js");
    await desk.page.getByRole("button", { name: "Try again" }).press("Enter");
    await desk.page.getByRole("heading", { level: 1 }).waitFor();
    await desk.close();
  });
});

/** Goes to a page in every view and looks at it. */
async function visit(t, desk, looks, name, path) {
  for (const [view, width, height] of name === "wall" ? [["wall", 1920, 1080]] : VIEWS) {
    await t.test(`${name}, ${view}`, async () => {
      await desk.page.setViewportSize({ width, height });
      await desk.page.goto(desk.server.url + path);
      await desk.page.locator("h1, .empty b").first().waitFor();
      await desk.page.locator(".skeleton").first().waitFor({ state: "detached" });
      await look(desk, `${name}-${view}-${looks}`);
      if (view === "wall") assert.ok(await desk.page.evaluate(() => document.documentElement.scrollHeight <= innerHeight), "nobody scrolls a wall");
    });
  }
}

/** Looks at the page as it is. */
async function look(desk, name) {
  await desk.shot(name);
  assert.deepEqual(await desk.accessibility(), [], name);
  const beyond = await desk.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(beyond <= 0, `${name} is ${beyond} px wider than its window`);
  await desk.quiet();
}
