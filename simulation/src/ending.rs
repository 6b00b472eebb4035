//! What must hold when everything has come to rest.
use crate::city::id;
use crate::simulation::Simulation;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::Gate;
use tongdao_domain::id::AccountId;
use tongdao_domain::machine::Machine;

impl Simulation {
    pub(crate) fn check_quiet(&self) {
        assert!(self.server.is_quiet(), "the server is still busy");
        assert!(self.riders.iter().all(|rider| !rider.inside), "somebody cannot get out");
        for gate in &self.gates {
            let machine: Gate = self.server.machine(&EntityKey::gate(&gate.device));
            assert_eq!(machine.owed(&EntityKey::gate(&gate.device)), [], "{} still owes something", gate.device);
            assert!(gate.records.is_empty(), "{} keeps records: {:?}", gate.device, gate.records.keys());
            assert!(gate.outbox.is_empty(), "{} waits for acknowledgements: {:?}", gate.device, gate.outbox);
            assert!(gate.rejected == 0 || self.doubts.is_some(), "a record of {} was rejected, and nobody altered any", gate.device);
            for (epoch, last) in &gate.last_seq {
                let book = self.oracle.recorded.get(&(gate.device.clone(), *epoch));
                let complete = (1..=*last).all(|seq| book.is_some_and(|book| book.contains(&seq)));
                assert!(complete, "the book of {} in boot {epoch} is not complete up to {last}", gate.device);
            }
        }
        self.server.check_replay();
    }

    pub(crate) fn check_books(&self, closed: bool) {
        let account = |account: &str| self.server.machine(&EntityKey::from(&id::<AccountId>(account)));
        self.oracle.check_books(&self.riders, account, closed);
    }
}
