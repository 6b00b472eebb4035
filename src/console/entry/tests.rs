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

#[test]
fn the_address_that_counts_is_the_connection_s_or_what_a_proxy_of_ours_has_heard() {
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    let trusted = [ip("10.0.0.7"), ip("10.0.0.8")];
    let of = |peer: &str, lines: &[(&'static str, &str)]| client_address(ip(peer), &headers(lines), &trusted).to_string();
    const FORWARDED: &str = "x-forwarded-for";
    assert_eq!(of("192.0.2.1", &[(FORWARDED, "203.0.113.5")]), "192.0.2.1", "anybody can say that");
    assert_eq!(of("10.0.0.7", &[]), "10.0.0.7");
    assert_eq!(of("10.0.0.7", &[(FORWARDED, "203.0.113.5")]), "203.0.113.5");
    assert_eq!(of("::ffff:10.0.0.7", &[(FORWARDED, "203.0.113.5")]), "203.0.113.5");
    assert_eq!(
        of("10.0.0.7", &[(FORWARDED, "198.51.100.1, 203.0.113.5, 10.0.0.8")]),
        "203.0.113.5",
        "what stands before it, it says itself"
    );
    assert_eq!(of("10.0.0.7", &[(FORWARDED, "203.0.113.5, nonsense")]), "10.0.0.7");
    assert_eq!(of("10.0.0.7", &[(FORWARDED, "203.0.113.5, nonsense, 10.0.0.8")]), "10.0.0.8");
    assert_eq!(client_address(ip("10.0.0.7"), &headers(&[(FORWARDED, "203.0.113.5")]), &[]).to_string(), "10.0.0.7", "none is trusted");
}
