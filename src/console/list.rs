//! Lists of what there is, a page at a time, within the caller's scope: what is out of it does not exist.
use super::problem::{Refused, not_found};
use super::rights::{self, Ask};
use super::{Asker, Caller, Channel, Console};
use crate::exit::Failure;
use crate::show;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use tongdao_actors::state::EntityState;
use tongdao_domain::alarm::Alarm;
use tongdao_domain::device::{Device, Entry};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate::Gate;
use tongdao_domain::id::{AccountId, DeviceId, StationId, UserId};
use tongdao_domain::user::User;
use tongdao_domain::world::{StationView, World};
use tongdao_protocol::console::board::{AlarmItem, ApprovalItem, Link};
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::http::{DeviceItem, Page, UserItem};
use tongdao_protocol::console::strict::BadArgs;
use tongdao_protocol::gate::Service;
use tongdao_protocol::text::Name;

/// Items of a page where nothing else is asked for.
const ITEMS: usize = 100;
/// Items of a page, at most.
const ITEMS_MAX: usize = 500;
/// Items that one request looks up, at most: where most are not for the caller, a page may be short and still have a `next`.
const LOOKED_AT_MAX: usize = 1000;

type Items<T> = Result<Json<Page<T>>, Refused>;
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
    /// A page of what is in the order of its ids.
    fn walk<T>(&self, ids: impl Iterator<Item = String>) -> Walk<T> {
        let ids = ids.filter(|id| self.cursor.as_ref().is_none_or(|cursor| id > cursor));
        let limit = self.limit.unwrap_or(ITEMS).clamp(1, ITEMS_MAX);
        Walk { rest: ids.collect(), limit, looked_at: 0, last: None, items: Vec::new() }
    }
}

/// A page that is filled item by item; what is not for the caller is passed over.
struct Walk<T> {
    rest: VecDeque<String>,
    limit: usize,
    looked_at: usize,
    last: Option<String>,
    items: Vec<T>,
}

impl<T> Walk<T> {
    /// The next id to look up.
    fn next(&mut self) -> Option<String> {
        if self.items.len() == self.limit || self.looked_at == LOOKED_AT_MAX {
            return None;
        }
        self.looked_at += 1;
        self.last = Some(self.rest.pop_front()?);
        self.last.clone()
    }

    fn page(self) -> Json<Page<T>> {
        Json(Page { items: self.items, next: self.last.filter(|_| !self.rest.is_empty()) })
    }
}

fn refused(fault: Failure) -> Refused {
    tracing::warn!(fault = fault.message, "a list cannot be read");
    ErrorBody::new(if fault.code == crate::exit::REFUSED { Code::Busy } else { Code::Internal }).into()
}

fn ids(keys: Vec<EntityKey>) -> impl Iterator<Item = String> {
    keys.into_iter().map(|key| key.id.to_string())
}

