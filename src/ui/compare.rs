//! The last two runs, one above the other on one time axis, with the numbers that differ.
//!
//! Both are seen as of the same moment, so that playing them is a race.

use ratatui::layout::Rect;

use super::header::Motion;
use super::lanes::{self, GUTTER, Grid};
use super::layout::{self, LaneRows};
use super::strips::{self, Which};
use super::text::{self, Pen};
use super::{Moment, axis, caller, header, hints, numbers};
use crate::app::selection::{self, Selection};
use crate::app::viewport::Follow;
use crate::app::{App, Run};
use crate::definition::{self, Definition, Facts, Value};
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
    let sides = Side::both(app, previous, screen);
    let lanes = sides.each_ref().map(|side| side.lanes(app));
    let regions = Regions::of(screen, lanes);
    for (side, area) in sides.iter().zip(regions.runs) {
        lane_panel(app, side, (area, regions.lanes), pen);
    }
    axis::render(&ruler(app, &sides).moment, regions.axis, pen);
    for (side, area) in sides.iter().zip(regions.strips) {
        strip(side.name, &side.moment, area, pen);
    }
    let facts = sides.each_ref().map(Side::facts);
    let columns = [0, 1].map(|place: usize| Column {
        name: sides[place].name,
        facts: &facts[place],
        ended: sides[place].is_known_whole(),
    });
    table(&columns, regions.table, pen);
    hints::render(app, regions.hints, pen);
}

/// One of the two runs, as it is seen.
struct Side<'a> {
    name: &'static str,
    run: &'a Run,
    moment: Moment<'a>,
    is_current: bool,
}

impl<'a> Side<'a> {
    /// From top to bottom.
    fn both(app: &'a App, previous: &'a Run, screen: Rect) -> [Self; 2] {
        let axis = layout::axis(screen, span(app, previous));
        // When the current run has been seen to its end, so has the one before, however long it took.
        let at = if app.at_end() {
            Time::NEVER
        } else {
            app.cursor()
        };
        let mut sides = [("previous", previous), ("current", &app.run)].map(|(name, run)| Self {
            name,
            run,
            moment: Moment {
                trace: &run.trace,
                cursor: at.min(run.end()),
                axis,
                findings: &[],
            },
            is_current: run.id == app.run.id,
        });
        if app.swapped {
            sides.reverse();
        }
        sides
    }

    fn lanes(&self, app: &App) -> usize {
        selection::rows(self.moment.trace, app.large)
    }

    fn facts(&self) -> Facts<'a> {
        Facts::of(self.moment.trace, self.moment.cursor)
    }

    /// All that there is of it so far is seen.
    fn is_seen(&self) -> bool {
        self.moment.cursor >= self.run.end()
    }

    /// It is over, or no more of it will come, as it is not watched any more.
    fn is_done(&self) -> bool {
        self.moment.is_over() || !self.is_current
    }

    /// Nothing more will be known of it.
    fn is_known_whole(&self) -> bool {
        self.is_seen() && self.is_done()
    }

    fn motion(&self, app: &App) -> Motion {
        if self.moment.is_over() || self.is_known_whole() {
            Motion::Ended
        } else if app.run.playback.is_paused() {
            Motion::Paused
        } else {
            Motion::Playing
        }
    }
}

/// The run whose cursor the ruler shows: the other one while only of that there is more to come.
fn ruler<'a, 'b>(app: &App, sides: &'b [Side<'a>; 2]) -> &'b Side<'a> {
    let [upper, lower] = sides;
    let (current, other) = if app.swapped {
        (upper, lower)
    } else {
        (lower, upper)
    };
    if current.moment.is_over() && !other.is_seen() {
        other
    } else {
        current
    }
}

