//! Staff at the door, through the HTTP interface of a running server: who gets in, what they see, how it ends, and that no
//! secret is left behind.
mod common;
use common::http::{Answer, Page, send};
use common::{PATIENCE, Server};
use serde_json::{Value, json};
use std::time::Instant;
use tongdao_protocol::schema::ROUTES;

/// Sign-ins are not what these tests run out of.
const MANY: &str = "[console]\nsign_ins_per_minute_user = 1000\nsign_ins_per_minute_address = 10000";

fn first_password(server: &Server) -> String {
    let log = server.log();
    let told: Vec<&str> = log.split("the password ").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
    assert_eq!(told.len(), 1, "told once: {log}");
    told[0].to_owned()
}

fn add(server: &Server, user: &str, roles: &str, scope: &str) -> String {
    server.by_li(&["user", "add", user, "--roles", roles, "--scope", scope]).trim().to_owned()
}

fn page<'a>(server: &'a Server, user: &str, roles: &str, scope: &str) -> Page<'a> {
    let password = add(server, user, roles, scope);
    Page::sign_in(server, user, &password).unwrap_or_else(|answer| panic!("{user}: {answer:?}"))
}

/// What somebody did or was refused, by the audit.
fn noted(server: &Server, op: &str) -> Vec<Value> {
    server.export().into_iter().filter(|line| line["event"] == "audit.noted" && line["d"]["op"] == op).collect()
}

#[test]
fn the_first_start_tells_a_password_once_and_it_opens_the_door() {
    let mut server = Server::start(MANY);
    let password = first_password(&server);
    assert_eq!(password.len(), 20);
    let admin = Page::sign_in(&server, "admin", &password).expect("let in");
    let me = admin.get("me").json();
    assert_eq!(me, json!({"user": "admin", "roles": ["admin"], "scope": "all", "locked": false}));
    let users = admin.get("users").json();
    assert_eq!((&users["items"][0]["user"], &users["items"][0]["sessions"], &users["next"]), (&json!("admin"), &json!(1), &Value::Null));
    assert_eq!(admin.post("logout", &json!({})).status, 204);
    assert_eq!(admin.get("me").refusal(), (401, "UNAUTHENTICATED".into()));
    let cookie = admin.cookie.clone();
    assert_eq!(server.terminate(), Some(0));
    server.spawn();
    assert_eq!(first_password(&server), password, "not told again");
    assert_eq!(send(&server, "GET", "/api/v1/me", &[("Cookie", &cookie)], "").status, 401);
    Page::sign_in(&server, "admin", &password).expect("the same after a restart");
}

#[test]
fn a_cookie_is_kept_from_scripts_and_is_none_that_can_be_guessed() {
    let server = Server::start(MANY);
    let password = add(&server, "li", "manager", "all");
    let body = json!({"user": "li", "password": password}).to_string();
    let answer = send(&server, "POST", "/api/v1/login", &[("Content-Type", "application/json")], &body);
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("session=") && cookie.len() > 64, "{cookie}");
    for wanted in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=43200"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "localhost has no certificate");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let other = send(&server, "GET", "/api/v1/me", &[("Cookie", "session=0000")], "");
    assert_eq!(other.refusal(), (401, "UNAUTHENTICATED".into()));
}

