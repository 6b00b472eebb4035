//! What happened to users, alarms and approvals, as it is exported. The hash of a password or of a token is not.
use super::{by, put, time};
use serde_json::{Value, json};
use tongdao_domain::alarm::{self, Alarm};
use tongdao_domain::approval::{self, Approval};
use tongdao_domain::machine::Machine as _;
use tongdao_domain::user::{self, Role, Scope, User};

/// Stands where a password's hash stands in the journal.
const MASKED: &str = "***";

pub(super) fn user(event: &user::Event) -> (&'static str, Value) {
    let d = match event {
        user::Event::Added { roles, scope: of, password, by: who } => {
            let mut d = json!({"roles": names(roles), "scope": scope(of), "by": by(who)});
            put(&mut d, "password", password.as_ref().map(|_| MASKED));
            d
        }
        user::Event::PasswordSet { password: _, by: who } => json!({"password": MASKED, "by": by(who)}),
        user::Event::RolesSet { roles, scope: of, by: who } => json!({"roles": names(roles), "scope": scope(of), "by": by(who)}),
        user::Event::Disabled { by: who } | user::Event::SessionsEnded { by: who } => json!({"by": by(who)}),
        user::Event::Token(event) => token(event),
    };
    (User::event_name(event), d)
}

fn token(event: &user::token::Event) -> Value {
    match event {
        user::token::Event::Made { id, name, hash: _, roles, scope: of, expires_at, by: who } => {
            let mut d = json!({"token": id.as_str(), "name": name.as_str(), "expires_at": time(*expires_at), "by": by(who)});
            put(&mut d, "roles", roles.as_ref().map(names));
            put(&mut d, "scope", of.as_ref().map(scope));
            d
        }
        user::token::Event::Revoked { id, by: who } => json!({"token": id.as_str(), "by": by(who)}),
        user::token::Event::Used { id } => json!({"token": id.as_str()}),
    }
}

fn names<'a>(roles: impl IntoIterator<Item = &'a Role>) -> Vec<&'static str> {
    roles.into_iter().map(|role| role.name()).collect()
}

fn scope(scope: &Scope) -> Value {
    match scope {
        Scope::All => json!("all"),
        Scope::Sites(sites) => json!({"sites": sites}),
        Scope::Stations(stations) => json!({"stations": stations}),
    }
}

pub(super) fn alarm(event: &alarm::Event) -> (&'static str, Value) {
    let d = match event {
        alarm::Event::Raised { code, source, severity, device } => {
            let mut d = json!({"code": code.name(), "source": source.as_str(), "severity": severity.name()});
            put(&mut d, "device", device.as_ref().map(|device| device.as_str()));
            d
        }
        alarm::Event::Settled { device } => {
            let mut d = json!({});
            put(&mut d, "device", device.as_ref().map(|device| device.as_str()));
            d
        }
        alarm::Event::Acked { by: who } => json!({"by": by(who)}),
        alarm::Event::Snoozed { until, by: who } => json!({"until": time(*until), "by": by(who)}),
        alarm::Event::Woken => json!({}),
        alarm::Event::Cleared { by: who } => {
            let mut d = json!({});
            put(&mut d, "by", who.as_ref().map(by));
            d
        }
    };
    (Alarm::event_name(event), d)
}

pub(super) fn approval(event: &approval::Event) -> (&'static str, Value) {
    let d = match event {
        approval::Event::Requested(asked) => {
            let args: Value = serde_json::from_str(&asked.args).unwrap_or_else(|_| json!(asked.args));
            let mut d = json!({
                "op": asked.op.as_str(), "args": args, "command_id": asked.command_id.as_str(), "digest": asked.digest.as_str(),
                "by": by(&asked.by), "expires_at": time(asked.expires_at),
            });
            put(&mut d, "station", asked.station.as_ref().map(|station| station.as_str()));
            d
        }
        approval::Event::Approved { by: who } | approval::Event::Rejected { by: who } => json!({"by": by(who)}),
        approval::Event::Expired => json!({}),
        approval::Event::Ran { refused } => {
            let mut d = json!({});
            put(&mut d, "refused", refused.as_ref().map(|code| code.as_str()));
            d
        }
    };
    (Approval::event_name(event), d)
}
