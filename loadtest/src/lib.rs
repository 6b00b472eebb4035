//! Virtual devices that speak real MQTT; gate-traffic load tests and their report.
pub mod clock;
pub mod fleet;
pub mod gate;
pub mod mqtt;
