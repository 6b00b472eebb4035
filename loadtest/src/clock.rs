//! The one clock of the virtual devices: monotonic for latencies, and wall time in milliseconds for what the devices say.
//! It can follow the time of a server that runs at another date (`/version` of the server tells it).
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    epoch_ms: i64,
}

impl Clock {
    /// This machine's time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "virtual devices have clocks of their own; this is the one they share")]
    pub fn local() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::at(i64::try_from(wall.as_millis()).unwrap_or(0))
    }

    /// A clock that shows this time now, in milliseconds since 1970.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "virtual devices have clocks of their own; this is the one they share")]
    pub fn at(epoch_ms: i64) -> Self {
        Self { start: Instant::now(), epoch_ms }
    }

    /// The time that a server says in `GET /version` (`now`, RFC 3339).
    ///
    /// # Errors
    /// When the server does not answer within two seconds, or says no time.
    pub fn of_server(http: SocketAddr) -> std::io::Result<Self> {
        let wait = Duration::from_secs(2);
        let mut stream = TcpStream::connect_timeout(&http, wait)?;
        stream.set_read_timeout(Some(wait))?;
        stream.write_all(format!("GET /version HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer)?;
        let now = now_of(&answer).ok_or_else(|| std::io::Error::other("no time in the answer of /version"))?;
        Ok(Self::at(now))
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub fn ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Wall time in milliseconds since 1970 at this many nanoseconds since the start.
    #[must_use]
    pub fn ms_at(&self, ns: u64) -> i64 {
        self.epoch_ms.saturating_add(i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX))
    }

    /// Wall time now, in milliseconds since 1970.
    #[must_use]
    pub fn ms(&self) -> i64 {
        self.ms_at(self.ns())
    }
}

fn now_of(answer: &str) -> Option<i64> {
    let body = answer.get(answer.find('{')?..=answer.rfind('}')?)?;
    let version: serde_json::Value = serde_json::from_str(body).ok()?;
    tongdao_protocol::time::parse(version.get("now")?.as_str()?).map(|at| at.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_of_a_server() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"version\":\"1\",\"now\":\"1970-01-01T00:00:01.500Z\"}";
        assert_eq!(now_of(answer), Some(1_500));
        assert_eq!(now_of("HTTP/1.1 404 Not Found\r\n\r\n"), None);
        assert_eq!(now_of("{\"now\":5}"), None);
    }

    #[test]
    fn shows_the_time_it_was_set_to() {
        let clock = Clock::at(1_000_000);
        assert_eq!(clock.ms_at(2_500_000), 1_000_002);
    }
}
