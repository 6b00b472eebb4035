//! For tests only: a small world on a line of stations, and a driver of one machine that does what the commit pipeline
//! does when nothing is in flight. Not a simulation: that is a room of its own.
use crate::account::{self, WalletClass};
use crate::device::{By, DeviceKind, Entry, SecretHash};
use crate::entity::EntityKey;
use crate::fare::{Charge, FareTable, FareVersion, Overstay, SameStation, Scheme};
use crate::id::{AccountId, CommandId, DeviceId, FareTableId, SiteId, TapId, Token, UserId};
use crate::machine::{Command, Context, Decision, Machine, Notice, Reply};
use crate::medium;
use crate::money::{Amount, Currency};
use crate::station::{Service, Station};
use crate::tap::{Direction, Medium, MediumKind, Tap};
use crate::time::{Calendar, Millis, Timestamp};
use crate::world::{GateView, Site, StationView, World};

/// The site of [`World::for_tests`].
pub const SITE: &str = "cd";
/// The fare table of its site.
pub const FARES: &str = "chengdu";
/// Its stations, in the order of the line, and how far each is from the first, in metres.
pub const STATIONS: [(&str, u32); 5] = [("s0", 0), ("s1", 1_200), ("s2", 4_000), ("s3", 9_500), ("s4", 18_001)];
/// Gates per station: `{station}-g1`, `{station}-g2`.
pub const GATES_PER_STATION: usize = 2;
/// When tests begin: 2026-01-05T08:00:00+08:00, a Monday.
pub const MORNING: Timestamp = Timestamp(1_767_571_200_000);

/// Wraps a test's own identifier.
///
/// # Panics
/// Where the text is no identifier: a mistake of the test.
pub fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no identifier"))
}

/// Who does things in tests.
#[must_use]
pub fn by() -> By {
    By { user: id::<UserId>("tester"), reason: "a test".into() }
}

/// The `number`-th gate (1, 2) of a station.
#[must_use]
pub fn gate_of(station: &str, number: usize) -> DeviceId {
    id(&format!("{station}-g{number}"))
}

/// A card tap with the usual deadline of 250 ms.
#[must_use]
pub fn tap(device: &DeviceId, epoch: u64, seq: u64, direction: Direction, token: &str, at: Timestamp) -> Tap {
    Tap {
        id: TapId { device: device.clone(), epoch, seq },
        direction,
        medium: card(token),
        at,
        deadline: Millis(250),
        mode: 0,
        list_version: 0,
    }
}

/// A transit card.
#[must_use]
pub fn card(token: &str) -> Medium {
    Medium { kind: MediumKind::Card, token: id::<Token>(token), qr: None, counter: None, signature: None }
}

/// What makes a rider: the medium is claimed, an account with plenty of money opened, the medium linked as a card. Each
/// command with whom it is for and its id.
#[must_use]
pub fn rider(account: &str, token: &str) -> [(EntityKey, CommandId, Command); 3] {
    let owner: AccountId = id(account);
    let (medium, key) = (EntityKey::from(&id::<Token>(token)), EntityKey::from(&owner));
    let command_id = |what: &str, name: &str| CommandId::of(format_args!("{what}/{name}"));
    let claim = medium::Command::Claim { owner };
    let (balance, currency) = (Amount::from_fen(1_000_000), Currency::CNY);
    let open = account::Command::Open { class: WalletClass::One, passenger_class: "adult".into(), balance, currency, by: by() };
    [(medium, command_id("claim", token), claim.into()), (key, command_id("open", account), open.into()), link(account, token)]
}

/// The account takes a medium that was claimed for it, as a card.
#[must_use]
pub fn link(account: &str, token: &str) -> (EntityKey, CommandId, Command) {
    let link = account::Command::Link { token: id(token), kind: MediumKind::Card, by: by() };
    (EntityKey::from(&id::<AccountId>(account)), CommandId::of(format_args!("link/{token}")), link.into())
}

impl World {
    /// The same with one price for every entry, and no limit of riders or repeats: any number of taps is approved.
    #[must_use]
    pub fn for_tests_flat() -> Self {
        let version = FareVersion {
            from: Timestamp(0),
            scheme: Scheme::Flat(Amount::from_fen(200)),
            classes: [("adult".into(), 100.into())].into(),
            stay_max: None,
            overstay: Overstay { surcharge: Charge::Free, refuse: false },
            same_station: SameStation::Refuse,
            missing_exit: Charge::Free,
            missing_entry: Charge::Free,
            more: crate::fare::More::default(),
        };
        let mut world = Self::for_tests_with(FareTable { currency: Currency::CNY, calendar: None, versions: vec![version] });
        (world.settings.riders_max, world.settings.retap_window) = (0, Millis(0));
        world
    }

