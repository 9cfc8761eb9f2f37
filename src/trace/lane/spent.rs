//! Shares out what a worker had of the CPUs in a stretch among the tasks it had meanwhile.
//!
//! 1. What was told of parts of the stretch before stays, as far as it fits into what is told now.
//! 2. Tasks are given the rest first, and what lies between them only what they cannot have had. So of a
//!    worker that was on a CPU all along each task was that too: nothing is guessed.
//! 3. Where it was not, tasks are given parts in proportion to their lengths. Their sum is right; which of
//!    them lost how much is not known.
//! 4. Where nobody tells how long it waited for a CPU, as much as it was on none stays unknown.

use super::{BLOCK, Lane, Piece};
use crate::event::{Spent, TaskId};
use crate::time::{Nanos, Span, Time};
use std::ops::Range;

/// What is known of a stretch of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::trace) struct Account {
    pub(in crate::trace) on_cpu: Nanos,
    pub(in crate::trace) waiting: Nanos,
    /// The length of what is accounted for.
    pub(in crate::trace) known: Nanos,
}

/// What was known of a stretch of a task, and what is known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::trace) struct Change {
    pub(in crate::trace) task: TaskId,
    pub(in crate::trace) before: Account,
    pub(in crate::trace) after: Account,
}

/// What tasks of so much length in all are still to be given; it fits.
#[derive(Clone, Copy, Debug)]
struct Left {
    length: Nanos,
    on_cpu: Nanos,
    waiting: Nanos,
}

impl Left {
    /// The parts of a piece of this length.
    fn take(&mut self, length: Nanos) -> (Nanos, Nanos) {
        let all = self.length.max(Nanos(1));
        let part = |whole: Nanos| u128::from(whole.0) * u128::from(length.0) / u128::from(all.0);
        let on_cpu = Nanos(part(self.on_cpu) as u64);
        let waiting = Nanos(part(self.waiting) as u64).min(length.saturating_sub(on_cpu));
        self.length = self.length.saturating_sub(length);
        self.on_cpu = self.on_cpu.saturating_sub(on_cpu);
        self.waiting = self.waiting.saturating_sub(waiting);
        (on_cpu, waiting)
    }
}

impl Piece {
    fn account(&self) -> Account {
        Account {
            on_cpu: self.on_cpu,
            waiting: self.waiting,
            known: if self.known {
                self.length()
            } else {
                Nanos::ZERO
            },
        }
    }
}

impl Lane {
    /// See the module. Answers what is known of tasks now that was not before.
    pub(in crate::trace) fn spent(&mut self, spent: &Spent) -> Vec<Change> {
        let span = Span::new(spent.since.min(spent.until), spent.until);
        let place = self
            .pieces
            .partition_point(|piece| piece.end <= span.start());
        let mut pieces = self.pieces.split_off(place);
        cut(&mut pieces, span.start());
        cut(&mut pieces, span.end());
        let first = pieces.partition_point(|piece| piece.end <= span.start());
        let end = pieces.partition_point(|piece| piece.start < span.end());
        let mut changes = Vec::new();
        if first < end && span.length() > Nanos::ZERO {
            let left = settle_told(&mut pieces[first..end], span, spent, &mut changes);
            match spent.waiting {
                Some(_) => spread(&mut pieces[first..end], left, &mut changes),
                None => fill(&mut pieces, first..end, left.on_cpu, &mut changes),
            }
        }
        for piece in pieces {
            self.pieces.push(piece);
        }
        self.sums.truncate(place / BLOCK + 1);
        self.settle();
        changes
    }
}

/// A piece of which nothing is known yet becomes two where it reaches over this moment.
fn cut(pieces: &mut Vec<Piece>, at: Time) {
    let place = pieces.partition_point(|piece| piece.end <= at);
    if let Some(piece) = pieces.get_mut(place)
        && piece.start < at
        && !piece.known
    {
        let rest = Piece {
            start: at,
            ..*piece
        };
        piece.end = at;
        pieces.insert(place + 1, rest);
    }
}

