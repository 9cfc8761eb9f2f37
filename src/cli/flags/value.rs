//! A value of the config file, whichever way it is written there, and what is wrong with one.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A number needs no quotes, and a list of costs may be an array.
pub(super) enum Value {
    Text(String),
    List(Vec<Self>),
}

impl Value {
    /// As on the command line.
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::List(values) => values
                .into_iter()
                .map(Self::text)
                .collect::<Vec<_>>()
                .join(","),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

const WANTED: &str = "write a number, or a text in quotes";

/// Reads a value. Numbers stay as written, for one that is too large is told as the command line tells it.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WANTED)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        self.visit_i128(number.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        self.visit_u128(number.into())
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Value, E> {
        Err(E::custom(WANTED))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(de::Error::custom(WANTED))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }
}

/// Why a text is none of the names that it could be.
#[derive(Debug)]
pub(super) struct NoName(String);

impl fmt::Display for NoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoName {}

impl de::Error for NoName {
    fn custom<T: fmt::Display>(wrong: T) -> Self {
        Self(wrong.to_string())
    }

    fn unknown_variant(name: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("{name}: write one of {}", expected.join(", ")))
    }
}
