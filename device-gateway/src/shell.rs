//! The loop of one connection, on its cell's thread: one task, one turn per wake-up, one write per turn, one sleep. It
//! moves bytes and commands between socket, link and cell, and decides nothing. The buffers belong to the cell: an idle
//! connection owns none.
use crate::config::GatewayConfig;
use crate::link::{Act, Answer, Link, Turn};
use crate::links::{Buffers, CellLinks, Mailbox, Note};
use crate::wire::CoreWire;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tongdao_actors::cell::Slot;
use tongdao_domain::time::Timestamp;

/// Reads per turn; then the others have their turn.
const READS_PER_TURN: usize = 4;
/// With more than this waiting for the socket, nothing is read from it.
const UNSENT_BYTES_READ_MAX: usize = 16 * 1024;
/// After our good-bye so much more is read and thrown away, so that the peer can read it; who sends on is cut off.
const LINGER_BYTES_MAX: usize = 1024 * 1024;

/// One connection.
struct Connection<S> {
    socket: S,
    link: Link<CoreWire>,
    cell: Rc<CellLinks>,
    mailbox: Rc<Mailbox>,
    slot: Slot,
    /// Bytes that were read and that the link did not want yet.
    backlog: Vec<u8>,
    /// Bytes that the socket did not take yet, and since when it takes none.
    unsent: Vec<u8>,
    stuck_since: Option<Timestamp>,
    /// The peer has closed its side.
    eof: bool,
    /// For what time the sleep is set; it is only ever set anew for an earlier one, or when it has run out.
    armed: Option<Timestamp>,
    ending: Option<Ending>,
}

/// After the link is over: what is left is written, then the peer is given a moment to close, so that it can read why.
struct Ending {
    until: Timestamp,
    shut: bool,
    thrown_away: usize,
}

