//! Staff consoles.
use crate::catalogue::Metric;
use metrics::{counter, gauge};

/// A console's connection was let in.
#[derive(Debug, Clone, Copy)]
pub struct ConsoleOpened {
    /// Connections that are open now.
    pub open: usize,
}
impl ConsoleOpened {
    /// Counts it.
    pub fn emit(&self) {
        gauge!(Metric::ConsolesOpen.name()).set(self.open as f64);
    }
}

/// A console's connection ended.
#[derive(Debug, Clone, Copy)]
pub struct ConsoleClosed {
    /// Why: a close reason, or `gone`.
    pub reason: &'static str,
}
impl ConsoleClosed {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::debug!(reason = self.reason, "a console's connection ended");
        counter!(Metric::ConsolesClosed.name(), "reason" => self.reason).increment(1);
    }
}
