//! The account as a machine: which command goes where, and what a command means.
use super::adjust::Adjustment;
use super::manage::Opening;
use super::{Account, Command, Event};
use crate::entity::{EntityKey, EntityKind};
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::machine::{Context, Decision, Machine, Owed};
use crate::time::Timestamp;

impl Machine for Account {
    const KIND: EntityKind = EntityKind::Account;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decision<Event> {
        match command {
            Command::Tap { tap, station, decide_by } => self.decide_tap(context, tap, station, *decide_by),
            Command::Passage { tap, reference, outcome, at } => self.decide_passage(context, tap, reference, *outcome, *at),
            Command::Record { record, station, clock } => self.decide_record(context, record, station, *clock),
            Command::Accept(accepted) => self.decide_accept(context, accepted),
            Command::Adjust { kind, station, at, by } => {
                self.decide_adjust(context, &Adjustment { kind: *kind, station, at: at.unwrap_or(context.now), by })
            }
            Command::Open { class, passenger_class, balance, currency, by } => {
                self.decide_open(context, &Opening { class: *class, passenger_class, balance: *balance, currency: *currency, by })
            }
            Command::Link { token, kind, by } => self.decide_link(token, *kind, by),
            Command::Unlink { token, by } => self.decide_unlink(token, by),
            Command::Credit { amount, by } => self.decide_credit(context, *amount, by),
            Command::Freeze { by } => self.decide_freeze(true, by),
            Command::Unfreeze { by } => self.decide_freeze(false, by),
            Command::Struck { owed } => self.decide_struck(context, owed),
            Command::Tick => self.decide_tick(context),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        self.take(event, at);
    }

    fn owed(&self, me: &EntityKey) -> Vec<Owed> {
        self.deny_owed(me).into_iter().collect()
    }

    /// A tap and its passage hardly ever end or begin a debt; where one does, the deadline tells it.
    fn owes(event: &Event) -> bool {
        !matches!(event, Event::TapDecided { .. } | Event::TapRepeated { .. } | Event::PassageReported { .. })
    }

    fn deadline(&self) -> Option<Timestamp> {
        let closes_at = self.open.as_ref().map(|open| open.closes_at);
        closes_at.into_iter().chain(self.deny_due()).min()
    }

    fn tick() -> Option<Command> {
        Some(Command::Tick)
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        match command {
            Command::Tap { tap, .. } => tap.fingerprint(),
            Command::Passage { reference, outcome, at, .. } => outcome.fingerprint(Some(reference), *at),
            Command::Record { record, .. } => record.fingerprint(),
            Command::Accept(accepted) => {
                let print = accepted.by.fingerprint(Fingerprinter::new("account.accept")).part(accepted.record.fingerprint());
                print.number(accepted.doubt as i64).count(accepted.tap.seq).finish()
            }
            Command::Adjust { kind, station, at, .. } => {
                Fingerprinter::new("account.adjust").number(*kind as i64).text(station.as_str()).moment(*at).finish()
            }
            Command::Open { class, passenger_class, balance, currency, .. } => Fingerprinter::new("account.open")
                .number(i64::from(u8::from(*class)))
                .text(passenger_class)
                .number(balance.fen())
                .number(*currency as i64)
                .finish(),
            Command::Link { token, kind, .. } => Fingerprinter::new("account.link").text(token.as_str()).number(*kind as i64).finish(),
            Command::Unlink { token, .. } => Fingerprinter::new("account.unlink").text(token.as_str()).finish(),
            Command::Credit { amount, .. } => Fingerprinter::new("account.credit").number(amount.fen()).finish(),
            Command::Freeze { .. } => Fingerprinter::new("account.freeze").finish(),
            Command::Unfreeze { .. } => Fingerprinter::new("account.unfreeze").finish(),
            Command::Struck { owed } => Fingerprinter::new("account.struck").text(owed.as_str()).finish(),
            Command::Tick => Fingerprinter::new("account.tick").finish(),
        }
    }

    fn event_name(event: &Event) -> &'static str {
        event.name()
    }
}
