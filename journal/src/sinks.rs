//! The doors of the cells: who is told what, one message per cell and group.
use std::sync::Arc;

use tongdao_domain::entity::EntityKind;

use crate::contract::{CellIndex, FeedItem, Outcome, OutcomeSink, Ticket};

/// An outcome that waits for its group to be durable.
pub(crate) type Told = (CellIndex, Ticket, Outcome);

/// All registered doors.
#[derive(Default, Clone)]
pub(crate) struct Sinks {
    cells: Vec<Option<Door>>,
    /// By kind number: somebody follows it.
    followed_kinds: u64,
}

#[derive(Clone)]
struct Door {
    sink: Arc<dyn OutcomeSink>,
    kinds: u64,
}

const fn bit(kind: EntityKind) -> u64 {
    1 << (kind as u8)
}

impl Sinks {
    /// Adds or replaces the door of a cell.
    pub(crate) fn register(&mut self, cell: CellIndex, sink: Arc<dyn OutcomeSink>, follows: &[EntityKind]) {
        if self.cells.len() <= cell {
            self.cells.resize_with(cell + 1, || None);
        }
        let kinds = follows.iter().fold(0, |kinds, kind| kinds | bit(*kind));
        self.cells[cell] = Some(Door { sink, kinds });
        self.followed_kinds |= kinds;
    }

    /// Whether anybody follows events of this kind.
    pub(crate) fn follows(&self, kind: EntityKind) -> bool {
        self.followed_kinds & bit(kind) != 0
    }

    /// Tells the followed events, to every cell, before any outcome: who has an answer finds the world advanced.
    pub(crate) fn tell_followed(&self, items: &Arc<[FeedItem]>) {
        let kinds = items.iter().fold(0, |kinds, item| kinds | bit(item.entity.kind));
        for door in self.cells.iter().flatten().filter(|door| door.kinds & kinds != 0) {
            door.sink.followed(door.selection(items));
        }
    }

    /// Tells the outcomes of a group, one message a cell; then whoever watches may begin.
    pub(crate) fn tell(&self, told: Vec<Told>) {
        for (cell, outcomes) in split(told, self.cells.len()).into_iter().enumerate() {
            if let (false, Some(Some(door))) = (outcomes.is_empty(), self.cells.get(cell)) {
                door.sink.outcomes(outcomes);
            }
        }
        self.cells.iter().flatten().filter(|door| door.kinds != 0).for_each(|door| door.sink.told());
    }
}

impl Door {
    fn selection(&self, items: &Arc<[FeedItem]>) -> Arc<[FeedItem]> {
        if items.iter().all(|item| self.kinds & bit(item.entity.kind) != 0) {
            return Arc::clone(items);
        }
        items.iter().filter(|item| self.kinds & bit(item.entity.kind) != 0).cloned().collect()
    }
}

fn split(told: Vec<Told>, cells: usize) -> Vec<Vec<(Ticket, Outcome)>> {
    let share = told.len() / cells.max(1) + 1;
    let mut by_cell: Vec<Vec<(Ticket, Outcome)>> = (0..cells).map(|_| Vec::with_capacity(share)).collect();
    for (cell, ticket, outcome) in told {
        if let Some(outcomes) = by_cell.get_mut(cell) {
            outcomes.push((ticket, outcome));
        }
    }
    by_cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Remembering, entity};
    use tongdao_domain::id::CommandId;
    use tongdao_domain::time::Timestamp;

    fn item(name: &str) -> FeedItem {
        let command_id = CommandId::new("c").expect("an id");
        FeedItem { partition: 0, seq: 1, at: Timestamp(1), entity: entity(name), version: 1, command_id, event: vec![] }
    }

    #[test]
    fn each_cell_hears_its_own_in_order() {
        let (a, b) = (Remembering::new(), Remembering::new());
        let mut sinks = Sinks::default();
        sinks.register(2, b.clone(), &[]);
        sinks.register(0, a.clone(), &[]);
        let committed = |seq| Outcome::Committed { seq };
        sinks.tell(vec![(2, 5, committed(1)), (0, 6, committed(2)), (2, 7, committed(3)), (1, 8, committed(4))]);
        assert_eq!(a.take(1), [(6, committed(2))]);
        assert_eq!(b.take(2), [(5, committed(1)), (7, committed(3))]);
    }

    #[test]
    fn a_follower_hears_its_kinds_only() {
        let (stations, nothing) = (Remembering::new(), Remembering::new());
        let mut sinks = Sinks::default();
        sinks.register(0, stations.clone(), &[EntityKind::Station]);
        sinks.register(1, nothing.clone(), &[]);
        assert!(sinks.follows(EntityKind::Station) && !sinks.follows(EntityKind::Gate));
        sinks.tell_followed(&Arc::from([item("station/s"), item("gate/g")]));
        assert_eq!(stations.followed_so_far(), [item("station/s")]);
        assert!(nothing.followed_so_far().is_empty());
    }
    /// Writes down who was called for what.
    #[derive(Clone, Default)]
    struct Order(Arc<std::sync::Mutex<Vec<(CellIndex, &'static str)>>>, CellIndex);
    impl Order {
        fn note(&self, what: &'static str) {
            self.0.lock().expect("nobody has panicked").push((self.1, what));
        }
    }
    impl OutcomeSink for Order {
        fn outcomes(&self, _: Vec<(Ticket, Outcome)>) {
            self.note("outcomes");
        }
        fn followed(&self, _: Arc<[FeedItem]>) {
            self.note("followed");
        }
        fn told(&self) {
            self.note("told");
        }
    }

    #[test]
    fn who_only_watches_begins_when_the_cells_have_their_outcomes() {
        let cell = Order::default();
        let watcher = Order(Arc::clone(&cell.0), 1);
        let mut sinks = Sinks::default();
        sinks.register(1, Arc::new(watcher), &[EntityKind::Gate]);
        sinks.register(0, Arc::new(cell.clone()), &[]);
        sinks.tell_followed(&Arc::from([item("gate/g")]));
        sinks.tell(vec![(0, 1, Outcome::Committed { seq: 1 })]);
        assert_eq!(*cell.0.lock().expect("nobody has panicked"), [(1, "followed"), (0, "outcomes"), (1, "told")]);
    }
}
