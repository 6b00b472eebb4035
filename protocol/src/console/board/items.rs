//! Items of the lists out of what is committed: one way for boards and for `audit.search`.
use super::{AlarmItem, ApprovalItem, AuditItem};
use crate::export::{Item, described};
use crate::time::Time;
use serde_json::Value;
use tongdao_domain::entity::EntityKind;
use tongdao_domain::machine::Event;
use tongdao_domain::{alarm, approval, audit};

/// Longest detail, in characters.
const DETAIL_CHARS_MAX: usize = 256;
/// Fields that say nothing beside who, what and whom.
const PLAIN: [&str; 8] = ["by", "id", "rev", "digest", "command_id", "args", "postings", "kept_from"];

impl AlarmItem {
    /// An alarm as its machine has it; where it belongs is known to whoever knows the site files.
    #[must_use]
    pub fn of(name: &str, alarm: &alarm::Alarm, station: Option<&str>, site: Option<&str>) -> Option<Self> {
        let entry = alarm.entry.as_ref()?;
        Some(Self {
            alarm: name.to_owned(),
            rev: alarm.rev,
            code: entry.code.into(),
            severity: entry.severity.into(),
            source: entry.source.to_string(),
            station: station.map(str::to_owned),
            site: site.map(str::to_owned),
            count: entry.count,
            state: entry.state.into(),
            owner: entry.owner.as_ref().map(ToString::to_string),
            devices: entry.devices.iter().map(ToString::to_string).collect(),
            since: entry.since.into(),
            changed_at: entry.changed_at.into(),
            snoozed_until: entry.snoozed_until.map(Time),
            clearable: !entry.code.ends_by_itself() && entry.state != alarm::State::Cleared,
        })
    }
}

impl ApprovalItem {
    /// An approval as its machine has it.
    #[must_use]
    pub fn of(id: &str, entry: &approval::Entry) -> Self {
        let asked = &entry.asked;
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            approval: id.to_owned(),
            op: asked.op.to_string(),
            args: serde_json::from_str(&asked.args).unwrap_or_else(|_| Value::String(asked.args.clone())),
            digest: asked.digest.to_string(),
            reason: asked.by.reason.to_string(),
            by: asked.by.user.to_string(),
            asked_at: entry.asked_at.into(),
            expires_at: asked.expires_at.into(),
            station: asked.station.as_ref().map(ToString::to_string),
            state: entry.state.into(),
            decided_by: entry.decided_by.as_ref().map(|by| by.user.to_string()),
            decided_at: entry.decided_at.map(Time),
            note: entry.decided_by.as_ref().and_then(|by| text(&by.reason)),
            refused: entry.refused.as_ref().map(ToString::to_string),
        }
    }
}

impl AuditItem {
    /// Is it a fault of the outside world that was counted, and nothing that a person did?
    #[must_use]
    pub fn is_fault(&self) -> bool {
        self.by.is_none()
    }
    /// A committed event as the audit shows it; none where no person did it and no fault was counted. Station and site stand
    /// there where the event itself names them.
    #[must_use]
    pub fn of(item: &Item<'_>) -> Option<Self> {
        let (name, d) = described(item.entity, item.event);
        let here = Self {
            id: format!("{}/{}", item.partition, item.seq),
            at: item.at.into(),
            by: None,
            op: name.to_owned(),
            target: item.entity.to_string(),
            station: match item.entity.kind {
                EntityKind::Station => Some(item.entity.id.to_string()),
                _ => d.get("station").and_then(Value::as_str).map(str::to_owned),
            },
            site: d.get("site").and_then(Value::as_str).map(str::to_owned),
            reason: None,
            detail: None,
            command_id: Some(item.command_id.to_string()),
        };
        match item.event {
            Event::Audit(audit::Event::Noted(note)) => Some(Self {
                by: Some(note.by.to_string()),
                op: note.op.to_string(),
                target: note.target.to_string(),
                detail: filled(&note.detail),
                ..here
            }),
            Event::Audit(audit::Event::Counted(fault)) => Some(Self {
                op: format!("fault.{}", fault.code),
                target: fault.source.to_string(),
                detail: Some(format!("count {}", fault.count)),
                ..here
            }),
            _ => {
                let word = |name: &str| d.get("by")?.get(name)?.as_str().and_then(filled);
                Some(Self { by: Some(word("user")?), reason: word("reason"), detail: detail(&d), ..here })
            }
        }
    }
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// What an event says beside who and why, in a line: `modes closed,fare_waived, until 2026-03-02T09:00:00.000Z`.
fn detail(d: &Value) -> Option<String> {
    let fields = d.as_object()?.iter().filter(|(name, _)| !PLAIN.contains(&name.as_str()));
    let parts: Vec<String> = fields.filter_map(|(name, value)| Some(format!("{name} {}", words(value)?))).collect();
    filled(&parts.join(", ")).map(|line| line.chars().take(DETAIL_CHARS_MAX).collect())
}

/// A value in words; none where it is empty or more than words.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => filled(text),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => filled(&items.iter().filter_map(words).collect::<Vec<_>>().join(",")),
        Value::Object(fields) if fields.contains_key("amount") => {
            Some(format!("{} {}", fields.get("amount")?.as_str()?, fields.get("currency")?.as_str()?))
        }
        Value::Object(fields) if fields.len() == 1 => fields.values().next().and_then(words),
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tongdao_domain::device::By;
    use tongdao_domain::entity::EntityKey;
    use tongdao_domain::id::{CommandId, DeviceId, UserId};
    use tongdao_domain::station::{self, Mode, Service};
    use tongdao_domain::time::Timestamp;
    use tongdao_domain::user;

