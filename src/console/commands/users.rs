//! `user.add`, `user.roles`, `user.disable`, `user.end_sessions`. A password is made here, told once, and only its hash goes
//! on; what was taken away is gone at once.
use super::{Answer, Channel, Job, done};
use crate::console::login;
use tongdao_domain::id::UserId;
use tongdao_domain::user::{Command, PasswordHash};
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::{UserArgs, UserRolesArgs};
use tongdao_protocol::console::result::{Nothing, Password};
use tongdao_protocol::console::role::roles_into_domain;

impl Job<'_> {
    pub(super) async fn user_add(&self, args: &UserRolesArgs) -> Answer {
        let (password, hash) = new_password().await?;
        let (roles, scope) = (roles_into_domain(&args.roles), (&args.scope).into());
        self.user(&args.user, Command::Add { roles, scope, password: Some(hash.clone()), by: self.by.clone() }).await?;
        // A command that was done before was done with another password, which nobody knows.
        let state = self.console.staff().state(&args.user).await?;
        let theirs = state.active().is_some_and(|entry| entry.password.as_ref() == Some(&hash));
        done(&Password { password: theirs.then_some(password) }, Some(Channel::Audit))
    }

    pub(super) async fn user_roles(&self, args: &UserRolesArgs) -> Answer {
        let (roles, scope) = (roles_into_domain(&args.roles), (&args.scope).into());
        self.user(&args.user, Command::SetRoles { roles, scope, by: self.by.clone() }).await
    }

    pub(super) async fn user_disable(&self, args: &UserArgs) -> Answer {
        self.user(&args.user, Command::Disable { by: self.by.clone() }).await
    }

    pub(super) async fn user_end_sessions(&self, args: &UserArgs) -> Answer {
        self.user(&args.user, Command::EndSessions { by: self.by.clone() }).await
    }

    async fn user(&self, user: &UserId, command: Command) -> Answer {
        self.ask(user.into(), command).await?;
        // Where this cannot be looked at now, the next sweep does.
        let _ = self.console.look_at(user).await;
        done(&Nothing {}, Some(Channel::Audit))
    }
}

/// Made and hashed off the runtime's threads.
async fn new_password() -> Result<(String, PasswordHash), ErrorBody> {
    let made = tokio::task::spawn_blocking(|| {
        let password = login::generated();
        login::hash(&password).map(|hash| (password, hash))
    });
    made.await.ok().and_then(Result::ok).ok_or_else(|| Code::Internal.into())
}
