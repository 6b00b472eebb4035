//! The walk over an account's taps in the order of travel: which taps make a journey, and what it costs.
use super::scene::Scene;
use super::{Charged, Fact, Journey, JourneyState, Mark, MarkKind, Open, Stop, journey_id};
use crate::fare::{Past, Rule};
use crate::id::TapId;
use crate::money::Amount;
use crate::mutant::{Mutant, planted};
use crate::station::Mode;
use crate::tap::Direction;
use crate::time::Timestamp;
use crate::world::World;
use smallvec::SmallVec;

/// All that journeys depend on beside the taps.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Fares, distances, mode histories, windows.
    pub world: &'a World,
    /// Which share of the published fare is paid.
    pub passenger_class: &'a str,
    /// What the service desk said.
    pub marks: &'a [Mark],
    /// Journeys that had to end by then have ended.
    pub closed_until: Timestamp,
    /// What rides before the first of the taps left behind.
    pub base: &'a Past,
}

/// Where a walk has arrived.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arrived {
    /// The journey that is open.
    pub open: Option<Open>,
    /// What complete rides left behind for the price of the next.
    pub past: Past,
}

/// Journeys that one tap ends: at most the one that was open and its own.
pub type Ended = SmallVec<[Journey; 2]>;

/// Journeys of an account by the order of travel, and where that leads; pure: the same arguments, the same journeys.
#[must_use]
pub fn journeys(facts: &[Fact], rules: &Rules<'_>) -> (Vec<Journey>, Arrived) {
    let mut walked = Vec::new();
    let Arrived { open, past } = rules.walk(facts, |journey| walked.push(journey));
    let open = rules.expire(open, &mut |journey| walked.push(journey));
    walked.extend(open.as_ref().map(|open| rules.still_open(open)));
    (walked, Arrived { open, past })
}

impl<'a> Rules<'a> {
    /// Walks over taps that are in the order of travel; what is open afterwards may be overdue.
    pub fn walk(&self, facts: &[Fact], mut ended: impl FnMut(Journey)) -> Arrived {
        let (mut at, mut last) = (Arrived { open: None, past: self.base.clone() }, None::<&Fact>);
        for fact in facts.iter().filter(|fact| fact.counts()) {
            if !last.is_some_and(|last| self.absorbs(last, fact)) {
                self.step(&mut at, fact).into_iter().for_each(&mut ended);
            }
            last = Some(fact);
        }
        at
    }

    /// One tap that counts: where it leads, and the journeys that it ended.
    #[must_use]
    pub fn step(&self, at: &mut Arrived, fact: &Fact) -> Ended {
        let mut ended = Ended::new();
        let scene = Scene::new(self.world, &fact.station, fact.at);
        at.open = self.lapse(at.open.take(), fact.at, &mut |journey| ended.push(journey));
        if scene.version.is_some_and(crate::fare::FareVersion::is_flat) {
            ended.extend((fact.direction == Direction::Entry).then(|| self.flat(&scene, &mut at.past, fact)));
            return ended;
        }
        match (fact.direction, at.open.take()) {
            (Direction::Entry, open) => {
                ended.extend(open.map(|open| self.without_exit(&open, fact.at)));
                at.open = Some(self.enter(&scene, &at.past, fact));
            }
            (Direction::Exit, Some(open)) => ended.push(self.leave(&scene, &mut at.past, &open, fact)),
            (Direction::Exit, None) => ended.push(self.without_entry(&scene, &mut at.past, fact)),
        }
        ended
    }

    /// Is it the same medium at the same gate in the same direction at once again?
    #[must_use]
    pub fn repeats(&self, last: &Fact, fact: &Fact) -> bool {
        let window = self.world.settings.retap_window;
        window.0 > 0
            && fact.at - last.at <= window
            && (last.direction, last.medium, last.by_desk) == (fact.direction, fact.medium, false)
            && last.tap.device == fact.tap.device
    }

