//! The time axis: which moment is in which column, and the ruler that says so.

use ratatui::layout::Rect;

use super::Moment;
use super::news;
use super::text::{Pen, width};
use crate::time::{Nanos, Span, Time};

/// A stretch of time across some columns of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The first column.
    pub x: u16,
    pub width: u16,
    pub span: Span,
}

impl Axis {
    /// How many eighths of a column lie before this moment, to the nearest; moments off the axis are
    /// at its edges.
    pub fn eighth(self, time: Time) -> u32 {
        let all = u64::from(self.width) * 8;
        let length = self.span.length().0.max(1);
        let since = time.since(self.span.start()).0.min(length);
        // A division of 128 bits costs ten times as much, and is wanted for hours only.
        let part = since.checked_mul(all);
        if let Some(part) = part.and_then(|part| part.checked_add(length / 2)) {
            return (part / length) as u32;
        }
        let [since, all, length] = [since, all, length].map(u128::from);
        ((since * all + length / 2) / length) as u32
    }

    /// The screen column in which this moment is, if it is on the axis.
    pub fn column(self, time: Time) -> Option<u16> {
        let length = u128::from(self.span.length().0.max(1));
        let since = u128::from(time.since(self.span.start()).0);
        let on_axis = time >= self.span.start() && since < length && self.width > 0;
        on_axis.then(|| self.x + (since * u128::from(self.width) / length) as u16)
    }

    /// The moments that are in this screen column.
    pub fn stretch(self, x: u16) -> Span {
        let column = x.saturating_sub(self.x).min(self.width);
        Span::new(
            self.edge(column),
            self.edge(column.saturating_add(1).min(self.width)),
        )
    }

    /// The moments of every column, left to right.
    pub fn stretches(self) -> impl Iterator<Item = Span> {
        // Without a division for each: what is left over makes a column longer as often as it should.
        let (length, width) = (self.span.length().0, u64::from(self.width.max(1)));
        let (each, rest) = (length / width, length % width);
        let (mut end, mut left) = (self.span.start(), 0);
        (0..self.width).map(move |_| {
            left += rest;
            let longer = left >= width;
            left -= if longer { width } else { 0 };
            let begin = end;
            end = begin + Nanos(each + u64::from(longer));
            Span::new(begin, end)
        })
    }

    /// Those of them that end with the span's begin or after it and begin before its end; perhaps one or two more.
    pub fn stretches_in(self, span: Span) -> impl Iterator<Item = Span> {
        let behind = |time: Time| {
            let none = time < self.span.start();
            let column = if none {
                Some(self.x)
            } else {
                self.column(time)
            };
            column.unwrap_or(self.right())
        };
        let first = behind(span.start()).saturating_sub(1).max(self.x);
        let end = behind(span.end()).saturating_add(1).min(self.right());
        (first..end).map(move |x| self.stretch(x))
    }

    /// Where the column begins that has so many before it.
    fn edge(self, columns: u16) -> Time {
        let (length, width) = (self.span.length().0, self.width.max(1));
        // A division of 128 bits costs ten times as much, and is wanted for years only.
        let part = match length.checked_mul(u64::from(columns)) {
            Some(product) => product / u64::from(width),
            None => (u128::from(length) * u128::from(columns) / u128::from(width)) as u64,
        };
        self.span.start() + Nanos(part)
    }

    /// The moment in the middle of this screen column, that of the nearest if it is off the axis.
    pub fn time(self, x: u16) -> Time {
        let last = self.right().saturating_sub(1).max(self.x);
        let stretch = self.stretch(x.clamp(self.x, last));
        Time(u64::midpoint(stretch.start().0, stretch.end().0))
    }

    /// The column after the last.
    pub fn right(self) -> u16 {
        self.x + self.width
    }
}

/// Draws the ruler: ticks with their times, and the moment of the cursor.
pub fn render(moment: &Moment<'_>, y: u16, pen: &mut Pen<'_>) {
    let (axis, theme) = (moment.axis, pen.theme);
    let glyphs = theme.glyphs;
    pen.cell(axis.x, y, glyphs.rule, theme.faint, theme.background);
    pen.repeat(Rect::new(axis.x, y, axis.width, 1));
    let cursor = cursor_mark(moment, glyphs.cursor);
    let marks = news::marks(moment, pen);
    let step = step(axis);
    let first = axis.span.start().0.div_ceil(step.0);
    for tick in first..=axis.span.end().0 / step.0 {
        let time = Time(tick * step.0);
        let label = tick_label(time, step, axis.span.end());
        let Some(x) = axis.column(time) else { continue };
        let end = x + 1 + width(&label);
        let taken = |mark: &(u16, String)| x <= mark.0 + width(&mark.1) + 1 && mark.0 <= end;
        let marked = marks.iter().any(|mark| (x..=end).contains(&mark.0));
        if end + 1 >= axis.right() || cursor.as_ref().is_some_and(taken) || marked {
            continue;
        }
        pen.cell(x, y, glyphs.tick, theme.faint, theme.background);
        pen.text(x + 1, y, &theme.units(&label), theme.dim);
    }
    for (x, ink) in marks {
        pen.bold(x, y, "!", ink);
    }
    if let Some((x, mark)) = cursor {
        pen.bold(x, y, &theme.units(&mark), theme.now);
    }
}

