//! `GET /api/v1/lists/{version}`: the whole deny list, one token a line, for a gate whose base is too old. The device's id and
//! secret are Basic credentials. Thousands may come at once after an outage: so many at a time, so often a device, so many
//! bytes a second; whoever is one too many is told when to come again, and a gate goes on with the list that it has.
use super::{Lists, State};
use crate::config::Deny;
use axum::Router;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tongdao_device_gateway::admit::is_let_in;
use tongdao_domain::deny::{Delta, ListHash, hash_of};
use tongdao_domain::id::{DeviceId, Token};

/// Whole lists that are kept for others who ask for the same.
const BODIES_MAX: usize = 3;
/// Bytes that are sent in one piece.
const PIECE_BYTES: usize = 64 * 1024;
/// Whoever is one too many comes again after so many seconds, at least …
const AGAIN_S: u16 = 2;
/// … and so many more at most, so that they do not all come again at once.
const AGAIN_SPREAD_S: u16 = 8;

/// A version of the list as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Body {
    version: u64,
    hash: ListHash,
    bytes: Bytes,
}

/// What the route shares.
struct Downloads {
    lists: Lists,
    at_a_time: Arc<Semaphore>,
    per_device: DefaultKeyedRateLimiter<DeviceId>,
    pace: Pace,
}

impl Lists {
    /// The route.
    pub fn routes(&self, limits: &Deny) -> Router {
        let positive = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let downloads = Downloads {
            lists: self.clone(),
            at_a_time: Arc::new(Semaphore::new(limits.downloads_max)),
            per_device: RateLimiter::keyed(Quota::per_minute(positive(limits.downloads_per_minute_device))),
            pace: Pace::new(limits.download_mib_per_s),
        };
        Router::new().route("/api/v1/lists/{version}", get(whole)).with_state(Arc::new(downloads))
    }
}

async fn whole(Shared(downloads): Shared<Arc<Downloads>>, Path(version): Path<String>, headers: HeaderMap) -> Response {
    let Some(device) = downloads.who(&headers) else { return unauthorized() };
    let Ok(version) = version.parse::<u64>() else { return problem(StatusCode::NOT_FOUND, "NOT_FOUND", "a version is a number") };
    if downloads.per_device.check_key(&device).is_err() {
        return later(StatusCode::TOO_MANY_REQUESTS, "the device fetches the list too often");
    }
    let Ok(permit) = Arc::clone(&downloads.at_a_time).try_acquire_owned() else {
        return later(StatusCode::SERVICE_UNAVAILABLE, "too many devices fetch the list");
    };
    let Some(body) = downloads.lists.state().body(version) else {
        return problem(StatusCode::NOT_FOUND, "NOT_FOUND", "no such version is kept: ask with up/list_request which is");
    };
    let tag = format!("\"{}\"", body.hash);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| tags.to_str().is_ok_and(|tags| tags.contains(&tag)));
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { sent(body.bytes, downloads, permit) };
    let fields = response.headers_mut();
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        fields.insert(header::ETAG, tag);
    }
    response
}

impl Downloads {
    /// The device whose credentials these are. The same work is done for one that nobody knows.
    fn who(&self, headers: &HeaderMap) -> Option<DeviceId> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, value) = given.split_once(' ')?;
        let value = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(value.trim()).ok()).flatten()?;
        let colon = value.iter().position(|byte| *byte == b':')?;
        let device = DeviceId::new(std::str::from_utf8(value.get(..colon)?).ok()?).ok()?;
        let state = self.lists.state();
        is_let_in(state.devices.get(&device), value.get(colon + 1..)?).then_some(device)
    }
}

impl State {
    /// A version of the list, made where it is asked for; none = it is not kept.
    fn body(&mut self, version: u64) -> Option<Body> {
        if let Some(known) = self.bodies.iter().find(|body| body.version == version) {
            return Some(known.clone());
        }
        let tokens = self.tokens_of(version)?;
        let hash = hash_of(tokens.iter().copied());
        if version == self.list.version() && self.list.newest.as_ref().is_some_and(|newest| newest.hash != hash) {
            tracing::error!(version, %hash, "the deny list that was followed is not the one that was made");
            return None;
        }
        let mut text = Vec::with_capacity(tokens.iter().map(|token| token.as_str().len() + 1).sum());
        for token in tokens {
            text.extend_from_slice(token.as_str().as_bytes());
            text.push(b'\n');
        }
        let body = Body { version, hash, bytes: text.into() };
        if self.bodies.len() >= BODIES_MAX {
            self.bodies.pop_front();
        }
        self.bodies.push_back(body.clone());
        Some(body)
    }

    /// The tokens of a version: those of the newest, with the differences since then undone.
    fn tokens_of(&self, version: u64) -> Option<std::collections::BTreeSet<&Token>> {
        let undone = usize::try_from(self.list.version().checked_sub(version)?).ok()?;
        let mut tokens: std::collections::BTreeSet<&Token> = self.list.published().collect();
        let kept = self.list.deltas.len().checked_sub(undone)?;
        for Delta { add, remove, .. } in self.list.deltas.iter().skip(kept).rev() {
            tokens.retain(|token| !add.contains(token));
            tokens.extend(remove);
        }
        Some(tokens)
    }
}

/// The bytes, a piece at a time and no faster than all downloads together may be.
fn sent(bytes: Bytes, downloads: Arc<Downloads>, permit: OwnedSemaphorePermit) -> Response {
    let length = bytes.len();
    let pieces = stream::unfold((bytes, downloads, permit), |(mut rest, downloads, permit)| async move {
        if rest.is_empty() {
            return None;
        }
        let piece = rest.split_to(rest.len().min(PIECE_BYTES));
        downloads.pace.wait(piece.len()).await;
        Some((Ok::<_, Infallible>(piece), (rest, downloads, permit)))
    });
    let fields = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    (fields, HttpBody::from_stream(pieces)).into_response()
}

/// So many bytes a second over all downloads: each piece waits for its turn.
struct Pace {
    bytes_per_s: u64,
    free_at: Mutex<Instant>,
}

impl Pace {
    fn new(mib_per_s: u64) -> Self {
        Self { bytes_per_s: mib_per_s.max(1) * 1024 * 1024, free_at: Mutex::new(Instant::now()) }
    }
    async fn wait(&self, bytes: usize) {
        let takes = Duration::from_secs_f64(bytes as f64 / self.bytes_per_s as f64);
        let turn = {
            let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*free_at).max(Instant::now());
            *free_at = turn + takes;
            turn
        };
        tokio::time::sleep_until(turn).await;
    }
}

fn unauthorized() -> Response {
    let mut response = problem(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "the id and the secret of a device, as Basic credentials");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"device\""));
    response
}

fn later(status: StatusCode, why: &str) -> Response {
    let mut response = problem(status, "BUSY", why);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(AGAIN_S + rand::random::<u16>() % (AGAIN_SPREAD_S + 1)));
    response
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let problem = serde_json::json!({"type": "about:blank", "title": code, "status": status.as_u16(), "code": code, "detail": detail});
    (status, [(header::CONTENT_TYPE, "application/problem+json")], problem.to_string()).into_response()
}

#[cfg(test)]
mod tests;
