//! Lists of what there is, a page at a time, within the caller's scope: what is out of it does not exist.
use super::problem::{Refused, not_found};
use super::rights::{self, Ask};
use super::{Caller, Channel, Console};
use crate::exit::Failure;
use crate::show;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tongdao_actors::state::EntityState;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::{AccountId, DeviceId, StationId, UserId};
use tongdao_domain::user::User;
use tongdao_domain::world::StationView;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::http::{Page, UserItem};
use tongdao_protocol::console::strict::BadArgs;

/// Items of a page where nothing else is asked for.
const ITEMS: usize = 100;
/// Items of a page, at most.
const ITEMS_MAX: usize = 500;

type Items = Result<Json<Page<Value>>, Refused>;
type One = Result<Json<Value>, Refused>;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/api/v1/stations", get(stations))
        .route("/api/v1/stations/{id}", get(station))
        .route("/api/v1/devices", get(devices))
        .route("/api/v1/devices/{id}", get(device))
        .route("/api/v1/accounts/{id}", get(account))
        .route("/api/v1/alarms", get(alarms))
        .route("/api/v1/alarms/{id}", get(alarm))
        .route("/api/v1/approvals", get(approvals))
        .route("/api/v1/approvals/{id}", get(approval))
        .route("/api/v1/users", get(users))
        .route("/api/v1/users/{id}", get(user))
}

/// Which page, out of the query of the address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Items, at most.
    limit: Option<usize>,
}

impl<S: Send + Sync> FromRequestParts<S> for Which {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let bad = |_| ErrorBody::from(&BadArgs::bad("query", "cursor and limit, a number"));
        Query::from_request_parts(parts, state).await.map(|Query(which)| which).map_err(|fault| bad(fault).into())
    }
}

impl Which {
    /// A page of items that are ordered by their keys.
    fn of<T>(&self, items: impl Iterator<Item = (String, T)>) -> Page<T> {
        let limit = self.limit.unwrap_or(ITEMS).clamp(1, ITEMS_MAX);
        let mut rest = items.skip_while(|(key, _)| self.cursor.as_ref().is_some_and(|cursor| key <= cursor));
        let page: Vec<(String, T)> = rest.by_ref().take(limit).collect();
        let next = rest.next().and_then(|_| page.last().map(|(key, _)| key.clone()));
        Page { items: page.into_iter().map(|(_, item)| item).collect(), next }
    }
}

fn refused(fault: Failure) -> Refused {
    tracing::warn!(fault = fault.message, "a list cannot be read");
    ErrorBody::new(if fault.code == crate::exit::REFUSED { Code::Busy } else { Code::Internal }).into()
}

fn one<T: Serialize>(item: Option<T>) -> One {
    item.and_then(|item| serde_json::to_value(item).ok()).map(Json).ok_or_else(not_found)
}

async fn all_stations(console: &Console, caller: &Caller) -> Result<BTreeMap<String, Value>, Refused> {
    let world = console.backend().world_now().await.map_err(refused)?;
    let visible = world.stations.iter().filter(|(id, _)| rights::may(caller, &world, Ask::Sub(&Channel::Gates((*id).clone()))).is_ok());
    Ok(visible.map(|(id, view)| (id.to_string(), describe_station(id, view))).collect())
}

fn describe_station(id: &StationId, view: &StationView) -> Value {
    let names: BTreeMap<&str, &str> = view.names.iter().map(|(language, name)| (language.as_str(), name.as_str())).collect();
    json!({"station": id, "site": view.site, "name": names, "modes": view.state.modes, "rev": view.state.rev, "gates": view.gates})
}

async fn stations(State(console): State<Console>, headers: HeaderMap, which: Which) -> Items {
    let caller = console.looks(&headers).await?;
    Ok(Json(which.of(all_stations(&console, &caller).await?.into_iter())))
}

async fn station(State(console): State<Console>, headers: HeaderMap, Path(id): Path<String>) -> One {
    let caller = console.looks(&headers).await?;
    one(all_stations(&console, &caller).await?.remove(&id))
}

impl Console {
    /// A registered device that the caller may see.
    async fn device_for(&self, caller: &Caller, id: &DeviceId) -> Result<Option<Value>, Refused> {
        let world = &self.backend().world;
        if rights::may(caller, world, Ask::Sub(&Channel::Device(id.clone()))).is_err() {
            return Ok(None);
        }
        let state = self.backend().door.query(&EntityKey::device(id)).await.map_err(|_| Code::Busy)?;
        let EntityState::Device(device) = state else { return Ok(None) };
        let station = world.gates.get(id).map(|gate| &gate.station);
        Ok(device
            .entry
            .map(|entry| json!({"device": id, "kind": entry.kind, "site": entry.site, "station": station, "revoked": entry.revoked})))
    }

    /// A user as others see them.
    async fn user_item(&self, id: &UserId) -> Result<Option<UserItem>, ErrorBody> {
        let User { entry, .. } = self.staff().state(id).await?;
        let sessions = u32::try_from(self.sessions().count(id)).unwrap_or(u32::MAX);
        Ok(entry.map(|entry| UserItem {
            user: id.to_string(),
            roles: entry.roles.iter().map(|role| (*role).into()).collect(),
            scope: (&entry.scope).into(),
            disabled: entry.disabled,
            added_at: entry.added_at.into(),
            sessions,
        }))
    }

