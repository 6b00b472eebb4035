//! Every stage of a connection has its end, over real sockets, plain and secured.
mod raw;
mod rig;

use raw::{Connect, V3, V5};
use rig::{Client, Rig, SECRET, config, tap_body};
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::Write;
use std::sync::Arc;
use tongdao_device_gateway::config::GatewayConfig;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::StationId;
use tongdao_domain::station;
use tongdao_domain::testing::{by, id};

#[test]
fn a_connect_that_never_ends_is_closed() {
    let rig = Rig::start(GatewayConfig { connect_ms: 100, ..config() }, 1);
    for begun in [0, 1, 20] {
        let mut client = rig.connect();
        client.write(&Connect::new(V5, "s1-g1", SECRET).bytes()[..begun]);
        assert_eq!(client.next(), None);
    }
    rig.stop();
}

#[test]
fn a_packet_that_never_ends_is_closed() {
    let rig = Rig::start(GatewayConfig { packet_ms: 100, ..config() }, 1);
    for version in [V5, V3] {
        let mut gate = rig.gate(version, "s1-g1");
        let tap = raw::publish(version, "td/1/cd/gate/s1-g1/up/tap", tap_body(1, "card-1", rig.clock.now()), 1, 9, false);
        gate.write(&tap[..30]);
        gate.assert_closed(0x97);
    }
    rig.stop();
}

#[test]
fn too_large_a_packet_is_refused_by_its_length_and_the_client_can_read_why() {
    let rig = Rig::plain();
    for version in [V5, V3] {
        let mut gate = rig.gate(version, "s1-g1");
        let _ = gate.line.write_all(&raw::publish(version, "td/1/cd/gate/s1-g1/up/tap", vec![b' '; 70_000], 1, 9, false));
        gate.assert_closed(0x95);
    }
    rig.stop();
}

#[test]
fn who_never_reads_is_closed() {
    let rig = Rig::start(GatewayConfig { write_ms: 300, output_bytes_max: 65_536, ..config() }, 1);
    let emergency = station::Command::Emergency { by: by() };
    rig.ask(EntityKey::from(&id::<StationId>("s1")), "emergency/1", emergency);
    for version in [V5, V3] {
        let mut gate = rig.gate(version, "s1-g1");
        // Each is answered by the retained mode, which is larger than what asks for it.
        let asks = raw::subscribe(version, 9, &[("td/1/cd/gate/s1-g1/down/mode", 0)]).repeat(256);
        // The kernel's buffers fill, then ours; then it is over, and writing fails.
        let written = (0..10_000).find(|_| gate.line.write_all(&asks).is_err());
        assert!(written.is_some(), "hundreds of megabytes of answers were kept");
    }
    rig.stop();
}

struct Files {
    _folder: tempfile::TempDir,
    config: GatewayConfig,
    certificate: CertificateDer<'static>,
}

fn files() -> Files {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let config = GatewayConfig {
        mqtts: Some(([127, 0, 0, 1], 0).into()),
        tls_certificate: Some(certificate),
        tls_key: Some(key),
        tls_handshake_ms: 500,
        ..config()
    };
    Files { _folder: folder, config, certificate: made.cert.der().clone() }
}

#[test]
fn a_tap_is_answered_over_tls() {
    let Files { _folder, config, certificate } = files();
    let rig = Rig::start(config, 1);
    rig.account("a1", "card-1");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let client = Arc::new(versions.with_root_certificates(roots).with_no_client_auth());
    for version in [V5, V3] {
        let session = rustls::ClientConnection::new(client.clone(), ServerName::try_from("localhost").expect("a name")).expect("a session");
        let mut gate = Client::over(rustls::StreamOwned::new(session, Client::socket(rig.gateway.mqtts_address().expect("a port"))));
        gate.sign_in(&Connect::new(version, "s1-g1", SECRET));
        gate.subscribe("td/1/cd/gate/s1-g1/down/#");
        gate.state("s1-g1", true, rig.clock.now());
        let decision = gate.tap("s1-g1", u64::from(version), "card-1", rig.clock.now());
        assert!(decision.body.contains(r#""code":"OK""#), "{}", decision.body);
        gate.write(&raw::disconnect(version, 0));
    }
    rig.stop();
}

#[test]
fn a_handshake_that_never_ends_is_closed_and_plain_mqtt_there_too() {
    let files = files();
    let rig = Rig::start(files.config, 1);
    let address = rig.gateway.mqtts_address().expect("a port");
    assert_eq!(Client::open(address).next(), None);
    let mut plain = Client::open(address);
    plain.write(&Connect::new(V5, "s1-g1", SECRET).bytes());
    while plain.next().is_some() {}
    rig.stop();
}

#[test]
fn a_missing_certificate_is_named() {
    let mut config = files().config;
    config.tls_certificate = Some("/nowhere/cert.pem".into());
    let error = tongdao_device_gateway::gateway::Gateway::bind(config, tongdao_domain::time::Timestamp(0)).err().expect("no such file");
    let source = std::error::Error::source(&error).expect("a source").to_string();
    assert!(source.contains("/nowhere/cert.pem"), "{source}");
}
