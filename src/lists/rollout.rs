//! Who has the newest version of the deny list: what each gate last said of its own, who is missing, and when the last had it.
//! Pure; times are those of the commits, so that how often somebody looks decides nothing.
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::deny::{Reached, Scope, Version};
use tongdao_domain::gate::ListAck;
use tongdao_domain::id::DeviceId;
use tongdao_domain::time::Timestamp;

/// See the module.
#[derive(Debug, Default)]
pub struct Rollout {
    newest: Option<(u64, Timestamp)>,
    /// Registered gates of the site files, with the version that each has; none = it has said nothing yet.
    have: BTreeMap<DeviceId, Option<ListAck>>,
    missing: BTreeSet<DeviceId>,
    /// When the last of those that have it said so.
    last_at: Timestamp,
    told: BTreeSet<Scope>,
}

impl Rollout {
    /// As the journal has it.
    pub fn new(
        gates: impl IntoIterator<Item = (DeviceId, Option<ListAck>)>,
        newest: Option<&Version>,
        reached: &BTreeMap<Scope, Reached>,
    ) -> Self {
        let mut rollout = Self { have: gates.into_iter().collect(), ..Self::default() };
        if let Some(newest) = newest {
            rollout.made(newest.number, newest.since);
        }
        reached.values().for_each(|reached| rollout.noted(reached));
        rollout
    }

    /// A version was made; `since` = since when its oldest change has waited.
    pub fn made(&mut self, version: u64, since: Timestamp) {
        self.newest = Some((version, since));
        self.told.clear();
        let has = |ack: &Option<ListAck>| ack.is_some_and(|ack| ack.version == version);
        self.missing = self.have.iter().filter(|(_, ack)| !has(ack)).map(|(gate, _)| gate.clone()).collect();
        self.last_at = self.have.values().flatten().filter(|ack| ack.version == version).map(|ack| ack.at).max().unwrap_or_default();
    }
    /// It stands in the journal that these gates have it.
    pub fn noted(&mut self, reached: &Reached) {
        if self.newest.is_some_and(|(version, _)| version == reached.version) {
            self.told.insert(reached.scope);
        }
    }

    /// A gate says which version it has; others than known ones do not count.
    pub fn says(&mut self, gate: &DeviceId, version: u64, at: Timestamp) {
        let Some(known) = self.have.get_mut(gate).filter(|known| known.is_none_or(|known| known.version != version)) else { return };
        *known = Some(ListAck { version, at });
        if self.newest.is_none_or(|(newest, _)| newest != version) {
            self.missing.insert(gate.clone());
        } else if self.missing.remove(gate) {
            self.last_at = self.last_at.max(at);
        }
    }
    /// A gate was registered, or is let in no more.
    pub fn registered(&mut self, gate: &DeviceId, is: bool) {
        if is {
            if self.have.insert(gate.clone(), None).is_none() && self.newest.is_some() {
                self.missing.insert(gate.clone());
            }
        } else {
            self.have.remove(gate);
            self.missing.remove(gate);
        }
    }

    /// What is worth a line in the journal and does not stand there yet.
    #[must_use]
    pub fn reached(&self, is_connected: impl Fn(&DeviceId) -> bool) -> Vec<Reached> {
        let Some((version, since)) = self.newest else { return Vec::new() };
        let have = self.have.len() - self.missing.len();
        if have == 0 {
            return Vec::new();
        }
        let connected = || self.missing.iter().all(|gate| !is_connected(gate));
        let is = |scope: Scope| !self.told.contains(&scope) && if scope == Scope::All { self.missing.is_empty() } else { connected() };
        let reached = |scope| {
            let (gates, at) = (u32::try_from(have).unwrap_or(u32::MAX), self.last_at);
            Reached { version, scope, gates, at, took: at - since }
        };
        [Scope::Connected, Scope::All].into_iter().filter(|scope| is(*scope)).map(reached).collect()
    }
    /// Gates that do not have the newest version.
    #[must_use]
    pub fn behind(&self) -> usize {
        self.missing.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::testing::{MORNING, id};
    use tongdao_domain::time::Millis;

    fn gates(rollout: &[Reached]) -> Vec<(Scope, u32, i64)> {
        rollout.iter().map(|reached| (reached.scope, reached.gates, reached.took.0)).collect()
    }
    fn three() -> Rollout {
        let mut rollout = Rollout::new(["g1", "g2", "g3"].map(|gate| (id(gate), None)), None, &BTreeMap::new());
        rollout.made(1, MORNING);
        rollout
    }

    #[test]
    fn it_is_over_when_the_last_gate_says_so_and_before_that_for_those_that_have_a_link() {
        let mut rollout = three();
        assert!(rollout.reached(|_| false).is_empty(), "nobody has it");
        rollout.says(&id("g1"), 1, MORNING + Millis(700));
        rollout.says(&id("g2"), 1, MORNING + Millis(900));
        rollout.says(&id("g9"), 1, MORNING + Millis(950));
        assert!(rollout.reached(|_| true).is_empty(), "g3 is here and has not said it");
        let first = rollout.reached(|gate| gate.as_str() != "g3");
        assert_eq!(gates(&first), [(Scope::Connected, 2, 900)]);
        rollout.noted(&first[0]);
        assert!(rollout.reached(|_| false).is_empty(), "told once");
        rollout.says(&id("g3"), 1, MORNING + Millis(86_400_000));
        assert_eq!(gates(&rollout.reached(|_| true)), [(Scope::All, 3, 86_400_000)]);
    }

    #[test]
    fn a_newer_version_begins_anew_and_an_older_word_counts_for_nothing() {
        let mut rollout = three();
        for gate in ["g1", "g2", "g3"] {
            rollout.says(&id(gate), 1, MORNING);
        }
        rollout.made(2, MORNING + Millis(10));
        assert_eq!(rollout.behind(), 3);
        rollout.says(&id("g1"), 2, MORNING + Millis(20));
        rollout.says(&id("g1"), 1, MORNING + Millis(30));
        rollout.says(&id("g2"), 3, MORNING + Millis(30));
        assert_eq!(rollout.behind(), 3, "g1 went back, g2 has one of a history that was lost");
    }

    #[test]
    fn after_a_restart_it_goes_on_with_what_gates_have_said() {
        let ack = |version, ms| Some(ListAck { version, at: MORNING + Millis(ms) });
        let newest = Version { number: 2, at: MORNING, since: MORNING, count: 1, hash: tongdao_domain::deny::hash_of([]) };
        let acks = [(id("g1"), ack(2, 40)), (id("g2"), ack(1, 50))];
        let mut rollout = Rollout::new(acks.clone(), Some(&newest), &BTreeMap::new());
        assert_eq!(gates(&rollout.reached(|_| false)), [(Scope::Connected, 1, 40)]);
        rollout.registered(&id("g2"), false);
        assert_eq!(gates(&rollout.reached(|_| false)).len(), 2, "who is let in no more is not waited for");
        rollout.registered(&id("g3"), true);
        assert_eq!(rollout.behind(), 1);
        let known = rollout.reached(|_| false).into_iter().map(|reached| (reached.scope, reached)).collect();
        assert!(Rollout::new(acks, Some(&newest), &known).reached(|_| false).is_empty());
    }
}
