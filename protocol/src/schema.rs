//! The contract as files: a JSON Schema for each message of a gate and of a console, an AsyncAPI document for all of them
//! together, an OpenAPI document, declarations for the pages. Generated from the very types that read and write, committed under `docs/`; a test fails when they drift apart.
//! `TONGDAO_BLESS=1 cargo test -p tongdao-protocol` writes them anew.
use crate::payload::UNKNOWN_TEXT_CHARS_MAX;
use crate::topic::{Down, Up};
use crate::wire::WHOLE_MAX;
use crate::{device, gate};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

mod console;
mod openapi;
mod typescript;

pub use console::console_schemas;
pub use openapi::{ROUTES, Route, openapi};
pub use typescript::typescript;

/// A message in the contract.
struct Message {
    /// The last topic level.
    name: &'static str,
    /// From the device?
    up: bool,
    /// Kept by the broker for later subscribers?
    retained: bool,
    /// The message that answers it.
    answer: Option<&'static str>,
    /// What it is, in a sentence.
    summary: &'static str,
    /// Its type.
    add: fn(&mut SchemaGenerator) -> Schema,
}

const fn up<T: JsonSchema>(message: Up, answer: Option<Down>, summary: &'static str) -> Message {
    let answer = match answer {
        Some(answer) => Some(answer.name()),
        None => None,
    };
    let retained = matches!(message, Up::State);
    Message { name: message.name(), up: true, retained, answer, summary, add: SchemaGenerator::subschema_for::<T> }
}

const fn down<T: JsonSchema>(message: Down, answer: Option<Up>, summary: &'static str) -> Message {
    let answer = match answer {
        Some(answer) => Some(answer.name()),
        None => None,
    };
    let retained = matches!(message, Down::Mode | Down::Config);
    Message { name: message.name(), up: false, retained, answer, summary, add: SchemaGenerator::subschema_for::<T> }
}

const MESSAGES: [Message; 13] = [
    up::<gate::Tap>(Up::Tap, Some(Down::Decision), "A medium was presented"),
    up::<gate::Passage>(Up::Passage, None, "What the rider did after a decision"),
    up::<gate::Records>(Up::Records, Some(Down::RecordsAck), "The gate's own account of every sequence"),
    up::<gate::Alarm>(Up::Alarm, None, "A button, a fire line or a sensor"),
    up::<gate::ListRequest>(Up::ListRequest, Some(Down::List), "The gate wants the way from its deny list to the newest"),
    up::<device::State>(Up::State, None, "What the device says of itself; also its will, with online false"),
    up::<device::Ack>(Up::Ack, None, "The end of a command or a mode change"),
    down::<gate::Decision>(Down::Decision, None, "The answer to a tap"),
    down::<gate::RecordsAck>(Down::RecordsAck, None, "What of the gate's records is durable"),
    down::<gate::Mode>(Down::Mode, Some(Up::Ack), "Service of the gate and modes of its station"),
    down::<gate::List>(Down::List, None, "The deny list: a difference, or where the whole is"),
    down::<device::Command>(Down::Command, Some(Up::Ack), "Something to do"),
    down::<device::Config>(Down::Config, None, "Parameters of the device"),
];

/// Channels to many devices: name, address, message.
const BROADCASTS: [(&str, &str, &str); 4] = [
    ("site_command", "td/1/{site}/all/down/command", "command"),
    ("network_command", "td/1/all/down/command", "command"),
    ("site_list", "td/1/{site}/all/down/list", "list"),
    ("network_list", "td/1/all/down/list", "list"),
];

/// The JSON Schema (draft 2020-12) of each message: its name and the text.
#[must_use]
pub fn json_schemas() -> Vec<(&'static str, String)> {
    let schema = |message: &Message| {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let root = (message.add)(&mut generator);
        let name = referred(&root);
        let mut definitions = generator.take_definitions(true);
        let mut schema = definitions.remove(&name).unwrap_or_default();
        if let Some(fields) = schema.as_object_mut() {
            fields.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
            fields.insert("title".to_owned(), json!(message.name));
            fields.insert("$defs".to_owned(), Value::Object(definitions));
        }
        tightened(schema, message.up)
    };
    MESSAGES.iter().map(|message| (message.name, text(&schema(message)))).collect()
}

