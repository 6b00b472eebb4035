//! The client's side of MQTT 3.1.1 and 5, as far as a device needs it.
//!
//! A small codec of our own, for two reasons. The generator shares its processors with the server it measures, so a message
//! must cost next to nothing: here nothing is allocated for it, and a publish is written once, straight into the buffer that
//! goes to the socket. And the server terminates MQTT with a library: a client made of the same library would share its
//! mistakes. Not a general client: clean start only, QoS 1 out, QoS 0 and 1 in, no aliases, no session that outlives a
//! connection.
pub mod packet;
pub mod session;

/// Version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// MQTT 3.1.1.
    V3,
    /// MQTT 5.0.
    #[default]
    V5,
}
