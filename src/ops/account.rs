//! `tongdao account …`: travel accounts, their media and the service desk.
use super::device::at_line;
use super::{all, ask, by, moment, named, state, word};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::{AccountCommand, Who};
use crate::exit::{DATA, Failure, OK, REFUSED, USAGE};
use crate::show;
use futures_util::FutureExt as _;
use std::collections::BTreeMap;
use tongdao_actors::state::EntityState;
use tongdao_domain::account::{Account, AdjustKind, Command, Holder};
use tongdao_domain::device::By;
use tongdao_domain::id::{AccountId, StationId, Token};
use tongdao_domain::machine::Reply;
use tongdao_domain::medium;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::tap::MediumKind;
use tongdao_protocol::{card, import};

const MEDIA: &str = "qr, face, ecny, ecny_hard, bank, card";

pub(super) async fn run(backend: &Backend, command: AccountCommand, out: &Out) -> Result<u8, Failure> {
    match command {
        AccountCommand::Import { file, who } => import_all(backend, &file, &by(&who)?, out).await?,
        AccountCommand::Show { id, json } => show_one(backend, &word(&id, "ID")?, json, out).await?,
        AccountCommand::Credit { id, amount, who } => {
            let command = Command::Credit { amount: amount_of(&amount)?, by: by(&who)? };
            one(backend, &id, command).await?;
        }
        AccountCommand::Adjust { id, kind, station, at, who } => adjust(backend, &id, (&kind, &station, at.as_deref()), &who, out).await?,
        AccountCommand::Freeze { id, who } => drop(one(backend, &id, Command::Freeze { by: by(&who)? }).await?),
        AccountCommand::Unfreeze { id, who } => drop(one(backend, &id, Command::Unfreeze { by: by(&who)? }).await?),
        AccountCommand::Link { id, token, kind, who } => {
            let (id, token): (AccountId, Token) = (word(&id, "ID")?, word(&token, "TOKEN")?);
            if card::is_number(token.as_str()) {
                return Err(Failure::new(USAGE, "TOKEN: a keyed hash, never a card number"));
            }
            account(backend, &id).await?.holder.ok_or_else(|| not_found(&id))?;
            link(backend, &id, &token, named(&kind, "--kind", MEDIA)?, &by(&who)?).await?;
        }
        AccountCommand::Unlink { id, token, who } => {
            let (id, token): (AccountId, Token) = (word(&id, "ID")?, word(&token, "TOKEN")?);
            ask(backend, (&id).into(), Command::Unlink { token: token.clone(), by: by(&who)? }).await?;
            ask(backend, (&token).into(), medium::Command::Release { owner: id }).await?;
        }
    }
    Ok(OK)
}

fn amount_of(text: &str) -> Result<Amount, Failure> {
    Amount::parse(text).map_err(|fault| Failure::new(USAGE, format!("AMOUNT: {fault}")))
}

async fn one(backend: &Backend, id: &str, command: Command) -> Result<Reply, Failure> {
    let id: AccountId = word(id, "ID")?;
    ask(backend, (&id).into(), command).await
}

async fn account(backend: &Backend, id: &AccountId) -> Result<Account, Failure> {
    match state(backend, &id.into()).await? {
        EntityState::Account(account) => Ok(account),
        _ => Ok(Account::default()),
    }
}

fn not_found(id: &AccountId) -> Failure {
    Failure::new(REFUSED, format!("NOT_FOUND: there is no account {id}"))
}

async fn show_one(backend: &Backend, id: &AccountId, json: bool, out: &Out) -> Result<(), Failure> {
    let world = backend.world_now().await?;
    let view = account(backend, id).await?.view(id.as_str(), backend.door.clock().now(), &world).ok_or_else(|| not_found(id))?;
    if json {
        out.line(show::account(&view).to_string()).await;
    } else {
        for line in show::account_lines(&view) {
            out.line(line).await;
        }
    }
    Ok(())
}

async fn adjust(backend: &Backend, id: &str, (kind, station, at): (&str, &str, Option<&str>), who: &Who, out: &Out) -> Result<(), Failure> {
    let kind: AdjustKind = named(kind, "--kind", "add_entry, add_exit, overstay, waive")?;
    let station: StationId = word(station, "--station")?;
    backend.known_station(&station)?;
    let at = at.map(|at| moment(at, "--at")).transpose()?;
    if let Reply::Adjusted { fare } = one(backend, id, Command::Adjust { kind, station, at, by: by(who)? }).await? {
        out.line(format!("fare {fare}")).await;
    }
    Ok(())
}

