//! How a wire type is read: strictly in its own fields, leniently beside them. Serde's derive cannot look at the value of
//! an unknown field, and its errors quote values; hence a small trait and two macros on top of serde, no parser of our own.
use crate::payload::{Notes, PayloadError, UNKNOWN_TEXT_CHARS_MAX, harmless};
use compact_str::CompactString;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Largest whole number that every JSON reader keeps exactly (2^53 − 1).
pub const WHOLE_MAX: u64 = 9_007_199_254_740_991;

/// What can be read from a payload.
pub trait Wire<'de>: Sized {
    /// What it must be, for the message that refuses something else.
    const EXPECTED: &'static str;
    /// Reads it; what is noticed on the way goes into the notes.
    ///
    /// # Errors
    /// The deserializer's own; the reason stands in the notes.
    fn read<D: Deserializer<'de>>(source: D, notes: &Notes) -> Result<Self, D::Error>;
    /// What it is where the field is not there; `None` = the field is required.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

/// Carries the notes through serde.
pub(crate) struct Seed<'n, T>(&'n Notes, PhantomData<T>);

impl<'n, T> Seed<'n, T> {
    pub(crate) const fn new(notes: &'n Notes) -> Self {
        Self(notes, PhantomData)
    }
}
impl<'de, T: Wire<'de>> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<T, D::Error> {
        T::read(source, self.0)
    }
}

/// A visitor that takes a text through a function; `None` refuses it.
pub(crate) fn text_visitor<T, F: FnOnce(&str) -> Option<T>>(take: F) -> impl for<'de> Visitor<'de, Value = T> {
    TextVisitor(take)
}
struct TextVisitor<F>(F);
impl<'de, T, F: FnOnce(&str) -> Option<T>> Visitor<'de> for TextVisitor<F> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        self.0(text).ok_or_else(|| E::custom("refused"))
    }
}

impl<'de> Wire<'de> for u64 {
    const EXPECTED: &'static str = "a whole number from 0 to 9007199254740991";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        let n = <Self as serde::Deserialize>::deserialize(source)?;
        if n <= WHOLE_MAX { Ok(n) } else { Err(D::Error::custom("too large")) }
    }
}
impl<'de> Wire<'de> for u32 {
    const EXPECTED: &'static str = "a whole number from 0 to 4294967295";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(source)
    }
}
impl<'de> Wire<'de> for bool {
    const EXPECTED: &'static str = "true or false";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(source)
    }
}
impl<'de> Wire<'de> for (u64, u64) {
    const EXPECTED: &'static str = "a range [from, to] of two whole numbers";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(source)
    }
}
impl<'de> Wire<'de> for serde_json::Value {
    const EXPECTED: &'static str = "any JSON";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(source)
    }
}

impl<'de, T: Wire<'de>> Wire<'de> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn read<D: Deserializer<'de>>(source: D, notes: &Notes) -> Result<Self, D::Error> {
        source.deserialize_option(OptionVisitor::<T>(notes, PhantomData))
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}
struct OptionVisitor<'n, T>(&'n Notes, PhantomData<T>);
impl<'de, T: Wire<'de>> Visitor<'de> for OptionVisitor<'_, T> {
    type Value = Option<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }
    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_some<D: Deserializer<'de>>(self, source: D) -> Result<Option<T>, D::Error> {
        T::read(source, self.0).map(Some)
    }
}

impl<'de, T: Wire<'de>> Wire<'de> for Vec<T> {
    const EXPECTED: &'static str = "a list";
    fn read<D: Deserializer<'de>>(source: D, notes: &Notes) -> Result<Self, D::Error> {
        source.deserialize_seq(ListVisitor::<T>(notes, PhantomData))
    }
}
struct ListVisitor<'n, T>(&'n Notes, PhantomData<T>);
impl<'de, T: Wire<'de>> Visitor<'de> for ListVisitor<'_, T> {
    type Value = Vec<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        loop {
            match list.next_element_seed(Seed::<T>::new(self.0)) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(items),
                Err(error) => {
                    self.0.inside(&format!("[{}]", items.len()), T::EXPECTED);
                    return Err(error);
                }
            }
        }
    }
}

/// A field's name, borrowed where it has no escapes.
pub(crate) struct Name;
impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Cow<'de, str>, D::Error> {
        source.deserialize_str(self)
    }
}
impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }
    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Reads the value of a known field into its slot.
pub(crate) fn take<'de, A: MapAccess<'de>, T: Wire<'de>>(
    map: &mut A,
    slot: &mut Option<T>,
    name: &'static str,
    notes: &Notes,
) -> Result<(), A::Error> {
    if slot.is_some() {
        notes.blame(PayloadError::Twice { field: name.to_owned() });
        return Err(A::Error::custom("twice"));
    }
    match map.next_value_seed(Seed::<T>::new(notes)) {
        Ok(value) => {
            *slot = Some(value);
            Ok(())
        }
        Err(error) => {
            notes.inside(name, T::EXPECTED);
            Err(error)
        }
    }
}

