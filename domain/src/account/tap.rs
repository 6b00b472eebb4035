//! The answer to a tap: ordered early returns, each a named code. What an approval does to journeys and money is not decided
//! here but read off the walk over the facts.
use super::post::{Outlook, forgetting};
use super::state::{Account, reference};
use super::{Change, Event};
use crate::code::Code;
use crate::fare::{FareVersion, SameStation};
use crate::id::StationId;
use crate::journey::scene::Scene;
use crate::journey::{Ended, Fact, Journey, JourneyState, Open, Passed, Recorded, Told, journeys};
use crate::machine::{Context, Decision, Reply};
use crate::money::Amount;
use crate::mutant::{Mutant, planted};
use crate::station::Mode;
use crate::tap::{Direction, Tap, TapDecision};
use crate::time::Timestamp;

/// What the server says to a tap.
enum Verdict {
    Refused(Code),
    Approved { code: Code, fare: Option<Amount>, journey: Option<compact_str::CompactString>, change: Change },
}

impl Account {
    pub(super) fn decide_tap(&self, context: &Context<'_>, tap: &Tap, station: &StationId, decide_by: Timestamp) -> Decision<Event> {
        let Some(medium) = self.linked(&tap.medium.token) else { return Decision::Misrouted };
        if (context.now > decide_by && !planted(Mutant::DecidesLate)) || self.has_undecided(tap) || self.forgotten(context, tap.at) {
            return Decision::Ask { otherwise: Reply::Tap(TapDecision::bare(tap, Code::Expired, context.now)) };
        }
        let fact = self.approved_fact(context, tap, station, medium);
        if let Some(first) = self.counting_before(&fact).filter(|before| self.rules(context.world).repeats(before, &fact)) {
            return self.repeated(context, tap, station, first);
        }
        let scene = Scene::new(context.world, station, tap.at);
        match self.judge(context, &scene, &fact) {
            Verdict::Refused(code) => self.refused(context, &scene, tap, station, code),
            Verdict::Approved { code, fare, journey, change } => {
                let mut reply = self.answer(context, tap, code, &change);
                (reply.fare, reply.journey, reply.reference) = (fare, journey, Some(reference(&context.me.id, fact.number)));
                let change = forgetting(self, context.world, context.now, Some(&fact), change);
                let (tap, station, mode_rev) = (tap.clone(), station.clone(), scene.mode_rev());
                let event = Event::TapDecided { tap, station, code, number: Some(fact.number), fare, mode_rev, change };
                Decision::Commit { events: vec![event], reply: Reply::Tap(reply) }
            }
        }
    }

    /// Is there a record of this very tap already? Then the gate has decided alone: nothing is decided any more.
    fn has_undecided(&self, tap: &Tap) -> bool {
        self.undecided > 0 && self.facts.iter().any(|fact| fact.told == Told::Nothing && fact.tap == tap.id)
    }

    /// Are fares in another currency there? Money of one is never taken for money of the other.
    pub(super) fn is_foreign(&self, scene: &Scene<'_>) -> bool {
        self.holder.as_ref().zip(scene.currency).is_some_and(|(holder, currency)| holder.currency != currency)
    }

    /// Did it travel before the taps that are kept?
    pub(super) fn forgotten(&self, context: &Context<'_>, at: Timestamp) -> bool {
        at < self.kept_from || at < context.now - context.world.settings.taps_kept
    }

    fn approved_fact(&self, context: &Context<'_>, tap: &Tap, station: &StationId, medium: usize) -> Fact {
        Fact {
            at: tap.at,
            direction: tap.direction,
            tap: tap.id.clone(),
            station: station.clone(),
            medium: u16::try_from(medium).unwrap_or(u16::MAX),
            number: self.numbered + 1,
            decided_at: context.now,
            told: Told::Open,
            passed: self.early_passage(&tap.id),
            recorded: Recorded::Nothing,
            by_desk: false,
        }
    }

    /// What was reported of a tap before it was known.
    pub(super) fn early_passage(&self, tap: &crate::id::TapId) -> Passed {
        self.early.iter().find(|early| early.tap == *tap).map_or(Passed::Unknown, |early| early.passed)
    }

