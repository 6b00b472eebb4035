//! `GET /ws`: who may open a WebSocket. A foreign origin gets no upgrade at all. Whoever is not signed in gets one and a
//! close code, because a page cannot read the status of a refused upgrade.
use super::entry::Entrance;
use super::problem::Refused;
use super::{Console, socket};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tongdao_protocol::console::close::Close;
use tongdao_protocol::console::codes::Code;
use tongdao_protocol::console::{MESSAGE_BYTES_MAX, SUBPROTOCOL, TICKET_PREFIX};

/// What a socket reads at once: a console says little, and there are many of them.
const READ_BUFFER_BYTES: usize = 4096;
/// Written to the socket from this size on without being asked.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// Above every frame there is: one at a time is handed over, the rest waits in the outbox, which has limits.
const WRITE_BUFFER_BYTES_MAX: usize = 8 * 1024 * 1024;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/ws", get(upgrade))
}

async fn upgrade(State(console): State<Console>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let words = offered(&headers);
    if !words.contains(&SUBPROTOCOL) {
        return (StatusCode::BAD_REQUEST, "Sec-WebSocket-Protocol: tongdao.v1.json is what this server speaks\n").into_response();
    }
    let by_ticket = words.iter().any(|word| word.starts_with(TICKET_PREFIX));
    let entrance = match console.enter(&headers).await {
        Ok(entrance) => Ok(entrance),
        Err(error) if error.code == Code::Unauthenticated => Err(if by_ticket { Close::BadTicket } else { Close::SessionExpired }),
        Err(error) => return Refused(error).into_response(),
    };
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| serve(console, socket, entrance))
}

/// The subprotocols that were offered.
fn offered(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

async fn serve(console: Console, socket: WebSocket, entrance: Result<Entrance, Close>) {
    match entrance {
        Ok(entrance) => socket::run(console, socket, entrance).await,
        Err(close) => socket::turn_away(&console, socket, close).await,
    }
}
