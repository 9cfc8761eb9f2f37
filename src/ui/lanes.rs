//! The lanes of workers or CPUs: who runs what, when, and with how much of a CPU.
//!
//! A lane has up to four rows of cells. Where lanes do not fit two share a row, and beyond that they
//! scroll. Height is the share of a CPU a task got, so a picture tells the same without colour.

pub mod boxes;
pub mod columns;
mod gutter;
pub mod moved;
pub mod pairs;
pub mod source;
mod track;

use ratatui::layout::Rect;

use super::Moment;
use super::hues::{self, Hues};
use super::text::{Pen, clipped};
use crate::app::Lanes;
use crate::app::selection::{self, Selection};
use crate::bytes;
use crate::event::{Ended, Outcome, RESIDENT};
use crate::time::Time;
use crate::trace::{Lane, Piece, Trace};
use boxes::{Painter, Place};
use columns::columns;
use gutter::{STATE, headings, share, state};
use source::{LOOKED_AT, Source};
use track::{Track, track};

/// Columns left of the time axis.
pub const GUTTER: u16 = 11;

/// How lanes are laid into an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub of: Lanes,
    /// Rows of cells a lane has; 0: two lanes share a row.
    pub rows: u16,
    /// The lane at the top.
    pub first: usize,
}

impl Grid {
    /// How many lanes an area of this height shows.
    pub fn lanes(self, height: u16) -> usize {
        match self.rows {
            0 => usize::from(height) * 2,
            rows => usize::from(height / rows),
        }
    }

    /// The lane at this row of the area, counted from its top.
    pub fn lane_at(self, row: u16) -> usize {
        self.first
            + match self.rows {
                0 => usize::from(row) * 2,
                rows => usize::from(row / rows),
            }
    }
}

/// Says, right of the time axis, how many lanes are in sight where not all are.
pub fn scrolled(moment: &Moment<'_>, grid: Grid, height: u16, y: u16, pen: &mut Pen<'_>) {
    let all = selection::rows(moment.trace, grid.of);
    let shown = grid.lanes(height);
    if shown < all {
        let words = format!("{shown} of {all}");
        pen.text(moment.axis.right() + 1, y, &words, pen.theme.wait);
    }
}

/// Draws the lanes that fit into the area, its gutters included.
pub fn render(
    moment: &Moment<'_>,
    grid: Grid,
    selection: Selection,
    area: Rect,
    pen: &mut Pen<'_>,
) {
    let last = selection::rows(moment.trace, grid.of).min(grid.first + grid.lanes(area.height));
    if grid.rows == 0 {
        for (row, first) in (grid.first..last).step_by(2).enumerate() {
            pair(moment, grid.of, first, area, area.y + row as u16, pen);
        }
        return;
    }
    headings(moment, area, pen);
    // In the one row there is, short names make room for the memory, in the whole column.
    let is_short = grid.rows == 1 && grid.of == Lanes::Workers && tells_memory(moment.trace);
    for (row, index) in (grid.first..last).enumerate() {
        let place = Place {
            x: moment.axis.x,
            y: area.y + row as u16 * grid.rows,
            rows: grid.rows,
        };
        if let Some(mut track) = track(moment.trace, grid.of, index) {
            if is_short && !track.short.contains(':') {
                track.name = format!("w{}", track.short);
            }
            let selected = (selection.row == Some(index)).then_some(selection);
            one(moment, &track, place, selected, area, pen);
        }
    }
}

