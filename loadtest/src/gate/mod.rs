//! A virtual gate: the gate's side of the contract as a pure state machine. Time and messages go in; messages and facts come
//! out through a [`Port`]. It taps, waits at most for its deadline, then decides alone and ignores a later answer; it
//! reports passages, gives its own account of every tap and keeps it until it is acknowledged; it obeys modes and commands.
//! It knows no socket and no clock of its own, so its tests need neither.
mod answer;
mod book;
mod fact;
mod list;
mod mischief;
mod orders;
mod records;
#[cfg(test)]
mod tests;

use answer::Answer;
use book::{Book, Entry, Outcome};
pub use fact::{Fact, Port};
use list::DenyList;
pub use list::Wanted;
pub use mischief::Mischief;
use orders::Orders;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::gate::{AlarmKind, By, Direction, Medium, Passage, PassageOutcome, RecordPassage, Tap};
use tongdao_protocol::payload::encode;
use tongdao_protocol::text::Id;
use tongdao_protocol::topic::{Down, Up};

/// What a gate does where it must decide alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alone {
    /// Lets the rider pass.
    Open,
    /// Stays shut.
    Deny,
}

/// How a gate is set up.
#[derive(Debug, Clone)]
pub struct Habits {
    /// It decides alone this long after a tap, in milliseconds.
    pub deadline_ms: i64,
    /// What it then does.
    pub alone: Alone,
    /// Does it report passages?
    pub passage: bool,
    /// Does it give its own account of its taps?
    pub records: bool,
    /// Pause between two accounts, in milliseconds.
    pub records_every_ms: i64,
    /// What becomes of its records on their way; none = they go out as they are.
    pub mischief: Option<Mischief>,
}

impl Default for Habits {
    fn default() -> Self {
        Self { deadline_ms: 250, alone: Alone::Deny, passage: true, records: true, records_every_ms: 30_000, mischief: None }
    }
}

/// Is the tap sent twice?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Once.
    No,
    /// Twice in a row.
    AtOnce,
    /// Again after its answer.
    AfterAnswer,
}

/// Somebody in front of the gate.
#[derive(Debug, Clone)]
pub struct Rider {
    /// Which way.
    pub direction: Direction,
    /// What is presented.
    pub medium: Medium,
    /// What the rider does once the gate is open, and after how many milliseconds.
    pub passage: (PassageOutcome, i64),
    /// Is the tap sent twice?
    pub repeat: Repeat,
    /// Comes back with every fact about this tap.
    pub tag: u64,
}

const STATE: u32 = 1;
const LIST: u32 = 2;
const TAP: u32 = 1 << 31;

/// See the module.
pub struct VirtualGate {
    habits: Habits,
    epoch: u64,
    online: bool,
    book: Book,
    /// Riders between opening and passing: when, and with which tap.
    passing: Vec<(i64, u64)>,
    records_at: Option<i64>,
    orders: Orders,
    list: DenyList,
}

impl VirtualGate {
    /// A gate that has just booted; `epoch` must be above that of every boot before.
    #[must_use]
    pub fn new(habits: Habits, epoch: u64) -> Self {
        let (book, orders, list) = (Book::default(), Orders::default(), DenyList::default());
        Self { habits, epoch, online: false, book, passing: Vec::new(), records_at: None, orders, list }
    }

    /// Is it connected, and its state known?
    #[must_use]
    pub const fn online(&self) -> bool {
        self.online
    }

