use super::*;
use axum::http::HeaderValue;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_str(value).expect("a value"))).collect()
}

#[test]
fn the_cookie_is_found_among_others_and_nothing_else_is_taken_for_it() {
    for (line, value) in [
        ("session=abc", Some("abc")),
        ("a=b; session=abc; c=d", Some("abc")),
        ("xsession=abc", None),
        ("a=session=abc", None),
        ("session", None),
        ("", None),
    ] {
        assert_eq!(cookie(&headers(&[("cookie", line)])), value, "{line}");
    }
    assert_eq!(cookie(&HeaderMap::new()), None);
}

#[test]
fn a_cookie_is_kept_from_scripts_and_from_other_sites() {
    let set = set_cookie(Some(("v", 60)), true);
    assert_eq!(set, "session=v; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
    assert!(set_cookie(None, false).starts_with("session=; ") && set_cookie(None, false).ends_with("Max-Age=0"));
}

#[test]
fn origins_are_those_of_the_config_or_of_this_machine() {
    let http = "127.0.0.1:8080".parse().expect("an address");
    assert_eq!(origins(&["https://a.example".into()], http), ["https://a.example"]);
    assert_eq!(origins(&[], http), ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:8080"]);
    assert!(origins(&[], "10.0.0.7:80".parse().expect("an address")).contains(&"http://10.0.0.7:80".to_owned()));
}

#[test]
fn a_ticket_stands_among_the_protocols() {
    for (line, found) in [
        ("tongdao.v1.json, ticket.abc", Some("abc")),
        ("tongdao.v1.json,ticket.abc", Some("abc")),
        ("tongdao.v1.json", None),
        ("tickets.abc", None),
    ] {
        assert_eq!(ticket(&headers(&[("sec-websocket-protocol", line)])), found, "{line}");
    }
}

#[test]
fn basic_credentials_are_read_whole() {
    let read = |value: &str| basic(&headers(&[("authorization", value)]));
    assert_eq!(read("Basic bGk6YTpi"), Some(("li".into(), "a:b".into())), "a colon may stand in a password");
    for bad in ["Bearer bGk6YTpi", "Basic ???", "Basic", "Basic bGk="] {
        assert_eq!(read(bad), None, "{bad}");
    }
}
