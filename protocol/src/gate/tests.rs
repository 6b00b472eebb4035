//! The gate's messages, as bytes: golden texts, round trips, refusals with their reasons.
use super::*;
use crate::device::{Ack, AckResult, Command, Config, State};
use crate::payload::{Decoded, PAYLOAD_BYTES_MAX, decode, encode};
use crate::wire::Wire;
use proptest::prelude::*;
use tongdao_domain::code::Code;
use tongdao_domain::id::{DeviceId, TapId};
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::tap::{self, Reference, TapDecision};
use tongdao_domain::time::{Millis, Timestamp};

/// 2026-03-02T08:00:00.000Z, a Monday.
const EIGHT: Timestamp = Timestamp(1_772_438_400_000);

fn device() -> DeviceId {
    DeviceId::new("g1").expect("an id")
}
fn read<T: for<'de> Wire<'de>>(text: &str) -> Result<Decoded<T>, String> {
    decode(text.as_bytes()).map_err(|error| error.to_string())
}
fn good<T: for<'de> Wire<'de>>(text: &str) -> T {
    read::<T>(text).expect("a good payload").message
}

const TAP: &str = concat!(
    r#"{"epoch":7,"seq":42,"direction":"entry","medium":{"kind":"qr","token":"t1.1772438400.c2ln"},"#,
    r#""at":"2026-03-02T08:00:00.000Z","deadline_ms":250,"mode":3,"list_version":0}"#
);
const PASSAGE: &str = r#"{"epoch":7,"seq":42,"ref":"a1/1","outcome":"passed","at":"2026-03-02T08:00:01.500Z"}"#;
const RECORDS: &str = concat!(
    r#"{"epoch":7,"first_seq":42,"records":[{"seq":42,"direction":"exit","medium":{"kind":"ecny_hard","token":"t1","counter":9,"signature":"c2ln"},"#,
    r#""at":"2026-03-02T08:00:00.000Z","mode":3,"by":"gate","shown":"open","passage":"passed"},"#,
    r#"{"seq":43,"direction":"entry","medium":null,"at":"2026-03-02T08:00:09.000Z","mode":3,"by":"gate","shown":"deny","passage":"none"}]}"#
);
const ALARM: &str = r#"{"id":"al-1","kind":"emergency_button","on":true,"at":"2026-03-02T08:00:00.000Z"}"#;
const STATE: &str = concat!(
    r#"{"online":true,"service":"both","firmware":"2.4.1","versions":{"fares":"2026-01","list":"12"},"faults":["reader"],"#,
    r#""at":"2026-03-02T08:00:00.000Z"}"#
);
const ACK: &str = r#"{"id":"station-mode/tianfu/3","result":"done","detail":"","at":"2026-03-02T08:00:00.000Z"}"#;
const DECISION: &str = concat!(
    r#"{"epoch":7,"seq":42,"result":"open","code":"OK","fare":{"amount":"2.00","currency":"CNY"},"balance":{"amount":"48.00","currency":"CNY"},"#,
    r#""journey":"g2/3/9","ref":"a1/2","decided_at":"2026-03-02T08:00:00.040Z","expires_at":"2026-03-02T08:00:00.250Z","#,
    r#""messages":{"zh-CN":"请通行","en":"Please go through"}}"#
);
const RECORDS_ACK: &str = r#"{"epoch":7,"upto":41,"missing":[[38,39]],"rejected":[{"seq":40,"code":"KEY_REUSED"}]}"#;
const MODE: &str = concat!(
    r#"{"id":"m/1","rev":3,"service":"both","station_mode":["closed","emergency"],"issued_by":"ops1","reason":"fire drill","#,
    r#""from":"2026-03-02T08:00:00.000Z","until":"2026-03-02T09:00:00.000Z"}"#
);
const COMMAND: &str = r#"{"id":"c/1","command":"restart","args":{},"expires_at":"2026-03-02T08:01:00.000Z"}"#;
const CONFIG: &str = r#"{"version":1,"retap_window_ms":3000,"no_passage_ms":8000,"riders_max":3,"records_max":150}"#;

