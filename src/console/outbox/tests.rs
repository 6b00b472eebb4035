use super::*;
use proptest::prelude::*;
use serde_json::Value;

const LIMITS: Limits = Limits { behind_bytes_max: 1000, waiting_bytes_max: 4000, progress_max: Millis(10_000), behind_pause: Millis(50) };
const NOW: Timestamp = Timestamp(1_000_000);

fn frame(n: usize) -> Utf8Bytes {
    format!(r#"{{"n":{n}}}"#).into()
}

fn key(text: &str) -> Arc<str> {
    Arc::from(text)
}

/// The numbers that were written, however they were joined.
fn numbers(text: &str) -> Vec<u64> {
    let value: Value = serde_json::from_str(text).expect("JSON");
    let items = value.get("items").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![value]);
    items.iter().filter_map(|item| item["n"].as_u64()).collect()
}

fn written(outbox: &mut Outbox, now: Timestamp) -> Vec<u64> {
    match outbox.next(now) {
        Next::Write(text) => numbers(&text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whatever_waits_goes_at_once_in_order_and_one_alone_goes_as_it_is() {
    let mut outbox = Outbox::new(LIMITS);
    assert_eq!(outbox.next(NOW), Next::Idle);
    let shared = frame(1);
    outbox.push(None, shared.clone());
    let Next::Write(alone) = outbox.next(NOW) else { panic!("nothing to write") };
    assert_eq!(alone.as_str().as_ptr(), shared.as_str().as_ptr(), "not even copied");
    outbox.wrote(false);
    (2..5).for_each(|n| outbox.push(Some(1), frame(n)));
    assert_eq!(written(&mut outbox, NOW), [2, 3, 4], "no timer");
    assert_eq!((outbox.bytes(), outbox.next(NOW)), (0, Next::Idle));
}

#[test]
fn of_a_state_only_the_newest_waits() {
    let mut outbox = Outbox::new(LIMITS);
    for n in 1..4 {
        outbox.push_state(1, &key("load"), frame(n));
        outbox.push_state(2, &key("load"), frame(n + 10));
    }
    outbox.push(Some(1), frame(0));
    assert_eq!(written(&mut outbox, NOW), [0, 3, 13], "after what must arrive");
}

#[test]
fn who_is_behind_gets_one_batch_in_a_while() {
    let mut outbox = Outbox::new(LIMITS);
    outbox.push(None, frame(1));
    assert_eq!(written(&mut outbox, NOW), [1]);
    outbox.wrote(true);
    outbox.push(None, frame(2));
    assert_eq!(outbox.next(NOW + Millis(10)), Next::Pause(NOW + Millis(50)));
    outbox.push(None, frame(3));
    assert_eq!(written(&mut outbox, NOW + Millis(50)), [2, 3]);
    outbox.wrote(false);
    outbox.push(None, frame(4));
    assert_eq!(written(&mut outbox, NOW + Millis(51)), [4], "no longer behind");
}

#[test]
fn behind_the_first_limit_the_state_lane_goes_and_is_told_again_later() {
    let mut outbox = Outbox::new(LIMITS);
    outbox.push_state(1, &key("load"), frame(1));
    (0..200).for_each(|n| outbox.push(Some(1), frame(n)));
    outbox.push_state(1, &key("load"), frame(2));
    assert!(!outbox.caught_up(), "not yet");
    assert_eq!(written(&mut outbox, NOW).len(), 200, "every event, no state");
    outbox.wrote(false);
    assert!(outbox.caught_up());
    assert!(!outbox.caught_up(), "once");
}

#[test]
fn over_the_second_limit_or_without_progress_the_reader_is_given_up() {
    let mut outbox = Outbox::new(LIMITS);
    (0..600).for_each(|n| outbox.push(Some(1), frame(n)));
    assert!(outbox.bytes() > LIMITS.waiting_bytes_max);
    assert_eq!(outbox.next(NOW), Next::Slow);
    let mut outbox = Outbox::new(LIMITS);
    outbox.push(None, frame(1));
    let _written = written(&mut outbox, NOW);
    assert!(!outbox.too_slow(true, NOW));
    assert_eq!(outbox.gives_up_at(), Some(NOW + LIMITS.progress_max));
    assert!(!outbox.too_slow(true, NOW + LIMITS.progress_max - Millis(1)));
    assert!(outbox.too_slow(true, NOW + LIMITS.progress_max));
    outbox.wrote(true);
    assert!(!outbox.too_slow(false, NOW + LIMITS.progress_max), "progress");
}

#[test]
fn what_was_asked_for_makes_nobody_slow() {
    let mut outbox = Outbox::new(LIMITS);
    outbox.push_answer(1, format!(r#"{{"n":1,"pad":"{}"}}"#, "x".repeat(LIMITS.waiting_bytes_max)).into());
    outbox.push_state(1, &key("load"), frame(3));
    outbox.push(Some(1), frame(2));
    assert!(outbox.bytes() > LIMITS.waiting_bytes_max);
    assert_eq!(written(&mut outbox, NOW), [1, 2, 3], "nothing was left out");
    assert_eq!((outbox.told(), outbox.bytes()), (0, 0));
    (0..600).for_each(|n| outbox.push(Some(1), frame(n)));
    assert_eq!(outbox.next(NOW), Next::Slow, "what was not asked for counts in full");
}

#[test]
fn a_subscription_that_is_over_leaves_nothing_behind() {
    let mut outbox = Outbox::new(LIMITS);
    outbox.push(Some(1), frame(1));
    outbox.push(None, frame(2));
    outbox.push(Some(2), frame(3));
    outbox.push_state(1, &key("load"), frame(4));
    outbox.forget(1);
    assert_eq!(written(&mut outbox, NOW), [2, 3]);
    assert_eq!(outbox.bytes(), 0);
}

proptest! {
    /// Whatever comes in whatever order: events arrive once, in order, and the count of waiting bytes is exact.
    #[test]
    fn events_arrive_once_and_in_order(steps in proptest::collection::vec((0_u8..4, 1_usize..400), 1..200)) {
        let limits = Limits { waiting_bytes_max: usize::MAX, ..LIMITS };
        let mut outbox = Outbox::new(limits);
        let (mut sent, mut got, mut now) = (0_u64, Vec::new(), NOW);
        for (step, size) in steps {
            match step {
                0 => {
                    sent += 1;
                    outbox.push(Some(1), format!(r#"{{"n":{sent},"pad":"{}"}}"#, "x".repeat(size)).into());
                }
                1 => outbox.push_state(1, &key(&format!("k{}", size % 3)), format!(r#"{{"s":"{}"}}"#, "x".repeat(size)).into()),
                2 => now = now + Millis(i64::try_from(size).expect("small")),
                _ => {
                    if let Next::Write(text) = outbox.next(now) {
                        got.extend(numbers(&text));
                        outbox.wrote(size % 2 == 0);
                    }
                }
            }
            let waiting: usize = outbox.lane.iter().map(|waiting| waiting.frame.len()).chain(outbox.states.iter().map(|(_, _, f)| f.len())).sum();
            prop_assert_eq!(outbox.bytes(), waiting);
            prop_assert!(outbox.states.is_empty() || outbox.bytes() <= limits.behind_bytes_max);
        }
        for _ in 0..1000 {
            now = now + Millis(50);
            if let Next::Write(text) = outbox.next(now) {
                got.extend(numbers(&text));
                outbox.wrote(false);
            }
        }
        prop_assert_eq!(got, (1..=sent).collect::<Vec<_>>());
    }
}
