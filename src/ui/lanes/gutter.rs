//! Right of a lane: what it does at the cursor, and the share of the time in which it worked.

use ratatui::layout::Rect;

use super::columns::Level;
use super::track::{Track, is_main};
use super::{death, died};
use crate::time::{Nanos, Span, Time};
use crate::trace::{Lane, Piece};
use crate::ui::hues::{self, Hues};
use crate::ui::text::{Pen, width};
use crate::ui::{Moment, caller, timebar};

/// Columns of what a lane does, before its share.
pub(super) const STATE: u16 = 6;

/// A measured task says at least this often on which CPU it is.
const TOLD_EVERY: Nanos = Nanos(25_000_000);

/// Names what stands right of the axis, in the row above the lanes or, where the dispatcher has that, in
/// the one before; nowhere if there is something already.
pub(super) fn headings(moment: &Moment<'_>, area: Rect, pen: &mut Pen<'_>) {
    let x = moment.axis.right() + 1;
    // It ends where the shares end.
    let end = x + STATE + width("100 %");
    let mut rows = (area.y.saturating_sub(2)..area.y).rev();
    let free = rows.find(|&y| (x..end).all(|x| pen.is_empty(x, y)));
    if let Some(y) = free.filter(|_| end <= area.right()) {
        pen.text(x, y, "now", pen.theme.dim);
        pen.text_until(end, y, timebar::worked(moment.trace), pen.theme.dim);
    }
}

/// What the lane does at the cursor, in five columns or in one word. Answers the column after it.
pub(super) fn state(
    moment: &Moment<'_>,
    track: &Track<'_>,
    hues: Hues<'_>,
    at: (u16, u16),
    pen: &mut Pen<'_>,
) -> u16 {
    let theme = pen.theme;
    let cursor = moment.cursor;
    let task = running(moment, track).filter(|_| !moment.is_over());
    if let Some(piece) = task {
        let ink = hues.task(hues::number(piece.task, moment.shown()));
        let chip = chip(piece.task.index, theme.is_ascii());
        return if theme.is_bare() {
            pen.bold(at.0, at.1, &chip, theme.text)
        } else {
            pen.bold_on(at.0, at.1, &chip, theme.on(ink), ink)
        };
    }
    let here = track.here;
    let last = track.row.and_then(|row| row.lanes.last());
    let died = here.is_some_and(|lane| died(lane).is_some_and(|at| at <= cursor));
    let main = track.row.filter(|row| is_main(moment.trace, row));
    let main = main.and_then(|_| moment.trace.caller()?.state_at(cursor));
    let (word, ink) = match here {
        _ if main.is_some() => (main.map_or("", caller::word), theme.dim),
        Some(lane) if died && last != Some(&lane.id) => ("restart", theme.bad),
        Some(lane) if died && moment.trace.is_ended_by_pool(lane) => {
            (death(moment.trace, lane), theme.dim)
        }
        Some(lane) if died => (death(moment.trace, lane), theme.bad),
        Some(lane) if moment.trace.hangs(lane, cursor) => ("hangs", theme.bad),
        Some(lane) if moment.trace.is_program() && has_left(lane, cursor) => ("ended", theme.dim),
        None if track.row.is_some() => ("starts", theme.dim),
        // What other programs do on a CPU nobody told.
        None if recent(moment, track).is_some() => ("?", theme.dim),
        None => ("none", theme.dim),
        _ => ("idle", theme.dim),
    };
    pen.text(at.0, at.1, word, ink)
}

/// The number of a task in the columns that leave room for the share: of a long one its end, as neighbours differ
/// there.
fn chip(index: u32, is_ascii: bool) -> String {
    let number = index.to_string();
    let more = if is_ascii { "~" } else { "…" };
    match number.len().checked_sub(usize::from(STATE) - 1) {
        Some(over @ 1..) => format!("{more}{}", &number[over + 1..]),
        _ => format!("{number:^4}"),
    }
}

/// The piece that has the lane at the cursor, or most likely has.
fn running(moment: &Moment<'_>, track: &Track<'_>) -> Option<Piece> {
    let runs_on = |piece: &Piece| {
        let call = moment.trace.call_by(piece.task.call);
        call.is_some_and(|call| call.ran(piece.task.index).1 > moment.cursor)
    };
    track.now.or_else(|| recent(moment, track).filter(runs_on))
}

