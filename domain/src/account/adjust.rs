//! The service desk (客服中心) corrects a journey, and a deadline ends one: each is a fact like any other, and the difference
//! is posted.
use super::apply::desk_fact;
use super::post::Outlook;
use super::state::Account;
use super::{AdjustKind, Event};
use crate::device::By;
use crate::id::{DeviceId, StationId, TapId};
use crate::journey::scene::Scene;
use crate::journey::{Mark, MarkKind, Open};
use crate::machine::{Context, Decision, Refusal, RefusalCode, Reply};
use crate::station::Mode;
use crate::tap::Direction;
use crate::time::Timestamp;

/// An adjustment with its time.
pub(super) struct Adjustment<'a> {
    pub(super) kind: AdjustKind,
    pub(super) station: &'a StationId,
    pub(super) at: Timestamp,
    pub(super) by: &'a By,
}

fn wrong_state(hint: &str) -> Refusal {
    Refusal { code: RefusalCode::WrongState, hint: hint.into() }
}

impl Account {
    pub(super) fn decide_adjust(&self, context: &Context<'_>, adjustment: &Adjustment<'_>) -> Decision<Event> {
        match self.adjusted(context, adjustment) {
            Err(refusal) => Decision::Ask { otherwise: Reply::Refused(refusal) },
            Ok((tap, outlook)) => {
                let fare = outlook.due();
                let Adjustment { kind, station, at, by } = adjustment;
                let event = Event::Adjusted {
                    kind: *kind,
                    station: (*station).clone(),
                    at: *at,
                    tap,
                    number: self.numbered + 1,
                    fare,
                    command_id: context.command_id.clone(),
                    by: (*by).clone(),
                    change: outlook.change,
                };
                Decision::Commit { events: vec![event], reply: Reply::Adjusted { fare } }
            }
        }
    }

    fn adjusted(&self, context: &Context<'_>, adjustment: &Adjustment<'_>) -> Result<(TapId, Outlook), Refusal> {
        if self.holder.is_none() {
            return Err(Refusal { code: RefusalCode::NotFound, hint: "no such account".into() });
        }
        if !context.world.stations.contains_key(adjustment.station) {
            return Err(Refusal { code: RefusalCode::NotFound, hint: "no such station".into() });
        }
        if self.is_foreign(&Scene::new(context.world, adjustment.station, adjustment.at)) {
            return Err(wrong_state("fares are in another currency there"));
        }
        if adjustment.at > context.now || self.forgotten(context, adjustment.at) {
            return Err(Refusal { code: RefusalCode::BadArgs, hint: "at: lies ahead, or before the taps that are kept".into() });
        }
        match adjustment.kind {
            AdjustKind::AddEntry => self.added(context, adjustment, Direction::Entry),
            AdjustKind::AddExit => self.added(context, adjustment, Direction::Exit),
            AdjustKind::Overstay => self.marked(context, adjustment, MarkKind::OverstayCollected),
            AdjustKind::Waive => self.marked(context, adjustment, MarkKind::Waived),
        }
    }

    fn added(&self, context: &Context<'_>, adjustment: &Adjustment<'_>, direction: Direction) -> Result<(TapId, Outlook), Refusal> {
        let number = self.numbered + 1;
        let tap = desk_tap(number).ok_or_else(|| wrong_state("no name for the added tap"))?;
        let fact = desk_fact(&tap, direction, adjustment.station, adjustment.at, number, context.now);
        let rules = self.rules(context.world);
        let open = self.before(&rules, &fact).open;
        match direction {
            Direction::Entry if rules.is_in(open.as_ref(), fact.at) => return Err(wrong_state("a journey is open at that time")),
            Direction::Exit if open.as_ref().is_none_or(|open| open.closes_at <= fact.at) => {
                return Err(wrong_state("no journey is open at that time; give the time of the exit, or add the entry first"));
            }
            _ => {}
        }
        Ok((tap, self.outlook(context.world, &fact, number)))
    }

    fn marked(&self, context: &Context<'_>, adjustment: &Adjustment<'_>, kind: MarkKind) -> Result<(TapId, Outlook), Refusal> {
        let open = self.open.as_ref().filter(|open| open.entry.at <= adjustment.at).ok_or_else(|| wrong_state("no journey is open"))?;
        if kind == MarkKind::OverstayCollected {
            may_collect(context, adjustment, open)?;
        }
        let entry = open.entry.tap.clone();
        let mark = Mark { entry: entry.clone(), kind, station: adjustment.station.clone(), at: adjustment.at };
        let marks: Vec<Mark> = self.marks.iter().cloned().chain([mark]).collect();
        Ok((entry, self.recomputed(context.world, &self.facts, &marks, self.closed_until, self.numbered + 1)))
    }

    pub(super) fn decide_tick(&self, context: &Context<'_>) -> Decision<Event> {
        let Some(until) = self.open.as_ref().map(|open| open.closes_at).filter(|closes_at| *closes_at <= context.now) else {
            return Decision::Ask { otherwise: Reply::Done };
        };
        let change = self.recomputed(context.world, &self.facts, &self.marks, until, self.numbered + 1).change;
        let event = Event::JourneyClosed { until, command_id: context.command_id.clone(), change };
        Decision::Commit { events: vec![event], reply: Reply::Done }
    }
}

/// An overstay is collected once, and only where the stay is too long.
fn may_collect(context: &Context<'_>, adjustment: &Adjustment<'_>, open: &Open) -> Result<(), Refusal> {
    if open.overstay_collected {
        return Err(wrong_state("the overstay is collected already"));
    }
    let scene = Scene::new(context.world, adjustment.station, adjustment.at);
    let stay = adjustment.at - open.entry.at;
    if scene.version.is_some_and(|version| version.overstayed(stay)) && !scene.has(Mode::TimeWaived) {
        return Ok(());
    }
    Err(wrong_state("the stay is not too long"))
}

/// Stands for an entry or exit that the service desk added.
fn desk_tap(number: u64) -> Option<TapId> {
    Some(TapId { device: DeviceId::new("desk").ok()?, epoch: 0, seq: number })
}