/// Each text is what its message encodes to, byte for byte: the golden files of the wire.
#[test]
fn every_message_reads_and_writes_its_golden_text() {
    fn golden<T: for<'de> Wire<'de> + serde::Serialize>(text: &str) {
        let Decoded { message, unknown } = read::<T>(text).expect("a good payload");
        assert!(unknown.is_empty());
        assert_eq!(String::from_utf8_lossy(&encode(&message)), text);
    }
    golden::<Tap>(TAP);
    golden::<Passage>(PASSAGE);
    golden::<Records>(RECORDS);
    golden::<Alarm>(ALARM);
    golden::<State>(STATE);
    golden::<Ack>(ACK);
    golden::<Decision>(DECISION);
    golden::<RecordsAck>(RECORDS_ACK);
    golden::<Mode>(MODE);
    golden::<Command>(COMMAND);
    golden::<Config>(CONFIG);
}

#[test]
fn a_tap_becomes_a_domain_tap_and_a_qr_code_shows_its_medium() {
    let tap = good::<Tap>(TAP).into_domain(&device()).expect("good");
    assert_eq!(tap.id, TapId { device: device(), epoch: 7, seq: 42 });
    assert_eq!((tap.medium.token.as_str(), tap.medium.qr.as_deref()), ("t1", Some("t1.1772438400.c2ln")));
    assert_eq!((tap.at, tap.expires_at(), tap.mode), (EIGHT, EIGHT + Millis(250), 3));
    assert_eq!(Tap::from(&tap), good::<Tap>(TAP));
}

#[test]
fn what_is_known_of_a_medium_depends_on_its_kind() {
    let medium = |kind, token: &str| Medium::new(kind, token).expect("printable").into_domain();
    let long = format!("t1.{}", "x".repeat(253));
    assert_eq!(medium(MediumKind::Qr, &long).expect("good").token.as_str(), "t1");
    assert!(Medium::new(MediumKind::Qr, &format!("{long}x")).is_none(), "at most 256");
    assert_eq!(medium(MediumKind::Card, "a.b").expect("good").token.as_str(), "a.b", "only a QR code is cut at its dot");
    for (kind, bad) in [(MediumKind::Card, "a/b"), (MediumKind::Qr, ".1.s"), (MediumKind::Card, long.as_str())] {
        let told = medium(kind, bad).expect_err("no token").to_string();
        assert!(told.starts_with("field `medium.token` must be an id of 1 to 64 characters"), "{told}");
    }
}

#[test]
fn a_batch_of_records_becomes_a_command_and_an_intrusion_has_no_medium() {
    let command = good::<Records>(RECORDS).into_domain(&device()).expect("good");
    let tongdao_domain::gate::Command::Records { epoch, first_seq, records } = command else { panic!("{command:?}") };
    assert_eq!((epoch, first_seq, records.len()), (7, 42, 2));
    assert_eq!((records[0].passage, records[0].by), (Some(tap::Passage::Passed), tap::DecidedBy::Gate));
    assert_eq!((records[1].medium.as_ref(), records[1].passage, records[1].shown), (None, None, tap::Shown::Deny));
    assert_eq!(records.iter().map(Record::from).collect::<Vec<_>>(), good::<Records>(RECORDS).records);
}

#[test]
fn a_batch_of_records_is_bounded_and_comes_in_any_order() {
    let batch = good::<Records>(RECORDS);
    let told = |batch: Records| batch.into_domain(&device()).expect_err("refused").to_string();
    let one = batch.records[0].clone();
    let many = (0..151).map(|n| Record { seq: 42 + n, ..one.clone() }).collect();
    assert_eq!(told(Records { records: many, ..batch.clone() }), "field `records` must be a list of at most 150 records");
    let shuffled = vec![Record { seq: 50, ..one.clone() }, one.clone(), one];
    let command = Records { records: shuffled, first_seq: 43, ..batch }.into_domain(&device()).expect("taken as it comes");
    let tongdao_domain::gate::Command::Records { records, .. } = command else { panic!("{command:?}") };
    assert_eq!(records.iter().map(|record| record.tap.seq).collect::<Vec<_>>(), [50, 42, 42]);
}

