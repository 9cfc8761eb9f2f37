//! A line of text that is being typed.

use crate::control::is_control;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

/// Longer than anything one types; a pasted book is cut here.
const LONGEST: usize = 4_096;

/// Does to the line what such lines do everywhere. True if its text changed.
pub(super) fn edit(line: &mut Input, event: &KeyEvent) -> bool {
    let held = event.modifiers.contains(KeyModifiers::CONTROL);
    let request = match event.code {
        KeyCode::Char('a') if held => InputRequest::GoToStart,
        KeyCode::Char('e') if held => InputRequest::GoToEnd,
        KeyCode::Char('k') if held => InputRequest::DeleteTillEnd,
        KeyCode::Char('u') if held => InputRequest::DeleteLine,
        KeyCode::Char('w') if held => InputRequest::DeletePrevWord,
        KeyCode::Char(letter) if !held && !event.modifiers.contains(KeyModifiers::ALT) => {
            return insert(line, letter);
        }
        KeyCode::Backspace => InputRequest::DeletePrevChar,
        KeyCode::Delete => InputRequest::DeleteNextChar,
        KeyCode::Home => InputRequest::GoToStart,
        KeyCode::End => InputRequest::GoToEnd,
        _ => return false,
    };
    line.handle(request).is_some_and(|change| change.value)
}

/// Whether the key is a letter to be put in.
pub(super) fn types(event: &KeyEvent) -> bool {
    let held = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
    matches!(event.code, KeyCode::Char(_)) && held.is_empty()
}

/// Moves the text cursor by one.
pub(super) fn step(line: &mut Input, forward: bool) {
    line.handle(if forward {
        InputRequest::GoToNextChar
    } else {
        InputRequest::GoToPrevChar
    });
}

/// Puts in what was pasted.
pub(super) fn paste(line: &mut Input, text: &str) {
    for letter in text.chars() {
        insert(line, letter);
    }
}

fn insert(line: &mut Input, letter: char) -> bool {
    if is_control(letter) || line.value().len() >= LONGEST {
        return false;
    }
    line.handle(InputRequest::InsertChar(letter)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_in_and_controls_do_not() {
        let mut line = Input::new("ab".to_owned());
        paste(&mut line, "c\x1b[2J\n\u{202e}\u{feff}");
        assert_eq!(line.value(), "abc[2J");
        let key = |code, modifiers| KeyEvent::new(code, modifiers);
        assert!(edit(
            &mut line,
            &key(KeyCode::Char('u'), KeyModifiers::CONTROL)
        ));
        assert_eq!(line.value(), "");
        assert!(!edit(
            &mut line,
            &key(KeyCode::Char('x'), KeyModifiers::ALT)
        ));
    }
}