/// Where the cursor's mark stands on the ruler and what it says: out of sight, at the edge beyond which
/// it is. At the end of the run there is none: nothing more is to come.
fn cursor_mark(moment: &Moment<'_>, glyph: &str) -> Option<(u16, String)> {
    if moment.is_over() {
        return None;
    }
    let (axis, cursor) = (moment.axis, moment.cursor);
    if cursor < axis.span.start() {
        return Some((axis.x, format!("< cursor {cursor}")));
    }
    let (x, mark) = match axis.column(cursor) {
        Some(x) => (x, format!("{glyph}{cursor}")),
        None if cursor > axis.span.end() => (axis.right(), format!("cursor {cursor} >")),
        None => return None,
    };
    let last = axis.right().saturating_sub(width(&mark));
    Some((x.min(last).max(axis.x), mark))
}

/// The shortest step that is told in hours.
const TENTH_OF_AN_HOUR: u64 = Nanos::HOUR.0 / 10;

/// The shortest of 1, 2, 5 times a power of ten of a nanosecond, or of a tenth of an hour, that leaves room
/// between ticks: nine columns, or more if their labels are long.
fn step(axis: Axis) -> Nanos {
    let step = step_from(1, axis);
    if axis.span.end().0 < Nanos::HOUR.0 || step.0 < TENTH_OF_AN_HOUR {
        return step;
    }
    step_from(TENTH_OF_AN_HOUR, axis)
}

/// The shortest of 1, 2, 5 times a power of ten of `part` that does.
fn step_from(part: u64, axis: Axis) -> Nanos {
    let end = axis.span.end();
    let fits = |step: u64| {
        let room = 9.max(width(&tick_label(end, Nanos(step), end)) + 2);
        let columns = u128::from(step) * u128::from(axis.width);
        columns >= u128::from(room) * u128::from(axis.span.length().0.max(1))
    };
    // Shorter ones leave no room for nine columns.
    let least = u128::from(axis.span.length().0) * 9 / u128::from(axis.width.max(1));
    let least = (least / u128::from(part)).clamp(1, 1_000_000_000_000_000);
    let mut power = part.saturating_mul(10_u64.pow(least.ilog10()));
    loop {
        for step in [power, power * 2, power * 5] {
            if fits(step) || power >= 1_000_000_000_000_000 {
                return Nanos(step);
            }
        }
        power *= 10;
    }
}

