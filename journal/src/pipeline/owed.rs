//! When to send again what is owed, and when to wake next. There is no outbox: what is owed is state of the machine, this
//! only remembers when each id was last sent.
use std::collections::{HashMap, HashSet};
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::Owed;
use tongdao_domain::mutant::{Mutant, planted};
use tongdao_domain::time::{Millis, Timestamp};

/// Send times of what is owed, and the last tick.
#[derive(Debug, Default)]
pub(super) struct Reminders {
    sent: HashMap<CommandId, Timestamp>,
    /// The deadline that was last ticked, and when: one that a tick did not move is not ticked again at once.
    ticked: Option<(Timestamp, Timestamp)>,
    /// The wake that the shell knows of.
    told: Option<Timestamp>,
}

impl Reminders {
    /// Which of these are due to be sent now; forgets those no longer owed.
    pub(super) fn due(&mut self, owed: Vec<Owed>, now: Timestamp, again: Millis) -> Vec<Owed> {
        if !self.sent.is_empty() {
            let ids: HashSet<&CommandId> = owed.iter().map(|o| &o.id).collect();
            self.sent.retain(|id, _| ids.contains(id));
        }
        let again = if planted(Mutant::OwedOnce) { Millis::hours(1_000) } else { again };
        let mut due = owed;
        due.retain(|o| self.sent.get(&o.id).is_none_or(|sent| *sent + again <= now));
        for o in &due {
            self.sent.insert(o.id.clone(), now);
        }
        due
    }

    /// Is this deadline of the machine to be ticked now?
    pub(super) fn ticks(&mut self, deadline: Timestamp, now: Timestamp, again: Millis) -> bool {
        let due = self.machine_wake(deadline, again) <= now;
        if due {
            self.ticked = Some((deadline, now));
        }
        due
    }

    /// The next wake where it is another than the one told last.
    pub(super) fn wake(&mut self, deadline: Option<Timestamp>, again: Millis) -> Option<Option<Timestamp>> {
        let machine = deadline.map(|deadline| self.machine_wake(deadline, again));
        let owed = self.sent.values().min().map(|sent| *sent + again);
        let wake = machine.into_iter().chain(owed).min();
        (wake != self.told).then(|| {
            self.told = wake;
            wake
        })
    }

    /// The shell's timer has fired: whatever comes next has to be told.
    pub(super) fn fired(&mut self) {
        self.told = None;
    }

    /// How many ids were sent and are not known to be struck off.
    pub(super) fn outstanding(&self) -> usize {
        self.sent.len()
    }

    fn machine_wake(&self, deadline: Timestamp, again: Millis) -> Timestamp {
        match self.ticked {
            Some((ticked, at)) if ticked == deadline => deadline.max(at + again),
            _ => deadline,
        }
    }
}
