//! Putting glyphs and words into cells: clipped to the screen, and safe with names from outside.
//!
//! Names come from other programs. What a terminal would obey instead of show never reaches it, and a
//! name is cut between graphemes, never inside one.

use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use std::iter;
use std::num::NonZeroU16;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
use crate::control::{WHOLE, harmless, is_control};
use crate::palette::Ink;

/// A cell of one column. Unless it is told, ratatui finds out for every cell of every frame how wide it
/// is, and is slow at that where it is not ASCII.
const EMPTY: Cell = {
    let mut cell = Cell::EMPTY;
    cell.diff_option = CellDiffOption::ForcedWidth(NonZeroU16::MIN);
    cell
};

/// Draws into a buffer in the colours of a theme. What lies outside the buffer is left out.
pub struct Pen<'a> {
    pub buffer: &'a mut Buffer,
    pub theme: Theme,
}

impl<'a> Pen<'a> {
    pub fn new(buffer: &'a mut Buffer, theme: Theme) -> Self {
        Self { buffer, theme }
    }

    /// One glyph, a column wide; what was in the cell is gone.
    pub fn cell(&mut self, x: u16, y: u16, glyph: &str, ink: Ink, ground: Ink) {
        self.stamp(x, y, glyph, self.theme.style(ink, ground));
    }

    /// As [`Pen::cell`], in a style of the theme.
    #[inline]
    fn stamp(&mut self, x: u16, y: u16, glyph: &str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            if glyph == " " {
                *cell = EMPTY;
            } else {
                cell.set_symbol(glyph);
                cell.diff_option = EMPTY.diff_option;
            }
            cell.fg = style.fg.unwrap_or(Color::Reset);
            cell.bg = style.bg.unwrap_or(Color::Reset);
            cell.modifier = style.add_modifier;
        }
    }

    /// A glyph of this many columns. It and the cells that it covers are not as others are, so that all of
    /// them are sent when others take their place.
    fn wide(&mut self, x: u16, y: u16, glyph: &str, columns: u16, style: Style) {
        for (column, glyph) in (x..x + columns).zip([glyph].into_iter().chain(iter::repeat(" "))) {
            self.stamp(column, y, glyph, style);
            if let Some(cell) = self.buffer.cell_mut((column, y)) {
                cell.set_diff_option(CellDiffOption::None);
            }
        }
    }

    /// Fills each row of the area with its first cell.
    pub fn repeat(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        if area.width < 2 {
            return;
        }
        for y in area.top()..area.bottom() {
            let first = self.buffer.index_of(area.x, y);
            let row = &mut self.buffer.content[first..first + usize::from(area.width)];
            if let [cell, same @ ..] = row {
                same.fill(cell.clone());
            }
        }
    }

    /// Words on the background; answers the column after them.
    pub fn text(&mut self, x: u16, y: u16, words: &str, ink: Ink) -> u16 {
        self.text_on(x, y, words, ink, self.theme.background)
    }

    /// Bold words on the background; answers the column after them.
    pub fn bold(&mut self, x: u16, y: u16, words: &str, ink: Ink) -> u16 {
        self.bold_on(x, y, words, ink, self.theme.background)
    }

    pub fn text_on(&mut self, x: u16, y: u16, words: &str, ink: Ink, ground: Ink) -> u16 {
        let bold = self.theme.bold;
        self.put(x, y, words, ink, ground, bold)
    }

    pub fn bold_on(&mut self, x: u16, y: u16, words: &str, ink: Ink, ground: Ink) -> u16 {
        self.put(x, y, words, ink, ground, true)
    }

    /// Words on the background that end before column `end`.
    pub fn text_until(&mut self, end: u16, y: u16, words: &str, ink: Ink) {
        self.text(end.saturating_sub(width(words)), y, words, ink);
    }

    /// Words on the background in at most `room` columns.
    pub fn text_within(&mut self, x: u16, y: u16, room: u16, words: &str, ink: Ink) -> u16 {
        let words = clipped(words, room, self.theme.glyphs.grows);
        self.text(x, y, &words, ink)
    }

    /// Gives the background to a buffer in which nothing was drawn yet.
    pub fn prepare(&mut self) {
        let style = self.theme.ground();
        for cell in &mut self.buffer.content {
            cell.diff_option = EMPTY.diff_option;
            cell.set_style(style);
        }
    }

    /// Empties an area and gives it this ground.
    pub fn fill(&mut self, area: Rect, ground: Ink) {
        let style = self.theme.style(self.theme.text, ground);
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return;
        }
        let mut empty = EMPTY;
        empty.set_style(style);
        for y in area.top()..area.bottom() {
            let first = self.buffer.index_of(area.x, y);
            self.buffer.content[first..first + usize::from(area.width)].fill(empty.clone());
        }
    }

    /// Adds to the style of one cell.
    pub fn add(&mut self, x: u16, y: u16, modifier: Modifier) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.modifier |= modifier;
        }
    }

    /// Whether nothing is drawn in this cell.
    pub fn is_empty(&self, x: u16, y: u16) -> bool {
        let ground = self.theme.ground();
        self.buffer.cell((x, y)).is_some_and(|cell| {
            cell.symbol() == " "
                && Some(cell.bg) == ground.bg.or(Some(Color::Reset))
                && !cell.modifier.contains(Modifier::REVERSED)
        })
    }

    /// Whether this cell shows this glyph.
    pub fn shows(&self, x: u16, y: u16, glyph: &str) -> bool {
        self.buffer
            .cell((x, y))
            .is_some_and(|cell| cell.symbol() == glyph)
    }

    fn put(&mut self, x: u16, y: u16, words: &str, ink: Ink, ground: Ink, bold: bool) -> u16 {
        let mut x = x;
        let mut style = self.theme.style(ink, ground);
        if bold {
            style = style.add_modifier(Modifier::BOLD);
        }
        // Most words are ASCII: every character is one column, and looking for graphemes is dear.
        let (plain, rest) = if words.is_ascii() {
            (words, "")
        } else {
            ("", words)
        };
        for place in 0..plain.len() {
            if x < self.buffer.area.right() && !plain.as_bytes()[place].is_ascii_control() {
                self.stamp(x, y, &plain[place..=place], style);
                x += 1;
            }
        }
        for grapheme in rest.graphemes(true) {
            let columns = grapheme.width() as u16;
            let fits = x.saturating_add(columns) <= self.buffer.area.right();
            if columns == 0 || !fits || grapheme.chars().any(is_control) {
                continue;
            }
            // What a terminal may not have is a `?`.
            let glyph = if self.theme.is_ascii() && !grapheme.is_ascii() {
                "?"
            } else {
                grapheme
            };
            match columns {
                1 => self.stamp(x, y, glyph, style),
                _ => self.wide(x, y, glyph, columns, style),
            }
            x += columns;
        }
        x
    }
}