    fn judge(&self, context: &Context<'_>, scene: &Scene<'_>, fact: &Fact) -> Verdict {
        let emergency = scene.has(Mode::Emergency);
        if self.frozen && !emergency {
            return Verdict::Refused(Code::Frozen);
        }
        if scene.version.is_none() && !emergency {
            return Verdict::Refused(Code::NotInService);
        }
        if self.is_foreign(scene) && !emergency {
            return Verdict::Refused(Code::UnknownMedium);
        }
        let straight = fact.counts() && self.is_straight(fact);
        let rules = self.rules(context.world);
        let mut arrived = if straight { self.arrived() } else { self.before(&rules, fact) };
        let open = arrived.open.clone();
        if let Some(code) = self.bars(context, scene, open.as_ref(), fact) {
            return Verdict::Refused(code);
        }
        let ended = rules.step(&mut arrived, fact);
        let after = arrived.open.clone();
        if let Some(code) = bars_exit(scene, open.as_ref(), fact, &ended) {
            return Verdict::Refused(code);
        }
        let outlook = if straight { self.extended(arrived, &ended, fact.number) } else { self.outlook(context.world, fact, fact.number) };
        if let Some(code) = self.lacks(context, scene, &outlook) {
            return Verdict::Refused(code);
        }
        if self.balance.is_negative() && fact.direction == Direction::Entry && !emergency {
            // Even where this ride would cost nothing.
            return Verdict::Refused(Code::DenyListed);
        }
        approved(emergency, fact, after.as_ref(), &ended, outlook.change)
    }

    /// What stands against it before anything is priced.
    fn bars(&self, context: &Context<'_>, scene: &Scene<'_>, open: Option<&Open>, fact: &Fact) -> Option<Code> {
        let flat = scene.version.is_some_and(FareVersion::is_flat);
        match fact.direction {
            _ if scene.has(Mode::Emergency) => None,
            Direction::Entry => {
                // Whoever is in now is in, though a gate's clock may say that this tap travelled before that entry.
                let rules = self.rules(context.world);
                let inside = |open: Option<&Open>| open.is_some_and(|open| rules.is_in(Some(open), fact.at.max(open.entry.at)));
                (!flat && (inside(open) || inside(self.open.as_ref()))).then_some(Code::AlreadyIn)
            }
            Direction::Exit if flat => Some(Code::NoEntry),
            Direction::Exit => {
                let inside = open.is_some_and(|open| open.closes_at > fact.at);
                (!inside && scene.waived_origin().is_none()).then_some(Code::NoEntry)
            }
        }
    }

    /// Is there too little money, or a limit in the way?
    fn lacks(&self, context: &Context<'_>, scene: &Scene<'_>, outlook: &Outlook) -> Option<Code> {
        let hold = outlook.hold();
        let more = outlook.due() + hold;
        if more.is_zero() || scene.has(Mode::Emergency) {
            return None;
        }
        if self.balance - more < Amount::ZERO {
            return Some(Code::Insufficient);
        }
        let limits = context.world.limits.of(self.holder.as_ref()?.class);
        let day = scene.day();
        let today = outlook.due_on(day) + hold;
        let above = |limit: Option<Amount>, sum: Amount| limit.is_some_and(|limit| sum > limit);
        match () {
            () if above(limits.single, outlook.largest()) => Some(Code::LimitSingle),
            () if limits.day.is_some() && above(limits.day, self.spent_on(day) + today) => Some(Code::LimitDay),
            () if limits.year.is_some() && above(limits.year, self.spent_in(day) + more) => Some(Code::LimitYear),
            () => None,
        }
    }

    fn refused(&self, context: &Context<'_>, scene: &Scene<'_>, tap: &Tap, station: &StationId, code: Code) -> Decision<Event> {
        let change = forgetting(self, context.world, context.now, None, Change::default());
        let reply = self.answer(context, tap, code, &change);
        let (tap, station, mode_rev) = (tap.clone(), station.clone(), scene.mode_rev());
        let event = Event::TapDecided { tap, station, code, number: None, fare: None, mode_rev, change };
        Decision::Commit { events: vec![event], reply: Reply::Tap(reply) }
    }

