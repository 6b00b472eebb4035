//! Virtual devices that speak real MQTT; gate-traffic load tests and their report.
pub mod clock;
pub mod commands;
pub mod demo;
pub mod files;
pub mod fleet;
pub mod gate;
pub mod load;
pub mod mqtt;
pub mod process;
