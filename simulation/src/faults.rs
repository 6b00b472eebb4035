//! What strikes, how often, and when: drawn once for a run, so that runs differ in kind and not only in luck.
use crate::chance::Chance;
use crate::city::{GATES, LINE, gate_id, staff};
use crate::coverage::Kind;
use crate::server::StoreFaults;
use crate::simulation::{Part, Simulation, What};
use std::collections::BTreeSet;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{Command, DeviceOrder};
use tongdao_domain::id::CommandId;
use tongdao_domain::tap::Passage;
use tongdao_domain::time::Millis;

/// How bad a run is.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    /// Messages lost, per thousand.
    pub(crate) drop: u32,
    /// Messages that come twice, per thousand.
    pub(crate) duplicate: u32,
    /// Messages that are late, per thousand.
    pub(crate) delay: u32,
    /// What the store does.
    pub(crate) store: StoreFaults,
    /// Gates whose messages all go astray.
    pub(crate) cut_off: BTreeSet<usize>,
    /// A fault strikes so often, in milliseconds.
    every: i64,
}

impl Weather {
    /// Draws one.
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let mut upto = |most: i64| u32::try_from(chance.between(0, most)).unwrap_or(0);
        let store = StoreFaults { unknown: upto(40), unavailable: upto(30), slow: upto(30) };
        let (drop, duplicate, delay) = (upto(80), upto(100), upto(150));
        Self { drop, duplicate, delay, store, cut_off: BTreeSet::new(), every: chance.between(8_000, 60_000) }
    }
}

impl Simulation {
    pub(crate) fn plan_fault(&mut self) {
        let at = self.faults.after(self.now, 1, self.weather.every * 2);
        self.schedule.at(at, What::Fault);
    }

    /// Every second run has an emergency.
    pub(crate) fn plan_emergency(&mut self) {
        let (begins, lasts) = (self.faults.between(8 * 60_000, 25 * 60_000), self.faults.between(2 * 60_000, 8 * 60_000));
        let (station, kind) = (self.faults.index(LINE.len()), self.faults.between(0, 3));
        let (begin, end) = (self.now + Millis(begins), self.now + Millis(begins + lasts));
        let gate = station * GATES + self.faults.index(GATES);
        match kind {
            0 => {
                self.coverage.note(Kind::Emergency);
                self.declare_emergency(LINE[station].0, begin);
                self.release(LINE[station].0, end);
            }
            1 => {
                self.coverage.note(Kind::Button);
                self.schedule.at(begin, What::Press(gate));
                self.schedule.at(end - Millis::seconds(30), What::Unpress(gate));
                self.release(LINE[station].0, end);
            }
            _ => {}
        }
    }

    pub(crate) fn strike(&mut self) {
        if self.part != Part::Busy {
            return self.weather.cut_off.clear();
        }
        let gate = self.faults.index(self.gates.len());
        match self.faults.between(0, 13) {
            0..=1 => self.crash(),
            2..=3 => self.cut_off(gate),
            4 => self.disconnect(gate),
            5 => self.reboot(gate),
            6 => self.fill_disk(),
            7 => self.turn_clock(gate),
            8 => {
                self.coverage.note(Kind::Intrusion);
                let mut deeds = Vec::new();
                self.gates[gate].intrusion(self.now, &mut deeds);
                self.carry_out(gate, deeds);
            }
            9 => self.order_gate(gate),
            _ => {
                let (nth, drop_it) = (self.faults.index(1000), self.faults.permille(700));
                if self.server.up {
                    self.server.passivate(nth, drop_it);
                }
            }
        }
        self.plan_fault();
    }

    fn crash(&mut self) {
        if !self.server.up {
            return;
        }
        self.tell(|| "the server dies".into());
        self.server.crash(self.now);
        self.staff.forget_the_desk();
        for gate in 0..self.gates.len() {
            self.disconnect(gate);
        }
        let back = self.faults.after(self.now, 200, 20_000);
        self.schedule.at(back, What::Restart);
    }

    /// All messages of a gate go astray; it notices only after a while, or never.
    fn cut_off(&mut self, gate: usize) {
        if self.weather.cut_off.remove(&gate) {
            return self.disconnect(gate);
        }
        self.coverage.note(Kind::Partitioned);
        self.tell(|| format!("{} is cut off", self.gates[gate].device));
        self.weather.cut_off.insert(gate);
        let heals = self.faults.after(self.now, 1_000, 120_000);
        self.schedule.at(heals, What::Heal(gate));
    }

    pub(crate) fn heal(&mut self, gate: usize) {
        if self.weather.cut_off.remove(&gate) {
            self.disconnect(gate);
        }
    }

    fn reboot(&mut self, gate: usize) {
        self.coverage.note(Kind::Rebooted);
        self.tell(|| format!("{} starts anew", self.gates[gate].device));
        let connection = self.gates[gate].connection;
        let mut deeds = Vec::new();
        let gone = self.gates[gate].reboot(&mut deeds);
        if let Some(connection) = connection
            && self.server.up
        {
            let device = self.gates[gate].device.clone();
            self.server.disconnect(&device, connection, self.now);
        }
        gone.iter().for_each(|tap| self.went(tap, Passage::Passed));
        self.carry_out(gate, deeds);
        let back = self.faults.after(self.now, 1_000, 15_000);
        self.schedule.at(back, What::Connect(gate));
    }

    fn fill_disk(&mut self) {
        self.coverage.note(Kind::Reserve);
        self.server.journal.set_writable(false);
        let back = self.faults.after(self.now, 500, 10_000);
        self.schedule.at(back, What::Writable);
    }

    fn turn_clock(&mut self, gate: usize) {
        if !self.gates[gate].is_busy() && self.gates[gate].skew.0.abs() < 10_000 {
            self.coverage.note(Kind::Skewed);
            self.gates[gate].skew = self.faults.millis(-1_500, 1_500);
        }
    }

    fn order_gate(&mut self, gate: usize) {
        self.coverage.note(Kind::Ordered);
        let device = gate_id(gate / GATES, gate % GATES);
        let order = DeviceOrder {
            id: CommandId::of(format_args!("order/{device}/{}", self.now.0)),
            command: "test_print".into(),
            args: "{}".into(),
            expires_at: self.now + Millis::minutes(10),
            by: staff(),
        };
        self.order(EntityKey::gate(&device), Command::Order(order), self.now);
    }
}
