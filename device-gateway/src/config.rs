//! The settings of the gateway: every limit and time-out has a name, the unit last in it. It reads no file.
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tongdao_domain::time::Millis;

/// `[gateway]` of the config; where it listens and its certificate stand in `[listen]` and `[tls]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Where plain MQTT is listened for; absent = nowhere. Default `127.0.0.1:1883`.
    #[serde(skip)]
    pub mqtt: Option<SocketAddr>,
    /// Where MQTT over TLS is listened for; absent = nowhere (default). Needs `tls_certificate` and `tls_key`.
    #[serde(skip)]
    pub mqtts: Option<SocketAddr>,
    /// Certificate chain as a PEM file.
    #[serde(skip)]
    pub tls_certificate: Option<PathBuf>,
    /// Private key as a PEM file.
    #[serde(skip)]
    pub tls_key: Option<PathBuf>,
    /// Connections on this node, at most; one more is closed at once. Default 20,000.
    pub connections_max: usize,
    /// Connections from one address that have not been let in yet, at most; one more is closed at once. Default 2,048.
    pub connecting_per_address_max: u32,
    /// Connections taken per second and cell; the rest waits in the kernel, so that a crowd that comes back does not stand
    /// in the way of those who are there. Default 2,000.
    pub accepts_per_second: u32,
    /// Connections that wait for us, in the kernel or (over WebSocket) for a cell. Default 4,096.
    pub backlog: i32,
    /// MQTT over WebSocket at `/mqtt` on `listen.http`. Default on.
    pub websocket: bool,
    /// Largest WebSocket frame, in bytes; a packet may span frames, a frame packets. Default 262,144.
    pub websocket_frame_bytes_max: u64,
    /// From the connection to the end of the TLS handshake. Default 5,000.
    pub tls_handshake_ms: u64,
    /// From the connection (or the end of the handshake) to a complete CONNECT. Default 5,000.
    pub connect_ms: u64,
    /// From the first byte of a packet to its last. Default 10,000.
    pub packet_ms: u64,
    /// Bytes waiting for a client that takes none of them. Default 10,000.
    pub write_ms: u64,
    /// From our good-bye to the end of the socket, so that the client can read it. Default 1,000.
    pub linger_ms: u64,
    /// Longest keep-alive, in seconds; a client that wants none or more gets this. Default 600.
    pub keep_alive_max_s: u16,
    /// Largest MQTT packet that is taken, in bytes: a payload of 64 KiB (more is refused in any case) with topic and properties.
    /// Default 67,584.
    pub packet_bytes_max: u32,
    /// Unanswered messages from one device (MQTT 5 Receive Maximum; otherwise it is not read). Default 8.
    pub receive_max: u16,
    /// Unacknowledged messages to one device, at most (less where its own Receive Maximum is). Default 32.
    pub send_window: u16,
    /// Messages waiting for that window; one more and the device is closed as too slow. Default 64.
    pub outbox_max: usize,
    /// Bytes waiting for the socket; more and the device is closed as too slow. Default 262,144.
    pub output_bytes_max: usize,
    /// Topic aliases that a client may use. Default 4.
    pub topic_alias_max: u16,
    /// Subscriptions of one device. Default 16.
    pub subscriptions_max: usize,
    /// Messages per second of one device in the long run; 0 = no limit. Default 5,000.
    pub messages_per_second: u32,
    /// Messages of one device at once. Default 5,000.
    pub messages_burst: u32,
    /// Connects per minute of one device in the long run; 0 = no limit. Default 120.
    pub connects_per_minute: u32,
    /// Connects of one device at once. Default 60.
    pub connects_burst: u32,
    /// What could not be taken because the node is busy is tried again after this (a decision is not: it says `BUSY`).
    /// Default 50.
    pub busy_retry_ms: u64,
    /// A new version of the deny list is told to so many connections of a cell at once, fewer where it is large, so that nobody's
    /// tap waits for all of them. Default 64.
    pub list_links_at_once: usize,
    /// Pause between two such rounds. Default 5.
    pub list_pause_ms: u64,
    /// A gate that says it has another version is told the way to the newest at most this often. Default 10,000.
    pub list_again_ms: u64,
    /// What stands before the path of a full list, such as `https://tongdao.metro.example`; set by `deny.url`.
    #[serde(skip)]
    pub lists_url: String,
    /// Sources, codes and minutes of faults that are counted apart; beyond it they are counted together. Default 4,096.
    pub faults_max: usize,
    /// Dead letters that are remembered. Default 256.
    pub dead_letters_max: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            mqtt: Some(SocketAddr::from(([127, 0, 0, 1], 1883))),
            mqtts: None,
            tls_certificate: None,
            tls_key: None,
            connections_max: 20_000,
            connecting_per_address_max: 2_048,
            accepts_per_second: 2_000,
            backlog: 4_096,
            websocket: true,
            websocket_frame_bytes_max: 262_144,
            tls_handshake_ms: 5_000,
            connect_ms: 5_000,
            packet_ms: 10_000,
            write_ms: 10_000,
            linger_ms: 1_000,
            keep_alive_max_s: 600,
            packet_bytes_max: 67_584,
            receive_max: 8,
            send_window: 32,
            outbox_max: 64,
            output_bytes_max: 262_144,
            topic_alias_max: 4,
            subscriptions_max: 16,
            messages_per_second: 5_000,
            messages_burst: 5_000,
            connects_per_minute: 120,
            connects_burst: 60,
            busy_retry_ms: 50,
            list_links_at_once: 64,
            list_pause_ms: 5,
            list_again_ms: 10_000,
            lists_url: String::new(),
            faults_max: 4_096,
            dead_letters_max: 256,
        }
    }
}

