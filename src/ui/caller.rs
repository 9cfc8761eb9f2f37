//! The main program: what it does, and the results it receives, each at the moment it can use it.

mod ending;
mod lane;

use ratatui::layout::Rect;

use super::Moment;
use super::hues::{Hues, known};
use super::lanes::GUTTER;
use super::text::{Pen, clipped, sanitised, width};
use super::theme::Theme;
use crate::event::CallerState;
use crate::palette::Ink;
use crate::time::{Nanos, Span, Time};
use crate::trace::{Order, Trace};
use ending::Ending;
pub(super) use lane::{Doing, band};
use lane::{IDLE, is_serial, on_cpu};

/// What it does now is what it did for so long.
const JUST_NOW: Nanos = Nanos(100_000_000);

/// Draws main's lane into the first row of the area and what it receives into the second. How it ended is
/// said behind what it received if that fits, or else in the row `spare`, if there is one; where neither has
/// room it is what main does.
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
    lane::render(moment, y, pen);
    let mut unsaid = None;
    if area.height > 1 {
        pen.text_within(x + 1, y + 1, GUTTER - 2, "receives", theme.dim);
        receives(moment, y + 1, pen);
        // Right of the axis the lanes have their headings.
        let row = Rect {
            x: moment.axis.x,
            y: y + 1,
            width: moment.axis.width,
            height: 1,
        };
        let ending = Ending::of(moment.trace, moment.cursor);
        unsaid = ending.filter(|ending| !ending.render(row, spare, pen));
    }
    let x = moment.axis.right() + 1;
    let word = unsaid.as_ref().and_then(|ending| {
        let word = ending.word(area.right().saturating_sub(x))?;
        Some((word, ending.ink(theme)))
    });
    if let Some((word, ink)) = word.or_else(|| does(moment, theme)) {
        pen.bold(x, y, word, ink);
    }
}

/// What main does at the cursor.
fn does(moment: &Moment<'_>, theme: Theme) -> Option<(&'static str, Ink)> {
    let state = moment.trace.caller()?.state_at(moment.cursor)?;
    let ink = match state {
        CallerState::Blocked(_) => theme.wait,
        CallerState::Done => theme.dim,
        _ => theme.text,
    };
    let just_now = Span::new(moment.cursor - JUST_NOW, moment.cursor);
    let word = match on_cpu(moment, just_now) {
        Some(used) if state == CallerState::OwnWork && used < IDLE => "waits",
        _ if state == CallerState::OwnWork && is_serial(moment.trace, moment.cursor) => "serial",
        _ => word(state),
    };
    Some((word, ink))
}

/// Main, or in a program the thread or process that made the call that is shown.
fn name(trace: &Trace) -> String {
    let lane = trace.call().and_then(|call| trace.lane(call.caller));
    match lane {
        Some(lane) if trace.is_program() => {
            let name = sanitised(&lane.facts.name);
            as_lane(&name, trace.pools().len() > 1).unwrap_or(name)
        }
        _ => "main".to_owned(),
    }
}

