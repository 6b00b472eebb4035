//! A gate that had no link for a day gives its account of five thousand taps: out of order, some twice, some as altered copies,
//! with gaps, and the server is killed in the middle, while riders tap at another gate. Each record counts once; what is
//! doubtful posts nothing until a person has decided. How long riders wait meanwhile is a benchmark, no test.
#![expect(clippy::disallowed_methods, reason = "waits for a whole process by the wall clock")]
mod common;
use common::{Gate, PATIENCE, Server, now_ms, rfc3339};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const RECORDS: u64 = 5_000;
const RIDERS: u64 = 50;
/// An entry and an exit at one station cost the lowest fare.
const RIDDEN: &str = "900.00";
const STEP_MS: i64 = 7_200;

/// The `seq`-th tap of the day: every rider in and out by turns.
fn record(seq: u64, began_ms: i64) -> Value {
    let (rider, turn) = (seq % RIDERS, (seq - 1) / RIDERS);
    json!({"seq": seq, "direction": if turn.is_multiple_of(2) { "entry" } else { "exit" },
           "medium": {"kind": "ecny", "token": format!("o{rider}")}, "at": rfc3339(began_ms + STEP_MS * seq.cast_signed()),
           "mode": 0, "by": "gate", "shown": "open", "passage": "passed"})
}

/// Every number once, in an order that is as good as any other; and the numbers whose records are sent later.
fn shuffled() -> (Vec<u64>, BTreeSet<u64>) {
    let kept_back: BTreeSet<u64> = (100..=110).chain([4_000]).collect();
    let order = (0..RECORDS).map(|n| (n * 2_741 + 17) % RECORDS + 1).filter(|seq| !kept_back.contains(seq)).collect();
    (order, kept_back)
}

/// The day as it goes out: behind some records the same once more, behind others an altered copy.
fn stream(began_ms: i64) -> (Vec<Value>, BTreeSet<u64>) {
    let (mut sent, mut altered) = (Vec::new(), BTreeSet::new());
    for seq in shuffled().0 {
        sent.push(record(seq, began_ms));
        if seq.is_multiple_of(20) {
            sent.push(record(seq, began_ms));
        }
        if seq % 100 == 7 {
            let mut copy = record(seq, began_ms);
            copy["at"] = rfc3339(began_ms + STEP_MS * seq.cast_signed() + 3_600).into();
            sent.push(copy);
            altered.insert(seq);
        }
    }
    (sent, altered)
}

fn batch(records: &[Value]) -> Value {
    json!({"epoch": 1, "first_seq": records.iter().filter_map(|record| record["seq"].as_u64()).min(), "records": records})
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !there() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::yield_now();
    }
}

