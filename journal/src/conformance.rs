//! What every backend must pass: the contract, told as scenes. A backend brings a [`Bench`] that makes, reopens and
//! breaks its journal; the scenes know nothing else of it.
use std::sync::Arc;

use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::time::Timestamp;

use crate::contract::{Commit, Etag, FeedItem, Journal, Outcome};
use crate::testing::{Remembering, commit, entity, question};

/// A journal under test.
pub trait Bench {
    /// The journal.
    fn journal(&self) -> &dyn Journal;
    /// Stops it in good order and opens it again.
    fn reopen(&mut self);
    /// Makes the backend cut the next commit after it was sent: it is written, its outcome is `Unknown`. False: this
    /// backend cannot be cut.
    fn cut_after_send(&self) -> bool {
        false
    }
    /// Lets everything that waits become durable.
    fn settle(&self) {}
}

type Scene = (&'static str, fn(&mut dyn Bench));

/// Runs every scene, each on a fresh journal.
///
/// # Panics
/// When the backend breaks the contract.
pub fn run<B: Bench>(fresh: impl Fn() -> B) {
    let scenes: [Scene; 15] = [
        ("committed", committed),
        ("duplicate of the same entity", duplicate),
        ("duplicate across entities", duplicate_across_entities),
        ("duplicate behind an uncommitted first", duplicate_behind_first),
        ("key reused", key_reused),
        ("conflict", conflict),
        ("questions", questions),
        ("chained commits in flight", chained),
        ("cut after send", cut_after_send),
        ("gapless sequences and feed order", feed_order),
        ("followers", followers),
        ("due timers survive a restart", due_timers),
        ("checkpoint and tail", checkpoint_and_tail),
        ("all of it survives a restart", survives),
        ("close gives back", close_gives_back),
    ];
    for (name, scene) in scenes {
        println!("scene: {name}");
        scene(&mut fresh());
    }
}

/// Submits commits together and gives their outcomes in order.
fn all(bench: &dyn Bench, commits: impl IntoIterator<Item = Commit>) -> Vec<Outcome> {
    let sink = Remembering::new();
    bench.journal().register(0, sink.clone(), &[]);
    let mut count = 0;
    for commit in commits {
        assert!(bench.journal().submit(0, count, commit).is_ok(), "there is room in the queue");
        count += 1;
    }
    bench.settle();
    let told = sink.take(usize::try_from(count).unwrap_or_default());
    let mut by_ticket = told;
    by_ticket.sort_by_key(|(ticket, _)| *ticket);
    by_ticket.into_iter().map(|(_, outcome)| outcome).collect()
}

fn one(bench: &dyn Bench, commit: Commit) -> Outcome {
    all(bench, [commit]).remove(0)
}

fn first_answer(command: &str) -> Outcome {
    Outcome::Duplicate { reply: format!("re:{command}").into_bytes() }
}

fn loaded_events(bench: &dyn Bench, name: &str) -> Vec<String> {
    let loaded = bench.journal().load(&entity(name)).expect("readable");
    loaded.events.iter().map(|(_, event)| String::from_utf8_lossy(event).into_owned()).collect()
}

fn committed(bench: &mut dyn Bench) {
    let first = commit("account/a", "c1").events(&["e1", "e2"]).deadline(77).build();
    assert_eq!(one(bench, first.clone()), Outcome::Committed { seq: 1 });
    let second = commit("account/a", "c2").after(first.next).at(first.at.0 + 5).build();
    assert_eq!(one(bench, second.clone()), Outcome::Committed { seq: 3 });
    let loaded = bench.journal().load(&first.entity).expect("readable");
    assert_eq!((loaded.etag, loaded.deadline, loaded.state), (Some(second.next), None, None));
    assert_eq!(loaded.events.iter().map(|(at, _)| at.0 - first.at.0).collect::<Vec<_>>(), [0, 0, 5]);
    assert_eq!(loaded_events(bench, "account/a"), ["e1", "e2", "c2"]);
    assert_eq!(bench.journal().newest_at(), second.at);
    assert_eq!(bench.journal().load(&entity("account/none")).expect("readable").etag, None);
    assert_eq!(bench.journal().status().events, 3);
}

fn duplicate(bench: &mut dyn Bench) {
    let first = commit("account/a", "c1").build();
    one(bench, first.clone());
    assert_eq!(one(bench, first.clone()), first_answer("c1"));
    let decided_anew = commit("account/a", "c1").after(first.next).events(&["x", "y"]).build();
    assert_eq!(one(bench, decided_anew), first_answer("c1"), "whatever it carries and expects");
    assert_eq!(loaded_events(bench, "account/a"), ["c1"]);
}

fn duplicate_across_entities(bench: &mut dyn Bench) {
    one(bench, commit("account/a", "c1").build());
    assert_eq!(one(bench, commit("gate/g", "c1").build()), first_answer("c1"));
    assert_eq!(bench.journal().load(&entity("gate/g")).expect("readable").etag, None);
}

fn duplicate_behind_first(bench: &mut dyn Bench) {
    let first = commit("account/a", "c1").build();
    let outcomes = all(bench, [first.clone(), question("account/a", "c1"), commit("account/b", "c1").build(), first]);
    assert_eq!(outcomes, [Outcome::Committed { seq: 1 }, first_answer("c1"), first_answer("c1"), first_answer("c1")]);
}

fn key_reused(bench: &mut dyn Bench) {
    let first = commit("account/a", "c1").build();
    let other = |name| commit(name, "c1").meaning("another").build();
    assert_eq!(all(bench, [first, other("account/a")])[1], Outcome::KeyReused, "in the same group");
    assert_eq!(one(bench, other("account/a")), Outcome::KeyReused);
    assert_eq!(one(bench, other("account/b")), Outcome::KeyReused);
    let mut asked = question("account/a", "c1");
    asked.fingerprint = other("account/a").fingerprint;
    assert_eq!(one(bench, asked), Outcome::KeyReused);
    assert_eq!(one(bench, question("account/a", "c1")), first_answer("c1"), "the first keeps its answer");
}

fn conflict(bench: &mut dyn Bench) {
    let first = commit("account/a", "c1").build();
    one(bench, first.clone());
    let actual = Some(first.next);
    assert_eq!(one(bench, commit("account/a", "c2").build()), Outcome::Conflict { actual }, "it is not absent");
    let other_side = Etag { nonce: first.next.nonce ^ 1, ..first.next };
    assert_eq!(one(bench, commit("account/a", "c3").after(other_side).build()), Outcome::Conflict { actual }, "same version, other side");
    let nobody = commit("account/b", "c4").after(first.next).build();
    assert_eq!(one(bench, nobody), Outcome::Conflict { actual: None });
    assert_eq!(one(bench, question("account/a", "c2")), Outcome::Committed { seq: 0 }, "a conflict leaves the command id unknown");
    assert_eq!(loaded_events(bench, "account/a"), ["c1"]);
}

fn questions(bench: &mut dyn Bench) {
    assert_eq!(one(bench, question("account/a", "c1")), Outcome::Committed { seq: 0 });
    assert_eq!(one(bench, question("account/a", "c1")), Outcome::Committed { seq: 0 }, "a question stores nothing");
    assert_eq!(bench.journal().load(&entity("account/a")).expect("readable").etag, None);
    one(bench, commit("account/a", "c1").build());
    assert_eq!(one(bench, question("gate/g", "c1")), first_answer("c1"));
    assert_eq!(bench.journal().status().events, 1);
}

/// A chain of commits of one entity, each on the one before.
fn chain(name: &str, prefix: &str, count: usize) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    for n in 0..count {
        let next = commit(name, &format!("{prefix}{n}"));
        commits.push(commits.last().map_or(next.clone(), |last| next.after(last.next)).build());
    }
    commits
}

