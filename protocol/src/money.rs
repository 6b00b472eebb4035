//! Money on the wire: a decimal string with a currency, `{"amount":"2.00","currency":"CNY"}`, never a float.
use crate::payload::Notes;
use crate::wire::{Wire, text_visitor, wire, wire_enum};
use schemars::JsonSchema;
use serde::{Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use tongdao_domain::money as domain;

wire_enum! {
    /// ISO 4217 code.
    Currency = domain::Currency { CNY = "CNY", GBP = "GBP", USD = "USD" }
}

wire! {
    /// An amount and its currency.
    #[derive(Copy, Eq)]
    Money {
        /// Decimal with two places, as a string.
        amount = "amount": Amount,
        /// ISO 4217 code.
        currency = "currency": Currency,
    }
}

impl Money {
    /// An amount in a currency.
    #[must_use]
    pub fn of(amount: domain::Amount, currency: domain::Currency) -> Self {
        Self { amount: Amount(amount), currency: currency.into() }
    }
}

/// A decimal with exactly two places, written as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub domain::Amount);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&self.0)
    }
}
impl<'de> Wire<'de> for Amount {
    const EXPECTED: &'static str = "a decimal string with at most two places, such as \"2.00\"";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        source.deserialize_str(text_visitor(|text| domain::Amount::parse(text).ok().map(Self)))
    }
}
crate::wire::deserialize_by_wire!(Amount);
impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": r"^-?[0-9]{1,10}(\.[0-9]{1,2})?$", "examples": ["2.00"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_a_decimal_string_with_a_currency() {
        let two = Money::of(domain::Amount::from_fen(200), domain::Currency::CNY);
        let text = serde_json::to_string(&two).expect("encodes");
        assert_eq!(text, r#"{"amount":"2.00","currency":"CNY"}"#);
        assert_eq!(serde_json::from_str::<Money>(&text).expect("decodes"), two);
        for bad in [r#"{"amount":2.0,"currency":"CNY"}"#, r#"{"amount":"2.005","currency":"CNY"}"#, r#"{"amount":"2","currency":"XXX"}"#] {
            assert!(serde_json::from_str::<Money>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_money_says_what_it_must_be() {
        let told = |text: &str| crate::payload::decode::<Money>(text.as_bytes()).expect_err(text).to_string();
        let amount = "field `amount` must be a decimal string with at most two places, such as \"2.00\"";
        for bad in ["2", "2.0", "null", "\"\"", "\"2.001\"", "\"1e2\"", "\"NaN\"", "\" 2\"", "\"2,00\"", "\"99999999999999\"", "{}"] {
            assert_eq!(told(&format!(r#"{{"amount":{bad},"currency":"CNY"}}"#)), amount, "{bad}");
        }
        assert_eq!(told(r#"{"amount":"2","currency":"cny"}"#), "field `currency` must be one of CNY GBP USD");
    }

    proptest::proptest! {
        #[test]
        fn every_amount_survives_the_wire(fen in -999_999_999_999_i64..999_999_999_999) {
            let money = Money::of(domain::Amount::from_fen(fen), domain::Currency::GBP);
            let text = serde_json::to_string(&money).expect("encodes");
            proptest::prop_assert_eq!(serde_json::from_str::<Money>(&text).expect("decodes"), money);
        }
    }
}
