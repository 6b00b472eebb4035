//! The inside of a cell: who is awake in it, what is in the journal's hands, who waits for answers. Everything on one thread,
//! so plain cells and no locks. This is the one place that puts letters into mailboxes, because this is where they are
//! counted. Routes are in `route`, timers in `timers`, the loop in `turn`.
use std::cell::{Cell as StdCell, Ref, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use actix::Actor;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_journal::contract::{Commit, Journal, Outcome, Ticket};
use tongdao_telemetry::{ActorStarted, ActorStopped, CommandPoisoned, CommandsLost, EntityQuarantined, FareMeter};

use crate::cell::{Follower, OwedFollower, Sink};
use crate::door::Door;
use crate::entity::EntityActor;
use crate::errands::Errands;
use crate::faults::{Panics, Verdict};
use crate::mail::{Address, Delivery, Knock, Mail, ReplyTo, Via};
use crate::owners::Owners;
use crate::reader::{Job, Readers};
use crate::request::{Busy, Lane, ReplySlot, Request, given_up_reply, tap_of};
use crate::resident::{Kind, Resident};
use crate::route::{Outbox, Seeking};
use crate::shared::Shared;
use crate::slots::{Key, Slots};
use crate::timers::Timers;

/// A commit in the journal's hands.
struct InFlight {
    resident: Rc<Resident>,
    ticket: Ticket,
}

/// A command that was dropped without an answer.
struct Lost {
    command_id: CommandId,
    address: Address,
    /// A panic unwound through it: it was at work.
    at_work: bool,
}

/// One cell.
pub(crate) struct Inner {
    pub(crate) index: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) readers: Readers,
    journal: Arc<dyn Journal>,
    pub(crate) world: RefCell<World>,
    pub(crate) residents: RefCell<Slots<Rc<Resident>>>,
    by_entity: RefCell<HashMap<EntityKey, Rc<Resident>, foldhash::fast::RandomState>>,
    tickets: RefCell<Slots<InFlight>>,
    /// When each commit in the journal's hands was handed over, oldest first.
    committing: RefCell<VecDeque<Timestamp>>,
    /// Commits that the journal's full queue gave back.
    overflow: RefCell<VecDeque<(Ticket, Box<Commit>)>>,
    /// Commands delivered and not yet answered.
    unanswered: StdCell<usize>,
    /// Letters in all mailboxes.
    letters: StdCell<usize>,
    /// Commands ever delivered.
    pub(crate) delivered: StdCell<u64>,
    /// Taken out of the lanes' channels and not yet delivered.
    pub(crate) buffered: StdCell<[usize; 3]>,
    /// The lanes were left unread for lack of room.
    pub(crate) stalled: StdCell<bool>,
    pub(crate) turn_at: StdCell<Timestamp>,
    /// Entities in quarantine; they stay awake until the process ends.
    pub(crate) quarantined: StdCell<usize>,
    pub(crate) sinks: RefCell<Slots<Sink>>,
    pub(crate) followers: RefCell<Vec<Follower>>,
    pub(crate) owed_followers: RefCell<Vec<OwedFollower>>,
    pub(crate) outbox: RefCell<Outbox>,
    pub(crate) owners: RefCell<Owners<Seeking>>,
    panics: RefCell<Panics>,
    lost: RefCell<Vec<Lost>>,
    pub(crate) timers: RefCell<Timers>,
    pub(crate) errands: RefCell<Errands>,
    pub(crate) fares: FareMeter,
}

impl Inner {
    pub(crate) fn new(index: usize, shared: &Arc<Shared>, journal: Arc<dyn Journal>, readers: Readers, world: World) -> Self {
        let limits = &shared.limits;
        let now = shared.clock.now();
        Self {
            index,
            journal,
            readers,
            world: RefCell::new(world),
            residents: RefCell::default(),
            by_entity: RefCell::default(),
            tickets: RefCell::default(),
            committing: RefCell::default(),
            overflow: RefCell::default(),
            unanswered: StdCell::new(0),
            letters: StdCell::new(0),
            delivered: StdCell::new(0),
            buffered: StdCell::new([0; 3]),
            stalled: StdCell::new(false),
            turn_at: StdCell::new(now),
            quarantined: StdCell::new(0),
            sinks: RefCell::default(),
            followers: RefCell::default(),
            owed_followers: RefCell::default(),
            outbox: RefCell::new(Outbox::new(shared.ports.len())),
            owners: RefCell::new(Owners::new(limits.owners_cached_max, limits.owner_waiting_max)),
            panics: RefCell::new(Panics::new(limits.panics_per_command_max)),
            lost: RefCell::default(),
            timers: RefCell::new(Timers::new(now)),
            errands: RefCell::default(),
            fares: FareMeter::new(),
            shared: Arc::clone(shared),
        }
    }
    pub(crate) fn world(&self) -> Ref<'_, World> {
        self.world.borrow()
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
    /// The time of this turn of the loop: good enough for ages.
    pub(crate) fn turn_at(&self) -> Timestamp {
        self.turn_at.get()
    }
    pub(crate) fn doors(&self) -> Door {
        Door(Arc::clone(&self.shared))
    }

