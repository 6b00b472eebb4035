//! Commands of consoles: an operation with its arguments becomes commands for machines, and their replies its answer. One
//! door for WebSocket and HTTP. Rights first, then the answer that the id has had, then the time; what needs a second
//! person waits for one. What only looks has no answer that is kept.
//!
//! Not here: who may (`rights`), what a machine decides (`domain`), how an answer travels (`socket`, `api`).
pub mod acks;
mod alarms;
mod approvals;
mod audit;
mod desk;
mod devices;
mod doubtful;
mod stations;
mod users;

pub use approvals::{resume, run_in_its_own_time};

use super::rights::{self, Ask};
use super::{Caller, Channel, Console};
use acks::Begun;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use tongdao_actors::request::{self, Busy};
use tongdao_actors::state::EntityState;
use tongdao_domain::device::By;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{CommandId, UserId};
use tongdao_domain::machine::{Command, RefusalCode, Reply};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::Op;
use tongdao_protocol::console::strict::BadArgs;

/// What an overloaded cell could not take is offered again after this …
const BUSY_AGAIN: Duration = Duration::from_millis(50);
/// … and so often.
const BUSY_TRIES: u32 = 10;
/// First words of the ids that this program makes itself: a console must not take a tap's id away. `tests/contract.rs` reads
/// the sources and misses none.
const OWN_IDS: &[&str] = &[
    "tap",
    "passage",
    "record",
    "tick",
    "struck",
    "op",
    "note",
    "fault",
    "audit",
    "order",
    "alarm",
    "approval",
    "state",
    "ack",
    "boot",
    "keeper",
    "mode",
    "link",
    "records",
    "sent",
    "token",
    "deny",
    "network",
    "settlement",
    "doubtful",
    "accept",
];

/// A command as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// The key of idempotence.
    pub command_id: CommandId,
    /// The operation's name.
    pub op: String,
    /// Its arguments, not looked at yet.
    pub args: Value,
    /// The revision that was shown to whoever decided.
    pub if_rev: Option<u64>,
    /// Not to be done after this many milliseconds; 0 = only the answer that the id has had.
    pub ttl_ms: u64,
    /// When it was read, by the process clock.
    pub received: Timestamp,
}

/// What a command answers, and where its effect shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The result of the operation.
    pub result: Value,
    /// The channel in which the effect shows, where the person may see it …
    pub ch: Option<Channel>,
    /// … at this position, where its board has told the event already.
    pub seq: Option<u64>,
}

/// What every operation answers with.
type Answer = Result<Done, ErrorBody>;

/// Runs a command. `caller` is as of now: [`Console::caller`].
///
/// # Errors
/// Why it is refused.
pub async fn run(console: &Console, caller: &Caller, request: Request) -> Answer {
    let op = Op::parse(&request.op, &request.args).map_err(|error| ErrorBody::from(&error))?;
    if request.command_id.as_str().split('/').next().is_some_and(|first| OWN_IDS.contains(&first)) {
        return Err((&BadArgs::bad("command_id", "an id whose first word is none of this program's own")).into());
    }
    rights::may(caller, &console.backend().world, Ask::Command(&op))?;
    if request.if_rev.is_some() && !op.takes_rev() {
        return Err((&BadArgs::bad("if_rev", "nothing: this has no revision")).into());
    }
    if op.looks_only() {
        return in_time(console, caller, request, &op).await;
    }
    let begun = console.acks().begin(&caller.user, &request.command_id, &op.digest());
    let running = match begun {
        Begun::Known(answer) => return answer,
        Begun::Running => return Err(Code::Busy.into()),
        Begun::Reused => return Err(Code::KeyReused.into()),
        Begun::Fresh(running) => running,
    };
    let answer = in_time(console, caller, request, &op).await;
    running.end(&answer);
    answer
}

async fn in_time(console: &Console, caller: &Caller, request: Request, op: &Op) -> Answer {
    let until = request.received + Millis(i64::try_from(request.ttl_ms).unwrap_or(i64::MAX / 2));
    if request.ttl_ms == 0 || console.now() > until {
        return Err(Code::Expired.into());
    }
    let job = Job { console, by: op.by(&caller.user), approved_by: None, command_id: request.command_id, if_rev: request.if_rev, until };
    job.started(caller, op).await.map(|done| job.shown_to(caller, done))
}

/// One command on its way.
struct Job<'a> {
    console: &'a Console,
    /// Who and why.
    by: By,
    /// The second person.
    approved_by: Option<UserId>,
    /// The key of idempotence.
    command_id: CommandId,
    /// The revision that was shown.
    if_rev: Option<u64>,
    /// From this moment on nobody waits for the answer.
    until: Timestamp,
}

