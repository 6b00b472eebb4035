//! Every planted bug is caught by some seed: oracles that find nothing prove nothing. Needs the feature `mutants`.
#![cfg(feature = "mutants")]
use std::panic::{catch_unwind, set_hook};
use tongdao_domain::mutant::{Mutant, plant};
use tongdao_simulation::run;

/// A bug that lives through so many seeds is not caught.
const SEEDS: u64 = 60;

#[test]
fn every_planted_bug_is_caught() {
    set_hook(Box::new(|_| ()));
    let caught = |mutant: Mutant| {
        plant(Some(mutant));
        let found = (0..SEEDS).find_map(|seed| {
            let fault = catch_unwind(|| run(seed, false)).err()?;
            let what = fault.downcast_ref::<String>().cloned().or_else(|| fault.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some((seed, what.unwrap_or_default()))
        });
        plant(None);
        match &found {
            Some((seed, what)) => println!("{mutant:?}: seed {seed}: {}", what.lines().next().unwrap_or_default()),
            None => println!("{mutant:?}: NOT CAUGHT"),
        }
        found.is_some()
    };
    let alive: Vec<Mutant> = Mutant::ALL.iter().copied().filter(|mutant| !caught(*mutant)).collect();
    assert_eq!(alive, []);
}
