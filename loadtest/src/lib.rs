//! Virtual devices that speak real MQTT, virtual consoles that speak real WebSocket; load tests and their reports.
pub mod clock;
pub mod commands;
pub mod consoles;
pub mod demo;
pub mod figures;
pub mod files;
pub mod fleet;
pub mod gate;
pub mod load;
pub mod mqtt;
pub mod process;
pub mod replay;
