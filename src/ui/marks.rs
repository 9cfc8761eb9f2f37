//! The marks of the timeline, drawn as the panels draw them, each with what it means.

use super::caller::{self, Doing};
use super::hues::Hues;
use super::lanes::boxes::{Painter, Place};
use super::lanes::columns::{Column, Level, Part};
use super::lanes::pairs;
use super::text::Pen;
use crate::event::{BlockedIn, CallerState};
use crate::palette::Ink;

/// Columns a mark takes.
pub const WIDTH: u16 = 6;
/// The task of the legend, and of how many it is one: in the middle of the ramp.
const TASK: u32 = 12;
const TASKS: u32 = 24;

/// One entry of the legend.
pub struct Mark {
    pub meaning: &'static str,
    /// Draws it at (x, y) on the theme's background, [`WIDTH`] cells wide.
    pub draw: fn(&mut Pen<'_>, u16, u16),
}

/// The legend, to be read row by row in two columns.
pub static LEGEND: [Mark; 12] = [
    Mark {
        meaning: "task 12 on a CPU, runs now",
        draw: |pen, x, y| {
            let mut columns = [column(1.0, 0.0); 5];
            columns[4] = Column::Cut {
                at: 4,
                left: columns[0].whole().map(|task| Part { task, pale: false }),
                right: None,
            };
            let mut painter = painter(pen, x, y);
            painter.boxes(&columns);
            painter.numbers(&columns);
            painter.hot_edge(4 * 8 + 4, &columns);
        },
    },
    Mark {
        meaning: "height: its share of a CPU",
        draw: |pen, x, y| {
            let columns = [2.0, 5.0, 7.0, 8.0, 3.0, 2.0].map(|eighths| column(eighths / 8.0, 0.0));
            painter(pen, x, y).boxes(&columns);
        },
    },
    Mark {
        meaning: "has a worker, waits for CPU",
        draw: |pen, x, y| painter(pen, x, y).boxes(&[column(0.0, 0.0); WIDTH as usize]),
    },
    Mark {
        meaning: "the same, two lanes in a row",
        draw: |pen, x, y| {
            let [waits, computes] = [0.0, 1.0].map(|solid| [column(solid, 0.0); WIDTH as usize]);
            let hues = Hues::of(pen.theme, TASKS);
            pairs::render(pen, hues, (x, y), [&waits, &computes], [None; 2]);
        },
    },
    Mark {
        meaning: "blocked: sleep, I/O, a lock",
        draw: |pen, x, y| painter(pen, x, y).boxes(&[column(0.0, 1.0); WIDTH as usize]),
    },
    Mark {
        meaning: "went on to another CPU",
        draw: |pen, x, y| {
            let (theme, task) = (pen.theme, task(pen));
            repeat(pen, (x, y), theme.glyphs.migrated, task, theme.background);
        },
    },
    Mark {
        meaning: "failed; skipped, cancelled",
        draw: |pen, x, y| {
            let theme = pen.theme;
            if theme.is_bare() {
                pen.bold(x + 1, y, theme.glyphs.failed, theme.bad);
                pen.bold(x + 4, y, theme.glyphs.skipped, theme.faint);
                return;
            }
            for (offset, glyph, ink) in [
                (1, theme.glyphs.failed, theme.bad),
                (4, theme.glyphs.skipped, theme.faint),
            ] {
                for beside in [offset - 1, offset, offset + 1] {
                    pen.cell(x + beside, y, " ", theme.on(ink), ink);
                }
                pen.bold_on(x + offset, y, glyph, theme.on(ink), ink);
            }
        },
    },
    Mark {
        meaning: "worker died, task lost",
        draw: |pen, x, y| {
            let theme = pen.theme;
            repeat(
                pen,
                (x, y),
                theme.glyphs.dead,
                theme.faint,
                theme.background,
            );
            if theme.is_bare() {
                pen.bold(x, y, theme.glyphs.lost, theme.bad);
            } else {
                pen.bold_on(x, y, theme.glyphs.lost, theme.on(theme.bad), theme.bad);
            }
        },
    },
    Mark {
        meaning: "main starts up; serial work",
        draw: |pen, x, y| {
            main(
                pen,
                (x, y),
                [Doing::Is(CallerState::Starting), Doing::Serial],
            );
        },
    },
    Mark {
        meaning: "main's own work; blocked",
        draw: |pen, x, y| {
            let blocked = CallerState::Blocked(BlockedIn::Next);
            main(pen, (x, y), [CallerState::OwnWork, blocked].map(Doing::Is));
        },
    },
    Mark {
        meaning: "one result, then 5 at once",
        draw: |pen, x, y| {
            let (theme, task) = (pen.theme, task(pen));
            pen.text(x, y, theme.glyphs.one_result, task);
            pen.text(x + 3, y, "5", theme.dim);
            pen.text(x + 4, y, theme.glyphs.results, task);
        },
    },
    Mark {
        meaning: "a strip in order climbs",
        draw: |pen, x, y| {
            if pen.theme.is_bare() {
                pen.text(x, y, "012345", pen.theme.text);
            } else if pen.theme.is_ascii() {
                let (task, theme) = (task(pen), pen.theme);
                pen.text_on(x, y, "012345", theme.on(task), task);
            } else {
                bars(pen, x, y, [3, 4, 5, 6, 7, 8]);
            }
        },
    },
];

/// The colour of the task in the legend: the middle of the ramp.
fn task(pen: &Pen<'_>) -> Ink {
    pen.theme.task(TASK, TASKS)
}

/// What draws the lanes of the timeline, in the cells of a mark.
fn painter<'p, 'b>(pen: &'p mut Pen<'b>, x: u16, y: u16) -> Painter<'p, 'b, 'static> {
    let hues = Hues::of(pen.theme, TASKS);
    let place = Place { x, y, rows: 1 };
    Painter { pen, hues, place }
}

