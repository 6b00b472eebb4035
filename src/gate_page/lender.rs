//! Lends the demo's gates to people before a browser: one gate and one purse of media a page, until it gives them back or has
//! not been heard of for a while. It decides who has what; the demo is told which gates to leave alone, MQTT knows nothing of it.
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_loadtest::demo::lent::{LentGate, Purse};
use tongdao_loadtest::demo::{Cast, Loans};
use tongdao_protocol::console::codes::Code;
use tongdao_protocol::site::SiteFile;

/// A station that has gates to lend.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct StationToBorrow {
    /// Its id.
    pub station: String,
    /// Its names by language.
    pub name: BTreeMap<String, String>,
    /// Gates that nobody has now.
    pub free: usize,
}

/// A medium as a page shows it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct MediumToBorrow {
    /// What sort it is.
    pub name: &'static str,
    /// Kind and token of a tap.
    pub kind: &'static str,
    /// See `kind`.
    pub token: String,
}

/// What somebody has borrowed.
#[derive(Clone, Serialize, PartialEq, Eq)]
pub struct Borrowed {
    /// Names this loan.
    pub claim: String,
    /// `{site}` of topics.
    pub site: String,
    /// Device id: client id and user name.
    pub device: String,
    /// Its secret.
    pub secret: String,
    /// Where it stands.
    pub station: String,
    /// Boot counter: above every one before.
    pub epoch: u64,
    /// The server's clock, in milliseconds since 1970.
    pub now: i64,
    /// The loan ends where it is not renewed within this.
    pub lease_ms: i64,
    /// What to tap with.
    pub media: Vec<MediumToBorrow>,
}

struct Loan {
    claim: String,
    gate: usize,
    purse: usize,
    until: Timestamp,
}

#[derive(Default)]
struct Book {
    loans: Vec<Loan>,
    /// Whose turn it is among the purses: the last one given back comes last.
    next_purse: usize,
    epoch: u64,
}

/// See the module.
pub struct Lender {
    site: String,
    names: BTreeMap<String, BTreeMap<String, String>>,
    gates: Vec<LentGate>,
    purses: Vec<Purse>,
    lease: Millis,
    told: Loans,
    book: Mutex<Book>,
}

impl Lender {
    /// Of a demo's city; `told` is what the demo listens to.
    #[must_use]
    pub fn new(site: &SiteFile, cast: &Cast, lease: Millis, told: Loans) -> Self {
        let names = site.stations.iter().map(|station| (station.id.as_str().to_owned(), station.name.clone())).collect();
        let (gates, purses) = (cast.lent.clone(), cast.purses.clone());
        Self { site: cast.site.clone(), names, gates, purses, lease, told, book: Mutex::default() }
    }

    /// Where there is something to borrow, in the order of the site file.
    pub fn stations(&self, now: Timestamp) -> Vec<StationToBorrow> {
        let book = self.at(now);
        let mut stations: Vec<StationToBorrow> = Vec::new();
        for (n, gate) in self.gates.iter().enumerate() {
            let free = usize::from(!book.loans.iter().any(|loan| loan.gate == n));
            match stations.last_mut().filter(|last| last.station == gate.station) {
                Some(last) => last.free += free,
                None => stations.push(StationToBorrow {
                    station: gate.station.clone(),
                    name: self.names.get(&gate.station).cloned().unwrap_or_default(),
                    free,
                }),
            }
        }
        stations
    }

    /// A gate at this station. Who names an earlier loan keeps the purse and gives the other gate back.
    ///
    /// # Errors
    /// `NOT_FOUND` where the station lends nothing, `TAKEN` where others have all of it.
    pub fn borrow(&self, station: &str, earlier: Option<&str>, now: Timestamp) -> Result<Borrowed, Code> {
        let mut book = self.at(now);
        let mut here = (0..self.gates.len()).filter(|n| self.gates[*n].station == station).peekable();
        here.peek().ok_or(Code::NotFound)?;
        let old = book.loans.iter().position(|loan| Some(loan.claim.as_str()) == earlier);
        let mine = old.map(|old| book.loans[old].gate);
        let gate = here.find(|n| Some(*n) == mine || !book.loans.iter().any(|loan| loan.gate == *n)).ok_or(Code::Taken)?;
        let purse = match old {
            Some(old) => book.loans.swap_remove(old).purse,
            None => self.free_purse(&mut book).ok_or(Code::Taken)?,
        };
        if let Some(given_back) = mine.filter(|mine| *mine != gate) {
            self.told.set(given_back, false);
        }
        self.told.set(gate, true);
        book.epoch = u64::try_from(now.0 / 1000).unwrap_or(0).max(book.epoch + 1);
        let claim = format!("{:032x}", rand::random::<u128>());
        book.loans.push(Loan { claim: claim.clone(), gate, purse, until: now + self.lease });
        Ok(self.borrowed(claim, gate, purse, book.epoch, now))
    }

