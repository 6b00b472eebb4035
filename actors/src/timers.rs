//! A cell's timers: the near deadlines of the entities that are awake, and the sweep that writes states, puts the idle to
//! sleep and asks the journal who is due. Far deadlines need no timer: the entity sleeps by then and the journal names it.
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use tongdao_domain::time::{Millis, Timestamp};

use crate::inner::Inner;
use crate::mail::Mail;
use crate::reader::Job;
use crate::resident::Resident;
use crate::slots::Key;

/// Deadlines further away than this are armed by a later sweep.
const HORIZON: Millis = Millis::minutes(2);
/// So few residents are looked at in one turn.
const SWEEP_WHOLE_MAX: usize = 256;
/// Of more, one part in so many for each period, …
const SWEEP_PARTS: usize = 8;
/// … in so many turns: a turn writes a few states, and no tap waits for a thousand of them.
const SWEEP_TURNS: usize = 64;

/// The heap and the next sweep.
#[derive(Debug)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, Key)>>,
    next_sweep: Timestamp,
    next_due: Timestamp,
    cursor: usize,
}

impl Timers {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { heap: BinaryHeap::new(), next_sweep: now, next_due: now, cursor: 0 }
    }
    /// When the cell must look at its timers again.
    pub(crate) fn next(&self) -> Timestamp {
        self.heap.peek().map_or(self.next_sweep, |Reverse((at, _))| (*at).min(self.next_sweep))
    }
    fn reached(&mut self, now: Timestamp) -> Option<(Timestamp, Key)> {
        let due = self.heap.peek().is_some_and(|Reverse((at, _))| *at <= now);
        due.then(|| self.heap.pop().map(|Reverse(timer)| timer)).flatten()
    }
}

impl Inner {
    /// An entity names its next deadline; replaces the one before.
    pub(crate) fn wake_at(&self, resident: &Resident, at: Option<Timestamp>) {
        resident.wake.set(at);
        self.arm(resident, self.turn_at());
    }
    fn arm(&self, resident: &Resident, now: Timestamp) {
        if let Some(at) = resident.wake.get()
            && at <= now + HORIZON
            && resident.armed.get() != Some(at)
        {
            resident.armed.set(Some(at));
            self.timers.borrow_mut().heap.push(Reverse((at, resident.key)));
        }
    }
    /// Ticks whoever is due and sweeps when it is time.
    pub(crate) fn run_timers(self: &Rc<Self>, now: Timestamp) {
        while let Some((at, key)) = { self.timers.borrow_mut().reached(now) } {
            let resident = self.residents.borrow().get(key).map(Rc::clone);
            if let Some(resident) = resident.filter(|resident| resident.wake.get() == Some(at)) {
                resident.wake.set(None);
                resident.armed.set(None);
                self.send(&resident, Mail::Tick);
            }
        }
        if self.timers.borrow().next_sweep <= now {
            let pause = self.sweep(now);
            self.timers.borrow_mut().next_sweep = now + pause;
            self.ask_due(now);
        }
    }
    /// Looks after some residents; when to go on.
    fn sweep(&self, now: Timestamp) -> Millis {
        let span = self.residents.borrow().span();
        let (count, turns) = portion(span);
        for _ in 0..count {
            let cursor = {
                let timers = &mut *self.timers.borrow_mut();
                timers.cursor = (timers.cursor + 1) % span;
                timers.cursor
            };
            let resident = self.residents.borrow().at(cursor).map(Rc::clone);
            if let Some(resident) = resident {
                self.look_after(&resident, now);
            }
        }
        Millis((self.shared.limits.sweep_every.0 / turns).max(1))
    }
    fn look_after(&self, resident: &Rc<Resident>, now: Timestamp) {
        self.arm(resident, now);
        if !resident.quiet() || resident.quarantined() {
            return;
        }
        let limits = &self.shared.limits;
        let crowded = self.residents.borrow().len() > limits.entities_awake_max;
        let idle_after = if crowded { limits.sweep_every } else { limits.idle_after };
        let wakes_soon = resident.wake.get().is_some_and(|at| at <= now + limits.due_every);
        if now - resident.last_used.get() >= idle_after && !wakes_soon {
            self.send(resident, Mail::Passivate);
        } else if resident.dirty_since.get().is_some_and(|since| now - since >= limits.checkpoint_after) {
            self.send(resident, Mail::Checkpoint);
        }
    }
    /// One cell asks the journal for all of them.
    fn ask_due(&self, now: Timestamp) {
        let timers = &mut *self.timers.borrow_mut();
        if self.index != 0 || timers.next_due > now || !self.shared.is_open() {
            return;
        }
        timers.next_due = now + self.shared.limits.due_every;
        // Entities in quarantine stay due for ever and must not hide the others.
        let hidden: usize = self.shared.ports.iter().map(|port| port.figures.read().quarantined).sum();
        let limit = self.shared.limits.due_batch_max + hidden;
        if !self.readers.read(Job::Due { until: now, limit }) {
            tracing::warn!("the readers are too busy to look for due entities");
        }
    }
}

/// How many residents a turn of the sweep looks at, and how many turns a period has.
fn portion(span: usize) -> (usize, i64) {
    if span <= SWEEP_WHOLE_MAX {
        return (span, 1);
    }
    let whole = SWEEP_PARTS * SWEEP_TURNS;
    (span.div_ceil(whole), SWEEP_TURNS as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_turn_of_a_sweep_is_long_and_every_resident_has_its_turn() {
        assert_eq!(portion(0), (0, 1));
        assert_eq!(portion(SWEEP_WHOLE_MAX), (SWEEP_WHOLE_MAX, 1));
        for span in [257, 1_000, 21_000, 200_000] {
            let (count, turns) = portion(span);
            assert!(count <= span / 400 + 1, "{span}: {count}");
            assert!(count * usize::try_from(turns).expect("small") * SWEEP_PARTS >= span, "{span}: within eight periods");
        }
    }
}
