//! The catalogue of metric names: each with its kind, its unit and what it counts. Names are public; a name that was
//! published keeps its meaning.
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

macro_rules! catalogue {
    ($($variant:ident: $kind:ident, $unit:ident, $name:literal, $description:literal;)*) => {
        /// Every metric there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric { $(#[doc = $description] $variant,)* }

        impl Metric {
            /// Every metric, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Its name in `/metrics`.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }
            /// How it behaves.
            #[must_use]
            pub const fn kind(self) -> Kind { match self { $(Self::$variant => Kind::$kind),* } }
            /// What it is measured in.
            #[must_use]
            pub const fn unit(self) -> Unit { match self { $(Self::$variant => Unit::$unit),* } }
            /// What it tells.
            #[must_use]
            pub const fn description(self) -> &'static str { match self { $(Self::$variant => $description),* } }
        }
    };
}

catalogue! {
    Taps: Counter, Count, "tongdao_taps_total", "answers to taps, by code";
    TapSeconds: Histogram, Seconds, "tongdao_tap_seconds", "from reading a tap to handing over its answer";
    Passages: Counter, Count, "tongdao_passages_total", "passage reports, by outcome";
    FaresPosted: Counter, Count, "tongdao_fares_posted_fen_total", "fares posted to accounts, in fen";
    FaresReturned: Counter, Count, "tongdao_fares_returned_fen_total", "fares given back or voided, in fen";
    RecordsTaken: Counter, Count, "tongdao_records_taken_total", "lines of the gates' own account taken";
    RecordsRejected: Counter, Count, "tongdao_records_rejected_total", "lines that came again with another meaning";
    RecordsStruck: Counter, Count, "tongdao_records_struck_total", "lines that reached their account, by how it took them";
    ModeAcks: Counter, Count, "tongdao_mode_acks_total", "mode acknowledgements, by result";
    ModeObeyedSeconds: Histogram, Seconds, "tongdao_mode_obeyed_seconds", "from a mode change to its last gate's acknowledgement";
    ListTokens: Gauge, Count, "tongdao_list_tokens", "tokens in the newest version of the deny list";
    ListVersions: Counter, Count, "tongdao_list_versions_total", "versions of the deny list that were made";
    ListGatesBehind: Gauge, Count, "tongdao_list_gates_behind", "registered gates without the newest version of the deny list";
    ListReachedSeconds: Histogram, Seconds, "tongdao_list_reached_seconds", "from a listing to the last gate's acknowledgement, by all gates or those with a link";
    Alarms: Counter, Count, "tongdao_alarms_total", "alarms that gates reported, by kind and on or off";
    GateClocksOff: Counter, Count, "tongdao_gate_clocks_off_total", "messages of gates whose clock is off by more than the warning limit";
    DevicesOnline: Gauge, Count, "tongdao_devices_online", "devices with an open link, by kind";

    LinksOpen: Gauge, Count, "tongdao_links_open", "open device connections that have signed in";
    Connects: Counter, Count, "tongdao_connects_total", "device connections that signed in, by protocol version";
    ConnectsRefused: Counter, Count, "tongdao_connects_refused_total", "device connections refused, by reason";
    LinksClosed: Counter, Count, "tongdao_links_closed_total", "device connections that ended, by reason";
    Subscriptions: Counter, Count, "tongdao_subscriptions_total", "subscriptions asked for, by granted or refused";
    PacketsReceived: Counter, Count, "tongdao_mqtt_packets_received_total", "MQTT packets from devices";
    PacketsSent: Counter, Count, "tongdao_mqtt_packets_sent_total", "MQTT packets to devices";
    BytesReceived: Counter, Bytes, "tongdao_mqtt_received_bytes_total", "bytes from devices";
    BytesSent: Counter, Bytes, "tongdao_mqtt_sent_bytes_total", "bytes to devices";
    DeadLetters: Counter, Count, "tongdao_dead_letters_total", "messages that could not be taken, by code";
    UnknownFields: Counter, Count, "tongdao_unknown_fields_total", "unknown fields in device payloads that were ignored, by message";
    AuditFaults: Counter, Count, "tongdao_audit_faults_total", "faults of the outside world, by code";

    ConsolesOpen: Gauge, Count, "tongdao_consoles_open", "open console sockets, when one came or went";
    ConsolesClosed: Counter, Count, "tongdao_consoles_closed_total", "console sockets that ended, by reason";

    CommitGroups: Counter, Count, "tongdao_commit_groups_total", "groups made durable by one fsync each";
    Commits: Counter, Count, "tongdao_commits_total", "commits, by outcome";
    Events: Counter, Count, "tongdao_events_total", "events made durable";
    GroupCommits: Histogram, Count, "tongdao_commit_group_commits", "commits in a group";
    FsyncSeconds: Histogram, Seconds, "tongdao_fsync_seconds", "time of a group's fsync";
    GroupSeconds: Histogram, Seconds, "tongdao_commit_group_seconds", "time of a whole group, fsync included";
    JournalEvents: Counter, Count, "tongdao_journal_events_total", "events committed since the journal was made";
    JournalQueued: Gauge, Count, "tongdao_journal_queued", "commits that wait for the writer";
    JournalBehind: Gauge, Count, "tongdao_journal_behind_groups", "groups that are durable in the front log and not yet in the store";
    JournalBytes: Gauge, Bytes, "tongdao_journal_bytes", "size of the journal on disk";
    JournalFreeBytes: Gauge, Bytes, "tongdao_journal_free_bytes", "free space on the journal's disk";
    JournalWritable: Gauge, Count, "tongdao_journal_writable", "1 = commits are taken, 0 = the disk reserve is reached";
    JournalTruncatedBytes: Counter, Bytes, "tongdao_journal_truncated_bytes_total", "torn tail cut off at start";
    Checkpoints: Counter, Count, "tongdao_checkpoints_total", "states written outside of commits";

    ActorsAlive: Gauge, Count, "tongdao_actors_alive", "entities in memory, by kind";
    ActorsStopped: Counter, Count, "tongdao_actors_stopped_total", "entities that left memory, by kind and why";
    ActorsQuarantined: Counter, Count, "tongdao_actors_quarantined_total", "entities whose replay fails: they answer nothing";
    CommandsPoisoned: Counter, Count, "tongdao_commands_poisoned_total", "commands given up after repeated panics";
    CommandsLost: Counter, Count, "tongdao_commands_lost_total", "commands that an actor dropped unanswered when it died";
    Reloads: Counter, Count, "tongdao_reloads_total", "entities read again from the journal, because a commit was refused or its fate unknown";
    DoorBusy: Counter, Count, "tongdao_door_busy_total", "commands turned away at the door of a cell, by lane and why";
    DoorDepth: Gauge, Count, "tongdao_door_depth", "commands that wait at the door of a cell, by cell and lane";
    OwedSent: Counter, Count, "tongdao_owed_sent_total", "owed commands told, by first time or again";

    AdminCommands: Counter, Count, "tongdao_admin_commands_total", "commands of the administration, by operation and result";
    ClockSteps: Counter, Count, "tongdao_clock_steps_total", "steps of the system clock that were noticed, by slewed or refused";
    Build: Gauge, Count, "tongdao_build_info", "always 1; the label names the version";
    StartedAt: Gauge, Seconds, "tongdao_start_time_seconds", "when the process began, since the Unix epoch";
}

