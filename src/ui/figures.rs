//! The view of numbers: how lengths of time are spread, where each worker's time went, every number.

use ratatui::layout::Rect;

use super::definitions::shown;
use super::distribution::{self, Length};
use super::text::{self, Pen};
use super::worktime;
use crate::definition::{self, Facts, Topic};
use crate::time::Time;
use crate::trace::Trace;

/// Columns of a number with its label.
const ENTRY: u16 = 23;
/// Columns of a label.
const LABEL: u16 = 14;
/// What the bars of the workers do not tell already.
const TOPICS: [Topic; 4] = [Topic::Pace, Topic::Caller, Topic::Orders, Topic::Tasks];

/// The parts of the view.
///
/// ```text
/// wait          service        hold
/// ---------------------------------
/// worker 0 ####~~~..    makespan  ...
/// worker 1 ######~..    speed-up  ...
/// ```
struct Regions {
    spreads: [Rect; 3],
    workers: Rect,
    numbers: Rect,
}

impl Regions {
    fn of(area: Rect) -> Self {
        let area = Rect {
            x: area.x + 1,
            width: area.width.saturating_sub(2),
            ..area
        };
        let rows = TOPICS.map(|topic| definition::about(topic).count());
        let numbers: usize = rows.iter().sum();
        let columns = if area.width < 66 { 1 } else { 2 };
        // What the numbers do not need goes to the histograms, up to a third of the screen.
        let needed = numbers.div_ceil(columns) as u16;
        let high = area
            .height
            .saturating_sub(needed)
            .clamp(6, (area.height / 3).max(6));
        let gap = u16::from(area.height > 30);
        let each = area.width / 3;
        let spread = |number: u16| Rect {
            x: area.x + number * each,
            width: each.saturating_sub(1),
            height: high.min(area.height),
            ..area
        };
        let below = Rect {
            y: area.y + high + gap,
            height: area.height.saturating_sub(high + gap),
            ..area
        };
        let wide = (columns as u16 * ENTRY).min(below.width);
        Self {
            spreads: [spread(0), spread(1), spread(2)],
            workers: Rect {
                width: (below.width - wide).saturating_sub(2),
                ..below
            },
            numbers: Rect {
                x: below.right() - wide,
                width: wide,
                ..below
            },
        }
    }
}

/// Draws the view; `first` is the worker at the top where not all fit.
pub fn render(trace: &Trace, at: Time, first: usize, area: Rect, pen: &mut Pen<'_>) {
    let regions = Regions::of(area);
    if let Some(call) = trace.call() {
        for (length, area) in Length::ALL.into_iter().zip(regions.spreads) {
            distribution::render(length, call, at, area, pen);
        }
    }
    worktime::render(trace, at, first, regions.workers, pen);
    numbers(&Facts::of(trace, at), regions.numbers, pen);
}

/// Column by column, in the order of the table; with the topics as headings where they fit.
fn numbers(facts: &Facts<'_>, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let columns = (area.width / ENTRY).max(1);
    let rows: usize = TOPICS
        .map(|topic| definition::about(topic).count())
        .iter()
        .sum();
    let room = usize::from(area.height) * usize::from(columns);
    // A heading may need an empty line before it, and may not stand last in a column.
    let lines = rows + TOPICS.len() * 2;
    let headings = lines + usize::from(columns) * 3 <= room;
    // With headings a column ends with a topic, near its share of the lines.
    let share = (lines as u16).div_ceil(columns) + 2;
    let (mut column, mut line) = (0, 0);
    for topic in TOPICS {
        let count = definition::about(topic).count() as u16;
        if headings {
            let full = line + count + 2 > share && column + 1 < columns;
            if line > 0 && (full || line + 4 > area.height) {
                (column, line) = (column + 1, 0);
            }
            line += u16::from(line > 0);
            pen.bold(
                area.x + column * ENTRY,
                area.y + line,
                topic.word(),
                theme.now,
            );
            line += 1;
        }
        for row in definition::about(topic) {
            if line >= area.height {
                (column, line) = (column + 1, 0);
            }
            if column >= columns {
                return;
            }
            let (x, y) = (area.x + column * ENTRY, area.y + line);
            pen.text_within(x, y, LABEL, row.label, theme.dim);
            let value = shown(row, facts, pen);
            let room = ENTRY - LABEL - 1;
            let value = text::clipped(&value, room, theme.glyphs.grows);
            let end = (x + ENTRY - 1).min(area.right());
            pen.bold(
                end.saturating_sub(text::width(&value)),
                y,
                &value,
                theme.now,
            );
            line += 1;
        }
    }
}
