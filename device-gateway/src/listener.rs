//! Listening: one socket per cell and port (SO_REUSEPORT), the kernel shares out the connections; sockets that HTTP has
//! upgraded are handed to the cells in turn. Taking them is paced and capped, so that a crowd that comes back does not stand
//! in the way of those who are there.
use crate::fault::Fault;
use crate::gateway::Stage;
use crate::link::Link;
use crate::links::{CellLinks, Mailbox};
use crate::shell;
use crate::wire::{CoreWire, Limits};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

/// The rate of accepting is kept over this long.
const PACE: Duration = Duration::from_millis(50);
/// After a failed accept (no more file descriptors) it is tried again after this long.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Binds a socket that other cells may share. The first one is bound alone for a moment, to find out whether another
/// process listens there: sharing would let it.
pub(crate) fn bind(address: SocketAddr, backlog: i32, first: bool) -> io::Result<std::net::TcpListener> {
    let address = if first { open(address, backlog, false)?.local_addr()? } else { address };
    open(address, backlog, true)
}

fn open(address: SocketAddr, backlog: i32, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

/// A connection that was accepted elsewhere.
pub(crate) struct Handed {
    pub(crate) socket: Box<dyn Duplex>,
    pub(crate) peer: IpAddr,
}

/// Bytes both ways, whatever carries them.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// Keeps to a rate of taking connections.
struct Pace {
    each: u32,
    since: Instant,
    count: u32,
}

impl Pace {
    fn of(cell: &CellLinks) -> Self {
        Self { each: (cell.common.config.accepts_per_second / 20).max(1), since: Instant::now(), count: 0 }
    }
    /// One was taken: waits where that was fast.
    async fn taken(&mut self) {
        self.count += 1;
        if self.since.elapsed() >= PACE {
            (self.since, self.count) = (Instant::now(), 0);
        } else if self.count >= self.each {
            sleep_until(self.since + PACE).await;
        }
    }
}

/// Accepts until the node drains.
pub(crate) async fn accept(
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    cell: Rc<CellLinks>,
    mut stage: watch::Receiver<Stage>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut pace = Pace::of(&cell);
    loop {
        tokio::select! {
            biased;
            _ = stage.wait_for(|stage| *stage != Stage::Open) => return,
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => open_connection(socket, peer, tls.clone(), &cell),
                Err(_) => sleep(ACCEPT_AGAIN).await,
            },
        }
        pace.taken().await;
    }
}

/// Takes what was accepted elsewhere, until the node drains.
pub(crate) async fn take(cell: Rc<CellLinks>, mut stage: watch::Receiver<Stage>) {
    let (mut pace, shared) = (Pace::of(&cell), cell.shared.clone());
    loop {
        tokio::select! {
            biased;
            _ = stage.wait_for(|stage| *stage != Stage::Open) => return,
            next = async { shared.handed.lock().await.recv().await } => {
                let Some(Handed { socket, peer }) = next else { return };
                let Some(mailbox) = cell.accepted(peer) else { continue };
                drop(tokio::task::spawn_local(shell::run(socket, link(&cell, &mailbox), cell.clone(), mailbox)));
            }
        }
        pace.taken().await;
    }
}

fn open_connection(socket: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, cell: &Rc<CellLinks>) {
    let Some(mailbox) = cell.accepted(peer.ip()) else { return };
    let _ = socket.set_nodelay(true);
    let cell = cell.clone();
    match tls {
        None => drop(tokio::task::spawn_local(shell::run(socket, link(&cell, &mailbox), cell, mailbox))),
        Some(tls) => drop(tokio::task::spawn_local(secure(socket, tls, cell, mailbox))),
    }
}

fn link(cell: &CellLinks, mailbox: &Mailbox) -> Link<CoreWire> {
    let config = &cell.common.config;
    let wire = CoreWire::new(Limits { packet_bytes_max: config.packet_bytes_max, send_window: config.send_window });
    Link::new(wire, cell.common.clone(), mailbox.peer, mailbox.connection, cell.cell.now())
}

async fn secure(socket: TcpStream, tls: TlsAcceptor, cell: Rc<CellLinks>, mailbox: Rc<Mailbox>) {
    match timeout(cell.common.config.tls_handshake(), tls.accept(socket)).await {
        Ok(Ok(socket)) => Box::pin(shell::run(socket, link(&cell, &mailbox), cell, mailbox)).await,
        _ => {
            cell.refused(mailbox.peer, Fault::Tls);
            cell.closing(&mailbox, Fault::Tls.code());
            cell.gone(&mailbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_share_a_port_and_a_stranger_is_refused() {
        let first = bind(SocketAddr::from(([127, 0, 0, 1], 0)), 8, true).expect("free port");
        let address = first.local_addr().expect("bound");
        let second = bind(address, 8, false).expect("shared");
        assert_eq!(second.local_addr().expect("bound"), address);
        assert_eq!(bind(address, 8, true).map(drop).map_err(|e| e.kind()), Err(io::ErrorKind::AddrInUse));
    }
}
