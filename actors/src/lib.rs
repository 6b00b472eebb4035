//! The actix shell around the pure machines: one generic actor, cells (one arbiter thread each), the router, the timers.
//!
//! * [`node::Node`] starts the cells over a journal and stops them again.
//! * [`cell::Cell`] is a cell as code on its own thread sees it; other rooms get there through [`cell::CellHook`].
//! * [`door::Door`] is the same door for everybody else: HTTP, the admin socket, a command line in the process.
//! * [`clock::Clock`] is the one clock of the process.
//!
//! **Invariant:** no other room names `actix`; nothing here decides, and nothing here is told before the journal has it.
pub mod cell;
pub mod clock;
pub mod door;
mod entity;
mod errands;
mod faults;
mod inbox;
mod inner;
mod lanes;
pub mod limits;
mod mail;
pub mod node;
pub mod observe;
mod owners;
mod reader;
pub mod request;
mod resident;
mod route;
mod shared;
mod slots;
mod slow;
pub mod state;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "what a test listens to is bounded by what it sends")]
mod tests;
mod timers;
mod turn;
mod waiter;