/// The AsyncAPI 3.0 document, as JSON text. It speaks as the server: it receives `up` and sends `down`.
#[must_use]
pub fn asyncapi() -> String {
    let (mut channels, mut operations, mut messages, mut schemas) = (Map::new(), Map::new(), Map::new(), Map::new());
    for message in &MESSAGES {
        channels.insert(message.name.to_owned(), message.channel());
        operations.insert(message.operation_name(), message.operation());
        let mut generator = SchemaSettings::draft07().with(|s| s.definitions_path = "/components/schemas".into()).into_generator();
        let payload = (message.add)(&mut generator);
        messages.insert(message.name.to_owned(), message.described(payload.to_value()));
        schemas.extend(generator.take_definitions(true).into_iter().map(|(name, schema)| (name, tightened(schema, message.up))));
    }
    for (name, address, message) in BROADCASTS {
        let summary = if message == "command" { "A command to many devices" } else { "A new version of the deny list" };
        channels.insert(name.to_owned(), channel(address, message, summary));
        operations.insert(format!("send_{name}"), operation("send", name, message, false));
    }
    let consoles = console::Parts::new();
    channels.extend(consoles.channels);
    operations.extend(consoles.operations);
    messages.extend(consoles.messages);
    schemas.extend(consoles.schemas);
    text(&json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tongdao",
            "version": "1.0.0",
            "description": "Devices speak MQTT 5 and 3.1.1 (also over WebSocket), QoS 1, JSON in UTF-8 of at most 64 KiB. Client id = user name = device id, password = its secret. \
                Unknown fields are ignored if they are a number, a boolean or at most 128 characters, else the payload is refused. \
                Consoles speak WebSocket with the subprotocol `tongdao.v1.json`: JSON frames with their kind in `t`; there an unknown field is an error.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "mqtt": {"host": "127.0.0.1:1883", "protocol": "mqtt", "description": "`listen.mqtt`; TLS on `listen.mqtts`"},
            "mqtt_ws": {
                "host": "127.0.0.1:8080", "pathname": "/mqtt", "protocol": "ws",
                "description": "`listen.http`: MQTT over WebSocket, subprotocol `mqtt`, binary frames; pages only from the exact list of origins",
            },
            "ws": {"host": "127.0.0.1:8080", "protocol": "ws", "description": "`listen.http`"},
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
        "x-operations": consoles.ops,
        "x-boards": consoles.boards,
    }))
}

impl Message {
    fn channel(&self) -> Value {
        let way = if self.up { "up" } else { "down" };
        channel(&format!("td/1/{{site}}/gate/{{device}}/{way}/{}", self.name), self.name, self.summary)
    }
    fn operation_name(&self) -> String {
        format!("{}_{}", if self.up { "receive" } else { "send" }, self.name)
    }
    fn operation(&self) -> Value {
        let mut operation = operation(if self.up { "receive" } else { "send" }, self.name, self.name, self.retained);
        if let (Some(answer), Some(fields)) = (self.answer, operation.as_object_mut()) {
            fields.insert("reply".to_owned(), json!({"channel": {"$ref": format!("#/channels/{answer}")}}));
        }
        operation
    }
    fn described(&self, payload: Value) -> Value {
        json!({"name": self.name, "summary": self.summary, "contentType": "application/json", "payload": payload})
    }
}

fn channel(address: &str, message: &str, summary: &str) -> Value {
    let parameters: Map<String, Value> = ["site", "device"]
        .into_iter()
        .filter(|name| address.contains(&format!("{{{name}}}")))
        .map(|name| (name.to_owned(), json!({"description": format!("{name} id, [A-Za-z0-9._-]{{1,64}}")})))
        .collect();
    let messages = json!({message: {"$ref": format!("#/components/messages/{message}")}});
    let servers = json!([{"$ref": "#/servers/mqtt"}, {"$ref": "#/servers/mqtt_ws"}]);
    json!({"address": address, "summary": summary, "parameters": parameters, "messages": messages, "servers": servers})
}

fn operation(action: &str, channel: &str, message: &str, retained: bool) -> Value {
    json!({
        "action": action,
        "channel": {"$ref": format!("#/channels/{channel}")},
        "messages": [{"$ref": format!("#/channels/{channel}/messages/{message}")}],
        "bindings": {"mqtt": {"qos": 1, "retain": retained, "bindingVersion": "0.2.0"}},
    })
}

