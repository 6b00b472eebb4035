//! A medium's token: claimed by one account at a time, so that two accounts never hold one token.
use crate::entity::EntityKind;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::AccountId;
use crate::machine::{Context, Decision, Machine, RefusalCode, Reply};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What may be asked of a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Take it for an account; refused (`TAKEN`) while another holds it.
    Claim {
        /// The account.
        owner: AccountId,
    },
    /// Let it go; refused where another holds it.
    Release {
        /// The account.
        owner: AccountId,
    },
}

/// What can have happened to a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It is held by the account.
    Claimed {
        /// The account.
        owner: AccountId,
    },
    /// It is held by nobody.
    Released {
        /// Who held it.
        owner: AccountId,
    },
}

/// A medium.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    /// Who holds it.
    pub owner: Option<AccountId>,
}

impl Machine for Medium {
    const KIND: EntityKind = EntityKind::Medium;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decision<Event> {
        let (Command::Claim { owner } | Command::Release { owner }) = command;
        if self.owner.as_ref().is_some_and(|holder| holder != owner) {
            return Decision::refuse(RefusalCode::Taken, format!("another account holds the medium {}", context.me.id));
        }
        let event = match (command, &self.owner) {
            (Command::Claim { .. }, Some(_)) | (Command::Release { .. }, None) => return Decision::Ask { otherwise: Reply::Done },
            (Command::Claim { .. }, None) => Event::Claimed { owner: owner.clone() },
            (Command::Release { .. }, Some(_)) => Event::Released { owner: owner.clone() },
        };
        Decision::Commit { events: vec![event], reply: Reply::Done }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event {
            Event::Claimed { owner } => self.owner = Some(owner.clone()),
            Event::Released { .. } => self.owner = None,
        }
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        match command {
            Command::Claim { owner } => Fingerprinter::new("medium.claim").text(owner.as_str()).finish(),
            Command::Release { owner } => Fingerprinter::new("medium.release").text(owner.as_str()).finish(),
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Claimed { .. } => "medium.claimed",
            Event::Released { .. } => "medium.released",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Actor;

    fn account(id: &str) -> AccountId {
        AccountId::new(id).expect("an id")
    }

    #[test]
    fn two_accounts_never_hold_one_token() {
        let mut medium = Actor::<Medium>::new("t1");
        assert_eq!(medium.ask(Command::Claim { owner: account("a1") }), Reply::Done);
        assert!(matches!(medium.ask(Command::Claim { owner: account("a2") }), Reply::Refused(r) if r.code == RefusalCode::Taken));
        assert!(matches!(medium.ask(Command::Release { owner: account("a2") }), Reply::Refused(r) if r.code == RefusalCode::Taken));
        assert_eq!(medium.state.owner, Some(account("a1")));
        assert_eq!(medium.ask(Command::Release { owner: account("a1") }), Reply::Done);
        assert_eq!(medium.ask(Command::Claim { owner: account("a2") }), Reply::Done);
        assert_eq!(medium.state.owner, Some(account("a2")));
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let mut medium = Actor::<Medium>::new("t1");
        assert_eq!(medium.ask(Command::Release { owner: account("a1") }), Reply::Done);
        medium.ask(Command::Claim { owner: account("a1") });
        assert_eq!(medium.ask(Command::Claim { owner: account("a1") }), Reply::Done);
        assert_eq!(medium.events.len(), 1);
        assert_ne!(
            Medium::fingerprint(&Command::Claim { owner: account("a1") }),
            Medium::fingerprint(&Command::Release { owner: account("a1") })
        );
    }
}
