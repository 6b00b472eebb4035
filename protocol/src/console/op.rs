//! Operations: the one table of what a console can ask for, with typed arguments. An operation is read strictly, written in
//! one way only, and has a digest over what it means, to which an approval binds.
use super::codes::{Code, ErrorBody};
use super::result::{Adjusted, AuditPage, Changed, Found, Nothing, Ordered, Password, Secret, Verified};
use super::role::{Role, Scope};
use super::strict::{BadArgs, Json, from_value};
use crate::card;
use crate::gate::{Service, StationMode};
use crate::text::{Code as Shown, Digest, Id, Name, Note, Path, Reason};
use crate::time::Time;
use crate::wire::{wire, wire_enum, wire_word};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use tongdao_domain::account;
use tongdao_domain::device::{self, By};
use tongdao_domain::id::{AccountId, DeviceId, SiteId, StationId, Token, UserId};

#[cfg(test)]
mod tests;

/// Gates in one `gate.service`, at most.
pub const DEVICES_MAX: usize = 512;
/// Longest life of a `device.command`: a day.
pub const ORDER_TTL_MS_MAX: u64 = 86_400_000;
/// Sites or stations in one scope, at most.
pub const PLACES_MAX: usize = tongdao_domain::user::SCOPE_ITEMS_MAX;

wire_enum! {
    /// What is corrected at the service desk.
    AdjustKind = account::AdjustKind { AddEntry = "add_entry", AddExit = "add_exit", Overstay = "overstay", Waive = "waive" }
}

wire_enum! {
    /// Kinds of device.
    DeviceKind = device::DeviceKind { Gate = "gate", Kiosk = "kiosk", Robot = "robot", Display = "display" }
}
wire_word! {
    /// A part of the audit.
    AuditOnly { People = "people", Faults = "faults" }
}
wire_word! {
    /// What a device can be told to do.
    OrderWord { Restart = "restart", Maintain = "maintain", Resume = "resume", Config = "config", TestPrint = "test_print" }
}

