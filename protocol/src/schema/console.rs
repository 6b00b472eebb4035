//! The console's contract as files: a JSON Schema for each frame, operation, board and body, and the parts that one AsyncAPI
//! document takes over the WebSocket.
use super::{referred, text};
use crate::console::board::{
    AlarmEvent, AlarmItem, ApprovalEvent, ApprovalItem, AuditEvent, AuditItem, DeviceEvent, DeviceSnapshot, Figures, GatesEvent,
    GatesSnapshot, Listing, LoadMap, OverviewEvent, OverviewSnapshot, StationFigures,
};
use crate::console::op::Op;
use crate::console::{codes, doubtful, frames, http};
use crate::wire::WHOLE_MAX;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Adds a type to a generator.
type Add = fn(&mut SchemaGenerator) -> Schema;

const fn of<T: JsonSchema>() -> Add {
    SchemaGenerator::subschema_for::<T>
}

/// A frame: the word in `t`, who sends it, its type.
pub(super) struct Frame {
    pub(super) t: &'static str,
    pub(super) client: bool,
    pub(super) summary: &'static str,
    add: Add,
}

const fn client<T: JsonSchema>(t: &'static str, summary: &'static str) -> Frame {
    Frame { t, client: true, summary, add: of::<T>() }
}
const fn server<T: JsonSchema>(t: &'static str, summary: &'static str) -> Frame {
    Frame { t, client: false, summary, add: of::<T>() }
}

pub(super) const FRAMES: [Frame; 18] = [
    client::<frames::Sub>("sub", "Subscribe to a channel, or go on from a position"),
    client::<frames::Unsub>("unsub", "Nothing more of a channel"),
    client::<frames::Cmd>("cmd", "A command"),
    client::<frames::Relay>("relay", "To the others of a channel; never stored"),
    client::<frames::ClientBeat>("beat", "The console is alive, and whether a person uses it"),
    server::<frames::Hello>("hello", "The first frame of a connection"),
    server::<frames::SubReply>("sub", "The answer to `sub`: events since the position, or a snapshot, or why not"),
    server::<frames::UnsubReply>("unsub", "The end of a subscription"),
    server::<frames::Event>("event", "Something has happened; `seq` is exactly 1 more than the last of its channel"),
    server::<frames::State>("state", "A value of which only the newest counts"),
    server::<frames::Batch>("batch", "Several frames, in order"),
    server::<frames::Ack>("ack", "The answer to a command"),
    server::<frames::Beat>("beat", "The server is alive; the position of each channel"),
    server::<frames::Rights>("rights", "Roles or scope have changed"),
    server::<frames::ErrorFrame>("error", "Nothing came of a frame that asks for no answer of its own"),
    server::<frames::Lock>("lock", "The page is locked, or no longer"),
    server::<frames::Bye>("bye", "The server closes the connection"),
    server::<frames::Relay>("relay", "From another of the channel"),
];

impl Frame {
    /// The file's name, and the message's in AsyncAPI.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", if self.client { "client" } else { "server" }, self.t)
    }
    /// The word in `t` is part of the frame.
    fn tag(&self, schema: &mut Value) {
        schema["properties"]["t"] = json!({"const": self.t});
        let required = schema.as_object_mut().map(|fields| fields.entry("required").or_insert_with(|| json!([])));
        if let Some(Value::Array(required)) = required {
            required.insert(0, json!("t"));
        }
    }
}

/// What a channel shows.
pub(super) struct BoardWords {
    pub(super) kind: &'static str,
    pub(super) address: &'static str,
    pub(super) summary: &'static str,
    snapshot: Add,
    event: Add,
    pub(super) states: &'static [(&'static str, Add)],
}

