//! What a device listens to. A link sends few kinds of message, so their QoS is worked out once at SUBSCRIBE, not at each
//! decision.
use crate::packet::{Filter, Granted};
use tongdao_protocol::topic::{Down, Reach, Territory, matches};

/// The subscriptions of one link.
#[derive(Debug, Default)]
pub struct Subscriptions {
    filters: Vec<(Box<str>, u8)>,
    /// For each of [`Down::ALL`]: the highest QoS of a filter that matches it.
    levels: [Option<u8>; Down::ALL.len()],
    /// Where a new deny list is heard, and with which QoS: once, however many filters match it.
    list: Option<(Reach, u8)>,
}

/// A subscription that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// The answer for the client.
    pub granted: Granted,
    /// It was not there before.
    pub new: bool,
}

impl Subscriptions {
    /// Subscribes, or says why not. QoS 2 is granted as 1.
    pub fn subscribe(&mut self, filter: &Filter, territory: &Territory, subscriptions_max: usize) -> Made {
        if !territory.may_subscribe(&filter.filter) {
            return Made { granted: Granted::NotAuthorized, new: false };
        }
        let qos = filter.qos.min(1);
        let granted = if qos == 0 { Granted::Qos0 } else { Granted::Qos1 };
        let many = self.filters.len() >= subscriptions_max;
        let known = self.filters.iter_mut().find(|(name, _)| *name == filter.filter);
        let new = known.is_none();
        match known {
            Some(known) => known.1 = qos,
            None if many => return Made { granted: Granted::TooMany, new: false },
            None => {
                self.filters.reserve_exact(1);
                self.filters.push((filter.filter.clone(), qos));
            }
        }
        self.work_out(territory);
        Made { granted, new }
    }
    /// Unsubscribes; was there such a subscription?
    pub fn unsubscribe(&mut self, filter: &str, territory: &Territory) -> bool {
        let before = self.filters.len();
        self.filters.retain(|(name, _)| **name != *filter);
        self.work_out(territory);
        self.filters.len() < before
    }
    /// The QoS with which a message goes out; none = the device does not listen to it.
    #[must_use]
    pub fn level(&self, message: Down) -> Option<u8> {
        self.levels.get(message as usize).copied().flatten()
    }
    /// Where a message to every device is heard, and with which QoS; none = nowhere.
    #[must_use]
    pub const fn list(&self) -> Option<(Reach, u8)> {
        self.list
    }
    fn work_out(&mut self, territory: &Territory) {
        let mut topic = String::new();
        self.list = [Reach::Network, Reach::Site, Reach::Own].into_iter().find_map(|reach| {
            territory.write_reach(reach, Down::List.name(), &mut topic);
            let heard = self.filters.iter().filter(|(filter, _)| matches(filter, &topic)).map(|(_, qos)| *qos).max()?;
            Some((reach, heard))
        });
        for (level, message) in self.levels.iter_mut().zip(Down::ALL) {
            let topic = territory.down(message.name());
            *level = self.filters.iter().filter(|(filter, _)| matches(filter, &topic)).map(|(_, qos)| *qos).max();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Retained;
    use tongdao_domain::device::DeviceKind;
    use tongdao_domain::testing::id;

    fn territory() -> Territory {
        Territory::new(&id("cd"), DeviceKind::Gate, &id("g1"))
    }
    fn filter(filter: &str, qos: u8) -> Filter {
        Filter { filter: filter.into(), qos, retained: Retained::Send }
    }

    #[test]
    fn the_highest_level_counts() {
        let (t, mut s) = (territory(), Subscriptions::default());
        assert_eq!(s.level(Down::Decision), None);
        assert_eq!(s.subscribe(&filter("td/1/cd/gate/g1/down/#", 0), &t, 4), Made { granted: Granted::Qos0, new: true });
        assert_eq!((s.level(Down::Decision), s.level(Down::Mode)), (Some(0), Some(0)));
        assert_eq!(s.subscribe(&filter("td/1/cd/gate/g1/down/decision", 2), &t, 4).granted, Granted::Qos1);
        assert_eq!((s.level(Down::Decision), s.level(Down::Mode)), (Some(1), Some(0)));
        assert!(s.unsubscribe("td/1/cd/gate/g1/down/#", &t));
        assert!(!s.unsubscribe("td/1/cd/gate/g1/down/#", &t));
        assert_eq!((s.level(Down::Decision), s.level(Down::Mode)), (Some(1), None));
    }

    #[test]
    fn a_new_deny_list_is_heard_once_and_where_it_reaches_most() {
        let (t, mut s) = (territory(), Subscriptions::default());
        s.subscribe(&filter("td/1/cd/gate/g1/down/#", 1), &t, 4);
        assert_eq!((s.list(), s.level(Down::List)), (Some((Reach::Own, 1)), Some(1)));
        s.subscribe(&filter("td/1/cd/all/down/list", 1), &t, 4);
        assert_eq!(s.list(), Some((Reach::Site, 1)));
        s.subscribe(&filter("td/1/all/down/+", 0), &t, 4);
        assert_eq!(s.list(), Some((Reach::Network, 0)));
        s.unsubscribe("td/1/all/down/+", &t);
        s.unsubscribe("td/1/cd/all/down/list", &t);
        s.unsubscribe("td/1/cd/gate/g1/down/#", &t);
        assert_eq!(s.list(), None);
    }

    #[test]
    fn foreign_and_too_many_are_refused_and_a_repetition_is_not_new() {
        let (t, mut s) = (territory(), Subscriptions::default());
        assert_eq!(s.subscribe(&filter("#", 1), &t, 1).granted, Granted::NotAuthorized);
        assert!(s.subscribe(&filter("td/1/cd/gate/g1/down/#", 1), &t, 1).new);
        assert_eq!(s.subscribe(&filter("td/1/cd/gate/g1/down/#", 1), &t, 1), Made { granted: Granted::Qos1, new: false });
        assert_eq!(s.subscribe(&filter("td/1/all/down/#", 1), &t, 1).granted, Granted::TooMany);
    }
}
