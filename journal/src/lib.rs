//! The durable commit: one contract, several backends, and the pure commit pipeline that every entity goes through.
pub mod codec;
pub mod contract;
pub mod pipeline;
