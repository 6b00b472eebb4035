//! The workload: riders come, tap, pass or do not, ride and leave again; some tap twice, some jump, some have no money.
use crate::chance::Chance;
use crate::city::{GATES, LINE, id};
use crate::coverage::Kind;
use crate::gate::{Alarm, Deed, Rider, Why};
use crate::message::Up;
use crate::rider::{Place, RiderLife};
use crate::simulation::{Part, Simulation, What};
use tongdao_domain::code::Code;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{AccountId, TapId, Token};
use tongdao_domain::station::Station;
use tongdao_domain::tap::{Direction, Passage};

/// Riders of a run.
const RIDERS: usize = 14;
/// A second tap of a rider who has just tapped is told from the first by this.
const SECOND: Rider = 1_000;

impl Simulation {
    pub(crate) fn rider(&mut self, rider: Rider) {
        let life = &self.riders[rider];
        if life.jumped || (!life.inside && life.rides_left == 0) {
            return;
        }
        let gate = life.station * GATES + self.workload.index(GATES);
        if life.inside && self.leaves_without_tap(rider, gate) {
            return;
        }
        if self.gates[gate].is_busy() {
            let again = self.workload.after(self.now, 300, 900);
            return self.schedule.at(again, What::Rider(rider));
        }
        let direction = self.riders[rider].direction();
        self.present(rider, gate, direction);
        if self.part == Part::Busy && self.workload.permille(40) {
            let again = self.workload.after(self.now, 300, 2_500);
            self.schedule.at(again, What::TapAgain(rider, gate, direction));
        }
    }

    pub(crate) fn leaves_without_tap(&mut self, rider: Rider, gate: usize) -> bool {
        let station = self.gates[gate].station.clone();
        let emergency = self.gates[gate].is_free() && self.server.machine::<Station>(&EntityKey::from(&station)).in_emergency();
        let kind = match () {
            () if emergency && self.workload.permille(500) => Kind::WalkedOut,
            () if self.part == Part::Busy && self.workload.permille(8) => Kind::Jumped,
            () => return false,
        };
        self.tell(|| format!("rider {rider}: {kind:?} at {station}"));
        self.coverage.note(kind);
        self.riders[rider].left();
        self.riders[rider].jumped = kind == Kind::Jumped;
        self.plan_ride(rider);
        true
    }

    pub(crate) fn present(&mut self, rider: Rider, gate: usize, direction: Direction) {
        let token = self.riders[rider % SECOND].token.clone();
        self.tell(|| format!("rider {rider} taps at {} for {direction:?}", self.gates[gate].device));
        let mut deeds = Vec::new();
        self.gates[gate].present(rider, &token, direction, self.now, &mut deeds);
        for deed in &deeds {
            if let Deed::Send(Up::Tap(tap)) = deed {
                self.taps.insert(tap.id.clone(), tap.clone());
            }
        }
        self.carry_out(gate, deeds);
    }

    pub(crate) fn tap_again(&mut self, rider: Rider, gate: usize, direction: Direction) {
        if !self.gates[gate].is_busy() {
            self.coverage.note(Kind::TappedTwice);
            self.present(rider + SECOND, gate, direction);
        }
    }

    pub(crate) fn opened(&mut self, gate: usize, rider: Rider, tap: TapId) {
        let Some(made) = self.taps.get(&tap).cloned() else { return };
        let (passage, low, high) = match self.workload.between(0, 99) {
            _ if rider >= SECOND => (Passage::NotPassed, 8_000, 8_000),
            0..=4 if self.part == Part::Busy => (Passage::NotPassed, 8_000, 8_000),
            5 if self.part == Part::Busy => (Passage::Reverse, 1_500, 3_000),
            6 => (Passage::Tailgate, 300, 2_000),
            _ => (Passage::Passed, 300, 2_000),
        };
        let at = self.workload.after(self.now, low, high);
        let alarm = Alarm { epoch: tap.epoch, why: Why::Resolved(tap.seq, passage) };
        self.passing.insert(tap, (rider, made));
        self.schedule.at(at, What::Gate(gate, alarm));
    }

    /// What a rider did at an open gate is settled.
    pub(crate) fn went(&mut self, tap: &TapId, passage: Passage) {
        let Some((rider, made)) = self.passing.remove(tap) else { return };
        self.tell(|| format!("rider {rider}: {passage:?} on {tap}"));
        if rider >= SECOND {
            return;
        }
        if matches!(passage, Passage::NotPassed | Passage::Reverse) {
            self.coverage.note(Kind::NotPassed);
            let again = self.workload.after(self.now, 4_000, 20_000);
            return self.schedule.at(again, What::Rider(rider));
        }
        let gate = self.gates.iter().find(|gate| gate.device == tap.device);
        let Some((station, skew)) = gate.map(|gate| (gate.station.clone(), gate.skew)) else { return };
        let truly = made.at - skew;
        let place = Place { tap: tap.clone(), station, at: made.at, truly };
        self.riders[rider].passed(made.direction, place);
        if made.direction == Direction::Entry {
            self.riders[rider].rides_left = self.riders[rider].rides_left.saturating_sub(1);
            let here = self.riders[rider].station;
            let there = self.workload.index(LINE.len() * 4) % LINE.len();
            self.riders[rider].station = if there == here && !self.workload.permille(100) { (here + 1) % LINE.len() } else { there };
            let arrives = self.workload.after(self.now, 120_000, 900_000);
            self.schedule.at(arrives, What::Rider(rider));
        } else {
            self.plan_ride(rider);
        }
    }

    pub(crate) fn plan_ride(&mut self, rider: Rider) {
        // Long enough that no clock of the city turns the order of two taps around.
        let at = self.workload.after(self.now, 90_000, 400_000);
        self.schedule.at(at, What::Rider(rider));
    }

    pub(crate) fn denied(&mut self, rider: Rider, code: Option<Code>) {
        self.tell(|| format!("rider {rider} is denied: {code:?}"));
        if rider >= SECOND {
            return;
        }
        assert!(
            self.part != Part::NextDay
                || self.riders[rider].account.is_none()
                || matches!(code, Some(Code::NotInService | Code::Insufficient)),
            "rider {rider} is denied the next day: {code:?}"
        );
        match code {
            Some(Code::Insufficient) => {
                self.coverage.note(Kind::Insufficient);
                self.credit(rider);
            }
            Some(Code::UnknownMedium) => {
                self.coverage.note(Kind::UnknownMedium);
                if self.riders[rider].inside {
                    // The service desk lets out whom no gate knows.
                    self.riders[rider].left();
                    return self.plan_ride(rider);
                }
            }
            _ => {}
        }
        let life = &mut self.riders[rider];
        life.attempts += 1;
        if !life.inside && life.attempts > 5 {
            (life.attempts, life.rides_left) = (0, life.rides_left.saturating_sub(1));
            return self.plan_ride(rider);
        }
        let again = self.workload.after(self.now, 4_000, 20_000);
        self.schedule.at(again, What::Rider(rider));
    }
}

pub(crate) fn riders(workload: &mut Chance) -> Vec<RiderLife> {
    let life = |rider: usize, workload: &mut Chance| {
        let token = id::<Token>(&format!("m{rider}"));
        let account = (rider != 0).then(|| id::<AccountId>(&format!("a{rider}")));
        let (station, rides) = (workload.index(LINE.len()), workload.between(1, 6));
        RiderLife::new(account, token, station, u32::try_from(rides).unwrap_or(1))
    };
    (0..RIDERS).map(|rider| life(rider, workload)).collect()
}
