//! The words between a link and its wire: MQTT as the gateway sees it, the same for 3.1.1 and 5.
use crate::wire::Publish;
use smallvec::SmallVec;

/// The two versions on the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1.
    V311,
    /// MQTT 5.
    V5,
}

impl Version {
    /// As it stands in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V311 => "3.1.1",
            Self::V5 => "5",
        }
    }
}

/// What came from the client.
#[derive(Debug)]
pub enum Incoming {
    /// It introduces itself.
    Connect(Box<Connect>),
    /// A message.
    Publish(Publish),
    /// It wants to hear.
    Subscribe {
        /// Echoed by the answer.
        packet_id: u16,
        /// At least one.
        filters: SmallVec<[Filter; 2]>,
    },
    /// It no longer wants to hear.
    Unsubscribe {
        /// Echoed by the answer.
        packet_id: u16,
        /// At least one.
        filters: SmallVec<[Box<str>; 2]>,
    },
    /// A message to it has arrived: there is room for another.
    Acknowledged,
    /// It is there; the answer has been written.
    Ping,
    /// It leaves.
    Disconnect {
        /// It wants its will to be published all the same.
        publish_will: bool,
    },
    /// It broke the protocol; the good-bye has been written, the connection must be closed.
    Violation(Violation),
    /// A step of the protocol itself.
    Nothing,
}

/// How a client broke the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Violation {
    /// Bytes that are no packet.
    Malformed,
    /// A packet that is not allowed there.
    Protocol,
    /// Something else than CONNECT came first, or something came before the CONNACK.
    NotConnected,
    /// Neither MQTT 3.1.1 nor 5.
    UnsupportedVersion,
    /// A packet above the limit.
    TooLarge,
    /// More unacknowledged messages than allowed.
    ReceiveMaximum,
    /// A wildcard in the topic of a PUBLISH.
    WildcardTopic,
}

/// A CONNECT. The password is never shown.
pub struct Connect {
    /// Its version.
    pub version: Version,
    /// Client identifier.
    pub client_id: Box<str>,
    /// User name.
    pub user_name: Option<Box<str>>,
    /// Password.
    pub password: Option<Box<[u8]>>,
    /// Keep-alive in seconds; 0 = none.
    pub keep_alive_s: u16,
    /// Published when it goes without good-bye.
    pub will: Option<Will>,
    /// It wants an authentication method that nobody offers.
    pub enhanced_authentication: bool,
}

impl std::fmt::Debug for Connect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connect").field("version", &self.version).field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Where it would be published.
    pub topic: Box<str>,
    /// Its body.
    pub payload: Box<[u8]>,
    /// Its RETAIN flag.
    pub retain: bool,
}

/// One line of a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The topic filter.
    pub filter: Box<str>,
    /// Wanted QoS.
    pub qos: u8,
    /// What is to happen with retained messages.
    pub retained: Retained,
}

/// What a subscriber wants of retained messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retained {
    /// All that match.
    Send,
    /// Only where the subscription is new.
    SendIfNew,
    /// None.
    Skip,
}

/// What the CONNACK promises.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// Unacknowledged messages that are taken from it (MQTT 5).
    pub receive_maximum: u16,
    /// Largest packet that is taken from it, in bytes.
    pub packet_bytes_max: u32,
    /// Topic aliases that it may use (MQTT 5).
    pub topic_alias_max: u16,
    /// Another keep-alive than it wished for (MQTT 5).
    pub keep_alive_s: Option<u16>,
}

/// Why a client is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// Unknown device or wrong secret; not told apart.
    Credentials,
    /// Client id and user name differ.
    ClientId,
    /// A will that is not its own `up/state`.
    ForeignWill,
    /// Too many connects.
    Rate,
    /// An authentication method that nobody offers.
    Method,
    /// The server is going down.
    Draining,
}

/// How a message of QoS 1 or 2 is acknowledged. 3.1.1 knows only one word for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckCode {
    /// Taken.
    Done,
    /// Not its topic.
    NotAuthorized,
    /// Not a body that means anything there.
    PayloadInvalid,
}

/// How one filter of a SUBSCRIBE is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// At most once.
    Qos0,
    /// At least once.
    Qos1,
    /// Not its own.
    NotAuthorized,
    /// It has as many as it may have.
    TooMany,
}

/// A message to the client.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Where.
    pub topic: &'a str,
    /// What.
    pub payload: &'a [u8],
    /// 0 or 1.
    pub qos: u8,
    /// The RETAIN flag.
    pub retain: bool,
}

/// Why a message could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// The client has not acknowledged enough of the earlier ones.
    WindowFull,
    /// Above the client's packet size: it will never go.
    TooLarge,
    /// There is no connection (any more).
    Closed,
}

/// Why the server closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disconnect {
    /// Another connection has the same client id.
    TakenOver,
    /// The server is going down.
    Draining,
    /// Nothing was heard for 1.5 times the keep-alive.
    KeepAlive,
    /// Too many messages.
    MessageRate,
    /// It does not read, or never finishes what it sends.
    Slow,
    /// Its registration was withdrawn or its secret changed.
    Revoked,
    /// The server cannot go on with it.
    Unsupported,
    /// It broke the protocol.
    Violation(Violation),
}
