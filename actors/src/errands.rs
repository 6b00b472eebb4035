//! What entities of a cell owe to other entities, on its way out a little at a time. A gate that was without a link for a day
//! owes thousands of records, and many gates come back at once: however much is owed, riders who tap now do not wait behind it.
//! Nothing is lost by waiting here: what is owed stands in the journal and is offered again.
use std::collections::{HashSet, VecDeque};

use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::Owed;

/// Commits in the journal's hands up to which errands are added to them.
const BESIDE_MAX: usize = 16;
/// Errands of one turn, at most.
const TURN_MAX: usize = 8;

/// Waiting errands of one cell.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    waiting: VecDeque<(EntityKey, Owed)>,
    known: HashSet<CommandId>,
}

impl Errands {
    /// Takes one in, unless it waits already.
    pub(crate) fn add(&mut self, creditor: &EntityKey, owed: Owed) {
        if self.known.insert(owed.id.clone()) {
            self.waiting.push_back((creditor.clone(), owed));
        }
    }

    /// What may go out now beside so many commits that are on their way: one at least, so that a busy cell comes to an end too.
    pub(crate) fn next(&mut self, committing: usize) -> Vec<(EntityKey, Owed)> {
        let room = BESIDE_MAX.saturating_sub(committing).clamp(1, TURN_MAX).min(self.waiting.len());
        let out: Vec<_> = self.waiting.drain(..room).collect();
        out.iter().for_each(|(_, owed)| {
            self.known.remove(&owed.id);
        });
        out
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::entity::EntityKind;
    use tongdao_domain::machine::{OwedWhat, Recipient};
    use tongdao_domain::testing::MORNING;
    use tongdao_domain::{account, machine};

    fn owed(n: usize) -> Owed {
        let what = OwedWhat::Command(Box::new(machine::Command::Account(account::Command::Tick)));
        let to = Recipient::Entity(EntityKey::new(EntityKind::Account, "a1"));
        Owed { id: CommandId::of(format_args!("record/g1/1/{n}")), to, what, since: MORNING }
    }

    #[test]
    fn a_little_goes_out_at_a_time_in_order_and_less_beside_much_else() {
        let (mut errands, gate) = (Errands::default(), EntityKey::new(EntityKind::Gate, "g1"));
        (0..40).for_each(|n| errands.add(&gate, owed(n)));
        let ids = |out: Vec<(EntityKey, Owed)>| out.into_iter().map(|(_, owed)| owed.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(errands.next(0)).len(), TURN_MAX);
        assert_eq!(ids(errands.next(BESIDE_MAX - 2)), ["record/g1/1/8", "record/g1/1/9"]);
        assert_eq!(ids(errands.next(1_000)), ["record/g1/1/10"], "one at least");
        while !errands.is_empty() {
            assert!(!errands.next(0).is_empty());
        }
        assert!(errands.next(0).is_empty());
    }

    #[test]
    fn what_waits_already_does_not_wait_twice() {
        let (mut errands, gate) = (Errands::default(), EntityKey::new(EntityKind::Gate, "g1"));
        (0..3).for_each(|_| errands.add(&gate, owed(1)));
        assert_eq!((errands.next(0).len(), errands.is_empty()), (1, true));
        errands.add(&gate, owed(1));
        assert!(!errands.is_empty(), "offered again after it has gone out");
    }
}
