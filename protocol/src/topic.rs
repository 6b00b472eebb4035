//! MQTT topics and who may use which: `td/1/{site}/{kind}/{device}/up/{message}`, `…/down/{message}`, and the two broadcasts.
//! Denied by default: a device publishes only below its own `up/` and hears only what lies within its own `down/#` and the
//! broadcasts. What a message means is not read here.
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
        /// The gate's deny list is not the newest.
        ListRequest = "list_request",
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
        /// The deny list.
        List = "list",
    }
}

/// The kind of device with this topic level.
#[must_use]
pub fn kind_from_name(name: &str) -> Option<DeviceKind> {
    [DeviceKind::Gate, DeviceKind::Kiosk, DeviceKind::Robot, DeviceKind::Display].into_iter().find(|kind| kind.name() == name)
}

/// Whom a topic reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// One device.
    Own,
    /// Every device of its site.
    Site,
    /// Every device.
    Network,
}

/// What belongs to one device: everything below `td/1/{site}/{kind}/{device}/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Territory {
    root: Box<str>,
    site: Box<str>,
}

impl Territory {
    /// The territory of a device.
    #[must_use]
    pub fn new(site: &SiteId, kind: DeviceKind, device: &DeviceId) -> Self {
        Self { root: format!("td/1/{site}/{}/{device}/", kind.name()).into(), site: site.as_str().into() }
    }
    /// The message's name, where the topic lies below the device's own `up/`.
    #[must_use]
    pub fn up<'t>(&self, topic: &'t str) -> Option<&'t str> {
        topic.strip_prefix(&*self.root)?.strip_prefix("up/")
    }
    /// Is it the device's own `up/state`: the only message that may be retained, and the only will?
    #[must_use]
    pub fn is_state(&self, topic: &str) -> bool {
        self.up(topic) == Some("state")
    }
    /// The topic of a message to the device.
    #[must_use]
    pub fn down(&self, message: &str) -> String {
        let mut topic = String::new();
        self.write_down(message, &mut topic);
        topic
    }
    /// The same into a buffer.
    pub fn write_down(&self, message: &str, topic: &mut String) {
        topic.clear();
        for part in [&*self.root, "down/", message] {
            topic.push_str(part);
        }
    }
    /// The topic of a message to so many, into a buffer.
    pub fn write_reach(&self, reach: Reach, message: &str, topic: &mut String) {
        let parts = match reach {
            Reach::Own => return self.write_down(message, topic),
            Reach::Site => ["td/1/", &*self.site, "/all/down/", message],
            Reach::Network => ["td/1/", "all/down/", message, ""],
        };
        topic.clear();
        parts.into_iter().for_each(|part| topic.push_str(part));
    }
    /// May the device subscribe to it?
    #[must_use]
    pub fn may_subscribe(&self, filter: &str) -> bool {
        let own = || filter.strip_prefix(&*self.root)?.strip_prefix("down/");
        let all = || filter.strip_prefix("td/1/")?.strip_prefix("all/down/");
        let site = || filter.strip_prefix("td/1/")?.strip_prefix(&*self.site)?.strip_prefix("/all/down/");
        own().or_else(site).or_else(all).is_some_and(is_filter)
    }
}

/// Is it a topic filter: wildcards stand alone in their level, `#` stands last, no level above is hidden in it?
fn is_filter(rest: &str) -> bool {
    let mut levels = rest.split('/').peekable();
    while let Some(level) = levels.next() {
        match level {
            "#" => return levels.peek().is_none(),
            "+" => {}
            "" => return false,
            name if name.contains(['+', '#', '\0']) => return false,
            _ => {}
        }
    }
    true
}

