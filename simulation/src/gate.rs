//! A virtual gate that keeps the gate's side of the contract: it answers at its deadline whatever happens, ignores later
//! answers, reports passages, keeps its own account of every tap until it is acknowledged, obeys modes, repeats what was not
//! acknowledged. Its clock is off. What it *did* is the truth that the books are checked against.
use crate::message::{Down, Up};
use compact_str::{CompactString, format_compact};
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::code::Code;
use tongdao_domain::deny::{Held, Next};
use tongdao_domain::gate::Twin;
use tongdao_domain::id::{CommandId, DeviceId, StationId, TapId, Token};
use tongdao_domain::station::{GateMode, Mode, Service};
use tongdao_domain::tap::{DecidedBy, Direction, Medium, MediumKind, Passage, Record, Reference, Shown, Tap, TapDecision};
use tongdao_domain::time::{Millis, Timestamp};

/// A gate answers at the latest this long after the tap.
pub const DEADLINE: Millis = Millis(250);
/// Records in one batch.
const BATCH_MAX: usize = 150;

/// Names a rider.
pub type Rider = usize;

/// What a gate does.
#[derive(Debug)]
pub enum Deed {
    /// It sends, if it is connected.
    Send(Up),
    /// It wants to be woken.
    Wake(Timestamp, Alarm),
    /// A rider sees that it stays shut.
    Denied(Rider, Option<Code>),
    /// It has opened: the rider decides what to do.
    Opened(Rider, TapId),
    /// It decided alone.
    Alone(Tap),
    /// An answer came too late, or for nobody.
    Late(TapDecision),
    /// It stayed shut, by its own deny list.
    DeniedByList,
    /// It took a version of the deny list, by a difference or whole.
    Listed {
        /// Whole?
        whole: bool,
    },
}

/// What a gate is woken for; of an earlier boot it means nothing.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// The boot.
    pub epoch: u64,
    /// What for.
    pub why: Why,
}

/// What a gate is woken for.
#[derive(Debug, Clone)]
pub enum Why {
    /// The deadline of a tap.
    Deadline(u64),
    /// What the rider did is known.
    Resolved(u64, Passage),
    /// Repeat what was not acknowledged.
    Repeat,
    /// Send the records.
    Records,
}

/// A tap that waits for its answer.
#[derive(Debug)]
struct Waiting {
    tap: Tap,
    rider: Rider,
}

/// A tap that the gate has opened for; nobody has gone through yet.
#[derive(Debug)]
struct Authorised {
    tap: Tap,
    by: DecidedBy,
    reference: Option<Reference>,
}

/// A virtual gate.
#[derive(Debug)]
pub struct VirtualGate {
    /// Its id.
    pub device: DeviceId,
    /// Where it stands.
    pub station: StationId,
    /// Its clock minus the true time.
    pub skew: Millis,
    /// Its connection; none = offline.
    pub connection: Option<u64>,
    /// Its boot.
    pub epoch: u64,
    /// The last sequence of each boot.
    pub last_seq: BTreeMap<u64, u64>,
    /// Its own account, as far as it is not acknowledged.
    pub records: BTreeMap<(u64, u64), Record>,
    /// Messages that are not acknowledged.
    pub outbox: BTreeMap<u64, Up>,
    /// Its own button is pressed.
    pub button: Option<CompactString>,
    /// Records that the server refused.
    pub rejected: u64,
    /// Its deny list.
    pub list: Held,
    /// The version from which it asks for the way to the newest.
    asking: Option<u64>,
    mode: Option<GateMode>,
    waiting: Option<Waiting>,
    authorised: BTreeMap<u64, Authorised>,
    /// Taps that never had an answer: sent again after a reconnect.
    unanswered: BTreeMap<u64, Tap>,
    messages: u64,
    boot_messages: u64,
    done: BTreeSet<CommandId>,
}

impl VirtualGate {
    /// A gate that was just installed.
    #[must_use]
    pub fn new(device: DeviceId, station: StationId, skew: Millis) -> Self {
        Self {
            device,
            station,
            skew,
            connection: None,
            epoch: 1,
            last_seq: BTreeMap::new(),
            records: BTreeMap::new(),
            outbox: BTreeMap::new(),
            button: None,
            rejected: 0,
            list: Held::default(),
            asking: None,
            mode: None,
            waiting: None,
            authorised: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            messages: 0,
            boot_messages: 0,
            done: BTreeSet::new(),
        }
    }

