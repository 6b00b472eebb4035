//! What happened to a gate, as it is exported.
use super::{by, join, medium, put, record, tap_id, time};
use crate::device::{AckResult, Command, State};
use crate::gate::{Direction, PassageOutcome};
use serde_json::{Value, json};
use tongdao_domain::account::RecordOutcome;
use tongdao_domain::gate::{DeviceOrder, Event, Gate};
use tongdao_domain::machine::Machine as _;
use tongdao_domain::tap::Tap;

pub(super) fn described(event: &Event) -> (&'static str, Value) {
    (Gate::event_name(event), told(event))
}

/// A tap: its identity and what it said.
pub(super) fn tap(tap: &Tap) -> Value {
    let mut d = tap_id(&tap.id);
    join(
        &mut d,
        json!({
            "direction": Direction::from(tap.direction), "medium": medium(&tap.medium), "at": time(tap.at),
            "deadline_ms": tap.deadline.0, "mode": tap.mode, "list_version": tap.list_version,
        }),
    );
    d
}

fn told(event: &Event) -> Value {
    match event {
        Event::TapRefused { tap: refused, code, station, rev } => {
            let mut d = tap(refused);
            join(&mut d, json!({"result": "deny", "code": code.name(), "mode_rev": rev}));
            put(&mut d, "station", station.as_ref().map(|station| station.as_str()));
            d
        }
        Event::BootSeen { epoch } => json!({"epoch": epoch}),
        Event::Passed { tap, outcome, at } => json!({"tap": tap_id(tap), "outcome": PassageOutcome::from(*outcome), "at": time(*at)}),
        Event::RecordsTaken { epoch, station, records, rejected, limits: _, clock, corrected } => {
            let mut d = json!({
                "epoch": epoch, "station": station.as_str(), "records": records.iter().map(record).collect::<Vec<_>>(),
                "rejected": rejected.iter().map(|one| json!({"record": record(&one.record), "code": one.code.name()})).collect::<Vec<_>>(),
            });
            put(&mut d, "clock_ms", Some(clock.0).filter(|ms| *ms != 0));
            put(&mut d, "corrected", Some(true).filter(|_| *corrected));
            d
        }
        Event::RecordStruck { tap, outcome, doubted } => {
            let mut d = json!({"tap": tap_id(tap), "outcome": record_outcome(*outcome)});
            put(&mut d, "doubt", doubted.as_ref().map(|doubted| doubted.doubt.name()));
            put(&mut d, "other", doubted.as_ref().and_then(|doubted| doubted.other.as_ref()).map(tap_id));
            d
        }
        Event::CaseTold { name } => json!({"record": name.as_str()}),
        Event::StateReported(twin) => json!(State::from(twin.clone())),
        Event::ModeAcked { id, rev, result, detail, at } => json!({
            "id": id.as_str(), "rev": rev, "result": AckResult::from(*result), "detail": detail.as_str(), "at": time(*at),
        }),
        Event::AckNoted { id, result, detail, at } => {
            json!({"id": id.as_str(), "result": AckResult::from(*result), "detail": detail.as_str(), "at": time(*at)})
        }
        Event::Ordered { order: ordered, forgotten } => {
            let mut d = order(ordered);
            put(&mut d, "forgotten", Some(forgotten.iter().map(|id| id.as_str()).collect::<Vec<_>>()).filter(|ids| !ids.is_empty()));
            d
        }
        Event::OrderSent { id } => json!({"id": id.as_str()}),
        Event::OrderEnded { id, result, detail } => {
            json!({"id": id.as_str(), "result": AckResult::from(*result), "detail": detail.as_str()})
        }
    }
}

fn order(order: &DeviceOrder) -> Value {
    let mut d = json!(Command::from(order));
    put(&mut d, "by", Some(by(&order.by)));
    d
}

const fn record_outcome(outcome: RecordOutcome) -> &'static str {
    match outcome {
        RecordOutcome::Taken => "taken",
        RecordOutcome::Doubtful => "doubtful",
        RecordOutcome::UnknownMedium => "unknown_medium",
    }
}
