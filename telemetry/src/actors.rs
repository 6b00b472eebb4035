//! Actors, their doors and the feed they follow.
use crate::catalogue::Metric;
use metrics::{counter, gauge};

/// An entity came into memory.
#[derive(Debug, Clone, Copy)]
pub struct ActorStarted {
    /// What it is, such as `account`.
    pub kind: &'static str,
}
impl ActorStarted {
    /// Counts it.
    pub fn emit(&self) {
        gauge!(Metric::ActorsAlive.name(), "kind" => self.kind).increment(1);
    }
}

/// An entity left memory.
#[derive(Debug, Clone, Copy)]
pub struct ActorStopped {
    /// What it was.
    pub kind: &'static str,
    /// Why: `passivated`, `respawned` (it died and is built again), `shutdown`.
    pub why: &'static str,
}
impl ActorStopped {
    /// Counts it.
    pub fn emit(&self) {
        gauge!(Metric::ActorsAlive.name(), "kind" => self.kind).decrement(1);
        counter!(Metric::ActorsStopped.name(), "kind" => self.kind, "why" => self.why).increment(1);
    }
}

/// An entity's replay fails: it answers nothing until somebody has looked at it.
#[derive(Debug, Clone, Copy)]
pub struct EntityQuarantined<'a> {
    /// Which.
    pub entity: &'a str,
    /// What is wrong.
    pub cause: &'a str,
}
impl EntityQuarantined<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::error!(entity = self.entity, cause = self.cause, "entity quarantined");
        counter!(Metric::ActorsQuarantined.name()).increment(1);
    }
}

/// A command that killed its actor again and again is given up.
#[derive(Debug, Clone, Copy)]
pub struct CommandPoisoned<'a> {
    /// For whom it was.
    pub entity: &'a str,
    /// Its id.
    pub command_id: &'a str,
    /// How often it was tried.
    pub attempts: u32,
}
impl CommandPoisoned<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::error!(entity = self.entity, command_id = self.command_id, attempts = self.attempts, "command given up");
        counter!(Metric::CommandsPoisoned.name()).increment(1);
    }
}

/// An actor died with commands that it had not answered; their senders try again.
#[derive(Debug, Clone, Copy)]
pub struct CommandsLost<'a> {
    /// Who died.
    pub entity: &'a str,
    /// How many.
    pub count: u64,
}
impl CommandsLost<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::warn!(entity = self.entity, count = self.count, "actor died with commands unanswered");
        counter!(Metric::CommandsLost.name()).increment(self.count);
    }
}

/// An entity dropped what it held and reads itself again.
#[derive(Debug, Clone, Copy)]
pub struct Reloaded<'a> {
    /// Which.
    pub entity: &'a str,
}
impl Reloaded<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::debug!(entity = self.entity, "entity reloads");
        counter!(Metric::Reloads.name()).increment(1);
    }
}

/// A command was turned away at the door of a cell.
#[derive(Debug, Clone, Copy)]
pub struct DoorBusy {
    /// Which lane: `urgent`, `taps`, `rest`.
    pub lane: &'static str,
    /// Why: `full`, `late`, `journal`.
    pub why: &'static str,
}
impl DoorBusy {
    /// Counts it.
    pub fn emit(&self) {
        counter!(Metric::DoorBusy.name(), "lane" => self.lane, "why" => self.why).increment(1);
    }
}

/// How many commands wait at the door of a cell, told every few seconds.
#[derive(Debug, Clone, Copy)]
pub struct DoorDepth {
    /// Which cell.
    pub cell: usize,
    /// Which lane.
    pub lane: &'static str,
    /// How many.
    pub depth: usize,
}
impl DoorDepth {
    /// Shows it.
    #[expect(clippy::cast_precision_loss, reason = "a door holds some thousand commands")]
    pub fn emit(&self) {
        gauge!(Metric::DoorDepth.name(), "cell" => self.cell.to_string(), "lane" => self.lane).set(self.depth as f64);
    }
}

/// Something owed was told.
#[derive(Debug, Clone, Copy)]
pub struct OwedSent {
    /// Not for the first time.
    pub again: bool,
}
impl OwedSent {
    /// Counts it.
    pub fn emit(&self) {
        let time = if self.again { "again" } else { "first" };
        counter!(Metric::OwedSent.name(), "time" => time).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples;

    #[test]
    fn lives_and_deaths_are_counted() {
        let lines = samples(|| {
            ActorStarted { kind: "account" }.emit();
            ActorStarted { kind: "account" }.emit();
            ActorStopped { kind: "account", why: "passivated" }.emit();
            EntityQuarantined { entity: "account/a1", cause: "undecodable value" }.emit();
            CommandPoisoned { entity: "account/a1", command_id: "tap/g1/7/42", attempts: 3 }.emit();
            CommandsLost { entity: "account/a1", count: 2 }.emit();
            Reloaded { entity: "account/a1" }.emit();
        });
        let wanted = [
            r#"tongdao_actors_alive{kind="account"} 1"#,
            "tongdao_actors_quarantined_total 1",
            r#"tongdao_actors_stopped_total{kind="account",why="passivated"} 1"#,
            "tongdao_commands_lost_total 2",
            "tongdao_commands_poisoned_total 1",
            "tongdao_reloads_total 1",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn doors_are_shown_by_cell_and_lane() {
        let lines = samples(|| {
            DoorBusy { lane: "taps", why: "late" }.emit();
            DoorDepth { cell: 1, lane: "taps", depth: 9 }.emit();
            DoorDepth { cell: 1, lane: "taps", depth: 7 }.emit();
            OwedSent { again: true }.emit();
        });
        let wanted = [
            r#"tongdao_door_busy_total{lane="taps",why="late"} 1"#,
            r#"tongdao_door_depth{cell="1",lane="taps"} 7"#,
            r#"tongdao_owed_sent_total{time="again"} 1"#,
        ];
        assert_eq!(lines, wanted);
    }
}
