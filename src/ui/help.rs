//! What lies on top after `?`: the ramp, every mark as the panels draw it, the keys, the words.
//!
//! One page of 78x24 holds marks and keys; the words follow where the screen has room, else on the
//! next pages.

use ratatui::layout::Rect;

use super::glossary;
use super::marks::{self, LEGEND, Mark};
use super::overlay;
use super::text::{self, Pen};
use crate::app::App;
use crate::app::keymap::{Entry, Keymap};

const SIZE: (u16, u16) = (78, 24);
/// From this width on there is a third column.
const WIDE: u16 = 114;
/// Columns of the ramp.
const RAMP: u16 = 24;
/// Columns of the keys before what they do.
const KEYS: u16 = 8;
/// Columns of a word before its meaning.
const WORD: u16 = 14;

/// A line of the help.
enum Row<'a> {
    Ramp,
    Marks(&'a [Mark]),
    Keys(&'a [Entry]),
    Words(&'a [(&'static str, &'static str)]),
    Blank,
}

impl overlay::Block for Row<'_> {
    fn height(&self) -> usize {
        1
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Blank)
    }
}

/// Draws this page over the screen; past the last one, the last.
pub fn render(app: &App, page: usize, screen: Rect, pen: &mut Pen<'_>) {
    let keys: Vec<Entry> = app.keymap.help_now(app).collect();
    render_page(&keys, &app.keymap, page, screen, pen);
}

/// Pages that it takes on this screen.
pub fn page_count(app: &App, screen: Rect) -> usize {
    let keys: Vec<Entry> = app.keymap.help_now(app).collect();
    let (area, _, rows) = laid_out(&keys, screen);
    pages(&rows, area).len()
}

/// Where it stands, in how many columns, and its lines.
fn laid_out(keys: &[Entry], screen: Rect) -> (Rect, u16, Vec<Row<'_>>) {
    let columns: u16 = match screen.width {
        WIDE.. => 3,
        _ if screen.width >= SIZE.0 => 2,
        _ => 1,
    };
    let width = if columns == 3 { WIDE } else { SIZE.0 };
    // The hint bar stays in sight.
    let above = Rect {
        height: screen.height.saturating_sub(1),
        ..screen
    };
    let rows = rows(keys, usize::from(columns), above.height.saturating_sub(2));
    let height = SIZE.1.max(rows.len() as u16 + 2);
    (overlay::place(above, width, height), columns, rows)
}

fn render_page(keys: &[Entry], keymap: &Keymap, page: usize, screen: Rect, pen: &mut Pen<'_>) {
    let (area, columns, rows) = laid_out(keys, screen);
    let pages = pages(&rows, area);
    let (page, note) = overlay::turned_to(&pages, page, keymap);
    let inside = overlay::render(pen, area, "marks and keys", &note);
    let column = inside.width / columns;
    for (y, row) in (inside.y..inside.bottom()).zip(page) {
        let at = |number: u16| inside.x + number * column;
        match row {
            Row::Blank => {}
            Row::Ramp => ramp(pen, inside, y),
            Row::Marks(marks) => {
                for (number, mark) in (0..).zip(*marks) {
                    (mark.draw)(pen, at(number), y);
                    words(pen, at(number) + marks::WIDTH + 1, y, mark.meaning);
                }
            }
            Row::Keys(entries) => {
                for (number, entry) in (0..).zip(*entries) {
                    let (now, panel) = (pen.theme.now, pen.theme.panel);
                    let end = pen.bold_on(at(number), y, &entry.keys, now, panel);
                    words(pen, (at(number) + KEYS).max(end + 1), y, entry.words);
                }
            }
            Row::Words(pairs) => {
                let each = inside.width / pairs.len() as u16;
                for (number, (word, meaning)) in (0..).zip(*pairs) {
                    let (x, now, panel) =
                        (inside.x + number * each, pen.theme.now, pen.theme.panel);
                    pen.bold_on(x, y, word, now, panel);
                    words(pen, x + WORD, y, meaning);
                }
            }
        }
    }
}

/// All lines, with room between the parts if the page can spare it: so that everything fits, or else
/// marks and keys.
fn rows(keys: &[Entry], columns: usize, height: u16) -> Vec<Row<'_>> {
    let marks = LEGEND.chunks(columns).map(Row::Marks);
    let entries = keys.chunks(columns).map(Row::Keys);
    // A word with its meaning takes half of a wide line.
    let glossary = glossary::WORDS.chunks(columns.div_ceil(2)).map(Row::Words);
    let first = 1 + marks.len() + entries.len();
    let all = first + 1 + glossary.len();
    let spare = [all, first]
        .iter()
        .find_map(|lines| usize::from(height).checked_sub(*lines));
    let spare = spare.unwrap_or(2);
    let mut rows = vec![Row::Ramp];
    rows.extend((spare > 1).then_some(Row::Blank));
    rows.extend(marks);
    rows.extend((spare > 0).then_some(Row::Blank));
    rows.extend(entries);
    rows.push(Row::Blank);
    rows.extend(glossary);
    rows
}

fn pages<'a, 'b>(rows: &'b [Row<'a>], area: Rect) -> Vec<&'b [Row<'a>]> {
    overlay::pages(rows, usize::from(overlay::inside(area).height))
}

