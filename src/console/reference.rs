//! A page about the HTTP interface, written out of its OpenAPI document: no scripts and nothing from elsewhere.
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::LazyLock;
use tongdao_protocol::schema;

/// It has styles of its own, by hash of nothing: the page's one style sheet is a file of the console.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
    <title>Tongdao HTTP interface</title><link rel=\"stylesheet\" href=\"/style/tokens.css\"><link rel=\"stylesheet\" href=\"/style/base.css\">\
    <main class=\"main\"><h1>Tongdao HTTP interface</h1><p>Machine-readable: <a href=\"/api/v1/openapi.json\">OpenAPI</a>, \
    <a href=\"/api/v1/asyncapi.json\">AsyncAPI</a> (MQTT and WebSocket).</p>";

static PAGE: LazyLock<String> = LazyLock::new(|| written(&serde_json::from_str(&schema::openapi()).unwrap_or_default()));

pub(super) fn page() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, PAGE.as_str()).into_response()
}

fn written(document: &Value) -> String {
    let mut page = String::from(HEAD);
    page.push_str("<h2>Routes</h2><table><thead><tr><th>Route<th>What it is for<th>Signed in</thead><tbody>");
    for (path, methods) in fields(&document["paths"]) {
        for (method, about) in fields(methods) {
            let signed_in = if about.get("security").is_some() { "yes" } else { "no" };
            row(&mut page, &[&format!("{} {path}", method.to_uppercase()), text(&about["summary"]), signed_in]);
        }
    }
    page.push_str("</tbody></table><h2>Operations of POST /api/v1/commands</h2><table><thead><tr><th>op<th>What it does</thead><tbody>");
    for (op, about) in fields(&document["x-operations"]) {
        row(&mut page, &[op, text(&about["summary"])]);
    }
    page.push_str("</tbody></table></main></html>");
    page
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn row(page: &mut String, cells: &[&str]) {
    page.push_str("<tr>");
    for cell in cells {
        let _ = write!(page, "<td>{}", cell.replace('&', "&amp;").replace('<', "&lt;"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_route_and_operation_and_runs_nothing() {
        for wanted in ["POST /api/v1/login", "GET /api/v1/boards/{channel}", "station.mode", "Sign in"] {
            assert!(PAGE.contains(wanted), "{wanted}");
        }
        assert!(!PAGE.contains("<script") && !PAGE.contains("https://"));
    }
}
