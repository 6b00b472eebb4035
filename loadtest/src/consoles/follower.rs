//! What a console must know to follow its channels without a gap, as a pure machine: frames of the server go in, what they
//! mean comes out. It holds the server to the contract: events count up by one, nothing comes of a channel that was not asked
//! for, and who names a position gets exactly what followed it, or the whole state.
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use tongdao_protocol::console::frames::{ClientFrame, FrameId, Sub};
use tongdao_protocol::text;

/// How far a channel was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    epoch: String,
    seq: u64,
}

/// What a frame meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<'a> {
    /// An event; what caused it.
    Event(Option<&'a str>),
    /// A newest value.
    State,
    /// A channel is followed: with what was missed, or anew with its whole state.
    Followed {
        /// With what was missed.
        recovered: bool,
    },
    /// A channel is not followed: the code.
    Refused(String),
    /// The server says good-bye: its close code.
    Bye(u16),
    /// Anything else that the contract knows.
    Other,
    /// The contract was broken, in words.
    Broken(&'static str),
}

/// A frame as far as a console must look at it to follow: what it shows is skipped.
#[derive(Deserialize)]
struct Frame<'a> {
    t: &'a str,
    #[serde(default)]
    ch: Option<&'a str>,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    cause: Option<&'a str>,
    #[serde(borrow, default)]
    items: Vec<Frame<'a>>,
    #[serde(default)]
    epoch: Option<&'a str>,
    #[serde(default)]
    recovered: Option<bool>,
    #[serde(borrow, default)]
    events: Vec<Frame<'a>>,
    #[serde(default)]
    snapshot: Option<IgnoredAny>,
    #[serde(borrow, default)]
    error: Option<Refusal<'a>>,
    #[serde(default)]
    code: Option<u16>,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    code: &'a str,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Follower {
    positions: BTreeMap<String, Option<Position>>,
    /// Channels that are followed on this connection.
    followed: Vec<String>,
}

impl Follower {
    /// A console of these channels that has seen nothing yet.
    #[must_use]
    pub fn new(channels: Vec<String>) -> Self {
        Self { positions: channels.into_iter().map(|channel| (channel, None)).collect(), followed: Vec::new() }
    }

    /// Is every channel followed?
    #[must_use]
    pub fn follows_all(&self) -> bool {
        self.followed.len() == self.positions.len()
    }

    /// A connection begins: what is to be sent, a `sub` a channel, each with the position that was reached before.
    pub fn subscribe(&mut self) -> Vec<String> {
        self.followed.clear();
        let frame = |(n, (channel, position)): (u64, (&String, &Option<Position>))| {
            let position = position.as_ref();
            let epoch = position.and_then(|position| text::Id::new(&position.epoch));
            let seq = position.filter(|_| epoch.is_some()).map(|position| position.seq);
            let ch = text::Code::new(channel)?;
            Some(tongdao_protocol::console::frames::encode(&ClientFrame::Sub(Sub { id: FrameId::Number(n), ch, epoch, seq })))
        };
        (0..).zip(&self.positions).filter_map(frame).collect()
    }

    /// A message came; everything in it is told in order.
    pub fn read<'a>(&mut self, text: &'a str, tell: &mut impl FnMut(Seen<'a>)) {
        match serde_json::from_str::<Frame<'a>>(text) {
            Ok(frame) if frame.t == "batch" => frame.items.into_iter().for_each(|frame| self.frame(frame, tell)),
            Ok(frame) => self.frame(frame, tell),
            Err(_) => tell(Seen::Broken("a message is no frame")),
        }
    }

    fn frame<'a>(&mut self, frame: Frame<'a>, tell: &mut impl FnMut(Seen<'a>)) {
        match frame.t {
            "event" => tell(self.event(frame)),
            "state" => tell(if self.follows(frame.ch) { Seen::State } else { Seen::Broken(FOREIGN) }),
            "sub" => self.subscribed(frame, tell),
            "bye" => tell(Seen::Bye(frame.code.unwrap_or(0))),
            "hello" | "unsub" | "ack" | "beat" | "rights" | "error" | "lock" | "relay" => tell(Seen::Other),
            _ => tell(Seen::Broken("a frame has an unknown type")),
        }
    }

    fn follows(&self, channel: Option<&str>) -> bool {
        channel.is_some_and(|channel| self.followed.iter().any(|followed| followed == channel))
    }

    fn event<'a>(&mut self, frame: Frame<'a>) -> Seen<'a> {
        if !self.follows(frame.ch) {
            return Seen::Broken(FOREIGN);
        }
        let position = frame.ch.and_then(|channel| self.positions.get_mut(channel)).and_then(Option::as_mut);
        let (Some(position), Some(seq)) = (position, frame.seq) else { return Seen::Broken("an event has no position") };
        if seq != position.seq + 1 {
            position.seq = position.seq.max(seq);
            return Seen::Broken("an event is missing, or came twice");
        }
        position.seq = seq;
        Seen::Event(frame.cause)
    }

    /// The answer to a `sub`. What was missed counts as events, too; its last one is the position of the answer.
    fn subscribed<'a>(&mut self, frame: Frame<'a>, tell: &mut impl FnMut(Seen<'a>)) {
        if let Some(error) = frame.error {
            return tell(Seen::Refused(error.code.to_owned()));
        }
        let (Some(channel), Some(epoch), Some(seq), Some(recovered)) = (frame.ch, frame.epoch, frame.seq, frame.recovered) else {
            return tell(Seen::Broken("an answer to sub says too little"));
        };
        let Some(position) = self.positions.get_mut(channel) else { return tell(Seen::Broken(FOREIGN)) };
        let before = position.replace(Position { epoch: epoch.to_owned(), seq });
        self.followed.push(channel.to_owned());
        if !recovered {
            let whole = frame.snapshot.is_some();
            return tell(if whole { Seen::Followed { recovered } } else { Seen::Broken("an answer to sub shows no state") });
        }
        let Some(before) = before else { return tell(Seen::Broken("something was recovered that nobody asked for")) };
        if let Some(position) = self.positions.get_mut(channel).and_then(Option::as_mut) {
            position.seq = before.seq;
        }
        for event in frame.events {
            tell(self.event(event));
        }
        let reached = self.positions.get(channel).and_then(Option::as_ref).map_or(0, |position| position.seq);
        tell(if reached == seq { Seen::Followed { recovered } } else { Seen::Broken("what was recovered does not reach the position") });
    }
}