impl Job<'_> {
    /// What a person has just asked for: it may have to wait for a second one.
    async fn started(&self, caller: &Caller, op: &Op) -> Answer {
        match op {
            Op::ApprovalApprove(args) => self.approve(caller, args).await,
            Op::ApprovalReject(args) => self.reject(caller, args).await,
            Op::RecordDecide(args) => self.record_decide(caller, args).await,
            _ if op.looks_only() => self.effect(op).await,
            _ => match self.asked_for_before().await? {
                Some(asked) => Err(self.still_waits(op, &asked)),
                None if self.needs_a_second_person(op).await? => self.ask_for_a_second_person(op).await,
                None => self.effect(op).await,
            },
        }
    }

    /// Where the effect shows, as far as this person may see that; at which position, where the board was faster than the answer.
    fn shown_to(&self, caller: &Caller, done: Done) -> Done {
        let world = &self.console.backend().world;
        let ch = done.ch.filter(|ch| rights::may(caller, world, Ask::Sub(ch)).is_ok());
        let seq = ch.as_ref().and_then(|ch| self.console.hub().told(ch, &self.command_id));
        Done { ch, seq, ..done }
    }

    /// What changes or shows something.
    async fn effect(&self, op: &Op) -> Answer {
        match op {
            Op::StationMode(args) => self.station_mode(args).await,
            Op::StationRelease(args) => self.station_release(args).await,
            Op::GateService(args) => self.gate_service(args).await,
            Op::JourneyAdjust(args) => self.journey_adjust(args).await,
            Op::MediumFind(args) => self.medium_find(args).await,
            Op::MediumUnfreeze(args) => self.medium_unfreeze(args).await,
            Op::DeviceCommand(args) => self.device_command(args).await,
            Op::DeviceAdd(args) => self.device_add(args).await,
            Op::DeviceRotate(args) => self.device_rotate(args).await,
            Op::DeviceRevoke(args) => self.device_revoke(args).await,
            Op::AlarmAck(args) => self.alarm_ack(args).await,
            Op::AlarmSnooze(args) => self.alarm_snooze(args).await,
            Op::AlarmClear(args) => self.alarm_clear(args).await,
            Op::UserAdd(args) => self.user_add(args).await,
            Op::UserRoles(args) => self.user_roles(args).await,
            Op::UserDisable(args) => self.user_disable(args).await,
            Op::UserEndSessions(args) => self.user_end_sessions(args).await,
            Op::AuditSearch(args) => self.audit_search(args).await,
            Op::AuditVerify(args) => self.audit_verify(args).await,
            Op::ApprovalApprove(_) | Op::ApprovalReject(_) | Op::RecordDecide(_) => Err(Code::Forbidden.into()),
        }
    }

    /// Asks a machine under this command's id, which must stand at the revision that was shown.
    async fn ask(&self, entity: EntityKey, command: impl Into<Command>) -> Result<Reply, ErrorBody> {
        let answer = ask_if(self.console, entity.clone(), self.command_id.clone(), command.into(), self.if_rev).await;
        match answer {
            Err(error) if error.code == Code::StaleRev => Err(match self.state(&entity).await?.rev() {
                Some(rev) => error.with("rev", rev),
                None => error,
            }),
            answer => answer,
        }
    }

    async fn state(&self, entity: &EntityKey) -> Result<EntityState, ErrorBody> {
        state_of(self.console, entity).await
    }
}

/// Asks a machine; what is overloaded is offered again for half a second, under the same id.
async fn ask_as(console: &Console, entity: EntityKey, id: CommandId, command: Command) -> Result<Reply, ErrorBody> {
    ask_if(console, entity, id, command, None).await
}

async fn ask_if(console: &Console, entity: EntityKey, id: CommandId, command: Command, if_rev: Option<u64>) -> Result<Reply, ErrorBody> {
    let door = &console.backend().door;
    let knock =
        || door.send(request::Request { if_rev, ..request::Request::new(entity.clone(), id.clone(), command.clone(), console.now()) });
    let mut answer = knock().await;
    for _ in 0..BUSY_TRIES {
        if !is_overloaded(&answer) {
            break;
        }
        tokio::time::sleep(BUSY_AGAIN).await;
        answer = knock().await;
    }
    match answer {
        Ok(Reply::Refused(refusal)) => Err((&refusal).into()),
        Ok(reply) => Ok(reply),
        Err(busy) => Err(overloaded(busy)),
    }
}

async fn state_of(console: &Console, entity: &EntityKey) -> Result<EntityState, ErrorBody> {
    console.backend().door.query(entity).await.map_err(overloaded)
}

fn is_overloaded(answer: &Result<Reply, Busy>) -> bool {
    match answer {
        Ok(Reply::Refused(refusal)) => refusal.code == RefusalCode::Busy,
        Ok(_) => false,
        Err(busy) => matches!(busy, Busy::Full | Busy::TooOld),
    }
}

fn overloaded(busy: Busy) -> ErrorBody {
    ErrorBody::new(Code::Busy).with("hint", busy.to_string())
}

fn refused(code: Code, hint: impl Into<String>) -> ErrorBody {
    ErrorBody::new(code).with("hint", hint.into())
}

/// It is done, and shows in this channel.
fn done(result: &impl Serialize, channel: Option<Channel>) -> Answer {
    let result = serde_json::to_value(result).map_err(|_| ErrorBody::new(Code::Internal))?;
    Ok(Done { result, ch: channel, seq: None })
}