wire! {
    /// `station.mode`: set the modes of a station; `[]` is normal service, `["emergency"]` opens all gates.
    #[derive(Eq)]
    StationModeArgs {
        /// The station.
        #[schemars(with = "Id")]
        station = "station": StationId,
        /// The modes; emergency stands alone.
        modes = "modes": Vec<StationMode>,
        /// Why.
        reason = "reason": Reason,
        /// Until when; then normal service again.
        #[serde(skip_serializing_if = "Option::is_none")]
        until = "until": Option<Time>,
    }
}
wire! {
    /// `station.release`: leave the emergency.
    #[derive(Eq)]
    StationReleaseArgs {
        /// The station.
        #[schemars(with = "Id")]
        station = "station": StationId,
        /// Why.
        reason = "reason": Reason,
    }
}
wire! {
    /// `gate.service`: set what gates do.
    #[derive(Eq)]
    GateServiceArgs {
        /// The gates; all stand in one station.
        #[schemars(with = "Vec<Id>", length(min = 1, max = 512))]
        devices = "devices": Vec<DeviceId>,
        /// What they do.
        service = "service": Service,
        /// Why.
        reason = "reason": Reason,
    }
}
wire! {
    /// `journey.adjust`: correct a journey at the service desk.
    #[derive(Eq)]
    JourneyAdjustArgs {
        /// The account.
        #[schemars(with = "Id")]
        account = "account": AccountId,
        /// What is corrected.
        kind = "kind": AdjustKind,
        /// Where the rider was, or is.
        #[schemars(with = "Id")]
        station = "station": StationId,
        /// Why.
        reason = "reason": Reason,
        /// When the rider was there; now where not given.
        #[serde(skip_serializing_if = "Option::is_none")]
        at = "at": Option<Time>,
    }
}
wire! {
    /// `medium.find`: what a medium's account, taps and journeys are.
    #[derive(Eq)]
    MediumFindArgs {
        /// The medium's token, or the whole QR code.
        token = "token": Shown,
    }
}
wire! {
    /// `medium.unfreeze`: take the taps of the medium's account again.
    #[derive(Eq)]
    MediumUnfreezeArgs {
        /// The medium's token.
        #[schemars(with = "Id")]
        token = "token": Token,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason = "reason": Option<Reason>,
    }
}
wire! {
    /// `record.decide`: accept or reject a doubtful record.
    #[derive(Eq)]
    RecordDecideArgs {
        /// The doubtful record, by its name in the list.
        record = "record": Name,
        /// It is true: post it to its account. Otherwise it leaves no charge.
        accept = "accept": bool,
        /// Why.
        reason = "reason": Reason,
    }
}
wire! {
    /// `device.command`: tell a device to do something.
    DeviceCommandArgs {
        /// The device.
        #[schemars(with = "Id")]
        device = "device": DeviceId,
        /// What.
        command = "command": OrderWord,
        /// Its arguments, an object.
        #[serde(skip_serializing_if = "Option::is_none")]
        args = "args": Option<Json>,
        /// Not to be done after this many milliseconds.
        ttl_ms = "ttl_ms": u64,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason = "reason": Option<Reason>,
    }
}
wire! {
    /// `device.add`: register a device; answers its secret once.
    #[derive(Eq)]
    DeviceAddArgs {
        /// The device.
        #[schemars(with = "Id")]
        device = "device": DeviceId,
        /// Its kind.
        kind = "kind": DeviceKind,
        /// Its site.
        #[schemars(with = "Id")]
        site = "site": SiteId,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason = "reason": Option<Reason>,
    }
}
wire! {
    /// `device.rotate` (answers the new secret once), `device.revoke`.
    #[derive(Eq)]
    DeviceArgs {
        /// The device.
        #[schemars(with = "Id")]
        device = "device": DeviceId,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason = "reason": Option<Reason>,
    }
}
wire! {
    /// `alarm.ack`, `alarm.clear`.
    #[derive(Eq)]
    AlarmArgs {
        /// The alarm, `{code}.{source}`.
        id = "id": Name,
        /// A note.
        #[serde(skip_serializing_if = "Option::is_none")]
        note = "note": Option<Note>,
    }
}
wire! {
    /// `alarm.snooze`: put an alarm off.
    #[derive(Eq)]
    AlarmSnoozeArgs {
        /// The alarm, `{code}.{source}`.
        id = "id": Name,
        /// Until when.
        until = "until": Time,
        /// A note.
        #[serde(skip_serializing_if = "Option::is_none")]
        note = "note": Option<Note>,
    }
}
wire! {
    /// `approval.approve`, `approval.reject`.
    #[derive(Eq)]
    ApprovalArgs {
        /// The approval.
        id = "id": Id,
        /// The digest of the command that was seen.
        digest = "digest": Digest,
        /// A note.
        #[serde(skip_serializing_if = "Option::is_none")]
        note = "note": Option<Note>,
    }
}
wire! {
    /// `user.add` (answers the generated password once), `user.roles`.
    #[derive(Eq)]
    UserRolesArgs {
        /// The user.
        #[schemars(with = "Id")]
        user = "user": UserId,
        /// What they may do.
        #[schemars(length(min = 1))]
        roles = "roles": Vec<Role>,
        /// Where.
        scope = "scope": Scope,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason = "reason": Option<Reason>,
    }
}
wire! {
    /// `user.disable`, `user.end_sessions`.
    #[derive(Eq)]
    UserArgs {
        /// The user.
        #[schemars(with = "Id")]
        user = "user": UserId,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason = "reason": Option<Reason>,
    }
}
wire! {
    /// `audit.search`: who did what, newest first.
    #[derive(Eq)]
    AuditSearchArgs {
        /// From this moment on.
        from = "from": Time,
        /// Up to this moment, exclusive.
        to = "to": Time,
        /// Only this user.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<Id>")]
        by = "by": Option<UserId>,
        /// Only operations that begin with this.
        #[serde(skip_serializing_if = "Option::is_none")]
        op = "op": Option<Id>,
        /// Only what people did, or only faults that were counted.
        #[serde(skip_serializing_if = "Option::is_none")]
        only = "only": Option<AuditOnly>,
        /// Goes on where an earlier answer ended (its `next`).
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor = "cursor": Option<Path>,
    }
}
wire! {
    /// `audit.verify`: check the hash chain of what was committed in this time.
    #[derive(Eq)]
    AuditVerifyArgs {
        /// From this moment on.
        from = "from": Time,
        /// Up to this moment, exclusive.
        to = "to": Time,
    }
}

/// Why something is no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpError {
    /// There is no such operation.
    #[error("no such operation")]
    UnknownOp,
    /// Its arguments cannot be taken.
    #[error(transparent)]
    BadArgs(#[from] BadArgs),
}
impl From<&OpError> for ErrorBody {
    fn from(error: &OpError) -> Self {
        match error {
            OpError::UnknownOp => Code::UnknownOp.into(),
            OpError::BadArgs(bad) => bad.into(),
        }
    }
}

/// What the contract says of one operation.
#[derive(Debug, Clone, Copy)]
pub struct OpWords {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    args: fn(&mut SchemaGenerator) -> Schema,
    result: fn(&mut SchemaGenerator) -> Schema,
}

impl OpWords {
    /// The schema of its arguments.
    pub fn args(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.args)(generator)
    }
    /// The schema of what it answers.
    pub fn result(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.result)(generator)
    }
}