    /// Five stations on a line with two gates each, all registered; fares as given.
    #[must_use]
    pub fn for_tests_with(fares: FareTable) -> Self {
        let (site, table) = (id::<SiteId>(SITE), id::<FareTableId>(FARES));
        let mut world = Self::default();
        let operator = "metro".into();
        world.sites.insert(site.clone(), Site { fares: table.clone(), operator, calendar: Calendar::SHANGHAI });
        world.fares.insert(table, fares);
        for (name, position) in STATIONS {
            world.add_station(&site, name);
            for (other, other_position) in STATIONS.iter().filter(|(other, _)| *other != name) {
                world.distances.insert((id(name), id(other)), position.abs_diff(*other_position));
            }
        }
        world
    }

    /// The same with a fare table that has no versions: for what never looks at fares.
    #[must_use]
    pub fn for_tests() -> Self {
        Self::for_tests_with(FareTable::default())
    }

    fn add_station(&mut self, site: &SiteId, name: &str) {
        let gates: Vec<DeviceId> = (1..=GATES_PER_STATION).map(|number| gate_of(name, number)).collect();
        for gate in &gates {
            let secret = SecretHash([0; 32]);
            let entry = Entry { kind: DeviceKind::Gate, site: site.clone(), secret, revoked: false, added_at: Timestamp(0), rev: 1 };
            self.devices.insert(gate.clone(), entry);
            self.gates.insert(gate.clone(), GateView { station: id(name), service: Service::Both });
        }
        let names = vec![("en".into(), name.into())];
        let view = StationView { site: site.clone(), names, gates, state: Station::default() };
        self.stations.insert(id(name), view);
    }
}

/// Drives one machine by hand: decides, applies, keeps what happened. Station and registry events advance its world.
#[derive(Debug)]
pub struct Actor<M: Machine> {
    /// Who it is.
    pub me: EntityKey,
    /// What it looks at.
    pub world: World,
    /// The clock; a test sets it.
    pub now: Timestamp,
    /// Confirmed state.
    pub state: M,
    /// Volatile memory.
    pub memory: M::Memory,
    /// All events so far.
    pub events: Vec<M::Event>,
    /// Their moments.
    pub moments: Vec<Timestamp>,
    commands: u64,
}

impl<M: Machine> Actor<M> {
    /// A machine that has never committed, in the world of [`World::for_tests`].
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            me: EntityKey::new(M::KIND, id),
            world: World::for_tests(),
            now: MORNING,
            state: M::default(),
            memory: M::Memory::default(),
            events: Vec::new(),
            moments: Vec::new(),
            commands: 0,
        }
    }

    /// Decides under a fresh command id and applies what is committed.
    pub fn decide(&mut self, command: M::Command) -> Decision<M::Event> {
        self.commands += 1;
        let command_id = CommandId::of(format_args!("c{}", self.commands));
        self.decide_as(&command_id, command)
    }

    /// Decides under this command id and applies what is committed, and what must be so before.
    pub fn decide_as(&mut self, command_id: &CommandId, command: M::Command) -> Decision<M::Event> {
        let context = Context { me: &self.me, command_id, world: &self.world, now: self.now };
        M::notice(&mut self.memory, &Notice::Arrived(&command), &context);
        let decision = self.state.decide(&context, &self.memory, &command);
        match &decision {
            Decision::Commit { events, reply } => {
                assert!(!events.is_empty(), "a commit has at least one event");
                M::notice(&mut self.memory, &Notice::Answered(reply), &context);
                events.iter().for_each(|event| self.take(event.clone()));
            }
            Decision::Before { events, .. } => {
                events.iter().for_each(|event| self.take(event.clone()));
                let context = Context { me: &self.me, command_id, world: &self.world, now: self.now };
                return self.state.decide(&context, &self.memory, &command);
            }
            _ => {}
        }
        decision
    }

    /// The answer to a command that this machine answers itself.
    ///
    /// # Panics
    /// Where it forwards the command.
    pub fn ask(&mut self, command: M::Command) -> Reply {
        match self.decide(command) {
            Decision::Commit { reply, .. } | Decision::Ask { otherwise: reply } => reply,
            other => panic!("not answered here: {other:?}"),
        }
    }

    /// Another entity has answered what this one forwarded.
    pub fn answered(&mut self, reply: &Reply) {
        let command_id = CommandId::of(format_args!("answered"));
        let context = Context { me: &self.me, command_id: &command_id, world: &self.world, now: self.now };
        M::notice(&mut self.memory, &Notice::Answered(reply), &context);
    }

    fn take(&mut self, event: M::Event) {
        self.state.apply(&event, self.now);
        self.world.advance(&self.me, &event.clone().into(), self.now);
        self.events.push(event);
        self.moments.push(self.now);
        let owes = !self.state.owed(&self.me).is_empty();
        assert!(!owes || self.state.deadline().is_some(), "something owed without a deadline");
    }

    /// The state that a replay of all events gives.
    #[must_use]
    pub fn replayed(&self) -> M {
        let mut state = M::default();
        self.events.iter().zip(&self.moments).for_each(|(event, at)| state.apply(event, *at));
        state
    }
}
