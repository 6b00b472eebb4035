//! `tongdao demo`: the very server of `serve` with the shipped city, a journal of its own and virtual gates in motion.
use crate::admin::Out;
use crate::boards::Atlas;
use crate::cli::{AccountCommand, DemoArgs, DeviceCommand, Op, Who};
use crate::config::{Config, Listen};
use crate::exit::{CONFIG, Failure, OK, REFUSED, SOFTWARE};
use crate::gate_page::lender::Lender;
use crate::ops::user::SignIn;
use crate::serve::{Demo, Server, Shown, Try, front_runtime, stop_signal};
use crate::{admin, logs, ops, sites};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tongdao_domain::time::Millis;
use tongdao_domain::world::World;
use tongdao_loadtest::clock::Clock;
use tongdao_loadtest::demo::lent::with_gates_for_people;
use tongdao_loadtest::demo::{Cast, DemoConfig, Loans, ServerStats};
use tongdao_protocol::site::{self, SiteFile};

/// The demo's city.
const CITY: &str = include_str!("../config/sites/chengdu.toml");
/// How it is called in messages.
const NAME: &str = "the shipped city";
/// Riders of the demo.
const RIDERS: usize = 5_000;
/// The first of them are stuck, the next ride as usual: the desk is told of both.
const STUCK: usize = 2;
const AT_LARGE: usize = 3;
/// Where the demo's seed is kept.
const SEED: &str = "demo.seed";

/// Runs the demo until it is stopped.
///
/// # Errors
/// What keeps it from running, with its exit code.
pub fn run(args: &DemoArgs, file: Option<&Path>, data_dir: Option<&Path>) -> Result<u8, Failure> {
    if !(args.speed.is_finite() && (0.1..=1000.0).contains(&args.speed)) {
        return Err(Failure::new(crate::exit::USAGE, format!("--speed: {} is not between 0.1 and 1000", args.speed)));
    }
    let (folder, kept) = folder(data_dir)?;
    let mut config = Config::load(file, Some(&folder))?;
    "warn".clone_into(&mut config.log.filter);
    logs::start(&config.log)?;
    free_ports(&mut config.listen)?;
    let mut world = World { settings: sites::settings(&config), ..World::default() };
    let city = site::parse(CITY).map_err(|fault| Failure::new(CONFIG, format!("{NAME}: {fault}")))?;
    // The gates for people stand in the stations too, but no rider of the demo comes to them.
    let site = with_gates_for_people(&city);
    sites::add_file(&mut world, NAME, &site, None)?;
    let again = config.data_dir.join(SEED).exists();
    let cast = Cast::of(&city, RIDERS, seed(&config.data_dir)?);
    let runtime = front_runtime()?;
    let (shown, loans) = (Shown { users: ops::user::demo(), media: media(&cast) }, Loans::default());
    let lender = Lender::new(&site, &cast, Millis::seconds(config.gate_page.lease_s.into()), loans.clone());
    let atlas = Atlas::new(std::slice::from_ref(&site));
    let demo = Demo { shown: &shown, lender: Arc::new(lender) };
    let server = Server::start(&config, world, atlas, &runtime, Some(demo))?;
    let play = Play { args, config: &config, shown: &shown, cast, city, loans, again };
    let result = runtime.block_on(play.run(server));
    runtime.shutdown_timeout(Duration::from_secs(1));
    if !kept {
        let _ = std::fs::remove_dir_all(&folder);
    }
    result
}

/// The folder of the demo's journal: the one that is named, or a fresh one that is removed afterwards.
fn folder(named: Option<&Path>) -> Result<(std::path::PathBuf, bool), Failure> {
    if let Some(dir) = named {
        return Ok((dir.to_owned(), true));
    }
    let dir = std::env::temp_dir().join(format!("tongdao-demo-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|fault| Failure::new(crate::exit::IO, format!("{}: {fault}", dir.display())))?;
    Ok((dir, false))
}

/// A busy port is no reason not to show anything: the demo takes a free one and says so.
fn free_ports(listen: &mut Listen) -> Result<(), Failure> {
    for (key, address) in [("listen.mqtt", &mut listen.mqtt), ("listen.http", &mut listen.http)] {
        let Some(wanted) = *address else { continue };
        if TcpListener::bind(wanted).is_err() {
            let free = TcpListener::bind(SocketAddr::new(wanted.ip(), 0)).and_then(|listener| listener.local_addr());
            let free = free.map_err(|fault| Failure::new(CONFIG, format!("config key `{key}`: {wanted}: {fault}")))?;
            println!("{wanted} is in use, {key} takes {free}");
            *address = Some(free);
        }
    }
    Ok(())
}

/// A demo that is about to begin.
struct Play<'a> {
    args: &'a DemoArgs,
    config: &'a Config,
    shown: &'a Shown,
    cast: Cast,
    city: SiteFile,
    loans: Loans,
    /// It was played on these data before.
    again: bool,
}

impl Play<'_> {
    async fn run(self, server: Server) -> Result<u8, Failure> {
        let Self { args, config, shown, cast, city, loans, again } = self;
        settle(&server, &cast).await?;
        if !again {
            freeze(&server, &cast).await?;
        }
        let mqtt = config.listen.mqtt.ok_or_else(|| Failure::new(CONFIG, "config key `listen.mqtt`: the demo needs it"))?;
        announce(config, &cast, mqtt, shown);
        let (journal, gateway) = (server.backend.journal.clone(), server.gateway());
        let stats = move || ServerStats {
            journal_position: journal.status().events,
            money_posted: None,
            devices_connected: Some(gateway.devices().len()),
        };
        let demo = DemoConfig {
            speed: args.speed,
            start_hour: f64::from(args.from_hour),
            length: args.seconds.map(Duration::from_secs),
            clock: Clock::at(server.backend.door.clock().now().0),
            http: config.listen.http,
            incidents: !args.calm,
            loans,
            ..DemoConfig::new(mqtt, city, cast)
        };
        let shown = tongdao_loadtest::demo::run(demo, stats, stop_signal()).await.map_err(|fault| Failure::caused(SOFTWARE, &fault))?;
        let _ = server.stop().await;
        Ok(if shown.contradicted == 0 { OK } else { REFUSED })
    }
}

