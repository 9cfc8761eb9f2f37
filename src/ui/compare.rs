//! The last two runs, one above the other on one time axis, with the numbers that differ.
//!
//! Both are seen as of the same moment, so that playing them is a race.

use ratatui::layout::Rect;

use super::header::Motion;
use super::lanes::{self, GUTTER, Grid};
use super::layout;
use super::strips::{self, Which};
use super::text::{self, Pen};
use super::{Moment, axis, caller, header, hints};
use crate::app::selection::{self, Selection};
use crate::app::viewport::Follow;
use crate::app::{App, Run};
use crate::definition::{self, Facts, Value};
use crate::time::{Nanos, Span, Time};

/// Columns of a number.
const COLUMN: u16 = 17;
/// Columns right of a strip, for what it amounts to.
const CAPTION: u16 = 20;
/// Rows of the table: labels, both runs, the differences.
const TABLE: u16 = 4;
/// What is compared, the most telling first; as many as fit.
const KEYS: [&str; 11] = [
    "makespan",
    "first_result",
    "blocked_main",
    "program_end",
    "speedup",
    "efficiency",
    "out_of_order",
    "wait",
    "hold",
    "utilisation",
    "messages",
];

/// Draws the comparison over the whole screen; the current run below, or above if they are swapped.
pub fn render(app: &App, previous: &Run, screen: Rect, pen: &mut Pen<'_>) {
    let mut runs = [("previous", previous), ("current", &app.run)];
    if app.swapped {
        runs.reverse();
    }
    let span = span(app, previous);
    // When the current run has been seen to its end, so has the one before, however long it took.
    let at = if app.at_end() {
        Time::NEVER
    } else {
        app.cursor()
    };
    let moments = runs.map(|(_, run)| Moment {
        trace: &run.trace,
        cursor: at.min(run.end()),
        axis: layout::axis(screen, span),
        findings: &[],
    });
    let rows = Rows::of(
        screen.height,
        moments.map(|moment| selection::rows(moment.trace, app.large)),
    );
    let mut y = screen.y;
    for ((name, run), moment) in runs.iter().zip(&moments) {
        let line = |y: u16, height: u16| Rect {
            y,
            height,
            ..screen
        };
        let mut top = header::of(app, run, name, screen.width);
        top.clock.time = moment.cursor.to_string();
        top.clock.motion = match (moment.is_over(), app.run.playback.is_paused()) {
            _ if moment.cursor >= run.end() && run.id != app.run.id => Motion::Ended,
            (true, _) => Motion::Ended,
            (false, true) => Motion::Paused,
            (false, false) => Motion::Playing,
        };
        header::render(&top, line(y, 1), pen);
        caller::render(moment, line(y + 1, 2), Rect::ZERO, pen);
        let grid = Grid {
            of: app.large,
            rows: rows.lane,
            first: 0,
        };
        let area = line(y + 3, rows.lanes);
        lanes::render(moment, grid, Selection::default(), area, pen);
        if moment.is_over() || run.id != app.run.id {
            run_end(moment, run.end(), line(y + 1, rows.lanes + 2), pen);
        }
        lanes::scrolled(moment, grid, rows.lanes, y + 2, pen);
        y += 3 + rows.lanes + rows.gap;
    }
    // The ruler says where the cursor is while there is more to come of either run.
    let current = usize::from(!app.swapped);
    let ended = [0, 1].map(|run: usize| moments[run].cursor >= runs[run].1.end());
    let ruler = if moments[current].is_over() && !ended[1 - current] {
        1 - current
    } else {
        current
    };
    axis::render(&moments[ruler], y - rows.gap, pen);
    y += 1;
    for ((name, _), moment) in runs.iter().zip(&moments) {
        strip(
            name,
            moment,
            Rect {
                y,
                height: rows.strip,
                ..screen
            },
            pen,
        );
        y += rows.strip + u16::from(rows.gap > 0);
    }
    let facts = moments.map(|moment| Facts::of(moment.trace, moment.cursor));
    let columns = [0, 1].map(|run: usize| Column {
        name: runs[run].0,
        facts: &facts[run],
        ended: ended[run] && (runs[run].1.id != app.run.id || moments[run].is_over()),
    });
    table(
        &columns,
        Rect {
            y,
            height: TABLE,
            ..screen
        },
        pen,
    );
    let last = Rect {
        y: screen.bottom().saturating_sub(1),
        height: 1,
        ..screen
    };
    hints::render(app, last, pen);
}

