//! From the journal's bytes back to a state: the newest written state and the events since, each applied in order.
use super::ReplayError;
use crate::codec;
use crate::contract::Loaded;
use tongdao_domain::machine::Machine;
use tongdao_domain::time::Timestamp;

/// The state of an entity as the journal has it, for those who only look.
///
/// # Errors
/// [`ReplayError`] names the version that cannot be made.
pub fn restore<M: Machine>(loaded: &Loaded) -> Result<M, ReplayError> {
    replay(loaded).map(|replayed| replayed.state)
}

/// An entity brought back.
pub(super) struct Replayed<M> {
    pub(super) state: M,
    /// Version of the written state it began with.
    pub(super) state_at: u64,
    /// Moment of the newest event.
    pub(super) last_at: Timestamp,
}

/// Brings an entity back.
///
/// # Errors
/// [`ReplayError`] names the version that cannot be made.
pub(super) fn replay<M: Machine>(loaded: &Loaded) -> Result<Replayed<M>, ReplayError> {
    let (state_at, mut state) = match &loaded.state {
        Some((version, bytes)) => (*version, codec::decode(bytes).map_err(|source| ReplayError::State { version: *version, source })?),
        None => (0, M::default()),
    };
    let mut version = state_at;
    let mut last_at = Timestamp::default();
    for (at, bytes) in &loaded.events {
        version += 1;
        let event = codec::decode(bytes).map_err(|source| ReplayError::Event { version, source })?;
        state.apply(&event, *at);
        last_at = *at;
    }
    match loaded.etag.map_or(0, |etag| etag.version) {
        expected if expected == version => Ok(Replayed { state, state_at, last_at }),
        expected => Err(ReplayError::Gap { found: version, expected }),
    }
}