/// On which CPU a measured task is, is told every few milliseconds, afterwards: the last that is known of one just
/// before the cursor, if more may come.
fn recent(moment: &Moment<'_>, track: &Track<'_>) -> Option<Piece> {
    let cursor = moment.cursor;
    let measured = moment.trace.run().is_some_and(|run| run.measured);
    let all_told = moment.is_over() || cursor + TOLD_EVERY < moment.trace.end();
    if !measured || track.row.is_some() || all_told {
        return None;
    }
    let span = Span::new(cursor - TOLD_EVERY, cursor);
    track.sources.iter().find_map(|source| source.last_in(span))
}

/// The worker ended well, or its pool did.
fn has_left(lane: &Lane, at: Time) -> bool {
    lane.closed.is_some_and(|(closed, _)| closed <= at)
}

/// The share of the time so far in which the lane worked: a task of it computed, or had the wait that it
/// asked for.
pub(super) fn share(moment: &Moment<'_>, track: &Track<'_>) -> Option<f64> {
    if let Some(row) = track.row {
        return moment.trace.row_worked(row, moment.cursor);
    }
    let makespan = moment.trace.makespan_at(moment.cursor);
    let end = makespan.unwrap_or(moment.trace.end());
    let from = moment.trace.counted_from();
    let whole = Span::new(from, moment.cursor.min(end).max(from));
    if whole.length() == Nanos::ZERO {
        return None;
    }
    let levels = track
        .sources
        .iter()
        .map(|source| source.level(whole, whole));
    let level = levels.fold(Level::default(), Level::plus);
    Some(level.solid + level.pale)
}

#[cfg(test)]
mod tests {
    use super::chip;
    use crate::app::Lanes;
    use crate::app::selection::Selection;
    use crate::event::{
        CallBegan, CallId, CpuId, Event, Indexes, Kind, LaneId, Outcome, Ran, TaskId,
    };
    use crate::experiment::{Fault, FaultKind};
    use crate::method::Method;
    use crate::time::{Nanos, Time};
    use crate::trace::Trace;
    use crate::ui::lanes::{self, Grid};
    use crate::ui::samples::{self, PLAIN, UNIT, lines};
    use ratatui::layout::Rect;

    /// Of two workers that start on CPU 0 one sleeps from 0 to 20 ms, the other computes from 2 to 6.
    fn one_sleeps() -> Trace {
        let mut trace = samples::of_python(Some(Nanos::ZERO));
        let call = CallId(0);
        let cpu = Some(CpuId(0));
        let began = CallBegan {
            call,
            pool: None,
            method: "map".into(),
            function: "f".into(),
            source: None,
            tasks: Some(2),
            chunksize: Some(1),
        };
        let of = |index| TaskId { call, index };
        let ran = |index, since: u64, [on_cpu, useful_wait]: [u64; 2]| {
            Kind::Ran(Box::new(Ran {
                task: of(index),
                since: Time(since * UNIT),
                on_cpu: Nanos(on_cpu * UNIT),
                waiting: Nanos::ZERO,
                useful_wait: Nanos(useful_wait * UNIT),
                cpu,
                moved_to: None,
            }))
        };
        let ends = |index| Kind::Finished {
            task: of(index),
            outcome: Outcome::Ok,
            cpu,
        };
        let tasks = Indexes { first: 0, end: 2 };
        let kinds = [
            (0, 0, Kind::CallBegan(Box::new(began))),
            (0, 0, Kind::Submitted { call, tasks }),
            (0, 1, Kind::Started { task: of(0), cpu }),
            (2, 2, Kind::Started { task: of(1), cpu }),
            (6, 2, ran(1, 2, [4, 0])),
            (6, 2, ends(1)),
            (20, 1, ran(0, 0, [0, 20])),
            (20, 1, ends(0)),
            (90, 1, Kind::Marked(Box::new("all told".into()))),
        ];
        let events = kinds.map(|(at, lane, kind)| Event {
            at: Time(at * UNIT),
            lane: LaneId(lane),
            kind,
        });
        trace.apply(events.into());
        trace
    }