pub(super) const BOARDS: [BoardWords; 6] = [
    BoardWords {
        kind: "overview",
        address: "overview:{site}",
        summary: "Is the city well? `overview:all` for every site",
        snapshot: of::<OverviewSnapshot>(),
        event: of::<OverviewEvent>(),
        states: &[("figures", of::<Figures>()), ("stations", of::<BTreeMap<String, StationFigures>>())],
    },
    BoardWords {
        kind: "gates",
        address: "gates:{station}",
        summary: "A station's gates at work",
        snapshot: of::<GatesSnapshot>(),
        event: of::<GatesEvent>(),
        states: &[("load", of::<LoadMap>())],
    },
    BoardWords {
        kind: "device",
        address: "device:{device}",
        summary: "What a device should be and what it says it is",
        snapshot: of::<DeviceSnapshot>(),
        event: of::<DeviceEvent>(),
        states: &[],
    },
    BoardWords {
        kind: "alarms",
        address: "alarms",
        summary: "Alarms, the newest 200",
        snapshot: of::<Listing<AlarmItem>>(),
        event: of::<AlarmEvent>(),
        states: &[],
    },
    BoardWords {
        kind: "approvals",
        address: "approvals",
        summary: "Commands that wait for a second person, the newest 200",
        snapshot: of::<Listing<ApprovalItem>>(),
        event: of::<ApprovalEvent>(),
        states: &[],
    },
    BoardWords {
        kind: "audit",
        address: "audit",
        summary: "Who did what, the newest 200",
        snapshot: of::<Listing<AuditItem>>(),
        event: of::<AuditEvent>(),
        states: &[],
    },
];

/// The JSON Schemas (draft 2020-12) of the console: the file below `docs/schemas/console` and its text.
#[must_use]
pub fn console_schemas() -> Vec<(String, String)> {
    let frames = FRAMES.iter().map(|frame| {
        let mut schema = standalone(frame.add, &frame.name(), frame.client);
        frame.tag(&mut schema);
        (format!("frames/{}.json", frame.name()), schema)
    });
    let ops = Op::ALL.iter().flat_map(|words| {
        let args = standalone(|generator| words.args(generator), words.name, true);
        let result = standalone(|generator| words.result(generator), words.name, false);
        [(format!("ops/{}.args.json", words.name), args), (format!("ops/{}.result.json", words.name), result)]
    });
    let boards = BOARDS.iter().flat_map(|board| {
        let states = board.states.iter().map(|(key, add)| (format!("state.{key}"), *add));
        let parts = [("snapshot".to_owned(), board.snapshot), ("event".to_owned(), board.event)].into_iter().chain(states);
        parts.map(|(part, add)| {
            let name = format!("{}.{part}", board.kind);
            (format!("boards/{name}.json"), standalone(add, &name, false))
        })
    });
    frames.chain(ops).chain(boards).map(|(file, schema)| (file, text(&schema))).collect()
}

/// One type with everything it refers to.
fn standalone(add: impl FnOnce(&mut SchemaGenerator) -> Schema, title: &str, strict: bool) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let root = add(&mut generator);
    let mut definitions = generator.take_definitions(true);
    let mut schema = definitions.remove(&referred(&root)).unwrap_or_else(|| root.to_value());
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        fields.insert("title".to_owned(), json!(title));
        if !definitions.is_empty() {
            fields.insert("$defs".to_owned(), Value::Object(definitions));
        }
    }
    tightened(schema, strict)
}

/// Whole numbers end where every reader still keeps them; what is read takes no unknown field.
fn tightened(schema: Value, strict: bool) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else { return Value::Null };
    let mut transform = RecursiveTransform(|schema: &mut Schema| {
        if matches!(schema.get("format").and_then(Value::as_str), Some("uint64" | "uint32" | "uint16" | "double")) {
            let format = schema.remove("format");
            if format == Some(json!("uint64")) {
                schema.ensure_object().entry("maximum").or_insert(json!(WHOLE_MAX));
            }
        }
        if strict && schema.get("properties").is_some() {
            schema.insert("additionalProperties".to_owned(), json!(false));
        }
    });
    transform.transform(&mut schema);
    schema.to_value()
}

/// Every type of the console in one set of definitions, as `settings` writes them, and where the parts of the contract are
/// in it.
pub(super) struct Whole {
    pub(super) definitions: Map<String, Value>,
    pub(super) frames: Vec<Value>,
    pub(super) ops: Vec<(Value, Value)>,
    pub(super) boards: Vec<(Value, Value, Vec<Value>)>,
    pub(super) bodies: Map<String, Value>,
}

impl Whole {
    pub(super) fn of(settings: SchemaSettings) -> Self {
        let mut generator = settings.for_serialize().into_generator();
        let mut add = |add: Add| add(&mut generator).to_value();
        let frames = FRAMES.iter().map(|frame| add(frame.add)).collect();
        let boards = BOARDS.iter().map(|board| {
            let states = board.states.iter().map(|(_, state)| *state).collect::<Vec<_>>();
            (add(board.snapshot), add(board.event), states.into_iter().map(&mut add).collect())
        });
        let boards = boards.collect();
        let bodies = BODIES.iter().map(|(name, body)| ((*name).to_owned(), add(*body))).collect();
        let ops = Op::ALL.iter().map(|words| (words.args(&mut generator).to_value(), words.result(&mut generator).to_value())).collect();
        let definitions = generator.take_definitions(true).into_iter().map(|(name, schema)| (name, tightened(schema, false))).collect();
        Self { definitions, frames, ops, boards, bodies }
    }
}

