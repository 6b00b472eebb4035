//! The gateway of a node: binds its ports, lives on every cell's thread through a [`CellHook`], goes down in order. What
//! its cells share is here; none of it is touched by an ordinary message.
use crate::admit::Admission;
use crate::config::{BadSetting, GatewayConfig};
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::fault::{Fault, FaultBook};
use crate::link::source_of;
use crate::links::{CellLinks, Note};
use crate::listener::{self, Handed};
use crate::presence::Presence;
use crate::tls::{self, TlsError};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{interval, timeout};
use tokio_rustls::TlsAcceptor;
use tongdao_actors::cell::{Cell, CellHook};
use tongdao_actors::door::Door;
use tongdao_actors::request::Request;
use tongdao_domain::audit;
use tongdao_domain::device::DeviceKind;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::{CommandId, DeviceId};
use tongdao_domain::machine::Reply;
use tongdao_domain::time::Timestamp;
use tongdao_telemetry::{AuditFault, ConnectRefused, DevicesOnline};

/// The audit entity of a node.
const AUDIT: &str = "node";
/// How often what is over is written down and what is present is counted.
const SWEEP: Duration = Duration::from_secs(1);
/// What cut connections get to say good-bye, beyond the deadline of a drain.
const CUT: Duration = Duration::from_millis(500);
/// Connections are numbered from the clock's start, so that no number comes again after a restart.
const NUMBERS_PER_MS_BITS: u32 = 20;

/// How far the node is on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not at all.
    Open,
    /// Nobody is let in, nothing more is taken.
    Drain,
    /// Everybody goes.
    Cut,
}

/// Why the gateway cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A setting.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// Certificate or key.
    #[error("config keys `tls.cert` and `tls.key`")]
    Tls(#[from] TlsError),
    /// A port.
    #[error("config key `listen.{key}`: cannot listen on {address}; choose another address or stop who uses it")]
    Port {
        /// The key.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// One port: its first socket waits for cell 0, the other cells bind their own beside it.
struct Port {
    address: SocketAddr,
    first: Mutex<Option<std::net::TcpListener>>,
    tls: Option<TlsAcceptor>,
}

/// What all cells share.
pub(crate) struct Shared {
    pub(crate) config: GatewayConfig,
    pub(crate) admission: Arc<Admission>,
    pub(crate) presence: Presence,
    pub(crate) faults: FaultBook,
    pub(crate) letters: DeadLetters,
    pub(crate) connections: AtomicUsize,
    numbers: AtomicU64,
    empty: Notify,
    stage: watch::Sender<Stage>,
    ports: Vec<Port>,
    door: OnceLock<Door>,
    /// Connections that were accepted elsewhere and wait for a cell; the cells take them in turn.
    hand: mpsc::Sender<Handed>,
    pub(crate) handed: tokio::sync::Mutex<mpsc::Receiver<Handed>>,
}

impl Shared {
    /// A number for a connection, never used before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
    /// A connection has failed before its link began.
    pub(crate) fn refused(&self, peer: IpAddr, fault: Fault, now: Timestamp) {
        let source = source_of(peer);
        let first = self.faults.count(&source, fault, now);
        AuditFault { source: &source, code: fault.code(), first }.emit();
        ConnectRefused { peer: &source, reason: fault.code() }.emit();
    }
    /// A connection is over.
    pub(crate) fn left(&self) {
        if self.connections.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.empty.notify_waiters();
        }
    }
    /// Writes the faults of past minutes (`all`: of every minute) to the audit; what cannot be taken now stays counted.
    async fn write_faults(&self, door: &Door, all: bool) {
        for fault in self.faults.take(door.clock().now(), all) {
            let id = CommandId::of(format_args!("fault/{:x}/{}/{}/{}", self.number(), fault.source, fault.code, fault.minute.0));
            let command = audit::Command::Fault(fault.clone());
            let request = Request::new(EntityKey::new(EntityKind::Audit, AUDIT), id, command, door.clock().now());
            if !matches!(door.send(request).await, Ok(Reply::Done)) {
                self.faults.put_back(&fault);
            }
        }
    }
}

/// The gateway of a node.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

impl Gateway {
    /// Binds the ports; nothing is answered until the cells run. `now` is the process clock at start.
    ///
    /// # Errors
    /// [`BindError`] names the setting.
    pub fn bind(config: GatewayConfig, now: Timestamp) -> Result<Self, BindError> {
        let tls = check(&config)?;
        let mut ports = Vec::new();
        if let Some(address) = config.mqtt {
            ports.push(port("mqtt", address, config.backlog, None)?);
        }
        if let (Some(address), Some(tls)) = (config.mqtts, tls) {
            ports.push(port("mqtts", address, config.backlog, Some(tls))?);
        }
        let (hand, handed) = mpsc::channel(usize::try_from(config.backlog).unwrap_or(1).max(1));
        let shared = Shared {
            admission: Arc::new(Admission::new(&config)),
            presence: Presence::default(),
            faults: FaultBook::new(config.faults_max),
            letters: DeadLetters::new(config.dead_letters_max),
            connections: AtomicUsize::new(0),
            numbers: AtomicU64::new(u64::try_from(now.0).unwrap_or(0) << NUMBERS_PER_MS_BITS),
            empty: Notify::new(),
            stage: watch::channel(Stage::Open).0,
            ports,
            door: OnceLock::new(),
            hand,
            handed: tokio::sync::Mutex::new(handed),
            config,
        };
        Ok(Self { shared: Arc::new(shared) })
    }
    /// Where plain MQTT is listened for.
    #[must_use]
    pub fn mqtt_address(&self) -> Option<SocketAddr> {
        self.shared.ports.iter().find(|port| port.tls.is_none()).map(|port| port.address)
    }
    /// Where MQTT over TLS is listened for.
    #[must_use]
    pub fn mqtts_address(&self) -> Option<SocketAddr> {
        self.shared.ports.iter().find(|port| port.tls.is_some()).map(|port| port.address)
    }
    /// Is there room for one more connection, and is the node not on its way down? It may be otherwise a moment later.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.connections() < self.shared.config.connections_max && *self.shared.stage.borrow() == Stage::Open
    }
    /// Serves a connection that was accepted elsewhere, such as a [`crate::websocket::WebSocket`], like one of the gateway's
    /// own ports: counted with them, with the same limits and time-outs from now on. False = too many wait, or the node goes down.
    pub fn hand(&self, socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, peer: IpAddr) -> bool {
        let open = *self.shared.stage.borrow() == Stage::Open;
        open && self.shared.hand.try_send(Handed { socket: Box::new(socket), peer }).is_ok()
    }
    /// Somebody came elsewhere and was not let in: counted like those who come to the gateway's own ports.
    pub fn turned_away(&self, peer: IpAddr, fault: Fault) {
        let Some(door) = self.shared.door.get() else { return };
        self.shared.refused(peer, fault, door.clock().now());
    }
    /// For [`tongdao_actors::node::NodeConfig`].
    #[must_use]
    pub fn hook(&self) -> Arc<dyn CellHook> {
        Arc::new(self.clone())
    }
    /// The newest messages that could not be taken, oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.shared.letters.list()
    }
    /// Connections, let in or not.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }
    /// Devices that are connected.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceId> {
        self.shared.presence.devices()
    }
    /// Is this device connected?
    #[must_use]
    pub fn is_connected(&self, device: &DeviceId) -> bool {
        self.shared.presence.is_connected(device)
    }

    /// Goes down: lets nobody in, takes nothing more, answers what it has taken, says good-bye. What is not over after
    /// `deadline` is cut. Afterwards the counted faults are in the audit. Call it before the node is shut down.
    pub async fn drain(&self, deadline: Duration) {
        self.shared.admission.drain();
        self.go(Stage::Drain, deadline).await;
        self.go(Stage::Cut, CUT).await;
        if let Some(door) = self.shared.door.get() {
            self.shared.write_faults(door, true).await;
        }
    }
    async fn go(&self, stage: Stage, deadline: Duration) {
        self.shared.stage.send_replace(stage);
        let empty = async {
            loop {
                let empty = self.shared.empty.notified();
                if self.connections() == 0 {
                    return;
                }
                empty.await;
            }
        };
        let _ = timeout(deadline, empty).await;
    }
}