/// The definition that a schema refers to.
fn referred(schema: &Schema) -> String {
    let reference = schema.get("$ref").and_then(Value::as_str).unwrap_or_default();
    reference.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Says what no derive can say: the largest whole number, and what an unknown field may hold.
fn tightened(schema: Value, up: bool) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else { return Value::Null };
    let small = json!({"type": ["number", "boolean", "string", "null"], "maxLength": UNKNOWN_TEXT_CHARS_MAX});
    let mut transform = RecursiveTransform(|schema: &mut Schema| {
        if schema.get("format").and_then(Value::as_str) == Some("uint64") {
            schema.remove("format");
            schema.ensure_object().entry("maximum").or_insert(json!(WHOLE_MAX));
        }
        if up && schema.get("properties").is_some() {
            schema.insert("additionalProperties".to_owned(), small.clone());
        }
    });
    transform.transform(&mut schema);
    schema.to_value()
}

fn text(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    pub(super) fn docs() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
    }

    /// Compares what is generated with what is committed, or commits it.
    pub(super) fn same(file: &str, generated: &str) {
        let path = docs().join(file);
        if std::env::var_os("TONGDAO_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, generated).expect("written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("docs/{file}: {error}"));
        let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        assert_eq!(value(&committed), value(generated), "docs/{file} has drifted: TONGDAO_BLESS=1 cargo test -p tongdao-protocol");
    }

    #[test]
    fn the_committed_schemas_are_those_of_the_code() {
        for (name, schema) in json_schemas() {
            same(&format!("schemas/gate/{name}.json"), &schema);
        }
        let files = std::fs::read_dir(docs().join("schemas/gate")).expect("a folder").count();
        assert_eq!(files, MESSAGES.len(), "no file without a message");
    }

    #[test]
    fn the_committed_asyncapi_document_is_that_of_the_code() {
        same("asyncapi.json", &asyncapi());
    }

    #[test]
    fn every_topic_message_has_a_schema() {
        let names: Vec<&str> = MESSAGES.iter().map(|message| message.name).collect();
        let topics = Up::ALL.iter().map(|message| message.name()).chain(Down::ALL.iter().map(|message| message.name()));
        for topic in topics {
            assert!(names.contains(&topic), "{topic}");
        }
    }

    /// Where the document refers to.
    pub(super) fn references(value: &Value) -> Vec<String> {
        match value {
            Value::Object(fields) => {
                let own = fields.get("$ref").and_then(Value::as_str).map(str::to_owned);
                own.into_iter().chain(fields.values().flat_map(references)).collect()
            }
            Value::Array(items) => items.iter().flat_map(references).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_reference_in_the_documents_leads_somewhere() {
        for document in
            json_schemas().into_iter().map(|(_, text)| text).chain([asyncapi()]).chain(console_schemas().into_iter().map(|(_, text)| text))
        {
            let document: Value = serde_json::from_str(&document).expect("JSON");
            for reference in references(&document) {
                assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            }
        }
    }

    #[test]
    fn a_schema_says_what_the_reader_does() {
        let schemas = json_schemas();
        let tap: Value = serde_json::from_str(&schemas.iter().find(|(name, _)| *name == "tap").expect("there").1).expect("JSON");
        assert_eq!(tap.pointer("/properties/seq/maximum"), Some(&json!(WHOLE_MAX)));
        assert_eq!(tap.pointer("/additionalProperties/maxLength"), Some(&json!(128)));
        let required = tap.get("required").and_then(Value::as_array).expect("a list");
        assert_eq!(required.len(), 8, "every field of a tap is required");
        let medium = tap.pointer("/$defs/Medium/required").expect("a medium");
        assert_eq!(medium, &json!(["kind", "token"]));
    }

    /// Checks a value against the parts of JSON Schema that the documents use; says where it does not fit.
    pub(super) fn misfit(value: &Value, schema: &Value, root: &Value) -> Option<String> {
        let at = |name: &str, inner: Option<String>| inner.map(|why| format!("{name}/{why}"));
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return misfit(value, root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null), root);
        }
        if *schema == Value::Bool(false) {
            return Some("nothing fits".to_owned());
        }
        if schema.get("const").is_some_and(|word| word != value) {
            return Some(format!("{value} is not the word"));
        }
        if let Some(any) = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array) {
            return any.iter().all(|one| misfit(value, one, root).is_some()).then(|| "none of anyOf".to_owned());
        }
        if schema.get("enum").and_then(Value::as_array).is_some_and(|words| !words.contains(value)) {
            return Some(format!("{value} is no word"));
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let kinds = schema.get("type").map(|kinds| kinds.as_array().cloned().unwrap_or_else(|| vec![kinds.clone()]));
        let fits =
            |kinds: &Vec<Value>| kinds.iter().any(|wanted| *wanted == json!(kind) || kind == "integer" && *wanted == json!("number"));
        if kinds.is_some_and(|kinds| !fits(&kinds)) {
            return Some(format!("{kind} where {} is wanted", schema["type"]));
        }
        let missing = |name: &&Value| value.get(name.as_str().unwrap_or_default()).is_none();
        if let Some(name) = schema.get("required").and_then(Value::as_array).and_then(|names| names.iter().find(missing)) {
            return Some(format!("{name} is missing"));
        }
        let of_fields = value.as_object().into_iter().flatten().find_map(|(name, field)| {
            let known = schema.get("properties").and_then(|properties| properties.get(name));
            let any_name = schema.get("patternProperties").and_then(|names| names.as_object()?.values().next());
            at(name, misfit(field, known.or(any_name).or(schema.get("additionalProperties")).unwrap_or(&Value::Null), root))
        });
        let of_items = || {
            value
                .as_array()
                .into_iter()
                .flatten()
                .find_map(|item| at("[]", misfit(item, schema.get("items").unwrap_or(&Value::Null), root)))
        };
        of_fields.or_else(of_items)
    }

    #[test]
    fn what_is_read_fits_its_schema_and_what_is_refused_does_not() {
        let at = r#""at":"2026-03-02T08:00:00.000Z""#;
        let tap = format!(
            r#"{{"epoch":7,"seq":42,"direction":"entry","medium":{{"kind":"card","token":"t1","counter":3}},{at},"deadline_ms":250,"mode":3,"list_version":0}}"#
        );
        let record = format!(r#"{{"seq":43,"direction":"entry","medium":null,{at},"mode":3,"by":"gate","shown":"deny","passage":"none"}}"#);
        let cases = [
            ("tap", tap.clone(), true),
            ("tap", tap.replacen('{', r#"{"lux":3,"note":"ok","#, 1), true),
            ("tap", tap.replacen("\"card\"", "\"sock\"", 1), false),
            ("tap", tap.replacen("\"seq\":42,", "", 1), false),
            ("tap", tap.replacen("42", "\"42\"", 1), false),
            ("tap", tap.replacen('{', r#"{"photo":{},"#, 1), false),
            ("tap", tap.replacen("\"kind\"", "\"photo\":[],\"kind\"", 1), false),
            ("records", format!(r#"{{"epoch":7,"first_seq":43,"records":[{record}]}}"#), true),
            ("records", format!(r#"{{"epoch":7,"first_seq":43,"records":[{}]}}"#, record.replace("none", "null")), false),
            ("passage", format!(r#"{{"epoch":7,"seq":42,"outcome":"passed",{at}}}"#), true),
            ("alarm", format!(r#"{{"id":"b1","kind":"fire","on":true,{at}}}"#), true),
            (
                "state",
                format!(r#"{{"online":true,"service":"both","firmware":"1","versions":{{"list":3,"map":"x"}},"faults":["door"],{at}}}"#),
                true,
            ),
            ("ack", format!(r#"{{"id":"m/1","result":"done",{at}}}"#), true),
            ("list_request", r#"{"have":3}"#.to_owned(), true),
            ("list_request", r#"{"have":"3"}"#.to_owned(), false),
        ];
        let schemas: std::collections::HashMap<_, _> = json_schemas().into_iter().collect();
        for (name, text, fits) in cases {
            let schema: Value = serde_json::from_str(&schemas[name]).expect("JSON");
            let why = misfit(&serde_json::from_str(&text).expect("JSON"), &schema, &schema);
            assert_eq!(why.is_none(), fits, "{name} {text}: {why:?}");
            let read = match name {
                "tap" => crate::payload::decode::<gate::Tap>(text.as_bytes()).is_ok(),
                "records" => crate::payload::decode::<gate::Records>(text.as_bytes()).is_ok(),
                "passage" => crate::payload::decode::<gate::Passage>(text.as_bytes()).is_ok(),
                "alarm" => crate::payload::decode::<gate::Alarm>(text.as_bytes()).is_ok(),
                "state" => crate::payload::decode::<device::State>(text.as_bytes()).is_ok(),
                "list_request" => crate::payload::decode::<gate::ListRequest>(text.as_bytes()).is_ok(),
                _ => crate::payload::decode::<device::Ack>(text.as_bytes()).is_ok(),
            };
            assert_eq!(read, fits, "{name} {text}");
        }
    }
}
