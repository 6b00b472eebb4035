//! What has no commit of its own and stands in the audit all the same: sign-ins, refused ones, unlocks, looks at customers.
//! Refused sign-ins are bounded: somebody who tries passwords must not fill the journal.
use super::Console;
use super::login::LimitClock;
use crate::config;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;
use tongdao_actors::clock::Clock;
use tongdao_actors::request::Request;
use tongdao_domain::audit;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::{CommandId, UserId};
use tongdao_domain::machine::Reply;

/// The entity that keeps what people did and saw.
const AUDIT: &str = "node";

/// Bounds what strangers can have noted.
pub(super) struct Notes(RateLimiter<NotKeyed, InMemoryState, LimitClock, NoOpMiddleware<Duration>>);

impl Notes {
    pub(super) fn new(settings: &config::Console, clock: Clock) -> Self {
        let a_minute = NonZeroU32::new(settings.refusals_noted_per_minute).unwrap_or(NonZeroU32::MIN);
        Self(RateLimiter::direct_with_clock(Quota::per_minute(a_minute), LimitClock(clock)))
    }
}

impl Console {
    /// Notes what somebody did; false where the audit could not take it.
    pub async fn note(&self, by: &UserId, op: &str, target: &str, detail: &str) -> bool {
        let note = audit::Note { by: by.clone(), op: op.into(), target: target.into(), detail: detail.into() };
        let id = CommandId::of(format_args!("note/{:032x}", rand::random::<u128>()));
        let request = Request::new(EntityKey::new(EntityKind::Audit, AUDIT), id, audit::Command::Note(note), self.now());
        let taken = matches!(self.backend().door.send(request).await, Ok(Reply::Done));
        if !taken {
            tracing::warn!(by = by.as_str(), op, "the audit could not take a note");
        }
        taken
    }

    /// Notes that somebody was refused, as far as there is room for such notes.
    pub(super) async fn note_refused(&self, by: &UserId, op: &str, detail: &str) {
        if self.0.notes.0.check().is_ok() {
            self.note(by, op, &format!("user/{by}"), detail).await;
        }
    }
}