/// Columns that words take.
pub fn width(words: &str) -> u16 {
    let plain = words.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let columns = if plain { words.len() } else { words.width() };
    u16::try_from(columns).unwrap_or(u16::MAX)
}

/// A name from outside without what a terminal would obey; its place on the screen clips it.
pub fn sanitised(name: &str) -> String {
    harmless(name, WHOLE)
}

/// At most `room` columns of `words`, cut between graphemes; `more` stands at the end of what was cut.
pub fn clipped(words: &str, room: u16, more: &str) -> String {
    if width(words) <= room {
        return words.to_owned();
    }
    let room = usize::from(room);
    let more = if more.width() <= room { more } else { "" };
    let keep = room - more.width();
    let mut columns = 0;
    let mut kept: String = words
        .graphemes(true)
        .take_while(|grapheme| {
            columns += grapheme.width();
            columns <= keep
        })
        .collect();
    kept.push_str(more);
    kept
}

/// Words in lines of at most `room` columns, broken at spaces; a longer word has a line of its own.
pub fn wrapped(words: &str, room: u16) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::Look;

    fn drawn(draw: impl FnOnce(&mut Pen<'_>)) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        draw(&mut Pen::new(&mut buffer, Theme::of(Look::default())));
        buffer
    }

    fn line(buffer: &Buffer) -> String {
        (0..10).map(|x| buffer[(x, 0)].symbol()).collect()
    }

    #[test]
    fn words_end_where_the_screen_ends() {
        let buffer = drawn(|pen| {
            pen.text(7, 0, "parviz", pen.theme.text);
            pen.text(900, 900, "far away", pen.theme.text);
        });
        assert_eq!(line(&buffer), "       par");
    }

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(sanitised("a\u{1b}[31mb\u{202e}c\r\n"), "a[31mbc");
        let buffer = drawn(|pen| {
            pen.text(0, 0, "a\u{1b}[2Jb", pen.theme.text);
        });
        assert_eq!(line(&buffer), "a[2Jb     ");
    }

    #[test]
    fn what_a_wide_glyph_covered_is_sent_when_it_has_gone() {
        let [wide, narrow] = ["\u{65e5}\u{672c}", "a"].map(|words| {
            drawn(|pen| {
                pen.prepare();
                pen.text(0, 0, words, pen.theme.text);
            })
        });
        let sent = |before: &Buffer, after: &Buffer| -> Vec<u16> {
            let cells = before.diff(after).into_iter();
            cells.map(|(x, _, _)| x).collect()
        };
        assert_eq!(sent(&wide, &narrow), [0, 1, 2, 3]);
        assert_eq!(sent(&narrow, &wide), [0, 2]);
        assert!(sent(&wide, &wide).is_empty());
    }

    #[test]
    fn in_ascii_nothing_else_reaches_the_terminal() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        let look = Look {
            charset: crate::palette::Charset::Ascii,
            ..Look::default()
        };
        let mut pen = Pen::new(&mut buffer, Theme::of(look));
        pen.text(0, 0, "na\u{ef}ve", pen.theme.text);
        assert_eq!(line(&buffer), "na?ve     ");
    }

    #[test]
    fn a_name_is_cut_between_graphemes() {
        assert_eq!(clipped("résumé", 6, "…"), "résumé");
        assert_eq!(clipped("re\u{301}sume\u{301}s", 4, "…"), "re\u{301}s…");
        assert_eq!(clipped("日本語", 4, "…"), "日…");
        assert_eq!(clipped("long", 2, "..."), "lo");
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrapped("", 4), Vec::<String>::new());
    }

    #[test]
    fn words_right_aligned_end_before_the_column() {
        let buffer = drawn(|pen| pen.text_until(10, 0, "4.2 s", pen.theme.text));
        assert_eq!(line(&buffer), "     4.2 s");
    }
}
