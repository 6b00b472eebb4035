//! One WebSocket of a console, driven by one task: greets, answers, keeps up with its channels, beats, says good-bye. What
//! waits and when a reader is too slow decides `outbox`; who may do what decides `rights`.
use super::commands::{self, Done, Request};
use super::entry::Entrance;
use super::hub::{Sink, Subscriber};
use super::mailbox::Mailbox;
use super::outbox::{Limits, Next, Outbox};
use super::rights::{self, Ask};
use super::session::Standing;
use super::{Caller, Channel, Console};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until};
use tongdao_domain::id::CommandId;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_protocol::console::MESSAGE_BYTES_MAX;
use tongdao_protocol::console::close::Close;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::frames::{
    self, Ack, Bye, ClientFrame, Cmd, ConnectionLimits, ErrorFrame, FrameId, Hello, Lock, Relay, ServerFrame, Sub, SubReply, Unsub,
    UnsubReply, encode,
};
use tongdao_telemetry::ConsoleClosed;

mod seat;
#[cfg(test)]
mod tests;

pub(super) use seat::Seats;

/// The name of this node; there is one until several share a journal.
const NODE: &str = "node";
/// A peer from whom nothing was heard for so many heartbeats is gone.
const HEARTBEATS_MISSED_MAX: u64 = 3;
/// Consoles that are sent away come back within this time, not all at once.
const RETRY_MS: u64 = 500;

/// How a connection ended.
enum End {
    /// The other side is gone.
    Gone,
    /// We close it.
    Close(Close),
}

/// A WebSocket that is let in.
pub(super) async fn run(console: Console, socket: WebSocket, entrance: Entrance) {
    let Some(seat) = console.take_seat(&entrance.caller.user) else {
        return turn_away(&console, socket, Close::TooMany).await;
    };
    let (mut writer, mut reader) = socket.split();
    let mut link = Link::new(console.clone(), entrance, seat.number);
    let end = link.converse(&mut writer, &mut reader).await;
    link.leave_all();
    let reason = match end {
        End::Gone => "gone",
        End::Close(close) => {
            say_goodbye(&console, &mut writer, &mut reader, close).await;
            close.reason()
        }
    };
    ConsoleClosed { reason }.emit();
}

/// A WebSocket that is not let in: why, and the end.
pub(super) async fn turn_away(console: &Console, socket: WebSocket, close: Close) {
    let (mut writer, mut reader) = socket.split();
    say_goodbye(console, &mut writer, &mut reader, close).await;
    ConsoleClosed { reason: close.reason() }.emit();
}

type Writer = SplitSink<WebSocket, Message>;
type Reader = SplitStream<WebSocket>;

/// `bye`, the close frame, and a short wait for the other side to go first. A reader that takes nothing is not waited for
/// any longer than that.
async fn say_goodbye(console: &Console, writer: &mut Writer, reader: &mut Reader, close: Close) {
    let bye = encode(&ServerFrame::Bye(Bye::of(close, RETRY_MS)));
    let frame = CloseFrame { code: close.code(), reason: Utf8Bytes::from_static(close.reason()) };
    let ending = async {
        writer.send(Message::Text(bye.into())).await?;
        writer.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(message)) = reader.next().await {
            if matches!(message, Message::Close(_)) {
                return Ok(());
            }
        }
        // It sent what cannot be read on: closing over that would take our words from it again.
        std::future::pending::<Result<(), axum::Error>>().await
    };
    let _ = tokio::time::timeout(Duration::from_millis(console.settings().socket.linger_ms), ending).await;
}

/// A channel that is subscribed to.
struct Subscribed {
    channel: Channel,
    sink: Sink,
    /// The console's own id of its `sub`.
    asked: FrameId,
}

/// One connection.
struct Link {
    console: Console,
    number: u64,
    caller: Arc<Caller>,
    standing: watch::Receiver<Standing>,
    mailbox: Arc<Mailbox>,
    subs: BTreeMap<String, Subscribed>,
    marks: u64,
    looked: bool,
    locked: bool,
    beat_at: Timestamp,
    heard_at: Timestamp,
    messages: DefaultDirectRateLimiter,
    commands: DefaultDirectRateLimiter,
    in_flight: Arc<Semaphore>,
}

