//! The router: who owns a medium. A cache, a read of the medium where it misses, one more look where the account disagrees.
use super::{Inside, Server, To};
use tongdao_domain::account;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate;
use tongdao_domain::id::{AccountId, CommandId, Token};
use tongdao_domain::machine::{Command, Recipient, Refusal, RefusalCode};
use tongdao_domain::medium::Medium;
use tongdao_domain::time::Timestamp;

/// A command that waits for the owner of its medium.
pub(super) struct Routed {
    command_id: CommandId,
    command: Command,
    reply_to: Option<To>,
}

impl Server {
    pub(super) fn forward(&mut self, to: Recipient, command_id: CommandId, command: Command, reply_to: Option<To>, now: Timestamp) {
        if let Command::Account(account::Command::Tap { tap, decide_by, .. }) = &command {
            let latest = self.decide_by.entry(tap.id.clone()).or_insert(*decide_by);
            *latest = (*latest).max(*decide_by);
        }
        match to {
            Recipient::Entity(entity) => self.command(entity, command_id, command, reply_to, now),
            Recipient::OwnerOf(token) => self.route(token, Routed { command_id, command, reply_to }, now),
            Recipient::Device(_) => {}
        }
    }

    fn route(&mut self, token: Token, routed: Routed, now: Timestamp) {
        if let Some(owner) = self.owners.get(&token) {
            return self.command(EntityKey::from(owner), routed.command_id, routed.command, routed.reply_to, now);
        }
        let asking = self.asking.entry(token.clone()).or_default();
        asking.push(routed);
        if asking.len() == 1 {
            let medium: Medium = self.machine(&EntityKey::from(&token));
            self.later(now, 1, 20, Inside::Owner(token, medium.owner));
        }
    }

    pub(super) fn resolved(&mut self, token: &Token, owner: Option<AccountId>, now: Timestamp) {
        let waiting = self.asking.remove(token).unwrap_or_default();
        if let Some(owner) = &owner {
            self.owners.insert(token.clone(), owner.clone());
        }
        for routed in waiting {
            match &owner {
                Some(owner) => self.command(EntityKey::from(owner), routed.command_id, routed.command, routed.reply_to, now),
                None => self.unresolved(routed, now),
            }
        }
    }

    /// The account says that the medium is not its own: one more look, then nobody owns it.
    pub(super) fn misrouted(&mut self, command_id: CommandId, command: Command, reply_to: Option<To>, now: Timestamp) {
        let routed = Routed { command_id: command_id.clone(), command, reply_to };
        match token_of(&routed.command) {
            Some(token) if self.looked_twice.insert(command_id) => {
                self.owners.remove(&token);
                self.route(token, routed, now);
            }
            _ => self.unresolved(routed, now),
        }
    }

    fn unresolved(&mut self, routed: Routed, now: Timestamp) {
        let Routed { command_id, command, reply_to } = routed;
        match (command, reply_to) {
            (Command::Account(account::Command::Tap { tap, .. }), reply_to) => {
                let gate = EntityKey::gate(&tap.id.device);
                self.command(gate, command_id, gate::Command::Unresolved { tap }.into(), reply_to, now);
            }
            (_, Some(To::Struck { creditor, owed })) => {
                let reply = Refusal::reply(RefusalCode::NotFound, "no account has this medium");
                self.strike(creditor, &owed, &reply, now);
            }
            _ => {}
        }
    }
}

fn token_of(command: &Command) -> Option<Token> {
    match command {
        Command::Account(account::Command::Tap { tap, .. }) => Some(tap.medium.token.clone()),
        Command::Account(account::Command::Record { record, .. }) => record.medium.as_ref().map(|medium| medium.token.clone()),
        Command::Account(account::Command::Accept(accepted)) => accepted.record.medium.as_ref().map(|medium| medium.token.clone()),
        _ => None,
    }
}
