//! Whole deny lists over HTTP, for all gates of a fleet: one thread, one request after another, each with its gate's own
//! credentials. Who is told to come again later does.
use super::Credentials;
use crate::gate::Wanted;
use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Lists that wait to be fetched, and that were fetched and not taken yet.
const QUEUE_MAX: usize = 65_536;
/// A server that says nothing for this long is given up.
const WAIT: Duration = Duration::from_secs(10);
/// So often a gate comes again.
const TRIES: u32 = 30;
/// A body may have this many bytes.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A list to fetch.
struct Job {
    gate: u32,
    wanted: Wanted,
    credentials: String,
    tries: u32,
    due: Instant,
}

/// What came of it: the gate, what it wanted, the body.
pub(super) type Fetched = (u32, Wanted, Option<String>);

/// The thread's two ends; it ends with them.
pub(super) struct Fetcher {
    jobs: SyncSender<Job>,
    done: Receiver<Fetched>,
}

impl Fetcher {
    /// Begins. `http` = where a path without a host is.
    pub(super) fn start(http: Option<SocketAddr>) -> io::Result<Self> {
        let (jobs, given) = sync_channel(QUEUE_MAX);
        let (told, done) = sync_channel(QUEUE_MAX);
        thread::Builder::new().name("lists".into()).spawn(move || work(http, &given, &told))?;
        Ok(Self { jobs, done })
    }
    /// A gate wants a list; `false` = there is no room.
    #[expect(clippy::disallowed_methods, reason = "a load test measures")]
    pub(super) fn fetch(&self, gate: u32, wanted: Wanted, who: &Credentials) -> bool {
        let credentials = STANDARD.encode(format!("{}:{}", who.device, who.secret));
        self.jobs.try_send(Job { gate, wanted, credentials, tries: 0, due: Instant::now() }).is_ok()
    }
    /// What was fetched.
    pub(super) fn take(&self) -> Option<Fetched> {
        self.done.try_recv().ok()
    }
}

#[expect(clippy::disallowed_methods, reason = "a load test measures")]
fn work(http: Option<SocketAddr>, given: &Receiver<Job>, told: &SyncSender<Fetched>) {
    let mut waiting: VecDeque<Job> = VecDeque::new();
    loop {
        let now = Instant::now();
        if let Some(place) = waiting.iter().position(|job| job.due <= now) {
            let Some(job) = waiting.remove(place) else { continue };
            let (gate, wanted) = (job.gate, job.wanted.clone());
            let done = match get(http, &job) {
                Ok(Answer::Body(body)) => Some((gate, wanted, Some(body))),
                Ok(Answer::Later(after)) if job.tries < TRIES => {
                    waiting.push_back(Job { tries: job.tries + 1, due: now + after, ..job });
                    None
                }
                Ok(Answer::Later(_) | Answer::Gone) | Err(_) => Some((gate, wanted, None)),
            };
            if done.is_some_and(|done| told.try_send(done).is_err()) {
                return;
            }
        }
        let pause = waiting.iter().map(|job| job.due.saturating_duration_since(now)).min().unwrap_or(WAIT);
        match given.recv_timeout(pause) {
            Ok(job) => waiting.push_back(job),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

enum Answer {
    Body(String),
    Later(Duration),
    Gone,
}

fn get(http: Option<SocketAddr>, job: &Job) -> io::Result<Answer> {
    let (address, path) = place(http, &job.wanted.url)?;
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {}\r\nConnection: close\r\n\r\n", job.credentials);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(BODY_BYTES_MAX).read_to_end(&mut answer)?;
    Ok(read(&String::from_utf8_lossy(&answer)))
}

fn place(http: Option<SocketAddr>, url: &str) -> io::Result<(SocketAddr, String)> {
    let elsewhere = || io::Error::other(format!("{url}: a virtual gate fetches http://address:port/… or a path with --http"));
    if url.starts_with('/') {
        return Ok((http.ok_or_else(elsewhere)?, url.to_owned()));
    }
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or_else(elsewhere)?;
    Ok((host.parse().map_err(|_| elsewhere())?, format!("/{path}")))
}

/// Reads an answer that ends with its connection.
fn read(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let mut lines = head.lines();
    let status: u16 = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok()).unwrap_or(0);
    let field = |name: &str| {
        let found = head.lines().filter_map(|line| line.split_once(':')).find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned())
    };
    let whole = field("content-length").is_none_or(|length| length.parse() == Ok(body.len()));
    match status {
        200 if whole => Answer::Body(body.to_owned()),
        429 | 503 => Answer::Later(Duration::from_secs(field("retry-after").and_then(|after| after.parse().ok()).unwrap_or(1))),
        _ => Answer::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_body_a_later_or_nothing() {
        assert!(matches!(read("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nt1\n"), Answer::Body(body) if body == "t1\n"));
        assert!(matches!(read("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nt1\n"), Answer::Gone), "cut off");
        assert!(matches!(read("HTTP/1.1 503 \r\nRetry-After: 4\r\n\r\n"), Answer::Later(after) if after.as_secs() == 4));
        assert!(matches!(read("HTTP/1.1 404 Not Found\r\n\r\n"), Answer::Gone));
    }

    #[test]
    fn a_path_is_below_the_server_and_an_address_stands_for_itself() {
        let http = Some(SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!(place(http, "/api/v1/lists/3").expect("a place").1, "/api/v1/lists/3");
        assert!(place(None, "/api/v1/lists/3").is_err());
        let (address, path) = place(None, "http://127.0.0.1:9/api/v1/lists/3").expect("a place");
        assert_eq!((address.port(), path.as_str()), (9, "/api/v1/lists/3"));
        assert!(place(http, "https://example/x").is_err());
    }
}
