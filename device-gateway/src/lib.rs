//! MQTT: terminates device connections itself.
//!
//! From the wire inwards: [`wire`] turns bytes into packets, [`link`] is the pure state machine of a connection (with
//! [`session`] for an admitted device), [`message`] reads a body into a command; `shell` moves bytes and commands between
//! socket, link and cell, `listener` accepts (or is handed) sockets, [`websocket`] is MQTT in binary frames, [`gateway`] is the whole of it for a node. [`admit`], [`tongdao_protocol::topic`] and
//! [`subscription`] say who may do what; [`fault`] and [`dead_letter`] keep what went wrong; [`presence`] knows who is here.
//!
//! **Invariants:** a message is acknowledged after its commit, never before; a topic that is not a device's own is denied;
//! every limit and time-out is a setting of [`config::GatewayConfig`]; nothing here keeps a body or a secret.
pub mod admit;
pub mod config;
pub mod dead_letter;
mod facts;
pub mod fault;
pub mod gateway;
pub mod link;
mod links;
pub mod list;
mod listener;
pub mod message;
pub mod packet;
pub mod presence;
pub mod session;
mod shell;
pub mod subscription;
pub mod tls;
pub mod websocket;
pub mod wire;

#[cfg(test)]
#[path = "../tests/raw/mod.rs"]
mod raw;
