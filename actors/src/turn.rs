//! The loop of a cell: what came in, what is due, what goes out. One task, no timer per command, one wake-up however much
//! came; between two turns the actors work through their mailboxes.
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tongdao_domain::entity::EntityKind;
use tongdao_domain::id::Token;
use tongdao_domain::machine::Event;
use tongdao_domain::medium;
use tongdao_domain::time::Timestamp;
use tongdao_journal::codec::decode_event;
use tongdao_journal::contract::FeedItem;
use tongdao_telemetry::{ClockStepped, DoorDepth};

use crate::clock::Drift;
use crate::inner::Inner;
use crate::lanes::Lanes;
use crate::mail::{Knock, Mail, Note};
use crate::observe::{ActorView, CellFigures};
use crate::request::{Busy, Lane};

/// Commands taken from the lanes in one turn, at most.
const TURN_MAX: usize = 256;
/// The journal's queue is full: look again after this.
const RETRY: Duration = Duration::from_millis(1);

/// The loop's own possessions.
pub(crate) struct Turn {
    cell: Rc<Inner>,
    lanes: Lanes<Knock>,
    notes: Vec<Note>,
    sleep: Pin<Box<Sleep>>,
    sleeps_until: Timestamp,
    moved: Option<watch::Receiver<Timestamp>>,
    settling: Vec<oneshot::Sender<u64>>,
    compared: Timestamp,
    slewing: bool,
}

impl Turn {
    pub(crate) fn new(cell: Rc<Inner>, lanes: Lanes<Knock>) -> Self {
        let moved = cell.shared.clock.watch();
        let now = cell.now();
        let sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { cell, lanes, notes: Vec::new(), sleep, sleeps_until: now, moved, settling: Vec::new(), compared: now, slewing: false }
    }

    /// Runs until the thread ends.
    pub(crate) async fn run(mut self) {
        loop {
            self.wait().await;
            let now = self.cell.now();
            self.cell.turn_at.set(now);
            self.read_notes();
            self.serve();
            self.cell.run_errands();
            self.cell.run_timers(now);
            self.cell.answer_lost();
            self.cell.flush();
            self.each_second(now);
            self.show();
            // The actors' turn.
            tokio::task::yield_now().await;
            self.settle();
        }
    }

    /// Until there is something to do.
    async fn wait(&mut self) {
        let room = self.cell.retry_overflow() && self.cell.room() > 0;
        self.cell.stalled.set(!room);
        self.set_alarm(!room || !self.settling.is_empty() || !self.cell.errands.borrow().is_empty());
        let inbox = Arc::clone(&self.cell.shared.ports[self.cell.index].inbox);
        let (lanes, sleep, moved) = (&mut self.lanes, &mut self.sleep, &mut self.moved);
        tokio::select! {
            biased;
            () = inbox.woken() => {}
            () = poll_fn(|cx| lanes.poll_fill(cx, room)) => {}
            () = sleep.as_mut() => self.sleeps_until = Timestamp(i64::MIN),
            () = moves(moved) => {}
        }
    }
    fn set_alarm(&mut self, soon: bool) {
        let next = self.cell.timers.borrow().next();
        if soon {
            self.sleeps_until = Timestamp(i64::MIN);
            self.sleep.as_mut().reset(Instant::now() + RETRY);
        } else if next != self.sleeps_until {
            let left = u64::try_from((next - self.cell.now()).0).unwrap_or(0);
            self.sleeps_until = next;
            self.sleep.as_mut().reset(Instant::now() + Duration::from_millis(left));
        }
    }

    fn read_notes(&mut self) {
        self.cell.shared.ports[self.cell.index].inbox.take(&mut self.notes);
        let mut notes = std::mem::take(&mut self.notes);
        for note in notes.drain(..) {
            self.note(note);
        }
        self.notes = notes;
    }
    fn note(&mut self, note: Note) {
        let cell = &self.cell;
        match note {
            Note::Outcomes(outcomes) => cell.outcomes(outcomes),
            Note::Followed(items) => items.iter().for_each(|item| cell.followed(item)),
            Note::Replies(replies) => replies.into_iter().for_each(|(slot, reply)| cell.reply_here(slot, reply)),
            Note::Answered { resident, command_id, reply } => cell.answered_via(resident, command_id, reply),
            Note::Misrouted { token, delivery } => cell.look_again(&token, delivery),
            Note::Loaded { resident, result } => {
                let resident = cell.residents.borrow().get(resident).map(Rc::clone);
                if let Some(resident) = resident {
                    cell.send(&resident, Mail::Loaded(result));
                }
            }
            Note::Owner { token, owner } => cell.owner_read(&token, owner),
            Note::Due(entities) => entities.iter().filter(|entity| cell.awake(entity).is_none()).for_each(|entity| {
                cell.send(&cell.resident(entity), Mail::Tick);
            }),
            Note::Owed { device, owed } => cell.tell_owed_here(&device, &owed),
            Note::Observe { limit, answer } => drop(answer.send(cell.observe(limit))),
            Note::Settle(answer) => self.settling.push(answer),
        }
    }