    /// Is it the same medium at another gate in the same direction within the same moment? Nobody goes through two gates at
    /// once: both have opened (each was offline, or one was), one journey is priced, the other is for a person to decide.
    /// Where an entry is a whole ride, a medium may pay for two.
    #[must_use]
    pub fn is_twin(&self, last: &Fact, fact: &Fact) -> bool {
        let window = self.world.settings.retap_window;
        let at_once = window.0 > 0 && (fact.at - last.at).abs() <= window && last.tap.device != fact.tap.device;
        let same = (last.direction, last.medium, last.by_desk) == (fact.direction, fact.medium, fact.by_desk) && !fact.by_desk;
        let said = |tap| self.mark(tap, MarkKind::Counted).is_some();
        at_once
            && same
            && !planted(Mutant::TwinPricedTwice)
            && !said(&last.tap)
            && !said(&fact.tap)
            && !Scene::new(self.world, &fact.station, fact.at).version.is_some_and(crate::fare::FareVersion::is_flat)
    }

    /// Does the tap before stand for this one too?
    #[must_use]
    pub fn absorbs(&self, last: &Fact, fact: &Fact) -> bool {
        self.repeats(last, fact) || self.is_twin(last, fact)
    }

    /// Ends an open journey that no longer is at this time of travel.
    fn lapse(&self, open: Option<Open>, at: Timestamp, ended: &mut impl FnMut(Journey)) -> Option<Open> {
        let open = open?;
        if self.mark(&open.entry.tap, MarkKind::Waived).is_some_and(|mark| mark.at < at) {
            ended(self.waived(&open));
            return None;
        }
        if open.closes_at <= at {
            ended(self.without_exit(&open, open.closes_at));
            return None;
        }
        Some(open)
    }
    /// Ends an open journey that is overdue, or was waived.
    pub fn expire(&self, open: Option<Open>, ended: &mut impl FnMut(Journey)) -> Option<Open> {
        let open = open?;
        if self.mark(&open.entry.tap, MarkKind::Waived).is_some() {
            ended(self.waived(&open));
            return None;
        }
        self.lapse(Some(open), self.closed_until, ended)
    }
    /// Would another entry be "already in"? Not where the open journey is overdue or was cut by an emergency.
    #[must_use]
    pub fn is_in(&self, open: Option<&Open>, at: Timestamp) -> bool {
        open.is_some_and(|open| open.closes_at > at && !self.world.emergency_between(open.entry.at, at))
    }

