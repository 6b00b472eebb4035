//! `tongdao deny …`: tokens on and off the list, and who has it.
use super::{ask, by, rfc3339, word};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::{DenyCommand, Who};
use crate::exit::{DATA, Failure, IO, OK};
use crate::node::journal_failure;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tongdao_domain::deny::{Command, DenyList, TOKENS_PER_COMMAND_MAX, in_words};
use tongdao_domain::device::{By, Device};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate::Gate;
use tongdao_domain::id::{DeviceId, Token};
use tongdao_domain::machine::Machine;
use tongdao_journal::contract::Journal;
use tongdao_journal::pipeline::restore;

/// Gates that are named where they lack the newest version; the rest is a number.
const NAMED_MAX: usize = 20;

pub(super) async fn run(backend: &Backend, command: DenyCommand, out: &Out) -> Result<u8, Failure> {
    match command {
        DenyCommand::Add { tokens, file, who } => {
            change(backend, (tokens, file, &who), |tokens, by| Command::Add { tokens, by }, out).await?
        }
        DenyCommand::Remove { tokens, file, who } => {
            change(backend, (tokens, file, &who), |tokens, by| Command::Remove { tokens, by }, out).await?;
        }
        DenyCommand::Status { token: Some(token), json } => one(backend, &word(&token, "--token")?, json, out).await?,
        DenyCommand::Status { token: None, json } => status(backend, json, out).await?,
    }
    Ok(OK)
}

async fn change(
    backend: &Backend,
    (words, file, who): (Vec<String>, Option<String>, &Who),
    command: impl Fn(Vec<Token>, By) -> Command,
    out: &Out,
) -> Result<(), Failure> {
    let (tokens, by) = (tokens(&words, file.as_deref())?, by(who)?);
    for some in tokens.chunks(TOKENS_PER_COMMAND_MAX) {
        ask(backend, EntityKey::deny_list(), command(some.to_vec(), by.clone())).await?;
    }
    out.line(format!("{} tokens; the next version tells the gates", tokens.len())).await;
    Ok(())
}

/// The tokens of the command line and of the file; all are looked at before the first is sent.
fn tokens(words: &[String], file: Option<&str>) -> Result<Vec<Token>, Failure> {
    let given = words.iter().map(|token| word(token, "TOKENS"));
    let lines = file.unwrap_or_default().lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty());
    let read = lines.map(|(line, n)| Token::new(line).map_err(|fault| Failure::new(DATA, format!("--file: line {n}: {line:?}: {fault}"))));
    given.chain(read).collect()
}

/// A machine by the journal alone: no entity is woken, no cell waits while thousands of gates are read.
fn read<M: Machine>(journal: &dyn Journal, entity: &EntityKey) -> Result<M, Failure> {
    let loaded = journal.load(entity).map_err(|fault| journal_failure(&fault))?;
    restore(&loaded).map_err(|fault| Failure::caused(DATA, &fault))
}

async fn on_a_thread_of_its_own<T: Send + 'static>(
    backend: &Backend,
    work: impl FnOnce(&Backend) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let backend = backend.clone();
    tokio::task::spawn_blocking(move || work(&backend)).await.map_err(|fault| Failure::caused(IO, &fault))?
}

async fn one(backend: &Backend, token: &Token, json: bool, out: &Out) -> Result<(), Failure> {
    let list: DenyList = on_a_thread_of_its_own(backend, |backend| read(&*backend.journal, &EntityKey::deny_list())).await?;
    let entry = list.entries.get(token).cloned().unwrap_or_default();
    let causes = entry.causes.iter().map(|(cause, since)| (in_words(cause), rfc3339(*since)));
    if json {
        let causes: Vec<_> = causes.map(|(cause, since)| json!({"cause": cause.as_str(), "since": since})).collect();
        out.line(json!({"token": token, "listed": entry.listed(), "in_version": entry.published, "causes": causes}).to_string()).await;
        return Ok(());
    }
    if !entry.listed() {
        out.line(format!("{token}: not denied{}", if entry.published { "; the newest version has it still" } else { "" })).await;
    }
    for (cause, since) in causes {
        out.line(format!("{token}: {cause}, since {since}")).await;
    }
    Ok(())
}

/// Which version each registered gate of a station says it has.
fn gates(backend: &Backend) -> Result<BTreeMap<DeviceId, u64>, Failure> {
    let mut versions = BTreeMap::new();
    let registered = backend.journal.entities(EntityKind::Device).map_err(|fault| journal_failure(&fault))?;
    for key in registered {
        let Ok(device) = DeviceId::new(&key.id) else { continue };
        let entry = read::<Device>(&*backend.journal, &key)?.entry;
        if backend.world.gates.contains_key(&device) && entry.is_some_and(|entry| !entry.revoked) {
            let gate: Gate = read(&*backend.journal, &EntityKey::gate(&device))?;
            versions.insert(device, gate.list.map_or(0, |list| list.version));
        }
    }
    Ok(versions)
}

