//! Who takes part in a demo: the gates with their secrets and the riders with their accounts, all from one seed. One gate is
//! left free for a person with a tool; others, with media of their own, are lent to people with a browser.
use super::lent::{LentGate, Purse, PurseMedium, gates_for_people};
use crate::fleet::Credentials;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use std::fmt::Write as _;
use std::net::SocketAddr;
use tongdao_protocol::gate::{Medium, MediumKind};
use tongdao_protocol::site::SiteFile;

/// Of so many riders one has less than the lowest fare.
const POOR_EVERY: usize = 70;

/// A rider's account and medium.
#[derive(Debug, Clone)]
pub struct Passenger {
    /// Account id.
    pub account: String,
    /// Opening balance in hundredths.
    pub balance: u32,
    /// The medium.
    pub medium: Medium,
}

/// See the module.
#[derive(Clone)]
pub struct Cast {
    /// `{site}` of the topics.
    pub site: String,
    /// Gates that the demo runs.
    pub gates: Vec<Credentials>,
    /// A gate that nobody runs: for trying by hand.
    pub guest: Option<Credentials>,
    /// Riders; the last one is the guest's.
    pub passengers: Vec<Passenger>,
    /// Gates that people may borrow; the demo keeps them connected while nobody does.
    pub lent: Vec<LentGate>,
    /// What those people have to tap with.
    pub purses: Vec<Purse>,
}

impl std::fmt::Debug for Cast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cast({}: {} gates, {} passengers, secrets …)", self.site, self.gates.len(), self.passengers.len())
    }
}

impl Cast {
    /// The gates of the site and so many riders. The secrets come from the seed, too: draw it at random and keep it beside
    /// the data of the demo.
    #[must_use]
    pub fn of(site: &SiteFile, riders: usize, seed: u64) -> Self {
        let mut random = ChaCha20Rng::seed_from_u64(seed);
        let mut secret = || format!("{:032x}", random.random::<u128>());
        let gate = |gate: &tongdao_protocol::site::GateEntry| Credentials { device: gate.device.as_str().to_owned(), secret: secret() };
        let mut gates: Vec<_> = site.stations.iter().flat_map(|station| &station.gates).map(gate).collect();
        // The last gate of a station with several: the station works without it.
        let spare = site.stations.iter().filter(|station| station.gates.len() > 1).filter_map(|station| station.gates.last()).next();
        let at = spare.and_then(|spare| gates.iter().position(|gate| gate.device == spare.device.as_str()));
        let guest = at.map(|at| gates.remove(at));
        let passengers = (0..=riders).filter_map(|n| passenger(n, riders, &mut random)).collect();
        // Drawn last: what came before keeps its secrets.
        let lent: Vec<_> = gates_for_people(site)
            .map(|(station, device)| {
                let credentials = Credentials { device, secret: format!("{:032x}", random.random::<u128>()) };
                LentGate { station: station.id.as_str().to_owned(), credentials }
            })
            .collect();
        let purses = (0..lent.len()).filter_map(Purse::numbered).collect();
        Self { site: site.id.as_str().to_owned(), gates, guest, passengers, lent, purses }
    }

    /// For `device import`.
    #[must_use]
    pub fn devices_csv(&self) -> String {
        let mut text = String::from("device_id,kind,site,secret\n");
        for gate in self.gates.iter().chain(&self.guest).chain(self.lent.iter().map(|lent| &lent.credentials)) {
            let _ = writeln!(text, "{},gate,{},{}", gate.device, self.site, gate.secret);
        }
        text
    }

    /// For `account import`.
    #[must_use]
    pub fn accounts_csv(&self) -> String {
        let mut text = String::from("account_id,class,passenger_class,balance,medium_kind,medium_token\n");
        for Passenger { account, balance, medium } in &self.passengers {
            let (kind, token) = (medium.kind.name(), medium.token.as_str());
            let _ = writeln!(text, "{account},3,adult,{}.{:02},{kind},{token}", balance / 100, balance % 100);
        }
        for PurseMedium { medium, balance, .. } in self.purses.iter().flat_map(|purse| &purse.media) {
            let (kind, token) = (medium.kind.name(), medium.token.as_str());
            if let Some(balance) = balance {
                let _ = writeln!(text, "{token},3,adult,{}.{:02},{kind},{token}", balance / 100, balance % 100);
            }
        }
        text
    }

