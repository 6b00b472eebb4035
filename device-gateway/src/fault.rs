//! Faults of devices: each is counted, and one event per source, code and minute goes into the journal's audit. The book
//! is bounded: where a crowd of sources comes, the rest is counted together. It never holds a body or a secret.
use crate::packet::Violation;
use compact_str::CompactString;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tongdao_domain::audit;
use tongdao_domain::code::Code;
use tongdao_domain::time::{Millis, Timestamp};

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $code:literal;)*) => {
        /// What a device (or somebody who says he is one) did wrong, or what went wrong with it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $($(#[$doc])* $variant,)* }
        impl Fault {
            /// Every fault there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The stable code in audit, metrics and dead letters.
            #[must_use]
            pub const fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }
        }
    };
}

faults! {
    /// Unknown device or wrong secret.
    Credentials = "bad_credentials";
    /// Client id and user name differ.
    ClientId = "client_id_mismatch";
    /// A will outside of its own `up/state`.
    ForeignWill = "foreign_will";
    /// A will that is no state, or does not say offline.
    BadWill = "bad_will";
    /// It connects too often.
    ConnectRate = "connect_rate";
    /// It came while the node was going down.
    Draining = "draining";
    /// An authentication method that nobody offers.
    Method = "authentication_method";
    /// A publish outside of its own `up/`.
    ForeignTopic = "foreign_topic";
    /// A retained publish where none is allowed.
    Retained = "retained";
    /// A subscription outside of its own `down/#` and the broadcasts.
    ForeignSubscription = "foreign_subscription";
    /// More subscriptions than allowed.
    Subscriptions = "too_many_subscriptions";
    /// A wildcard in a publish.
    Wildcard = "wildcard_topic";
    /// A packet above the limit.
    TooLarge = "packet_too_large";
    /// More messages than allowed in a time.
    MessageRate = "message_rate";
    /// More unacknowledged messages than allowed.
    ReceiveMaximum = "receive_maximum";
    /// Bytes that are no MQTT.
    Malformed = "malformed_packet";
    /// A packet that is not allowed there.
    Protocol = "protocol_error";
    /// Something else than CONNECT first.
    NotConnected = "not_connected";
    /// Neither 3.1.1 nor 5.
    Version = "unsupported_version";
    /// A body that means nothing there.
    BadPayload = "bad_payload";
    /// A body that was understood and refused.
    Refused = "refused";
    /// A message that this kind of device has no business with.
    Unsupported = "unsupported";
    /// A second connection took over.
    TakenOver = "taken_over";
    /// Nothing heard for 1.5 times the keep-alive.
    KeepAlive = "keep_alive";
    /// No CONNECT in time.
    ConnectTimeout = "connect_timeout";
    /// No end of a TLS handshake in time, or a failed one.
    Tls = "tls_handshake";
    /// A packet that never ends.
    SlowSender = "slow_sender";
    /// It does not take what is sent to it.
    SlowReader = "slow_reader";
    /// Its registration was withdrawn while it was connected.
    Revoked = "revoked";
    /// A WebSocket from a page that is not on the list of origins.
    ForeignOrigin = "foreign_origin";
    /// Too many connections.
    Connections = "too_many_connections";
    /// A tap past its deadline.
    Expired = "EXPIRED";
    /// A tap that could not be served.
    Busy = "BUSY";
    /// A tap before any `up/state`, or with a clock far off.
    NotInService = "NOT_IN_SERVICE";
    /// A tap of a gate in no station.
    UnknownDevice = "UNKNOWN_DEVICE";
    /// A tap id with another meaning.
    KeyReused = "KEY_REUSED";
}

