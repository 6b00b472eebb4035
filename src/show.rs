//! Accounts and gates as the command line shows them: JSON for programs, lines for people.
use serde_json::{Value, json};
use tongdao_domain::account::{PostingState, View};
use tongdao_domain::gate::Gate;
use tongdao_domain::id::{DeviceId, StationId};
use tongdao_domain::journey::Journey;
use tongdao_domain::station::Service;
use tongdao_protocol::money::Money;
use tongdao_protocol::time::Time;

/// `account show --json`.
pub fn account(view: &View) -> Value {
    let money = |amount| json!(Money::of(amount, view.currency));
    let postings: Vec<Value> = view
        .postings
        .iter()
        .map(|posting| {
            json!({"ref": posting.reference, "command_id": posting.command_id, "journey": posting.journey,
                "amount": money(posting.amount), "state": posting.state, "at": Time(posting.at)})
        })
        .collect();
    let media: Vec<Value> =
        view.media.iter().filter(|medium| !medium.unlinked).map(|medium| json!({"kind": medium.kind, "token": medium.token})).collect();
    let mut shown = json!({"account": view.account, "class": u8::from(view.class), "passenger_class": view.passenger_class,
        "balance": money(view.balance), "held": money(view.held), "frozen": view.frozen, "media": media, "postings": postings});
    if let Some(open) = &view.journey {
        shown["journey"] = journey(open);
        shown["journey"]["closes_at"] = json!(view.closes_at.map(Time));
    }
    shown
}

fn journey(journey: &Journey) -> Value {
    let entry = journey.entry.as_ref();
    json!({"id": journey.id, "station": entry.map(|stop| &stop.station), "since": entry.map(|stop| Time(stop.at))})
}

/// `account show`.
pub fn account_lines(view: &View) -> Vec<String> {
    let mut lines = vec![
        format!("account   {}{}", view.account, if view.frozen { " (frozen)" } else { "" }),
        format!("class     {} ({})", u8::from(view.class), view.passenger_class),
        format!("balance   {} {}", view.balance, view.currency),
        format!("held      {} {}", view.held, view.currency),
    ];
    if let Some(entry) = view.journey.as_ref().and_then(|journey| journey.entry.as_ref()) {
        lines.push(format!("in        since {} at {}", crate::ops::rfc3339(entry.at), entry.station));
    }
    let media = view.media.iter().filter(|medium| !medium.unlinked);
    lines.extend(media.map(|medium| format!("medium    {} ({})", medium.token, name(&medium.kind))));
    lines.extend(view.postings.iter().map(|posting| {
        let at = crate::ops::rfc3339(posting.at);
        format!("{at}  {:>10}  {:<11}  {}", format!("{}", -posting.amount), state(posting.state), posting.command_id)
    }));
    lines
}

const fn state(state: PostingState) -> &'static str {
    match state {
        PostingState::Pending => "pending",
        PostingState::Final => "final",
        PostingState::Provisional => "provisional",
        PostingState::Void => "void",
    }
}

/// The name that serde gives a plain value.
pub fn name<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// One gate of `gate list --json`; `mode` is the revision it says it obeys.
pub fn gate(device: &DeviceId, station: &StationId, service: Service, rev: u64, gate: &Gate) -> Value {
    let twin = gate.twin.as_ref();
    json!({"device": device, "station": station, "service": service, "online": twin.is_some_and(|twin| twin.online),
        "mode": gate.mode.as_ref().map_or(0, |ack| ack.rev), "mode_wanted": rev,
        "reported": twin.map(|twin| json!({"service": twin.service, "firmware": twin.firmware, "versions": twin.versions,
            "faults": twin.faults, "at": Time(twin.at)})),
        "orders": gate.orders.iter().map(|view| json!({"id": view.order.id, "command": view.order.command, "state": view.state})).collect::<Vec<_>>()})
}

/// One line of `gate list`.
pub fn gate_line(gate: &Value) -> String {
    let text = |key: &str| gate[key].as_str().unwrap_or_default().to_owned();
    let link = if gate["online"] == true { "online" } else { "offline" };
    let faults = gate["reported"]["faults"].as_array().map_or(0, Vec::len);
    format!(
        "{:<24} {:<24} {:<12} {link:<8} mode {} of {}, {faults} faults",
        text("device"),
        text("station"),
        text("service"),
        gate["mode"],
        gate["mode_wanted"]
    )
}