    /// The items of a shared board that are for this caller, newest first.
    async fn board_items(&self, headers: &HeaderMap, channel: Channel) -> Result<Vec<Value>, Refused> {
        let caller = self.looks(headers).await?;
        let world = &self.backend().world;
        rights::may(&caller, world, Ask::Sub(&channel))?;
        let Some((_, _, mut snapshot)) = self.hub().snapshot(&channel, self.now()) else { return Ok(Vec::new()) };
        rights::strip(&caller, world, &channel, &mut snapshot);
        Ok(snapshot.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
    }
}

async fn devices(State(console): State<Console>, headers: HeaderMap, which: Which) -> Items {
    let caller = console.looks(&headers).await?;
    let keys = console.backend().entities(EntityKind::Device).await.map_err(refused)?;
    let limit = which.limit.unwrap_or(ITEMS).clamp(1, ITEMS_MAX);
    let after = keys.iter().map(|key| key.id.as_str()).filter(|id| which.cursor.as_deref().is_none_or(|cursor| *id > cursor));
    let mut items = Vec::new();
    let mut last = None;
    for id in after {
        if items.len() == limit {
            return Ok(Json(Page { items, next: last }));
        }
        let Ok(device) = DeviceId::new(id) else { continue };
        if let Some(item) = console.device_for(&caller, &device).await? {
            items.push(item);
            last = Some(id.to_owned());
        }
    }
    Ok(Json(Page { items, next: None }))
}

async fn device(State(console): State<Console>, headers: HeaderMap, Path(id): Path<String>) -> One {
    let caller = console.looks(&headers).await?;
    let id = DeviceId::new(&id).map_err(|_| not_found())?;
    one(console.device_for(&caller, &id).await?)
}

/// Whoever looks at a customer's account stands in the audit, or sees nothing.
async fn account(State(console): State<Console>, headers: HeaderMap, Path(id): Path<String>) -> One {
    let caller = console.looks(&headers).await?;
    rights::may_see_customers(&caller)?;
    let id = AccountId::new(&id).map_err(|_| not_found())?;
    let state = console.backend().door.query(&(&id).into()).await.map_err(|_| Code::Busy)?;
    let EntityState::Account(account) = state else { return Err(Code::Internal.into()) };
    let view = account.view(id.as_str(), console.now(), &console.backend().world).ok_or_else(not_found)?;
    if !console.note(&caller.user, "account.show", &format!("account/{id}"), "").await {
        return Err(Code::Busy.into());
    }
    Ok(Json(show::account(&view)))
}

fn keyed(items: Vec<Value>) -> impl Iterator<Item = (String, Value)> {
    items.into_iter().enumerate().map(|(place, item)| (format!("{place:06}"), item))
}

fn named(items: Vec<Value>, field: &str, id: &str) -> One {
    one(items.into_iter().find(|item| item.get(field).and_then(Value::as_str) == Some(id)))
}

async fn alarms(State(console): State<Console>, headers: HeaderMap, which: Which) -> Items {
    Ok(Json(which.of(keyed(console.board_items(&headers, Channel::Alarms).await?))))
}

async fn alarm(State(console): State<Console>, headers: HeaderMap, Path(id): Path<String>) -> One {
    named(console.board_items(&headers, Channel::Alarms).await?, "alarm", &id)
}

async fn approvals(State(console): State<Console>, headers: HeaderMap, which: Which) -> Items {
    Ok(Json(which.of(keyed(console.board_items(&headers, Channel::Approvals).await?))))
}

async fn approval(State(console): State<Console>, headers: HeaderMap, Path(id): Path<String>) -> One {
    named(console.board_items(&headers, Channel::Approvals).await?, "approval", &id)
}

async fn users(State(console): State<Console>, headers: HeaderMap, which: Which) -> Result<Json<Page<UserItem>>, Refused> {
    let caller = console.looks(&headers).await?;
    rights::may_see_users(&caller)?;
    let mut items = Vec::new();
    for id in console.staff().ids().await? {
        items.extend(console.user_item(&id).await?.map(|item| (id.to_string(), item)));
    }
    Ok(Json(which.of(items.into_iter())))
}

async fn user(State(console): State<Console>, headers: HeaderMap, Path(id): Path<String>) -> One {
    let caller = console.looks(&headers).await?;
    rights::may_see_users(&caller)?;
    let id = UserId::new(&id).map_err(|_| not_found())?;
    one(console.user_item(&id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cursor: Option<&str>, limit: Option<usize>) -> Page<u32> {
        let items = ["a", "b", "c", "d", "e"].into_iter().zip(1..).map(|(key, item)| (key.to_owned(), item));
        Which { cursor: cursor.map(str::to_owned), limit }.of(items)
    }

    #[test]
    fn pages_follow_one_another_without_a_gap() {
        assert_eq!(page(None, None), Page { items: vec![1, 2, 3, 4, 5], next: None });
        assert_eq!(page(None, Some(2)), Page { items: vec![1, 2], next: Some("b".into()) });
        assert_eq!(page(Some("b"), Some(2)), Page { items: vec![3, 4], next: Some("d".into()) });
        assert_eq!(page(Some("d"), Some(2)), Page { items: vec![5], next: None });
        assert_eq!(page(Some("e"), Some(2)), Page { items: vec![], next: None });
        assert_eq!(page(None, Some(0)).items.len(), 1, "a page has at least one item");
    }
}
