//! What waits for one socket: pure, no clock and no socket in it. Events and answers wait in order; of the state lane only
//! the newest value of each key waits. A reader that falls behind loses the state lane (told again once it has caught up),
//! then gets one batch in a while, and is given up at the limit: nobody else waits for it.
use axum::extract::ws::Utf8Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use tongdao_domain::time::{Millis, Timestamp};

#[cfg(test)]
mod tests;

/// Frames are joined up to this many bytes; one that is larger goes alone.
const BATCH_BYTES_MAX: usize = 32 * 1024;

/// Limits of one outbox.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Above it the state lane is left out.
    pub behind_bytes_max: usize,
    /// Above it the reader is given up.
    pub waiting_bytes_max: usize,
    /// Without progress for this long it is given up.
    pub progress_max: Millis,
    /// While it is behind, one batch in this time.
    pub behind_pause: Millis,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Nothing waits.
    Idle,
    /// Write this.
    Write(Utf8Bytes),
    /// Something waits, but not before this moment.
    Pause(Timestamp),
    /// The reader is too slow.
    Slow,
}

/// A frame that must arrive.
#[derive(Debug)]
struct Waiting {
    sub: Option<u64>,
    frame: Utf8Bytes,
    answer: bool,
}

/// What waits for one socket.
#[derive(Debug)]
pub struct Outbox {
    limits: Limits,
    lane: VecDeque<Waiting>,
    /// Bytes of answers that were asked for, however large: they do not make a reader slow. Whoever answers stops reading
    /// while they wait.
    answers: usize,
    states: Vec<(u64, Arc<str>, Utf8Bytes)>,
    bytes: usize,
    /// Values of the state lane were left out since the last time that nothing waited.
    left_out: bool,
    /// The last write did not go through at once.
    behind: bool,
    wrote_at: Timestamp,
    /// Since when something waits without anything having gone through.
    stuck_since: Option<Timestamp>,
}

impl Outbox {
    /// Nothing waits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            lane: VecDeque::new(),
            answers: 0,
            states: Vec::new(),
            bytes: 0,
            left_out: false,
            behind: false,
            wrote_at: Timestamp(0),
            stuck_since: None,
        }
    }

    /// A frame that must arrive, of a subscription or of the connection itself.
    pub fn push(&mut self, sub: Option<u64>, frame: Utf8Bytes) {
        self.bytes += frame.len();
        self.lane.push_back(Waiting { sub, frame, answer: false });
        if self.told() > self.limits.behind_bytes_max {
            self.leave_out();
        }
    }

    /// What was asked for: a snapshot, or the events that were missed.
    pub fn push_answer(&mut self, sub: u64, frame: Utf8Bytes) {
        self.bytes += frame.len();
        self.answers += frame.len();
        self.lane.push_back(Waiting { sub: Some(sub), frame, answer: true });
    }

    /// Bytes that were not asked for.
    fn told(&self) -> usize {
        self.bytes.saturating_sub(self.answers)
    }

    /// The newest value of a key.
    pub fn push_state(&mut self, sub: u64, key: &Arc<str>, frame: Utf8Bytes) {
        if self.told() + frame.len() > self.limits.behind_bytes_max {
            self.leave_out();
            return;
        }
        self.bytes += frame.len();
        match self.states.iter_mut().find(|(s, k, _)| *s == sub && k == key) {
            Some((_, _, before)) => {
                self.bytes -= before.len();
                *before = frame;
            }
            None => self.states.push((sub, Arc::clone(key), frame)),
        }
    }

    fn leave_out(&mut self) {
        self.left_out = true;
        self.bytes -= self.states.drain(..).map(|(_, _, frame)| frame.len()).sum::<usize>();
    }

    /// Nothing more of this subscription, not even what waits.
    pub fn forget(&mut self, sub: u64) {
        self.lane.retain(|waiting| waiting.sub != Some(sub));
        self.states.retain(|(s, _, _)| *s != sub);
        let of_lane = |answers: bool| move |waiting: &&Waiting| waiting.answer || !answers;
        let sum = |answers: bool| self.lane.iter().filter(of_lane(answers)).map(|waiting| waiting.frame.len()).sum::<usize>();
        self.answers = sum(true);
        self.bytes = sum(false) + self.states.iter().map(|(_, _, frame)| frame.len()).sum::<usize>();
    }

    /// Bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Was something left out, and has the reader caught up? Then the state lane is told again, once.
    #[must_use]
    pub fn caught_up(&mut self) -> bool {
        self.bytes == 0 && std::mem::take(&mut self.left_out)
    }

    /// Does more wait than may?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.told() > self.limits.waiting_bytes_max
    }

    /// Is the reader to be given up? `writing` = something is on its way into the socket.
    #[must_use]
    pub fn too_slow(&mut self, writing: bool, now: Timestamp) -> bool {
        if self.bytes == 0 && !writing {
            self.stuck_since = None;
            return false;
        }
        let since = *self.stuck_since.get_or_insert(now);
        self.is_over() || now >= since + self.limits.progress_max
    }

    /// When [`Outbox::too_slow`] would say so for want of progress.
    #[must_use]
    pub fn gives_up_at(&self) -> Option<Timestamp> {
        self.stuck_since.map(|since| since + self.limits.progress_max)
    }

    /// What to write, when the socket can take it.
    pub fn next(&mut self, now: Timestamp) -> Next {
        if self.too_slow(false, now) {
            return Next::Slow;
        }
        if self.lane.is_empty() && self.states.is_empty() {
            return Next::Idle;
        }
        let not_before = self.wrote_at + self.limits.behind_pause;
        if self.behind && now < not_before {
            return Next::Pause(not_before);
        }
        self.wrote_at = now;
        Next::Write(self.take())
    }

    /// The write went through; `waited` = not at once.
    pub fn wrote(&mut self, waited: bool) {
        self.behind = waited;
        self.stuck_since = None;
    }

    fn take(&mut self) -> Utf8Bytes {
        let mut frames = Vec::with_capacity(1);
        let mut size = 0;
        while let Some(waiting) = self.lane.pop_front_if(|next| frames.is_empty() || size + next.frame.len() <= BATCH_BYTES_MAX) {
            size += waiting.frame.len();
            self.answers -= if waiting.answer { waiting.frame.len() } else { 0 };
            frames.push(waiting.frame);
        }
        let fitting = self.states.iter().take_while(|(_, _, frame)| {
            let fits = frames.is_empty() && size == 0 || size + frame.len() <= BATCH_BYTES_MAX;
            size += if fits { frame.len() } else { 0 };
            fits
        });
        let states = if self.lane.is_empty() { fitting.count() } else { 0 };
        frames.extend(self.states.drain(..states).map(|(_, _, frame)| frame));
        self.bytes -= frames.iter().map(|frame| frame.len()).sum::<usize>();
        joined(frames)
    }
}

/// One frame goes as it is, shared with everybody else who gets it; several become a batch.
fn joined(mut frames: Vec<Utf8Bytes>) -> Utf8Bytes {
    if frames.len() == 1 {
        return frames.pop().unwrap_or_default();
    }
    tongdao_protocol::console::frames::batch(frames.iter().map(|frame| frame.as_str())).into()
}
