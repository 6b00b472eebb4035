//! The routes that the server has are those of the contract, and the other way round: read from the sources, so that a
//! route that was added in a hurry is seen even where no test calls it.
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
