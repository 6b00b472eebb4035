//! The rules about sources; each gives its findings as `path:line: what`.
use crate::source::Source;

/// Longest function, in lines.
const FUNCTION_LINES_MAX: usize = 70;
/// Longest file, in lines.
const FILE_LINES_MAX: usize = 600;
/// Where `do_send` is counted before it is called.
const COUNTED_SEND: &str = "actors/src/resident.rs";
/// Code that must give the same result whenever and wherever it runs.
const PURE: [&str; 2] = ["domain/src/", "journal/src/pipeline/"];

/// Lines of the files that `wrong` picks where one of the token patterns stands.
fn banned(sources: &[Source], wrong: impl Fn(&str) -> bool, patterns: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| wrong(&source.path)) {
        for pattern in patterns {
            found.extend(source.lines_with(pattern).iter().map(|line| format!("{}:{line}: {pattern}", source.path)));
        }
    }
    found
}

pub(crate) fn readable(sources: &[Source]) -> Vec<String> {
    sources.iter().filter_map(|source| source.broken.as_ref().map(|why| format!("{}: {why}", source.path))).collect()
}

pub(crate) fn actix_in_one_room(sources: &[Source]) -> Vec<String> {
    banned(sources, |path| !path.starts_with("actors/"), &["actix"])
}

pub(crate) fn pure_code_has_no_surroundings(sources: &[Source]) -> Vec<String> {
    let patterns = [
        "std : : time",
        "std : : thread",
        "std : : fs",
        "std : : net",
        "std : : env",
        "std : : process",
        "Instant : : now",
        "SystemTime",
        "tokio",
        "rand",
        "serde_json",
        "async",
        "await",
        "println !",
    ];
    banned(sources, |path| PURE.iter().any(|pure| path.starts_with(pure)) && !is_test(path), &patterns)
}

pub(crate) fn metrics_in_one_room(sources: &[Source]) -> Vec<String> {
    let patterns = ["counter !", "gauge !", "histogram !", "describe_counter !", "describe_gauge !", "describe_histogram !"];
    banned(sources, |path| !path.starts_with("telemetry/"), &patterns)
}

pub(crate) fn counted_sends(sources: &[Source]) -> Vec<String> {
    banned(sources, |path| path != COUNTED_SEND, &["do_send"])
}

pub(crate) fn no_unsafe(sources: &[Source]) -> Vec<String> {
    banned(sources, |_| true, &["unsafe"])
}

/// Shared by several test binaries, each of which uses its own part: nothing is unused in all of them.
fn is_shared_test_module(path: &str) -> bool {
    path.contains("tests/") && path.ends_with("/mod.rs")
}

pub(crate) fn expect_instead_of_allow(sources: &[Source]) -> Vec<String> {
    banned(sources, |path| !is_shared_test_module(path), &["# [ allow (", "# ! [ allow ("])
}

pub(crate) fn short_functions(sources: &[Source]) -> Vec<String> {
    let long = |source: &Source| {
        let functions = source.functions.iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
        functions
            .map(|function| format!("{}:{}: {} has {} lines", source.path, function.line, function.name, function.lines))
            .collect::<Vec<_>>()
    };
    sources.iter().flat_map(long).collect()
}

pub(crate) fn short_files(sources: &[Source]) -> Vec<String> {
    let rust = sources.iter().filter(|source| crate::source::is_rust(&source.path));
    let long = rust.map(|source| (source, source.text.lines().count())).filter(|(_, lines)| *lines > FILE_LINES_MAX);
    long.map(|(source, lines)| format!("{}: {lines} lines", source.path)).collect()
}

/// Every file says first what it is; tests say it by their names.
pub(crate) fn files_have_a_header(sources: &[Source]) -> Vec<String> {
    let rust = sources.iter().filter(|source| crate::source::is_rust(&source.path) && !is_test(&source.path));
    rust.filter(|source| !source.text.starts_with("//! ")).map(|source| format!("{}: no header", source.path)).collect()
}

/// Every manifest takes over the lints of the workspace, and those forbid `unsafe`.
pub(crate) fn lints_everywhere(sources: &[Source]) -> Vec<String> {
    let manifests = sources.iter().filter(|source| source.path == "Cargo.toml" || source.path.ends_with("/Cargo.toml"));
    let mut found = Vec::new();
    for manifest in manifests {
        if !manifest.text.contains("[lints]\nworkspace = true") {
            found.push(format!("{}: no lints of the workspace", manifest.path));
        }
        if manifest.path == "Cargo.toml" && !manifest.text.contains("unsafe_code = \"forbid\"") {
            found.push("Cargo.toml: unsafe code is not forbidden".into());
        }
    }
    found
}

/// The project runs anywhere: it names no folder of the machine that it was made on.
pub(crate) fn no_machine_paths(sources: &[Source]) -> Vec<String> {
    // Written in two parts, so that this file does not find itself.
    let folders = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            found.extend(
                folders.iter().filter(|folder| names(line, folder)).map(|folder| format!("{}:{}: {folder}", source.path, number + 1)),
            );
        }
    }
    found
}

/// Does the line name this folder as the beginning of a path, and not as a part of a longer one?
fn names(line: &str, folder: &str) -> bool {
    let begins = |(index, _): (usize, &str)| !line[..index].ends_with(|before: char| before.is_alphanumeric() || "._-}".contains(before));
    line.match_indices(folder).any(begins)
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("/tests.rs")
}
