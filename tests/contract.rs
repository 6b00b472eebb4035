//! What the sources say beside what the contract says, so that what was added in a hurry is seen even where no test calls it:
//! the routes that the server has, and the first words of the ids that it makes itself, which no console may use.
use std::collections::BTreeSet;
use std::path::Path;
use tongdao_protocol::schema::ROUTES;

/// Routes that are no contract: what a developer looks at, and the answer to what is not there.
const NO_CONTRACT: [&str; 3] = ["/debug/actors", "/api/{*rest}", "/ws"];

/// `.route("/path", get(…))` → method and path.
fn routes_of(source: &str, found: &mut BTreeSet<(String, String)>) {
    for rest in source.split(".route(\"").skip(1) {
        let Some((path, rest)) = rest.split_once('"') else { continue };
        let handler = rest.trim_start_matches(',').trim_start();
        let method = handler.split('(').next().unwrap_or_default().rsplit(':').next().unwrap_or_default();
        if !NO_CONTRACT.contains(&path) {
            found.insert((method.to_owned(), path.to_owned()));
        }
    }
}

#[test]
fn the_server_s_routes_are_those_of_the_contract() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    let console = std::fs::read_dir(sources.join("console")).expect("a folder").map(|entry| entry.expect("an entry").path());
    for file in console
        .chain([sources.join("http.rs"), sources.join("lists/serve.rs")])
        .filter(|file| file.extension().is_some_and(|end| end == "rs"))
    {
        routes_of(&std::fs::read_to_string(&file).expect("readable"), &mut found);
    }
    let contract: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(found.difference(&contract).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not in protocol/src/schema/openapi.rs");
    assert_eq!(contract.difference(&found).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "promised and not there");
}

#[test]
fn a_route_is_found_however_it_is_written() {
    let mut found = BTreeSet::new();
    routes_of(r#"r.route("/a/{id}", get(a)).route("/b",axum::routing::post(b)).route("/ws", get(u))"#, &mut found);
    let wanted = [("get", "/a/{id}"), ("post", "/b")].map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(found, wanted.into());
}

/// First words of the command ids that are made in a file, its own tests left out: `CommandId::of(format_args!("word/…`.
fn words_of(source: &str, found: &mut BTreeSet<String>) {
    let code = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    for rest in code.split("CommandId::").skip(1) {
        let made = rest.strip_prefix("of(format_args!(\"").or_else(|| rest.strip_prefix("new(format!(\""));
        found.extend(made.and_then(|text| text.split('/').next()).filter(|word| !word.contains('{')).map(str::to_owned));
    }
}

fn sources_below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        match () {
            () if name.starts_with("test") => {}
            () if path.is_dir() => sources_below(&path, found),
            () if name.ends_with(".rs") => found.push(path),
            () => {}
        }
    }
}

#[test]
fn no_console_may_use_an_id_that_the_server_makes_itself() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut made) = (Vec::new(), BTreeSet::new());
    for room in ["domain", "journal", "actors", "device-gateway", "."] {
        sources_below(&root.join(room).join("src"), &mut files);
    }
    files.iter().for_each(|file| words_of(&std::fs::read_to_string(file).expect("readable"), &mut made));
    let commands = std::fs::read_to_string(root.join("src/console/commands/mod.rs")).expect("readable");
    let list = commands.split("const OWN_IDS").nth(1).and_then(|rest| rest.split(';').next()).expect("the list");
    let missing: Vec<_> = made.iter().filter(|word| !list.contains(&format!("\"{word}\""))).collect();
    assert!(made.contains("tap") && made.contains("note"), "the sources are read: {made:?}");
    assert_eq!(missing, Vec::<&String>::new(), "not in OWN_IDS of src/console/commands/mod.rs");
}

#[test]
fn an_id_is_found_however_it_is_made() {
    let mut found = BTreeSet::new();
    let text = r#"CommandId::of(format_args!("a/{x}")) CommandId::new(format!("b/1")) CommandId::of(format_args!("{x}/1"))"#;
    words_of(&format!("{text}\n#[cfg(test)]\nmod tests {{ CommandId::of(format_args!(\"c/1\")) }}"), &mut found);
    assert_eq!(found, ["a", "b"].map(str::to_owned).into());
}
