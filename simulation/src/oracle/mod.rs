//! The oracles: what must hold at every moment and at the quiet end. They draw no randomness and take nothing from the
//! machines but what is durable; they count entries of the journal as well as money.
pub mod books;
pub mod desk;

use crate::gate::VirtualGate;
use crate::message::{Down, Up};
use desk::Desks;
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::account;
use tongdao_domain::code::Code;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate;
use tongdao_domain::id::{CommandId, DeviceId, TapId};
use tongdao_domain::ledger::LedgerAccount;
use tongdao_domain::station;
use tongdao_domain::tap::{Record, TapDecision};
use tongdao_domain::time::Timestamp;
use tongdao_journal::codec;
use tongdao_journal::contract::FeedItem;

/// The highest single fare of the city, in fen.
const HIGHEST: i64 = 600;

/// The outcome of a tap, as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapOutcome {
    /// The code.
    pub code: Code,
    /// The number of its reference, in an account's history.
    pub number: Option<u64>,
    /// When it was committed.
    pub at: Timestamp,
}

/// A span of an emergency, by the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emergency {
    /// It counts from here.
    pub from: Timestamp,
    /// It was known from here.
    pub known: Timestamp,
    /// It ended here.
    pub to: Timestamp,
}

/// All that is durable, as far as promises were made about it.
#[derive(Debug, Default)]
pub struct Oracle {
    /// Outcomes by tap.
    pub outcomes: BTreeMap<TapId, TapOutcome>,
    /// Sequences that stand in a gate's book.
    pub recorded: BTreeMap<(DeviceId, u64), BTreeSet<u64>>,
    /// Net payment of each journey of each account, in fen.
    pub paid: BTreeMap<(String, String), i64>,
    /// What came to each account from outside, in fen.
    pub funded: BTreeMap<String, i64>,
    /// Emergencies by station.
    pub emergencies: BTreeMap<String, Vec<Emergency>>,
    /// Approvals and alarms.
    pub desks: Desks,
    /// Events in all.
    pub events: u64,
    /// What each tap's server answer was, where it was an outcome.
    pub answers: BTreeMap<TapId, TapDecision>,
    versions: BTreeMap<EntityKey, u64>,
    seqs: BTreeMap<u16, u64>,
    commands: BTreeMap<CommandId, (EntityKey, u64)>,
    numbers: BTreeSet<(String, u64)>,
    records_taken: BTreeSet<TapId>,
    struck: BTreeSet<TapId>,
    passages: BTreeSet<TapId>,
    truths: BTreeMap<TapId, Record>,
    alarms: BTreeSet<(DeviceId, String, bool)>,
    balance: BTreeMap<LedgerAccount, i64>,
}

impl Oracle {
    /// An event has become durable. `decide_by` = until when the tap it speaks of might be decided.
    pub fn durable(&mut self, item: &FeedItem, decide_by: impl Fn(&TapId) -> Option<Timestamp>) {
        self.events += 1;
        self.check_order(item);
        self.desks.effect(&item.command_id);
        match item.entity.kind {
            EntityKind::Account => self.account(item, &decode(item), decide_by),
            EntityKind::Gate => self.gate(item, decode(item)),
            EntityKind::Station => self.station(item, decode(item)),
            EntityKind::Alarm => self.desks.alarm(&item.entity.id, decode(item)),
            EntityKind::Approval => self.desks.approval(&item.entity.id, item.at, decode(item)),
            EntityKind::Doubtful => self.desks.doubtful(&item.entity.id, &decode(item)),
            EntityKind::Medium | EntityKind::Device | EntityKind::Audit | EntityKind::User | EntityKind::DenyList => {}
        }
    }

    /// Versions and sequences are contiguous; a command id stands for one commit of one entity.
    fn check_order(&mut self, item: &FeedItem) {
        let version = self.versions.entry(item.entity.clone()).or_insert(0);
        *version += 1;
        assert_eq!(item.version, *version, "versions of {} are not contiguous", item.entity);
        let seq = self.seqs.entry(item.partition).or_insert(0);
        *seq += 1;
        assert_eq!(item.seq, *seq, "partition {} has a gap", item.partition);
        let now = (item.entity.clone(), item.version);
        if let Some((entity, last)) = self.commands.insert(item.command_id.clone(), now) {
            assert!(entity == item.entity && last + 1 == item.version, "{} was committed twice", item.command_id);
        }
    }

