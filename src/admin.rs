//! The admin socket: one line in (an operation as JSON), lines out, the last of them the exit code. Mode 0600 in the data
//! folder: who may read the journal may administer it. Not a network interface.
use crate::cli::Op;
use crate::exit::{Failure, IO, SOFTWARE};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

/// Longest request: an import file travels in it.
const REQUEST_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Lines of an answer that may wait for a slow reader.
const FRAMES_WAITING_MAX: usize = 256;
/// A request must have arrived whole within this.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Operations at one time.
const CONNECTIONS_MAX: usize = 16;

/// A line of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// For standard output.
    Out(String),
    /// For standard error.
    Err(String),
    /// The end, with the exit code.
    Exit(u8),
}

/// Where an operation says what it has to say; waits where the reader is slow.
#[derive(Debug, Clone)]
pub struct Out(mpsc::Sender<Frame>);

impl Out {
    /// A sink and what comes out of it.
    pub fn channel() -> (Self, mpsc::Receiver<Frame>) {
        let (sender, receiver) = mpsc::channel(FRAMES_WAITING_MAX);
        (Self(sender), receiver)
    }
    /// A line for standard output; false when nobody reads any more.
    pub async fn line(&self, text: impl Into<String>) -> bool {
        self.0.send(Frame::Out(text.into())).await.is_ok()
    }
    /// As [`Out::line`], from a thread that may block.
    pub fn line_blocking(&self, text: impl Into<String>) -> bool {
        self.0.blocking_send(Frame::Out(text.into())).is_ok()
    }
    /// A line for standard error.
    pub async fn error(&self, text: impl Into<String>) {
        let _ = self.0.send(Frame::Err(text.into())).await;
    }
    /// As [`Out::error`], from a thread that may block; false when nobody reads any more.
    pub fn error_blocking(&self, text: impl Into<String>) -> bool {
        self.0.blocking_send(Frame::Err(text.into())).is_ok()
    }
    /// The end.
    pub async fn exit(&self, code: u8) {
        let _ = self.0.send(Frame::Exit(code)).await;
    }
}

/// The path of the socket in a data folder.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.sock")
}

/// Takes the socket's place; a socket left by a killed process is replaced (the journal's lock says who is alive).
///
/// # Errors
/// Exit 74 when the folder does not allow it.
pub fn bind(data_dir: &Path) -> Result<UnixListener, Failure> {
    let path = socket_path(data_dir);
    let fail = |fault: std::io::Error| Failure::new(IO, format!("admin socket {}: {fault}", path.display()));
    match std::fs::remove_file(&path) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => return Err(fail(fault)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(fail)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(fail)?;
    Ok(listener)
}

/// Answers operations until it is dropped; `run` runs one of them.
pub async fn serve<F, R>(listener: UnixListener, run: F)
where
    F: Fn(Op, Out) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let run = run.clone();
        tokio::spawn(async move {
            if let Err(fault) = answer(stream, run).await {
                tracing::debug!(%fault, "admin connection ended early");
            }
            drop(place);
        });
    }
}

async fn answer<F, R>(stream: UnixStream, run: F) -> std::io::Result<()>
where
    F: Fn(Op, Out) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let read = BufReader::new(reader.take(REQUEST_BYTES_MAX)).read_line(&mut line).into_timeout().await?;
    if read == 0 {
        return Ok(());
    }
    let (out, mut frames) = Out::channel();
    match serde_json::from_str::<Op>(&line) {
        Ok(op) => drop(tokio::spawn(run(op, out))),
        Err(fault) => {
            out.error(format!("the running server does not understand this operation: {fault}")).await;
            out.exit(SOFTWARE).await;
            drop(out);
        }
    }
    while let Some(frame) = frames.recv().await {
        let mut text = serde_json::to_vec(&frame).map_err(std::io::Error::other)?;
        text.push(b'\n');
        writer.write_all(&text).await?;
    }
    writer.shutdown().await
}

trait IntoTimeout: Future<Output = std::io::Result<usize>> + Sized {
    async fn into_timeout(self) -> std::io::Result<usize> {
        tokio::time::timeout(REQUEST_TIMEOUT, self).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }
}
impl<T: Future<Output = std::io::Result<usize>>> IntoTimeout for T {}

/// Speaks to a running server; `None` = there is none.
///
/// # Errors
/// The connection broke before the answer was whole (exit 74).
pub async fn call(data_dir: &Path, op: &Op) -> Option<Result<u8, Failure>> {
    let stream = UnixStream::connect(socket_path(data_dir)).await.ok()?;
    Some(ask(stream, op).await.map_err(|fault| Failure::new(IO, format!("admin socket: {fault}"))))
}

async fn ask(stream: UnixStream, op: &Op) -> std::io::Result<u8> {
    let (reader, mut writer) = stream.into_split();
    let mut text = serde_json::to_vec(op).map_err(std::io::Error::other)?;
    text.push(b'\n');
    writer.write_all(&text).await?;
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(code) = print(&serde_json::from_str(&line).map_err(std::io::Error::other)?) {
            return Ok(code);
        }
    }
    Err(std::io::Error::other("the server went away before its answer was whole"))
}

/// Prints the frames of an operation that runs in this process.
pub async fn print_all(mut frames: mpsc::Receiver<Frame>) -> u8 {
    while let Some(frame) = frames.recv().await {
        if let Some(code) = print(&frame) {
            return code;
        }
    }
    SOFTWARE
}

fn print(frame: &Frame) -> Option<u8> {
    match frame {
        Frame::Out(text) => {
            // A reader that has gone away (`| head`) ends the answer quietly.
            if writeln!(std::io::stdout().lock(), "{text}").is_err() {
                return Some(crate::exit::OK);
            }
            None
        }
        Frame::Err(text) => {
            eprintln!("{text}");
            None
        }
        Frame::Exit(code) => Some(*code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo(op: Op, out: Out) {
        out.line(format!("{op:?}")).await;
        out.exit(3).await;
    }

    #[tokio::test]
    async fn an_operation_travels_and_its_exit_code_comes_back() {
        let dir = tempfile::tempdir().expect("a folder");
        let server = tokio::spawn(serve(bind(dir.path()).expect("a socket"), echo));
        assert_eq!(call(dir.path(), &Op::Verify).await.expect("a server").expect("an answer"), 3);
        server.abort();
    }

    #[tokio::test]
    async fn no_server_is_told_apart_from_a_failure() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(call(dir.path(), &Op::Verify).await.is_none());
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced_and_private() {
        let dir = tempfile::tempdir().expect("a folder");
        drop(bind(dir.path()).expect("a socket"));
        let _again = bind(dir.path()).expect("the place is free");
        let mode = std::fs::metadata(socket_path(dir.path())).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn nonsense_gets_a_clear_answer() {
        let dir = tempfile::tempdir().expect("a folder");
        let server = tokio::spawn(serve(bind(dir.path()).expect("a socket"), echo));
        let mut stream = UnixStream::connect(socket_path(dir.path())).await.expect("connects");
        stream.write_all(b"hello\n").await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.contains("does not understand") && answer.contains("{\"exit\":70}"), "{answer}");
        server.abort();
    }
}
