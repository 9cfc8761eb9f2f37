//! What a terminal obeys instead of showing it. Names and texts come from other programs, and nothing of
//! this may be in what is drawn or printed of them.

/// A control character, or a mark that changes the direction of writing or has no width.
pub fn is_control(letter: char) -> bool {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns || letter == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_no_letter() {
        assert!(
            "\0\t\n\u{1b}\u{7f}\u{9b}\u{200e}\u{202e}\u{2066}\u{feff}"
                .chars()
                .all(is_control)
        );
        assert!(!" aé長…\u{301}\u{200d}".chars().any(is_control));
    }
}
