//! The last line of a stream that is read byte by byte.

/// More of a line is not kept.
const LONGEST: usize = 1 << 16;

/// The last line that said anything; its begin if it is long.
#[derive(Debug, Default)]
pub(super) struct LastLine {
    line: Vec<u8>,
    /// What comes next is of another line.
    ended: bool,
}

impl LastLine {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                self.ended = true;
                continue;
            }
            if self.ended {
                if byte.is_ascii_whitespace() {
                    continue;
                }
                self.ended = false;
                self.line.clear();
            }
            if self.line.len() < LONGEST {
                self.line.push(byte);
            }
        }
    }

    /// Without what is blank around it; `None` if nothing is left then.
    pub(super) fn text(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.line);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_stays_until_another_one_says_something() {
        let mut line = LastLine::default();
        assert_eq!(line.text(), None);
        for (bytes, text) in [
            (&b"one"[..], "one"),
            (b" and more\n\n", "one and more"),
            (b"  \r\n", "one and more"),
            (b"two\nthree \n", "three"),
        ] {
            line.add(bytes);
            assert_eq!(line.text().as_deref(), Some(text));
        }
    }

    #[test]
    fn a_line_of_any_length_takes_no_more_than_its_share_and_gives_way_to_the_next() {
        let mut line = LastLine::default();
        line.add(&vec![b'x'; 2 * LONGEST]);
        line.add(&vec![b'\n'; LONGEST]);
        assert_eq!(line.line.len(), LONGEST);
        line.add(b"next");
        assert_eq!(line.text().as_deref(), Some("next"));
    }
}
