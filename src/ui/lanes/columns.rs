//! What each column of a lane shows: exact shares of the time in it, not samples.
//!
//! One boundary in a column is kept to an eighth; with more of them the column tells how much of its
//! time was busy, and with whom most of it. So a short task never grows to a whole cell, an idle lane
//! never looks busy, and zooming does not flicker.

use super::source::Source;
use crate::time::{Nanos, Span, Time};
use crate::trace::Piece;
use crate::ui::axis::Axis;

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
    /// Never waits for a CPU, as far as eighths can show.
    fn is_full(self) -> bool {
        self.solid + self.pale > self.held * 15.0 / 16.0
    }

    fn is_pale(self) -> bool {
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

/// The columns of a lane up to the cursor. `sources` are the workers that were one after another in it.
pub fn columns(sources: &[Source<'_>], axis: Axis, cursor: Time) -> Vec<Column> {
    let mut before = None;
    (axis.x..axis.right())
        .map(|x| {
            let stretch = axis.stretch(x);
            let (column, edge) = column(sources, stretch, cursor, before);
            before = edge;
            column
        })
        .collect()
}

/// The column and the task whose box touches its right edge.
fn column(
    sources: &[Source<'_>],
    stretch: Span,
    cursor: Time,
    before: Option<u32>,
) -> (Column, Option<u32>) {
    if cursor <= stretch.start() {
        return (Column::Idle, None);
    }
    let now = Span::new(stretch.start(), stretch.end().min(cursor));
    let mut held: Vec<Held> = Vec::new();
    let mut crowded = false;
    for source in sources {
        let (pieces, sampled) = source.pieces(now);
        crowded |= sampled;
        for piece in &pieces {
            add(&mut held, piece, stretch, now);
        }
    }
    // What rounds to nothing here shows in the neighbouring column that has the rest of it.
    held.retain(|part| part.from < part.to || part.inside);
    let edge = held
        .last()
        .filter(|part| part.to == 8)
        .map(|part| part.task);
    let several = crowded || held.iter().any(|part| part.from == part.to);
    let column = match held[..] {
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
            cut(left.to, Some(left.part()), Some(right.part()))
        }
        _ => {
            let most = held
                .iter()
                .max_by(|a, b| a.level.held.total_cmp(&b.level.held));
            let levels = sources.iter().map(|source| source.level(now, stretch));
            let level = levels.fold(Level::default(), Level::plus);
            most.map_or(Column::Idle, |most| Column::Several {
                task: most.task,
                level,
            })
        }
    };
    (column, edge)
}

fn cut(at: u8, left: Option<Part>, right: Option<Part>) -> Column {
    Column::Cut { at, left, right }
}

impl Held {
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
        let held = part.seconds() / column.length().seconds().max(1e-9);
        let length = piece.length().seconds();
        if !piece.known || !piece.end.happened() || length <= 0.0 {
            return Self {
                held,
                solid: held,
                pale: 0.0,
            };
        }
        let share = |time: Nanos| (time.seconds() / length).clamp(0.0, 1.0);
        let waiting = share(piece.waiting);
        let pale = share(piece.useful_wait + piece.blocked()).min(1.0 - waiting);
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
        let length = u128::from(stretch.length().0.max(1));
        let since = u128::from(time.since(stretch.start()).0);
        ((since * 8 + length / 2) / length).min(8) as u8
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
