//! Frames as they go over the wire.
use super::super::close::Close;
use super::super::codes::Code;
use super::*;
use proptest::prelude::*;
use serde_json::json;
use tongdao_domain::time::Timestamp;

const EIGHT: Time = Time(Timestamp(1_772_438_400_000));

fn read(text: &str) -> Result<ClientFrame, String> {
    ClientFrame::read(text.as_bytes()).map_err(|bad| bad.to_string())
}

#[test]
fn a_console_s_frames_are_read_and_written_back() {
    for text in [
        r#"{"t":"sub","id":"1","ch":"gates:tianfu"}"#,
        r#"{"t":"sub","id":"1","ch":"alarms","epoch":"n1.7","seq":41}"#,
        r#"{"t":"unsub","id":2,"ch":"gates:tianfu"}"#,
        r#"{"t":"cmd","id":"3","command_id":"c/1","op":"alarm.ack","args":{"id":"fire.s1"},"if_rev":7,"ttl_ms":5000}"#,
        r#"{"t":"relay","ch":"remote:r1","to":"p2","d":{"sdp":"v=0"},"part":1,"of":2}"#,
        r#"{"t":"beat","active":true}"#,
        r#"{"t":"beat"}"#,
    ] {
        let frame = read(text).expect(text);
        assert_eq!(encode(&frame), text);
    }
}

#[test]
fn a_frame_that_nobody_understands_says_why() {
    for (text, why) in [
        ("[]", ": must be a JSON object"),
        ("{}", "t: missing; send one of sub unsub cmd relay beat"),
        (r#"{"t":"dance"}"#, "t: must be one of sub unsub cmd relay beat"),
        (r#"{"t":7}"#, "t: must be one of sub unsub cmd relay beat"),
        (r#"{"t":"sub","id":-1,"ch":"alarms"}"#, "id: must be an id of 1 to 64 characters A-Z a-z 0-9 . _ -, or a whole number"),
        (r#"{"t":"sub","id":"a b","ch":"alarms"}"#, "id: must be an id of 1 to 64 characters A-Z a-z 0-9 . _ -, or a whole number"),
        (r#"{"t":"sub","id":"1"}"#, "ch: missing; send 1 to 256 printable ASCII characters without spaces"),
        (r#"{"t":"sub","id":"1","ch":"alarms","from":3}"#, "from: unknown; leave it out"),
        (r#"{"t":"sub","id":"1","id":"1","ch":"alarms"}"#, ": must be JSON with each name once, at most 16 levels deep"),
        (r#"{"t":"cmd","id":"1","op":"alarm.ack","args":{},"ttl_ms":1}"#, "command_id: missing; send ids of"),
        (r#"{"t":"cmd","id":"1","command_id":"c","op":"alarm.ack","args":{},"ttl_ms":-1}"#, "ttl_ms: must be a whole number"),
    ] {
        let told = read(text).expect_err(text);
        assert!(told.starts_with(why), "{text}: {told}");
    }
}

#[test]
fn mistakes_in_arguments_are_no_mistake_of_the_frame() {
    let text = r#"{"t":"cmd","id":"1","command_id":"c/1","op":"no.such","args":[null],"ttl_ms":1}"#;
    assert!(matches!(read(text), Ok(ClientFrame::Cmd(Cmd { ref args, .. })) if args.0 == json!([null])));
}

fn text(id: &str) -> FrameId {
    FrameId::Text(Id::new(id).expect("an id"))
}

fn server_frames() -> Vec<ServerFrame> {
    let limits = ConnectionLimits { message_bytes: 65536, subscriptions: 64, commands_per_s: 20 };
    let refused = SubReply {
        id: 2.into(),
        ch: "audit".into(),
        epoch: None,
        seq: None,
        recovered: None,
        events: None,
        snapshot: None,
        error: Some(Code::Forbidden.into()),
    };
    let subscribed = SubReply {
        epoch: Some("n1.7".into()),
        seq: Some(41),
        recovered: Some(false),
        snapshot: Some(json!({"rev": 41, "at": EIGHT, "items": []})),
        error: None,
        ..refused.clone()
    };
    let event = Event { ch: "alarms".into(), seq: 42, at: EIGHT, cause: Some("c/1".into()), d: json!({"k": "alarm"}) };
    let state = State { ch: "overview:all".into(), key: "figures".into(), d: json!({"taps_s": 1000.5}) };
    vec![
        ServerFrame::Hello(Hello {
            conn: "c7".into(),
            node: "n1".into(),
            heartbeat_ms: 10_000,
            now: EIGHT,
            user: "li".into(),
            roles: vec![Role::GateOperator, Role::Supervisor],
            scope: Scope::All,
            limits,
        }),
        ServerFrame::Sub(refused),
        ServerFrame::Sub(subscribed),
        ServerFrame::Unsub(UnsubReply { id: Some(text("3")), ch: "alarms".into(), error: None }),
        ServerFrame::Unsub(UnsubReply { id: None, ch: "audit".into(), error: Some(Code::Forbidden.into()) }),
        ServerFrame::Event(event.clone()),
        ServerFrame::State(state.clone()),
        ServerFrame::Batch(Batch { items: vec![ServerFrame::Event(event), ServerFrame::State(state)] }),
        ServerFrame::Ack(Ack { ch: Some("gates:tianfu".into()), seq: Some(9), ..Ack::done(4, json!({"id": "c/1", "of": 40})) }),
        ServerFrame::Ack(Ack::refused(text("5"), ErrorBody::needs_approval("ap1"))),
        ServerFrame::Beat(Beat { now: EIGHT, positions: [("alarms".to_owned(), 42)].into() }),
        ServerFrame::Rights(Rights { roles: vec![Role::Auditor], scope: Scope::All }),
        ServerFrame::Lock(Lock { on: true }),
        ServerFrame::Bye(Bye::of(Close::Drain, 250)),
        ServerFrame::Bye(Bye::of(Close::BadTicket, 250)),
    ]
}

#[test]
fn a_server_s_frames_are_what_they_were() {
    let lines: Vec<String> = server_frames().iter().map(encode).collect();
    insta::assert_snapshot!("server", lines.join("\n"));
    for (line, frame) in lines.iter().zip(server_frames()) {
        assert_eq!(serde_json::from_str::<ServerFrame>(line).expect(line), frame);
    }
}

#[test]
fn what_is_written_once_for_all_is_the_same_frame() {
    let frame = Event { ch: "alarms".into(), seq: 42, at: EIGHT, cause: None, d: json!({"k": "alarm"}) };
    assert_eq!(event("alarms", 42, EIGHT, None, json!({"k": "alarm"})), encode(&ServerFrame::Event(frame)));
    let frame = State { ch: "alarms".into(), key: "load".into(), d: json!([1]) };
    assert_eq!(state("alarms", "load", [1]), encode(&ServerFrame::State(frame)));
    let texts: Vec<String> = server_frames()[5..7].iter().map(encode).collect();
    assert_eq!(batch(texts.iter().map(String::as_str)), encode(&server_frames()[7]));
    assert_eq!(batch([texts[0].as_str()]), texts[0], "one alone needs no batch");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = ClientFrame::read(&bytes);
    }

    #[test]
    fn whatever_is_read_is_written_as_the_same(text in r#"\{"t":"(sub|beat|unsub|cmd)"(,"(id|ch|seq|ttl_ms|active)":("a"|1|true)){0,4}\}"#) {
        if let Ok(frame) = ClientFrame::read(text.as_bytes()) {
            prop_assert_eq!(ClientFrame::read(encode(&frame).as_bytes()), Ok(frame));
        }
    }
}