/// A setting that cannot be used; names key and fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config key `{key}`: {fix}")]
pub struct BadSetting {
    /// The key.
    pub key: &'static str,
    /// What to write instead.
    pub fix: &'static str,
}

impl GatewayConfig {
    /// Looks whether the settings go together.
    ///
    /// # Errors
    /// [`BadSetting`] for the first that does not.
    pub fn check(&self) -> Result<(), BadSetting> {
        let rules: [(bool, &'static str, &'static str); 12] = [
            (self.mqtts.is_none() || self.tls_certificate.is_some(), "tls.cert", "name the PEM file that mqtts needs"),
            (self.mqtts.is_none() || self.tls_key.is_some(), "tls.key", "name the PEM file that mqtts needs"),
            (self.receive_max > 0, "gateway.receive_max", "at least 1"),
            (self.send_window > 0, "gateway.send_window", "at least 1"),
            (self.keep_alive_max_s > 0, "gateway.keep_alive_max_s", "at least 1"),
            (self.backlog > 0, "gateway.backlog", "at least 1"),
            (self.websocket_frame_bytes_max >= 1_024, "gateway.websocket_frame_bytes_max", "at least 1024"),
            (self.accepts_per_second > 0, "gateway.accepts_per_second", "at least 1"),
            (self.list_links_at_once > 0, "gateway.list_links_at_once", "at least 1"),
            (self.packet_bytes_max >= 1_024, "gateway.packet_bytes_max", "at least 1024"),
            (self.messages_per_second == 0 || self.messages_burst > 0, "gateway.messages_burst", "at least 1"),
            (self.connects_per_minute == 0 || self.connects_burst > 0, "gateway.connects_burst", "at least 1"),
        ];
        rules.into_iter().find(|(good, ..)| !good).map_or(Ok(()), |(_, key, fix)| Err(BadSetting { key, fix }))
    }
    /// The TLS handshake's time-out.
    #[must_use]
    pub const fn tls_handshake(&self) -> Duration {
        Duration::from_millis(self.tls_handshake_ms)
    }
    /// From a WebSocket's upgrade to the socket behind it, as long as to a CONNECT.
    #[must_use]
    pub const fn upgrade(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }
    /// As a length of process time.
    #[must_use]
    pub(crate) fn millis(length_ms: u64) -> Millis {
        Millis(i64::try_from(length_ms).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_good_and_unknown_keys_are_errors() {
        assert_eq!(GatewayConfig::default().check(), Ok(()));
        assert!(serde_json::from_str::<GatewayConfig>(r#"{"receive_max": 4}"#).is_ok_and(|c| c.receive_max == 4));
        assert!(serde_json::from_str::<GatewayConfig>(r#"{"recieve_max": 4}"#).is_err());
    }

    #[test]
    fn a_bad_setting_names_key_and_fix() {
        let config = GatewayConfig { mqtts: Some(SocketAddr::from(([127, 0, 0, 1], 8883))), ..GatewayConfig::default() };
        assert_eq!(config.check().map_err(|e| e.to_string()), Err("config key `tls.cert`: name the PEM file that mqtts needs".into()));
        let config = GatewayConfig { receive_max: 0, ..GatewayConfig::default() };
        assert_eq!(config.check().map_err(|e| e.key), Err("gateway.receive_max"));
    }
}
