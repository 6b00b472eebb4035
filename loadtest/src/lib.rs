//! Virtual devices that speak real MQTT; gate-traffic load tests and their report.
