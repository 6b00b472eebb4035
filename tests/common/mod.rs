//! A real server on free loopback ports, and real gates that speak to it through a foreign MQTT client.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::disallowed_methods,
    reason = "each test file uses its own part; a test of a whole process waits for it by the wall clock"
)]
pub mod http;
pub mod raw;
pub mod socket;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnAck, LastWill, PubAckReason};
use rumqttc::v5::{Client, Event, Incoming, MqttOptions};
use serde_json::{Value, json};
use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing that works takes longer, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The server's program.
pub const TONGDAO: &str = env!("CARGO_BIN_EXE_tongdao");

/// A city of four stations on one line: 3 km, 5 km, 8 km apart; fares by the Chengdu ladder.
pub const SITE: &str = r#"
id = "cd"
fares = "chengdu"
[[stations]]
id = "tianfu"
name = { "zh-CN" = "天府广场", en = "Tianfu Square" }
gates = [{ device = "g1", service = "both" }, { device = "g2", service = "both" }]
[[stations]]
id = "luomashi"
name = { "zh-CN" = "骡马市", en = "Luomashi" }
gates = [{ device = "g3", service = "both" }]
[[stations]]
id = "wenshuyuan"
name = { "zh-CN" = "文殊院", en = "Wenshu Monastery" }
gates = [{ device = "g4", service = "entry" }]
[[stations]]
id = "renminbei"
name = { "zh-CN" = "人民北路", en = "North Renmin Road" }
gates = [{ device = "g5", service = "exit" }]
[[tracks]]
from = "tianfu"
to = "luomashi"
distance_m = 3000
[[tracks]]
from = "luomashi"
to = "wenshuyuan"
distance_m = 5000
[[tracks]]
from = "wenshuyuan"
to = "renminbei"
distance_m = 8000
"#;

/// A port that nobody listens on now, and that nobody is given by chance before a server listens on it: it lies below those
/// that the system hands out, and each is tried once.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const PORTS: std::ops::Range<u32> = 10_000..32_000;
    let first = std::process::id().wrapping_mul(97);
    let ports = || PORTS.start + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
    let tried = std::iter::repeat_with(|| u16::try_from(ports()).expect("below 65,536")).take(PORTS.len());
    tried.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// Milliseconds since the epoch as RFC 3339.
pub fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).expect("a time").strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Now, in milliseconds since the epoch.
pub fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A running server; killed when dropped.
pub struct Server {
    pub dir: TempDir,
    pub mqtt: u16,
    pub http: u16,
    pub config: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// Starts one in a folder of its own, with the small city and whatever `extra` says in its config.
    pub fn start(extra: &str) -> Self {
        let mut server = Self::prepare(extra);
        server.spawn();
        server
    }

    /// The folder and the config of a server that does not run yet.
    pub fn prepare(extra: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (mqtt, http) = (free_port(), free_port());
        fs::write(dir.path().join("cd.toml"), SITE).expect("the site file");
        let config = dir.path().join("tongdao.toml");
        let text = format!(
            "data_dir = \"{0}/data\"\nsites = [\"{0}/cd.toml\"]\n{extra}\n[listen]\nmqtt = \"127.0.0.1:{mqtt}\"\nhttp = \"127.0.0.1:{http}\"\n",
            dir.path().display()
        );
        fs::write(&config, text).expect("the config");
        Self { dir, mqtt, http, config, child: None }
    }

    /// Starts the process and waits until it is ready.
    pub fn spawn(&mut self) {
        self.spawn_under(&[]);
    }

    /// As [`Server::spawn`], under another program such as `strace`.
    pub fn spawn_under(&mut self, wrapper: &[&str]) {
        self.launch(wrapper);
        let end = Instant::now() + PATIENCE;
        while !self.ready() {
            let ended = self.child.as_mut().and_then(|c| c.try_wait().ok()).flatten();
            assert!(ended.is_none(), "the server ended with {ended:?}: {}", self.log());
            assert!(Instant::now() < end, "the server is not ready: {}", self.log());
            std::thread::yield_now();
        }
    }

