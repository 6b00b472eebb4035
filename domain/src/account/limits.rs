//! What the class of a wallet may hold and spend. Data, not code: the numbers below are only what counts where no file
//! says otherwise.
use super::WalletClass;
use crate::money::Amount;
use serde::{Deserialize, Serialize};

/// Limits of one class; none = unlimited. Exactly the limit is allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassLimits {
    /// What it may hold.
    pub balance: Option<Amount>,
    /// One payment.
    pub single: Option<Amount>,
    /// One local day.
    pub day: Option<Amount>,
    /// One local year.
    pub year: Option<Amount>,
}

/// The limits of all classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletLimits {
    /// Class 1 first.
    pub classes: [ClassLimits; 4],
}

impl WalletLimits {
    /// The limits of a class.
    #[must_use]
    pub fn of(&self, class: WalletClass) -> &ClassLimits {
        &self.classes[usize::from(u8::from(class)) - 1]
    }
}

impl Default for WalletLimits {
    /// Digital-RMB wallets, in yuan.
    fn default() -> Self {
        let yuan = |n: i64| Some(Amount::from_fen(n * 100));
        let two = ClassLimits { balance: yuan(500_000), single: yuan(50_000), day: yuan(100_000), year: None };
        let three = ClassLimits { balance: yuan(20_000), single: yuan(5_000), day: yuan(10_000), year: None };
        let four = ClassLimits { balance: yuan(10_000), single: yuan(2_000), day: yuan(5_000), year: yuan(50_000) };
        Self { classes: [ClassLimits::default(), two, three, four] }
    }
}

/// What an account has spent on the newest local day that it paid on, and in that day's year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The newest local day; none = never paid.
    pub day: Option<crate::time::Day>,
    /// On that day.
    pub day_total: Amount,
    /// In that day's year.
    pub year_total: Amount,
}