/// The stretch of time that both share: all of the longer one, unless the person zoomed.
fn span(app: &App, previous: &Run) -> Span {
    if !matches!(app.viewport.follow, Follow::Fit | Follow::Whole) {
        return app.viewport.span();
    }
    let current = if app.run.over {
        app.run.end()
    } else {
        app.viewport.span().end()
    };
    let end = previous.end().max(current);
    Span::new(Time::ZERO, end + Nanos(end.0 / 64 + 1))
}

/// How the height of the screen is shared out.
struct Rows {
    /// Rows of a lane; none: two share a row.
    lane: u16,
    /// Rows for the lanes of one run.
    lanes: u16,
    strip: u16,
    /// Empty rows between the parts.
    gap: u16,
}

impl Rows {
    fn of(height: u16, lanes: [usize; 2]) -> Self {
        let count = u16::try_from(lanes[0].max(lanes[1]))
            .unwrap_or(u16::MAX)
            .max(1);
        let gap = u16::from(height >= 34);
        let strip = match height {
            ..24 => 1,
            24..44 => 2,
            _ => 3,
        };
        // Header, main and what it receives twice, the axis, the hints.
        let fixed = 2 * (3 + strip + 2 * gap) + TABLE + 2;
        let room = height.saturating_sub(fixed) / 2;
        let lane = (room / count).min(3);
        let lanes = match lane {
            0 => count.div_ceil(2).min(room),
            lane => lane * count,
        };
        Self {
            lane,
            lanes,
            strip,
            gap,
        }
    }
}

/// Where this run ends, or was stopped, on the axis that both share.
fn run_end(moment: &Moment<'_>, end: Time, area: Rect, pen: &mut Pen<'_>) {
    let Some(x) = moment.axis.column(end).filter(|_| moment.cursor >= end) else {
        return;
    };
    let theme = pen.theme;
    for y in area.y..area.bottom() {
        if pen.is_empty(x, y) {
            pen.cell(x, y, theme.glyphs.run_end, theme.faint, theme.background);
        }
    }
    // Beside what it received nothing stands any more.
    let (word, y) = ("end", area.y + 1);
    let free = x + 1..x + 1 + text::width(word);
    if free.end <= moment.axis.right() && free.clone().all(|x| pen.is_empty(x, y)) {
        pen.text(free.start, y, word, theme.dim);
    }
}

/// The delivered strip of a run, with its order in words.
fn strip(name: &str, moment: &Moment<'_>, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let y = area.bottom() - 1;
    pen.text_within(area.x + 1, y, GUTTER - 2, name, theme.text);
    let place = strips::Place {
        x: area.x + GUTTER,
        y: area.y,
        width: area.width.saturating_sub(GUTTER + CAPTION),
        rows: area.height,
    };
    let end = strips::render(moment, Which::Delivered, place, pen);
    strips::caption(moment, Which::Delivered, (end + 1, y), false, pen);
    if area.height > 1 {
        pen.text(end + 1, y - 1, "delivered", theme.dim);
    }
}

/// A run in the table.
struct Column<'a> {
    name: &'a str,
    facts: &'a Facts<'a>,
    /// Nothing more will be known of it: it ended, or was stopped.
    ended: bool,
}

impl Column<'_> {
    fn words(&self, value: Option<Value>, pen: &Pen<'_>) -> String {
        let glyphs = pen.theme.glyphs;
        match value {
            Some(value) => value.text(glyphs.times),
            None if self.ended => "n/a".to_owned(),
            None => glyphs.grows.to_owned(),
        }
    }

    /// Seen as far as there is anything to see.
    fn is_whole(&self) -> bool {
        self.ended && self.facts.numbers.complete
    }
}

