//! Control sequences of the keyboard and the mouse, decoded.

use super::{Decoded, PASTE_BEGINS, Step, paste};
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// `ESC O x`.
pub(super) fn function_key(bytes: &[u8]) -> Option<Step> {
    let code = match *bytes.get(2)? {
        last @ b'P'..=b'S' => Some(KeyCode::F(1 + last - b'P')),
        b'M' => Some(KeyCode::Enter),
        last => cursor_key(last),
    };
    Some(match code {
        Some(code) => Step::key(3, code, KeyModifiers::NONE),
        None => Step::key(2, KeyCode::Char('O'), KeyModifiers::ALT),
    })
}

fn cursor_key(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        // `G` from PuTTY.
        b'E' | b'G' => KeyCode::KeypadBegin,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        _ => return None,
    })
}

/// `ESC [ parameters last`: cursor and function keys, the mouse, pastes, answers.
pub(super) fn control_sequence(bytes: &[u8]) -> Option<Step> {
    if bytes.starts_with(PASTE_BEGINS) {
        return paste(bytes);
    }
    match bytes.get(2)? {
        // The mouse as it was before SGR: a button and a place in three bytes of any value.
        b'M' => return (bytes.len() >= 6).then(|| Step::skip(6)),
        // The function keys of the Linux console.
        b'[' => {
            let code = match *bytes.get(3)? {
                last @ b'A'..=b'E' => KeyCode::F(1 + last - b'A'),
                _ => return Some(Step::skip(3)),
            };
            return Some(Step::key(4, code, KeyModifiers::NONE));
        }
        _ => {}
    }
    let end = 2 + bytes[2..].iter().position(|b| !(0x20..0x40).contains(b))?;
    let last = bytes[end];
    if !(0x40..0x7f).contains(&last) {
        // Cut short by something else, which stands for itself.
        return Some(Step::skip(end));
    }
    Some(Step {
        length: end + 1,
        decoded: parameters(&bytes[2..end], last),
    })
}

fn parameters(bytes: &[u8], last: u8) -> Option<Decoded> {
    let text = std::str::from_utf8(bytes).ok()?;
    if let Some(report) = text.strip_prefix('<') {
        return mouse(report, last == b'm').map(|mouse| Decoded::Input(Event::Mouse(mouse)));
    }
    if text.starts_with('?') {
        return (last == b'c').then_some(Decoded::Attributes);
    }
    let decoded = key_sequence(text, last)?;
    let is_released = text.split(';').nth(1).and_then(|one| one.split(':').nth(1)) == Some("3");
    Some(if is_released {
        released(decoded)
    } else {
        decoded
    })
}

fn key_sequence(text: &str, last: u8) -> Option<Decoded> {
    let mut numbers = text
        .split(';')
        // Other layouts and texts, which stand after a colon too, were not asked for.
        .map(|number| number.split(':').next().unwrap_or_default().parse().ok());
    let number: Option<u32> = numbers.next().flatten();
    let modifiers = modifiers(numbers.next().flatten());
    let code = match last {
        b'A'..=b'H' => cursor_key(last)?,
        // `R` is also where the cursor is, which is never asked.
        b'P'..=b'S' if number.unwrap_or(1) == 1 => KeyCode::F(1 + last - b'P'),
        b'Z' => return Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        b'I' => return Some(Decoded::Input(Event::FocusGained)),
        b'O' => return Some(Decoded::Input(Event::FocusLost)),
        b'u' => return coded(number?, modifiers),
        b'~' if number == Some(27) => return coded(numbers.next().flatten()?, modifiers),
        b'~' => numbered_key(number?)?,
        _ => return None,
    };
    Some(key(code, modifiers))
}

/// The key was let go, which is the third kind of what a key can do.
fn released(decoded: Decoded) -> Decoded {
    match decoded {
        Decoded::Input(Event::Key(event)) => {
            let kind = KeyEventKind::Release;
            Decoded::Input(Event::Key(KeyEvent { kind, ..event }))
        }
        other => other,
    }
}

pub(super) fn key(code: KeyCode, modifiers: KeyModifiers) -> Decoded {
    Decoded::Input(Event::Key(KeyEvent::new(code, modifiers)))
}

/// A key sent as the number of its character.
fn coded(number: u32, modifiers: KeyModifiers) -> Option<Decoded> {
    let code = match number {
        9 if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        _ => KeyCode::Char(char::from_u32(number).filter(|c| !c.is_control())?),
    };
    Some(key(code, modifiers))
}

fn numbered_key(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number as u8 - 10),
        17..=21 => KeyCode::F(number as u8 - 11),
        23..=26 => KeyCode::F(number as u8 - 12),
        28..=29 => KeyCode::F(number as u8 - 13),
        31..=34 => KeyCode::F(number as u8 - 14),
        _ => return None,
    })
}

/// The parameter is one more than the sum of Shift 1, Alt 2, Control 4.
fn modifiers(parameter: Option<u32>) -> KeyModifiers {
    let bits = parameter.unwrap_or(1).saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, bits & 1 != 0);
    modifiers.set(KeyModifiers::ALT, bits & 2 != 0);
    modifiers.set(KeyModifiers::CONTROL, bits & 4 != 0);
    modifiers
}

/// `button ; column ; row`, counted from one.
fn mouse(report: &str, released: bool) -> Option<MouseEvent> {
    let mut numbers = report.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let which = match button & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (button & 64 != 0, button & 32 != 0, which) {
        (true, _, _) => match button & 3 {
            0 => MouseEventKind::ScrollUp,
            1 => MouseEventKind::ScrollDown,
            2 => MouseEventKind::ScrollLeft,
            _ => MouseEventKind::ScrollRight,
        },
        (_, true, Some(which)) => MouseEventKind::Drag(which),
        (_, true, None) => MouseEventKind::Moved,
        (_, false, Some(which)) if released => MouseEventKind::Up(which),
        (_, false, Some(which)) => MouseEventKind::Down(which),
        (_, false, None) => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, button & 4 != 0);
    modifiers.set(KeyModifiers::ALT, button & 8 != 0);
    modifiers.set(KeyModifiers::CONTROL, button & 16 != 0);
    Some(MouseEvent {
        kind,
        column: column.saturating_sub(1),
        row: row.saturating_sub(1),
        modifiers,
    })
}
