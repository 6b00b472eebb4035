//! What the demo lends to people: gates at the large stations, which it keeps connected while nobody has them, and purses with
//! media of every sort. Who has what is the lender's business; here it is only told which gates to leave alone.
use crate::fleet::Credentials;
use std::sync::{Arc, Mutex, PoisonError};
use tongdao_domain::id::DeviceId;
use tongdao_domain::station::Service;
use tongdao_protocol::gate::{Medium, MediumKind};
use tongdao_protocol::site::{GateEntry, SiteFile, StationEntry};

/// Stations with so many gates have gates for people as well …
const GATES_MIN: usize = 4;
/// … so many each.
const LENT_EACH: usize = 2;

/// A gate that can be borrowed.
#[derive(Clone)]
pub struct LentGate {
    /// Where it stands.
    pub station: String,
    /// What it signs in with.
    pub credentials: Credentials,
}

/// What one person has to tap with.
#[derive(Debug, Clone)]
pub struct Purse {
    /// The media.
    pub media: Vec<PurseMedium>,
}

/// A medium in a purse.
#[derive(Debug, Clone)]
pub struct PurseMedium {
    /// What sort of medium: `wallet`, `card`, `poor`, `unknown`.
    pub name: &'static str,
    /// As a gate reads it.
    pub medium: Medium,
    /// Opening balance of its account in hundredths; none where nobody knows it.
    pub balance: Option<u32>,
}

impl Purse {
    /// The purse with this number, from 0.
    #[must_use]
    pub fn numbered(n: usize) -> Option<Self> {
        const SORTS: [(&str, MediumKind, Option<u32>); 4] = [
            ("wallet", MediumKind::Ecny, Some(8_800)),
            ("card", MediumKind::Card, Some(2_000)),
            ("poor", MediumKind::Card, Some(50)),
            ("unknown", MediumKind::Card, None),
        ];
        let medium = |(name, kind, balance): (&'static str, MediumKind, Option<u32>)| {
            Some(PurseMedium { name, medium: Medium::new(kind, &format!("hand-{:02}-{name}", n + 1))?, balance })
        };
        Some(Self { media: SORTS.into_iter().map(medium).collect::<Option<_>>()? })
    }
}

/// The gates for people: their station and their device id.
pub(super) fn gates_for_people(site: &SiteFile) -> impl Iterator<Item = (&StationEntry, String)> {
    let large = site.stations.iter().filter(|station| station.gates.len() >= GATES_MIN);
    large.flat_map(|station| (1..=LENT_EACH).map(move |n| (station, format!("{}-hand-{n}", station.id))))
}

/// The site with the gates for people.
#[must_use]
pub fn with_gates_for_people(site: &SiteFile) -> SiteFile {
    let mut whole = site.clone();
    for station in whole.stations.iter_mut().filter(|station| station.gates.len() >= GATES_MIN) {
        let devices = (1..=LENT_EACH).filter_map(|n| DeviceId::new(format!("{}-hand-{n}", station.id)).ok());
        station.gates.extend(devices.map(|device| GateEntry { device, service: Service::Both }));
    }
    whole
}

/// Told by the lender, heard by the demo: which gates have just gone out or come back, by their number among the lent ones.
#[derive(Debug, Clone, Default)]
pub struct Loans(Arc<Mutex<Vec<(usize, bool)>>>);

impl Loans {
    /// A gate goes out (or comes back).
    pub fn set(&self, nth: usize, out: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((nth, out));
    }
    /// What has changed since the last time.
    pub(super) fn changed(&self) -> Vec<(usize, bool)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_protocol::site;

    #[test]
    fn only_large_stations_lend_and_the_file_stays_good() {
        let gates = |n: usize, id: &str| (1..=n).map(|k| format!("{{ device = \"{id}{k}\" }},")).collect::<String>();
        let text = format!(
            "id = \"t\"\nfares = \"f\"\n[[stations]]\nid = \"a\"\ngates = [{}]\n[[stations]]\nid = \"b\"\ngates = [{}]\n",
            gates(4, "a"),
            gates(3, "b")
        );
        let city = site::parse(&text).expect("a site");
        let whole = with_gates_for_people(&city);
        let there: Vec<_> = whole.gates().map(|(_, gate)| gate.device.as_str().to_owned()).collect();
        let promised: Vec<_> = gates_for_people(&city).map(|(_, device)| device).collect();
        assert_eq!(promised, ["a-hand-1", "a-hand-2"]);
        assert!(promised.iter().all(|device| there.contains(device)) && there.len() == 9);
    }

    #[test]
    fn a_purse_has_something_of_every_sort() {
        let purse = Purse::numbered(0).expect("a purse");
        assert_eq!(purse.media.iter().filter(|medium| medium.balance.is_none()).count(), 1);
        assert_eq!(purse.media[0].medium.token.as_str(), "hand-01-wallet");
    }

    #[test]
    fn what_has_changed_is_told_once() {
        let loans = Loans::default();
        loans.clone().set(3, true);
        assert_eq!(loans.changed(), [(3, true)]);
        assert!(loans.changed().is_empty());
    }
}
