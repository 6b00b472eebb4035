//! The command line of `tongdao-loadtest`.
pub mod consoles;
pub mod flows;
pub mod gates;
pub mod idle;
pub mod offline;
pub mod prepare;
pub mod replay;
pub mod storm;

use crate::clock::Clock;
use crate::files;
use crate::fleet::{Credentials, Server, Tls};
use crate::mqtt::Version;
use clap::Args;
use std::io::{self, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

/// Where the server is, and which devices and media there are.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// MQTT listener of the server, host:port.
    #[arg(long, default_value = "127.0.0.1:1883")]
    pub addr: String,
    /// Site id in the topics; left out, it is the id of --site-file.
    #[arg(long)]
    pub site: Option<String>,
    /// Site file; only gates that stand in it are used.
    #[arg(long)]
    pub site_file: Option<PathBuf>,
    /// Devices with their secrets (CSV: device_id,kind,site,secret).
    #[arg(long)]
    pub devices: PathBuf,
    /// Version of MQTT.
    #[arg(long, default_value = "5", value_parser = ["3", "5"])]
    pub mqtt: String,
    /// Speak TLS; needs --ca.
    #[arg(long, requires = "ca")]
    pub tls: bool,
    /// Authorities that the server's certificate may come from, PEM.
    #[arg(long)]
    pub ca: Option<PathBuf>,
    /// Name in the server's certificate.
    #[arg(long, default_value = "localhost")]
    pub tls_name: String,
    /// HTTP listener of the server: gates fetch whole deny lists there, consoles sign in (there 127.0.0.1:8080 where it is left out).
    #[arg(long)]
    pub http: Option<SocketAddr>,
    /// HTTP listener of the server: take its time as the gates' own (for a server that runs at another date).
    #[arg(long)]
    pub clock_from: Option<SocketAddr>,
}

impl Target {
    fn server(&self, site: String) -> io::Result<Server> {
        let address = self.addr.to_socket_addrs()?.next().ok_or_else(|| io::Error::other(format!("{}: no such host", self.addr)))?;
        let tls = match &self.ca {
            Some(authorities) if self.tls => Some(Tls::new(authorities, &self.tls_name)?),
            _ => None,
        };
        let version = if self.mqtt == "3" { Version::V3 } else { Version::V5 };
        Ok(Server { address, tls, version, site, http: self.http.or(self.clock_from) })
    }

    fn clock(&self) -> io::Result<Clock> {
        self.clock_from.map_or_else(|| Ok(Clock::local()), Clock::of_server)
    }
}

/// The site and its gates with their secrets; of a site file only those that stand in it.
fn site_and_gates(target: &Target) -> io::Result<(String, Vec<Credentials>)> {
    let file = target.site_file.as_deref().map(files::site).transpose()?;
    let named = target.site.clone().or_else(|| file.as_ref().map(|file| file.id.as_str().to_owned()));
    let site = named.ok_or_else(|| io::Error::other("name the site: --site or --site-file"))?;
    let gates = files::gates(&target.devices, &site)?;
    let gates = match &file {
        Some(file) => files::placed(file, gates).into_iter().map(|(_, gate)| gate).collect(),
        None => gates,
    };
    Ok((site, gates))
}

/// Appends a result as one line of JSON.
fn append(path: Option<&PathBuf>, report: &impl serde::Serialize) -> io::Result<()> {
    let Some(path) = path else { return Ok(()) };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    serde_json::to_writer(&mut file, report)?;
    writeln!(file)
}

/// Each connection is a file: as many as the system lets us have.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Without it a small load still runs; a large one will say which socket failed.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
