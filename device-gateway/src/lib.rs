//! MQTT: terminates device connections itself.
pub mod admit;
pub mod config;
pub mod dead_letter;
pub mod fault;
pub mod packet;
pub mod topic;
pub mod wire;
