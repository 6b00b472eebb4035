//! The deny list as a gate hears of it: the difference to what it has, or where the whole is. A gate whose list has another
//! version, or another hash afterwards, asks with `up/list_request`.
use crate::payload::encode;
use crate::text::{Code, Digest, Id};
use crate::wire::wire;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tongdao_domain::deny::{DenyView, Fold, ListHash, Way};
use tongdao_domain::id::Token;

/// Where the whole list is, below the HTTP interface.
pub const LISTS: &str = "/api/v1/lists/";
/// Bytes that a token takes in a message at least, with quotes and comma: more of them than fit are not folded.
const TOKEN_BYTES: usize = 16;

wire! {
    /// `up/list_request`: the gate wants the way from the list that it has; answered by `down/list`.
    #[derive(Eq)]
    ListRequest {
        /// Version that it has; 0 = none, or one that it does not trust.
        have = "have": u64,
    }
}

wire! {
    /// `down/list`: what makes one version of the deny list out of another.
    #[derive(Eq)]
    ListDelta {
        /// Out of which.
        from = "from": u64,
        /// The version that it makes.
        to = "to": u64,
        /// Tokens that come.
        add = "add": Vec<Id>,
        /// Tokens that go.
        remove = "remove": Vec<Id>,
        /// SHA-256 of the tokens afterwards, in the order of their bytes, each followed by a line feed.
        hash_after = "hash_after": Digest,
    }
}

wire! {
    /// `down/list`: the whole is to be fetched.
    #[derive(Eq)]
    ListFull {
        /// Always true.
        full = "full": bool,
        /// The version that it is.
        to = "to": u64,
        /// Where: an address, or a path of the HTTP interface; the device's id and secret as Basic credentials.
        url = "url": Code,
        /// SHA-256 of the body: the tokens in the order of their bytes, each followed by a line feed.
        sha256 = "sha256": Digest,
    }
}

/// `down/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum List {
    /// The difference to what the gate has.
    Delta(ListDelta),
    /// Where the whole is.
    Full(ListFull),
}

/// What a gate that has the version `have` is told, as bytes of at most `bytes_max` or a reference to the whole. Whoever has
/// the newest gets a difference of nothing, with the hash to compare. `base` = what stands before the path of the whole.
#[must_use]
pub fn list_for(view: &DenyView, have: u64, bytes_max: usize, base: &str) -> Vec<u8> {
    let fold = match view.way_from(have, bytes_max / TOKEN_BYTES) {
        Way::There => Some(Fold::default()),
        Way::By(fold) => Some(fold),
        Way::Full => None,
    };
    let delta = fold.map(|fold| encode(&List::Delta(delta(view, have, &fold))));
    delta.filter(|bytes| bytes.len() <= bytes_max).unwrap_or_else(|| encode(&List::Full(full(view, base))))
}

fn delta(view: &DenyView, have: u64, fold: &Fold) -> ListDelta {
    let ids = |tokens: &std::collections::BTreeSet<Token>| tokens.iter().filter_map(|token| Id::new(token.as_str())).collect();
    ListDelta { from: have, to: view.version(), add: ids(&fold.add), remove: ids(&fold.remove), hash_after: digest(view.hash()) }
}

fn full(view: &DenyView, base: &str) -> ListFull {
    let to = view.version();
    let url = Code::new(&format!("{}{LISTS}{to}", base.trim_end_matches('/'))).unwrap_or_default();
    ListFull { full: true, to, url, sha256: digest(view.hash()) }
}

fn digest(hash: ListHash) -> Digest {
    Digest::new(&hash.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::deny::{Delta, Event, hash_of};
    use tongdao_domain::time::Timestamp;

    fn tokens(names: &[&str]) -> Vec<Token> {
        names.iter().map(|name| Token::new(name).expect("an id")).collect()
    }
    fn view(versions: &[(&[&str], &[&str], &[&str])]) -> DenyView {
        let mut view = DenyView::default();
        for (to, (add, remove, after)) in (1..).zip(versions) {
            let delta = Delta { to, add: tokens(add), remove: tokens(remove), hash: hash_of(&tokens(after)) };
            let made = Event::VersionMade { delta, count: after.len() as u64, since: Timestamp(0), forgotten: 0, due: None };
            view.advance(&made, Timestamp(0));
        }
        view
    }
    fn told(view: &DenyView, have: u64, bytes_max: usize) -> List {
        serde_json::from_slice(&list_for(view, have, bytes_max, "https://gates.example/")).expect("a list")
    }

    #[test]
    fn who_was_away_gets_one_difference_and_who_has_the_newest_one_of_nothing() {
        let view = view(&[(&["a", "b"], &[], &["a", "b"]), (&["c"], &["a"], &["b", "c"])]);
        let List::Delta(delta) = told(&view, 0, 65_536) else { panic!("no difference") };
        let names = |ids: &[Id]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!((delta.from, delta.to, names(&delta.add), names(&delta.remove)), (0, 2, vec!["b".into(), "c".into()], vec![]));
        assert_eq!(delta.hash_after.as_str(), hash_of(&tokens(&["b", "c"])).to_string());
        let List::Delta(nothing) = told(&view, 2, 65_536) else { panic!("no difference") };
        assert!(nothing.from == 2 && nothing.to == 2 && nothing.add.is_empty() && nothing.hash_after == delta.hash_after);
    }

    #[test]
    fn what_does_not_fit_or_is_not_kept_is_fetched() {
        let view = view(&[(&["a", "b"], &[], &["a", "b"])]);
        let whole = |have, bytes_max| match told(&view, have, bytes_max) {
            List::Full(full) => full,
            List::Delta(delta) => panic!("{delta:?}"),
        };
        let full = whole(7, 65_536);
        assert_eq!((full.to, full.url.as_str()), (1, "https://gates.example/api/v1/lists/1"));
        assert_eq!(full.sha256.as_str(), hash_of(&tokens(&["a", "b"])).to_string());
        assert!(whole(0, 100).full, "larger than a message may be");
        assert!(whole(0, 20).full, "not even folded");
    }

    #[test]
    fn an_empty_list_is_the_hash_of_nothing() {
        assert!(hash_of([]).to_string().starts_with("e3b0c44298fc1c14"));
        assert!(matches!(told(&DenyView::default(), 0, 65_536), List::Delta(delta) if delta.to == 0));
    }
}