fn chained(bench: &mut dyn Bench) {
    let commits = chain("account/a", "c", 20);
    let outcomes = all(bench, commits.clone());
    assert_eq!(outcomes, (1..=20).map(|seq| Outcome::Committed { seq }).collect::<Vec<_>>());
    let mut broken = chain("account/b", "d", 3);
    broken.remove(1);
    let outcomes = all(bench, broken.clone());
    assert_eq!(outcomes[1], Outcome::Conflict { actual: Some(broken[0].next) }, "the one before is missing");
    assert_eq!(bench.journal().load(&entity("account/a")).expect("readable").etag, commits.last().map(|last| last.next));
}

fn cut_after_send(bench: &mut dyn Bench) {
    if !bench.cut_after_send() {
        println!("skipped: this backend is never cut after a commit was sent");
        return;
    }
    let first = commit("account/a", "c1").build();
    assert_eq!(one(bench, first.clone()), Outcome::Unknown);
    assert_eq!(bench.journal().load(&first.entity).expect("readable").etag, Some(first.next));
    assert_eq!(one(bench, first), first_answer("c1"), "the same command id finds out");
}

fn many(count: usize) -> Vec<Commit> {
    let name = |n: usize| format!("account/a{}", n % 17);
    let mut newest: std::collections::BTreeMap<String, Etag> = std::collections::BTreeMap::new();
    let make = |n: usize| {
        let events: &[&str] = [&["x"][..], &["x", "y"], &["x", "y", "z"]][n % 3];
        let next = commit(&name(n), &format!("c{n}")).events(events).at(1_000 + i64::try_from(n).unwrap_or_default());
        let built = newest.get(&name(n)).map_or(next.clone(), |etag| next.after(*etag)).build();
        newest.insert(name(n), built.next);
        built
    };
    (0..count).map(make).collect()
}

