//! Declarations for the pages' type check: the same types in TypeScript's words. No code, nothing that runs.
use super::console::{BOARDS, FRAMES, Whole};
use crate::console::codes::Code;
use crate::console::op::Op;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// `dashboards/console/types/wire.d.ts`.
#[must_use]
pub fn typescript() -> String {
    let whole = Whole::of(SchemaSettings::draft2020_12());
    let mut out = String::from(
        "// The words of the wire as the pages see them. Generated from the server's own types; do not edit:\n\
         // TONGDAO_BLESS=1 cargo test -p tongdao-protocol\n\
         // Moments are RFC 3339 in UTC; durations carry their unit in the name; money is decimal text with its currency.\n",
    );
    for (name, schema) in &whole.definitions {
        declare(&mut out, name, schema);
    }
    frames(&mut out, &whole);
    operations(&mut out, &whole);
    boards(&mut out, &whole);
    let codes: Vec<String> = Code::ALL.iter().map(|code| format!("\"{}\"", code.name())).collect();
    let _ = writeln!(
        out,
        "\n/** The console's own codes; a gate's codes stand in `TapItem.code`. */\nexport type ErrorCode =\n  | {};",
        codes.join("\n  | ")
    );
    out
}

fn declare(out: &mut String, name: &str, schema: &Value) {
    out.push('\n');
    comment(out, schema, "");
    let _ = match schema.get("properties").and_then(Value::as_object) {
        Some(_) if plain(schema) => {
            let _ = writeln!(out, "export interface {name} {{");
            fields(out, schema, "  ");
            out.push_str("}\n");
            Ok(())
        }
        _ => writeln!(out, "export type {name} = {};", bare(&kind(schema))),
    };
}

/// An object and nothing beside it.
fn plain(schema: &Value) -> bool {
    ["$ref", "oneOf", "anyOf", "allOf"].iter().all(|word| schema.get(word).is_none())
}

fn comment(out: &mut String, schema: &Value, indent: &str) {
    if let Some(about) = schema.get("description").and_then(Value::as_str) {
        let _ = writeln!(out, "{indent}/** {} */", about.replace('\n', " ").replace("*/", ""));
    }
}

fn fields(out: &mut String, schema: &Value, indent: &str) {
    let required: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        comment(out, field, indent);
        let of = bare(&kind(field)).to_owned();
        let _ = match required.contains(&name.as_str()) {
            true => writeln!(out, "{indent}{}: {of};", key(name)),
            false => writeln!(out, "{indent}{}?: {};", key(name), of.strip_suffix(" | null").unwrap_or(&of)),
        };
    }
}

fn key(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

/// A schema as a type expression.
fn kind(schema: &Value) -> String {
    let Some(fields) = schema.as_object() else { return "any".to_owned() };
    let mut parts = Vec::new();
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
        parts.push(reference.rsplit('/').next().unwrap_or_default().to_owned());
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(options) = fields.get(word).and_then(Value::as_array) {
            parts.push(join(options.iter().map(kind), " | "));
        }
    }
    if let Some(all) = fields.get("allOf").and_then(Value::as_array) {
        parts.extend(all.iter().map(kind));
    }
    parts.extend(own(fields));
    if parts.is_empty() { "any".to_owned() } else { parts.join(" & ") }
}

fn join(options: impl Iterator<Item = String>, with: &str) -> String {
    let mut seen: Vec<String> = Vec::new();
    options.for_each(|option| {
        if !seen.contains(&option) {
            seen.push(option);
        }
    });
    if seen.len() == 1 { seen.remove(0) } else { format!("({})", seen.join(with)) }
}

/// Without the brackets that stand around the whole.
fn bare(of: &str) -> &str {
    let Some(inner) = of.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) else { return of };
    let mut open = 0_i32;
    let closes_early = inner.chars().any(|c| {
        open += i32::from(c == '(') - i32::from(c == ')');
        open < 0
    });
    if closes_early { of } else { inner }
}

