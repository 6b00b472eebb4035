//! The gate through its public contract.
mod orders;
mod records;
mod tap;

use super::*;
use crate::testing::{Actor, MORNING, gate_of};

const STATION: &str = "s1";

/// The first gate of a station, silent so far.
fn silent() -> Actor<Gate> {
    Actor::new(gate_of(STATION, 1).as_str())
}

/// The same after its first `up/state`.
fn gate() -> Actor<Gate> {
    let mut gate = silent();
    gate.ask(Command::State(twin(MORNING)));
    gate
}

fn twin(at: Timestamp) -> Twin {
    Twin { online: true, service: "both".into(), firmware: "1.0".into(), versions: BTreeMap::new(), faults: Vec::new(), at }
}
