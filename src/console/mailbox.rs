//! Where the hub and finished commands leave frames for one socket: an outbox behind a lock, the positions of its
//! subscriptions, and a bell. Whoever leaves something never waits.
use super::hub::{Opened, Start, Subscriber};
use super::outbox::{Next, Outbox};
use super::rights::{self, Ask};
use super::{Caller, Channel, Console};
use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::console::codes::Code;
use tongdao_protocol::console::frames::{Beat, FrameId, ServerFrame, UnsubReply, encode};

/// The mailbox of one socket.
pub(super) struct Mailbox {
    console: Console,
    caller: Mutex<Arc<Caller>>,
    inner: Mutex<Inner>,
    /// Rings when something was left.
    pub(super) bell: Notify,
    /// Rings once, when more waits than may.
    pub(super) overflow: Notify,
}

struct Inner {
    outbox: Outbox,
    /// More waits than may: the reader is given up, and nothing is left for it any more.
    over: bool,
    /// Subscriptions: their mark, channel, the console's id for the answer, and how far they are.
    subs: Vec<Sub>,
}

struct Sub {
    mark: u64,
    ch: String,
    asked: FrameId,
    seq: u64,
}

impl Mailbox {
    pub(super) fn new(console: Console, caller: Arc<Caller>, outbox: Outbox) -> Self {
        let inner = Mutex::new(Inner { outbox, over: false, subs: Vec::new() });
        Self { console, caller: Mutex::new(caller), inner, bell: Notify::new(), overflow: Notify::new() }
    }

    /// A frame of the connection itself.
    pub(super) fn push(&self, frame: &ServerFrame) {
        self.leave(|inner| inner.outbox.push(None, encode(frame).into()));
    }

    /// The answer to a subscription that is about to be made.
    pub(super) fn expect(&self, mark: u64, ch: String, asked: FrameId) {
        self.inner().subs.push(Sub { mark, ch, asked, seq: 0 });
    }

    /// Nothing more of this subscription, not even what waits.
    pub(super) fn forget(&self, mark: u64) {
        let mut inner = self.inner();
        inner.subs.retain(|sub| sub.mark != mark);
        inner.outbox.forget(mark);
    }

    /// The heartbeat with the position of each channel.
    pub(super) fn beat(&self, now: Timestamp) {
        self.leave(|inner| {
            let positions: BTreeMap<String, u64> = inner.subs.iter().map(|sub| (sub.ch.clone(), sub.seq)).collect();
            inner.outbox.push(None, encode(&ServerFrame::Beat(Beat { now: now.into(), positions })).into());
        });
    }

    /// Other rights from now on.
    pub(super) fn set_caller(&self, caller: Arc<Caller>) {
        *self.caller.lock().unwrap_or_else(PoisonError::into_inner) = caller;
    }

    pub(super) fn next(&self, now: Timestamp) -> Next {
        let mut inner = self.inner();
        if inner.over { Next::Slow } else { inner.outbox.next(now) }
    }

    /// A write went through. True when the reader has caught up and must be told the state lane again.
    pub(super) fn wrote(&self, waited: bool) -> bool {
        let mut inner = self.inner();
        inner.outbox.wrote(waited);
        inner.outbox.caught_up()
    }

    pub(super) fn too_slow(&self, writing: bool, now: Timestamp) -> (bool, Option<Timestamp>) {
        let mut inner = self.inner();
        (inner.outbox.too_slow(writing, now) || inner.over, inner.outbox.gives_up_at())
    }

    pub(super) fn bytes(&self) -> usize {
        self.inner().outbox.bytes()
    }

