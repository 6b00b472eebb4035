//! What staff consoles and other programs speak: WebSocket frames (`tongdao.v1.json`), channels, operations with their typed
//! arguments, what boards show, codes. It reads strictly: an unknown field is an error here, and refusals name the field.
//! It knows no socket and no rights.
pub mod board;
pub mod channel;
pub mod close;
pub mod codes;
pub mod doubtful;
pub mod frames;
pub mod http;
pub mod op;
pub mod result;
pub mod role;
pub mod strict;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "tongdao.v1.json";
/// What stands before a ticket in the second value of `Sec-WebSocket-Protocol`.
pub const TICKET_PREFIX: &str = "ticket.";
/// Longest message of a console, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
