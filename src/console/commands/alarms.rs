//! `alarm.ack`, `alarm.snooze`, `alarm.clear`.
use super::{Answer, Channel, Job, done};
use tongdao_domain::alarm::Command;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_protocol::console::op::{AlarmArgs, AlarmSnoozeArgs};
use tongdao_protocol::console::result::Nothing;

impl Job<'_> {
    pub(super) async fn alarm_ack(&self, args: &AlarmArgs) -> Answer {
        self.alarm(args.id.as_str(), Command::Ack { by: self.by.clone() }).await
    }
    pub(super) async fn alarm_snooze(&self, args: &AlarmSnoozeArgs) -> Answer {
        self.alarm(args.id.as_str(), Command::Snooze { until: args.until.0, by: self.by.clone() }).await
    }
    pub(super) async fn alarm_clear(&self, args: &AlarmArgs) -> Answer {
        self.alarm(args.id.as_str(), Command::Clear { by: self.by.clone() }).await
    }
    async fn alarm(&self, id: &str, command: Command) -> Answer {
        self.ask(EntityKey::new(EntityKind::Alarm, id), command).await?;
        done(&Nothing {}, Some(Channel::Alarms))
    }
}
