//! What an account has the deny list know of its media: the whole of them while it is frozen or in debt. Every change is owed to
//! the list until it has taken it; one telling is under way at a time, so that none overtakes another. Online the account
//! refuses by what it knows itself; the list is for gates that decide alone.
use super::{Account, Event, LinkedMedium};
use crate::deny::{self, Why};
use crate::entity::EntityKey;
use crate::id::{AccountId, CommandId, Token};
use crate::machine::{Context, Decision, Owed, OwedWhat, Recipient, Reply};
use crate::mutant::{Mutant, planted};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is owed after a crash is sent this long after it came to be owed; before that it is sent at once.
const SENT_AGAIN: Millis = Millis::seconds(5);

/// What the deny list is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// What it has been told: media that are denied, and why.
    pub told: BTreeMap<Token, Why>,
    /// What it is being told.
    pub telling: Option<Telling>,
    /// Number of the newest telling.
    pub number: u64,
}

/// A change that the deny list has not taken yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Media that it is to deny.
    pub deny: Vec<(Token, Why)>,
    /// Media that it is to deny no longer.
    pub allow: Vec<Token>,
    /// Since when this is owed.
    pub since: Timestamp,
}

impl Account {
    /// Why gates are not to let the account's media through; none = they are.
    pub(super) fn denied_for(&self) -> Option<Why> {
        match () {
            () if planted(Mutant::DenyNotOwed) => None,
            () if self.frozen => Some(Why::Frozen),
            () if self.balance.is_negative() => Some(Why::Debt),
            () => None,
        }
    }

    /// Why gates are not to let this medium through.
    fn why_denied(&self, medium: &LinkedMedium) -> Option<Why> {
        self.denied_for().filter(|_| !medium.unlinked)
    }

    /// After each event: is there something new to tell? Nearly always there is not, and this is two comparisons.
    pub(super) fn note_denied(&mut self, at: Timestamp) {
        if self.denied.is_none() && self.denied_for().is_none() {
            return;
        }
        let reason = |medium: &LinkedMedium| Some((medium.token.clone(), self.why_denied(medium)?));
        let wanted: BTreeMap<Token, Why> = self.media.iter().filter_map(reason).collect();
        self.denied.get_or_insert_default().want(&wanted, at);
    }

    pub(super) fn deny_told(&mut self, number: u64) {
        if let Some(denied) = self.denied.as_mut().filter(|denied| denied.number == number) {
            denied.taken();
        }
    }

    fn telling(&self) -> Option<(u64, &Telling)> {
        let denied = self.denied.as_deref()?;
        Some((denied.number, denied.telling.as_ref()?))
    }

    pub(super) fn deny_owed(&self, me: &EntityKey) -> Option<Owed> {
        let (number, Telling { deny, allow, since }) = self.telling()?;
        let account = AccountId::new(&me.id).ok()?;
        let (id, to) = (telling_id(me, number), Recipient::Entity(EntityKey::deny_list()));
        let command = deny::Command::Account { account, deny: deny.clone(), allow: allow.clone() };
        Some(Owed { id, to, what: OwedWhat::Command(Box::new(command.into())), since: *since })
    }

    pub(super) fn deny_due(&self) -> Option<Timestamp> {
        self.telling().map(|(_, telling)| telling.since + SENT_AGAIN)
    }

    pub(super) fn decide_struck(&self, context: &Context<'_>, owed: &CommandId) -> Decision<Event> {
        match self.telling().filter(|(number, _)| telling_id(context.me, *number) == *owed) {
            Some((number, _)) => Decision::Commit { events: vec![Event::DenyTold { number }], reply: Reply::Done },
            None => Decision::Ask { otherwise: Reply::Done },
        }
    }
}

fn telling_id(me: &EntityKey, number: u64) -> CommandId {
    CommandId::of(format_args!("deny/{}/{number}", me.id))
}

impl Denied {
    /// The list is to deny just these.
    fn want(&mut self, wanted: &BTreeMap<Token, Why>, at: Timestamp) {
        if self.telling.is_some() || self.told == *wanted {
            return;
        }
        let deny: Vec<_> =
            wanted.iter().filter(|(token, why)| self.told.get(*token) != Some(*why)).map(|(t, why)| (t.clone(), *why)).collect();
        let gone = |token: &&Token| !wanted.contains_key(*token) && !planted(Mutant::DeniedForEver);
        let allow: Vec<_> = self.told.keys().filter(gone).cloned().collect();
        if !(deny.is_empty() && allow.is_empty()) {
            self.number += 1;
            self.telling = Some(Telling { deny, allow, since: at });
        }
    }

    /// The list has taken the telling.
    fn taken(&mut self) {
        let Some(Telling { deny, allow, .. }) = self.telling.take() else { return };
        self.told.extend(deny);
        self.told.retain(|token, _| !allow.contains(token));
    }
}
