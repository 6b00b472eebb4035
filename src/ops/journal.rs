//! `tongdao export|verify|doctor`: the journal itself, beside a running server or as files that nobody has open.
use super::{fresh_id, moment, rfc3339};
use crate::admin::Out;
use crate::backend::Backend;
use crate::config::Config;
use crate::exit::{Failure, IO, OK, REFUSED};
use crate::node::{self, journal_dir, journal_failure};
use crate::sites;
use std::sync::Arc;
use std::time::Duration;
use tongdao_actors::cell::NoHook;
use tongdao_actors::request::Lane;
use tongdao_domain::audit::{self, Fault};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::time::Timestamp;
use tongdao_journal::archive::doctor::DoctorReport;
use tongdao_journal::archive::verify::{Check, Conservation, VerifyFault, VerifyReport};
use tongdao_journal::archive::{Archive, accept_loss};
use tongdao_journal::codec;
use tongdao_journal::contract::{FeedItem, Journal};
use tongdao_protocol::export;

/// Events read at once.
const PAGE_EVENTS: usize = 1024;
/// A short errand's node puts itself away within this.
const PUT_AWAY: Duration = Duration::from_secs(60);

type Span = (Option<Timestamp>, Option<Timestamp>);

/// Every committed event as a line, ordered within a partition.
pub(super) async fn export(backend: &Backend, from: Option<String>, to: Option<String>, out: &Out) -> Result<u8, Failure> {
    let from = from.as_deref().map(|at| moment(at, "--from")).transpose()?;
    let to = to.as_deref().map(|at| moment(at, "--to")).transpose()?;
    let (journal, sink) = (backend.journal.clone(), out.clone());
    let work = tokio::task::spawn_blocking(move || {
        (0..journal.partitions()).try_for_each(|partition| export_partition(journal.as_ref(), partition, (from, to), &sink))
    });
    work.await.map_err(|fault| Failure::caused(IO, &fault))??;
    Ok(OK)
}

fn export_partition(journal: &dyn Journal, partition: u16, (from, to): Span, out: &Out) -> Result<(), Failure> {
    let mut next = 1;
    loop {
        let items = journal.feed(partition, next, PAGE_EVENTS).map_err(|fault| journal_failure(&fault))?;
        let Some(last) = items.last() else { return Ok(()) };
        next = last.seq + 1;
        let wanted = |item: &&FeedItem| from.is_none_or(|from| item.at >= from) && to.is_none_or(|to| item.at < to);
        for item in items.iter().filter(wanted) {
            if !out.line_blocking(export_line(item)?) {
                return Ok(());
            }
        }
    }
}

fn export_line(item: &FeedItem) -> Result<String, Failure> {
    let event = codec::decode_event(item.entity.kind, &item.event)
        .map_err(|fault| Failure::new(REFUSED, format!("partition {} sequence {}: {fault}", item.partition, item.seq)))?;
    Ok(export::line(&export::Item {
        partition: item.partition,
        seq: item.seq,
        at: item.at,
        entity: &item.entity,
        version: item.version,
        command_id: &item.command_id,
        event: &event,
    }))
}

/// The running server verifies its own journal, as of now, while it goes on.
pub(super) async fn verify(backend: &Backend, out: &Out) -> Result<u8, Failure> {
    let Some(journal) = backend.embedded.clone() else {
        return Err(Failure::new(REFUSED, "a journal in memory has nothing to verify"));
    };
    let work = tokio::task::spawn_blocking(move || verdict(&with_checks(|checks| journal.verify(checks))));
    match work.await.map_err(|fault| Failure::caused(IO, &fault))? {
        Ok(text) => drop(out.line(text).await),
        Err(failure) => return Err(failure),
    }
    Ok(OK)
}

/// Verifies the files of a journal that nobody has open.
pub fn verify_files(config: &Config) -> Result<u8, Failure> {
    let result = with_checks(|checks| Archive::open(&journal_dir(config))?.verify(checks));
    println!("{}", verdict(&result)?);
    Ok(OK)
}

