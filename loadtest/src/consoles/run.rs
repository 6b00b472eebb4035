//! Runs a load of consoles: gates alone, then consoles beside them, measured, then storms, then the end.
use super::console::{Ended, live, never_read};
use super::report::{Report, Slow, Storm};
use super::room::Room;
use super::sent::Sent;
use super::traffic::{Gauge, Traffic};
use super::{Places, Plan};
use crate::clock::Clock;
use crate::process::Sample;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::{sleep, timeout};

/// How often it is looked whether everybody is there.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A moment of a run: what was answered and used up to it.
struct Mark {
    at_us: u64,
    answered: u64,
    server: Option<Sample>,
    own: Option<Sample>,
}

/// Everything that a run needs, and nothing that it gives back.
pub struct Run {
    plan: Plan,
    places: Places,
    room: Rc<Room>,
    gauge: Arc<Gauge>,
    gates: usize,
}

impl Run {
    /// Gates and consoles of a site; `cookies` are of people who are signed in. The traffic is what taps, if anything does.
    ///
    /// # Errors
    /// When gates or consoles do not all come, or the system refuses sockets.
    pub fn start(
        plan: Plan,
        places: Places,
        cookies: Vec<String>,
        (clock, sent, gauge): (Clock, Arc<Sent>, Arc<Gauge>),
        traffic: Option<(usize, Traffic)>,
    ) -> io::Result<Report> {
        let gates = traffic.as_ref().map_or(0, |(gates, _)| *gates);
        let thread = traffic.map(|(_, traffic)| thread::spawn(move || traffic.run()));
        let room = Rc::new(Room::new(clock, plan.address, cookies, sent));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = Self { plan, places, room, gauge, gates };
        let report = LocalSet::new().block_on(&runtime, run.phases());
        run.gauge.stop();
        if let Some(thread) = thread {
            thread.join().map_err(|_| io::Error::other("the gates' thread has ended"))??;
        }
        report
    }

    async fn phases(&self) -> io::Result<Report> {
        self.everybody("gates", self.gates, || self.gauge.online()).await?;
        self.gauge.begin();
        let mut report = self.empty();
        let alone = self.alone(&mut report).await;
        let (consoles, slow) = self.come(&mut report).await?;
        sleep(self.plan.warm_up).await;
        self.measure(&mut report, alone).await;
        for _ in 0..self.plan.storms {
            sleep(self.plan.storm_pause).await;
            report.storms.push(self.storm().await?);
        }
        if self.plan.storms > 0 {
            sleep(self.plan.storm_pause).await;
        }
        report.missing_at_end = self.plan.consoles - self.room.following().min(self.plan.consoles);
        self.room.end();
        report.slow = slow_ones(slow).await;
        for console in consoles {
            console.await.map_err(io::Error::other)?;
        }
        report.faults = self.room.faults();
        report.generator_late_max_ms = self.gauge.late_max_ms();
        report.cost.server_rss_max_mib = self.server().map(|sample| sample.rss_max_kib as f64 / 1024.0);
        Ok(report)
    }

    fn empty(&self) -> Report {
        let (consoles, channels, stations) = (self.plan.consoles, self.plan.channels.clone(), self.places.stations.len());
        Report { consoles, channels, stations, seconds: self.plan.measured.as_secs_f64(), ..Report::default() }
    }

    fn server(&self) -> Option<Sample> {
        self.plan.server_pid.and_then(Sample::of)
    }
    fn mark(&self) -> Mark {
        let (server, own) = (self.server(), Sample::of(std::process::id()));
        Mark { at_us: self.room.now_us(), answered: self.gauge.answered(), server, own }
    }

    /// Waits until all are there.
    async fn everybody(&self, who: &str, all: usize, there: impl Fn() -> usize) -> io::Result<()> {
        let come = async {
            while there() < all {
                sleep(LOOK_EVERY).await;
            }
        };
        let why = || {
            let faults = self.room.faults();
            let reasons: Vec<String> = faults.lost.keys().chain(faults.refused.keys()).cloned().collect();
            io::Error::other(format!("only {} of {all} {who} came: {}", there(), reasons.join(", ")))
        };
        timeout(self.plan.follow_within, come).await.map_err(|_| why())
    }

