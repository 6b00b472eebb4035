//! The seeded world: one thread, one virtual clock, a day in a small city. Everything that happens is drawn from the seed.
//!
//! A run has four parts: a calm *setup*, the *busy* part with all its faults, a *quiet end* in which everything heals, and the
//! *next day*. The oracles look on all the time; at the quiet end and after the next day the books must be right.
use crate::chance::{Chance, Concern};
use crate::city::{self, GATES, LINE, MORNING, id};
use crate::coverage::{Coverage, Kind};
use crate::desk::Desk;
use crate::doubts::Doubts;
use crate::faults::Weather;
use crate::gate::{Alarm, Deed, Rider, VirtualGate, Why};
use crate::message::{Down, Up};
use crate::oracle::Oracle;
use crate::rider::RiderLife;
use crate::schedule::Schedule;
use crate::server::{Inside, Server, To, Told};
use crate::staff::Staff;
use std::collections::BTreeMap;
use tongdao_domain::code::Code;
use tongdao_domain::id::TapId;
use tongdao_domain::tap::{Direction, Tap};
use tongdao_domain::time::{Millis, Timestamp};

/// So much never happens in one millisecond, unless something goes round in circles.
const AT_ONCE_MAX: u32 = 100_000;

/// What can happen.
#[derive(Debug)]
pub(crate) enum What {
    /// Within the server, in one of its lives.
    Inside(u64, Inside),
    /// A message reaches the server.
    Up(usize, u64, Up),
    /// A message reaches a gate.
    Down(usize, u64, Down),
    /// A gate is woken.
    Gate(usize, Alarm),
    /// A gate tries to connect.
    Connect(usize),
    /// A rider does the next thing.
    Rider(Rider),
    /// A rider taps again at once.
    TapAgain(Rider, usize, Direction),
    /// A command of the staff is sent (again).
    Staff(u64),
    /// A fault strikes.
    Fault,
    /// A gate's button is pressed.
    Press(usize),
    /// A gate's button comes out again.
    Unpress(usize),
    /// A gate that was cut off is not any more.
    Heal(usize),
    /// The server comes back.
    Restart,
    /// The store is writable again.
    Writable,
    /// Due timers are looked at.
    Due,
    /// Somebody asks for a second person.
    Desk,
    /// Somebody does something to the deny list.
    Deny,
    /// The watcher looks at a station.
    Look(usize),
    /// An altered copy of a record comes in.
    Copy,
    /// A gate is without a link for long.
    Unplug(usize),
    /// A person decides a doubtful record.
    Decide(String, bool),
}

/// In which part a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Setup,
    Busy,
    Quiet,
    Night,
    NextDay,
}

/// A run.
pub struct Simulation {
    pub(crate) now: Timestamp,
    pub(crate) part: Part,
    pub(crate) schedule: Schedule<What>,
    pub(crate) server: Server,
    pub(crate) gates: Vec<VirtualGate>,
    pub(crate) riders: Vec<RiderLife>,
    pub(crate) staff: Staff,
    /// None in a run as it was before there were desks.
    pub(crate) desk: Option<Desk>,
    /// None likewise.
    pub(crate) doubts: Option<Doubts>,
    pub(crate) office: Chance,
    /// None in a run as it was before there was a deny list.
    pub(crate) lists: Option<Chance>,
    pub(crate) network: Chance,
    pub(crate) faults: Chance,
    pub(crate) workload: Chance,
    pub(crate) weather: Weather,
    pub(crate) coverage: Coverage,
    pub(crate) oracle: Oracle,
    pub(crate) passing: BTreeMap<TapId, (Rider, Tap)>,
    pub(crate) taps: BTreeMap<TapId, Tap>,
    pub(crate) alone: BTreeMap<TapId, bool>,
    connections: u64,
    sent: u64,
    trace: bool,
}

/// What a run has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What has occurred.
    pub coverage: Coverage,
    /// Events in the journal.
    pub events: u64,
    /// Taps with an outcome.
    pub outcomes: usize,
    /// A number that stands for the whole journal: the same seed gives the same.
    pub fingerprint: u64,
}

/// Runs a seed to its end. `trace` = print what happens.
///
/// # Panics
/// Where an oracle finds a promise broken.
#[must_use]
pub fn run(seed: u64, trace: bool) -> Report {
    Simulation::new(seed, trace).run()
}

/// Runs a seed as it was when it found something: without desks, whose commits draw from the store's faults.
///
/// # Panics
/// Where an oracle finds a promise broken.
#[must_use]
pub fn run_without_desk(seed: u64) -> Report {
    let mut simulation = Simulation::new(seed, false);
    (simulation.desk, simulation.lists, simulation.doubts) = (None, None, None);
    simulation.run()
}

