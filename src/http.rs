//! The HTTP listener, and what it tells those who watch the process: health, readiness, metrics, version. A connection whose
//! request does not come in time is closed, and there are only so many of them; what is upgraded has limits of its own.
use crate::config;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// After a failed accept (no more file descriptors) it is tried again after this long.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Settings of the listener.
#[derive(Debug, Clone, Copy)]
pub struct Listening {
    /// Its limits.
    pub http: config::Http,
    /// Bytes that the system keeps of what a peer does not take.
    pub unsent_bytes_max: u32,
}

/// Serves until the runtime ends.
pub async fn serve(listener: TcpListener, routes: Router, settings: Listening) {
    let room = Arc::new(Semaphore::new(settings.http.connections_max));
    loop {
        // One too many waits in the kernel.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => drop(tokio::spawn(converse(stream, peer, routes.clone(), settings, place))),
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, routes: Router, settings: Listening, place: OwnedSemaphorePermit) {
    let _ = stream.set_nodelay(true);
    keep_little(&stream, settings.unsent_bytes_max);
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        routes.call(request.map(Body::new))
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(Duration::from_millis(settings.http.headers_ms));
    // A peer that goes, or is too slow, is nothing to report.
    let _ = server.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    drop(place);
}

/// Lets the system keep about so many bytes that it has not sent: otherwise megabytes of what is old by then lie before whatever
/// is written next, and nobody notices that the other side does not read.
fn keep_little(stream: &TcpStream, unsent_bytes_max: u32) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(unsent_bytes_max);
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, unsent_bytes_max);
}

/// One check of `/readyz`.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Check {
    /// Is it well?
    pub ok: bool,
    /// In words.
    pub detail: String,
}

/// What the process tells about itself.
pub trait Watched: Send + Sync + 'static {
    /// The checks behind `/readyz`, by name.
    fn checks(&self) -> BTreeMap<&'static str, Check>;
    /// `local`, `replica` or `degraded`.
    fn durability(&self) -> &'static str;
    /// The Prometheus page.
    fn metrics(&self) -> String;
    /// The process clock, RFC 3339.
    fn now(&self) -> String;
    /// Every entity that is awake, for `/debug/actors`, as JSON.
    fn actors(&self) -> impl Future<Output = serde_json::Value> + Send;
}

/// The routes.
pub fn routes<W: Watched>(watched: Arc<W>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz::<W>))
        .route("/metrics", get(metrics::<W>))
        .route("/version", get(version::<W>))
        .route("/debug/actors", get(actors::<W>))
        .with_state(watched)
}

#[derive(Deserialize)]
struct ReadyQuery {
    verbose: Option<String>,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    durability: &'static str,
    checks: BTreeMap<&'static str, Check>,
}

/// Looks at the process on a thread that may wait: the journal's figures wait for its locks, and those at times for its disk.
async fn look<W: Watched, T: Send + 'static>(watched: &Arc<W>, at: impl FnOnce(&W) -> T + Send + 'static) -> Result<T, Response> {
    let watched = Arc::clone(watched);
    let seen = tokio::task::spawn_blocking(move || at(&watched)).await;
    seen.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn readyz<W: Watched>(State(watched): State<Arc<W>>, Query(query): Query<ReadyQuery>) -> Result<Response, Response> {
    let (checks, durability) = look(&watched, |watched| (watched.checks(), watched.durability())).await?;
    let ready = checks.values().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if query.verbose.is_some() {
        return Ok((status, axum::Json(Readiness { ready, durability, checks })).into_response());
    }
    Ok((status, if ready { "ready\n" } else { "not ready\n" }).into_response())
}

async fn metrics<W: Watched>(State(watched): State<Arc<W>>) -> Result<Response, Response> {
    let page = look(&watched, W::metrics).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response())
}

async fn version<W: Watched>(State(watched): State<Arc<W>>) -> Response {
    axum::Json(serde_json::json!({ "name": "tongdao", "version": env!("CARGO_PKG_VERSION"), "now": watched.now() })).into_response()
}

async fn actors<W: Watched>(State(watched): State<Arc<W>>) -> Response {
    axum::Json(watched.actors().await).into_response()
}