/// A column of the task of the legend, which computes for a share of it and is blocked for another.
fn column(solid: f64, pale: f64) -> Column {
    let level = Level {
        held: 1.0,
        solid,
        pale,
    };
    Column::Whole {
        task: TASK,
        level,
        after: None,
    }
}

/// Two things that main does, one after the other.
fn main(pen: &mut Pen<'_>, (x, y): (u16, u16), did: [Doing; 2]) {
    let half = [1.0; WIDTH as usize / 2];
    for (doing, x) in did.into_iter().zip((x..).step_by(half.len())) {
        caller::band(doing, (x, y), &half, pen);
    }
}

fn bars(pen: &mut Pen<'_>, x: u16, y: u16, eighths: [usize; 6]) {
    let (task, theme) = (task(pen), pen.theme);
    for (offset, height) in (0..).zip(eighths) {
        pen.cell(
            x + offset,
            y,
            theme.glyphs.bars[height],
            task,
            theme.background,
        );
    }
}

fn repeat(pen: &mut Pen<'_>, (x, y): (u16, u16), glyph: &str, ink: Ink, ground: Ink) {
    for offset in 0..WIDTH {
        pen.cell(x + offset, y, glyph, ink, ground);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::{Charset, Depth, Look};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    #[test]
    fn a_mark_stays_in_its_six_cells_and_can_be_told_apart() {
        for (charset, depth) in [
            (Charset::Unicode, Depth::True),
            (Charset::Unicode, Depth::Sixteen),
            (Charset::Unicode, Depth::None),
            (Charset::Ascii, Depth::None),
        ] {
            let look = Look {
                depth,
                charset,
                ..Look::default()
            };
            let mut drawn = Vec::new();
            for mark in &LEGEND {
                let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 1));
                (mark.draw)(&mut Pen::new(&mut buffer, Theme::of(look)), 0, 0);
                assert_eq!(buffer[(6, 0)], ratatui::buffer::Cell::default());
                drawn.push((mark.meaning, buffer));
            }
            // What is blocked looks alike without colour, and the row it is in tells main from a task.
            let is_blocked = |meaning: &str| meaning.contains("blocked");
            for (at, (meaning, buffer)) in drawn.iter().enumerate() {
                for (other, like) in &drawn[..at] {
                    let both = is_blocked(meaning) && is_blocked(other);
                    assert!(both || buffer != like, "{meaning} looks like {other}");
                }
            }
        }
    }
}
