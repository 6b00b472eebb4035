//! The gate's own account of its taps: what it decided alone at once, the rest every half minute, all of it until the
//! server says that it is durable.
use super::book::{Entry, Outcome, Sent};
use super::{Fact, Port, VirtualGate};
use tongdao_domain::time::Timestamp;
use tongdao_protocol::gate::{By, Record, Records, RecordsAck, Shown};
use tongdao_protocol::payload::encode;
use tongdao_protocol::topic::Up;

/// A sequence that the server misses goes out again after this, in milliseconds.
const MISSING_AFTER_MS: i64 = 1_000;

impl VirtualGate {
    /// Sets the time of the next account, where there is something to tell.
    pub(super) fn records_due(&mut self, now: i64) {
        if self.habits.records && self.records_at.is_none() && self.book.len() > 0 {
            self.records_at = Some(now + self.habits.records_every_ms);
        }
    }

    /// Sends the records that are complete and not on their way; `of` = only those decided so.
    pub(super) fn send_records(&mut self, now: i64, of: Option<By>, port: &mut impl Port) {
        if !self.online || !self.habits.records {
            return;
        }
        let again = now - self.habits.records_every_ms;
        let mut records = Vec::new();
        for (seq, entry) in self.book.iter_mut() {
            let to_send = match entry.sent {
                Sent::No => true,
                Sent::At(at) => of.is_none() && at <= again,
                Sent::Kept => false,
            };
            if let Some(record) = record(seq, entry).filter(|record| to_send && of.is_none_or(|by| by == record.by)) {
                entry.sent = Sent::At(now);
                entry.told = Some(record.passage);
                records.push(record);
            }
        }
        let records = match &self.habits.mischief {
            Some(mischief) => mischief.stir(records),
            None => records,
        };
        for batch in records.chunks(self.orders.records_max) {
            let first_seq = batch.iter().map(|record| record.seq).min().unwrap_or(0);
            let records = Records { epoch: self.epoch, first_seq, records: batch.to_vec() };
            port.publish(Up::Records, &encode(&records), 0);
        }
    }

    /// `down/records_ack`.
    pub(super) fn on_records_ack(&mut self, payload: &[u8], now: i64, port: &mut impl Port) -> Option<()> {
        let ack: RecordsAck = serde_json::from_slice(payload).ok()?;
        if ack.epoch != self.epoch {
            return Some(());
        }
        let missing = |seq: u64| ack.missing.iter().any(|(from, to)| (*from..=*to).contains(&seq));
        let mut asked = false;
        for (seq, entry) in self.book.iter_mut() {
            if seq <= ack.upto {
                entry.sent = Sent::Kept;
            } else if missing(seq) {
                entry.sent = Sent::No;
                asked = true;
            }
        }
        if asked {
            self.records_at = Some(self.records_at.unwrap_or(i64::MAX).min(now + MISSING_AFTER_MS));
        }
        ack.rejected.iter().for_each(|rejected| port.fact(Fact::RecordRefused { code: rejected.code.0 }));
        port.fact(Fact::RecordsKept { upto: ack.upto });
        self.settle(now, port);
        Some(())
    }
}

/// The record of a tap, once the gate has done something; where the server decided, once the rider has passed, too. What it
/// decided alone is told at once, and stays as it was told.
fn record(seq: u64, entry: &Entry) -> Option<Record> {
    let Outcome::Shown { by, open } = entry.outcome else { return None };
    if by == By::Server && entry.passing {
        return None;
    }
    Some(Record {
        seq,
        direction: entry.direction,
        medium: Some(entry.medium.clone()),
        at: Timestamp(entry.at).into(),
        mode: entry.mode,
        by,
        shown: if open { Shown::Open } else { Shown::Deny },
        passage: entry.told.unwrap_or(entry.passed),
    })
}
