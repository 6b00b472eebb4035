// What the browser tests share: a real server with its demo city, real Chromium, people with roles, and eyes for every word that
// the browser complains about. The server comes from TONGDAO_BIN; browser and tools are installed by tests/run.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const require = createRequire(join(process.env.TONGDAO_TEST_TOOLS ?? join(ROOT, "target/test-tools"), "x.js"));
const CHROMIUM = process.env.TONGDAO_CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const BIN = process.env.TONGDAO_BIN && resolve(process.env.TONGDAO_BIN);
export const SHOTS = join(ROOT, process.env.TONGDAO_CHROMIUM ? "target/screenshots-old" : "target/screenshots");
/** A little longer than ui/button.js wants. */
const HOLD_MS = 2_500;
const PATIENCE_MS = 45_000;

/** Why nothing can be tested here, or undefined. */
export function missing() {
  if (!BIN) return "TONGDAO_BIN names no server";
  if (!CHROMIUM) return "chromium is not installed";
  try {
    require.resolve("playwright-core");
    require.resolve("axe-core");
  } catch {
    return "playwright-core and axe-core are not installed";
  }
  return undefined;
}

/** A free loopback port. */
const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** The demo's server with its city in motion; can be killed and started again on the same data and address. */
export class Server {
  /** @param {Record<string, string>} [settings] further settings as environment @param {string[]} [args] further words for `demo` */
  static async start(settings = {}, args = []) {
    const server = new Server();
    server.dir = mkdtempSync(join(tmpdir(), "tongdao-browser-"));
    server.port = await freePort();
    server.mqtt = await freePort();
    server.settings = settings;
    server.args = args;
    await server.run();
    return server;
  }

  async run() {
    const env = { ...process.env, TONGDAO__LISTEN__HTTP: `127.0.0.1:${this.port}`, TONGDAO__LISTEN__MQTT: `127.0.0.1:${this.mqtt}`, ...this.settings };
    this.process = spawn(BIN, ["demo", "--data-dir", this.dir, "--speed", "10", ...this.args], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    let said = "";
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (bytes) => (said = (said + bytes).slice(-20_000)));
    this.said = () => said;
    await this.until(async () => (await fetch(`${this.url}/readyz`)).ok, "the server is ready");
    this.admin = await this.until(() => signInOf(said), "the demo says its sign-ins");
    this.cookie = undefined;
  }

