//! What happened to the deny list, as it is exported.
use super::{by, put, time};
use serde_json::{Value, json};
use tongdao_domain::deny::{DenyList, Event};
use tongdao_domain::id::Token;
use tongdao_domain::machine::Machine as _;

pub(super) fn described(event: &Event) -> (&'static str, Value) {
    let d = match event {
        Event::Listed { tokens: which, by: who, due } | Event::Unlisted { tokens: which, by: who, due } => {
            json!({"tokens": tokens(which), "by": by(who), "due": time(*due)})
        }
        Event::Account { account, deny, allow, due } => {
            let deny: Vec<_> = deny.iter().map(|(token, why)| json!({"token": token.as_str(), "why": why.name()})).collect();
            json!({"account": account.as_str(), "deny": deny, "allow": tokens(allow), "due": time(*due)})
        }
        Event::VersionMade { delta, count, since, forgotten: _, due } => {
            let mut d = json!({
                "version": delta.to, "add": tokens(&delta.add), "remove": tokens(&delta.remove), "hash": delta.hash.to_string(),
                "count": count, "since": time(*since),
            });
            put(&mut d, "due", due.map(time));
            d
        }
        Event::Reached(reached) => json!({
            "version": reached.version, "scope": reached.scope.name(), "gates": reached.gates, "at": time(reached.at),
            "took_ms": reached.took.0,
        }),
    };
    (DenyList::event_name(event), d)
}

fn tokens(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().map(Token::as_str).collect()
}
