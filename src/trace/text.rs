//! Texts from a program: a name or an error may be as long as it likes, and is kept up to a limit.

/// The most bytes of a name or an error that are kept; a longer one ends in `...`.
pub const MOST_TEXT: usize = 2_000;

/// The text, cut at a character.
pub(super) fn cut(text: String) -> String {
    shorter(text, MOST_TEXT)
}

/// The same with a limit of one's own.
pub(super) fn shorter(mut text: String, most: usize) -> String {
    if text.len() > most {
        let mut end = most.saturating_sub(3);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
        text.shrink_to_fit();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(shorter("0123456789".to_owned(), 10), "0123456789");
        assert_eq!(shorter("01234567890".to_owned(), 10), "0123456...");
        assert_eq!(shorter("\u{e4}".repeat(6), 10), "\u{e4}\u{e4}\u{e4}...");
        assert!(cut("x".repeat(10 << 20)).capacity() <= MOST_TEXT);
    }
}
