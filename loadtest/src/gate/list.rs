//! The deny list of a virtual gate: it takes differences, asks where its base is another, fetches the whole where it is told so,
//! says in its state which version it has, and lets nobody on it pass when it decides alone.
use super::{Fact, Port};
use tongdao_domain::deny::{Held, ListHash, Next};
use tongdao_domain::id::Token;
use tongdao_protocol::gate::{List, ListRequest, Medium, MediumKind};
use tongdao_protocol::payload::encode;
use tongdao_protocol::text::{Digest, Id};
use tongdao_protocol::topic::Up;

/// An answer to the same question is waited for this long.
const ASK_AGAIN_MS: i64 = 5_000;

/// A whole list that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The version.
    pub to: u64,
    /// Where: an address, or a path of the HTTP interface.
    pub url: String,
    hash: ListHash,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct DenyList {
    held: Held,
    wanted: Option<Wanted>,
    asked: Option<(u64, i64)>,
}

impl DenyList {
    pub(super) const fn version(&self) -> u64 {
        self.held.version()
    }
    /// What is to be fetched; asked for once.
    pub(super) fn take_wanted(&mut self) -> Option<Wanted> {
        self.wanted.take()
    }
    /// Does it let nobody through with this medium? Of a code the part before the first dot is the medium.
    pub(super) fn denies(&self, medium: &Medium) -> bool {
        let shown = medium.token.as_str();
        let token = if medium.kind == MediumKind::Qr { shown.split('.').next().unwrap_or_default() } else { shown };
        self.held.denies(token)
    }

    /// `down/list`; true = it has another version now.
    pub(super) fn on_message(&mut self, payload: &[u8], now: i64, cookie: u32, port: &mut impl Port) -> Option<bool> {
        let next = match serde_json::from_slice(payload).ok()? {
            List::Delta(delta) => {
                let add = delta.add.iter().filter_map(token).collect();
                let remove: Vec<Token> = delta.remove.iter().filter_map(token).collect();
                self.held.delta(delta.from, delta.to, add, &remove, hash(&delta.hash_after)?)
            }
            List::Full(full) => {
                let wanted = Wanted { to: full.to, url: full.url.as_str().to_owned(), hash: hash(&full.sha256)? };
                port.fact(Fact::ListWanted { version: wanted.to });
                self.wanted = Some(wanted);
                return Some(false);
            }
        };
        Some(self.go_on(next, now, cookie, port))
    }
    /// The whole was fetched; none = it could not be.
    pub(super) fn fetched(&mut self, wanted: &Wanted, body: Option<&str>, now: i64, cookie: u32, port: &mut impl Port) -> bool {
        let tokens = body.map(|body| body.lines().filter_map(|line| Token::new(line).ok()).collect());
        let next = match tokens {
            Some(tokens) => self.held.whole(wanted.to, tokens, wanted.hash),
            None => Next::Ask(self.held.version()),
        };
        self.go_on(next, now, cookie, port)
    }

    fn go_on(&mut self, next: Next, now: i64, cookie: u32, port: &mut impl Port) -> bool {
        match next {
            Next::Nothing => self.asked = None,
            Next::Tell => {
                self.asked = None;
                port.fact(Fact::List { version: self.held.version() });
                return true;
            }
            Next::Ask(have) if self.asked.is_none_or(|(asked, at)| asked != have || at + ASK_AGAIN_MS <= now) => {
                self.asked = Some((have, now));
                port.publish(Up::ListRequest, &encode(&ListRequest { have }), cookie);
            }
            Next::Ask(_) => {}
        }
        false
    }
}

fn token(id: &Id) -> Option<Token> {
    Token::new(id.as_str()).ok()
}

fn hash(digest: &Digest) -> Option<ListHash> {
    let text = digest.as_str();
    let byte = |place: usize| u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..32).map(byte).collect::<Option<_>>()?;
    bytes.try_into().ok().map(ListHash)
}
