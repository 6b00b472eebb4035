//! HTTP for those who watch the process: health, readiness, metrics, version. Nothing here changes anything.
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

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
