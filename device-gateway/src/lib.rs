//! MQTT: terminates device connections itself.
pub mod packet;
pub mod wire;
