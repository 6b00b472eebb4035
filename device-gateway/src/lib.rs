//! MQTT: terminates device connections itself.
