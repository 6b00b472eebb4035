//! A cell as code on its own thread sees it. Not `Send`: it never leaves the thread.
use std::cell::Ref;
use std::rc::Rc;

use tongdao_domain::id::DeviceId;
use tongdao_domain::machine::{Event, Owed, Reply};
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_journal::contract::FeedItem;

use crate::inner::Inner;
use crate::request::{Busy, ReplySlot, Request};
use crate::slots::Key;

/// Takes the answers of a slot: the cookie of the request, and its reply.
pub type Sink = Rc<dyn Fn(u64, Reply)>;
/// Is told every committed event of stations, devices and gates.
pub type Follower = Rc<dyn Fn(&FeedItem, &Event)>;
/// Is told what is owed to a device when it is due to be sent.
pub type OwedFollower = Rc<dyn Fn(&DeviceId, &Owed)>;

/// Gives other rooms a place on every cell's thread.
pub trait CellHook: Send + Sync + 'static {
    /// Runs once on the cell's thread, inside its `LocalSet`: may `tokio::task::spawn_local`.
    fn on_cell(&self, cell: Cell);
}

/// No hook: a node without links.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHook;
impl CellHook for NoHook {
    fn on_cell(&self, _cell: Cell) {}
}

/// A handle on the cell of this thread.
#[derive(Clone)]
pub struct Cell(pub(crate) Rc<Inner>);

impl Cell {
    /// Which cell.
    #[must_use]
    pub fn index(&self) -> usize {
        self.0.index
    }
    /// The cell's snapshot. Not to be held over a call back into the cell.
    #[must_use]
    pub fn world(&self) -> Ref<'_, World> {
        self.0.world()
    }
    /// The process clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }
    /// Hands a command in; the answer comes to the slot's sink, once, on this thread.
    ///
    /// # Errors
    /// [`Busy`]: nothing was taken in and no answer will come.
    pub fn submit(&self, request: Request, reply_to: ReplySlot) -> Result<(), Busy> {
        self.0.submit(request, reply_to)
    }
    /// Registers who takes answers: `sink(cookie, reply)` is called on this thread, between turns; it may submit again.
    /// The slot is given up when the handle is dropped.
    #[must_use]
    pub fn register_slot(&self, sink: Sink) -> Slot {
        Slot { key: self.0.sinks.borrow_mut().insert_with(|_| sink), cell: self.clone() }
    }
    /// Follows the committed events of stations, devices and gates, in order per entity. Called on this thread after the
    /// cell's [`Cell::world`] has taken the event.
    pub fn follow(&self, follower: Follower) {
        self.0.followers.borrow_mut().push(follower);
    }
    /// Is told what is owed to a device, at each time it is due to be sent (again): after the commit, after a load, at a
    /// deadline. Every cell's follower is told; the one that holds the device's link sends it.
    pub fn follow_owed(&self, follower: OwedFollower) {
        self.0.owed_followers.borrow_mut().push(follower);
    }
    /// Everything that is owed to a device, asked at SUBSCRIBE.
    ///
    /// # Errors
    /// [`Busy`] when the gate's cell cannot be asked now.
    pub async fn device_owed(&self, device: &DeviceId) -> Result<Vec<Owed>, Busy> {
        self.0.doors().device_owed(device).await
    }
    /// The same doors as other runtimes use, for code on this thread that wants to await an answer.
    #[must_use]
    pub fn door(&self) -> crate::door::Door {
        self.0.doors()
    }
}

/// A registered place for answers; dropping it gives it up, later answers are dropped and counted.
pub struct Slot {
    cell: Cell,
    key: Key,
}

impl Slot {
    /// The address of one answer.
    #[must_use]
    pub fn reply(&self, cookie: u64) -> ReplySlot {
        let Key { index: slot, generation } = self.key;
        ReplySlot { cell: u32::try_from(self.cell.index()).unwrap_or(u32::MAX), slot, generation, cookie }
    }
}
impl Drop for Slot {
    fn drop(&mut self) {
        let sink = self.cell.0.sinks.borrow_mut().remove(self.key);
        // Dropped after the borrow: what a sink holds may hold slots of its own.
        drop(sink);
    }
}
