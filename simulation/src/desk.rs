//! The desk: commands that need a second person, and the watcher that raises and settles alarms. Both stand outside of the
//! machines as the console and its boards do: what they remember dies with the server, and is found again in the journal.
use crate::city::{GATES, LINE, gate_id, id};
use crate::coverage::Kind;
use crate::simulation::{Part, Simulation, What};
use crate::staff::Purpose;
use std::collections::BTreeSet;
use tongdao_domain::account;
use tongdao_domain::alarm::{self, Alarm, AlarmCode, Severity};
use tongdao_domain::approval::{self, Approval, Asked, DIGEST_BYTES};
use tongdao_domain::device::By;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::{AccountId, CommandId, DeviceId};
use tongdao_domain::machine::{Refusal, RefusalCode, Reply};
use tongdao_domain::money::Amount;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_journal::codec;
use tongdao_journal::contract::FeedItem;

/// Who asks, and who may let it through.
const STAFF: [&str; 3] = ["li", "wang", "zhao"];
/// A gate without a link is looked at again after this.
const LOOK_AGAIN: Millis = Millis::seconds(2);

/// What the desk remembers.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// Approvals asked for so far.
    pub(crate) asked: u64,
    /// Gates whose loss stands in the journal, as far as the watcher knows.
    told: BTreeSet<(usize, usize)>,
    /// Stations with a command of the watcher under way.
    telling: BTreeSet<usize>,
}

/// The approval of that number.
pub(crate) fn approval_key(number: u64) -> EntityKey {
    EntityKey::new(EntityKind::Approval, &format!("ap{number}"))
}
fn alarm_key(station: usize) -> EntityKey {
    alarm::key(AlarmCode::GatesOffline, LINE[station].0)
}
fn person(of: usize) -> By {
    By { user: id(STAFF[of]), reason: "the desk".into() }
}

impl Simulation {
    pub(crate) fn plan_desk(&mut self) {
        if self.desk.is_none() {
            return;
        }
        let at = self.office.after(self.now, 60_000, 600_000);
        self.schedule.at(at, What::Desk);
    }

    /// Somebody asks for a credit that two others decide about, nearly at once; some are late.
    pub(crate) fn ask_for_a_second_person(&mut self) {
        let Some(desk) = self.desk.as_mut().filter(|_| self.part == Part::Busy) else { return };
        desk.asked += 1;
        let number = desk.asked;
        let waits = self.office.millis(5_000, 60_000);
        let lives =
            if self.office.permille(300) { Millis(waits.0 + self.office.between(-200, 200)) } else { self.office.millis(90_000, 600_000) };
        let asked = Asked {
            op: "account.credit".into(),
            args: format!("a{}", self.office.between(1, 5)),
            command_id: CommandId::of(format_args!("approved/{number}")),
            digest: "d".repeat(DIGEST_BYTES).into(),
            by: person(0),
            expires_at: self.now + lives,
            station: None,
            rev: None,
        };
        self.errand(approval_key(number), approval::Command::Request(asked), self.now, Purpose::Person);
        for who in 0..STAFF.len() {
            let (at, yes) = (self.now + waits + self.office.millis(0, 60), self.office.permille(700));
            if who > 0 || self.office.permille(300) {
                self.decide(number, who, yes || who == 0, at);
            }
        }
        self.plan_desk();
    }

    fn decide(&mut self, number: u64, who: usize, yes: bool, at: Timestamp) {
        let (digest, by) = ("d".repeat(DIGEST_BYTES).into(), person(who));
        let command = if yes { approval::Command::Approve { digest, by } } else { approval::Command::Reject { digest, by } };
        self.errand(approval_key(number), command, at, Purpose::Person);
    }

    /// What was let through is run under its own id.
    pub(crate) fn run_approved(&mut self, number: u64) {
        let approval: Approval = self.server.machine(&approval_key(number));
        let Some(asked) = approval.to_run() else { return };
        let account = id::<AccountId>(&asked.args);
        let credit = account::Command::Credit { amount: Amount::from_fen(1_000), by: asked.by.clone() };
        self.errand(EntityKey::from(&account), credit, self.now, Purpose::Run(number));
    }

    pub(crate) fn ran(&mut self, number: u64, reply: &Reply) {
        let refused = match reply {
            Reply::Refused(Refusal { code, .. }) => Some(code.name().into()),
            _ => None,
        };
        self.errand(approval_key(number), approval::Command::Ran { refused }, self.now, Purpose::Ran);
    }

