use super::*;
use tongdao_domain::device::By;
use tongdao_domain::machine::Machine as _;
use tongdao_domain::user::{Event, token};

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);

pub(super) fn limits() -> SessionLimits {
    SessionLimits { length: Millis::hours(12), idle: Millis::minutes(15), per_user_max: 2, ticket: Millis::seconds(30), tickets_max: 3 }
}

pub(super) fn li() -> UserId {
    UserId::new("li").expect("an id")
}

pub(super) fn by() -> By {
    By { user: UserId::new("root").expect("an id"), reason: "test".into() }
}

pub(super) fn user(roles: &[Role]) -> User {
    let mut user = User::default();
    user.apply(&Event::Added { roles: roles.iter().copied().collect(), scope: Scope::All, password: None, by: by() }, NOW);
    user
}

fn opened() -> (Sessions, SessionKey, User) {
    let (sessions, user) = (Sessions::new(limits(), Arc::default()), user(&[Role::Manager]));
    let (value, key) = sessions.open(&li(), &user, Holder::Page, NOW).expect("let in");
    assert_eq!((value.len(), SessionKey::of(&value)), (64, key));
    (sessions, key, user)
}

#[test]
fn a_session_ends_after_its_time_whatever_happens() {
    let (sessions, key, _) = opened();
    let watched = sessions.watch(&key).expect("open");
    let end = NOW + Millis::hours(12);
    sessions.used(&key, end - Millis(1));
    assert_eq!(sessions.find(&key, end - Millis(1)).expect("open").user, li());
    assert_eq!(sessions.find(&key, end), None);
    assert_eq!(watched.borrow().ended, Some(Ended::Expired));
    assert!(sessions.watch(&key).is_none());
}

#[test]
fn a_page_that_nobody_uses_is_locked_until_the_password_comes() {
    let (sessions, key, _) = opened();
    let idle = NOW + Millis::minutes(15);
    assert!(!sessions.find(&key, idle - Millis(1)).expect("open").standing.locked);
    sessions.sweep(idle);
    assert!(sessions.watch(&key).expect("open").borrow().locked);
    sessions.used(&key, idle);
    assert!(sessions.find(&key, idle).expect("open").standing.locked, "use alone unlocks nothing");
    sessions.unlock(&key, idle);
    assert!(!sessions.find(&key, idle).expect("open").standing.locked);
    sessions.lock_now(&key);
    assert!(sessions.find(&key, idle).expect("open").standing.locked);
}

#[test]
fn a_use_that_comes_too_late_does_not_keep_a_page_open() {
    let (sessions, key, _) = opened();
    sessions.used(&key, NOW + Millis::minutes(10));
    assert!(!sessions.find(&key, NOW + Millis::minutes(24)).expect("open").standing.locked);
    sessions.used(&key, NOW + Millis::minutes(25));
    assert!(sessions.find(&key, NOW + Millis::minutes(25)).expect("open").standing.locked);
}

#[test]
fn a_program_has_one_session_that_never_locks() {
    let (sessions, state) = (Sessions::new(limits(), Arc::default()), user(&[Role::Manager]));
    let key = sessions.of_program(&li(), &state, NOW).expect("let in");
    assert_eq!(sessions.of_program(&li(), &state, NOW + Millis::hours(1)), Some(key));
    assert!(!sessions.find(&key, NOW + Millis::hours(11)).expect("open").standing.locked);
    let later = sessions.of_program(&li(), &state, NOW + Millis::hours(12)).expect("a new one");
    assert_ne!(later, key);
}

#[test]
fn other_rights_count_at_once_and_what_ends_sessions_ends_them() {
    let (sessions, key, mut state) = opened();
    let mut watched = sessions.watch(&key).expect("open");
    sessions.user_is(&li(), &state, NOW);
    assert!(!watched.has_changed().expect("open"), "nothing has");
    state.apply(&Event::RolesSet { roles: BTreeSet::from([Role::Auditor]), scope: Scope::All, by: by() }, NOW);
    sessions.user_is(&li(), &state, NOW);
    assert_eq!(watched.borrow_and_update().roles, BTreeSet::from([Role::Auditor]));
    assert!(sessions.find(&key, NOW).is_some());
    for event in [Event::SessionsEnded { by: by() }, Event::Disabled { by: by() }] {
        let (_, key) = sessions.open(&li(), &state, Holder::Page, NOW).expect("let in");
        let watched = sessions.watch(&key).expect("open");
        state.apply(&event, NOW);
        sessions.user_is(&li(), &state, NOW);
        assert_eq!((watched.borrow().ended, sessions.count(&li())), (Some(Ended::Revoked), 0), "{event:?}");
    }
    assert!(sessions.open(&li(), &state, Holder::Page, NOW).is_none(), "disabled");
}

