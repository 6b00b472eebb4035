// Measures, by hand: TONGDAO_BIN=target/release/tongdao node tests/browser/measure.mjs
// Time from navigation to a living page (the board's first answer is drawn), with an empty and with a warm cache, and the bytes
// that came over the wire. Medians; nothing here is asserted.
import { browser, Desk, missing, Server } from "./harness.mjs";

const ROUNDS = 7;
const PAGES = [["overview", "/", ".figures"], ["station", "/gates/tianfuguangchang", ".station-grid"]];

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const why = missing();
if (why) {
  console.log(`skip: ${why}`);
  process.exit(0);
}
const server = await Server.start();
const chromium = await browser();
for (const [name, path, alive] of PAGES) {
  const cold = [];
  const warm = [];
  const bytes = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const desk = await Desk.open(chromium, server);
    const [pair] = (await server.signIn(server.admin)).split("; ");
    await desk.context.addCookies([{ name: pair.slice(0, pair.indexOf("=")), value: pair.slice(pair.indexOf("=") + 1), url: server.url }]);
    const wire = await desk.context.newCDPSession(desk.page);
    await wire.send("Network.enable");
    let came = 0;
    wire.on("Network.loadingFinished", (done) => (came += done.encodedDataLength));
    cold.push(await living(desk, path, alive));
    bytes.push(came);
    warm.push(await living(desk, path, alive));
    await desk.close();
  }
  console.log(`${name}: first visit ${median(cold)} ms, again ${median(warm)} ms, ${median(bytes)} bytes over the wire with an empty cache`);
}
await chromium.close();
await server.stop();

/** Milliseconds from navigation until the element stands there. */
async function living(desk, path, alive) {
  const began = performance.now();
  await desk.page.goto(desk.server.url + path, { waitUntil: "commit" });
  await desk.page.locator(alive).waitFor();
  return Math.round(performance.now() - began);
}
