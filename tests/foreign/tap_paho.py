"""One tap by Python's paho client: connects as the device, says its state, publishes the tap, prints the decision.

  tap_paho.py HOST PORT SITE DEVICE SECRET 3|5 TAP_JSON
"""
import json, sys, threading
import paho.mqtt.client as mqtt

host, port, site, device, secret, version, tap = sys.argv[1:8]
base = f"td/1/{site}/gate/{device}"
state = {"online": True, "service": "both", "firmware": "paho", "versions": {}, "faults": [], "at": json.loads(tap)["at"]}
done = threading.Event()
decision = None


def on_connect(client, _data, _flags, reason, _properties):
    if reason != 0:
        print(f"refused: {reason}", file=sys.stderr)
        done.set()
        return
    client.subscribe(f"{base}/down/#", qos=1)


def on_subscribe(client, _data, _mid, _reasons, _properties):
    client.publish(f"{base}/up/state", json.dumps(state), qos=1, retain=True)
    client.publish(f"{base}/up/tap", tap, qos=1)


def on_message(_client, _data, message):
    global decision
    if message.topic == f"{base}/down/decision":
        decision = message.payload.decode()
        done.set()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device, protocol=mqtt.MQTTv5 if version == "5" else mqtt.MQTTv311)
client.username_pw_set(device, secret)
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect(host, int(port), keepalive=10)
client.loop_start()
done.wait(20)
client.disconnect()
client.loop_stop()
if decision is None:
    sys.exit("no decision")
print(decision)
