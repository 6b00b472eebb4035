//! Virtual consoles that speak real WebSocket: they sign in, follow channels, come back after a cut, or never read; and how
//! long a tap takes until it stands on them. Gates and consoles run in one process and share its clock, so the time from a
//! tap to a console needs no agreement between two clocks.
//!
//! Not here: pages and what people do with them (`tests/browser`), commands.
pub mod console;
pub mod follower;
pub mod report;
pub mod room;
pub mod run;
pub mod sent;
pub mod sign_in;
pub mod traffic;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

/// A load of consoles to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// HTTP listener of the server.
    pub address: SocketAddr,
    /// Consoles that read.
    pub consoles: usize,
    /// Consoles that subscribe and then never read.
    pub slow: usize,
    /// Channels of each; `{station}`, `{site}` and `{device}` stand for one of the site, in turn.
    pub channels: Vec<String>,
    /// Taps alone, before the consoles come: what a tap costs without them.
    pub before: Duration,
    /// Not measured, once all consoles follow.
    pub warm_up: Duration,
    /// Measured.
    pub measured: Duration,
    /// So many times every console is cut off at once and comes back.
    pub storms: usize,
    /// From one storm, and from its end, to what follows.
    pub storm_pause: Duration,
    /// Consoles that do not all follow within this end the run.
    pub follow_within: Duration,
    /// Process id of the server, for its processor time and memory.
    pub server_pid: Option<u32>,
}

/// Where channels can be: what stands for `{station}`, `{site}` and `{device}`.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The site.
    pub site: String,
    /// Its stations.
    pub stations: Vec<String>,
    /// Its gates.
    pub devices: Vec<String>,
}

impl Places {
    /// The channels of the n-th console.
    #[must_use]
    pub fn channels(&self, patterns: &[String], n: usize) -> Vec<String> {
        let turn = |of: &[String]| of.get(n % of.len().max(1)).cloned().unwrap_or_default();
        let (station, device) = (turn(&self.stations), turn(&self.devices));
        let place = |pattern: &String| pattern.replace("{station}", &station).replace("{site}", &self.site).replace("{device}", &device);
        patterns.iter().map(place).collect()
    }
}
