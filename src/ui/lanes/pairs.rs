//! Two lanes in one row of cells: the upper half is the first, the lower half the second.

use ratatui::layout::Rect;

use super::columns::{Column, Part};
use crate::palette::{Depth, Ink};
use crate::ui::hues::Hues;
use crate::ui::text::Pen;

/// Draws two lanes into the row `y` from column `x` on. A half is a task's where the task holds its
/// worker for half of the column.
pub fn render(pen: &mut Pen<'_>, hues: Hues<'_>, at: (u16, u16), pair: [&[Column]; 2]) {
    let (mut x, y) = at;
    let [upper, lower] = pair.map(|columns| inks(pen, hues, columns));
    let columns = upper.len().max(lower.len());
    let of = |lane: &[Option<Ink>], column| lane.get(column).copied().flatten();
    let both: Vec<[Option<Ink>; 2]> = (0..columns)
        .map(|column| [of(&upper, column), of(&lower, column)])
        .collect();
    for run in both.chunk_by(PartialEq::eq) {
        cell(pen, (x, y), run[0]);
        if run[0] != [None, None] {
            pen.repeat(Rect::new(x, y, run.len() as u16, 1));
        }
        x += run.len() as u16;
    }
}

/// The colour of each column of a lane.
fn inks(pen: &Pen<'_>, hues: Hues<'_>, columns: &[Column]) -> Vec<Option<Ink>> {
    let mut inks = Vec::with_capacity(columns.len());
    for run in columns.chunk_by(PartialEq::eq) {
        inks.resize(inks.len() + run.len(), ink(pen, hues, &run[0]));
    }
    inks
}

/// Draws the upper and the lower half of a cell.
fn cell(pen: &mut Pen<'_>, (x, y): (u16, u16), halves: [Option<Ink>; 2]) {
    let theme = pen.theme;
    let glyphs = theme.glyphs;
    if theme.is_ascii() && theme.depth == Depth::None {
        let glyph = match halves {
            [None, None] => return,
            [Some(_), Some(_)] => glyphs.full,
            _ => glyphs.lower_half,
        };
        pen.cell(x, y, glyph, theme.text, theme.background);
        return;
    }
    match halves {
        [None, None] => {}
        [Some(ink), None] => pen.cell(x, y, glyphs.upper_half, ink, theme.background),
        [None, Some(ink)] => pen.cell(x, y, glyphs.lower_half, ink, theme.background),
        [Some(ink), Some(_)] if theme.depth == Depth::None => {
            pen.cell(x, y, glyphs.full, ink, theme.background);
        }
        [Some(ink), Some(under)] => pen.cell(x, y, glyphs.upper_half, ink, under),
    }
}

fn ink(pen: &Pen<'_>, hues: Hues<'_>, column: &Column) -> Option<Ink> {
    let theme = pen.theme;
    let pale = |part: Part| {
        if part.pale && theme.mixes() {
            hues.pale(part.task)
        } else {
            hues.task(part.task)
        }
    };
    match *column {
        Column::Idle => None,
        Column::Whole { task, level, .. } | Column::Several { task, level } => {
            let waits = (level.solid + level.pale) * 2.0 < level.held;
            (level.held >= 0.5).then(|| {
                if waits && theme.mixes() {
                    hues.waiting(task)
                } else {
                    pale(Part {
                        task,
                        pale: level.pale > level.solid,
                    })
                }
            })
        }
        Column::Cut { at, left, right } => if at >= 4 { left } else { right }.map(pale),
    }
}