/// Runs a connection until it is over. Not an `async fn`: that would hold the connection twice, as argument and as variable.
pub(crate) fn run<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    link: Link<CoreWire>,
    cell: Rc<CellLinks>,
    mailbox: Rc<Mailbox>,
) -> impl Future<Output = ()> {
    let slot = cell.slot(&mailbox);
    let mut connection = Connection {
        socket,
        link,
        cell,
        mailbox,
        slot,
        backlog: Vec::new(),
        unsent: Vec::new(),
        stuck_since: None,
        eof: false,
        armed: None,
        ending: None,
    };
    async move {
        let mut timer = pin!(sleep(Duration::ZERO));
        poll_fn(|context| connection.turn(timer.as_mut(), context)).await;
        connection.cell.gone(&connection.mailbox);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn turn(&mut self, mut timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
        self.mailbox.bell.register(context.waker());
        let cell = self.cell.clone();
        let mut buffers = cell.buffers.borrow_mut();
        let now = cell.cell.now();
        buffers.read = cell.elapsed();
        cell.common.admission.clock().set(now);
        self.notes(&mut buffers, now);
        self.ticks(&mut buffers, now);
        if self.ending.is_none() {
            self.reads(&mut buffers, now, context);
        }
        if self.flush(&mut buffers.out, now, context).is_err() {
            self.eof = true;
            self.step(&mut buffers, now, Link::lost);
            return Poll::Ready(());
        }
        if self.unsent.len() > cell.common.config.output_bytes_max {
            self.step(&mut buffers, now, Link::slow_reader);
            // What it would be told stands behind what it does not read.
            buffers.out.clear();
            return Poll::Ready(());
        }
        if self.ending.is_some() {
            return self.end(&mut buffers.input, now, timer, context);
        }
        self.arm(timer.as_mut(), now, context);
        Poll::Pending
    }

    /// One step of the link and everything that it wants done; bytes for the peer gather in the buffers.
    fn step(&mut self, buffers: &mut Buffers, now: Timestamp, step: impl FnOnce(&mut Link<CoreWire>, &mut Turn<'_>)) {
        self.turn_of(buffers, now, step);
        // A refused command is answered at once, which may want more done.
        while !buffers.acts.is_empty() {
            std::mem::swap(&mut buffers.acts, &mut buffers.doing);
            let mut doing = std::mem::take(&mut buffers.doing);
            doing.drain(..).for_each(|act| self.act(act, buffers, now));
            buffers.doing = doing;
        }
    }
    fn turn_of(&mut self, buffers: &mut Buffers, now: Timestamp, step: impl FnOnce(&mut Link<CoreWire>, &mut Turn<'_>)) {
        let Buffers { out, acts, body, topic, packets, read, .. } = buffers;
        step(&mut self.link, &mut Turn { now, read: *read, world: &self.cell.cell.world(), out, packets, acts, body, topic });
    }
    fn act(&mut self, act: Act, buffers: &mut Buffers, now: Timestamp) {
        match act {
            Act::Submit { cookie, request } => {
                if self.cell.cell.submit(request, self.slot.reply(cookie)).is_err() {
                    self.turn_of(buffers, now, |link, turn| link.answer(cookie, Answer::Busy, turn));
                }
            }
            Act::Close { reason } => {
                self.cell.closing(&self.mailbox, reason);
                let until = now + GatewayConfig::millis(self.cell.common.config.linger_ms);
                self.ending = Some(Ending { until, shut: false, thrown_away: 0 });
            }
            other => self.cell.act(other, &self.mailbox, now),
        }
    }

    fn notes(&mut self, buffers: &mut Buffers, now: Timestamp) {
        if self.mailbox.bell.taken_over() {
            self.step(buffers, now, Link::taken_over);
        }
        for note in self.mailbox.take() {
            self.step(buffers, now, |link, turn| match note {
                Note::Answer(cookie, reply) => link.answer(cookie, Answer::Reply(reply), turn),
                Note::Mode => link.mode_changed(turn),
                Note::List => link.list_changed(turn),
                Note::Order(order) => link.order(&order, turn),
                Note::Revoked => link.revoked(turn),
                Note::Drain => link.drain(turn),
                Note::Cut => link.cut(turn),
            });
        }
    }

    fn ticks(&mut self, buffers: &mut Buffers, now: Timestamp) {
        if self.link.deadline().is_some_and(|deadline| deadline <= now) {
            self.step(buffers, now, Link::tick);
        }
        if self.stuck_since.is_some_and(|since| since + GatewayConfig::millis(self.cell.common.config.write_ms) <= now) {
            self.step(buffers, now, Link::slow_reader);
        }
    }

    fn reads(&mut self, buffers: &mut Buffers, now: Timestamp, context: &mut Context<'_>) {
        if !self.backlog.is_empty() && self.link.wants_input() {
            let backlog = std::mem::take(&mut self.backlog);
            self.feed(buffers, now, &backlog);
        }
        for _ in 0..READS_PER_TURN {
            if self.ending.is_some() || !self.backlog.is_empty() || self.unsent.len() > UNSENT_BYTES_READ_MAX || !self.link.wants_input() {
                return;
            }
            let mut input = std::mem::take(&mut buffers.input);
            let read = self.read(&mut input, context);
            if let Poll::Ready(Ok(length)) = read
                && length > 0
            {
                self.feed(buffers, now, input.get(..length).unwrap_or_default());
            }
            buffers.input = input;
            match read {
                Poll::Pending => return,
                Poll::Ready(Ok(length)) if length > 0 => {}
                // After an error there may still be a peer who can be told why (over WebSocket).
                Poll::Ready(read) => {
                    self.eof = read.is_ok();
                    return self.step(buffers, now, Link::lost);
                }
            }
        }
        // There may be more: come again after the others.
        context.waker().wake_by_ref();
    }
    fn read(&mut self, input: &mut [u8], context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(input);
        ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
    fn feed(&mut self, buffers: &mut Buffers, now: Timestamp, bytes: &[u8]) {
        let mut rest = bytes;
        buffers.packets = 0;
        self.step(buffers, now, |link, turn| link.receive(&mut rest, turn));
        self.cell.meter.received(buffers.packets, (bytes.len() - rest.len()) as u64);
        if !rest.is_empty() {
            self.backlog.extend_from_slice(rest);
        }
    }

    /// Writes what there is, as far as the socket takes it.
    fn flush(&mut self, out: &mut Vec<u8>, now: Timestamp, context: &mut Context<'_>) -> io::Result<()> {
        if !out.is_empty() {
            self.cell.meter.sent(packets(out), out.len() as u64);
        }
        if !self.unsent.is_empty() {
            self.unsent.append(out);
            let unsent = std::mem::take(&mut self.unsent);
            let written = self.write(&unsent, context)?;
            self.unsent = unsent;
            self.unsent.drain(..written);
            self.unsent.shrink_to(UNSENT_BYTES_READ_MAX);
            self.stuck_since = if self.unsent.is_empty() {
                None
            } else if written > 0 {
                Some(now)
            } else {
                self.stuck_since.or(Some(now))
            };
        } else if !out.is_empty() {
            let written = self.write(out, context)?;
            self.unsent.extend_from_slice(out.get(written..).unwrap_or_default());
            self.stuck_since = (!self.unsent.is_empty()).then_some(now);
            out.clear();
        }
        if self.unsent.is_empty() {
            self.unsent = Vec::new();
        }
        Ok(())
    }
    fn write(&mut self, bytes: &[u8], context: &mut Context<'_>) -> io::Result<usize> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.socket).poll_write(context, rest) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(length)) => written += length,
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        match Pin::new(&mut self.socket).poll_flush(context) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(written),
        }
    }

    /// Lets the last bytes out, closes our side, and waits a moment for the peer to close its own.
    fn end(&mut self, input: &mut [u8], now: Timestamp, timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
        let Some(mut ending) = self.ending.take() else { return Poll::Ready(()) };
        if self.eof || ending.until <= now {
            return Poll::Ready(());
        }
        if self.unsent.is_empty() && !ending.shut {
            ending.shut = Pin::new(&mut self.socket).poll_shutdown(context).is_ready();
        }
        while ending.thrown_away < LINGER_BYTES_MAX {
            match self.read(input, context) {
                Poll::Ready(Ok(length)) if length > 0 => ending.thrown_away += length,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    self.ending = Some(ending);
                    self.arm(timer, now, context);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }

    /// Sets the sleep, where it would come too late.
    fn arm(&mut self, mut timer: Pin<&mut Sleep>, now: Timestamp, context: &mut Context<'_>) {
        let write_ms = GatewayConfig::millis(self.cell.common.config.write_ms);
        let stuck = self.stuck_since.map(|since| since + write_ms);
        let deadlines = [self.link.deadline(), stuck, self.ending.as_ref().map(|ending| ending.until)];
        let Some(wanted) = deadlines.into_iter().flatten().min() else { return };
        loop {
            if self.armed.is_none_or(|armed| wanted < armed) {
                let length = Duration::from_millis(u64::try_from((wanted - now).0.max(1)).unwrap_or(1));
                timer.as_mut().reset(Instant::now() + length);
                self.armed = Some(wanted);
            }
            if timer.as_mut().poll(context).is_pending() {
                return;
            }
            self.armed = None;
        }
    }
}

/// How many packets these bytes are.
fn packets(mut bytes: &[u8]) -> u64 {
    let mut count = 0;
    while !bytes.is_empty() {
        let (mut length, mut header) = (0, 1);
        for byte in bytes.iter().skip(1).take(4) {
            length |= usize::from(byte & 0x7f) << (7 * (header - 1));
            header += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        bytes = bytes.get(header + length..).unwrap_or_default();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw;

    #[test]
    fn packets_are_counted_by_their_lengths() {
        let long = raw::publish(raw::V5, "t", [b'x'; 300], 1, 1, false);
        assert_eq!(packets(&[raw::ping(), long, raw::answer(4, 1)].concat()), 3);
        assert_eq!(packets(&[]), 0);
    }
}