impl Simulation {
    /// A run before anything has happened.
    #[must_use]
    pub fn new(seed: u64, trace: bool) -> Self {
        let mut faults = Chance::new(seed, Concern::Faults);
        let mut workload = Chance::new(seed, Concern::Workload);
        let weather = Weather::draw(&mut faults);
        let server_chance = Chance::new(faults.between(0, i64::MAX).cast_unsigned(), Concern::Faults);
        let mut simulation = Self {
            now: MORNING,
            part: Part::Setup,
            schedule: Schedule::new(),
            server: Server::new(city::world(), server_chance),
            gates: Vec::new(),
            riders: crate::workload::riders(&mut workload),
            staff: Staff::default(),
            desk: Some(Desk::default()),
            doubts: Some(Doubts::new(Chance::new(seed, Concern::Doubts))),
            office: Chance::new(seed, Concern::Office),
            lists: Some(Chance::new(seed, Concern::Lists)),
            network: Chance::new(seed, Concern::Network),
            faults,
            workload,
            weather,
            coverage: Coverage::default(),
            oracle: Oracle::default(),
            passing: BTreeMap::new(),
            taps: BTreeMap::new(),
            alone: BTreeMap::new(),
            connections: 0,
            sent: 0,
            trace,
        };
        simulation.gates = (0..LINE.len() * GATES).map(|gate| simulation.new_gate(gate)).collect();
        simulation
    }

