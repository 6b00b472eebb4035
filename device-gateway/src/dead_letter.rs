//! Dead letters: messages that could not be taken. Topic, code, length and hash are kept, never the body.
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tongdao_domain::id::DeviceId;
use tongdao_domain::time::{Millis, Timestamp};

/// Longest topic that is kept, in bytes; the rest is cut off.
const TOPIC_BYTES_MAX: usize = 256;

/// One message that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// When.
    pub at: Timestamp,
    /// Who sent it.
    pub device: DeviceId,
    /// Where to.
    pub topic: String,
    /// Why: a fault's code, or the stable code of a refusal.
    pub code: &'static str,
    /// What was wrong with it, without quoting it.
    pub reason: String,
    /// Length of the body in bytes.
    pub length: usize,
    /// SHA-256 of the body, in hexadecimal.
    pub sha256: String,
}

impl DeadLetter {
    /// Of a message; the body is hashed and forgotten.
    #[must_use]
    pub fn of(at: Timestamp, device: &DeviceId, topic: &str, body: &[u8], code: &'static str, reason: String) -> Self {
        let sha256 = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        let end = topic.floor_char_boundary(TOPIC_BYTES_MAX);
        Self { at, device: device.clone(), topic: topic.get(..end).unwrap_or_default().into(), code, reason, length: body.len(), sha256 }
    }
}

/// The newest dead letters of a node.
pub struct DeadLetters {
    letters_max: usize,
    letters: Mutex<VecDeque<DeadLetter>>,
}

impl DeadLetters {
    /// Remembers at most `letters_max`.
    #[must_use]
    pub fn new(letters_max: usize) -> Self {
        Self { letters_max, letters: Mutex::new(VecDeque::new()) }
    }
    /// Takes one; the oldest makes room. Is it the first of its device and code within a minute?
    pub fn push(&self, letter: DeadLetter) -> bool {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = |known: &&DeadLetter| known.device == letter.device && known.code == letter.code;
        let first = letters.iter().rev().find(alike).is_none_or(|known| letter.at - known.at >= Millis::minutes(1));
        while letters.len() >= self.letters_max.max(1) {
            letters.pop_front();
        }
        letters.push_back(letter);
        first
    }
    /// All that are remembered, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<DeadLetter> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(n: i64) -> DeadLetter {
        let device = DeviceId::new("g1").expect("an id");
        DeadLetter::of(Timestamp(n), &device, "td/1/m/gate/g1/up/tap", b"secret body", "bad_payload", "expected a number".into())
    }

    #[test]
    fn the_body_is_never_kept() {
        let shown = format!("{:?} {}", letter(1), serde_json::to_string(&letter(1)).expect("json"));
        assert!(!shown.contains("secret body"));
        assert_eq!(letter(1).length, 11);
        assert!(letter(1).sha256.len() == 64);
    }

    #[test]
    fn the_oldest_makes_room() {
        let letters = DeadLetters::new(2);
        assert_eq!([0, 1, 2, 60_003, 60_004].map(|n| letters.push(letter(n))), [true, false, false, true, false]);
        assert_eq!(letters.list().iter().map(|l| l.at.0).collect::<Vec<_>>(), [60_003, 60_004]);
    }

    #[test]
    fn a_long_topic_is_cut_at_a_character() {
        let device = DeviceId::new("g1").expect("an id");
        let long = "门".repeat(200);
        let kept = DeadLetter::of(Timestamp(0), &device, &long, b"", "bad_payload", String::new());
        assert!(kept.topic.len() <= 256 && kept.topic.chars().all(|c| c == '门'));
    }
}
