//! What the consoles of a run share: what they have seen, the signal that cuts them off, the way in. All of them live on one
//! thread.
use super::follower::Seen;
use super::sent::Sent;
use super::sign_in;
use crate::clock::Clock;
use crate::load::tally::Latencies;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Sockets that are being opened at the same time, at most: a real crowd does not come in the same millisecond either.
const OPENING_MAX: usize = 64;

/// What the consoles have seen since the last look.
#[derive(Default)]
pub struct Observed {
    /// From the moment a tap was due to its event on a console.
    pub taps: Latencies,
    /// From connecting to following every channel.
    pub following: Latencies,
    /// Events.
    pub events: u64,
    /// Values of the state lane.
    pub states: u64,
    /// Messages; several events may come in one.
    pub messages: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// Channels that went on where they had been.
    pub recovered: u64,
    /// Channels that began with their whole state.
    pub whole: u64,
}

/// What should not happen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// Breaches of the contract, in words.
    pub broken: BTreeMap<&'static str, u64>,
    /// Subscriptions that were refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Connections that ended or could not be made, by reason.
    pub lost: BTreeMap<String, u64>,
}

/// What every console obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signal {
    /// Cut off so many times.
    pub storms: usize,
    /// The run is over.
    pub over: bool,
}

/// See the module.
pub struct Room {
    /// The clock of gates and consoles.
    pub clock: Clock,
    /// HTTP listener of the server.
    pub address: SocketAddr,
    /// When taps were due.
    pub sent: Arc<Sent>,
    /// Who opens a socket.
    pub door: Semaphore,
    cookies: Vec<String>,
    signal: watch::Sender<Signal>,
    following: Cell<usize>,
    observed: RefCell<Observed>,
    faults: RefCell<Faults>,
}

impl Room {
    /// A room whose consoles use these cookies in turn.
    #[must_use]
    pub fn new(clock: Clock, address: SocketAddr, cookies: Vec<String>, sent: Arc<Sent>) -> Self {
        let (signal, door) = (watch::Sender::new(Signal::default()), Semaphore::new(OPENING_MAX));
        let (following, observed, faults) = (Cell::default(), RefCell::default(), RefCell::default());
        Self { clock, address, sent, door, cookies, signal, following, observed, faults }
    }

    /// Now, in microseconds of the shared clock.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.clock.ns() / 1_000
    }
    /// The origin of the server's pages.
    #[must_use]
    pub fn origin(&self) -> String {
        sign_in::origin(self.address)
    }
    /// The cookie of the n-th console.
    #[must_use]
    pub fn cookie(&self, n: usize) -> &str {
        self.cookies.get(n % self.cookies.len().max(1)).map_or("", String::as_str)
    }

    /// What every console listens to.
    #[must_use]
    pub fn signal(&self) -> watch::Receiver<Signal> {
        self.signal.subscribe()
    }
    /// Cuts every console off.
    pub fn storm(&self) {
        self.signal.send_modify(|signal| signal.storms += 1);
    }
    /// Ends the run.
    pub fn end(&self) {
        self.signal.send_modify(|signal| signal.over = true);
    }

    /// Consoles that follow all of their channels.
    #[must_use]
    pub fn following(&self) -> usize {
        self.following.get()
    }
    /// One more follows, after so many microseconds.
    pub fn follows(&self, after_us: u64) {
        self.following.set(self.following.get() + 1);
        self.observed.borrow_mut().following.record(after_us);
    }
    /// How often one began to follow since the last look.
    #[must_use]
    pub fn came(&self) -> usize {
        usize::try_from(self.observed.borrow().following.len()).unwrap_or(usize::MAX)
    }
    /// One that followed is gone.
    pub fn gone(&self) {
        self.following.set(self.following.get().saturating_sub(1));
    }
    /// A connection ended that nobody has cut.
    pub fn lost(&self, why: &str) {
        *self.faults.borrow_mut().lost.entry(why.to_owned()).or_default() += 1;
    }

    /// A message of so many bytes came.
    pub fn message(&self, bytes: usize) {
        let mut observed = self.observed.borrow_mut();
        observed.messages += 1;
        observed.bytes += bytes as u64;
    }

    /// Something stood in a message that was read at this time.
    pub fn saw(&self, seen: Seen<'_>, now_us: u64) {
        let mut observed = self.observed.borrow_mut();
        match seen {
            Seen::Event(cause) => {
                observed.events += 1;
                if let Some(due_us) = cause.and_then(|cause| self.sent.due_us(cause)) {
                    observed.taps.record(now_us.saturating_sub(due_us));
                }
            }
            Seen::State => observed.states += 1,
            Seen::Followed { recovered: true } => observed.recovered += 1,
            Seen::Followed { recovered: false } => observed.whole += 1,
            Seen::Refused(code) => *self.faults.borrow_mut().refused.entry(code).or_default() += 1,
            Seen::Broken(what) => *self.faults.borrow_mut().broken.entry(what).or_default() += 1,
            Seen::Bye(_) | Seen::Other => {}
        }
    }

    /// What was seen since the last look.
    #[must_use]
    pub fn look(&self) -> Observed {
        self.observed.take()
    }
    /// What should not have happened so far.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.borrow().clone()
    }
}