#[test]
fn one_session_more_than_allowed_ends_the_oldest() {
    let (sessions, first, state) = opened();
    let (_, second) = sessions.open(&li(), &state, Holder::Page, NOW + Millis(1)).expect("let in");
    let watched = sessions.watch(&first).expect("open");
    let _ = sessions.open(&li(), &state, Holder::Page, NOW + Millis(2)).expect("let in");
    assert_eq!(watched.borrow().ended, Some(Ended::Replaced));
    assert!(sessions.find(&second, NOW).is_some());
    assert_eq!(sessions.count(&li()), 2);
}

#[test]
fn a_ticket_is_good_once_and_soon_and_goes_with_its_session() {
    let (sessions, key, _) = opened();
    let ticket = |sessions: &Sessions| sessions.ticket(&key, NOW).expect("room").0;
    let good = ticket(&sessions);
    assert_eq!(sessions.redeem(&good, NOW), Some(key));
    assert_eq!(sessions.redeem(&good, NOW), None, "once");
    let late = ticket(&sessions);
    assert_eq!(sessions.redeem(&late, NOW + Millis::seconds(30)), None, "too late");
    let orphan = ticket(&sessions);
    sessions.end(&key, Ended::SignedOut);
    assert_eq!(sessions.redeem(&orphan, NOW), None, "its session is over");
    assert_eq!(sessions.redeem("nonsense", NOW), None);
}

#[test]
fn tickets_are_bounded_and_old_ones_make_room() {
    let (sessions, key, _) = opened();
    for _ in 0..3 {
        assert!(sessions.ticket(&key, NOW).is_some());
    }
    assert!(sessions.ticket(&key, NOW).is_none());
    assert!(sessions.ticket(&key, NOW + Millis::seconds(30)).is_some());
}

#[test]
fn a_session_is_not_printed() {
    let (_, key, _) = opened();
    assert_eq!(format!("{key:?}").chars().count(), "SessionKey(abcd…)".chars().count());
}

/// A user with a token whose value is `value`.
fn with_token(state: &mut User, value: &str, expires_at: Timestamp) -> TokenId {
    let (id, hash) = (TokenId::new("t1").expect("an id"), SessionKey::of(value).as_hash());
    let (roles, scope) = (Some([Role::Auditor].into()), None);
    let made = token::Event::Made { id: id.clone(), name: "a wall".into(), hash, roles, scope, expires_at, by: by() };
    state.apply(&Event::Token(made), NOW);
    id
}

#[test]
fn a_token_opens_a_session_with_its_own_rights_that_ends_with_it() {
    let (sessions, mut state) = (Sessions::new(limits(), Arc::default()), user(&[Role::Manager, Role::Auditor]));
    let id = with_token(&mut state, "v", NOW + Millis::hours(48));
    let key = SessionKey::of("v");
    assert!(!sessions.open_token(SessionKey::of("w"), &li(), &state, &id, NOW), "another value");
    assert!(sessions.open_token(key, &li(), &state, &id, NOW));
    for _ in 0..3 {
        let _page = sessions.open(&li(), &state, Holder::Page, NOW).expect("let in");
    }
    assert_eq!(sessions.count(&li()), 2, "pages end the oldest page, never a token");
    let later = NOW + Millis::hours(47);
    let found = sessions.find(&key, later).expect("longer than a page");
    assert_eq!((found.standing.roles, found.standing.locked), ([Role::Auditor].into(), false));
    sessions.lock_now(&key);
    assert!(!sessions.find(&key, later).expect("goes on").standing.locked);

    state.apply(&Event::RolesSet { roles: [Role::Manager].into(), scope: Scope::All, by: by() }, later);
    sessions.user_is(&li(), &state, later);
    assert!(sessions.find(&key, later).expect("goes on").standing.roles.is_empty(), "what its user lost is lost");
    let watched = sessions.watch(&key).expect("goes on");
    state.apply(&Event::Token(token::Event::Revoked { id, by: by() }), later);
    sessions.user_is(&li(), &state, later);
    assert_eq!(watched.borrow().ended, Some(Ended::Revoked));
    assert_eq!(sessions.find(&key, later), None);
}

#[test]
fn a_token_that_is_over_opens_nothing_and_its_use_is_told_once_an_hour() {
    let (sessions, mut state) = (Sessions::new(limits(), Arc::default()), user(&[Role::Auditor]));
    let end = NOW + Millis::hours(3);
    let (id, key) = (with_token(&mut state, "v", end), SessionKey::of("v"));
    assert!(sessions.open_token(key, &li(), &state, &id, NOW));
    assert!(!sessions.tells_use(&key, NOW + Millis::minutes(59)));
    assert!(sessions.tells_use(&key, NOW + Millis::hours(1)));
    assert!(!sessions.tells_use(&key, NOW + Millis::minutes(61)));
    let watched = sessions.watch(&key).expect("goes on");
    sessions.sweep(end);
    assert_eq!(watched.borrow().ended, Some(Ended::Expired));
    assert!(!sessions.open_token(key, &li(), &state, &id, end));
}
