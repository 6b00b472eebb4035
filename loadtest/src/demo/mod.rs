//! A city in motion: virtual gates of every station tap along a day, over real MQTT, and a summary in the terminal shows how
//! the server keeps up. `speed` packs the arrivals closer and shortens the rides; the clock stays real.
pub mod cast;
mod city;
mod day;
mod incidents;
pub mod lent;
mod summary;
mod trips;

pub use cast::Cast;
pub use city::NoWay;
pub use lent::Loans;
pub use summary::Style;

use crate::clock::Clock;
use crate::fleet::{Fleet, Server};
use crate::gate::Habits;
use crate::mqtt::Version;
use city::City;
use incidents::Incidents;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use summary::Summary;
use tongdao_protocol::site::SiteFile;
use trips::Trips;

/// Answers are waited for this long when the demo ends.
const GOOD_BYE: Duration = Duration::from_millis(500);

/// A demo to be run.
#[derive(Debug, Clone)]
pub struct DemoConfig {
    /// MQTT listener of the server.
    pub address: SocketAddr,
    /// The city.
    pub site: SiteFile,
    /// Its gates and riders, as they were imported into the server.
    pub cast: Cast,
    /// City time against real time: 60 lets an hour pass in a minute.
    pub speed: f64,
    /// City time at the start, in hours.
    pub start_hour: f64,
    /// Rides of a whole city day.
    pub rides_per_day: f64,
    /// The demo ends by itself after this.
    pub length: Option<Duration>,
    /// Does something go wrong now and then?
    pub incidents: bool,
    /// Which of its gates are with people now.
    pub loans: Loans,
    /// How the summary is shown.
    pub style: Style,
    /// The server's time, where it is not this machine's.
    pub clock: Clock,
    /// Its HTTP interface: gates fetch whole deny lists there.
    pub http: Option<SocketAddr>,
}

impl DemoConfig {
    /// A morning at sixty times its speed.
    #[must_use]
    pub fn new(address: SocketAddr, site: SiteFile, cast: Cast) -> Self {
        Self {
            address,
            site,
            cast,
            speed: 60.0,
            start_hour: 6.5,
            rides_per_day: 60_000.0,
            length: None,
            incidents: true,
            loans: Loans::default(),
            style: Style::Auto,
            clock: Clock::local(),
            http: None,
        }
    }
}

/// What only the server knows; asked for once a summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerStats {
    /// Events in the journal.
    pub journal_position: u64,
    /// Fares posted, in hundredths; left out, the fares in the answers are added up.
    pub money_posted: Option<i64>,
    /// Devices connected; left out, the gates that are online are counted.
    pub devices_connected: Option<usize>,
}

/// What the demo has shown when it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// Taps that were answered in time.
    pub answered: u64,
    /// Taps that the gates decided alone.
    pub alone: u64,
    /// Taps that got two different answers: a broken promise.
    pub contradicted: u64,
}

/// Runs the demo until `stop` is ready or its length is over. The gates live on a thread of their own; `source` is asked
/// there and must not wait.
///
/// # Errors
/// When the tracks do not join the stations, or the system gives no thread or socket.
pub async fn run(
    config: DemoConfig,
    source: impl FnMut() -> ServerStats + Send + 'static,
    stop: impl Future<Output = ()>,
) -> io::Result<Shown> {
    let stopped = Arc::new(AtomicBool::new(false));
    let (done, mut result) = tokio::sync::oneshot::channel();
    let flag = stopped.clone();
    let thread = std::thread::Builder::new().name("demo".to_owned()).spawn(move || {
        // Nobody listening means that the demo was dropped, which is no error of it.
        let _ = done.send(play(&config, source, &flag));
    })?;
    let ended = tokio::select! {
        ended = &mut result => ended,
        () = stop => {
            stopped.store(true, Ordering::Relaxed);
            result.await
        }
    };
    drop(thread);
    ended.map_err(|_| io::Error::other("the demo's thread has panicked"))?
}

fn play(config: &DemoConfig, mut source: impl FnMut() -> ServerStats, stopped: &AtomicBool) -> io::Result<Shown> {
    let city = City::new(&config.site, &config.cast).map_err(io::Error::other)?;
    let site = config.site.id.as_str().to_owned();
    let server = Server { address: config.address, tls: None, version: Version::V5, site, http: config.http };
    // Gates that people borrow stand behind the city's: no rider of the demo comes to them.
    let lent = config.cast.lent.iter().map(|lent| lent.credentials.clone());
    let gates: Vec<_> = city.credentials().iter().cloned().chain(lent).collect();
    let mut fleet = Fleet::new(server, &Habits::default(), &gates, config.clock)?;
    let mut trips = Trips::new(&city, config);
    let mut summary = Summary::new(config.style, config.speed);
    let mut notices = Vec::new();
    let mut incidents = config.incidents.then(|| Incidents::new(config.clock.ms().unsigned_abs(), fleet.clock().ns() / 1_000));
    while !stopped.load(Ordering::Relaxed) && config.length.is_none_or(|length| trips.running(&fleet) < length) {
        let wait = trips.move_on(&mut fleet, &mut notices);
        if let Some(incidents) = &mut incidents {
            incidents.move_on(&city, &mut fleet, &mut trips, &mut notices);
        }
        for (nth, out) in config.loans.changed() {
            let gate = u32::try_from(city.credentials().len() + nth).unwrap_or(u32::MAX);
            if out { fleet.unplug(gate, &mut notices) } else { fleet.plug_in(gate) }
        }
        fleet.turn(wait, &mut notices)?;
        for notice in notices.drain(..) {
            summary.enter(&notice, &fleet);
            trips.enter(&notice, &fleet);
        }
        summary.show(&fleet, &trips, &mut source)?;
    }
    // Asked before the gates say good-bye: the last look still shows them connected.
    let last = source();
    say_good_bye(&mut fleet, &mut summary)?;
    summary.close(&fleet, &trips, last)
}

fn say_good_bye(fleet: &mut Fleet, summary: &mut Summary) -> io::Result<()> {
    let (started, mut notices) = (fleet.clock().ns(), Vec::new());
    while fleet.unanswered() > 0 && fleet.clock().ns() - started < u64::try_from(GOOD_BYE.as_nanos()).unwrap_or(0) {
        fleet.turn(Duration::from_millis(20), &mut notices)?;
        notices.drain(..).for_each(|notice| summary.enter(&notice, fleet));
    }
    fleet.close(&mut notices);
    Ok(())
}
