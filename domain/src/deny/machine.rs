//! The list's decisions. Every event says when the next version is due, so that a replay needs no settings.
use super::{Cause, Command, DenyList, Event, Reached, TOKENS_PER_COMMAND_MAX, Version, Why, in_words};
use crate::device::By;
use crate::entity::EntityKind;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::{AccountId, Token};
use crate::machine::{Context, Decision, Machine, RefusalCode, Reply};
use crate::mutant::{Mutant, planted};
use crate::time::Timestamp;

type Decided = Decision<Event>;

impl Machine for DenyList {
    const KIND: EntityKind = EntityKind::DenyList;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decided {
        match command {
            Command::Add { tokens, by } => self.add(context, tokens, by),
            Command::Remove { tokens, by } => self.remove(context, tokens, by),
            Command::Account { account, deny, allow } => self.account(context, account, deny, allow),
            Command::Reached(reached) => self.have_reached(reached),
            Command::Tick => self.tick_at(context),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Listed { tokens, by, due } => {
                tokens.iter().for_each(|token| self.cause(token, Cause::Desk(by.clone()), at));
                self.wait_until(*due);
            }
            Event::Unlisted { tokens, due, .. } => {
                tokens.iter().for_each(|token| {
                    self.drop_causes(token, at, |cause| matches!(cause, Cause::Desk(_)) || planted(Mutant::DeskTakesAll))
                });
                self.wait_until(*due);
            }
            Event::Account { account, deny, allow, due } => {
                deny.iter().for_each(|(token, why)| self.cause(token, Cause::Account(account.clone(), *why), at));
                allow.iter().for_each(|token| self.drop_causes(token, at, |cause| of_account(cause, account)));
                self.wait_until(*due);
            }
            Event::VersionMade { delta, count, since, forgotten, due } => {
                for token in delta.add.iter().chain(&delta.remove) {
                    self.publish(token);
                }
                self.newest = Some(Version { number: delta.to, at, since: *since, count: *count, hash: delta.hash });
                self.deltas.push_back(delta.clone());
                self.deltas.drain(..(*forgotten as usize).min(self.deltas.len()));
                self.due = due.filter(|_| !self.pending.is_empty());
            }
            Event::Reached(reached) => drop(self.reached.insert(reached.scope, reached.clone())),
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.due
    }

    fn tick() -> Option<Command> {
        Some(Command::Tick)
    }

    fn owes(_event: &Event) -> bool {
        false
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        let named = |name: &str, tokens: &[Token]| {
            let begun = Fingerprinter::new(name).count(tokens.len() as u64);
            tokens.iter().fold(begun, |print, token| print.text(token.as_str()))
        };
        match command {
            Command::Add { tokens, .. } => named("deny.add", tokens).finish(),
            Command::Remove { tokens, .. } => named("deny.remove", tokens).finish(),
            Command::Account { account, deny, allow } => {
                let begun = named("deny.account", allow).text(account.as_str());
                deny.iter().fold(begun, |print, (token, why)| print.text(token.as_str()).text(why.name())).finish()
            }
            Command::Reached(Reached { version, scope, .. }) => {
                Fingerprinter::new("deny.reached").count(*version).text(scope.name()).finish()
            }
            Command::Tick => Fingerprinter::new("deny.tick").finish(),
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Listed { .. } => "deny.listed",
            Event::Unlisted { .. } => "deny.unlisted",
            Event::Account { .. } => "deny.account",
            Event::VersionMade { .. } => "deny.version",
            Event::Reached(_) => "deny.reached",
        }
    }
}

const UNCHANGED: Decided = Decision::Ask { otherwise: Reply::Done };

fn commit(event: Event) -> Decided {
    Decision::Commit { events: vec![event], reply: Reply::Done }
}

fn of_account(cause: &Cause, account: &AccountId) -> bool {
    matches!(cause, Cause::Account(other, _) if other == account)
}

impl DenyList {
    fn add(&self, context: &Context<'_>, tokens: &[Token], by: &By) -> Decided {
        if let Some(refused) = too_many(tokens) {
            return refused;
        }
        let fresh = |token: &&Token| self.entries.get(*token).is_none_or(|entry| entry.desk().is_none());
        let mut tokens: Vec<Token> = tokens.iter().filter(fresh).cloned().collect();
        tokens.sort_unstable();
        tokens.dedup();
        if tokens.is_empty() {
            return UNCHANGED;
        }
        if let Some(refused) = self.full(context, tokens.iter()) {
            return refused;
        }
        commit(Event::Listed { tokens, by: by.clone(), due: self.next_due(context) })
    }

