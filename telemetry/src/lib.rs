//! Observable facts: one type each, with one `emit()` that counts, logs and marks the current span. The only room that
//! names metric macros.
//!
//! What happens for every tap or every packet goes through a *meter* ([`TapMeter`], [`LinkMeter`]): handles that were
//! registered once, so that counting costs nanoseconds and no allocation. A meter belongs to a recorder: install the
//! recorder first. Everything rarer is looked up by name when it happens.
//!
//! Not here: how metrics leave the process. Whoever installs the Prometheus recorder also calls its upkeep every few
//! seconds, because histograms keep each sample until then.
#![expect(clippy::disallowed_macros, reason = "this is the one room that counts")]
mod actors;
mod catalogue;
mod console;
mod devices;
mod journal;
mod links;
mod lists;
mod meter;
mod process;
mod recent;
mod taps;

pub use actors::{ActorStarted, ActorStopped, CommandPoisoned, CommandsLost, DoorBusy, DoorDepth, EntityQuarantined, OwedSent, Reloaded};
pub use catalogue::{Kind, Metric, SIZE_BUCKETS, TIME_BUCKETS_S, buckets, describe_all};
pub use console::{ConsoleClosed, ConsoleOpened};
pub use devices::{
    AlarmReported, DevicesOnline, FareMeter, GateClockOff, ModeAcked, ModeObeyed, PassageReported, RecordStruck, RecordsTaken,
};
pub use journal::{CheckpointWritten, CommitEnded, GroupCommitted, JournalFailed, JournalOpened, JournalStatus};
pub use links::{AuditFault, ConnectRefused, DeadLetter, LinkClosed, LinkMeter, LinkOpened, Subscribed, UnknownField};
pub use lists::{ListBehind, ListMade, ListReached};
pub use meter::CounterSet;
pub use process::{AdminCommand, ClockStepped, ProcessStarted, ProcessStopping};
pub use recent::{DecisionTimes, TimesSample, decision_times, decision_times_of};
pub use taps::TapMeter;

#[cfg(test)]
mod testing;
