//! What each column of a lane shows: exact shares of the time in it, not samples.
//!
//! One boundary in a column is kept to an eighth; with more of them the column tells how much of its
//! time was busy, and with whom most of it. So a short task never grows to a whole cell, an idle lane
//! never looks busy, and zooming does not flicker.

use super::source::{Finder, Source};
use crate::event::CallId;
use crate::time::{Nanos, Span, Time};
use crate::trace::Piece;
use crate::ui::axis::Axis;
use crate::ui::hues;

/// Shares of a column's time, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// A task has the worker.
    pub held: f64,
    /// It computes.
    pub solid: f64,
    /// It waits for something else than a CPU.
    pub pale: f64,
}

impl Level {
    /// The share of the time it holds its worker in which it does not wait for a CPU. Tasks that hold a CPU at
    /// once share it.
    pub fn advances(self) -> f64 {
        let held = self.held.clamp(f64::EPSILON, 1.0);
        ((self.solid + self.pale) / held).min(1.0)
    }

    /// Never waits for a CPU, as far as eighths can show.
    fn is_full(self) -> bool {
        self.solid + self.pale > self.held * 15.0 / 16.0
    }

    /// All of one kind, as far as eighths can show: computing, or waiting for something else.
    pub fn is_plain(self) -> bool {
        self.solid.min(self.pale) < self.held / 16.0
    }

    pub fn is_pale(self) -> bool {
        self.pale > self.solid
    }
}

/// One side of a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub task: u32,
    pub pale: bool,
}

/// What one column of a lane shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column {
    Idle,
    /// All of it belongs to one task. `after`: the task whose box ends at the column's left edge.
    Whole {
        task: u32,
        level: Level,
        after: Option<u32>,
    },
    /// One boundary after `at` eighths, 1 to 7; `None` is idle.
    Cut {
        at: u8,
        left: Option<Part>,
        right: Option<Part>,
    },
    /// Several boundaries; most of the time belongs to `task`.
    Several {
        task: u32,
        level: Level,
    },
}

impl Column {
    /// The task that all of the column belongs to.
    pub fn whole(&self) -> Option<u32> {
        match self {
            Self::Whole { task, .. } => Some(*task),
            _ => None,
        }
    }

    /// The task is one of those that the column tells of.
    pub fn has(&self, task: u32) -> bool {
        match *self {
            Self::Whole { task: of, .. } | Self::Several { task: of, .. } => of == task,
            Self::Cut { left, right, .. } => {
                [left, right].iter().flatten().any(|part| part.task == task)
            }
            Self::Idle => false,
        }
    }

    /// All of the column belongs to one task that never waits for a CPU in it.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Whole { level, .. } if level.is_full())
    }
}

/// A task's box inside one column, in eighths of it.
#[derive(Clone, Copy)]
struct Held {
    task: u32,
    from: u8,
    to: u8,
    level: Level,
    /// It neither comes from the column before nor goes on in the next.
    inside: bool,
}

/// The columns of a lane of which something has happened. `sources` are the workers that were one after another in it,
/// as they opened; tasks stand in them by the number that [`hues::number`] gives them.
pub fn columns(
    sources: &[Source<'_>],
    axis: Axis,
    cursor: Time,
    shown: Option<CallId>,
) -> Vec<Column> {
    let mut reader = Reader {
        ahead: sources,
        near: Vec::new(),
        shown,
        pieces: Vec::new(),
        held: Vec::new(),
        filled: None,
        before: None,
        between: 0,
    };
    let mut columns = Vec::with_capacity(axis.width.into());
    let happened = axis
        .stretches()
        .take_while(|stretch| stretch.start() < cursor);
    columns.extend(happened.map(|stretch| reader.column(stretch, cursor)));
    columns
}

/// Reads a lane column by column.
struct Reader<'a> {
    /// The sources that open behind the column.
    ahead: &'a [Source<'a>],
    /// Those that may be in it, of perhaps thousands.
    near: Vec<Near<'a>>,
    shown: Option<CallId>,
    /// The pieces that touch the column.
    pieces: Vec<Piece>,
    held: Vec<Held>,
    /// The piece that filled a whole column last.
    filled: Option<Filled>,
    /// The task whose box touches the left edge of the column.
    before: Option<u32>,
    /// So many columns just before have the boundary of two boxes in them.
    between: u16,
}

/// A source that has opened and is not over.
struct Near<'a> {
    source: Source<'a>,
    finder: Finder<'a>,
    until: Time,
}

/// What a piece gives to each column that it fills.
#[derive(Clone, Copy)]
struct Filled {
    task: u32,
    until: Time,
    level: Level,
}

