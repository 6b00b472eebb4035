//! Money: decimal amounts in fen precision, never a float. One rounding rule, stated once: to the fen, half up.
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// ISO 4217 code of a currency that accounts are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub enum Currency {
    /// Renminbi, the digital one included.
    #[default]
    CNY,
    /// Pound sterling.
    GBP,
    /// US dollar.
    USD,
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CNY => "CNY",
            Self::GBP => "GBP",
            Self::USD => "USD",
        })
    }
}

/// An amount in units of its currency with exactly two decimals; may be negative.
///
/// Always of scale 2, so that equal amounts are equal bytes, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Amount(Decimal);

/// Amounts stay below this, in units of the currency.
const UNITS_MAX: u64 = 10_000_000_000;

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an amount is a decimal number with at most two decimals, such as 2.00, not {0:?}")]
pub struct AmountError(pub String);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::from_parts(0, 0, 0, false, 2));

    /// From fen (cents).
    #[must_use]
    pub fn from_fen(fen: i64) -> Self {
        Self(Decimal::new(fen, 2))
    }
    /// In fen (cents).
    #[must_use]
    pub fn fen(self) -> i64 {
        i64::try_from(self.0.mantissa()).unwrap_or(i64::MAX)
    }
    /// Rounds any decimal to the fen, half up (away from zero).
    #[must_use]
    pub fn rounded(value: Decimal) -> Self {
        let mut fen = value.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        fen.rescale(2);
        Self(fen)
    }
    /// Reads `2`, `2.5` or `2.50`; more decimals are an error, never a silent rounding.
    ///
    /// # Errors
    /// [`AmountError`] names the text.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let wrong = || AmountError(text.to_owned());
        if !text.bytes().enumerate().all(|(n, b)| b.is_ascii_digit() || b == b'.' || (n == 0 && b == b'-')) {
            return Err(wrong());
        }
        let value: Decimal = text.parse().map_err(|_| wrong())?;
        Self::try_from(value).map_err(|_| wrong())
    }
    /// The decimal behind it.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        self.0
    }
    /// Less than nothing?
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }
    /// Nothing at all?
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
    /// Not less than nothing.
    #[must_use]
    pub fn or_nothing(self) -> Self {
        if self.is_negative() { Self::ZERO } else { self }
    }
    /// A share of it in per cent, rounded.
    #[must_use]
    pub fn percent(self, percent: Decimal) -> Self {
        Self::rounded(self.0 * percent / Decimal::ONE_HUNDRED)
    }
}
impl Default for Amount {
    fn default() -> Self {
        Self::ZERO
    }
}
impl TryFrom<Decimal> for Amount {
    type Error = AmountError;
    fn try_from(value: Decimal) -> Result<Self, AmountError> {
        if value.normalize().scale() > 2 || value.abs() >= Decimal::from(UNITS_MAX) {
            return Err(AmountError(value.to_string()));
        }
        Ok(Self::rounded(value))
    }
}
impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}
impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}
impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        if self.is_zero() { Self::ZERO } else { Self(-self.0) }
    }
}
impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_decimals_and_round_half_up() {
        assert_eq!(Amount::parse("2").expect("an amount").to_string(), "2.00");
        assert_eq!(Amount::parse("1.805"), Err(AmountError("1.805".into())));
        assert_eq!(Amount::rounded("1.805".parse().expect("a decimal")).to_string(), "1.81");
        assert_eq!(Amount::from_fen(201).percent(Decimal::from(50)).to_string(), "1.01");
        assert_eq!(Amount::from_fen(-205).fen(), -205);
        for wrong in ["1e3", "NaN", "", ".", "-", "1_000", "+1", "1.2.3", "10000000000", " 1"] {
            assert!(Amount::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn equal_amounts_are_equal_bytes() {
        let text = |amount: Amount| amount.decimal().to_string();
        assert_eq!(text(Amount::ZERO), "0.00");
        assert_eq!(text(-Amount::ZERO), "0.00");
        assert_eq!(text(Amount::parse("2").expect("an amount") - Amount::from_fen(200)), "0.00");
        assert_eq!(text(Amount::parse("-2.5").expect("an amount")), "-2.50");
        assert_eq!(Amount::from_fen(-1).or_nothing(), Amount::ZERO);
        assert!(Amount::try_from("1.005".parse::<Decimal>().expect("a decimal")).is_err());
    }
}