    /// An answer that needs nothing more.
    pub(crate) fn noted(&mut self, reply: &Reply) {
        if let Reply::Refused(Refusal { code: RefusalCode::Forbidden, .. }) = reply {
            self.coverage.note(Kind::OwnApproval);
        }
    }

    pub(crate) fn plan_look(&mut self, gate: usize) {
        if self.desk.is_some() {
            self.schedule.at(self.now + LOOK_AGAIN, What::Look(gate / GATES));
        }
    }

    /// The watcher compares what is with what it has told: one difference at a time, so that nothing overtakes.
    pub(crate) fn look(&mut self, station: usize) {
        let Some(desk) = self.desk.as_ref().filter(|desk| self.server.up && !desk.telling.contains(&station)) else { return };
        let offline = |gate: usize| self.gates[station * GATES + gate].connection.is_none();
        let differs = |gate: &usize| offline(*gate) != desk.told.contains(&(station, *gate));
        let Some(gate) = (0..GATES).find(differs) else { return };
        let (on, device) = (offline(gate), Some(gate_id(station, gate)));
        let raise = |device: Option<DeviceId>| alarm::Command::Raise {
            code: AlarmCode::GatesOffline,
            source: LINE[station].0.into(),
            severity: Severity::Major,
            device,
        };
        let command = if on { raise(device) } else { alarm::Command::Settle { device } };
        if let Some(desk) = &mut self.desk {
            desk.telling.insert(station);
        }
        self.errand(alarm_key(station), command, self.now, Purpose::Watch { station, gate, on });
    }

    pub(crate) fn looked(&mut self, station: usize, gate: usize, on: bool, reply: &Reply) {
        assert_eq!(*reply, Reply::Done, "the watcher is refused");
        let Some(desk) = &mut self.desk else { return };
        desk.telling.remove(&station);
        if on {
            desk.told.insert((station, gate))
        } else {
            desk.told.remove(&(station, gate))
        };
        self.look(station);
    }

    /// The server is back: what it knew is what stands in the journal.
    pub(crate) fn reopen_desk(&mut self) {
        let Some(asked) = self.desk.as_ref().map(|desk| desk.asked) else { return };
        let told = (0..LINE.len()).flat_map(|station| self.standing(station)).collect();
        self.desk = Some(Desk { asked, told, telling: BTreeSet::new() });
        for station in 0..LINE.len() {
            self.schedule.at(self.now + LOOK_AGAIN, What::Look(station));
        }
        (1..=asked).for_each(|number| self.run_approved(number));
    }

    /// The gates of a station whose loss stands in the journal.
    fn standing(&self, station: usize) -> Vec<(usize, usize)> {
        let alarm: Alarm = self.server.machine(&alarm_key(station));
        let devices = alarm.current().map(|entry| entry.devices.clone()).unwrap_or_default();
        (0..GATES).filter(|gate| devices.contains(&gate_id(station, *gate))).map(|gate| (station, gate)).collect()
    }

    /// A decision is durable: what was let through is run.
    pub(crate) fn desk_hears(&mut self, item: &FeedItem) {
        let approved = item.entity.kind == EntityKind::Approval
            && codec::decode(&item.event).is_ok_and(|event: approval::Event| matches!(event, approval::Event::Approved { .. }));
        if let (true, Some(number)) = (approved && self.server.up, item.entity.id.strip_prefix("ap")) {
            self.run_approved(number.parse().unwrap_or(0));
        }
    }

    /// At the quiet end nothing waits and no alarm stands.
    pub(crate) fn check_desk(&self) {
        for number in 1..=self.desk.as_ref().map_or(0, |desk| desk.asked) {
            let approval: Approval = self.server.machine(&approval_key(number));
            let state = approval.entry.map(|entry| entry.state);
            let over = matches!(state, None | Some(approval::State::Rejected | approval::State::Expired | approval::State::Done));
            assert!(over, "approval {number} is {state:?} at the quiet end");
        }
        assert_eq!(self.oracle.desks.unrun(), Vec::<&CommandId>::new(), "let through and never run");
        for (station, (name, _)) in LINE.iter().enumerate() {
            let alarm: Alarm = self.server.machine(&alarm_key(station));
            assert!(alarm.current().is_none(), "an alarm of {name} stands although every gate has its link");
        }
    }
}
