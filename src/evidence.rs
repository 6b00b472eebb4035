//! What speaks for and against a doubtful record beside what its gate said: the account of its medium, the same tap as that
//! account has it, and its taps around. Only looked up, at the moment somebody asks.
use tongdao_actors::door::Door;
use tongdao_actors::request::Busy;
use tongdao_actors::state::EntityState;
use tongdao_domain::account::Account;
use tongdao_domain::doubtful::Entry;
use tongdao_domain::id::{AccountId, Token};
use tongdao_domain::journey::{Fact, Passed};
use tongdao_domain::time::Millis;
use tongdao_protocol::console::doubtful::{DoubtfulEvidence, DoubtfulItem};
use tongdao_protocol::console::result::FoundTap;
use tongdao_protocol::gate::Shown;

/// Taps around it, at most.
const NEAR_MAX: usize = 12;
/// So far before and after it.
const NEAR: Millis = Millis::hours(2);

/// The evidence about a doubtful record.
///
/// # Errors
/// The node is too busy to say.
pub async fn of(door: &Door, name: &str, entry: &Entry) -> Result<DoubtfulEvidence, Busy> {
    let item = DoubtfulItem::of(name, entry);
    let token = entry.case.record.medium.as_ref().map(|medium| &medium.token);
    let owner = match token {
        Some(token) => owner(door, token).await?,
        None => None,
    };
    let Some(owner) = owner else { return Ok(DoubtfulEvidence { item, account: None, known: None, near: Vec::new() }) };
    let EntityState::Account(account) = door.query(&(&owner).into()).await? else {
        return Ok(DoubtfulEvidence { item, account: Some(owner.to_string()), known: None, near: Vec::new() });
    };
    let (known, near) = looked_up(entry, &account);
    Ok(DoubtfulEvidence { item, account: Some(owner.to_string()), known, near })
}

async fn owner(door: &Door, token: &Token) -> Result<Option<AccountId>, Busy> {
    match door.query(&token.into()).await? {
        EntityState::Medium(medium) => Ok(medium.owner),
        _ => Ok(None),
    }
}

fn looked_up(entry: &Entry, account: &Account) -> (Option<FoundTap>, Vec<FoundTap>) {
    let (tap, at) = (&entry.case.record.tap, entry.case.travelled());
    let mine = |fact: &&Fact| fact.tap == *tap && !fact.by_desk;
    let around = |fact: &&Fact| !mine(fact) && (fact.at - at).abs() <= NEAR;
    let known = account.facts.iter().find(mine).map(found);
    (known, account.facts.iter().filter(around).take(NEAR_MAX).map(found).collect())
}

/// A tap as an account has it: what was answered and what it cost stands in no fact alone.
pub fn found(fact: &Fact) -> FoundTap {
    FoundTap {
        id: fact.tap.to_string(),
        device: fact.tap.device.to_string(),
        station: Some(fact.station.to_string()),
        direction: fact.direction.into(),
        at: fact.at.into(),
        result: if fact.opened() { Shown::Open } else { Shown::Deny },
        code: None,
        fare: None,
        passage: match fact.passed {
            Passed::Yes => Some("passed".to_owned()),
            Passed::No => Some("not_passed".to_owned()),
            Passed::Unknown => None,
        },
    }
}