fn doubtful(server: &Server, more: &[&str]) -> Vec<Value> {
    let words = [&["doubtful", "list", "--json"], more].concat();
    server.ok(&words).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// In and out at another gate; it is answered whatever else goes on.
fn live(gate: &Gate, turn: u64) {
    let answer = gate.tap(turn, if turn % 2 == 1 { "entry" } else { "exit" }, "live");
    assert_eq!(answer["code"], "OK", "{answer}");
}

#[test]
fn each_record_of_the_day_counts_once_and_a_person_decides_what_is_doubtful() {
    let mut server = Server::prepare("[gate]\nriders_max = 0\nretap_window_ms = 0\n");
    let secrets: Vec<String> = ["g1", "g3"].iter().map(|id| server.add_gate(id)).collect();
    let riders: String = (0..RIDERS).map(|n| format!("o{n},1,adult,1000.00,ecny,o{n}\n")).collect();
    server.accounts(&format!("{riders}live,1,adult,1000.00,ecny,live\n"));
    server.spawn();
    let (tapping, mut day) = (server.gate("g1", &secrets[0]), server.gate("g3", &secrets[1]));
    let began_ms = now_ms() - 11 * 3_600_000;
    let (sent, altered) = stream(began_ms);
    let parts: Vec<&[Value]> = sent.chunks(150).collect();
    let (mut refused, mut turn, mut tapping) = (BTreeSet::new(), 0, tapping);
    let mut last = Value::Null;
    for (n, part) in parts.iter().enumerate() {
        day.throw("records", &batch(part));
        if n == parts.len() / 2 {
            server.kill9();
            server.spawn();
            (tapping, day) = (server.gate("g1", &secrets[0]), server.gate("g3", &secrets[1]));
            day.throw("records", &batch(part));
        }
        turn += 1;
        live(&tapping, turn);
        last = day.next("records_ack", |_| true);
        let told = last["rejected"].as_array().expect("a list").iter();
        refused.extend(told.map(|one| (one["seq"].as_u64().expect("a seq"), one["code"].as_str().expect("a code").to_owned())));
    }
    assert_eq!((&last["upto"], &last["missing"]), (&json!(99), &json!([[100, 110], [4000, 4000]])), "the gaps are told");
    let late: Vec<Value> = shuffled().1.into_iter().map(|seq| record(seq, began_ms)).collect();
    day.throw("records", &batch(&late));
    let whole = day.next("records_ack", |ack| ack["upto"] == RECORDS);
    assert_eq!((&whole["missing"], &whole["rejected"]), (&json!([]), &json!([])));
    assert_eq!(refused, altered.iter().map(|seq| (*seq, "KEY_REUSED".to_owned())).collect(), "each altered copy, and nothing else");
    the_accounts_have_it_once(&server, altered.len());
    a_person_decides(&server);
    assert!(server.ok(&["verify"]).contains("ok"));
}

fn the_accounts_have_it_once(server: &Server, altered: usize) {
    wait_for("every rider pays for every ride", || server.balance("o1") == RIDDEN && server.balance("o49") == RIDDEN);
    wait_for("the desk has heard of every copy", || doubtful(server, &[]).len() == altered);
    wait_for("nothing is owed any more", || {
        server.export().iter().filter(|line| line["event"] == "record.struck").count() as u64 == RECORDS
    });
    let mut taken: BTreeMap<u64, u32> = BTreeMap::new();
    for line in server.export().iter().filter(|line| line["event"] == "record.taken") {
        *taken.entry(line["d"]["record"]["seq"].as_u64().expect("a seq")).or_default() += 1;
    }
    assert!(taken.len() as u64 == RECORDS && taken.values().all(|count| *count == 1), "each once: {}", taken.len());
    (0..RIDERS).for_each(|n| assert_eq!(server.balance(&format!("o{n}")), RIDDEN, "o{n}"));
}

fn a_person_decides(server: &Server) {
    let open = doubtful(server, &["--station", "luomashi", "--doubt", "key_reused"]);
    let (first, second) = (&open[0], &open[1]);
    let name = |item: &Value| item["record"].as_str().expect("a name").to_owned();
    let token = |item: &Value| item["said"]["medium"]["token"].as_str().expect("a token").to_owned();
    let evidence: Value = serde_json::from_str(&server.ok(&["doubtful", "show", &name(first), "--json"])).expect("JSON");
    assert_eq!((&evidence["account"], &evidence["doubt"]), (&json!(token(first)), &json!("key_reused")));
    assert_ne!(evidence["known"]["at"], evidence["said"]["at"], "what the account has under that number: {evidence}");
    server.by_li(&["doubtful", "reject", &name(first)]);
    assert_eq!(server.balance(&token(first)), RIDDEN, "what is rejected leaves no charge");
    let again = server.cli(&["doubtful", "accept", &name(first), "--by", "wang", "--reason", "test"]);
    assert!(again.status.code() == Some(1) && String::from_utf8_lossy(&again.stderr).contains("WRONG_STATE"), "{again:?}");
    server.by_li(&["doubtful", "accept", &name(second)]);
    server.by_li(&["doubtful", "accept", &name(second)]);
    let posted = || doubtful(server, &["--state", "accepted"]).iter().any(|item| item["posted_at"].is_string());
    wait_for("the account has what was accepted", posted);
    let accepted = server.export().iter().filter(|line| line["event"] == "record.accepted").count();
    assert_eq!(accepted, 1, "posted once");
    assert_eq!((open.len(), doubtful(server, &[]).len()), (open.len(), open.len() - 2));
}

#[test]
fn a_clock_off_by_minutes_is_put_right_and_one_code_at_two_gates_at_once_pays_one_fare() {
    let server = Server::start("");
    let secrets: Vec<String> = ["g1", "g2", "g3"].iter().map(|id| server.add_gate(id)).collect();
    server.accounts("qr,1,adult,100.00,qr,q1\nlate,1,adult,100.00,ecny,late\n");
    let ahead_ms = 300_000;
    let fast = Gate::connect(server.mqtt, "g3", &secrets[2]);
    fast.up(
        "state",
        &json!({"online": true, "service": "both", "firmware": "1", "versions": {}, "faults": [], "at": rfc3339(now_ms() + ahead_ms)}),
    );
    let entry = |token: &str, kind: &str, at: i64| {
        json!({"seq": 1, "direction": "entry", "medium": {"kind": kind, "token": token}, "at": rfc3339(at), "mode": 0, "by": "gate",
               "shown": "open", "passage": "passed"})
    };
    let now = now_ms();
    fast.throw("records", &batch(&[entry("late", "ecny", now + ahead_ms - 1_000)]));
    assert_eq!(fast.next("records_ack", |_| true)["upto"], 1);
    for (id, secret, at) in [("g1", &secrets[0], now - 60_000), ("g2", &secrets[1], now - 59_200)] {
        let gate = server.gate(id, secret);
        gate.throw("records", &batch(&[entry("q1.1772438400.c2ln", "qr", at)]));
        assert_eq!(gate.next("records_ack", |_| true)["upto"], 1);
    }
    wait_for("one of the two is doubtful", || !doubtful(&server, &["--doubt", "twin"]).is_empty());
    let twin = &doubtful(&server, &[])[0];
    assert!(matches!(twin["other"].as_str(), Some("g1/1/1" | "g2/1/1")), "{twin}");
    assert_eq!(server.account("qr")["held"]["amount"], "2.00", "one journey is open");
    wait_for("the late one is in", || server.account("late")["journey"].is_object());
    let taken = server.export().into_iter().find(|line| line["event"] == "record.taken" && line["d"]["record"]["device"] == "g3");
    let clock_ms = taken.as_ref().and_then(|line| line["d"]["clock_ms"].as_i64()).expect("its time was put right");
    assert!((-ahead_ms - 100..=-ahead_ms + 5_000).contains(&clock_ms), "{clock_ms}");
}
