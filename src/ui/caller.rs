//! The main program: what it does, and the results it receives, each at the moment it can use it.

mod ending;

use ratatui::layout::Rect;

use super::Moment;
use super::hues::{Hues, known};
use super::lanes::GUTTER;
use super::text::{Pen, clipped, sanitised, width};
use crate::event::{CALLER_ON_CPU, CallerState};
use crate::time::{Nanos, Span, Time};
use crate::trace::{CallerTrace, Order, Trace};
use ending::Ending;

/// States of one column that are looked at one by one.
const LOOKED_AT: usize = 48;

/// A main program that was on a CPU for less of a stretch does no work: it waits, and nobody tells for what.
const IDLE: f64 = 0.05;
/// What it does now is what it did for so long.
const JUST_NOW: Nanos = Nanos(100_000_000);

/// Draws main's lane into the first row of the area and what it receives into the second. How it ended is
/// said behind what it received if that fits, or else in the row `spare`, if there is one.
pub fn render(moment: &Moment<'_>, area: Rect, spare: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (x, y) = (area.x, area.y);
    let name = name(moment.trace);
    pen.bold(
        x + 1,
        y,
        &clipped(&name, GUTTER - 2, theme.glyphs.grows),
        theme.text,
    );
    lane(moment, y, pen);
    if let Some(state) = moment
        .trace
        .caller()
        .and_then(|caller| caller.state_at(moment.cursor))
    {
        let ink = match state {
            CallerState::Blocked(_) => theme.wait,
            CallerState::Done => theme.dim,
            _ => theme.text,
        };
        let just_now = Span::new(moment.cursor - JUST_NOW, moment.cursor);
        let does = match on_cpu(moment, just_now) {
            Some(used) if state == CallerState::OwnWork && used < IDLE => "waits",
            _ => word(state),
        };
        pen.bold(moment.axis.right() + 1, y, does, ink);
    }
    if area.height > 1 {
        pen.text_within(x + 1, y + 1, GUTTER - 2, "receives", theme.dim);
        receives(moment, y + 1, pen);
        if let Some(ending) = Ending::of(moment.trace, moment.cursor) {
            let row = Rect {
                x: moment.axis.x,
                y: y + 1,
                width: area.right().saturating_sub(moment.axis.x),
                height: 1,
            };
            ending.render(row, spare, pen);
        }
    }
}

/// Main, or in a program the thread or process that made the call that is shown.
fn name(trace: &Trace) -> String {
    let lane = trace.call().and_then(|call| trace.lane(call.caller));
    match lane {
        Some(lane) if trace.is_program() => sanitised(&lane.facts.name),
        _ => "main".to_owned(),
    }
}

/// What main does, in one word.
pub fn word(state: CallerState) -> &'static str {
    match state {
        CallerState::Starting => "starting",
        CallerState::OwnWork => "own work",
        CallerState::RunsTasks => "runs tasks",
        CallerState::Submitting => "submitting",
        CallerState::Blocked(_) => "blocked",
        CallerState::Collecting => "collecting",
        CallerState::Done => "done",
    }
}

/// What main did most of the time in this stretch, if it did anything for half of it.
fn mostly(caller: &CallerTrace, stretch: Span, cursor: Time) -> Option<CallerState> {
    let now = Span::new(stretch.start(), stretch.end().min(cursor));
    let mut sums: Vec<(CallerState, u64)> = Vec::new();
    for (span, state) in caller.states_in(now).take(LOOKED_AT) {
        let part = span.overlap(now).0;
        match sums.iter_mut().find(|(of, _)| *of == state) {
            Some((_, sum)) => *sum += part,
            None => sums.push((state, part)),
        }
    }
    let (state, longest) = sums.into_iter().max_by_key(|(_, sum)| *sum)?;
    (state != CallerState::Done && longest * 2 >= stretch.length().0).then_some(state)
}

/// The share of a stretch that main was on a CPU, where that was asked.
fn on_cpu(moment: &Moment<'_>, stretch: Span) -> Option<f64> {
    let lane = moment.trace.caller()?.lane;
    let (used, known) = moment.trace.growth(lane, CALLER_ON_CPU, stretch)?;
    Some((used / known.0.max(1) as f64).min(1.0))
}

/// What main did in a column: its state, and of own work whether it hardly was on a CPU.
type Doing = Option<(CallerState, bool)>;