    // ---- the door from the cell's own thread

    /// Takes a command from this thread: straight to its actor when it lives here and nothing is queued before it.
    pub(crate) fn submit(self: &Rc<Self>, request: Request, reply_to: ReplySlot) -> Result<(), Busy> {
        let lane = request.lane;
        self.try_submit(request, ReplyTo::Slot(reply_to)).inspect_err(|busy| self.shared.turned_away(self.index, lane, *busy))
    }
    fn try_submit(self: &Rc<Self>, request: Request, reply_to: ReplyTo) -> Result<(), Busy> {
        let target = self.shared.cell_of(&request.entity);
        if !self.shared.is_open() {
            return Err(Busy::Draining);
        }
        if target == self.index && self.is_overdue(&request.command, request.received) {
            return Err(Busy::TooOld);
        }
        let Request { entity, command_id, command, if_rev, lane, received } = request;
        let delivery = Delivery { command_id, command, if_rev, address: Address::direct(reply_to) };
        if target == self.index && self.may_go_straight(lane) {
            self.deliver(&entity, delivery);
            return Ok(());
        }
        self.shared.knock(target, lane, Knock::Command { entity, delivery, received }).map_err(|(busy, _)| busy)
    }
    fn may_go_straight(&self, lane: Lane) -> bool {
        let queue = self.shared.ports[self.index].entrance.lane(lane);
        self.buffered.get()[lane as usize] == 0 && queue.capacity() == queue.max_capacity() && (lane == Lane::Urgent || self.room() > 0)
    }
    /// How many more commands may be delivered; none while the journal's queue is full.
    pub(crate) fn room(&self) -> usize {
        if !self.overflow.borrow().is_empty() {
            return 0;
        }
        self.shared.limits.unanswered_max.saturating_sub(self.unanswered())
    }
    /// Has it waited too long already, or has what stands before it at the journal? Then it is refused while there is time
    /// to say so. The urgent are never refused for this.
    pub(crate) fn is_overdue(&self, command: &tongdao_domain::machine::Command, received: Timestamp) -> bool {
        let limits = &self.shared.limits;
        let patience = match (Lane::of(command), tap_of(command)) {
            (Lane::Urgent, _) => return false,
            (_, Some(tap)) => tap.deadline.0 / limits.shed_divisor.max(1),
            (_, None) => limits.shed_after.0,
        };
        let now = self.now();
        let head = self.committing.borrow().front().copied().unwrap_or(now);
        (now - head.min(received)).0 > patience
    }

    // ---- letters

