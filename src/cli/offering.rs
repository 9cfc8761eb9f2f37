//! Values that the completions of a shell offer, where more than those can be written.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, Error};
use std::ffi::OsStr;

/// Reads what its parser reads.
#[derive(Clone)]
pub(super) struct Offering<P> {
    parser: P,
    values: Vec<&'static str>,
}

impl<P> Offering<P> {
    pub(super) fn new(parser: P, values: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            parser,
            values: values.into_iter().collect(),
        }
    }
}

impl<P: TypedValueParser> TypedValueParser for Offering<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        self.parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.values.iter().map(PossibleValue::new)))
    }
}