/// What stands in the slot, or what stands for a field that is not there.
pub(crate) fn or_absent<'de, T: Wire<'de>, E: serde::de::Error>(slot: Option<T>, name: &'static str, notes: &Notes) -> Result<T, E> {
    slot.or_else(T::absent).ok_or_else(|| {
        notes.blame(PayloadError::Missing { field: name.to_owned(), expected: T::EXPECTED });
        E::custom("missing")
    })
}

/// The unknown fields of one object.
#[derive(Default)]
pub(crate) struct Strangers(SmallVec<[CompactString; 1]>);

impl Strangers {
    /// Looks at an unknown field: small values are ignored and noted, others refused.
    pub(crate) fn meet<'de, A: MapAccess<'de>>(&mut self, map: &mut A, name: &str, notes: &Notes) -> Result<(), A::Error> {
        if self.0.iter().any(|seen| seen == name) {
            notes.blame(PayloadError::Twice { field: harmless(name).into() });
            return Err(A::Error::custom("twice"));
        }
        if !notes.unknown(name) {
            return Err(A::Error::custom("many unknown"));
        }
        self.0.push(CompactString::new(name));
        map.next_value::<Small>().map(|_| ()).inspect_err(|_| notes.blame(PayloadError::Unknown { field: harmless(name).into() }))
    }
}

/// A value that cannot carry an image or a template.
struct Small;
impl<'de> serde::Deserialize<'de> for Small {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(Self)
    }
}
impl<'de> Visitor<'de> for Small {
    type Value = Self;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a boolean or a short text")
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self, E> {
        if text.chars().nth(UNKNOWN_TEXT_CHARS_MAX).is_none() { Ok(self) } else { Err(E::custom("long")) }
    }
}

/// `Deserialize` for a type that is read by [`Wire`].
macro_rules! deserialize_by_wire {
    ($name:ty) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                <Self as $crate::wire::Wire<'de>>::read(source, &$crate::payload::Notes::default())
            }
        }
    };
}
pub(crate) use deserialize_by_wire;

/// A struct on the wire: `field = "name": Type`. An `Option` may be absent or null; everything else is required.
macro_rules! wire {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident = $wire:literal : $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
        pub struct $name { $($(#[$field_meta])* #[serde(rename = $wire)] pub $field: $type,)* }

        impl<'de> $crate::wire::Wire<'de> for $name {
            const EXPECTED: &'static str = concat!("an object with the fields", $(" ", $wire),*);
            fn read<D: serde::Deserializer<'de>>(source: D, notes: &$crate::payload::Notes) -> Result<Self, D::Error> {
                struct Fields<'n>(&'n $crate::payload::Notes);
                impl<'de> serde::de::Visitor<'de> for Fields<'_> {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        $(let mut $field: Option<$type> = None;)*
                        let mut strangers = $crate::wire::Strangers::default();
                        while let Some(name) = map.next_key_seed($crate::wire::Name)? {
                            match &*name {
                                $($wire => $crate::wire::take(&mut map, &mut $field, $wire, self.0)?,)*
                                other => strangers.meet(&mut map, other, self.0)?,
                            }
                        }
                        Ok($name { $($field: $crate::wire::or_absent($field, $wire, self.0)?,)* })
                    }
                }
                source.deserialize_map(Fields(notes))
            }
        }
        $crate::wire::deserialize_by_wire!($name);
    };
}
pub(crate) use wire;

/// An enum on the wire: `Variant = "name"`.
macro_rules! wire_word {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $wire:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub enum $name { $(#[doc = concat!("`", $wire, "`")] #[serde(rename = $wire)] $variant,)* }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $wire,)* }
            }
            /// The one with this word.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($wire => Some(Self::$variant),)* _ => None }
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "enum": [$($wire),*]})
            }
        }
        impl<'de> $crate::wire::Wire<'de> for $name {
            const EXPECTED: &'static str = concat!("one of", $(" ", $wire),*);
            fn read<D: serde::Deserializer<'de>>(source: D, _: &$crate::payload::Notes) -> Result<Self, D::Error> {
                source.deserialize_str($crate::wire::text_visitor(Self::from_name))
            }
        }
        $crate::wire::deserialize_by_wire!($name);
    };
}
pub(crate) use wire_word;

/// An enum on the wire with its domain counterpart: `Variant = "name"`.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident = $domain:ty { $($variant:ident = $wire:literal),* $(,)? }) => {
        $crate::wire::wire_word! { $(#[$meta])* $name { $($variant = $wire),* } }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant,)* }
            }
        }
        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                match word { $(<$domain>::$variant => Self::$variant,)* }
            }
        }
    };
}
pub(crate) use wire_enum;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro writes public types")]
mod tests {
    use super::*;
    use crate::payload::{decode, encode};

