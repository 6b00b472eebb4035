#!/bin/bash
# Compares Tongdao with what a user would build instead, in one run on one machine.
#
#   loadtest/peers.sh PEERS SCRATCH [prepare|closed|open|quick|all]
#
# PEERS is the folder with the peers and their load generator (bench.py, load/, rust/, node/); it is only read. SCRATCH is a
# folder on a real disk; it is made. docs/benchmarks.md says what is compared and how to read it.
# Needs: cargo, node with npm, mosquitto, redis-server. TONGDAO names the folder with the release binaries.
set -euo pipefail
peers=${1:?folder with the peers}
scratch=$(realpath -m "${2:?scratch folder}")
what=${3:-all}
here=$(cd "$(dirname "$0")/.." && pwd)
bin=${TONGDAO:-$here/target/release}
gates=500
media=20 # of each gate, as the peers seed them
port=18830

prepare() {
    mkdir -p "$scratch"
    [ -d "$scratch/peers" ] || cp -r "$peers" "$scratch/peers"
    chmod -R u+w "$scratch/peers"
    (cd "$scratch/peers/load" && cargo build --release --quiet)
    (cd "$scratch/peers/rust" && cargo build --release --quiet)
    [ -d "$scratch/peers/node/node_modules" ] || (cd "$scratch/peers/node" && npm install --silent mqtt ioredis aedes ws)
    add_tongdao
    prepare_tongdao
}

# One entry among the peers, and the words of our contract for their load generator. Their generator already fills in gate,
# seq, epoch and time, finds the answer by its sequence, and keeps runs apart by the epoch: nothing else is changed.
add_tongdao() {
    python3 - "$scratch/peers/bench.py" "$scratch/tongdao-peer.sh" <<'PYTHON'
import pathlib, sys
path, peer = pathlib.Path(sys.argv[1]), sys.argv[2]
text = path.read_text()
if '"tongdao"' not in text:
    text = text.replace('PEERS = {', 'PEERS = {\n    "tongdao": (None, None, ["%s"]),' % peer, 1)
    text = text.replace('        if a.consoles and name', '''        if name == "tongdao":
            cmd += ["--user", "{gate}", "--pass", "bench-{gate}", "--tap-topic", "td/1/bench/gate/{gate}/up/tap",
                    "--decision-topic", "td/1/bench/gate/{gate}/down/#", "--id-field", "seq", "--verdict-field", "code", "--payload",
                    '{"epoch":{epoch},"seq":{seq},"direction":"{direction}","medium":{"kind":"card","token":"{medium}"},'
                    '"at":"{at_rfc3339}","deadline_ms":10000,"mode":0,"list_version":0}']
        if a.consoles and name''', 1)
    path.write_text(text)
PYTHON
    cat > "$scratch/tongdao-peer.sh" <<PEER
#!/bin/bash
# A fresh copy of the prepared data, then the server in this very process: its pid is the one that is measured.
set -e
folder=\$(mktemp -d -p "\$PWD" tongdao.XXXX)
cp -r "$scratch/base/." "\$folder/"
sed -i "s#^data_dir.*#data_dir = \"\$folder/data\"#" "\$folder/bench.toml"
echo ready
exec "$bin/tongdao" serve --config "\$folder/bench.toml" >"\$folder/log" 2>&1
PEER
    chmod +x "$scratch/tongdao-peer.sh"
}

# Devices, accounts, and a state of each gate: a gate that never said anything of itself gets no decision.
prepare_tongdao() {
    [ -e "$scratch/base/ready" ] && return
    rm -rf "$scratch/base"
    "$bin/tongdao-loadtest" prepare --out "$scratch/base" --gates $gates --media $((gates * media)) --port $port --http-port 18080
    local config=(--config "$scratch/base/bench.toml")
    "$bin/tongdao" device import "$scratch/base/devices.csv" "${config[@]}" --by bench --reason bench
    "$bin/tongdao" account import "$scratch/base/accounts.csv" "${config[@]}" --by bench --reason bench
    "$bin/tongdao" serve "${config[@]}" >"$scratch/base/log" 2>&1 &
    local server=$!
    until "$bin/tongdao" healthcheck "${config[@]}" >/dev/null 2>&1; do kill -0 $server; sleep 0.2; done
    "$bin/tongdao-loadtest" idle --addr 127.0.0.1:$port --site bench --devices "$scratch/base/devices.csv" --seconds 1 --server-pid $server
    kill $server
    wait $server || true
    touch "$scratch/base/ready"
}

run() { (cd "$scratch/peers" && ./bench.py --seconds 4 --warmup 1 --media $media --out out/tongdao.jsonl "$@"); }

closed() {
    for n in 1 100 500; do run --peers tongdao,floor,node,aedes,rust --gates $n --rounds "${ROUNDS:-3}"; done
}

open() {
    run --peers tongdao,floor,node,aedes,rust --mode open --rate 1000 --gates 200 --poisson --rounds "${ROUNDS:-3}"
    run --peers tongdao,floor,node,aedes,rust --mode open --rate 8000 --gates 500 --poisson --rounds "${ROUNDS:-3}"
    run --peers tongdao,floor,node,aedes --mode open --rate 10000 --gates 500 --poisson --rounds "${ROUNDS:-3}"
    run --peers tongdao,floor --mode open --rate 20000 --gates 500 --poisson --rounds "${ROUNDS:-3}"
}

quick() { run --peers tongdao,floor --gates 100 --rounds 1; }

prepare
case $what in
prepare) ;;
closed) closed ;;
open) open ;;
quick) quick ;;
all)
    closed
    open
    ;;
*)
    echo "peers.sh: $what is none of prepare, closed, open, quick, all" >&2
    exit 64
    ;;
esac