    /// Taps without consoles; the server's processor time per tap, in microseconds.
    async fn alone(&self, report: &mut Report) -> Option<f64> {
        let from = self.mark();
        sleep(self.plan.before).await;
        let to = self.mark();
        report.tap_to_answer_alone = (&self.gauge.look()).into();
        let taps = to.answered - from.answered;
        report.cost.server_us_per_tap_alone =
            (taps > 0).then(|| Some((to.server?.cpu_s - from.server?.cpu_s) * 1e6 / taps as f64)).flatten();
        report.cost.server_us_per_tap_alone
    }

    /// The consoles come, and are waited for.
    async fn come(&self, report: &mut Report) -> io::Result<(Vec<JoinHandle<()>>, Vec<JoinHandle<Ended>>)> {
        let before = self.mark();
        let channels = |n| self.places.channels(&self.plan.channels, n);
        let console = |n| tokio::task::spawn_local(live(self.room.clone(), n, channels(n)));
        let consoles: Vec<_> = (0..self.plan.consoles).map(console).collect();
        self.everybody("consoles", self.plan.consoles, || self.room.following()).await?;
        let after = self.mark();
        report.all_following_ms = (after.at_us - before.at_us) as f64 / 1e3;
        report.following = (&self.room.look().following).into();
        let grown = |from: Sample, to: Sample| to.rss_kib.saturating_sub(from.rss_kib) as f64 / self.plan.consoles.max(1) as f64;
        report.cost.server_kib_per_console = before.server.zip(after.server).map(|(from, to)| grown(from, to));
        let slow = |n| tokio::task::spawn_local(never_read(self.room.clone(), n, channels(n)));
        Ok((consoles, (0..self.plan.slow).map(slow).collect()))
    }

    async fn measure(&self, report: &mut Report, us_per_tap_alone: Option<f64>) {
        let _ = (self.room.look(), self.gauge.look());
        let from = self.mark();
        sleep(self.plan.measured).await;
        let (to, seen) = (self.mark(), self.room.look());
        let seconds = (to.at_us - from.at_us) as f64 / 1e6;
        let taps = (to.answered - from.answered) as f64;
        report.seconds = seconds;
        report.taps_per_s = taps / seconds;
        report.events_per_s = seen.events as f64 / seconds;
        report.events_per_message = seen.events as f64 / seen.messages.max(1) as f64;
        report.states_per_s = seen.states as f64 / seconds;
        report.bytes_per_s = seen.bytes as f64 / seconds;
        report.tap_to_console = (&seen.taps).into();
        report.tap_to_answer = (&self.gauge.look()).into();
        let spent = |from: Option<Sample>, to: Option<Sample>| Some(to?.cpu_s - from?.cpu_s);
        let server = spent(from.server, to.server);
        let added = |spent: f64| (spent * 1e6 - us_per_tap_alone.unwrap_or(0.0) * taps) / seen.events as f64;
        let cost = &mut report.cost;
        cost.server_us_per_event = server.filter(|_| seen.events > 0).map(added);
        cost.server_cores = server.map(|spent| spent / seconds);
        cost.generator_cores = spent(from.own, to.own).unwrap_or(0.0) / seconds;
    }

    /// Cuts every console off and waits until all are back.
    async fn storm(&self) -> io::Result<Storm> {
        let _ = (self.room.look(), self.gauge.look());
        let from_us = self.room.now_us();
        self.room.storm();
        self.everybody("consoles after a storm", self.plan.consoles, || self.room.came()).await?;
        let all_back_ms = (self.room.now_us() - from_us) as f64 / 1e3;
        let seen = self.room.look();
        let tap_to_answer = (&self.gauge.look()).into();
        Ok(Storm { all_back_ms, following: (&seen.following).into(), recovered: seen.recovered, whole: seen.whole, tap_to_answer })
    }
}

async fn slow_ones(slow: Vec<JoinHandle<Ended>>) -> Slow {
    let (consoles, mut dropped, mut how) = (slow.len(), 0, BTreeMap::new());
    for console in slow {
        let ended = match console.await {
            Ok(Ended::Kept) | Err(_) => continue,
            Ok(Ended::Dropped(why)) => {
                dropped += 1;
                why
            }
            Ok(Ended::NeverOpen(why)) => format!("never open, {why}"),
        };
        *how.entry(ended).or_default() += 1;
    }
    Slow { consoles, dropped, how }
}