    wire! {
        /// One field of each kind.
        Sample {
            /// A whole number.
            whole = "whole": u64,
            /// A small one.
            #[serde(skip_serializing_if = "Option::is_none")]
            small = "small": Option<u32>,
            /// A switch.
            on = "on": bool,
            /// Ranges.
            ranges = "ranges": Vec<(u64, u64)>,
            /// Nested.
            #[serde(skip_serializing_if = "Option::is_none")]
            inner = "in-ner": Option<Inner>,
        }
    }
    wire! {
        /// Nested.
        #[derive(Eq)]
        Inner {
            /// A list of lists.
            list = "list": Vec<Vec<bool>>,
        }
    }

    fn read(text: &str) -> Result<Sample, String> {
        decode::<Sample>(text.as_bytes()).map(|read| read.message).map_err(|error| error.to_string())
    }
    fn with(extra: &str) -> Result<Sample, String> {
        read(&format!(r#"{{"whole":1,"on":true,"ranges":[]{extra}}}"#))
    }

    #[test]
    fn whole_numbers_go_to_the_last_that_every_reader_keeps() {
        let whole = |text: &str| read(&format!(r#"{{"whole":{text},"on":true,"ranges":[]}}"#)).map(|sample| sample.whole);
        assert_eq!(whole("0"), Ok(0));
        assert_eq!(whole("9007199254740991"), Ok(WHOLE_MAX));
        for bad in ["9007199254740992", "18446744073709551615", "18446744073709551616", "-0", "-1", "1.0", "\"1\"", "[1]", "{}", "false"] {
            assert_eq!(whole(bad), Err("field `whole` must be a whole number from 0 to 9007199254740991".to_owned()), "{bad}");
        }
        assert_eq!(with(r#","small":4294967296"#), Err("field `small` must be a whole number from 0 to 4294967295".to_owned()));
    }

    #[test]
    fn an_optional_field_may_be_absent_or_null_and_no_other() {
        assert_eq!(with("").map(|sample| (sample.small, sample.inner)), Ok((None, None)));
        assert_eq!(with(r#","small":null,"in-ner":null"#).map(|sample| (sample.small, sample.inner)), Ok((None, None)));
        assert_eq!(with(r#","small":7"#).map(|sample| sample.small), Ok(Some(7)));
        assert_eq!(with(r#","small":null,"small":7"#), Err("field `small` stands twice: send each field once".to_owned()));
        assert_eq!(read(r#"{"whole":1,"on":null,"ranges":[]}"#), Err("field `on` must be true or false".to_owned()));
    }

    #[test]
    fn a_fault_is_named_by_its_path() {
        let bad = |extra: &str| with(extra).expect_err("bad");
        assert_eq!(bad(r#","in-ner":{}"#), "field `in-ner.list` is missing: send a list");
        assert_eq!(bad(r#","in-ner":{"list":[[true],[true,1]]}"#), "field `in-ner.list[1][1]` must be true or false");
        assert_eq!(bad(r#","in-ner":{"list":[[],{}]}"#), "field `in-ner.list[1]` must be a list");
        assert_eq!(bad(r#","in-ner":{"list":[],"list":[]}"#), "field `in-ner.list` stands twice: send each field once");
        assert_eq!(bad(r#","in-ner":7"#), "field `in-ner` must be an object with the fields list");
    }

    #[test]
    fn a_range_has_two_ends() {
        let ranges = |text: &str| read(&format!(r#"{{"whole":1,"on":true,"ranges":{text}}}"#)).map(|sample| sample.ranges);
        assert_eq!(ranges("[[1,2],[4,4]]"), Ok(vec![(1, 2), (4, 4)]));
        for (bad, place) in [("[[1]]", "[0]"), ("[7]", "[0]"), ("[[1,-2]]", "[0]")] {
            let expected = format!("field `ranges{place}` must be a range [from, to] of two whole numbers");
            assert_eq!(ranges(bad), Err(expected), "{bad}");
        }
    }

    #[test]
    fn what_is_read_is_what_was_written_and_serde_reads_it_too() {
        let text = r#"{"whole":1,"small":2,"on":false,"ranges":[[3,4]],"in-ner":{"list":[[true],[]]}}"#;
        let sample = read(text).expect("good");
        assert_eq!(String::from_utf8_lossy(&encode(&sample)), text);
        assert_eq!(serde_json::from_str::<Sample>(text).expect("good"), sample);
        let shuffled = r#" { "ranges" : [[3,4]] , "in-ner":{"list":[[true],[]]}, "on":false,"small":2, "whole" : 1 } "#;
        assert_eq!(read(shuffled).expect("good"), sample, "order and spaces mean nothing");
    }
}
