//! Replays one seed of the simulation and prints what happens.
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seed = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--seed", seed] => seed.parse().ok(),
        _ => None,
    };
    let Some(seed) = seed else {
        eprintln!("usage: tongdao-simulation --seed N");
        return ExitCode::from(64);
    };
    let report = tongdao_simulation::run(seed, true);
    println!("seed {seed}: {} events, {} taps with an outcome, {:?}", report.events, report.outcomes, report.coverage);
    ExitCode::SUCCESS
}
