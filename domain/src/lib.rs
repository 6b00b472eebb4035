//! The pure state machines of Tongdao and the words they speak.
//!
//! A machine decides (reads) and applies (writes); it knows no clock, no random source, no socket and no JSON:
//! time is an argument, every limit comes from the [`world::World`], refusals are data with a stable [`code::Code`].
pub mod account;
pub mod alarm;
pub mod approval;
pub mod audit;
pub mod code;
pub mod creditor;
pub mod deny;
pub mod device;
pub mod doubtful;
pub mod entity;
pub mod fare;
pub mod fingerprint;
pub mod gate;
pub mod id;
pub mod invariant;
pub mod journey;
pub mod ledger;
pub mod machine;
pub mod medium;
pub mod money;
pub mod mutant;
pub mod station;
pub mod tap;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod user;
pub mod world;