macro_rules! ops {
    ($($variant:ident($args:ty) -> $result:ty = $name:literal, $summary:literal;)*) => {
        /// An operation with its arguments.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Op { $(#[doc = concat!("`", $name, "`: ", $summary, ".")] $variant($args),)* }

        impl Op {
            /// Every operation, in the order of the contract.
            pub const ALL: &'static [OpWords] = &[
                $(OpWords {
                    name: $name,
                    summary: $summary,
                    args: SchemaGenerator::subschema_for::<$args>,
                    result: SchemaGenerator::subschema_for::<$result>,
                },)*
            ];
            /// Its name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }
            fn read(op: &str, args: &Value) -> Result<Self, OpError> {
                match op {
                    $($name => Ok(Self::$variant(from_value(args)?)),)*
                    _ => Err(OpError::UnknownOp),
                }
            }
            /// Its arguments as JSON text, always written in the same way: no spaces, names sorted, nothing that is absent.
            #[must_use]
            pub fn args_text(&self) -> String {
                let args = match self { $(Self::$variant(args) => serde_json::to_value(args),)* };
                canonical(&args.unwrap_or_default())
            }
        }
    };
}

ops! {
    StationMode(StationModeArgs) -> Changed = "station.mode", "Set the modes of a station";
    StationRelease(StationReleaseArgs) -> Changed = "station.release", "Leave an emergency; a second person lets it through";
    GateService(GateServiceArgs) -> Changed = "gate.service", "Set what gates do";
    JourneyAdjust(JourneyAdjustArgs) -> Adjusted = "journey.adjust", "Correct a journey at the service desk";
    RecordDecide(RecordDecideArgs) -> Nothing = "record.decide", "Accept or reject a doubtful record";
    MediumFind(MediumFindArgs) -> Found = "medium.find", "Find a medium with its taps and journeys; each look is audited";
    MediumUnfreeze(MediumUnfreezeArgs) -> Nothing = "medium.unfreeze", "Take the taps of a frozen account again";
    DeviceCommand(DeviceCommandArgs) -> Ordered = "device.command", "Tell a device to do something";
    DeviceAdd(DeviceAddArgs) -> Secret = "device.add", "Register a device; answers its secret once";
    DeviceRotate(DeviceArgs) -> Secret = "device.rotate", "Give a device another secret; answers it once";
    DeviceRevoke(DeviceArgs) -> Nothing = "device.revoke", "Let a device in no more";
    AlarmAck(AlarmArgs) -> Nothing = "alarm.ack", "Take an alarm";
    AlarmSnooze(AlarmSnoozeArgs) -> Nothing = "alarm.snooze", "Put an alarm off";
    AlarmClear(AlarmArgs) -> Nothing = "alarm.clear", "End an alarm that does not end by itself";
    ApprovalApprove(ApprovalArgs) -> Nothing = "approval.approve", "Let another person's command through";
    ApprovalReject(ApprovalArgs) -> Nothing = "approval.reject", "Do not let it through, or take one's own back";
    UserAdd(UserRolesArgs) -> Password = "user.add", "Let a person in; answers the generated password once";
    UserRoles(UserRolesArgs) -> Nothing = "user.roles", "Give a person other roles or another scope";
    UserDisable(UserArgs) -> Nothing = "user.disable", "Let a person in no more";
    UserEndSessions(UserArgs) -> Nothing = "user.end_sessions", "End a person's sessions";
    AuditSearch(AuditSearchArgs) -> AuditPage = "audit.search", "Who did what, newest first";
    AuditVerify(AuditVerifyArgs) -> Verified = "audit.verify", "Check the hash chain of a time";
}

impl Op {
    /// Reads an operation.
    ///
    /// # Errors
    /// [`OpError`]: no such operation, or the field that cannot be taken.
    pub fn parse(op: &str, args: &Value) -> Result<Self, OpError> {
        let op = Self::read(op, args)?;
        op.check()?;
        Ok(op)
    }

    /// Reads an operation that was kept as [`Op::name`] and [`Op::args_text`].
    ///
    /// # Errors
    /// As [`Op::parse`].
    pub fn from_text(op: &str, args: &str) -> Result<Self, OpError> {
        Self::parse(op, &super::strict::json(args.as_bytes())?)
    }

    /// SHA-256 over name and arguments, in lower-case hexadecimal: what an approver approves.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.name());
        hash.update("\n");
        hash.update(self.args_text());
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Does it only look? Such an operation has no commit of its own.
    #[must_use]
    pub const fn looks_only(&self) -> bool {
        matches!(self, Self::MediumFind(_) | Self::AuditSearch(_) | Self::AuditVerify(_))
    }

