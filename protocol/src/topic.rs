//! MQTT topics: `td/1/{site}/{kind}/{device}/up/{message}` and `…/down/{message}`, and the two broadcasts. Who may use
//! which is the gateway's business.
use std::fmt;
use tongdao_domain::device::DeviceKind;
use tongdao_domain::id::{DeviceId, SiteId};

macro_rules! messages {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $wire:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }
        impl $name {
            /// Every message there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The last topic level.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $wire,)* }
            }
            /// The message with this topic level.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($wire => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

messages! {
    /// What a device sends.
    Up {
        /// A medium was presented.
        Tap = "tap",
        /// What the rider did.
        Passage = "passage",
        /// The gate's own account of its taps.
        Records = "records",
        /// What the device says of itself.
        State = "state",
        /// The end of a command or a mode change.
        Ack = "ack",
        /// A button, a fire line, a sensor.
        Alarm = "alarm",
    }
}

messages! {
    /// What a device is told.
    Down {
        /// The answer to a tap.
        Decision = "decision",
        /// The answer to a batch of records.
        RecordsAck = "records_ack",
        /// Mode of the station and service of the gate.
        Mode = "mode",
        /// Something to do.
        Command = "command",
        /// Its parameters.
        Config = "config",
    }
}

/// A topic, taken apart. Borrowed: a tap compares its levels with its link's identity and allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic<'a> {
    /// From a device.
    Up {
        /// Site level.
        site: &'a str,
        /// Kind level.
        kind: DeviceKind,
        /// Device level.
        device: &'a str,
        /// What it sends.
        message: Up,
    },
    /// To a device.
    Down {
        /// Site level.
        site: &'a str,
        /// Kind level.
        kind: DeviceKind,
        /// Device level.
        device: &'a str,
        /// What it is told.
        message: Down,
    },
    /// To every device of a site.
    SiteBroadcast {
        /// Site level.
        site: &'a str,
        /// What they are told.
        message: Down,
    },
    /// To every device.
    Broadcast {
        /// What they are told.
        message: Down,
    },
}

/// Why a topic is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Another shape.
    #[error("a topic is td/1/{{site}}/{{kind}}/{{device}}/up/{{message}} or …/down/{{message}}")]
    Shape,
    /// A wildcard in a topic that is published to.
    #[error("a topic that is published to holds no + and no #")]
    Wildcard,
    /// A level that is no id.
    #[error("site and device are ids of A-Z a-z 0-9 . _ - with at most 64 characters")]
    Id,
    /// Another kind of device.
    #[error("the kind is one of gate, kiosk, robot, display")]
    Kind,
    /// A message that this version does not know.
    #[error("no such message in this version")]
    Message,
}

/// The kind of device with this topic level.
#[must_use]
pub fn kind_from_name(name: &str) -> Option<DeviceKind> {
    [DeviceKind::Gate, DeviceKind::Kiosk, DeviceKind::Robot, DeviceKind::Display].into_iter().find(|kind| kind.name() == name)
}

impl<'a> Topic<'a> {
    /// Takes a topic apart.
    ///
    /// # Errors
    /// [`TopicError`] says what is wrong with it.
    pub fn parse(topic: &'a str) -> Result<Self, TopicError> {
        if topic.contains(['+', '#']) {
            return Err(TopicError::Wildcard);
        }
        let mut levels = [""; 5];
        let mut count = 0;
        for level in topic.strip_prefix("td/1/").ok_or(TopicError::Shape)?.split('/') {
            *levels.get_mut(count).ok_or(TopicError::Shape)? = level;
            count += 1;
        }
        match levels[..count] {
            [site, kind, device, "up", message] => {
                let (site, device, kind) = (id(site)?, id(device)?, kind_from_name(kind).ok_or(TopicError::Kind)?);
                Ok(Self::Up { site, kind, device, message: Up::from_name(message).ok_or(TopicError::Message)? })
            }
            [site, kind, device, "down", message] => {
                let (site, device, kind) = (id(site)?, id(device)?, kind_from_name(kind).ok_or(TopicError::Kind)?);
                Ok(Self::Down { site, kind, device, message: down_message(message)? })
            }
            [site, "all", "down", message] => Ok(Self::SiteBroadcast { site: id(site)?, message: down_message(message)? }),
            ["all", "down", message] => Ok(Self::Broadcast { message: down_message(message)? }),
            _ => Err(TopicError::Shape),
        }
    }
}

