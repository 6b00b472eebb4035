//! The staff: commands that are repeated under the same id until they are answered.
use crate::city::{id, staff};
use crate::gate::Rider;
use crate::simulation::{Simulation, What};
use std::collections::BTreeMap;
use tongdao_domain::account::{self, WalletClass};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{AccountId, CommandId, StationId, Token};
use tongdao_domain::machine::{Command, Refusal, RefusalCode, Reply};
use tongdao_domain::medium;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::station;
use tongdao_domain::tap::MediumKind;
use tongdao_domain::time::{Millis, Timestamp};

/// What the staff still wants done.
#[derive(Debug, Default)]
pub(crate) struct Staff {
    tasks: BTreeMap<u64, Task>,
    last: u64,
}

#[derive(Debug, Clone)]
struct Task {
    entity: EntityKey,
    command: Command,
    purpose: Purpose,
}

/// What becomes of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It must be done in the end: where the state does not allow it yet, it is asked again.
    Must,
    /// A person asks once and hears the answer.
    Person,
    /// The outcome of what was run is told.
    Ran,
    /// What was let through under this number is run.
    Run(u64),
    /// The watcher tells of a gate.
    Watch {
        /// The station.
        station: usize,
        /// The gate in it.
        gate: usize,
        /// Raised or settled.
        on: bool,
    },
}

impl Staff {
    /// Is everything answered?
    #[must_use]
    pub(crate) fn is_done(&self) -> bool {
        self.tasks.is_empty()
    }

    /// What only a process remembers dies with it.
    pub(crate) fn forget_the_desk(&mut self) {
        self.tasks.retain(|_, task| matches!(task.purpose, Purpose::Must | Purpose::Person));
    }
}

impl Simulation {
    pub(crate) fn open_account(&mut self, account: &AccountId, token: &Token, fen: i64) {
        let open = account::Command::Open {
            class: WalletClass::Three,
            passenger_class: "adult".into(),
            balance: Amount::from_fen(fen),
            currency: Currency::CNY,
            by: staff(),
        };
        let link = account::Command::Link { token: token.clone(), kind: MediumKind::Card, by: staff() };
        self.order(EntityKey::from(token), medium::Command::Claim { owner: account.clone() }, self.now);
        self.order(EntityKey::from(account), open, self.now);
        self.order(EntityKey::from(account), link, self.now + Millis::seconds(1));
    }

    pub(crate) fn credit(&mut self, rider: Rider) {
        if let Some(account) = self.riders[rider].account.clone() {
            let credit = account::Command::Credit { amount: Amount::from_fen(10_000), by: staff() };
            self.order(EntityKey::from(&account), credit, self.now);
        }
    }

    pub(crate) fn declare_emergency(&mut self, station: &str, at: Timestamp) {
        self.order(EntityKey::from(&id::<StationId>(station)), station::Command::Emergency { by: staff() }, at);
    }

    pub(crate) fn release(&mut self, station: &str, at: Timestamp) {
        let release = station::Command::Release { by: staff(), approved_by: None };
        self.order(EntityKey::from(&id::<StationId>(station)), release, at);
    }

    pub(crate) fn order(&mut self, entity: EntityKey, command: impl Into<Command>, at: Timestamp) {
        self.errand(entity, command, at, Purpose::Must);
    }

    pub(crate) fn errand(&mut self, entity: EntityKey, command: impl Into<Command>, at: Timestamp, purpose: Purpose) {
        self.staff.last += 1;
        self.staff.tasks.insert(self.staff.last, Task { entity, command: command.into(), purpose });
        self.schedule.at(at, What::Staff(self.staff.last));
    }

    pub(crate) fn staff_sends(&mut self, task: u64) {
        let Some(Task { entity, command, purpose }) = self.staff.tasks.get(&task).cloned() else { return };
        if self.server.up {
            self.tell(|| format!("staff asks {entity}: {command:?}"));
            let command_id = match purpose {
                Purpose::Run(number) => CommandId::of(format_args!("approved/{number}")),
                _ => CommandId::of(format_args!("staff/{task}")),
            };
            self.server.command(entity, command_id, command, Self::staff_address(task), self.now);
        }
        self.schedule.at(self.now + Millis::seconds(5), What::Staff(task));
    }

    pub(crate) fn staff_hears(&mut self, task: u64, reply: &Reply) {
        if matches!(reply, Reply::Refused(Refusal { code: RefusalCode::Busy, .. })) {
            return;
        }
        let Some(Task { entity, command, purpose }) = self.staff.tasks.remove(&task) else { return };
        match (purpose, reply) {
            // Not yet: an alarm is on, or the emergency is not known yet.
            (Purpose::Must, Reply::Refused(Refusal { code: RefusalCode::WrongState, .. })) => {
                self.order(entity, command, self.now + Millis::seconds(10));
            }
            (Purpose::Must, Reply::Refused(_)) => panic!("the staff is refused: {reply:?}"),
            (Purpose::Must, _) => {}
            (Purpose::Person, _) => self.noted(reply),
            (Purpose::Ran, _) => {}
            (Purpose::Run(number), _) => self.ran(number, reply),
            (Purpose::Watch { station, gate, on }, _) => self.looked(station, gate, on, reply),
        }
    }
}
