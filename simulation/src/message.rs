//! What gates and server say to each other, in the domain's words: bytes are the business of other tests.
use compact_str::CompactString;
use std::collections::BTreeSet;
use tongdao_domain::deny::ListHash;
use tongdao_domain::gate::{DeviceOrder, RecordsAck, Twin};
use tongdao_domain::id::{CommandId, TapId, Token};
use tongdao_domain::station::GateMode;
use tongdao_domain::tap::{Passage, Record, Reference, Tap, TapDecision};
use tongdao_domain::time::Timestamp;

/// From a gate. `n` names a message that the gate repeats until the server has acknowledged it.
#[derive(Debug, Clone)]
pub enum Up {
    /// `up/tap`
    Tap(Tap),
    /// `up/passage`
    Passage {
        /// Number of the message.
        n: u64,
        /// The tap.
        tap: TapId,
        /// From the decision.
        reference: Option<Reference>,
        /// What happened.
        outcome: Passage,
        /// When, by the gate's clock.
        at: Timestamp,
    },
    /// `up/records`
    Records {
        /// The boot.
        epoch: u64,
        /// By growing sequence.
        records: Vec<Record>,
    },
    /// `up/state`
    State {
        /// Number of the message.
        n: u64,
        /// What it says of itself.
        twin: Twin,
    },
    /// `up/list_request`
    ListRequest(u64),
    /// The whole list is fetched.
    Fetch,
    /// `up/ack`
    Ack {
        /// Number of the message.
        n: u64,
        /// Of a mode or an order.
        id: CommandId,
        /// When, by the gate's clock.
        at: Timestamp,
    },
    /// `up/alarm`
    Alarm {
        /// Number of the message.
        n: u64,
        /// The alarm's own id.
        alarm: CompactString,
        /// On or off.
        on: bool,
        /// Since when, by the gate's clock.
        at: Timestamp,
    },
}

/// To a gate.
#[derive(Debug, Clone)]
pub enum Down {
    /// `down/decision`
    Decision(TapDecision),
    /// `down/records_ack`
    RecordsAck(RecordsAck),
    /// `down/mode`
    Mode(GateMode),
    /// `down/command`
    Order(DeviceOrder),
    /// `down/list`
    List {
        /// Out of which version.
        from: u64,
        /// The version that it makes.
        to: u64,
        /// Tokens that come.
        add: Vec<Token>,
        /// Tokens that go.
        remove: Vec<Token>,
        /// The hash afterwards.
        hash: ListHash,
    },
    /// `down/list`: the whole is to be fetched.
    ListFull,
    /// The whole list, as it was fetched.
    Whole {
        /// Its version.
        to: u64,
        /// Its tokens.
        tokens: BTreeSet<Token>,
        /// Their hash.
        hash: ListHash,
    },
    /// The acknowledgement of the message with this number: its commit is durable.
    Acknowledged(u64),
}
