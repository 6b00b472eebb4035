//! Operations of the command line: each turns words into commands for machines and replies into words. They run on a live
//! node, whether that is a server behind its socket or this very process.
mod account;
mod deny;
mod device;
mod doubtful;
mod gate;
mod journal;
pub mod shadow;
mod station;
pub mod user;

pub use device::{hash as hash_of_secret, new_secret};
pub use journal::{doctor_files, verify_files};

use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::{Op, Who};
use crate::exit::{self, Failure, REFUSED, USAGE};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;
use tongdao_actors::request::{Busy, Lane};
use tongdao_actors::state::EntityState;
use tongdao_domain::device::By;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{CommandId, UserId};
use tongdao_domain::machine::{Command, RefusalCode, Reply};
use tongdao_domain::time::Timestamp;
use tongdao_protocol::card;

/// Rows of an import under way at one time.
const AT_A_TIME_MAX: usize = 128;
/// What an overloaded server could not take is offered again after this …
const BUSY_AGAIN: Duration = Duration::from_millis(100);
/// … and so often.
const BUSY_TRIES: u32 = 20;
/// Longest reason, in characters.
const REASON_CHARACTERS_MAX: usize = 200;

/// Runs an operation and says its exit code.
pub async fn run(backend: &Backend, op: Op, out: &Out) {
    let done = match op {
        Op::Device(command) => device::run(backend, command, out).await,
        Op::Account(command) => account::run(backend, command, out).await,
        Op::Station(command) => station::run(backend, command, out).await,
        Op::Gate(command) => gate::run(backend, command, out).await,
        Op::Deny(command) => deny::run(backend, command, out).await,
        Op::User(command) => user::run(backend, command, out).await,
        Op::Doubtful(command) => doubtful::run(backend, command, out).await,
        Op::Export { from, to } => journal::export(backend, from, to, out).await,
        Op::Shadow(ask) => shadow::run(backend, ask, out).await,
        Op::Verify => journal::verify(backend, out).await,
        Op::Doctor => journal::doctor(backend, out).await,
        Op::Healthcheck => healthcheck(backend, out).await,
    };
    match done {
        Ok(code) => out.exit(code).await,
        Err(failure) => {
            out.error(format!("tongdao: {}", failure.message)).await;
            out.exit(failure.code).await;
        }
    }
}

async fn healthcheck(backend: &Backend, out: &Out) -> Result<u8, Failure> {
    let checks = backend.checks();
    for (name, check) in &checks {
        out.line(format!("{name}: {} ({})", if check.ok { "ok" } else { "not ok" }, check.detail)).await;
    }
    Ok(if checks.values().all(|check| check.ok) { exit::OK } else { REFUSED })
}

/// Works on many things, some at a time: commits of different entities share a group. The first failure ends it.
async fn all<'a, A>(work: impl Iterator<Item = BoxFuture<'a, Result<A, Failure>>>) -> Result<Vec<A>, Failure> {
    let work: Vec<_> = work.collect();
    stream::iter(work).buffered(AT_A_TIME_MAX).try_collect().await
}

/// Asks a machine under a fresh command id; a refusal is a failure with exit 1.
async fn ask(backend: &Backend, entity: EntityKey, command: impl Into<Command>) -> Result<Reply, Failure> {
    let (command, id) = (command.into(), fresh_id());
    let lane = Lane::of(&command);
    let mut answer = backend.door.ask(entity.clone(), id.clone(), command.clone(), lane).await;
    // The same id again: done once, however often it is asked.
    for _ in 0..BUSY_TRIES {
        if !is_overloaded(&answer) {
            break;
        }
        tokio::time::sleep(BUSY_AGAIN).await;
        answer = backend.door.ask(entity.clone(), id.clone(), command.clone(), lane).await;
    }
    match answer {
        Ok(Reply::Refused(refusal)) => Err(Failure::new(REFUSED, format!("{}: {entity}: {}", refusal.code.name(), refusal.hint))),
        Ok(reply) => Ok(reply),
        Err(busy) => Err(overloaded(&busy)),
    }
}

/// Worth another try in a moment?
fn is_overloaded(answer: &Result<Reply, Busy>) -> bool {
    match answer {
        Ok(Reply::Refused(refusal)) => refusal.code == RefusalCode::Busy,
        Ok(_) => false,
        Err(busy) => matches!(busy, Busy::Full | Busy::TooOld),
    }
}

/// The confirmed state of an entity.
async fn state(backend: &Backend, entity: &EntityKey) -> Result<EntityState, Failure> {
    backend.door.query(entity).await.map_err(|busy| overloaded(&busy))
}

fn overloaded(busy: &Busy) -> Failure {
    Failure::new(REFUSED, format!("BUSY: {busy}; try again"))
}

/// An id of its own for each operation.
fn fresh_id() -> CommandId {
    CommandId::of(format_args!("op/{:032x}", rand::random::<u128>()))
}

/// Who and why, checked.
fn by(who: &Who) -> Result<By, Failure> {
    let user: UserId = word(&who.by, "--by")?;
    let reason = who.reason.trim();
    if reason.is_empty()
        || reason.chars().count() > REASON_CHARACTERS_MAX
        || reason.chars().any(char::is_control)
        || card::stands_in(reason)
    {
        return Err(Failure::new(
            USAGE,
            format!("--reason must have 1 to {REASON_CHARACTERS_MAX} printable characters and no card number"),
        ));
    }
    Ok(By { user, reason: reason.into() })
}

/// A word of the command line as what it stands for; exit 64 names the place.
fn word<T: FromStr>(text: &str, place: &str) -> Result<T, Failure>
where
    T::Err: Display,
{
    text.parse().map_err(|fault| Failure::new(USAGE, format!("{place}: {text:?}: {fault}")))
}

/// A word out of a fixed set of names, as serde spells them.
fn named<T: serde::de::DeserializeOwned>(text: &str, place: &str, names: &str) -> Result<T, Failure> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| Failure::new(USAGE, format!("{place}: {text:?} is none of {names}")))
}

/// A moment of the command line.
fn moment(text: &str, place: &str) -> Result<Timestamp, Failure> {
    let at: jiff::Timestamp = word(text, place)?;
    Ok(Timestamp(at.as_millisecond()))
}

/// A moment as people and programs read it: RFC 3339, UTC, milliseconds.
pub fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::station::Service;

    #[test]
    fn words_are_checked_and_named() {
        assert_eq!(named::<Service>("paused", "SERVICE", "…").expect("a service"), Service::Paused);
        let fault = named::<Service>("asleep", "SERVICE", "entry, exit").expect_err("no service");
        assert!(fault.message.contains("asleep") && fault.message.contains("entry, exit"));
        assert!(word::<UserId>("li ming", "--by").expect_err("a space").message.contains("--by"));
        let who = |reason: &str| Who { by: "li".into(), reason: reason.into() };
        assert!(by(&who("drill")).is_ok());
        assert!(by(&who("card 4111 1111 1111 1111")).is_err());
        assert!(by(&who(" ")).is_err() && by(&who(&"x".repeat(201))).is_err());
    }

    #[test]
    fn moments_are_rfc_3339() {
        let at = moment("2026-01-01T02:00:00+08:00", "--at").expect("a moment");
        assert_eq!(rfc3339(at), "2025-12-31T18:00:00.000Z");
        assert_eq!(moment("yesterday", "--at").expect_err("no moment").code, USAGE);
    }
}