#[test]
fn the_rest_of_what_a_device_sends_becomes_commands() {
    let passage = good::<Passage>(PASSAGE).into_domain(&device());
    assert!(matches!(&passage, tongdao_domain::gate::Command::Passage { reference: Some(Reference(text)), .. } if text == "a1/1"));
    let alone = good::<Passage>(r#"{"epoch":7,"seq":42,"outcome":"intrusion","at":"2026-03-02T08:00:01.500Z"}"#).into_domain(&device());
    assert!(matches!(&alone, tongdao_domain::gate::Command::Passage { reference: None, .. }));
    let twin = good::<State>(STATE).into_domain().expect("good");
    assert_eq!((twin.online, twin.versions.get("list").map(|v| v.as_str())), (true, Some("12")));
    assert_eq!(State::from(twin), good::<State>(STATE));
    let numbers = good::<State>(&STATE.replace(r#""12""#, "12"));
    assert_eq!(numbers, good::<State>(STATE), "a version may be a number");
    let ack = good::<Ack>(r#"{"id":"c/1","result":"unsupported","at":"2026-03-02T08:00:00Z"}"#);
    assert_eq!((ack.result, ack.detail.as_ref()), (AckResult::Unsupported, None));
    let alarm = good::<Alarm>(ALARM).into_domain(&device());
    assert!(matches!(alarm, tongdao_domain::station::Command::Alarm { on: true, at: EIGHT, .. }));
}

#[test]
fn unknown_fields_are_ignored_and_reported_if_they_are_small() {
    let small = r#""lux":3,"dark":true,"note":"ok","level":-1.5,"x9":null,"#;
    let with = |extra: &str| read::<Tap>(&TAP.replacen('{', &format!("{{{extra}"), 1));
    let Decoded { message, unknown } = with(small).expect("small");
    assert_eq!(message, good::<Tap>(TAP));
    assert_eq!(unknown.as_slice(), ["lux", "dark", "note", "level", "?"], "a name that could hold data is not repeated");
    let text = |chars: usize| with(&format!(r#""note":"{}","#, "图".repeat(chars)));
    assert!(text(128).is_ok());
    assert_eq!(text(129).expect_err("long"), "unknown field `note` holds more than a number, a boolean or 128 characters: leave it out");
    let nested = TAP.replacen(r#""kind""#, r#""strength":5,"kind""#, 1);
    assert_eq!(read::<Tap>(&nested).expect("small").unknown.as_slice(), ["strength"]);
    let many: String = (0..33).map(|n| format!(r#""f{}":1,"#, "x".repeat(n))).collect();
    assert_eq!(with(&many).expect_err("many"), "more than 32 unknown fields: send only the fields of this message");
}

/// What must be refused, and what the refusal says. No message quotes a value.
#[test]
fn bad_payloads_are_refused_with_the_field_and_the_way_out() {
    let tap = |from: &str, to: &str| TAP.replacen(from, to, 1);
    let whole = "a whole number from 0 to 9007199254740991";
    let moment = "a moment in RFC 3339, such as 2026-03-02T08:00:00.000Z";
    let large = " holds more than a number, a boolean or 128 characters: leave it out";
    let cases = [
        (tap(r#""seq":42,"#, ""), format!("field `seq` is missing: send {whole}")),
        (tap("42", "\"42\""), format!("field `seq` must be {whole}")),
        (tap("42", "-1"), format!("field `seq` must be {whole}")),
        (tap("42", "4.2"), format!("field `seq` must be {whole}")),
        (tap("42", "1e3"), format!("field `seq` must be {whole}")),
        (tap("42", "9007199254740992"), format!("field `seq` must be {whole}")),
        (tap("42", "99999999999999999999"), format!("field `seq` must be {whole}")),
        (tap("42", "null"), format!("field `seq` must be {whole}")),
        (tap("\"entry\"", "\"in\""), "field `direction` must be one of entry exit".to_owned()),
        (tap("\"entry\"", "\"ENTRY\""), "field `direction` must be one of entry exit".to_owned()),
        (tap("\"entry\"", "true"), "field `direction` must be one of entry exit".to_owned()),
        (tap("\"qr\"", "\"sock\""), "field `medium.kind` must be one of qr face ecny ecny_hard bank card".to_owned()),
        (tap(r#""kind":"qr","#, ""), "field `medium.kind` is missing: send one of qr face ecny ecny_hard bank card".to_owned()),
        (
            tap(r#""token":"t1.1772438400.c2ln""#, r#""token":"a b""#),
            "field `medium.token` must be 1 to 256 printable ASCII characters without spaces".to_owned(),
        ),
        (
            tap(r#""token":"t1.1772438400.c2ln""#, r#""token":"""#),
            "field `medium.token` must be 1 to 256 printable ASCII characters without spaces".to_owned(),
        ),
        (
            tap(r#"{"kind":"qr","token":"t1.1772438400.c2ln"}"#, "null"),
            "field `medium` must be an object with the fields kind token counter signature".to_owned(),
        ),
        (
            tap(r#"{"kind":"qr","token":"t1.1772438400.c2ln"}"#, "[]"),
            "field `medium` must be an object with the fields kind token counter signature".to_owned(),
        ),
        (tap("2026-03-02T08:00:00.000Z", "yesterday"), format!("field `at` must be {moment}")),
        (tap("\"2026-03-02T08:00:00.000Z\"", "1772438400000"), format!("field `at` must be {moment}")),
        (tap(r#""seq":42"#, r#""seq":42,"seq":42"#), "field `seq` stands twice: send each field once".to_owned()),
        (tap(r#""seq":42"#, r#""seq":42,"s\u0065q":43"#), "field `seq` stands twice: send each field once".to_owned()),
        (tap(r#""kind":"qr""#, r#""kind":"qr","kind":"qr""#), "field `medium.kind` stands twice: send each field once".to_owned()),
        (tap(r#""seq":42"#, r#""seq":42,"note":1,"note":2"#), "field `note` stands twice: send each field once".to_owned()),
        (tap(r#""seq":42"#, r#""seq":42,"picture":{"b64":"x"}"#), format!("unknown field `picture`{large}")),
        (tap(r#""seq":42"#, r#""seq":42,"template":[1,2]"#), format!("unknown field `template`{large}")),
        (tap(r#""seq":42"#, &format!(r#""seq":42,"x":{}"#, "[".repeat(30_000))), format!("unknown field `x`{large}")),
        (tap(r#""kind":"qr""#, r#""kind":"qr","face":{}"#), format!("unknown field `medium.face`{large}")),
        ("[]".to_owned(), "the payload is no JSON object: send one object with the fields of this message".to_owned()),
        ("null".to_owned(), "the payload is no JSON object: send one object with the fields of this message".to_owned()),
        ("\"tap\"".to_owned(), "the payload is no JSON object: send one object with the fields of this message".to_owned()),
        ("{}".to_owned(), format!("field `epoch` is missing: send {whole}")),
    ];
    for (text, message) in cases {
        let told = read::<Tap>(&text).expect_err(&text);
        assert_eq!(told, message, "{text}");
    }
}

#[test]
fn a_record_is_named_by_its_place_in_the_batch() {
    let told =
        read::<Records>(&RECORDS.replacen(r#""by":"gate","shown":"deny""#, r#""by":"gate","shown":"ajar""#, 1)).expect_err("refused");
    assert_eq!(told, "field `records[1].shown` must be one of open deny");
    let told = read::<Records>(&RECORDS.replacen(r#""token":"t1""#, r#""token":7"#, 1)).expect_err("refused");
    assert!(told.starts_with("field `records[0].medium.token` must be"), "{told}");
    let told = read::<State>(&STATE.replace(r#"["reader"]"#, r#"["reader","a b"]"#)).expect_err("refused");
    assert!(told.starts_with("field `faults[1]` must be an id"), "{told}");
    let told = read::<State>(&STATE.replace(r#""12""#, r#"{"deep":1}"#)).expect_err("refused");
    assert!(told.starts_with("field `versions` must be an object of at most 32 versions"), "{told}");
}

#[test]
fn what_is_no_json_is_malformed_and_says_where() {
    let mut told = String::new();
    for text in [
        "",
        "{",
        "}",
        r#"{"epoch":7"#,
        r#"{"epoch":7,}"#,
        "{'epoch':7}",
        r#"{"epoch" 7}"#,
        r#"{"epoch":07}"#,
        r#"{"epoch":+7}"#,
        r#"{"epoch":.7}"#,
        r#"{"epoch":NaN}"#,
        r#"{"epoch":7 "seq":1}"#,
        r#"{"epoch":tru}"#,
        r#"{"at":"\x"}"#,
        r#"{"at":"\ud800"}"#,
        "{\"x\":\"\t\"}",
        "\u{feff}{}",
        r#"{"x":1e999}"#,
        "/* tap */ {}",
        "tap",
        r#"{"epoch":0x7}"#,
        "{\"epoch\":7\0}",
        "{,}",
        "{]",
        r#"{"epoch":7}"#,
    ] {
        let refusal = decode::<Tap>(text.as_bytes()).expect_err(text);
        told += &format!("{text:?} {}\n", refusal);
    }
    insta::assert_snapshot!("malformed", told);
    let trailing = format!("{TAP} x");
    assert!(read::<Tap>(&trailing).expect_err("trailing").starts_with("not valid JSON at line 1"));
    let mut bytes = TAP.as_bytes().to_vec();
    bytes[TAP.find("t1.").expect("there")] = 0xff;
    let told = decode::<Tap>(&bytes).expect_err("no UTF-8");
    assert_eq!(told.code(), "malformed_json");
}

#[test]
fn a_payload_is_at_most_64_kib() {
    let padded = |length: usize| format!("{TAP}{}", " ".repeat(length - TAP.len()));
    assert!(read::<Tap>(&padded(PAYLOAD_BYTES_MAX)).is_ok());
    let told = read::<Tap>(&padded(PAYLOAD_BYTES_MAX + 1)).expect_err("large");
    assert_eq!(told, "the payload has 65537 bytes: send at most 65536");
}

#[test]
fn a_refusal_never_repeats_what_was_sent() {
    let canary = "6217001234567890123";
    for from in ["42", "\"entry\"", "\"qr\"", "\"2026-03-02T08:00:00.000Z\"", "250"] {
        let text = TAP.replacen(from, &format!("\"{canary}\""), 1);
        assert!(!read::<Tap>(&text).expect_err("refused").contains(canary), "{from}");
    }
    let name = TAP.replacen("\"seq\"", &format!("\"{canary}\":[],\"seq\""), 1);
    assert!(!read::<Tap>(&name).expect_err("refused").contains(canary));
}

fn decision(code: Code) -> TapDecision {
    let tap = good::<Tap>(TAP).into_domain(&device()).expect("good");
    TapDecision::bare(&tap, code, EIGHT + Millis(40))
}

#[test]
fn every_code_is_written_by_hand_as_its_wire_type_is() {
    for code in Code::ALL {
        for full in [false, true] {
            let mut decision = decision(*code);
            if full {
                decision.fare = Some(Amount::from_fen(200));
                decision.balance = Some(Amount::from_fen(-123_456_789));
                decision.currency = Currency::GBP;
                decision.journey = Some("g2/3/9".into());
                decision.reference = Some(Reference("a1/2".into()));
            }
            let mut bytes = b"before".to_vec();
            encode_decision(&decision, &mut bytes);
            assert_eq!(String::from_utf8_lossy(&bytes[6..]), String::from_utf8_lossy(&encode(&Decision::from(&decision))), "{code:?}");
        }
    }
}

#[test]
fn a_decision_is_the_golden_text() {
    let mut approved = decision(Code::Ok);
    approved.fare = Some(Amount::from_fen(200));
    approved.balance = Some(Amount::from_fen(4800));
    approved.journey = Some("g2/3/9".into());
    approved.reference = Some(Reference("a1/2".into()));
    let mut bytes = Vec::new();
    encode_decision(&approved, &mut bytes);
    assert_eq!(String::from_utf8_lossy(&bytes), DECISION);
}

fn ids() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{1,64}"
}
fn moments() -> impl Strategy<Value = Timestamp> {
    (-62_167_219_200_000_i64..=253_402_300_799_999).prop_map(Timestamp)
}

prop_compose! {
    fn media()(kind in 0..6_usize, token in ids(), rest in "(\\.[!-~]{0,100})?", counter in proptest::option::of(0..crate::wire::WHOLE_MAX), signature in proptest::option::of("[!-~]{1,256}")) -> tap::Medium {
        use tap::MediumKind::{Bank, Card, Ecny, EcnyHard, Face, Qr};
        let kind = [Qr, Face, Ecny, EcnyHard, Bank, Card][kind];
        let qr = (kind == Qr).then(|| format!("{token}{rest}").into());
        tap::Medium { kind, token: token.parse().expect("an id"), qr, counter, signature: signature.map(Into::into) }
    }
}

prop_compose! {
    fn taps()(epoch in 0..crate::wire::WHOLE_MAX, seq in 0..crate::wire::WHOLE_MAX, exit: bool, medium in media(), at in moments(), deadline in 0..86_400_000_i64) -> tap::Tap {
        let direction = if exit { tap::Direction::Exit } else { tap::Direction::Entry };
        tap::Tap { id: TapId { device: device(), epoch, seq }, direction, medium, at, deadline: Millis(deadline), mode: epoch, list_version: seq }
    }
}

proptest! {
    #[test]
    fn a_tap_survives_the_wire(tap in taps()) {
        let bytes = encode(&Tap::from(&tap));
        prop_assert_eq!(decode::<Tap>(&bytes).expect("good").message.into_domain(&device()).expect("good"), tap);
    }

    #[test]
    fn a_decision_survives_the_wire(tap in taps(), code in 0..Code::ALL.len(), fen in proptest::option::of(-99_999_999_i64..99_999_999), at in moments(), reference in proptest::option::of(ids())) {
        let money = fen.map(Amount::from_fen);
        let reference = reference.map(|account| Reference(format!("{account}/1").into()));
        let decision = TapDecision { fare: money, balance: money, reference, ..TapDecision::bare(&tap, Code::ALL[code], at) };
        let mut bytes = Vec::new();
        encode_decision(&decision, &mut bytes);
        prop_assert_eq!(decode::<Decision>(&bytes).expect("good").message, Decision::from(&decision));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (decode::<Tap>(&bytes), decode::<Records>(&bytes), decode::<State>(&bytes), decode::<Decision>(&bytes));
    }

    #[test]
    fn no_damage_makes_it_panic(place in 0..TAP.len(), byte: u8, cut in 0..TAP.len()) {
        for text in [TAP, RECORDS, STATE, DECISION, MODE] {
            let mut bytes = text.as_bytes().to_vec();
            let place = place % bytes.len();
            bytes[place] = byte;
            let _ = (decode::<Tap>(&bytes), decode::<Records>(&bytes), decode::<State>(&bytes), decode::<Decision>(&bytes), decode::<Mode>(&bytes));
            bytes.truncate(cut % bytes.len());
            prop_assert!(decode::<Tap>(&bytes).is_err());
        }
    }
}
