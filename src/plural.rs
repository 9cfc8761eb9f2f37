//! Numbers of things in words: one is not many.

use std::fmt::Display;

/// `1 task`, `3 tasks`: the number with the words for one or for many.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(
    number: N,
    one: &str,
    many: &str,
) -> String {
    let words = if number == N::from(1) { one } else { many };
    format!("{number} {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        let words = [0, 1, 2].map(|number: u64| counted(number, "process", "processes"));
        assert_eq!(words, ["0 processes", "1 process", "2 processes"]);
    }
}