    /// Gives a command to its actor, which is woken where it sleeps.
    pub(crate) fn deliver(self: &Rc<Self>, entity: &EntityKey, delivery: Delivery) {
        if self.panics.borrow().given_up(&delivery.command_id) {
            let reply = given_up_reply(&delivery.command, self.now());
            return self.answer(delivery.address, delivery.command_id, reply);
        }
        self.unanswered.set(self.unanswered.get() + 1);
        self.delivered.set(self.delivered.get() + 1);
        let resident = self.resident(entity);
        resident.last_used.set(self.turn_at());
        self.send(&resident, Mail::Command(delivery));
    }
    /// Puts a letter into a mailbox and counts it.
    pub(crate) fn send(&self, resident: &Rc<Resident>, mail: Mail) {
        let Some(addr) = resident.addr.get() else { return };
        resident.letters.set(resident.letters.get() + 1);
        self.letters.set(self.letters.get() + 1);
        if matches!(mail, Mail::Command(_)) {
            resident.commands.set(resident.commands.get() + 1);
        }
        addr.put(mail);
    }
    /// The actor has taken a letter out.
    pub(crate) fn taken(&self, resident: &Resident, mail: &Mail) {
        resident.letters.set(resident.letters.get() - 1);
        self.letters.set(self.letters.get() - 1);
        if matches!(mail, Mail::Command(_)) {
            resident.commands.set(resident.commands.get() - 1);
        }
    }
    /// The actor of an entity; started where there is none, or where it died.
    pub(crate) fn resident(self: &Rc<Self>, entity: &EntityKey) -> Rc<Resident> {
        if let Some(resident) = self.by_entity.borrow().get(entity)
            && resident.addr.get().is_some_and(crate::resident::AnyAddr::connected)
        {
            return Rc::clone(resident);
        }
        self.bury(entity);
        self.start(entity)
    }
    pub(crate) fn awake(&self, entity: &EntityKey) -> Option<Rc<Resident>> {
        self.by_entity.borrow().get(entity).cloned()
    }
    fn start(self: &Rc<Self>, entity: &EntityKey) -> Rc<Resident> {
        let now = self.turn_at();
        let made = |key| Rc::new(Resident::new(entity.clone(), key, now));
        let key = self.residents.borrow_mut().insert_with(made);
        let resident = self.residents.borrow().get(key).map(Rc::clone);
        let resident = resident.unwrap_or_else(|| made(key));
        self.by_entity.borrow_mut().insert(entity.clone(), Rc::clone(&resident));
        match entity.kind {
            EntityKind::Account => self.start_actor::<tongdao_domain::account::Account>(&resident),
            EntityKind::Gate => self.start_actor::<tongdao_domain::gate::Gate>(&resident),
            EntityKind::Station => self.start_actor::<tongdao_domain::station::Station>(&resident),
            EntityKind::Medium => self.start_actor::<tongdao_domain::medium::Medium>(&resident),
            EntityKind::Device => self.start_actor::<tongdao_domain::device::Device>(&resident),
            EntityKind::Audit => self.start_actor::<tongdao_domain::audit::Audit>(&resident),
            EntityKind::User => self.start_actor::<tongdao_domain::user::User>(&resident),
            EntityKind::Alarm => self.start_actor::<tongdao_domain::alarm::Alarm>(&resident),
            EntityKind::Approval => self.start_actor::<tongdao_domain::approval::Approval>(&resident),
            EntityKind::DenyList => self.start_actor::<tongdao_domain::deny::DenyList>(&resident),
            EntityKind::Doubtful => self.start_actor::<tongdao_domain::doubtful::Doubtful>(&resident),
        }
        resident
    }
    fn start_actor<M: Kind>(self: &Rc<Self>, resident: &Rc<Resident>) {
        ActorStarted { kind: resident.entity.kind.name() }.emit();
        let addr = EntityActor::<M>::new(Rc::clone(self), Rc::clone(resident)).start();
        let _ = resident.addr.set(M::address(addr));
    }
    /// An actor that died with letters in its mailbox: what it held is no longer counted.
    fn bury(&self, entity: &EntityKey) {
        let Some(dead) = self.by_entity.borrow_mut().remove(entity) else { return };
        self.residents.borrow_mut().remove(dead.key);
        self.letters.set(self.letters.get().saturating_sub(dead.letters.get() as usize));
        self.unanswered.set(self.unanswered.get().saturating_sub(dead.commands.get() as usize));
        self.figures().panics(1);
        ActorStopped { kind: entity.kind.name(), why: "respawned" }.emit();
        CommandsLost { entity: &entity.to_string(), count: u64::from(dead.commands.get()) }.emit();
    }
    /// The entity goes to sleep.
    pub(crate) fn retire(&self, resident: &Resident) {
        self.by_entity.borrow_mut().remove(&resident.entity);
        self.residents.borrow_mut().remove(resident.key);
        self.figures().passivated(1);
        ActorStopped { kind: resident.entity.kind.name(), why: "passivated" }.emit();
    }
    pub(crate) fn via(&self, resident: &Resident) -> Via {
        Via { cell: u32::try_from(self.index).unwrap_or(u32::MAX), resident: resident.key }
    }

    // ---- the journal

