//! A real listener and a foreign client, over boards of our own making.
use super::*;
use crate::config::{Backend as Store, Config};
use crate::console::hub::{Board, Handle};
use crate::console::limits::SocketLimits;
use crate::console::session::{Ended, Holder};
use crate::node;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};
use tongdao_actors::cell::NoHook;
use tongdao_actors::node::Node;
use tongdao_domain::device::By;
use tongdao_domain::id::UserId;
use tongdao_domain::user::{self, Role, Scope};
use tongdao_domain::world::World;

/// Nothing that works takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Counter(u64);
impl Board for Counter {
    fn snapshot(&self, _: Timestamp) -> Value {
        json!({"rev": self.0, "at": "2026-01-01T00:00:00.000Z"})
    }
}

fn step(handle: &Handle<Counter>, pad: usize) -> u64 {
    handle.update(|board, out| {
        board.0 += 1;
        out.event(Timestamp(0), None, json!({"k": "step", "n": board.0, "pad": "x".repeat(pad)}));
        board.0
    })
}

struct Rig {
    console: Console,
    address: SocketAddr,
    _node: Node,
}

fn li() -> UserId {
    UserId::new("li").expect("an id")
}

fn by() -> By {
    By { user: UserId::new("wang").expect("an id"), reason: "test".into() }
}

/// A node that forgets everything, a console on it, and `li` who runs gates everywhere.
async fn rig(change: impl FnOnce(&mut SocketLimits)) -> Rig {
    let mut config = Config::default();
    config.journal.backend = Store::Memory;
    config.cells.count = 1;
    change(&mut config.console.socket);
    let settings = config.console.clone();
    let started = spawn_blocking(move || {
        let opened = node::open(&config).ok()?;
        node::start(&config, opened, World::default(), Arc::new(NoHook)).ok()
    });
    let (node, backend) = started.await.expect("no panic").expect("a node");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let console = Console::new(backend, &settings, address, None);
    let routes = console.routes().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let rig = Rig { console, address, _node: node };
    rig.user(user::Command::Add { roles: [Role::GateOperator].into(), scope: Scope::All, password: None, by: by() }).await;
    rig
}

