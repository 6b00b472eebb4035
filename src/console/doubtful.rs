//! `GET /api/v1/doubtful`: the desk's list of doubtful records, oldest first, and one of them with its evidence. What is out
//! of the caller's scope does not exist.
use super::problem::{Refused, not_found};
use super::rights;
use super::{Asker, Caller, Console};
use axum::extract::{Path, Query, State as Shared};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use tongdao_actors::state::EntityState;
use tongdao_domain::account::Doubt;
use tongdao_domain::doubtful::{Doubtful, Entry, State};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::StationId;
use tongdao_journal::pipeline::restore;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::doubtful::{DoubtfulEvidence, DoubtfulItem};
use tongdao_protocol::console::http::Page;
use tongdao_protocol::console::strict::BadArgs;
use tongdao_protocol::text::Name;

/// Items of a page where nothing else is asked for.
const ITEMS: usize = 100;
/// Items of a page, at most.
const ITEMS_MAX: usize = 500;
/// Rows that one request looks at, at most.
const LOOKED_AT_MAX: usize = 20_000;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/api/v1/doubtful", get(list)).route("/api/v1/doubtful/{id}", get(one))
}

/// Which of them, out of the query of the address.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    cursor: Option<String>,
    limit: Option<usize>,
    /// `open` where nothing is said, `accepted`, `rejected`, `all`.
    state: Option<String>,
    station: Option<String>,
    doubt: Option<String>,
}

/// The query as what it stands for.
struct Filter {
    state: Option<&'static str>,
    station: Option<StationId>,
    doubt: Option<Doubt>,
}

impl Which {
    fn filter(&self) -> Result<Filter, ErrorBody> {
        let bad = |field: &str, wanted: &'static str| ErrorBody::from(&BadArgs::bad(field, wanted));
        let state = match self.state.as_deref().unwrap_or("open") {
            "all" => None,
            name => {
                let known = State::ALL.iter().map(|state| state.name()).find(|known| *known == name);
                Some(known.ok_or_else(|| bad("state", "open, accepted, rejected or all"))?)
            }
        };
        let station = self.station.as_ref().map(StationId::new).transpose().map_err(|_| bad("station", "a station"))?;
        let doubt = self.doubt.as_deref().map(|name| Doubt::from_name(name).ok_or_else(|| bad("doubt", "a code of doubt"))).transpose()?;
        Ok(Filter { state, station, doubt })
    }
}

async fn list(
    Shared(console): Shared<Console>,
    asker: Asker,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Page<DoubtfulItem>>, Refused> {
    let caller = console.looks(&asker).await?;
    rights::may_see_doubtful(&caller)?;
    let words = "cursor, limit, state, station, doubt";
    let Query(which) = which.map_err(|_| ErrorBody::from(&BadArgs::bad("query", words)))?;
    let filter = which.filter()?;
    let docket = console.docket().ok_or(Code::Busy)?;
    let world = &console.backend().world;
    let limit = which.limit.unwrap_or(ITEMS).clamp(1, ITEMS_MAX);
    let (names, next) = docket.page(which.cursor.as_deref(), limit, LOOKED_AT_MAX, |row| {
        filter.state.is_none_or(|state| row.state.name() == state)
            && filter.station.as_ref().is_none_or(|station| row.station == *station)
            && filter.doubt.is_none_or(|doubt| row.doubt == doubt)
            && caller.scope.covers_station(world, &row.station)
    });
    Ok(Json(Page { items: console.doubtful_items(names).await?, next }))
}

async fn one(Shared(console): Shared<Console>, asker: Asker, Path(id): Path<String>) -> Result<Json<DoubtfulEvidence>, Refused> {
    let caller = console.looks(&asker).await?;
    rights::may_see_doubtful(&caller)?;
    let entry = console.doubtful(&caller, &id).await?.ok_or_else(not_found)?;
    let evidence = crate::evidence::of(&console.backend().door, &id, &entry).await.map_err(|_| Code::Busy)?;
    // It shows a customer's taps: whoever looks stands in the audit, or sees nothing.
    let target = evidence.account.as_ref().map_or_else(|| format!("doubtful/{id}"), |account| format!("account/{account}"));
    if !console.note(&caller.user, "doubtful.show", &target, &id).await {
        return Err(Code::Busy.into());
    }
    Ok(Json(evidence))
}

impl Console {
    /// One of them, where it is in the caller's scope.
    pub(super) async fn doubtful(&self, caller: &Caller, name: &str) -> Result<Option<Entry>, ErrorBody> {
        if !Name::fits(name) {
            return Ok(None);
        }
        let key = EntityKey::new(EntityKind::Doubtful, name);
        let EntityState::Doubtful(Doubtful { entry }) = self.backend().door.query(&key).await.map_err(|_| Code::Busy)? else {
            return Err(Code::Internal.into());
        };
        Ok(entry.filter(|entry| caller.scope.covers_station(&self.backend().world, &entry.case.station)))
    }

    /// As the journal has them: nobody is woken for a list.
    async fn doubtful_items(&self, names: Vec<String>) -> Result<Vec<DoubtfulItem>, Refused> {
        let journal = self.backend().journal.clone();
        let one = move |name: &String| {
            let loaded = journal.load(&EntityKey::new(EntityKind::Doubtful, name)).ok()?;
            let Doubtful { entry } = restore(&loaded).ok()?;
            Some(DoubtfulItem::of(name, &entry?))
        };
        let read = tokio::task::spawn_blocking(move || names.iter().filter_map(one).collect()).await;
        read.map_err(|_| Code::Internal.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_strictly_and_open_ones_are_meant_where_nothing_is_said() {
        let which = |state: Option<&str>, doubt: Option<&str>| Which {
            state: state.map(str::to_owned),
            doubt: doubt.map(str::to_owned),
            ..Which::default()
        };
        assert_eq!(which(None, None).filter().expect("good").state, Some("open"));
        assert_eq!(which(Some("all"), Some("twin")).filter().expect("good").doubt, Some(Doubt::Twin));
        assert!(which(Some("posted"), None).filter().is_err() && which(None, Some("odd")).filter().is_err());
    }
}