#[test]
fn a_wrong_name_and_a_wrong_password_are_not_told_apart_and_too_many_tries_wait() {
    let server = Server::start("[console]\nsign_ins_per_minute_user = 3");
    let password = add(&server, "li", "manager", "all");
    let refused = |user: &str, password: &str| Page::sign_in(&server, user, password).err().expect("refused");
    let (unknown, wrong) = (refused("nobody-here", "x"), refused("li", "x"));
    assert_eq!(unknown.refusal(), (401, "BAD_CREDENTIALS".into()));
    assert_eq!((unknown.status, &unknown.body), (wrong.status, &wrong.body));
    refused("li", "y");
    refused("li", "z");
    let waits = refused("li", &password);
    assert_eq!(waits.refusal(), (429, "TOO_MANY".into()), "even with the right one");
    assert!(waits.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|s| (1..=60).contains(&s))), "{waits:?}");
    assert_eq!(refused("li ming", "x").refusal(), (400, "BAD_ARGS".into()), "no user can be called that");
    let told = noted(&server, "session.refused");
    assert_eq!(told.iter().filter(|line| line["d"]["by"] == "li").count(), 3);
    assert!(told.iter().all(|line| !line.to_string().contains("nobody-here")), "what was typed stands nowhere: {told:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "waits for a real server, at most for a while")]
fn a_page_that_nobody_uses_is_locked_and_shows_nothing() {
    let server = Server::start("[console]\nidle_lock_s = 1\nsign_ins_per_minute_user = 1000");
    let password = add(&server, "li", "manager", "all");
    let li = Page::sign_in(&server, "li", &password).expect("let in");
    let end = Instant::now() + PATIENCE;
    while li.get("me").json()["locked"] != true {
        assert!(Instant::now() < end, "never locked");
        std::thread::yield_now();
    }
    for answer in [li.get("stations"), li.get("boards/overview:all"), li.post("ws-tickets", &json!({})), li.post("lock", &json!({}))] {
        assert_eq!(answer.refusal(), (423, "LOCKED".into()));
    }
    assert_eq!(li.post("unlock", &json!({"password": "wrong"})).refusal(), (401, "BAD_CREDENTIALS".into()));
    assert_eq!(li.post("unlock", &json!({"password": password})).json()["locked"], false);
    assert_eq!(noted(&server, "session.unlock").len(), 1);
    assert_eq!(noted(&server, "session.unlock_refused").len(), 1);
}

#[test]
fn a_foreign_page_acts_in_nobody_s_name() {
    let server = Server::start(MANY);
    let li = page(&server, "li", "manager", "all");
    let own = format!("http://localhost:{}", server.http);
    let ticket = |headers: &[(&str, &str)]| li.post_from("ws-tickets", &json!({}), headers);
    for headers in [&[("Origin", own.as_str())][..], &[], &[("Sec-Fetch-Site", "same-origin")]] {
        assert_eq!(ticket(headers).status, 200, "{headers:?}");
    }
    let subdomain = format!("{own}.evil.example");
    for headers in [
        &[("Origin", "http://evil.example")][..],
        &[("Origin", "null")],
        &[("Origin", subdomain.as_str())],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
    ] {
        assert_eq!(ticket(headers).refusal(), (403, "BAD_ORIGIN".into()), "{headers:?}");
    }
    let form = send(&server, "POST", "/api/v1/login", &[("Content-Type", "text/plain")], r#"{"user":"li","password":"x"}"#);
    assert_eq!(form.refusal(), (400, "BAD_ARGS".into()), "a form cannot sign anybody in");
    assert_eq!(li.get("me").header("access-control-allow-origin"), None);
}

#[test]
fn rights_that_are_taken_away_are_gone_at_once() {
    let server = Server::start(MANY);
    let li = page(&server, "li", "admin", "all");
    assert_eq!(li.get("users").status, 200);
    server.ok(&["user", "roles", "li", "--roles", "technician", "--scope", "stations:tianfu", "--by", "wang", "--reason", "test"]);
    assert_eq!(li.get("users").refusal(), (403, "FORBIDDEN".into()));
    assert_eq!(li.get("me").json()["roles"], json!(["technician"]));
    server.ok(&["user", "disable", "li", "--by", "wang", "--reason", "test"]);
    assert_eq!(li.get("me").refusal(), (401, "UNAUTHENTICATED".into()));
    let wang = page(&server, "wang", "manager", "all");
    let another = server.ok(&["user", "passwd", "wang", "--by", "li", "--reason", "test"]);
    assert_eq!(wang.get("me").status, 401, "another password ends what the old one opened");
    Page::sign_in(&server, "wang", another.trim()).expect("let in with the new one");
}

#[test]
fn what_is_out_of_scope_does_not_exist() {
    let server = Server::start(MANY);
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    for gate in ["g1", "g3"] {
        server.add_gate(gate);
    }
    let li = page(&server, "li", "gate_operator", "stations:tianfu");
    let ids = |answer: Answer, field: &str| -> Vec<Value> {
        answer.json()["items"].as_array().expect("items").iter().map(|item| item[field].clone()).collect()
    };
    assert_eq!(ids(li.get("stations"), "station"), ["tianfu"]);
    assert_eq!(ids(li.get("devices"), "device"), ["g1"]);
    assert_eq!((li.get("stations/tianfu").status, li.get("devices/g1").json()["station"].clone()), (200, json!("tianfu")));
    for path in
        ["stations/luomashi", "stations/nowhere", "devices/g3", "devices/g99", "boards/gates:luomashi", "boards/floor:b1", "accounts/a9"]
    {
        assert_eq!(li.get(path).refusal(), (404, "NOT_FOUND".into()), "{path}");
    }
    assert_eq!(li.get("accounts/a1").json()["balance"]["amount"], "50.00");
    assert_eq!(noted(&server, "account.show").len(), 1, "each look stands in the audit");
    let technician = page(&server, "wang", "technician", "all");
    assert_eq!(technician.get("accounts/a1").refusal(), (403, "FORBIDDEN".into()), "no customer data");
    assert_eq!(ids(technician.get("stations?limit=2"), "station").len(), 2);
    let next = technician.get("stations?limit=3").json()["next"].clone();
    assert_eq!(ids(technician.get(&format!("stations?cursor={}", next.as_str().expect("more"))), "station").len(), 1);
    assert_eq!(technician.get("stations?page=2").refusal(), (400, "BAD_ARGS".into()));
}

#[test]
fn a_program_gets_tickets_with_its_password_and_one_session() {
    let server = Server::start(MANY);
    let password = add(&server, "wallboard", "auditor", "all");
    let basic = |user: &str, password: &str| {
        use base64::Engine as _;
        let value = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        send(&server, "POST", "/api/v1/ws-tickets", &[("Authorization", &format!("Basic {value}"))], "")
    };
    let (one, two) = (basic("wallboard", &password).json(), basic("wallboard", &password).json());
    assert!(one["ticket"].as_str().is_some_and(|ticket| ticket.len() == 64) && one != two, "{one}");
    assert_eq!(basic("wallboard", "x").refusal(), (401, "BAD_CREDENTIALS".into()));
    assert_eq!(basic("other", "x").refusal(), (401, "BAD_CREDENTIALS".into()));
    let admin = page(&server, "li", "admin", "all");
    assert_eq!(admin.get("users/wallboard").json()["sessions"], 1);
    assert_eq!(noted(&server, "session.login").iter().filter(|line| line["d"]["by"] == "wallboard").count(), 1);
}

#[test]
fn pages_come_with_a_strict_policy_and_deep_links_lead_to_them() {
    let server = Server::start("");
    let get = |path: &str, headers: &[(&str, &str)]| send(&server, "GET", path, headers, "");
    for path in ["/", "/gates/tianfu", "/devices/g1", "/alarms", "/gates/s1.2", "/sign.svg"] {
        let answer = get(path, &[]);
        let whole = if path.ends_with(".svg") { answer.body.starts_with(b"<svg") } else { answer.body.starts_with(b"<!doctype html>") };
        assert!(answer.status == 200 && whole, "{path}: {}", answer.status);
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
        for (name, value) in
            [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cross-origin-opener-policy", "same-origin")]
        {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
    let app = get("/app.js", &[]);
    assert_eq!(app.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(app.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(app.header("content-security-policy"), None, "it obeys the policy of its page");
    let tag = app.header("etag").expect("a tag").to_owned();
    let again = get("/app.js", &[("If-None-Match", &tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let zipped = get("/app.js", &[("Accept-Encoding", "br, gzip")]);
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    assert!(zipped.body.starts_with(&[0x1f, 0x8b]) && zipped.body.len() < app.body.len() && zipped.header("etag") != Some(&tag));
    for path in [
        "/nothing.js",
        "/vendor/nothing",
        "/api/v1/nothing",
        "/api",
        "/tsconfig.json",
        "/package.json",
        "/../Cargo.toml",
        "/vendor/vendor.sh",
    ] {
        assert_eq!(get(path, &[]).refusal(), (404, "NOT_FOUND".into()), "{path}");
    }
    assert_eq!(send(&server, "POST", "/", &[], "").status, 405);
}

#[test]
fn the_server_has_every_route_of_the_contract_and_guards_what_needs_a_session() {
    let server = Server::start("");
    for route in ROUTES {
        let path = route.path.replace("{channel}", "overview:all").replace("{id}", "x").replace("{version}", "1");
        let answer = send(&server, &route.method.to_uppercase(), &path, &[("Content-Type", "application/json")], "{}");
        let expected: &[u16] = match (route.signed_in, route.path) {
            (_, "/api/v1/logout") => &[204],
            (_, "/api/v1/unlock" | "/api/v1/commands" | "/api/v1/login") => &[400],
            (_, "/api/v1/tokens") if route.method == "post" => &[400],
            (_, "/api/v1/demo") => &[404],
            (_, "/api/v1/lists/{version}") | (true, _) => &[401],
            (false, _) => &[200],
        };
        assert!(expected.contains(&answer.status), "{} {}: {}", route.method, route.path, answer.status);
    }
    let command = r#"{"command_id":"c/1","op":"station.mode","args":{},"ttl_ms":1000}"#;
    let unlock = r#"{"password":"x"}"#;
    for (path, body) in [("commands", command), ("unlock", unlock)] {
        let answer = send(&server, "POST", &format!("/api/v1/{path}"), &[("Content-Type", "application/json")], body);
        assert_eq!(answer.refusal(), (401, "UNAUTHENTICATED".into()), "{path}");
    }
}

#[test]
fn no_secret_is_left_in_the_log_or_the_journal() {
    let server = Server::start(&format!("{MANY}\n[log]\nfilter = \"trace\""));
    let password = add(&server, "li", "manager", "all");
    let li = Page::sign_in(&server, "li", &password).expect("let in");
    let canary = "canary-typed-by-mistake";
    assert_eq!(Page::sign_in(&server, "li", canary).err().expect("refused").status, 401);
    assert_eq!(Page::sign_in(&server, canary, "x").err().expect("refused").status, 401);
    li.post("unlock", &json!({"password": canary}));
    let ticket = li.post("ws-tickets", &json!({})).json()["ticket"].as_str().expect("a ticket").to_owned();
    let export = server.ok(&["export", "--format", "ndjson"]);
    assert!(!export.contains("argon2id$v") && !export.contains(canary), "hashes are masked");
    let cookie = li.cookie.trim_start_matches("session=").to_owned();
    let data = server.dir.path().join("data");
    let listed = std::process::Command::new("grep")
        .args(["-rlaF", "-e", &password, "-e", canary, "-e", &ticket, "-e", &cookie])
        .arg(data)
        .arg(server.dir.path().join("log"))
        .output();
    assert_eq!(String::from_utf8(listed.expect("grep").stdout).expect("UTF-8"), "");
}