impl Link {
    fn new(console: Console, entrance: Entrance, number: u64) -> Self {
        let Entrance { caller, standing } = entrance;
        let (now, settings, caller) = (console.now(), console.settings().socket, Arc::new(caller));
        let limits = Limits {
            behind_bytes_max: settings.behind_bytes_max,
            waiting_bytes_max: settings.waiting_bytes_max,
            progress_max: millis(settings.progress_ms_max),
            behind_pause: millis(settings.behind_pause_ms),
        };
        let mailbox = Mailbox::new(console.clone(), Arc::clone(&caller), Outbox::new(limits));
        let (messages, commands) = (limiter(settings.messages_per_s), limiter(settings.commands_per_s));
        let in_flight = Arc::new(Semaphore::new(settings.commands_in_flight_max));
        let beat_at = now + first_beat(settings.heartbeat_ms, number);
        let (mailbox, subs) = (Arc::new(mailbox), BTreeMap::new());
        Self {
            console,
            number,
            caller,
            standing,
            mailbox,
            subs,
            marks: 0,
            looked: false,
            locked: false,
            beat_at,
            heard_at: now,
            messages,
            commands,
            in_flight,
        }
    }

    async fn converse(&mut self, writer: &mut Writer, reader: &mut Reader) -> End {
        let (mut standing, mut draining) = (self.standing.clone(), self.console.0.draining.subscribe());
        self.mailbox.push(&ServerFrame::Hello(self.hello()));
        let mut timer = pin!(sleep_until(Instant::now()));
        let mut writing = false;
        loop {
            if *draining.borrow() {
                return End::Close(Close::Drain);
            }
            if let Some(close) = self.look() {
                return End::Close(close);
            }
            let wake_at = match self.write(writer, &mut writing).await {
                Ok(wake_at) => wake_at,
                Err(end) => return end,
            };
            timer.as_mut().reset(self.instant(wake_at));
            let reading = self.mailbox.bytes() <= self.console.settings().socket.behind_bytes_max / 2;
            tokio::select! {
                flushed = writer.flush(), if writing => {
                    if flushed.is_err() {
                        return End::Gone;
                    }
                    writing = false;
                    self.wrote(true);
                }
                message = reader.next(), if reading => {
                    if let Some(end) = self.message(message).await {
                        return end;
                    }
                }
                () = self.mailbox.bell.notified(), if !writing => {}
                () = self.mailbox.overflow.notified(), if writing => {}
                told = standing.changed() => {
                    if told.is_err() {
                        return End::Close(Close::SessionExpired);
                    }
                }
                _ = draining.changed() => {}
                () = timer.as_mut() => {}
            }
        }
    }

    /// Writes what waits as far as the socket takes it; when to look again. After the heartbeat's time comes a beat, and a
    /// ping that a living peer answers by itself.
    async fn write(&mut self, writer: &mut Writer, writing: &mut bool) -> Result<Timestamp, End> {
        let now = self.console.now();
        if now >= self.beat_at {
            let every = self.console.settings().socket.heartbeat_ms;
            if now > self.heard_at + millis(every * HEARTBEATS_MISSED_MAX) {
                return Err(End::Close(Close::Slow));
            }
            self.beat_at = now + millis(every);
            self.mailbox.beat(now);
            if !*writing && writer.feed(Message::Ping(axum::body::Bytes::new())).await.is_err() {
                return Err(End::Gone);
            }
        }
        let mut wake_at = self.beat_at;
        while !*writing {
            match self.mailbox.next(now) {
                Next::Idle => break,
                Next::Slow => return Err(End::Close(Close::Slow)),
                Next::Pause(until) => {
                    wake_at = wake_at.min(until);
                    break;
                }
                Next::Write(text) => {
                    writer.feed(Message::Text(text)).await.map_err(|_| End::Gone)?;
                    match writer.flush().now_or_never() {
                        None => *writing = true,
                        Some(Ok(())) => self.wrote(false),
                        Some(Err(_)) => return Err(End::Gone),
                    }
                }
            }
        }
        match self.mailbox.too_slow(*writing, now) {
            (true, _) => Err(End::Close(Close::Slow)),
            (false, gives_up_at) => Ok(gives_up_at.map_or(wake_at, |at| wake_at.min(at))),
        }
    }

    fn wrote(&self, waited: bool) {
        if self.mailbox.wrote(waited) {
            self.subs.values().for_each(|sub| self.console.hub().tell_states(&sub.channel, &sub.sink));
        }
    }

    fn instant(&self, at: Timestamp) -> Instant {
        let ahead = (at - self.console.now()).0.max(0);
        Instant::now() + Duration::from_millis(u64::try_from(ahead).unwrap_or(0))
    }

    fn hello(&self) -> Hello {
        let (settings, caller) = (self.console.settings().socket, &self.caller);
        Hello {
            conn: format!("c{}", self.number),
            node: NODE.to_owned(),
            heartbeat_ms: settings.heartbeat_ms,
            now: self.console.now().into(),
            user: caller.user.to_string(),
            roles: caller.roles.iter().map(|role| (*role).into()).collect(),
            scope: (&caller.scope).into(),
            limits: ConnectionLimits {
                message_bytes: MESSAGE_BYTES_MAX as u64,
                subscriptions: settings.subscriptions_max as u64,
                commands_per_s: settings.commands_per_s.into(),
            },
        }
    }

