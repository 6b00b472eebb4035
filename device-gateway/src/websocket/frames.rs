//! Frames out of bytes, in place: the payload of data frames moves to the front of what was read, control frames are kept
//! aside. It holds no socket and waits for nothing. Rules: RFC 6455 for a client without extensions, MQTT's binary frames.
use smallvec::SmallVec;
use std::io::Cursor;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

/// A control frame has no more.
const CONTROL_BYTES_MAX: u64 = 125;

/// Why no more frames are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) code: CloseCode,
    /// In words, for whoever looks at the peer's end.
    pub(super) reason: &'static str,
}

const GOODBYE: End = End { code: CloseCode::Normal, reason: "" };
const TEXT: End = End { code: CloseCode::Unsupported, reason: "MQTT comes in binary frames" };
const TOO_LARGE: End = End { code: CloseCode::Size, reason: "frame too large" };
const BROKEN: End = End { code: CloseCode::Protocol, reason: "not a frame that may stand here" };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data,
    Ping,
    Pong,
    Close,
}

/// A frame whose header is known.
#[derive(Debug)]
struct Begun {
    kind: Kind,
    left: u64,
    mask: [u8; 4],
    /// Bytes of the frame so far, as far as the mask cares.
    turn: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Frames {
    frame_bytes_max: u64,
    /// As much of a header as has come.
    head: SmallVec<[u8; 14]>,
    begun: Option<Begun>,
    /// A message that goes on in the next data frame.
    unfinished: bool,
    control: Vec<u8>,
    ping: Option<Vec<u8>>,
    end: Option<End>,
}

impl Frames {
    pub(super) fn new(frame_bytes_max: u64) -> Self {
        Self { frame_bytes_max, head: SmallVec::new(), begun: None, unfinished: false, control: Vec::new(), ping: None, end: None }
    }
    /// The body of the newest ping that has no answer yet.
    pub(super) fn take_ping(&mut self) -> Option<Vec<u8>> {
        self.ping.take()
    }
    /// Why it is over.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Takes what was read; so many bytes at its front are payload. What stands behind the end is not looked at.
    pub(super) fn take(&mut self, bytes: &mut [u8]) -> usize {
        let (mut at, mut payload) = (0, 0);
        while at < bytes.len() && self.end.is_none() {
            let Some(begun) = &mut self.begun else {
                self.head.push(bytes[at]);
                at += 1;
                if let Err(end) = self.header() {
                    self.end = Some(end);
                }
                continue;
            };
            let length = usize::try_from(begun.left).unwrap_or(usize::MAX).min(bytes.len() - at);
            begun.unmask(&mut bytes[at..at + length]);
            match begun.kind {
                Kind::Data => {
                    bytes.copy_within(at..at + length, payload);
                    payload += length;
                }
                Kind::Ping => self.control.extend_from_slice(&bytes[at..at + length]),
                Kind::Pong | Kind::Close => {}
            }
            at += length;
            self.finish();
        }
        payload
    }

    /// Begins a frame, once its header is whole.
    fn header(&mut self) -> Result<(), End> {
        let Some((header, left)) = FrameHeader::parse(&mut Cursor::new(self.head.as_slice())).map_err(|_| BROKEN)? else {
            return Ok(());
        };
        self.head.clear();
        let FrameHeader { is_final, rsv1, rsv2, rsv3, opcode, mask } = header;
        let mask = mask.filter(|_| !(rsv1 || rsv2 || rsv3)).ok_or(BROKEN)?;
        let kind = match opcode {
            OpCode::Data(Data::Text) => return Err(TEXT),
            OpCode::Data(Data::Binary) if !self.unfinished => Kind::Data,
            OpCode::Data(Data::Continue) if self.unfinished => Kind::Data,
            OpCode::Control(control) if is_final && left <= CONTROL_BYTES_MAX => match control {
                Control::Ping => Kind::Ping,
                Control::Pong => Kind::Pong,
                Control::Close => Kind::Close,
                Control::Reserved(_) => return Err(BROKEN),
            },
            _ => return Err(BROKEN),
        };
        if kind == Kind::Data {
            self.unfinished = !is_final;
            if left > self.frame_bytes_max {
                return Err(TOO_LARGE);
            }
        }
        self.begun = Some(Begun { kind, left, mask, turn: 0 });
        self.finish();
        Ok(())
    }

    /// Ends the frame that has come whole.
    fn finish(&mut self) {
        let Some(Begun { kind, .. }) = self.begun.take_if(|begun| begun.left == 0) else { return };
        match kind {
            Kind::Ping => self.ping = Some(std::mem::take(&mut self.control)),
            Kind::Close => self.end = Some(GOODBYE),
            Kind::Data | Kind::Pong => {}
        }
    }
}

impl Begun {
    fn unmask(&mut self, bytes: &mut [u8]) {
        for byte in &mut *bytes {
            *byte ^= self.mask[self.turn % 4];
            self.turn += 1;
        }
        self.turn %= 4;
        self.left -= bytes.len() as u64;
    }
}
