//! The durable commit: one contract, several backends, and the pure commit pipeline that every entity goes through.
pub mod archive;
pub mod codec;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod contract;
pub mod embedded;
#[cfg(test)]
mod golden;
mod judge;
pub mod memory;
pub mod pipeline;
mod record;
mod sinks;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod wire;

pub use record::Place;
