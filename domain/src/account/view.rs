//! What an operator sees of an account. A way of reading: "provisional" is a pending posting that has grown old, no event.
use super::state::{Account, Posted, reference};
use super::{LinkedMedium, WalletClass};
use crate::id::CommandId;
use crate::journey::{Fact, Journey, JourneyState, Standing, journeys};
use crate::money::{Amount, Currency};
use crate::tap::Reference;
use crate::time::Timestamp;
use crate::world::World;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// An account as `account show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its id.
    pub account: CompactString,
    /// Wallet class.
    pub class: WalletClass,
    /// Passenger class.
    pub passenger_class: CompactString,
    /// What its amounts are in.
    pub currency: Currency,
    /// Prepaid balance; negative = debt.
    pub balance: Amount,
    /// Held for the open journey.
    pub held: Amount,
    /// Takes no taps.
    pub frozen: bool,
    /// Its media.
    pub media: Vec<LinkedMedium>,
    /// The journey that the rider is in.
    pub journey: Option<Journey>,
    /// When that journey closes without an exit.
    pub closes_at: Option<Timestamp>,
    /// What was posted for the taps that are kept, oldest first.
    pub postings: Vec<PostingView>,
}

/// How sure a posting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingState {
    /// Approved; nobody has said yet what became of it.
    Pending,
    /// The rider passed, or the gate's record says so.
    Final,
    /// Pending for long: in journey, holds and limits, not yet in settlement.
    Provisional,
    /// Taken back by another posting, or such a taking back.
    Void,
}

/// A posting as `account show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingView {
    /// Its reference.
    pub reference: Reference,
    /// The command that caused it.
    pub command_id: CommandId,
    /// The journey it pays.
    pub journey: CompactString,
    /// What the rider pays; negative = gets back.
    pub amount: Amount,
    /// How sure it is.
    pub state: PostingState,
    /// When it was posted.
    pub at: Timestamp,
}

impl Account {
    /// What an operator sees; none = never opened.
    #[must_use]
    pub fn view(&self, account: &str, now: Timestamp, world: &World) -> Option<View> {
        let holder = self.holder.clone()?;
        let (walked, arrived) = journeys(&self.facts, &self.rules(world));
        let by_id: HashMap<&CompactString, &Journey> = walked.iter().map(|journey| (&journey.id, journey)).collect();
        let postings = self.posted.iter().map(|posted| PostingView {
            reference: reference(account, posted.number),
            command_id: self.cause(posted),
            journey: posted.journey.clone(),
            amount: posted.amount,
            state: self.posting_state(posted, by_id.get(&posted.journey).copied(), now, world),
            at: posted.at,
        });
        Some(View {
            account: account.into(),
            class: holder.class,
            passenger_class: holder.passenger_class,
            currency: holder.currency,
            balance: self.balance,
            held: self.held(),
            frozen: self.frozen,
            media: self.media.clone(),
            postings: postings.collect(),
            closes_at: arrived.open.map(|open| open.closes_at),
            journey: walked.iter().rfind(|journey| journey.state == JourneyState::Open).cloned(),
        })
    }

    /// The command that caused a posting: its own, or the tap that was answered with its number.
    fn cause(&self, posted: &Posted) -> CommandId {
        let answered = || self.facts.iter().find(|fact| fact.number == posted.number).map(|fact| fact.tap.tap_command());
        posted.cause.clone().or_else(answered).unwrap_or_else(|| CommandId::of(format_args!("tap/{}", posted.journey)))
    }

    fn posting_state(&self, posted: &Posted, journey: Option<&Journey>, now: Timestamp, world: &World) -> PostingState {
        let same = |other: &&Posted| (&other.journey, other.day, &other.operator) == (&posted.journey, posted.day, &posted.operator);
        let standing: Amount = self.posted.iter().filter(same).map(|posted| posted.amount).sum();
        let end = journey.and_then(|journey| journey.exit.as_ref().or(journey.entry.as_ref()));
        match end.filter(|_| !standing.is_zero()) {
            None => PostingState::Void,
            Some(end) => self.sureness(&end.tap, now, world),
        }
    }

    /// How sure it is that a tap (or its repetition at once) was a rider who passed.
    fn sureness(&self, tap: &crate::id::TapId, now: Timestamp, world: &World) -> PostingState {
        let Some(index) = self.facts.iter().position(|fact| fact.tap == *tap) else { return PostingState::Pending };
        let rules = self.rules(world);
        let chain = self.facts[index..].windows(2).take_while(|pair| rules.repeats(&pair[0], &pair[1])).map(|pair| &pair[1]);
        let surest = std::iter::once(&self.facts[index]).chain(chain).max_by_key(|fact| fact.standing());
        match surest.map(Fact::standing) {
            Some(Standing::Final) => PostingState::Final,
            _ if now - self.facts[index].decided_at > world.settings.provisional_after => PostingState::Provisional,
            _ => PostingState::Pending,
        }
    }
}
