//! The deny list on its way to gates: a body is made once for all gates of a cell that have the same version. Thousands that
//! come back after an outage have few different ones.
use crate::config::GatewayConfig;
use std::collections::HashMap;
use std::rc::Rc;
use tongdao_domain::world::World;
use tongdao_protocol::gate::list_for;

/// Bodies that are kept, at most.
const BODIES_MAX: usize = 64;

/// The bodies of the newest version.
#[derive(Debug, Default)]
pub struct Lists {
    version: u64,
    by_have: HashMap<u64, Rc<[u8]>>,
}

impl Lists {
    /// What a gate is told that has the version `have`.
    pub fn for_gate(&mut self, have: u64, world: &World, config: &GatewayConfig) -> Rc<[u8]> {
        let version = world.deny.version();
        if self.version != version || self.by_have.len() > BODIES_MAX {
            self.by_have.clear();
            self.version = version;
        }
        let body = || list_for(&world.deny, have, world.settings.deny.delta_bytes_max, &config.lists_url).into();
        self.by_have.entry(have).or_insert_with(body).clone()
    }
    /// What every gate is told of a new version.
    pub fn newest(&mut self, world: &World, config: &GatewayConfig) -> Rc<[u8]> {
        self.for_gate(world.deny.version().saturating_sub(1), world, config)
    }
}