/// The whole feed of a partition, read in small steps.
fn feed(journal: &dyn Journal, partition: u16, step: usize) -> Vec<FeedItem> {
    let mut items: Vec<FeedItem> = Vec::new();
    loop {
        let from = items.last().map_or(1, |last| last.seq + 1);
        let more = journal.feed(partition, from, step).expect("readable");
        assert!(more.len() <= step);
        if more.is_empty() {
            return items;
        }
        items.extend(more);
    }
}

fn check_feed(journal: &dyn Journal, commits: &[Commit]) {
    let partitions = journal.partitions();
    let mut total = 0;
    for partition in 0..partitions {
        let items = feed(journal, partition, 4);
        assert_eq!(items, feed(journal, partition, 1_000), "the step does not matter");
        assert!(items.iter().zip(1..).all(|(item, seq)| item.seq == seq), "gapless from 1");
        let mine = commits.iter().filter(|commit| commit.entity.partition(partitions) == partition);
        let expected: Vec<_> =
            mine.flat_map(|commit| commit.events.iter().map(|event| (commit.command_id.clone(), event.to_vec()))).collect();
        assert_eq!(items.iter().map(|item| (item.command_id.clone(), item.event.clone())).collect::<Vec<_>>(), expected);
        total += items.len();
    }
    assert_eq!(total, commits.iter().map(|commit| commit.events.len()).sum::<usize>());
}

fn feed_order(bench: &mut dyn Bench) {
    let commits = many(120);
    assert!(all(bench, commits.clone()).iter().all(|outcome| matches!(outcome, Outcome::Committed { .. })));
    check_feed(bench.journal(), &commits);
    assert!(bench.journal().feed(0, 1_000_000, 5).expect("readable").is_empty());
}

fn followers(bench: &mut dyn Bench) {
    let follower = Remembering::new();
    bench.journal().register(1, follower.clone(), &[EntityKind::Station, EntityKind::Gate]);
    let commits =
        [commit("station/s", "c1").events(&["e1", "e2"]).build(), commit("account/a", "c2").build(), commit("gate/g", "c3").build()];
    all(bench, commits);
    let followed = follower.followed_so_far();
    let seen: Vec<_> = followed.iter().map(|item| (item.entity.to_string(), item.version, item.event.clone())).collect();
    let expected = [("station/s", 1, "e1"), ("station/s", 2, "e2"), ("gate/g", 1, "c3")];
    assert_eq!(seen, expected.map(|(name, version, event)| (name.to_owned(), version, event.as_bytes().to_vec())));
    let item = &followed[1];
    assert_eq!(&bench.journal().feed(item.partition, item.seq, 1).expect("readable")[0], item, "as in the feed");
}

