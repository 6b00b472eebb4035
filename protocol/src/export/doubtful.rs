//! What happened to a doubtful record, as it is exported.
use super::{by, put, record, tap_id};
use serde_json::{Value, json};
use tongdao_domain::doubtful::{Case, Doubtful, Event};
use tongdao_domain::machine::Machine as _;

pub(super) fn described(event: &Event) -> (&'static str, Value) {
    let d = match event {
        Event::Opened(case) => opened(case),
        Event::Accepted { by: who, owed_again: _ } | Event::Rejected { by: who } => json!({"by": by(who)}),
        Event::Posted => json!({}),
        Event::Returned { hint } => json!({"hint": hint.as_str()}),
    };
    (Doubtful::event_name(event), d)
}

fn opened(case: &Case) -> Value {
    let mut d = json!({"record": record(&case.record), "station": case.station.as_str(), "doubt": case.doubt.name()});
    put(&mut d, "first", case.first.as_ref().map(|first| record(first)));
    put(&mut d, "other", case.other.as_ref().map(tap_id));
    put(&mut d, "clock_ms", Some(case.clock.0).filter(|ms| *ms != 0));
    put(&mut d, "corrected", Some(true).filter(|_| case.corrected));
    d
}
