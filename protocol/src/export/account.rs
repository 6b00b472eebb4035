//! What happened to a travel account, as it is exported.
use super::{by, join, money, put, record, tap_id, time};
use crate::gate::{MediumKind, PassageOutcome, Shown};
use serde_json::{Value, json};
use tongdao_domain::account::{self as domain, AdjustKind, Change, Event, Tail};
use tongdao_domain::code::Code;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::StationId;
use tongdao_domain::ledger::{Leg, Posting};
use tongdao_domain::money::Amount;
use tongdao_domain::tap::Tap;

pub(super) fn described(account: &EntityKey, event: &Event) -> (&'static str, Value) {
    (event.name(), told(account.id.as_str(), event))
}

fn told(account: &str, event: &Event) -> Value {
    match event {
        Event::Opened { class, passenger_class, currency, legs: funding, by: who } => json!({
            "class": u8::from(*class), "passenger_class": passenger_class.as_str(), "currency": currency.to_string(),
            "legs": legs(funding), "by": by(who),
        }),
        Event::Linked { token, kind, by: who } => {
            json!({"token": token.as_str(), "kind": MediumKind::from(*kind), "by": by(who)})
        }
        Event::Unlinked { token, by: who } => json!({"token": token.as_str(), "by": by(who)}),
        Event::Credited { legs: funding, by: who } => json!({"legs": legs(funding), "by": by(who)}),
        Event::Frozen { by: who } | Event::Unfrozen { by: who } => json!({"by": by(who)}),
        Event::TapDecided { tap, station, code, number, fare, mode_rev, change: what } => {
            let mut d = decided(account, (tap, station), *code, *number, *fare);
            put(&mut d, "mode_rev", Some(*mode_rev).filter(|rev| *rev > 0));
            with_change(account, d, what)
        }
        Event::TapRepeated { tap, station, code, number, fare } => decided(account, (tap, station), *code, Some(*number), *fare),
        Event::PassageReported { tap, outcome, at, change: what } => {
            let d = json!({"tap": tap_id(tap), "outcome": PassageOutcome::from(*outcome), "at": time(*at)});
            with_change(account, d, what)
        }
        Event::RecordTaken { record: taken, station, clock, twin, change: what } => {
            let mut d = json!({"record": record(taken), "station": station.as_str()});
            put(&mut d, "clock_ms", Some(clock.0).filter(|ms| *ms != 0));
            put(&mut d, "twin", twin.as_ref().map(tap_id));
            with_change(account, d, what)
        }
        Event::RecordDoubted { record: doubted, station, doubt } => {
            json!({"record": record(doubted), "station": station.as_str(), "doubt": doubt.name()})
        }
        Event::RecordAccepted { record: taken, tap, station, at, doubt, command_id: _, by: who, change: what } => {
            let d = json!({
                "record": record(taken), "tap": tap_id(tap), "station": station.as_str(), "at": time(*at), "doubt": doubt.name(),
                "by": by(who),
            });
            with_change(account, d, what)
        }
        Event::Adjusted { kind, station, at, tap, number, fare, by: who, command_id: _, change: what } => {
            let d = json!({
                "kind": adjust_kind(*kind), "station": station.as_str(), "at": time(*at), "tap": tap_id(tap),
                "ref": reference(account, *number), "fare": money(*fare), "by": by(who),
            });
            with_change(account, d, what)
        }
        Event::DenyTold { number } => json!({"number": number}),
        Event::JourneyClosed { until, command_id: _, change: what } => with_change(account, json!({"until": time(*until)}), what),
    }
}

fn reference(account: &str, number: u64) -> String {
    domain::reference(account, number).0.into()
}

/// A decision: what the gate was told, and of which tap.
fn decided(account: &str, (tap, station): (&Tap, &StationId), code: Code, number: Option<u64>, fare: Option<Amount>) -> Value {
    let mut d = super::gate::tap(tap);
    join(&mut d, json!({"result": if code.opens() { Shown::Open } else { Shown::Deny }, "code": code.name(), "station": station.as_str()}));
    put(&mut d, "fare", fare.map(money));
    put(&mut d, "ref", number.map(|number| reference(account, number)));
    d
}

fn with_change(account: &str, mut d: Value, change: &Change) -> Value {
    if !change.postings.is_empty() {
        let postings: Vec<Value> = change.postings.iter().map(|one| posting(account, one)).collect();
        put(&mut d, "postings", Some(postings));
    }
    put(&mut d, "journey", tail(&change.tail));
    put(&mut d, "forget_before", change.forget_before.map(time));
    d
}

fn posting(account: &str, posting: &Posting) -> Value {
    let mut d = json!({
        "ref": reference(account, posting.number), "journey": posting.journey.as_str(), "day": posting.day.to_string(),
        "amount": money(posting.amount()), "legs": legs(&posting.legs),
    });
    put(&mut d, "fares_from", posting.fares_from.map(time));
    d
}

fn legs(legs: &[Leg]) -> Vec<Value> {
    let account = |leg: &Leg| String::from(compact_str::CompactString::from(leg.account.clone()));
    legs.iter().map(|leg| json!({"account": account(leg), "amount": money(leg.amount)})).collect()
}

/// The open journey afterwards; none where it is as before.
fn tail(tail: &Tail) -> Option<Value> {
    match tail {
        Tail::Unchanged => None,
        Tail::Opened { hold, closes_at } => Some(json!({"state": "open", "hold": money(*hold), "closes_at": time(*closes_at)})),
        Tail::Closed => Some(json!({"state": "closed"})),
        Tail::Is(open) => Some(json!({
            "state": "open", "entry": tap_id(&open.entry.tap), "station": open.entry.station.as_str(), "at": time(open.entry.at),
            "hold": money(open.hold), "closes_at": time(open.closes_at), "overstay_collected": open.overstay_collected,
        })),
    }
}

const fn adjust_kind(kind: AdjustKind) -> &'static str {
    match kind {
        AdjustKind::AddEntry => "add_entry",
        AdjustKind::AddExit => "add_exit",
        AdjustKind::Overstay => "overstay",
        AdjustKind::Waive => "waive",
    }
}
