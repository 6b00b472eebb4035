use super::*;
use serde_json::json;
use tongdao_protocol::time::Time;

const NOW: Timestamp = Timestamp(1_767_225_600_000);
const LIMITS: HubLimits = HubLimits { recent_events_max: 4, recent_bytes_max: 10_000 };

struct Counter(u64);
impl Board for Counter {
    fn snapshot(&self, now: Timestamp) -> Value {
        json!({"rev": self.0, "at": Time(now)})
    }
}

/// Writes down what it hears.
#[derive(Default)]
struct Ear(Mutex<Vec<Value>>, AtomicU64);
impl Ear {
    fn heard(&self) -> Vec<Value> {
        std::mem::take(&mut *self.0.lock().expect("lock"))
    }
    fn hear(&self, value: Value) {
        self.0.lock().expect("lock").push(value);
    }
}
impl Subscriber for Ear {
    fn opened(&self, sub: u64, opened: Opened<'_>) {
        let what = match opened.what {
            Start::Recovered { events, states } => json!({"events": events.len(), "states": states.len()}),
            Start::Snapshot(text) => serde_json::from_str(&text).expect("JSON"),
        };
        assert!(!opened.epoch.is_empty());
        self.hear(json!({"sub": sub, "seq": opened.seq, "what": what}));
    }
    fn event(&self, _sub: u64, seq: u64, frame: &Utf8Bytes) {
        let frame: Value = serde_json::from_str(frame).expect("JSON");
        assert_eq!(frame["seq"], seq);
        self.hear(frame);
    }
    fn state(&self, _sub: u64, key: &Arc<str>, frame: &Utf8Bytes) {
        let frame: Value = serde_json::from_str(frame).expect("JSON");
        assert_eq!(frame["key"], **key);
        self.hear(frame);
    }
    fn closed(&self, sub: u64) {
        self.hear(json!({"closed": sub}));
    }
    fn sees(&self, _: &Channel, item: &Value) -> bool {
        item["op"] != "medium.find"
    }
    fn view(&self, _: &Channel) -> Option<u64> {
        Some(self.1.load(Ordering::Relaxed)).filter(|view| *view > 0)
    }
}

fn ear() -> (Arc<Ear>, Sink) {
    let ear = Arc::new(Ear::default());
    (ear.clone(), Sink { to: ear, sub: 7 })
}

fn step(handle: &Handle<Counter>) {
    handle.update(|board, out| {
        board.0 += 1;
        out.event(NOW, Some(&CommandId::new("cmd/li/1").expect("id")), json!({"k": "counted", "n": board.0}));
    });
}

fn hub() -> (Hub, Handle<Counter>) {
    let hub = Hub::new("n1-5".into(), LIMITS);
    let handle = hub.open(Channel::Alarms, Counter(0));
    (hub, handle)
}

#[test]
fn a_snapshot_and_what_follows_join_without_a_gap() {
    let (hub, handle) = hub();
    step(&handle);
    let (ear, sink) = ear();
    assert!(hub.subscribe(&Channel::Alarms, None, NOW, sink));
    step(&handle);
    let heard = ear.heard();
    assert_eq!(heard[0], json!({"sub": 7, "seq": 1, "what": {"rev": 1, "at": "2026-01-01T00:00:00.000Z"}}));
    assert_eq!(
        heard[1],
        json!({"t": "event", "ch": "alarms", "seq": 2, "d": {"k": "counted", "n": 2}, "at": "2026-01-01T00:00:00.000Z", "cause": "cmd/li/1"})
    );
    assert_eq!(heard.len(), 2);
}

#[test]
fn who_comes_back_gets_what_was_missed_or_a_snapshot() {
    let (hub, handle) = hub();
    handle.update(|_, out| out.state("figures", 1));
    (0..6).for_each(|_| step(&handle));
    let start = |epoch: &str, seq: u64| {
        let (ear, sink) = ear();
        assert!(hub.subscribe(&Channel::Alarms, Some((epoch, seq)), NOW, sink));
        ear.heard()[0]["what"].clone()
    };
    assert_eq!(start("n1-5.0", 6), json!({"events": 0, "states": 1}));
    assert_eq!(start("n1-5.0", 4), json!({"events": 2, "states": 1}));
    assert_eq!(start("n1-5.0", 2), json!({"events": 4, "states": 1}), "exactly what is kept");
    assert_eq!(start("n1-5.0", 1)["rev"], 6, "one of them is gone");
    assert_eq!(start("n1-5.0", 7)["rev"], 6, "a number that was never given");
    assert_eq!(start("n2-5.0", 6)["rev"], 6, "another life");
}

#[test]
fn who_was_shown_other_items_before_gets_a_snapshot() {
    let (hub, handle) = hub();
    step(&handle);
    let start = |view: u64, epoch: &str| {
        let (ear, sink) = ear();
        ear.1.store(view, Ordering::Relaxed);
        assert!(hub.subscribe(&Channel::Alarms, Some((epoch, 1)), NOW, sink));
        ear.heard()[0]["what"]["events"] == 0
    };
    assert!(start(0, "n1-5.0") && start(0xa, "n1-5.0-a"), "with the same eyes they go on");
    assert!(!start(0xb, "n1-5.0-a") && !start(0, "n1-5.0-a") && !start(0xa, "n1-5.0"));
}

