//! `device.command`, `device.add`, `device.rotate`, `device.revoke`. A secret is made here, told once, and only its hash goes on.
use super::{Answer, Channel, Job, done, refused};
use crate::ops::{hash_of_secret, new_secret};
use tongdao_actors::state::EntityState;
use tongdao_domain::device::{Command, Entry};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{self, DeviceOrder};
use tongdao_domain::time::Millis;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::{DeviceAddArgs, DeviceArgs, DeviceCommandArgs};
use tongdao_protocol::console::result::{Nothing, Ordered, Secret};

impl Job<'_> {
    pub(super) async fn device_command(&self, args: &DeviceCommandArgs) -> Answer {
        if !self.console.backend().world.gates.contains_key(&args.device) {
            return Err(refused(Code::NotFound, "no gate of this name stands in a station"));
        }
        let order = DeviceOrder {
            id: self.command_id.clone(),
            command: args.command.name().into(),
            args: args.args.as_ref().map_or_else(|| "{}".into(), |args| args.0.to_string().into()),
            expires_at: self.console.now() + Millis(args.ttl_ms.cast_signed()),
            by: self.by.clone(),
        };
        self.ask(EntityKey::gate(&args.device), gate::Command::Order(order)).await?;
        done(&Ordered { id: self.command_id.to_string() }, Some(Channel::Device(args.device.clone())))
    }

    pub(super) async fn device_add(&self, args: &DeviceAddArgs) -> Answer {
        let key = EntityKey::device(&args.device);
        let secret = new_secret();
        let command =
            Command::Add { kind: args.kind.into(), site: args.site.clone(), secret: hash_of_secret(&secret), by: self.by.clone() };
        self.ask(key.clone(), command).await?;
        done(&self.told_once(&key, secret).await?, Some(Channel::Audit))
    }

    pub(super) async fn device_rotate(&self, args: &DeviceArgs) -> Answer {
        let secret = new_secret();
        let command = Command::Rotate { secret: hash_of_secret(&secret), by: self.by.clone() };
        let key = EntityKey::device(&args.device);
        self.ask(key.clone(), command).await?;
        done(&self.told_once(&key, secret).await?, Some(Channel::Device(args.device.clone())))
    }

    /// The secret, where it is really the device's: a command that was done before was done with another, which nobody knows.
    async fn told_once(&self, key: &EntityKey, secret: String) -> Result<Secret, ErrorBody> {
        let is_theirs = |entry: &Entry| entry.secret == hash_of_secret(&secret);
        let theirs = matches!(self.state(key).await?, EntityState::Device(device) if device.entry.as_ref().is_some_and(is_theirs));
        Ok(Secret { secret: theirs.then_some(secret) })
    }

    pub(super) async fn device_revoke(&self, args: &DeviceArgs) -> Answer {
        self.ask(EntityKey::device(&args.device), Command::Revoke { by: self.by.clone() }).await?;
        done(&Nothing {}, Some(Channel::Device(args.device.clone())))
    }
}
