// The virtual gate in a real browser against a real demo: by hand, by keyboard, with its plug pulled, in an emergency; then every
// look of it in both languages and both schemes, for people to see: target/screenshots.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, Desk, missing, Server } from "./harness.mjs";

/** A person before a virtual gate. */
class AtGate extends Desk {
  static async at(chromium, server, how) {
    const person = Object.setPrototypeOf(await Desk.open(chromium, server, how), AtGate.prototype);
    await person.page.goto(`${server.url}/gate/`);
    await person.page.locator('#link:text-matches("^(Connected|已连接)$")').waitFor();
    return person;
  }

  /** Taps with what is chosen, and waits until the gate shows this state. */
  async tap(state) {
    await this.keys("t");
    await this.shows(state);
  }

  shows(state) {
    return this.page.locator(`.stage[data-state="${state}"]`).waitFor();
  }

  text(selector) {
    return this.page.locator(selector).textContent();
  }

  /** The newest tap's row, once it says so. */
  row(attributes) {
    return this.page.locator(`tbody tr:first-child${attributes}`).waitFor();
  }

  async station(id) {
    await this.page.locator("#station").selectOption(id);
    // Letters are keys again, not the first letters of stations.
    await this.page.evaluate(() => document.activeElement?.blur());
    await this.page.waitForFunction((wanted) => document.querySelector(".stage-top .id")?.textContent.startsWith(`${wanted}-hand-`), id);
    await this.page.locator('#link:text-is("Connected")').waitFor();
  }
}

test("the virtual gate", { skip: missing() ?? false }, async (t) => {
  const server = await Server.start({}, ["--calm"]);
  const chromium = await browser();
  t.after(async () => {
    await chromium.close();
    await server.stop();
  });
  assert.match(server.said(), /gate +http:\/\/127\.0\.0\.1:\d+\/gate\//, "the demo says where it is");
  const person = await AtGate.at(chromium, server);

  await t.test("a tap opens, the rider goes through, the server has it", async () => {
    await person.tap("open");
    assert.match(await person.text("#because"), /Decided by the server in \d+ ms: OK/);
    await person.keys("g");
    await person.shows("idle");
    assert.equal(await person.text("#says"), "Gone through");
    assert.match(await person.text('label:has(#medium-wallet) small'), /\bin\b/);
  });

  await t.test("the same again: refused, since it is in", async () => {
    await person.page.waitForTimeout(3_100);
    await person.tap("deny");
    assert.match(await person.text("#because"), /ALREADY_IN/);
  });

  await t.test("out at another station: the fare is charged, the balance shown", async () => {
    await person.station("chunxilu");
    await person.keys("x");
    await person.tap("open");
    assert.match(await person.text("#fare"), /¥[2-9]\.00/);
    assert.match(await person.text("#balance"), /¥8\d\.00/);
    await person.keys("g");
    await person.shows("idle");
  });

  await t.test("nobody knows this card; this one is nearly empty", async () => {
    await person.keys("e", "4");
    await person.tap("deny");
    assert.match(await person.text("#because"), /UNKNOWN_MEDIUM/);
    await person.keys("3");
    await person.keys("t");
    await person.page.locator('#because:text-matches("INSUFFICIENT")').waitFor();
  });

  await t.test("plug pulled: decided alone and kept, also over a reload; plugged in: told and acknowledged", async () => {
    await person.keys("1", "p");
    await person.page.locator('#link:text-is("Unplugged")').waitFor();
    await person.tap("open");
    assert.match(await person.text("#because"), /Decided alone/);
    await person.keys("g");
    await person.row('[data-by="gate"][data-sent="no"]');
    assert.equal(await person.page.locator("#station").isDisabled(), true, "the records belong to this gate");
    await person.page.reload();
    await person.row('[data-by="gate"][data-sent="no"]');
    await person.keys("p");
    await person.row('[data-by="gate"][data-sent="kept"]');
    await person.page.locator('#account:text-matches("^All acknowledged")').waitFor();
    // The journey that the gate let begin is known: out, and charged.
    await person.station("tianfuguangchang");
    await person.keys("x");
    await person.tap("open");
    assert.match(await person.text("#fare"), /¥[2-9]\.00/);
    await person.keys("b");
    await person.shows("idle");
    assert.equal(await person.text("#says"), "Turned back");
  });

  await t.test("an emergency opens it, and it says that it has heard", async () => {
    await person.station("luomashi");
    server.cli("station", "emergency", "luomashi");
    await person.shows("free");
    assert.match(await person.text("#mode"), /Emergency/);
    await person.page.locator("h2#says", { hasText: "Please go through" }).waitFor();
    const device = await person.text(".stage-top .id");
    await server.until(() => {
      const gates = JSON.parse(server.ask("gate", "list", "--station", "luomashi", "--json"));
      const mine = gates.find((gate) => gate.device === device);
      return mine.mode > 0 && mine.mode === mine.mode_wanted;
    }, "the gate has acknowledged");
    // Alone it opens for whoever comes, too.
    await person.keys("p", "4");
    await person.tap("open");
    assert.match(await person.text("#because"), /stands open/);
    await person.keys("g", "p");
    await person.row('[data-by="gate"][data-sent="kept"]');
    server.cliBy("operator", "station", "release", "luomashi", "--approved-by", "manager");
    await person.shows("idle");
    assert.doesNotMatch(await person.text("#mode"), /Emergency/);
  });

  await t.test("two pages are two gates; a station whose gates are all out says so", async () => {
    await person.station("tianfuguangchang");
    const second = await AtGate.at(chromium, server);
    assert.notEqual(await second.text(".stage-top .id"), await person.text(".stage-top .id"));
    const third = await AtGate.at(chromium, server);
    assert.doesNotMatch(await third.text(".stage-top .id"), /^tianfuguangchang/);
    assert.match(await third.page.locator('#station option[value="tianfuguangchang"]').textContent(), /all taken/);
    for (const page of [second, third]) {
      await page.quiet();
      await page.close();
    }
  });

  await person.quiet();
  await person.close();

  for (const language of ["en", "zh-CN"]) {
    for (const scheme of ["light", "dark"]) {
      await t.test(`looks: ${language}, ${scheme}`, async () => {
        for (const [view, width, height] of [["desk", 1440, 900], ["phone", 360, 740]]) {
          const visitor = await AtGate.at(chromium, server, { language, scheme, width, height });
          const places = () =>
            visitor.page.evaluate(() => [".scene", ".says", ".money", ".acts-of-gate", ".controls", "#plug", ".records"].map((part) => document.querySelector(part).getBoundingClientRect().top + scrollY));
          const before = await places();
          const look = async (name) => {
            await visitor.shot(`gate-${name}-${view}-${language}-${scheme}`);
            assert.deepEqual(await visitor.accessibility(), [], name);
            assert.deepEqual(await places(), before, `${name}: nothing moves but the gate`);
            const beyond = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(beyond <= 0, `${name} is ${beyond} px wider than its window`);
          };
          await look("ready");
          await visitor.tap("open");
          await look("open");
          await visitor.keys("g", "4");
          await visitor.tap("deny");
          await look("refused");
          await visitor.keys("p", "1", "x");
          await visitor.tap("open");
          await look("alone");
          await visitor.keys("p");
          await visitor.row('[data-by="gate"][data-sent="kept"]');
          await visitor.quiet();
          await visitor.close();
        }
      });
    }
  }
});
