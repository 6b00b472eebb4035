//! The meaning of a command as one number: the same id with another fingerprint is another meaning (`KEY_REUSED`).
//! It is taken over the decoded command, never over bytes, and must stay the same in every version: xxh3-128 over
//! length-prefixed fields in a fixed order.
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// 128 bits that stand for a command's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub u128);

/// Takes the fields of a command, one after the other.
#[derive(Default)]
pub struct Fingerprinter(Xxh3);

impl Fingerprinter {
    /// Begins with the command's name, so that two commands of the same shape differ.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::default().text(name)
    }
    /// Takes a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }
    /// Takes a number.
    #[must_use]
    pub fn number(mut self, number: i64) -> Self {
        self.0.update(&number.to_le_bytes());
        self
    }
    /// Takes an unsigned number.
    #[must_use]
    pub fn count(self, number: u64) -> Self {
        self.number(number.cast_signed())
    }
    /// Takes the meaning of a part.
    #[must_use]
    pub fn part(mut self, part: Fingerprint) -> Self {
        self.0.update(&part.0.to_le_bytes());
        self
    }
    /// Takes what may be absent.
    #[must_use]
    pub fn maybe(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }
    /// Takes a moment that may be absent.
    #[must_use]
    pub fn moment(self, at: Option<Timestamp>) -> Self {
        match at {
            Some(at) => self.number(1).number(at.0),
            None => self.number(0),
        }
    }
    /// The fingerprint of all that was taken.
    #[must_use]
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0.digest128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stable_and_sees_boundaries() {
        let one = Fingerprinter::new("tap").text("ab").text("c").number(3).finish();
        assert_eq!(one, Fingerprinter::new("tap").text("ab").text("c").number(3).finish());
        assert_ne!(one, Fingerprinter::new("tap").text("a").text("bc").number(3).finish());
        assert_ne!(Fingerprinter::new("t").maybe(None).finish(), Fingerprinter::new("t").maybe(Some("")).finish());
    }
}
