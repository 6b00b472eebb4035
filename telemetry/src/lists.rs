//! What happens to the deny list.
use crate::catalogue::Metric;
use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// A version of the deny list was made.
#[derive(Debug, Clone, Copy)]
pub struct ListMade {
    /// The version.
    pub version: u64,
    /// Tokens in it.
    pub tokens: u64,
    /// Tokens that came.
    pub add: usize,
    /// Tokens that went.
    pub remove: usize,
}
impl ListMade {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::info!(version = self.version, tokens = self.tokens, add = self.add, remove = self.remove, "a deny list was made");
        counter!(Metric::ListVersions.name()).increment(1);
        gauge!(Metric::ListTokens.name()).set(self.tokens as f64);
    }
}

/// The last of some gates has a version of the deny list.
#[derive(Debug, Clone, Copy)]
pub struct ListReached {
    /// The version.
    pub version: u64,
    /// `all` or `connected`.
    pub scope: &'static str,
    /// How many gates they are.
    pub gates: u32,
    /// Since the oldest change in it was made.
    pub took: Duration,
}
impl ListReached {
    /// Counts and logs it.
    pub fn emit(&self) {
        let took_ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(version = self.version, scope = self.scope, gates = self.gates, took_ms, "the deny list has reached the last gate");
        histogram!(Metric::ListReachedSeconds.name(), "scope" => self.scope).record(self.took.as_secs_f64());
    }
}

/// How many gates lack the newest version of the deny list.
#[derive(Debug, Clone, Copy)]
pub struct ListBehind {
    /// How many.
    pub gates: usize,
}
impl ListBehind {
    /// Sets the gauge.
    pub fn emit(&self) {
        gauge!(Metric::ListGatesBehind.name()).set(self.gates as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rendered;

    #[test]
    fn versions_and_their_way_to_the_last_gate_are_kept() {
        let text = rendered(|| {
            ListMade { version: 3, tokens: 40, add: 1, remove: 0 }.emit();
            ListReached { version: 3, scope: "all", gates: 9, took: Duration::from_millis(700) }.emit();
            ListBehind { gates: 2 }.emit();
        });
        for line in [
            "tongdao_list_versions_total 1",
            "tongdao_list_tokens 40",
            "tongdao_list_gates_behind 2",
            r#"tongdao_list_reached_seconds_bucket{scope="all",le="1"} 1"#,
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
