//! Device connections and what comes over them.
use crate::catalogue::Metric;
use metrics::{Counter, counter, gauge};

/// Counts packets and bytes. One for each cell or link; cheap to clone.
#[derive(Clone)]
pub struct LinkMeter {
    packets_received: Counter,
    packets_sent: Counter,
    bytes_received: Counter,
    bytes_sent: Counter,
}

impl std::fmt::Debug for LinkMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkMeter").finish_non_exhaustive()
    }
}

impl LinkMeter {
    /// Registers with the present recorder.
    #[must_use]
    pub fn new() -> Self {
        Self {
            packets_received: counter!(Metric::PacketsReceived.name()),
            packets_sent: counter!(Metric::PacketsSent.name()),
            bytes_received: counter!(Metric::BytesReceived.name()),
            bytes_sent: counter!(Metric::BytesSent.name()),
        }
    }
    /// So many packets and bytes came in at one turn.
    pub fn received(&self, packets: u64, bytes: u64) {
        self.packets_received.increment(packets);
        self.bytes_received.increment(bytes);
    }
    /// So many packets and bytes went out at one turn.
    pub fn sent(&self, packets: u64, bytes: u64) {
        self.packets_sent.increment(packets);
        self.bytes_sent.increment(bytes);
    }
}

impl Default for LinkMeter {
    fn default() -> Self {
        Self::new()
    }
}

/// A device has signed in.
#[derive(Debug, Clone, Copy)]
pub struct LinkOpened<'a> {
    /// Which.
    pub device: &'a str,
    /// MQTT version: `3.1.1` or `5`.
    pub version: &'static str,
    /// It took over from an older connection of the same device.
    pub takeover: bool,
}
impl LinkOpened<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::info!(device = self.device, version = self.version, takeover = self.takeover, "link opened");
        counter!(Metric::Connects.name(), "version" => self.version).increment(1);
        gauge!(Metric::LinksOpen.name()).increment(1);
    }
}

/// A device that had signed in is gone.
#[derive(Debug, Clone, Copy)]
pub struct LinkClosed<'a> {
    /// Which.
    pub device: &'a str,
    /// Why: `disconnect`, `keep_alive`, `taken_over`, `draining`, `protocol`, `too_many`, `io`, …
    pub reason: &'static str,
}
impl LinkClosed<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::info!(device = self.device, reason = self.reason, "link closed");
        counter!(Metric::LinksClosed.name(), "reason" => self.reason).increment(1);
        gauge!(Metric::LinksOpen.name()).decrement(1);
    }
}

/// A connection was refused before it had signed in. Logged only at debug level: the outside world can cause any number;
/// the audit has the counts.
#[derive(Debug, Clone, Copy)]
pub struct ConnectRefused<'a> {
    /// From where.
    pub peer: &'a str,
    /// Why: `credentials`, `client_id`, `will`, `rate`, `full`, `timeout`, `tls`, `protocol`, …
    pub reason: &'static str,
}
impl ConnectRefused<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::debug!(peer = self.peer, reason = self.reason, "connect refused");
        counter!(Metric::ConnectsRefused.name(), "reason" => self.reason).increment(1);
    }
}

/// A subscription was granted or refused.
#[derive(Debug, Clone, Copy)]
pub struct Subscribed<'a> {
    /// Who asked.
    pub device: &'a str,
    /// Was it granted?
    pub granted: bool,
}
impl Subscribed<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        tracing::debug!(device = self.device, granted = self.granted, "subscribed");
        let result = if self.granted { "granted" } else { "refused" };
        counter!(Metric::Subscriptions.name(), "result" => result).increment(1);
    }
}

/// A message that could not be taken. Never its body.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetter<'a> {
    /// The topic it came on, or the entity it was for.
    pub topic: &'a str,
    /// Why: a stable code such as `malformed` or `poison`.
    pub code: &'static str,
    /// What was wrong with it, without quoting it; may be empty.
    pub reason: &'a str,
    /// Length of the body, in bytes.
    pub length: usize,
    /// Hash of the body.
    pub hash: &'a str,
    /// The first of its kind for a while: the others are not worth a line each.
    pub first: bool,
}
impl DeadLetter<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        let Self { topic, code, reason, length, hash, first } = *self;
        if first {
            tracing::warn!(topic, code, reason, length, hash, "dead letter");
        } else {
            tracing::debug!(topic, code, reason, length, hash, "dead letter");
        }
        counter!(Metric::DeadLetters.name(), "code" => self.code).increment(1);
    }
}

/// A field that we do not know, in a payload that we took all the same.
#[derive(Debug, Clone, Copy)]
pub struct UnknownField {
    /// The message, such as `tap`.
    pub message: &'static str,
    /// How many in this payload.
    pub count: u64,
}
impl UnknownField {
    /// Counts it.
    pub fn emit(&self) {
        counter!(Metric::UnknownFields.name(), "message" => self.message).increment(self.count);
    }
}

/// A fault of the outside world, as the audit will have it.
#[derive(Debug, Clone, Copy)]
pub struct AuditFault<'a> {
    /// Who: a device, or an address.
    pub source: &'a str,
    /// Stable code, such as `foreign_topic`.
    pub code: &'static str,
    /// The first of its source and code in this minute: the others are not worth a line each.
    pub first: bool,
}
impl AuditFault<'_> {
    /// Counts and logs it.
    pub fn emit(&self) {
        if self.first {
            tracing::info!(source = self.source, code = self.code, "fault");
        } else {
            tracing::debug!(source = self.source, code = self.code, "fault");
        }
        counter!(Metric::AuditFaults.name(), "code" => self.code).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples;

    #[test]
    fn links_are_counted_up_and_down() {
        let lines = samples(|| {
            for device in ["g1", "g2"] {
                LinkOpened { device, version: "5", takeover: false }.emit();
            }
            LinkClosed { device: "g1", reason: "keep_alive" }.emit();
            ConnectRefused { peer: "127.0.0.1", reason: "credentials" }.emit();
        });
        let wanted = [
            r#"tongdao_connects_refused_total{reason="credentials"} 1"#,
            r#"tongdao_connects_total{version="5"} 2"#,
            r#"tongdao_links_closed_total{reason="keep_alive"} 1"#,
            "tongdao_links_open 1",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn what_comes_over_a_link_is_counted() {
        let lines = samples(|| {
            let meter = LinkMeter::new();
            meter.received(2, 300);
            meter.received(1, 50);
            meter.sent(3, 400);
        });
        let wanted = [
            "tongdao_mqtt_packets_received_total 3",
            "tongdao_mqtt_packets_sent_total 3",
            "tongdao_mqtt_received_bytes_total 350",
            "tongdao_mqtt_sent_bytes_total 400",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn faults_carry_only_their_code() {
        let lines = samples(|| {
            DeadLetter { topic: "td/1/cd/gate/g1/up/tap", code: "malformed", reason: "", length: 7, hash: "00ff", first: true }.emit();
            UnknownField { message: "tap", count: 2 }.emit();
            AuditFault { source: "g1", code: "foreign_topic", first: false }.emit();
            Subscribed { device: "g1", granted: false }.emit();
        });
        let wanted = [
            r#"tongdao_audit_faults_total{code="foreign_topic"} 1"#,
            r#"tongdao_dead_letters_total{code="malformed"} 1"#,
            r#"tongdao_subscriptions_total{result="refused"} 1"#,
            r#"tongdao_unknown_fields_total{message="tap"} 2"#,
        ];
        assert_eq!(lines, wanted);
    }
}
