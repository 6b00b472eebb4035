//! A resident: an entity that is awake in a cell. The cell and the actor share it; it holds what the cell must know without
//! asking (address, mailbox count, idle age) and what `/debug/actors` shows. It is not the entity's state.
use std::cell::{Cell as StdCell, OnceCell, RefCell};
use std::thread::LocalKey;

use actix::Addr;
use tongdao_domain::account::{self, Account};
use tongdao_domain::alarm::Alarm;
use tongdao_domain::approval::Approval;
use tongdao_domain::audit::Audit;
use tongdao_domain::deny::DenyList;
use tongdao_domain::device::Device;
use tongdao_domain::doubtful::Doubtful;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::Gate;
use tongdao_domain::machine::Machine;
use tongdao_domain::medium::Medium;
use tongdao_domain::station::Station;
use tongdao_domain::time::Timestamp;
use tongdao_domain::user::User;

use crate::entity::{Effects, EntityActor};
use crate::inner::Inner;
use crate::mail::Mail;
use crate::observe::{ActorPhase, ActorView};
use crate::slots::Key;
use crate::state::EntityState;

/// A machine that has an actor.
pub(crate) trait Kind: Machine + Into<EntityState> {
    fn address(addr: Addr<EntityActor<Self>>) -> AnyAddr;
    /// A buffer of this thread for what a letter brings about: effects are large, and one actor works at a time.
    fn effects() -> &'static LocalKey<RefCell<Effects<Self>>>;
    /// What a durable event says to the metrics.
    fn tell(_cell: &Inner, _event: &Self::Event) {}
}

/// The address of an actor of any kind.
pub(crate) enum AnyAddr {
    Account(Addr<EntityActor<Account>>),
    Gate(Addr<EntityActor<Gate>>),
    Station(Addr<EntityActor<Station>>),
    Medium(Addr<EntityActor<Medium>>),
    Device(Addr<EntityActor<Device>>),
    Audit(Addr<EntityActor<Audit>>),
    User(Addr<EntityActor<User>>),
    Alarm(Addr<EntityActor<Alarm>>),
    Approval(Addr<EntityActor<Approval>>),
    DenyList(Addr<EntityActor<DenyList>>),
    Doubtful(Addr<EntityActor<Doubtful>>),
}

macro_rules! kinds {
    ($($machine:ident $({ $tell:item })?),*) => {
        $(impl Kind for $machine {
            fn address(addr: Addr<EntityActor<Self>>) -> AnyAddr { AnyAddr::$machine(addr) }
            fn effects() -> &'static LocalKey<RefCell<Effects<Self>>> {
                thread_local! { static EFFECTS: RefCell<Effects<$machine>> = const { RefCell::new(Vec::new()) }; }
                &EFFECTS
            }
            $($tell)?
        })*
        impl AnyAddr {
            /// Is the actor alive?
            pub(crate) fn connected(&self) -> bool {
                match self { $(Self::$machine(addr) => addr.connected()),* }
            }
            /// Puts a letter into the mailbox. Unbounded: only the cell calls it, and the cell counts.
            #[expect(clippy::disallowed_methods, reason = "the one place; the cell counts what is delivered and unanswered")]
            pub(crate) fn put(&self, mail: Mail) {
                match self { $(Self::$machine(addr) => addr.do_send(mail)),* }
            }
        }
    };
}
kinds!(Account {
    fn tell(cell: &Inner, event: &account::Event) {
        let fen = account::paid(event).fen();
        if fen != 0 {
            cell.fares.moved(fen);
        }
    }
}, Gate, Station, Medium, Device, Audit, User, Alarm, Approval, DenyList, Doubtful);

/// What the cell and the actor share about one entity that is awake.
pub(crate) struct Resident {
    pub(crate) entity: EntityKey,
    pub(crate) key: Key,
    pub(crate) addr: OnceCell<AnyAddr>,
    /// Letters in the mailbox, and how many of them are commands.
    pub(crate) letters: StdCell<u32>,
    pub(crate) commands: StdCell<u32>,
    pub(crate) last_used: StdCell<Timestamp>,
    /// Since when its confirmed state differs from the written one.
    pub(crate) dirty_since: StdCell<Option<Timestamp>>,
    /// When it wants its next tick, and the tick that stands in the cell's timers.
    pub(crate) wake: StdCell<Option<Timestamp>>,
    pub(crate) armed: StdCell<Option<Timestamp>>,
    pub(crate) loading: StdCell<bool>,
    pub(crate) version: StdCell<u64>,
    pub(crate) in_flight: StdCell<usize>,
    pub(crate) owed: StdCell<usize>,
    pub(crate) panics: StdCell<u32>,
    pub(crate) quarantine: RefCell<Option<Box<str>>>,
}

impl Resident {
    pub(crate) fn new(entity: EntityKey, key: Key, now: Timestamp) -> Self {
        Self {
            entity,
            key,
            addr: OnceCell::new(),
            letters: StdCell::new(0),
            commands: StdCell::new(0),
            last_used: StdCell::new(now),
            dirty_since: StdCell::new(None),
            wake: StdCell::new(None),
            armed: StdCell::new(None),
            loading: StdCell::new(true),
            version: StdCell::new(0),
            in_flight: StdCell::new(0),
            owed: StdCell::new(0),
            panics: StdCell::new(0),
            quarantine: RefCell::new(None),
        }
    }
    pub(crate) fn quarantined(&self) -> bool {
        self.quarantine.borrow().is_some()
    }
    /// Nothing in its mailbox and nothing in flight, as far as the cell knows.
    pub(crate) fn quiet(&self) -> bool {
        self.letters.get() == 0 && self.in_flight.get() == 0 && !self.loading.get()
    }
    pub(crate) fn view(&self, cell: usize, now: Timestamp) -> ActorView {
        let phase = match &*self.quarantine.borrow() {
            Some(reason) => ActorPhase::Quarantined { reason: reason.to_string() },
            None if self.loading.get() => ActorPhase::Loading,
            None => ActorPhase::Awake,
        };
        ActorView {
            kind: self.entity.kind,
            id: self.entity.id.clone(),
            cell,
            phase,
            version: self.version.get(),
            in_flight: self.in_flight.get() + self.commands.get() as usize,
            owed: self.owed.get(),
            idle_ms: (now - self.last_used.get()).0.max(0),
            panics: self.panics.get(),
        }
    }
}
