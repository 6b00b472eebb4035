//! `tongdao doubtful …`: the desk of doubtful records from the command line. A list reads the journal and wakes nobody, so a
//! hundred thousand of them are a matter of seconds.
use super::{ask, by, state, word};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::DoubtfulCommand;
use crate::exit::{Failure, IO, OK, REFUSED, USAGE};
use tongdao_actors::state::EntityState;
use tongdao_domain::account::Doubt;
use tongdao_domain::doubtful::{Command, Doubtful, Entry, State};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::StationId;
use tongdao_journal::pipeline::restore;
use tongdao_protocol::console::doubtful::DoubtfulItem;
use tongdao_protocol::text::Name;

/// What is listed.
struct Filter {
    station: Option<StationId>,
    state: Option<&'static str>,
    doubt: Option<Doubt>,
}

pub(super) async fn run(backend: &Backend, command: DoubtfulCommand, out: &Out) -> Result<u8, Failure> {
    match command {
        DoubtfulCommand::List { station, state, doubt, limit, after, json } => {
            let filter = Filter::read(station.as_deref(), &state, doubt.as_deref())?;
            list(backend, filter, limit.unwrap_or(usize::MAX), after, json, out).await?;
        }
        DoubtfulCommand::Show { record, json } => show(backend, &record, json, out).await?,
        DoubtfulCommand::Accept { record, who } => decide(backend, &record, Command::Decide { accept: true, by: by(&who)? }).await?,
        DoubtfulCommand::Reject { record, who } => decide(backend, &record, Command::Decide { accept: false, by: by(&who)? }).await?,
    }
    Ok(OK)
}

impl Filter {
    fn read(station: Option<&str>, state: &str, doubt: Option<&str>) -> Result<Self, Failure> {
        let known = State::ALL.iter().map(|state| state.name()).find(|name| *name == state);
        if known.is_none() && state != "all" {
            return Err(Failure::new(USAGE, format!("--state: {state:?} is none of open, accepted, rejected, all")));
        }
        let codes = || Doubt::ALL.iter().map(|doubt| doubt.name()).collect::<Vec<_>>().join(", ");
        let code =
            |name: &str| Doubt::from_name(name).ok_or_else(|| Failure::new(USAGE, format!("--doubt: {name:?} is none of {}", codes())));
        Ok(Self { station: station.map(|id| word(id, "--station")).transpose()?, state: known, doubt: doubt.map(code).transpose()? })
    }

    fn takes(&self, entry: &Entry) -> bool {
        self.station.as_ref().is_none_or(|station| entry.case.station == *station)
            && self.state.is_none_or(|state| entry.state.name() == state)
            && self.doubt.is_none_or(|doubt| entry.case.doubt == doubt)
    }
}

async fn list(backend: &Backend, filter: Filter, limit: usize, after: Option<String>, json: bool, out: &Out) -> Result<(), Failure> {
    let keys = backend.entities(EntityKind::Doubtful).await?;
    let (journal, out) = (backend.journal.clone(), out.clone());
    let read = move || {
        let mut told = 0;
        for key in keys.into_iter().filter(|key| after.as_ref().is_none_or(|after| key.id.as_str() > after.as_str())) {
            let loaded = journal.load(&key).map_err(|fault| Failure::caused(IO, &fault))?;
            let Doubtful { entry } = restore(&loaded).map_err(|fault| Failure::caused(crate::exit::DATA, &fault))?;
            let Some(entry) = entry.filter(|entry| filter.takes(entry)) else { continue };
            let item = DoubtfulItem::of(&key.id, &entry);
            let line = if json { serde_json::to_string(&item).unwrap_or_default() } else { line(&item) };
            told += 1;
            if !out.line_blocking(line) || told >= limit {
                break;
            }
        }
        Ok(())
    };
    tokio::task::spawn_blocking(read).await.map_err(|fault| Failure::caused(IO, &fault))?
}

fn line(item: &DoubtfulItem) -> String {
    let token = item.said.medium.as_ref().map_or("-", |medium| medium.token.as_str());
    let decided =
        item.decided_by.as_ref().map_or_else(String::new, |by| format!(" by {by}: {}", item.reason.as_deref().unwrap_or_default()));
    format!("{}  {}  {}  {}  {token}  {}{decided}", item.record, item.station, item.doubt, item.travelled_at, item.state)
}

fn key(record: &str) -> Result<EntityKey, Failure> {
    let name = Name::new(record).ok_or_else(|| Failure::new(USAGE, format!("RECORD: {record:?} is no name of a doubtful record")))?;
    Ok(EntityKey::new(EntityKind::Doubtful, name.as_str()))
}

async fn show(backend: &Backend, record: &str, json: bool, out: &Out) -> Result<(), Failure> {
    let EntityState::Doubtful(Doubtful { entry: Some(entry) }) = state(backend, &key(record)?).await? else {
        return Err(Failure::new(REFUSED, format!("NOT_FOUND: there is no doubtful record {record}")));
    };
    let evidence =
        crate::evidence::of(&backend.door, record, &entry).await.map_err(|busy| Failure::new(REFUSED, format!("BUSY: {busy}")))?;
    if json {
        out.line(serde_json::to_string(&evidence).unwrap_or_default()).await;
        return Ok(());
    }
    let value = serde_json::to_value(&evidence).unwrap_or_default();
    for (name, field) in value.as_object().into_iter().flatten() {
        out.line(format!("{name}: {field}")).await;
    }
    Ok(())
}

async fn decide(backend: &Backend, record: &str, command: Command) -> Result<(), Failure> {
    ask(backend, key(record)?, command).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_list_are_checked() {
        assert!(Filter::read(None, "open", Some("twin")).is_ok_and(|filter| filter.doubt == Some(Doubt::Twin)));
        assert!(Filter::read(None, "all", None).is_ok_and(|filter| filter.state.is_none()));
        assert!(Filter::read(None, "half", None).is_err_and(|fault| fault.message.contains("rejected")));
        assert!(Filter::read(None, "open", Some("odd")).is_err_and(|fault| fault.message.contains("key_reused")));
        assert!(key("g1.7.42").is_ok() && key("g1/7/42").is_err());
    }
}