impl Fault {
    /// The fault behind the code of a decision, where it is one.
    #[must_use]
    pub const fn of_decision(code: Code) -> Option<Self> {
        match code {
            Code::Expired => Some(Self::Expired),
            Code::Busy => Some(Self::Busy),
            Code::NotInService => Some(Self::NotInService),
            Code::UnknownDevice => Some(Self::UnknownDevice),
            Code::KeyReused => Some(Self::KeyReused),
            _ => None,
        }
    }
    /// The fault behind a violation of the protocol.
    #[must_use]
    pub const fn of_violation(violation: Violation) -> Self {
        match violation {
            Violation::Malformed => Self::Malformed,
            Violation::Protocol => Self::Protocol,
            Violation::NotConnected => Self::NotConnected,
            Violation::UnsupportedVersion => Self::Version,
            Violation::TooLarge => Self::TooLarge,
            Violation::ReceiveMaximum => Self::ReceiveMaximum,
            Violation::WildcardTopic => Self::Wildcard,
        }
    }
}

/// The source that is named where a minute has had too many.
pub const OTHER_SOURCES: &str = "others";
const MINUTE: Millis = Millis::minutes(1);

type Line = (CompactString, Fault, Timestamp);

/// Counts until a minute is over.
pub struct FaultBook {
    lines_max: usize,
    lines: Mutex<HashMap<Line, u64>>,
}

impl FaultBook {
    /// An empty book of at most `lines_max` lines.
    #[must_use]
    pub fn new(lines_max: usize) -> Self {
        Self { lines_max, lines: Mutex::new(HashMap::new()) }
    }
    /// Counts one; is it the first of its line?
    pub fn count(&self, source: &str, fault: Fault, now: Timestamp) -> bool {
        let minute = Timestamp(now.0 - now.0.rem_euclid(MINUTE.0));
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let full = lines.len() >= self.lines_max;
        let line = (CompactString::new(source), fault, minute);
        let line = if full && !lines.contains_key(&line) { (CompactString::const_new(OTHER_SOURCES), fault, minute) } else { line };
        let count = lines.entry(line).or_default();
        *count += 1;
        *count == 1
    }
    /// Counts again what was taken and could not be written.
    pub fn put_back(&self, fault: &audit::Fault) {
        let Some(what) = Fault::ALL.iter().find(|what| what.code() == fault.code) else { return };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        *lines.entry((fault.source.clone(), *what, fault.minute)).or_default() += fault.count;
    }
    /// Takes out what belongs to minutes that are over (`all`: every minute), oldest first.
    #[must_use]
    pub fn take(&self, now: Timestamp, all: bool) -> Vec<audit::Fault> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<audit::Fault> = lines
            .extract_if(|(_, _, minute), _| all || *minute + MINUTE <= now)
            .map(|((source, fault, minute), count)| audit::Fault { source, code: CompactString::const_new(fault.code()), minute, count })
            .collect();
        taken.sort_by(|a, b| (a.minute, &a.source, &a.code).cmp(&(b.minute, &b.source, &b.code)));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_source_code_and_minute() {
        let book = FaultBook::new(100);
        let first = [61_000, 61_000, 62_000].map(|at| book.count("g1", Fault::ForeignTopic, Timestamp(at)));
        assert_eq!(first, [true, false, false]);
        book.count("g1", Fault::Retained, Timestamp(61_000));
        book.count("g1", Fault::ForeignTopic, Timestamp(120_000));
        let taken = book.take(Timestamp(120_000), false);
        let seen: Vec<_> = taken.iter().map(|f| (f.source.as_str(), f.code.as_str(), f.minute.0, f.count)).collect();
        assert_eq!(seen, [("g1", "foreign_topic", 60_000, 3), ("g1", "retained", 60_000, 1)]);
        assert!(book.take(Timestamp(120_000), false).is_empty(), "the present minute is still counting");
        assert_eq!(book.take(Timestamp(120_000), true).len(), 1);
    }

    #[test]
    fn a_crowd_is_counted_together() {
        let book = FaultBook::new(2);
        for n in 0..10 {
            book.count(&format!("a{n}"), Fault::Credentials, Timestamp(0));
        }
        let taken = book.take(Timestamp(60_000), false);
        assert_eq!(taken.len(), 3);
        assert_eq!(taken.iter().map(|f| f.count).sum::<u64>(), 10, "none is lost");
        assert_eq!(taken.iter().find(|f| f.source == OTHER_SOURCES).map(|f| f.count), Some(8));
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Fault::ALL.iter().map(|f| f.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Fault::ALL.len());
    }
}
