//! Bytes from a terminal, decoded into keys, mouse, pastes, and answers to what was asked.
//!
//! crossterm's own reader is not used on Unix: it spins when the terminal is gone, it cannot be
//! woken, and it types out the answers to queries (`11;rgb:...`) as if a person had pressed those
//! keys. This decoder keeps crossterm's event types, and swallows every control string and every
//! sequence it does not know, however the bytes were split on their way.
//!
//! A paste lasts until the mark of its end, however slowly it comes, as it does for shells and editors: read as
//! keys, its rest would do anything. That mark is taken for lost at Ctrl-C that nothing follows, and after so
//! long a silence that nobody waits for more: then what has come is what was pasted.

mod control;

use control::{control_sequence, function_key};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

/// What a stretch of bytes meant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decoded {
    Input(Event),
    /// The colour of the terminal's background, red, green and blue.
    Background([u16; 3]),
    /// The terminal said what it is: all earlier questions have been answered, or never will be.
    Attributes,
}

/// Of what is longer than this, in bytes, the middle is not held.
const LONGEST: usize = 1024 * 1024;

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// What makes an escape the begin of a sequence.
const INTRODUCERS: &[u8] = b"[O]PX^_";

/// What is pending waits for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// It could be a whole key already.
    Key,
    /// Its end must come.
    End,
    /// The same of a paste, which may stall.
    Paste,
}

/// Holds the begin of a sequence whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    pending: Vec<u8>,
    /// The middle of what is pending is lost: once its end has come, it means nothing.
    is_cut: bool,
}

/// What the first bytes are: this many of them, and what they mean.
struct Step {
    length: usize,
    decoded: Option<Decoded>,
}

impl Step {
    fn skip(length: usize) -> Self {
        Self {
            length,
            decoded: None,
        }
    }

    fn input(length: usize, event: Event) -> Self {
        Self {
            length,
            decoded: Some(Decoded::Input(event)),
        }
    }

    fn key(length: usize, code: KeyCode, modifiers: KeyModifiers) -> Self {
        Self::input(length, Event::Key(KeyEvent::new(code, modifiers)))
    }
}

impl Decoder {
    /// Takes what one read gave. A terminal sends an escape together with the letter that it makes
    /// Alt, so a letter that comes later stands for itself; the sequences of keys and answers may
    /// come in pieces.
    pub(super) fn feed(&mut self, bytes: &[u8], mut tell: impl FnMut(Decoded)) {
        let stands_alone = |byte: &u8| !INTRODUCERS.contains(byte);
        if self.pending == [0x1b] && bytes.first().is_some_and(stands_alone) {
            self.silence(&mut tell);
        }
        self.pending.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(step) = first(&self.pending[at..]) {
            at += step.length;
            if !std::mem::take(&mut self.is_cut) {
                step.decoded.map(&mut tell);
            }
        }
        self.pending.drain(..at);
        if self.pending.len() > LONGEST {
            self.cut();
        }
    }

    /// Keeps of what is pending as much as tells what it is, and a begun mark of its end.
    fn cut(&mut self) {
        let tail = self.pending.len() - (PASTE_ENDS.len() - 1);
        self.pending.drain(PASTE_BEGINS.len()..tail);
        self.is_cut = true;
    }

    /// What the silence after these bytes would mean: if it comes, call [`Decoder::silence`].
    pub(super) fn waits(&self) -> Option<Waits> {
        match self.pending.as_slice() {
            [] => None,
            [0x1b] | [0x1b, _] => Some(Waits::Key),
            // Perhaps the key.
            [.., 0x03] => Some(Waits::End),
            pending if pending.starts_with(PASTE_BEGINS) => Some(Waits::Paste),
            _ => Some(Waits::End),
        }
    }

    /// Nothing followed: a lone escape was the key, and `ESC [` was Alt and a bracket. What is longer has
    /// lost its end, and nobody who presses keys now means them as a part of it.
    pub(super) fn silence(&mut self, mut tell: impl FnMut(Decoded)) {
        let is_cut = std::mem::take(&mut self.is_cut);
        let pending = std::mem::take(&mut self.pending);
        let key = match *pending.as_slice() {
            [0x1b] => KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE),
            [0x1b, byte] => KeyEvent::new(KeyCode::Char(char::from(byte)), KeyModifiers::ALT),
            // It was pressed in the hope that it ends this.
            [.., 0x03] => KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
            _ => {
                let body = pending.strip_prefix(PASTE_BEGINS).filter(|_| !is_cut);
                let text = body.map(without_begun_end).filter(|text| !text.is_empty());
                if let Some(text) = text {
                    let text = String::from_utf8_lossy(text).into_owned();
                    tell(Decoded::Input(Event::Paste(text)));
                }
                return;
            }
        };
        tell(Decoded::Input(Event::Key(key)));
    }
}

