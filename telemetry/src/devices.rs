//! What devices report beside taps, and what it does to money.
use crate::catalogue::Metric;
use metrics::{Counter, counter, gauge, histogram};
use std::time::Duration;

/// How many devices of a kind have an open link, told every few seconds.
#[derive(Debug, Clone, Copy)]
pub struct DevicesOnline {
    /// `gate`, `kiosk`, `robot`, `display`.
    pub kind: &'static str,
    /// How many.
    pub count: u32,
}
impl DevicesOnline {
    /// Shows it.
    pub fn emit(&self) {
        gauge!(Metric::DevicesOnline.name(), "kind" => self.kind).set(f64::from(self.count));
    }
}

/// What a rider did after a decision.
#[derive(Debug, Clone, Copy)]
pub struct PassageReported {
    /// `passed`, `not_passed`, `tailgate`, `reverse`, `intrusion`.
    pub outcome: &'static str,
}
impl PassageReported {
    /// Counts it.
    pub fn emit(&self) {
        counter!(Metric::Passages.name(), "outcome" => self.outcome).increment(1);
    }
}

/// Counts what fares move. One for each cell.
#[derive(Clone)]
pub struct FareMeter {
    posted: Counter,
    returned: Counter,
}
impl std::fmt::Debug for FareMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FareMeter").finish_non_exhaustive()
    }
}
impl FareMeter {
    /// Registers with the present recorder.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "registering is something done, no default")]
    pub fn new() -> Self {
        Self { posted: counter!(Metric::FaresPosted.name()), returned: counter!(Metric::FaresReturned.name()) }
    }
    /// A fare was posted (more than nothing) or given back (less), in fen, seen from the operator.
    pub fn moved(&self, fen: i64) {
        let counter = if fen < 0 { &self.returned } else { &self.posted };
        counter.increment(fen.unsigned_abs());
    }
}

/// A batch of a gate's own account of its taps was taken.
#[derive(Debug, Clone, Copy)]
pub struct RecordsTaken<'a> {
    /// Whose.
    pub device: &'a str,
    /// New lines.
    pub new: u64,
    /// Lines that came again with another meaning.
    pub rejected: u64,
}
impl RecordsTaken<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        if self.rejected > 0 {
            tracing::warn!(device = self.device, new = self.new, rejected = self.rejected, "records contradict earlier ones");
        } else {
            tracing::debug!(device = self.device, new = self.new, "records taken");
        }
        counter!(Metric::RecordsTaken.name()).increment(self.new);
        counter!(Metric::RecordsRejected.name()).increment(self.rejected);
    }
}

/// An owed record reached its account, or never will.
#[derive(Debug, Clone, Copy)]
pub struct RecordStruck {
    /// `taken`, `doubtful`, `unknown_medium`.
    pub outcome: &'static str,
}
impl RecordStruck {
    /// Counts it.
    pub fn emit(&self) {
        counter!(Metric::RecordsStruck.name(), "outcome" => self.outcome).increment(1);
    }
}

/// A gate acknowledged a mode.
#[derive(Debug, Clone, Copy)]
pub struct ModeAcked<'a> {
    /// Which gate.
    pub device: &'a str,
    /// Its revision.
    pub rev: u64,
    /// `done`, `failed`, `expired`, `unsupported`.
    pub result: &'static str,
}
impl ModeAcked<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::debug!(device = self.device, rev = self.rev, result = self.result, "mode acknowledged");
        counter!(Metric::ModeAcks.name(), "result" => self.result).increment(1);
    }
}

/// Every gate of a station that is online has acknowledged a change.
#[derive(Debug, Clone, Copy)]
pub struct ModeObeyed<'a> {
    /// Which station.
    pub station: &'a str,
    /// The change's revision.
    pub rev: u64,
    /// Since the change.
    pub took: Duration,
}
impl ModeObeyed<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        let took_ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(station = self.station, rev = self.rev, took_ms, "all gates obey the mode");
        histogram!(Metric::ModeObeyedSeconds.name()).record(self.took.as_secs_f64());
    }
}

/// A gate reported an alarm.
#[derive(Debug, Clone, Copy)]
pub struct AlarmReported<'a> {
    /// Which gate.
    pub device: &'a str,
    /// `emergency_button`, `fire`, `intrusion`, `door`, `tamper`.
    pub kind: &'static str,
    /// On or off.
    pub on: bool,
}
impl AlarmReported<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::warn!(device = self.device, kind = self.kind, on = self.on, "alarm");
        let on = if self.on { "true" } else { "false" };
        counter!(Metric::Alarms.name(), "kind" => self.kind, "on" => on).increment(1);
    }
}

/// A gate's clock is off by more than the warning limit.
#[derive(Debug, Clone, Copy)]
pub struct GateClockOff<'a> {
    /// Which gate.
    pub device: &'a str,
    /// Process clock minus gate clock, in milliseconds.
    pub offset_ms: i64,
}
impl GateClockOff<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::debug!(device = self.device, offset_ms = self.offset_ms, "gate clock is off");
        counter!(Metric::GateClocksOff.name()).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{rendered, samples};

    #[test]
    fn money_moves_in_two_directions() {
        let lines = samples(|| {
            let meter = FareMeter::new();
            [200, 300, -200].into_iter().for_each(|fen| meter.moved(fen));
        });
        assert_eq!(lines, ["tongdao_fares_posted_fen_total 500", "tongdao_fares_returned_fen_total 200"]);
    }

    #[test]
    fn reports_are_counted_by_what_they_say() {
        let lines = samples(|| {
            PassageReported { outcome: "tailgate" }.emit();
            RecordsTaken { device: "g1", new: 150, rejected: 1 }.emit();
            RecordStruck { outcome: "doubtful" }.emit();
            AlarmReported { device: "g1", kind: "fire", on: true }.emit();
            GateClockOff { device: "g1", offset_ms: -3_000 }.emit();
            DevicesOnline { kind: "gate", count: 5 }.emit();
            ModeAcked { device: "g1", rev: 3, result: "done" }.emit();
        });
        let wanted = [
            r#"tongdao_alarms_total{kind="fire",on="true"} 1"#,
            r#"tongdao_devices_online{kind="gate"} 5"#,
            "tongdao_gate_clocks_off_total 1",
            r#"tongdao_mode_acks_total{result="done"} 1"#,
            r#"tongdao_passages_total{outcome="tailgate"} 1"#,
            "tongdao_records_rejected_total 1",
            r#"tongdao_records_struck_total{outcome="doubtful"} 1"#,
            "tongdao_records_taken_total 150",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn the_time_until_all_gates_obey_is_kept() {
        let text = rendered(|| ModeObeyed { station: "s1", rev: 3, took: Duration::from_millis(70) }.emit());
        assert!(text.contains(r#"tongdao_mode_obeyed_seconds_bucket{le="0.1"} 1"#), "{text}");
        assert!(text.contains(r#"tongdao_mode_obeyed_seconds_bucket{le="0.05"} 0"#), "{text}");
    }
}
