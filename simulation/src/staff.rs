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
    tasks: BTreeMap<u64, (EntityKey, Command)>,
    last: u64,
}

impl Staff {
    /// Is everything answered?
    #[must_use]
    pub(crate) fn is_done(&self) -> bool {
        self.tasks.is_empty()
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
        self.staff.last += 1;
        self.staff.tasks.insert(self.staff.last, (entity, command.into()));
        self.schedule.at(at, What::Staff(self.staff.last));
    }

    pub(crate) fn staff_sends(&mut self, task: u64) {
        let Some((entity, command)) = self.staff.tasks.get(&task).cloned() else { return };
        if self.server.up {
            self.tell(|| format!("staff asks {entity}: {command:?}"));
            let command_id = CommandId::of(format_args!("staff/{task}"));
            self.server.command(entity, command_id, command, Self::staff_address(task), self.now);
        }
        self.schedule.at(self.now + Millis::seconds(5), What::Staff(task));
    }

    pub(crate) fn staff_hears(&mut self, task: u64, reply: &Reply) {
        let Reply::Refused(Refusal { code, .. }) = reply else {
            self.staff.tasks.remove(&task);
            return;
        };
        match code {
            RefusalCode::Busy => {}
            // Not yet: an alarm is on, or the emergency is not known yet.
            RefusalCode::WrongState => {
                let Some((entity, command)) = self.staff.tasks.remove(&task) else { return };
                self.order(entity, command, self.now + Millis::seconds(10));
            }
            _ => panic!("the staff is refused: {reply:?}"),
        }
    }
}