impl Reader<'_> {
    /// Goes on to the sources that may be in this column.
    fn approach(&mut self, stretch: Span) {
        self.near.retain(|near| near.until >= stretch.start());
        while let [next, ahead @ ..] = self.ahead {
            let (opened, until) = next.reach();
            if opened >= stretch.end() {
                break;
            }
            self.ahead = ahead;
            if until >= stretch.start() {
                self.near.push(Near {
                    source: *next,
                    finder: next.finder(),
                    until,
                });
            }
        }
    }

    fn column(&mut self, stretch: Span, cursor: Time) -> Column {
        self.approach(stretch);
        let whole = stretch.end() <= cursor;
        let between = std::mem::take(&mut self.between);
        // A worker runs one task at a time, so that nothing else can be in a column that one piece fills.
        if let Some(filled) = self.filled
            && whole
            && stretch.end() <= filled.until
            && self.is_of_one_worker()
        {
            return filled.column(self.before);
        }
        let now = Span::new(stretch.start(), stretch.end().min(cursor));
        self.pieces.clear();
        let mut crowded = false;
        for near in &mut self.near {
            crowded |= near.finder.find(now, &mut self.pieces);
        }
        for piece in &mut self.pieces {
            piece.task.index = hues::number(piece.task, self.shown);
        }
        match self.pieces[..] {
            [piece] if whole && piece.start <= stretch.start() && stretch.end() <= piece.end => {
                let filled = self.filled.insert(Filled {
                    task: piece.task.index,
                    until: piece.end,
                    level: Level::of(&piece, stretch, stretch),
                });
                let column = filled.column(self.before);
                self.before = Some(filled.task);
                column
            }
            [] => {
                self.before = None;
                Column::Idle
            }
            _ => self.mixed(stretch, now, crowded, between),
        }
    }

    fn is_of_one_worker(&self) -> bool {
        let mut near = self.near.iter().map(|near| near.source);
        matches!((near.next(), near.next()), (Some(Source::Worker(_)), None))
    }

    /// A column with the edge of a piece in it, behind so many with the boundary of two boxes.
    fn mixed(&mut self, stretch: Span, now: Span, crowded: bool, between: u16) -> Column {
        let held = &mut self.held;
        held.clear();
        for piece in &self.pieces {
            add(held, piece, stretch, now);
        }
        let level = if crowded {
            let levels = self.near.iter();
            let levels = levels.map(|near| near.source.level(now, stretch));
            levels.fold(Level::default(), Level::plus)
        } else {
            let levels = held.iter().map(|part| part.level);
            levels.fold(Level::default(), Level::plus)
        };
        // What rounds to nothing here shows in the neighbouring column that has the rest of it.
        held.retain(|part| part.from < part.to || part.inside);
        let before = self.before;
        self.before = held
            .last()
            .filter(|part| part.to == 8)
            .map(|part| part.task);
        let several = crowded || held.iter().any(|part| part.from == part.to);
        match held[..] {
            [] => Column::Idle,
            [one] if (one.from, one.to) == (0, 8) && !several => Column::Whole {
                task: one.task,
                level: one.level,
                after: before.filter(|&task| task != one.task),
            },
            [one] if !several && one.level.is_full() && (one.from == 0 || one.to == 8) => {
                let part = Some(one.part());
                if one.from == 0 {
                    cut(one.to, part, None)
                } else {
                    cut(one.from, None, part)
                }
            }
            [left, right]
                if !several
                    && (left.from, left.to, right.to) == (0, right.from, 8)
                    && left.level.is_full()
                    && right.level.is_full() =>
            {
                self.between = between + 1;
                // A single box so narrow is told apart on both sides.
                if between >= 2 {
                    left.or(right, level)
                } else {
                    cut(left.to, Some(left.part()), Some(right.part()))
                }
            }
            _ => {
                let most = held
                    .iter()
                    .max_by(|a, b| a.level.held.total_cmp(&b.level.held));
                most.map_or(Column::Idle, |most| Column::Several {
                    task: most.task,
                    level,
                })
            }
        }
    }
}

impl Filled {
    fn column(self, before: Option<u32>) -> Column {
        Column::Whole {
            task: self.task,
            level: self.level,
            after: before.filter(|&before| before != self.task),
        }
    }
}

fn cut(at: u8, left: Option<Part>, right: Option<Part>) -> Column {
    Column::Cut { at, left, right }
}

impl Held {
    /// The column as that of the larger of two boxes. Where box after box is about a column wide, the gaps between
    /// them would take half of the lane.
    fn or(self, right: Self, level: Level) -> Column {
        let most = if self.to < 4 { right } else { self };
        Column::Several {
            task: most.task,
            level,
        }
    }

