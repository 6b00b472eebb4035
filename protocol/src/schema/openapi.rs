//! The HTTP interface as one OpenAPI 3.1 document: its schemas are those of the types that read and write, its paths one
//! table, to which the server's routes are held by a test.
use super::console::Whole;
use super::text;
use crate::console::codes::Code;
use crate::console::op::Op;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// A way into the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `get` or `post`.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Needs a session, a ticket or a token.
    pub signed_in: bool,
    summary: &'static str,
    body: Option<&'static str>,
    answer: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// A body by its name.
    Json(&'static str),
    /// Any JSON object.
    Object,
    /// Text of this type.
    Text(&'static str),
    /// Nothing but the status.
    None,
}

const fn get(path: &'static str, signed_in: bool, answer: Answer, summary: &'static str) -> Route {
    Route { method: "get", path, signed_in, summary, body: None, answer }
}
const fn post(path: &'static str, signed_in: bool, body: Option<&'static str>, answer: Answer, summary: &'static str) -> Route {
    Route { method: "post", path, signed_in, summary, body, answer }
}

const fn delete(path: &'static str, summary: &'static str) -> Route {
    Route { method: "delete", path, signed_in: true, summary, body: None, answer: Answer::None }
}

const TICKETS: &str = "/api/v1/ws-tickets";
const LISTS: &str = "/api/v1/lists/{version}";

/// Every route of the contract.
pub const ROUTES: &[Route] = &[
    get("/healthz", false, Answer::Text("text/plain"), "The process runs"),
    get("/readyz", false, Answer::Text("text/plain"), "The process takes work; `?verbose` lists the checks"),
    get("/version", false, Answer::Object, "Version, and the server's clock as `now`"),
    get("/metrics", false, Answer::Text("text/plain"), "Figures in Prometheus' text format"),
    post("/api/v1/login", false, Some("login"), Answer::Json("me"), "Sign in; sets the session cookie"),
    post("/api/v1/logout", true, None, Answer::None, "End the session"),
    post("/api/v1/unlock", true, Some("unlock"), Answer::Json("me"), "Unlock the page"),
    post("/api/v1/lock", true, None, Answer::Json("me"), "Lock the page"),
    get("/api/v1/demo", false, Answer::Object, "What a demo says of itself; 404 where this is none"),
    get("/api/v1/me", true, Answer::Json("me"), "Who is signed in, with which rights"),
    post(TICKETS, true, None, Answer::Json("ws_ticket"), "A ticket for one WebSocket connection"),
    post("/api/v1/commands", true, Some("command"), Answer::Json("ack"), "Every command, by the same door as the WebSocket's `cmd`"),
    get("/api/v1/boards/{channel}", true, Answer::Json("board"), "A channel as it is now"),
    get("/api/v1/stations", true, Answer::Json("stations"), "Stations in scope"),
    get("/api/v1/stations/{id}", true, Answer::Json("station"), "A station"),
    get("/api/v1/devices", true, Answer::Json("devices"), "Registered devices in scope"),
    get("/api/v1/devices/{id}", true, Answer::Json("device"), "A registered device"),
    get("/api/v1/accounts/{id}", true, Answer::Object, "A travel account; each look is audited"),
    get("/api/v1/alarms", true, Answer::Json("alarms"), "Alarms in scope"),
    get("/api/v1/alarms/{id}", true, Answer::Json("alarm"), "An alarm"),
    get("/api/v1/approvals", true, Answer::Json("approvals"), "Commands that wait for a second person, or waited"),
    get("/api/v1/approvals/{id}", true, Answer::Json("approval"), "One of them"),
    get("/api/v1/doubtful", true, Answer::Json("doubtful"), "Doubtful records in scope, oldest first"),
    get("/api/v1/doubtful/{id}", true, Answer::Json("doubtful_evidence"), "One of them with its evidence; each look is audited"),
    get("/api/v1/users", true, Answer::Json("users"), "Users"),
    get("/api/v1/users/{id}", true, Answer::Json("user"), "A user"),
    get(LISTS, false, Answer::Text("text/plain"), "A version of the deny list, one token a line; for devices"),
    get("/api/v1/tokens", true, Answer::Json("tokens"), "One's own tokens that are good now; with `?user=` another's"),
    post("/api/v1/tokens", true, Some("token_new"), Answer::Json("token_made"), "Make a token of one's own; its value is told once"),
    delete("/api/v1/tokens/{id}", "Revoke a token: what it has open is closed at once"),
    get("/api/v1", false, Answer::Text("text/html"), "This document and the one of MQTT and WebSocket as a page"),
    get("/api/v1/openapi.json", false, Answer::Object, "This document"),
    get("/api/v1/asyncapi.json", false, Answer::Object, "MQTT and WebSocket as an AsyncAPI document"),
];

/// The OpenAPI 3.1 document, as JSON text.
#[must_use]
pub fn openapi() -> String {
    let whole = Whole::of(SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into()));
    let mut paths = Map::new();
    for route in ROUTES {
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method] = route.described(&whole);
    }
    text(&json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tongdao",
            "version": "1.0.0",
            "description": "The HTTP interface of a node. Live data and commands go over the WebSocket at `/ws` (see the AsyncAPI document); \
                `POST /api/v1/commands` is the same door. A refusal is a problem of RFC 9457 with a stable `code`. Fields may be added.",
        },
        "paths": paths,
        "components": {
            "schemas": whole.definitions,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "session", "description": "Set by `POST /api/v1/login`"},
                "device": {"type": "http", "scheme": "basic", "description": "Id and secret of a device"},
                "token": {"type": "http", "scheme": "bearer", "description": "A token of `POST /api/v1/tokens` or `tongdao user token add`"},
                "program": {"type": "http", "scheme": "basic", "description": "User and password of a program, for a WebSocket ticket"},
            },
        },
        "x-operations": operations(&whole),
    }))
}

