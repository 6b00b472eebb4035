//! Where commands and answers go: to the entity, to the owner of a medium, back to who asked, across cells. What comes back
//! for something owed becomes the command that strikes it off.
use std::rc::Rc;

use tongdao_domain::account;
use tongdao_domain::creditor::struck;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate;
use tongdao_domain::id::{AccountId, CommandId, DeviceId, Token};
use tongdao_domain::machine::{Command, Owed, OwedWhat, Recipient, Refusal, RefusalCode, Reply};
use tongdao_telemetry::OwedSent;

use crate::inner::Inner;
use crate::mail::{Address, Creditor, Delivery, Knock, Mail, Note, ReplyTo, Via};
use crate::owners::{Answer, Known, Wait};
use crate::reader::Job;
use crate::request::{Busy, Lane, ReplySlot, busy_reply};
use crate::resident::Resident;

/// A command that waits until the owner of its medium is read.
pub(crate) type Seeking = Delivery;

/// Answers for other cells, gathered until the end of the turn.
#[derive(Debug)]
pub(crate) struct Outbox(Vec<Vec<(ReplySlot, Reply)>>);

impl Outbox {
    pub(crate) fn new(cells: usize) -> Self {
        Self((0..cells).map(|_| Vec::new()).collect())
    }
}

impl Inner {
    // ---- commands

