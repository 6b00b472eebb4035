//! Who is at the door: the session cookie, the exact origin of a page, the ticket of a socket, name and password of a program
//! (its token is the business of `token`).
//! A cookie counts only together with an origin on the list, so that no foreign page acts in somebody's name.
use super::problem::Refused;
use super::session::{Holder, SessionKey, Standing};
use super::{Caller, Console};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::watch;
use tongdao_domain::id::UserId;
use tongdao_domain::user::User;
use tongdao_protocol::console::TICKET_PREFIX;
use tongdao_protocol::console::codes::{Code, ErrorBody};

#[cfg(test)]
mod tests;

/// Name of the cookie.
const COOKIE: &str = "session";
/// Who stands in the audit for a name that nobody has.
const NOBODY: &str = "nobody";

/// Somebody who may open a socket.
pub struct Entrance {
    /// Who, as of now.
    pub caller: Caller,
    /// Their session from now on: rights, lock, end.
    pub standing: watch::Receiver<Standing>,
}

/// A request: what it says of itself, and from where it comes.
pub struct Asker {
    /// What it says.
    pub headers: HeaderMap,
    /// The address that counts.
    pub address: IpAddr,
}

impl FromRequestParts<Console> for Asker {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Refused> {
        let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>().copied().ok_or(Code::Internal)?;
        Ok(Self { address: console.address(peer, &parts.headers), headers: parts.headers.clone() })
    }
}

/// Pages that may act with a cookie: those of the config, or this very server under its names on this machine.
#[must_use]
pub fn origins(configured: &[String], http: SocketAddr) -> Vec<String> {
    if !configured.is_empty() {
        return configured.to_vec();
    }
    let port = http.port();
    let named = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}:{port}"));
    let own = (!http.ip().is_unspecified()).then(|| format!("http://{http}"));
    let mut origins: Vec<String> = named.into_iter().chain(own).collect();
    origins.sort();
    origins.dedup();
    origins
}

/// The value of the session cookie.
#[must_use]
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// `Set-Cookie` of a new session; with nothing in it, of one that is over.
#[must_use]
pub fn set_cookie(value: Option<(&str, u64)>, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let (value, age_s) = value.unwrap_or(("", 0));
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age_s}{secure}")
}

/// What a page's request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// It is one of our own pages.
    Own,
    /// No page: a program that sends no origin.
    NoPage,
    /// Somebody else's page.
    Foreign,
}

impl Console {
    fn from(&self, headers: &HeaderMap) -> From {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        match (text("origin"), text("sec-fetch-site")) {
            (Some(origin), _) if self.0.origins.iter().any(|known| known == origin) => From::Own,
            (Some(_), _) => From::Foreign,
            (None, None | Some("same-origin" | "none")) => From::NoPage,
            (None, Some(_)) => From::Foreign,
        }
    }

    /// A request that changes something must not come from a foreign page.
    ///
    /// # Errors
    /// `BAD_ORIGIN`.
    pub fn own_page(&self, headers: &HeaderMap) -> Result<(), ErrorBody> {
        if self.from(headers) == From::Foreign { Err(Code::BadOrigin.into()) } else { Ok(()) }
    }

    /// Is the cookie only for encrypted connections? Not where pages come from this machine itself.
    #[must_use]
    pub fn cookie_is_secure(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(host, |(name, _)| name);
        !matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// The address that a request comes from: that of the connection, or what a proxy of ours says.
    #[must_use]
    pub fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        client_address(peer.ip(), headers, &self.settings().trusted_proxies)
    }

    /// The session that a request names by its cookie.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub fn session_of(&self, headers: &HeaderMap) -> Result<SessionKey, ErrorBody> {
        let of_page = |value: &&str| !value.starts_with(super::token::PREFIX);
        cookie(headers).filter(of_page).map(SessionKey::of).ok_or_else(|| Code::Unauthenticated.into())
    }

    /// Lets a socket in: by the ticket in its second protocol value, or by a cookie from one of our own pages. A locked page
    /// is let in too: it is told that it is locked.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` (a ticket that is no good, a session that is over), `BAD_ORIGIN`, `BUSY`.
    pub async fn enter(&self, headers: &HeaderMap) -> Result<Entrance, ErrorBody> {
        let session = match ticket(headers) {
            Some(ticket) => self.sessions().redeem(ticket, self.now()).ok_or_else(|| ErrorBody::new(Code::Unauthenticated))?,
            None if self.from(headers) == From::Own => self.session_of(headers)?,
            None if headers.contains_key("origin") => return Err(Code::BadOrigin.into()),
            None => return Err(Code::Unauthenticated.into()),
        };
        let standing = self.sessions().watch(&session).ok_or_else(|| ErrorBody::new(Code::Unauthenticated))?;
        let (caller, _) = self.holder(&session).await?;
        Ok(Entrance { caller, standing })
    }

    /// Checks a name and a password; every try counts, and refused ones stand in the audit.
    ///
    /// # Errors
    /// `TOO_MANY`, `BAD_CREDENTIALS`, `BUSY`.
    pub async fn prove(&self, op: &str, user: &UserId, password: &str, address: IpAddr) -> Result<User, ErrorBody> {
        self.0.guard.count(user, address)?;
        let state = self.staff().state(user).await?;
        let hash = state.active().and_then(|entry| entry.password.as_ref());
        if self.0.guard.check(password, hash).await? {
            self.0.guard.proved(user, address);
            return Ok(state);
        }
        // What nobody is called may be anything that somebody typed: it stands nowhere.
        let named = if state.entry.is_some() { Some(user.clone()) } else { UserId::new(NOBODY).ok() };
        if let Some(by) = named {
            self.note_refused(&by, op, &address.to_string()).await;
        }
        Err(Code::BadCredentials.into())
    }

    /// The session of a program that names itself with HTTP Basic; none where it does not.
    ///
    /// # Errors
    /// As [`Console::prove`].
    pub async fn program(&self, headers: &HeaderMap, address: IpAddr) -> Option<Result<SessionKey, ErrorBody>> {
        let (user, password) = basic(headers)?;
        let refused = || ErrorBody::new(Code::BadCredentials);
        let Ok(user) = UserId::new(user) else { return Some(Err(refused())) };
        let state = match self.prove("session.refused", &user, &password, address).await {
            Ok(state) => state,
            Err(error) => return Some(Err(error)),
        };
        let before = self.sessions().count(&user);
        let session = self.sessions().of_program(&user, &state, self.now());
        if self.sessions().count(&user) > before {
            self.note(&user, "session.login", &format!("user/{user}"), &format!("program {address}")).await;
        }
        Some(session.ok_or_else(refused))
    }

    /// Opens a session of a page.
    #[must_use]
    pub fn open_page(&self, user: &UserId, state: &User) -> Option<(String, SessionKey)> {
        self.sessions().open(user, state, Holder::Page, self.now())
    }
}

/// Each proxy adds at the end whom it has heard: from there back, the first that is no proxy of ours. What cannot be read ends
/// the search at whoever said it.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let told = headers.get_all("x-forwarded-for").iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    let mut address = peer.to_canonical();
    for word in told {
        if !trusted.contains(&address) {
            break;
        }
        let Ok(before) = word.trim().parse::<IpAddr>() else { break };
        address = before.to_canonical();
    }
    address
}

/// The ticket among the protocols that a socket asks for.
fn ticket(headers: &HeaderMap) -> Option<&str> {
    let asked = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    asked.flat_map(|line| line.split(',')).find_map(|protocol| protocol.trim().strip_prefix(TICKET_PREFIX))
}

/// Name and password of HTTP Basic.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(value.trim()).ok()).flatten()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
