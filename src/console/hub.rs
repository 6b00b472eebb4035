//! The channels of this node: each has a board (what a newcomer is shown), a sequence of events, the newest value of each
//! state key, and its subscribers. All of it stands behind one lock a channel, so that a snapshot or the recovered events
//! and everything after them join without a gap. Each frame is written once and shared by everybody who gets it.
//!
//! Not here: who may see a channel (`rights`), how a socket keeps up with it (`outbox`), what a board means (`boards`).
use super::Channel;
use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::console::frames;

#[cfg(test)]
mod tests;

/// What a channel shows to somebody who has just come.
pub trait Board: Send + 'static {
    /// The whole of it as JSON, beginning with `rev` and `at`.
    fn snapshot(&self, now: Timestamp) -> Value;
}

/// How much of its past a channel keeps for consoles that come back.
#[derive(Debug, Clone, Copy)]
pub struct HubLimits {
    /// Events, at most …
    pub recent_events_max: usize,
    /// … and bytes of their frames, at most.
    pub recent_bytes_max: usize,
}

/// Who gets the frames of a channel. Called under the channel's lock: it must neither block nor call the hub.
pub trait Subscriber: Send + Sync + 'static {
    /// The first thing heard: where the channel stands. `sub` is the subscriber's own mark.
    fn opened(&self, sub: u64, opened: Opened<'_>);
    /// The next event; `seq` is exactly one more than the last.
    fn event(&self, sub: u64, seq: u64, frame: &Utf8Bytes);
    /// The newest value of a key; earlier ones that still wait are of no use any more.
    fn state(&self, sub: u64, key: &Arc<str>, frame: &Utf8Bytes);
    /// The channel is no more; nothing follows.
    fn closed(&self, sub: u64);
    /// May it be shown this item? Asked of lists whose items belong to many places.
    fn sees(&self, channel: &Channel, item: &Value) -> bool;
    /// What its view of such a list is known by: positions of one view say nothing in another. None = it sees everything.
    fn view(&self, channel: &Channel) -> Option<u64>;
}

/// Where a channel stands when somebody subscribes.
pub struct Opened<'a> {
    /// Which life of the board the numbers belong to.
    pub epoch: &'a str,
    /// The newest event that is covered by `what`.
    pub seq: u64,
    /// What the newcomer has to know.
    pub what: Start<'a>,
}

/// What a newcomer has to know.
pub enum Start<'a> {
    /// It was here before: the events since then, and the newest values of the state lane.
    Recovered {
        /// Event frames, oldest first.
        events: Vec<Utf8Bytes>,
        /// State frames by key.
        states: &'a BTreeMap<Arc<str>, Utf8Bytes>,
    },
    /// Everything, as JSON.
    Snapshot(String),
}

/// A subscriber and its own mark for this channel.
#[derive(Clone)]
pub struct Sink {
    /// Who.
    pub to: Arc<dyn Subscriber>,
    /// Its mark; unique among its subscriptions.
    pub sub: u64,
}

/// The channels of this node; clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    epoch: String,
    limits: HubLimits,
    opened: AtomicU64,
    channels: RwLock<HashMap<Channel, Arc<dyn Topic>>>,
}

impl Hub {
    /// A hub without channels; `epoch` names this node and this start of it.
    #[must_use]
    pub fn new(epoch: String, limits: HubLimits) -> Self {
        Self(Arc::new(Inner { epoch, limits, opened: AtomicU64::new(0), channels: RwLock::default() }))
    }

    /// From now on the channel is there. One that was open already is closed first.
    pub fn open<B: Board>(&self, channel: Channel, board: B) -> Handle<B> {
        let life = self.0.opened.fetch_add(1, Ordering::Relaxed);
        let core = Core {
            name: channel.to_string(),
            listed: matches!(channel, Channel::Alarms | Channel::Approvals | Channel::Audit),
            channel: channel.clone(),
            epoch: format!("{}.{life}", self.0.epoch),
            limits: self.0.limits,
            seq: 0,
            recent: VecDeque::new(),
            recent_bytes: 0,
            states: BTreeMap::new(),
            sinks: Vec::new(),
            closed: false,
        };
        let shared = Arc::new(Shared(Mutex::new(Live { board, core })));
        let topic: Arc<dyn Topic> = shared.clone();
        let before = self.0.channels.write().unwrap_or_else(PoisonError::into_inner).insert(channel, topic);
        if let Some(before) = before {
            before.close();
        }
        Handle(shared)
    }

    /// The channel is no more; its subscribers are told.
    pub fn close(&self, channel: &Channel) {
        let gone = self.0.channels.write().unwrap_or_else(PoisonError::into_inner).remove(channel);
        if let Some(gone) = gone {
            gone.close();
        }
    }

    /// Is there such a channel?
    #[must_use]
    pub fn is_open(&self, channel: &Channel) -> bool {
        self.topic(channel).is_some()
    }

