//! MQTT: terminates device connections itself.
pub mod admit;
pub mod config;
pub mod dead_letter;
pub mod fault;
pub mod link;
pub mod message;
pub mod packet;
pub mod session;
pub mod subscription;
pub mod topic;
pub mod wire;

#[cfg(test)]
#[path = "../tests/raw/mod.rs"]
mod raw;