    /// Does somebody wait in front of it?
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.waiting.is_some()
    }

    /// Does it stand open for everybody?
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.button.is_some() || self.has(Mode::Emergency)
    }

    fn has(&self, mode: Mode) -> bool {
        self.mode.as_ref().is_some_and(|obeyed| obeyed.modes.contains(&mode))
    }

    fn clock(&self, now: Timestamp) -> Timestamp {
        now + self.skew
    }

    fn wake(&self, at: Timestamp, why: Why) -> Deed {
        Deed::Wake(at, Alarm { epoch: self.epoch, why })
    }

    fn next_tap(&mut self) -> TapId {
        let seq = self.last_seq.entry(self.epoch).or_insert(0);
        *seq += 1;
        TapId { device: self.device.clone(), epoch: self.epoch, seq: *seq }
    }

    /// A rider holds a medium against it.
    pub fn present(&mut self, rider: Rider, token: &Token, direction: Direction, now: Timestamp, deeds: &mut Vec<Deed>) {
        let tap = Tap {
            id: self.next_tap(),
            direction,
            medium: Medium { kind: MediumKind::Card, token: token.clone(), qr: None, counter: None, signature: None },
            at: self.clock(now),
            deadline: DEADLINE,
            mode: self.mode.as_ref().map_or(0, |mode| mode.rev),
            list_version: self.list.version(),
        };
        self.unanswered.insert(tap.id.seq, tap.clone());
        deeds.push(Deed::Send(Up::Tap(tap.clone())));
        if self.is_free() {
            return self.open(Waiting { tap, rider }, DecidedBy::Gate, None, deeds);
        }
        deeds.push(self.wake(now + DEADLINE, Why::Deadline(tap.id.seq)));
        self.waiting = Some(Waiting { tap, rider });
    }

    /// Somebody goes through without a tap: a sequence of its own, a passage and a record of nobody.
    pub fn intrusion(&mut self, now: Timestamp, deeds: &mut Vec<Deed>) {
        let (tap, at) = (self.next_tap(), self.clock(now));
        self.report(tap.clone(), None, Passage::Intrusion, at, deeds);
        let mode = self.mode.as_ref().map_or(0, |mode| mode.rev);
        let (by, shown, passage) = (DecidedBy::Gate, Shown::Deny, Some(Passage::Intrusion));
        let key = (tap.epoch, tap.seq);
        self.records.insert(key, Record { tap, direction: Direction::Exit, medium: None, at, mode, by, shown, passage });
    }

    /// It is woken. `alone_opens` = what it shows where it has to decide alone.
    pub fn woken(&mut self, alarm: &Alarm, now: Timestamp, alone_opens: bool, deeds: &mut Vec<Deed>) {
        match alarm.why {
            _ if alarm.epoch != self.epoch => {}
            Why::Deadline(seq) => self.deadline(seq, alone_opens, deeds),
            Why::Resolved(seq, passage) => self.resolved(seq, passage, now, deeds),
            Why::Repeat => {
                deeds.extend(self.outbox.values().cloned().map(Deed::Send));
                deeds.extend(self.asking.map(|have| Deed::Send(Up::ListRequest(have))));
                deeds.push(self.wake(now + Millis::seconds(3), Why::Repeat));
            }
            Why::Records => {
                self.send_records(deeds);
                deeds.push(self.wake(now + Millis::seconds(30), Why::Records));
            }
        }
    }

    fn deadline(&mut self, seq: u64, alone_opens: bool, deeds: &mut Vec<Deed>) {
        let Some(waiting) = self.waiting.take_if(|waiting| waiting.tap.id.seq == seq) else { return };
        deeds.push(Deed::Alone(waiting.tap.clone()));
        let shut = matches!(self.mode.as_ref().map(|mode| mode.service), Some(Service::Closed | Service::Paused))
            || (waiting.tap.direction == Direction::Entry && self.has(Mode::Closed));
        let listed = self.list.denies(waiting.tap.medium.token.as_str());
        if listed && alone_opens && !shut {
            deeds.push(Deed::DeniedByList);
        }
        if alone_opens && !shut && !listed {
            self.open(waiting, DecidedBy::Gate, None, deeds);
        } else {
            self.deny(waiting, DecidedBy::Gate, None, deeds);
            self.send_records(deeds);
        }
    }

    fn open(&mut self, waiting: Waiting, by: DecidedBy, reference: Option<Reference>, deeds: &mut Vec<Deed>) {
        let Waiting { tap, rider } = waiting;
        deeds.push(Deed::Opened(rider, tap.id.clone()));
        self.authorised.insert(tap.id.seq, Authorised { tap, by, reference });
    }

    fn deny(&mut self, waiting: Waiting, by: DecidedBy, code: Option<Code>, deeds: &mut Vec<Deed>) {
        self.record(&waiting.tap, by, Shown::Deny, None);
        deeds.push(Deed::Denied(waiting.rider, code));
    }

    fn record(&mut self, tap: &Tap, by: DecidedBy, shown: Shown, passage: Option<Passage>) {
        let Tap { id, direction, medium, at, mode, .. } = tap.clone();
        let key = (id.epoch, id.seq);
        self.records.insert(key, Record { tap: id, direction, medium: Some(medium), at, mode, by, shown, passage });
    }

    fn resolved(&mut self, seq: u64, passage: Passage, now: Timestamp, deeds: &mut Vec<Deed>) {
        let Some(Authorised { tap, by, reference }) = self.authorised.remove(&seq) else { return };
        self.record(&tap, by, Shown::Open, Some(passage));
        let at = self.clock(now);
        self.report(tap.id, reference, passage, at, deeds);
        if by == DecidedBy::Gate {
            self.send_records(deeds);
        }
    }

    fn report(&mut self, tap: TapId, reference: Option<Reference>, outcome: Passage, at: Timestamp, deeds: &mut Vec<Deed>) {
        self.send_until_acknowledged(|n| Up::Passage { n, tap, reference, outcome, at }, deeds);
    }

    fn send_until_acknowledged(&mut self, message: impl FnOnce(u64) -> Up, deeds: &mut Vec<Deed>) {
        self.messages += 1;
        let message = message(self.messages);
        self.outbox.insert(self.messages, message.clone());
        deeds.push(Deed::Send(message));
    }

    fn send_records(&mut self, deeds: &mut Vec<Deed>) {
        let mut by_boot: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
        for ((epoch, _), record) in &self.records {
            by_boot.entry(*epoch).or_default().push(record.clone());
        }
        for (epoch, records) in by_boot {
            let batches = records.chunks(BATCH_MAX).map(|batch| Up::Records { epoch, records: batch.to_vec() });
            deeds.extend(batches.map(Deed::Send));
        }
    }

    /// Its button is pressed, or comes out again.
    pub fn press(&mut self, on: bool, now: Timestamp, deeds: &mut Vec<Deed>) {
        let at = self.clock(now);
        let alarm = match (&self.button, on) {
            (None, true) => format_compact!("b{}", self.messages),
            (Some(alarm), false) => alarm.clone(),
            _ => return,
        };
        self.button = on.then(|| alarm.clone());
        self.send_until_acknowledged(|n| Up::Alarm { n, alarm, on, at }, deeds);
    }

    /// Its connection stands: it says what it is and repeats all that was not answered.
    pub fn connected(&mut self, connection: u64, now: Timestamp, deeds: &mut Vec<Deed>) {
        self.connection = Some(connection);
        let repeated: Vec<Up> = self.outbox.values().cloned().collect();
        self.say_state(now, deeds);
        deeds.extend(repeated.into_iter().map(Deed::Send));
        self.send_records(deeds);
        let unanswered = std::mem::take(&mut self.unanswered);
        deeds.extend(unanswered.into_values().map(|tap| Deed::Send(Up::Tap(tap))));
        if self.boot_messages == 0 {
            self.boot_messages = 1;
            deeds.push(self.wake(now + Millis::seconds(3), Why::Repeat));
            deeds.push(self.wake(now + Millis::seconds(30), Why::Records));
        }
    }

    fn say_state(&mut self, now: Timestamp, deeds: &mut Vec<Deed>) {
        let twin = Twin {
            online: true,
            service: "both".into(),
            firmware: "sim".into(),
            versions: BTreeMap::from([("list".into(), format_compact!("{}", self.list.version()))]),
            faults: Vec::new(),
            at: self.clock(now),
        };
        self.send_until_acknowledged(|n| Up::State { n, twin }, deeds);
    }

    /// It goes on from what its list has become. A list of an honest server never leads elsewhere than it says.
    fn listed(&mut self, next: Next, whole: bool, now: Timestamp, deeds: &mut Vec<Deed>) {
        match next {
            Next::Nothing => self.asking = None,
            Next::Tell => {
                self.asking = None;
                deeds.push(Deed::Listed { whole });
                self.say_state(now, deeds);
            }
            Next::Ask(_) if self.list.is_distrusted() => panic!("{}: a deny list led elsewhere than it said", self.device),
            Next::Ask(have) => {
                if self.asking.replace(have) != Some(have) {
                    deeds.push(Deed::Send(Up::ListRequest(have)));
                }
            }
        }
    }

    /// It starts anew: what waits is denied, who was authorised has gone through; its account and its outbox survive.
    /// Gives the taps whose riders have gone through.
    pub fn reboot(&mut self, deeds: &mut Vec<Deed>) -> Vec<TapId> {
        if let Some(waiting) = self.waiting.take() {
            self.deny(waiting, DecidedBy::Gate, None, deeds);
        }
        let mut gone = Vec::new();
        for (_, Authorised { tap, by, .. }) in std::mem::take(&mut self.authorised) {
            self.record(&tap, by, Shown::Open, None);
            gone.push(tap.id);
        }
        self.epoch += 1;
        self.boot_messages = 0;
        self.mode = None;
        self.connection = None;
        self.unanswered.clear();
        gone
    }

    /// A message of the server.
    pub fn hear(&mut self, down: Down, now: Timestamp, deeds: &mut Vec<Deed>) {
        match down {
            Down::Decision(decision) => self.decided(decision, now, deeds),
            Down::RecordsAck(ack) => {
                self.rejected += ack.rejected.len() as u64;
                self.records.retain(|(epoch, seq), _| *epoch != ack.epoch || *seq > ack.upto);
            }
            Down::Mode(mode) => self.obey(mode, now, deeds),
            Down::Order(order) => {
                let at = self.clock(now);
                if self.done.insert(order.id.clone()) {
                    self.send_until_acknowledged(|n| Up::Ack { n, id: order.id, at }, deeds);
                }
            }
            Down::List { from, to, add, remove, hash } => {
                let next = self.list.delta(from, to, add, &remove, hash);
                self.listed(next, false, now, deeds);
            }
            Down::ListFull => deeds.push(Deed::Send(Up::Fetch)),
            Down::Whole { to, tokens, hash } => {
                let next = self.list.whole(to, tokens, hash);
                self.listed(next, true, now, deeds);
            }
            Down::Acknowledged(n) => {
                self.outbox.remove(&n);
            }
        }
    }

    fn decided(&mut self, decision: TapDecision, now: Timestamp, deeds: &mut Vec<Deed>) {
        if decision.tap.epoch == self.epoch {
            self.unanswered.remove(&decision.tap.seq);
        }
        let in_time = self.clock(now) <= decision.expires_at;
        let waiting = self.waiting.take_if(|waiting| waiting.tap.id == decision.tap && in_time);
        match waiting {
            None => deeds.push(Deed::Late(decision)),
            Some(waiting) if decision.code.opens() => self.open(waiting, DecidedBy::Server, decision.reference, deeds),
            Some(waiting) => self.deny(waiting, DecidedBy::Server, Some(decision.code), deeds),
        }
    }

    fn obey(&mut self, mode: GateMode, now: Timestamp, deeds: &mut Vec<Deed>) {
        if mode.rev == 0 || self.mode.as_ref().is_some_and(|obeyed| obeyed.rev >= mode.rev) {
            return;
        }
        let (id, at) = (mode.id.clone(), self.clock(now));
        self.mode = Some(mode);
        self.send_until_acknowledged(|n| Up::Ack { n, id, at }, deeds);
    }
}
