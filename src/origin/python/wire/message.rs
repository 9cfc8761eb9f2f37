//! Messages: what a process says over its connection.

use super::{MESSAGE_BYTES, StringId, u32_at};
use std::str;

/// What a process says over its connection: `length u32` (of what follows), `kind u8`, the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The first one: `pid u32, ppid u32`, then version, executable and argv with NULs between.
    Hello(Hello),
    /// `id u32`, then the text.
    String { id: StringId, text: String },
    /// `number u32, native id u32`, then the name.
    Thread {
        number: u32,
        native: u32,
        name: String,
    },
    /// Something cannot be watched from a moment on: `clock u64`, then what, NUL, why. The rest is watched as
    /// usual.
    NoProbe {
        at: u64,
        part: String,
        reason: String,
    },
    /// The ring was made: the name of its file in the directory of the rings.
    Ring { file: String },
    /// Instead of a hello, by a process that closed the descriptor of its last connection, and goes on: `pid u32`.
    Again { pid: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub pid: u32,
    /// The parent as the process saw it; the wire cannot prove either.
    pub parent: u32,
    /// `3.11.7`
    pub version: String,
    pub executable: String,
    /// As far as it was known by then, and cut when it is long.
    pub argv: Vec<String>,
}

/// What is wrong with a connection that is not closed by its process; it gets no second chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a message of {0} bytes")]
    Length(u32),
    #[error("a message of the unknown kind {0}")]
    Kind(u8),
    #[error("a message of kind {0} that does not say what it should")]
    Payload(u8),
}

impl Message {
    /// The first message of `bytes` and its length there; `Ok(None)` while it is not there whole.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let Some(length) = u32_at(bytes, 0) else {
            return Ok(None);
        };
        let end = 4 + length as usize;
        if length == 0 || end > MESSAGE_BYTES {
            return Err(Malformed::Length(length));
        }
        let Some(&[kind, ref payload @ ..]) = bytes.get(4..end) else {
            return Ok(None);
        };
        let message = match kind {
            1 => Self::hello(payload),
            2 => Self::string(payload),
            3 => Self::thread(payload),
            4 => Self::no_probe(payload),
            5 => Self::ring(payload),
            6 => u32_at(payload, 0).map(|pid| Self::Again { pid }),
            _ => return Err(Malformed::Kind(kind)),
        };
        Ok(Some((message.ok_or(Malformed::Payload(kind))?, end)))
    }

    fn hello(payload: &[u8]) -> Option<Self> {
        let texts = text(payload.get(8..)?);
        let mut texts = texts.split('\0').map(str::to_owned);
        Some(Self::Hello(Hello {
            pid: u32_at(payload, 0)?,
            parent: u32_at(payload, 4)?,
            version: texts.next()?,
            executable: texts.next()?,
            argv: texts.collect(),
        }))
    }

    fn string(payload: &[u8]) -> Option<Self> {
        Some(Self::String {
            id: StringId(u32_at(payload, 0)?),
            text: text(payload.get(4..)?),
        })
    }

    fn thread(payload: &[u8]) -> Option<Self> {
        Some(Self::Thread {
            number: u32_at(payload, 0)?,
            native: u32_at(payload, 4)?,
            name: text(payload.get(8..)?),
        })
    }

    fn no_probe(payload: &[u8]) -> Option<Self> {
        let (clock, text_bytes) = payload.split_first_chunk()?;
        let text = text(text_bytes);
        let (part, reason) = text.split_once('\0')?;
        Some(Self::NoProbe {
            at: u64::from_ne_bytes(*clock),
            part: part.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// Only a plain name of a ring: digits, a minus, digits, `.ring`.
    fn ring(payload: &[u8]) -> Option<Self> {
        let file = str::from_utf8(payload).ok()?;
        let (pid, number) = file.strip_suffix(".ring")?.split_once('-')?;
        let plain = |part: &str| {
            (1..=20).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        (plain(pid) && plain(number)).then(|| Self::Ring {
            file: file.to_owned(),
        })
    }
}

/// Text as the program had it, control characters and all: whoever shows it makes it safe.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32 + 1).to_ne_bytes().to_vec();
        bytes.push(kind);
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn a_message_is_taken_when_it_is_there_whole() {
        let mut hello = 10_u32.to_ne_bytes().to_vec();
        hello.extend_from_slice(&9_u32.to_ne_bytes());
        hello.extend_from_slice(b"3.11.7\0/usr/bin/python3\0python3\0x.py");
        let bytes = message(1, &hello);
        for cut in 0..bytes.len() {
            assert_eq!(Message::parse(&bytes[..cut]), Ok(None), "{cut}");
        }
        let (message, length) = Message::parse(&bytes).unwrap().unwrap();
        assert_eq!(length, bytes.len());
        let Message::Hello(hello) = message else {
            panic!("{message:?}")
        };
        assert_eq!((hello.pid, hello.parent), (10, 9));
        assert_eq!(hello.argv, ["python3", "x.py"]);
    }

    #[test]
    fn a_message_that_is_too_long_or_of_no_kind_is_an_error() {
        assert_eq!(Message::parse(&[0; 9]), Err(Malformed::Length(0)));
        assert_eq!(Message::parse(&[0xFF; 4]), Err(Malformed::Length(u32::MAX)));
        assert_eq!(Message::parse(&message(77, b"")), Err(Malformed::Kind(77)));
        assert_eq!(
            Message::parse(&message(2, b"abc")),
            Err(Malformed::Payload(2))
        );
    }

    #[test]
    fn what_cannot_be_watched_is_said_with_its_moment() {
        let mut payload = 7_u64.to_ne_bytes().to_vec();
        payload.extend_from_slice(b"ring\0no room");
        let expected = Message::NoProbe {
            at: 7,
            part: "ring".to_owned(),
            reason: "no room".to_owned(),
        };
        let bytes = message(4, &payload);
        assert_eq!(Message::parse(&bytes), Ok(Some((expected, bytes.len()))));
        for cut in [7, 12] {
            let parsed = Message::parse(&message(4, &payload[..cut]));
            assert_eq!(parsed, Err(Malformed::Payload(4)), "{cut}");
        }
    }

    #[test]
    fn a_ring_is_a_plain_name() {
        let ring = |name: &str| Message::parse(&message(5, name.as_bytes()));
        assert!(ring("12-345.ring").is_ok());
        for name in [
            "../12-3.ring",
            "12-3",
            "-1.ring",
            "12-.ring",
            "1/2-3.ring",
            "a-1.ring",
        ] {
            assert_eq!(ring(name), Err(Malformed::Payload(5)), "{name}");
        }
    }
}
