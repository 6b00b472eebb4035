//! How a value looks, and what it says of itself.
use super::*;

#[test]
fn a_value_names_its_user_and_its_id_and_nothing_else_does() {
    let user = UserId::new("li.ming-2").expect("an id");
    let (one, two) = (Fresh::of(&user).expect("made"), Fresh::of(&user).expect("made"));
    assert!(one.value.starts_with("tongdao~li.ming-2~"), "a scanner knows it");
    assert!(one.value.len() > 64 + 18 && one.value != two.value && one.named != two.named);
    assert_eq!(Named::of_value(&one.value), Some(one.named.clone()));
    assert_eq!(one.named.to_string().parse(), Ok(one.named));
    for bad in ["", "tongdao", "tongdao~li", "tongdao~li~t", "other~li~t~v", "tongdao~~t~v", "tongdao~l i~t~v", "tongdao~li~t~u~v"] {
        assert_eq!(Named::of_value(bad), None, "{bad}");
    }
    for bad in ["", "li", "~", "li~", "~t", "li~t~u"] {
        assert_eq!(bad.parse::<Named>(), Err(NoName), "{bad}");
    }
}

#[test]
fn what_is_kept_is_the_hash_alone() {
    let user = UserId::new("li").expect("an id");
    let fresh = Fresh::of(&user).expect("made");
    let asked = Asked { name: "a wall".into(), roles: None, scope: None, expires_at: Timestamp(1) };
    let command = fresh.command(asked, By { user, reason: "".into() });
    let secret = fresh.value.rsplit_once('~').expect("parts").1;
    assert!(!format!("{command:?}").contains(secret) && !serde_json::to_string(&command).expect("JSON").contains(secret));
    let Command::Token(token::Command::Make { hash, .. }) = command else { panic!("another command") };
    assert_eq!(hash, SessionKey::of(&fresh.value).as_hash());
}

#[test]
fn only_bearer_is_bearer() {
    let of = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
        bearer(&headers).map(str::to_owned)
    };
    assert_eq!(of("Bearer  tongdao~li~t~v "), Some("tongdao~li~t~v".into()));
    assert_eq!(of("bearer x"), Some("x".into()));
    assert_eq!((of("Basic x"), of("Bearer")), (None, None));
}
