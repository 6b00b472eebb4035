//! The pages: files of `dashboards/console` inside the program, with a strict content policy, an ETag each, and compressed
//! once. An address without a file is a place within the console: it gets the same `index.html`.
use super::problem::not_found;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

#[derive(RustEmbed)]
#[folder = "dashboards/console"]
struct Files;

const INDEX: &str = "index.html";
/// Nothing but our own files, no script and no style in a page's text, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// What a page may not use of the device that it is shown on.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()";
/// Smaller files are not worth compressing, in bytes.
const COMPRESSED_FROM: usize = 512;

/// What is served, by the end of its name, and whether it is worth compressing. Whatever else lies in the folder is not.
fn kind(path: &str) -> Option<(&'static str, bool)> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => ("text/html; charset=utf-8", true),
        "js" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "ftl" | "LICENSE" => ("text/plain; charset=utf-8", true),
        "svg" => ("image/svg+xml", true),
        "webmanifest" => ("application/manifest+json", true),
        "woff2" => ("font/woff2", false),
        "png" => ("image/png", false),
        _ => return None,
    })
}

/// Serves a file, or the console itself for a place within it.
pub(super) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    match find(path) {
        Some((name, file)) => answer(name, &file, &headers),
        None => not_found().into_response(),
    }
}

/// A last part with a dot names a file; anything else is a place within the console. Ids have dots too: a place that begins
/// with a page's name is no file.
fn find(path: &str) -> Option<(&str, EmbeddedFile)> {
    if let Some(file) = kind(path).and_then(|_| Files::get(path)) {
        return Some((path, file));
    }
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    let first = path.split('/').next().unwrap_or_default();
    let folder = ["api", "ws", "vendor", "style", "locales", "ui", "charts", "types"].contains(&first);
    let file = !path.contains('/') && path.contains('.') || path.ends_with(".js") || path.ends_with(".ftl");
    if folder || file { None } else { Files::get(INDEX).map(|index| (INDEX, index)) }
}

/// A file of a page, with everything that a browser has to obey.
pub fn answer(name: &str, file: &EmbeddedFile, asked: &HeaderMap) -> Response {
    let Some((kind, compressible)) = kind(name) else { return not_found().into_response() };
    let hash = file.metadata.sha256_hash();
    let zipped =
        (compressible && file.data.len() >= COMPRESSED_FROM && accepts_gzip(asked)).then(|| compressed(hash, &file.data)).flatten();
    let tag: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}{}\"", if zipped.is_some() { "-gz" } else { "" });
    let known = asked.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let unchanged = known.is_some_and(|tags| tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag));
    let gzip = zipped.is_some();
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        zipped.unwrap_or_else(|| Bytes::from(file.data.clone().into_owned())).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    if is_document(kind) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
        headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    if gzip && !unchanged {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Can a browser show it by itself, with scripts in it? Everything else obeys the policy of the page that uses it; said with
/// each of sixty files the policy would be a sixth of what goes over the wire.
fn is_document(kind: &str) -> bool {
    kind.starts_with("text/html") || kind.starts_with("image/svg")
}

fn accepts_gzip(asked: &HeaderMap) -> bool {
    let accepted = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').map_or((coding, ""), |(name, weight)| (name, weight.trim()));
        name.trim().eq_ignore_ascii_case("gzip") && weight.trim_end_matches(['0', '.']) != "q="
    })
}

/// The file compressed; once for each content.
fn compressed(hash: [u8; 32], data: &[u8]) -> Option<Bytes> {
    static DONE: LazyLock<Mutex<HashMap<[u8; 32], Bytes>>> = LazyLock::new(Mutex::default);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = done.get(&hash) {
        return Some(known.clone());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).ok()?;
    let bytes = Bytes::from(encoder.finish().ok()?);
    done.insert(hash, bytes.clone());
    Some(bytes)
}
