//! The one choke point: may this person see a channel, get what is pushed there, give a command? By role and scope, from the
//! facts of the site files. What is out of scope does not exist (`NOT_FOUND`); what a role does not do is `FORBIDDEN`.
//!
//! Not here: who somebody is (`session`), what an approval waits for (its stored operation comes here again when approved).
use super::{Caller, Channel};
use serde_json::Value;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use tongdao_domain::id::{DeviceId, StationId, UserId};
use tongdao_domain::user::{Role, Scope};
use tongdao_domain::world::World;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::Op;

#[cfg(test)]
mod isolation;
#[cfg(test)]
mod tests;

/// What somebody wants.
#[derive(Debug, Clone, Copy)]
pub enum Ask<'a> {
    /// To subscribe to a channel, or to read its board.
    Sub(&'a Channel),
    /// To be told what happens there.
    Push(&'a Channel),
    /// To give a command.
    Command(&'a Op),
}

use Role::{Admin, Auditor, GateOperator, Inspector, Manager, Settlement, Supervisor, Technician};

/// Who runs stations.
const STATIONS: &[Role] = &[GateOperator, Supervisor, Manager, Admin];
/// Who looks at stations and devices.
const WATCHERS: &[Role] = &[GateOperator, Supervisor, Manager, Technician, Admin, Auditor, Settlement];
/// Who sees what belongs to a customer.
const CUSTOMERS: &[Role] = &[GateOperator, Supervisor, Manager];
/// Who decides what is doubtful: the service desk and settlement.
const DOUBTS: &[Role] = &[GateOperator, Supervisor, Manager, Settlement];
/// Who reads the audit.
const READERS: &[Role] = &[Auditor, Inspector, Manager, Admin];

/// Decides.
///
/// # Errors
/// `NOT_FOUND` out of scope, `FORBIDDEN` by role.
pub fn may(caller: &Caller, world: &World, ask: Ask<'_>) -> Result<(), ErrorBody> {
    match ask {
        Ask::Sub(channel) | Ask::Push(channel) => may_see(caller, world, channel),
        Ask::Command(op) => may_do(caller, world, op),
    }
}

fn may_see(caller: &Caller, world: &World, channel: &Channel) -> Result<(), ErrorBody> {
    let scope = &caller.scope;
    let (in_scope, roles): (bool, &[Role]) = match channel {
        // Sums of the whole network, nothing of a customer: everybody who is signed in.
        Channel::Overview(None) => (true, Role::ALL),
        Channel::Overview(Some(site)) => (world.sites.contains_key(site) && scope.covers_site(site), Role::ALL),
        Channel::Gates(station) => (covers_known_station(scope, world, station), WATCHERS),
        Channel::Device(device) => (covers_device(scope, world, device), WATCHERS),
        Channel::Alarms => (true, &[GateOperator, Supervisor, Manager, Technician, Admin, Auditor]),
        Channel::Approvals => (true, &[GateOperator, Supervisor, Manager, Admin, Auditor]),
        // A line of the audit names people and things of any place.
        Channel::Audit => return caller.with_role(READERS).and_then(|()| everywhere(scope)),
    };
    if in_scope { caller.with_role(roles) } else { Err(Code::NotFound.into()) }
}

fn may_do(caller: &Caller, world: &World, op: &Op) -> Result<(), ErrorBody> {
    caller.with_role(doers(op))?;
    if matches!(op, Op::ApprovalApprove(_) | Op::ApprovalReject(_)) {
        is_a_person(caller)?;
    }
    let scope = &caller.scope;
    let in_scope = match op {
        Op::StationMode(args) => covers_known_station(scope, world, &args.station),
        Op::StationRelease(args) => covers_known_station(scope, world, &args.station),
        Op::GateService(args) => args.devices.iter().all(|device| covers_device(scope, world, device)),
        Op::JourneyAdjust(args) => covers_known_station(scope, world, &args.station),
        // An account belongs to no place.
        Op::MediumFind(_) | Op::MediumUnfreeze(_) => true,
        // Where it came from is looked at with the record.
        Op::RecordDecide(_) => true,
        Op::DeviceCommand(args) => covers_device(scope, world, &args.device),
        Op::DeviceAdd(args) => world.sites.contains_key(&args.site) && scope.covers_site(&args.site),
        Op::DeviceRotate(args) | Op::DeviceRevoke(args) => covers_device(scope, world, &args.device),
        Op::AlarmAck(args) | Op::AlarmClear(args) => covers_alarm(scope, world, args.id.as_str()),
        Op::AlarmSnooze(args) => covers_alarm(scope, world, args.id.as_str()),
        // What it lets through is asked about again, as an operation of whoever approves.
        Op::ApprovalApprove(_) | Op::ApprovalReject(_) => true,
        Op::UserAdd(_) | Op::UserRoles(_) | Op::UserDisable(_) | Op::UserEndSessions(_) | Op::AuditSearch(_) | Op::AuditVerify(_) => {
            return everywhere(scope);
        }
    };
    if in_scope { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// Which roles give a command.
const fn doers(op: &Op) -> &'static [Role] {
    match op {
        Op::StationMode(_) | Op::StationRelease(_) | Op::ApprovalApprove(_) | Op::ApprovalReject(_) => STATIONS,
        Op::GateService(_) | Op::DeviceCommand(_) | Op::AlarmAck(_) | Op::AlarmSnooze(_) | Op::AlarmClear(_) => {
            &[GateOperator, Supervisor, Manager, Technician, Admin]
        }
        Op::JourneyAdjust(_) | Op::MediumFind(_) => CUSTOMERS,
        Op::RecordDecide(_) => DOUBTS,
        Op::MediumUnfreeze(_) => &[Supervisor, Manager],
        Op::DeviceAdd(_) | Op::DeviceRotate(_) | Op::DeviceRevoke(_) => &[Technician, Admin],
        Op::UserAdd(_) | Op::UserRoles(_) | Op::UserDisable(_) | Op::UserEndSessions(_) => &[Admin],
        Op::AuditSearch(_) => READERS,
        Op::AuditVerify(_) => &[Auditor, Admin],
    }
}

/// May they see accounts and what belongs to them?
///
/// # Errors
/// `FORBIDDEN`.
pub fn may_see_customers(caller: &Caller) -> Result<(), ErrorBody> {
    caller.with_role(CUSTOMERS)
}

/// May they see doubtful records, which name media and show the taps of their accounts?
///
/// # Errors
/// `FORBIDDEN`.
pub fn may_see_doubtful(caller: &Caller) -> Result<(), ErrorBody> {
    caller.with_role(DOUBTS)
}

/// May they see who the users are?
///
/// # Errors
/// `FORBIDDEN`.
pub fn may_see_users(caller: &Caller) -> Result<(), ErrorBody> {
    caller.with_role(&[Admin, Auditor]).and_then(|()| everywhere(&caller.scope))
}

/// Is it a person, at a page or with their password? A second person is one, and who makes and revokes tokens.
///
/// # Errors
/// `FORBIDDEN` to a program with a token.
pub fn is_a_person(caller: &Caller) -> Result<(), ErrorBody> {
    if caller.by_token { Err(Code::Forbidden.into()) } else { Ok(()) }
}

/// May they see which tokens this user has? Everybody sees their own.
///
/// # Errors
/// `FORBIDDEN`.
pub fn may_see_tokens(caller: &Caller, of: &UserId) -> Result<(), ErrorBody> {
    if caller.user == *of { Ok(()) } else { may_see_users(caller) }
}

/// May they revoke them?
///
/// # Errors
/// `FORBIDDEN`.
pub fn may_revoke_tokens(caller: &Caller, of: &UserId) -> Result<(), ErrorBody> {
    if caller.user == *of { Ok(()) } else { caller.with_role(&[Admin]).and_then(|()| everywhere(&caller.scope)) }
}

/// Must each item of this channel be looked at before this person gets it? `alarms` and `approvals` are shared by all
/// scopes: what [`sees_item`] denies is left out of a snapshot, and of an event only the number is told.
#[must_use]
pub fn looks_at_items(caller: &Caller, channel: &Channel) -> bool {
    match channel {
        Channel::Alarms => caller.scope != Scope::All,
        Channel::Approvals => caller.scope != Scope::All || caller.with_role(CUSTOMERS).is_err(),
        _ => false,
    }
}

/// What their view of a shared list is known by: who has the same sees the same items. None = they see all of them.
#[must_use]
pub fn view(caller: &Caller, channel: &Channel) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    (&caller.roles, &caller.scope).hash(&mut hasher);
    looks_at_items(caller, channel).then(|| hasher.finish())
}

/// May somebody with these roles let others leave the emergency of a station?
#[must_use]
pub fn lets_leave_an_emergency(roles: &BTreeSet<Role>, scope: &Scope, world: &World, station: &StationId) -> bool {
    STATIONS.iter().any(|role| roles.contains(role)) && covers_known_station(scope, world, station)
}

/// Is this item of `alarms` or `approvals` (as JSON) for them?
#[must_use]
pub fn sees_item(caller: &Caller, world: &World, channel: &Channel, item: &Value) -> bool {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    match channel {
        Channel::Alarms => text("source").is_some_and(|source| covers_source(&caller.scope, world, source)),
        Channel::Approvals => {
            let of_customer = matches!(text("op"), None | Some("journey.adjust" | "medium.unfreeze"));
            let in_scope = match text("station") {
                Some(station) => covers_source(&caller.scope, world, station),
                None => caller.scope == Scope::All,
            };
            in_scope && (!of_customer || may_see_customers(caller).is_ok())
        }
        _ => true,
    }
}

/// Leaves out of a shared board's snapshot what is not for them.
pub fn strip(caller: &Caller, world: &World, channel: &Channel, snapshot: &mut Value) {
    if looks_at_items(caller, channel)
        && let Some(items) = snapshot.get_mut("items").and_then(Value::as_array_mut)
    {
        items.retain(|item| sees_item(caller, world, channel, item));
    }
}

/// Is the device within the scope? One that no site file places is within `All` alone.
#[must_use]
pub fn covers_device(scope: &Scope, world: &World, device: &DeviceId) -> bool {
    match world.gates.get(device) {
        Some(gate) => scope.covers_station(world, &gate.station),
        None => *scope == Scope::All,
    }
}

fn covers_known_station(scope: &Scope, world: &World, station: &StationId) -> bool {
    world.stations.contains_key(station) && scope.covers_station(world, station)
}

/// An alarm is named `{code}.{source}`; codes have no dot.
fn covers_alarm(scope: &Scope, world: &World, alarm: &str) -> bool {
    alarm.split_once('.').is_some_and(|(_, source)| covers_source(scope, world, source))
}

/// A source is a station, a device, or the node itself.
fn covers_source(scope: &Scope, world: &World, source: &str) -> bool {
    let station = StationId::new(source).is_ok_and(|station| covers_known_station(scope, world, &station));
    station || DeviceId::new(source).is_ok_and(|device| covers_device(scope, world, &device))
}

fn everywhere(scope: &Scope) -> Result<(), ErrorBody> {
    if *scope == Scope::All { Ok(()) } else { Err(Code::Forbidden.into()) }
}

impl Caller {
    /// # Errors
    /// `FORBIDDEN` where none of the roles is theirs.
    fn with_role(&self, roles: &[Role]) -> Result<(), ErrorBody> {
        if roles.iter().any(|role| self.roles.contains(role)) { Ok(()) } else { Err(Code::Forbidden.into()) }
    }
}