/// What the items of a shared list are.
fn kind_of(list: &Channel) -> EntityKind {
    if *list == Channel::Alarms { EntityKind::Alarm } else { EntityKind::Approval }
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

async fn stations(State(console): State<Console>, asker: Asker, which: Which) -> Items<Value> {
    let caller = console.looks(&asker).await?;
    let mut stations = all_stations(&console, &caller).await?;
    let mut walk = which.walk(stations.keys().cloned());
    while let Some(id) = walk.next() {
        walk.items.extend(stations.remove(&id));
    }
    Ok(walk.page())
}

async fn station(State(console): State<Console>, asker: Asker, Path(id): Path<String>) -> One {
    let caller = console.looks(&asker).await?;
    one(all_stations(&console, &caller).await?.remove(&id))
}

impl Console {
    /// A registered device that the caller may see.
    async fn device_item(&self, caller: &Caller, id: &str) -> Result<Option<DeviceItem>, Refused> {
        let (Ok(id), world, door) = (DeviceId::new(id), &self.backend().world, &self.backend().door) else { return Ok(None) };
        if rights::may(caller, world, Ask::Sub(&Channel::Device(id.clone()))).is_err() {
            return Ok(None);
        }
        let busy = |_| Refused::from(Code::Busy);
        let EntityState::Device(Device { entry: Some(entry) }) = door.query(&EntityKey::device(&id)).await.map_err(busy)? else {
            return Ok(None);
        };
        let EntityState::Gate(gate) = door.query(&EntityKey::gate(&id)).await.map_err(busy)? else { return Err(Code::Internal.into()) };
        let place = world.gates.get(&id);
        let desired = match place {
            Some(place) => match door.query(&(&place.station).into()).await.map_err(busy)? {
                EntityState::Station(station) => Some(station.services.get(&id).copied().unwrap_or(place.service)),
                _ => None,
            },
            None => None,
        };
        let connected = self.0.presence.get().is_some_and(|presence| presence(&id));
        Ok(Some(describe_device(&id, &entry, &gate, (place.map(|place| place.station.to_string()), desired.map(Into::into)), connected)))
    }

    /// A user as others see them.
    async fn user_item(&self, id: &str) -> Result<Option<UserItem>, Refused> {
        let Ok(id) = UserId::new(id) else { return Ok(None) };
        let User { entry, rev, tokens, .. } = self.staff().state(&id).await?;
        let now = self.now();
        let good = tokens.values().filter(|token| now < token.expires_at).count();
        let sessions = u32::try_from(self.sessions().count(&id)).unwrap_or(u32::MAX);
        Ok(entry.map(|entry| UserItem {
            user: id.to_string(),
            roles: entry.roles.iter().map(|role| (*role).into()).collect(),
            scope: (&entry.scope).into(),
            rev,
            disabled: entry.disabled,
            added_at: entry.added_at.into(),
            sessions,
            tokens: u32::try_from(good).unwrap_or(u32::MAX),
        }))
    }

    /// An item of a shared list, as it stands now, where it is for this caller.
    async fn listed(&self, caller: &Caller, channel: &Channel, id: &str) -> Result<Option<Value>, Refused> {
        if !Name::fits(id) {
            return Ok(None);
        }
        let world = &self.backend().world;
        let item = match self.backend().door.query(&EntityKey::new(kind_of(channel), id)).await.map_err(|_| Code::Busy)? {
            EntityState::Alarm(alarm) => serde_json::to_value(alarm_item(world, id, &alarm)),
            EntityState::Approval(approval) => serde_json::to_value(approval.entry.map(|entry| ApprovalItem::of(id, &entry))),
            _ => return Ok(None),
        };
        let item = item.map_err(|_| Code::Internal)?;
        let theirs = !rights::looks_at_items(caller, channel) || rights::sees_item(caller, world, channel, &item);
        Ok(Some(item).filter(|item| !item.is_null() && theirs))
    }

    /// A page of a shared list.
    async fn listing(&self, asker: &Asker, channel: Channel, which: &Which) -> Items<Value> {
        let caller = self.looks(asker).await?;
        rights::may(&caller, &self.backend().world, Ask::Sub(&channel))?;
        let keys = self.backend().entities(kind_of(&channel)).await.map_err(refused)?;
        let mut walk = which.walk(ids(keys));
        while let Some(id) = walk.next() {
            walk.items.extend(self.listed(&caller, &channel, &id).await?);
        }
        Ok(walk.page())
    }

    /// One item of a shared list.
    async fn one_listed(&self, asker: &Asker, channel: Channel, id: &str) -> One {
        let caller = self.looks(asker).await?;
        rights::may(&caller, &self.backend().world, Ask::Sub(&channel))?;
        one(self.listed(&caller, &channel, id).await?)
    }
}

/// A device out of the registry and what it says of itself.
fn describe_device(
    id: &DeviceId,
    entry: &Entry,
    gate: &Gate,
    (station, desired): (Option<String>, Option<Service>),
    connected: bool,
) -> DeviceItem {
    let twin = gate.twin.as_ref();
    DeviceItem {
        device: id.to_string(),
        kind: entry.kind.into(),
        site: entry.site.to_string(),
        station,
        revoked: entry.revoked,
        rev: entry.rev,
        added_at: entry.added_at.into(),
        link: match twin {
            None => Link::Unknown,
            Some(twin) if twin.online && connected => Link::Online,
            Some(_) => Link::Offline,
        },
        desired,
        service: twin.map(|twin| twin.service.to_string()),
        firmware: twin.map(|twin| twin.firmware.to_string()),
        versions: twin
            .map(|twin| twin.versions.iter().map(|(name, version)| (name.to_string(), version.to_string())).collect())
            .unwrap_or_default(),
        mode: gate.mode.as_ref().map_or(0, |mode| mode.rev),
        faults: twin.map_or_else(Vec::new, |twin| twin.faults.iter().map(ToString::to_string).collect()),
        orders_open: gate.orders.iter().filter(|view| view.state.open()).count() as u64,
        last_seen: twin.map(|_| gate.reported_at.into()),
    }
}

/// An alarm with the place of its source.
fn alarm_item(world: &World, id: &str, alarm: &Alarm) -> Option<AlarmItem> {
    let source = alarm.entry.as_ref()?.source.as_str();
    let of_gate = || world.gates.get(source).and_then(|gate| world.stations.get_key_value(&gate.station));
    let place = world.stations.get_key_value(source).or_else(of_gate);
    AlarmItem::of(id, alarm, place.map(|(station, _)| station.as_str()), place.map(|(_, view)| view.site.as_str()))
}

async fn devices(State(console): State<Console>, asker: Asker, which: Which) -> Items<DeviceItem> {
    let caller = console.looks(&asker).await?;
    let keys = console.backend().entities(EntityKind::Device).await.map_err(refused)?;
    let mut walk = which.walk(ids(keys));
    while let Some(id) = walk.next() {
        walk.items.extend(console.device_item(&caller, &id).await?);
    }
    Ok(walk.page())
}

async fn device(State(console): State<Console>, asker: Asker, Path(id): Path<String>) -> One {
    let caller = console.looks(&asker).await?;
    one(console.device_item(&caller, &id).await?)
}

/// Whoever looks at a customer's account stands in the audit, or sees nothing.
async fn account(State(console): State<Console>, asker: Asker, Path(id): Path<String>) -> One {
    let caller = console.looks(&asker).await?;
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

async fn alarms(State(console): State<Console>, asker: Asker, which: Which) -> Items<Value> {
    console.listing(&asker, Channel::Alarms, &which).await
}

async fn alarm(State(console): State<Console>, asker: Asker, Path(id): Path<String>) -> One {
    console.one_listed(&asker, Channel::Alarms, &id).await
}

async fn approvals(State(console): State<Console>, asker: Asker, which: Which) -> Items<Value> {
    console.listing(&asker, Channel::Approvals, &which).await
}

async fn approval(State(console): State<Console>, asker: Asker, Path(id): Path<String>) -> One {
    console.one_listed(&asker, Channel::Approvals, &id).await
}

async fn users(State(console): State<Console>, asker: Asker, which: Which) -> Items<UserItem> {
    let caller = console.looks(&asker).await?;
    rights::may_see_users(&caller)?;
    let keys = console.backend().entities(EntityKind::User).await.map_err(refused)?;
    let mut walk = which.walk(ids(keys));
    while let Some(id) = walk.next() {
        walk.items.extend(console.user_item(&id).await?);
    }
    Ok(walk.page())
}

async fn user(State(console): State<Console>, asker: Asker, Path(id): Path<String>) -> One {
    let caller = console.looks(&asker).await?;
    rights::may_see_users(&caller)?;
    one(console.user_item(&id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cursor: Option<&str>, limit: Option<usize>) -> Page<u32> {
        let mut items: BTreeMap<String, u32> = ["a", "b", "c", "d", "e"].map(str::to_owned).into_iter().zip(1..).collect();
        let mut walk = Which { cursor: cursor.map(str::to_owned), limit }.walk(items.keys().cloned());
        while let Some(id) = walk.next() {
            walk.items.extend(items.remove(&id));
        }
        walk.page().0
    }

    #[test]
    fn a_walk_looks_at_so_many_and_says_where_to_go_on() {
        let keys: Vec<EntityKey> = (0..2_500).map(|n| EntityKey::new(EntityKind::Alarm, &format!("a{n:04}"))).collect();
        let (mut cursor, mut found, mut pages) = (None, Vec::new(), 0);
        loop {
            let mut walk = Which { cursor, limit: Some(2) }.walk(ids(keys.clone()));
            while let Some(id) = walk.next() {
                walk.items.extend(Some(id).filter(|id| id.ends_with("400")));
            }
            let Json(page) = walk.page();
            pages += 1;
            found.extend(page.items);
            match page.next {
                None => break,
                next => cursor = next,
            }
        }
        assert_eq!((found, pages), (vec!["a0400".to_owned(), "a1400".into(), "a2400".into()], 3));
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
