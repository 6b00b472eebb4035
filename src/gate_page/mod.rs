//! The virtual gate's page at `/gate/`: a gate in a browser, which speaks MQTT over WebSocket like any other. Served only where
//! it is switched on; a demo also lends it gates of its own under `/gate/claims`, which exists nowhere else.
pub mod lender;

use crate::console::problem::{Refused, not_found};
use crate::console::{Console, assets};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use lender::Lender;
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tongdao_protocol::console::codes::Code;

/// How often loans that are over are taken back.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Where the page begins.
const INDEX: &str = "index.html";

#[derive(RustEmbed)]
#[folder = "dashboards/gate"]
struct Files;

/// `[gate_page]` of the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatePage {
    /// Is it served? Where nothing is said: by a demo.
    pub served: Option<bool>,
    /// A gate that a page has borrowed comes back where the page is not heard of for this long.
    pub lease_s: u32,
}

impl Default for GatePage {
    fn default() -> Self {
        Self { served: None, lease_s: 90 }
    }
}

/// The page; with the claims, where there is somebody who lends.
pub fn routes(console: Console, lender: Option<Arc<Lender>>) -> Router {
    let page = Router::new()
        .route("/gate", get(|| async { Redirect::permanent("/gate/") }))
        .route("/gate/", get(file))
        .route("/gate/{*path}", get(file));
    let claims = match lender {
        None => Router::new().route("/gate/claims", get(|| async { StatusCode::NO_CONTENT })),
        Some(lender) => Router::new()
            .route("/gate/claims", get(stations).post(borrow))
            .route("/gate/claims/{claim}", post(renew).delete(give_back))
            .with_state(Desk { console, lender }),
    };
    page.merge(claims)
}

/// Takes back what is over until the process ends.
pub async fn keep_order(console: Console, lender: Arc<Lender>) {
    let mut beat = tokio::time::interval(SWEEP_EVERY);
    loop {
        beat.tick().await;
        lender.sweep(console.now());
    }
}

async fn file(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches("/gate/");
    let name = if path.is_empty() { INDEX } else { path };
    Files::get(name).map_or_else(|| not_found().into_response(), |file| assets::answer(name, &file, &headers))
}

#[derive(Clone)]
struct Desk {
    console: Console,
    lender: Arc<Lender>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    station: String,
    claim: Option<String>,
}

async fn stations(State(desk): State<Desk>) -> Response {
    axum::Json(serde_json::json!({ "stations": desk.lender.stations(desk.console.now()) })).into_response()
}

async fn borrow(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    desk.console.own_page(&headers)?;
    let wish: Wish = serde_json::from_slice(&body).map_err(|_| Refused::from(Code::BadArgs))?;
    let lent = desk.lender.borrow(&wish.station, wish.claim.as_deref(), desk.console.now())?;
    Ok(axum::Json(lent).into_response())
}

async fn renew(State(desk): State<Desk>, headers: HeaderMap, Path(claim): Path<String>) -> Result<Response, Refused> {
    desk.console.own_page(&headers)?;
    if desk.lender.renew(&claim, desk.console.now()) { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(not_found()) }
}

async fn give_back(State(desk): State<Desk>, headers: HeaderMap, Path(claim): Path<String>) -> Result<Response, Refused> {
    desk.console.own_page(&headers)?;
    desk.lender.give_back(&claim, desk.console.now());
    Ok(StatusCode::NO_CONTENT.into_response())
}
