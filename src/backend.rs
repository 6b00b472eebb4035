//! A live node as operations and HTTP see it: the door, the journal, the facts of the site files.
use crate::exit::{Failure, IO, REFUSED};
use crate::http::Check;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tongdao_actors::door::Door;
use tongdao_actors::state::EntityState;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::{DeviceId, SiteId, StationId};
use tongdao_domain::world::World;
use tongdao_journal::contract::Journal;
use tongdao_journal::embedded::Embedded;
use tongdao_telemetry::{DoorDepth, JournalStatus};

/// Everything an operation may use.
#[derive(Clone)]
pub struct Backend {
    /// The way to every entity.
    pub door: Door,
    /// The journal behind it.
    pub journal: Arc<dyn Journal>,
    /// The same, where it lies on this machine's disk: verify and doctor look into it.
    pub embedded: Option<Arc<Embedded>>,
    /// The site files' facts (what has become of stations and devices since is asked for).
    pub world: Arc<World>,
    /// The server is going down.
    pub draining: Arc<AtomicBool>,
    /// `clock.start` is set.
    pub clock_start: Option<String>,
}

impl Backend {
    /// The checks of `/readyz` and `healthcheck`.
    pub fn checks(&self) -> BTreeMap<&'static str, Check> {
        let status = self.journal.status();
        let check = |ok, detail: String| Check { ok, detail };
        let draining = self.draining.load(Ordering::Relaxed);
        let journal = format!(
            "{} events, {} waiting, {} groups behind, {} bytes free",
            status.events, status.queued, status.behind, status.free_bytes
        );
        let clock = match &self.clock_start {
            Some(start) => format!("clock.start is set ({start}): this is not the present"),
            None => "wall time".to_owned(),
        };
        BTreeMap::from([
            ("serving", check(!draining && self.door.is_open(), if draining { "draining".into() } else { "open".into() })),
            ("journal", check(status.writable, journal)),
            ("clock", check(true, clock)),
        ])
    }

    /// Brings the gauges of journal and doors up to date.
    pub fn emit_gauges(&self) {
        let status = self.journal.status();
        JournalStatus {
            queued: status.queued,
            behind: status.behind,
            bytes: status.bytes,
            free_bytes: status.free_bytes,
            writable: status.writable,
            events: status.events,
        }
        .emit();
        for (cell, figures) in self.door.figures().into_iter().enumerate() {
            let lanes = [("urgent", figures.urgent_queued), ("taps", figures.taps_queued), ("rest", figures.rest_queued)];
            for (lane, depth) in lanes {
                DoorDepth { cell, lane, depth }.emit();
            }
        }
    }

    /// The site files' facts with what has become of the stations since.
    ///
    /// # Errors
    /// Exit 1 where the node is too busy to say.
    pub async fn world_now(&self) -> Result<World, Failure> {
        let mut world = World::clone(&self.world);
        for key in self.entities(EntityKind::Station).await? {
            let state = self.door.query(&key).await.map_err(|busy| Failure::new(REFUSED, format!("BUSY: {busy}; try again")))?;
            if let (EntityState::Station(station), Some(view)) = (state, world.stations.get_mut(key.id.as_str())) {
                view.state = station;
            }
        }
        Ok(world)
    }

    /// Every entity of a kind that has ever committed, in order of their names.
    ///
    /// # Errors
    /// The journal cannot be read (exit 74).
    pub async fn entities(&self, kind: EntityKind) -> Result<Vec<EntityKey>, Failure> {
        let journal = self.journal.clone();
        let read = tokio::task::spawn_blocking(move || journal.entities(kind)).await;
        let mut keys = read.map_err(|fault| Failure::caused(IO, &fault))?.map_err(|fault| Failure::caused(IO, &fault))?;
        keys.sort();
        Ok(keys)
    }

    /// # Errors
    /// Exit 1 where no site file names it.
    pub fn known_site(&self, site: &SiteId) -> Result<(), Failure> {
        let known = || self.world.sites.keys().map(SiteId::as_str).collect::<Vec<_>>().join(", ");
        if self.world.sites.contains_key(site) { Ok(()) } else { Err(not_found(&format!("site {site}"), &known())) }
    }

    /// # Errors
    /// Exit 1 where no site file names it.
    pub fn known_station(&self, station: &StationId) -> Result<(), Failure> {
        if self.world.stations.contains_key(station) {
            Ok(())
        } else {
            Err(not_found(&format!("station {station}"), "see `tongdao station list`"))
        }
    }

    /// The station of a gate.
    ///
    /// # Errors
    /// Exit 1 where no site file names it.
    pub fn known_gate(&self, device: &DeviceId) -> Result<StationId, Failure> {
        let place = self.world.gates.get(device).map(|gate| gate.station.clone());
        place.ok_or_else(|| not_found(&format!("gate {device}"), "see `tongdao gate list`"))
    }
}

fn not_found(what: &str, known: &str) -> Failure {
    Failure::new(REFUSED, format!("NOT_FOUND: no site file names {what} ({known})"))
}