/// The demo's people and secrets come from one number, kept beside its journal, so that it can be run again on the same data.
fn seed(data_dir: &Path) -> Result<u64, Failure> {
    let path = data_dir.join(SEED);
    if let Some(seed) = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
        return Ok(seed);
    }
    let seed: u64 = rand::random();
    let written = std::fs::create_dir_all(data_dir).and_then(|()| std::fs::write(&path, seed.to_string()));
    written.map_err(|fault| Failure::new(crate::exit::IO, format!("{}: {fault}", path.display())))?;
    Ok(seed)
}

/// Registers the gates and opens the accounts, by the same operations as any operator.
async fn settle(server: &Server, cast: &Cast) -> Result<(), Failure> {
    let who = || Who { by: "demo".into(), reason: "demo city".into() };
    let devices = Op::Device(DeviceCommand::Import { file: cast.devices_csv(), who: who() });
    let accounts = Op::Account(AccountCommand::Import { file: cast.accounts_csv(), who: who() });
    for op in [devices, accounts] {
        operate(server, op).await?;
    }
    Ok(())
}

/// A few riders are stuck: their accounts are frozen until somebody at the service desk looks into it.
async fn freeze(server: &Server, cast: &Cast) -> Result<(), Failure> {
    for rider in cast.passengers.iter().take(STUCK) {
        let who = Who { by: "demo".into(), reason: "reported lost, then found".into() };
        operate(server, Op::Account(AccountCommand::Freeze { id: rider.account.clone(), who })).await?;
    }
    Ok(())
}

/// The media that the desk of a demo is told of: the stuck ones first.
fn media(cast: &Cast) -> Vec<Try> {
    let told = cast.passengers.iter().take(STUCK + AT_LARGE).enumerate();
    told.map(|(n, rider)| Try { token: rider.medium.token.as_str().to_owned(), stuck: n < STUCK }).collect()
}

async fn operate(server: &Server, op: Op) -> Result<(), Failure> {
    let (out, frames) = Out::channel();
    let printing = tokio::spawn(admin::print_all(frames));
    ops::run(&server.backend, op, &out).await;
    drop(out);
    match printing.await {
        Ok(OK) => Ok(()),
        Ok(code) => Err(Failure::new(code, "the demo city could not be settled")),
        Err(fault) => Err(Failure::caused(SOFTWARE, &fault)),
    }
}

fn announce(config: &Config, cast: &Cast, mqtt: SocketAddr, shown: &Shown) {
    println!("\nTongdao demo: {} gates of a city with the shape of Chengdu's metro, {RIDERS} riders", cast.gates.len());
    println!("  MQTT     {mqtt}");
    if let Some(http) = config.listen.http {
        println!("  console  http://{http}/   sign in as");
        for SignIn { user, password, .. } in &shown.users {
            println!("             {user:<13} {password}");
        }
        let tokens: Vec<_> = shown.media.iter().map(|medium| medium.token.as_str()).collect();
        println!("  media    {}   (for the service desk; the first {STUCK} are stuck)", tokens.join(" "));
        if config.gate_page.served != Some(false) {
            println!("  gate     http://{http}/gate/   a gate in the browser: tap by hand");
        }
        println!("  metrics  http://{http}/metrics   (also /readyz?verbose, /debug/actors)");
    }
    println!("  data     {}   (tongdao account show p00001 --data-dir {0})", config.data_dir.display());
    if let Some([state, tap]) = cast.try_lines(mqtt) {
        println!("\nTry a tap of your own with Mosquitto's clients: the gate says its state once, then taps.\n  {state}\n  {tap}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_is_kept_beside_the_journal() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = seed(dir.path()).expect("a seed");
        assert_eq!(seed(dir.path()).expect("a seed"), first);
    }

    #[test]
    fn a_busy_port_gives_way_to_a_free_one() {
        let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = busy.local_addr().expect("an address");
        let mut listen = Listen { mqtt: Some(address), mqtts: None, http: None };
        free_ports(&mut listen).expect("another");
        assert_ne!(listen.mqtt, Some(address));
    }

    #[test]
    fn the_shipped_city_can_be_read() {
        let mut world = World::default();
        sites::add(&mut world, "city", CITY, None).expect("a city");
        assert!(world.gates.len() > 300 && world.stations.len() > 100);
    }
}