const FOREIGN: &str = "something came of a channel that is not followed";

#[cfg(test)]
mod tests {
    use super::*;

    fn told(follower: &mut Follower, text: &str) -> Vec<String> {
        let mut told = Vec::new();
        follower.read(text, &mut |seen| told.push(format!("{seen:?}")));
        told
    }

    fn following() -> Follower {
        let mut follower = Follower::new(vec!["gates:a".into()]);
        assert_eq!(follower.subscribe(), [r#"{"t":"sub","id":0,"ch":"gates:a"}"#]);
        let answer = r#"{"t":"sub","id":0,"ch":"gates:a","epoch":"n.1","seq":5,"recovered":false,"snapshot":{"rev":1}}"#;
        assert_eq!(told(&mut follower, answer), ["Followed { recovered: false }"]);
        assert!(follower.follows_all());
        follower
    }

    fn event(seq: u64) -> String {
        format!(r#"{{"t":"event","ch":"gates:a","seq":{seq},"at":"2026-01-01T00:00:00.000Z","cause":"tap/g1/1/{seq}","d":{{"k":"tap"}}}}"#)
    }

    #[test]
    fn events_count_up_by_one() {
        let mut follower = following();
        let batch = format!(r#"{{"t":"batch","items":[{},{}]}}"#, event(6), event(7));
        assert_eq!(told(&mut follower, &batch), ["Event(Some(\"tap/g1/1/6\"))", "Event(Some(\"tap/g1/1/7\"))"]);
        for wrong in [7, 9] {
            assert_eq!(told(&mut follower, &event(wrong)), ["Broken(\"an event is missing, or came twice\")"], "{wrong}");
        }
        assert_eq!(told(&mut follower, &event(10)).len(), 1);
    }

    #[test]
    fn it_comes_back_where_it_was() {
        let mut follower = following();
        told(&mut follower, &event(6));
        assert_eq!(follower.subscribe(), [r#"{"t":"sub","id":0,"ch":"gates:a","epoch":"n.1","seq":6}"#]);
        assert!(!follower.follows_all());
        let answer = |events: &[String], seq: u64| {
            let events = events.join(",");
            format!(r#"{{"t":"sub","id":0,"ch":"gates:a","epoch":"n.1","seq":{seq},"recovered":true,"events":[{events}]}}"#)
        };
        let good = told(&mut follower, &answer(&[event(7), event(8)], 8));
        assert_eq!(good.last().map(String::as_str), Some("Followed { recovered: true }"));
        assert_eq!(good.len(), 3);
        follower.subscribe();
        let lost = told(&mut follower, &answer(&[event(10)], 10));
        assert!(lost[0].starts_with("Broken"), "{lost:?}");
        follower.subscribe();
        let short = told(&mut follower, &answer(&[event(11)], 12));
        assert!(short[1].starts_with("Broken"), "{short:?}");
    }

    #[test]
    fn nothing_comes_of_what_was_not_asked_for() {
        let mut follower = following();
        for foreign in [
            r#"{"t":"event","ch":"gates:b","seq":6,"at":"2026-01-01T00:00:00.000Z","d":{}}"#,
            r#"{"t":"state","ch":"gates:b","key":"load","d":{}}"#,
            r#"{"t":"sub","id":1,"ch":"gates:b","epoch":"n.1","seq":5,"recovered":false,"snapshot":{}}"#,
        ] {
            assert_eq!(told(&mut follower, foreign), [format!("Broken({FOREIGN:?})")], "{foreign}");
        }
        follower.subscribe();
        assert!(told(&mut follower, &event(6))[0].starts_with("Broken"), "before the answer nothing may come");
    }

    #[test]
    fn what_is_no_frame_is_told() {
        let mut follower = following();
        for wrong in ["{", "[]", r#"{"t":"what"}"#, r#"{"t":"sub","id":0,"ch":"gates:a"}"#] {
            assert!(told(&mut follower, wrong)[0].starts_with("Broken"), "{wrong}");
        }
        let refused = r#"{"t":"sub","id":0,"ch":"gates:a","error":{"code":"FORBIDDEN","message_key":"x","params":{},"retry":"no"}}"#;
        assert_eq!(told(&mut follower, refused), ["Refused(\"FORBIDDEN\")"]);
        assert_eq!(told(&mut follower, r#"{"t":"bye","code":4008,"reason":"slow"}"#), ["Bye(4008)"]);
        assert_eq!(told(&mut follower, r#"{"t":"beat","now":"2026-01-01T00:00:00.000Z","positions":{}}"#), ["Other"]);
    }
}
