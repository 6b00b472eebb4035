#!/bin/bash
# Compares how soon a tap stands on the consoles: Tongdao beside the WebSocket broadcast of what a user would build instead, in
# one run on one machine, with one and the same generator.
#
#   loadtest/peers-consoles.sh PEERS SCRATCH [CONSOLES|prepare]
#
# As peers.sh, which prepares everything; docs/benchmarks.md says how to read it. PEERS_NAMES, ROUNDS, RATE, SECONDS_EACH and
# GATES may be set. Needs what peers.sh needs; `python` also python3 with venv.
set -euo pipefail
peers=${1:?folder with the peers}
scratch=$(realpath -m "${2:?scratch folder}")
consoles=${3:-20}
here=$(cd "$(dirname "$0")" && pwd)
export TONGDAO=${TONGDAO:-$(cd "$here/.." && pwd)/target/release}
names=${PEERS_NAMES:-tongdao,node,aedes,python}

"$here/peers.sh" "$peers" "$scratch" prepare
if [[ $names == *python* && ! -x $scratch/peers/py/venv/bin/python ]]; then
    python3 -m venv "$scratch/peers/py/venv"
    "$scratch/peers/py/venv/bin/pip" install -q --disable-pip-version-check aiomqtt redis hiredis uvloop websockets orjson
fi

# Somebody who may look at every station. Told once, so it is kept beside the data.
if [ ! -s "$scratch/base/users.csv" ]; then
    password=$("$TONGDAO/tongdao" user add bench --roles manager --config "$scratch/base/bench.toml" --by bench --reason bench)
    echo "bench,$password" > "$scratch/base/users.csv"
fi

# What is adapted: the generator may send further headers with the upgrade, and finds taps in our frames by the cause of each
# event (several may stand in one message); one `sub` goes out first. Sockets go to the HTTP port of the prepared server.
python3 - "$scratch" <<'PYTHON'
import pathlib, sys
scratch = pathlib.Path(sys.argv[1])
def patch(path, *changes):
    text = path.read_text()
    for old, new in changes:
        if new in text:
            continue
        assert text.count(old) == 1, f"{path}: the peers have changed: {old}"
        text = text.replace(old, new)
    if text != path.read_text():
        path.write_text(text)
patch(scratch / "peers/load/src/main.rs",
    ('Sec-WebSocket-Version: 13\\r\\n\\r\\n")', 'Sec-WebSocket-Version: 13\\r\\n{}\\r\\n", a.str("--ws-headers", ""))'),
    ('''                    let Some(id) = field(p, &id_field).filter(''', '''                    const CAUSE: &[u8] = b"\\"cause\\":\\"tap/g";
                    let mut rest = p;
                    while let Some(i) = rest.windows(CAUSE.len()).position(|w| w == CAUSE) {
                        rest = &rest[i + CAUSE.len()..];
                        let end = rest.iter().position(|b| *b == b'"').unwrap_or(0);
                        let mut parts = std::str::from_utf8(&rest[..end]).unwrap_or("").split('/').map(|x| x.parse::<usize>().unwrap_or(usize::MAX));
                        let (Some(gi), Some(epoch), Some(seq)) = (parts.next(), parts.next(), parts.next()) else { continue };
                        ws_msgs += 1;
                        if let Some(due) = gates.get(gi).filter(|_| epoch == run as usize).and_then(|x| x.due.get(seq.wrapping_sub(1))) {
                            if *due >= w0 && *due < w1 {
                                let _ = ws_lat.record((t - due).max(1));
                            }
                        }
                    }
                    let Some(id) = field(p, &id_field).filter('''))
patch(scratch / "peers/bench.py",
    ('''        r = subprocess.run(cmd + p.pids()''', '''        if name == "tongdao" and a.consoles:
            cmd[cmd.index("--ws-addr") + 1] = "127.0.0.1:18080"
            cmd += ["--ws-path", "/ws", "--ws-hello", '{"t":"sub","id":1,"ch":"gates:bench"}', "--ws-headers", cookie()]
        r = subprocess.run(cmd + p.pids()'''),
    ('''def one(name, a):''', '''def cookie():
    """Signs in as a page does; the headers of a socket."""
    import urllib.request
    user, password = open("%s").read().strip().split(",", 1)
    at, origin = "http://127.0.0.1:18080", {"Origin": "http://127.0.0.1:18080"}
    body = json.dumps({"user": user, "password": password}).encode()
    request = urllib.request.Request(at + "/api/v1/login", body, {**origin, "Content-Type": "application/json"})
    pair = urllib.request.urlopen(request, timeout=20).headers["Set-Cookie"].split(";")[0]
    return f"Cookie: {pair}\\r\\nOrigin: {at}\\r\\nSec-WebSocket-Protocol: tongdao.v1.json\\r\\n"


def one(name, a):''' % (scratch / "base/users.csv")))
PYTHON
(cd "$scratch/peers/load" && cargo build --release --quiet)
[ "$consoles" = prepare ] && exit
cd "$scratch/peers"
exec ./bench.py --peers "$names" --mode open --rate "${RATE:-1000}" --gates "${GATES:-200}" --consoles "$consoles" --media 20 \
    --seconds "${SECONDS_EACH:-4}" --warmup 1 --rounds "${ROUNDS:-3}" --poisson --out out/consoles.jsonl