    /// The boxes of CPU 0 and what it does at the cursor, on an axis of so many units.
    fn cpu(run: &Trace, rows: u16, cursor: u64, end: u64) -> (String, String) {
        let moment = samples::at(run, cursor, end);
        let grid = Grid {
            of: Lanes::Cpus,
            rows,
            first: 0,
        };
        let x = usize::from(moment.axis.right());
        let drawn = lines(PLAIN, (x as u16 + 13, rows.max(1)), |area, pen| {
            lanes::render(&moment, grid, Selection::default(), area, pen);
        });
        let line = drawn.last().cloned().unwrap_or_default();
        let now = line[x + 1..].chars().take(5).collect::<String>();
        (line[11..x].to_owned(), now.trim().to_owned())
    }

    #[test]
    fn who_sleeps_is_on_no_cpu() {
        let run = one_sleeps();
        for rows in [0, 1, 3] {
            let (boxes, now) = cpu(&run, rows, 12, 12);
            let used = boxes.replace(|letter| letter != ' ', "=");
            assert_eq!(used.trim_end(), "    ========", "{rows}");
            assert_eq!(now, "none", "{rows}");
            assert_eq!(cpu(&run, rows, 4, 12).1, "1", "{rows}");
        }
    }

    #[test]
    fn of_a_cpu_nobody_says_that_it_has_no_task_before_all_is_told() {
        let mut run = one_sleeps();
        assert_eq!(cpu(&run, 1, 12, 100).1, "none");
        let ran = Ran {
            task: TaskId {
                call: CallId(0),
                index: 1,
            },
            since: Time(84 * UNIT),
            on_cpu: Nanos(4 * UNIT),
            waiting: Nanos::ZERO,
            useful_wait: Nanos::ZERO,
            cpu: Some(CpuId(0)),
            moved_to: None,
        };
        run.apply(vec![Event {
            at: Time(88 * UNIT),
            lane: LaneId(2),
            kind: Kind::Ran(Box::new(ran)),
        }]);
        // Its task is over, and the next may not have been told.
        assert_eq!(cpu(&run, 1, 90, 100).1, "?");
    }

    /// The gutters of all lanes at the end, below a row that is free.
    fn drawn(run: &Trace) -> Vec<String> {
        let moment = samples::at(run, 60, 12);
        let grid = Grid {
            of: Lanes::Workers,
            rows: 1,
            first: 0,
        };
        let drawn = lines(PLAIN, (48, 5), |area, pen| {
            let below = Rect::new(0, 1, area.width, 4);
            lanes::render(&moment, grid, Selection::default(), below, pen);
        });
        let gutter = |line: &String| line.get(36..).unwrap_or_default().to_owned();
        drawn.iter().map(gutter).collect()
    }

    #[test]
    fn a_task_that_hangs_is_no_work_and_its_worker_is_not_idle() {
        let fault = Fault {
            task: 3,
            kind: FaultKind::Hang,
        };
        let run = samples::run(Method::Imap, 1, &[fault]);
        assert_eq!(
            drawn(&run),
            [
                "now  worked",
                "idle   64 %",
                "idle   86 %",
                "idle  100 %",
                "hangs   7 %",
            ]
        );
    }

    #[test]
    fn the_share_is_that_of_the_numbers() {
        let run = samples::run_of(Method::Map, 1, &[], |experiment| experiment.cpus = Some(2));
        let shares = run.rows().iter().map(|row| {
            let worked = run.row_worked(row, run.end()).unwrap();
            format!("idle  {:>3} %", (worked * 100.0).round())
        });
        let said: Vec<String> = shares.collect();
        assert_eq!(drawn(&run)[1..], said);
        assert!(said.iter().all(|said| said < &"idle   70 %".to_owned()));
    }

    #[test]
    fn a_long_number_leaves_room_for_the_share() {
        let chips = [7, 4_567, 34_567, 123_456, 1_234_567].map(|index| chip(index, false));
        assert_eq!(chips, [" 7  ", "4567", "34567", "…3456", "…4567"]);
        assert_eq!(chip(123_456, true), "~3456");
    }

    #[test]
    fn a_loop_has_no_worker() {
        let run = samples::run(Method::Loop, 1, &[]);
        assert_eq!(drawn(&run)[1], "done  100 %");
    }
}
