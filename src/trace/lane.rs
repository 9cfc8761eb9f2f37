//! What one worker did: pieces of tasks in order of time, with running sums.

mod others;
mod piece;
mod spent;

pub use others::OtherSpan;
pub use piece::{Piece, Sums};
pub(super) use spent::Change;

use super::Walk;
use super::packed::{List, Packed};
use crate::event::{CpuId, Ended, LaneId, LaneOpened, NamedSpan, Ran, TaskId, exit_words};
use crate::time::{Nanos, Span, Time};
use others::Others;

/// Pieces between two kept sums.
const BLOCK: usize = 32;

/// One lane, folded from its own events only, so other lanes cannot change it.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    pub id: LaneId,
    pub facts: LaneOpened,
    pub opened: Time,
    pub closed: Option<(Time, Ended)>,
    /// The exit code of a worker that died, or minus the number of the signal that killed it.
    pub exit: Option<i32>,
    pieces: Packed<Piece>,
    /// `sums[k]` is the sum of the first `k * BLOCK` pieces.
    sums: Vec<Sums>,
    others: Others,
}

impl Lane {
    pub(super) fn new(id: LaneId, facts: LaneOpened, opened: Time) -> Self {
        Self {
            id,
            facts,
            opened,
            closed: None,
            exit: None,
            pieces: Packed::default(),
            sums: vec![Sums::default()],
            others: Others::default(),
        }
    }

    /// How it ended, in words: `killed (SIGKILL)`, `crashed (exit code 3)`, `alive`.
    pub fn ending(&self) -> String {
        let word = self.closed.map_or("alive", |(_, ended)| ended.word());
        match self.exit {
            Some(exit) => format!("{word} ({})", exit_words(exit)),
            None => word.to_owned(),
        }
    }

    pub(super) fn start(&mut self, task: TaskId, at: Time, cpu: Option<CpuId>) {
        self.close(at);
        self.open(task, at, cpu);
    }

    /// Nothing else runs; what is told out of order begins where the last piece ends.
    fn open(&mut self, task: TaskId, at: Time, cpu: Option<CpuId>) {
        let free = self.pieces.last().map_or(at, |last| last.end);
        self.pieces.push(Piece {
            start: at.max(free),
            end: Time::NEVER,
            task,
            on_cpu: Nanos::ZERO,
            waiting: Nanos::ZERO,
            useful_wait: Nanos::ZERO,
            known: false,
            cpu,
        });
    }

    /// A stretch of the running task that ends now is accounted for.
    pub(super) fn ran(&mut self, ran: &Ran, at: Time) {
        let since = match self.pieces.last_mut() {
            Some(open) if open.end == Time::NEVER && open.task == ran.task => {
                let since = ran.since.max(open.start);
                if since > open.start {
                    self.close(since);
                } else {
                    self.pieces.pop();
                }
                since
            }
            // The start was not seen; what seemed to run had ended by then.
            _ => {
                let since = ran.since.max(self.free_since());
                self.close(since);
                since
            }
        };
        let at = at.max(since);
        self.pieces.push(Piece {
            start: since,
            end: at,
            task: ran.task,
            on_cpu: ran.on_cpu,
            waiting: ran.waiting,
            useful_wait: ran.useful_wait,
            known: true,
            cpu: ran.cpu,
        });
        self.settle();
        self.open(ran.task, at, ran.cpu);
    }

    /// The running task ended; one that was never entered leaves an empty piece, so that it is seen.
    pub(super) fn finish(&mut self, task: TaskId, at: Time, leaves_mark: bool) {
        let running = self
            .pieces
            .last()
            .is_some_and(|piece| piece.end == Time::NEVER && piece.task == task);
        if !running {
            if !leaves_mark {
                return;
            }
            self.close(at);
            self.open(task, at, None);
        }
        self.close(at);
    }

    /// Ends what runs, if anything does. An empty rest behind accounted pieces of the same task goes.
    pub(super) fn close(&mut self, at: Time) {
        let before = self
            .pieces
            .len()
            .checked_sub(2)
            .and_then(|k| self.pieces.get(k))
            .map(|piece| piece.task);
        if let Some(open) = self
            .pieces
            .last_mut()
            .filter(|piece| piece.end == Time::NEVER)
        {
            open.end = at.max(open.start);
            if open.end == open.start && before == Some(open.task) {
                self.pieces.pop();
            }
        }
        self.settle();
    }

