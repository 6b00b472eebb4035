//! The settings of sockets: every limit with its unit in its name.
use serde::{Deserialize, Serialize};

/// Sockets of consoles.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SocketLimits {
    /// A `beat` comes this often.
    pub heartbeat_ms: u64,
    /// Open sockets, at most.
    pub connections_max: usize,
    /// Open sockets of one user, at most.
    pub connections_per_user_max: usize,
    /// Subscriptions of one socket, at most.
    pub subscriptions_max: usize,
    /// Commands of one socket in the long run; twice as many at once.
    pub commands_per_s: u32,
    /// Commands of one socket that are not answered yet, at most.
    pub commands_in_flight_max: usize,
    /// Messages of one socket in the long run; twice as many at once, and with more it is closed.
    pub messages_per_s: u32,
    /// Bytes that wait for one socket; above it values of the state lane are left out.
    pub behind_bytes_max: usize,
    /// Above it the socket is closed.
    pub waiting_bytes_max: usize,
    /// A reader that takes nothing for this long is closed.
    pub progress_ms_max: u64,
    /// A socket that is behind gets one batch in this time.
    pub behind_pause_ms: u64,
    /// Bytes that the system keeps of one connection and has not sent yet, about: a reader that takes nothing shows soon, and one
    /// that is behind gets newer values.
    pub unsent_bytes_max: u32,
    /// From our good-bye to the end of the socket.
    pub linger_ms: u64,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            heartbeat_ms: 10_000,
            connections_max: 4096,
            connections_per_user_max: 2048,
            subscriptions_max: 64,
            commands_per_s: 20,
            commands_in_flight_max: 32,
            messages_per_s: 100,
            behind_bytes_max: 256 * 1024,
            waiting_bytes_max: 1024 * 1024,
            progress_ms_max: 10_000,
            behind_pause_ms: 50,
            unsent_bytes_max: 16 * 1024,
            linger_ms: 1000,
        }
    }
}

impl SocketLimits {
    /// What must be more than 0, by its key.
    #[must_use]
    pub fn positive(&self) -> [(&'static str, i64); 7] {
        let wide = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let long = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        [
            ("console.socket.heartbeat_ms", long(self.heartbeat_ms)),
            ("console.socket.connections_max", wide(self.connections_max)),
            ("console.socket.connections_per_user_max", wide(self.connections_per_user_max)),
            ("console.socket.subscriptions_max", wide(self.subscriptions_max)),
            ("console.socket.commands_in_flight_max", wide(self.commands_in_flight_max)),
            ("console.socket.progress_ms_max", long(self.progress_ms_max)),
            ("console.socket.unsent_bytes_max", self.unsent_bytes_max.into()),
        ]
    }
}
