//! A token never does more than its user, and ends with it.
use super::super::{Command as UserCommand, PasswordHash};
use super::*;
use crate::machine::Machine as _;
use crate::testing::{Actor, by, id};
use proptest::prelude::*;

fn roles(of: &[Role]) -> BTreeSet<Role> {
    of.iter().copied().collect()
}
fn li(of: &[Role], scope: Scope) -> Actor<User> {
    let mut user = Actor::<User>::new("li");
    let password = PasswordHash::new("$argon2id$v=19$x").ok();
    assert_eq!(user.ask(UserCommand::Add { roles: roles(of), scope, password, by: by() }), Reply::Done);
    user
}
fn make(name: &str, of: Option<&[Role]>, scope: Option<Scope>, expires_at: Timestamp) -> UserCommand {
    let (roles, hash) = (of.map(roles), SecretHash([7; 32]));
    UserCommand::Token(Command::Make { id: id(name), name: name.into(), hash, roles, scope, expires_at, by: by() })
}
fn revoke(name: &str) -> UserCommand {
    UserCommand::Token(Command::Revoke { id: id(name), by: by() })
}
fn refused(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}
const FAR: Timestamp = Timestamp(i64::MAX);

#[test]
fn a_token_has_its_users_rights_and_changes_with_them_at_once() {
    let (world, now) = (World::for_tests(), crate::testing::MORNING);
    let mut user = li(&[Role::GateOperator, Role::Auditor], Scope::All);
    assert_eq!(user.ask(make("t1", None, None, FAR)), Reply::Done);
    assert_eq!(user.ask(make("t2", Some(&[Role::Auditor]), Some(Scope::Sites([id("cd")].into())), FAR)), Reply::Done);
    let rights = |user: &Actor<User>, name: &str| user.state.token_rights(&id(name), &world, now);
    assert_eq!(rights(&user, "t1"), Some((roles(&[Role::GateOperator, Role::Auditor]), Scope::All)));
    assert_eq!(rights(&user, "t2"), Some((roles(&[Role::Auditor]), Scope::Sites([id("cd")].into()))));
    let less = Scope::Stations([id("s1"), id("nowhere")].into());
    let set = UserCommand::SetRoles { roles: roles(&[Role::GateOperator]), scope: less.clone(), by: by() };
    assert_eq!(user.ask(set), Reply::Done);
    assert_eq!(rights(&user, "t1"), Some((roles(&[Role::GateOperator]), less)));
    assert_eq!(rights(&user, "t2"), Some((roles(&[]), Scope::Stations([id("s1")].into()))), "what is left of both: nothing may be done");
}

#[test]
fn it_ends_by_itself_by_an_order_and_with_its_user() {
    let world = World::for_tests();
    let mut user = li(&[Role::Auditor], Scope::All);
    let soon = crate::testing::MORNING + crate::time::Millis::minutes(5);
    assert_eq!(user.ask(make("t1", None, None, soon)), Reply::Done);
    assert_eq!(user.ask(make("t2", None, None, FAR)), Reply::Done);
    assert!(user.state.token_rights(&id("t1"), &world, crate::time::Timestamp(soon.0 - 1)).is_some());
    assert!(user.state.token_rights(&id("t1"), &world, soon).is_none());
    assert_eq!(user.ask(revoke("t2")), Reply::Done);
    assert_eq!(refused(user.ask(revoke("t2"))), RefusalCode::NotFound);
    assert_eq!(user.ask(make("t3", None, None, FAR)), Reply::Done);
    assert_eq!(user.ask(UserCommand::Disable { by: by() }), Reply::Done);
    assert_eq!(refused(user.ask(make("t4", None, None, FAR))), RefusalCode::WrongState);
    assert_eq!(user.ask(UserCommand::Add { roles: roles(&[Role::Auditor]), scope: Scope::All, password: None, by: by() }), Reply::Done);
    assert!(user.state.tokens.is_empty(), "who comes back has no old tokens");
    assert_eq!(user.state, user.replayed());
}

#[test]
fn what_it_must_not_be_is_refused() {
    let mut user = Actor::<User>::new("li");
    assert_eq!(refused(user.ask(make("t", None, None, FAR))), RefusalCode::NotFound);
    let mut user = li(&[Role::Auditor], Scope::All);
    let past = crate::testing::MORNING;
    let nowhere = Some(Scope::Sites(BTreeSet::new()));
    for (bad, why) in [
        (make("t", Some(&[Role::Admin]), None, FAR), "more than its user"),
        (make("t", Some(&[]), None, FAR), "nothing"),
        (make("t", None, nowhere, FAR), "nowhere"),
        (make("t", None, None, past), "over"),
    ] {
        assert_eq!(refused(user.ask(bad)), RefusalCode::BadArgs, "{why}");
    }
    for name in ["", " ", "a\nb", &"x".repeat(65)] {
        let hash = SecretHash([7; 32]);
        let bad = Command::Make { id: id("t"), name: name.into(), hash, roles: None, scope: None, expires_at: FAR, by: by() };
        assert_eq!(refused(user.ask(UserCommand::Token(bad))), RefusalCode::BadArgs, "{name:?}");
    }
    for n in 0..TOKENS_MAX {
        assert_eq!(user.ask(make(&format!("t{n}"), None, None, FAR)), Reply::Done);
    }
    assert_eq!(refused(user.ask(make("one-more", None, None, FAR))), RefusalCode::WrongState);
}

#[test]
fn that_it_was_used_is_known_and_is_no_change() {
    let mut user = li(&[Role::Auditor], Scope::All);
    assert_eq!(user.ask(make("t1", None, None, FAR)), Reply::Done);
    let rev = user.state.rev();
    assert_eq!(user.ask(UserCommand::Token(Command::Use { id: id("t1") })), Reply::Done);
    assert!(user.state.tokens[&id::<TokenId>("t1")].used_at.is_some());
    assert_eq!(user.state.rev(), rev);
    assert_eq!(refused(user.ask(UserCommand::Token(Command::Use { id: id("t2") }))), RefusalCode::NotFound);
}

fn scopes() -> impl Strategy<Value = Scope> {
    let station = proptest::sample::select(vec!["s0", "s1", "s2", "nowhere"]);
    prop_oneof![
        Just(Scope::All),
        proptest::collection::btree_set(proptest::sample::select(vec!["cd", "bj"]), 1..3)
            .prop_map(|sites| Scope::Sites(sites.into_iter().map(id).collect())),
        proptest::collection::btree_set(station, 1..4).prop_map(|stations| Scope::Stations(stations.into_iter().map(id).collect())),
    ]
}

proptest! {
    #[test]
    fn what_is_within_both_is_within_each(one in scopes(), other in scopes()) {
        let world = World::for_tests();
        let both = one.within(&other, &world);
        for station in ["s0", "s1", "s2", "s3", "nowhere"].map(id) {
            let covered = |scope: &Scope| scope.covers_station(&world, &station);
            prop_assert_eq!(covered(&both), covered(&one) && covered(&other), "{} in {:?} of {:?} and {:?}", station, both, one, other);
        }
        for site in ["cd", "bj"].map(id) {
            prop_assert!(!both.covers_site(&site) || one.covers_site(&site) && other.covers_site(&site));
        }
        prop_assert!(both != Scope::All || one == Scope::All && other == Scope::All);
    }
}
