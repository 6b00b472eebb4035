//! `/api/v1`: sign-in, commands, boards and lists for whoever wants one answer instead of a socket. Every route is in the
//! contract's table, which a test holds it to.
use super::commands::{self, Done, Request};
use super::problem::{Body, Refused, not_found};
use super::rights::{self, Ask};
use super::session::Ended;
use super::{Asker, Caller, Channel, Console, doubtful, list, reference, token};
use axum::Json;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use std::net::SocketAddr;
use tongdao_domain::id::{CommandId, UserId};
use tongdao_protocol::console::MESSAGE_BYTES_MAX;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::frames::CommandBody;
use tongdao_protocol::console::http::{BoardAnswer, LoginBody, Me, UnlockBody, WsTicket};
use tongdao_protocol::schema;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/api/v1/login", post(login))
        .route("/api/v1/logout", post(logout))
        .route("/api/v1/unlock", post(unlock))
        .route("/api/v1/lock", post(lock))
        .route("/api/v1/me", get(me))
        .route("/api/v1/demo", get(demo))
        .route("/api/v1/ws-tickets", post(ws_ticket))
        .route("/api/v1/commands", post(command))
        .route("/api/v1/boards/{channel}", get(board))
        .route("/api/v1/openapi.json", get(|| async { document(schema::openapi()) }))
        .route("/api/v1/asyncapi.json", get(|| async { document(schema::asyncapi()) }))
        .route("/api/v1", get(|| async { reference::page() }))
        .merge(list::routes())
        .merge(token::routes())
        .merge(doubtful::routes())
        .route("/api/{*rest}", axum::routing::any(|| async { not_found() }))
        .layer(DefaultBodyLimit::max(MESSAGE_BYTES_MAX + 1))
        .layer(middleware::from_fn(no_store))
}

