//! Site and fare files → the world that every cell begins with.
use crate::config::Config;
use crate::exit::{CONFIG, DATA, Failure, OK};
use crate::{logs, node};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tongdao_actors::cell::NoHook;
use tongdao_domain::id::DeviceId;
use tongdao_domain::time::Millis;
use tongdao_domain::world::{Settings, World};
use tongdao_protocol::site;

/// Fare tables and sites that are part of the program, so that it runs from anywhere.
pub const SHIPPED_FARES: &[(&str, &str)] = &[
    ("chengdu", include_str!("../config/fares/chengdu.toml")),
    ("flat-demo", include_str!("../config/fares/flat-demo.toml")),
    ("london-like", include_str!("../config/fares/london-like.toml")),
    ("newyork-like", include_str!("../config/fares/newyork-like.toml")),
];

/// The settings of the machines.
pub fn settings(config: &Config) -> Settings {
    let (gate, account) = (&config.gate, &config.account);
    Settings {
        retap_window: Millis(gate.retap_window_ms),
        riders_max: gate.riders_max,
        no_passage: Millis(gate.no_passage_ms),
        clock_warn: Millis(gate.clock_warn_ms),
        clock_refuse: Millis(gate.clock_refuse_ms),
        owed_again: Millis(gate.owed_again_ms),
        records_per_batch_max: gate.records_per_batch_max,
        provisional_after: Millis::seconds(account.provisional_after_s),
        missing_exit_after: Millis::hours(account.missing_exit_after_h),
        taps_kept: Millis::hours(account.taps_kept_d * 24),
        answers_kept: Millis::hours(config.journal.answers_kept_h),
        alarm_snooze_max: Millis::hours(config.alarms.snooze_max_h),
        approval_ttl_max: Millis::seconds(config.approvals.ttl_s),
        waive_above: config.approvals.waive_above.0,
        deny: config.deny.limits(),
        ..Settings::default()
    }
}

/// Reads every site file of the config and the fare tables they name.
///
/// # Errors
/// Exit 78 names file, key and fix.
pub fn load(config: &Config) -> Result<World, Failure> {
    read(config).map(|(world, _)| world)
}

/// The same with the files themselves: what is in them for people, such as the map.
///
/// # Errors
/// Exit 78 names file, key and fix.
pub fn read(config: &Config) -> Result<(World, Vec<site::SiteFile>), Failure> {
    let mut world = World { settings: settings(config), ..World::default() };
    let mut files = Vec::new();
    for path in &config.sites {
        let text = std::fs::read_to_string(path)
            .map_err(|fault| Failure::new(CONFIG, format!("config key `sites`: {}: {fault}", path.display())))?;
        files.push(add(&mut world, &path.display().to_string(), &text, path.parent())?);
    }
    Ok((world, files))
}

/// Adds one site to the world and answers its file.
///
/// # Errors
/// Exit 78 names file, key and fix.
pub fn add(world: &mut World, name: &str, text: &str, folder: Option<&Path>) -> Result<site::SiteFile, Failure> {
    let file = site::parse(text).map_err(|fault| Failure::new(CONFIG, format!("{name}: {fault}")))?;
    add_file(world, name, &file, folder)?;
    Ok(file)
}

/// Adds one site that was read.
///
/// # Errors
/// Exit 78 names file, key and fix.
pub fn add_file(world: &mut World, name: &str, file: &site::SiteFile, folder: Option<&Path>) -> Result<(), Failure> {
    let wrong = |file: &str, fault: &dyn std::fmt::Display| Failure::new(CONFIG, format!("{file}: {fault}"));
    let (fares_name, fares_text) = fare_table(file.fares.as_str(), folder).ok_or_else(|| {
        let shipped: Vec<_> = SHIPPED_FARES.iter().map(|(id, _)| *id).collect();
        wrong(
            name,
            &format!(
                "key `fares`: no table {:?}: wanted is a file ../fares/{}.toml beside the site file, or one of {}",
                file.fares,
                file.fares,
                shipped.join(", ")
            ),
        )
    })?;
    let table = site::parse_fares(&fares_text).map_err(|fault| wrong(&fares_name, &fault))?;
    site::add_to_world(world, file, table).map_err(|fault| wrong(name, &fault))
}

/// The fare table: beside the site file, in the working folder's `config/fares`, or shipped.
fn fare_table(id: &str, folder: Option<&Path>) -> Option<(String, String)> {
    let file = format!("{id}.toml");
    let places = [
        folder.map(|f| f.join("../fares").join(&file)),
        folder.map(|f| f.join("fares").join(&file)),
        Some(PathBuf::from("config/fares").join(&file)),
    ];
    for place in places.into_iter().flatten() {
        if let Ok(text) = std::fs::read_to_string(&place) {
            return Some((place.display().to_string(), text));
        }
    }
    SHIPPED_FARES.iter().find(|(shipped, _)| *shipped == id).map(|(id, text)| (format!("shipped fare table {id}"), (*text).to_owned()))
}

/// `check-config`: reads all that a start would read but the journal; prints the effective config; names gates that are in the site files or in the registry only.
pub fn check(config: &Config) -> Result<u8, Failure> {
    logs::filter(&config.log)?;
    node::clock_start(config)?;
    tongdao_device_gateway::gateway::check(&config.gateway()).map_err(|fault| Failure::caused(CONFIG, &fault))?;
    let world = load(config)?;
    println!("{}", config.print()?.trim_end());
    println!("\n# {} sites, {} stations, {} gates", world.sites.len(), world.stations.len(), world.gates.len());
    if node::journal_dir(config).exists() {
        match registered(config, &world) {
            Ok(registered) => compare(&world, &registered),
            Err(fault) if fault.code == crate::exit::UNAVAILABLE => println!("# the registry is not compared: a server is running"),
            Err(fault) => return Err(Failure::new(DATA, fault.message)),
        }
    }
    Ok(OK)
}

fn registered(config: &Config, world: &World) -> Result<BTreeSet<DeviceId>, Failure> {
    let (node, backend) = node::start(config, node::open(config)?, world.clone(), Arc::new(NoHook))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|fault| Failure::caused(crate::exit::SOFTWARE, &fault))?;
    runtime.block_on(async move {
        let keys = backend.entities(tongdao_domain::entity::EntityKind::Device).await;
        let _ = node.shutdown(std::time::Duration::from_secs(10)).await;
        Ok(keys?.into_iter().filter_map(|key| DeviceId::new(&key.id).ok()).collect())
    })
}

fn compare(world: &World, registered: &BTreeSet<DeviceId>) {
    let placed: BTreeSet<DeviceId> = world.gates.keys().cloned().collect();
    let names = |ids: Vec<&DeviceId>| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>().join(", ");
    let (unplaced, unknown) = (names(registered.difference(&placed).collect()), names(placed.difference(registered).collect()));
    if !unplaced.is_empty() {
        println!("# in the registry, in no site file: {unplaced}");
    }
    if !unknown.is_empty() {
        println!("# in a site file, not in the registry (they cannot connect): {unknown}");
    }
}