    /// Passes a command on.
    pub(crate) fn route(self: &Rc<Self>, to: Recipient, delivery: Delivery) {
        match to {
            Recipient::Entity(entity) => self.hand(&entity, delivery),
            Recipient::OwnerOf(token) => self.to_owner(&token, delivery),
            Recipient::Device(_) => self.refuse(delivery, RefusalCode::BadArgs, "a device decides nothing"),
        }
    }
    /// To an entity in whichever cell; the second half of a command that was taken in already is not refused here.
    fn hand(self: &Rc<Self>, entity: &EntityKey, delivery: Delivery) {
        let target = self.shared.cell_of(entity);
        if target == self.index {
            return self.deliver(entity, delivery);
        }
        let lane = Lane::of(&delivery.command);
        let knock = Knock::Command { entity: entity.clone(), delivery, received: self.now() };
        if let Err((busy, Knock::Command { delivery, .. })) = self.shared.knock(target, lane, knock) {
            self.shared.turned_away(self.index, lane, busy);
            self.busy(delivery, busy);
        }
    }
    pub(crate) fn to_owner(self: &Rc<Self>, token: &Token, delivery: Delivery) {
        let known = self.owners.borrow_mut().known(token);
        match known {
            Known::Owner(account) => self.hand(&EntityKey::from(&account), delivery),
            Known::Nobody => self.ownerless(delivery),
            Known::Unread => self.read_owner(token, delivery),
        }
    }
    fn read_owner(self: &Rc<Self>, token: &Token, delivery: Delivery) {
        let (wait, back) = self.owners.borrow_mut().wait(token, delivery);
        match (wait, back) {
            (Wait::Read, _) => self.ask_owner(token),
            (Wait::Full, Some(delivery)) => self.busy(delivery, Busy::Full),
            (Wait::Joined | Wait::Full, _) => {}
        }
    }
    fn ask_owner(self: &Rc<Self>, token: &Token) {
        if !self.readers.read(Job::Owner { cell: self.index, token: token.clone() }) {
            self.owner_unread(token);
        }
    }
    /// The owner of a medium was read.
    pub(crate) fn owner_read(self: &Rc<Self>, token: &Token, owner: Result<Option<AccountId>, String>) {
        let owner = match owner {
            Ok(owner) => owner,
            Err(error) => {
                tracing::error!(%error, "the owner of a medium could not be read");
                return self.owner_unread(token);
            }
        };
        let answer = self.owners.borrow_mut().read(token, owner.clone());
        match (answer, owner) {
            (Answer::ReadAgain, _) => self.ask_owner(token),
            (Answer::Serve(waiting), Some(account)) => {
                let account = EntityKey::from(&account);
                waiting.into_iter().for_each(|delivery| self.hand(&account, delivery));
            }
            (Answer::Serve(waiting), None) => waiting.into_iter().for_each(|delivery| self.ownerless(delivery)),
        }
    }
    fn owner_unread(self: &Rc<Self>, token: &Token) {
        let waiting = self.owners.borrow_mut().unread(token);
        waiting.into_iter().for_each(|delivery| self.busy(delivery, Busy::Unreadable));
    }
    /// An account says that the medium is not its own: the cell that remembered it looks again, once.
    pub(crate) fn misrouted(self: &Rc<Self>, delivery: Delivery) {
        let (Some(token), home) = (token_of(&delivery.command).cloned(), self.home(&delivery)) else {
            return self.ownerless(delivery);
        };
        if home == self.index {
            return self.look_again(&token, delivery);
        }
        self.shared.ports[home].inbox.push(Note::Misrouted { token, delivery });
    }
    /// The cell whose memory of owners sent it: the one that passed it on.
    fn home(&self, delivery: &Delivery) -> usize {
        match (&delivery.address.via, &delivery.address.to) {
            (Some(via), _) => via.cell as usize,
            (None, ReplyTo::Creditor(creditor)) => self.shared.cell_of(&creditor.entity),
            (None, _) => self.index,
        }
    }
    pub(crate) fn look_again(self: &Rc<Self>, token: &Token, mut delivery: Delivery) {
        if delivery.address.looked_again {
            return self.ownerless(delivery);
        }
        delivery.address.looked_again = true;
        self.owners.borrow_mut().forget(token);
        self.read_owner(token, delivery);
    }
    /// No account has the medium: the gate refuses the tap, a record is doubtful, anything else is not found.
    fn ownerless(self: &Rc<Self>, delivery: Delivery) {
        let Delivery { command_id, command, if_rev, address } = delivery;
        match command {
            Command::Account(account::Command::Tap { tap, .. }) => {
                let gate = EntityKey::gate(&tap.id.device);
                let address = Address { via: None, ..address };
                self.hand(&gate, Delivery { command_id, command: gate::Command::Unresolved { tap }.into(), if_rev, address });
            }
            command => {
                let delivery = Delivery { command_id, command, if_rev, address };
                self.refuse(delivery, RefusalCode::NotFound, "no account has this medium");
            }
        }
    }
    fn refuse(self: &Rc<Self>, delivery: Delivery, code: RefusalCode, hint: &str) {
        self.answer(delivery.address, delivery.command_id, Refusal::reply(code, hint));
    }
    /// Answers a command that was taken in but cannot be served now.
    pub(crate) fn busy(self: &Rc<Self>, delivery: Delivery, why: Busy) {
        let reply = busy_reply(&delivery.command, why, self.now());
        self.answer(delivery.address, delivery.command_id, reply);
    }

    // ---- what is owed

    /// Sends something owed: to an entity under its own id, to a device by whoever holds its link.
    pub(crate) fn send_owed(self: &Rc<Self>, from: &Resident, owed: Owed) {
        let again = self.now() - owed.since >= self.world().settings.owed_again;
        OwedSent { again }.emit();
        if let Recipient::Device(device) = &owed.to {
            return self.tell_owed(&device.clone(), owed);
        }
        if self.errands.borrow().is_empty() {
            self.shared.ports[self.index].inbox.wake();
        }
        self.errands.borrow_mut().add(&from.entity, owed);
    }
    /// Lets some of what is owed to entities go out.
    pub(crate) fn run_errands(self: &Rc<Self>) {
        if self.errands.borrow().is_empty() {
            return;
        }
        let out = self.errands.borrow_mut().next(self.committing());
        for (creditor, owed) in out {
            let Owed { id, to, what: OwedWhat::Command(command), .. } = owed else { continue };
            let creditor = Creditor { entity: creditor, owed: id.clone() };
            let address = Address::direct(ReplyTo::Creditor(Box::new(creditor)));
            self.route(to, Delivery { command_id: id, command: *command, if_rev: None, address });
        }
    }
    fn tell_owed(&self, device: &DeviceId, owed: Owed) {
        for (_, port) in self.shared.ports.iter().enumerate().filter(|(cell, _)| *cell != self.index) {
            port.inbox.push(Note::Owed { device: device.clone(), owed: owed.clone() });
        }
        self.tell_owed_here(device, &owed);
    }
    pub(crate) fn tell_owed_here(&self, device: &DeviceId, owed: &Owed) {
        let followers = self.owed_followers.borrow().clone();
        followers.iter().for_each(|follower| follower(device, owed));
    }
    fn strike(self: &Rc<Self>, creditor: &Creditor, reply: &Reply) {
        let Some((command_id, command)) = struck(&creditor.entity, &creditor.owed, reply) else { return };
        self.hand(&creditor.entity, Delivery { command_id, command, if_rev: None, address: Address::direct(ReplyTo::Nobody) });
    }

