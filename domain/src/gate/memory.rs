//! What a gate's actor knows only while it is awake: how the gate's clock runs (`clock`), who is in the aisle, the newest
//! boot it has heard of. Empty after a crash, never journalled, never about money.
use super::Command;
use super::clock::Clock;
use crate::id::TapId;
use crate::machine::{Context, Notice, Remark, Reply};
use crate::tap::{Shown, Tap, TapDecision};
use crate::time::{Millis, Timestamp};
use std::collections::VecDeque;
use xxhash_rust::xxh3::xxh3_64;

/// Taps whose medium is remembered until their decision comes, and riders in the aisle; far more than fit into one.
const AISLE_TAPS: usize = 32;

/// The volatile memory of a gate.
#[derive(Debug, Default)]
pub struct GateMemory {
    clock: Clock,
    aisle: Aisle,
    epoch: u64,
}

impl GateMemory {
    /// Process clock minus the gate's clock, by the fastest of its last messages; none = nothing heard yet that tells.
    #[must_use]
    pub fn clock_offset(&self) -> Option<Millis> {
        self.clock.offset()
    }
    /// The highest boot heard of.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }
    /// Authorised riders not yet passed, without the one who presents this medium (again).
    pub(super) fn riders_beside(&self, tap: &Tap, now: Timestamp, no_passage: Millis) -> usize {
        let medium = medium_hash(tap);
        self.aisle.riders.iter().filter(|rider| rider.medium != medium && now - rider.since < no_passage).count()
    }

    pub(super) fn take(&mut self, notice: &Notice<'_, Command>, context: &Context<'_>) -> Option<Remark> {
        match notice {
            Notice::Arrived(command) => {
                self.arrived(command, context);
                return self.clock.remark(context.world.settings.clock_warn);
            }
            Notice::Answered(Reply::Tap(decision)) if decision.code.opens() && context.world.settings.riders_max > 0 => {
                self.aisle.authorise(decision);
            }
            Notice::Answered(_) => {}
        }
        None
    }

    fn arrived(&mut self, command: &Command, context: &Context<'_>) {
        let trust = context.world.settings.clock_warn;
        match command {
            Command::Tap { tap, received } => {
                self.clock.take(tap.at, *received, trust);
                self.epoch = self.epoch.max(tap.id.epoch);
                if context.world.settings.riders_max > 0 {
                    self.aisle.present(tap);
                }
            }
            Command::State(twin) if twin.online => self.clock.set(twin.at, context.now, trust),
            Command::Ack { at, .. } => self.clock.take(*at, context.now, trust),
            Command::Passage { tap, at, .. } => {
                self.clock.take(*at, context.now, trust);
                self.epoch = self.epoch.max(tap.epoch);
                self.aisle.leave(tap);
            }
            Command::Records { epoch, records, .. } => {
                self.epoch = self.epoch.max(*epoch);
                let gone = |record: &&crate::tap::Record| record.passage.is_some() || record.shown == Shown::Deny;
                records.iter().filter(gone).for_each(|record| self.aisle.leave(&record.tap));
            }
            // A will was written when the connection began: its time says nothing of the clock.
            Command::State(_) | Command::Unresolved { .. } | Command::Struck { .. } => {}
            Command::Order(_) | Command::OrderSent { .. } | Command::Tick => {}
        }
    }
}

#[derive(Debug, Default)]
struct Aisle {
    /// Taps without a decision yet: (boot, sequence), hash of the medium.
    presented: VecDeque<((u64, u64), u64)>,
    riders: VecDeque<Rider>,
}

#[derive(Debug)]
struct Rider {
    tap: (u64, u64),
    medium: u64,
    since: Timestamp,
}

impl Aisle {
    fn present(&mut self, tap: &Tap) {
        push_bounded(&mut self.presented, ((tap.id.epoch, tap.id.seq), medium_hash(tap)));
    }

    /// A rider who taps twice is one rider.
    fn authorise(&mut self, decision: &TapDecision) {
        let tap = (decision.tap.epoch, decision.tap.seq);
        let Some(medium) = self.presented.iter().rev().find(|(id, _)| *id == tap).map(|(_, medium)| *medium) else { return };
        self.riders.retain(|rider| rider.medium != medium);
        push_bounded(&mut self.riders, Rider { tap, medium, since: decision.decided_at });
    }

    fn leave(&mut self, tap: &TapId) {
        self.riders.retain(|rider| rider.tap != (tap.epoch, tap.seq));
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() >= AISLE_TAPS {
        queue.pop_front();
    }
    queue.push_back(item);
}

fn medium_hash(tap: &Tap) -> u64 {
    xxh3_64(tap.medium.token.as_str().as_bytes())
}