fn pair(moment: &Moment<'_>, of: Lanes, first: usize, area: Rect, y: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let hues = Hues::new(theme, moment.trace);
    let tracks = [
        track(moment.trace, of, first),
        track(moment.trace, of, first + 1),
    ];
    let drawn = tracks.each_ref().map(|track| {
        track.as_ref().map_or_else(Vec::new, |track| {
            columns(&track.sources, moment.axis, moment.cursor, moment.shown())
        })
    });
    pairs::render(pen, hues, (moment.axis.x, y), [&drawn[0], &drawn[1]]);
    let [Some(upper), lower] = &tracks else {
        return;
    };
    let names = match lower {
        Some(lower) => format!("{}{}{}", upper.short, theme.glyphs.dot, lower.short),
        None => upper.short.clone(),
    };
    let label = match of {
        Lanes::Workers if upper.short.contains(':') => names,
        Lanes::Workers => format!("w {names}"),
        Lanes::Cpus => format!("cpu {names}"),
    };
    pen.text_within(area.x + 1, y, GUTTER - 2, &label, theme.dim);
    let mut x = moment.axis.right() + 1;
    for track in tracks.iter().flatten() {
        let end = state(moment, track, hues, (x, y), pen);
        x = (x + 5).max(end + 1);
    }
}

fn one(
    moment: &Moment<'_>,
    track: &Track<'_>,
    place: Place,
    selected: Option<Selection>,
    area: Rect,
    pen: &mut Pen<'_>,
) {
    let theme = pen.theme;
    let hues = Hues::new(theme, moment.trace);
    let y = place.bottom();
    let memory = memory(moment, track);
    let name = match memory {
        Some(memory) if place.rows < 2 => format!("{} {}", track.name, bytes::short(memory)),
        _ => track.name.clone(),
    };
    if let Some(memory) = memory.filter(|_| place.rows > 1) {
        let words = bytes::words(memory);
        pen.text_within(area.x + 1, y - 1, GUTTER - 2, &words, theme.dim);
    }
    let name = clipped(&name, GUTTER - 2, theme.glyphs.grows);
    if selected.is_some() {
        pen.text(area.x, y, theme.glyphs.here, theme.now);
        pen.bold(area.x + 1, y, &name, theme.now);
    } else {
        let several = moment.trace.is_program() && moment.trace.pools().len() > 1;
        match (several && track.row.is_some(), track.counts) {
            (true, true) => pen.bold(area.x + 1, y, &name, theme.text),
            (true, false) => pen.text(area.x + 1, y, &name, theme.dim),
            (false, _) => pen.text(area.x + 1, y, &name, theme.text),
        };
    }
    let axis = moment.axis;
    let columns = columns(&track.sources, axis, moment.cursor, moment.shown());
    let mut painter = Painter { pen, hues, place };
    painter.boxes(&columns);
    for source in &track.sources {
        if let Source::Cpu(cpu) = source {
            moved::render(moment, cpu, &columns, place, painter.pen);
        }
    }
    painter.numbers(&columns);
    for (from, to) in dead(moment, track) {
        painter.dead(from, to);
    }
    marks(moment, track, &mut painter);
    // Where the cursor is out of sight there is no edge to be seen.
    let is_in_sight = (axis.span.start()..=axis.span.end()).contains(&moment.cursor);
    if is_in_sight && !moment.is_over() && track.piece_at(moment.cursor).is_some() {
        painter.hot_edge(axis.eighth(moment.cursor), &columns);
    }
    if let Some(task) = selected.and_then(|selection| selection.task) {
        painter.select(hues::number(task, moment.shown()), &columns);
    }
    let x = axis.right() + 1;
    let end = state(moment, track, hues, (x, y), pen);
    if let Some(share) = share(moment, track).filter(|_| track.counts) {
        let words = format!("{:>3.0} %", share * 100.0);
        let blank = words.len() - words.trim_start().len();
        // A long word for the state leaves no room for all of it.
        if x + STATE + blank as u16 > end {
            pen.text(x + STATE, y, &words, theme.dim);
        }
    }
}

/// Whether any worker has told how much memory it has of its own.
fn tells_memory(trace: &Trace) -> bool {
    let mut workers = trace.rows().iter().flat_map(|row| &row.lanes);
    workers.any(|&lane| !trace.samples(lane, RESIDENT).is_empty())
}

