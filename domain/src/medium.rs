//! A medium's token: claimed by one account at a time, so that two accounts never hold one token.
use crate::id::AccountId;
use serde::{Deserialize, Serialize};

/// What may be asked of a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Take it for an account; refused (`TAKEN`) while another holds it.
    Claim {
        /// The account.
        owner: AccountId,
    },
    /// Let it go; refused where another holds it.
    Release {
        /// The account.
        owner: AccountId,
    },
}

/// What can have happened to a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It is held by the account.
    Claimed {
        /// The account.
        owner: AccountId,
    },
    /// It is held by nobody.
    Released {
        /// Who held it.
        owner: AccountId,
    },
}

/// A medium.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    /// Who holds it.
    pub owner: Option<AccountId>,
}