    /// Lets in what waits at the door, as far as there is room.
    fn serve(&mut self) {
        for _ in 0..TURN_MAX {
            let Some(knock) = self.lanes.next(self.cell.room() > 0) else { break };
            match knock {
                Knock::Command { entity, delivery, received } => {
                    if self.cell.is_overdue(&delivery.command, received) {
                        self.cell.shared.turned_away(self.cell.index, Lane::of(&delivery.command), Busy::TooOld);
                        self.cell.busy(delivery, Busy::TooOld);
                    } else {
                        self.cell.deliver(&entity, delivery);
                    }
                }
                Knock::Ask { entity, question } => {
                    let resident = self.cell.resident(&entity);
                    self.cell.send(&resident, Mail::Ask(question));
                }
            }
        }
        self.cell.buffered.set(self.lanes.waiting());
    }

    fn each_second(&mut self, now: Timestamp) {
        if (now - self.compared).0 < 1000 {
            return;
        }
        self.compared = now;
        for (lane, depth) in [Lane::Urgent, Lane::Taps, Lane::Rest].into_iter().zip(self.lanes.waiting()) {
            DoorDepth { cell: self.cell.index, lane: lane.name(), depth }.emit();
        }
        if self.cell.index == 0 {
            self.compare_clock();
        }
    }
    fn compare_clock(&mut self) {
        match self.cell.shared.clock.compare() {
            Drift::None => self.slewing = false,
            Drift::Slewing(by) => {
                // Told once, not every second until it has caught up.
                if !std::mem::replace(&mut self.slewing, true) {
                    ClockStepped { step_ms: by.0, slewed: true }.emit();
                }
            }
            Drift::TooFar(by) => ClockStepped { step_ms: by.0, slewed: false }.emit(),
        }
    }

    fn show(&self) {
        let [urgent_queued, taps_queued, rest_queued] = self.lanes.waiting();
        let cell = &self.cell;
        cell.figures().gauge(&CellFigures {
            urgent_queued,
            taps_queued,
            rest_queued,
            unanswered: cell.unanswered(),
            committing: cell.committing(),
            actors: cell.residents.borrow().len(),
            quarantined: cell.quarantined.get(),
            owners_cached: cell.owners.borrow().cached(),
            ..CellFigures::default()
        });
    }

    /// Before a shutdown: when nothing is on its way any more, every changed state is written, then it is told.
    fn settle(&mut self) {
        let waiting: usize = self.lanes.waiting().iter().sum();
        if self.settling.is_empty() || waiting > 0 || !self.cell.is_quiet() {
            return;
        }
        if !self.cell.write_all() {
            self.settling.drain(..).for_each(|answer| {
                let _ = answer.send(self.cell.delivered.get());
            });
        }
    }
}

async fn moves(moved: &mut Option<watch::Receiver<Timestamp>>) {
    let gone = match moved {
        Some(moved) => moved.changed().await.is_err(),
        None => true,
    };
    if gone {
        std::future::pending::<()>().await;
    }
}

impl Inner {
    /// Takes a committed event of a kind that every cell follows: first the world, then who follows.
    fn followed(&self, item: &FeedItem) {
        let event = match decode_event(item.entity.kind, &item.event) {
            Ok(event) => event,
            Err(error) => return tracing::error!(entity = %item.entity, seq = item.seq, %error, "an event of the feed cannot be read"),
        };
        self.world.borrow_mut().advance(&item.entity, &event, item.at);
        if let (Event::Medium(event), Ok(token)) = (&event, Token::new(&item.entity.id)) {
            let owner = match event {
                medium::Event::Claimed { owner } => Some(owner.clone()),
                medium::Event::Released { .. } => None,
            };
            self.owners.borrow_mut().changed(&token, owner);
            return;
        }
        let followers = self.followers.borrow().clone();
        followers.iter().for_each(|follower| follower(item, &event));
    }
    fn observe(&self, limit: usize) -> Vec<ActorView> {
        let now = self.now();
        let mut views: Vec<_> = self.residents.borrow().iter().map(|resident| resident.view(self.index, now)).collect();
        views.sort_by_key(ActorView::rank);
        views.truncate(limit);
        views
    }
    /// Asks every changed entity to write its state; was there any?
    fn write_all(&self) -> bool {
        let dirty: Vec<_> = self
            .residents
            .borrow()
            .iter()
            .filter(|resident| resident.dirty_since.get().is_some() && !resident.quarantined())
            .map(Rc::clone)
            .collect();
        dirty.iter().for_each(|resident| self.send(resident, Mail::Checkpoint));
        !dirty.is_empty()
    }
}

/// The kinds whose events every cell follows.
pub(crate) const FOLLOWED: &[EntityKind] =
    &[EntityKind::Station, EntityKind::Device, EntityKind::Gate, EntityKind::Medium, EntityKind::DenyList];
