//! One key as it is pressed, written in a config file, and shown.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// One key, with the modifiers that matter: a character says itself whether shift was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why keys cannot be bound as the config file asks; the text is for its writer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("`{0}` is no action; the key table of the README lists them")]
    NoAction(String),
    #[error("`{0}` is no key: write for example x, X, space, f5, pageup or ctrl-x")]
    NoKey(String),
    #[error("`{key}` never comes: a terminal sends {sends} for it: write {sends}")]
    NeverSent { key: String, sends: &'static str },
    #[error("`{key}` would mean both {first} and {second}")]
    Twice {
        key: String,
        first: &'static str,
        second: &'static str,
    },
}

impl KeyError {
    /// The names of the actions that are in each other's way.
    pub fn actions(&self) -> Vec<&'static str> {
        match self {
            Self::Twice { first, second, .. } => vec![first, second],
            Self::NoAction(_) | Self::NoKey(_) | Self::NeverSent { .. } => Vec::new(),
        }
    }
}

impl Key {
    /// Reads `x`, `X`, `space`, `f5`, `pageup`, `ctrl-x`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            return Ok(Self::new(KeyCode::Char(letter), KeyModifiers::NONE));
        }
        let wrong = || KeyError::NoKey(text.to_owned());
        let combination = crokey::parse(text).map_err(|_| wrong())?;
        match combination.codes {
            crokey::OneToThree::One(code) => {
                let key = Self::new(code, combination.modifiers);
                match key.sent_as() {
                    None => Ok(key),
                    Some(sends) => Err(KeyError::NeverSent {
                        key: text.to_owned(),
                        sends,
                    }),
                }
            }
            _ => Err(wrong()),
        }
    }

    /// The key that a terminal sends for this one, if that is another.
    fn sent_as(self) -> Option<&'static str> {
        let KeyCode::Char(letter) = self.code else {
            return None;
        };
        if !self.modifiers.contains(KeyModifiers::CONTROL) {
            return None;
        }
        match letter.to_ascii_lowercase() {
            'm' => Some("enter"),
            'i' => Some("tab"),
            '[' => Some("esc"),
            _ => None,
        }
    }

    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let own = match code {
            KeyCode::Char(_) | KeyCode::BackTab => KeyModifiers::SHIFT,
            _ => KeyModifiers::NONE,
        };
        let code = match code {
            KeyCode::Char(letter) if modifiers.contains(KeyModifiers::SHIFT) => {
                KeyCode::Char(letter.to_ascii_uppercase())
            }
            code => code,
        };
        let kept = KeyModifiers::SHIFT | KeyModifiers::CONTROL | KeyModifiers::ALT;
        Self {
            code,
            modifiers: (modifiers & kept) - own,
        }
    }

    /// The key that was pressed or is repeated; letting it go is none.
    pub fn pressed(event: &KeyEvent) -> Option<Self> {
        (event.kind != KeyEventKind::Release).then(|| Self::new(event.code, event.modifiers))
    }

    /// As it is shown: `x`, `space`, `PgUp`, `Ctrl-C`; arrow keys as arrows, or by their names.
    pub fn label(self, arrows: bool) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(letter) if self.modifiers.is_empty() => letter.to_string(),
            KeyCode::Char(letter) => letter.to_ascii_uppercase().to_string(),
            KeyCode::F(number) => format!("F{number}"),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::Up if arrows => "\u{2191}".to_owned(),
            KeyCode::Down if arrows => "\u{2193}".to_owned(),
            KeyCode::Left if arrows => "\u{2190}".to_owned(),
            KeyCode::Right if arrows => "\u{2192}".to_owned(),
            code => format!("{code:?}"),
        };
        let held = [
            (KeyModifiers::CONTROL, "Ctrl-"),
            (KeyModifiers::ALT, "Alt-"),
            (KeyModifiers::SHIFT, "Shift-"),
        ];
        let mut label: String = held
            .into_iter()
            .filter(|(modifier, _)| self.modifiers.contains(*modifier))
            .map(|(_, word)| word)
            .collect();
        label.push_str(&name);
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_let_go_does_nothing() {
        let event = KeyEvent::new_with_kind(
            KeyCode::Char('q'),
            KeyModifiers::NONE,
            KeyEventKind::Release,
        );
        assert_eq!(Key::pressed(&event), None);
    }
}
