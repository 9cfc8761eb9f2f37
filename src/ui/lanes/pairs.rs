//! Two lanes in one row of cells: the upper half is the first, the lower half the second.
//!
//! Half a cell has no height that could tell the share of a CPU. So the line of a task that waits for one is
//! broken, and what is left of it is the paler the less it computes. The gaps can be seen without colour, and
//! what is blocked has none. In ASCII without colours there are no halves, and the row is the lower instead.

use ratatui::layout::Rect;

use super::columns::{Column, Part};
use crate::palette::{Depth, Ink};
use crate::ui::hues::Hues;
use crate::ui::text::Pen;

/// In which order the columns of a broken line are drawn as its share grows: evenly spread, and every other one at
/// a half and below.
const ORDER: [u8; 8] = [0, 4, 2, 6, 1, 5, 3, 7];
/// Who waits less has an unbroken line: single gaps far apart would be taken for moments of idle time.
const UNBROKEN: f64 = 7.0 / 8.0;

/// Half a cell: what it is filled with, if it is, and how much of a lane works there.
type Half = (Option<Ink>, f64);

/// Draws two lanes into the row `y` from column `x` on. A half is a task's where the task holds its
/// worker for half of the column. `chosen`: the task of each lane that has the colour of the cursor.
pub fn render(
    pen: &mut Pen<'_>,
    hues: Hues<'_>,
    at: (u16, u16),
    pair: [&[Column]; 2],
    chosen: [Option<u32>; 2],
) {
    let (mut x, y) = at;
    let [upper, lower] = [0, 1].map(|lane| halves(pen, hues, pair[lane], (lane, chosen[lane])));
    let columns = upper.len().max(lower.len());
    let of = |lane: &[Half], column| lane.get(column).copied().unwrap_or((None, 0.0));
    let both: Vec<[Half; 2]> = (0..columns)
        .map(|column| [of(&upper, column), of(&lower, column)])
        .collect();
    for run in both.chunk_by(PartialEq::eq) {
        let wide = run.len() as u16;
        if cell(pen, (x, y), run[0]) {
            pen.repeat(Rect::new(x, y, wide, 1));
        }
        x += wide;
    }
}

/// What each column of a lane of a pair is filled with. The other lane's line is broken where this one's is not, so
/// that the two can be told apart.
fn halves(
    pen: &Pen<'_>,
    hues: Hues<'_>,
    columns: &[Column],
    (lane, chosen): (usize, Option<u32>),
) -> Vec<Half> {
    let mut halves = Vec::with_capacity(columns.len());
    for run in columns.chunk_by(PartialEq::eq) {
        let is_chosen = chosen.is_some_and(|task| run[0].has(task));
        let half = |place: usize| {
            let (ink, share) = half(pen, hues, &run[0], place + lane);
            let gap = ink.is_none() && share > 0.0;
            let ink = if is_chosen && !gap {
                Some(pen.theme.now)
            } else {
                ink
            };
            (ink, share)
        };
        let first = halves.len();
        halves.extend((first..first + run.len()).map(half));
    }
    halves
}

/// Draws the upper and the lower half of a cell, if there is anything in it.
fn cell(pen: &mut Pen<'_>, (x, y): (u16, u16), halves: [Half; 2]) -> bool {
    let theme = pen.theme;
    let glyphs = theme.glyphs;
    if theme.is_bare() {
        let height = halves.iter().map(|half| half.1).sum::<f64>() * 4.0;
        if height > 0.0 {
            let bar = glyphs.bars[(height.round() as usize).clamp(1, 8)];
            pen.cell(x, y, bar, theme.text, theme.background);
        }
        return height > 0.0;
    }
    match halves.map(|half| half.0) {
        [None, None] => return false,
        [Some(ink), None] => pen.cell(x, y, glyphs.upper_half, ink, theme.background),
        [None, Some(ink)] => pen.cell(x, y, glyphs.lower_half, ink, theme.background),
        [Some(ink), Some(_)] if theme.depth == Depth::None => {
            pen.cell(x, y, glyphs.full, ink, theme.background);
        }
        [Some(ink), Some(under)] => pen.cell(x, y, glyphs.upper_half, ink, under),
    }
    true
}

/// The half of this column; of a broken line `place` says which part of it that is.
fn half(pen: &Pen<'_>, hues: Hues<'_>, column: &Column, place: usize) -> Half {
    let theme = pen.theme;
    let filled = |part: Part| {
        if part.pale && theme.mixes() {
            hues.pale(part.task)
        } else {
            hues.task(part.task)
        }
    };
    match *column {
        Column::Whole { task, level, .. } | Column::Several { task, level }
            if level.held >= 0.5 =>
        {
            let share = level.advances();
            let pale = level.is_pale();
            let ink = || {
                if share < 0.5 && theme.mixes() {
                    hues.waiting(task, share * 2.0)
                } else {
                    filled(Part { task, pale })
                }
            };
            // Who waits all of the time is there nevertheless.
            (is_drawn(share, place).then(ink), share.max(0.1))
        }
        Column::Cut { at, left, right } => {
            let part = if at >= 4 { left } else { right };
            (part.map(filled), if part.is_some() { 1.0 } else { 0.0 })
        }
        _ => (None, 0.0),
    }
}

/// Whether this column is drawn of a line that is whole where nothing waits.
fn is_drawn(share: f64, place: usize) -> bool {
    let place = place % ORDER.len();
    let wanted = (share * ORDER.len() as f64).max(4.0);
    share >= UNBROKEN || f64::from(ORDER[place]) < wanted - 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_more_gaps_the_more_is_waited_and_is_there_in_any_case() {
        let line = |share| -> String {
            let drawn = |place| if is_drawn(share, place) { '#' } else { ' ' };
            (0..16).map(drawn).collect()
        };
        for share in [1.0, 0.9] {
            assert_eq!(line(share), "################");
        }
        assert_eq!(line(0.85), "####### ####### ");
        assert_eq!(line(0.75), "### ### ### ### ");
        for share in [0.5, 0.25, 0.0] {
            assert_eq!(line(share), "# # # # # # # # ");
        }
    }
}