    /// Shell lines that tap at the free gate with `mosquitto_pub` and `mosquitto_rr`: the first makes the gate known, the
    /// second taps and prints the decision.
    #[must_use]
    pub fn try_lines(&self, address: SocketAddr) -> Option<[String; 2]> {
        let (guest, medium) = (self.guest.as_ref()?, &self.passengers.last()?.medium);
        let (device, secret) = (&guest.device, &guest.secret);
        let common = format!("-h {} -p {} -V 5 -i {device} -u {device} -P {secret} -q 1", address.ip(), address.port());
        let topic = format!("td/1/{}/gate/{device}", self.site);
        let now = "$(date -u +%FT%T.%3NZ)";
        let state =
            format!(r#"{{\"online\":true,\"service\":\"both\",\"firmware\":\"1\",\"versions\":{{}},\"faults\":[],\"at\":\"{now}\"}}"#);
        let medium = format!(r#"{{\"kind\":\"{}\",\"token\":\"{}\"}}"#, medium.kind.name(), medium.token.as_str());
        let tap = format!(
            r#"{{\"epoch\":$(date +%s),\"seq\":1,\"direction\":\"entry\",\"medium\":{medium},\"at\":\"{now}\",\"deadline_ms\":5000,\"mode\":0,\"list_version\":0}}"#
        );
        Some([
            format!(r#"mosquitto_pub {common} -r -t {topic}/up/state -m "{state}""#),
            format!(r#"mosquitto_rr {common} -t {topic}/up/tap -e {topic}/down/decision -m "{tap}""#),
        ])
    }
}

fn passenger(n: usize, riders: usize, random: &mut ChaCha20Rng) -> Option<Passenger> {
    const KINDS: [(MediumKind, &str); 5] = [
        (MediumKind::Card, "card"),
        (MediumKind::Ecny, "ecny"),
        (MediumKind::EcnyHard, "hard"),
        (MediumKind::Bank, "bank"),
        (MediumKind::Face, "face"),
    ];
    let (kind, name) = if n == riders { KINDS[0] } else { KINDS[random.random_range(0..KINDS.len())] };
    let poor = n < riders && n % POOR_EVERY == POOR_EVERY - 1;
    let balance = if poor { random.random_range(0..200) } else { random.random_range(200..=1_000) * 100 };
    let (account, token) =
        if n == riders { ("guest".to_owned(), "guest".to_owned()) } else { (format!("p{n:05}"), format!("{name}-{n:05}")) };
    Some(Passenger { account, balance, medium: Medium::new(kind, &token)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_protocol::{import, site};

    fn small() -> SiteFile {
        let text = "id = \"t\"\nfares = \"f\"\n[[stations]]\nid = \"a\"\ngates = [{ device = \"a1\" }, { device = \"a2\" }]\n[[stations]]\nid = \"b\"\ngates = [{ device = \"b1\" }]\n";
        site::parse(text).expect("a site")
    }

    #[test]
    fn can_be_imported_and_leaves_one_gate_free() {
        let cast = Cast::of(&small(), 100, 7);
        assert_eq!(cast.gates.iter().map(|gate| &*gate.device).collect::<Vec<_>>(), ["a1", "b1"]);
        assert_eq!(import::devices(&cast.devices_csv()).expect("devices").len(), 3);
        let accounts = import::accounts(&cast.accounts_csv()).expect("accounts");
        assert_eq!(accounts.len(), 101);
        assert!(cast.passengers.iter().any(|passenger| passenger.balance < 200));
        assert!(cast.passengers.last().is_some_and(|guest| guest.balance >= 20_000));
    }

    #[test]
    fn what_is_lent_can_be_imported_too_and_changes_no_other_secret() {
        let mut text = String::from("id = \"t\"\nfares = \"f\"\n[[stations]]\nid = \"a\"\ngates = [");
        (1..=4).for_each(|n| text.push_str(&format!("{{ device = \"a{n}\" }},")));
        let large = site::parse(&format!("{text}]\n")).expect("a site");
        let cast = Cast::of(&large, 3, 7);
        assert_eq!(cast.lent.iter().map(|gate| &*gate.credentials.device).collect::<Vec<_>>(), ["a-hand-1", "a-hand-2"]);
        assert_eq!(import::devices(&cast.devices_csv()).expect("devices").len(), 6);
        let rows = import::accounts(&cast.accounts_csv()).expect("accounts");
        assert_eq!(rows.len(), 4 + 2 * 3, "the medium that nobody knows has no account");
        assert!(Cast::of(&small(), 3, 7).lent.is_empty());
        assert_eq!(Cast::of(&small(), 3, 7).gates[0].secret, cast.gates[0].secret);
    }

    #[test]
    fn the_same_seed_gives_the_same_secrets_and_another_one_others() {
        let csv = |seed| Cast::of(&small(), 1, seed).devices_csv();
        assert_eq!(csv(1), csv(1));
        assert_ne!(csv(1), csv(2));
        assert!(!format!("{:?}", Cast::of(&small(), 1, 1)).contains(&Cast::of(&small(), 1, 1).gates[0].secret));
    }

    #[test]
    fn the_lines_to_try_speak_to_the_free_gate() {
        let lines = Cast::of(&small(), 1, 7).try_lines(SocketAddr::from(([127, 0, 0, 1], 1883))).expect("lines");
        assert!(lines[0].contains("td/1/t/gate/a2/up/state") && lines[1].contains("-e td/1/t/gate/a2/down/decision"));
    }
}
