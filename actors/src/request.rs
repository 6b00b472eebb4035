//! What comes in through the door of a cell, how it is refused there, and where its answer goes.
use std::fmt;

use tongdao_domain::code::Code;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::{Command, Refusal, RefusalCode, Reply};
use tongdao_domain::tap::{Tap, TapDecision};
use tongdao_domain::time::Timestamp;
use tongdao_domain::{account, gate, station};

/// The three lanes of a cell's door: urgent first, then taps; the rest gets at least one turn in sixteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Modes, emergencies, alarms.
    Urgent,
    /// Taps and the passages that follow them.
    Taps,
    /// Everything else.
    Rest,
}

impl Lane {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Taps => "taps",
            Self::Rest => "rest",
        }
    }
    /// The lane a command belongs in.
    #[must_use]
    pub const fn of(command: &Command) -> Self {
        match command {
            Command::Station(station::Command::Tick) => Self::Rest,
            Command::Station(_) => Self::Urgent,
            Command::Gate(gate::Command::Tap { .. } | gate::Command::Unresolved { .. } | gate::Command::Passage { .. })
            | Command::Account(account::Command::Tap { .. } | account::Command::Passage { .. }) => Self::Taps,
            _ => Self::Rest,
        }
    }
}

/// A command on its way to an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Who decides.
    pub entity: EntityKey,
    /// The key of idempotence.
    pub command_id: CommandId,
    /// What is asked.
    pub command: Command,
    /// The revision that whoever asks was shown: refused where there is a newer one.
    pub if_rev: Option<u64>,
    /// Through which lane.
    pub lane: Lane,
    /// When it was read from the wire, by the process clock.
    pub received: Timestamp,
}

impl Request {
    /// A request in the lane that its command belongs in.
    #[must_use]
    pub fn new(entity: EntityKey, command_id: CommandId, command: impl Into<Command>, received: Timestamp) -> Self {
        let command = command.into();
        Self { lane: Lane::of(&command), entity, command_id, command, if_rev: None, received }
    }
}

/// Where the answer of one request goes: a registered slot of a cell, and what that slot's owner knows the request by.
/// Plain data: it crosses threads. The generation guards a slot that was given to somebody else since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplySlot {
    /// The cell on whose thread the slot's sink lives.
    pub cell: u32,
    /// Number of the slot in its cell.
    pub slot: u32,
    /// Which owner of that number.
    pub generation: u32,
    /// The owner's own mark, given back with the reply.
    pub cookie: u64,
}

/// Nothing was taken in: the caller says so while there is time to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Busy {
    /// The lane is full.
    #[error("the lane is full")]
    Full,
    /// What stands before it has waited too long already.
    #[error("the head of the queue has waited too long")]
    TooOld,
    /// Its history cannot be replayed; nothing is decided until it is repaired and the process started again.
    #[error("the entity is in quarantine: its history cannot be replayed")]
    Quarantined,
    /// The journal could not read it just now.
    #[error("the entity could not be read")]
    Unreadable,
    /// The process takes nothing new.
    #[error("draining")]
    Draining,
    /// The cell is gone.
    #[error("stopped")]
    Stopped,
}

impl Busy {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooOld => "late",
            Self::Quarantined => "quarantined",
            Self::Unreadable => "journal",
            Self::Draining | Self::Stopped => "draining",
        }
    }
    /// The refusal that a caller outside of MQTT sees.
    #[must_use]
    pub fn reply(self) -> Reply {
        Refusal::reply(RefusalCode::Busy, self.to_string())
    }
}

/// The tap that a command asks a decision for.
#[must_use]
pub const fn tap_of(command: &Command) -> Option<&Tap> {
    match command {
        Command::Gate(gate::Command::Tap { tap, .. } | gate::Command::Unresolved { tap })
        | Command::Account(account::Command::Tap { tap, .. }) => Some(tap),
        _ => None,
    }
}

/// The answer to a command that was taken in but could not be served now; no outcome, nothing is kept under its id.
#[must_use]
pub fn busy_reply(command: &Command, why: impl fmt::Display, now: Timestamp) -> Reply {
    match tap_of(command) {
        Some(tap) => Reply::Tap(TapDecision::bare(tap, Code::Busy, now)),
        None => Refusal::reply(RefusalCode::Busy, why.to_string()),
    }
}

/// The answer to a command that was given up: sending it again is of no use, so it is not `BUSY`, save for a tap, where the
/// gate decides alone.
#[must_use]
pub(crate) fn given_up_reply(command: &Command, now: Timestamp) -> Reply {
    match tap_of(command) {
        Some(tap) => Reply::Tap(TapDecision::bare(tap, Code::Busy, now)),
        None => Refusal::reply(RefusalCode::WrongState, "given up: its entity panicked on it again and again; see the dead letters"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::tap::Direction;
    use tongdao_domain::testing::{MORNING, by, gate_of, tap};

    #[test]
    fn commands_stand_in_the_lane_of_their_kind() {
        let tap = tap(&gate_of("s0", 1), 1, 1, Direction::Entry, "t", MORNING);
        assert_eq!(Lane::of(&gate::Command::Unresolved { tap: tap.clone() }.into()), Lane::Taps);
        assert_eq!(Lane::of(&station::Command::Emergency { by: by() }.into()), Lane::Urgent);
        assert_eq!(Lane::of(&station::Command::Tick.into()), Lane::Rest);
        assert_eq!(Lane::of(&gate::Command::Tick.into()), Lane::Rest);
    }

    #[test]
    fn a_tap_is_answered_with_a_decision_whatever_happens() {
        let tap = tap(&gate_of("s0", 1), 1, 1, Direction::Entry, "t", MORNING);
        let command = gate::Command::Tap { tap, received: MORNING }.into();
        for reply in [busy_reply(&command, Busy::Full, MORNING), given_up_reply(&command, MORNING)] {
            assert!(matches!(reply, Reply::Tap(ref decision) if decision.code == Code::Busy), "{reply:?}");
        }
        let code = |reply| match reply {
            Reply::Refused(refusal) => refusal.code,
            other => panic!("not refused: {other:?}"),
        };
        let tick = gate::Command::Tick.into();
        assert_eq!(code(busy_reply(&tick, Busy::Full, MORNING)), RefusalCode::Busy);
        assert_eq!(code(given_up_reply(&tick, MORNING)), RefusalCode::WrongState);
    }
}