    /// Can it name the revision that it was decided on? What is only looked at has none, a tap changes an account at any moment,
    /// and an approval binds to a digest.
    #[must_use]
    pub const fn takes_rev(&self) -> bool {
        !self.looks_only()
            && !matches!(
                self,
                Self::JourneyAdjust(_)
                    | Self::RecordDecide(_)
                    | Self::MediumUnfreeze(_)
                    | Self::ApprovalApprove(_)
                    | Self::ApprovalReject(_)
            )
    }

    /// The reason or note that was given.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::StationMode(args) => args.reason.as_str(),
            Self::StationRelease(args) => args.reason.as_str(),
            Self::GateService(args) => args.reason.as_str(),
            Self::JourneyAdjust(args) => args.reason.as_str(),
            Self::RecordDecide(args) => args.reason.as_str(),
            Self::MediumUnfreeze(args) => given(args.reason.as_ref()),
            Self::DeviceCommand(args) => given(args.reason.as_ref()),
            Self::DeviceAdd(args) => given(args.reason.as_ref()),
            Self::DeviceRotate(args) | Self::DeviceRevoke(args) => given(args.reason.as_ref()),
            Self::AlarmAck(args) | Self::AlarmClear(args) => noted(args.note.as_ref()),
            Self::AlarmSnooze(args) => noted(args.note.as_ref()),
            Self::ApprovalApprove(args) | Self::ApprovalReject(args) => noted(args.note.as_ref()),
            Self::UserAdd(args) | Self::UserRoles(args) => given(args.reason.as_ref()),
            Self::UserDisable(args) | Self::UserEndSessions(args) => given(args.reason.as_ref()),
            Self::MediumFind(_) | Self::AuditSearch(_) | Self::AuditVerify(_) => "",
        }
    }

    /// Who and why, as it stands in events.
    #[must_use]
    pub fn by(&self, user: &UserId) -> By {
        By { user: user.clone(), reason: self.reason().into() }
    }

    /// What no field can say alone.
    fn check(&self) -> Result<(), BadArgs> {
        match self {
            Self::StationMode(args) if args.modes.contains(&StationMode::Emergency) && (args.modes.len() > 1 || args.until.is_some()) => {
                Err(BadArgs::bad("modes", "emergency alone, without until"))
            }
            Self::GateService(args) if !(1..=DEVICES_MAX).contains(&args.devices.len()) => {
                Err(BadArgs::bad("devices", "a list of 1 to 512 gates"))
            }
            Self::DeviceCommand(args) if args.args.as_ref().is_some_and(|args| !args.0.is_object() || !harmless(&args.0)) => {
                Err(BadArgs::bad("args", "an object of short texts and numbers, without a card number or a picture"))
            }
            Self::DeviceAdd(args) if card::is_number(args.device.as_str()) => Err(BadArgs::bad("device", "an id, no card number")),
            Self::UserAdd(args) if card::is_number(args.user.as_str()) => Err(BadArgs::bad("user", "an id, no card number")),
            Self::MediumFind(args) if card::is_number(args.token.as_str()) => {
                Err(BadArgs::bad("token", "the medium's token, a keyed hash: never a card number"))
            }
            Self::DeviceCommand(args) if !(1..=ORDER_TTL_MS_MAX).contains(&args.ttl_ms) => {
                Err(BadArgs::bad("ttl_ms", "more than 0, at most a day"))
            }
            Self::UserAdd(args) | Self::UserRoles(args) if args.roles.is_empty() => {
                Err(BadArgs::bad("roles", "a list of at least one role"))
            }
            Self::UserAdd(args) | Self::UserRoles(args) if !args.scope.fits() => {
                Err(BadArgs::bad("scope", "all, or 1 to 1024 sites or stations"))
            }
            Self::AuditSearch(AuditSearchArgs { from, to, .. }) | Self::AuditVerify(AuditVerifyArgs { from, to }) if from >= to => {
                Err(BadArgs::bad("to", "a moment after `from`"))
            }
            _ => Ok(()),
        }
    }
}

/// Nothing in it that must not stand in the journal.
fn harmless(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().all(|(name, field)| Note::fits(name) && harmless(field)),
        Value::Array(items) => items.iter().all(harmless),
        Value::String(text) => Note::fits(text),
        Value::Number(number) => !card::is_number(&number.to_string()),
        Value::Null | Value::Bool(_) => true,
    }
}

/// JSON without spaces and with sorted names, whatever order the map keeps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            let fields: Vec<String> = sorted.into_iter().map(|(name, field)| format!("{}:{}", json!(name), canonical(field))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

fn given(reason: Option<&Reason>) -> &str {
    reason.map_or("", Reason::as_str)
}
fn noted(note: Option<&Note>) -> &str {
    note.map_or("", Note::as_str)
}
