//! Names of channels, such as `gates:tianfu`.
use std::fmt;
use std::str::FromStr;
use tongdao_domain::id::{DeviceId, SiteId, StationId};

/// What a console may subscribe to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// `overview:{site}`; `overview:all` without a site.
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

/// A text names no channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such channel")]
pub struct NoChannel;

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overview(None) => f.write_str("overview:all"),
            Self::Overview(Some(site)) => write!(f, "overview:{site}"),
            Self::Gates(station) => write!(f, "gates:{station}"),
            Self::Device(device) => write!(f, "device:{device}"),
            Self::Alarms => f.write_str("alarms"),
            Self::Approvals => f.write_str("approvals"),
            Self::Audit => f.write_str("audit"),
        }
    }
}

impl FromStr for Channel {
    type Err = NoChannel;
    fn from_str(text: &str) -> Result<Self, NoChannel> {
        let (kind, id) = text.split_once(':').unwrap_or((text, ""));
        Ok(match (kind, id) {
            ("alarms", "") => Self::Alarms,
            ("approvals", "") => Self::Approvals,
            ("audit", "") => Self::Audit,
            ("overview", "all") => Self::Overview(None),
            ("overview", site) => Self::Overview(Some(site.parse().map_err(|_| NoChannel)?)),
            ("gates", station) => Self::Gates(station.parse().map_err(|_| NoChannel)?),
            ("device", device) => Self::Device(device.parse().map_err(|_| NoChannel)?),
            _ => return Err(NoChannel),
        })
    }
}
