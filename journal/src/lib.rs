//! The durable commit: one contract, several backends, and the pure commit pipeline that every entity goes through.
pub mod codec;
pub mod contract;
mod judge;
pub mod memory;
pub mod pipeline;
mod sinks;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
