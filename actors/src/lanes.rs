//! The door of a cell from inside: three bounded channels read as one stream. Urgent first; the rest gets at least one turn
//! in sixteen; what has no room stays in its channel, so that the channel fills and the caller is told `Busy`.
use std::collections::VecDeque;
use std::task::{Context, Poll};

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::limits::Limits;
use crate::request::Lane;

/// Turns without one for the rest, at most.
const TURNS_WITHOUT_REST_MAX: u8 = 15;
/// Taken out of a channel at once.
const BATCH: usize = 256;

/// Whose turn it is: the order alone, without any queue.
#[derive(Debug, Default)]
pub(crate) struct Turnstile {
    without_rest: u8,
}

impl Turnstile {
    /// Picks among the lanes in which something may be taken now.
    pub(crate) fn next(&mut self, urgent: bool, taps: bool, rest: bool) -> Option<Lane> {
        if rest && (self.without_rest >= TURNS_WITHOUT_REST_MAX || !(urgent || taps)) {
            self.without_rest = 0;
            return Some(Lane::Rest);
        }
        if !(urgent || taps) {
            return None;
        }
        self.without_rest = if rest { self.without_rest + 1 } else { 0 };
        Some(if urgent { Lane::Urgent } else { Lane::Taps })
    }
}

struct Queue<T> {
    receiver: Receiver<T>,
    taken: VecDeque<T>,
}

impl<T> Queue<T> {
    /// Takes a batch out of the channel when the last one is used up; ready when there is something.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.taken.is_empty() {
            let mut batch = Vec::from(std::mem::take(&mut self.taken));
            let polled = self.receiver.poll_recv_many(cx, &mut batch, BATCH);
            self.taken = batch.into();
            if polled.is_pending() {
                return Poll::Pending;
            }
        }
        if self.taken.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }
    fn waiting(&self) -> usize {
        self.taken.len() + self.receiver.len()
    }
}

/// The three receivers.
pub(crate) struct Lanes<T> {
    urgent: Queue<T>,
    taps: Queue<T>,
    rest: Queue<T>,
    turnstile: Turnstile,
}

/// The three senders: the door from outside.
#[derive(Debug)]
pub(crate) struct Entrance<T> {
    urgent: Sender<T>,
    taps: Sender<T>,
    rest: Sender<T>,
}

impl<T> Clone for Entrance<T> {
    fn clone(&self) -> Self {
        Self { urgent: self.urgent.clone(), taps: self.taps.clone(), rest: self.rest.clone() }
    }
}

impl<T> Entrance<T> {
    pub(crate) fn lane(&self, lane: Lane) -> &Sender<T> {
        match lane {
            Lane::Urgent => &self.urgent,
            Lane::Taps => &self.taps,
            Lane::Rest => &self.rest,
        }
    }
}

/// Makes a door.
pub(crate) fn door<T>(limits: &Limits) -> (Entrance<T>, Lanes<T>) {
    let queue = |bound: usize| {
        let (sender, receiver) = mpsc::channel(bound.max(1));
        (sender, Queue { receiver, taken: VecDeque::new() })
    };
    let (urgent_in, urgent) = queue(limits.urgent_queue_max);
    let (taps_in, taps) = queue(limits.taps_queue_max);
    let (rest_in, rest) = queue(limits.rest_queue_max);
    let entrance = Entrance { urgent: urgent_in, taps: taps_in, rest: rest_in };
    (entrance, Lanes { urgent, taps, rest, turnstile: Turnstile::default() })
}

impl<T> Lanes<T> {
    /// Ready when something can be taken; without `room` only the urgent lane is looked at.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, room: bool) -> Poll<()> {
        let mut ready = self.urgent.poll_fill(cx).is_ready();
        if room {
            ready |= self.taps.poll_fill(cx).is_ready();
            ready |= self.rest.poll_fill(cx).is_ready();
        }
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
    /// The next of what was taken out of the channels.
    pub(crate) fn next(&mut self, room: bool) -> Option<T> {
        let (taps, rest) = (room && !self.taps.taken.is_empty(), room && !self.rest.taken.is_empty());
        match self.turnstile.next(!self.urgent.taken.is_empty(), taps, rest)? {
            Lane::Urgent => self.urgent.taken.pop_front(),
            Lane::Taps => self.taps.taken.pop_front(),
            Lane::Rest => self.rest.taken.pop_front(),
        }
    }
    /// How many wait in each lane.
    pub(crate) fn waiting(&self) -> [usize; 3] {
        [self.urgent.waiting(), self.taps.waiting(), self.rest.waiting()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::task::noop_waker_ref;

    #[test]
    fn the_rest_gets_one_turn_in_sixteen_and_all_when_alone() {
        let mut turnstile = Turnstile::default();
        let turns: Vec<_> = (0..32).filter_map(|_| turnstile.next(false, true, true)).collect();
        let of_the_rest: Vec<_> = turns.iter().enumerate().filter(|(_, lane)| **lane == Lane::Rest).map(|(n, _)| n).collect();
        assert_eq!(of_the_rest, [15, 31]);
        assert_eq!(turnstile.next(false, false, true), Some(Lane::Rest));
        assert_eq!(turnstile.next(false, false, false), None);
    }

    #[test]
    fn urgent_overtakes_taps_and_even_it_leaves_the_rest_its_turn() {
        let mut turnstile = Turnstile::default();
        assert_eq!(turnstile.next(true, true, true), Some(Lane::Urgent));
        let turns = (0..16).filter_map(|_| turnstile.next(true, true, true));
        assert_eq!(turns.filter(|lane| *lane == Lane::Rest).count(), 1);
    }

    #[test]
    fn without_room_only_the_urgent_lane_is_read() {
        let limits = Limits { taps_queue_max: 2, ..Limits::default() };
        let (entrance, mut lanes) = door::<u8>(&limits);
        entrance.lane(Lane::Taps).try_send(1).expect("room");
        entrance.lane(Lane::Taps).try_send(2).expect("room");
        assert!(entrance.lane(Lane::Taps).try_send(3).is_err(), "bounded");
        let mut cx = Context::from_waker(noop_waker_ref());
        assert!(lanes.poll_fill(&mut cx, false).is_pending());
        entrance.lane(Lane::Urgent).try_send(9).expect("room");
        assert!(lanes.poll_fill(&mut cx, false).is_ready());
        assert_eq!((lanes.next(false), lanes.next(false)), (Some(9), None));
        assert!(lanes.poll_fill(&mut cx, true).is_ready());
        assert_eq!(lanes.waiting(), [0, 2, 0]);
        assert_eq!((lanes.next(true), lanes.next(true), lanes.next(true)), (Some(1), Some(2), None));
    }
}
