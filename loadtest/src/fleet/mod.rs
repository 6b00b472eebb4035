//! Many virtual gates on many connections in one thread: one epoll, one timer heap, one write a connection and turn. The
//! owner calls [`Fleet::turn`] in a loop and reads what happened; a lost connection comes back by itself.
mod fetch;
mod member;
mod pipe;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::gate::{Fact, Habits, Rider, VirtualGate};
use crate::mqtt::Version;
use crate::mqtt::session::{Identity, Session};
use fetch::Fetcher;
use member::{Broken, Connection, Desk, Member};
use mio::{Events, Interest, Poll, Token};
use pipe::Pipe;
pub use pipe::Tls;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tongdao_protocol::gate::AlarmKind;
use tongdao_protocol::text::Id;

/// Connections that are being made at the same time, at most.
const HANDSHAKES_MAX: usize = 64;
/// A connection that is not online after this is given up, in milliseconds.
const HANDSHAKE_MS_MAX: i64 = 15_000;
/// Pause before a new attempt; doubled with each failure, up to the limit.
const RETRY_MS: i64 = 200;
const RETRY_MS_MAX: i64 = 5_000;
/// A longer wait than this would let the housekeeping sleep.
const WAIT_MAX: Duration = Duration::from_millis(100);
/// Shorter waits than this need a finer clock than epoll's.
const FINE_WAIT: Duration = Duration::from_millis(3);
const KEEP_ALIVE_S: u16 = 60;
const READ_BYTES: usize = 64 * 1024;

/// A device and its secret.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Device id.
    pub device: String,
    /// Its secret.
    pub secret: String,
}

/// Where the gates connect.
#[derive(Clone)]
pub struct Server {
    /// Address of the MQTT listener.
    pub address: SocketAddr,
    /// TLS, where the listener speaks it.
    pub tls: Option<Tls>,
    /// Version of the protocol.
    pub version: Version,
    /// `{site}` of the topics.
    pub site: String,
    /// Where its HTTP interface is: gates fetch whole deny lists there.
    pub http: Option<SocketAddr>,
}

/// What happened in a fleet; gates are named by their index.
#[derive(Debug)]
pub enum Notice {
    /// Something happened at a gate.
    Gate(u32, Fact),
    /// A connection ended or could not be made.
    Lost(u32, String),
}

/// See the module.
pub struct Fleet {
    server: Server,
    clock: Clock,
    poll: Poll,
    events: Events,
    members: Vec<Member>,
    timers: BinaryHeap<Reverse<(i64, u32)>>,
    /// Gates to connect, and when.
    to_connect: BinaryHeap<Reverse<(i64, u32)>>,
    dirty: Vec<u32>,
    handshakes: usize,
    handshakes_max: usize,
    online: usize,
    housekeeping_ms: i64,
    buffer: Vec<u8>,
    lost: u64,
    stopping: bool,
    /// From the first whole deny list on.
    fetcher: Option<Fetcher>,
}

impl Fleet {
    /// Gates that begin to connect in the first turn. The boot counter of a virtual gate is the second of its start.
    ///
    /// # Errors
    /// When the system gives no epoll.
    pub fn new(server: Server, habits: &Habits, gates: &[Credentials], clock: Clock) -> io::Result<Self> {
        let epoch = clock.ms().unsigned_abs() / 1_000;
        let member = |gate: &Credentials| Member::new(identity(&server.site, gate), VirtualGate::new(habits.clone(), epoch));
        let members: Vec<_> = gates.iter().map(member).collect();
        Ok(Self {
            clock,
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            timers: BinaryHeap::new(),
            to_connect: (0..).take(members.len()).map(|index| Reverse((0, index))).collect(),
            members,
            dirty: Vec::new(),
            handshakes: 0,
            handshakes_max: HANDSHAKES_MAX,
            online: 0,
            housekeeping_ms: 0,
            buffer: vec![0; READ_BYTES],
            lost: 0,
            stopping: false,
            fetcher: None,
            server,
        })
    }