    const EIGHT: Timestamp = Timestamp(1_772_438_400_000);

    fn by(reason: &str) -> By {
        By { user: UserId::new("li").expect("an id"), reason: reason.into() }
    }
    fn audited(kind: EntityKind, event: impl Into<Event>) -> Option<Value> {
        let (entity, command_id, event) = (EntityKey::new(kind, "x1"), CommandId::new("c/1").expect("an id"), event.into());
        let item = Item { partition: 9, seq: 41, at: EIGHT, entity: &entity, version: 1, command_id: &command_id, event: &event };
        AuditItem::of(&item).map(|item| serde_json::to_value(item).expect("JSON"))
    }

    #[test]
    fn what_a_person_did_is_audited_with_who_why_and_what() {
        let set = |by| station::Event::ModesSet {
            id: CommandId::new("c/1").expect("an id"),
            rev: 3,
            modes: [Mode::Closed, Mode::FareWaived].into(),
            from: EIGHT,
            until: None,
            by,
            approved_by: None,
            kept_from: EIGHT,
        };
        assert_eq!(
            audited(EntityKind::Station, set(Some(by("works")))),
            Some(json!({
                "id": "9/41", "at": "2026-03-02T08:00:00.000Z", "by": "li", "op": "station.modes_set", "target": "station/x1",
                "station": "x1", "reason": "works", "detail": "from 2026-03-02T08:00:00.000Z, modes closed,fare_waived", "command_id": "c/1",
            }))
        );
        assert_eq!(audited(EntityKind::Station, set(None)), None, "an alarm or a deadline did it");
    }

    #[test]
    fn notes_and_counted_faults_are_audited_as_what_they_are() {
        let note = audit::Note { by: by("").user, op: "medium.find".into(), target: "account/a1".into(), detail: "".into() };
        let item = audited(EntityKind::Audit, audit::Event::Noted(note)).expect("audited");
        assert_eq!((&item["op"], &item["target"], item.get("detail")), (&json!("medium.find"), &json!("account/a1"), None));
        let fault = audit::Fault { source: "g1".into(), code: "wrong_secret".into(), minute: EIGHT, count: 7 };
        let item = audited(EntityKind::Audit, audit::Event::Counted(fault)).expect("audited");
        assert_eq!((&item["op"], &item["detail"], item.get("by")), (&json!("fault.wrong_secret"), &json!("count 7"), None));
    }

    #[test]
    fn no_secret_reaches_the_audit() {
        let password = user::PasswordHash::new("$argon2id$canary").expect("a hash");
        let event = user::Event::Added { roles: [user::Role::Admin].into(), scope: user::Scope::All, password: Some(password), by: by("") };
        let item = audited(EntityKind::User, event).expect("audited").to_string();
        assert!(!item.contains("canary") && item.contains("roles admin"), "{item}");
        let services = station::Event::ServiceSet {
            id: CommandId::new("c/2").expect("an id"),
            rev: 4,
            devices: vec![DeviceId::new("g1").expect("an id")],
            service: Service::Paused,
            by: by("cleaning"),
            from: EIGHT,
        };
        assert!(audited(EntityKind::Station, services).expect("audited")["detail"].as_str().expect("a text").contains("service paused"));
    }

    #[test]
    fn alarms_and_approvals_are_shown_as_their_machines_have_them() {
        use tongdao_domain::alarm::{Alarm, AlarmCode, Severity};
        use tongdao_domain::approval::{Approval, Asked};
        use tongdao_domain::machine::Machine as _;
        let mut alarm = Alarm::default();
        let (code, source, severity) = (AlarmCode::Tamper, "g1".into(), Severity::Minor);
        alarm.apply(&alarm::Event::Raised { code, source, severity, device: None }, EIGHT);
        let item = AlarmItem::of("tamper.g1", &alarm, Some("tianfu"), Some("cd")).expect("raised");
        assert_eq!((item.clearable, item.count, item.rev, item.station.as_deref()), (true, 1, 1, Some("tianfu")));
        let mut approval = Approval::default();
        let asked = Asked {
            op: "station.release".into(),
            args: r#"{"station":"tianfu"}"#.into(),
            command_id: CommandId::new("c/1").expect("an id"),
            digest: "0a".repeat(32).into(),
            by: by("all clear"),
            expires_at: EIGHT,
            station: None,
            rev: None,
        };
        approval.apply(&approval::Event::Requested(asked), EIGHT);
        approval.apply(&approval::Event::Approved { by: by("") }, EIGHT);
        let item = ApprovalItem::of("ap1", &approval.entry.expect("asked for"));
        assert_eq!((item.args["station"].as_str(), item.note, item.decided_by.as_deref()), (Some("tianfu"), None, Some("li")));
    }
}
