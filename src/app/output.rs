//! What a watched program printed, as far as the panel shows it.
//!
//! The program may print more than memory holds: only the lines around those that are seen are here.
//! The runtime has the rest and is asked for it by an effect.

use crate::app::line;
use crate::control::is_control;
use crate::origin::python::Stream;
use crossterm::event::KeyEvent;
use tui_input::Input;

/// Lines that stay when one turns a page.
const KEPT: u64 = 2;
/// Rows of the frame of the panel, and of the hint bar below it.
const FRAME: u16 = 3;

/// A line without what a terminal would obey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 0.
    pub number: u64,
    pub stream: Stream,
    pub text: String,
}

/// What is to be read, or sought, in all that was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// So many lines before this one.
    Page { end: u64, count: u64 },
    /// The nearest line before or after this one that has this text, round and round.
    Text { text: String, from: u64, back: bool },
}

/// The panel, while it is open.
#[derive(Clone, Debug, Default)]
pub struct OutputPanel {
    /// What is known of the lines before `end`, the last as many as fit on any screen.
    pub page: Vec<Line>,
    /// The first line that is not seen.
    pub end: u64,
    /// Stays with the end of what is printed.
    pub follows: bool,
    /// Has the whole screen.
    pub is_tall: bool,
    /// What is sought, while it is typed.
    pub typed: Option<Input>,
    /// What was sought last, in lower case; empty: nothing.
    pub sought: String,
    pub found: Found,
    /// Where a search started: leaving it goes back there.
    before: u64,
}

/// What became of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Found {
    #[default]
    Nothing,
    /// It is not over yet.
    Searching,
    Line(u64),
}

impl OutputPanel {
    pub(super) fn new(lines: u64) -> Self {
        Self {
            end: lines,
            follows: true,
            ..Self::default()
        }
    }

    /// Rows of text on a screen of this height.
    pub fn rows(&self, height: u16) -> u16 {
        self.height(height).saturating_sub(FRAME - 1)
    }

    /// Rows of the panel on a screen of this height, its frame included.
    pub fn height(&self, height: u16) -> u16 {
        let most = height.saturating_sub(FRAME - 1);
        if self.is_tall {
            most
        } else {
            most.min((height / 2).max(8))
        }
    }

    /// The lines that are to be seen.
    pub(super) fn lookup(&self, height: u16) -> Lookup {
        Lookup::Page {
            end: self.end,
            count: u64::from(height),
        }
    }

    /// More was printed; true if that changes what is seen.
    pub(super) fn grew(&mut self, lines: u64) -> bool {
        // The last line may have grown.
        let sees = self.follows || self.page.len() < 2 || self.end + 1 >= lines;
        if self.follows {
            self.end = lines;
        }
        sees
    }

    /// Goes up or down, of so many lines, on a panel with so many rows.
    pub(super) fn scroll(&mut self, by: i64, lines: u64, rows: u16) {
        let least = u64::from(rows).min(lines);
        self.end = self.end.saturating_add_signed(by).clamp(least, lines);
        self.follows = self.end == lines;
    }

    pub(super) fn page(&mut self, down: bool, lines: u64, rows: u16) {
        let by = u64::from(rows).saturating_sub(KEPT).max(1).cast_signed();
        self.scroll(if down { by } else { -by }, lines, rows);
    }

    /// Opens the line in which one types what is sought.
    pub(super) fn seek(&mut self) {
        self.before = self.end;
        self.typed = Some(Input::new(self.sought.clone()));
    }

    pub(super) fn type_key(&mut self, event: &KeyEvent) -> Option<Lookup> {
        line::edit(self.typed.as_mut()?, event)
            .then(|| self.typed())
            .flatten()
    }

    pub(super) fn paste(&mut self, text: &str) -> Option<Lookup> {
        line::paste(self.typed.as_mut()?, text);
        self.typed()
    }

    fn typed(&mut self) -> Option<Lookup> {
        self.sought = self.typed.as_ref()?.value().to_lowercase();
        self.found = Found::Nothing;
        self.search(self.before, true)
    }

    /// The match before or after the one that is found.
    pub(super) fn turn(&mut self, back: bool) -> Option<Lookup> {
        let from = match self.found {
            Found::Line(line) if back => line,
            Found::Line(line) => line + 1,
            Found::Nothing | Found::Searching => self.end,
        };
        self.search(from, back)
    }

    fn search(&mut self, from: u64, back: bool) -> Option<Lookup> {
        if self.sought.is_empty() {
            self.found = Found::Nothing;
            return None;
        }
        self.found = Found::Searching;
        Some(Lookup::Text {
            text: self.sought.clone(),
            from,
            back,
        })
    }

