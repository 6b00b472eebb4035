//! The riders' media: each is outside or inside, or at a gate at this moment. One medium is at one gate at a time, and the
//! longest waiting goes first.
use crate::gate::Fact;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use tongdao_domain::code::Code;
use tongdao_protocol::gate::{Direction, Medium};

/// Bits of a tag that name the medium; the rest is the time the tap was due, in microseconds.
const MEDIUM_BITS: u32 = 24;
/// Media, at most.
pub const MEDIA_MAX: usize = 1 << MEDIUM_BITS;

/// See the module.
pub struct Media {
    media: Vec<Medium>,
    /// Which way the medium is going, or went last.
    heading: Vec<Direction>,
    outside: VecDeque<u32>,
    inside: VecDeque<u32>,
}

impl Media {
    /// All outside; beyond [`MEDIA_MAX`] they are left out.
    #[must_use]
    pub fn new(mut media: Vec<Medium>) -> Self {
        media.truncate(MEDIA_MAX);
        let outside = (0..).take(media.len()).collect();
        Self { heading: vec![Direction::Entry; media.len()], media, outside, inside: VecDeque::new() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.media.len()
    }
    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.media.is_empty()
    }

    /// Somebody steps up to a gate; `exits` is the share of those who leave. `None` = all are at a gate already.
    pub fn step_up(&mut self, exits: f64, random: &mut ChaCha8Rng) -> Option<u32> {
        let leaves = random.random_bool(exits.clamp(0.0, 1.0));
        let (first, other) = if leaves { (&mut self.inside, &mut self.outside) } else { (&mut self.outside, &mut self.inside) };
        let (medium, inside) = match first.pop_front() {
            Some(medium) => (medium, leaves),
            None => (other.pop_front()?, !leaves),
        };
        *self.heading.get_mut(medium as usize)? = if inside { Direction::Exit } else { Direction::Entry };
        Some(medium)
    }

    /// What the medium shows, and which way it goes.
    #[must_use]
    pub fn shown(&self, medium: u32) -> Option<(&Medium, Direction)> {
        Some((self.media.get(medium as usize)?, *self.heading.get(medium as usize)?))
    }

    /// The gate has done something: the medium is free again, on the side where the server believes it.
    pub fn step_away(&mut self, medium: u32, fact: Fact) {
        let Some(heading) = self.heading.get(medium as usize).copied() else { return };
        let inside = match fact {
            Fact::Decided { code: Code::AlreadyIn, .. } => true,
            Fact::Decided { code: Code::NoEntry, .. } => false,
            Fact::Decided { code, .. } if code.opens() => heading == Direction::Entry,
            Fact::Alone { open: true, .. } => heading == Direction::Entry,
            _ => heading == Direction::Exit,
        };
        if inside { self.inside.push_back(medium) } else { self.outside.push_back(medium) }
    }
}

/// A tag for a tap: when it was due, and whose it is.
#[must_use]
pub const fn tag(due_us: u64, medium: u32) -> u64 {
    due_us << MEDIUM_BITS | medium as u64
}

/// Takes a tag apart: when the tap was due in microseconds, and the medium.
#[must_use]
pub fn untag(tag: u64) -> (u64, u32) {
    (tag >> MEDIUM_BITS, u32::try_from(tag & ((1 << MEDIUM_BITS) - 1)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use tongdao_protocol::gate::MediumKind;

    fn media(count: usize) -> (Media, ChaCha8Rng) {
        let medium = Medium::new(MediumKind::Card, "m1").expect("a token");
        (Media::new(vec![medium; count]), ChaCha8Rng::seed_from_u64(1))
    }

    fn decided(code: Code) -> Fact {
        Fact::Decided { tag: 0, code, fare: None, waited_ms: 0 }
    }

    #[test]
    fn who_entered_leaves_and_nobody_is_at_two_gates() {
        let (mut media, mut random) = media(2);
        let (a, b) = (media.step_up(0.0, &mut random).expect("one"), media.step_up(0.0, &mut random).expect("the other"));
        assert_ne!(a, b);
        assert_eq!(media.step_up(0.0, &mut random), None);
        media.step_away(a, decided(Code::Ok));
        assert_eq!(media.step_up(1.0, &mut random), Some(a));
        assert_eq!(media.shown(a).map(|(_, heading)| heading), Some(Direction::Exit));
    }

    #[test]
    fn with_nobody_inside_the_next_one_enters() {
        let (mut media, mut random) = media(1);
        let one = media.step_up(1.0, &mut random).expect("one");
        assert_eq!(media.shown(one).map(|(_, heading)| heading), Some(Direction::Entry));
    }

    #[test]
    fn a_refusal_tells_where_the_server_believes_the_rider() {
        for (code, then) in [
            (Code::AlreadyIn, Direction::Exit),
            (Code::NoEntry, Direction::Entry),
            (Code::Insufficient, Direction::Entry),
            (Code::Busy, Direction::Entry),
        ] {
            let (mut media, mut random) = media(1);
            let one = media.step_up(0.0, &mut random).expect("one");
            media.step_away(one, decided(code));
            media.step_up(0.5, &mut random);
            assert_eq!(media.shown(one).map(|(_, heading)| heading), Some(then), "{}", code.name());
        }
    }

    #[test]
    fn a_tag_comes_apart_again() {
        assert_eq!(untag(tag(86_400_000_000, 12_345)), (86_400_000_000, 12_345));
    }
}