    /// Is the session still what it was, and its user what they were?
    fn look(&mut self) -> Option<Close> {
        if std::mem::replace(&mut self.looked, true) && !self.standing.has_changed().unwrap_or(true) {
            return None;
        }
        let standing = self.standing.borrow_and_update().clone();
        if standing.ended.is_some() {
            return Some(Close::SessionExpired);
        }
        if standing.locked != self.locked {
            self.lock(standing.locked);
        }
        if standing.roles != self.caller.roles || standing.scope != self.caller.scope {
            self.change_rights(standing);
        }
        None
    }

    /// Nothing is shown until the password is given again; then the console subscribes again from where it stands.
    fn lock(&mut self, on: bool) {
        self.locked = on;
        if on {
            self.leave_all();
        }
        self.mailbox.push(&ServerFrame::Lock(Lock { on }));
    }

    /// What they may do now counts for what comes from now on. It ends the subscriptions that it no longer covers; a list of
    /// which it shows other items begins anew, so that nothing stays that they must not see.
    fn change_rights(&mut self, standing: Standing) {
        let Standing { roles, scope, .. } = standing;
        let words = frames::Rights { roles: roles.iter().map(|role| (*role).into()).collect(), scope: (&scope).into() };
        let before = Arc::clone(&self.caller);
        self.caller = Arc::new(Caller { roles, scope, ..Caller::clone(&self.caller) });
        self.mailbox.set_caller(Arc::clone(&self.caller));
        let channels: Vec<(String, Channel, FrameId)> =
            self.subs.iter().map(|(ch, sub)| (ch.clone(), sub.channel.clone(), sub.asked.clone())).collect();
        for (ch, channel, asked) in channels {
            let other = rights::view(&before, &channel) != rights::view(&self.caller, &channel);
            let over = match self.may_subscribe(&channel) {
                Ok(()) if other => self.enter(&ch, channel, asked, None).err(),
                Ok(()) => None,
                Err(error) => Some(error),
            };
            if over.is_some() {
                self.leave(&ch);
                self.mailbox.push(&ServerFrame::Unsub(UnsubReply { id: None, ch, error: over }));
            }
        }
        self.mailbox.push(&ServerFrame::Rights(words));
    }

    fn may_subscribe(&self, channel: &Channel) -> Result<(), ErrorBody> {
        rights::may(&self.caller, &self.console.backend().world, Ask::Sub(channel))
    }

