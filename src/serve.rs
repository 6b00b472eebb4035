//! A server's life: bind, open, start, serve until told to stop, drain, put away.
use crate::admin;
use crate::backend::Backend;
use crate::boards::{self, Atlas};
use crate::config::{Backend as Store, Config};
use crate::console::Console;
use crate::console::session::kept;
use crate::exit::{CONFIG, Failure, OK, SOFTWARE};
use crate::gate_page::lender::Lender;
use crate::http::{self, Check, Watched};
use crate::ops::user::SignIn;
use crate::{gate_page, logs, mqtt, node, ops, sites};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tongdao_actors::node::{Node, Stopped, cell_count};
use tongdao_device_gateway::gateway::Gateway;
use tongdao_domain::world::World;

/// The cells may take this long to answer what they have taken and to put it away.
const DRAIN_MAX: Duration = Duration::from_secs(18);
/// Devices get their answers and a good-bye within this.
const GOODBYE_MAX: Duration = Duration::from_secs(5);
/// Entities that `/debug/actors` shows, at most.
const ACTORS_SHOWN_MAX: usize = 1000;
/// How often gauges are brought up to date.
const GAUGES_EVERY: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// What keeps it from starting, with its exit code.
pub fn run(config: &Config) -> Result<u8, Failure> {
    logs::start(&config.log)?;
    let (world, files) = sites::read(config)?;
    let atlas = Atlas::new(&files);
    let runtime = front_runtime()?;
    let server = Server::start(config, world, atlas, &runtime, None)?;
    let told = |address: Option<SocketAddr>| address.map_or_else(|| "off".to_owned(), |address| address.to_string());
    let (mqtt, mqtts, http) = (told(config.listen.mqtt), told(config.listen.mqtts), told(config.listen.http));
    tracing::info!(mqtt, mqtts, http, "serving");
    runtime.block_on(async {
        stop_signal().await;
        tracing::info!("draining; a second signal stops at once");
        tokio::select! {
            stopped = server.stop() => tracing::info!(?stopped, "stopped"),
            () = stop_signal() => tracing::warn!("stopped at once"),
        }
    });
    runtime.shutdown_background();
    Ok(OK)
}

/// The runtime of everything that is not a cell: HTTP, the admin socket, exporters.
///
/// # Errors
/// Threads cannot be made.
pub fn front_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("front").enable_all().build();
    runtime.map_err(|fault| Failure::caused(SOFTWARE, &fault))
}

/// Waits for SIGTERM or SIGINT.
pub async fn stop_signal() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

/// What makes a server a demo.
pub struct Demo<'a> {
    /// What it tells those who try it.
    pub shown: &'a Shown,
    /// Who lends its gates to pages.
    pub lender: Arc<Lender>,
}

/// What a demo tells those who try it.
#[derive(serde::Serialize)]
pub struct Shown {
    /// Who can sign in.
    pub users: Vec<SignIn>,
    /// Media to look for at the service desk.
    pub media: Vec<Try>,
}

/// A medium of a demo.
#[derive(serde::Serialize)]
pub struct Try {
    /// What is typed at the desk.
    pub token: String,
    /// Its account is frozen: somebody has to look into it.
    pub stuck: bool,
}

/// A running server.
pub struct Server {
    /// What operations use.
    pub backend: Backend,
    console: Option<Console>,
    node: Node,
    gateway: Gateway,
}

impl Server {
    /// Binds the listeners, opens the journal, starts the cells, then serves. Nothing is served before all is ready. A demo
    /// names its people.
    ///
    /// # Errors
    /// What is wrong, with its exit code; a busy port names its key.
    pub fn start(
        config: &Config,
        world: World,
        atlas: Atlas,
        runtime: &tokio::runtime::Runtime,
        demo: Option<Demo<'_>>,
    ) -> Result<Self, Failure> {
        let prometheus = recorder()?;
        let http = config.listen.http.map(|address| bind(address, "listen.http")).transpose()?;
        let opened = node::open(config)?;
        let gateway = Gateway::bind(config.gateway(), opened.clock.now()).map_err(|fault| Failure::caused(CONFIG, &fault))?;
        let boards = boards::prepare(&opened, cell_count(config.cells.count), &world, atlas, config.boards())?;
        let (node, backend) = node::start(config, opened, world, gateway.hook())?;
        let admin = runtime.block_on(async { admin::bind(&config.data_dir) })?;
        let operating = backend.clone();
        runtime.spawn(admin::serve(admin, move |op, out| {
            let backend = operating.clone();
            async move { ops::run(&backend, op, &out).await }
        }));
        let mut console = None;
        if let Some(listener) = http {
            let watched = http::routes(Arc::new(Page { backend: backend.clone(), prometheus: prometheus.clone() }));
            let watched = watched.merge(boards.lists().routes(&config.deny));
            let address = listener.local_addr().map_err(|fault| Failure::caused(SOFTWARE, &fault))?;
            runtime.block_on(async {
                match &demo {
                    Some(demo) => ops::user::settle(&backend, &demo.shown.users).await,
                    None => first_user(&backend).await,
                }
            })?;
            // Passwords are shown only to those who sit before this very machine.
            let shown =
                demo.as_ref().map(|demo| if address.ip().is_loopback() { serde_json::json!(demo.shown) } else { serde_json::json!({}) });
            let staff = Console::new(backend.clone(), &config.console, address, shown);
            if config.journal.backend == Store::Embedded {
                staff.sessions_are_kept_in(config.data_dir.join(kept::FILE));
            }
            runtime.block_on(async { staff.show(boards, presence(&gateway)) });
            runtime.spawn(staff.clone().keep_order());
            runtime.spawn(crate::console::commands::resume(staff.clone()));
            let devices = mqtt::routes(gateway.clone(), staff.clone(), &config.gateway);
            let settings = http::Listening { http: config.http, unsent_bytes_max: config.console.socket.unsent_bytes_max };
            let page = virtual_gate(runtime, config, &staff, demo.map(|demo| demo.lender));
            serve_http(runtime, listener, watched.merge(devices).merge(page).merge(staff.routes()), settings);
            console = Some(staff);
        }
        runtime.spawn(keep_gauges(backend.clone(), prometheus));
        Ok(Self { backend, console, node, gateway })
    }

