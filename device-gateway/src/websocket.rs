//! MQTT over WebSocket: a socket that has been upgraded, as the stream of bytes that a link reads and writes. Frames are
//! taken apart where they arrive and never gathered: a packet may span frames and a frame packets, half a frame is half a
//! packet to the link's time-outs, and a connection owns no buffer of its own.
//!
//! Not here: the upgrade (HTTP's business) and MQTT. A peer that says good-bye, or breaks the rules, ends the stream with an
//! error; then shutting down tells it why, and reading gives what is only to be thrown away.
mod frames;
#[cfg(test)]
mod tests;

use frames::Frames;
use smallvec::SmallVec;
use std::io::{self, Cursor, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

/// What the server answers to a `Sec-WebSocket-Key`.
#[must_use]
pub fn accept_key(key: &[u8]) -> String {
    tokio_tungstenite::tungstenite::handshake::derive_accept_key(key)
}

/// Reads in a row that brought no byte for the link; then the others have their turn.
const FRUITLESS_READS_MAX: usize = 8;

/// The longest header of a frame.
const HEADER_BYTES_MAX: usize = 14;

/// The server's end of an upgraded socket; the client's frames are masked, ours are not.
#[derive(Debug)]
pub struct WebSocket<S> {
    io: S,
    frames: Frames,
    /// What goes out before any more payload: a header, a pong, the last good-bye.
    waiting: SmallVec<[u8; 16]>,
    /// Bytes of the present frame that were announced and not written.
    announced: usize,
    end_was_told: bool,
    closed: bool,
}

impl<S> WebSocket<S> {
    /// Over a socket that speaks frames from now on; one frame has at most this many bytes.
    pub fn new(io: S, frame_bytes_max: u64) -> Self {
        let frames = Frames::new(frame_bytes_max);
        Self { io, frames, waiting: SmallVec::new(), announced: 0, end_was_told: false, closed: false }
    }

    /// Between two frames: the pong that is owed.
    fn pong(&mut self) {
        if self.announced == 0
            && self.waiting.is_empty()
            && let Some(body) = self.frames.take_ping()
        {
            self.queue(Frame::pong(body));
        }
    }
    fn queue(&mut self, frame: Frame) {
        let mut bytes = Vec::new();
        let written = frame.format(&mut bytes);
        debug_assert!(written.is_ok(), "memory takes every byte");
        self.waiting.extend_from_slice(&bytes);
    }
    /// Announces a frame of so many bytes.
    fn announce(&mut self, length: usize) {
        let header = FrameHeader { opcode: OpCode::Data(Data::Binary), ..FrameHeader::default() };
        let mut bytes = Cursor::new([0; HEADER_BYTES_MAX]);
        let written = header.format(length as u64, &mut bytes);
        debug_assert!(written.is_ok(), "there is room for the longest header");
        let length_of_header = header.len(length as u64).min(HEADER_BYTES_MAX);
        self.waiting.extend_from_slice(&bytes.get_ref()[..length_of_header]);
        self.announced = length;
    }
    /// The close frame: why the stream has ended, or that all is well.
    fn close(&mut self) {
        self.closed = true;
        let (code, reason) = self.frames.end().map_or((CloseCode::Normal, ""), |end| (end.code, end.reason));
        let mut body = u16::from(code).to_be_bytes().to_vec();
        body.extend_from_slice(reason.as_bytes());
        let header = FrameHeader { opcode: OpCode::Control(Control::Close), ..FrameHeader::default() };
        self.queue(Frame::from_payload(header, body.into()));
    }
}

impl<S: AsyncWrite + Unpin> WebSocket<S> {
    /// Writes what goes before any payload.
    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(context, &self.waiting))?;
            self.wrote(written)?;
        }
        Poll::Ready(Ok(()))
    }
    /// So many bytes have gone out; answers how many of them were payload.
    fn wrote(&mut self, written: usize) -> io::Result<usize> {
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let before = written.min(self.waiting.len());
        self.waiting.drain(..before);
        self.announced -= written - before;
        Ok(written - before)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        for _ in 0..FRUITLESS_READS_MAX {
            if this.end_was_told {
                return Pin::new(&mut this.io).poll_read(context, buffer);
            }
            if this.frames.end().is_some() {
                this.end_was_told = true;
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            this.pong();
            if this.announced == 0
                && let Poll::Ready(Err(error)) = this.poll_waiting(context)
            {
                return Poll::Ready(Err(error));
            }
            let mut raw = ReadBuf::new(buffer.initialize_unfilled());
            ready!(Pin::new(&mut this.io).poll_read(context, &mut raw))?;
            let bytes = raw.filled_mut();
            if bytes.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let payload = this.frames.take(bytes);
            if payload > 0 {
                buffer.advance(payload);
                return Poll::Ready(Ok(()));
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if this.announced == 0 {
            this.pong();
            this.announce(bytes.len());
        }
        loop {
            let payload = bytes.get(..this.announced.min(bytes.len())).unwrap_or_default();
            let parts = [IoSlice::new(&this.waiting), IoSlice::new(payload)];
            let written = ready!(Pin::new(&mut this.io).poll_write_vectored(context, &parts))?;
            let payload = this.wrote(written)?;
            if payload > 0 {
                return Poll::Ready(Ok(payload));
            }
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // In the middle of a frame nothing can be said any more.
        if self.announced == 0 {
            if !self.closed {
                self.close();
            }
            ready!(self.poll_waiting(context))?;
        }
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
