//! Signing in as a page does: name and password for a cookie, which then opens sockets together with the page's origin. One
//! request over HTTP/1.1 before the load begins; not a general client.
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// A sign-in takes some time on purpose: the server hashes the password.
const WAIT: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// User id.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Reads people from a file, `user,password` a line; empty lines and those that begin with `#` are skipped.
///
/// # Errors
/// When it cannot be read, or names nobody; names the line without showing it.
pub fn people(path: &Path) -> io::Result<Vec<Person>> {
    let wrong = |what: String| io::Error::other(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let person = |(n, line): (usize, &str)| {
        let (user, password) = line.trim_end().split_once(',').ok_or_else(|| wrong(format!("line {n}: user,password")))?;
        Ok(Person { user: user.to_owned(), password: password.to_owned() })
    };
    let people: Vec<Person> = lines.map(person).collect::<io::Result<_>>()?;
    if people.is_empty() { Err(wrong("nobody stands in it".into())) } else { Ok(people) }
}

/// The origin of the server's own pages.
#[must_use]
pub fn origin(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Signs in; the cookie, `name=value`.
///
/// # Errors
/// When the server does not answer, or lets nobody in.
pub fn sign_in(address: SocketAddr, person: &Person) -> io::Result<String> {
    let body = serde_json::json!({"user": person.user, "password": person.password}).to_string();
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    let head = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: {address}\r\nOrigin: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        origin(address),
        body.len()
    );
    stream.write_all((head + &body).as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    cookie(&answer).ok_or_else(|| {
        let status = answer.lines().next().unwrap_or("no answer");
        io::Error::other(format!("{} cannot sign in: {status} {}", person.user, code(&answer).unwrap_or_default()))
    })
}

fn head(answer: &str) -> impl Iterator<Item = &str> {
    answer.lines().take_while(|line| !line.is_empty())
}

fn cookie(answer: &str) -> Option<String> {
    head(answer).next()?.split(' ').nth(1).filter(|status| *status == "200")?;
    let mut headers = head(answer).filter_map(|line| line.split_once(':'));
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))?;
    Some(value.split(';').next()?.trim().to_owned())
}

/// The stable code of a problem.
fn code(answer: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    Some(body.get("code")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_taken_from_a_good_answer_only() {
        let good = "HTTP/1.1 200 OK\r\nSet-Cookie: session=abc; Path=/; HttpOnly\r\n\r\n{}";
        assert_eq!(cookie(good).as_deref(), Some("session=abc"));
        assert_eq!(cookie(&good.replace("200 OK", "401 Unauthorized")), None);
        assert_eq!(cookie("HTTP/1.1 200 OK\r\n\r\nset-cookie: session=abc"), None);
        assert_eq!(code("HTTP/1.1 401 x\r\n\r\n{\"code\":\"BAD_CREDENTIALS\"}").as_deref(), Some("BAD_CREDENTIALS"));
    }

    #[test]
    fn people_are_read_and_a_password_may_hold_a_comma() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "# bench\nli,a,b\n\nwang,c\n").expect("written");
        let people = people(file.path()).unwrap_or_default();
        let people: Vec<_> = people.iter().map(|person| (person.user.as_str(), person.password.as_str())).collect();
        assert_eq!(people, [("li", "a,b"), ("wang", "c")]);
        std::fs::write(file.path(), "a canary\n").expect("written");
        let told = super::people(file.path()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("line 1") && !told.contains("canary"), "{told}");
    }
}
