//! The inside of a cell.
use std::cell::{Ref, RefCell};

use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;

use crate::cell::{Follower, OwedFollower, Sink};
use crate::clock::Clock;
use crate::door::Door;
use crate::request::{Busy, ReplySlot, Request};

pub(crate) struct Inner {
    index: usize,
    world: RefCell<World>,
    clock: Clock,
    doors: Door,
}

impl Inner {
    pub(crate) fn index(&self) -> usize {
        self.index
    }
    pub(crate) fn world(&self) -> Ref<'_, World> {
        self.world.borrow()
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub(crate) fn doors(&self) -> &Door {
        &self.doors
    }
    pub(crate) fn submit(&self, _request: Request, _reply_to: ReplySlot) -> Result<(), Busy> {
        Err(Busy::Stopped)
    }
    pub(crate) fn register_slot(&self, _sink: Sink) -> (u32, u32) {
        (0, 0)
    }
    pub(crate) fn forget_slot(&self, _key: (u32, u32)) {}
    pub(crate) fn follow(&self, _follower: Follower) {}
    pub(crate) fn follow_owed(&self, _follower: OwedFollower) {}
}