/// First the medium, then the account: two accounts never hold one token.
async fn link(backend: &Backend, id: &AccountId, token: &Token, kind: MediumKind, by: &By) -> Result<(), Failure> {
    ask(backend, token.into(), medium::Command::Claim { owner: id.clone() }).await?;
    ask(backend, id.into(), Command::Link { token: token.clone(), kind, by: by.clone() }).await?;
    Ok(())
}

async fn owner(backend: &Backend, token: &Token) -> Result<Option<AccountId>, Failure> {
    match state(backend, &token.into()).await? {
        EntityState::Medium(medium) => Ok(medium.owner),
        _ => Ok(None),
    }
}

/// A contradiction with what is there is found before the first commit; an import that was cut goes on when run again.
async fn import_all(backend: &Backend, text: &str, by: &By, out: &Out) -> Result<(), Failure> {
    let rows = import::accounts(text).map_err(|fault| Failure::new(DATA, fault))?;
    let checked = all(rows.iter().map(|row| check_row(backend, row).boxed())).await?;
    let mut work = BTreeMap::<&AccountId, Vec<(&import::AccountRow, Lacks)>>::new();
    for (row, lacks) in rows.iter().zip(checked) {
        work.entry(&row.account).or_default().push((row, lacks));
    }
    let done = all(work.into_values().map(|rows| import_account(backend, rows, by).boxed())).await?;
    let (opened, linked) = done.into_iter().fold((0, 0), |(o, l), (opened, linked)| (o + opened, l + linked));
    out.line(format!("{opened} accounts opened, {linked} media linked, {} rows changed nothing", rows.len() - linked)).await;
    Ok(())
}

/// What a row asks for that is not there yet.
#[derive(Clone, Copy)]
struct Lacks {
    account: bool,
    medium: bool,
}

async fn check_row(backend: &Backend, row: &import::AccountRow) -> Result<Lacks, Failure> {
    let account = account(backend, &row.account).await?;
    if let Some(what) = account.holder.as_ref().and_then(|holder| contradiction(holder, row)) {
        return Err(Failure::new(DATA, format!("line {}: account {} is there already with another {what}", row.line, row.account)));
    }
    if let Some(holder) = owner(backend, &row.token).await?.filter(|holder| *holder != row.account) {
        return Err(Failure::new(DATA, format!("line {}: medium {} is held by account {holder}", row.line, row.token)));
    }
    let medium = !account.media.iter().any(|medium| medium.token == row.token && !medium.unlinked);
    Ok(Lacks { account: account.holder.is_none(), medium })
}

/// The rows of one account, one after the other: how many accounts were opened and media linked.
async fn import_account(backend: &Backend, rows: Vec<(&import::AccountRow, Lacks)>, by: &By) -> Result<(usize, usize), Failure> {
    let (mut opened, mut linked) = (0, 0);
    for (row, lacks) in rows {
        if lacks.account && opened == 0 {
            open_one(backend, row, by).await.map_err(|fault| at_line(fault, row.line))?;
            opened = 1;
        }
        if lacks.medium {
            link(backend, &row.account, &row.token, row.kind, by).await.map_err(|fault| at_line(fault, row.line))?;
            linked += 1;
        }
    }
    Ok((opened, linked))
}

/// What of a row disagrees with the account that is there.
fn contradiction(holder: &Holder, row: &import::AccountRow) -> Option<&'static str> {
    if holder.class != row.class {
        return Some("class");
    }
    if holder.passenger_class != row.passenger_class {
        return Some("passenger class");
    }
    (holder.opening != row.balance).then_some("balance")
}

async fn open_one(backend: &Backend, row: &import::AccountRow, by: &By) -> Result<(), Failure> {
    let command = Command::Open {
        class: row.class,
        passenger_class: row.passenger_class.clone(),
        balance: row.balance,
        currency: Currency::CNY,
        by: by.clone(),
    };
    ask(backend, (&row.account).into(), command).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_strictly() {
        assert_eq!(amount_of("20").expect("an amount"), Amount::from_fen(2000));
        assert!(amount_of("20.001").is_err() && amount_of("ten").is_err());
    }
}