/// In the unit in which the `end` of the axis reads well, with as many decimals as the step has.
fn tick_label(time: Time, step: Nanos, end: Time) -> String {
    let in_hours = end.0 >= Nanos::HOUR.0 && step.0.is_multiple_of(TENTH_OF_AN_HOUR);
    let (unit, name) = match (end.0, step.0) {
        _ if in_hours => (Nanos::HOUR.0, "h"),
        (1_000_000_000.., _) | (_, 10_000_000..) => (1_000_000_000, "s"),
        (1_000_000.., _) => (1_000_000, "ms"),
        (1_000.., _) => (1_000, "us"),
        _ => (1, "ns"),
    };
    if time == Time::ZERO {
        return format!("0 {name}");
    }
    let (mut part, mut decimals) = (unit, 0);
    while !step.0.is_multiple_of(part) {
        (part, decimals) = (part / 10, decimals + 1);
    }
    format!("{:.decimals$} {name}", time.0 as f64 / unit as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::ui::samples::{self, PLAIN, lines};
    use proptest::prelude::*;

    fn axis(from: u64, to: u64) -> Axis {
        Axis {
            x: 11,
            width: 40,
            span: Span::new(Time(from), Time(to)),
        }
    }

    /// Axes of any size, over a few nanoseconds or years.
    fn axes() -> impl Strategy<Value = Axis> {
        let length = (0u32..63).prop_flat_map(|bits| 1u64..1 << (bits + 1));
        let parts = (0u16..200, 1u16..600, 0u64..1 << 62, length);
        parts.prop_map(|(x, width, from, length)| Axis {
            x,
            width,
            span: Span::new(Time(from), Time(from + length)),
        })
    }

    proptest! {
        #[test]
        fn time_to_column_and_back_is_the_same_moment(axis in axes(), part in any::<u64>()) {
            let (from, length) = (axis.span.start(), axis.span.length().0);
            let time = from + Nanos(part % length);
            let x = axis.column(time).unwrap();
            let stretch = axis.stretch(x);
            // An edge between two columns is rounded down to whole nanoseconds.
            prop_assert!(stretch.start() <= time && time <= stretch.end());
            let back = axis.time(x);
            prop_assert!(stretch.start() <= back && back <= stretch.end());
            // Of a column of a few nanoseconds the edges may be in its neighbours.
            if length >= 4 * u64::from(axis.width) {
                prop_assert_eq!(axis.column(back), Some(x));
            }
        }
    }

    #[test]
    fn all_stretches_together_are_those_of_each_column() {
        for (from, to) in [(1_000, 8_777), (5, 5), (0, 39), (0, u64::MAX - 1)] {
            let axis = axis(from, to);
            let each = (axis.x..axis.right()).map(|x| axis.stretch(x));
            assert!(axis.stretches().eq(each), "{from} to {to}");
        }
    }

    #[test]
    fn a_long_run_has_ticks_in_hours() {
        let second = 1_000_000_000;
        let label = |from: u64, to: u64| {
            let axis = axis(from * second, to * second);
            let step = step(axis);
            tick_label(Time(2 * step.0), step, axis.span.end())
        };
        assert_eq!(label(0, 3_000), "2000 s");
        assert_eq!(label(0, 97_200), "20 h");
        assert_eq!(label(0, 7_200), "1.0 h");
        // Near the end of a long run, where a tenth of an hour is too much.
        assert_eq!(label(54_000, 54_100), "100 s");
    }

    #[test]
    fn moments_off_the_axis_have_no_column_and_the_eighths_of_its_edges() {
        let axis = axis(100, 200);
        let columns = [99, 100, 199, 200].map(|time| axis.column(Time(time)));
        assert_eq!(columns, [None, Some(11), Some(50), None]);
        assert_eq!((axis.eighth(Time(0)), axis.eighth(Time::NEVER)), (0, 320));
    }

    #[test]
    fn a_cursor_out_of_sight_is_at_the_edge_beyond_which_it_is() {
        let run = samples::run(Method::Map, 1, &[]);
        let ruler = |from: u64, to: u64| {
            let mut moment = samples::at(&run, 3, 20);
            let unit = samples::UNIT;
            moment.axis.span = Span::new(Time(from * unit), Time(to * unit));
            lines(PLAIN, (70, 1), |area, pen| render(&moment, area.y, pen)).concat()
        };
        assert!(ruler(0, 8).contains('^'));
        let (past, before) = (ruler(0, 2), ruler(5, 8));
        assert!(past.contains("cursor ") && past.ends_with(" >"), "{past}");
        assert!(before.trim().starts_with("< cursor "), "{before}");
    }

    #[test]
    fn ticks_are_round_and_not_crowded() {
        assert_eq!(step(axis(0, 960_000_000)).0, 500_000_000);
        assert_eq!(step(axis(0, 400)).0, 100);
        let label = |at, step, end| tick_label(Time(at), Nanos(step), Time(end));
        assert_eq!(label(250_000_000, 50_000_000, 900_000_000), "0.25 s");
        assert_eq!(label(3_000_000, 1_000_000, 9_000_000), "3 ms");
    }

    #[test]
    fn ticks_of_a_short_stretch_read_in_the_unit_of_its_moment() {
        let short = axis(240_000_000, 240_400_000);
        let step = step(short);
        let label = |at| tick_label(Time(at), step, short.span.end());
        assert_eq!(
            [240_100_000, 240_200_000].map(label),
            ["240.1 ms", "240.2 ms"]
        );
        for (from, length) in [(98_765_432_100_000, 500), (1_000_000_000, 77_000)] {
            let axis = axis(from, from + length);
            let step = super::step(axis);
            let label = tick_label(axis.span.end(), step, axis.span.end());
            let columns = step.0 * 40 / length;
            assert!(columns > u64::from(width(&label)), "{label}: {columns}");
        }
    }

    #[test]
    fn the_columns_that_a_span_touches_are_those_of_all() {
        for (width, length) in [(7, 100), (60, 60), (13, 5), (180, 12_345)] {
            let axis = Axis {
                x: 4,
                width,
                span: Span::new(Time(1_000), Time(1_000 + length)),
            };
            for from in (900..1_100 + length).step_by(9) {
                for to in [from, from + 1, from + length / 3, from + 2 * length] {
                    let touches =
                        |stretch: &Span| stretch.end().0 >= from && stretch.start().0 < to;
                    let near = axis.stretches_in(Span::new(Time(from), Time(to)));
                    let near: Vec<Span> = near.collect();
                    let all: Vec<Span> = axis.stretches().collect();
                    assert!(near.iter().all(|stretch| all.contains(stretch)));
                    let count = all.into_iter().filter(touches).count();
                    assert!(near.len() <= count + 2);
                    for stretch in axis.stretches().filter(touches) {
                        assert!(near.contains(&stretch), "{from} {to} {stretch:?} {near:?}");
                    }
                }
            }
        }
    }
}
