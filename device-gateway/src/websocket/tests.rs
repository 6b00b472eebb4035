use super::frames::Frames;
use super::*;
use crate::raw::{self, WS_BINARY as BINARY, WS_CLOSE as CLOSE, WS_PING as PING, WS_TEXT as TEXT};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

const FRAME_BYTES_MAX: u64 = 70_000;

/// Feeds bytes in pieces of these lengths; the payload and the code of the end.
fn taken(bytes: &[u8], lengths: impl IntoIterator<Item = usize>) -> (Vec<u8>, Option<u16>) {
    let (mut frames, mut payload, mut rest) = (Frames::new(FRAME_BYTES_MAX), Vec::new(), bytes);
    for length in lengths {
        let (piece, after) = rest.split_at(length.clamp(1, 4096).min(rest.len()));
        let mut piece = piece.to_vec();
        let length = frames.take(&mut piece);
        payload.extend_from_slice(&piece[..length]);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    (payload, frames.end().map(|end| end.code.into()))
}

fn whole(bytes: &[u8]) -> (Vec<u8>, Option<u16>) {
    taken(bytes, std::iter::repeat(4096))
}

/// A frame that is not the message's last.
fn more(opcode: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = raw::ws_frame(opcode, body);
    frame[0] &= 0x7f;
    frame
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_payload_is_the_same(
        bodies in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..700), any::<bool>()), 1..12),
        lengths in proptest::collection::vec(1_usize..900, 1..40),
    ) {
        let mut bytes = Vec::new();
        for (body, ping) in &bodies {
            bytes.extend(raw::ws_frame(BINARY, body));
            if *ping {
                bytes.extend(raw::ws_frame(PING, b"x"));
            }
        }
        bytes.extend(raw::ws_frame(CLOSE, &1000_u16.to_be_bytes()));
        bytes.extend(b"what stands behind the end");
        let wanted: Vec<u8> = bodies.into_iter().flat_map(|(body, _)| body).collect();
        prop_assert_eq!(taken(&bytes, lengths.into_iter().cycle()), (wanted, Some(1000)));
    }

    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (payload, _) = whole(&bytes);
        prop_assert!(payload.len() <= bytes.len());
    }
}

#[test]
fn a_message_may_come_in_several_frames_with_a_ping_between() {
    let bytes = [more(BINARY, b"ab"), raw::ws_frame(PING, b""), more(0, b""), raw::ws_frame(0, b"c"), raw::ws_frame(BINARY, b"d")].concat();
    assert_eq!(whole(&bytes), (b"abcd".to_vec(), None));
}

#[test]
fn what_may_not_stand_there_ends_it_with_a_code() {
    let unmasked = vec![0x82, 1, b'x'];
    let mut reserved_bit = raw::ws_frame(BINARY, b"x");
    reserved_bit[0] |= 0x40;
    let cases = [
        (raw::ws_frame(TEXT, b"hello"), 1003),
        (raw::ws_frame(BINARY, &[0; 70_001]), 1009),
        (unmasked, 1002),
        (reserved_bit, 1002),
        (raw::ws_frame(0, b"x"), 1002),
        ([more(BINARY, b""), raw::ws_frame(BINARY, b"")].concat(), 1002),
        (raw::ws_frame(3, b""), 1002),
        (raw::ws_frame(PING, &[0; 126]), 1002),
        (more(PING, b""), 1002),
        (raw::ws_frame(CLOSE, b""), 1000),
    ];
    for (bytes, code) in cases {
        let (payload, end) = whole(&[raw::ws_frame(BINARY, b"before"), bytes.clone()].concat());
        assert_eq!((payload.as_slice(), end), (&b"before"[..], Some(code)), "{:x?}", &bytes[..bytes.len().min(8)]);
    }
}

fn pair(room: usize) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(room);
    (WebSocket::new(ours, FRAME_BYTES_MAX), theirs)
}

#[tokio::test]
async fn what_is_written_goes_out_in_binary_frames_however_little_the_socket_takes() {
    for room in [1, 3, 64, 100_000] {
        let (mut socket, mut peer) = pair(room);
        let body: Vec<u8> = (0..70_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let sent = body.clone();
        let writing = tokio::spawn(async move {
            socket.write_all(&sent).await.expect("written");
            socket.write_all(b"more").await.expect("written");
            socket.shutdown().await.expect("shut");
        });
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).await.expect("read");
        writing.await.expect("no panic");
        let frames = raw::ws_frames(&mut bytes);
        let payload: Vec<u8> = frames.iter().filter(|(opcode, _)| *opcode == BINARY).flat_map(|(_, body)| body.clone()).collect();
        assert_eq!(payload, [body, b"more".to_vec()].concat());
        assert_eq!(frames.last(), Some(&(CLOSE, 1000_u16.to_be_bytes().to_vec())));
        assert!(bytes.is_empty());
    }
}

#[tokio::test]
async fn a_ping_is_answered_between_frames_and_gives_the_reader_nothing() {
    let (mut socket, mut peer) = pair(1024);
    peer.write_all(&[raw::ws_frame(PING, b"there?"), raw::ws_frame(BINARY, b"x")].concat()).await.expect("written");
    let mut byte = [0];
    socket.read_exact(&mut byte).await.expect("the byte behind it");
    assert_eq!(byte, *b"x");
    socket.write_all(b"y").await.expect("written");
    drop(socket);
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).await.expect("read");
    assert_eq!(raw::ws_frames(&mut bytes), [(raw::WS_PONG, b"there?".to_vec()), (BINARY, b"y".to_vec())]);
}

#[tokio::test]
async fn a_broken_rule_is_an_error_once_then_why_can_be_said() {
    let (mut socket, mut peer) = pair(1024);
    peer.write_all(&[raw::ws_frame(BINARY, b"x"), raw::ws_frame(TEXT, b"hello")].concat()).await.expect("written");
    let mut buffer = [0; 64];
    assert_eq!(socket.read(&mut buffer).await.expect("what came before"), 1);
    assert_eq!(socket.read(&mut buffer).await.expect_err("the end").kind(), io::ErrorKind::ConnectionAborted);
    socket.shutdown().await.expect("said");
    assert!(socket.write_all(b"z").await.is_err(), "nothing follows a good-bye");
    peer.write_all(b"whatever").await.expect("written");
    assert_eq!(socket.read(&mut buffer).await.expect("to be thrown away"), 8);
    let mut bytes = vec![0; 64];
    let length = peer.read(&mut bytes).await.expect("read");
    bytes.truncate(length);
    let frames = raw::ws_frames(&mut bytes);
    assert_eq!((frames[0].0, &frames[0].1[..2]), (CLOSE, &1003_u16.to_be_bytes()[..]));
}