    pub(super) fn other(&mut self, span: &NamedSpan, at: Time) {
        self.others.add(span, at);
    }

    fn settle(&mut self) {
        // The last piece may still grow shorter or vanish.
        while self.pieces.len() > self.sums.len() * BLOCK {
            let kept = self.sums.len();
            let block = self.pieces.part((kept - 1) * BLOCK..kept * BLOCK);
            let sum = block
                .iter()
                .fold(self.sums[kept - 1], |sum, piece| sum + piece.sums());
            self.sums.push(sum);
        }
    }

    /// The last moment of a task that was told, or the begin.
    pub(super) fn told_until(&self) -> Time {
        self.free_since()
    }

    fn free_since(&self) -> Time {
        self.pieces.last().map_or(self.opened, |piece| {
            if piece.end.happened() {
                piece.end
            } else {
                piece.start
            }
        })
    }

    /// Every piece, by start.
    pub fn pieces(&self) -> List<'_, Piece> {
        self.pieces.all()
    }

    /// The pieces that touch the span, by start.
    pub fn pieces_in(&self, span: Span) -> List<'_, Piece> {
        let first = self
            .pieces
            .partition_point(|piece| piece.end <= span.start() && piece.start < span.start());
        let end = self
            .pieces
            .partition_point(|piece| piece.start < span.end());
        self.pieces.part(first.min(end)..end)
    }

    /// Finds the pieces of one stretch after another.
    pub fn walk(&self) -> Walk<'_, Piece> {
        Walk::new(self.pieces.all())
    }

    /// Stretches that are no tasks, by start.
    pub fn others(&self) -> List<'_, OtherSpan> {
        self.others.all()
    }

    pub fn name_of(&self, other: &OtherSpan) -> &str {
        self.others.name(other)
    }

    /// Time in stretches that are no tasks up to `time`.
    pub fn others_until(&self, time: Time) -> Nanos {
        self.others.held_until(time).length
    }

    /// How the time inside tasks up to `time` was spent.
    pub fn sums_until(&self, time: Time) -> Sums {
        let begun = self.pieces.partition_point(|piece| piece.start < time);
        let block = (begun.saturating_sub(1) / BLOCK).min(self.sums.len() - 1);
        let rest = self.pieces.part(block * BLOCK..begun);
        rest.iter()
            .fold(self.sums[block], |sum, piece| sum + piece.sums_until(time))
    }

    /// How the time inside tasks between two moments was spent.
    pub fn sums_between(&self, begin: Time, end: Time) -> Sums {
        self.sums_until(end).since(self.sums_until(begin))
    }

    /// Time inside tasks up to `time`.
    pub fn busy_until(&self, time: Time) -> Nanos {
        self.sums_until(time).busy
    }

    /// Overhead outside tasks up to `time`.
    pub fn overhead_until(&self, time: Time) -> Nanos {
        self.others.held_until(time).part
    }

    /// The piece that runs at `time`.
    pub fn piece_at(&self, time: Time) -> Option<Piece> {
        let begun = self.pieces.partition_point(|piece| piece.start <= time);
        let last = self.pieces.part(0..begun).last();
        last.filter(|piece| time < piece.end)
    }

    /// The end of the last piece that began before `time`, or the lane's begin: since when it is idle, if it is.
    pub fn idle_since(&self, time: Time) -> Time {
        let begun = self.pieces.partition_point(|piece| piece.start < time);
        let other = self.others.ended_by(time);
        let piece = self.pieces.part(0..begun).last();
        let piece = piece.map(|piece| piece.end.min(time));
        piece.max(other).unwrap_or(self.opened).max(self.opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallId, LaneKind};

    fn lane() -> Lane {
        let facts = LaneOpened {
            kind: LaneKind::Worker,
            pool: None,
            name: "worker 0".to_owned(),
            pid: None,
            tid: None,
        };
        Lane::new(LaneId(0), facts, Time(0))
    }

    fn task(index: u32) -> TaskId {
        TaskId {
            call: CallId(0),
            index,
        }
    }

    fn ran(index: u32, since: u64, on_cpu: u64, waiting: u64) -> Ran {
        Ran {
            task: task(index),
            since: Time(since),
            on_cpu: Nanos(on_cpu),
            waiting: Nanos(waiting),
            useful_wait: Nanos(0),
            cpu: None,
            moved_to: None,
        }
    }

    #[test]
    fn accounted_stretches_split_a_task() {
        let mut lane = lane();
        lane.start(task(0), Time(10), None);
        lane.ran(&ran(0, 10, 6, 4), Time(20));
        lane.finish(task(0), Time(25), true);
        let parts: Vec<_> = lane
            .pieces()
            .iter()
            .map(|p| (p.start.0, p.end.0, p.known))
            .collect();
        assert_eq!(parts, [(10, 20, true), (20, 25, false)]);
        let sums = lane.sums_until(Time(30));
        assert_eq!(
            (sums.busy.0, sums.on_cpu.0, sums.waiting.0, sums.unknown.0),
            (15, 6, 4, 5)
        );
        assert_eq!(lane.sums_until(Time(15)).on_cpu.0, 3);
    }

    #[test]
    fn nothing_is_left_over_when_the_whole_task_is_accounted_for() {
        let mut lane = lane();
        lane.start(task(0), Time(0), None);
        lane.ran(&ran(0, 0, 10, 0), Time(10));
        lane.finish(task(0), Time(10), true);
        assert_eq!(lane.pieces().len(), 1);
        assert_eq!(
            lane.piece_at(Time(9)).map(|piece| piece.task),
            Some(task(0))
        );
        assert_eq!(lane.piece_at(Time(10)).map(|piece| piece.task), None);
    }

    #[test]
    fn what_is_told_of_a_task_whose_start_was_not_seen_ends_what_seemed_to_run() {
        let mut lane = lane();
        lane.start(task(0), Time(10), None);
        lane.ran(&ran(1, 20, 6, 4), Time(30));
        lane.finish(task(1), Time(30), true);
        let parts: Vec<_> = lane.pieces().iter().map(|p| (p.start.0, p.end.0)).collect();
        assert_eq!(parts, [(10, 20), (20, 30)]);
        assert_eq!(
            lane.piece_at(Time(25)).map(|piece| piece.task),
            Some(task(1))
        );
        assert_eq!(lane.busy_until(Time(99)), Nanos(20));
    }

    #[test]
    fn sums_at_any_moment_equal_a_recount() {
        let mut lane = lane();
        for index in 0..1_000 {
            let at = u64::from(index) * 10;
            lane.start(task(index), Time(at), None);
            lane.ran(&ran(index, at, 4, 2), Time(at + 7));
            lane.finish(task(index), Time(at + 8), true);
        }
        for at in [0, 3, 1_285, 5_000, 5_007, 9_999, 20_000] {
            let naive: u64 = lane
                .pieces()
                .iter()
                .map(|p| p.end.min(Time(at)).since(p.start.min(Time(at))).0)
                .sum();
            let sums = lane.sums_until(Time(at));
            assert_eq!(sums.busy.0, naive, "{at}");
            let parts = sums.on_cpu + sums.waiting + sums.useful_wait + sums.blocked + sums.unknown;
            assert_eq!(parts, sums.busy);
        }
    }

    #[test]
    fn a_span_finds_the_pieces_that_touch_it() {
        let mut lane = lane();
        for index in 0..5 {
            lane.start(task(index), Time(u64::from(index) * 10), None);
            lane.finish(task(index), Time(u64::from(index) * 10 + 5), true);
        }
        let found = |a, b| {
            lane.pieces_in(Span::new(Time(a), Time(b)))
                .iter()
                .map(|p| p.task.index)
                .collect::<Vec<_>>()
        };
        assert_eq!(found(12, 21), [1, 2]);
        assert_eq!(found(15, 20), [] as [u32; 0]);
        assert_eq!(found(0, 100), [0, 1, 2, 3, 4]);
    }
}