    fn free_purse(&self, book: &mut Book) -> Option<usize> {
        let count = self.purses.len();
        let free = (0..count).map(|n| (book.next_purse + n) % count).find(|n| !book.loans.iter().any(|loan| loan.purse == *n))?;
        book.next_purse = free + 1;
        Some(free)
    }

    fn borrowed(&self, claim: String, gate: usize, purse: usize, epoch: u64, now: Timestamp) -> Borrowed {
        let LentGate { station, credentials } = &self.gates[gate];
        let media = self.purses[purse].media.iter().map(|medium| MediumToBorrow {
            name: medium.name,
            kind: medium.medium.kind.name(),
            token: medium.medium.token.as_str().to_owned(),
        });
        Borrowed {
            claim,
            site: self.site.clone(),
            device: credentials.device.clone(),
            secret: credentials.secret.clone(),
            station: station.clone(),
            epoch,
            now: now.0,
            lease_ms: self.lease.0,
            media: media.collect(),
        }
    }

    /// Still there; false where the loan is over.
    pub fn renew(&self, claim: &str, now: Timestamp) -> bool {
        let mut book = self.at(now);
        let loan = book.loans.iter_mut().find(|loan| loan.claim == claim);
        loan.map(|loan| loan.until = now + self.lease).is_some()
    }

    /// Gives all of it back.
    pub fn give_back(&self, claim: &str, now: Timestamp) {
        let mut book = self.at(now);
        if let Some(at) = book.loans.iter().position(|loan| loan.claim == claim) {
            self.told.set(book.loans.swap_remove(at).gate, false);
        }
    }

    /// Takes back what nobody has renewed.
    pub fn sweep(&self, now: Timestamp) {
        drop(self.at(now));
    }

    /// The book as it stands at this moment.
    fn at(&self, now: Timestamp) -> MutexGuard<'_, Book> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        for over in book.loans.extract_if(.., |loan| loan.until <= now) {
            self.told.set(over.gate, false);
        }
        book
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_protocol::site;

    const LEASE: Millis = Millis(1_000);

    fn lender() -> Lender {
        let station = |id: &str| {
            let gates: String = (1..=4).map(|n| format!("{{ device = \"{id}{n}\" }},")).collect();
            format!("[[stations]]\nid = \"{id}\"\nname = {{ en = \"Station {id}\" }}\ngates = [{gates}]\n")
        };
        let site = site::parse(&format!("id = \"t\"\nfares = \"f\"\n{}{}", station("a"), station("b"))).expect("a site");
        Lender::new(&site, &Cast::of(&site, 1, 1), LEASE, Loans::default())
    }

    fn free(lender: &Lender, at: i64) -> Vec<usize> {
        lender.stations(Timestamp(at)).iter().map(|station| station.free).collect()
    }

    #[test]
    fn a_gate_is_with_one_person_until_it_is_given_back() {
        let lender = lender();
        let loans: Vec<_> = (0..2).map(|_| lender.borrow("a", None, Timestamp(0)).expect("free")).collect();
        assert_ne!(loans[0].device, loans[1].device);
        assert_ne!(loans[0].media[0].token, loans[1].media[0].token);
        assert_eq!(lender.borrow("a", None, Timestamp(1)).err(), Some(Code::Taken));
        assert_eq!(lender.borrow("nowhere", None, Timestamp(1)).err(), Some(Code::NotFound));
        assert_eq!(free(&lender, 1), [0, 2]);
        lender.give_back(&loans[0].claim, Timestamp(2));
        assert_eq!(lender.borrow("a", None, Timestamp(3)).map(|loan| loan.device), Ok(loans[0].device.clone()));
    }

    #[test]
    fn who_is_not_heard_of_loses_it() {
        let lender = lender();
        let loan = lender.borrow("a", None, Timestamp(0)).expect("free");
        assert!(lender.renew(&loan.claim, Timestamp(999)));
        assert_eq!(free(&lender, 1_998), [1, 2]);
        lender.sweep(Timestamp(1_999));
        assert_eq!(free(&lender, 1_999), [2, 2]);
        assert!(!lender.renew(&loan.claim, Timestamp(2_000)));
    }

    #[test]
    fn who_moves_keeps_the_purse_and_every_boot_counts_up() {
        let lender = lender();
        let first = lender.borrow("a", None, Timestamp(5_000)).expect("free");
        let second = lender.borrow("b", Some(&first.claim), Timestamp(5_000)).expect("free");
        assert_eq!(first.media, second.media);
        assert!(second.epoch > first.epoch && first.epoch >= 5);
        assert_eq!(free(&lender, 5_000), [2, 1]);
        let again = lender.borrow("b", Some(&second.claim), Timestamp(5_001)).expect("its own");
        assert_eq!(again.device, second.device);
    }

    #[test]
    fn the_next_person_gets_another_purse() {
        let lender = lender();
        let first = lender.borrow("a", None, Timestamp(0)).expect("free");
        lender.give_back(&first.claim, Timestamp(1));
        let second = lender.borrow("a", None, Timestamp(2)).expect("free");
        assert_ne!(first.media[0].token, second.media[0].token);
    }
}
