//! What one tap costs in this room: `cargo bench -p tongdao-protocol`. A figure, not a test.
use std::hint::black_box;
use std::time::Instant;
use tongdao_domain::code::Code;
use tongdao_domain::id::DeviceId;
use tongdao_domain::money::Amount;
use tongdao_domain::tap::{Reference, TapDecision};
use tongdao_protocol::gate::{Tap, encode_decision};
use tongdao_protocol::payload::decode;

const ROUNDS: u32 = 1_000_000;
const TAP: &[u8] = br#"{"epoch":7,"seq":42,"direction":"entry","medium":{"kind":"card","token":"6b86b273ff34fce19d6b804eff5a3f57"},"at":"2026-03-02T08:00:00.000Z","deadline_ms":250,"mode":3,"list_version":0}"#;

fn main() {
    let device = DeviceId::new("g1").expect("an id");
    let read = |bytes: &[u8]| decode::<Tap>(bytes).expect("good").message.into_domain(&device).expect("good");
    let mut decision = TapDecision::bare(&read(TAP), Code::Ok, tongdao_domain::time::Timestamp(1_772_438_400_040));
    decision.balance = Some(Amount::from_fen(4800));
    decision.journey = Some("tianfu-g1/7/42".into());
    decision.reference = Some(Reference("account-0001/12".into()));
    let mut out = Vec::with_capacity(1024);
    measure("decode a tap", || {
        black_box(read(black_box(TAP)));
    });
    measure("encode a decision", || {
        out.clear();
        encode_decision(black_box(&decision), &mut out);
        black_box(&out);
    });
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn measure(what: &str, mut work: impl FnMut()) {
    (0..ROUNDS / 10).for_each(|_| work());
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| work());
    println!("{what}: {} ns", start.elapsed().as_nanos() / u128::from(ROUNDS));
}