#[test]
fn where_a_command_shows_is_known_for_a_while() {
    let (hub, handle) = hub();
    let (mine, other) = (CommandId::new("cmd/li/1").expect("an id"), CommandId::new("cmd/li/11").expect("an id"));
    let told = |id: &CommandId| hub.told(&Channel::Alarms, id);
    assert_eq!((told(&mine), hub.told(&Channel::Audit, &mine)), (None, None));
    step(&handle);
    handle.update(|_, out| out.event(NOW, Some(&other), json!({"k": "x", "text": r#""cause":"cmd/li/1""#, "cause": "cmd/li/2"})));
    assert_eq!((told(&mine), told(&other)), (Some(1), Some(2)), "neither the half of an id nor what somebody wrote");
    assert_eq!(told(&CommandId::new("cmd/li/2").expect("an id")), None);
    step(&handle);
    assert_eq!(told(&mine), Some(3), "the last of several");
    (0..4).for_each(|_| handle.update(|_, out| out.event(NOW, None, json!({"k": "x"}))));
    assert_eq!(told(&mine), None, "too old");
}

#[test]
fn the_past_is_bounded_by_bytes_too() {
    let hub = Hub::new("e".into(), HubLimits { recent_events_max: 100, recent_bytes_max: 300 });
    let handle = hub.open(Channel::Alarms, Counter(0));
    (0..10).for_each(|_| step(&handle));
    let (ear, sink) = ear();
    assert!(hub.subscribe(&Channel::Alarms, Some(("e.0", 9)), NOW, sink.clone()));
    assert!(hub.subscribe(&Channel::Alarms, Some(("e.0", 5)), NOW, sink));
    let heard = ear.heard();
    assert_eq!((&heard[0]["what"]["events"], &heard[1]["what"]["rev"]), (&json!(1), &json!(10)));
}

#[test]
fn a_state_is_told_with_its_key_and_has_no_number() {
    let (hub, handle) = hub();
    let (ear, sink) = ear();
    assert!(hub.subscribe(&Channel::Alarms, None, NOW, sink));
    handle.update(|_, out| {
        assert!(out.is_heard());
        out.state("load", json!({"open": 3}));
        assert_eq!(out.seq(), 0);
    });
    assert_eq!(ear.heard()[1], json!({"t": "state", "ch": "alarms", "key": "load", "d": {"open": 3}}));
}

#[test]
fn who_leaves_hears_nothing_more_and_a_closed_channel_says_so() {
    let (hub, handle) = hub();
    let ((gone, gone_sink), (ear, sink)) = (ear(), ear());
    assert!(hub.subscribe(&Channel::Alarms, None, NOW, gone_sink.clone()));
    assert!(hub.subscribe(&Channel::Alarms, None, NOW, sink));
    hub.unsubscribe(&Channel::Alarms, &gone_sink);
    step(&handle);
    assert_eq!((gone.heard().len(), ear.heard().len()), (1, 2));
    hub.close(&Channel::Alarms);
    assert_eq!(ear.heard(), [json!({"closed": 7})]);
    let (_, sink) = self::ear();
    assert!(!hub.subscribe(&Channel::Alarms, None, NOW, sink));
    assert!(!hub.is_open(&Channel::Alarms) && hub.snapshot(&Channel::Alarms, NOW).is_none());
}

#[test]
fn a_channel_that_is_opened_again_is_another_life() {
    let (hub, _) = hub();
    let (ear, sink) = ear();
    assert!(hub.subscribe(&Channel::Alarms, None, NOW, sink));
    let _again = hub.open(Channel::Alarms, Counter(9));
    assert_eq!(ear.heard().pop(), Some(json!({"closed": 7})));
    let (epoch, seq, snapshot) = hub.snapshot(&Channel::Alarms, NOW).expect("open");
    assert_eq!((epoch.as_str(), seq, &snapshot["rev"]), ("n1-5.1", 0, &json!(9)));
}

#[test]
fn an_item_that_somebody_must_not_see_leaves_no_gap_and_nothing_else() {
    let (hub, handle) = hub();
    let (ear, sink) = ear();
    assert!(hub.subscribe(&Channel::Alarms, None, NOW, sink.clone()));
    let told = |op: &str| json!({"k": "approval", "op": op, "args": "a canary"});
    handle.update(|_, out| {
        out.event(NOW, None, told("medium.find"));
        out.event(NOW, None, told("station.release"));
    });
    let heard = ear.heard();
    assert_eq!((&heard[1]["d"], &heard[1]["seq"]), (&json!({"k": "hidden"}), &json!(1)));
    assert_eq!((&heard[2]["d"]["op"], &heard[2]["seq"]), (&json!("station.release"), &json!(2)));
    hub.unsubscribe(&Channel::Alarms, &sink);
    assert!(hub.subscribe(&Channel::Alarms, Some(("n1-5.0", 0)), NOW, sink));
    assert_eq!(ear.heard()[0]["what"]["events"], 2, "recovered ones are hidden in the same way");
}

#[test]
fn a_list_is_shown_without_what_somebody_must_not_see() {
    struct List;
    impl Board for List {
        fn snapshot(&self, _: Timestamp) -> Value {
            json!({"rev": 0, "items": [{"op": "medium.find"}, {"op": "station.mode"}]})
        }
    }
    let hub = Hub::new("e".into(), LIMITS);
    let _list = hub.open(Channel::Audit, List);
    let (ear, sink) = ear();
    assert!(hub.subscribe(&Channel::Audit, None, NOW, sink));
    assert_eq!(ear.heard()[0]["what"]["items"], json!([{"op": "station.mode"}]));
}
