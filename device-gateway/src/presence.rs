//! Who is connected, over all cells of the node: one client id at a time. Touched when a device comes or goes, never by a
//! message.
use futures_util::task::AtomicWaker;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use tongdao_domain::device::DeviceKind;
use tongdao_domain::id::DeviceId;

/// What wakes the task of a connection: from its own thread for an answer, from any thread to make it go.
#[derive(Debug, Default)]
pub struct Bell {
    waker: AtomicWaker,
    taken_over: AtomicBool,
}

impl Bell {
    /// The task that is to be woken.
    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }
    /// Wakes it.
    pub fn ring(&self) {
        self.waker.wake();
    }
    /// Has another connection taken over?
    #[must_use]
    pub fn taken_over(&self) -> bool {
        self.taken_over.load(Ordering::Acquire)
    }
    fn take_over(&self) {
        self.taken_over.store(true, Ordering::Release);
        self.ring();
    }
}

struct Holder {
    connection: u64,
    kind: DeviceKind,
    bell: Arc<Bell>,
}

/// The devices of a node that are connected.
#[derive(Default)]
pub struct Presence(Mutex<HashMap<DeviceId, Holder>>);

impl Presence {
    /// A device was let in on this connection; an older one of the same device is told to go. Was there one?
    pub fn claim(&self, device: &DeviceId, kind: DeviceKind, connection: u64, bell: Arc<Bell>) -> bool {
        let holder = Holder { connection, kind, bell };
        let older = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(device.clone(), holder);
        older.inspect(|older| older.bell.take_over()).is_some()
    }
    /// The connection is over; a newer one of the same device stays.
    pub fn release(&self, device: &DeviceId, connection: u64) {
        let mut holders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if holders.get(device).is_some_and(|holder| holder.connection == connection) {
            holders.remove(device);
        }
    }
    /// Is it connected?
    #[must_use]
    pub fn is_connected(&self, device: &DeviceId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(device)
    }
    /// Every connected device, in no order.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
    /// How many of a kind are connected.
    #[must_use]
    pub fn count(&self, kind: DeviceKind) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().filter(|holder| holder.kind == kind).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::testing::gate_of;

    #[test]
    fn a_second_connection_takes_over_and_the_first_does_not_take_it_away() {
        let (presence, device) = (Presence::default(), gate_of("s1", 1));
        let (first, second) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        assert!(!presence.claim(&device, DeviceKind::Gate, 1, first.clone()));
        assert!(presence.claim(&device, DeviceKind::Gate, 2, second.clone()));
        assert!(first.taken_over() && !second.taken_over());
        presence.release(&device, 1);
        assert!(presence.is_connected(&device));
        assert_eq!((presence.count(DeviceKind::Gate), presence.count(DeviceKind::Kiosk)), (1, 0));
        presence.release(&device, 2);
        assert!(!presence.is_connected(&device) && presence.devices().is_empty());
    }
}