fn lane(moment: &Moment<'_>, y: u16, pen: &mut Pen<'_>) {
    let Some(caller) = moment.trace.caller() else {
        return;
    };
    let axis = moment.axis;
    let doing = |x: u16| -> (Doing, f64) {
        let stretch = axis.stretch(x);
        let state = (moment.cursor > stretch.start())
            .then(|| mostly(caller, stretch, moment.cursor))
            .flatten();
        let share = state
            .filter(|state| *state == CallerState::OwnWork)
            .and_then(|_| on_cpu(moment, stretch))
            .unwrap_or(1.0);
        (state.map(|state| (state, share < IDLE)), share)
    };
    let columns: Vec<(Doing, f64)> = (axis.x..axis.right()).map(doing).collect();
    let mut x = axis.x;
    for run in columns.chunk_by(|one, other| one.0 == other.0) {
        match run[0].0 {
            Some((CallerState::OwnWork, true)) => waits(x, y, run.len() as u16, pen),
            Some((state, _)) => {
                let shares: Vec<f64> = run.iter().map(|column| column.1).collect();
                band(state, (x, y), &shares, pen);
            }
            None => {}
        }
        x += run.len() as u16;
    }
}

/// A stretch in which main hardly was on a CPU although no pool kept it.
fn waits(x: u16, y: u16, columns: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    for x in x..x + columns {
        pen.cell(x, y, theme.glyphs.bars[1], theme.dim, theme.background);
    }
    let names = [" waits elsewhere ", " waits "];
    if let Some(name) = names.iter().find(|name| columns >= width(name) + 2) {
        pen.text(x + 1, y, name, theme.text);
    }
}

/// A stretch of one state, with its name at its begin where there is room: there it stays while the
/// stretch grows. Own work is as high in each column as its share of a CPU.
pub(super) fn band(state: CallerState, at: (u16, u16), shares: &[f64], pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let glyphs = theme.glyphs;
    let columns = shares.len() as u16;
    let (glyph, ink, ground) = match state {
        CallerState::Blocked(_) => (glyphs.main_blocked, theme.wait, theme.background),
        CallerState::OwnWork if theme.is_ascii() => {
            (glyphs.main_works, theme.dim, theme.background)
        }
        CallerState::OwnWork => (glyphs.main_works, theme.on(theme.dim), theme.dim),
        _ => (glyphs.rule, theme.faint, theme.background),
    };
    let mut is_full = true;
    for (x, share) in (at.0..).zip(shares) {
        match (share * 8.0).round() as usize {
            8.. => pen.cell(x, at.1, glyph, ink, ground),
            eighths => {
                is_full = false;
                let bar = glyphs.bars[eighths.max(1)];
                pen.cell(x, at.1, bar, theme.dim, theme.background);
            }
        }
    }
    let long = match state {
        CallerState::Blocked(call) => format!(" blocked in {} ", call.word()),
        CallerState::RunsTasks => " runs the tasks ".to_owned(),
        state => format!(" {} ", word(state)),
    };
    let names = [long, format!(" {} ", word(state))];
    if let Some(name) = names.iter().find(|name| columns >= width(name) + 2) {
        let x = at.0 + 1;
        if state == CallerState::OwnWork && is_full && !theme.is_ascii() {
            pen.bold_on(x, at.1, name, ink, ground);
        } else {
            pen.bold(x, at.1, name, theme.text);
        }
    }
}

/// How many results had reached main before column `x` ends, of those until the cursor.
fn until(moment: &Moment<'_>, delivered: &Order, x: u16) -> usize {
    delivered.until(end_of(moment, x)).len()
}

/// The last moment of a column that is not after the cursor.
fn end_of(moment: &Moment<'_>, x: u16) -> Time {
    if x + 1 == moment.axis.right() {
        // What comes at the very end of the axis belongs to its last column.
        moment.cursor
    } else {
        Time(moment.axis.stretch(x).end().0.saturating_sub(1)).min(moment.cursor)
    }
}

