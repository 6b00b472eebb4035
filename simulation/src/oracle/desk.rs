//! What must hold of approvals and alarms at every moment, by the events alone.
use crate::coverage::{Coverage, Kind};
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::alarm;
use tongdao_domain::approval::{self, Asked};
use tongdao_domain::doubtful::{self, State};
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;

/// Approvals and alarms as their events tell.
#[derive(Debug, Default)]
pub struct Desks {
    asked: BTreeMap<String, Asked>,
    decided: BTreeSet<String>,
    approved: BTreeMap<CommandId, String>,
    run: BTreeSet<CommandId>,
    standing: BTreeMap<String, BTreeSet<Option<String>>>,
    doubtful: BTreeMap<String, State>,
    /// What has occurred.
    pub coverage: Coverage,
}

impl Desks {
    /// At most one decision, by a second person, in time; an outcome only of what was let through.
    pub(super) fn approval(&mut self, id: &str, at: Timestamp, event: approval::Event) {
        let asked = self.asked.get(id).cloned();
        let decided = |desks: &mut Self| assert!(desks.decided.insert(id.to_owned()), "approval {id} was decided twice");
        match (event, asked) {
            (approval::Event::Requested(asked), before) => {
                assert!(before.is_none(), "approval {id} was asked for twice");
                self.asked.insert(id.to_owned(), asked);
            }
            (_, None) => panic!("approval {id} was decided before it was asked for"),
            (approval::Event::Approved { by }, Some(asked)) => {
                decided(self);
                assert!(by.user != asked.by.user, "{} approved what they asked for", by.user);
                assert!(at < asked.expires_at, "approval {id} was let through at {at:?}, allowed before {:?}", asked.expires_at);
                self.approved.insert(asked.command_id, id.to_owned());
                self.coverage.note(Kind::Approved);
            }
            (approval::Event::Rejected { .. }, Some(_)) => {
                decided(self);
                self.coverage.note(Kind::Rejected);
            }
            (approval::Event::Expired, Some(asked)) => {
                decided(self);
                assert!(at >= asked.expires_at, "approval {id} expired before its time");
                self.coverage.note(Kind::ApprovalExpired);
            }
            (approval::Event::Ran { .. }, Some(asked)) => {
                assert!(self.run.contains(&asked.command_id), "approval {id} is done and its command was never run");
            }
        }
    }

    /// A command that needs a second person has an effect: it was let through.
    pub(super) fn effect(&mut self, command_id: &CommandId) {
        if command_id.as_str().starts_with("approved/") {
            assert!(self.approved.contains_key(command_id), "{command_id} was run and nobody let it through");
            self.run.insert(command_id.clone());
        }
    }

    /// An alarm is cleared when its last cause is gone, not before and not later.
    pub(super) fn alarm(&mut self, id: &str, event: alarm::Event) {
        let standing = self.standing.entry(id.to_owned()).or_default();
        match event {
            alarm::Event::Raised { device, .. } => {
                self.coverage.note(if standing.is_empty() { Kind::AlarmRaised } else { Kind::AlarmJoined });
                standing.insert(device.map(|device| device.to_string()));
            }
            alarm::Event::Settled { device } => {
                let gone = standing.remove(&device.map(|device| device.to_string()));
                assert!(gone, "alarm {id}: a cause is gone that was not there");
            }
            alarm::Event::Cleared { .. } => {
                assert!(standing.is_empty(), "alarm {id} was cleared while {standing:?} is left");
                self.coverage.note(Kind::AlarmCleared);
            }
            _ => {}
        }
    }

    /// Told once, decided once and by whom it should be, posted only once it is accepted.
    pub(super) fn doubtful(&mut self, id: &str, event: &doubtful::Event) {
        let before = self.doubtful.get(id).copied();
        let after = match event {
            doubtful::Event::Opened(_) => {
                assert!(before.is_none(), "doubtful record {id} was told twice");
                State::Open
            }
            doubtful::Event::Accepted { by, .. } => {
                assert!(before == Some(State::Open), "doubtful record {id} was accepted while it was {before:?}");
                assert!(crate::doubts::accepted_by_whom_it_should(by), "{} rejected {id}, and it was accepted", by.user);
                State::Accepted
            }
            doubtful::Event::Rejected { .. } => {
                assert!(before == Some(State::Open), "doubtful record {id} was rejected while it was {before:?}");
                self.coverage.note(Kind::DoubtRejected);
                State::Rejected
            }
            doubtful::Event::Posted => {
                assert!(before == Some(State::Accepted), "doubtful record {id} was posted while it was {before:?}");
                self.coverage.note(Kind::DoubtAccepted);
                State::Posted
            }
            doubtful::Event::Returned { .. } => {
                assert!(before == Some(State::Accepted), "doubtful record {id} came back while it was {before:?}");
                self.coverage.note(Kind::DoubtReturned);
                State::Open
            }
        };
        self.doubtful.insert(id.to_owned(), after);
    }

    /// Doubtful records that nobody has decided, or that their accounts do not have.
    #[must_use]
    pub fn undecided(&self) -> Vec<&str> {
        let ended = |state: &State| matches!(state, State::Posted | State::Rejected);
        self.doubtful.iter().filter(|(_, state)| !ended(state)).map(|(id, _)| id.as_str()).collect()
    }

    /// What was let through and never run.
    #[must_use]
    pub fn unrun(&self) -> Vec<&CommandId> {
        self.approved.keys().filter(|command| !self.run.contains(*command)).collect()
    }
}
