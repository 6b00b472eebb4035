//! `record.decide`: a person accepts or rejects a doubtful record. One person: what is accepted charges a fare by the table and
//! gives nobody anything, what is rejected leaves things as they are.
use super::{Answer, Channel, Job, done, refused};
use crate::console::Caller;
use tongdao_domain::doubtful::Command;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_protocol::console::codes::Code;
use tongdao_protocol::console::op::RecordDecideArgs;
use tongdao_protocol::console::result::Nothing;

impl Job<'_> {
    pub(super) async fn record_decide(&self, caller: &Caller, args: &RecordDecideArgs) -> Answer {
        let name = args.record.as_str();
        let entry = self.console.doubtful(caller, name).await?.ok_or_else(|| refused(Code::NotFound, "no such doubtful record"))?;
        let command = Command::Decide { accept: args.accept, by: self.by.clone() };
        self.ask(EntityKey::new(EntityKind::Doubtful, name), command).await?;
        done(&Nothing {}, Some(Channel::Gates(entry.case.station)))
    }
}
