//! Where the time of each worker went: a bar per worker, each of the same length, adding up to 100 %.

use ratatui::layout::Rect;

use super::lanes::GUTTER;
use super::text::{self, Pen};
use super::timebar::{self, Part};
use crate::definition::percent;
use crate::time::Time;
use crate::trace::Trace;

/// Columns right of a bar: the share in which the worker had a task.
const BUSY: u16 = 6;
/// Columns of an entry of the legend.
const ENTRY: u16 = 23;

/// Draws as many workers from `first` on as fit, then all of them together, and what the marks mean.
pub fn render(trace: &Trace, at: Time, first: usize, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let all = timebar::parts(&trace.shares(at), theme);
    let legend: Vec<&Part> = all.iter().filter(|part| part.share > 0.0).collect();
    let columns = (area.width / ENTRY).max(1);
    let below = (legend.len() as u16).div_ceil(columns);
    let rows = trace.rows();
    // The title, an empty line, and the bar of all workers above the legend.
    let room = area.height.saturating_sub(below + 3);
    let first = first.min(rows.len().saturating_sub(usize::from(room)));
    let seen = &rows[first..(first + usize::from(room)).min(rows.len())];
    let title = if seen.len() < rows.len() {
        format!(
            "where time went: workers {}-{} of {}",
            first,
            first + seen.len().saturating_sub(1),
            rows.len()
        )
    } else {
        "where time went".to_owned()
    };
    pen.text_within(area.x, area.y, area.width, &title, theme.now);
    if area.width < GUTTER + BUSY + 4 {
        return;
    }
    let mut y = area.y + 1;
    for row in seen {
        let parts = timebar::parts(&trace.row_shares(row, at), theme);
        bar(
            &text::sanitised(&row.name),
            &parts,
            Rect {
                y,
                height: 1,
                ..area
            },
            pen,
        );
        y += 1;
    }
    if rows.len() > 1 && y < area.bottom() {
        bar(
            "all",
            &all,
            Rect {
                y,
                height: 1,
                ..area
            },
            pen,
        );
        y += 1;
    }
    let y = (y + 1).min(area.bottom().saturating_sub(below));
    for (number, part) in (0..).zip(legend) {
        let (x, y) = (area.x + (number % columns) * ENTRY, y + number / columns);
        if y >= area.bottom() {
            return;
        }
        pen.cell(x, y, part.glyph, part.ink, theme.background);
        let end = pen.text_within(x + 2, y, ENTRY - 8, part.name, theme.text);
        pen.bold(end + 1, y, &percent(part.share), theme.now);
    }
}

fn bar(name: &str, parts: &[Part], line: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    pen.text_within(line.x, line.y, GUTTER - 2, name, theme.text);
    let columns = line.width - (GUTTER - 1) - BUSY;
    timebar::bar(parts, (line.x + GUTTER - 1, line.y), columns, pen);
    // The first four parts are those in which the worker had a task.
    let busy: f64 = parts.iter().take(4).map(|part| part.share).sum();
    let unknown = parts.last().map_or(0.0, |part| part.share);
    pen.text_until(
        line.right(),
        line.y,
        &percent((busy + unknown).min(1.0)),
        theme.dim,
    );
}