impl Route {
    fn described(&self, whole: &Whole) -> Value {
        let mut responses = json!({
            "200": self.answer.described(whole),
            "default": {"description": problems(), "content": {"application/problem+json": {"schema": whole.bodies["problem"]}}},
        });
        if self.answer == Answer::None {
            responses["204"] = json!({"description": "Done"});
            responses.as_object_mut().map(|fields| fields.remove("200"));
        }
        let mut described = json!({"summary": self.summary, "operationId": self.id(), "responses": responses});
        if let Some(name) = self.body {
            let schema = if name == "command" { command(whole) } else { whole.bodies[name].clone() };
            described["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        if self.signed_in {
            let token = self.takes_token().then(|| json!({"token": []}));
            let program = (self.path == TICKETS).then(|| json!({"program": []}));
            described["security"] = std::iter::once(json!({"session": []})).chain(token).chain(program).collect();
        }
        if self.path == LISTS {
            described["security"] = json!([{"device": []}]);
        }
        let parameters = self.parameters();
        if !parameters.is_empty() {
            described["parameters"] = Value::Array(parameters);
        }
        described
    }
    /// Is it for programs, too? What belongs to a page and its person is not.
    fn takes_token(&self) -> bool {
        let of_person = self.path.starts_with("/api/v1/tokens") && self.method != "get";
        !of_person && !["/api/v1/logout", "/api/v1/unlock", "/api/v1/lock"].contains(&self.path)
    }
    /// What stands in the path; a list comes in pages.
    fn parameters(&self) -> Vec<Value> {
        let text = json!({"type": "string"});
        let of =
            |name: &str, place: &str, schema: &Value| json!({"name": name, "in": place, "required": place == "path", "schema": schema});
        match self.answer {
            _ if self.path.ends_with("{channel}") => {
                vec![of("channel", "path", &json!({"type": "string", "examples": ["gates:tianfu", "overview:all"]}))]
            }
            _ if self.path.ends_with("{id}") => vec![of("id", "path", &text)],
            _ if self.path == LISTS => vec![of("version", "path", &json!({"type": "integer", "minimum": 0}))],
            Answer::Json("tokens") => vec![of("user", "query", &text)],
            Answer::Json("stations" | "devices" | "alarms" | "approvals" | "users") => {
                vec![of("cursor", "query", &text), of("limit", "query", &json!({"type": "integer", "minimum": 1}))]
            }
            Answer::Json("doubtful") => {
                let state = json!({"type": "string", "enum": ["open", "accepted", "rejected", "all"], "default": "open"});
                let limit = json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 100});
                let [cursor, station, doubt] = ["cursor", "station", "doubt"].map(|name| of(name, "query", &text));
                vec![cursor, of("limit", "query", &limit), of("state", "query", &state), station, doubt]
            }
            _ => Vec::new(),
        }
    }
    fn id(&self) -> String {
        let words: String = self.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let words = words.trim_start_matches("_api_v1").trim_matches('_');
        format!("{}_{}", self.method, if words.is_empty() { "reference" } else { words })
    }
}

impl Answer {
    fn described(self, whole: &Whole) -> Value {
        match self {
            Self::Json(name) => json!({"description": "As asked", "content": {"application/json": {"schema": whole.bodies[name]}}}),
            Self::Object => json!({"description": "As asked", "content": {"application/json": {"schema": {"type": "object"}}}}),
            Self::Text(kind) => json!({"description": "As asked", "content": {kind: {"schema": {"type": "string"}}}}),
            Self::None => json!({"description": "Done"}),
        }
    }
}

fn problems() -> String {
    let codes: Vec<String> = Code::ALL.iter().map(|code| format!("`{}` {}", code.name(), code.status())).collect();
    format!("Refused. Codes and statuses: {}", codes.join(", "))
}

/// The body of a command, with the arguments of each operation.
fn command(whole: &Whole) -> Value {
    let one = |(words, (args, _)): (&crate::console::op::OpWords, &(Value, Value))| json!({"title": words.name, "properties": {"op": {"const": words.name}, "args": args}});
    let ops: Vec<Value> = Op::ALL.iter().zip(&whole.ops).map(one).collect();
    json!({"allOf": [whole.bodies["command"], {"oneOf": ops}]})
}

/// What each operation takes and answers.
pub(super) fn operations(whole: &Whole) -> Value {
    let one = |(words, (args, result)): (&crate::console::op::OpWords, &(Value, Value))| {
        (words.name.to_owned(), json!({"summary": words.summary, "args": args, "result": result}))
    };
    Value::Object(Op::ALL.iter().zip(&whole.ops).map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{references, same};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_committed_document_is_that_of_the_code() {
        same("openapi.json", &openapi());
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_its_own_id() {
        let document: Value = serde_json::from_str(&openapi()).expect("JSON");
        for reference in references(&document) {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        let ids: BTreeSet<String> = ROUTES.iter().map(Route::id).collect();
        assert_eq!(ids.len(), ROUTES.len());
    }
}
