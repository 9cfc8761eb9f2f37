//! Whole numbers as they are written: on the command line, in the config file, and in the form.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

/// Stands for a value that nobody chose.
pub const AUTO: &str = "auto";

/// A whole number of a type that holds those from 0 on. The error says what can be written instead.
pub fn whole<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| match most::<T>(&error) {
        Some(most) => format!("at most {most}"),
        None => "write a whole number".to_owned(),
    })
}

/// The same, or `None` for `auto`.
pub fn whole_or_auto(text: &str) -> Result<Option<u32>, String> {
    if text == AUTO {
        return Ok(None);
    }
    let number = text.parse().map_err(|error| match most::<u32>(&error) {
        Some(most) => format!("at most {most}"),
        None => "write a whole number, or auto".to_owned(),
    });
    number.map(Some)
}

/// The greatest number that the type holds, if that is what is wrong.
fn most<T>(error: &ParseIntError) -> Option<u64> {
    let most = u64::MAX >> (u64::BITS as usize - 8 * size_of::<T>());
    (*error.kind() == IntErrorKind::PosOverflow).then_some(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_number_says_what_can_be_written() {
        let said = |text| whole::<u32>(text);
        assert_eq!(said("12"), Ok(12));
        assert_eq!(said("-1"), Err("write a whole number".to_owned()));
        assert_eq!(said("4294967296"), Err("at most 4294967295".to_owned()));
        let most = whole::<u64>("18446744073709551616").unwrap_err();
        assert_eq!(most, "at most 18446744073709551615");
    }

    #[test]
    fn auto_is_no_number() {
        assert_eq!(whole_or_auto("auto"), Ok(None));
        assert_eq!(whole_or_auto("4"), Ok(Some(4)));
        let wrong = |text| whole_or_auto(text).unwrap_err();
        assert_eq!(wrong("some"), "write a whole number, or auto");
        assert_eq!(wrong("4294967296"), "at most 4294967295");
    }
}
