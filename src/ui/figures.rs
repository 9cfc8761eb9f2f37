//! The view of numbers: how lengths of time are spread, where each worker's time went, every number.

use ratatui::layout::Rect;

use super::definitions::shown;
use super::distribution::{self, Length};
use super::text::{self, Pen};
use super::timeline;
use super::worktime::{self, Seen};
use crate::app::action::Action;
use crate::app::{App, Lanes, selection};
use crate::definition::{self, Definition, Facts, Topic};

/// Columns of a number with its label.
const ENTRY: u16 = 23;
/// Columns of a label.
const LABEL: u16 = 14;
/// From this height on everything fits into half of it.
const ROOMY: u16 = 50;
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
        let above = u16::from(area.height > 30);
        let area = Rect {
            x: area.x + 1,
            y: area.y + above,
            width: area.width.saturating_sub(2),
            height: area.height - above,
        };
        let rows = TOPICS.map(|topic| definition::about(topic).count());
        let numbers: usize = rows.iter().sum();
        let columns = if area.width < 66 { 1 } else { 2 };
        // What the numbers do not need goes to the histograms, up to a third of the screen; where there is
        // room for everything, up to half.
        let most = area.height / if area.height < ROOMY { 3 } else { 2 };
        let needed = numbers.div_ceil(columns) as u16;
        let high = area.height.saturating_sub(needed).clamp(6, most.max(6));
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

/// Draws the view.
pub fn render(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let (trace, at) = (&app.run.trace, app.cursor());
    let regions = Regions::of(area);
    if let Some(call) = trace.call() {
        for (length, area) in Length::ALL.into_iter().zip(regions.spreads) {
            distribution::render(length, call, at, area, pen);
        }
    }
    let facts = Facts::of(trace, at);
    // The view has the workers of one pool only.
    let before = selection::first_of_shown(trace);
    let selected = timeline::chosen(app, Lanes::Workers);
    let seen = Seen {
        first: app.first_lane().saturating_sub(before),
        chosen: selected.row.and_then(|row| row.checked_sub(before)),
        task: (selected.task)
            .filter(|task| {
                trace
                    .call()
                    .is_some_and(|call| call.facts.call == task.call)
            })
            .map(|task| task.index),
    };
    worktime::render(&facts, seen, regions.workers, pen);
    let all = app.keymap.of(Action::Definitions);
    numbers(&facts, &all, regions.numbers, pen);
}

/// Column by column, in the order of the table; with the topics as headings where they fit. Where not all
/// numbers do, the last line says with which key they are seen.
fn numbers(facts: &Facts<'_>, key: &str, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let columns = (area.width / ENTRY).max(1);
    let mut entries = headed(columns, area.height).unwrap_or_else(|| plain(columns, area.height));
    let all = TOPICS.into_iter().flat_map(definition::about).count();
    let is_number = |entry: &(u16, u16, Entry)| matches!(entry.2, Entry::Number(_));
    if entries.iter().filter(|entry| is_number(entry)).count() < all
        && let Some((column, line, _)) = entries.pop()
    {
        let more = all - entries.iter().filter(|entry| is_number(entry)).count();
        let (x, y) = (area.x + column * ENTRY, area.y + line);
        let end = pen.text(x, y, &format!("{more} more: "), theme.dim);
        pen.bold(end, y, key, theme.now);
    }
    for (column, line, entry) in entries {
        let (x, y) = (area.x + column * ENTRY, area.y + line);
        match entry {
            Entry::Topic(topic) => {
                pen.bold(x, y, topic.word(), theme.now);
            }
            Entry::Number(row) => {
                pen.text_within(x, y, LABEL, row.label, theme.dim);
                let value = shown(row, facts, pen);
                let room = ENTRY - 2 - text::width(row.label).min(LABEL);
                let value = text::clipped(&value, room, theme.glyphs.grows);
                let end = (x + ENTRY - 1).min(area.right());
                pen.bold(
                    end.saturating_sub(text::width(&value)),
                    y,
                    &value,
                    theme.now,
                );
            }
        }
    }
}

