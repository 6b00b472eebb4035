//! The deny list: a desk that puts tokens there and takes them off, an account that is frozen and thawed, and what must hold
//! of every gate's own list when everything has come to rest.
use crate::city::{id, staff};
use crate::coverage::Kind;
use crate::simulation::{Part, Simulation, What};
use crate::staff::Purpose;
use tongdao_domain::account::{self, Account};
use tongdao_domain::deny::{Cause, Command, DenyList};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{AccountId, Token};
use tongdao_domain::machine::Machine as _;
use tongdao_domain::time::Millis;

/// Nobody rides with it: so it may be frozen whenever it comes to that.
const ACCOUNT: &str = "ax";
/// Its medium.
const CARD: &str = "x9";
/// Media that nobody has.
const FOUND: [&str; 4] = ["x0", "x1", "x2", "x3"];
/// A rider's; it is taken off again soon.
const RIDERS: &str = "m3";

impl Simulation {
    pub(crate) fn open_denied_account(&mut self) {
        if self.lists.is_some() {
            self.open_account(&id::<AccountId>(ACCOUNT), &id::<Token>(CARD), 5_000);
        }
    }

    pub(crate) fn plan_deny(&mut self) {
        let Some(lists) = &mut self.lists else { return };
        let at = lists.after(self.now, 5_000, 240_000);
        self.schedule.at(at, What::Deny);
    }

    /// Somebody does something to the list.
    pub(crate) fn deny(&mut self) {
        let Some(lists) = self.lists.as_mut().filter(|_| self.part == Part::Busy) else { return };
        let (what, which, wait) = (lists.between(0, 9), lists.index(FOUND.len()), lists.millis(2_000, 60_000));
        let (now, later) = (self.now, self.now + wait);
        match what {
            0..=2 => self.put(&[FOUND[which], FOUND[(which + 1) % FOUND.len()]], now),
            3..=4 => self.take(&[FOUND[which]], now),
            5 => {
                self.put(&[RIDERS], now);
                self.take(&[RIDERS], later);
            }
            6 => {
                self.put(&[CARD], now);
                self.take(&[CARD], later);
            }
            7..=8 => self.freeze(true),
            _ => self.freeze(false),
        }
        self.plan_deny();
    }

    fn put(&mut self, tokens: &[&str], at: tongdao_domain::time::Timestamp) {
        let tokens = tokens.iter().map(|token| id(token)).collect();
        self.errand(EntityKey::deny_list(), Command::Add { tokens, by: staff() }, at, Purpose::Person);
    }
    fn take(&mut self, tokens: &[&str], at: tongdao_domain::time::Timestamp) {
        let tokens = tokens.iter().map(|token| id(token)).collect();
        self.errand(EntityKey::deny_list(), Command::Remove { tokens, by: staff() }, at, Purpose::Person);
    }
    fn freeze(&mut self, freeze: bool) {
        let by = staff();
        let command = if freeze { account::Command::Freeze { by } } else { account::Command::Unfreeze { by } };
        self.errand(EntityKey::from(&id::<AccountId>(ACCOUNT)), command, self.now, Purpose::Person);
    }

    /// At the quiet end the rider's medium is free again.
    pub(crate) fn end_deny(&mut self) {
        if self.lists.is_some() {
            self.take(&[RIDERS], self.now + Millis::seconds(1));
        }
    }

    /// The list is what its causes say, every gate has it, and the account has told what it is.
    pub(crate) fn check_lists(&mut self) {
        if self.lists.is_none() {
            return;
        }
        let list: DenyList = self.server.machine(&EntityKey::deny_list());
        assert!(list.pending.is_empty() && list.due.is_none(), "changes of the deny list wait: {:?}", list.pending);
        assert!(list.entries.values().all(|entry| entry.published && entry.listed()), "what stands there is not what is denied");
        let account: Account = self.server.machine(&EntityKey::from(&id::<AccountId>(ACCOUNT)));
        assert_eq!(account.owed(&EntityKey::from(&id::<AccountId>(ACCOUNT))), [], "{ACCOUNT} still owes something to the deny list");
        let causes = list.entries.get(CARD).map_or(&[][..], |entry| &entry.causes);
        let by_account = causes.iter().any(|(cause, _)| matches!(cause, Cause::Account(..)));
        assert_eq!(by_account, account.frozen, "{ACCOUNT} is frozen or not, and the deny list does not know it: {causes:?}");
        for gate in &self.gates {
            assert_eq!(gate.list.version(), list.version(), "{} has an older deny list", gate.device);
            assert!(gate.list.tokens().eq(list.published()), "{} has another deny list: {:?}", gate.device, gate.list);
        }
        if list.version() > 1 {
            self.coverage.note(Kind::ListVersions);
        }
    }
}
