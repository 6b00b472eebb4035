//! Places for connections: so many in all, so many of one user; given back when the connection ends, however it ends.
use crate::console::Console;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tongdao_domain::id::UserId;
use tongdao_telemetry::ConsoleOpened;

/// The places that are taken.
#[derive(Default)]
pub(in crate::console) struct Seats(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    by_user: HashMap<UserId, usize>,
    all: usize,
    given: u64,
}

/// A place that is taken.
pub(super) struct Seat {
    /// No other connection of this process has it.
    pub(super) number: u64,
    console: Console,
    user: UserId,
}

impl Console {
    /// A place for one connection of this user, unless there are too many.
    pub(super) fn take_seat(&self, user: &UserId) -> Option<Seat> {
        let limits = self.settings().socket;
        let mut taken = self.0.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by_user.get(user).copied().unwrap_or(0);
        if taken.all >= limits.connections_max || own >= limits.connections_per_user_max {
            return None;
        }
        taken.by_user.insert(user.clone(), own + 1);
        taken.all += 1;
        taken.given += 1;
        ConsoleOpened { open: taken.all }.emit();
        Some(Seat { number: taken.given, console: self.clone(), user: user.clone() })
    }

    /// Open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.seats.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.console.0.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        ConsoleOpened { open: taken.all }.emit();
        match taken.by_user.get_mut(&self.user) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.by_user.remove(&self.user)),
        }
    }
}
