//! Orders to a device (`down/command`) and its acknowledgements: queued → sent → done | failed | expired.
use super::{AckResult, Command, DeviceOrder, Event, Gate, ModeAck, OrderState, OrderView};
use crate::entity::EntityKey;
use crate::id::{CommandId, DeviceId};
use crate::machine::{Context, Decision, Owed, OwedWhat, Recipient, RefusalCode, Reply};
use crate::time::Timestamp;
use compact_str::CompactString;

type Decided = Decision<Event>;

impl AckResult {
    const fn ends_as(self) -> OrderState {
        match self {
            Self::Done => OrderState::Done,
            Self::Failed | Self::Unsupported => OrderState::Failed,
            Self::Expired => OrderState::Expired,
        }
    }
}

impl Gate {
    fn open_orders(&self) -> impl Iterator<Item = &OrderView> {
        self.orders.iter().filter(|view| view.state.open())
    }

    fn order(&self, id: &CommandId) -> Option<&OrderView> {
        self.orders.iter().find(|view| view.order.id == *id)
    }

    pub(super) fn decide_order(&self, context: &Context<'_>, order: &DeviceOrder) -> Decided {
        let settings = &context.world.settings;
        match self.order(&order.id) {
            Some(known) if known.order.is_again(order) => return Decision::Ask { otherwise: Reply::Done },
            Some(_) => return Decision::refuse(RefusalCode::Contradicts, format!("the order {} says something else", order.id)),
            None => {}
        }
        if order.expires_at <= context.now {
            return Decision::refuse(RefusalCode::BadArgs, "the order expires in the past");
        }
        let open = self.open_orders().count();
        if open >= settings.orders_max {
            return Decision::refuse(RefusalCode::WrongState, format!("{open} orders wait for this device already"));
        }
        let surplus = (self.orders.len() - open).saturating_sub(settings.orders_ended_kept);
        let ended = self.orders.iter().filter(|view| !view.state.open());
        let forgotten = ended.take(surplus).map(|view| view.order.id.clone()).collect();
        Decision::Commit { events: vec![Event::Ordered { order: order.clone(), forgotten }], reply: Reply::Done }
    }

    pub(super) fn decide_sent(&self, id: &CommandId) -> Decided {
        match self.order(id) {
            Some(view) if view.state == OrderState::Queued => {
                Decision::Commit { events: vec![Event::OrderSent { id: id.clone() }], reply: Reply::Done }
            }
            Some(_) | None => Decision::Ask { otherwise: Reply::Done },
        }
    }

    pub(super) fn decide_ack(&self, context: &Context<'_>, command: &Command) -> Decided {
        let Command::Ack { id, result, detail, at } = command.clone() else { return Decision::Misrouted };
        let waits = self.order(&id).is_some_and(|view| view.state.open());
        let device = DeviceId::new(&context.me.id).ok();
        let mode = device.and_then(|device| context.world.gate_mode(&device)).filter(|mode| mode.id == id);
        let event = match mode {
            _ if waits => Event::OrderEnded { id, result, detail },
            Some(mode) => Event::ModeAcked { id, rev: mode.rev, result, detail, at },
            None => Event::AckNoted { id, result, detail, at },
        };
        Decision::Commit { events: vec![event], reply: Reply::Done }
    }

    /// Orders whose time is over have ended.
    pub(super) fn decide_tick(&self, context: &Context<'_>) -> Decided {
        let late = self.open_orders().filter(|view| view.order.expires_at <= context.now);
        let expired = |view: &OrderView| Event::OrderEnded {
            id: view.order.id.clone(),
            result: AckResult::Expired,
            detail: CompactString::const_new(""),
        };
        let events: Vec<Event> = late.map(expired).collect();
        if events.is_empty() {
            return Decision::Ask { otherwise: Reply::Done };
        }
        Decision::Commit { events, reply: Reply::Done }
    }

    pub(super) fn take_order(&mut self, order: &DeviceOrder, forgotten: &[CommandId], at: Timestamp) {
        self.orders_rev += 1;
        self.orders.retain(|view| !forgotten.contains(&view.order.id));
        self.orders.push(OrderView { order: order.clone(), state: OrderState::Queued, at, detail: CompactString::const_new("") });
    }

    pub(super) fn move_order(&mut self, id: &CommandId, state: OrderState, detail: &CompactString, at: Timestamp) {
        for view in self.orders.iter_mut().filter(|view| view.order.id == *id) {
            (view.state, view.at, view.detail) = (state, at, detail.clone());
        }
    }

    pub(super) fn end_order(&mut self, id: &CommandId, result: AckResult, detail: &CompactString, at: Timestamp) {
        self.orders_rev += 1;
        self.move_order(id, result.ends_as(), detail, at);
    }

    pub(super) fn take_mode_ack(&mut self, ack: ModeAck, result: AckResult) {
        let newer = self.mode.as_ref().is_none_or(|mode| mode.rev <= ack.rev);
        if newer && result == AckResult::Done {
            self.mode = Some(ack);
        }
    }

    pub(super) fn orders_owed(&self, me: &EntityKey) -> impl Iterator<Item = Owed> {
        let device = DeviceId::new(&me.id).ok();
        self.open_orders().filter_map(move |view| {
            let (id, to) = (view.order.id.clone(), Recipient::Device(device.clone()?));
            Some(Owed { id, to, what: OwedWhat::DeviceCommand(view.order.clone()), since: view.at })
        })
    }

    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.open_orders().map(|view| view.order.expires_at).min()
    }
}