fn ramp(pen: &mut Pen<'_>, inside: Rect, y: u16) {
    let (theme, x) = (pen.theme, inside.x);
    for step in 0..RAMP {
        let ink = theme.task(u32::from(step), u32::from(RAMP));
        if theme.is_ascii() {
            let tenth = (b'a' + (step * 10 / RAMP) as u8) as char;
            let ground = if theme.is_bare() { theme.panel } else { ink };
            let on = if theme.is_bare() {
                theme.text
            } else {
                theme.on(ink)
            };
            pen.cell(x + step, y, tenth.encode_utf8(&mut [0; 4]), on, ground);
        } else if theme.mixes() {
            pen.cell(x + step, y, " ", theme.on(ink), ink);
        } else {
            // With few colours or none, the height says what the colour would.
            let eighths = 3 + usize::from(step) * 5 / usize::from(RAMP - 1);
            pen.cell(x + step, y, theme.glyphs.bars[eighths], ink, theme.panel);
        }
    }
    let long = "submitted first ... last, in every panel";
    let says = if RAMP + 2 + text::width(long) <= inside.width {
        long
    } else {
        "submitted first ... last"
    };
    words(pen, x + RAMP + 2, y, says);
}

fn words(pen: &mut Pen<'_>, x: u16, y: u16, text: &str) {
    pen.text_on(x, y, text, pen.theme.text, pen.theme.panel);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::Context;
    use crate::palette::{Charset, Look};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    fn keys(count: usize) -> Vec<Entry> {
        let entry = Entry {
            keys: "m M".to_owned(),
            words: "next / previous method",
        };
        vec![entry; count]
    }

    fn drawn(width: u16, height: u16, page: usize, charset: Charset) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let look = Look {
            charset,
            ..Look::default()
        };
        let mut pen = Pen::new(&mut buffer, Theme::of(look));
        render_page(&keys(26), &Keymap::default(), page, area, &mut pen);
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect())
            .collect()
    }

    fn shows(lines: &[String], words: &str) -> bool {
        lines.iter().any(|line| line.contains(words))
    }

    #[test]
    fn marks_and_keys_are_one_page_of_78x24() {
        let lines = drawn(80, 24, 0, Charset::Unicode);
        assert!(shows(&lines, "page 1 of 3"));
        assert!(shows(&lines, "submitted first ... last"));
        assert!(shows(&lines, "a strip in order climbs"));
        let keys = lines
            .iter()
            .filter(|line| line.contains("m M     next / previous method"));
        assert_eq!(keys.count(), 13);
        let words = drawn(80, 24, 1, Charset::Unicode);
        assert!(shows(&words, "delivered     main has the result"));
        let last = drawn(80, 24, 2, Charset::Unicode);
        assert!(shows(&last, "unknown       a task runs"));
        assert!(shows(&words, "makespan      from the begin"));
        assert_eq!(drawn(80, 24, 3, Charset::Unicode), last);
    }

    #[test]
    fn no_row_of_the_key_table_runs_into_the_next_column() {
        let room = (SIZE.0 - 6) / 2 - 1;
        let keymap = Keymap::default();
        for context in [Context::Lab, Context::Program] {
            for entry in keymap.help(context) {
                let keys = (text::width(&entry.keys) + 1).max(KEYS);
                let all = keys + text::width(entry.words);
                assert!(all <= room, "{} {}: {all}", entry.keys, entry.words);
            }
        }
    }

    #[test]
    fn every_key_and_word_fits_120x36_above_the_hint_bar() {
        for count in [27, 30] {
            let area = Rect::new(0, 0, 120, 36);
            let mut buffer = Buffer::empty(area);
            let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
            render_page(&keys(count), &Keymap::default(), 0, area, &mut pen);
            let row = |y: u16| -> String { (0..120).map(|x| buffer[(x, y)].symbol()).collect() };
            let all: Vec<String> = (0..36).map(row).collect();
            assert!(shows(&all, "p50, p95") && shows(&all, "m M"), "{count}");
            assert!(!shows(&all, "page"), "{count}");
            assert_eq!(all[35].trim(), "");
        }
    }

    #[test]
    fn a_tall_screen_shows_everything_at_once() {
        let lines = drawn(120, 45, 0, Charset::Unicode);
        assert!(
            shows(&lines, "a strip in order climbs") && shows(&lines, "simulated     virtual time")
        );
        assert!(!shows(&lines, "page"));
    }

    #[test]
    fn on_a_narrow_screen_every_line_is_on_some_page() {
        let all: Vec<String> = (0..6)
            .flat_map(|page| drawn(60, 20, page, Charset::Unicode))
            .collect();
        for mark in &LEGEND {
            assert!(shows(&all, mark.meaning), "{}", mark.meaning);
        }
        for (word, _) in glossary::WORDS {
            assert!(shows(&all, word), "{word}");
        }
    }

    #[test]
    fn ascii_stays_ascii_and_no_size_is_too_small() {
        assert!(
            drawn(80, 24, 0, Charset::Ascii)
                .iter()
                .all(|line| line.is_ascii())
        );
        for (width, height) in [(1, 1), (2, 9), (30, 3), (78, 2)] {
            assert_eq!(
                drawn(width, height, 1, Charset::Unicode).len(),
                usize::from(height)
            );
        }
    }
}