/// The memory that the worker of this lane had resident when it last looked, where it has memory of its own.
fn memory(moment: &Moment<'_>, track: &Track<'_>) -> Option<u64> {
    let lane = track
        .workers
        .iter()
        .rfind(|lane| lane.opened <= moment.cursor)?;
    let samples = moment.trace.samples(lane.id, RESIDENT);
    let told = samples.partition_point(|sample| sample.0 <= moment.cursor);
    let (_, value) = samples[..told].last()?;
    Some(*value as u64)
}

impl Track<'_> {
    /// The piece that has the lane at this moment.
    fn piece_at(&self, at: Time) -> Option<Piece> {
        self.sources.iter().find_map(|source| source.piece_at(at))
    }
}

/// When the worker of a lane died, if it did.
fn died(lane: &Lane) -> Option<Time> {
    match lane.closed {
        Some((at, Ended::Killed | Ended::Crashed)) => Some(at),
        _ => None,
    }
}

/// What ended a worker that died, in a word: it ended itself only if it left an exit code.
fn death(exit: Option<i32>) -> &'static str {
    match exit {
        Some(0..) => "crashed",
        _ => "killed",
    }
}

/// The columns in which the lane had no live worker: from a death until the next worker, or the cursor.
fn dead(moment: &Moment<'_>, track: &Track<'_>) -> Vec<(u16, u16)> {
    let until = moment.axis.eighth(moment.cursor);
    track
        .workers
        .iter()
        .enumerate()
        .filter_map(|(index, lane)| {
            let from = moment.axis.eighth(died(lane)?);
            let next = track.workers.get(index + 1);
            let to = next.map_or(until, |next| moment.axis.eighth(next.opened).min(until));
            Some((from.div_ceil(8) as u16, (to / 8) as u16))
        })
        .collect()
}

/// Marks the boxes that came to a bad end, with a word where there is room.
fn marks(moment: &Moment<'_>, track: &Track<'_>, painter: &mut Painter<'_, '_, '_>) {
    if !moment.trace.has_bad_ends(moment.cursor) {
        return;
    }
    let glyphs = painter.pen.theme.glyphs;
    let right = moment.axis.right();
    for lane in &track.workers {
        for piece in ends_in(moment, lane) {
            let Some(call) = moment.trace.call_by(piece.task.call) else {
                continue;
            };
            let Some(task) = call.task(piece.task.index) else {
                continue;
            };
            let column = (moment.axis.eighth(piece.end).saturating_sub(1) / 8) as u16;
            match task.outcome_at(moment.cursor) {
                Some(Outcome::Failed) if task.finished == piece.end => {
                    painter.mark(column, glyphs.failed);
                    let chunk = call.chunk(call.chunk_of(piece.task.index));
                    let end = chunk.map_or(0, |chunk| chunk.tasks.end);
                    let rest = end.saturating_sub(piece.task.index + 1);
                    if rest > 0 {
                        painter.note(column + 1, right, &format!("{rest} skipped"));
                    }
                }
                Some(Outcome::Lost) if died(lane) == Some(piece.end) => {
                    painter.mark(column, glyphs.lost);
                    painter.note(column + 1, right, death(lane.exit));
                }
                _ => {}
            }
        }
    }
}