    /// Starts the process without waiting.
    pub fn launch(&mut self, wrapper: &[&str]) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).expect("a log");
        let mut words = wrapper.to_vec();
        words.push(TONGDAO);
        let child = Command::new(words[0])
            .args(&words[1..])
            .args(["serve", "--config"])
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        self.child = Some(child);
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Is `/readyz` well?
    pub fn ready(&self) -> bool {
        self.get("/readyz").starts_with("HTTP/1.1 200")
    }

    /// One HTTP GET, whole answer; empty when nobody answers.
    pub fn get(&self, path: &str) -> String {
        use std::io::Write as _;
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.http)) {
            let _ = stream.set_read_timeout(Some(PATIENCE));
            let _ = write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let _ = stream.read_to_string(&mut answer);
        }
        answer
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Does this text stand in any file that the server has written?
    pub fn found_on_disk(&self, canary: &str) -> bool {
        let found =
            Command::new("grep").args(["-rlaF", "-e", canary]).arg(self.dir.path().join("data")).arg(self.dir.path().join("log")).output();
        !found.expect("grep").stdout.is_empty()
    }

    /// Kills the server and searches every file it has left for a text that must not be there.
    pub fn kill_and_search(mut self, canary: &str) {
        self.kill9();
        assert!(!self.found_on_disk(canary), "{canary} stands in a file");
    }

    /// Does the process still run?
    pub fn running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// `doctor --accept-loss`.
    pub fn by_doctor(&self) {
        self.ok(&["doctor", "--accept-loss"]);
    }

    /// `kill -9`, and waits.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM; its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("it runs");
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        child.wait().expect("it ends").code()
    }

    /// Waits until the process has ended by itself; its exit code (none: by a signal).
    pub fn wait_end(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("it runs");
        child.wait().expect("it ends").code()
    }

    /// Runs `tongdao` with this server's config.
    pub fn cli(&self, args: &[&str]) -> Output {
        Command::new(TONGDAO).args(args).arg("--config").arg(&self.config).stdin(Stdio::null()).output().expect("tongdao runs")
    }

    /// As [`Server::cli`]; must succeed; its standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.cli(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// As [`Server::ok`], with a name and a reason.
    pub fn by_li(&self, args: &[&str]) -> String {
        self.ok(&[args, &["--by", "li", "--reason", "test"]].concat())
    }

    /// Registers a gate; its secret.
    pub fn add_gate(&self, id: &str) -> String {
        self.by_li(&["device", "add", id, "--kind", "gate", "--site", "cd"]).trim().to_owned()
    }

    /// Opens accounts from CSV lines (`account_id,class,passenger_class,balance,medium_kind,medium_token`).
    pub fn accounts(&self, lines: &str) {
        let file = self.dir.path().join("accounts.csv");
        fs::write(&file, format!("account_id,class,passenger_class,balance,medium_kind,medium_token\n{lines}")).expect("the file");
        self.by_li(&["account", "import", file.to_str().expect("UTF-8")]);
    }

    /// `account show ID --json`.
    pub fn account(&self, id: &str) -> Value {
        serde_json::from_str(&self.ok(&["account", "show", id, "--json"])).expect("JSON")
    }

    /// The balance as shown.
    pub fn balance(&self, id: &str) -> String {
        let account = self.account(id);
        account["balance"]["amount"].as_str().unwrap_or_else(|| panic!("a balance in {account}")).to_owned()
    }

    /// Every committed event.
    pub fn export(&self) -> Vec<Value> {
        self.ok(&["export", "--format", "ndjson"]).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Connects as a gate and says its state.
    pub fn gate(&self, id: &str, secret: &str) -> Gate {
        let gate = Gate::connect(self.mqtt, id, secret);
        gate.state(true);
        gate
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// What a gate hears.
#[derive(Debug)]
pub enum Heard {
    Connected(Box<ConnAck>),
    Acked(u16, PubAckReason),
    Message(String, Value, bool),
    Ended(String),
}

/// A gate on a foreign MQTT 5 client.
pub struct Gate {
    pub id: String,
    client: Client,
    heard: Receiver<Heard>,
    waiting: std::cell::RefCell<std::collections::VecDeque<(String, Value, bool)>>,
    acks: std::cell::RefCell<Vec<PubAckReason>>,
    sent: std::cell::Cell<usize>,
}

impl Gate {
    /// Connects and subscribes to its own `down/#`.
    pub fn connect(port: u16, id: &str, secret: &str) -> Self {
        let gate = Self::open(port, id, id, secret, true);
        gate.client.subscribe(format!("td/1/cd/gate/{id}/down/#"), QoS::AtLeastOnce).expect("subscribed");
        gate
    }

    /// Opens a connection and waits for the CONNACK; panics where there is none.
    pub fn open(port: u16, client_id: &str, user: &str, secret: &str, will: bool) -> Self {
        let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
        options.set_credentials(user, secret).set_keep_alive(Duration::from_secs(10));
        if will {
            let body = json!({"online": false, "service": "both", "firmware": "1", "versions": {}, "faults": [], "at": rfc3339(now_ms())});
            let topic = format!("td/1/cd/gate/{client_id}/up/state");
            options.set_last_will(LastWill::new(topic, body.to_string(), QoS::AtLeastOnce, true, None));
        }
        let (client, mut connection) = Client::new(options, 64);
        let (sender, heard) = channel();
        std::thread::spawn(move || {
            for event in connection.iter() {
                let told = match event {
                    Ok(Event::Incoming(Incoming::ConnAck(ack))) => sender.send(Heard::Connected(Box::new(ack))),
                    Ok(Event::Incoming(Incoming::PubAck(ack))) => sender.send(Heard::Acked(ack.pkid, ack.reason)),
                    Ok(Event::Incoming(Incoming::Publish(p))) => {
                        let topic = String::from_utf8_lossy(&p.topic).into_owned();
                        sender.send(Heard::Message(topic, serde_json::from_slice(&p.payload).expect("JSON"), p.retain))
                    }
                    Ok(_) => Ok(()),
                    Err(fault) => {
                        let _ = sender.send(Heard::Ended(format!("{fault:?}")));
                        return;
                    }
                };
                if told.is_err() {
                    return;
                }
            }
        });
        let gate = Self {
            id: client_id.to_owned(),
            client,
            heard,
            waiting: Default::default(),
            acks: Default::default(),
            sent: Default::default(),
        };
        match gate.heard.recv_timeout(PATIENCE) {
            Ok(Heard::Connected(_)) => gate,
            other => panic!("{client_id} is not let in: {other:?}"),
        }
    }

    /// Publishes below its own `up/`; the reason of the PUBACK.
    pub fn up(&self, message: &str, body: &Value) -> PubAckReason {
        self.publish(&format!("td/1/cd/gate/{}/up/{message}", self.id), &body.to_string(), message == "state")
    }

    /// Publishes anything; the reason of the PUBACK.
    pub fn publish(&self, topic: &str, body: &str, retain: bool) -> PubAckReason {
        self.settle();
        self.client.publish(topic, QoS::AtLeastOnce, retain, body.to_owned()).expect("sent");
        self.sent.set(self.sent.get() + 1);
        self.settle();
        *self.acks.borrow().last().expect("its own PUBACK")
    }

    /// Waits until everything it has published is acknowledged.
    pub fn settle(&self) {
        let end = Instant::now() + PATIENCE;
        while self.acks.borrow().len() < self.sent.get() {
            assert!(self.pump(end), "{}: {} PUBACKs of {}", self.id, self.acks.borrow().len(), self.sent.get());
        }
    }

    /// Publishes without waiting for the PUBACK.
    pub fn throw(&self, message: &str, body: &Value) {
        let topic = format!("td/1/cd/gate/{}/up/{message}", self.id);
        self.client.publish(topic, QoS::AtLeastOnce, false, body.to_string()).expect("sent");
        self.sent.set(self.sent.get() + 1);
    }

    /// Says its state.
    pub fn state(&self, online: bool) {
        let body = json!({"online": online, "service": "both", "firmware": "1", "versions": {}, "faults": [], "at": rfc3339(now_ms())});
        assert_eq!(self.up("state", &body), PubAckReason::Success);
    }

    /// Taps now and waits for the decision.
    pub fn tap(&self, seq: u64, direction: &str, token: &str) -> Value {
        self.tap_body(&self.tap_json(seq, direction, token))
    }

    /// Sends a tap and waits for the decision with its seq.
    pub fn tap_body(&self, body: &Value) -> Value {
        self.throw("tap", body);
        self.decision(body["seq"].as_u64().expect("a seq"))
    }

    /// The body of a tap made now, in boot 1.
    pub fn tap_json(&self, seq: u64, direction: &str, token: &str) -> Value {
        json!({"epoch": 1, "seq": seq, "direction": direction, "medium": {"kind": "ecny", "token": token},
               "at": rfc3339(now_ms()), "deadline_ms": 20_000, "mode": 0, "list_version": 0})
    }

    /// Waits for the decision with this seq.
    pub fn decision(&self, seq: u64) -> Value {
        self.next("decision", |body| body["seq"] == seq)
    }

    /// Waits for a message below its own `down/` that fits; others wait for their turn.
    pub fn next(&self, message: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.next_with_retain(message, fits).0
    }

    /// As [`Gate::next`], with the retain flag.
    pub fn next_with_retain(&self, message: &str, fits: impl Fn(&Value) -> bool) -> (Value, bool) {
        let topic = format!("td/1/cd/gate/{}/down/{message}", self.id);
        let end = Instant::now() + PATIENCE;
        loop {
            let place = self.waiting.borrow().iter().position(|(t, body, _)| *t == topic && fits(body));
            if let Some(place) = place {
                let (_, body, retain) = self.waiting.borrow_mut().remove(place).expect("it is there");
                return (body, retain);
            }
            assert!(self.pump(end), "{}: no {message}; waiting: {:?}", self.id, self.waiting.borrow());
        }
    }

    /// Waits until the connection ends; why.
    pub fn ended(&self) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(Heard::Ended(why)) => return why,
                Ok(_) => {}
                Err(fault) => panic!("{}: still connected: {fault}", self.id),
            }
        }
    }

    /// Takes one thing heard; false when the time is over.
    fn pump(&self, end: Instant) -> bool {
        match self.heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Heard::Acked(_, reason)) => self.acks.borrow_mut().push(reason),
            Ok(Heard::Message(topic, body, retain)) => self.waiting.borrow_mut().push_back((topic, body, retain)),
            Ok(Heard::Connected(_)) => {}
            Ok(Heard::Ended(why)) => panic!("{}: the connection ended: {why}", self.id),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
        }
        true
    }

    /// Leaves in peace (no will).
    pub fn leave(self) {
        let _ = self.client.disconnect();
    }
}

/// Where `tests/run` puts the foreign clients.
pub fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools")
}

/// Is this program here? Says so in a line where it is not.
pub fn have(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().is_ok_and(|o| o.status.success());
    if !found {
        println!("skip: {program} is not here; ./tests/run installs it");
    }
    found
}
