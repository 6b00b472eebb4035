//! The service desk: `journey.adjust`, `medium.find`, `medium.unfreeze`.
use super::{Answer, Channel, Job, done, refused};
use tongdao_actors::state::EntityState;
use tongdao_domain::account::{Account, Command};
use tongdao_domain::device::By;
use tongdao_domain::fare::Rule;
use tongdao_domain::id::{AccountId, Token};
use tongdao_domain::journey::{Fact, Journey, Stop, Told, journeys};
use tongdao_domain::machine::Reply;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::world::World;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::{JourneyAdjustArgs, MediumFindArgs, MediumUnfreezeArgs};
use tongdao_protocol::console::result as wire;
use tongdao_protocol::console::strict::BadArgs;
use tongdao_protocol::money::Money;

impl Job<'_> {
    pub(super) async fn journey_adjust(&self, args: &JourneyAdjustArgs) -> Answer {
        let reply = self.ask((&args.account).into(), adjustment(args, &self.by)).await?;
        let fare = if let Reply::Adjusted { fare } = reply { fare } else { Amount::default() };
        done(&wire::Adjusted { fare: Money::of(fare, Currency::CNY) }, Some(Channel::Audit))
    }

    /// Whoever looks at a customer's journeys stands in the audit, or sees nothing.
    pub(super) async fn medium_find(&self, args: &MediumFindArgs) -> Answer {
        let medium = args.token.as_str().split('.').next().unwrap_or_default();
        let token = Token::new(medium).map_err(|_| ErrorBody::from(&BadArgs::bad("token", "a medium's token")))?;
        let id = self.owner(&token).await?;
        let account = self.account(&id).await?;
        let world = self.console.backend().world_now().await.map_err(|_| ErrorBody::new(Code::Busy))?;
        let found = found(&id, &account, &world, self.console.now()).ok_or_else(|| refused(Code::NotFound, "no such account"))?;
        if !self.console.note(&self.by.user, "medium.find", &format!("account/{id}"), "").await {
            return Err(Code::Busy.into());
        }
        done(&found, None)
    }

    pub(super) async fn medium_unfreeze(&self, args: &MediumUnfreezeArgs) -> Answer {
        let account = self.owner(&args.token).await?;
        self.ask((&account).into(), Command::Unfreeze { by: self.by.clone() }).await?;
        done(&wire::Nothing {}, Some(Channel::Audit))
    }

    async fn owner(&self, token: &Token) -> Result<AccountId, ErrorBody> {
        let EntityState::Medium(medium) = self.state(&token.into()).await? else { return Err(Code::Internal.into()) };
        medium.owner.ok_or_else(|| refused(Code::NotFound, "no account has this medium"))
    }

    pub(super) async fn account(&self, id: &AccountId) -> Result<Account, ErrorBody> {
        let EntityState::Account(account) = self.state(&id.into()).await? else { return Err(Code::Internal.into()) };
        Ok(account)
    }
}

/// The account's command.
pub(super) fn adjustment(args: &JourneyAdjustArgs, by: &By) -> Command {
    Command::Adjust { kind: args.kind.into(), station: args.station.clone(), at: args.at.map(|at| at.0), by: by.clone() }
}

fn found(id: &AccountId, account: &Account, world: &World, now: tongdao_domain::time::Timestamp) -> Option<wire::Found> {
    let view = account.view(id.as_str(), now, world)?;
    let (mut walked, _) = journeys(&account.facts, &account.rules(world));
    walked.reverse();
    let money = |amount| Money::of(amount, view.currency);
    let postings = view.postings.iter().rev().map(|posting| wire::FoundPosting {
        reference: posting.reference.0.to_string(),
        command_id: posting.command_id.to_string(),
        // As people read an account: negative = charged.
        amount: money(-posting.amount),
        state: word(&posting.state),
        at: posting.at.into(),
    });
    Some(wire::Found {
        account: id.to_string(),
        class: u8::from(view.class).to_string(),
        passenger_class: view.passenger_class.to_string(),
        state: if view.frozen { "frozen" } else { "open" }.to_owned(),
        balance: money(view.balance),
        held: money(view.held),
        journey: view.journey.as_ref().map(|journey| of_journey(journey, world, view.currency)),
        taps: account.facts.iter().rev().map(|fact| of_tap(fact, &walked, view.currency)).collect(),
        journeys: walked.iter().map(|journey| of_journey(journey, world, view.currency)).collect(),
        postings: postings.collect(),
    })
}

fn of_journey(journey: &Journey, world: &World, currency: Currency) -> wire::FoundJourney {
    let stop = |stop: &Stop| wire::Stop { station: stop.station.to_string(), at: stop.at.into() };
    wire::FoundJourney {
        id: journey.id.to_string(),
        entry: journey.entry.as_ref().map(stop),
        exit: journey.exit.as_ref().map(stop),
        fare: Some(Money::of(journey.fare(), currency)),
        state: word(&journey.state),
        rule: journey.rule.as_ref().map(|rule| of_rule(rule, journey, world)),
    }
}

/// The table is the one of the place and moment at which the journey was priced: its exit, or its entry where none came.
fn of_rule(rule: &Rule, journey: &Journey, world: &World) -> wire::FoundRule {
    let (kind, cap) = match rule {
        Rule::Cap(name) => ("cap".to_owned(), Some(name.to_string())),
        rule => (rule.to_string(), None),
    };
    let station = |stop: &Stop| world.stations.get(&stop.station);
    let priced = journey.exit.as_ref().or(journey.entry.as_ref()).filter(|_| *rule != Rule::Waived);
    let site = priced.and_then(station).and_then(|station| world.sites.get(&station.site));
    let table = site.and_then(|site| world.fares.get_key_value(&site.fares));
    let version = table.zip(priced).and_then(|((_, table), stop)| table.at(stop.at));
    wire::FoundRule { kind, cap, table: table.map(|(id, _)| id.to_string()), since: version.map(|version| version.from.into()) }
}

fn of_tap(fact: &Fact, walked: &[Journey], currency: Currency) -> wire::FoundTap {
    let ends = walked.iter().find(|journey| journey.exit.as_ref().is_some_and(|exit| exit.tap == fact.tap));
    wire::FoundTap {
        code: match fact.told {
            Told::Open => Some("OK".to_owned()),
            Told::Waived => Some("WAIVED_BY_MODE".to_owned()),
            Told::Deny | Told::Nothing => None,
        },
        fare: ends.map(|journey| Money::of(journey.fare(), currency)),
        ..crate::evidence::found(fact)
    }
}

/// A word of the domain, as it spells it.
fn word(of: &impl serde::Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