    /// Hands a commit over; behind what its full queue gave back, if anything.
    pub(crate) fn commit(&self, resident: &Rc<Resident>, ticket: Ticket, commit: Commit) {
        let key = self.tickets.borrow_mut().insert_with(|_| InFlight { resident: Rc::clone(resident), ticket });
        self.committing.borrow_mut().push_back(self.turn_at());
        let mut overflow = self.overflow.borrow_mut();
        if !overflow.is_empty() {
            return overflow.push_back((key.to_u64(), Box::new(commit)));
        }
        drop(overflow);
        if let Err(back) = self.journal.submit(self.index, key.to_u64(), commit) {
            self.overflow.borrow_mut().push_back((key.to_u64(), back));
            self.shared.ports[self.index].inbox.wake();
        }
    }
    /// Tries again what the journal gave back; `false` = it is still full.
    pub(crate) fn retry_overflow(&self) -> bool {
        while let Some((ticket, commit)) = { self.overflow.borrow_mut().pop_front() } {
            if let Err(back) = self.journal.submit(self.index, ticket, *commit) {
                self.overflow.borrow_mut().push_front((ticket, back));
                return false;
            }
        }
        true
    }
    /// Hands the outcomes of a group to the actors that wait for them.
    pub(crate) fn outcomes(&self, outcomes: Vec<(Ticket, Outcome)>) {
        for (ticket, outcome) in outcomes {
            let Some(InFlight { resident, ticket }) = self.tickets.borrow_mut().remove(Key::from_u64(ticket)) else { continue };
            self.committing.borrow_mut().pop_front();
            self.send(&resident, Mail::Outcome { ticket, outcome });
        }
    }
    pub(crate) fn checkpoint(&self, entity: &EntityKey, version: u64, state: Vec<u8>) {
        self.journal.checkpoint(entity, version, state);
    }
    #[must_use]
    pub(crate) fn load(&self, resident: &Resident) -> bool {
        self.figures().loads(1);
        self.readers.read(Job::Load { cell: self.index, resident: resident.key, entity: resident.entity.clone() })
    }

    // ---- faults

    /// A waiter was dropped without an answer. May be called while a panic unwinds.
    pub(crate) fn lost(&self, command_id: CommandId, address: Address, at_work: bool) {
        self.answered_one();
        if let Ok(mut lost) = self.lost.try_borrow_mut() {
            lost.push(Lost { command_id, address, at_work });
        }
    }
    /// An actor panicked: answers what was lost in it; was there a command to blame?
    pub(crate) fn panicked(self: &Rc<Self>, entity: &EntityKey) -> bool {
        self.figures().panics(1);
        let lost = std::mem::take(&mut *self.lost.borrow_mut());
        let mut blamed = false;
        for Lost { command_id, address, at_work } in lost {
            if at_work {
                blamed = true;
                self.blame(entity, &command_id);
            }
            self.answer(address, command_id, Busy::Unreadable.reply());
        }
        blamed
    }
    fn blame(&self, entity: &EntityKey, command_id: &CommandId) {
        let verdict = self.panics.borrow_mut().count(command_id);
        tracing::error!(%entity, %command_id, ?verdict, "an actor panicked on a command");
        if verdict == Verdict::GiveUp {
            self.figures().dead_letters(1);
            let attempts = u32::from(self.shared.limits.panics_per_command_max);
            CommandPoisoned { entity: &entity.to_string(), command_id: command_id.as_str(), attempts }.emit();
            self.shared.dead_letter(entity, command_id, "its entity panicked on it too often");
        }
    }
    /// Answers what was dropped outside of a panic; none in a healthy shell.
    pub(crate) fn answer_lost(self: &Rc<Self>) {
        let lost = std::mem::take(&mut *self.lost.borrow_mut());
        for Lost { command_id, address, .. } in lost {
            self.answer(address, command_id, Busy::Unreadable.reply());
        }
    }
    pub(crate) fn quarantine(&self, resident: &Resident, reason: &str) {
        EntityQuarantined { entity: &resident.entity.to_string(), cause: reason }.emit();
        if resident.quarantine.borrow_mut().replace(reason.into()).is_none() {
            self.quarantined.set(self.quarantined.get() + 1);
        }
    }

    // ---- counts

    /// One delivered command is answered, or has left the cell.
    pub(crate) fn answered_one(&self) {
        self.unanswered.set(self.unanswered.get().saturating_sub(1));
        if self.stalled.replace(false) {
            self.shared.ports[self.index].inbox.wake();
        }
    }
    pub(crate) fn figures(&self) -> &crate::shared::Figures {
        &self.shared.ports[self.index].figures
    }
    /// Delivered and not yet answered, those included that wait for an owner to be read.
    pub(crate) fn unanswered(&self) -> usize {
        self.unanswered.get() + self.owners.borrow().waiting()
    }
    pub(crate) fn committing(&self) -> usize {
        self.committing.borrow().len()
    }
    /// Nothing is delivered, in a mailbox or in the journal's hands.
    pub(crate) fn is_quiet(&self) -> bool {
        self.unanswered() == 0 && self.letters.get() == 0 && self.committing() == 0
    }
}