    fn part(self) -> Part {
        Part {
            task: self.task,
            pale: self.level.is_pale(),
        }
    }
}

impl Level {
    /// What a piece adds to a column by the part of it in `now`, spread evenly over the piece.
    pub fn of(piece: &Piece, now: Span, column: Span) -> Self {
        let part = Span::new(piece.start, piece.end).overlap(now);
        let share = |part: Nanos, whole: Nanos| part.0 as f64 / whole.0.max(1) as f64;
        let held = share(part, column.length());
        let length = piece.length();
        let plain = Self {
            held,
            solid: held,
            pale: 0.0,
        };
        if !piece.known || !piece.end.happened() || length == Nanos::ZERO {
            return plain;
        }
        let quiet = piece.useful_wait + piece.blocked();
        if quiet + piece.waiting == Nanos::ZERO {
            return plain;
        }
        let waiting = share(piece.waiting, length).min(1.0);
        let pale = share(quiet, length).min(1.0 - waiting);
        Self {
            held,
            solid: held * (1.0 - waiting - pale),
            pale: held * pale,
        }
    }

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            held: self.held + other.held,
            solid: self.solid + other.solid,
            pale: self.pale + other.pale,
        }
    }
}

/// Adds a piece to the boxes of a column; pieces of one task that touch are one box.
fn add(held: &mut Vec<Held>, piece: &Piece, stretch: Span, now: Span) {
    let from = piece.start.max(now.start());
    let to = piece.end.min(now.end());
    let eighth = |time: Time| {
        let length = stretch.length().0.max(1);
        let since = time.since(stretch.start()).0.min(length);
        (since.saturating_mul(8).saturating_add(length / 2) / length) as u8
    };
    let part = Held {
        task: piece.task.index,
        from: eighth(from),
        to: eighth(to),
        level: Level::of(piece, now, stretch),
        inside: piece.start >= now.start() && piece.end <= now.end(),
    };
    match held.last_mut() {
        Some(last) if last.task == part.task && last.to >= part.from => {
            last.to = part.to;
            last.level = last.level.plus(part.level);
            last.inside &= part.inside;
        }
        _ => held.push(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        CallBegan, CallId, Event, Indexes, Kind, LaneId, LaneKind, LaneOpened, Outcome, Ran, TaskId,
    };
    use crate::trace::Trace;

    const LANE: LaneId = LaneId(1);

    /// One worker with tasks one after another: start, end, time on a CPU, time waiting for one.
    fn trace(tasks: &[(u64, u64, u64, u64)]) -> Trace {
        let event = |at, kind| Event {
            at: Time(at),
            lane: LANE,
            kind,
        };
        let opened = LaneOpened {
            kind: LaneKind::Worker,
            pool: None,
            name: "w".into(),
            pid: None,
            tid: None,
        };
        let call = CallBegan {
            call: CallId(0),
            pool: None,
            method: "map".into(),
            function: "f".into(),
            source: None,
            tasks: Some(tasks.len() as u32),
            chunksize: Some(1),
        };
        let mut events = vec![
            event(0, Kind::LaneOpened(Box::new(opened))),
            event(0, Kind::CallBegan(Box::new(call))),
        ];
        for (&(start, end, on_cpu, waiting), index) in tasks.iter().zip(0..) {
            let task = TaskId {
                call: CallId(0),
                index,
            };
            let ran = Ran {
                task,
                since: Time(start),
                on_cpu: Nanos(on_cpu),
                waiting: Nanos(waiting),
                useful_wait: Nanos::ZERO,
                cpu: None,
                moved_to: None,
            };
            let submitted = Kind::Submitted {
                call: CallId(0),
                tasks: Indexes::one(index),
            };
            events.push(event(start, submitted));
            events.push(event(start, Kind::Started { task, cpu: None }));
            events.push(event(end, Kind::Ran(Box::new(ran))));
            let outcome = Outcome::Ok;
            events.push(event(
                end,
                Kind::Finished {
                    task,
                    outcome,
                    cpu: None,
                },
            ));
        }
        let mut trace = Trace::default();
        trace.apply(events);
        trace
    }

    /// The columns of the lane, 80 nanoseconds each.
    fn drawn(trace: &Trace, columns: u16) -> Vec<Column> {
        let lane = trace.lane(LANE).unwrap();
        let axis = Axis {
            x: 0,
            width: columns,
            span: Span::new(Time::ZERO, Time(u64::from(columns) * 80)),
        };
        super::columns(
            &[Source::Worker(lane)],
            axis,
            Time(u64::from(columns) * 80),
            None,
        )
    }

    fn part(task: u32) -> Part {
        Part { task, pale: false }
    }

    #[test]
    fn one_boundary_is_kept_to_an_eighth() {
        let trace = trace(&[(0, 110, 110, 0), (110, 240, 130, 0)]);
        let columns = drawn(&trace, 3);
        assert_eq!(columns[0].whole(), Some(0));
        assert_eq!(columns[1], cut(3, Some(part(0)), Some(part(1))));
        assert_eq!(columns[2].whole(), Some(1));
    }

    #[test]
    fn boxes_that_touch_at_the_edge_of_a_column_are_told_apart() {
        let trace = trace(&[(0, 80, 80, 0), (80, 160, 80, 0)]);
        let columns = drawn(&trace, 2);
        assert!(matches!(columns[1], Column::Whole { after: Some(0), .. }));
    }

    #[test]
    fn several_boundaries_tell_the_exact_share() {
        let trace = trace(&[(0, 11, 11, 0), (20, 23, 3, 0), (31, 57, 26, 0)]);
        let Column::Several { task, level } = drawn(&trace, 1)[0] else {
            panic!("several boxes are in this column");
        };
        assert_eq!(task, 2);
        assert!((level.held - 0.5).abs() < 1e-9 && (level.solid - 0.5).abs() < 1e-9);
    }

    #[test]
    fn what_is_too_narrow_to_show_counts_in_the_share() {
        let tasks = [(0, 83), (83, 105), (105, 130), (130, 157), (157, 240)];
        let trace = trace(&tasks.map(|(start, end)| (start, end, end - start, 0)));
        let columns = drawn(&trace, 3);
        assert!(
            matches!(columns[1], Column::Several { level, .. } if (level.held - 1.0).abs() < 1e-9)
        );
    }

    #[test]
    fn boxes_about_a_column_wide_leave_no_gap_in_each() {
        let tasks = [(0, 40), (40, 120), (120, 200), (200, 280), (280, 320)];
        let trace = trace(&tasks.map(|(start, end)| (start, end, end - start, 0)));
        let columns = drawn(&trace, 4);
        for column in &columns[..2] {
            assert!(matches!(column, Column::Cut { at: 4, .. }), "{column:?}");
        }
        for (column, of) in columns[2..].iter().zip([2, 3]) {
            assert!(
                matches!(column, Column::Several { task, level } if *task == of && (level.held - 1.0).abs() < 1e-9),
                "{column:?}"
            );
        }
    }

    #[test]
    fn a_task_of_no_width_is_seen_and_does_not_fill_its_column() {
        let trace = trace(&[(101, 103, 2, 0)]);
        let columns = drawn(&trace, 3);
        assert!(matches!(columns[1], Column::Several { task: 0, level } if level.held < 0.03));
        assert_eq!((columns[0], columns[2]), (Column::Idle, Column::Idle));
    }

    #[test]
    fn time_waiting_for_a_cpu_is_missing_from_the_height_and_other_waiting_is_pale() {
        let trace = trace(&[(0, 80, 20, 60), (80, 160, 20, 20)]);
        let columns = drawn(&trace, 2);
        let share = |column: &Column| match column {
            Column::Whole { level, .. } => {
                [level.solid, level.pale].map(|share| (share * 8.0).round())
            }
            _ => panic!("a whole column"),
        };
        assert_eq!(share(&columns[0]).as_slice(), [2.0, 0.0]);
        assert_eq!(share(&columns[1]).as_slice(), [2.0, 4.0]);
    }

    #[test]
    fn sums_are_exact_where_not_every_piece_is_looked_at() {
        let tasks: Vec<_> = (0..4_000).map(|k| (k * 2, k * 2 + 1, 1, 0)).collect();
        let trace = trace(&tasks);
        let lane = trace.lane(LANE).unwrap();
        let axis = Axis {
            x: 0,
            width: 1,
            span: Span::new(Time::ZERO, Time(8_000)),
        };
        let columns = super::columns(&[Source::Worker(lane)], axis, Time::NEVER, None);
        assert!(
            matches!(columns[0], Column::Several { level, .. } if (level.held - 0.5).abs() < 1e-9)
        );
    }

    #[test]
    fn nothing_is_drawn_after_the_cursor() {
        let trace = trace(&[(0, 240, 240, 0)]);
        let lane = trace.lane(LANE).unwrap();
        let axis = Axis {
            x: 0,
            width: 3,
            span: Span::new(Time::ZERO, Time(240)),
        };
        let columns = super::columns(&[Source::Worker(lane)], axis, Time(120), None);
        assert_eq!(columns.len(), 2);
        assert_eq!(columns[1], cut(4, Some(part(0)), None));
    }
}