    fn new_gate(&mut self, gate: usize) -> VirtualGate {
        let (station, place) = (gate / GATES, gate % GATES);
        // Of two gates at most one has a clock so wrong that it takes no taps.
        let skew = match self.faults.between(0, 9) {
            0 if place == 1 => {
                self.coverage.note(Kind::BadClock);
                Millis(75_000)
            }
            1..=5 => {
                self.coverage.note(Kind::Skewed);
                self.faults.millis(-1_500, 1_500)
            }
            _ => Millis(0),
        };
        VirtualGate::new(city::gate_id(station, place), id(LINE[station].0), skew)
    }

    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        if self.trace {
            let ms = (self.now - MORNING).0;
            println!("{:>9}.{:03} {}", ms / 1000, ms % 1000, line());
        }
    }

    fn run(mut self) -> Report {
        self.setup();
        self.busy();
        self.quiet_end();
        self.next_day();
        self.finish()
    }

    fn setup(&mut self) {
        self.schedule.at(self.now, What::Due);
        for gate in 0..self.gates.len() {
            self.schedule.at(self.now, What::Connect(gate));
        }
        for rider in 0..self.riders.len() {
            if let Some(account) = self.riders[rider].account.clone() {
                let poor = rider == 1;
                let token = self.riders[rider].token.clone();
                self.open_account(&account, &token, if poor { 300 } else { 20_000 });
            }
        }
        self.open_denied_account();
        self.go(self.now + Millis::seconds(60));
        assert!(self.staff.is_done(), "the city did not open");
    }

    fn busy(&mut self) {
        self.part = Part::Busy;
        self.server.faults = self.weather.store;
        for rider in 0..self.riders.len() {
            let at = self.workload.after(self.now, 0, 240_000);
            self.schedule.at(at, What::Rider(rider));
        }
        self.plan_fault();
        self.plan_emergency();
        self.plan_desk();
        self.plan_deny();
        self.plan_doubts();
        let end = self.workload.after(self.now, 40 * 60_000, 70 * 60_000);
        self.go(end);
    }

    /// Everything heals; whoever is in gets out.
    fn quiet_end(&mut self) {
        self.part = Part::Quiet;
        self.tell(|| "everything heals".into());
        self.server.faults = Default::default();
        self.server.journal.set_writable(true);
        self.weather.cut_off.clear();
        self.riders.iter_mut().for_each(|rider| rider.rides_left = 0);
        if !self.server.up {
            self.restart();
        }
        for gate in 0..self.gates.len() {
            self.press(gate, false);
            self.disconnect(gate);
        }
        self.end_deny();
        let end = self.now + Millis::minutes(45);
        self.go(end);
        self.check_quiet();
        self.check_desk();
        self.check_lists();
        self.check_doubts();
        self.check_books(false);
    }

    fn next_day(&mut self) {
        self.part = Part::Night;
        self.tell(|| "night".into());
        // Nothing is on its way, so a death in the night loses nothing but what is only memory.
        self.server.crash(self.now);
        self.staff.forget_the_desk();
        self.listen();
        self.restart();
        self.go(MORNING + Millis::hours(23));
        self.part = Part::NextDay;
        self.tell(|| "the next day".into());
        for gate in 0..self.gates.len() {
            let mut deeds = Vec::new();
            let gone = self.gates[gate].reboot(&mut deeds);
            assert!(gone.is_empty() && deeds.is_empty(), "somebody stood in a gate all night");
            self.schedule.at(self.now, What::Connect(gate));
        }
        self.go(MORNING + Millis::hours(24));
        for rider in 0..self.riders.len() {
            let life = &mut self.riders[rider];
            (life.jumped, life.rides_left, life.attempts) = (false, 1, 0);
            self.schedule.at(self.now + Millis::seconds(7 * (rider as i64 + 1)), What::Rider(rider));
        }
        self.go(MORNING + Millis::hours(25));
        self.check_quiet();
        self.check_books(true);
    }

    fn finish(mut self) -> Report {
        self.server.check_replay();
        self.coverage.merge(&self.server.coverage);
        self.coverage.merge(&self.oracle.desks.coverage);
        self.coverage.add(Kind::HardRace, self.hard_races());
        let journal = crate::fingerprint_of(&self.server.journal);
        Report { coverage: self.coverage, events: self.oracle.events, outcomes: self.oracle.outcomes.len(), fingerprint: journal }
    }

    fn hard_races(&self) -> u64 {
        let approved = |tap: &&TapId| self.oracle.outcomes.get(tap).is_some_and(|outcome| outcome.code.opens());
        self.alone.keys().filter(approved).count() as u64
    }

    /// Lets things happen up to a moment.
    pub(crate) fn go(&mut self, until: Timestamp) {
        let mut at_once = 0;
        while let Some((at, what)) = self.schedule.next(until) {
            at_once = if at > self.now { 0 } else { at_once + 1 };
            assert!(at_once < AT_ONCE_MAX, "time stands still at {what:?}");
            self.now = self.now.max(at);
            self.happen(what);
            self.listen();
        }
        self.now = until;
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Inside(life, inside) if self.server.up && life == self.server.life => self.server.happen(inside, self.now),
            What::Inside(..) => {}
            What::Up(gate, connection, up) => self.up(gate, connection, up),
            What::Down(gate, connection, down) => self.down(gate, connection, down),
            What::Gate(..) if self.part == Part::Night => {}
            What::Gate(gate, alarm) => self.woken(gate, &alarm),
            What::Connect(gate) => self.connect(gate),
            What::Rider(rider) => self.rider(rider),
            What::TapAgain(rider, gate, direction) => self.tap_again(rider, gate, direction),
            What::Staff(task) => self.staff_sends(task),
            What::Fault => self.strike(),
            What::Press(gate) => self.press(gate, true),
            What::Unpress(gate) => self.press(gate, false),
            What::Heal(gate) => self.heal(gate),
            What::Restart => self.restart(),
            What::Writable => self.server.journal.set_writable(true),
            What::Desk => self.ask_for_a_second_person(),
            What::Deny => self.deny(),
            What::Look(station) => self.look(station),
            What::Copy => self.copy(),
            What::Unplug(gate) => self.unplug(gate),
            What::Decide(name, accept) => self.decide_case(&name, accept),
            What::Due => {
                if self.server.up {
                    self.server.happen(Inside::Due, self.now);
                }
                let every = if self.part == Part::Night { Millis::minutes(5) } else { Millis::seconds(1) };
                self.schedule.at(self.now + every, What::Due);
            }
        }
    }

    fn press(&mut self, gate: usize, on: bool) {
        if on && self.part != Part::Busy {
            return;
        }
        let mut deeds = Vec::new();
        self.gates[gate].press(on, self.now, &mut deeds);
        self.carry_out(gate, deeds);
    }

    /// Carries out what the server has told the outside.
    fn listen(&mut self) {
        let life = self.server.life;
        for told in self.server.take_told() {
            match told {
                Told::Later(at, inside) => self.schedule.at(at, What::Inside(life, inside)),
                Told::Durable(item) => {
                    self.desk_hears(&item);
                    self.doubts_hear(&item);
                    let decide_by = &self.server.decide_by;
                    self.oracle.durable(&item, |tap| decide_by.get(tap).copied());
                    self.tell(|| format!("journal {} {} {}", item.entity, item.version, crate::name_of(&item)));
                }
                Told::Down(device, connection, down) => {
                    if let Some(gate) = self.gates.iter().position(|gate| gate.device == device) {
                        self.send(What::Down(gate, connection, down));
                    }
                }
                Told::Staff(task, reply) => self.staff_hears(task, &reply),
            }
        }
    }

    /// A message goes over the network: it may be lost, come twice, late, or before an earlier one.
    pub(crate) fn send(&mut self, what: What) {
        let gate = match &what {
            What::Up(gate, ..) | What::Down(gate, ..) => *gate,
            _ => return,
        };
        if self.part == Part::Busy && (self.weather.cut_off.contains(&gate) || self.network.permille(self.weather.drop)) {
            return self.coverage.note(Kind::Dropped);
        }
        if self.part == Part::Busy && self.network.permille(self.weather.duplicate) {
            self.coverage.note(Kind::Duplicated);
            let again = match &what {
                What::Up(gate, connection, up) => What::Up(*gate, *connection, up.clone()),
                What::Down(gate, connection, down) => What::Down(*gate, *connection, down.clone()),
                _ => return,
            };
            let delay = self.delay();
            self.schedule.at(self.now + delay, again);
        }
        let delay = self.delay();
        self.sent += 1;
        self.schedule.at(self.now + delay, what);
    }

    fn delay(&mut self) -> Millis {
        if self.part != Part::Busy {
            return Millis(5);
        }
        let late = self.network.permille(self.weather.delay);
        if !late {
            return self.network.millis(2, 30);
        }
        let delay = if self.network.permille(300) { self.network.millis(400, 9_000) } else { self.network.millis(80, 300) };
        self.coverage.note(if delay.0 > 250 { Kind::Delayed } else { Kind::Reordered });
        delay
    }

    fn up(&mut self, gate: usize, connection: u64, up: Up) {
        if self.server.up {
            if let Up::ListRequest(_) = up {
                self.coverage.note(Kind::ListAsked);
            }
            self.tell(|| format!("server hears {} {up:?}", self.gates[gate].device));
            let device = self.gates[gate].device.clone();
            self.server.hear(&device, connection, up, self.now);
        }
    }

    fn down(&mut self, gate: usize, connection: u64, down: Down) {
        if self.gates[gate].connection != Some(connection) {
            return;
        }
        self.tell(|| format!("{} hears {down:?}", self.gates[gate].device));
        self.oracle.heard(&self.gates[gate], &down);
        let mut deeds = Vec::new();
        self.gates[gate].hear(down, self.now, &mut deeds);
        self.carry_out(gate, deeds);
    }

    fn woken(&mut self, gate: usize, alarm: &Alarm) {
        if let Why::Resolved(seq, passage) = alarm.why
            && alarm.epoch == self.gates[gate].epoch
        {
            let tap = TapId { device: self.gates[gate].device.clone(), epoch: alarm.epoch, seq };
            self.went(&tap, passage);
        }
        let alone_opens = self.part != Part::Busy || !self.workload.permille(150);
        let mut deeds = Vec::new();
        self.gates[gate].woken(alarm, self.now, alone_opens, &mut deeds);
        self.carry_out(gate, deeds);
    }

    pub(crate) fn carry_out(&mut self, gate: usize, deeds: Vec<Deed>) {
        for deed in deeds {
            match deed {
                Deed::Send(up) => {
                    if let Some(connection) = self.gates[gate].connection {
                        self.send(What::Up(gate, connection, up));
                    }
                }
                Deed::Wake(at, alarm) => self.schedule.at(at, What::Gate(gate, alarm)),
                Deed::Denied(rider, code) => self.denied(rider, code),
                Deed::Opened(rider, tap) => self.opened(gate, rider, tap),
                Deed::Alone(tap) => {
                    self.coverage.note(Kind::Alone);
                    self.alone.insert(tap.id, true);
                }
                Deed::DeniedByList => self.coverage.note(Kind::ListDenied),
                Deed::Listed { whole } => self.coverage.note(if whole { Kind::ListFetched } else { Kind::ListDelta }),
                Deed::Late(decision) => {
                    self.coverage.note(if decision.code == Code::Expired { Kind::Expired } else { Kind::LateAnswer });
                }
            }
        }
    }

    pub(crate) fn connect(&mut self, gate: usize) {
        if self.gates[gate].connection.is_some() {
            return;
        }
        if !self.server.up || self.weather.cut_off.contains(&gate) {
            let again = self.network.after(self.now, 500, 3_000);
            return self.schedule.at(again, What::Connect(gate));
        }
        self.connections += 1;
        let device = self.gates[gate].device.clone();
        self.server.connect(&device, self.connections, self.now);
        let mut deeds = Vec::new();
        self.gates[gate].connected(self.connections, self.now, &mut deeds);
        self.carry_out(gate, deeds);
        self.plan_look(gate);
    }

    /// The connection breaks; the gate notices and tries again.
    pub(crate) fn disconnect(&mut self, gate: usize) {
        if let Some(connection) = self.gates[gate].connection.take() {
            let device = self.gates[gate].device.clone();
            if self.server.up {
                self.server.disconnect(&device, connection, self.now);
            }
        }
        let again = self.network.after(self.now, 100, 1_500);
        self.schedule.at(again, What::Connect(gate));
        self.plan_look(gate);
    }

    pub(crate) fn restart(&mut self) {
        if !self.server.up {
            self.tell(|| "the server is back".into());
            self.server.restart(self.now);
            self.reopen_desk();
        }
    }

    /// Where an answer for the staff goes.
    pub(crate) fn staff_address(task: u64) -> Option<To> {
        Some(To::Staff(task))
    }
}
