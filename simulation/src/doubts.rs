//! Long times without a link, altered copies of records, and the people who decide what is doubtful. A copy comes behind the
//! record that it alters, as true ones always come first here; what people decide of it must leave the books as they were.
use crate::chance::Chance;
use crate::coverage::Kind;
use crate::message::Up;
use crate::simulation::{Part, Simulation, What};
use crate::staff::Purpose;
use std::collections::BTreeSet;
use tongdao_domain::device::By;
use tongdao_domain::doubtful::{self, Case, Doubtful, State};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate;
use tongdao_domain::id::UserId;
use tongdao_domain::tap::{Record, Shown};
use tongdao_domain::time::Millis;
use tongdao_journal::codec;
use tongdao_journal::contract::FeedItem;

/// Who accepts and who rejects: two people, so that what was decided shows who has decided it.
const ACCEPTS: &str = "yang";
const REJECTS: &str = "niu";
/// A clock that is off by more than this is so for certain, however late a message was.
const SURELY_OFF: Millis = Millis::seconds(70);

/// What the world remembers of it.
#[derive(Debug)]
pub(crate) struct Doubts {
    chance: Chance,
    /// True records that stand in the books of their gates.
    records: Vec<Record>,
    /// Copies that were refused: each must reach the desk.
    refused: BTreeSet<String>,
}

impl Doubts {
    pub(crate) fn new(chance: Chance) -> Self {
        Self { chance, records: Vec::new(), refused: BTreeSet::new() }
    }
}

fn key(name: &str) -> EntityKey {
    EntityKey::new(EntityKind::Doubtful, name)
}

impl Simulation {
    pub(crate) fn plan_doubts(&mut self) {
        let now = self.now;
        let Some(doubts) = &mut self.doubts else { return };
        let (copy, unplug) = (doubts.chance.after(now, 60_000, 180_000), doubts.chance.after(now, 60_000, 900_000));
        let gate = doubts.chance.index(self.gates.len());
        self.schedule.at(copy, What::Copy);
        self.schedule.at(unplug, What::Unplug(gate));
    }

    /// A gate is without a link for minutes: it decides alone and keeps its records.
    pub(crate) fn unplug(&mut self, gate: usize) {
        let now = self.now;
        let Some(doubts) = self.doubts.as_mut().filter(|_| self.part == Part::Busy) else { return };
        let heals = doubts.chance.after(now, 180_000, 900_000);
        self.coverage.note(Kind::LongOffline);
        self.tell(|| format!("{} is without a link for long", self.gates[gate].device));
        self.weather.cut_off.insert(gate);
        self.schedule.at(heals, What::Heal(gate));
    }

    /// An altered copy of a record comes in: with another time, or with another outcome.
    pub(crate) fn copy(&mut self) {
        let now = self.now;
        let Some(doubts) = self.doubts.as_mut().filter(|_| self.part == Part::Busy) else { return };
        let again = doubts.chance.after(now, 5_000, 60_000);
        self.schedule.at(again, What::Copy);
        if doubts.records.is_empty() {
            return;
        }
        let mut copy = doubts.records[doubts.chance.index(doubts.records.len())].clone();
        if doubts.chance.permille(500) {
            copy.at = copy.at + doubts.chance.millis(1_000, 9_000);
        } else {
            copy.shown = if copy.shown == Shown::Open { Shown::Deny } else { Shown::Open };
        }
        let Some(gate) = self.gates.iter().position(|gate| gate.device == copy.tap.device) else { return };
        // The book of an earlier boot may be closed: then nobody can tell a copy from a record.
        let of_this_boot = self.gates[gate].epoch == copy.tap.epoch;
        if let Some(connection) = self.gates[gate].connection.filter(|_| of_this_boot) {
            self.send(What::Up(gate, connection, Up::Records { epoch: copy.tap.epoch, records: vec![copy] }));
        }
    }

    /// What has become durable: true records, refused copies, cases at the desk.
    pub(crate) fn doubts_hear(&mut self, item: &FeedItem) {
        match item.entity.kind {
            EntityKind::Gate => {
                if let Ok(gate::Event::RecordsTaken { records, rejected, clock: _, corrected, station, .. }) = codec::decode(&item.event) {
                    self.judged_by_its_clock(item, corrected);
                    let named = |copy: &gate::RejectedRecord| {
                        let (record, station, first) = (copy.record.clone(), station.clone(), None);
                        let doubt = tongdao_domain::account::Doubt::KeyReused;
                        Case { record, station, doubt, first, other: None, clock: Millis(0), corrected, since: item.at }.name().to_string()
                    };
                    let Some(doubts) = &mut self.doubts else { return };
                    doubts.records.extend(records);
                    doubts.refused.extend(rejected.iter().map(named));
                    self.coverage.add(Kind::CopyRefused, rejected.len() as u64);
                }
            }
            EntityKind::Doubtful => {
                if let Ok(event) = codec::decode(&item.event) {
                    self.case_hears(&item.entity.id, &event);
                }
            }
            _ => {}
        }
    }

    /// The time of a gate whose clock is far off may be put right, and no other's.
    fn judged_by_its_clock(&self, item: &FeedItem, corrected: bool) {
        let Some(gate) = self.gates.iter().find(|gate| gate.device.as_str() == item.entity.id) else { return };
        let off = gate.skew.abs() > SURELY_OFF;
        assert!(off || !corrected, "{} runs well and its records' time was moved", gate.device);
    }

    /// Two people look at each new case. What would change the books is rejected; what changes nothing may be accepted.
    fn case_hears(&mut self, name: &str, event: &doubtful::Event) {
        let now = self.now;
        let Some(doubts) = &mut self.doubts else { return };
        match event {
            doubtful::Event::Opened(case) => {
                let harmless = case.record.shown == Shown::Deny || case.doubt == tongdao_domain::account::Doubt::UnknownMedium;
                let accepts = harmless && case.record.medium.is_some() && doubts.chance.permille(600);
                let at = doubts.chance.after(now, 1_000, 60_000);
                self.schedule.at(at, What::Decide(name.to_owned(), accepts));
                if accepts && doubts.chance.permille(300) {
                    let soon = doubts.chance.millis(0, 100);
                    self.schedule.at(at + soon, What::Decide(name.to_owned(), false));
                }
            }
            doubtful::Event::Returned { .. } => self.schedule.at(now + Millis::seconds(5), What::Decide(name.to_owned(), false)),
            _ => {}
        }
    }

    pub(crate) fn decide_case(&mut self, name: &str, accept: bool) {
        let user: UserId = crate::city::id(if accept { ACCEPTS } else { REJECTS });
        let command = doubtful::Command::Decide { accept, by: By { user, reason: "looked at".into() } };
        self.errand(key(name), command, self.now, Purpose::Person);
    }

    /// At the quiet end every copy that was refused was seen and decided, and what was accepted is with its account.
    pub(crate) fn check_doubts(&self) {
        let Some(doubts) = &self.doubts else { return };
        for name in &doubts.refused {
            let doubtful: Doubtful = self.server.machine(&key(name));
            let state = doubtful.entry.as_ref().map(|entry| entry.state);
            assert!(matches!(state, Some(State::Posted | State::Rejected)), "the altered copy {name} is {state:?} at the quiet end");
        }
        let undone = self.oracle.desks.undecided();
        assert!(undone.is_empty(), "doubtful records without an end: {undone:?}");
    }
}

/// Did the one who accepts accept it?
pub(crate) fn accepted_by_whom_it_should(by: &By) -> bool {
    by.user.as_str() == ACCEPTS
}