    fn mark(&self, entry: &TapId, kind: MarkKind) -> Option<&'a Mark> {
        let marks = self.marks.iter().filter(|mark| mark.kind == kind && mark.entry == *entry);
        marks.min_by_key(|mark| (mark.at, &mark.station))
    }

    fn enter(&self, scene: &Scene<'_>, past: &Past, fact: &Fact) -> Open {
        let hold = if scene.has(Mode::Emergency) { Amount::ZERO } else { scene.hold(past, self.passenger_class) };
        let overstay_collected = self.mark(&fact.tap, MarkKind::OverstayCollected).is_some();
        Open { entry: stop(fact), hold, closes_at: scene.closes_at(), overstay_collected }
    }
    fn flat(&self, scene: &Scene<'_>, past: &mut Past, fact: &Fact) -> Journey {
        let ends = |state, rule, charged| journey(Some(stop(fact)), Some(stop(fact)), state, rule, charged);
        if scene.free_to_leave() {
            return ends(JourneyState::Waived, Some(Rule::Waived), None);
        }
        let (fare, rule) = scene.flat(past, self.passenger_class).unzip();
        ends(JourneyState::Closed, rule, fare.and_then(|fare| scene.charged(fare)))
    }
    fn leave(&self, scene: &Scene<'_>, past: &mut Past, open: &Open, fact: &Fact) -> Journey {
        let ends = |state, rule, charges: [Option<Charged>; 2]| {
            journey(Some(open.entry.clone()), Some(stop(fact)), state, rule, charges.into_iter().flatten())
        };
        if scene.version.is_some() && (scene.free_to_leave() || self.mark(&open.entry.tap, MarkKind::Waived).is_some()) {
            return ends(JourneyState::Waived, Some(Rule::Waived), [None, None]);
        }
        let Some(left) = scene.leave(past, &open.entry.station, open.entry.at, self.passenger_class) else {
            return ends(JourneyState::Closed, None, [None, None]);
        };
        if left.rule == Rule::Overstay {
            let surcharge = self.surcharge(open, fact.at).or_else(|| scene.charged(left.surcharge));
            return ends(JourneyState::Overstay, Some(left.rule), [surcharge, scene.charged(left.ride)]);
        }
        let state = if open.entry.station == fact.station { JourneyState::SameStation } else { JourneyState::Closed };
        ends(state, Some(left.rule), [scene.charged(left.ride), None])
    }
    /// The surcharge that the service desk has collected for an overstay before `until`.
    fn surcharge(&self, open: &Open, until: Timestamp) -> Option<Charged> {
        let mark = self.mark(&open.entry.tap, MarkKind::OverstayCollected).filter(|mark| mark.at <= until)?;
        self.surcharge_at(&Scene::new(self.world, &mark.station, mark.at))
    }
    fn surcharge_at(&self, scene: &Scene<'_>) -> Option<Charged> {
        scene.charged(scene.policy(scene.version?.overstay.surcharge, self.passenger_class))
    }
    fn without_entry(&self, scene: &Scene<'_>, past: &mut Past, fact: &Fact) -> Journey {
        let ends = |entry, state, rule, charged: Option<Charged>| journey(entry, Some(stop(fact)), state, rule, charged);
        let Some(version) = scene.version else { return ends(None, JourneyState::MissingEntry, None, None) };
        if scene.free_to_leave() {
            return ends(None, JourneyState::Waived, Some(Rule::Waived), None);
        }
        if let Some(origin) = scene.waived_origin() {
            let entry = Stop { tap: fact.tap.clone(), station: origin.clone(), at: fact.at };
            let (fare, rule) = scene.arrive(past, origin, self.passenger_class).unzip();
            return ends(Some(entry), JourneyState::Closed, rule, fare.and_then(|fare| scene.charged(fare)));
        }
        let charged = scene.charged(scene.policy(version.missing_entry, self.passenger_class));
        ends(None, JourneyState::MissingEntry, Some(Rule::MissingEntry), charged)
    }
    /// A journey that ends without an exit at `until`; free where an emergency cut it.
    fn without_exit(&self, open: &Open, until: Timestamp) -> Journey {
        let cut = self.world.emergency_between(open.entry.at, until) && !planted(Mutant::CutJourneyCharged);
        if cut || self.mark(&open.entry.tap, MarkKind::Waived).is_some() {
            return self.waived(open);
        }
        let scene = Scene::new(self.world, &open.entry.station, open.entry.at);
        let policy = scene.version.and_then(|version| scene.charged(scene.policy(version.missing_exit, self.passenger_class)));
        let rule = scene.version.map(|_| Rule::MissingExit);
        let charges = self.surcharge(open, until).into_iter().chain(policy);
        journey(Some(open.entry.clone()), None, JourneyState::MissingExit, rule, charges)
    }
    fn waived(&self, open: &Open) -> Journey {
        journey(Some(open.entry.clone()), None, JourneyState::Waived, Some(Rule::Waived), None)
    }
    fn still_open(&self, open: &Open) -> Journey {
        journey(Some(open.entry.clone()), None, JourneyState::Open, None, self.surcharge(open, open.closes_at))
    }
}

fn stop(fact: &Fact) -> Stop {
    Stop { tap: fact.tap.clone(), station: fact.station.clone(), at: fact.at }
}

fn journey(
    entry: Option<Stop>,
    exit: Option<Stop>,
    state: JourneyState,
    rule: Option<Rule>,
    charges: impl IntoIterator<Item = Charged>,
) -> Journey {
    let first = entry.as_ref().or(exit.as_ref());
    let id = first.map(|stop| journey_id(&stop.tap)).unwrap_or_default();
    Journey { id, entry, exit, state, rule, charges: charges.into_iter().collect() }
}