/// What the WebSocket adds to the AsyncAPI document.
pub(super) struct Parts {
    pub(super) channels: Map<String, Value>,
    pub(super) operations: Map<String, Value>,
    pub(super) messages: Map<String, Value>,
    pub(super) schemas: Map<String, Value>,
    pub(super) ops: Value,
    pub(super) boards: Value,
}

impl Parts {
    pub(super) fn new() -> Self {
        let whole = Whole::of(SchemaSettings::draft07().with(|settings| settings.definitions_path = "/components/schemas".into())).apart();
        let messages = FRAMES.iter().zip(&whole.frames).map(|(frame, schema)| (frame.name(), frame.message(schema))).collect();
        let refs = FRAMES.iter().map(|frame| (frame.name(), json!({"$ref": format!("#/components/messages/{}", frame.name())})));
        let channel = json!({
            "address": "/ws",
            "summary": "One connection of a console: it sends client frames and gets server frames",
            "servers": [{"$ref": "#/servers/ws"}],
            "messages": refs.collect::<Map<_, _>>(),
            "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        });
        Self {
            channels: [("console".to_owned(), channel)].into_iter().collect(),
            operations: operations(),
            messages,
            ops: super::openapi::operations(&whole),
            boards: boards(&whole),
            schemas: whole.definitions,
        }
    }
}

/// A client's frame and the one that answers it; then what the server sends by itself.
fn operations() -> Map<String, Value> {
    let message = |name: &str| json!({"$ref": format!("#/channels/console/messages/{name}")});
    let channel = json!({"$ref": "#/channels/console"});
    let answers = [
        ("sub", Some("server.sub")),
        ("unsub", Some("server.unsub")),
        ("cmd", Some("server.ack")),
        ("relay", Some("server.error")),
        ("beat", None),
    ];
    let receive = answers.into_iter().map(|(t, answer)| {
        let mut operation = json!({"action": "receive", "channel": channel, "messages": [message(&format!("client.{t}"))]});
        if let Some(answer) = answer {
            operation["reply"] = json!({"channel": channel, "messages": [message(answer)]});
        }
        (format!("receive_console_{t}"), operation)
    });
    let sent: Vec<Value> = FRAMES.iter().filter(|frame| !frame.client).map(|frame| message(&frame.name())).collect();
    let send = ("send_console".to_owned(), json!({"action": "send", "channel": channel, "messages": sent}));
    receive.chain([send]).collect()
}

fn boards(whole: &Whole) -> Value {
    let one = |(board, (snapshot, event, states)): (&BoardWords, &(Value, Value, Vec<Value>))| {
        let states: Map<String, Value> =
            board.states.iter().zip(states).map(|((key, _), schema)| ((*key).to_owned(), schema.clone())).collect();
        let about = json!({"channel": board.address, "summary": board.summary, "snapshot": snapshot, "event": event, "state": states});
        (board.kind.to_owned(), about)
    };
    Value::Object(BOARDS.iter().zip(&whole.boards).map(one).collect())
}

impl Frame {
    fn message(&self, schema: &Value) -> Value {
        let tag = json!({"type": "object", "properties": {"t": {"const": self.t}}, "required": ["t"]});
        json!({
            "name": self.name(), "summary": self.summary, "contentType": "application/json", "payload": {"allOf": [tag, schema]},
        })
    }
}

impl Whole {
    /// With names of its own, so that it may stand beside the devices' definitions.
    fn apart(self) -> Self {
        let definitions = self.definitions.into_iter().map(|(name, schema)| (format!("console.{name}"), apart(schema))).collect();
        Self {
            definitions,
            frames: self.frames.into_iter().map(apart).collect(),
            ops: self.ops.into_iter().map(|(args, result)| (apart(args), apart(result))).collect(),
            boards: self
                .boards
                .into_iter()
                .map(|(snapshot, event, states)| (apart(snapshot), apart(event), states.into_iter().map(apart).collect()))
                .collect(),
            bodies: self.bodies,
        }
    }
}

fn apart(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, field)| (name.clone(), renamed(&name, field))).collect()),
        Value::Array(items) => Value::Array(items.into_iter().map(apart).collect()),
        plain => plain,
    }
}
fn renamed(name: &str, field: Value) -> Value {
    match (name, field.as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/"))) {
        ("$ref", Some(of)) => json!(format!("#/components/schemas/console.{of}")),
        _ => apart(field),
    }
}

