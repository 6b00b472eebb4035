//! `GET /mqtt`: a device that comes over WebSocket. This file looks at the upgrade (who may, in which words) and hands the
//! socket to the device gateway, where it is a connection like those over TCP: same credentials, limits, time-outs, one cap.
//! Pages may come from the console's origins only; what is no page sends no origin. Credentials are MQTT's, so no cookie counts.
use crate::console::Console;
use crate::console::problem::Refused;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, SocketAddr};
use tongdao_device_gateway::config::GatewayConfig;
use tongdao_device_gateway::fault::Fault;
use tongdao_device_gateway::gateway::Gateway;
use tongdao_device_gateway::websocket::{WebSocket, accept_key};
use tongdao_protocol::console::codes::Code;

/// What is spoken here, in both versions of MQTT.
const SUBPROTOCOL: &str = "mqtt";

/// The way in; nothing where it is switched off.
pub fn routes(gateway: Gateway, console: Console, settings: &GatewayConfig) -> Router {
    if !settings.websocket {
        return Router::new();
    }
    Router::new().route("/mqtt", get(upgrade)).with_state(Door { gateway, console, settings: settings.clone() })
}

#[derive(Clone)]
struct Door {
    gateway: Gateway,
    console: Console,
    settings: GatewayConfig,
}

async fn upgrade(State(door): State<Door>, ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request) -> Response {
    let headers = request.headers();
    let key = match asked(headers) {
        Ok(key) => key,
        Err(why) => return why.into_response(),
    };
    if let Err(foreign) = door.console.own_page(headers) {
        door.gateway.turned_away(peer.ip(), Fault::ForeignOrigin);
        return Refused(foreign).into_response();
    }
    if !door.gateway.has_room() {
        door.gateway.turned_away(peer.ip(), Fault::Connections);
        return Refused::from(Code::Busy).into_response();
    }
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return NotAsked::Upgrade.into_response();
    };
    tokio::spawn(door.hand(upgrade, peer.ip()));
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL)),
        (header::SEC_WEBSOCKET_ACCEPT, key),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

impl Door {
    /// Once HTTP has let go of the socket.
    async fn hand(self, upgrade: OnUpgrade, peer: IpAddr) {
        if let Ok(Ok(socket)) = tokio::time::timeout(self.settings.upgrade(), upgrade).await {
            let socket = WebSocket::new(TokioIo::new(socket), self.settings.websocket_frame_bytes_max);
            if !self.gateway.hand(socket, peer) {
                self.gateway.turned_away(peer, Fault::Connections);
            }
        }
    }
}

/// What a request lacks to be a WebSocket of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotAsked {
    Upgrade,
    Version,
    Key,
    Subprotocol,
}

impl NotAsked {
    fn into_response(self) -> Response {
        let upgrade = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
        match self {
            Self::Upgrade => (StatusCode::UPGRADE_REQUIRED, upgrade, "here is MQTT over WebSocket: ask for an upgrade\n").into_response(),
            Self::Version => {
                (StatusCode::UPGRADE_REQUIRED, upgrade, "Sec-WebSocket-Version: 13 is what this server speaks\n").into_response()
            }
            Self::Key => (StatusCode::BAD_REQUEST, "Sec-WebSocket-Key: 16 bytes in base64 are needed\n").into_response(),
            Self::Subprotocol => {
                (StatusCode::BAD_REQUEST, "Sec-WebSocket-Protocol: mqtt is what is spoken here (MQTT 5 and 3.1.1)\n").into_response()
            }
        }
    }
}

/// Is it a WebSocket of MQTT that is asked for? The answer to its key.
fn asked(headers: &HeaderMap) -> Result<HeaderValue, NotAsked> {
    let has = |name, wanted: &str| words(headers, &name).any(|word| word.eq_ignore_ascii_case(wanted));
    if !has(header::CONNECTION, "upgrade") || !has(header::UPGRADE, "websocket") {
        return Err(NotAsked::Upgrade);
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(NotAsked::Version);
    }
    if !words(headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|word| word == SUBPROTOCOL) {
        return Err(NotAsked::Subprotocol);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24).ok_or(NotAsked::Key)?;
    HeaderValue::try_from(accept_key(key.as_bytes())).map_err(|_| NotAsked::Key)
}

/// The words of a header that is a list.
fn words<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(changed: &[(&'static str, &'static str)]) -> HeaderMap {
        let good = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "mqttv3.1, mqtt"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in good.iter().chain(changed) {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_good_request_gets_the_answer_to_its_key() {
        assert_eq!(asked(&headers(&[])), Ok(HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            ("connection", "keep-alive", NotAsked::Upgrade),
            ("upgrade", "h2c", NotAsked::Upgrade),
            ("sec-websocket-version", "8", NotAsked::Version),
            ("sec-websocket-protocol", "mqttv3.1", NotAsked::Subprotocol),
            ("sec-websocket-key", "short", NotAsked::Key),
        ];
        for (name, value, wanted) in cases {
            assert_eq!(asked(&headers(&[(name, value)])), Err(wanted));
            assert_ne!(wanted.into_response().status(), StatusCode::SWITCHING_PROTOCOLS);
        }
    }
}