/// Makes what was told before fit, latest first; what the others are given.
fn settle_told(pieces: &mut [Piece], span: Span, spent: &Spent, changes: &mut Vec<Change>) -> Left {
    let mut told = Account::default();
    let mut length = Nanos::ZERO;
    for piece in &*pieces {
        if piece.known {
            let from = piece.sums_until(span.start().max(piece.start));
            let sums = piece.sums_until(span.end()).since(from);
            told.known += sums.busy;
            told.on_cpu += sums.on_cpu;
            told.waiting += sums.waiting;
        } else {
            length += piece.length();
        }
    }
    let between = span.length().saturating_sub(told.known + length);
    let on_cpu = spent.on_cpu.saturating_sub(told.on_cpu);
    let rest = on_cpu.saturating_sub(length);
    // What was on a CPU seemed to wait for one, or to be blocked, before it was counted.
    let mut more = rest.saturating_sub(between).min(told.known);
    let waiting = spent.waiting.unwrap_or(told.waiting);
    let mut less = told.waiting.saturating_sub(waiting);
    for piece in pieces.iter_mut().rev() {
        if more == Nanos::ZERO && less == Nanos::ZERO {
            break;
        }
        if !piece.known || piece.start < span.start() {
            continue;
        }
        let before = piece.account();
        let length = piece.length().saturating_sub(piece.useful_wait);
        let found = more.min(length.saturating_sub(piece.on_cpu));
        more = more.saturating_sub(found);
        piece.on_cpu += found;
        let room = length.saturating_sub(piece.on_cpu);
        let waited = piece.waiting.saturating_sub(less).min(room);
        less = less.saturating_sub(piece.waiting.saturating_sub(waited));
        piece.waiting = waited;
        changes.push(piece.change(before));
    }
    let off = length.saturating_sub(on_cpu);
    let off_between = between.saturating_sub(rest);
    let waiting = waiting.saturating_sub(told.waiting);
    let share =
        u128::from(waiting.0) * u128::from(off.0) / u128::from((off + off_between).0.max(1));
    Left {
        length,
        on_cpu: on_cpu.min(length),
        waiting: Nanos(share as u64).min(off),
    }
}

/// Gives each piece of which nothing is known its part.
fn spread(pieces: &mut [Piece], mut left: Left, changes: &mut Vec<Change>) {
    for piece in pieces.iter_mut().filter(|piece| !piece.known) {
        let before = piece.account();
        (piece.on_cpu, piece.waiting) = left.take(piece.length());
        piece.known = true;
        changes.push(piece.change(before));
    }
}

/// Accounts for so much on a CPU from the first piece on; what is left of them stays unknown.
fn fill(
    pieces: &mut Vec<Piece>,
    range: Range<usize>,
    mut on_cpu: Nanos,
    changes: &mut Vec<Change>,
) {
    for place in range {
        if pieces[place].known {
            continue;
        }
        if on_cpu == Nanos::ZERO {
            return;
        }
        let end = pieces[place].start + on_cpu;
        if end < pieces[place].end {
            cut(pieces, end);
        }
        let piece = &mut pieces[place];
        let before = piece.account();
        piece.on_cpu = piece.length();
        piece.known = true;
        on_cpu = on_cpu.saturating_sub(piece.on_cpu);
        changes.push(piece.change(before));
    }
}

