//! Card numbers (PANs, ISO/IEC 7812-1): what nobody may type into a reason, and no device may send as a medium's token. A
//! token is a keyed hash; a card number in its place, or in a sentence, would stand in the journal for ever.
//!
//! 13 to 19 digits, the first of a payment scheme's (3, 4, 5, 6, 9), with the check digit right. Not here: what hides a number
//! on purpose, and longer numbers of which one would be a part: those are no card's.

/// Fewest digits of a card number.
const DIGITS_MIN: usize = 13;
/// Most digits of a card number.
const DIGITS_MAX: usize = 19;
/// First digits of those who issue payment cards; dates and phone numbers begin with others.
const FIRST: &[u8] = b"34569";

/// Is the whole text one, and nothing else? Costs a look at the first byte where it does not begin as one.
#[must_use]
pub fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|first| FIRST.contains(first))
        && (DIGITS_MIN..=DIGITS_MAX).contains(&bytes.len())
        && bytes.iter().all(u8::is_ascii_digit)
        && check_digit_is_right(bytes)
}

/// Does one stand somewhere in the text, also in groups with a space or a hyphen between them?
#[must_use]
pub fn stands_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |at: usize| bytes[at].is_ascii_digit() && at.checked_sub(1).is_none_or(|before| !bytes[before].is_ascii_digit());
    (0..bytes.len()).filter(|at| begins(*at)).any(|at| begins_with_number(&bytes[at..]))
}

fn begins_with_number(bytes: &[u8]) -> bool {
    let mut digits = String::with_capacity(DIGITS_MAX);
    for (at, byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1).copied();
        match byte {
            b'0'..=b'9' if digits.len() < DIGITS_MAX => digits.push(char::from(*byte)),
            b' ' | b'-' if next.is_some_and(|next| next.is_ascii_digit()) => continue,
            _ => break,
        }
        if next.is_none_or(|next| !next.is_ascii_digit()) && is_number(&digits) {
            return true;
        }
    }
    false
}

/// The algorithm of Luhn, ISO/IEC 7812-1 annex B.
fn check_digit_is_right(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0') << (place % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_test_numbers_are_numbers_and_others_are_not() {
        for number in ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000", "4222222222222"] {
            assert!(is_number(number) && stands_in(number), "{number}");
        }
        for other in [
            "",
            "4111111111111112",
            "411111111111111",
            "41111111111111110000",
            "0000000000000000",
            "20261124165100",
            "13800138000",
            "4111 1111 1111 1111",
        ] {
            assert!(!is_number(other), "{other}");
        }
    }

    #[test]
    fn one_in_a_sentence_is_found_and_what_is_none_is_not() {
        for text in [
            "卡号 4111111111111111 无法进站",
            "card 4111 1111 1111 1111.",
            "4111-1111-1111-1111",
            "2 of them: 378282246310005",
            "x4111111111111111",
        ] {
            assert!(stands_in(text), "{text}");
        }
        for text in [
            "训练",
            "order 2026-11-24 16:51:00",
            "0190f3c2-7a11-7cc3-98c4-dc0c0c07398f",
            "called 13800138000 twice",
            "41111111111111111111111",
            "4111 1111 1111",
            "4111  1111 1111 1111",
        ] {
            assert!(!stands_in(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_a_planted_number_is_found(before in "[^0-9]{0,20}", after in "[^0-9]{0,20}", any in ".{0,60}") {
            let _ = stands_in(&any);
            let text = format!("{before}4111111111111111{after}");
            prop_assert!(stands_in(&text), "{}", text);
        }
    }
}
