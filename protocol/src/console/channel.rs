//! Channels by name: `overview:all`, `gates:tianfu`, `alarms`.
use crate::payload::Notes;
use crate::wire::{Wire, deserialize_by_wire, text_visitor};
use schemars::JsonSchema;
use serde::{Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use tongdao_domain::id::{DeviceId, SiteId, StationId};

/// What somebody can subscribe to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// `overview:{site}`, or `overview:all` for every site.
    Overview(Option<SiteId>),
    /// `gates:{station}`.
    Gates(StationId),
    /// `device:{device}`.
    Device(DeviceId),
    /// `alarms`.
    Alarms,
    /// `approvals`.
    Approvals,
    /// `audit`.
    Audit,
}

/// The name is no channel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such channel")]
pub struct NoChannel;

const ALL: &str = "all";

impl Channel {
    /// The kind of channel, for metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Overview(_) => "overview",
            Self::Gates(_) => "gates",
            Self::Device(_) => "device",
            Self::Alarms => "alarms",
            Self::Approvals => "approvals",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::Overview(site) => write!(f, "{kind}:{}", site.as_ref().map_or(ALL, SiteId::as_str)),
            Self::Gates(station) => write!(f, "{kind}:{station}"),
            Self::Device(device) => write!(f, "{kind}:{device}"),
            Self::Alarms | Self::Approvals | Self::Audit => f.write_str(kind),
        }
    }
}

impl FromStr for Channel {
    type Err = NoChannel;
    fn from_str(name: &str) -> Result<Self, NoChannel> {
        let (kind, of) = name.split_once(':').map_or((name, None), |(kind, of)| (kind, Some(of)));
        match (kind, of) {
            ("overview", Some(ALL)) => Ok(Self::Overview(None)),
            ("overview", Some(site)) => SiteId::new(site).map(|site| Self::Overview(Some(site))).map_err(|_| NoChannel),
            ("gates", Some(station)) => StationId::new(station).map(Self::Gates).map_err(|_| NoChannel),
            ("device", Some(device)) => DeviceId::new(device).map(Self::Device).map_err(|_| NoChannel),
            ("alarms", None) => Ok(Self::Alarms),
            ("approvals", None) => Ok(Self::Approvals),
            ("audit", None) => Ok(Self::Audit),
            _ => Err(NoChannel),
        }
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}
impl<'de> Wire<'de> for Channel {
    const EXPECTED: &'static str = "a channel such as overview:all, gates:{station}, device:{device}, alarms, approvals or audit";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        source.deserialize_str(text_visitor(|name| name.parse().ok()))
    }
}
deserialize_by_wire!(Channel);
impl JsonSchema for Channel {
    fn schema_name() -> Cow<'static, str> {
        "Channel".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "description": "A channel by name.",
            "pattern": "^((overview|gates|device):[A-Za-z0-9._-]{1,64}|alarms|approvals|audit)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_channel_is_read_and_written_by_its_name() {
        for name in ["overview:all", "overview:cd", "gates:tianfu", "device:g1", "alarms", "approvals", "audit"] {
            let channel: Channel = name.parse().expect(name);
            assert_eq!(channel.to_string(), name);
            assert!(name.starts_with(channel.kind()));
        }
        assert_eq!("overview:all".parse(), Ok(Channel::Overview(None)));
    }

    #[test]
    fn nothing_else_is_a_channel() {
        for name in
            ["", "overview", "overview:", "gates", "gates:a/b", "gates:a:b", "alarms:", "alarms:all", "floor:b1", "Alarms", " audit"]
        {
            assert_eq!(name.parse::<Channel>(), Err(NoChannel), "{name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_a_channel_is_written_as_it_was_read(name in "(overview|gates|device|alarms|audit)?:?[a-zA-Z0-9._:/-]{0,70}") {
            if let Ok(channel) = name.parse::<Channel>() {
                prop_assert_eq!(channel.to_string(), name);
            }
        }
    }
}