impl Piece {
    fn change(&self, before: Account) -> Change {
        Change {
            task: self.task,
            before,
            after: self.account(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallId, LaneId, LaneKind, LaneOpened, Ran};

    fn task(index: u32) -> TaskId {
        let call = CallId(0);
        TaskId { call, index }
    }

    /// A worker with tasks that ran from one moment to another.
    fn lane<const N: usize>(tasks: [(u64, u64); N]) -> Lane {
        let facts = LaneOpened {
            kind: LaneKind::Worker,
            pool: None,
            name: "worker 0".to_owned(),
            pid: None,
            tid: None,
        };
        let mut lane = Lane::new(LaneId(0), facts, Time(0));
        for (index, (start, end)) in (0..).zip(tasks) {
            lane.start(task(index), Time(start), None);
            if end > 0 {
                lane.finish(task(index), Time(end), false);
            }
        }
        lane
    }

    fn spent(lane: &mut Lane, (since, until): (u64, u64), on_cpu: u64, waiting: Option<u64>) {
        let spent = Spent {
            since: Time(since),
            until: Time(until),
            on_cpu: Nanos(on_cpu),
            waiting: waiting.map(Nanos),
        };
        lane.spent(&spent);
    }

    /// On a CPU, waiting, blocked, unknown.
    fn sums(lane: &Lane) -> (u64, u64, u64, u64) {
        let sums = lane.sums_until(Time(1_000_000));
        let parts = sums.on_cpu + sums.waiting + sums.blocked + sums.unknown;
        assert_eq!(parts, sums.busy);
        let (blocked, unknown) = (sums.blocked.0, sums.unknown.0);
        (sums.on_cpu.0, sums.waiting.0, blocked, unknown)
    }

    #[test]
    fn tasks_of_a_worker_that_was_always_on_a_cpu_were_so_too() {
        let mut lane = lane([(10, 30), (35, 50)]);
        spent(&mut lane, (5, 50), 42, Some(3));
        assert_eq!(sums(&lane), (35, 0, 0, 0));
    }

    #[test]
    fn tasks_have_the_cpu_before_what_lies_between_them() {
        let mut lane = lane([(0, 30), (70, 100)]);
        spent(&mut lane, (0, 100), 50, Some(0));
        assert_eq!(sums(&lane), (50, 0, 10, 0));
        let parts: Vec<_> = lane.pieces().iter().map(|piece| piece.on_cpu.0).collect();
        assert_eq!(parts, [25, 25]);
    }

    #[test]
    fn waits_go_where_it_was_on_no_cpu() {
        let mut lane = lane([(0, 60), (80, 100)]);
        // 40 of 100 on no CPU, all of them in tasks.
        spent(&mut lane, (0, 100), 60, Some(10));
        assert_eq!(sums(&lane), (60, 5, 15, 0));
    }

    #[test]
    fn a_wait_that_nobody_told_stays_unknown() {
        let mut lane = lane([(0, 60), (60, 100)]);
        spent(&mut lane, (0, 100), 70, None);
        assert_eq!(sums(&lane), (70, 0, 0, 30));
    }

    #[test]
    fn what_was_told_of_a_long_task_stays_and_is_made_to_fit() {
        let mut lane = lane([(0, 0)]);
        for (since, on_cpu, waiting) in [(0, 16, 4), (20, 20, 0)] {
            let ran = Ran {
                task: task(0),
                since: Time(since),
                on_cpu: Nanos(on_cpu),
                waiting: Nanos(waiting),
                useful_wait: Nanos::ZERO,
                cpu: None,
                moved_to: None,
            };
            lane.ran(&ran, Time(since + 20));
        }
        lane.finish(task(0), Time(50), false);
        spent(&mut lane, (0, 50), 50, Some(0));
        assert_eq!(sums(&lane), (50, 0, 0, 0));
    }

    #[test]
    fn a_stretch_may_begin_and_end_within_a_task() {
        let mut lane = lane([(0, 100), (100, 0)]);
        spent(&mut lane, (40, 130), 90, Some(0));
        assert_eq!(
            lane.piece_at(Time(140)).map(|piece| piece.task),
            Some(task(1))
        );
        lane.finish(task(1), Time(150), false);
        assert_eq!(sums(&lane), (90, 0, 0, 60));
    }

    #[test]
    fn what_is_told_late_changes_sums_that_were_kept() {
        let mut tasks = [(0, 0); 200];
        for (place, task) in tasks.iter_mut().enumerate() {
            let start = 10 * place as u64;
            *task = (start, start + 10);
        }
        let mut lane = lane(tasks);
        assert_eq!(sums(&lane), (0, 0, 0, 2_000));
        spent(&mut lane, (300, 1_300), 700, Some(100));
        assert_eq!(sums(&lane), (700, 100, 200, 1_000));
        assert_eq!(lane.sums_until(Time(300)).unknown, Nanos(300));
    }
}
