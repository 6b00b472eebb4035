//! Somebody who waits for an answer, as the pipeline holds it. One that is dropped without an answer (a panic unwound
//! through it) is not lost: the cell hears of it and answers `BUSY`, and the count of the unanswered stays right.
use std::rc::Rc;

use tongdao_domain::id::CommandId;

use crate::inner::Inner;
use crate::mail::Address;

/// The pipeline's token for one answer.
pub(crate) struct Waiter {
    cell: Rc<Inner>,
    command_id: CommandId,
    address: Option<Address>,
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").field("command_id", &self.command_id).field("address", &self.address).finish_non_exhaustive()
    }
}

impl Waiter {
    /// For a command that the cell has counted as delivered.
    pub(crate) fn new(cell: &Rc<Inner>, command_id: CommandId, address: Address) -> Self {
        Self { cell: Rc::clone(cell), command_id, address: Some(address) }
    }
    /// Takes the way back out; the command is no longer this cell's.
    pub(crate) fn release(mut self) -> Option<Address> {
        self.address.take()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        match self.address.take() {
            None => self.cell.answered_one(),
            // May run while a panic unwinds: nothing here may call out or panic.
            Some(address) => self.cell.lost(self.command_id.clone(), address, std::thread::panicking()),
        }
    }
}
