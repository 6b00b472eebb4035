//! The way in and out for staff: sign-in, the WebSocket `tongdao.v1.json`, the HTTP API and the pages. Runs on the front
//! runtime; enters the cells through the same bounded door as everybody else.
//!
//! Not here: what a board shows (`boards`), what a machine decides (`domain`), the shape of a frame (`protocol::console`).
mod channel;
pub mod hub;

pub use channel::Channel;
