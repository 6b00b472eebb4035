//! Runs against a server of the contract's words that keeps to it, or breaks it in one way.
use super::report::Report;
use super::run::Run;
use super::sent::Sent;
use super::*;
use crate::clock::Clock;
use futures_util::{SinkExt as _, StreamExt as _};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use tongdao_protocol::console::SUBPROTOCOL;

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Good,
    /// Leaves an event out.
    Skips,
    /// Lets nobody subscribe.
    Forbids,
    /// Waits for a slow reader for ever.
    Patient,
}

/// A server on a thread of its own; ends when dropped.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(manner: Manner) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("not blocking");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            LocalSet::new().block_on(&runtime, async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! { () = accept(listener, manner) => {}, _ = stopped => {} }
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }
}
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().map(JoinHandle::join);
    }
}

async fn accept(listener: TcpListener, manner: Manner) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(async move {
            if let Ok(socket) = accept_hdr_async(stream, Door).await {
                converse(socket, manner).await;
            }
        });
    }
}

/// Lets in who comes as a page does.
struct Door;
impl Callback for Door {
    fn on_request(self, request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
        let said = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        assert_eq!(said(header::COOKIE), "session=abc");
        assert!(said(header::ORIGIN).starts_with("http://127.0.0.1:"));
        assert_eq!(said(header::SEC_WEBSOCKET_PROTOCOL), SUBPROTOCOL);
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL.parse().expect("a value"));
        Ok(response)
    }
}

fn event(channel: &str, seq: u64) -> String {
    format!(
        r#"{{"t":"event","ch":"{channel}","seq":{seq},"at":"2026-01-01T00:00:00.000Z","cause":"tap/g1/9/{seq}","d":{{"k":"tap","pad":"{:0>500}"}}}}"#,
        0
    )
}

/// Answers the subscription of one channel, then sends events as fast as they are taken.
async fn converse(mut socket: WebSocketStream<TcpStream>, manner: Manner) {
    let Some(Ok(Message::Text(asked))) = socket.next().await else { return };
    let asked: serde_json::Value = serde_json::from_str(asked.as_str()).expect("JSON");
    let channel = asked["ch"].as_str().expect("a channel").to_owned();
    let mut seq = asked["seq"].as_u64().map_or(1, |seq| seq + 1);
    let answer = if manner == Manner::Forbids {
        format!(r#"{{"t":"sub","id":0,"ch":"{channel}","error":{{"code":"FORBIDDEN"}}}}"#)
    } else if asked["seq"].is_null() {
        format!(r#"{{"t":"sub","id":0,"ch":"{channel}","epoch":"n.1","seq":{seq},"recovered":false,"snapshot":{{"rev":1}}}}"#)
    } else {
        let missed = event(&channel, seq);
        format!(r#"{{"t":"sub","id":0,"ch":"{channel}","epoch":"n.1","seq":{seq},"recovered":true,"events":[{missed}]}}"#)
    };
    if socket.send(Message::text(answer)).await.is_err() || manner == Manner::Forbids {
        while let Some(Ok(_)) = socket.next().await {}
        return;
    }
    loop {
        seq += if manner == Manner::Skips && seq == 5 { 2 } else { 1 };
        let sending = socket.send(Message::text(event(&channel, seq)));
        let sent = if manner == Manner::Patient { Ok(sending.await) } else { timeout(Duration::from_millis(300), sending).await };
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn run(manner: Manner, plan: impl FnOnce(&mut Plan)) -> io::Result<Report> {
    let server = Server::start(manner);
    let mut asked = Plan {
        address: server.address,
        consoles: 3,
        slow: 0,
        channels: vec!["gates:{station}".into()],
        before: Duration::ZERO,
        warm_up: Duration::ZERO,
        measured: Duration::from_millis(100),
        storms: 0,
        storm_pause: Duration::from_millis(20),
        follow_within: Duration::from_secs(20),
        server_pid: None,
    };
    plan(&mut asked);
    let places = Places { site: "cd".into(), stations: vec!["a".into(), "b".into()], devices: vec!["g1".into()] };
    let sent = Arc::new(Sent::new(9, ["g1"]));
    (1..1_000).for_each(|seq| sent.note("g1", seq, 0));
    Run::start(asked, places, vec!["session=abc".into()], (Clock::at(0), sent, Arc::default()), None)
}

#[test]
fn consoles_follow_and_what_they_see_is_measured() {
    let report = run(Manner::Good, |_| {}).expect("a run");
    assert_eq!(report.broken(), Vec::<String>::new(), "{report}");
    assert!(report.events_per_s > 0.0 && report.bytes_per_s > 500.0, "{report}");
    assert!(report.following.max_ms > 0.0 && report.faults.lost.is_empty(), "{report}");
}

#[test]
fn after_a_storm_they_go_on_where_they_were() {
    let report = run(Manner::Good, |plan| plan.storms = 2).expect("a run");
    assert_eq!(report.broken(), Vec::<String>::new(), "{report}");
    let back: Vec<_> = report.storms.iter().map(|storm| (storm.recovered, storm.whole)).collect();
    assert_eq!(back, [(3, 0), (3, 0)], "{report}");
}

#[test]
fn an_event_that_is_left_out_is_found() {
    let report = run(Manner::Skips, |_| {}).expect("a run");
    assert_eq!(report.faults.broken["an event is missing, or came twice"], 3, "{report}");
}

#[test]
fn whoever_may_not_follow_ends_the_run_with_the_reason() {
    let why = run(Manner::Forbids, |plan| plan.follow_within = Duration::from_millis(500)).err().map(|error| error.to_string());
    assert_eq!(why.as_deref(), Some("only 0 of 3 consoles came: FORBIDDEN"));
}

#[test]
fn who_never_reads_is_dropped_or_the_server_is_too_patient() {
    let slow = |plan: &mut Plan| (plan.slow, plan.consoles, plan.measured) = (1, 1, Duration::from_secs(1));
    let good = run(Manner::Good, slow).expect("a run");
    assert_eq!((good.slow.consoles, good.slow.dropped), (1, 1), "{good}");
    let report = Report { slow: report::Slow { consoles: 1, ..good.slow }, ..Report::default() };
    assert!(report.broken().is_empty());
    let patient = run(Manner::Patient, slow).expect("a run");
    assert_eq!(patient.broken(), ["1 consoles that never read were kept"], "{patient}");
}

#[test]
fn each_console_has_its_place() {
    let places = Places { site: "cd".into(), stations: vec!["a".into(), "b".into()], devices: vec!["g1".into(), "g2".into(), "g3".into()] };
    let patterns = ["overview:{site}", "gates:{station}", "device:{device}", "alarms"].map(str::to_owned);
    assert_eq!(places.channels(&patterns, 0), ["overview:cd", "gates:a", "device:g1", "alarms"]);
    assert_eq!(places.channels(&patterns, 4), ["overview:cd", "gates:a", "device:g2", "alarms"]);
}