/// Numbers of both runs below one another, and what the lower one has more or less.
fn table(runs: &[Column<'_>; 2], area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    for (run, y) in runs.iter().zip(area.y + 1..) {
        pen.text_within(area.x + 1, y, GUTTER - 2, run.name, theme.dim);
    }
    // A run that was stopped has no numbers that another could have more or less of.
    let same_moment = runs[0].facts.at == runs[1].facts.at;
    let comparable = same_moment || runs.iter().any(Column::is_whole);
    let mut x = area.x + GUTTER;
    for row in KEYS.into_iter().filter_map(definition::of) {
        if x + COLUMN - 2 > area.right() {
            return;
        }
        pen.text(x, area.y, row.label, theme.dim);
        let values = runs.each_ref().map(|run| (row.value)(run.facts));
        let words = [0, 1].map(|run: usize| runs[run].words(values[run], pen));
        pen.text(x, area.y + 1, &words[0], theme.text);
        let end = pen.bold(x, area.y + 2, &words[1], theme.now);
        if let ([Some(before), Some(after)], true) = (values, comparable) {
            match difference(before, after) {
                // What reads the same is the same: two measured runs never agree to the nanosecond.
                _ if words[0] == words[1] => {
                    pen.text(end + 1, area.y + 2, "=", theme.dim);
                }
                Some((rises, words)) => {
                    let arrow = if rises {
                        theme.glyphs.more
                    } else {
                        theme.glyphs.less
                    };
                    pen.bold(x, area.y + 3, &format!("{arrow} {words}"), theme.wait);
                }
                None => {}
            }
        }
        x += COLUMN;
    }
}

/// By how much a value differs from the one before, and whether it is more.
fn difference(before: Value, after: Value) -> Option<(bool, String)> {
    let parts = |a: f64, b: f64| (b > a, (b - a).abs());
    Some(match (before, after) {
        (Value::Time(a), Value::Time(b)) => (b > a, Nanos(a.0.abs_diff(b.0)).to_string()),
        (Value::Count(a), Value::Count(b)) => (b > a, a.abs_diff(b).to_string()),
        (Value::Share(a), Value::Share(b)) => {
            let (rises, by) = parts(a, b);
            (rises, format!("{:.0} points", by * 100.0))
        }
        (Value::Times(a), Value::Times(b)) | (Value::Plain(a), Value::Plain(b)) => {
            let (rises, by) = parts(a, b);
            (rises, format!("{by:.2}"))
        }
        _ => return None,
    })
}

/// Says that there is nothing to compare with.
pub fn nothing(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let keys = app.keymap.starters();
    let says = format!("one run so far: {keys} starts the next one to compare with");
    let says = text::clipped(&says, area.width.saturating_sub(2), pen.theme.glyphs.grows);
    pen.text(area.x + 1, area.y + 1, &says, pen.theme.text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_in_its_own_unit_how_much() {
        let of = |a, b| difference(a, b).unwrap();
        let ms = |n: u64| Value::Time(Nanos(n * 1_000_000));
        assert_eq!(of(ms(770), ms(48)), (false, "722 ms".to_owned()));
        assert_eq!(
            of(Value::Share(0.17), Value::Share(0.5)),
            (true, "33 points".to_owned())
        );
        assert_eq!(
            of(Value::Count(3), Value::Count(24)),
            (true, "21".to_owned())
        );
        assert_eq!(difference(ms(1), Value::Count(1)), None);
    }

    #[test]
    fn both_runs_and_the_table_fit_every_screen() {
        for height in 20..120 {
            for count in [1, 4, 8, 13, 64, 1024] {
                let rows = Rows::of(height, [count, 1]);
                let used = 2 * (3 + rows.lanes + rows.strip + 2 * rows.gap) + TABLE + 2;
                assert!(used <= height, "{height} rows, {count} lanes: {used}");
                assert!(rows.lanes > 0);
            }
        }
        let small = Rows::of(24, [8, 8]);
        assert_eq!((small.lane, small.lanes, small.strip), (0, 4, 2));
    }
}
