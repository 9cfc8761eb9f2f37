//! Which task was on which CPU, where that is known.

use super::Walk;
use super::bits::NONE;
use super::packed::{List, Row};
use super::stretches::{Held, Stretch, Stretches};
use crate::event::{CallId, CpuId, LaneId, TaskId};
use crate::time::{Nanos, Span, Time};

/// A stretch of a task on one CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuPiece {
    pub start: Time,
    pub end: Time,
    pub task: TaskId,
    /// How much of the stretch it really had the CPU.
    pub on_cpu: Nanos,
    /// The CPU it was on at the end, if that was another one.
    pub moved_to: Option<CpuId>,
    lane: LaneId,
}

impl CpuPiece {
    /// It had the CPU for a part of the stretch that can be seen. Who sleeps or waits for a lock is on no CPU,
    /// wherever it began to.
    pub fn had_cpu(&self) -> bool {
        self.on_cpu.0.saturating_mul(16) >= self.end.since(self.start).0
    }
}

impl Row for CpuPiece {
    type Numbers = [u64; 7];

    fn numbers(&self, _: usize) -> [u64; 7] {
        let length = self.end.since(self.start).0;
        [
            self.start.0,
            length,
            // Mostly it had all of it.
            length.wrapping_sub(self.on_cpu.0),
            self.task.call.0.into(),
            self.task.index.into(),
            self.moved_to.map_or(NONE, |cpu| cpu.0.into()),
            self.lane.0.into(),
        ]
    }

    fn from_numbers([start, length, off, call, index, moved_to, lane]: [u64; 7], _: usize) -> Self {
        let start = Time(start);
        Self {
            start,
            end: start + Nanos(length),
            task: TaskId {
                call: CallId(call as u32),
                index: index as u32,
            },
            on_cpu: Nanos(length.wrapping_sub(off)),
            moved_to: (moved_to != NONE).then_some(CpuId(moved_to as u16)),
            lane: LaneId(lane as u32),
        }
    }
}

impl Stretch for CpuPiece {
    fn span(&self) -> Span {
        Span::new(self.start, self.end)
    }

    fn part(&self) -> Nanos {
        self.on_cpu.min(self.end.since(self.start))
    }

    fn rank(&self) -> u32 {
        self.lane.0
    }
}

/// What one CPU did for the watched tasks, by start. Pieces of several workers may overlap: they shared it.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuLane {
    pub cpu: CpuId,
    pieces: Stretches<CpuPiece>,
}

impl CpuLane {
    pub(super) fn new(cpu: CpuId) -> Self {
        Self {
            cpu,
            pieces: Stretches::default(),
        }
    }

    pub(super) fn add(
        &mut self,
        span: Span,
        task: TaskId,
        on_cpu: Nanos,
        moved_to: Option<CpuId>,
        lane: LaneId,
    ) {
        self.pieces.add(CpuPiece {
            start: span.start(),
            end: span.end(),
            task,
            on_cpu,
            moved_to,
            lane,
        });
    }

    /// Brings the kept sums up to date; after every batch.
    pub(super) fn settle(&mut self) {
        self.pieces.settle();
    }

    pub fn pieces(&self) -> List<'_, CpuPiece> {
        self.pieces.all()
    }

    /// Finds the pieces of one stretch after another.
    pub fn walk(&self) -> Walk<'_, CpuPiece> {
        Walk::new(self.pieces.all())
    }

    /// The pieces that touch the span, by start.
    pub fn pieces_in(&self, span: Span) -> impl Iterator<Item = CpuPiece> + '_ {
        self.pieces.in_span(span)
    }

    /// The last of them that had the CPU.
    pub fn last_in(&self, span: Span) -> Option<CpuPiece> {
        self.pieces.last_in(span, CpuPiece::had_cpu)
    }

    /// Of the first so many pieces those that end after `time`, by start.
    pub fn reaching(&self, count: usize, time: Time) -> impl Iterator<Item = CpuPiece> + '_ {
        self.pieces.reaching(count, time)
    }

    /// How long tasks held it up to `time`, and the part in which they were on it.
    pub fn held_until(&self, time: Time) -> Held {
        self.pieces.held_until(time)
    }
}