fn with_checks(verify: impl FnOnce(&mut [&mut dyn Check]) -> Result<VerifyReport, VerifyFault>) -> Result<VerifyReport, VerifyFault> {
    verify(&mut [&mut Conservation::default()])
}

fn verdict(result: &Result<VerifyReport, VerifyFault>) -> Result<String, Failure> {
    let report = result.as_ref().map_err(|fault| Failure::new(REFUSED, format!("fault: {}", Failure::caused(REFUSED, fault).message)))?;
    let span = report.span.map_or_else(String::new, |(from, to)| format!("\nfrom     {}\nto       {}", rfc3339(from), rfc3339(to)));
    let losses = if report.losses.is_empty() { String::new() } else { format!("\naccepted losses  {}", report.losses.len()) };
    Ok(format!(
        "ok: hash chain, versions, sequences, one outcome per tap, money\nevents   {} in {} commits, {} groups\nentities {}\ntaps     {}{span}\nchain    {}{losses}",
        report.events, report.commits, report.groups, report.entities, report.taps, report.chain
    ))
}

/// What a running server says of its journal.
pub(super) async fn doctor(backend: &Backend, out: &Out) -> Result<u8, Failure> {
    let Some(journal) = backend.embedded.clone() else {
        return Err(Failure::new(REFUSED, "a journal in memory needs no doctor"));
    };
    let work = tokio::task::spawn_blocking(move || journal.doctor()).await;
    let report = work.map_err(|fault| Failure::caused(IO, &fault))?.map_err(|fault| journal_failure(&fault))?;
    for line in report_lines(&report) {
        out.line(line).await;
    }
    Ok(OK)
}

/// Examines the files of a journal that nobody has open; with `accept` goes on with a journal that came back shorter and
/// writes that into the audit.
pub fn doctor_files(config: &Config, accept: bool) -> Result<u8, Failure> {
    let dir = journal_dir(config);
    let report = if accept { accept_loss(&dir) } else { Archive::open(&dir).and_then(|archive| archive.doctor()) };
    for line in report_lines(&report.map_err(|fault| journal_failure(&fault))?) {
        println!("{line}");
    }
    if accept {
        audit_loss(config)?;
        println!("accepted: the journal goes on with what is there; the audit keeps it");
    }
    Ok(OK)
}

fn report_lines(report: &DoctorReport) -> Vec<String> {
    let mut lines = vec![
        format!("journal          {}", report.dir),
        format!("events           {}", report.events),
        format!("groups           {}", report.groups),
        format!("acknowledged     {}", report.acknowledged.map_or_else(|| "by a running server".to_owned(), |group| group.to_string())),
        format!("newest           {}", rfc3339(report.newest_at)),
        format!("chain            {}", report.chain),
        format!("partitions       {}", report.partitions),
        format!("segments         {} (a start replays from {})", report.segments, report.replayed_from),
        format!("truncated bytes  {} ({} just now)", report.truncated_bytes, report.torn_bytes),
        format!("accepted losses  {}", report.losses.len()),
        format!("disk             {} of {} bytes free, reserve {}", report.space.free, report.space.total, report.reserve_bytes),
    ];
    lines.extend(report.sizes.iter().map(|(name, bytes)| format!("  {name:<16} {bytes} bytes")));
    lines
}

/// The loss stands in the audit like any other fault of the outside world.
fn audit_loss(config: &Config) -> Result<(), Failure> {
    let (node, backend) = node::start(config, node::open(config)?, sites::load(config)?, Arc::new(NoHook))?;
    node::errand(async move {
        let minute = Timestamp(backend.door.clock().now().0.div_euclid(60_000) * 60_000);
        let fault = Fault { source: "doctor".into(), code: "accepted_loss".into(), minute, count: 1 };
        let entity = EntityKey::new(EntityKind::Audit, "node");
        let written = backend.door.ask(entity, fresh_id(), audit::Command::Fault(fault), Lane::Rest).await;
        let _ = node.shutdown(PUT_AWAY).await;
        written.map(drop).map_err(|busy| Failure::new(REFUSED, format!("BUSY: {busy}; the audit entry could not be written")))
    })
}