fn due_timers(bench: &mut dyn Bench) {
    let timer = |name: &str, command: &str, at| commit(name, command).deadline(at).build();
    let first = timer("account/a", "c1", 300);
    all(bench, [first.clone(), timer("account/b", "c2", 100), timer("gate/g", "c3", 200), commit("account/none", "c4").build()]);
    let due = |bench: &dyn Bench, until, limit| -> Vec<(i64, String)> {
        let due = bench.journal().due(Timestamp(until), limit).expect("readable");
        due.into_iter().map(|(at, entity)| (at.0, entity.to_string())).collect()
    };
    let named = |list: &[(i64, &str)]| list.iter().map(|(at, name)| (*at, (*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(due(bench, 300, 9), named(&[(100, "account/b"), (200, "gate/g"), (300, "account/a")]));
    assert_eq!(due(bench, 299, 1), named(&[(100, "account/b")]));
    bench.reopen();
    assert_eq!(due(bench, 300, 9), named(&[(100, "account/b"), (200, "gate/g"), (300, "account/a")]));
    one(bench, commit("account/a", "c5").after(first.next).deadline(50).state("s").build());
    assert_eq!(due(bench, 300, 9), named(&[(50, "account/a"), (100, "account/b"), (200, "gate/g")]));
    bench.reopen();
    assert_eq!(due(bench, 99, 9), named(&[(50, "account/a")]));
}

fn state_and_tail(bench: &dyn Bench, name: &str) -> (Option<(u64, String)>, Vec<String>) {
    let loaded = bench.journal().load(&entity(name)).expect("readable");
    let state = loaded.state.map(|(version, bytes)| (version, String::from_utf8_lossy(&bytes).into_owned()));
    (state, loaded_events(bench, name))
}

fn checkpoint_and_tail(bench: &mut dyn Bench) {
    let commits = chain("account/a", "c", 4);
    all(bench, commits.clone());
    let a: EntityKey = entity("account/a");
    bench.journal().checkpoint(&a, 9, b"from the future".to_vec());
    bench.journal().checkpoint(&a, 3, b"three".to_vec());
    bench.journal().checkpoint(&a, 2, b"two".to_vec());
    all(bench, [question("account/a", "after the checkpoints are taken".replace(' ', ".").as_str())]);
    let expected = (Some((3, "three".to_owned())), vec!["c3".to_owned()]);
    assert_eq!(state_and_tail(bench, "account/a"), expected);
    bench.reopen();
    assert_eq!(state_and_tail(bench, "account/a"), expected);
    let last = commits.last().map(|last| last.next).unwrap_or(Etag { version: 0, nonce: 0 });
    let carrying = commit("account/a", "c9").after(last).events(&["e5", "e6"]).state("six").build();
    let behind = commit("account/a", "c10").after(carrying.next).build();
    all(bench, [carrying, behind]);
    assert_eq!(state_and_tail(bench, "account/a"), (Some((6, "six".to_owned())), vec!["c10".to_owned()]));
    bench.reopen();
    assert_eq!(state_and_tail(bench, "account/a"), (Some((6, "six".to_owned())), vec!["c10".to_owned()]));
}

fn survives(bench: &mut dyn Bench) {
    let commits = many(60);
    all(bench, commits.clone());
    bench.reopen();
    check_feed(bench.journal(), &commits);
    assert_eq!(bench.journal().newest_at(), Timestamp(1_059));
    let names = bench.journal().entities(EntityKind::Account).expect("readable");
    let mut expected: Vec<_> = (0..17).map(|n| entity(&format!("account/a{n}"))).collect();
    expected.sort();
    assert_eq!(names, expected);
    assert!(bench.journal().entities(EntityKind::Gate).expect("readable").is_empty());
    assert!(commits.iter().all(|commit| one(bench, commit.clone()) == first_answer(commit.command_id.as_str())), "answers are known");
    let last = commits.last().expect("some");
    let next = commit(&last.entity.to_string(), "next").after(last.next).build();
    assert!(matches!(one(bench, next), Outcome::Committed { .. }), "the history goes on");
}

fn close_gives_back(bench: &mut dyn Bench) {
    let sink = Remembering::new();
    bench.journal().register(0, sink.clone(), &[]);
    let first = commit("account/a", "c1").build();
    assert!(bench.journal().submit(0, 1, first.clone()).is_ok());
    bench.journal().close();
    assert_eq!(sink.take(1), [(1, Outcome::Committed { seq: 1 })], "what was queued is written");
    let back = bench.journal().submit(0, 2, first.clone()).expect_err("closed");
    assert_eq!(back.command_id, first.command_id);
    assert!(!bench.journal().status().writable);
}

/// The memory backend under test.
pub struct MemoryBench(Arc<crate::memory::Memory>);

impl Default for MemoryBench {
    fn default() -> Self {
        Self(Arc::new(crate::memory::Memory::new(8)))
    }
}

impl Bench for MemoryBench {
    fn journal(&self) -> &dyn Journal {
        &*self.0
    }
    fn reopen(&mut self) {
        self.0.crash(0);
    }
    fn cut_after_send(&self) -> bool {
        self.0.inject(crate::memory::Fault::UnknownWritten);
        true
    }
    fn settle(&self) {
        self.0.flush(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{Embedded, Settings};

    struct EmbeddedBench {
        journal: Option<Embedded>,
        settings: Settings,
        _dir: tempfile::TempDir,
    }

    impl EmbeddedBench {
        fn new(change: impl Fn(&mut Settings)) -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let mut settings = Settings { partitions: 8, ..Settings::new(dir.path()) };
            settings.reserve.percent = 0;
            change(&mut settings);
            let journal = Some(Embedded::open(settings.clone()).expect("opened"));
            Self { journal, settings, _dir: dir }
        }
    }

    impl Bench for EmbeddedBench {
        fn journal(&self) -> &dyn Journal {
            self.journal.as_ref().expect("open")
        }
        fn reopen(&mut self) {
            drop(self.journal.take());
            self.journal = Some(Embedded::open(self.settings.clone()).expect("opened again"));
        }
    }

    #[test]
    fn memory_conforms() {
        run(MemoryBench::default);
    }

    #[test]
    fn embedded_conforms() {
        run(|| EmbeddedBench::new(|_| {}));
    }

    /// Segments of a few commits: every read crosses segments, heads are rolled up, ids are indexed.
    #[test]
    fn embedded_conforms_with_short_segments_and_groups() {
        run(|| EmbeddedBench::new(|settings| (settings.segment_commits_max, settings.group_max) = (7, 3)));
    }
}