    // ---- answers

    /// Sends an answer back; whoever passed the command on hears it first.
    pub(crate) fn answer(self: &Rc<Self>, address: Address, command_id: CommandId, reply: Reply) {
        // A gate's memory of its aisle is all that hears answers; switched off, there is nothing to hear.
        if let Some(via) = address.via
            && self.world().settings.riders_max > 0
        {
            self.tell_via(via, command_id, &reply);
        }
        match address.to {
            ReplyTo::Slot(slot) if slot.cell as usize == self.index => self.reply_here(slot, reply),
            ReplyTo::Slot(slot) => self.reply_there(slot, reply),
            ReplyTo::Once(asker) => {
                if asker.send(reply).is_err() {
                    self.figures().replies_dropped(1);
                }
            }
            ReplyTo::Creditor(creditor) => self.strike(&creditor, &reply),
            ReplyTo::Nobody => {}
        }
    }
    fn tell_via(&self, via: Via, command_id: CommandId, reply: &Reply) {
        let reply = reply.clone();
        if via.cell as usize == self.index {
            return self.answered_via(via.resident, command_id, reply);
        }
        if let Some(port) = self.shared.ports.get(via.cell as usize) {
            port.inbox.push(Note::Answered { resident: via.resident, command_id, reply });
        }
    }
    pub(crate) fn answered_via(&self, resident: crate::slots::Key, command_id: CommandId, reply: Reply) {
        let resident = self.residents.borrow().get(resident).map(Rc::clone);
        if let Some(resident) = resident {
            self.send(&resident, Mail::Answered { command_id, reply });
        }
    }
    pub(crate) fn reply_here(&self, slot: ReplySlot, reply: Reply) {
        let key = crate::slots::Key { index: slot.slot, generation: slot.generation };
        let sink = self.sinks.borrow().get(key).map(Rc::clone);
        match sink {
            Some(sink) => sink(slot.cookie, reply),
            None => self.figures().replies_dropped(1),
        }
    }
    fn reply_there(&self, slot: ReplySlot, reply: Reply) {
        if let Some(replies) = self.outbox.borrow_mut().0.get_mut(slot.cell as usize) {
            if replies.is_empty() {
                self.shared.ports[self.index].inbox.wake();
            }
            replies.push((slot, reply));
        }
    }
    /// Sends the gathered answers to their cells.
    pub(crate) fn flush(&self) {
        for (cell, replies) in self.outbox.borrow_mut().0.iter_mut().enumerate() {
            if !replies.is_empty() {
                self.shared.ports[cell].inbox.push(Note::Replies(std::mem::take(replies)));
            }
        }
    }
}

/// The medium that a command for an account names.
fn token_of(command: &Command) -> Option<&Token> {
    match command {
        Command::Account(account::Command::Tap { tap, .. }) => Some(&tap.medium.token),
        Command::Account(account::Command::Record { record, .. }) => record.medium.as_ref().map(|medium| &medium.token),
        Command::Account(account::Command::Accept(accepted)) => accepted.record.medium.as_ref().map(|medium| &medium.token),
        _ => None,
    }
}
