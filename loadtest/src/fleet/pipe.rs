//! One non-blocking stream to the server, plain or TLS.
use mio::net::TcpStream;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// How to speak TLS to the server.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// Trusts the authorities of a PEM file; the server must show a certificate for `name`.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate, or the name is none.
    pub fn new(authorities: &Path, name: &str) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(authorities).map_err(io::Error::other)? {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        if roots.is_empty() {
            return Err(io::Error::other(format!("{}: no certificate", authorities.display())));
        }
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(io::Error::other)?;
        Ok(Self { config: Arc::new(versions.with_root_certificates(roots).with_no_client_auth()), name })
    }
}

/// The stream.
pub(super) enum Pipe {
    Plain(TcpStream),
    Tls(Box<(TcpStream, ClientConnection)>),
}

impl Pipe {
    /// Begins to connect.
    pub(super) fn connect(address: SocketAddr, tls: Option<&Tls>) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        let Some(tls) = tls else { return Ok(Self::Plain(stream)) };
        let connection = ClientConnection::new(tls.config.clone(), tls.name.clone()).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new((stream, connection))))
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(both) => &mut both.0,
        }
    }

    /// Reads what is there; `Ok(0)` = the server has closed, `WouldBlock` = nothing more now.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (stream, tls) = match self {
            Self::Plain(stream) => return stream.read(buffer),
            Self::Tls(both) => (&mut both.0, &mut both.1),
        };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return done,
            }
            if tls.read_tls(stream)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Is a short read the end of what is there? Under TLS a record may be waiting.
    pub(super) const fn short_read_is_all(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Does TLS have something to say, such as its part of the handshake?
    pub(super) fn wants_write(&self) -> bool {
        matches!(self, Self::Tls(both) if both.1.wants_write())
    }

    /// Writes from the front of the buffer what the socket takes, and removes it.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain(stream) => write_plain(stream, out),
            Self::Tls(both) => {
                let taken = both.1.writer().write(out)?;
                out.drain(..taken);
                write_tls(&mut both.0, &mut both.1)
            }
        }
    }
}

fn write_plain(stream: &mut TcpStream, out: &mut Vec<u8>) -> io::Result<()> {
    let mut written = 0;
    while written < out.len() {
        match stream.write(&out[written..]) {
            Ok(n) => written += n,
            Err(error) if waits(&error) => break,
            Err(error) => return Err(error),
        }
    }
    if written == out.len() {
        out.clear();
    } else {
        out.drain(..written);
    }
    Ok(())
}

fn write_tls(stream: &mut TcpStream, tls: &mut ClientConnection) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(stream) {
            Ok(_) => {}
            Err(error) if waits(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Not connected yet, or the socket is full.
fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}