    /// Subscribes: the sink hears [`Subscriber::opened`] first, before this returns, and then every event without a gap.
    /// `since` is the last that it knows (epoch and seq). False where there is no such channel.
    #[must_use]
    pub fn subscribe(&self, channel: &Channel, since: Option<(&str, u64)>, now: Timestamp, sink: Sink) -> bool {
        self.topic(channel).is_some_and(|topic| topic.subscribe(since, now, sink))
    }

    /// The sink hears no more of the channel.
    pub fn unsubscribe(&self, channel: &Channel, sink: &Sink) {
        if let Some(topic) = self.topic(channel) {
            topic.unsubscribe(sink);
        }
    }

    /// Tells the newest values of the state lane again, to a sink that had to leave some out.
    pub fn tell_states(&self, channel: &Channel, sink: &Sink) {
        if let Some(topic) = self.topic(channel) {
            topic.states(sink);
        }
    }

    /// At which position the event that this command caused was told, where that is one of the newest; the last of several.
    #[must_use]
    pub fn told(&self, channel: &Channel, cause: &CommandId) -> Option<u64> {
        self.topic(channel).and_then(|topic| topic.told(cause))
    }

    /// Epoch, seq and the whole snapshot, without subscribing.
    #[must_use]
    pub fn snapshot(&self, channel: &Channel, now: Timestamp) -> Option<(String, u64, Value)> {
        self.topic(channel).map(|topic| topic.snapshot(now))
    }

    fn topic(&self, channel: &Channel) -> Option<Arc<dyn Topic>> {
        self.0.channels.read().unwrap_or_else(PoisonError::into_inner).get(channel).cloned()
    }
}

/// The right to change a channel's board; clones are the same channel.
pub struct Handle<B>(Arc<Shared<B>>);

impl<B> Clone for Handle<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Board> Handle<B> {
    /// Changes the board and tells what that means, as one step: nobody sees the one without the other.
    pub fn update<T>(&self, change: impl FnOnce(&mut B, &mut Out<'_>) -> T) -> T {
        let mut live = self.0.lock();
        let Live { board, core } = &mut *live;
        change(board, &mut Out(core))
    }
}

/// What an update tells.
pub struct Out<'a>(&'a mut Core);

impl Out<'_> {
    /// The next event of the channel; `d` begins with its kind `k`. `cause` = the command that it comes from.
    pub fn event(&mut self, at: Timestamp, cause: Option<&CommandId>, d: impl Serialize) {
        let core = &mut *self.0;
        let seq = core.seq + 1;
        let Some(frame) = written(&core.name, frames::event(&core.name, seq, at.into(), cause.map(CommandId::as_str), &d)) else { return };
        let hidden = || Utf8Bytes::from(frames::event(&core.name, seq, at.into(), None, Hidden { k: "hidden" }));
        // Only what is not for everybody is looked into: its item once more, as a value.
        let restricted = core.listed.then(|| (serde_json::to_value(&d).unwrap_or_default(), hidden()));
        let told = Told { frame, restricted, cause: cause.cloned() };
        core.seq = seq;
        core.sinks.iter().for_each(|sink| sink.to.event(sink.sub, seq, told.to(&core.channel, &*sink.to)));
        core.remember(seq, told);
    }

    /// The value of a key of the state lane. `d` must be whole: who is behind hears only the newest, so a difference to
    /// an earlier value would be lost. Give what changes apart a key of its own.
    pub fn state(&mut self, key: &str, d: impl Serialize) {
        let core = &mut *self.0;
        let Some(frame) = written(&core.name, frames::state(&core.name, key, &d)) else { return };
        let key = core.states.get_key_value(key).map_or_else(|| Arc::from(key), |(known, _)| Arc::clone(known));
        core.sinks.iter().for_each(|sink| sink.to.state(sink.sub, &key, &frame));
        core.states.insert(key, frame);
    }

    /// Is anybody listening? A figure that costs something to make may be left out where nobody is.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        !self.0.sinks.is_empty()
    }

    /// The newest event's number.
    #[cfg(test)]
    pub fn seq(&self) -> u64 {
        self.0.seq
    }
}

/// What stands in the place of an item that somebody must not see: the numbers stay without a gap.
#[derive(Serialize)]
struct Hidden {
    k: &'static str,
}

/// A frame that was told; where not everybody may see it, with its item and what the others get.
struct Told {
    frame: Utf8Bytes,
    restricted: Option<(Value, Utf8Bytes)>,
    /// The command that it comes from.
    cause: Option<CommandId>,
}

impl Told {
    fn to(&self, channel: &Channel, somebody: &dyn Subscriber) -> &Utf8Bytes {
        match &self.restricted {
            Some((item, hidden)) if !somebody.sees(channel, item) => hidden,
            _ => &self.frame,
        }
    }
}

