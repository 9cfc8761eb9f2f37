//! The marks of the timeline, drawn as the panels draw them, each with what it means.

use super::hues::PALE;
use super::text::Pen;
use crate::palette::Ink;

/// Columns a mark takes.
pub const WIDTH: u16 = 6;

/// One entry of the legend.
pub struct Mark {
    pub meaning: &'static str,
    /// Draws it at (x, y) on the theme's background, [`WIDTH`] cells wide.
    pub draw: fn(&mut Pen<'_>, u16, u16),
}

/// The legend, to be read row by row in two columns.
pub static LEGEND: [Mark; 12] = [
    Mark {
        meaning: "task 12 on a CPU",
        draw: |pen, x, y| task_box(pen, x, y, WIDTH),
    },
    Mark {
        meaning: "still running at the cursor",
        draw: |pen, x, y| {
            task_box(pen, x, y, WIDTH - 2);
            let (task, now, theme) = (task(pen), pen.theme.now, pen.theme);
            if theme.is_ascii() || !theme.mixes() {
                pen.cell(x + 4, y, theme.glyphs.hot, now, theme.background);
            } else {
                pen.cell(x + 4, y, theme.glyphs.left[4], task, now);
            }
        },
    },
    Mark {
        meaning: "height: its share of a CPU",
        draw: |pen, x, y| bars(pen, x, y, [2, 5, 7, 8, 3, 1]),
    },
    Mark {
        meaning: "has a worker, waits for CPU",
        draw: |pen, x, y| {
            let task = task(pen);
            repeat(
                pen,
                (x, y),
                pen.theme.glyphs.waiting,
                task,
                pen.theme.background,
            );
        },
    },
    Mark {
        meaning: "blocked: sleep, I/O, a lock",
        draw: |pen, x, y| {
            let (theme, task) = (pen.theme, task(pen));
            if theme.mixes() && !theme.is_ascii() {
                let pale = theme.mixed(task, theme.background, PALE);
                repeat(pen, (x, y), " ", pale, pale);
            } else {
                repeat(pen, (x, y), theme.glyphs.blocked, task, theme.background);
            }
        },
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
        meaning: "worker killed, task lost",
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
        meaning: "main is blocked in a call",
        draw: |pen, x, y| {
            let theme = pen.theme;
            repeat(
                pen,
                (x, y),
                theme.glyphs.main_blocked,
                theme.wait,
                theme.background,
            );
        },
    },
    Mark {
        meaning: "main does its own work",
        draw: |pen, x, y| {
            let theme = pen.theme;
            let (ink, ground) = if theme.is_ascii() {
                (theme.dim, theme.background)
            } else {
                (theme.on(theme.dim), theme.dim)
            };
            repeat(pen, (x, y), theme.glyphs.main_works, ink, ground);
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
            if pen.theme.is_ascii() {
                let task = task(pen);
                pen.text(x, y, "012345", task);
            } else {
                bars(pen, x, y, [3, 4, 5, 6, 7, 8]);
            }
        },
    },
];

/// The colour of the task in the legend: the middle of the ramp.
fn task(pen: &Pen<'_>) -> Ink {
    pen.theme.task(12, 24)
}

fn task_box(pen: &mut Pen<'_>, x: u16, y: u16, width: u16) {
    let (task, theme) = (task(pen), pen.theme);
    if theme.is_bare() {
        for offset in 0..width {
            pen.cell(
                x + offset,
                y,
                theme.glyphs.full,
                theme.text,
                theme.background,
            );
        }
        pen.bold(x, y, "12", theme.text);
        return;
    }
    for offset in 0..width {
        let glyph = if theme.is_ascii() {
            theme.glyphs.full
        } else {
            " "
        };
        pen.cell(x + offset, y, glyph, theme.on(task), task);
    }
    pen.bold_on(x, y, "12", theme.on(task), task);
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
