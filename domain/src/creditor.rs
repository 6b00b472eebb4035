//! What comes back for something owed, as the command that strikes it off at whoever owes it. One place, so that every shell
//! strikes in the same way; it keeps nothing.
use crate::account::{self, RecordOutcome};
use crate::entity::{EntityKey, EntityKind};
use crate::id::CommandId;
use crate::machine::{Command, Refusal, RefusalCode, Reply};
use crate::{doubtful, gate};
use compact_str::format_compact;

/// The command that strikes `owed` off at `creditor` because of this answer; none = no answer yet, it is sent again.
#[must_use]
pub fn struck(creditor: &EntityKey, owed: &CommandId, reply: &Reply) -> Option<(CommandId, Command)> {
    let command = match creditor.kind {
        EntityKind::Gate => at_gate(owed, reply)?.into(),
        EntityKind::Doubtful => at_desk(reply)?.into(),
        // The deny list takes what it is told, or it is told again.
        EntityKind::Account if *reply == Reply::Done => account::Command::Struck { owed: owed.clone() }.into(),
        _ => return None,
    };
    Some((CommandId::of(format_args!("struck/{owed}")), command))
}

fn at_gate(owed: &CommandId, reply: &Reply) -> Option<gate::Command> {
    let (outcome, doubted) = account::outcome_of(reply)?;
    // Whatever the desk says of a doubtful record that it is told: it has heard of it.
    let told = owed.as_str().starts_with("doubtful/");
    let (outcome, doubted) = if told { (RecordOutcome::Taken, None) } else { (outcome, doubted) };
    Some(gate::Command::Struck { owed: owed.clone(), outcome, doubted })
}

fn at_desk(reply: &Reply) -> Option<doubtful::Command> {
    let refused = match reply {
        Reply::Refused(Refusal { code: RefusalCode::Busy, .. }) => return None,
        Reply::Refused(refusal) => Some(format_compact!("{}: {}", refusal.code.name(), refusal.hint)),
        _ => None,
    };
    Some(doubtful::Command::Struck { refused })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Doubt, Doubted};

    fn id(text: &str) -> CommandId {
        CommandId::new(text).expect("a command id")
    }
    fn strikes(kind: EntityKind, owed: &str, reply: &Reply) -> Option<Command> {
        struck(&EntityKey::new(kind, "g1"), &id(owed), reply).map(|(_, command)| command)
    }

    #[test]
    fn an_overloaded_answer_strikes_nothing() {
        let busy = Refusal::reply(RefusalCode::Busy, "full");
        assert_eq!(strikes(EntityKind::Gate, "record/g1/1/2", &busy), None);
        assert_eq!(strikes(EntityKind::Doubtful, "accept/g1.1.2/1", &busy), None);
        assert_eq!(strikes(EntityKind::Account, "deny/a1/1", &busy), None);
        assert!(strikes(EntityKind::Account, "deny/a1/1", &Reply::Done).is_some());
        assert_eq!(strikes(EntityKind::Station, "x", &Reply::Done), None, "owes nothing");
    }

    #[test]
    fn a_gate_hears_how_its_record_was_taken_and_why_it_is_doubtful() {
        let doubted = |reply| match strikes(EntityKind::Gate, "record/g1/1/2", &reply) {
            Some(Command::Gate(gate::Command::Struck { outcome, doubted, .. })) => (outcome, doubted.map(|doubted| doubted.doubt)),
            other => panic!("not struck: {other:?}"),
        };
        assert_eq!(doubted(Reply::Done), (RecordOutcome::Taken, None));
        assert_eq!(doubted(Reply::Doubted(Doubted::of(Doubt::Twin))), (RecordOutcome::Doubtful, Some(Doubt::Twin)));
        let nobody = Refusal::reply(RefusalCode::NotFound, "");
        assert_eq!(doubted(nobody), (RecordOutcome::UnknownMedium, Some(Doubt::UnknownMedium)));
        let reused = Refusal::reply(RefusalCode::KeyReused, "");
        assert_eq!(doubted(reused), (RecordOutcome::Doubtful, Some(Doubt::KeyReused)));
    }

    #[test]
    fn the_desk_hears_whether_the_account_has_it() {
        let refused = |reply| match strikes(EntityKind::Doubtful, "accept/g1.1.2/1", &reply) {
            Some(Command::Doubtful(doubtful::Command::Struck { refused })) => refused,
            other => panic!("not struck: {other:?}"),
        };
        assert_eq!(refused(Reply::Done), None);
        assert_eq!(refused(Refusal::reply(RefusalCode::NotFound, "no account")).as_deref(), Some("NOT_FOUND: no account"));
    }
}