    fn account(&mut self, item: &FeedItem, event: &account::Event, decide_by: impl Fn(&TapId) -> Option<Timestamp>) {
        self.money(item, event);
        match event {
            account::Event::TapDecided { tap, code, number, .. } => {
                let by = decide_by(&tap.id);
                assert!(by.is_none_or(|by| item.at <= by), "tap {} was decided at {:?}, allowed until {by:?}", tap.id, item.at);
                self.outcome(&tap.id, TapOutcome { code: *code, number: *number, at: item.at });
            }
            account::Event::TapRepeated { tap, code, number, .. } => {
                // A first that its gate decided alone has no reference.
                let number = Some(*number).filter(|number| *number > 0);
                self.outcome(&tap.id, TapOutcome { code: *code, number, at: item.at });
            }
            account::Event::RecordTaken { record, .. } => {
                assert!(self.records_taken.insert(record.tap.clone()), "the record of {} was taken twice", record.tap);
            }
            account::Event::RecordDoubted { record, doubt, .. } => {
                panic!("the true record of {} was doubted: {doubt:?}", record.tap);
            }
            account::Event::PassageReported { tap, .. } => {
                assert!(self.passages.insert(tap.clone()), "the passage of {tap} was taken twice");
            }
            _ => {}
        }
    }

    fn outcome(&mut self, tap: &TapId, outcome: TapOutcome) {
        let first = self.outcomes.insert(tap.clone(), outcome);
        assert!(first.is_none(), "tap {tap} has two outcomes: {first:?} and {:?}", self.outcomes[tap]);
    }

    /// Conservation at every prefix: legs balance, no reference twice, no journey paid twice or paid back twice.
    fn money(&mut self, item: &FeedItem, event: &account::Event) {
        let account = item.entity.id.to_string();
        for legs in event.legs() {
            for leg in legs {
                *self.balance.entry(leg.account.clone()).or_insert(0) += leg.amount.fen();
            }
            let sum: i64 = self.balance.values().sum();
            assert_eq!(sum, 0, "money came from nowhere at {} {}", item.entity, item.version);
        }
        if let Some(legs) = event.funding() {
            let to_rider = legs.iter().filter(|leg| leg.account == LedgerAccount::Rider).map(|leg| leg.amount.fen());
            *self.funded.entry(account.clone()).or_insert(0) += to_rider.sum::<i64>();
        }
        for posting in event.change().map_or(&[][..], |change| &change.postings) {
            assert!(self.numbers.insert((account.clone(), posting.number)), "{account} used reference {} twice", posting.number);
            let paid = self.paid.entry((account.clone(), posting.journey.to_string())).or_insert(0);
            *paid += posting.amount().fen();
            assert!((0..=HIGHEST).contains(paid), "journey {} of {account} is paid {paid} fen", posting.journey);
        }
    }

    fn gate(&mut self, item: &FeedItem, event: gate::Event) {
        match event {
            gate::Event::TapRefused { tap, code, .. } => self.outcome(&tap.id, TapOutcome { code, number: None, at: item.at }),
            gate::Event::RecordsTaken { epoch, records, rejected, .. } => {
                for copy in &rejected {
                    let truth = self.truths.get(&copy.record.tap);
                    assert!(truth.is_some_and(|truth| *truth != copy.record), "a true record was rejected: {:?}", copy.record);
                }
                for record in records {
                    self.truths.insert(record.tap.clone(), record.clone());
                    let book = self.recorded.entry((record.tap.device.clone(), epoch)).or_default();
                    assert!(book.insert(record.tap.seq), "the record of {} entered the book twice", record.tap);
                }
            }
            gate::Event::RecordStruck { tap, .. } => assert!(self.struck.insert(tap.clone()), "the record of {tap} was struck off twice"),
            gate::Event::Passed { tap, .. } => assert!(self.passages.insert(tap.clone()), "the passage of {tap} was taken twice"),
            _ => {}
        }
    }