fn id(level: &str) -> Result<&str, TopicError> {
    DeviceId::new(level).map(|_| level).map_err(|_| TopicError::Id)
}
fn down_message(level: &str) -> Result<Down, TopicError> {
    Down::from_name(level).ok_or(TopicError::Message)
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up { site, kind, device, message } => write!(f, "td/1/{site}/{}/{device}/up/{}", kind.name(), message.name()),
            Self::Down { site, kind, device, message } => write!(f, "td/1/{site}/{}/{device}/down/{}", kind.name(), message.name()),
            Self::SiteBroadcast { site, message } => write!(f, "td/1/{site}/all/down/{}", message.name()),
            Self::Broadcast { message } => write!(f, "td/1/all/down/{}", message.name()),
        }
    }
}

/// `td/1/{site}/{kind}/{device}/up/{message}`.
#[must_use]
pub fn up(site: &SiteId, kind: DeviceKind, device: &DeviceId, message: Up) -> String {
    Topic::Up { site: site.as_str(), kind, device: device.as_str(), message }.to_string()
}

/// `td/1/{site}/{kind}/{device}/down/{message}`.
#[must_use]
pub fn down(site: &SiteId, kind: DeviceKind, device: &DeviceId, message: Down) -> String {
    Topic::Down { site: site.as_str(), kind, device: device.as_str(), message }.to_string()
}

/// `td/1/{site}/all/down/{message}`.
#[must_use]
pub fn site_broadcast(site: &SiteId, message: Down) -> String {
    Topic::SiteBroadcast { site: site.as_str(), message }.to_string()
}

/// `td/1/all/down/{message}`.
#[must_use]
pub fn broadcast(message: Down) -> String {
    Topic::Broadcast { message }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_topic_reads_back_as_what_it_was_made_of() {
        let (site, device) = (SiteId::new("cd").expect("an id"), DeviceId::new("g.1_a-b").expect("an id"));
        for kind in [DeviceKind::Gate, DeviceKind::Kiosk, DeviceKind::Robot, DeviceKind::Display] {
            for message in Up::ALL {
                let topic = up(&site, kind, &device, *message);
                assert_eq!(Topic::parse(&topic), Ok(Topic::Up { site: "cd", kind, device: "g.1_a-b", message: *message }), "{topic}");
            }
            for message in Down::ALL {
                let topic = down(&site, kind, &device, *message);
                assert_eq!(Topic::parse(&topic), Ok(Topic::Down { site: "cd", kind, device: "g.1_a-b", message: *message }), "{topic}");
            }
        }
        let command = Down::Command;
        assert_eq!(Topic::parse(&site_broadcast(&site, command)), Ok(Topic::SiteBroadcast { site: "cd", message: command }));
        assert_eq!(Topic::parse(&broadcast(command)), Ok(Topic::Broadcast { message: command }));
        assert_eq!(up(&site, DeviceKind::Gate, &device, Up::Tap), "td/1/cd/gate/g.1_a-b/up/tap");
    }

    #[test]
    fn what_is_no_topic_says_why() {
        let long = format!("td/1/{}/gate/g1/up/tap", "s".repeat(65));
        for (topic, why) in [
            ("", TopicError::Shape),
            ("td/1", TopicError::Shape),
            ("td/2/cd/gate/g1/up/tap", TopicError::Shape),
            ("/td/1/cd/gate/g1/up/tap", TopicError::Shape),
            ("td/1/cd/gate/g1/up/tap/", TopicError::Shape),
            ("td/1/cd/gate/g1/sideways/tap", TopicError::Shape),
            ("td/1/cd/all/up/tap", TopicError::Shape),
            ("td/1/cd/gate/g1/up/+", TopicError::Wildcard),
            ("td/1/cd/gate/#", TopicError::Wildcard),
            ("td/1//gate/g1/up/tap", TopicError::Id),
            ("td/1/cd/gate/g 1/up/tap", TopicError::Id),
            ("td/1/cd/gate/g1\0/up/tap", TopicError::Id),
            (long.as_str(), TopicError::Id),
            ("td/1/cd/fridge/g1/up/tap", TopicError::Kind),
            ("td/1/cd/GATE/g1/up/tap", TopicError::Kind),
            ("td/1/cd/gate/g1/up/decision", TopicError::Message),
            ("td/1/cd/gate/g1/down/tap", TopicError::Message),
            ("td/1/cd/gate/g1/up/", TopicError::Message),
        ] {
            assert_eq!(Topic::parse(topic), Err(why), "{topic}");
        }
    }

    proptest! {
        #[test]
        fn no_topic_makes_it_panic(topic in "(td/1/)?[a-z0-9/+#$ é]{0,60}") {
            if let Ok(parsed) = Topic::parse(&topic) {
                prop_assert_eq!(parsed.to_string(), topic);
            }
        }
    }
}