/// Bounds of time histograms, in seconds: the budget of a gate is 100 ms at p99.9.
pub const TIME_BUCKETS_S: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Bounds of size histograms.
pub const SIZE_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// The bounds of each histogram, for whoever builds the recorder.
pub fn buckets() -> impl Iterator<Item = (Metric, &'static [f64])> {
    let histograms = Metric::ALL.iter().copied().filter(|metric| metric.kind() == Kind::Histogram);
    histograms.map(|metric| (metric, if metric.unit() == Unit::Seconds { TIME_BUCKETS_S } else { SIZE_BUCKETS }))
}

/// Tells the installed recorder what each metric means. Once, at start.
pub fn describe_all() {
    for metric in Metric::ALL {
        let (name, unit, description) = (metric.name(), metric.unit(), metric.description());
        match metric.kind() {
            Kind::Counter => describe_counter!(name, unit, description),
            Kind::Gauge => describe_gauge!(name, unit, description),
            Kind::Histogram => describe_histogram!(name, unit, description),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rendered;
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_is_public() {
        let line = |metric: &Metric| format!("{} {:?} {:?}: {}\n", metric.name(), metric.kind(), metric.unit(), metric.description());
        insta::assert_snapshot!(Metric::ALL.iter().map(line).collect::<String>());
    }

    #[test]
    fn names_say_what_they_are() {
        let names: BTreeSet<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), Metric::ALL.len(), "each name once");
        for metric in Metric::ALL {
            let name = metric.name();
            assert!(name.starts_with("tongdao_"), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind() == Kind::Counter, "{name}");
            let stem = name.trim_end_matches("_total");
            assert_eq!(stem.ends_with("_seconds"), metric.unit() == Unit::Seconds, "{name}");
            assert_eq!(stem.ends_with("_bytes"), metric.unit() == Unit::Bytes, "{name}");
            assert!(!metric.description().ends_with('.'), "{name}");
        }
    }

    #[test]
    fn every_histogram_has_bounds_that_grow() {
        assert_eq!(buckets().count(), Metric::ALL.iter().filter(|metric| metric.kind() == Kind::Histogram).count());
        assert!(buckets().all(|(_, bounds)| bounds.windows(2).all(|pair| pair[0] < pair[1])));
    }

    #[test]
    fn the_recorder_is_told_what_a_metric_means() {
        let text = rendered(|| {
            describe_all();
            metrics::counter!(Metric::CommitGroups.name()).increment(1);
        });
        assert!(text.contains("# HELP tongdao_commit_groups_total groups made durable by one fsync each"), "{text}");
    }
}