    async fn message(&mut self, message: Option<Result<Message, axum::Error>>) -> Option<End> {
        self.heard_at = self.console.now();
        let text = match message {
            None | Some(Ok(Message::Close(_))) => return Some(End::Gone),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return None,
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_)) | Err(_)) => return Some(End::Close(Close::BadFrame)),
        };
        if self.messages.check().is_err() {
            return Some(End::Close(Close::TooMany));
        }
        let Ok(frame) = ClientFrame::read(text.as_bytes()) else { return Some(End::Close(Close::BadFrame)) };
        match frame {
            ClientFrame::Sub(sub) => self.subscribe(sub).await,
            ClientFrame::Unsub(unsub) => self.unsubscribe(unsub),
            ClientFrame::Cmd(cmd) => self.command(cmd),
            ClientFrame::Beat(beat) if beat.active == Some(true) => self.console.sessions().used(&self.caller.session, self.heard_at),
            ClientFrame::Beat(_) => {}
            ClientFrame::Relay(relay) => self.has_no_relay(&relay),
        }
        None
    }

    /// Reserved: no channel of now hands anything on.
    fn has_no_relay(&self, relay: &Relay) {
        let error = ErrorBody::new(Code::NotFound).with("hint", "this channel has no relay lane");
        let frame = ErrorFrame { of: "relay".to_owned(), ch: Some(relay.ch.as_str().to_owned()), error };
        self.mailbox.push(&ServerFrame::Error(frame));
    }

    async fn subscribe(&mut self, sub: Sub) {
        let ch = sub.ch.as_str().to_owned();
        if let Err(error) = self.join(&sub).await {
            let reply =
                SubReply { id: sub.id, ch, epoch: None, seq: None, recovered: None, events: None, snapshot: None, error: Some(error) };
            self.mailbox.push(&ServerFrame::Sub(reply));
        }
    }

    async fn join(&mut self, sub: &Sub) -> Result<(), ErrorBody> {
        if self.locked {
            return Err(Code::Locked.into());
        }
        let ch = sub.ch.as_str();
        let channel: Channel = ch.parse().map_err(|_| Code::NotFound)?;
        self.may_subscribe(&channel)?;
        self.leave(ch);
        if self.subs.len() >= self.console.settings().socket.subscriptions_max {
            return Err(Code::TooMany.into());
        }
        if let Channel::Device(device) = &channel {
            self.console.open_device(device).await;
        }
        let since = sub.epoch.as_ref().zip(sub.seq).map(|(epoch, seq)| (epoch.as_str(), seq));
        self.enter(ch, channel, sub.id.clone(), since)
    }

    /// From now on what happens there comes; one that was subscribed to before begins anew.
    fn enter(&mut self, ch: &str, channel: Channel, asked: FrameId, since: Option<(&str, u64)>) -> Result<(), ErrorBody> {
        self.leave(ch);
        self.marks += 1;
        let to: Arc<dyn Subscriber> = Arc::clone(&self.mailbox) as _;
        let sink = Sink { to, sub: self.marks };
        self.mailbox.expect(sink.sub, ch.to_owned(), asked.clone());
        if !self.console.hub().subscribe(&channel, since, self.console.now(), sink.clone()) {
            self.mailbox.forget(sink.sub);
            return Err(Code::NotFound.into());
        }
        self.subs.insert(ch.to_owned(), Subscribed { channel, sink, asked });
        Ok(())
    }

    fn unsubscribe(&mut self, unsub: Unsub) {
        self.leave(unsub.ch.as_str());
        let over = UnsubReply { id: Some(unsub.id), ch: unsub.ch.as_str().to_owned(), error: None };
        self.mailbox.push(&ServerFrame::Unsub(over));
    }

    fn leave(&mut self, ch: &str) {
        if let Some(sub) = self.subs.remove(ch) {
            self.console.hub().unsubscribe(&sub.channel, &sub.sink);
            self.mailbox.forget(sub.sink.sub);
        }
    }

    fn leave_all(&mut self) {
        let all: Vec<String> = self.subs.keys().cloned().collect();
        all.iter().for_each(|ch| self.leave(ch));
    }

    /// A command runs beside the reading; its answer comes when it is there. It goes on when the line breaks: the same id
    /// asked again gets the same answer.
    fn command(&self, cmd: Cmd) {
        let id = cmd.id.clone();
        let refuse = |error: ErrorBody| self.mailbox.push(&ServerFrame::Ack(Ack::refused(id.clone(), error)));
        if self.locked {
            return refuse(Code::Locked.into());
        }
        let too_many =
            || ErrorBody::new(Code::TooMany).with("retry_ms", 1000 / u64::from(self.console.settings().socket.commands_per_s).max(1) + 1);
        if self.commands.check().is_err() {
            return refuse(too_many());
        }
        let Ok(place) = Arc::clone(&self.in_flight).try_acquire_owned() else { return refuse(too_many()) };
        let Ok(command_id) = CommandId::new(cmd.command_id.as_str()) else { return refuse(Code::BadArgs.into()) };
        self.console.sessions().used(&self.caller.session, self.heard_at);
        let request = Request {
            command_id,
            op: cmd.op.as_str().to_owned(),
            args: cmd.args.0,
            if_rev: cmd.if_rev,
            ttl_ms: cmd.ttl_ms,
            received: self.heard_at,
        };
        let (console, session, mailbox) = (self.console.clone(), self.caller.session, Arc::clone(&self.mailbox));
        tokio::spawn(async move {
            let answer = match console.caller(&session).await {
                Ok(caller) => commands::run(&console, &caller, request).await,
                Err(error) => Err(error),
            };
            mailbox.push(&ServerFrame::Ack(ack(cmd.id, answer)));
            drop(place);
        });
    }
}

fn ack(id: FrameId, answer: Result<Done, ErrorBody>) -> Ack {
    match answer {
        Ok(Done { result, ch, seq }) => Ack { ch: ch.map(|ch| ch.to_string()), seq, ..Ack::done(id, result) },
        Err(error) => Ack::refused(id, error),
    }
}

/// When the first beat is due: early for some. A thousand consoles that came back in the same moment would otherwise all be
/// told in the same moment ever after, and events would wait behind that.
fn first_beat(every_ms: u64, number: u64) -> Millis {
    const SPREAD: u64 = 64;
    // A step that visits every part before it comes back to the first, far from the one before.
    millis(every_ms / 2 + every_ms / 2 * (number * 37 % SPREAD) / SPREAD)
}

fn millis(ms: u64) -> Millis {
    Millis(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// So many a second in the long run, twice as many at once.
fn limiter(per_second: u32) -> DefaultDirectRateLimiter {
    let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct(Quota::per_second(rate).allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(1))))
}
