//! What a gate says of itself, orders to it, and its acknowledgements.
use super::*;
use crate::machine::{Machine, OwedWhat, Recipient, RefusalCode, Reply};
use crate::station::{self, Mode, Station};
use crate::testing::{by, id};

fn order(name: &str, expires_at: Timestamp) -> DeviceOrder {
    let id = CommandId::new(name).expect("a command id");
    DeviceOrder { id, command: "restart".into(), args: "{}".into(), expires_at, by: by() }
}

fn acked(name: &str, result: AckResult, at: Timestamp) -> Command {
    Command::Ack { id: CommandId::new(name).expect("a command id"), result, detail: "d".into(), at }
}

fn refused(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

fn states(gate: &Actor<Gate>) -> Vec<OrderState> {
    gate.state.orders.iter().map(|view| view.state).collect()
}

#[test]
fn an_order_is_owed_to_the_device_until_it_is_acknowledged() {
    let mut gate = gate();
    let order = order("o1", gate.now + Millis(1_000));
    assert_eq!(gate.ask(Command::Order(order.clone())), Reply::Done);
    assert_eq!(gate.ask(Command::Order(order.clone())), Reply::Done, "the same again");
    let owed = gate.state.owed(&gate.me);
    assert_eq!((owed.len(), &owed[0].to), (1, &Recipient::Device(gate_of(STATION, 1))));
    assert_eq!(owed[0].what, OwedWhat::DeviceCommand(order.clone()));
    assert_eq!(gate.state.deadline(), Some(order.expires_at));
    gate.ask(Command::OrderSent { id: order.id.clone() });
    gate.ask(Command::OrderSent { id: order.id.clone() });
    assert_eq!(states(&gate), [OrderState::Sent]);
    assert_eq!(gate.state.owed(&gate.me).len(), 1, "sent is not done");
    gate.ask(acked("o1", AckResult::Done, gate.now));
    assert_eq!(states(&gate), [OrderState::Done]);
    assert_eq!((gate.state.owed(&gate.me).len(), gate.state.deadline()), (0, None));
    assert_eq!(gate.events.len(), 4);
}

#[test]
fn an_order_that_nobody_acknowledges_expires() {
    let mut gate = gate();
    let expires_at = gate.now + Millis(1_000);
    gate.ask(Command::Order(order("o1", expires_at)));
    gate.now = expires_at - Millis(1);
    gate.ask(Command::Tick);
    assert_eq!(states(&gate), [OrderState::Queued]);
    gate.now = expires_at;
    gate.ask(Command::Tick);
    assert_eq!(states(&gate), [OrderState::Expired]);
    gate.ask(acked("o1", AckResult::Done, gate.now));
    assert_eq!(states(&gate), [OrderState::Expired], "too late");
    assert!(matches!(gate.events.last(), Some(Event::AckNoted { .. })));
}

#[test]
fn orders_are_bounded_and_checked() {
    let mut gate = gate();
    (gate.world.settings.orders_max, gate.world.settings.orders_ended_kept) = (2, 1);
    let later = gate.now + Millis(1_000);
    assert_eq!(refused(gate.ask(Command::Order(order("late", gate.now)))), RefusalCode::BadArgs);
    for name in ["o1", "o2"] {
        gate.ask(Command::Order(order(name, later)));
    }
    assert_eq!(refused(gate.ask(Command::Order(order("o3", later)))), RefusalCode::WrongState);
    assert_eq!(gate.ask(Command::Order(order("o1", later + Millis(1)))), Reply::Done, "given again, it expires when it would have");
    assert_eq!(gate.state.orders[0].order.expires_at, later);
    let other = DeviceOrder { command: "config".into(), ..order("o1", later) };
    assert_eq!(refused(gate.ask(Command::Order(other))), RefusalCode::Contradicts);
    assert_eq!(gate.state.rev(), Some(2), "two orders were given");
    for (name, result) in [("o1", AckResult::Failed), ("o2", AckResult::Unsupported)] {
        gate.ask(acked(name, result, gate.now));
    }
    gate.ask(Command::Order(order("o4", later)));
    let names: Vec<&str> = gate.state.orders.iter().map(|view| view.order.id.as_str()).collect();
    assert_eq!((names, states(&gate)), (vec!["o2", "o4"], vec![OrderState::Failed, OrderState::Queued]));
    assert_eq!(gate.state.rev(), Some(5), "and two ended");
    assert_eq!(gate.state, gate.replayed());
}

#[test]
fn a_gate_tells_which_mode_it_obeys() {
    let mut gate = gate();
    let mut station = Actor::<Station>::new(STATION);
    for (rev, mode) in [(1, Mode::Closed), (2, Mode::FareWaived)] {
        station.ask(station::Command::SetModes { modes: [mode].into(), until: None, by: by() });
        gate.world = station.world.clone();
        let mode = gate.world.gate_mode(&gate_of(STATION, 1)).expect("it stands in a station");
        gate.ask(acked(mode.id.as_str(), AckResult::Failed, gate.now));
        assert_eq!(gate.state.mode.as_ref().map_or(0, |ack| ack.rev), rev - 1, "failed is not obeyed");
        gate.ask(acked(mode.id.as_str(), AckResult::Done, gate.now));
        assert_eq!(gate.state.mode, Some(ModeAck { id: mode.id, rev, at: gate.now }));
    }
    gate.ask(acked("nobody/knows", AckResult::Done, gate.now));
    assert_eq!(gate.state.mode.as_ref().map(|ack| ack.rev), Some(2));
}

#[test]
fn the_mode_before_any_change_has_a_name_to_acknowledge() {
    let mut gate = gate();
    gate.ask(acked("mode/s1/0", AckResult::Done, gate.now));
    assert_eq!(gate.state.mode.as_ref().map(|ack| ack.rev), Some(0));
}

#[test]
fn the_same_state_again_changes_nothing() {
    let mut gate = gate();
    gate.ask(Command::State(twin(MORNING)));
    assert_eq!(gate.events.len(), 1);
    let offline = Twin { online: false, ..twin(MORNING) };
    gate.ask(Command::State(offline.clone()));
    assert_eq!(gate.state.twin, Some(offline));
}

#[test]
fn every_command_has_its_own_meaning() {
    let twin = twin(MORNING);
    let mut faulty = twin.clone();
    faulty.faults.push("door".into());
    let commands = [
        Command::State(twin),
        Command::State(faulty),
        Command::Order(order("o1", MORNING)),
        Command::Order(DeviceOrder { command: "config".into(), ..order("o1", MORNING) }),
        Command::OrderSent { id: CommandId::new("o1").expect("a command id") },
        acked("o1", AckResult::Done, MORNING),
        acked("o1", AckResult::Failed, MORNING),
        super::records::batch(7, &[1, 2]),
        super::records::batch(7, &[2, 1]),
        super::records::batch(8, &[1, 2]),
        Command::Struck { owed: CommandId::new("o1").expect("a command id"), outcome: account::RecordOutcome::Taken, doubted: None },
        Command::Passage { tap: TapId { device: id("g1"), epoch: 1, seq: 1 }, reference: None, outcome: Passage::Passed, at: MORNING },
        Command::Tick,
    ];
    let late = Command::Order(order("o1", MORNING + Millis(1)));
    assert_eq!(Gate::fingerprint(&late), Gate::fingerprint(&commands[2]), "when it expires is counted anew each time it is sent");
    let mut prints: Vec<u128> = commands.iter().map(|command| Gate::fingerprint(command).0).collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), commands.len());
}