/// Header, main with what it receives, and the lanes of a run.
fn lane_panel(app: &App, side: &Side<'_>, (area, rows): (Rect, LaneRows), pen: &mut Pen<'_>) {
    let moment = &side.moment;
    let line = |below: u16, height: u16| Rect {
        y: area.y + below,
        height,
        ..area
    };
    let mut top = header::of(app, side.run, side.name, area.width);
    // Both are played as one.
    top.clock.speed = app.run.speed().to_string();
    top.clock.time = moment.cursor.to_string();
    top.clock.motion = side.motion(app);
    header::render(&top, line(0, 1), pen);
    caller::render(moment, line(1, 2), Rect::ZERO, pen);
    let grid = Grid {
        of: app.large,
        rows: rows.each,
        first: 0,
    };
    lanes::render(moment, grid, Selection::default(), line(3, rows.all), pen);
    if side.is_done() {
        run_end(moment, side.run.end(), line(1, rows.all + 2), pen);
    }
    lanes::scrolled(moment, grid, rows.all, area.y + 2, pen);
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

/// Where everything stands.
struct Regions {
    /// Header, main and lanes of each run.
    runs: [Rect; 2],
    /// Of one run.
    lanes: LaneRows,
    axis: u16,
    strips: [Rect; 2],
    table: Rect,
    hints: Rect,
}

impl Regions {
    /// With so many lanes in the two runs.
    fn of(screen: Rect, lanes: [usize; 2]) -> Self {
        let rows = Rows::of(screen.height, lanes);
        let area = |y: u16, height: u16| Rect {
            y,
            height,
            ..screen
        };
        let run = 3 + rows.lanes.all;
        let axis = screen.y + 2 * run + rows.gap;
        let strips = axis + 1 + rows.gap;
        let strip = rows.strip + rows.gap;
        Self {
            runs: [screen.y, screen.y + run + rows.gap].map(|y| area(y, run)),
            lanes: rows.lanes,
            axis,
            strips: [strips, strips + strip].map(|y| area(y, rows.strip)),
            table: area(strips + 2 * strip, TABLE),
            hints: area(screen.bottom().saturating_sub(1), 1),
        }
    }
}

/// How the height of the screen is shared out.
struct Rows {
    /// Of one run.
    lanes: LaneRows,
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
        Self {
            lanes: LaneRows::fit(room, count, 3),
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
    fn words(&self, row: &Definition, value: Option<Value>, pen: &Pen<'_>) -> String {
        let glyphs = pen.theme.glyphs;
        match value {
            Some(value) => {
                let value = value.text(glyphs.times);
                format!("{}{}", self.facts.bound(row), pen.theme.units(&value))
            }
            None if self.ended || self.facts.is_final(row) => "n/a".to_owned(),
            None => {
                let elapsed = self.facts.numbers.elapsed;
                let value = numbers::pending(row.key, elapsed, glyphs);
                pen.theme.units(&value).into_owned()
            }
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
    let was_stopped = |run: &Column<'_>| run.ended && !run.facts.numbers.complete;
    let is_any_whole = runs.iter().any(Column::is_whole);
    let comparable = same_moment || is_any_whole && !runs.iter().any(was_stopped);
    // Nobody knows by how much a bound differs from anything.
    let is_known = |row| runs.iter().all(|run| run.facts.bound(row).is_empty());
    let mut x = area.x + GUTTER;
    for row in KEYS.into_iter().filter_map(definition::of) {
        if x + COLUMN - 2 > area.right() {
            return;
        }
        pen.text(x, area.y, row.label, theme.dim);
        let values = runs.each_ref().map(|run| (row.value)(run.facts));
        let words = [0, 1].map(|run: usize| runs[run].words(row, values[run], pen));
        pen.text(x, area.y + 1, &words[0], theme.text);
        let end = pen.bold(x, area.y + 2, &words[1], theme.now);
        if let ([Some(before), Some(after)], true) = (values, comparable && is_known(row)) {
            match difference(before, after) {
                // What reads the same is the same: two measured runs never agree to the nanosecond.
                _ if words[0] == words[1] => {
                    pen.text(end + 1, area.y + 2, "=", theme.dim);
                }
                // As the line about the switch has it.
                _ if definition::is_same(before, after) => {
                    pen.text(x, area.y + 3, "same", theme.dim);
                }
                Some((rises, words)) => {
                    let arrow = if rises {
                        theme.glyphs.more
                    } else {
                        theme.glyphs.less
                    };
                    let words = theme.units(&words);
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
        (Value::Share(a), Value::Share(b)) | (Value::Part(a, _), Value::Part(b, _)) => {
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
    use crate::method::Method;
    use crate::ui::samples::{self, PLAIN, lines};

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
    fn a_bound_is_called_one_and_differs_by_nothing_that_is_known() {
        let run = samples::run(Method::Map, 1, &[]);
        let of = |speedup, at_most| {
            let mut facts = Facts::of(&run, run.end());
            (facts.numbers.speedup, facts.numbers.speedup_at_most) = (speedup, at_most);
            facts
        };
        let facts = [of(None, Some(0.99)), of(Some(0.83), None)];
        let columns = facts.each_ref().map(|facts| Column {
            name: "run",
            facts,
            ended: true,
        });
        let drawn = lines(PLAIN, (96, TABLE), |area, pen| table(&columns, area, pen));
        let of_speedup = |line: &str| line.get(79..).unwrap_or_default().trim().to_owned();
        assert_eq!(
            drawn
                .iter()
                .map(|line| of_speedup(line))
                .collect::<Vec<_>>(),
            ["speed-up", "<=0.99x", "0.83x", ""]
        );
    }

    #[test]
    fn what_hardly_differs_is_the_same_as_the_line_about_the_switch_has_it() {
        let run = samples::run(Method::Map, 1, &[]);
        let of = |ms: u64| {
            let mut facts = Facts::of(&run, run.end());
            facts.numbers.makespan = Some(Nanos(ms * 1_000_000));
            facts
        };
        let below = |before, after| {
            let facts = [of(before), of(after)];
            let columns = facts.each_ref().map(|facts| Column {
                name: "run",
                facts,
                ended: true,
            });
            let drawn = lines(PLAIN, (28, TABLE), |area, pen| table(&columns, area, pen));
            drawn[3].trim().to_owned()
        };
        let stopped = {
            let mut facts = [of(6_450), of(6_850)];
            facts[0].numbers.complete = false;
            facts[0].at = Time(1);
            let columns = facts.each_ref().map(|facts| Column {
                name: "run",
                facts,
                ended: true,
            });
            lines(PLAIN, (28, TABLE), |area, pen| table(&columns, area, pen))
        };
        assert_eq!(
            stopped[3].trim(),
            "",
            "nobody knows what it would have been"
        );
        assert_eq!(below(6_450, 6_540), "same");
        assert_eq!(below(6_450, 6_850), "^ 400 ms");
        assert_eq!(below(6_450, 6_450), "");
    }

    #[test]
    fn both_runs_and_the_table_fit_every_screen() {
        for height in 20..120 {
            for count in [1, 4, 8, 13, 64, 1024] {
                let rows = Rows::of(height, [count, 1]);
                let used = 2 * (3 + rows.lanes.all + rows.strip + 2 * rows.gap) + TABLE + 2;
                assert!(used <= height, "{height} rows, {count} lanes: {used}");
                assert!(rows.lanes.all > 0);
            }
        }
        let small = Rows::of(24, [8, 8]);
        assert_eq!((small.lanes.each, small.lanes.all, small.strip), (0, 4, 2));
    }
}