impl Rig {
    async fn user(&self, command: user::Command) {
        let id = CommandId::of(format_args!("test/{:032x}", rand::random::<u128>()));
        self.console.staff().ask(&li(), id, command).await.expect("done");
        self.console.look_at(&li()).await.expect("looked at");
    }
    async fn session(&self) -> (String, crate::console::session::SessionKey) {
        let state = self.console.staff().state(&li()).await.expect("a state");
        self.console.sessions().open(&li(), &state, Holder::Page, self.console.now()).expect("a session")
    }
    async fn ticket(&self) -> String {
        let (_, key) = self.session().await;
        self.console.sessions().ticket(&key, self.console.now()).expect("a ticket").0
    }
    /// A WebSocket with these headers; the HTTP status where there is none.
    async fn open(&self, headers: &[(&'static str, String)]) -> Result<Page, u16> {
        let mut request = format!("ws://{}/ws", self.address).into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(self.address).await.expect("connected");
        match client_async(request, stream).await {
            Ok((ws, _)) => Ok(Page { ws, heard: VecDeque::new() }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(fault) => panic!("{fault}"),
        }
    }
    async fn by_ticket(&self, ticket: &str) -> Page {
        self.open(&[("sec-websocket-protocol", format!("tongdao.v1.json, ticket.{ticket}"))]).await.expect("let in")
    }
    /// A page that is greeted.
    async fn page(&self) -> Page {
        let mut page = self.by_ticket(&self.ticket().await).await;
        assert_eq!(page.next().await["t"], "hello", "the server speaks first");
        page
    }
}

struct Page {
    ws: WebSocketStream<TcpStream>,
    heard: VecDeque<Value>,
}

impl Page {
    async fn say(&mut self, frame: Value) {
        self.ws.send(Frame::text(frame.to_string())).await.expect("sent");
    }
    /// The next frame, out of a batch or alone.
    async fn next(&mut self) -> Value {
        while self.heard.is_empty() {
            let message = tokio::time::timeout(PATIENCE, self.ws.next()).await.expect("in time").expect("open").expect("a message");
            if let Frame::Text(text) = message {
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                match frame["items"].as_array() {
                    Some(items) if frame["t"] == "batch" => self.heard.extend(items.iter().cloned()),
                    _ => self.heard.push_back(frame),
                }
            }
        }
        self.heard.pop_front().expect("a frame")
    }
    async fn ask(&mut self, frame: Value) -> Value {
        self.say(frame).await;
        self.next().await
    }
    async fn sub(&mut self, ch: &str) -> Value {
        self.ask(json!({"t": "sub", "id": 1, "ch": ch})).await
    }
    /// `bye` and the close frame: both say the same.
    async fn closed(&mut self) -> u16 {
        let mut bye = None;
        loop {
            match tokio::time::timeout(PATIENCE, self.ws.next()).await.expect("in time") {
                Some(Ok(Frame::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    bye = (frame["t"] == "bye").then(|| frame["code"].as_u64()).flatten().or(bye);
                }
                Some(Ok(Frame::Close(close))) => {
                    let code = u16::from(close.expect("a code").code);
                    assert_eq!(bye, Some(u64::from(code)), "`bye` comes first");
                    return code;
                }
                Some(Ok(_)) => {}
                other => panic!("no close frame: {other:?}, bye {bye:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_snapshot_has_no_gap_and_a_cut_is_made_up_for() {
    let rig = rig(|_| {}).await;
    let board = rig.console.hub().open(Channel::Overview(None), Counter(0));
    step(&board, 0);
    let mut page = rig.page().await;
    let answer = page.sub("overview:all").await;
    assert_eq!((&answer["recovered"], &answer["seq"], &answer["snapshot"]["rev"]), (&json!(false), &json!(1), &json!(1)));
    for _ in 0..500 {
        step(&board, 0);
    }
    board.update(|_, out| out.state("figures", json!({"n": 1})));
    for seq in 2..=501 {
        assert_eq!(page.next().await["seq"], seq);
    }
    assert_eq!(page.next().await["key"], "figures");
    drop(page);
    for _ in 0..3 {
        step(&board, 0);
    }
    let mut again = rig.page().await;
    let answer = again.ask(json!({"t": "sub", "id": "a", "ch": "overview:all", "epoch": answer["epoch"], "seq": 501})).await;
    let seqs: Vec<u64> = answer["events"].as_array().expect("events").iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!((&answer["id"], &answer["recovered"], seqs), (&json!("a"), &json!(true), vec![502, 503, 504]));
    assert_eq!(again.next().await["t"], "state", "the newest values come too");
    let other = again.ask(json!({"t": "sub", "id": 2, "ch": "overview:all", "epoch": "other", "seq": 501})).await;
    assert_eq!(other["snapshot"]["rev"], 504);
    assert_eq!(again.ask(json!({"t": "unsub", "id": 3, "ch": "overview:all"})).await, json!({"t": "unsub", "id": 3, "ch": "overview:all"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_never_reads_is_dropped_and_harms_nobody() {
    let rig = rig(|limits| limits.linger_ms = 50).await;
    let board = rig.console.hub().open(Channel::Overview(None), Counter(0));
    let (mut slow, mut live) = (rig.page().await, rig.page().await);
    slow.say(json!({"t": "sub", "id": 1, "ch": "overview:all"})).await;
    assert_eq!(live.sub("overview:all").await["seq"], 0);
    assert_eq!(slow.next().await["t"], "sub");
    let mut sent = 0;
    while rig.console.connections() > 1 {
        sent = step(&board, 60_000);
        assert_eq!(live.next().await["seq"], sent, "nobody else waits");
        assert!(sent < 2000, "120 MB wait for somebody who never reads");
    }
    step(&board, 0);
    assert_eq!(live.next().await["seq"], sent + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_ends_what_it_showed() {
    let rig = rig(|_| {}).await;
    let (secret, open) =
        (rig.console.hub().open(Channel::Approvals, Counter(0)), rig.console.hub().open(Channel::Overview(None), Counter(0)));
    let mut page = rig.page().await;
    assert_eq!(page.sub("approvals").await["seq"], 0);
    assert_eq!(page.sub("overview:all").await["seq"], 0);
    rig.user(user::Command::SetRoles { roles: [Role::Teller].into(), scope: Scope::All, by: by() }).await;
    let over = page.next().await;
    assert_eq!((&over["t"], &over["ch"], &over["error"]["code"]), (&json!("unsub"), &json!("approvals"), &json!("FORBIDDEN")));
    assert_eq!(page.next().await, json!({"t": "rights", "roles": ["teller"], "scope": "all"}));
    step(&secret, 0);
    step(&open, 0);
    assert_eq!(page.next().await["ch"], "overview:all", "nothing of the other");
    assert_eq!(page.sub("approvals").await["error"]["code"], "FORBIDDEN");
    rig.user(user::Command::EndSessions { by: by() }).await;
    assert_eq!(page.closed().await, 4003);
}

/// A list with one alarm of each of two places.
struct Places;
impl Board for Places {
    fn snapshot(&self, _: Timestamp) -> Value {
        json!({"rev": 0, "at": "2026-01-01T00:00:00.000Z", "items": [{"alarm": "door.s1", "source": "s1"}, {"alarm": "door.s2", "source": "s2"}]})
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_narrower_scope_does_not_cover_leaves_the_page_at_once_and_does_not_come_back() {
    let rig = rig(|_| {}).await;
    let (_list, _other) = (rig.console.hub().open(Channel::Alarms, Places), rig.console.hub().open(Channel::Overview(None), Counter(0)));
    let mut page = rig.page().await;
    let whole = page.sub("alarms").await;
    assert_eq!(whole["snapshot"]["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(page.sub("overview:all").await["seq"], 0);
    let scope = Scope::Stations(["s1".parse().expect("an id")].into());
    let narrower = user::Command::SetRoles { roles: [Role::GateOperator].into(), scope, by: by() };
    rig.user(narrower).await;
    let anew = page.next().await;
    assert_eq!((&anew["t"], &anew["id"], &anew["ch"], &anew["recovered"]), (&json!("sub"), &whole["id"], &json!("alarms"), &json!(false)));
    assert_eq!(anew["snapshot"]["items"], json!([]), "no site file names these stations: they belong to all or nobody");
    assert_eq!(page.next().await["t"], "rights", "and the other channel goes on as it was");
    drop(page);
    let mut again = rig.page().await;
    let answer = again.ask(json!({"t": "sub", "id": 1, "ch": "alarms", "epoch": whole["epoch"], "seq": whole["seq"]})).await;
    assert_eq!((&answer["recovered"], &answer["snapshot"]["items"]), (&json!(false), &json!([])), "nor over a cut: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_at_which_position_its_effect_shows_where_the_board_was_faster() {
    use tongdao_domain::alarm::{self, AlarmCode, Severity};
    let rig = rig(|_| {}).await;
    let list = rig.console.hub().open(Channel::Alarms, Places);
    let id = |text: &str| CommandId::new(text).expect("an id");
    let raise = alarm::Command::Raise { code: AlarmCode::Door, source: "s1".into(), severity: Severity::Minor, device: None };
    let door = &rig.console.backend().door;
    door.ask(alarm::key(AlarmCode::Door, "s1"), id("t/1"), raise, tongdao_actors::request::Lane::Rest).await.expect("raised");
    let mut page = rig.page().await;
    list.update(|_, out| out.event(Timestamp(0), Some(&id("c/1")), json!({"k": "alarm", "source": "s1"})));
    let frame = |n: u64| json!({"t": "cmd", "id": n, "command_id": format!("c/{n}"), "op": "alarm.ack", "args": {"id": "door.s1"}, "ttl_ms": 60_000});
    assert_eq!(page.ask(frame(1)).await, json!({"t": "ack", "id": 1, "ok": true, "result": {}, "ch": "alarms", "seq": 1}));
    assert_eq!(
        page.ask(frame(2)).await,
        json!({"t": "ack", "id": 2, "ok": true, "result": {}, "ch": "alarms"}),
        "its board has told nothing"
    );
    let mut old = frame(3);
    old["if_rev"] = json!(1);
    let stale = page.ask(old).await;
    assert_eq!(
        (&stale["error"]["code"], &stale["error"]["params"]["rev"]),
        (&json!("STALE_REV"), &json!(2)),
        "raised, then taken: {stale}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_reserved_is_answered_with_an_error_and_nothing_else() {
    let rig = rig(|_| {}).await;
    let mut page = rig.page().await;
    let told = page.ask(json!({"t": "relay", "ch": "remote:r1", "d": {"offer": 1}})).await;
    assert_eq!(
        (&told["t"], &told["of"], &told["ch"], &told["error"]["code"]),
        (&json!("error"), &json!("relay"), &json!("remote:r1"), &json!("NOT_FOUND"))
    );
    assert_eq!(page.sub("nothing").await["error"]["code"], "NOT_FOUND", "the connection goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_page_is_shown_nothing_and_then_goes_on_from_where_it_stood() {
    let rig = rig(|_| {}).await;
    let board = rig.console.hub().open(Channel::Overview(None), Counter(0));
    let (_, key) = rig.session().await;
    let ticket = rig.console.sessions().ticket(&key, rig.console.now()).expect("a ticket").0;
    let mut page = rig.by_ticket(&ticket).await;
    assert_eq!(page.next().await["t"], "hello");
    let epoch = page.sub("overview:all").await["epoch"].clone();
    rig.console.sessions().lock_now(&key);
    assert_eq!(page.next().await, json!({"t": "lock", "on": true}));
    step(&board, 0);
    assert_eq!(page.sub("overview:all").await["error"]["code"], "LOCKED");
    let refused = page.ask(json!({"t": "cmd", "id": 9, "command_id": "a", "op": "alarm.ack", "args": {"id": "x"}, "ttl_ms": 1000})).await;
    assert_eq!((&refused["id"], &refused["ok"], &refused["error"]["code"]), (&json!(9), &json!(false), &json!("LOCKED")));
    rig.console.sessions().unlock(&key, rig.console.now());
    assert_eq!(page.next().await, json!({"t": "lock", "on": false}));
    let answer = page.ask(json!({"t": "sub", "id": 1, "ch": "overview:all", "epoch": epoch, "seq": 0})).await;
    assert_eq!((&answer["recovered"], answer["events"].as_array().map(Vec::len)), (&json!(true), Some(1)));
    rig.console.sessions().end(&key, Ended::SignedOut);
    assert_eq!(page.closed().await, 4003);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_nobody_understands_ends_the_connection() {
    let rig = rig(|_| {}).await;
    let long = "x".repeat(MESSAGE_BYTES_MAX + 1);
    for bad in ["", "{", "[]", r#"{"t":"dance"}"#, r#"{"t":"sub","id":1}"#, r#"{"t":"beat","colour":1}"#, &long] {
        let mut page = rig.page().await;
        page.ws.send(Frame::text(bad)).await.expect("sent");
        assert_eq!(page.closed().await, 4501, "{bad:.40}");
    }
    let mut page = rig.page().await;
    page.ws.send(Frame::binary(vec![1, 2])).await.expect("sent");
    assert_eq!(page.closed().await, 4501);
    let mut page = rig.page().await;
    for ch in ["nothing", "gates:nowhere", "alarms"] {
        assert_eq!(page.sub(ch).await["error"]["code"], "NOT_FOUND", "{ch}: an answer, not the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_open_a_socket() {
    let rig = rig(|_| {}).await;
    let ticket = rig.ticket().await;
    let mut first = rig.by_ticket(&ticket).await;
    assert_eq!(first.next().await["user"], "li");
    assert_eq!(rig.by_ticket(&ticket).await.closed().await, 4500, "a ticket is good once");
    assert_eq!(rig.by_ticket("never").await.closed().await, 4500);
    let protocol = ("sec-websocket-protocol", "tongdao.v1.json".to_owned());
    assert_eq!(rig.open(std::slice::from_ref(&protocol)).await.expect("upgraded").closed().await, 4003);
    let cookie = ("cookie", format!("session={}", rig.session().await.0));
    let from = |origin: &str| ("origin", origin.to_owned());
    let own = format!("http://{}", rig.address);
    let mut page = rig.open(&[protocol.clone(), cookie.clone(), from(&own)]).await.expect("our own page");
    assert_eq!(page.next().await["t"], "hello");
    assert_eq!(rig.open(&[protocol.clone(), cookie.clone(), from("http://evil.example")]).await.err(), Some(403));
    assert_eq!(rig.open(&[protocol.clone(), cookie.clone(), from(&format!("{own}.evil.example"))]).await.err(), Some(403));
    assert_eq!(rig.open(&[protocol, cookie.clone()]).await.expect("upgraded").closed().await, 4003, "a cookie needs a page");
    assert_eq!(rig.open(&[("sec-websocket-protocol", "mqtt".into()), cookie, from(&own)]).await.err(), Some(400));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_told() {
    let limits = |limits: &mut SocketLimits| {
        limits.connections_per_user_max = 1;
        limits.subscriptions_max = 1;
        limits.commands_per_s = 1;
        limits.messages_per_s = 20;
    };
    let rig = rig(limits).await;
    let _boards = (rig.console.hub().open(Channel::Overview(None), Counter(0)), rig.console.hub().open(Channel::Alarms, Counter(0)));
    let mut page = rig.page().await;
    assert_eq!(rig.by_ticket(&rig.ticket().await).await.closed().await, 4504, "one connection");
    assert_eq!(page.sub("overview:all").await["seq"], 0);
    assert_eq!(page.sub("overview:all").await["seq"], 0, "the same again is no second one");
    assert_eq!(page.sub("alarms").await["error"]["code"], "TOO_MANY");
    let mut codes = Vec::new();
    for n in 0..6 {
        let ack = page.ask(json!({"t": "cmd", "id": n, "command_id": format!("a/{n}"), "op": "dance", "args": {}, "ttl_ms": 1000})).await;
        codes.push(ack["error"]["code"].as_str().expect("a code").to_owned());
    }
    assert_eq!((codes[0].as_str(), codes[5].as_str()), ("UNKNOWN_OP", "TOO_MANY"));
    for _ in 0..60 {
        let _ = page.ws.send(Frame::text(r#"{"t":"beat"}"#)).await;
    }
    assert_eq!(page.closed().await, 4504);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_says_good_bye_and_waits() {
    let rig = rig(|limits| limits.heartbeat_ms = 20).await;
    let board = rig.console.hub().open(Channel::Overview(None), Counter(0));
    let mut page = rig.page().await;
    assert_eq!(page.sub("overview:all").await["seq"], 0);
    step(&board, 0);
    let mut positions = Value::Null;
    while positions["overview:all"] != 1 {
        positions = page.next().await["positions"].clone();
    }
    let console = rig.console.clone();
    let draining = tokio::spawn(async move { console.drain(PATIENCE).await });
    assert_eq!(page.closed().await, 4001);
    drop(page);
    draining.await.expect("drained");
    assert_eq!(rig.console.connections(), 0);
}

#[test]
fn heartbeats_of_consoles_that_came_together_are_spread_over_half_of_their_time() {
    let first: std::collections::BTreeSet<i64> = (1000..1064).map(|number| first_beat(10_000, number).0).collect();
    assert_eq!(first.len(), 64, "each at another moment");
    assert!(first.iter().all(|ms| (5_000..10_000).contains(ms)), "none later than a heartbeat: {first:?}");
    let gaps = first.iter().zip(first.iter().skip(1)).map(|(a, b)| b - a);
    assert!(gaps.max() <= Some(80), "and none far from the next: {first:?}");
}