    /// Gates in the fleet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }
    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
    /// Gates that are connected and known.
    #[must_use]
    pub const fn online(&self) -> usize {
        self.online
    }
    /// Connections that ended after they had been online.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
    /// Is this gate online?
    #[must_use]
    pub fn is_online(&self, gate: u32) -> bool {
        self.members.get(gate as usize).is_some_and(|member| member.gate.online())
    }
    /// Id of a gate.
    #[must_use]
    pub fn name(&self, gate: u32) -> &str {
        self.members.get(gate as usize).map_or("", |member| &member.who.device)
    }
    /// Boot counter of every gate of the fleet.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.members.first().map_or(0, |member| member.gate.epoch())
    }
    /// The fleet's clock.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }
    /// Taps that never got an answer, of those the gates still keep.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.members.iter().map(|member| member.gate.unanswered()).sum()
    }

    /// Taps that gates still keep: not answered, in the aisle, or not acknowledged.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.members.iter().map(|member| member.gate.kept()).sum()
    }

    /// A rider taps at a gate; what comes of it at once stands in the notices. Boot counter and sequence of the tap.
    pub fn tap(&mut self, gate: u32, rider: &Rider, notices: &mut Vec<Notice>) -> Option<(u64, u64)> {
        let now = self.clock.ms();
        self.act(gate, notices, |gate, desk| (gate.epoch(), gate.tap(rider, now, desk)))
    }

    /// A tap of the past for which a gate opened alone, without a link.
    pub fn lived(&mut self, gate: u32, rider: &Rider, at: i64) {
        if let Some(member) = self.members.get_mut(gate as usize) {
            member.gate.lived(rider, at);
        }
    }

    /// The same with so many connections that are being made at the same time, at most.
    #[must_use]
    pub fn at_once(mut self, connections: usize) -> Self {
        self.handshakes_max = connections.max(1);
        self
    }

    /// A button or a sensor of a gate goes on or off.
    pub fn alarm(&mut self, gate: u32, kind: AlarmKind, on: bool, notices: &mut Vec<Notice>) {
        let now = self.clock.ms();
        self.act(gate, notices, |gate, desk| gate.alarm(kind, on, now, desk));
    }

    /// Something in a gate breaks, or works again.
    pub fn fault(&mut self, gate: u32, code: &Id, on: bool, notices: &mut Vec<Notice>) {
        let now = self.clock.ms();
        self.act(gate, notices, |gate, desk| gate.fault(code, on, now, desk));
    }

    /// Pulls the network plug of a gate: its connection is gone without a word, and it stays away until it is plugged in again.
    pub fn unplug(&mut self, gate: u32, notices: &mut Vec<Notice>) {
        let now = self.clock.ms();
        let Some(member) = self.members.get_mut(gate as usize) else { return };
        if !std::mem::replace(&mut member.unplugged, true) && member.link.is_some() {
            self.broken(gate, &Broken::Io(io::ErrorKind::NetworkDown.into()), now, notices);
        }
    }

    /// Puts the network plug of a gate back.
    pub fn plug_in(&mut self, gate: u32) {
        let now = self.clock.ms();
        let Some(member) = self.members.get_mut(gate as usize) else { return };
        if std::mem::replace(&mut member.unplugged, false) {
            member.attempts = 0;
            self.to_connect.push(Reverse((now, gate)));
        }
    }

    fn act<T>(&mut self, gate: u32, notices: &mut Vec<Notice>, act: impl FnOnce(&mut VirtualGate, &mut Desk<'_>) -> T) -> Option<T> {
        let done = self.members.get_mut(gate as usize)?.with(gate, notices, act);
        self.touched(gate);
        Some(done)
    }

    /// A gate did something: it may have to write, and its next deadline may have changed.
    fn touched(&mut self, index: u32) {
        let Some(member) = self.members.get_mut(index as usize) else { return };
        if !member.dirty && member.has_output() {
            member.dirty = true;
            self.dirty.push(index);
        }
        let due = member.gate.deadline().unwrap_or(i64::MAX);
        if due < member.armed {
            member.armed = due;
            self.timers.push(Reverse((due, index)));
        }
    }

    /// One turn: writes what has gathered, waits at most this long for the network, reads, and lets time pass.
    ///
    /// # Errors
    /// When the system refuses to wait or to open a socket.
    pub fn turn(&mut self, wait: Duration, notices: &mut Vec<Notice>) -> io::Result<()> {
        let before = notices.len();
        self.connect_some(notices)?;
        self.flush(notices);
        let wait = self.doze(self.wait(wait));
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let now = self.clock.ms();
        self.read(now, notices);
        self.tick(now, notices);
        self.lists(before, now, notices)?;
        if now >= self.housekeeping_ms {
            self.housekeeping_ms = now + 1_000;
            self.housekeep(now, notices);
        }
        Ok(())
    }

    fn wait(&self, wait: Duration) -> Duration {
        let now = self.clock.ms();
        let next = [self.timers.peek(), self.to_connect.peek().filter(|_| self.handshakes < self.handshakes_max)];
        let due = next.into_iter().flatten().map(|Reverse((at, _))| at - now).min().unwrap_or(i64::MAX);
        wait.min(WAIT_MAX).min(Duration::from_millis(due.max(0).unsigned_abs()))
    }

    /// `epoll_wait` counts whole milliseconds, too coarse for thousands of taps a second: a shorter wait is done with `ppoll`
    /// on the epoll itself. Returns what is left to wait.
    fn doze(&self, wait: Duration) -> Duration {
        if wait.is_zero() || wait >= FINE_WAIT {
            return wait;
        }
        let time = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        let _ = rustix::event::poll(&mut [PollFd::new(self.poll.registry(), PollFlags::IN)], Some(&time));
        Duration::ZERO
    }

    fn read(&mut self, now: i64, notices: &mut Vec<Notice>) {
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let index = u32::try_from(event.token().0).unwrap_or(u32::MAX);
            let Some(member) = self.members.get_mut(event.token().0) else { continue };
            let was = member.gate.online();
            let mut done = if event.is_writable() && !event.is_readable() { member.write() } else { Ok(()) };
            if done.is_ok() && (event.is_readable() || event.is_error() || event.is_read_closed()) {
                done = member.read(index, now, &mut self.buffer, notices);
            }
            if !was && member.gate.online() {
                self.came_online(index);
            }
            match done {
                Ok(()) => self.touched(index),
                Err(why) => self.broken(index, &why, now, notices),
            }
        }
        self.events = events;
    }

    /// Hands out whole deny lists that were fetched, and has those fetched that gates were told of in this turn.
    fn lists(&mut self, before: usize, now: i64, notices: &mut Vec<Notice>) -> io::Result<()> {
        while let Some((index, wanted, body)) = self.fetcher.as_ref().and_then(Fetcher::take) {
            self.act(index, notices, |gate, desk| gate.list_fetched(&wanted, body.as_deref(), now, desk));
        }
        let told = |notice: &Notice| if let Notice::Gate(index, Fact::ListWanted { .. }) = notice { Some(*index) } else { None };
        for index in notices.iter().skip(before).filter_map(told).collect::<Vec<_>>() {
            let Some(member) = self.members.get_mut(index as usize) else { continue };
            let Some(wanted) = member.gate.take_wanted_list() else { continue };
            let who = Credentials { device: member.who.device.clone(), secret: member.who.secret.clone() };
            let fetcher = match &mut self.fetcher {
                Some(fetcher) => fetcher,
                none => none.insert(Fetcher::start(self.server.http)?),
            };
            if !fetcher.fetch(index, wanted.clone(), &who) {
                self.act(index, notices, |gate, desk| gate.list_fetched(&wanted, None, now, desk));
            }
        }
        Ok(())
    }

    /// Version of a gate's deny list; 0 = none yet.
    #[must_use]
    pub fn list_version(&self, gate: u32) -> u64 {
        self.members.get(gate as usize).map_or(0, |member| member.gate.list_version())
    }

    fn came_online(&mut self, index: u32) {
        if let Some(member) = self.members.get_mut(index as usize) {
            member.attempts = 0;
            self.online += 1;
            self.handshakes = self.handshakes.saturating_sub(1);
        }
    }

    fn tick(&mut self, now: i64, notices: &mut Vec<Notice>) {
        while let Some(Reverse((at, index))) = self.timers.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.timers.pop();
            let Some(member) = self.members.get_mut(index as usize).filter(|member| member.armed == at) else { continue };
            member.armed = i64::MAX;
            member.with(index, notices, |gate, desk| gate.tick(now, desk));
            self.touched(index);
        }
    }

    /// Writes what has gathered, one write a connection.
    fn flush(&mut self, notices: &mut Vec<Notice>) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for index in dirty.drain(..) {
            let Some(member) = self.members.get_mut(index as usize) else { continue };
            member.dirty = false;
            if let Err(why) = member.write() {
                self.broken(index, &why, self.clock.ms(), notices);
            }
        }
        self.dirty = dirty;
    }

    fn connect_some(&mut self, notices: &mut Vec<Notice>) -> io::Result<()> {
        let now = self.clock.ms();
        while self.handshakes < self.handshakes_max && !self.stopping {
            let Some(Reverse((_, index))) = self.to_connect.peek().copied().filter(|Reverse((at, _))| *at <= now) else { break };
            self.to_connect.pop();
            // Plugged in again it stands here once more; one attempt is enough.
            if self.members.get(index as usize).is_none_or(|member| member.unplugged || member.link.is_some()) {
                continue;
            }
            self.handshakes += 1;
            if let Err(error) = self.connect(index, now) {
                if error.kind() == io::ErrorKind::Other || error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) {
                    return Err(error);
                }
                self.broken(index, &Broken::Io(error), now, notices);
            }
        }
        Ok(())
    }

    fn connect(&mut self, index: u32, now: i64) -> io::Result<()> {
        let Some(member) = self.members.get_mut(index as usize) else { return Ok(()) };
        let mut pipe = Pipe::connect(self.server.address, self.server.tls.as_ref())?;
        pipe.stream().set_nodelay(true)?;
        self.poll.registry().register(pipe.stream(), Token(index as usize), Interest::READABLE | Interest::WRITABLE)?;
        let will = member.gate.will(now);
        let session = Session::connect(self.server.version, &member.who, Some(("state", &will)));
        let connection = Connection { pipe, session, inbox: Vec::new(), since_ms: now, heard_ms: now, pinged_ms: now };
        member.link = Some(Box::new(connection));
        self.touched(index);
        Ok(())
    }

    /// A connection ended; it is made again after a pause.
    fn broken(&mut self, index: u32, why: &Broken, now: i64, notices: &mut Vec<Notice>) {
        let Some(member) = self.members.get_mut(index as usize) else { return };
        if member.gate.online() {
            self.online -= 1;
            self.lost += 1;
        } else {
            self.handshakes = self.handshakes.saturating_sub(1);
        }
        if let Some(mut link) = member.link.take() {
            let _ = self.poll.registry().deregister(link.pipe.stream());
        }
        member.gate.disconnected();
        let pause = (RETRY_MS << member.attempts.min(5)).min(RETRY_MS_MAX);
        member.attempts += 1;
        self.to_connect.push(Reverse((now + pause, index)));
        let why = match why {
            Broken::Closed(code) => format!("closed by the server with code 0x{code:02x}"),
            Broken::Io(error) => error.to_string(),
        };
        notices.push(Notice::Lost(index, why));
    }

    /// Once a second: keep-alive, and connections that have fallen silent.
    fn housekeep(&mut self, now: i64, notices: &mut Vec<Notice>) {
        let keep_alive = i64::from(KEEP_ALIVE_S) * 1_000;
        for index in 0..u32::try_from(self.members.len()).unwrap_or(u32::MAX) {
            let Some(member) = self.members.get_mut(index as usize) else { continue };
            let online = member.gate.online();
            let Some(link) = &mut member.link else { continue };
            let silent = now - link.heard_ms > 2 * keep_alive || (!online && now - link.since_ms > HANDSHAKE_MS_MAX);
            if silent {
                self.broken(index, &Broken::Io(io::ErrorKind::TimedOut.into()), now, notices);
            } else if online && now - link.pinged_ms > keep_alive / 2 {
                link.pinged_ms = now;
                link.session.ping();
                self.touched(index);
            }
        }
    }

    /// Says good-bye on every connection; the fleet makes no new ones.
    pub fn close(&mut self, notices: &mut Vec<Notice>) {
        self.stopping = true;
        for index in 0..u32::try_from(self.members.len()).unwrap_or(u32::MAX) {
            if let Some(link) = self.members.get_mut(index as usize).and_then(|member| member.link.as_mut()) {
                link.session.disconnect();
                self.touched(index);
            }
        }
        self.flush(notices);
        self.members.iter_mut().for_each(|member| member.link = None);
    }
}

fn identity(site: &str, gate: &Credentials) -> Identity {
    let own = format!("td/1/{site}/gate/{}", gate.device);
    let (up, filter) = (format!("{own}/up/").into_bytes(), format!("{own}/down/#").into_bytes());
    Identity { device: gate.device.clone(), secret: gate.secret.clone(), up, filter, keep_alive_s: KEEP_ALIVE_S }
}
