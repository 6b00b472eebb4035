//! Rights, passwords and the generation of sessions.
use super::*;
use crate::testing::{Actor, by, id};
use proptest::prelude::*;

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA";

fn hash() -> PasswordHash {
    PasswordHash::new(HASH).expect("an argon2id hash")
}
fn roles(of: &[Role]) -> BTreeSet<Role> {
    of.iter().copied().collect()
}
fn add(of: &[Role]) -> Command {
    Command::Add { roles: roles(of), scope: Scope::All, password: Some(hash()), by: by() }
}
fn set(of: &[Role], by: By) -> Command {
    Command::SetRoles { roles: roles(of), scope: Scope::All, by }
}
fn li() -> Actor<User> {
    let mut user = Actor::<User>::new("li");
    assert_eq!(user.ask(add(&[Role::GateOperator])), Reply::Done);
    user
}
fn refused(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn whoever_is_not_there_has_no_rights_and_no_sessions() {
    let mut user = Actor::<User>::new("li");
    for command in [Command::Disable { by: by() }, Command::EndSessions { by: by() }, set(&[Role::Admin], by())] {
        assert_eq!(refused(user.ask(command)), RefusalCode::NotFound);
    }
    assert!(!user.state.session_counts(0));
}

#[test]
fn the_same_again_changes_nothing_and_other_rights_are_a_contradiction() {
    let mut user = li();
    assert_eq!(user.ask(add(&[Role::GateOperator])), Reply::Done);
    assert_eq!(user.ask(set(&[Role::GateOperator], by())), Reply::Done);
    assert_eq!(user.events.len(), 1);
    assert_eq!(refused(user.ask(add(&[Role::Admin]))), RefusalCode::Contradicts);
    assert_eq!(refused(user.ask(set(&[], by()))), RefusalCode::BadArgs);
    let nowhere = Command::SetRoles { roles: roles(&[Role::Admin]), scope: Scope::Sites(BTreeSet::new()), by: by() };
    assert_eq!(refused(user.ask(nowhere)), RefusalCode::BadArgs);
}

#[test]
fn disabling_ends_sessions_and_coming_back_does_not_revive_them() {
    let mut user = li();
    let before = user.state.generation;
    assert!(user.state.session_counts(before));
    assert_eq!(user.ask(Command::Disable { by: by() }), Reply::Done);
    assert_eq!(user.ask(Command::Disable { by: by() }), Reply::Done);
    assert!(user.state.active().is_none() && !user.state.session_counts(user.state.generation));
    assert_eq!(refused(user.ask(set(&[Role::Admin], by()))), RefusalCode::WrongState);
    assert_eq!(user.ask(add(&[Role::Teller])), Reply::Done);
    assert!(!user.state.session_counts(before), "an old session stays void");
    assert!(user.state.session_counts(user.state.generation));
    assert_eq!(user.state, user.replayed());
}

#[test]
fn a_new_password_and_an_order_end_sessions_and_other_roles_do_not() {
    let mut user = li();
    let mut generation = user.state.generation;
    for command in [Command::SetPassword { password: hash(), by: by() }, Command::EndSessions { by: by() }] {
        assert_eq!(user.ask(command), Reply::Done);
        assert!(!user.state.session_counts(generation));
        generation = user.state.generation;
    }
    assert_eq!(user.ask(set(&[Role::Auditor], by())), Reply::Done);
    assert!(user.state.session_counts(generation));
}

#[test]
fn nobody_changes_their_own_rights() {
    let mut user = li();
    let oneself = By { user: id("li"), reason: "".into() };
    assert_eq!(refused(user.ask(set(&[Role::Admin], oneself.clone()))), RefusalCode::Forbidden);
    assert_eq!(refused(user.ask(Command::Disable { by: oneself.clone() })), RefusalCode::Forbidden);
    assert_eq!(user.ask(Command::EndSessions { by: oneself.clone() }), Reply::Done);
    assert_eq!(user.ask(Command::SetPassword { password: hash(), by: oneself }), Reply::Done);
}

#[test]
fn a_scope_covers_what_it_names_and_what_belongs_to_it() {
    let world = World::for_tests();
    let (here, nowhere) = (id::<StationId>("s1"), id::<StationId>("nowhere"));
    let sites = |site: &str| Scope::Sites(BTreeSet::from([id(site)]));
    let stations = Scope::Stations(BTreeSet::from([here.clone()]));
    assert!(Scope::All.covers_station(&world, &nowhere) && Scope::All.covers_site(&id("cd")));
    assert!(sites("cd").covers_station(&world, &here) && !sites("bj").covers_station(&world, &here));
    assert!(!sites("cd").covers_station(&world, &nowhere) && sites("cd").covers_site(&id("cd")));
    assert!(stations.covers_station(&world, &here) && !stations.covers_station(&world, &id("s2")));
    assert!(!stations.covers_site(&id("cd")));
}

#[test]
fn a_password_is_no_hash_and_a_hash_is_not_printed() {
    for text in ["", "correct horse", "$argon2i$v=19$m=1", "$2b$12$abc", &format!("{HASH} "), &format!("{HASH}{}", "a".repeat(256))] {
        assert_eq!(PasswordHash::new(text), Err(NoPasswordHash), "{text}");
    }
    assert!(!format!("{:?}", add(&[Role::Admin])).contains("argon2id"));
    assert!(Role::ALL.iter().all(|role| Role::from_name(role.name()) == Some(*role)));
}

fn commands() -> impl Strategy<Value = Command> {
    let some = proptest::sample::subsequence(Role::ALL, 0..3).prop_map(|of| of.into_iter().collect::<BTreeSet<_>>());
    let who = prop_oneof![Just("li"), Just("admin")].prop_map(|user| By { user: id(user), reason: "".into() });
    prop_oneof![
        (some.clone(), who.clone()).prop_map(|(roles, by)| Command::Add { roles, scope: Scope::All, password: None, by }),
        (some, who.clone()).prop_map(|(roles, by)| Command::SetRoles { roles, scope: Scope::All, by }),
        who.clone().prop_map(|by| Command::SetPassword { password: hash(), by }),
        who.clone().prop_map(|by| Command::Disable { by }),
        who.prop_map(|by| Command::EndSessions { by }),
    ]
}

proptest! {
    #[test]
    fn a_session_once_void_stays_void(commands in proptest::collection::vec(commands(), 1..24)) {
        let mut user = Actor::<User>::new("li");
        let mut void_below = 0;
        for command in commands {
            let ends = matches!(command, Command::SetPassword { .. } | Command::Disable { .. } | Command::EndSessions { .. });
            let before = (user.events.len(), user.state.generation);
            let _ = user.decide(command);
            let changed = user.events.len() > before.0;
            prop_assert_eq!(user.state.generation > before.1, ends && changed);
            void_below = void_below.max(user.state.generation);
            prop_assert!((0..void_below).all(|old| !user.state.session_counts(old)));
            prop_assert_eq!(user.state.session_counts(void_below), user.state.active().is_some());
            prop_assert!(user.state.entry.as_ref().is_none_or(|entry| !entry.roles.is_empty()));
        }
        prop_assert_eq!(&user.state, &user.replayed());
    }
}
