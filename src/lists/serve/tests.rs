//! The whole list over HTTP: who gets it, what is in it, and what happens to the one too many.
use super::*;
use axum::body::to_bytes;
use axum::http::HeaderName;
use std::collections::BTreeMap;
use tongdao_domain::deny::{Command, DenyList, NETWORK};
use tongdao_domain::gate::Gate;
use tongdao_domain::testing::{Actor, by, gate_of, id};
use tongdao_domain::time::Millis;
use tongdao_domain::world::World;

/// A list of two versions: t1 and t2, then t2 and t3.
fn lists() -> Lists {
    let mut list = Actor::<DenyList>::new(NETWORK);
    let tokens = |names: &[&str]| names.iter().map(|name| id(name)).collect::<Vec<_>>();
    for (add, remove) in [(vec!["t1", "t2"], vec![]), (vec!["t3"], vec!["t1"])] {
        let _ = list.ask(Command::Add { tokens: tokens(&add), by: by() });
        let _ = list.ask(Command::Remove { tokens: tokens(&remove), by: by() });
        list.now = list.now + Millis::minutes(2);
        let _ = list.ask(Command::Tick);
    }
    let mut world = World::for_tests();
    let secret = crate::ops::hash_of_secret("s3cret");
    world.devices.values_mut().for_each(|entry| entry.secret = secret);
    let gates: BTreeMap<DeviceId, Gate> = BTreeMap::new();
    Lists::new(&world, list.state, &gates)
}

fn downloads(limits: &Deny) -> Arc<Downloads> {
    let positive = |number| NonZeroU32::new(number).expect("a limit");
    Arc::new(Downloads {
        lists: lists(),
        at_a_time: Arc::new(Semaphore::new(limits.downloads_max)),
        per_device: RateLimiter::keyed(Quota::per_minute(positive(limits.downloads_per_minute_device))),
        pace: Pace::new(limits.download_mib_per_s),
    })
}

fn credentials(device: &str, secret: &str) -> (HeaderName, String) {
    (header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{device}:{secret}"))))
}

async fn fetch(downloads: &Arc<Downloads>, version: &str, fields: &[(HeaderName, String)]) -> (u16, HeaderMap, String) {
    let headers = fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).expect("a value"))).collect();
    let response = whole(Shared(Arc::clone(downloads)), Path(version.to_owned()), headers).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn a_device_gets_any_version_that_is_kept_and_its_tag_is_its_hash() {
    let (downloads, gate) = (downloads(&Deny::default()), gate_of("s1", 1));
    let who = credentials(gate.as_str(), "s3cret");
    let (status, fields, body) = fetch(&downloads, "2", std::slice::from_ref(&who)).await;
    assert_eq!((status, body.as_str()), (200, "t2\nt3\n"));
    let tag = fields[header::ETAG].to_str().expect("a tag").to_owned();
    let names: Vec<Token> = vec![id("t2"), id("t3")];
    assert_eq!(tag, format!("\"{}\"", hash_of(&names)));
    assert_eq!(fetch(&downloads, "1", std::slice::from_ref(&who)).await.2, "t1\nt2\n");
    assert_eq!(fetch(&downloads, "0", std::slice::from_ref(&who)).await.2, "");
    let (status, _, body) = fetch(&downloads, "2", &[who.clone(), (header::IF_NONE_MATCH, tag)]).await;
    assert_eq!((status, body.as_str()), (304, ""));
    for absent in ["3", "-1", "x"] {
        assert_eq!(fetch(&downloads, absent, std::slice::from_ref(&who)).await.0, 404, "{absent}");
    }
}

#[tokio::test]
async fn nobody_else_gets_it() {
    let (downloads, gate) = (downloads(&Deny::default()), gate_of("s1", 1));
    for (device, secret) in [(gate.as_str(), "wrong"), ("nobody", "s3cret"), (gate.as_str(), "")] {
        let (status, fields, body) = fetch(&downloads, "2", &[credentials(device, secret)]).await;
        assert_eq!((status, fields.contains_key(header::WWW_AUTHENTICATE)), (401, true), "{device}");
        assert!(!body.contains("t2"));
    }
    assert_eq!(fetch(&downloads, "2", &[]).await.0, 401);
    assert_eq!(fetch(&downloads, "2", &[(header::AUTHORIZATION, "Bearer x".into())]).await.0, 401);
    downloads.lists.state().devices.values_mut().for_each(|entry| entry.revoked = true);
    assert_eq!(fetch(&downloads, "2", &[credentials(gate.as_str(), "s3cret")]).await.0, 401);
}

#[tokio::test]
async fn one_too_many_comes_again_later() {
    let often = downloads(&Deny { downloads_per_minute_device: 1, ..Deny::default() });
    let who = |n| credentials(gate_of("s1", n).as_str(), "s3cret");
    assert_eq!(fetch(&often, "2", &[who(1)]).await.0, 200);
    let (status, fields, _) = fetch(&often, "2", &[who(1)]).await;
    assert_eq!((status, fields.contains_key(header::RETRY_AFTER)), (429, true));
    assert_eq!(fetch(&often, "2", &[who(2)]).await.0, 200, "another device is not concerned");
    let few = downloads(&Deny { downloads_max: 1, ..Deny::default() });
    let held = Arc::clone(&few.at_a_time).try_acquire_owned().expect("room");
    assert_eq!(fetch(&few, "2", &[who(1)]).await.0, 503);
    drop(held);
    assert_eq!(fetch(&few, "2", &[who(1)]).await.0, 200, "and a refusal holds no place");
}

#[tokio::test(start_paused = true)]
async fn all_downloads_together_are_no_faster_than_they_may_be() {
    let pace = Pace::new(1);
    let began = Instant::now();
    for _ in 0..5 {
        pace.wait(512 * 1024).await;
    }
    assert_eq!(began.elapsed(), Duration::from_secs(2), "the fifth piece comes when four have been sent");
}
