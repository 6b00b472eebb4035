//! The journal: groups, outcomes, disk.
use crate::catalogue::Metric;
use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// A group of commits is durable. Looked up by name: a group is far rarer than a tap.
#[derive(Debug, Clone, Copy)]
pub struct GroupCommitted {
    /// Commits in it.
    pub commits: u64,
    /// Their events.
    pub events: u64,
    /// Time of its fsync.
    pub fsync: Duration,
    /// Time of all of it.
    pub total: Duration,
}
impl GroupCommitted {
    /// Counts it.
    #[expect(clippy::cast_precision_loss, reason = "a group has at most some thousand commits")]
    pub fn emit(&self) {
        counter!(Metric::CommitGroups.name()).increment(1);
        counter!(Metric::Commits.name(), "outcome" => "committed").increment(self.commits);
        counter!(Metric::Events.name()).increment(self.events);
        histogram!(Metric::GroupCommits.name()).record(self.commits as f64);
        histogram!(Metric::FsyncSeconds.name()).record(self.fsync.as_secs_f64());
        histogram!(Metric::GroupSeconds.name()).record(self.total.as_secs_f64());
    }
}

/// Commits ended otherwise than durable: `question`, `duplicate`, `key_reused`, `conflict`, `unknown`, `unavailable`.
#[derive(Debug, Clone, Copy)]
pub struct CommitEnded {
    /// How.
    pub outcome: &'static str,
    /// How many.
    pub count: u64,
}
impl CommitEnded {
    /// Counts it.
    pub fn emit(&self) {
        counter!(Metric::Commits.name(), "outcome" => self.outcome).increment(self.count);
    }
}

/// Positions and health, told every few seconds.
#[derive(Debug, Clone, Copy)]
pub struct JournalStatus {
    /// Commits that wait for the writer.
    pub queued: usize,
    /// Durable groups that the store has not taken in yet.
    pub behind: u64,
    /// Size on disk.
    pub bytes: u64,
    /// Free space on that disk.
    pub free_bytes: u64,
    /// Are commits taken?
    pub writable: bool,
    /// Events committed since it was made.
    pub events: u64,
}
impl JournalStatus {
    /// Shows it.
    #[expect(clippy::cast_precision_loss, reason = "sizes are shown, not reckoned with")]
    pub fn emit(&self) {
        counter!(Metric::JournalEvents.name()).absolute(self.events);
        gauge!(Metric::JournalQueued.name()).set(self.queued as f64);
        gauge!(Metric::JournalBehind.name()).set(self.behind as f64);
        gauge!(Metric::JournalBytes.name()).set(self.bytes as f64);
        gauge!(Metric::JournalFreeBytes.name()).set(self.free_bytes as f64);
        gauge!(Metric::JournalWritable.name()).set(f64::from(u8::from(self.writable)));
    }
}

/// The journal was opened.
#[derive(Debug, Clone, Copy)]
pub struct JournalOpened {
    /// Events in it.
    pub events: u64,
    /// Bytes of a torn tail that were cut off.
    pub truncated_bytes: u64,
    /// How long it took.
    pub took: Duration,
}
impl JournalOpened {
    /// Counts and logs it.
    pub fn emit(&self) {
        let took_ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        if self.truncated_bytes > 0 {
            tracing::warn!(
                events = self.events,
                truncated_bytes = self.truncated_bytes,
                took_ms,
                "journal opened, a torn tail was cut off"
            );
        } else {
            tracing::info!(events = self.events, took_ms, "journal opened");
        }
        counter!(Metric::JournalTruncatedBytes.name()).increment(self.truncated_bytes);
    }
}

/// States were written outside of commits.
#[derive(Debug, Clone, Copy)]
pub struct CheckpointWritten {
    /// How many.
    pub states: u64,
}
impl CheckpointWritten {
    /// Counts it.
    pub fn emit(&self) {
        counter!(Metric::Checkpoints.name()).increment(self.states);
    }
}

/// The journal cannot go on: the process ends.
#[derive(Debug, Clone, Copy)]
pub struct JournalFailed<'a> {
    /// What was tried and why it failed.
    pub error: &'a (dyn std::error::Error + 'static),
}
impl JournalFailed<'_> {
    /// Logs it.
    pub fn emit(&self) {
        tracing::error!(error = self.error, "the journal failed: nothing more is acknowledged");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{rendered, samples};

    #[test]
    fn a_group_is_counted_and_timed() {
        let text = rendered(|| {
            GroupCommitted { commits: 3, events: 5, fsync: Duration::from_micros(800), total: Duration::from_millis(2) }.emit();
            CommitEnded { outcome: "duplicate", count: 2 }.emit();
        });
        for line in [
            "tongdao_commit_groups_total 1",
            r#"tongdao_commits_total{outcome="committed"} 3"#,
            r#"tongdao_commits_total{outcome="duplicate"} 2"#,
            "tongdao_events_total 5",
            r#"tongdao_commit_group_commits_bucket{le="4"} 1"#,
            r#"tongdao_commit_group_commits_bucket{le="2"} 0"#,
            r#"tongdao_fsync_seconds_bucket{le="0.001"} 1"#,
            r#"tongdao_commit_group_seconds_bucket{le="0.001"} 0"#,
        ] {
            assert!(text.contains(line), "{line} not in {text}");
        }
    }

    #[test]
    fn the_disk_is_shown() {
        let lines = samples(|| {
            JournalStatus { queued: 4, behind: 3, bytes: 10, free_bytes: 20, writable: false, events: 7 }.emit();
            JournalOpened { events: 1, truncated_bytes: 17, took: Duration::ZERO }.emit();
            CheckpointWritten { states: 2 }.emit();
        });
        let wanted = [
            "tongdao_checkpoints_total 2",
            "tongdao_journal_behind_groups 3",
            "tongdao_journal_bytes 10",
            "tongdao_journal_events_total 7",
            "tongdao_journal_free_bytes 20",
            "tongdao_journal_queued 4",
            "tongdao_journal_truncated_bytes_total 17",
            "tongdao_journal_writable 0",
        ];
        assert_eq!(lines, wanted);
    }
}