  /** Why the work of a page cannot be tried on this server: it answers no operation at all; undefined where it does. */
  async speechless() {
    const answer = await this.command("user.end_sessions", { user: "nobody-of-this-name" });
    return answer.code === "UNKNOWN_OP" ? "this server does not know the operations of the console" : undefined;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Tries until it holds. */
  async until(probe, what) {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const held = await Promise.resolve().then(probe).catch(() => undefined);
      if (held) return held;
      assert.ok(Date.now() < end, `never: ${what}\n${this.said()}`);
      assert.equal(this.process.exitCode, null, `the server has ended\n${this.said()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async kill(signal = "SIGKILL") {
    this.process.kill(signal);
    await this.ended;
  }

  async stop() {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A command of the administrator over HTTP. */
  async command(op, args) {
    this.cookie ??= await this.signIn(this.admin);
    const body = { command_id: `test/${Math.random().toString(36).slice(2)}`, op, args, ttl_ms: 10_000 };
    const response = await fetch(`${this.url}/api/v1/commands`, { method: "POST", headers: { "content-type": "application/json", origin: this.url, cookie: this.cookie }, body: JSON.stringify(body) });
    return response.json();
  }

  async signIn({ user, password }) {
    const response = await fetch(`${this.url}/api/v1/login`, { method: "POST", headers: { "content-type": "application/json", origin: this.url }, body: JSON.stringify({ user, password }) });
    assert.equal(response.status, 200, `${user} signs in`);
    return response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
  }

  /** An operation of the command line, over the server's admin socket. */
  cli(...args) {
    this.cliBy("test", ...args);
  }

  cliBy(user, ...args) {
    execFileSync(BIN, [...args, "--data-dir", this.dir, "--by", user, "--reason", "browser tests"], { stdio: "pipe" });
  }

  /** What the command line answers to a question. */
  ask(...args) {
    return execFileSync(BIN, [...args, "--data-dir", this.dir], { encoding: "utf8" });
  }

  /** An account with one medium of this token. */
  account(id, token) {
    const file = join(this.dir, `${id}.csv`);
    writeFileSync(file, `account_id,class,passenger_class,balance,medium_kind,medium_token\n${id},4,adult,50.00,card,${token}\n`);
    this.cli("account", "import", file);
  }

  /** A person with roles, everywhere. */
  async person(user, roles) {
    const answer = await this.command("user.add", { user, roles, scope: "all" });
    assert.ok(answer.ok, `${user}: ${JSON.stringify(answer)}`);
    return { user, password: answer.result.password };
  }
}

/** The administrator's sign-in in what the demo prints: `admin … password` in one line. */
function signInOf(said) {
  const line = said.split("\n").find((text) => /\badmin\b/.test(text) && /\S+\s*$/.test(text) && !/http/.test(text));
  const words = line?.trim().split(/[\s:/,]+/).filter(Boolean);
  return words && words.length >= 2 ? { user: "admin", password: words.at(-1) } : undefined;
}

/** Chromium. */
export const browser = () => require("playwright-core").chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"] });

/** Complaints that belong to a server that is down or a person that is not signed in, not to the page. */
const EXPECTED = [...(process.env.TONGDAO_CHROMIUM ? [/preloaded using link preload/] : []), /\/api\/v1\/(me|login|unlock|logout)/, /status of 401/, /status of 423/, /WebSocket connection to/, /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_NETWORK_CHANGED|ERR_INCOMPLETE/];

/** A person at a desk: a page with its own cookies. */
export class Desk {
  /** @param {any} chromium @param {Server} server @param {{language?: string, scheme?: "light"|"dark", width?: number, height?: number}} [how] */
  static async open(chromium, server, { language = "en", scheme = "light", width = 1440, height = 900 } = {}) {
    const desk = new Desk();
    desk.server = server;
    desk.complaints = [];
    desk.context = await chromium.newContext({ viewport: { width, height }, colorScheme: scheme, locale: language, reducedMotion: "reduce" });
    desk.page = await desk.context.newPage();
    desk.page.setDefaultTimeout(PATIENCE_MS);
    await desk.page.addInitScript(watch, language);
    desk.page.on("pageerror", (error) => desk.complaints.push(`fault: ${error.stack}`));
    desk.page.on("console", (message) => ["error", "warning"].includes(message.type()) && desk.complain(`${message.text()} ${message.location().url}`));
    return desk;
  }

  complain(text) {
    if (!EXPECTED.some((expected) => expected.test(text))) this.complaints.push(text);
  }

  /** Signs in by keyboard, as a person does. */
  async signIn({ user, password }, path = "/") {
    await this.page.goto(this.server.url + path);
    await this.page.locator('input[name="user"]:focus').waitFor();
    await this.page.keyboard.type(user);
    await this.keys("Tab");
    await this.page.keyboard.type(password);
    await this.keys("Enter");
    await this.page.locator("#main, .wall").first().waitFor();
  }

  async keys(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Holds a key down on what has the focus. */
  async hold(key = "Enter") {
    await this.page.keyboard.down(key);
    await this.page.waitForTimeout(HOLD_MS);
    await this.page.keyboard.up(key);
  }

  /** Moves the focus with Tab until it stands on something with this name. */
  async tabTo(name) {
    for (let i = 0; i < 80; i += 1) {
      if (name.test((await this.focused()) ?? "")) return;
      await this.keys("Tab");
    }
    assert.fail(`Tab never comes to ${name}; now on ${await this.focused()}`);
  }

  focused() {
    return this.page.evaluate(() => {
      const at = document.activeElement === document.body ? null : document.activeElement;
      const label = at?.id && document.querySelector(`label[for="${CSS.escape(at.id)}"]`)?.textContent;
      return (at?.getAttribute("aria-label") || label || at?.closest("label")?.textContent || at?.textContent || "").trim().slice(0, 200);
    });
  }

  /** Waits until a text is there. */
  async sees(text) {
    await this.page.getByText(text).first().waitFor();
  }

  async live() {
    await this.page.locator('.link-state .dot[data-tone="good"]').waitFor();
  }

  /** Breaks the connection under the page's feet. */
  cut() {
    return this.page.evaluate(() => globalThis.__sockets.at(-1)?.close());
  }

  /** Sockets that were opened so far. */
  sockets() {
    return this.page.evaluate(() => globalThis.__sockets.length);
  }

  /** Rules of WCAG 2.2 AA that the page breaks, in words. */
  async accessibility() {
    await this.page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
    const { violations } = await this.page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    return violations.map((rule) => `${rule.id}: ${rule.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any.map((check) => check.message).join(" ")}`).join(" | ")}`);
  }

  async shot(name) {
    mkdirSync(SHOTS, { recursive: true });
    // An old remote control hides the caret by a style of its own, which the content policy rightly refuses.
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true, caret: "initial" });
  }

  /** Nothing was complained about, no policy was broken. */
  async quiet() {
    const broken = this.page.isClosed() ? [] : await this.page.evaluate(() => globalThis.__policy ?? []);
    assert.deepEqual([...this.complaints, ...broken], []);
  }

  async close() {
    await this.context.close();
  }
}

/** Runs in the page before anything else: the language, eyes on sockets and on the content security policy. */
function watch(language) {
  if (!localStorage.getItem("language")) localStorage.setItem("language", language);
  globalThis.__sockets = [];
  globalThis.__policy = [];
  document.addEventListener("securitypolicyviolation", (event) => globalThis.__policy.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
  const Real = globalThis.WebSocket;
  globalThis.WebSocket = class extends Real {
    constructor(...args) {
      super(...args);
      globalThis.__sockets.push(this);
    }
  };
}