/// Decodes what stands first; `None` if its end has not come yet.
fn first(bytes: &[u8]) -> Option<Step> {
    match *bytes {
        [] | [0x1b] => None,
        [0x1b, second, ..] => match second {
            b'[' => control_sequence(bytes),
            b'O' => function_key(bytes),
            b']' | b'P' | b'X' | b'^' | b'_' => control_string(bytes),
            0x1b => Some(Step::key(1, KeyCode::Esc, KeyModifiers::NONE)),
            _ => {
                let (length, key) = character(&bytes[1..])?;
                Some(key.map_or(Step::skip(length + 1), |key| {
                    Step::key(length + 1, key.code, key.modifiers | KeyModifiers::ALT)
                }))
            }
        },
        _ => {
            let (length, key) = character(bytes)?;
            Some(key.map_or(Step::skip(length), |key| {
                Step::input(length, Event::Key(key))
            }))
        }
    }
}

/// A control character or one character of text; no key where the bytes are no UTF-8.
fn character(bytes: &[u8]) -> Option<(usize, Option<KeyEvent>)> {
    let control = |c: u8| KeyEvent::new(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    let key = match *bytes.first()? {
        b'\r' => KeyCode::Enter.into(),
        b'\t' => KeyCode::Tab.into(),
        0x7f => KeyCode::Backspace.into(),
        0 => control(b' '),
        byte @ 1..=0x1a => control(byte - 1 + b'a'),
        0x1b => KeyCode::Esc.into(),
        byte @ 0x1c..=0x1f => control(byte - 0x1c + b'4'),
        lead => {
            let length = match lead {
                ..0x80 => 1,
                0xc0..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0.. => 4,
                _ => return Some((1, None)),
            };
            let valid = match std::str::from_utf8(&bytes[..length.min(bytes.len())]) {
                Ok(text) => text.chars().next(),
                Err(error) if error.error_len().is_none() => return None,
                Err(_) => None,
            };
            return Some(match valid {
                Some(c) => (length, Some(letter(c))),
                None => (1, None),
            });
        }
    };
    Some((1, Some(key)))
}

/// Terminals do not tell of Shift with a letter: its case does.
fn letter(c: char) -> KeyEvent {
    let shift = if c.is_uppercase() {
        KeyModifiers::SHIFT
    } else {
        KeyModifiers::NONE
    };
    KeyEvent::new(KeyCode::Char(c), shift)
}

fn paste(bytes: &[u8]) -> Option<Step> {
    let body = &bytes[PASTE_BEGINS.len()..];
    let end = body
        .windows(PASTE_ENDS.len())
        .position(|window| window == PASTE_ENDS)?;
    let text = String::from_utf8_lossy(&body[..end]).into_owned();
    let length = PASTE_BEGINS.len() + end + PASTE_ENDS.len();
    Some(Step::input(length, Event::Paste(text)))
}

/// What came of a paste before a begun mark of its end.
fn without_begun_end(body: &[u8]) -> &[u8] {
    let mut begun = (1..PASTE_ENDS.len()).rev();
    let found = begun.find_map(|length| body.strip_suffix(&PASTE_ENDS[..length]));
    found.unwrap_or(body)
}

/// `ESC ] ... BEL` or `ESC ] ... ESC \`, and its relatives: an answer, or nothing we know. Ctrl-C, Ctrl-X
/// and Ctrl-Z end one as well, and stand for themselves.
fn control_string(bytes: &[u8]) -> Option<Step> {
    let body = &bytes[2..];
    let end = body
        .iter()
        .position(|b| [0x03, 0x07, 0x18, 0x1a, 0x1b].contains(b))?;
    let closing = match (body[end], body.get(end + 1)) {
        (0x07, _) => 1,
        (0x1b, None) => return None,
        (0x1b, Some(b'\\')) => 2,
        // Cut short by something else.
        _ => 0,
    };
    let text = std::str::from_utf8(&body[..end]).ok();
    let colour = text
        .filter(|_| bytes[1] == b']')
        .and_then(|text| text.strip_prefix("11;"))
        .and_then(colour);
    Some(Step {
        length: 2 + end + closing,
        decoded: colour.map(Decoded::Background),
    })
}

/// `rgb:RRRR/GGGG/BBBB` with one to four hexadecimal digits each.
fn colour(text: &str) -> Option<[u16; 3]> {
    let digits = text
        .strip_prefix("rgb:")
        .or_else(|| text.strip_prefix("rgba:"))?;
    let mut parts = digits.split('/').map(|part| {
        let value = u32::from_str_radix(part, 16).ok()?;
        let most = match part.len() {
            length @ 1..=4 => (1_u32 << (4 * length)) - 1,
            _ => return None,
        };
        Some((value * 0xffff / most) as u16)
    });
    Some([parts.next()??, parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::control::key;
    use super::*;
    use crossterm::event::{KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Decoded> {
        let mut decoder = Decoder::default();
        let mut all = Vec::new();
        decoder.feed(bytes, |one| all.push(one));
        decoder.silence(|one| all.push(one));
        all
    }

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Vec<Decoded> {
        vec![key(code, modifiers)]
    }

    #[test]
    fn letters_and_control_characters_are_keys() {
        assert_eq!(
            decode(b"q"),
            pressed(KeyCode::Char('q'), KeyModifiers::NONE)
        );
        assert_eq!(
            decode(b"M"),
            pressed(KeyCode::Char('M'), KeyModifiers::SHIFT)
        );
        assert_eq!(
            decode("ß".as_bytes()),
            pressed(KeyCode::Char('ß'), KeyModifiers::NONE)
        );
        assert_eq!(decode(b"\r"), pressed(KeyCode::Enter, KeyModifiers::NONE));
        assert_eq!(
            decode(b"\x03"),
            pressed(KeyCode::Char('c'), KeyModifiers::CONTROL)
        );
        assert_eq!(
            decode(b"\x1a"),
            pressed(KeyCode::Char('z'), KeyModifiers::CONTROL)
        );
        assert_eq!(
            decode(b"\x7f"),
            pressed(KeyCode::Backspace, KeyModifiers::NONE)
        );
    }

    #[test]
    fn cursor_and_function_keys_come_with_their_modifiers() {
        for (bytes, code, modifiers) in [
            (&b"\x1b[A"[..], KeyCode::Up, KeyModifiers::NONE),
            (b"\x1bOD", KeyCode::Left, KeyModifiers::NONE),
            (b"\x1b[1;5C", KeyCode::Right, KeyModifiers::CONTROL),
            (b"\x1b[5~", KeyCode::PageUp, KeyModifiers::NONE),
            (b"\x1b[6;2~", KeyCode::PageDown, KeyModifiers::SHIFT),
            (b"\x1b[4~", KeyCode::End, KeyModifiers::NONE),
            (b"\x1bOP", KeyCode::F(1), KeyModifiers::NONE),
            (b"\x1bOG", KeyCode::KeypadBegin, KeyModifiers::NONE),
            (b"\x1b[15~", KeyCode::F(5), KeyModifiers::NONE),
            (b"\x1b[24~", KeyCode::F(12), KeyModifiers::NONE),
            (b"\x1b[[A", KeyCode::F(1), KeyModifiers::NONE),
            (b"\x1b[Z", KeyCode::BackTab, KeyModifiers::SHIFT),
            (b"\x1bx", KeyCode::Char('x'), KeyModifiers::ALT),
            (b"\x1b[99;5u", KeyCode::Char('c'), KeyModifiers::CONTROL),
        ] {
            assert_eq!(decode(bytes), pressed(code, modifiers), "{bytes:?}");
        }
    }

    #[test]
    fn a_lone_escape_is_the_key_after_silence_only() {
        let mut decoder = Decoder::default();
        let mut all = Vec::new();
        decoder.feed(b"\x1b", |one| all.push(one));
        assert!(all.is_empty() && decoder.waits() == Some(Waits::Key));
        decoder.silence(|one| all.push(one));
        assert_eq!(all, pressed(KeyCode::Esc, KeyModifiers::NONE));
        assert_eq!(decoder.waits(), None);
    }

    #[test]
    fn what_never_ends_swallows_no_key_after_a_silence() {
        for begin in [
            &b"\x1b]11;rgb:1e1e/"[..],
            b"\x1bP1$r",
            b"\x1b_Gi",
            b"\x1b[1;",
            b"\xc3",
        ] {
            let mut decoder = Decoder::default();
            let mut all = Vec::new();
            decoder.feed(begin, |one| all.push(one));
            assert_eq!(decoder.waits(), Some(Waits::End));
            decoder.silence(|one| all.push(one));
            assert_eq!((all.as_slice(), decoder.waits()), (&[][..], None));
            decoder.feed(b"q", |one| all.push(one));
            assert_eq!(all, pressed(KeyCode::Char('q'), KeyModifiers::NONE));
        }
        assert_eq!(
            decode(b"\x1b[200~hello\x03"),
            pressed(KeyCode::Char('c'), KeyModifiers::CONTROL)
        );
    }

    #[test]
    fn a_control_string_ends_at_a_key_that_ends_things() {
        for (byte, key) in [(0x03, 'c'), (0x18, 'x'), (0x1a, 'z')] {
            assert_eq!(
                decode(&[b"\x1b]11;rgb:1e1e/", &[byte][..]].concat()),
                pressed(KeyCode::Char(key), KeyModifiers::CONTROL)
            );
        }
    }

    #[test]
    fn a_key_that_is_let_go_is_told_as_that() {
        let Decoded::Input(Event::Key(event)) = &decode(b"\x1b[113;1:3u")[0] else {
            panic!("no key");
        };
        assert_eq!(event.kind, KeyEventKind::Release);
        let pressed = pressed(KeyCode::Up, KeyModifiers::SHIFT);
        assert_eq!(decode(b"\x1b[1;2:1A"), pressed);
    }

    #[test]
    fn a_letter_right_after_the_escape_key_is_that_letter() {
        let mut decoder = Decoder::default();
        let mut all = Vec::new();
        decoder.feed(b"\x1b", |one| all.push(one));
        decoder.feed(b"q", |one| all.push(one));
        let none = KeyModifiers::NONE;
        assert_eq!(
            all,
            [key(KeyCode::Esc, none), key(KeyCode::Char('q'), none)]
        );
        assert_eq!(
            decode(b"\x1bq"),
            pressed(KeyCode::Char('q'), KeyModifiers::ALT)
        );
    }

    #[test]
    fn the_mouse_counts_from_zero() {
        let at = |kind, column, row| {
            vec![Decoded::Input(Event::Mouse(MouseEvent {
                kind,
                column,
                row,
                modifiers: KeyModifiers::NONE,
            }))]
        };
        let left = MouseButton::Left;
        assert_eq!(
            decode(b"\x1b[<0;5;3M"),
            at(MouseEventKind::Down(left), 4, 2)
        );
        assert_eq!(decode(b"\x1b[<0;1;1m"), at(MouseEventKind::Up(left), 0, 0));
        assert_eq!(
            decode(b"\x1b[<32;300;2M"),
            at(MouseEventKind::Drag(left), 299, 1)
        );
        assert_eq!(decode(b"\x1b[<64;2;2M"), at(MouseEventKind::ScrollUp, 1, 1));
    }

    #[test]
    fn a_paste_is_one_event_whatever_stands_in_it() {
        assert_eq!(
            decode(b"\x1b[200~q\x1b[Ax\r\x1b[201~"),
            [Decoded::Input(Event::Paste("q\x1b[Ax\r".to_owned()))]
        );
    }

    #[test]
    fn a_paste_may_stall() {
        let mut decoder = Decoder::default();
        let mut all = Vec::new();
        for piece in [&b"\x1b[200~q"[..], b"q\x1b", b"[20"] {
            decoder.feed(piece, |one| all.push(one));
            assert_eq!(
                (all.as_slice(), decoder.waits()),
                (&[][..], Some(Waits::Paste))
            );
        }
        decoder.feed(b"1~x", |one| all.push(one));
        let pasted = Decoded::Input(Event::Paste("qq".to_owned()));
        let typed = key(KeyCode::Char('x'), KeyModifiers::NONE);
        assert_eq!(all, [pasted, typed]);
    }

    #[test]
    fn a_paste_that_never_ends_is_what_has_come_of_it() {
        for (came, text) in [
            ("hello", Some("hello")),
            ("hello\x1b[20", Some("hello")),
            ("", None),
        ] {
            let mut decoder = Decoder::default();
            let mut all = Vec::new();
            decoder.feed(format!("\x1b[200~{came}").as_bytes(), |one| all.push(one));
            assert_eq!(decoder.waits(), Some(Waits::Paste));
            decoder.silence(|one| all.push(one));
            decoder.feed(b"q", |one| all.push(one));
            let pasted = text.map(|text| Decoded::Input(Event::Paste(text.to_owned())));
            let typed = key(KeyCode::Char('q'), KeyModifiers::NONE);
            assert!(all.iter().eq(pasted.iter().chain([&typed])), "{all:?}");
        }
        // Ctrl-C need not wait so long.
        let mut decoder = Decoder::default();
        decoder.feed(b"\x1b[200~hello\x03", |_| ());
        assert_eq!(decoder.waits(), Some(Waits::End));
    }

    #[test]
    fn nothing_of_what_is_too_long_is_typed() {
        let more = "q".repeat(LONGEST / 4);
        for (begins, ends) in [
            ("\x1b[200~", "\x1b[201~"),
            ("\x1b]52;", "\x07"),
            ("\x1bP", "\x1b\\"),
        ] {
            let mut decoder = Decoder::default();
            let mut all = Vec::new();
            decoder.feed(begins.as_bytes(), |one| all.push(one));
            for _ in 0..10 {
                decoder.feed(more.as_bytes(), |one| all.push(one));
                assert!(decoder.pending.len() <= LONGEST);
            }
            for byte in ends.bytes().chain(*b"x") {
                decoder.feed(&[byte], |one| all.push(one));
            }
            assert_eq!(all, [key(KeyCode::Char('x'), KeyModifiers::NONE)]);
        }
    }

    #[test]
    fn answers_are_never_typed_text() {
        assert_eq!(
            decode(b"\x1b]11;rgb:ffff/8080/0000\x1b\\\x1b[?62;22c"),
            [
                Decoded::Background([0xffff, 0x8080, 0]),
                Decoded::Attributes
            ]
        );
        assert_eq!(
            decode(b"\x1b]11;rgb:f/80/000\x07"),
            [Decoded::Background([0xffff, 0x8080, 0])]
        );
        for unknown in [
            &b"\x1b]4;1;rgb:ff/ff/ff\x07"[..],
            b"\x1bP1$r0m\x1b\\",
            b"\x1b_Gi=1;OK\x1b\\",
            b"\x1b[12;40R",
            b"\x1b[?2026;2$y",
            b"\x1b[M !!",
        ] {
            assert_eq!(decode(unknown), [], "{unknown:?}");
        }
    }

    /// Alt with a letter and then another key, and what a keypad sends.
    #[test]
    fn no_key_keeps_the_next_one_waiting() {
        for second in (b' '..=b'~').filter(|second| !b"[]PX^_".contains(second)) {
            for third in b' '..=b'~' {
                let mut heard = Vec::new();
                Decoder::default().feed(&[0x1b, second, third, b'q'], |one| heard.push(one));
                let last = heard.last().cloned();
                let typed = key(KeyCode::Char('q'), KeyModifiers::NONE);
                assert_eq!(last, Some(typed), "{second} {third}");
            }
        }
    }

    /// Any byte, and often one that means something in a sequence.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![
            any::<u8>(),
            proptest::sample::select(b"\x1b\x1b\x1b\x1b[[OO]P_MGHIRmu~<?;:120\x07\\".to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn how_the_bytes_were_split_changes_nothing(cuts in proptest::collection::vec(0_usize..60, 0..8)) {
            let bytes = b"a\x1b[1;5C\xc3\x9f\x1b]11;rgb:ff/00/ff\x1b\\\x1b[?6c\x1b[<0;5;3M\x1b[200~hi\x1b[201~\x1bOPz";
            let whole = decode(bytes);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut decoder = Decoder::default();
            let mut all = Vec::new();
            for pair in cuts.windows(2) {
                decoder.feed(&bytes[pair[0]..pair[1]], |one| all.push(one));
            }
            prop_assert_eq!(all, whole);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(byte(), 0..200)) {
            let mut decoder = Decoder::default();
            for byte in bytes {
                decoder.feed(&[byte], |_| ());
            }
            decoder.silence(|_| ());
            // Ends what may be open: a paste, a control string, the three bytes of an old mouse.
            decoder.feed(b"\x1b[201~\x07\x1b\\   ", |_| ());
            decoder.silence(|_| ());
            let mut heard = Vec::new();
            decoder.feed(b"q", |one| heard.push(one));
            prop_assert_eq!(heard, pressed(KeyCode::Char('q'), KeyModifiers::NONE));
        }
    }
}
