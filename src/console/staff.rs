//! The users as the console sees them: each is an entity of the journal, asked for as it stands now.
use crate::backend::Backend;
use std::fmt::Display;
use tongdao_actors::request::Lane;
use tongdao_actors::state::EntityState;
use tongdao_domain::id::{CommandId, UserId};
use tongdao_domain::machine::{Command, Refusal, RefusalCode, Reply};
use tongdao_domain::user::{self, User};
use tongdao_protocol::console::codes::{Code, ErrorBody};

/// The first user.
pub const ADMIN: &str = "admin";

/// The users of a node.
#[derive(Clone, Copy)]
pub struct Staff<'a>(&'a Backend);

impl<'a> Staff<'a> {
    /// Of this node.
    #[must_use]
    pub fn new(backend: &'a Backend) -> Self {
        Self(backend)
    }

    /// A user as they stand; one who was never added is in the default state.
    ///
    /// # Errors
    /// `BUSY`.
    pub async fn state(self, user: &UserId) -> Result<User, ErrorBody> {
        match self.0.door.query(&user.into()).await {
            Ok(EntityState::User(state)) => Ok(state),
            Ok(_) => Err(Code::Internal.into()),
            Err(busy) => Err(hint(Code::Busy, busy)),
        }
    }

    /// Asks a user's machine.
    ///
    /// # Errors
    /// Why it is refused.
    pub async fn ask(self, user: &UserId, id: CommandId, command: user::Command) -> Result<(), Refusal> {
        let command = Command::from(command);
        let lane = Lane::of(&command);
        match self.0.door.ask(user.into(), id, command, lane).await {
            Ok(Reply::Refused(refusal)) => Err(refusal),
            Ok(_) => Ok(()),
            Err(busy) => Err(Refusal { code: RefusalCode::Busy, hint: busy.to_string().into() }),
        }
    }
}

fn hint(code: Code, why: impl Display) -> ErrorBody {
    ErrorBody::new(code).with("hint", why.to_string())
}