/// A board's words are ours: what cannot be written is a fault of ours, told in the log and to nobody else.
fn written(channel: &str, frame: String) -> Option<Utf8Bytes> {
    if frame.is_empty() {
        tracing::error!(channel, "a board told something that cannot be written");
        return None;
    }
    Some(frame.into())
}

struct Core {
    name: String,
    channel: Channel,
    /// Its snapshot is a list of items, each with a place of its own.
    listed: bool,
    epoch: String,
    limits: HubLimits,
    seq: u64,
    /// The newest events, without a gap up to `seq`.
    recent: VecDeque<Told>,
    recent_bytes: usize,
    states: BTreeMap<Arc<str>, Utf8Bytes>,
    sinks: Vec<Sink>,
    closed: bool,
}

impl Core {
    fn remember(&mut self, seq: u64, told: Told) {
        debug_assert_eq!(seq, self.seq, "the newest is remembered last");
        self.recent_bytes += told.frame.len();
        self.recent.push_back(told);
        while self.recent.len() > self.limits.recent_events_max || self.recent_bytes > self.limits.recent_bytes_max {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= oldest.frame.len();
        }
    }

    /// The epoch as somebody knows it: who was shown other items before gets a snapshot, and not what is new to those.
    fn epoch_of(&self, somebody: &dyn Subscriber) -> String {
        match somebody.view(&self.channel).filter(|_| self.listed) {
            Some(view) => format!("{}-{view:x}", self.epoch),
            None => self.epoch.clone(),
        }
    }

    /// The newest event of a command.
    fn told(&self, cause: &CommandId) -> Option<u64> {
        let back = self.recent.iter().rev().position(|told| told.cause.as_ref() == Some(cause))?;
        self.seq.checked_sub(u64::try_from(back).ok()?)
    }

    /// The events after `seq`, where all of them are still here.
    fn since(&self, epoch: &str, seq: u64, somebody: &dyn Subscriber) -> Option<Vec<Utf8Bytes>> {
        if epoch != self.epoch_of(somebody) {
            return None;
        }
        let missing = usize::try_from(self.seq.checked_sub(seq)?).ok()?;
        let from = self.recent.len().checked_sub(missing)?;
        Some(self.recent.range(from..).map(|told| told.to(&self.channel, somebody).clone()).collect())
    }

    /// The snapshot as somebody may see it.
    fn seen(&self, mut snapshot: Value, somebody: &dyn Subscriber) -> Value {
        if let (true, Some(items)) = (self.listed, snapshot.get_mut("items").and_then(Value::as_array_mut)) {
            items.retain(|item| somebody.sees(&self.channel, item));
        }
        snapshot
    }
}

struct Live<B> {
    board: B,
    core: Core,
}

struct Shared<B>(Mutex<Live<B>>);

impl<B> Shared<B> {
    fn lock(&self) -> MutexGuard<'_, Live<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A channel, whatever its board is.
trait Topic: Send + Sync {
    fn subscribe(&self, since: Option<(&str, u64)>, now: Timestamp, sink: Sink) -> bool;
    fn unsubscribe(&self, sink: &Sink);
    fn snapshot(&self, now: Timestamp) -> (String, u64, Value);
    fn states(&self, sink: &Sink);
    fn told(&self, cause: &CommandId) -> Option<u64>;
    fn close(&self);
}

impl<B: Board> Topic for Shared<B> {
    fn subscribe(&self, since: Option<(&str, u64)>, now: Timestamp, sink: Sink) -> bool {
        let mut live = self.lock();
        if live.core.closed {
            return false;
        }
        let recovered = since.and_then(|(epoch, seq)| live.core.since(epoch, seq, &*sink.to));
        let what = match recovered {
            Some(events) => Start::Recovered { events, states: &live.core.states },
            None => Start::Snapshot(live.core.seen(live.board.snapshot(now), &*sink.to).to_string()),
        };
        let epoch = live.core.epoch_of(&*sink.to);
        sink.to.opened(sink.sub, Opened { epoch: &epoch, seq: live.core.seq, what });
        live.core.sinks.push(sink);
        true
    }

    fn unsubscribe(&self, sink: &Sink) {
        let mut live = self.lock();
        live.core.sinks.retain(|known| !(known.sub == sink.sub && Arc::ptr_eq(&known.to, &sink.to)));
    }

    fn snapshot(&self, now: Timestamp) -> (String, u64, Value) {
        let live = self.lock();
        (live.core.epoch.clone(), live.core.seq, live.board.snapshot(now))
    }

    fn states(&self, sink: &Sink) {
        let live = self.lock();
        live.core.states.iter().for_each(|(key, frame)| sink.to.state(sink.sub, key, frame));
    }

    fn told(&self, cause: &CommandId) -> Option<u64> {
        self.lock().core.told(cause)
    }

    fn close(&self) {
        let mut live = self.lock();
        live.core.closed = true;
        let sinks = std::mem::take(&mut live.core.sinks);
        drop(live);
        sinks.iter().for_each(|sink| sink.to.closed(sink.sub));
    }
}
