//! `parviz examples`: the Python programs that come along, listed or one of them printed.

use super::offering::Offering;
use crate::examples::{TABLE, find};
use clap::builder::{StringValueParser, TypedValueParser};

/// Any name: whether there is such an example is found out later.
pub(super) fn names() -> impl TypedValueParser<Value = String> {
    let names = TABLE.iter().map(|example| example.name);
    Offering::new(StringValueParser::new(), names)
}

/// The list, or the source of one; `Err` is the line for a name that there is not.
pub fn tell(name: Option<&str>) -> Result<String, String> {
    let Some(name) = name else {
        return Ok(list());
    };
    find(name)
        .map(|example| example.source.to_owned())
        .ok_or_else(|| {
            format!("there is no example {name:?}: see parviz examples for those there are")
        })
}

fn list() -> String {
    let widest = TABLE.iter().map(|example| example.name.len()).max();
    let widest = widest.unwrap_or_default();
    let lines = TABLE
        .iter()
        .map(|example| format!("{:<widest$}  {}\n", example.name, example.line));
    lines.collect::<Vec<_>>().concat()
}
