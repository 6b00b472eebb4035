//! What the boards want to know of the business day before the process began to follow: its money,
//! the newest items of the audit, and what happened to each device. Read in the background, after everything that is needed
//! at once.
use super::audit;
use super::follow::first_without;
use super::lives::{Lives, Reading};
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tongdao_domain::machine::Event;
use tongdao_domain::time::{Calendar, Millis, Timestamp};
use tongdao_journal::codec::decode_event;
use tongdao_journal::contract::{Journal, JournalError};
use tongdao_protocol::console::board::AuditItem;

/// Events that are read at a time.
const BATCH: usize = 2048;

/// A part of it.
pub enum Earlier {
    /// Events that moved money.
    Events(Vec<(Timestamp, Event)>),
    /// Items of the audit, newest first.
    Audit(Vec<AuditItem>),
    /// What happened to devices.
    Lives(Lives),
}

/// Reads on a thread of its own and hands over what it finds, until the last of `heads`.
pub fn read(journal: Arc<dyn Journal>, heads: Vec<(u16, u64)>, calendars: Vec<Calendar>, now: Timestamp, to: Sender<Earlier>) {
    let day = Millis::hours(24);
    let starts = calendars.iter().map(|calendar| calendar.business_day_end(calendar.business_day(now)) - day).min();
    let from = starts.unwrap_or(now);
    let reading = std::thread::Builder::new().name("earlier".into()).spawn(move || {
        if let Err(fault) = part(&*journal, &heads, from, &to) {
            tracing::error!(%fault, "what the business day was before the start cannot be read");
        }
    });
    if let Err(fault) = reading {
        tracing::error!(%fault, "no thread to read what the business day was before the start");
    }
}

fn part(journal: &dyn Journal, heads: &[(u16, u64)], from: Timestamp, to: &Sender<Earlier>) -> Result<(), JournalError> {
    let (mut items, mut lives) = (Vec::new(), Lives::default());
    for (partition, head) in heads {
        let mut reading = Reading::default();
        let mut seq = first_without(journal, *partition, |item| item.at < from)?;
        while seq <= *head {
            let read = journal.feed(*partition, seq, BATCH)?;
            let Some(last) = read.last().map(|item| item.seq) else { break };
            let mut events = Vec::new();
            for item in read.into_iter().filter(|item| item.seq <= *head) {
                let Ok(event) = decode_event(item.entity.kind, &item.event) else { continue };
                items.extend(audit::item(&item, &event));
                reading.take(&item.entity, &event, item.at);
                if counts(&event) {
                    events.push((item.at, event));
                }
            }
            if to.blocking_send(Earlier::Events(events)).is_err() {
                return Ok(());
            }
            keep_newest(&mut items);
            seq = last + 1;
        }
        lives.merge(reading.end());
    }
    keep_newest(&mut items);
    let _ = to.blocking_send(Earlier::Audit(items));
    let _ = to.blocking_send(Earlier::Lives(lives));
    Ok(())
}

/// A day may have many more items than are shown, after an import for one.
fn keep_newest(items: &mut Vec<AuditItem>) {
    items.sort_by_key(|item| std::cmp::Reverse(item.at));
    let mut kept = [0; 2];
    items.retain(|item| {
        let kept = &mut kept[usize::from(item.is_fault())];
        *kept += 1;
        *kept <= super::lists::ITEMS_MAX
    });
}

fn counts(event: &Event) -> bool {
    match event {
        Event::Account(event) => event.change().is_some_and(|change| !change.postings.is_empty()),
        _ => false,
    }
}
