//! What the audit shows of a committed event; one place, so that the board and a search say the same.
use tongdao_domain::machine::Event;
use tongdao_domain::{account, doubtful, gate};
use tongdao_journal::contract::FeedItem;
use tongdao_protocol::console::board::AuditItem;
use tongdao_protocol::export::Item;

/// The item of an event; none where it belongs to no audit.
#[must_use]
pub fn item(feed: &FeedItem, event: &Event) -> Option<AuditItem> {
    if is_traffic(event) {
        return None;
    }
    AuditItem::of(&Item {
        partition: feed.partition,
        seq: feed.seq,
        at: feed.at,
        entity: &feed.entity,
        version: feed.version,
        command_id: &feed.command_id,
        event,
    })
}

/// What happens with every rider and is no person's doing: not looked at any further.
const fn is_traffic(event: &Event) -> bool {
    match event {
        Event::Account(event) => matches!(
            event,
            account::Event::TapDecided { .. }
                | account::Event::TapRepeated { .. }
                | account::Event::PassageReported { .. }
                | account::Event::RecordTaken { .. }
                | account::Event::RecordDoubted { .. }
                | account::Event::RecordAccepted { .. }
                | account::Event::JourneyClosed { .. }
                | account::Event::DenyTold { .. }
        ),
        Event::Gate(event) => !matches!(event, gate::Event::Ordered { .. }),
        Event::Doubtful(event) => !matches!(event, doubtful::Event::Accepted { .. } | doubtful::Event::Rejected { .. }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{feed, station_closed, tap};
    use super::*;
    use tongdao_domain::entity::{EntityKey, EntityKind};

    #[test]
    fn what_a_person_did_is_an_item_and_a_tap_is_none() {
        let item_of = |kind, id: &str, event: &Event| item(&feed(EntityKey::new(kind, id), 7), event);
        let closed = item_of(EntityKind::Station, "s1", &station_closed(1)).expect("an item");
        assert_eq!((closed.by.as_deref(), &*closed.target), (Some("li"), "station/s1"));
        assert_eq!(item_of(EntityKind::Account, "a1", &tap("g1", true)), None);
    }
}
