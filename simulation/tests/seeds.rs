//! Two hundred fixed seeds and one that nobody has seen before.
use std::hash::{BuildHasher, Hasher, RandomState};
use tongdao_simulation::coverage::Coverage;
use tongdao_simulation::{run, run_without_desk};

/// Seeds of the fixed set.
const FIXED: u64 = 200;
/// Seeds that once found something: exits through a gate whose clock is wrong, while an emergency begins or ends.
const FOUND: [u64; 4] = [1008, 1180, 1224, 1232];

#[test]
fn every_promise_holds_under_every_fixed_seed_and_every_kind_of_fault_occurs() {
    let mut coverage = Coverage::default();
    for seed in 0..FIXED {
        println!("seed {seed}");
        coverage.merge(&run(seed, false).coverage);
    }
    assert_eq!(coverage.missing(), [], "a fault that never happens proves nothing: {coverage:?}");
}

#[test]
fn what_was_found_once_stays_mended() {
    for seed in FOUND {
        println!("seed {seed}");
        let _ = run_without_desk(seed);
    }
}

#[test]
fn every_promise_holds_under_a_seed_that_nobody_has_seen() {
    let seed = RandomState::new().build_hasher().finish() % 1_000_000_000_000;
    println!("replay: cargo run -p tongdao-simulation -- --seed {seed}");
    let report = run(seed, false);
    assert!(report.outcomes > 0, "a run in which nobody taps proves nothing");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(7, false), run(7, false));
    assert_ne!(run(7, false).fingerprint, run(8, false).fingerprint);
}
