//! Roles and scopes on the wire.
use super::strict::{BadArgs, from_value};
use crate::payload::Notes;
use crate::text::Id;
use crate::wire::{Wire, deserialize_by_wire, wire, wire_enum};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serialize};
use serde_json::Value;
use tongdao_domain::id::{SiteId, StationId};
use tongdao_domain::user as domain;

wire_enum! {
    /// What a person may do.
    Role = domain::Role {
        Teller = "teller", Lobby = "lobby", RemoteAgent = "remote_agent", Supervisor = "supervisor", GateOperator = "gate_operator",
        Settlement = "settlement", Technician = "technician", Manager = "manager", Inspector = "inspector", Auditor = "auditor",
        Admin = "admin",
    }
}

/// Where a person's roles count: `"all"`, `{"sites":[…]}` or `{"stations":[…]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everywhere.
    All,
    /// At these sites.
    Sites(#[schemars(with = "Vec<Id>")] Vec<SiteId>),
    /// At these stations.
    Stations(#[schemars(with = "Vec<Id>")] Vec<StationId>),
}

wire! {
    /// Only to read a scope's object.
    #[derive(Eq)]
    Places {
        /// Sites.
        #[schemars(with = "Vec<Id>")]
        sites = "sites": Option<Vec<SiteId>>,
        /// Stations.
        #[schemars(with = "Vec<Id>")]
        stations = "stations": Option<Vec<StationId>>,
    }
}

impl Scope {
    /// Does it name at least one place, and not too many?
    #[must_use]
    pub fn fits(&self) -> bool {
        let places = match self {
            Self::All => return true,
            Self::Sites(sites) => sites.len(),
            Self::Stations(stations) => stations.len(),
        };
        (1..=domain::SCOPE_ITEMS_MAX).contains(&places)
    }
    fn of(value: &Value) -> Result<Self, BadArgs> {
        if value == "all" {
            return Ok(Self::All);
        }
        let places: Places = from_value(value)?;
        match (places.sites, places.stations) {
            (Some(sites), None) => Ok(Self::Sites(sites)),
            (None, Some(stations)) => Ok(Self::Stations(stations)),
            _ => Err(BadArgs::bad("", Self::EXPECTED)),
        }
    }
}

impl<'de> Wire<'de> for Scope {
    const EXPECTED: &'static str = "\"all\", {\"sites\":[ids]} or {\"stations\":[ids]}";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        let value = Value::deserialize(source)?;
        Self::of(&value).map_err(|_| D::Error::custom("no scope"))
    }
}
deserialize_by_wire!(Scope);

impl From<&domain::Scope> for Scope {
    fn from(scope: &domain::Scope) -> Self {
        match scope {
            domain::Scope::All => Self::All,
            domain::Scope::Sites(sites) => Self::Sites(sites.iter().cloned().collect()),
            domain::Scope::Stations(stations) => Self::Stations(stations.iter().cloned().collect()),
        }
    }
}
impl From<&Scope> for domain::Scope {
    fn from(scope: &Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Sites(sites) => Self::Sites(sites.iter().cloned().collect()),
            Scope::Stations(stations) => Self::Stations(stations.iter().cloned().collect()),
        }
    }
}

/// The roles of the wire as a set of the domain.
pub fn roles_into_domain(roles: &[Role]) -> std::collections::BTreeSet<domain::Role> {
    roles.iter().map(|role| (*role).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Scope> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn a_scope_is_all_or_names_places_of_one_kind() {
        for text in [r#""all""#, r#"{"sites":["cd"]}"#, r#"{"stations":["s1","s2"]}"#, r#"{"sites":[]}"#] {
            let scope = read(text).expect(text);
            assert_eq!(serde_json::to_string(&scope).expect("JSON"), text);
            assert_eq!(Scope::from(&domain::Scope::from(&scope)), scope);
        }
        for bad in [
            r#""none""#,
            "null",
            "{}",
            r#"{"sites":["cd"],"stations":["s1"]}"#,
            r#"{"sites":"cd"}"#,
            r#"{"cities":["cd"]}"#,
            r#"{"sites":["a/b"]}"#,
            r#"{"sites":["cd"],"also":1}"#,
            r#"["all"]"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn roles_are_the_domain_s() {
        for role in domain::Role::ALL {
            assert_eq!(Role::from(*role).name(), role.name());
        }
        assert_eq!(roles_into_domain(&[Role::Admin, Role::Admin]).len(), 1);
    }
}