    fn leave(&self, leave: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner();
        if inner.over {
            return;
        }
        leave(&mut inner);
        if inner.outbox.is_over() {
            inner.over = true;
            self.overflow.notify_one();
        }
        drop(inner);
        self.bell.notify_one();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Leaves something of a subscription; nothing once that is forgotten.
    fn of(&mut self, mark: u64, leave: impl FnOnce(&mut Sub, &mut Outbox)) {
        if let Some(sub) = self.subs.iter_mut().find(|sub| sub.mark == mark) {
            leave(sub, &mut self.outbox);
        }
    }
}

impl Subscriber for Mailbox {
    fn opened(&self, mark: u64, opened: Opened<'_>) {
        self.leave(|inner| {
            inner.of(mark, |sub, outbox| {
                sub.seq = opened.seq;
                outbox.push_answer(mark, answer(sub, &opened).into());
                if let Start::Recovered { states, .. } = opened.what {
                    states.iter().for_each(|(key, frame)| outbox.push_state(mark, key, frame.clone()));
                }
            });
        });
    }
    fn event(&self, mark: u64, seq: u64, frame: &Utf8Bytes) {
        self.leave(|inner| {
            inner.of(mark, |sub, outbox| {
                sub.seq = seq;
                outbox.push(Some(mark), frame.clone());
            });
        });
    }
    fn state(&self, mark: u64, key: &Arc<str>, frame: &Utf8Bytes) {
        self.leave(|inner| inner.of(mark, |_, outbox| outbox.push_state(mark, key, frame.clone())));
    }
    fn closed(&self, mark: u64) {
        self.leave(|inner| {
            inner.of(mark, |sub, outbox| {
                let over = UnsubReply { id: None, ch: sub.ch.clone(), error: Some(Code::NotFound.into()) };
                outbox.push(None, encode(&ServerFrame::Unsub(over)).into());
            });
            inner.subs.retain(|sub| sub.mark != mark);
        });
    }
    fn sees(&self, channel: &Channel, item: &Value) -> bool {
        let caller = Arc::clone(&self.caller.lock().unwrap_or_else(PoisonError::into_inner));
        let world = &self.console.backend().world;
        let may = rights::may(&caller, world, Ask::Push(channel)).is_ok();
        may && (!rights::looks_at_items(&caller, channel) || rights::sees_item(&caller, world, channel, item))
    }
    fn view(&self, channel: &Channel) -> Option<u64> {
        let caller = Arc::clone(&self.caller.lock().unwrap_or_else(PoisonError::into_inner));
        rights::view(&caller, channel)
    }
}

/// The beginning of the answer to `sub`.
#[derive(Serialize)]
struct Head<'a> {
    t: &'static str,
    id: &'a FrameId,
    ch: &'a str,
    epoch: &'a str,
    seq: u64,
    recovered: bool,
}

/// The answer to `sub`, put together from what is text already.
fn answer(sub: &Sub, opened: &Opened<'_>) -> String {
    let recovered = matches!(opened.what, Start::Recovered { .. });
    let head = Head { t: "sub", id: &sub.asked, ch: &sub.ch, epoch: opened.epoch, seq: opened.seq, recovered };
    let mut text = encode(&head);
    text.pop();
    match &opened.what {
        Start::Recovered { events, .. } => {
            let events: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
            text.push_str(r#","events":["#);
            text.push_str(&events.join(","));
            text.push_str("]}");
        }
        Start::Snapshot(snapshot) => {
            text.push_str(r#","snapshot":"#);
            text.push_str(snapshot);
            text.push('}');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(what: Start<'_>) -> serde_json::Value {
        let sub = Sub { mark: 1, ch: "alarms".into(), asked: FrameId::Number(7), seq: 0 };
        serde_json::from_str(&answer(&sub, &Opened { epoch: "n-1.0", seq: 4, what })).expect("JSON")
    }

    #[test]
    fn an_answer_is_what_the_contract_says() {
        let states = BTreeMap::new();
        let recovered = text(Start::Recovered { events: vec![r#"{"t":"event"}"#.into(), "{}".into()], states: &states });
        assert_eq!(
            recovered,
            serde_json::json!({"t": "sub", "id": 7, "ch": "alarms", "epoch": "n-1.0", "seq": 4, "recovered": true, "events": [{"t": "event"}, {}]})
        );
        let whole = text(Start::Snapshot(r#"{"rev":4}"#.into()));
        assert_eq!((&whole["recovered"], &whole["snapshot"]), (&serde_json::json!(false), &serde_json::json!({"rev": 4})));
        for answer in [recovered, whole] {
            assert!(matches!(serde_json::from_value(answer), Ok(ServerFrame::Sub(_))));
        }
    }
}
