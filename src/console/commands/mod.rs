//! Commands of consoles: an operation with its arguments becomes commands for machines, and their replies its answer. One
//! door for WebSocket and HTTP.
use super::{Caller, Console};
use serde_json::Value;
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::console::codes::{Code, ErrorBody};

/// A command as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// The key of idempotence.
    pub command_id: CommandId,
    /// The operation's name.
    pub op: String,
    /// Its arguments, not looked at yet.
    pub args: Value,
    /// The revision that was shown to whoever decided.
    pub if_rev: Option<u64>,
    /// Not to be done after this many milliseconds; 0 = only the answer that the id has had.
    pub ttl_ms: u64,
    /// When it was read, by the process clock.
    pub received: Timestamp,
}

/// What a command answers, and where its effect shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The result of the operation.
    pub result: Value,
    /// The channel in which the effect shows …
    pub ch: Option<String>,
    /// … at this position, where the board has it already.
    pub seq: Option<u64>,
}

/// Runs a command. `caller` is as of now: [`Console::caller`].
///
/// # Errors
/// Why it is refused.
pub async fn run(_console: &Console, _caller: &Caller, _request: Request) -> Result<Done, ErrorBody> {
    Err(Code::UnknownOp.into())
}