/// The pieces that ended on the axis up to the cursor, as many as there can be marks.
fn ends_in(moment: &Moment<'_>, lane: &Lane) -> impl Iterator<Item = Piece> {
    let (axis, cursor) = (moment.axis, moment.cursor);
    let mut walk = lane.walk();
    axis.stretches().flat_map(move |stretch| {
        let pieces = walk.pieces_in(stretch).iter().take(LOOKED_AT);
        pieces.filter(move |piece| {
            piece.end <= cursor && stretch.start() < piece.end && piece.end <= stretch.end()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallId, Event, Kind, Sample, TaskId};
    use crate::experiment::{Fault, FaultKind};
    use crate::method::Method;
    use crate::palette::{Charset, Depth, Look};
    use crate::time::Span;
    use crate::ui::samples::{self, PLAIN, lines};

    const COLOURED: Look = Look {
        charset: Charset::Unicode,
        depth: Depth::True,
        ..PLAIN
    };

    fn drawn(look: Look, moment: &Moment<'_>, rows: u16, height: u16) -> Vec<String> {
        let grid = Grid {
            of: Lanes::Workers,
            rows,
            first: 0,
        };
        let size = (moment.axis.right() + 13, height);
        lines(look, size, |area, pen| {
            render(moment, grid, Selection::default(), area, pen);
        })
    }

    #[test]
    fn boxes_show_who_ran_what_and_what_runs_now() {
        let run = samples::run(Method::Map, 1, &[]);
        let moment = samples::at(&run, 8, 12);
        assert_eq!(
            drawn(PLAIN, &moment, 1, 4),
            [
                " worker 0  0===============>         0    100 %",
                " worker 1  1===|5|6========>         6    100 %",
                " worker 2  2===========             idle   75 %",
                " worker 3  3=|4======|7====>         7    100 %",
            ]
        );
        assert_eq!(
            drawn(COLOURED, &moment, 1, 4),
            [
                " worker 0  0               ▌         0    100 %",
                " worker 1  1   ▏5▏6        ▌         6    100 %",
                " worker 2  2                        idle   75 %",
                " worker 3  3 ▏4      ▏7    ▌         7    100 %",
            ]
        );
    }

    #[test]
    fn a_cursor_out_of_sight_has_no_edge() {
        let run = samples::run(Method::Map, 1, &[]);
        let edges = |from: u64, to: u64| {
            let mut moment = samples::at(&run, 5, 8);
            let unit = |units: u64| Time(units * samples::UNIT);
            moment.axis.span = Span::new(unit(from), unit(to));
            drawn(COLOURED, &moment, 1, 4).concat().matches('▌').count()
        };
        assert_eq!(
            [(2, 10), (7, 15), (0, 4)].map(|(from, to)| edges(from, to)),
            [4, 0, 0]
        );
    }

    #[test]
    fn of_two_rows_the_upper_half_of_the_top_one_stays_empty() {
        let run = samples::run(Method::Map, 1, &[]);
        assert_eq!(
            drawn(COLOURED, &samples::at(&run, 8, 12), 2, 2),
            [
                "           ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▖",
                " worker 0  0               ▌         0    100 %",
            ]
        );
    }

    #[test]
    fn two_lanes_can_share_a_row() {
        let run = samples::run(Method::Map, 1, &[]);
        let moment = samples::at(&run, 8, 12);
        assert_eq!(
            drawn(COLOURED, &moment, 0, 2),
            [
                " w 0·1     ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀          0    6",
                " w 2·3     ▀▀▀▀▀▀▀▀▀▀▀▀▄▄▄▄         idle  7",
            ]
        );
        assert_eq!(
            drawn(PLAIN, &moment, 0, 2),
            [
                " w 0-1     ================          0    6",
                " w 2-3     ============----         idle  7",
            ]
        );
    }

    #[test]
    fn what_ended_badly_is_marked_and_said() {
        let fault = |task, kind| Fault { task, kind };
        let faults = [fault(2, FaultKind::Raise), fault(4, FaultKind::Die)];
        let run = samples::run(Method::ImapUnordered, 2, &faults);
        assert_eq!(
            drawn(PLAIN, &samples::at(&run, 20, 25), 1, 4),
            [
                " worker 0  0=================|1==                             idle   85 %",
                " worker 1  2==========!1 skipped                              idle   46 %",
                " worker 2  4======Xkilled                                     idle   31 %",
                " worker 3  6===============|7========                         idle  100 %",
            ]
        );
        for rows in 1..=6 {
            let drawn = drawn(COLOURED, &samples::at(&run, 20, 25), rows, rows * 4).concat();
            let marks = ["✗", "†"].map(|mark| drawn.matches(mark).count());
            assert_eq!(marks, [1, 1], "{rows}");
        }
    }

    #[test]
    fn where_memory_is_told_all_names_are_short() {
        let mut run = samples::run(Method::Map, 1, &[]);
        let told = run.rows()[1].lanes[0];
        run.apply(vec![Event {
            at: run.end(),
            lane: told,
            kind: Kind::Sample(Box::new(Sample {
                quantity: RESIDENT.to_owned(),
                value: 5.0 * f64::from(1 << 20),
            })),
        }]);
        let names = |rows| -> Vec<String> {
            let drawn = drawn(PLAIN, &samples::at(&run, 60, 12), rows, rows * 4);
            let gutter = drawn
                .iter()
                .map(|line| line.get(..11).unwrap_or(line).trim());
            gutter
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(names(1), ["w0", "w1 5.0M", "w2", "w3"]);
        assert_eq!(names(2)[1..3], ["5.0 MiB", "worker 1"]);
    }

    #[test]
    fn a_word_and_a_share_never_run_into_each_other() {
        let fault = Fault {
            task: 0,
            kind: FaultKind::Die,
        };
        let run = samples::run_of(Method::Map, 1, &[fault], |experiment| {
            experiment.policy = crate::experiment::Policy::Executor;
        });
        let drawn = drawn(PLAIN, &samples::at(&run, 10, 12), 1, 4);
        let ends: Vec<&str> = drawn.iter().map(|line| line[36..].trim()).collect();
        assert_eq!(ends, ["killed", "killed", "killed 67 %", "killed"]);
    }

    #[test]
    fn only_a_worker_without_an_exit_code_was_killed() {
        let words = [Some(9), Some(-9), None].map(death);
        assert_eq!(words, ["crashed", "killed", "killed"]);
    }

    #[test]
    fn a_cpu_that_had_nothing_to_do_is_seen() {
        let run = samples::run(Method::Apply, 1, &[]);
        assert_eq!(
            (run.cpus().len(), selection::rows(&run, Lanes::Cpus)),
            (1, 4)
        );
        let grid = Grid {
            of: Lanes::Cpus,
            rows: 0,
            first: 0,
        };
        let moment = samples::at(&run, 8, 12);
        let drawn = lines(PLAIN, (48, 2), |area, pen| {
            render(&moment, grid, Selection::default(), area, pen);
        });
        assert_eq!(drawn[1], " cpu 2-3                            idle idle");
    }

    #[test]
    fn lanes_out_of_sight_are_counted() {
        let run = samples::run(Method::Map, 1, &[]);
        let moment = samples::at(&run, 8, 12);
        let grid = Grid {
            of: Lanes::Workers,
            rows: 1,
            first: 2,
        };
        let drawn = lines(PLAIN, (48, 3), |area, pen| {
            let selection = Selection {
                row: Some(3),
                task: Some(TaskId {
                    call: CallId(0),
                    index: 4,
                }),
            };
            let lanes = Rect { height: 2, ..area };
            render(&moment, grid, selection, lanes, pen);
            scrolled(&moment, grid, 2, 2, pen);
        });
        assert_eq!(
            drawn,
            [
                " worker 2  2===========             idle   75 %",
                ">worker 3  3=[4]=====|7====>         7    100 %",
                "                                    2 of 4",
            ]
        );
    }

    #[test]
    fn rows_of_the_screen_and_lanes_belong_together() {
        let grid = |rows| Grid {
            of: Lanes::Workers,
            rows,
            first: 4,
        };
        assert_eq!((grid(3).lane_at(5), grid(3).lanes(7)), (5, 2));
        assert_eq!((grid(0).lane_at(1), grid(0).lanes(7)), (6, 14));
    }
}