/// Does the filter match the topic?
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        match (level, topic.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (name, Some(other)) if name == other => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn territory() -> Territory {
        let (site, device) = (SiteId::new("metro").expect("an id"), DeviceId::new("g1").expect("an id"));
        Territory::new(&site, DeviceKind::Gate, &device)
    }

    #[test]
    fn a_device_publishes_below_its_own_up() {
        let t = territory();
        assert_eq!(t.up("td/1/metro/gate/g1/up/tap"), Some("tap"));
        assert_eq!(t.up("td/1/metro/gate/g1/up/a/b"), Some("a/b"));
        assert!(t.is_state("td/1/metro/gate/g1/up/state"));
        assert_eq!(t.down("decision"), "td/1/metro/gate/g1/down/decision");
        let mut topic = String::new();
        let reached = [Reach::Own, Reach::Site, Reach::Network].map(|reach| {
            t.write_reach(reach, "list", &mut topic);
            topic.clone()
        });
        assert_eq!(reached, ["td/1/metro/gate/g1/down/list", "td/1/metro/all/down/list", "td/1/all/down/list"]);
        assert!(reached.iter().all(|topic| t.may_subscribe(topic)));
    }

    /// Topics that must not be published to.
    const FORBIDDEN: &[&str] = &[
        "td/1/metro/gate/g2/up/tap",
        "td/1/metro/gate/g1/down/decision",
        "td/1/metro/gate/g1/down/mode",
        "td/1/metro/gate/g1/up",
        "td/1/metro/gate/g1",
        "td/1/metro/gate/g1x/up/tap",
        "td/1/metro/gate/g/up/tap",
        "td/1/metro/gate/G1/up/tap",
        "td/1/metro/kiosk/g1/up/tap",
        "td/1/other/gate/g1/up/tap",
        "td/2/metro/gate/g1/up/tap",
        "td/1/metro/all/down/command",
        "td/1/all/down/command",
        "/td/1/metro/gate/g1/up/tap",
        "td//metro/gate/g1/up/tap",
        "td/1/metro/gate/g1//up/tap",
        "td/1/metro/gate/../gate/g1/up/tap",
        "$SYS/broker/uptime",
        "$share/x/td/1/metro/gate/g1/up/tap",
        "vda5050/v2/acme/1/state",
        "up/tap",
        "",
        " td/1/metro/gate/g1/up/tap",
        "td/1/metro/gate/g1\0/up/tap",
    ];

    #[test]
    fn every_other_topic_is_forbidden() {
        let t = territory();
        assert!(FORBIDDEN.len() >= 20);
        for topic in FORBIDDEN {
            assert_eq!(t.up(topic), None, "{topic}");
        }
    }

    #[test]
    fn a_device_hears_its_own_down_and_the_broadcasts() {
        let t = territory();
        for filter in [
            "td/1/metro/gate/g1/down/#",
            "td/1/metro/gate/g1/down/+",
            "td/1/metro/gate/g1/down/decision",
            "td/1/metro/gate/g1/down/a/+/b",
            "td/1/metro/all/down/#",
            "td/1/metro/all/down/command",
            "td/1/all/down/#",
            "td/1/all/down/list",
        ] {
            assert!(t.may_subscribe(filter), "{filter}");
        }
    }

    #[test]
    fn every_other_filter_is_forbidden() {
        let t = territory();
        for filter in [
            "#",
            "+/#",
            "td/#",
            "td/1/#",
            "td/1/metro/#",
            "td/1/metro/gate/#",
            "td/1/metro/gate/+/down/#",
            "td/1/metro/gate/g1/#",
            "td/1/metro/gate/g1/+/decision",
            "td/1/metro/gate/g1/up/#",
            "td/1/metro/gate/g1/up/tap",
            "td/1/metro/gate/g1/down",
            "td/1/metro/gate/g1/down/",
            "td/1/metro/gate/g1/down/#/x",
            "td/1/metro/gate/g1/down/x#",
            "td/1/metro/gate/g1/down/x+",
            "td/1/metro/gate/g1/down//x",
            "td/1/metro/gate/g2/down/#",
            "td/1/metro/kiosk/g1/down/#",
            "td/1/other/gate/g1/down/#",
            "td/1/other/all/down/#",
            "td/1/+/all/down/#",
            "td/1/+/down/#",
            "td/1/metro/all/#",
            "td/+/metro/gate/g1/down/#",
            "$share/g/td/1/metro/gate/g1/down/#",
            "$SYS/#",
            "",
        ] {
            assert!(!t.may_subscribe(filter), "{filter}");
        }
    }

    #[test]
    fn filters_match_by_level() {
        let topic = "td/1/metro/gate/g1/down/mode";
        assert!(matches("td/1/metro/gate/g1/down/#", topic));
        assert!(matches("td/1/metro/gate/g1/down/+", topic));
        assert!(matches(topic, topic));
        assert!(!matches("td/1/metro/gate/g1/down/+/x", topic));
        assert!(!matches("td/1/metro/gate/g1/down", topic));
        assert!(matches("td/1/metro/gate/g1/down/mode/#", topic), "a trailing # also means its parent");
    }

    #[test]
    fn messages_and_kinds_have_one_name_each() {
        assert!(Up::ALL.iter().all(|message| Up::from_name(message.name()) == Some(*message)));
        assert!(Down::ALL.iter().all(|message| Down::from_name(message.name()) == Some(*message)));
        assert_eq!((Up::from_name("decision"), Down::from_name("tap"), kind_from_name("GATE")), (None, None, None));
        assert_eq!(kind_from_name("gate"), Some(DeviceKind::Gate));
    }

    proptest! {
        #[test]
        fn nothing_foreign_gets_through(topic in "(td/1/)?(metro/)?(gate/)?[a-z0-9/+#$ é]{0,60}") {
            let t = territory();
            prop_assert_eq!(t.up(&topic).is_some(), topic.starts_with("td/1/metro/gate/g1/up/"));
            let own = ["td/1/metro/gate/g1/down/", "td/1/metro/all/down/", "td/1/all/down/"];
            prop_assert!(!t.may_subscribe(&topic) || own.iter().any(|own| topic.starts_with(own)));
        }
    }
}