    /// The same medium at the same gate again at once: the answer of the first, and nothing posted.
    fn repeated(&self, context: &Context<'_>, tap: &Tap, station: &StationId, first: &Fact) -> Decision<Event> {
        let code = if first.told == Told::Waived { Code::WaivedByMode } else { Code::Ok };
        let journey = self.journey_of(context, first);
        let fare = journey.as_ref().filter(|journey| journey.exit.is_some()).map(|journey| self.posted_since(journey, first.number));
        let mut reply = self.answer(context, tap, code, &Change::default());
        reply.reference = (first.number > 0).then(|| reference(&context.me.id, first.number));
        (reply.fare, reply.journey) = (fare, journey.map(|journey| journey.id));
        let event = Event::TapRepeated { tap: tap.clone(), station: station.clone(), code, number: first.number, fare };
        Decision::Commit { events: vec![event], reply: Reply::Tap(reply) }
    }

    /// The journey that a tap belongs to.
    fn journey_of(&self, context: &Context<'_>, fact: &Fact) -> Option<Journey> {
        let walked = journeys(&self.facts, &self.rules(context.world)).0;
        walked.into_iter().rfind(|journey| {
            let end = if fact.direction == Direction::Exit { &journey.exit } else { &journey.entry };
            end.as_ref().is_some_and(|stop| stop.at <= fact.at && stop.tap.device == fact.tap.device)
        })
    }

    fn posted_since(&self, journey: &Journey, number: u64) -> Amount {
        self.posted.iter().filter(|posted| posted.journey == journey.id && posted.number >= number).map(|posted| posted.amount).sum()
    }

    fn answer(&self, context: &Context<'_>, tap: &Tap, code: Code, change: &Change) -> TapDecision {
        let paid: Amount = change.postings.iter().map(crate::ledger::Posting::amount).sum();
        let currency = self.holder.as_ref().map_or_else(Default::default, |holder| holder.currency);
        TapDecision { balance: Some(self.balance - paid), currency, ..TapDecision::bare(tap, code, context.now) }
    }
}

/// What stands against an exit by the journey that it would end.
fn bars_exit(scene: &Scene<'_>, open: Option<&Open>, fact: &Fact, ended: &Ended) -> Option<Code> {
    let version = scene.version?;
    if fact.direction == Direction::Entry || scene.has(Mode::Emergency) {
        return None;
    }
    match ended.last()?.state {
        JourneyState::MissingEntry => Some(Code::NoEntry),
        JourneyState::Overstay if version.overstay.refuse && open.is_some_and(|open| !open.overstay_collected) => Some(Code::Overstay),
        JourneyState::SameStation if refuses_same_station(version, open, fact) => Some(Code::SameStation),
        _ => None,
    }
}

/// A short stay may be let out where a longer one is not.
fn refuses_same_station(version: &FareVersion, open: Option<&Open>, fact: &Fact) -> bool {
    let stay = open.map(|open| fact.at - open.entry.at);
    let let_out = version.more.same_station_within.iter().any(|(bound, _)| stay.is_some_and(|stay| stay < *bound));
    version.same_station == SameStation::Refuse && !let_out
}

fn approved(emergency: bool, fact: &Fact, after: Option<&Open>, ended: &Ended, change: Change) -> Verdict {
    let own = ended.last().filter(|journey| journey.exit.as_ref().is_some_and(|exit| exit.tap == fact.tap));
    let waived = emergency || own.is_some_and(|journey| journey.state == JourneyState::Waived);
    let code = if waived { Code::WaivedByMode } else { Code::Ok };
    let paid = |journey: &Journey| {
        let mine = change.postings.iter().filter(|posting| posting.journey == journey.id);
        mine.map(crate::ledger::Posting::amount).sum()
    };
    let journey = own.map(|journey| journey.id.clone()).or_else(|| after.map(|open| crate::journey::journey_id(&open.entry.tap)));
    Verdict::Approved { code, fare: own.map(paid), journey, change }
}

/// Who a tap's decision is kept as.
pub(super) fn told(code: Code) -> Told {
    match code {
        Code::WaivedByMode => Told::Waived,
        code if code.opens() => Told::Open,
        _ => Told::Deny,
    }
}
