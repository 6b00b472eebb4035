//! One virtual console: opens a socket with a cookie as a page does, subscribes, reads, and comes back when it was cut off.
//! Or one that subscribes and then never reads, to see what becomes of it.
use super::follower::{Follower, Seen};
use super::room::{Room, Signal};
use futures_util::{SinkExt as _, StreamExt as _};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tongdao_protocol::console::SUBPROTOCOL;

/// Pause after a connection that was lost; doubled with each failure, up to the limit.
const RETRY: Duration = Duration::from_millis(200);
const RETRIES_DOUBLED_MAX: u32 = 5;
/// A socket that is not open after this is given up.
const OPEN_WITHIN: Duration = Duration::from_secs(20);
/// The system's buffer of a console that never reads: small, so that the server notices soon.
const SLOW_BUFFER_BYTES: u32 = 4096;
/// How long the rest is read of what a console never read.
const REST_WITHIN: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<TcpStream>;

/// How a visit ended.
enum Left {
    /// The run is over.
    Over,
    /// We were cut off, as planned.
    Cut,
    /// It was not planned.
    Lost(String),
}

/// Lives through the whole run.
pub async fn live(room: Rc<Room>, n: usize, channels: Vec<String>) {
    let (mut follower, mut signal) = (Follower::new(channels), room.signal());
    let mut failures = 0;
    loop {
        let mut presence = Presence { room: &room, since_us: room.now_us(), follows: false };
        match visit(&mut presence, n, &mut follower, &mut signal).await {
            Left::Over => return,
            Left::Cut => failures = 0,
            Left::Lost(why) => {
                room.lost(&why);
                failures = if presence.follows { 0 } else { (failures + 1).min(RETRIES_DOUBLED_MAX) };
                drop(presence);
                sleep(RETRY * (1 << failures)).await;
            }
        }
    }
}

/// One connection of a console, counted while it follows all of its channels.
struct Presence<'a> {
    room: &'a Room,
    since_us: u64,
    follows: bool,
}

impl Presence<'_> {
    fn read(&mut self, follower: &mut Follower, text: &str) -> Option<u16> {
        let (room, now_us) = (self.room, self.room.now_us());
        let mut bye = None;
        room.message(text.len());
        follower.read(text, &mut |seen| {
            if let Seen::Bye(code) = seen {
                bye = Some(code);
            }
            room.saw(seen, now_us);
        });
        if !self.follows && follower.follows_all() {
            self.follows = true;
            room.follows(now_us - self.since_us);
        }
        bye
    }
}
impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if self.follows {
            self.room.gone();
        }
    }
}

async fn visit(presence: &mut Presence<'_>, n: usize, follower: &mut Follower, signal: &mut watch::Receiver<Signal>) -> Left {
    let opened = timeout(OPEN_WITHIN, join(presence.room, n, follower, None)).await;
    let mut socket = match opened.unwrap_or_else(|_| Err("not open in time".into())) {
        Ok(socket) => socket,
        Err(why) => return Left::Lost(why),
    };
    let mut said = None;
    loop {
        tokio::select! {
            biased;
            changed = signal.changed() => {
                let over = changed.is_err() || signal.borrow_and_update().over;
                return if over { Left::Over } else { Left::Cut };
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => said = presence.read(follower, text.as_str()).or(said),
                Some(Ok(Message::Close(_))) | None => return Left::Lost(said.map_or_else(|| "closed".into(), |code| format!("closed with {code}"))),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Left::Lost(in_short(&error)),
            }
        }
    }
}

/// Opens a socket and asks for every channel.
async fn join(room: &Room, n: usize, follower: &mut Follower, buffer: Option<u32>) -> Result<Socket, String> {
    let mut socket = open(room, n, buffer).await.map_err(|error| in_short(&error))?;
    for frame in follower.subscribe() {
        socket.feed(Message::text(frame)).await.map_err(|error| in_short(&error))?;
    }
    socket.flush().await.map_err(|error| in_short(&error))?;
    Ok(socket)
}

async fn open(room: &Room, n: usize, buffer: Option<u32>) -> Result<Socket, Error> {
    let _turn = room.door.acquire().await;
    let stream = if room.address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    if let Some(bytes) = buffer {
        stream.set_recv_buffer_size(bytes)?;
    }
    let stream = stream.connect(room.address).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{}/ws", room.address).into_client_request()?;
    let mut set = |name: HeaderName, value: &str| -> Result<(), Error> {
        request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(tokio_tungstenite::tungstenite::http::Error::from)?);
        Ok(())
    };
    set(header::COOKIE, room.cookie(n))?;
    set(header::ORIGIN, &room.origin())?;
    set(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)?;
    let config = WebSocketConfig::default().read_buffer_size(16 * 1024);
    Ok(client_async_with_config(request, stream, Some(config)).await?.0)
}

/// What became of a console that never read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The server still has it.
    Kept,
    /// The server has ended it, and how.
    Dropped(String),
    /// It could not subscribe.
    NeverOpen(String),
}

/// Subscribes and never reads, until the run is over; then looks how the server had ended it.
pub async fn never_read(room: Rc<Room>, n: usize, channels: Vec<String>) -> Ended {
    let (mut follower, mut signal) = (Follower::new(channels), room.signal());
    let mut socket = match join(&room, n, &mut follower, Some(SLOW_BUFFER_BYTES)).await {
        Ok(socket) => socket,
        Err(why) => return Ended::NeverOpen(why),
    };
    while !signal.borrow_and_update().over {
        if signal.changed().await.is_err() {
            break;
        }
    }
    let rest = async {
        let mut bye = None;
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => follower.read(text.as_str(), &mut |seen| {
                    if let Seen::Bye(code) = seen {
                        bye = Some(format!("closed with {code}"));
                    }
                }),
                Some(Ok(Message::Close(_))) | None => return bye.unwrap_or_else(|| "closed".into()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return bye.unwrap_or_else(|| in_short(&error)),
            }
        }
    };
    timeout(REST_WITHIN, rest).await.map_or(Ended::Kept, Ended::Dropped)
}

/// Reasons are counted, so they must not differ by port or number.
fn in_short(error: &Error) -> String {
    match error {
        Error::Io(error) => error.kind().to_string(),
        Error::Http(answer) => format!("refused with {}", answer.status()),
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_) => "cut off".into(),
        other => other.to_string(),
    }
}
