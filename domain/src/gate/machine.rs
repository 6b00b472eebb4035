//! The gate as a machine: which command is decided where, and what each event writes.
use super::{Command, Event, Gate, GateMemory, ModeAck, OrderState, checks, meaning};
use crate::code::Code;
use crate::entity::{EntityKey, EntityKind};
use crate::fingerprint::Fingerprint;
use crate::machine::{Context, Decision, Machine, Notice, Owed, Remark, Reply};
use crate::time::Timestamp;
use compact_str::CompactString;

impl Machine for Gate {
    const KIND: EntityKind = EntityKind::Gate;
    type Command = Command;
    type Event = Event;
    type Memory = GateMemory;

    fn decide(&self, context: &Context<'_>, memory: &GateMemory, command: &Command) -> Decision<Event> {
        match command {
            Command::Tap { tap, .. } => self.check_tap(context, memory, tap),
            Command::Unresolved { tap } => checks::refuse(context, tap, Code::UnknownMedium),
            Command::Passage { tap, reference, .. } => self.check_passage(command, tap, reference.as_ref()),
            Command::Records { epoch, first_seq: _, records } => self.decide_records(context, memory, *epoch, records),
            Command::Struck { owed, outcome, doubted } => self.decide_struck(context, owed, *outcome, doubted.as_ref()),
            Command::State(twin) if self.twin.as_ref() == Some(twin) && self.has_reported(context) => {
                Decision::Ask { otherwise: Reply::Done }
            }
            Command::State(twin) => Decision::Commit { events: vec![Event::StateReported(twin.clone())], reply: Reply::Done },
            Command::Ack { .. } => self.decide_ack(context, command),
            Command::Order(order) => self.decide_order(context, order),
            Command::OrderSent { id } => self.decide_sent(id),
            Command::Tick => self.decide_tick(context),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::TapRefused { tap, .. } => self.epoch = self.epoch.max(tap.id.epoch),
            Event::BootSeen { epoch } => self.epoch = self.epoch.max(*epoch),
            Event::Passed { tap, .. } => self.epoch = self.epoch.max(tap.epoch),
            Event::RecordsTaken { .. } => self.take_records(event, at),
            Event::RecordStruck { tap, outcome: _, doubted } => self.strike(tap, doubted.as_ref()),
            Event::CaseTold { name } => self.strike_case(name),
            Event::StateReported(twin) => self.take_state(twin, at),
            Event::ModeAcked { id, rev, result, detail: _, at } => {
                self.take_mode_ack(ModeAck { id: id.clone(), rev: *rev, at: *at }, *result);
            }
            Event::AckNoted { .. } => {}
            Event::Ordered { order, forgotten } => self.take_order(order, forgotten, at),
            Event::OrderSent { id } => self.move_order(id, OrderState::Sent, &CompactString::const_new(""), at),
            Event::OrderEnded { id, result, detail } => self.end_order(id, *result, detail, at),
        }
    }

    fn notice(memory: &mut GateMemory, notice: &Notice<'_, Command>, context: &Context<'_>) -> Option<Remark> {
        memory.take(notice, context)
    }

    fn owed(&self, me: &EntityKey) -> Vec<Owed> {
        self.orders_owed(me).chain(self.records_owed()).collect()
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.owed_due.into_iter().chain(self.next_expiry()).min()
    }

    fn tick() -> Option<Command> {
        Some(Command::Tick)
    }

    fn rev(&self) -> Option<u64> {
        Some(self.orders_rev)
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        meaning::fingerprint(command)
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::TapRefused { .. } => "tap.refused",
            Event::BootSeen { .. } => "boot.seen",
            Event::Passed { .. } => "passage.reported",
            Event::RecordsTaken { .. } => "records.taken",
            Event::RecordStruck { .. } => "record.struck",
            Event::CaseTold { .. } => "doubtful.told",
            Event::StateReported(_) => "state.reported",
            Event::ModeAcked { .. } => "mode.acked",
            Event::AckNoted { .. } => "ack.noted",
            Event::Ordered { .. } => "order.queued",
            Event::OrderSent { .. } => "order.sent",
            Event::OrderEnded { .. } => "order.ended",
        }
    }
}
