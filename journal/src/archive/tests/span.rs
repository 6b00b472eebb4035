//! A span of time is checked without reading what lies before its segment.
use super::*;
use crate::archive::span::SpanReport;

fn range(from: i64, to: i64) -> Range {
    Range { from: Some(Timestamp(from)), to: Some(Timestamp(to)) }
}
fn span(made: &Made, from: i64, to: i64) -> Result<SpanReport, VerifyFault> {
    made.archive().verify_span(range(from, to), &|| true)
}

#[test]
fn every_span_of_an_untouched_journal_fits_and_the_whole_ends_in_the_same_chain() {
    let made = Made::new(40);
    let whole = made.verify().expect("untouched");
    let all = made.archive().verify_span(Range::default(), &|| true).expect("untouched");
    assert_eq!((all.commits, all.events, all.first_group, all.last_group, all.chain.as_str()), (40, 40, 1, whole.groups, &*whole.chain));
    for from in (990..1_050).step_by(7) {
        for to in (from + 1..1_060).step_by(9) {
            let report = span(&made, from, to).expect("untouched");
            let wanted = (1_000.max(from)..1_040.min(to)).count() as u64;
            assert!(report.commits >= wanted, "{from}..{to}: {report:?}");
        }
    }
    assert_eq!(span(&made, 1_040, 2_000).expect("nothing there").first_group, 0);
    assert!(span(&made, 1_035, 1_040).expect("untouched").commits < 40, "a late span does not read everything");
}

#[test]
fn a_forged_record_is_named_by_every_span_that_holds_it_and_by_none_that_ends_before() {
    let made = Made::new(40);
    let place = made.place(30);
    made.tamper(|store| rewrite(store, place, |old| forged(&old, place, 30)));
    for (from, to) in [(0, 2_000), (1_000, 1_031), (1_030, 1_031), (1_029, 2_000)] {
        assert!(span(&made, from, to).is_err(), "{from}..{to}");
    }
    span(&made, 1_000, 1_010).expect("what lies before is untouched");
}

#[test]
fn a_missing_group_is_named() {
    let made = Made::new(40);
    made.tamper(|store| store.groups.remove(group::key(5)).expect("removed"));
    assert_eq!(
        made.archive().verify_span(Range::default(), &|| true).expect_err("missing").to_string(),
        "at group 5: the group is missing"
    );
}

#[test]
fn the_writer_s_own_journal_is_checked_beside_it() {
    let made = Made::new(40);
    let journal = made.open();
    let report = journal.verify_span(range(1_000, 1_040), &|| true).expect("untouched");
    assert_eq!(report.commits, 40);
}

#[test]
fn a_span_that_is_stopped_says_how_far_it_fits_and_goes_on_from_there() {
    let made = Made::new(40);
    let archive = made.archive();
    let (mut from, mut pieces) = (1_000, 0);
    loop {
        let asked = std::cell::Cell::new(0);
        let goes_on = || {
            asked.set(asked.get() + 1);
            asked.get() < 3
        };
        let report = archive.verify_span(range(from, 1_040), &goes_on).expect("untouched");
        pieces += 1;
        let Some(Timestamp(at)) = report.stopped_at else { break };
        assert!(at > from && at < 1_040, "each piece gets on: {report:?}");
        from = at;
    }
    assert!(pieces > 2, "ten groups or more, three at a time: {pieces}");
}
