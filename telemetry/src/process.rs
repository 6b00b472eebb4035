//! The process itself.
use crate::catalogue::Metric;
use metrics::{counter, gauge};
use std::time::Duration;

/// The process is ready.
#[derive(Debug, Clone, Copy)]
pub struct ProcessStarted<'a> {
    /// Its version.
    pub version: &'static str,
    /// Its clock, since the Unix epoch.
    pub clock: Duration,
    /// Where devices connect.
    pub mqtt: &'a str,
    /// Where people and monitoring look.
    pub http: &'a str,
}
impl ProcessStarted<'_> {
    /// Shows and logs it.
    pub fn emit(&self) {
        tracing::info!(version = self.version, mqtt = self.mqtt, http = self.http, "ready");
        gauge!(Metric::Build.name(), "version" => self.version).set(1.0);
        gauge!(Metric::StartedAt.name()).set(self.clock.as_secs_f64());
    }
}

/// The process drains.
#[derive(Debug, Clone, Copy)]
pub struct ProcessStopping {
    /// Why: `signal`, `second_signal`, `journal`, `admin`.
    pub why: &'static str,
}
impl ProcessStopping {
    /// Logs it.
    pub fn emit(&self) {
        tracing::info!(why = self.why, "stopping");
    }
}

/// The system clock stepped.
#[derive(Debug, Clone, Copy)]
pub struct ClockStepped {
    /// By how much, in milliseconds.
    pub step_ms: i64,
    /// Small enough to be followed slowly; otherwise the process clock ignores it until a restart.
    pub slewed: bool,
}
impl ClockStepped {
    /// Counts and logs it.
    pub fn emit(&self) {
        if self.slewed {
            tracing::warn!(step_ms = self.step_ms, "the system clock stepped; followed slowly");
        } else {
            tracing::error!(step_ms = self.step_ms, "the system clock stepped too far; not followed until a restart");
        }
        counter!(Metric::ClockSteps.name(), "how" => if self.slewed { "slewed" } else { "refused" }).increment(1);
    }
}

/// The administration asked for something.
#[derive(Debug, Clone, Copy)]
pub struct AdminCommand<'a> {
    /// What: `station.emergency`, `account.credit`, …
    pub operation: &'static str,
    /// Who, by user id; empty where nothing is changed.
    pub user: &'a str,
    /// `done`, or the code of the refusal.
    pub result: &'static str,
}
impl AdminCommand<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::info!(operation = self.operation, user = self.user, result = self.result, "administration");
        counter!(Metric::AdminCommands.name(), "operation" => self.operation, "result" => self.result).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples;

    #[test]
    fn the_process_tells_its_version_and_its_clock() {
        let lines = samples(|| {
            let clock = Duration::from_secs(1_700_000_000);
            ProcessStarted { version: "0.1.0", clock, mqtt: "127.0.0.1:1883", http: "127.0.0.1:8080" }.emit();
            ClockStepped { step_ms: 5, slewed: true }.emit();
            AdminCommand { operation: "station.emergency", user: "wang", result: "done" }.emit();
            ProcessStopping { why: "signal" }.emit();
        });
        let wanted = [
            r#"tongdao_admin_commands_total{operation="station.emergency",result="done"} 1"#,
            r#"tongdao_build_info{version="0.1.0"} 1"#,
            r#"tongdao_clock_steps_total{how="slewed"} 1"#,
            "tongdao_start_time_seconds 1700000000",
        ];
        assert_eq!(lines, wanted);
    }
}