/// What main receives, in the row `y`.
fn receives(moment: &Moment<'_>, y: u16, pen: &mut Pen<'_>) {
    let Some(call) = moment.trace.call() else {
        return;
    };
    let (axis, theme) = (moment.axis, pen.theme);
    let hues = Hues::new(theme, moment.trace);
    let all = call.delivered.until(moment.cursor);
    let before_axis = Time(axis.span.start().0.saturating_sub(1));
    let mut first = match axis.span.start() {
        Time::ZERO => 0,
        _ => call.delivered.until(before_axis).len(),
    };
    let received = moment.trace.received(call, moment.cursor);
    let errors = received.errors();
    let mut met = errors.partition_point(|error| error.at < axis.span.start());
    // The first column that is still free for a note.
    let mut free = axis.x;
    for x in axis.x..axis.right() {
        let last = until(moment, &call.delivered, x).max(first);
        let here = all.part(first..last);
        first = last;
        let end = end_of(moment, x);
        let before = met;
        met = before.max(errors.partition_point(|error| error.at <= end));
        let raised = met > before;
        let (glyph, ink) = match here.get(here.len() / 2) {
            // An error is seen before any result of its column.
            _ if raised => (theme.glyphs.failed, theme.bad),
            Some(middle) if here.len() == 1 => (theme.glyphs.one_result, hues.task(middle.index)),
            Some(middle) => (theme.glyphs.results, hues.task(middle.index)),
            None => continue,
        };
        pen.cell(x, y, glyph, ink, theme.background);
        let is_all = here.len() > 1 && here.len() == known(call, moment.cursor) as usize;
        let note = match here.len() {
            // At an error a number would be taken for that of errors.
            _ if raised => String::new(),
            0 | 1 => String::new(),
            count if is_all => format!("all {count} at once "),
            count => count.to_string(),
        };
        let columns = width(&note);
        if x >= free + columns {
            pen.text(x - columns, y, &note, theme.dim);
        } else if is_all {
            pen.text(x + 2, y, note.trim_end(), theme.dim);
        }
        free = x + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Kind, Sample};
    use crate::experiment::{Fault, FaultKind};
    use crate::method::Method;
    use crate::ui::samples::{self, PLAIN, lines};

    fn drawn(method: Method, cursor: u64) -> Vec<String> {
        let run = samples::run(method, 1, &[]);
        let moment = samples::at(&run, cursor, 20);
        lines(PLAIN, (61, 2), |area, pen| {
            render(&moment, area, Rect::ZERO, pen);
        })
    }

    #[test]
    fn a_call_that_blocks_gives_everything_at_once() {
        assert_eq!(
            drawn(Method::Map, 12),
            [
                " main      . blocked in map() ...##                 own work",
                " receives          all 8 at once *",
            ]
        );
    }

    #[test]
    fn own_work_is_as_high_as_its_share_of_a_cpu_and_a_sleep_is_none() {
        let mut run = samples::run(Method::ImapUnordered, 1, &[]);
        let lane = run.caller().unwrap().lane;
        let unit = run
            .call()
            .unwrap()
            .tasks()
            .map(|task| task.finished.0)
            .min()
            .unwrap();
        let sample = |at: u64, used: u64| Event {
            at: Time(at * unit),
            lane,
            kind: Kind::Sample(Box::new(Sample {
                quantity: CALLER_ON_CPU.to_owned(),
                value: (used * unit) as f64,
            })),
        };
        run.apply(vec![sample(0, 0), sample(5, 0), sample(8, 2)]);
        let moment = samples::at(&run, 10, 10);
        let drawn = lines(PLAIN, (61, 1), |area, pen| {
            render(&moment, area, Rect::ZERO, pen);
        });
        assert!(drawn[0].contains("_ waits __------...."), "{drawn:?}");
    }

    #[test]
    fn results_come_one_by_one_when_they_can_be_used() {
        assert_eq!(
            drawn(Method::ImapUnordered, 10),
            [
                " main      # own work #####....                     blocked",
                " receives                 5* + +",
            ]
        );
    }

    #[test]
    fn an_error_in_the_place_of_a_result_is_marked_and_said() {
        let fault = Fault {
            task: 4,
            kind: FaultKind::Raise,
        };
        let run = samples::run(Method::ImapUnordered, 1, &[fault]);
        let drawn = |columns| {
            let moment = samples::at(&run, 12, 20);
            lines(PLAIN, (columns, 2), |area, pen| {
                render(&moment, area, Rect::ZERO, pen);
            })[1]
                .clone()
        };
        let results = " receives                  ! + + +";
        assert_eq!(drawn(80), format!("{results} next() raised"));
        let whole = "next() raised ValueError: task 4 failed (1 of 8)";
        assert_eq!(drawn(100), format!("{results} {whole}"));
    }

    #[test]
    fn a_call_that_gives_nothing_says_why() {
        let said = |kind| {
            let fault = Fault { task: 3, kind };
            let run = samples::run(Method::Map, 1, &[fault]);
            let moment = samples::at(&run, 40, 20);
            lines(PLAIN, (61, 2), |area, pen| {
                render(&moment, area, Rect::ZERO, pen);
            })[1]
                .clone()
        };
        assert_eq!(
            said(FaultKind::Raise),
            " receives   raises: 1 task failed: ValueError: task 3 failed"
        );
        assert_eq!(
            said(FaultKind::Die),
            " receives   never completes: 1 task lost"
        );
        assert_eq!(
            said(FaultKind::Hang),
            " receives   never completes: a task hangs"
        );
    }
}
