//! What a terminal obeys instead of showing it. Names and texts come from other programs, and nothing of
//! this may be in what is drawn or printed of them.

/// For what is clipped where it is shown.
pub const WHOLE: usize = usize::MAX;

/// A control character, or a mark that changes the direction of writing or has no width.
pub fn is_control(letter: char) -> bool {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns || letter == '\u{feff}'
}

/// A text from outside as one line that a terminal only shows: what breaks a line is a space, what else a
/// terminal obeys is left out, and of more than `longest` letters the rest is `...`.
pub fn harmless(text: &str, longest: usize) -> String {
    let shown = |letter: char| match letter {
        '\n' | '\r' | '\t' => Some(' '),
        letter => (!is_control(letter)).then_some(letter),
    };
    let mut letters = text.trim_end().chars().filter_map(shown);
    let mut line: String = letters.by_ref().take(longest).collect();
    if letters.next().is_some() {
        line.push_str("...");
    }
    line
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

    #[test]
    fn a_text_from_outside_is_one_line_that_commands_nothing() {
        let name = "\u{feff}f\u{1b}[2J\u{7}\u{9b}31m\u{202e}x\n";
        assert_eq!(harmless(name, WHOLE), "f[2J31mx");
        assert_eq!(harmless("a\nb\tc", WHOLE), "a b c");
        assert_eq!(harmless("größer 長い", 9), "größer 長い");
        assert_eq!(harmless("größer 長い", 8), "größer 長...");
        assert_eq!(harmless(&"x".repeat(10_000_000), 3), "xxx...");
    }
}