/// A line of the numbers.
enum Entry {
    Topic(Topic),
    Number(&'static Definition),
}

/// Entries with their column and line.
type Placed = Vec<(u16, u16, Entry)>;

/// Every number under its topic, a topic never broken; `None` if that does not fit.
fn headed(columns: u16, height: u16) -> Option<Placed> {
    let count = |topic: Topic| definition::about(topic).count() as u16;
    let lines: u16 = TOPICS.iter().map(|&topic| count(topic) + 2).sum();
    // Near an equal share of the lines a topic goes to the next column.
    let share = lines.div_ceil(columns) + 2;
    let (mut placed, mut column, mut line) = (Vec::new(), 0, 0);
    for topic in TOPICS {
        let end = line + u16::from(line > 0) + count(topic) + 1;
        if line > 0 && (end > height || end > share && column + 1 < columns) {
            (column, line) = (column + 1, 0);
        }
        line += u16::from(line > 0);
        placed.push((column, line, Entry::Topic(topic)));
        for row in definition::about(topic) {
            line += 1;
            placed.push((column, line, Entry::Number(row)));
        }
        line += 1;
        if column >= columns || line > height {
            return None;
        }
    }
    Some(placed)
}

/// The numbers alone, in columns of the same height; what does not fit is left out.
fn plain(columns: u16, height: u16) -> Placed {
    let rows: Vec<_> = TOPICS.into_iter().flat_map(definition::about).collect();
    let each = (rows.len() as u16).div_ceil(columns).min(height).max(1);
    (0..columns)
        .flat_map(|column| (0..each).map(move |line| (column, line)))
        .zip(rows)
        .map(|((column, line), row)| (column, line, Entry::Number(row)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::time::{Nanos, Time};
    use crate::ui::samples::{self, PLAIN, lines};

    fn numbers_in(placed: &Placed) -> usize {
        let is_number = |placed: &&(u16, u16, Entry)| matches!(placed.2, Entry::Number(_));
        placed.iter().filter(is_number).count()
    }

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let all = TOPICS.into_iter().flat_map(definition::about).count();
        for height in 15..60 {
            let placed = headed(2, height).unwrap_or_else(|| plain(2, height));
            assert_eq!(numbers_in(&placed), all, "{height}");
            let mut cells: Vec<_> = placed.iter().map(|entry| (entry.0, entry.1)).collect();
            cells.sort_unstable();
            cells.dedup();
            assert_eq!(cells.len(), placed.len());
            assert!(cells.iter().all(|cell| cell.0 < 2 && cell.1 < height));
        }
    }

    #[test]
    fn where_not_all_numbers_fit_the_key_for_all_is_said() {
        let run = samples::run(Method::Map, 1, &[]);
        let facts = Facts::of(&run, run.end());
        let drawn = |height| {
            let size = (2 * ENTRY, height);
            lines(PLAIN, size, |area, pen| numbers(&facts, "d", area, pen))
        };
        let all = TOPICS.into_iter().flat_map(definition::about).count();
        let few = drawn(5);
        let more = all - 9;
        assert!(few[4].ends_with(&format!("{more} more: d")), "{few:#?}");
        assert!(!drawn(40).concat().contains(" more: "));
    }

    #[test]
    fn a_makespan_that_grows_has_its_unit_beside_a_short_label() {
        let run = samples::run(Method::Map, 1, &[]);
        let mut facts = Facts::of(&run, Time::ZERO);
        facts.numbers.elapsed = Nanos(12_340_000_000);
        let drawn = lines(PLAIN, (ENTRY, 9), |area, pen| {
            numbers(&facts, "d", area, pen);
        });
        assert_eq!(drawn[0], "makespan   12.34 s ...");
    }

    #[test]
    fn topics_are_named_where_there_is_room() {
        assert!(headed(2, 21).is_some());
        assert!(headed(2, 15).is_none());
    }
}
