//! A seeded world over the product's own machines and its own commit pipeline: a small city, a lossy network, a server that
//! crashes, gates whose clocks are off, and oracles that look on.
//!
//! The same seed gives the same run, to the last event: `cargo run -p tongdao-simulation -- --seed N` shows it. It is no
//! load test and knows nothing of threads, sockets and bytes on the wire; other rooms test those.
pub mod chance;
pub mod city;
pub mod coverage;
mod desk;
mod doubts;
mod ending;
mod faults;
pub mod gate;
mod lists;
pub mod message;
pub mod oracle;
pub mod rider;
pub mod schedule;
pub mod server;
mod simulation;
mod staff;
mod workload;

pub use simulation::{Report, Simulation, run, run_without_desk};

use tongdao_domain::account;
use tongdao_domain::entity::EntityKind;
use tongdao_domain::gate as gate_machine;
use tongdao_domain::machine::Machine;
use tongdao_journal::codec;
use tongdao_journal::contract::{FeedItem, Journal};

/// A number that stands for all that was committed.
fn fingerprint_of(journal: &impl Journal) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for partition in 0..journal.partitions() {
        for item in journal.feed(partition, 1, usize::MAX).unwrap_or_default() {
            let head = item.seq.to_le_bytes().into_iter().chain(item.at.0.to_le_bytes());
            for byte in head.chain(item.event) {
                sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
    }
    sum
}

/// The name of a committed event, for the trace.
fn name_of(item: &FeedItem) -> String {
    let name = match item.entity.kind {
        EntityKind::Account => codec::decode(&item.event).ok().map(|event: account::Event| account::Account::event_name(&event)),
        EntityKind::Gate => codec::decode(&item.event).ok().map(|event: gate_machine::Event| gate_machine::Gate::event_name(&event)),
        _ => None,
    };
    format!("{} {}", name.unwrap_or("event"), item.command_id)
}