async fn status(backend: &Backend, json: bool, out: &Out) -> Result<(), Failure> {
    let (list, gates) =
        on_a_thread_of_its_own(backend, |backend| Ok((read::<DenyList>(&*backend.journal, &EntityKey::deny_list())?, gates(backend)?)))
            .await?;
    if json {
        out.line(as_json(&list, &gates).to_string()).await;
        return Ok(());
    }
    for line in as_text(&list, &gates) {
        out.line(line).await;
    }
    Ok(())
}

fn behind<'a>(list: &DenyList, gates: &'a BTreeMap<DeviceId, u64>) -> Vec<&'a DeviceId> {
    gates.iter().filter(|(_, version)| **version != list.version()).map(|(gate, _)| gate).collect()
}

fn by_version(gates: &BTreeMap<DeviceId, u64>) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    gates.values().for_each(|version| *counts.entry(*version).or_default() += 1);
    counts
}

fn as_json(list: &DenyList, gates: &BTreeMap<DeviceId, u64>) -> Value {
    let newest = list.newest.as_ref();
    let reached: BTreeMap<_, _> = list
        .reached
        .values()
        .map(|reached| {
            let value = json!({"version": reached.version, "gates": reached.gates, "at": rfc3339(reached.at), "took_ms": reached.took.0});
            (reached.scope.name(), value)
        })
        .collect();
    json!({
        "version": list.version(),
        "tokens": newest.map_or(0, |newest| newest.count),
        "hash": newest.map(|newest| newest.hash.to_string()),
        "made_at": newest.map(|newest| rfc3339(newest.at)),
        "denied": list.listed(),
        "waiting": list.pending.len(),
        "due": list.due.map(rfc3339),
        "gates": {"of": gates.len(), "by_version": by_version(gates), "behind": behind(list, gates)},
        "reached": reached,
    })
}

fn as_text(list: &DenyList, gates: &BTreeMap<DeviceId, u64>) -> Vec<String> {
    let mut lines = Vec::new();
    match &list.newest {
        Some(newest) => lines.push(format!("version {}: {} tokens, made {}", newest.number, newest.count, rfc3339(newest.at))),
        None => lines.push("no version yet".to_owned()),
    }
    if let Some(due) = list.due {
        lines.push(format!("{} changes wait; the next version is due {}", list.pending.len(), rfc3339(due)));
    }
    for (version, count) in by_version(gates).into_iter().rev() {
        lines.push(format!("{count} gates have {}", if version == 0 { "none".to_owned() } else { format!("version {version}") }));
    }
    let behind = behind(list, gates);
    if !behind.is_empty() && list.version() > 0 {
        let named: Vec<&str> = behind.iter().take(NAMED_MAX).map(|gate| gate.as_str()).collect();
        let more = behind.len() - named.len();
        lines.push(format!("missing: {}{}", named.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() }));
    }
    for reached in list.reached.values() {
        let seconds = reached.took.0 as f64 / 1000.0;
        let whose = if reached.scope.name() == "all" { "all gates" } else { "all gates with a link" };
        lines.push(format!("version {}: {whose} ({}) {seconds:.1} s after the listing", reached.version, reached.gates));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::deny::NETWORK;
    use tongdao_domain::testing::{Actor, by, id};
    use tongdao_domain::time::Millis;

    #[test]
    fn tokens_are_checked_before_anything_is_sent_and_the_line_is_named() {
        let read = tokens(&["t1".to_owned()], Some("t2\n\n t3 \n")).expect("tokens");
        assert_eq!(read.iter().map(Token::as_str).collect::<Vec<_>>(), ["t1", "t2", "t3"]);
        assert!(tokens(&[], Some("t2\nno token\n")).expect_err("a space").message.contains("line 2"));
        assert!(tokens(&["a b".to_owned()], None).is_err());
    }

    #[test]
    fn the_status_says_who_is_missing() {
        let mut list = Actor::<DenyList>::new(NETWORK);
        let _ = list.ask(Command::Add { tokens: vec![id("t1")], by: by() });
        list.now = list.now + Millis::minutes(1);
        let _ = list.ask(Command::Tick);
        let gates = [(id("g1"), 1), (id("g2"), 0)].into();
        let shown = as_json(&list.state, &gates);
        assert_eq!((&shown["version"], &shown["tokens"], &shown["gates"]["behind"]), (&json!(1), &json!(1), &json!(["g2"])));
        let text = as_text(&list.state, &gates).join("\n");
        assert!(text.contains("version 1: 1 tokens") && text.contains("1 gates have none") && text.contains("missing: g2"), "{text}");
    }
}
