//! Boards begin as agreed and events carry their kind.
use super::*;
use crate::money::Money as Amount;
use crate::time::Time;
use serde_json::json;
use tongdao_domain::money::{Amount as DomainAmount, Currency};
use tongdao_domain::time::Timestamp;

const EIGHT: Time = Time(Timestamp(1_772_438_400_000));

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("JSON")
}

fn overview() -> OverviewSnapshot {
    OverviewSnapshot {
        rev: 7,
        at: EIGHT,
        figures: Figures {
            taps_s: 120.5,
            p50_ms: Some(0.4),
            p99_ms: None,
            refusals: [("INSUFFICIENT".to_owned(), 3)].into(),
            gates: Online { online: 39, of: 40 },
            alarms: Alarms { raised: 1, acked: 2 },
            money: Money {
                business_day: "2026-03-02".into(),
                posted: Amount::of(DomainAmount::from_fen(123_456), Currency::CNY),
                journeys: 321,
            },
            latency: Latency { bounds_ms: vec![1.0, 5.0], counts: vec![10, 2, 0] },
        },
        deadline_ms: 250,
        waiting: 0,
        serving: 0,
        remote: Remote::default(),
        stations: vec![StationRow {
            station: "tianfu".into(),
            name: [("en".to_owned(), "Tianfu Square".to_owned()), ("zh-CN".to_owned(), "天府广场".to_owned())].into(),
            x: 0.25,
            y: 0.5,
            line: None,
            figures: StationFigures { of: 8, online: 7, ..StationFigures::default() },
        }],
        links: vec![("tianfu".into(), "luomashi".into())],
        series: Series { t0: EIGHT, step_s: 1, taps: vec![1.0], p99: vec![Some(2.0)] },
    }
}

#[test]
fn every_snapshot_begins_with_its_position_and_moment() {
    let listing = Listing::<AlarmItem> { rev: 7, at: EIGHT, items: vec![] };
    for text in [text(&overview()), text(&listing)] {
        assert!(text.starts_with(r#"{"rev":7,"at":"2026-03-02T08:00:00.000Z","#), "{text}");
    }
}

#[test]
fn an_overview_is_what_it_was() {
    insta::assert_json_snapshot!("overview", overview());
    assert_eq!(serde_json::from_str::<OverviewSnapshot>(&text(&overview())).expect("read back"), overview());
}

#[test]
fn an_event_carries_its_kind_and_the_whole_item() {
    let tap = TapItem {
        device: "g1".into(),
        direction: crate::gate::Direction::Entry,
        result: crate::gate::Shown::Open,
        code: "OK".into(),
        at: EIGHT,
    };
    assert_eq!(
        text(&GatesEvent::Tap(tap)),
        r#"{"k":"tap","device":"g1","direction":"entry","result":"open","code":"OK","at":"2026-03-02T08:00:00.000Z"}"#
    );
    assert_eq!(text(&GatesEvent::Doubtful { doubtful: 2 }), r#"{"k":"doubtful","doubtful":2}"#);
    let item = AuditItem {
        id: "9/41".into(),
        at: EIGHT,
        by: Some("li".into()),
        op: "session.login".into(),
        target: "user/li".into(),
        station: None,
        site: None,
        reason: None,
        detail: None,
        command_id: None,
    };
    let event = text(&AuditEvent::Audit(item.clone()));
    assert!(event.starts_with(r#"{"k":"audit","id":"9/41","at""#), "{event}");
    assert_eq!(serde_json::from_str::<AuditEvent>(&event).expect("read back"), AuditEvent::Audit(item));
    let history = DeviceEvent::History { item: HistoryItem { at: EIGHT, k: "online".into(), detail: None } };
    assert_eq!(serde_json::to_value(history).expect("JSON"), json!({"k": "history", "item": {"at": EIGHT, "k": "online"}}));
}
