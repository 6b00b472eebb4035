//! What a virtual gate says to its surroundings.
use tongdao_domain::code::Code;
use tongdao_protocol::topic::{Down, Up};

/// What happened at a gate. `tag` is the rider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// Its state is durable: taps may be sent.
    Online,
    /// An answer in time; the gate did what it says.
    Decided {
        /// Which tap.
        tag: u64,
        /// The outcome.
        code: Code,
        /// The fare in hundredths, where one was charged.
        fare: Option<i64>,
        /// From the tap to the answer by the gate's clock, in milliseconds.
        waited_ms: i64,
    },
    /// No answer in time: the gate decided alone.
    Alone {
        /// Which tap.
        tag: u64,
        /// Did it open?
        open: bool,
    },
    /// An answer after the gate had decided alone; ignored.
    Late {
        /// Which tap.
        tag: u64,
        /// What it would have been.
        code: Code,
    },
    /// The same answer once more.
    Repeated,
    /// Another answer to the same tap: a broken promise.
    Contradicted {
        /// Sequence of the tap.
        seq: u64,
    },
    /// No answer at all came for this tap.
    Unanswered {
        /// Which tap.
        tag: u64,
    },
    /// An answer to a tap that this gate does not know (any more).
    Stray,
    /// A message that is none of the contract.
    Malformed(Down),
    /// The server refused a message.
    Refused {
        /// Which message.
        message: Up,
        /// MQTT reason code.
        code: u8,
    },
    /// Records up to here are durable.
    RecordsKept {
        /// Sequence.
        upto: u64,
    },
    /// A record was refused.
    RecordRefused {
        /// Why.
        code: Code,
    },
    /// A mode was applied.
    Mode {
        /// Its revision.
        rev: u64,
    },
    /// It has another version of the deny list.
    List {
        /// The version.
        version: u64,
    },
    /// It is to fetch the whole deny list.
    ListWanted {
        /// The version.
        version: u64,
    },
}

/// Where a gate's messages and facts go.
pub trait Port {
    /// Sends a message; the cookie comes back with [`super::VirtualGate::taken`].
    fn publish(&mut self, message: Up, payload: &[u8], cookie: u32);
    /// Takes a message back, unless it has been sent.
    fn withdraw(&mut self, cookie: u32);
    /// Tells what happened.
    fn fact(&mut self, fact: Fact);
}