/// What a schema says beside what it refers to.
fn own(fields: &Map<String, Value>) -> Option<String> {
    if let Some(word) = fields.get("const") {
        return Some(word.to_string());
    }
    if let Some(words) = fields.get("enum").and_then(Value::as_array) {
        return Some(join(words.iter().map(Value::to_string), " | "));
    }
    match fields.get("type")? {
        Value::Array(kinds) => Some(join(kinds.iter().filter_map(Value::as_str).map(|of| named(of, fields)), " | ")),
        of => Some(named(of.as_str()?, fields)),
    }
}

fn named(of: &str, schema: &Map<String, Value>) -> String {
    match of {
        "integer" | "number" => "number".to_owned(),
        "array" => match schema.get("prefixItems").and_then(Value::as_array) {
            Some(items) => format!("[{}]", items.iter().map(kind).collect::<Vec<_>>().join(", ")),
            None => format!("{}[]", kind(schema.get("items").unwrap_or(&Value::Null))),
        },
        "object" => object(schema),
        other => other.to_owned(),
    }
}

fn object(schema: &Map<String, Value>) -> String {
    if schema.contains_key("properties") {
        let mut inner = String::new();
        fields(&mut inner, &Value::Object(schema.clone()), "");
        let inner: Vec<&str> =
            inner.lines().filter(|line| !line.trim_start().starts_with("/**")).map(|line| line.trim_end_matches(';')).collect();
        return format!("{{ {} }}", inner.join("; "));
    }
    match schema.get("additionalProperties") {
        Some(values) if values.is_object() => format!("Record<string, {}>", kind(values)),
        _ if schema.get("maxProperties").is_some() => "Record<string, never>".to_owned(),
        _ => "Record<string, any>".to_owned(),
    }
}

fn frames(out: &mut String, whole: &Whole) {
    for (client, name, about) in [(true, "ClientFrame", "What a page sends."), (false, "ServerFrame", "What the server sends.")] {
        let frames = FRAMES.iter().zip(&whole.frames).filter(|(frame, _)| frame.client == client);
        let frames: Vec<String> = frames.map(|(frame, schema)| format!("({{ t: \"{}\" }} & {})", frame.t, kind(schema))).collect();
        let _ = writeln!(out, "\n/** {about} */\nexport type {name} =\n  | {};", frames.join("\n  | "));
    }
}

fn operations(out: &mut String, whole: &Whole) {
    out.push_str("\n/** Operations: what they take and what they answer. */\nexport interface Ops {\n");
    for (words, (args, result)) in Op::ALL.iter().zip(&whole.ops) {
        let _ = writeln!(out, "  /** {}. */", words.summary);
        let _ = writeln!(out, "  \"{}\": {{ args: {}; result: {} }};", words.name, kind(args), kind(result));
    }
    out.push_str("}\n");
}

fn boards(out: &mut String, whole: &Whole) {
    out.push_str("\n/** Channels by kind: their snapshot, their events, their state lane. */\nexport interface Boards {\n");
    for (board, (snapshot, event, states)) in BOARDS.iter().zip(&whole.boards) {
        let states: Vec<String> = board.states.iter().zip(states).map(|((key, _), state)| format!("{key}: {}", kind(state))).collect();
        let states = if states.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", states.join("; ")) };
        let _ = writeln!(out, "  /** {}. */", board.summary);
        let _ = writeln!(out, "  {}: {{ snapshot: {}; event: {}; state: {states} }};", board.kind, kind(snapshot), kind(event));
    }
    out.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_declarations_are_those_of_the_code() {
        let path = super::super::tests::docs().join("../dashboards/console/types/wire.d.ts");
        let generated = typescript();
        if std::env::var_os("TONGDAO_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, &generated).expect("written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == generated, "{} has drifted: TONGDAO_BLESS=1 cargo test -p tongdao-protocol", path.display());
    }

    #[test]
    fn every_name_that_is_used_is_declared() {
        let text = typescript();
        let declared = |name: &str| text.contains(&format!("export type {name} ")) || text.contains(&format!("export interface {name} "));
        let known = ["Record", "TONGDAO_BLESS", "RFC", "UTC", "Generated", "Moments"];
        let types = text.lines().filter(|line| !line.trim_start().starts_with("/*") && !line.starts_with("//"));
        let words =
            types.flat_map(|line| line.split('"').step_by(2).flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')));
        for word in words.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) && !known.contains(word)) {
            assert!(declared(word), "{word}");
        }
    }
}
