//! Four eyes, bound to the content, in time.
use super::*;
use crate::testing::{Actor, id};
use crate::time::Millis;
use proptest::prelude::*;

fn digest(letter: char) -> CompactString {
    std::iter::repeat_n(letter, DIGEST_BYTES).collect()
}
fn by(user: &str) -> By {
    By { user: id(user), reason: "all clear".into() }
}
fn asked(now: Timestamp) -> Asked {
    Asked {
        op: "station.release".into(),
        args: r#"{"station":"tianfu","reason":"all clear"}"#.into(),
        command_id: CommandId::new("c/1").expect("a command id"),
        digest: digest('a'),
        by: by("li"),
        expires_at: now + Millis::minutes(10),
        station: Some(id("tianfu")),
        rev: None,
    }
}
fn approve(user: &str) -> Command {
    Command::Approve { digest: digest('a'), by: by(user) }
}
fn reject(user: &str) -> Command {
    Command::Reject { digest: digest('a'), by: by(user) }
}
fn pending() -> Actor<Approval> {
    let mut approval = Actor::<Approval>::new("ap1");
    let asked = asked(approval.now);
    assert_eq!(approval.ask(Command::Request(asked)), Reply::Done);
    approval
}
fn state(approval: &Actor<Approval>) -> State {
    approval.state.entry.as_ref().expect("asked for").state
}
fn refused(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn who_asks_does_not_approve_but_may_take_it_back() {
    let mut approval = pending();
    assert_eq!(refused(approval.ask(approve("li"))), RefusalCode::Forbidden);
    assert_eq!(state(&approval), State::Pending);
    assert_eq!(approval.ask(reject("li")), Reply::Done);
    assert_eq!(state(&approval), State::Rejected);
}

#[test]
fn of_two_approvers_one_wins_and_the_other_learns_who() {
    let mut approval = pending();
    assert_eq!(approval.ask(approve("wang")), Reply::Done);
    assert_eq!(approval.ask(approve("wang")), Reply::Done, "the same again");
    let Reply::Refused(refusal) = approval.ask(approve("zhao")) else { panic!("only one decides") };
    assert_eq!((refusal.code, refusal.hint.as_str()), (RefusalCode::WrongState, "already approved by wang"));
    assert_eq!(refused(approval.ask(reject("wang"))), RefusalCode::WrongState);
    assert_eq!(approval.events.len(), 2);
    assert_eq!(approval.state.to_run().map(|asked| asked.command_id.as_str()), Some("c/1"));
}

#[test]
fn it_binds_to_what_the_approver_saw() {
    let mut approval = pending();
    for command in [Command::Approve { digest: digest('b'), by: by("wang") }, Command::Reject { digest: digest('b'), by: by("wang") }] {
        assert_eq!(refused(approval.ask(command)), RefusalCode::Contradicts);
    }
    assert_eq!(state(&approval), State::Pending);
}

#[test]
fn the_last_millisecond_counts_and_the_next_does_not() {
    let edge = asked(pending().now).expires_at;
    let mut approval = pending();
    approval.now = edge - Millis(1);
    approval.ask(Command::Tick);
    assert_eq!((state(&approval), approval.state.deadline()), (State::Pending, Some(edge)));
    assert_eq!(approval.ask(approve("wang")), Reply::Done);
    assert_eq!(approval.state.deadline(), None);

    let mut late = pending();
    late.now = edge;
    assert_eq!(refused(late.ask(approve("wang"))), RefusalCode::WrongState, "even before the tick");
    late.ask(Command::Tick);
    assert_eq!((state(&late), late.state.deadline()), (State::Expired, None));
    assert_eq!(refused(late.ask(reject("wang"))), RefusalCode::WrongState);
}

#[test]
fn what_was_let_through_is_to_be_run_until_its_outcome_is_known() {
    let mut approval = pending();
    let ran = |refused: Option<&str>| Command::Ran { refused: refused.map(CompactString::new) };
    assert_eq!(refused(approval.ask(ran(None))), RefusalCode::WrongState, "nobody approved it");
    approval.ask(approve("wang"));
    assert!(approval.state.to_run().is_some());
    assert_eq!(approval.ask(ran(Some("WRONG_STATE"))), Reply::Done);
    assert_eq!(approval.ask(ran(None)), Reply::Done, "the first outcome stays");
    let entry = approval.state.entry.clone().expect("asked for");
    assert_eq!((entry.state, entry.refused.as_deref(), approval.state.to_run()), (State::Done, Some("WRONG_STATE"), None));
    assert_eq!(approval.state, approval.replayed());
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let mut approval = Actor::<Approval>::new("ap1");
    let good = asked(approval.now);
    for (what, wrong) in [
        ("args", Asked { args: "x".repeat(ARGS_BYTES_MAX + 1), ..good.clone() }),
        ("digest", Asked { digest: "abc".into(), ..good.clone() }),
        ("digest", Asked { digest: digest('G'), ..good.clone() }),
        ("expires_at", Asked { expires_at: approval.now, ..good.clone() }),
        ("expires_at", Asked { expires_at: approval.now + Millis::hours(24) + Millis(1), ..good.clone() }),
    ] {
        let Reply::Refused(refusal) = approval.ask(Command::Request(wrong)) else { panic!("{what}") };
        assert!(refusal.code == RefusalCode::BadArgs && refusal.hint.starts_with(what), "{refusal:?}");
    }
    assert_eq!(refused(approval.ask(approve("wang"))), RefusalCode::NotFound);
    assert_eq!(approval.ask(Command::Request(good.clone())), Reply::Done);
    assert_eq!(approval.ask(Command::Request(good.clone())), Reply::Done);
    let other = Asked { digest: digest('b'), ..good };
    assert_eq!(refused(approval.ask(Command::Request(other))), RefusalCode::Contradicts);
    assert_eq!(approval.events.len(), 1);
}

fn commands() -> impl Strategy<Value = (Command, i64)> {
    let user = || prop_oneof![Just("li"), Just("wang"), Just("zhao")];
    let letter = || prop_oneof![4 => Just('a'), 1 => Just('b')];
    let command = prop_oneof![
        (user(), letter()).prop_map(|(user, letter)| Command::Approve { digest: digest(letter), by: by(user) }),
        (user(), letter()).prop_map(|(user, letter)| Command::Reject { digest: digest(letter), by: by(user) }),
        Just(Command::Ran { refused: None }),
        Just(Command::Tick),
    ];
    (command, 0..240_000_i64)
}

proptest! {
    /// Whatever comes in whatever order: at most one decision, by a second person, on the same content, in time.
    #[test]
    fn nothing_runs_that_a_second_person_did_not_let_through_in_time(commands in proptest::collection::vec(commands(), 1..16)) {
        let mut approval = pending();
        let edge = approval.state.entry.as_ref().expect("asked for").asked.expires_at;
        for (command, later) in commands {
            approval.now = approval.now + Millis(later);
            let before = approval.events.len();
            let _ = approval.decide(command.clone());
            if let Some(Event::Approved { by }) = approval.events.get(before) {
                prop_assert!(by.user != id("li") && approval.now < edge);
                let bound = matches!(&command, Command::Approve { digest: seen, .. } if *seen == digest('a'));
                prop_assert!(bound, "bound to the content");
            }
        }
        let decided = approval.events.iter().filter(|event| !matches!(event, Event::Requested(_) | Event::Ran { .. })).count();
        prop_assert!(decided <= 1);
        let ran = approval.events.iter().position(|event| matches!(event, Event::Ran { .. }));
        let approved = approval.events.iter().position(|event| matches!(event, Event::Approved { .. }));
        prop_assert!(ran.is_none_or(|ran| approved.is_some_and(|approved| approved < ran)));
        prop_assert_eq!(&approval.state, &approval.replayed());
    }
}