    /// The gateway of its devices.
    pub fn gateway(&self) -> Gateway {
        self.gateway.clone()
    }

    /// Takes nothing new, answers what it has taken, puts everything away.
    pub async fn stop(self) -> Stopped {
        self.backend.draining.store(true, Ordering::Relaxed);
        let consoles = async {
            if let Some(console) = &self.console {
                console.drain(GOODBYE_MAX).await;
            }
        };
        tokio::join!(consoles, self.gateway.drain(GOODBYE_MAX));
        self.node.shutdown(DRAIN_MAX).await
    }
}

/// Which devices have a link, as the gateway sees it.
fn presence(gateway: &Gateway) -> boards::Presence {
    let gateway = gateway.clone();
    Arc::new(move |device| gateway.is_connected(device))
}

/// Where nobody can sign in yet, `admin` can; their password is told once, here and nowhere else.
async fn first_user(backend: &Backend) -> Result<(), Failure> {
    if let Some(password) = ops::user::first(backend).await? {
        println!(
            "first start: sign in as `admin` with the password {password} (told this once; `tongdao user passwd admin` makes another)"
        );
    }
    Ok(())
}

/// The virtual gate's page, where it is served.
fn virtual_gate(runtime: &tokio::runtime::Runtime, config: &Config, console: &Console, lender: Option<Arc<Lender>>) -> axum::Router {
    if !config.gate_page.served.unwrap_or(lender.is_some()) {
        return axum::Router::new();
    }
    if let Some(lender) = lender.clone() {
        runtime.spawn(gate_page::keep_order(console.clone(), lender));
    }
    gate_page::routes(console.clone(), lender)
}

/// One listener for those who watch the process, for staff, and for devices that come over WebSocket.
fn serve_http(runtime: &tokio::runtime::Runtime, listener: std::net::TcpListener, routes: axum::Router, settings: http::Listening) {
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        http::serve(listener, routes, settings).await;
        Ok::<(), std::io::Error>(())
    });
}

/// Binds a TCP listener; a busy port names the key that says another.
fn bind(address: SocketAddr, key: &str) -> Result<std::net::TcpListener, Failure> {
    let listener = std::net::TcpListener::bind(address).map_err(|fault| {
        Failure::new(CONFIG, format!("config key `{key}`: {address}: {fault}; choose another address or stop who uses it"))
    })?;
    listener.set_nonblocking(true).map_err(|fault| Failure::caused(SOFTWARE, &fault))?;
    Ok(listener)
}

/// Installs the recorder, with the buckets that the catalogue names.
fn recorder() -> Result<PrometheusHandle, Failure> {
    let mut builder = PrometheusBuilder::new();
    for (metric, buckets) in tongdao_telemetry::buckets() {
        let named = builder.set_buckets_for_metric(Matcher::Full(metric.name().to_owned()), buckets);
        builder = named.map_err(|fault| Failure::caused(SOFTWARE, &fault))?;
    }
    let handle = builder.install_recorder().map_err(|fault| Failure::caused(SOFTWARE, &fault))?;
    tongdao_telemetry::describe_all();
    Ok(handle)
}

async fn keep_gauges(backend: Backend, prometheus: PrometheusHandle) {
    let mut beat = tokio::time::interval(GAUGES_EVERY);
    loop {
        beat.tick().await;
        let (backend, prometheus) = (backend.clone(), prometheus.clone());
        let work = move || {
            backend.emit_gauges();
            prometheus.run_upkeep();
        };
        // The journal's figures wait for its locks, and those at times for its disk: no socket waits with them.
        let _ = tokio::task::spawn_blocking(work).await;
    }
}

/// What HTTP shows.
struct Page {
    backend: Backend,
    prometheus: PrometheusHandle,
}

impl Watched for Page {
    fn checks(&self) -> BTreeMap<&'static str, Check> {
        self.backend.checks()
    }
    fn durability(&self) -> &'static str {
        self.backend.journal.status().durability
    }
    fn metrics(&self) -> String {
        self.backend.emit_gauges();
        self.prometheus.render()
    }
    fn now(&self) -> String {
        ops::rfc3339(self.backend.door.clock().now())
    }
    async fn actors(&self) -> serde_json::Value {
        let mut observed = self.backend.door.observe(ACTORS_SHOWN_MAX).await;
        // Who was only asked for and is not there: the name may be anything that somebody typed, a password too.
        observed.actors.iter_mut().filter(|actor| actor.version == 0).for_each(|actor| actor.id = "?".into());
        serde_json::to_value(observed).unwrap_or_default()
    }
}