/// What is said to one person is kept by nobody on the way.
async fn no_store(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

fn document(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

impl Console {
    /// The caller of a request that only looks.
    pub(super) async fn looks(&self, asker: &Asker) -> Result<Caller, Refused> {
        Ok(self.caller(&self.session_for(asker).await?).await?)
    }

    /// The caller of a request that changes something: never somebody else's page.
    pub(super) async fn acts(&self, asker: &Asker) -> Result<Caller, Refused> {
        self.own_page(&asker.headers)?;
        let caller = self.caller(&self.session_for(asker).await?).await?;
        self.sessions().used(&caller.session, self.now());
        Ok(caller)
    }

    fn describe(&self, caller: &Caller, locked: bool) -> Me {
        Me {
            user: caller.user.to_string(),
            roles: caller.roles.iter().map(|role| (*role).into()).collect(),
            scope: (&caller.scope).into(),
            locale: None,
            locked,
            demo: self.demo().cloned(),
        }
    }
}

type Peer = ConnectInfo<SocketAddr>;

async fn login(
    State(console): State<Console>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    Body(body): Body<LoginBody>,
) -> Result<Response, Refused> {
    console.own_page(&headers)?;
    let user = UserId::new(body.user.as_str()).map_err(|_| ErrorBody::new(Code::BadCredentials))?;
    let address = console.address(peer, &headers);
    let state = console.prove("session.refused", &user, body.password.reveal(), address).await?;
    let (value, session) = console.open_page(&user, &state).ok_or(Code::BadCredentials)?;
    if let Ok(before) = console.session_of(&headers) {
        console.sessions().end(&before, Ended::SignedOut);
    }
    console.note(&user, "session.login", &format!("user/{user}"), &address.to_string()).await;
    let (caller, locked) = console.holder(&session).await?;
    let cookie = super::entry::set_cookie(Some((&value, console.settings().session_s)), console.cookie_is_secure(&headers));
    Ok(([(header::SET_COOKIE, cookie)], Json(console.describe(&caller, locked))).into_response())
}

async fn logout(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Refused> {
    console.own_page(&headers)?;
    if let Ok(session) = console.session_of(&headers) {
        console.sessions().end(&session, Ended::SignedOut);
    }
    let cookie = super::entry::set_cookie(None, console.cookie_is_secure(&headers));
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

async fn unlock(
    State(console): State<Console>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    Body(body): Body<UnlockBody>,
) -> Result<Json<Me>, Refused> {
    console.own_page(&headers)?;
    let (caller, _) = console.holder(&console.session_of(&headers)?).await?;
    let user = &caller.user;
    let address = console.address(peer, &headers);
    console.prove("session.unlock_refused", user, body.password.reveal(), address).await?;
    console.sessions().unlock(&caller.session, console.now());
    console.note(user, "session.unlock", &format!("user/{user}"), &address.to_string()).await;
    let (caller, locked) = console.holder(&caller.session).await?;
    Ok(Json(console.describe(&caller, locked)))
}

async fn lock(State(console): State<Console>, asker: Asker) -> Result<Json<Me>, Refused> {
    let caller = console.acts(&asker).await?;
    console.sessions().lock_now(&caller.session);
    Ok(Json(console.describe(&caller, true)))
}

async fn me(State(console): State<Console>, asker: Asker) -> Result<Json<Me>, Refused> {
    let (caller, locked) = console.holder(&console.session_for(&asker).await?).await?;
    Ok(Json(console.describe(&caller, locked)))
}

async fn demo(State(console): State<Console>) -> Result<Json<Value>, Refused> {
    console.demo().cloned().map(Json).ok_or_else(not_found)
}

async fn ws_ticket(State(console): State<Console>, asker: Asker) -> Result<Json<WsTicket>, Refused> {
    console.own_page(&asker.headers)?;
    let session = match console.program(&asker.headers, asker.address).await {
        Some(session) => session?,
        None => console.looks(&asker).await?.session,
    };
    let (ticket, until) = console.sessions().ticket(&session, console.now()).ok_or(Code::Busy)?;
    Ok(Json(WsTicket { ticket, expires_at: until.into() }))
}

async fn command(State(console): State<Console>, asker: Asker, Body(body): Body<CommandBody>) -> Result<Response, Refused> {
    let caller = console.acts(&asker).await?;
    let id = body.command_id.as_str().to_owned();
    let request = Request {
        command_id: CommandId::new(&id).map_err(|_| Code::BadArgs)?,
        op: body.op.as_str().to_owned(),
        args: body.args.0,
        if_rev: body.if_rev,
        ttl_ms: body.ttl_ms,
        received: console.now(),
    };
    // What has begun goes on when the line breaks.
    let work = tokio::spawn(async move { commands::run(&console, &caller, request).await });
    match work.await.map_err(|_| Code::Internal)? {
        Ok(Done { result, ch, seq }) => Ok(Json(acknowledged(&id, result, ch, seq)).into_response()),
        Err(error) => Err(error.into()),
    }
}

/// The frame `ack` with the command's id in place of a console's own.
fn acknowledged(id: &str, result: Value, ch: Option<Channel>, seq: Option<u64>) -> Value {
    let mut ack = serde_json::json!({"id": id, "ok": true, "result": result});
    if let Some(ch) = ch {
        ack["ch"] = ch.to_string().into();
    }
    if let Some(seq) = seq {
        ack["seq"] = seq.into();
    }
    ack
}

async fn board(State(console): State<Console>, Path(channel): Path<String>, asker: Asker) -> Result<Json<BoardAnswer>, Refused> {
    let caller = console.looks(&asker).await?;
    let channel: Channel = channel.parse().map_err(|_| Code::NotFound)?;
    let world = &console.backend().world;
    rights::may(&caller, world, Ask::Sub(&channel))?;
    if let Channel::Device(device) = &channel {
        console.open_device(device).await;
    }
    let (epoch, seq, mut snapshot) = console.hub().snapshot(&channel, console.now()).ok_or(Code::NotFound)?;
    rights::strip(&caller, world, &channel, &mut snapshot);
    Ok(Json(BoardAnswer { epoch, seq, snapshot }))
}