    /// Taps that are still kept: waiting, in the aisle, or not acknowledged.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.book.len()
    }

    /// Taps of those still kept that never got any answer.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.book.unanswered()
    }

    /// The will of its connection: `up/state` with `online: false`.
    #[must_use]
    pub fn will(&self, now: i64) -> Vec<u8> {
        encode(&self.orders.state(false, None, now))
    }

    /// The connection is up and subscribed: the state goes first, all else follows once it is durable.
    pub fn connected(&mut self, now: i64, port: &mut impl Port) {
        self.say_state(now, port);
    }

    fn say_state(&self, now: i64, port: &mut impl Port) {
        port.publish(Up::State, &encode(&self.orders.state(true, Some(self.list.version()), now)), STATE);
    }

    /// Version of its deny list; 0 = none yet.
    #[must_use]
    pub const fn list_version(&self) -> u64 {
        self.list.version()
    }

    /// The whole deny list that it was told to fetch, once.
    pub fn take_wanted_list(&mut self) -> Option<Wanted> {
        self.list.take_wanted()
    }

    /// The whole deny list was fetched; none = it could not be.
    pub fn list_fetched(&mut self, wanted: &Wanted, body: Option<&str>, now: i64, port: &mut impl Port) {
        if self.list.fetched(wanted, body, now, LIST, port) {
            self.say_state(now, port);
        }
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.online = false;
    }

    /// The server took a message, or refused it with this reason code.
    pub fn taken(&mut self, cookie: u32, code: u8, now: i64, port: &mut impl Port) {
        let message = match cookie {
            STATE => Some(Up::State),
            LIST => Some(Up::ListRequest),
            other => self.orders.taken(other),
        };
        if code >= 0x80 {
            let other = if cookie & TAP == 0 { Up::Records } else { Up::Tap };
            port.fact(Fact::Refused { message: message.unwrap_or(other), code });
        } else if cookie == STATE {
            self.go_online(now, port);
        }
    }

    /// What was in flight when the last connection ended goes out again, records of what was decided alone first.
    fn go_online(&mut self, now: i64, port: &mut impl Port) {
        if std::mem::replace(&mut self.online, true) {
            return;
        }
        port.fact(Fact::Online);
        self.orders.resend(port);
        self.book.forget_sent();
        self.send_records(now, Some(By::Gate), port);
        self.records_due(now);
        for seq in self.book.waiting_seqs() {
            self.send_tap(seq, port);
        }
    }

    /// A button or a sensor; at the emergency button and the fire line the gate opens by itself.
    pub fn alarm(&mut self, kind: AlarmKind, on: bool, now: i64, port: &mut impl Port) {
        self.orders.alarm(kind, on, now, self.online, port);
    }

    /// Something in the gate breaks, or works again: it says so in its state.
    pub fn fault(&mut self, code: &Id, on: bool, now: i64, port: &mut impl Port) {
        if self.orders.fault(code, on) && self.online {
            self.say_state(now, port);
        }
    }

    /// Its boot counter.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A rider presents a medium; the sequence of the tap.
    pub fn tap(&mut self, rider: &Rider, now: i64, port: &mut impl Port) -> u64 {
        self.settle(now, port);
        let seq = self.book.open(Entry::new(rider, now, now + self.habits.deadline_ms, self.orders.rev));
        if self.online {
            self.send_tap(seq, port);
            if rider.repeat == Repeat::AtOnce {
                self.send_tap(seq, port);
            }
        }
        seq
    }

    /// A tap of the past for which it opened alone, while nobody could hear of it.
    pub fn lived(&mut self, rider: &Rider, at: i64) {
        let mut entry = Entry::new(rider, at, at + self.habits.deadline_ms, self.orders.rev);
        entry.outcome = Outcome::Shown { by: By::Gate, open: true };
        (entry.answered, entry.answers_owed, entry.passed) = (true, 0, RecordPassage(Some(rider.passage.0)));
        self.book.open(entry);
    }

    fn send_tap(&self, seq: u64, port: &mut impl Port) {
        let Some(entry) = self.book.get(seq) else { return };
        let tap = Tap {
            epoch: self.epoch,
            seq,
            direction: entry.direction,
            medium: entry.medium.clone(),
            at: Timestamp(entry.at).into(),
            deadline_ms: self.habits.deadline_ms.unsigned_abs(),
            mode: entry.mode,
            list_version: self.list.version(),
        };
        port.publish(Up::Tap, &encode(&tap), tap_cookie(seq));
    }

    /// A message came.
    pub fn on_message(&mut self, message: Down, payload: &[u8], now: i64, port: &mut impl Port) {
        let understood = match message {
            Down::Decision => self.on_decision(payload, now, port),
            Down::RecordsAck => self.on_records_ack(payload, now, port),
            Down::Mode => self.orders.on_mode(payload, now, self.online, port),
            Down::Command => self.orders.on_command(payload, now, self.online, port),
            Down::Config => self.orders.on_config(payload),
            Down::List => self.on_list(payload, now, port),
        };
        if understood.is_none() {
            port.fact(Fact::Malformed(message));
        }
    }

    fn on_list(&mut self, payload: &[u8], now: i64, port: &mut impl Port) -> Option<()> {
        // Also before its first state is taken: that has said another version.
        if self.list.on_message(payload, now, LIST, port)? {
            self.say_state(now, port);
        }
        Some(())
    }

    fn on_decision(&mut self, payload: &[u8], now: i64, port: &mut impl Port) -> Option<()> {
        let answer = Answer::read(payload)?;
        let known = (answer.epoch == self.epoch).then(|| self.book.get_mut(answer.seq)).flatten();
        let Some(entry) = known else {
            port.fact(Fact::Stray);
            return Some(());
        };
        entry.answers_owed = entry.answers_owed.saturating_sub(1);
        let (outcome, print) = (answer.code.is_outcome(), answer.fingerprint());
        let first = !std::mem::replace(&mut entry.answered, true);
        match entry.answer {
            Some(before) if outcome && before != print => port.fact(Fact::Contradicted { seq: answer.seq }),
            Some(_) => port.fact(Fact::Repeated),
            None => {
                entry.answer = outcome.then_some(print);
                if first { self.first_answer(&answer, now, port) } else { port.fact(Fact::Repeated) }
            }
        }
        Some(())
    }

    fn first_answer(&mut self, answer: &Answer<'_>, now: i64, port: &mut impl Port) {
        let Some(entry) = self.book.get_mut(answer.seq) else { return };
        let (tag, waited_ms) = (entry.tag, now - entry.at);
        let waiting = entry.outcome == Outcome::Waiting;
        if !waiting || now > entry.due {
            if waiting {
                self.alone(answer.seq, now, port);
            }
            port.fact(Fact::Late { tag, code: answer.code });
            return;
        }
        let repeat = std::mem::replace(&mut entry.repeat, Repeat::No);
        entry.reference = answer.reference();
        self.shown(answer.seq, By::Server, answer.code.opens(), now);
        port.fact(Fact::Decided { tag, code: answer.code, fare: answer.fare(), waited_ms });
        if repeat == Repeat::AfterAnswer {
            self.send_tap(answer.seq, port);
        }
    }

    /// The gate opens or stays shut.
    fn shown(&mut self, seq: u64, by: By, open: bool, now: i64) {
        let Some(entry) = self.book.get_mut(seq) else { return };
        entry.outcome = Outcome::Shown { by, open };
        if open && self.habits.passage {
            let (outcome, after) = entry.passage;
            let after = if outcome == PassageOutcome::NotPassed { self.orders.no_passage_ms } else { after };
            entry.passing = true;
            self.passing.push((now + after, seq));
        }
        self.records_due(now);
    }

    fn alone(&mut self, seq: u64, now: i64, port: &mut impl Port) {
        port.withdraw(tap_cookie(seq));
        let listed = self.book.get(seq).is_some_and(|entry| self.list.denies(&entry.medium));
        let open = self.orders.released() || self.habits.alone == Alone::Open && !listed;
        self.shown(seq, By::Gate, open, now);
        if let Some(entry) = self.book.get(seq) {
            port.fact(Fact::Alone { tag: entry.tag, open });
        }
        self.send_records(now, Some(By::Gate), port);
    }

    /// When [`Self::tick`] is due, by the gate's clock.
    #[must_use]
    pub fn deadline(&mut self) -> Option<i64> {
        let passing = self.passing.iter().map(|(at, _)| *at).min();
        [self.book.due().map(|due| due + 1), passing, self.records_at].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: i64, port: &mut impl Port) {
        while let Some(seq) = self.book.overdue(now) {
            self.alone(seq, now, port);
        }
        while let Some(i) = self.passing.iter().position(|(at, _)| *at <= now) {
            let (_, seq) = self.passing.swap_remove(i);
            self.passed(seq, now, port);
        }
        if self.records_at.is_some_and(|at| at <= now) {
            self.records_at = None;
            self.send_records(now, None, port);
            self.records_due(now);
        }
        self.settle(now, port);
    }

    fn passed(&mut self, seq: u64, now: i64, port: &mut impl Port) {
        let Some(entry) = self.book.get_mut(seq) else { return };
        entry.passing = false;
        let outcome = entry.passage.0;
        entry.passed = RecordPassage(Some(outcome));
        let passage = Passage { epoch: self.epoch, seq, reference: entry.reference.clone(), outcome, at: Timestamp(now).into() };
        self.orders.report(Up::Passage, encode(&passage), self.online, port);
    }

    fn settle(&mut self, now: i64, port: &mut impl Port) {
        while let Some(entry) = self.book.settled(now, self.habits.records) {
            if !entry.answered {
                port.fact(Fact::Unanswered { tag: entry.tag });
            }
        }
    }
}

fn tap_cookie(seq: u64) -> u32 {
    TAP | u32::try_from(seq & 0x3FFF_FFFF).unwrap_or(0)
}