/// Bodies of HTTP that are no frames, by the name that [`super::openapi`] knows them by.
pub(super) const BODIES: [(&str, Add); 25] = [
    ("login", of::<http::LoginBody>()),
    ("unlock", of::<http::UnlockBody>()),
    ("me", of::<http::Me>()),
    ("ws_ticket", of::<http::WsTicket>()),
    ("token_new", of::<http::TokenBody>()),
    ("token_made", of::<http::TokenMade>()),
    ("tokens", of::<http::Page<http::TokenItem>>()),
    ("board", of::<http::BoardAnswer>()),
    ("command", of::<frames::CommandBody>()),
    ("ack", of::<frames::Ack>()),
    ("problem", of::<codes::Problem>()),
    ("error", of::<codes::ErrorBody>()),
    ("alarms", of::<http::Page<AlarmItem>>()),
    ("approvals", of::<http::Page<ApprovalItem>>()),
    ("audit", of::<http::Page<AuditItem>>()),
    ("users", of::<http::Page<http::UserItem>>()),
    ("doubtful", of::<http::Page<doubtful::DoubtfulItem>>()),
    ("doubtful_evidence", of::<doubtful::DoubtfulEvidence>()),
    ("user", of::<http::UserItem>()),
    ("alarm", of::<AlarmItem>()),
    ("approval", of::<ApprovalItem>()),
    ("stations", of::<http::Page<http::StationItem>>()),
    ("station", of::<http::StationItem>()),
    ("devices", of::<http::Page<http::DeviceItem>>()),
    ("device", of::<http::DeviceItem>()),
];

#[cfg(test)]
mod tests {
    use super::super::tests::{misfit, same};
    use super::*;
    use crate::console::frames::ClientFrame;
    use std::collections::HashMap;

    #[test]
    fn the_committed_schemas_are_those_of_the_code() {
        let schemas = console_schemas();
        for (file, schema) in &schemas {
            same(&format!("schemas/console/{file}"), schema);
        }
        let folder =
            |name: &str| std::fs::read_dir(super::super::tests::docs().join("schemas/console").join(name)).expect("a folder").count();
        assert_eq!(["frames", "ops", "boards"].map(folder).iter().sum::<usize>(), schemas.len(), "no file without a type");
    }

    #[test]
    fn what_is_read_fits_its_schema_and_what_is_refused_does_not() {
        let schemas: HashMap<_, _> = console_schemas().into_iter().collect();
        let schema = |file: &str| serde_json::from_str::<Value>(&schemas[file]).expect("JSON");
        for (name, text, fits) in [
            ("sub", r#"{"t":"sub","id":"1","ch":"alarms","epoch":"n.1","seq":4}"#, true),
            ("sub", r#"{"t":"sub","id":1,"ch":"alarms"}"#, true),
            ("sub", r#"{"t":"sub","id":true,"ch":"alarms"}"#, false),
            ("sub", r#"{"t":"sub","id":1,"ch":"alarms","x":1}"#, false),
            ("sub", r#"{"id":1,"ch":"alarms"}"#, false),
            ("cmd", r#"{"t":"cmd","id":1,"command_id":"c/1","op":"alarm.ack","args":{},"ttl_ms":1}"#, true),
            ("cmd", r#"{"t":"cmd","id":1,"command_id":"c/1","op":"alarm.ack","ttl_ms":1}"#, false),
            ("beat", r#"{"t":"beat","active":"yes"}"#, false),
        ] {
            let schema = schema(&format!("frames/client.{name}.json"));
            let why = misfit(&serde_json::from_str(text).expect("JSON"), &schema, &schema);
            assert_eq!(why.is_none(), fits, "{text}: {why:?}");
            assert_eq!(ClientFrame::read(text.as_bytes()).is_ok(), fits, "{text}");
        }
        let roles = schema("ops/user.roles.args.json");
        for (scope, fits) in [(json!("all"), true), (json!({"sites": ["cd"]}), true), (json!({"sites": 1}), false), (json!("none"), false)]
        {
            let args = json!({"user": "li", "roles": ["admin"], "scope": scope});
            assert_eq!(misfit(&args, &roles, &roles).is_none(), fits, "{scope}");
            assert_eq!(Op::parse("user.roles", &args).is_ok(), fits, "{scope}");
        }
    }
}
