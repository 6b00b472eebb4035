//! `[deny]`: the deny list.
use serde::{Deserialize, Serialize};
use tongdao_domain::deny::Limits;
use tongdao_domain::time::Millis;

/// The deny list: when versions are made, how much is kept, how it is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deny {
    /// A new version at most this often.
    pub version_every_ms: i64,
    /// After a first change a version waits this long for others that belong to it.
    pub gather_ms: i64,
    /// Tokens on the list, at most; one more is refused.
    pub tokens_max: usize,
    /// A version is told as a difference up to so many bytes, beyond it gates fetch the whole.
    pub delta_bytes_max: usize,
    /// What waits is told in so many versions of that size; with more all goes into one.
    pub versions_behind_max: usize,
    /// Versions whose difference is kept for gates that were away …
    pub deltas_kept_max: usize,
    /// … and tokens in them, at most.
    pub delta_tokens_kept_max: usize,
    /// What stands before the path of a full list, such as `https://tongdao.metro.example`; empty = the path alone.
    pub url: String,
    /// Devices that fetch the whole list at a time; one more comes again later.
    pub downloads_max: usize,
    /// Full lists for one device, in the long run.
    pub downloads_per_minute_device: u32,
    /// All downloads together, at most.
    pub download_mib_per_s: u64,
}

impl Default for Deny {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            version_every_ms: limits.version_every.0,
            gather_ms: limits.gather.0,
            tokens_max: limits.tokens_max,
            delta_bytes_max: limits.delta_bytes_max,
            versions_behind_max: limits.versions_behind_max,
            deltas_kept_max: limits.deltas_kept_max,
            delta_tokens_kept_max: limits.delta_tokens_kept_max,
            url: String::new(),
            downloads_max: 32,
            downloads_per_minute_device: 6,
            download_mib_per_s: 16,
        }
    }
}

/// A payload has at most this many bytes; a difference must fit, and so must a few tokens at least.
const DELTA_BYTES: std::ops::RangeInclusive<usize> = 1024..=65_536;

impl Deny {
    /// As the machine's limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            version_every: Millis(self.version_every_ms),
            gather: Millis(self.gather_ms),
            tokens_max: self.tokens_max,
            delta_bytes_max: self.delta_bytes_max,
            versions_behind_max: self.versions_behind_max,
            deltas_kept_max: self.deltas_kept_max,
            delta_tokens_kept_max: self.delta_tokens_kept_max,
        }
    }
    /// The first key whose value makes no sense, and what would.
    #[must_use]
    pub fn wrong(&self) -> Option<(&'static str, &'static str)> {
        let url = || self.url.is_empty() || self.url.starts_with("https://") || self.url.starts_with("http://");
        let rules: [(bool, &'static str, &'static str); 8] = [
            (self.version_every_ms >= 0, "deny.version_every_ms", "must not be negative"),
            (self.gather_ms >= 0, "deny.gather_ms", "must not be negative"),
            (DELTA_BYTES.contains(&self.delta_bytes_max), "deny.delta_bytes_max", "must lie between 1024 and 65536"),
            (self.deltas_kept_max > 0, "deny.deltas_kept_max", "must be more than 0"),
            (self.downloads_max > 0, "deny.downloads_max", "must be more than 0"),
            (self.downloads_per_minute_device > 0, "deny.downloads_per_minute_device", "must be more than 0"),
            (self.download_mib_per_s > 0, "deny.download_mib_per_s", "must be more than 0"),
            (url() && self.url.len() <= 128, "deny.url", "must be empty or begin with http:// or https://, in at most 128 characters"),
        ];
        rules.into_iter().find(|(good, ..)| !good).map(|(_, key, fix)| (key, fix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_machine_and_make_sense() {
        assert_eq!((Deny::default().limits(), Deny::default().wrong()), (Limits::default(), None));
        let wrong = |deny: Deny| deny.wrong().map(|(key, _)| key);
        assert_eq!(wrong(Deny { delta_bytes_max: 70_000, ..Deny::default() }), Some("deny.delta_bytes_max"));
        assert_eq!(wrong(Deny { url: "ftp://x".into(), ..Deny::default() }), Some("deny.url"));
    }
}