    fn remove(&self, context: &Context<'_>, tokens: &[Token], by: &By) -> Decided {
        if let Some(refused) = too_many(tokens) {
            return refused;
        }
        let known = |token: &&Token| self.entries.get(*token).is_some_and(super::Entry::listed);
        let mut tokens: Vec<Token> = tokens.iter().filter(known).cloned().collect();
        tokens.sort_unstable();
        tokens.dedup();
        let others = |token: &Token| {
            let entry = self.entries.get(token).filter(|entry| entry.desk().is_none())?;
            entry.causes.first().map(|(cause, _)| format!("{token} is denied by its {}: put that right", in_words(cause)))
        };
        match tokens.iter().find_map(others) {
            Some(hint) => Decision::refuse(RefusalCode::WrongState, hint),
            None if tokens.is_empty() => UNCHANGED,
            None => commit(Event::Unlisted { tokens, by: by.clone(), due: self.next_due(context) }),
        }
    }

    fn account(&self, context: &Context<'_>, account: &AccountId, deny: &[(Token, Why)], allow: &[Token]) -> Decided {
        let says = |token: &Token, why: Option<Why>| {
            let causes = self.entries.get(token).map_or(&[][..], |entry| &entry.causes);
            let mine = causes.iter().find(|(cause, _)| of_account(cause, account));
            mine.map(|(cause, _)| cause) == why.map(|why| Cause::Account(account.clone(), why)).as_ref()
        };
        let deny: Vec<_> = deny.iter().filter(|(token, why)| !says(token, Some(*why))).cloned().collect();
        let allow: Vec<_> = allow.iter().filter(|token| !says(token, None)).cloned().collect();
        if deny.is_empty() && allow.is_empty() {
            return UNCHANGED;
        }
        if let Some(refused) = self.full(context, deny.iter().map(|(token, _)| token)) {
            return refused;
        }
        commit(Event::Account { account: account.clone(), deny, allow, due: self.next_due(context) })
    }

    fn full<'a>(&self, context: &Context<'_>, tokens: impl Iterator<Item = &'a Token>) -> Option<Decided> {
        let (most, fresh) = (context.world.settings.deny.tokens_max, tokens.filter(|token| !self.entries.contains_key(*token)).count());
        let hint = || format!("the deny list takes {most} tokens at most (`deny.tokens_max`)");
        (fresh > 0 && self.entries.len() + fresh > most).then(|| Decision::refuse(RefusalCode::WrongState, hint()))
    }

    fn have_reached(&self, reached: &Reached) -> Decided {
        let newer = self.reached.get(&reached.scope).is_none_or(|known| known.version < reached.version);
        if newer && reached.version <= self.version() { commit(Event::Reached(reached.clone())) } else { UNCHANGED }
    }

    fn tick_at(&self, context: &Context<'_>) -> Decided {
        if self.pending.is_empty() || self.due.is_none_or(|due| due > context.now) {
            return UNCHANGED;
        }
        commit(self.next_version(&context.world.settings.deny, context.now))
    }

    /// When a version that becomes necessary now is made.
    fn next_due(&self, context: &Context<'_>) -> Timestamp {
        let limits = &context.world.settings.deny;
        let earliest = self.newest.as_ref().map(|newest| newest.at + limits.version_every);
        earliest.into_iter().chain([context.now + limits.gather]).max().unwrap_or(context.now)
    }

    fn wait_until(&mut self, due: Timestamp) {
        self.due = match self.due {
            _ if self.pending.is_empty() => None,
            None => Some(due),
            earlier => earlier,
        };
    }

    fn cause(&mut self, token: &Token, cause: Cause, at: Timestamp) {
        let entry = self.entries.entry(token.clone()).or_default();
        let same = |known: &Cause| match (&cause, known) {
            (Cause::Desk(_), Cause::Desk(_)) => true,
            (Cause::Account(account, _), known) => of_account(known, account),
            _ => false,
        };
        match entry.causes.iter_mut().find(|(known, _)| same(known)) {
            Some(known) => *known = (cause, at),
            None => entry.causes.push((cause, at)),
        }
        self.compare(token, at);
    }

    fn drop_causes(&mut self, token: &Token, at: Timestamp, gone: impl Fn(&Cause) -> bool) {
        if let Some(entry) = self.entries.get_mut(token) {
            entry.causes.retain(|(cause, _)| !gone(cause));
        }
        self.compare(token, at);
    }

    /// Does the next version differ in this token? What is neither denied nor published is forgotten.
    fn compare(&mut self, token: &Token, at: Timestamp) {
        let Some(entry) = self.entries.get(token) else { return };
        let (listed, published) = (entry.listed(), entry.published);
        if listed == published {
            self.pending.remove(token);
        } else {
            self.pending.entry(token.clone()).or_insert(at);
        }
        if !listed && !published {
            self.entries.remove(token);
        }
    }

    fn publish(&mut self, token: &Token) {
        if self.pending.remove(token).is_none() {
            return;
        }
        let Some(entry) = self.entries.get_mut(token) else { return };
        entry.published = entry.listed();
        if !entry.published {
            self.entries.remove(token);
        }
    }
}

fn too_many(tokens: &[Token]) -> Option<Decided> {
    let hint = || format!("one command takes {TOKENS_PER_COMMAND_MAX} tokens at most");
    (tokens.len() > TOKENS_PER_COMMAND_MAX).then(|| Decision::refuse(RefusalCode::BadArgs, hint()))
}