/// Could it be served with these settings? Reads the TLS files, binds nothing.
///
/// # Errors
/// [`BindError`] names the setting.
pub fn check(config: &GatewayConfig) -> Result<Option<TlsAcceptor>, BindError> {
    config.check()?;
    match (config.mqtts, &config.tls_certificate, &config.tls_key) {
        (Some(_), Some(certificate), Some(key)) => Ok(Some(tls::acceptor(certificate, key)?)),
        _ => Ok(None),
    }
}

fn port(key: &'static str, address: SocketAddr, backlog: i32, tls: Option<TlsAcceptor>) -> Result<Port, BindError> {
    let failed = |source| BindError::Port { key, address, source };
    let first = listener::bind(address, backlog, true).map_err(failed)?;
    Ok(Port { address: first.local_addr().map_err(failed)?, first: Mutex::new(Some(first)), tls })
}

impl CellHook for Gateway {
    fn on_cell(&self, cell: Cell) {
        let _ = self.shared.door.set(cell.door());
        let (first_cell, stage) = (cell.index() == 0, self.shared.stage.subscribe());
        let links = CellLinks::new(cell, self.shared.clone());
        for port in &self.shared.ports {
            let waiting = port.first.lock().unwrap_or_else(PoisonError::into_inner).take();
            match waiting.map_or_else(|| listener::bind(port.address, self.shared.config.backlog, false), Ok) {
                Ok(socket) => drop(tokio::task::spawn_local(listener::accept(socket, port.tls.clone(), links.clone(), stage.clone()))),
                Err(error) => tracing::error!(%error, address = %port.address, "a cell cannot listen; the others take its share"),
            }
        }
        tokio::task::spawn_local(listener::take(links.clone(), stage.clone()));
        tokio::task::spawn_local(go_down(links.clone(), stage.clone()));
        if first_cell {
            tokio::task::spawn_local(sweep(self.shared.clone(), links.cell.door(), stage));
        }
    }
}

/// Tells the cell's connections when the node goes down.
async fn go_down(links: std::rc::Rc<CellLinks>, mut stage: watch::Receiver<Stage>) {
    while stage.changed().await.is_ok() {
        match *stage.borrow_and_update() {
            Stage::Open => {}
            Stage::Drain => links.tell_all(|| Note::Drain),
            Stage::Cut => links.tell_all(|| Note::Cut),
        }
    }
}

/// Writes down what is over and counts what is there.
async fn sweep(shared: Arc<Shared>, door: Door, stage: watch::Receiver<Stage>) {
    let mut every = interval(SWEEP);
    while *stage.borrow() == Stage::Open {
        every.tick().await;
        shared.write_faults(&door, false).await;
        shared.admission.forget_old();
        for kind in [DeviceKind::Gate, DeviceKind::Kiosk, DeviceKind::Robot, DeviceKind::Display] {
            let count = u32::try_from(shared.presence.count(kind)).unwrap_or(u32::MAX);
            DevicesOnline { kind: kind.name(), count }.emit();
        }
    }
}
