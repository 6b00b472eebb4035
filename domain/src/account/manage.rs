//! Opening, media, money from outside, freezing: what staff and imports do to an account.
use super::state::{Account, Holder};
use super::{Event, WalletClass};
use crate::device::By;
use crate::id::Token;
use crate::ledger::{LedgerAccount, transfer};
use crate::machine::{Context, Decision, RefusalCode, Reply};
use crate::money::{Amount, Currency};
use crate::tap::MediumKind;
use compact_str::CompactString;

/// Media of one account at most, those that were let go included.
pub const MEDIA_MAX: usize = 64;

/// What an account is to be opened as.
pub(super) struct Opening<'a> {
    pub(super) class: WalletClass,
    pub(super) passenger_class: &'a CompactString,
    pub(super) balance: Amount,
    pub(super) currency: Currency,
    pub(super) by: &'a By,
}

fn commit(event: Event) -> Decision<Event> {
    Decision::Commit { events: vec![event], reply: Reply::Done }
}
const UNCHANGED: Decision<Event> = Decision::Ask { otherwise: Reply::Done };

impl Account {
    pub(super) fn decide_open(&self, context: &Context<'_>, opening: &Opening<'_>) -> Decision<Event> {
        if let Some(holder) = &self.holder {
            return contradiction(holder, opening).map_or(UNCHANGED, |field| {
                Decision::refuse(RefusalCode::Contradicts, format!("the account was opened with another {field}"))
            });
        }
        if opening.balance.is_negative() {
            return Decision::refuse(RefusalCode::BadArgs, "an opening balance is not negative");
        }
        if above_limit(context, opening.class, opening.balance) {
            return Decision::refuse(RefusalCode::BadArgs, "the opening balance is above what the wallet class may hold");
        }
        let mut tables = context.world.fares.values().peekable();
        if tables.peek().is_some() && !tables.any(|table| table.currency == opening.currency) {
            return Decision::refuse(RefusalCode::BadArgs, format!("no fare table is in {}", opening.currency));
        }
        let known = |version: &crate::fare::FareVersion| version.knows(opening.passenger_class);
        let mut versions = context.world.fares.values().flat_map(|table| &table.versions).peekable();
        if versions.peek().is_some() && !versions.any(known) {
            return Decision::refuse(RefusalCode::BadArgs, format!("no fare table knows the passenger class {}", opening.passenger_class));
        }
        commit(Event::Opened {
            class: opening.class,
            passenger_class: opening.passenger_class.clone(),
            currency: opening.currency,
            legs: transfer(LedgerAccount::Funding, LedgerAccount::Rider, opening.balance),
            by: opening.by.clone(),
        })
    }

    pub(super) fn decide_link(&self, token: &Token, kind: MediumKind, by: &By) -> Decision<Event> {
        if self.holder.is_none() {
            return not_found();
        }
        let known = self.media.iter().find(|medium| medium.token == *token);
        match known {
            Some(medium) if medium.unlinked => {}
            Some(medium) if medium.kind == kind => return UNCHANGED,
            Some(_) => return Decision::refuse(RefusalCode::Contradicts, "the medium is linked with another medium_kind"),
            None if self.media.len() >= MEDIA_MAX => return Decision::refuse(RefusalCode::WrongState, "the account has too many media"),
            None => {}
        }
        commit(Event::Linked { token: token.clone(), kind, by: by.clone() })
    }

    pub(super) fn decide_unlink(&self, token: &Token, by: &By) -> Decision<Event> {
        if self.linked(token).is_none() {
            return UNCHANGED;
        }
        commit(Event::Unlinked { token: token.clone(), by: by.clone() })
    }

    pub(super) fn decide_credit(&self, context: &Context<'_>, amount: Amount, by: &By) -> Decision<Event> {
        let Some(holder) = &self.holder else { return not_found() };
        if amount.is_zero() || amount.is_negative() {
            return Decision::refuse(RefusalCode::BadArgs, "a credit is more than nothing");
        }
        if above_limit(context, holder.class, self.balance + amount) {
            return Decision::refuse(RefusalCode::WrongState, "the balance would be above what the wallet class may hold");
        }
        commit(Event::Credited { legs: transfer(LedgerAccount::Funding, LedgerAccount::Rider, amount), by: by.clone() })
    }

    pub(super) fn decide_freeze(&self, freeze: bool, by: &By) -> Decision<Event> {
        let by = by.clone();
        match (&self.holder, self.frozen == freeze) {
            (None, _) => not_found(),
            (_, true) => UNCHANGED,
            (_, false) => commit(if freeze { Event::Frozen { by } } else { Event::Unfrozen { by } }),
        }
    }
}

fn not_found() -> Decision<Event> {
    Decision::refuse(RefusalCode::NotFound, "no such account")
}

fn above_limit(context: &Context<'_>, class: WalletClass, balance: Amount) -> bool {
    context.world.limits.of(class).balance.is_some_and(|limit| balance > limit)
}

/// The first field in which an account was opened otherwise.
fn contradiction(holder: &Holder, opening: &Opening<'_>) -> Option<&'static str> {
    match () {
        () if holder.class != opening.class => Some("class"),
        () if holder.passenger_class != *opening.passenger_class => Some("passenger_class"),
        () if holder.currency != opening.currency => Some("currency"),
        () if holder.opening != opening.balance => Some("balance"),
        () => None,
    }
}
