// One tap by MQTT.js: connects as the device, says its state, publishes the tap, prints the decision.
//   node tap_mqttjs.cjs HOST PORT SITE DEVICE SECRET 3|5 TAP_JSON mqtt|ws      (NODE_PATH names the folder of the mqtt package)
const mqtt = require('mqtt');
const [host, port, site, device, secret, version, tap, protocol] = process.argv.slice(2);
const base = `td/1/${site}/gate/${device}`;
const state = { online: true, service: 'both', firmware: 'mqtt.js', versions: {}, faults: [], at: JSON.parse(tap).at };
const client = mqtt.connect({
  protocol, path: '/mqtt', host, port: Number(port), clientId: device, username: device, password: secret,
  protocolVersion: version === '5' ? 5 : 4, reconnectPeriod: 0,
});
const stop = (code, line) => { if (line) (code ? console.error : console.log)(line); client.end(true); process.exitCode = code; };
setTimeout(() => stop(1, 'no decision'), 20000).unref();
client.on('error', (fault) => stop(1, `refused: ${fault.message}`));
client.on('connect', () => client.subscribe(`${base}/down/#`, { qos: 1 }, (fault) => {
  if (fault) return stop(1, `refused: ${fault.message}`);
  client.publish(`${base}/up/state`, JSON.stringify(state), { qos: 1, retain: true });
  client.publish(`${base}/up/tap`, tap, { qos: 1 });
}));
client.on('message', (topic, payload) => { if (topic === `${base}/down/decision`) stop(0, payload.toString()); });
