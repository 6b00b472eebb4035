//! Commands of consoles: an operation with its arguments becomes commands for machines, and their replies its answer. One
//! door for WebSocket and HTTP. Rights first, then the answer that the id has had, then the time; what needs a second
//! person waits for one.
//!
//! Not here: who may (`rights`), what a machine decides (`domain`), how an answer travels (`socket`, `api`).
pub mod acks;
mod alarms;
mod approvals;
mod audit;
mod desk;
mod devices;
mod stations;
mod users;

pub use approvals::resume;

use super::rights::{self, Ask};
use super::{Caller, Channel, Console};
use acks::Begun;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use tongdao_actors::request::{Busy, Lane};
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
/// First words of the ids that this program makes itself: a console must not take a tap's id away.
const OWN_IDS: [&str; 19] = [
    "tap", "passage", "record", "tick", "struck", "op", "note", "fault", "audit", "order", "alarm", "approval", "state", "ack", "boot",
    "keeper", "mode", "link", "records",
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
    /// The channel in which the effect shows …
    pub ch: Option<String>,
    /// … at this position, where the board has it already.
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
    let begun = console.acks().begin(&caller.user, &request.command_id, &op.digest());
    let running = match begun {
        Begun::Known(answer) => return answer,
        Begun::Running => return Err(Code::Busy.into()),
        Begun::Reused => return Err(Code::KeyReused.into()),
        Begun::Fresh(running) => running,
    };
    let ttl = Millis(i64::try_from(request.ttl_ms).unwrap_or(i64::MAX));
    if request.ttl_ms == 0 || console.now() > request.received + ttl {
        return Err(Code::Expired.into());
    }
    let job = Job { console, by: op.by(&caller.user), approved_by: None, command_id: request.command_id, if_rev: request.if_rev };
    let answer = job.started(caller, &op).await;
    running.end(&answer);
    answer
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
}

impl Job<'_> {
    /// What a person has just asked for: it may have to wait for a second one.
    async fn started(&self, caller: &Caller, op: &Op) -> Answer {
        match op {
            Op::ApprovalApprove(args) => self.approve(caller, args).await,
            Op::ApprovalReject(args) => self.reject(caller, args).await,
            _ if self.needs_a_second_person(op).await? => self.ask_for_a_second_person(op).await,
            _ => self.effect(op).await,
        }
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
            Op::ApprovalApprove(_) | Op::ApprovalReject(_) => Err(Code::Forbidden.into()),
        }
    }

    /// Asks a machine under this command's id.
    async fn ask(&self, entity: EntityKey, command: impl Into<Command>) -> Result<Reply, ErrorBody> {
        ask_as(self.console, entity, self.command_id.clone(), command.into()).await
    }

    async fn state(&self, entity: &EntityKey) -> Result<EntityState, ErrorBody> {
        state_of(self.console, entity).await
    }
}

/// Asks a machine; what is overloaded is offered again for half a second, under the same id.
async fn ask_as(console: &Console, entity: EntityKey, id: CommandId, command: Command) -> Result<Reply, ErrorBody> {
    let lane = Lane::of(&command);
    let door = &console.backend().door;
    let mut answer = door.ask(entity.clone(), id.clone(), command.clone(), lane).await;
    for _ in 0..BUSY_TRIES {
        if !is_overloaded(&answer) {
            break;
        }
        tokio::time::sleep(BUSY_AGAIN).await;
        answer = door.ask(entity.clone(), id.clone(), command.clone(), lane).await;
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
    Ok(Done { result, ch: channel.map(|channel| channel.to_string()), seq: None })
}