/// `worker 0 of pool 1` as its own lane is named.
fn as_lane(name: &str, has_others: bool) -> Option<String> {
    let (worker, pool) = name.strip_prefix("worker ")?.split_once(" of pool ")?;
    Some(if has_others {
        format!("{pool}: w{worker}")
    } else {
        format!("worker {worker}")
    })
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

/// How many results had reached main before column `x` ends, of those until the cursor.
fn until(moment: &Moment<'_>, delivered: &Order, x: u16) -> usize {
    delivered.until(end_of(moment, x)).len()
}

/// The last moment of a column that is not after the cursor.
fn end_of(moment: &Moment<'_>, x: u16) -> Time {
    let axis = moment.axis;
    let end = axis.stretch(x).end();
    // What comes at the very end of the axis belongs to its last column; what comes later is not on it.
    let is_last = x + 1 == axis.right();
    let last = if is_last {
        end
    } else {
        Time(end.0.saturating_sub(1))
    };
    last.min(moment.cursor)
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
    use crate::event::{CALLER_ON_CPU, Event, Kind, Sample};
    use crate::experiment::{Fault, FaultKind, MainWork};
    use crate::method::Method;
    use crate::ui::samples::{self, PLAIN, lines};
    use crate::workload::Costs;

    #[test]
    fn a_worker_that_calls_is_named_as_its_lane() {
        let named = |others| as_lane("worker 12 of pool 3", others);
        assert_eq!(named(true).as_deref(), Some("3: w12"));
        assert_eq!(named(false).as_deref(), Some("worker 12"));
        assert_eq!(as_lane("MainThread", true), None);
    }

    #[test]
    fn a_column_of_very_many_states_is_what_main_did_most() {
        let unit = samples::UNIT / 100;
        let many = samples::run_of(Method::Apply, 1, &[], |experiment| {
            let cost = Nanos(unit);
            experiment.costs = Costs::List((0..1_000).map(|_| cost).collect());
            experiment.main_work = MainWork::Fixed(Nanos::ZERO);
        });
        let moment = samples::at(&many, 10, 10);
        let drawn = lines(PLAIN, (61, 2), |area, pen| {
            render(&moment, area, Rect::ZERO, pen);
        });
        assert!(drawn[0].contains(" . blocked .......... "), "{drawn:?}");
    }

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
    fn starting_and_serial_work_have_their_names_where_there_is_room() {
        let run = samples::run_of(Method::Map, 1, &[], |experiment| {
            experiment.startup = Nanos(4 * samples::UNIT);
            experiment.serial = Nanos(4 * samples::UNIT);
        });
        let drawn = |cursor, columns: u16| {
            let mut moment = samples::at(&run, cursor, 40);
            moment.axis.width = columns;
            let width = moment.axis.right() + 12;
            lines(PLAIN, (width, 1), |area, pen| {
                render(&moment, area, Rect::ZERO, pen);
            })[0][11..]
                .trim_end()
                .to_owned()
        };
        let now = drawn(6, 80);
        assert!(
            now.starts_with("- starts====") && now.ends_with("serial"),
            "{now}"
        );
        assert!(drawn(30, 80).starts_with("- starts= serial. blocked"));
        assert!(drawn(30, 160).starts_with("- starting -----= serial work =="));
        // Own work is none of it.
        assert!(drawn(30, 80).contains("# own work #"));
    }

    #[test]
    fn what_main_receives_beside_the_axis_is_not_shown_on_it() {
        let fault = Fault {
            task: 4,
            kind: FaultKind::Raise,
        };
        for method in [
            Method::Map,
            Method::ApplyAsync,
            Method::Imap,
            Method::ImapUnordered,
        ] {
            for faults in [&[][..], &[fault]] {
                let run = samples::run(method, 1, faults);
                let call = run.call().unwrap();
                let received = run.received(call, run.end());
                let results = call.delivered.until(run.end());
                let results = (0..results.len()).filter_map(|place| results.get(place));
                let moments: Vec<Time> = results
                    .map(|entry| entry.at)
                    .chain(received.errors().iter().map(|error| error.at))
                    .collect();
                for from in 0..14 {
                    let mut moment = samples::at(&run, 40, 3);
                    let start = Time(from * samples::UNIT);
                    moment.axis.span = Span::new(start, start + Nanos(3 * samples::UNIT));
                    let drawn = lines(PLAIN, (40, 2), |area, pen| {
                        receives(&moment, area.y + 1, pen);
                    });
                    let seen = moments
                        .iter()
                        .any(|&at| start <= at && at <= moment.axis.span.end());
                    assert_eq!(
                        drawn[1].is_empty(),
                        !seen,
                        "{method:?} from {from}: {drawn:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_error_in_the_place_of_a_result_is_marked_and_said() {
        let fault = Fault {
            task: 4,
            kind: FaultKind::Raise,
        };
        let run = samples::run(Method::ImapUnordered, 1, &[fault]);
        let drawn = |units| {
            let moment = samples::at(&run, 12, units);
            lines(PLAIN, (90, 2), |area, pen| {
                render(&moment, area, Rect::ZERO, pen);
            })[1]
                .clone()
        };
        let results = " receives                  ! + + +";
        assert_eq!(drawn(15), " receives   next() raised  ! + + +");
        assert_eq!(drawn(20), format!("{results} next() raised"));
        let whole = "next() raised ValueError: task 4 failed";
        assert_eq!(drawn(36), format!("{results} {whole}"));
    }

    #[test]
    fn a_call_that_gives_nothing_says_why() {
        let said = |kind| {
            let fault = Fault { task: 3, kind };
            let run = samples::run(Method::Map, 1, &[fault]);
            let moment = samples::at(&run, 40, 30);
            lines(PLAIN, (84, 2), |area, pen| {
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

    #[test]
    fn what_never_completes_leaves_the_headings_of_the_lanes_their_place() {
        let fault = Fault {
            task: 0,
            kind: FaultKind::Hang,
        };
        let run = samples::run(Method::ImapUnordered, 1, &[fault]);
        let drawn = |units| {
            let moment = samples::at(&run, 40, units);
            lines(PLAIN, (31 + units as u16, 2), |area, pen| {
                render(&moment, area, Rect::ZERO, pen);
            })
        };
        for units in 4..40 {
            let drawn = drawn(units);
            let axis = usize::from(super::GUTTER) + 2 * units as usize;
            assert!(drawn[1].len() <= axis, "{drawn:?}");
            assert!(drawn.concat().contains("never"), "{drawn:?}");
        }
    }
}