    /// A search has ended.
    pub(super) fn found(&mut self, line: Option<u64>, lines: u64, rows: u16) {
        let Some(line) = line else {
            self.found = Found::Nothing;
            return;
        };
        self.found = Found::Line(line);
        let seen = self.end.saturating_sub(u64::from(rows))..self.end;
        if !seen.contains(&line) {
            let below = u64::from(rows) / 3;
            self.end = line + 1 + below;
            self.scroll(0, lines, rows);
        }
        self.follows = self.follows && self.end == lines;
    }

    /// Closes the line of the search; false if it was not open. Leaving goes back, keeping stays.
    pub(super) fn end_search(&mut self, stays: bool) -> bool {
        if self.typed.take().is_none() {
            return false;
        }
        if !stays {
            self.end = self.before;
            self.sought.clear();
            self.found = Found::Nothing;
        }
        true
    }
}

/// What a line would show on a terminal, in plain text: without escape sequences and control characters,
/// with tabs as spaces, and only what stands behind the last return to its begin.
pub fn plain(bytes: &[u8]) -> String {
    const TAB: usize = 8;
    let line = String::from_utf8_lossy(bytes);
    let line = line.trim_end_matches(['\n', '\r']);
    let line = line.rsplit('\r').next().unwrap_or_default();
    let mut text = String::new();
    let mut rest = line.chars();
    let mut columns = 0;
    while let Some(letter) = rest.next() {
        match letter {
            '\t' => {
                let spaces = TAB - columns % TAB;
                text.extend(std::iter::repeat_n(' ', spaces));
                columns += spaces;
            }
            '\u{1b}' => skip_sequence(&mut rest),
            // The one-character form of ESC [.
            '\u{9b}' => skip_control(&mut rest),
            '\u{8}' => {
                text.pop();
                columns = columns.saturating_sub(1);
            }
            letter if is_control(letter) => {}
            letter => {
                text.push(letter);
                columns += 1;
            }
        }
    }
    text
}

/// What follows ESC.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => skip_control(rest),
        // A title, a link: up to BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let mut escaped = false;
            for letter in rest.by_ref() {
                if letter == '\u{7}' || escaped && letter == '\\' {
                    return;
                }
                escaped = letter == '\u{1b}';
            }
        }
        Some('(' | ')' | '#' | '%') => {
            rest.next();
        }
        _ => {}
    }
}

/// Parameters up to the letter that ends them.
fn skip_control(rest: &mut std::str::Chars<'_>) {
    for letter in rest.by_ref() {
        if ('\u{40}'..='\u{7e}').contains(&letter) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_command_the_terminal() {
        for (printed, seen) in [
            ("plain\n", "plain"),
            ("\u{1b}[31mred\u{1b}[0m\r\n", "red"),
            ("\u{1b}]0;title\u{7}a\u{1b}]8;;x\u{1b}\\b", "ab"),
            ("a\tb", "a       b"),
            ("10 %\r20 %\r100 %", "100 %"),
            ("\u{1b}[?1049h\u{1b}c\u{9b}2Jx\u{202e}y\u{0}", "xy"),
            ("ab\u{8}c", "ac"),
            ("\u{1b}[", ""),
            ("\u{1b}]never ends", ""),
        ] {
            assert_eq!(plain(printed.as_bytes()), seen, "{printed:?}");
        }
        assert_eq!(plain(b"\xff\xfea"), "\u{fffd}\u{fffd}a");
    }

    #[test]
    fn scrolling_up_stops_following_and_the_end_follows_again() {
        let mut panel = OutputPanel::new(100);
        panel.scroll(-10, 100, 20);
        assert_eq!((panel.end, panel.follows), (90, false));
        panel.grew(120);
        assert_eq!((panel.end, panel.follows), (90, false));
        panel.scroll(-1_000, 120, 20);
        assert_eq!(panel.end, 20);
        panel.scroll(1_000, 120, 20);
        assert_eq!((panel.end, panel.follows), (120, true));
        assert!(panel.grew(130));
        assert_eq!(panel.end, 130);
    }

    #[test]
    fn what_is_found_comes_into_sight() {
        let mut panel = OutputPanel::new(1_000);
        panel.seek();
        panel.paste("Error");
        assert_eq!(panel.sought, "error");
        assert_eq!(panel.found, Found::Searching);
        panel.found(Some(17), 1_000, 30);
        assert_eq!((panel.end, panel.follows), (30, false));
        panel.found(Some(500), 1_000, 30);
        assert!((panel.end - 30..panel.end).contains(&500));
        panel.end_search(false);
        assert_eq!(panel.end, 1_000);
    }
}
