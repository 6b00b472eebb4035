//! What a gate's commands mean, for `KEY_REUSED`.
use super::{Command, DeviceOrder, Twin};
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::tap::Record;

pub(super) fn fingerprint(command: &Command) -> Fingerprint {
    match command {
        // Whoever answers a tap, its meaning is the same.
        Command::Tap { tap, .. } | Command::Unresolved { tap } => tap.fingerprint(),
        Command::Passage { tap: _, reference, outcome, at } => outcome.fingerprint(reference.as_ref(), *at),
        Command::Records { epoch, first_seq, records } => {
            let start = Fingerprinter::new("gate.records").count(*epoch).count(*first_seq);
            let enter = |print: Fingerprinter, record: &Record| print.count(record.tap.seq).part(record.fingerprint());
            records.iter().fold(start, enter).finish()
        }
        Command::Struck { owed, outcome, doubted: _ } => {
            Fingerprinter::new("gate.struck").text(owed.as_str()).number(*outcome as i64).finish()
        }
        Command::State(twin) => of_twin(twin),
        Command::Ack { id, result, detail, at } => {
            Fingerprinter::new("gate.ack").text(id.as_str()).number(*result as i64).text(detail).number(at.0).finish()
        }
        Command::Order(order) => of_order(order),
        Command::OrderSent { id } => Fingerprinter::new("gate.order_sent").text(id.as_str()).finish(),
        Command::Tick => Fingerprinter::new("gate.tick").finish(),
    }
}

fn of_twin(twin: &Twin) -> Fingerprint {
    let start = Fingerprinter::new("gate.state")
        .number(i64::from(twin.online))
        .text(&twin.service)
        .text(&twin.firmware)
        .number(twin.at.0)
        .count(twin.versions.len() as u64);
    let versions = twin.versions.iter().fold(start, |print, (name, version)| print.text(name).text(version));
    twin.faults.iter().fold(versions, |print, fault| print.text(fault)).finish()
}

fn of_order(order: &DeviceOrder) -> Fingerprint {
    let print = Fingerprinter::new("gate.order").text(order.id.as_str()).text(&order.command).text(&order.args);
    order.by.fingerprint(print).finish()
}