    fn station(&mut self, item: &FeedItem, event: station::Event) {
        match event {
            station::Event::ModesSet { modes, from, .. } => {
                let spans = self.emergencies.entry(item.entity.id.to_string()).or_default();
                if let Some(last) = spans.last_mut().filter(|last| last.to > from) {
                    last.to = from;
                }
                if modes.contains(&station::Mode::Emergency) {
                    spans.push(Emergency { from, known: item.at, to: Timestamp(i64::MAX) });
                }
            }
            station::Event::Alarmed { device, alarm, on, .. } => {
                self.alarms.insert((device, alarm.to_string(), on));
            }
            station::Event::ServiceSet { .. } => {}
        }
    }

    /// A gate hears something: what it is told must be durable, and the same for ever.
    pub fn heard(&mut self, gate: &VirtualGate, down: &Down) {
        match down {
            Down::Decision(decision) => self.decision(decision),
            Down::RecordsAck(ack) => {
                let book = self.recorded.get(&(gate.device.clone(), ack.epoch));
                let complete = (1..=ack.upto).all(|seq| book.is_some_and(|book| book.contains(&seq)));
                assert!(complete, "{} was told that its records up to {} are safe", gate.device, ack.upto);
            }
            Down::Acknowledged(n) => self.acknowledged(gate, *n),
            Down::Mode(_) | Down::Order(_) | Down::List { .. } | Down::ListFull | Down::Whole { .. } => {}
        }
    }

    fn decision(&mut self, decision: &TapDecision) {
        // These three are kept nowhere: the same tap may hear something else later.
        if matches!(decision.code, Code::Busy | Code::Expired | Code::KeyReused) {
            return;
        }
        let Some(outcome) = self.outcomes.get(&decision.tap) else {
            panic!("tap {} was told {:?}, which is not durable", decision.tap, decision.code);
        };
        let number = decision.reference.as_ref().and_then(|reference| reference.0.rsplit_once('/')?.1.parse().ok());
        assert_eq!((decision.code, number), (outcome.code, outcome.number), "tap {} was told something else", decision.tap);
        let first = self.answers.entry(decision.tap.clone()).or_insert_with(|| decision.clone());
        assert_eq!(first, decision, "tap {} was given two answers", decision.tap);
    }

    fn acknowledged(&self, gate: &VirtualGate, n: u64) {
        match gate.outbox.get(&n) {
            Some(Up::Passage { tap, .. }) => assert!(self.passages.contains(tap), "the passage of {tap} was acknowledged and is nowhere"),
            Some(Up::Alarm { alarm, on, .. }) => {
                let alarm = (gate.device.clone(), alarm.to_string(), *on);
                assert!(self.alarms.contains(&alarm), "an alarm of {} was acknowledged and is nowhere", gate.device);
            }
            _ => {}
        }
    }

    /// Was a station in emergency at a moment: surely, perhaps (it was not known yet, or clocks differ), or not?
    #[must_use]
    pub fn emergency(&self, station: &str, at: Timestamp) -> Option<bool> {
        let near = |a: Timestamp, b: Timestamp| (a - b).0.abs() <= 3_000;
        let spans = self.emergencies.get(station).map_or(&[][..], Vec::as_slice);
        let mut found = Some(false);
        for span in spans {
            let unknown = near(at, span.from) || near(at, span.to) || (span.from <= at && at.0 <= span.known.0 + 3_000);
            if unknown {
                found = None;
            } else if span.from <= at && at < span.to {
                return Some(true);
            }
        }
        found
    }

    /// Was any station in emergency between two moments?
    #[must_use]
    pub fn any_emergency(&self, from: Timestamp, to: Timestamp) -> bool {
        self.emergencies.values().flatten().any(|span| span.from <= to && from < span.to)
    }
}

fn decode<T: serde::de::DeserializeOwned>(item: &FeedItem) -> T {
    codec::decode(&item.event).unwrap_or_else(|error| panic!("an unreadable event of {}: {error}", item.entity))
}
