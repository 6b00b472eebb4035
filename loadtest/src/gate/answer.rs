//! A decision as the gate reads it: only the fields that it acts on, borrowed from the payload. The wire type of the
//! contract owns all of its texts; reading it costs several times as much, and the generator shares its processors with the
//! server. A test holds the two together.
use serde::Deserialize;
use tongdao_domain::code::Code;
use tongdao_protocol::text::Path;

#[derive(Deserialize)]
struct Money<'a> {
    amount: &'a str,
}

/// What a gate reads of `down/decision`.
#[derive(Deserialize)]
pub(super) struct Answer<'a> {
    pub(super) epoch: u64,
    pub(super) seq: u64,
    result: &'a str,
    pub(super) code: Code,
    #[serde(borrow)]
    fare: Option<Money<'a>>,
    balance: Option<Money<'a>>,
    #[serde(rename = "ref")]
    reference: Option<&'a str>,
    journey: Option<&'a str>,
    expires_at: &'a str,
}

impl<'a> Answer<'a> {
    /// Reads it; `None` where it is no decision, or its result contradicts its code.
    pub(super) fn read(payload: &'a [u8]) -> Option<Self> {
        let answer: Self = serde_json::from_slice(payload).ok()?;
        let result = if answer.code.opens() { "open" } else { "deny" };
        (answer.result == result).then_some(answer)
    }

    /// The fare in hundredths.
    pub(super) fn fare(&self) -> Option<i64> {
        let amount = self.fare.as_ref()?.amount;
        let (whole, part) = amount.split_once('.').unwrap_or((amount, "00"));
        Some(whole.parse::<i64>().ok()? * 100 + part.get(..2).unwrap_or("00").parse::<i64>().ok()?)
    }

    pub(super) fn reference(&self) -> Option<Path> {
        self.reference.and_then(Path::new)
    }

    /// The same for the same answer: FNV-1a over everything but the time of deciding and the messages.
    pub(super) fn fingerprint(&self) -> u64 {
        let money = |money: &Option<Money<'a>>| money.as_ref().map_or("", |money| money.amount);
        let (reference, journey) = (self.reference.unwrap_or(""), self.journey.unwrap_or(""));
        let parts = [self.code.name(), money(&self.fare), money(&self.balance), reference, journey, self.expires_at];
        let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
        bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = r#"{"epoch":7,"seq":42,"result":"open","code":"OK","fare":{"amount":"2.05","currency":"CNY"},
        "balance":{"amount":"97.95","currency":"CNY"},"journey":"a1/3","ref":"a1/5","decided_at":"2026-03-02T08:00:00.100Z",
        "expires_at":"2026-03-02T08:00:00.250Z","messages":{"zh-CN":"请通行","en":"Please go through"}}"#;

    #[test]
    fn reads_what_the_wire_type_reads() {
        let whole: tongdao_protocol::gate::Decision = serde_json::from_str(OPEN).expect("a decision");
        let answer = Answer::read(OPEN.as_bytes()).expect("a decision");
        assert_eq!((answer.epoch, answer.seq, answer.code), (whole.epoch, whole.seq, whole.code.0));
        assert_eq!(answer.reference(), whole.reference);
        assert_eq!(answer.expires_at, whole.expires_at.to_string());
        assert_eq!(answer.fare(), Some(205));
    }

    #[test]
    fn a_result_that_contradicts_its_code_is_no_decision() {
        assert!(Answer::read(OPEN.replace("\"OK\"", "\"NO_ENTRY\"").as_bytes()).is_none());
        assert!(Answer::read(b"{}").is_none());
        assert!(Answer::read(&OPEN.as_bytes()[..60]).is_none());
    }

    #[test]
    fn only_what_the_gate_acts_on_makes_another_answer() {
        let print = |text: String| Answer::read(text.as_bytes()).expect("a decision").fingerprint();
        let first = print(OPEN.to_owned());
        assert_eq!(first, print(OPEN.replace("00.100Z", "00.101Z")));
        for (from, to) in [("2.05", "2.06"), ("97.95", "95.90"), ("a1/5", "a1/6"), ("00.250Z", "00.251Z")] {
            assert_ne!(first, print(OPEN.replace(from, to)), "{from} became {to}");
        }
    }
}
