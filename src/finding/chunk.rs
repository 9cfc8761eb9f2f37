//! Chunks that are too large or too small, and the one task that everybody waits for.

mod small;

use super::search::{Scene, Search, share_of};
use super::words::{call as named, worker};
use super::{Finding, FindingKind};
use crate::definition::percent;
use crate::event::{CallKind, LaneId};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Entry, Lane, List, Row, Task};

/// A call that is over sooner has nothing to gain.
const SHORTEST: Nanos = Nanos(20_000_000);

/// Workers idle for less than this part of a call is what any end of a call looks like.
const TAIL_SHARE: f64 = 0.15;
/// A tail this many times the longest task is not that task's fault.
const TAIL_TASKS: f64 = 1.5;

/// A task alone for less than this part of a call is no news.
const ALONE_SHARE: f64 = 0.25;
/// A straggler takes this many times what the others take in the mean.
const ALONE_TIMES: f64 = 2.0;

/// One that starts later than this could have started sooner.
const LATE_SHARE: f64 = 0.1;

/// What a chunk should compute at least, so that its message costs a few per cent of it.
const GOOD_CHUNK: Nanos = Nanos(10_000_000);
pub(super) fn search(search: &mut Search<'_>) {
    let scene = search.scene;
    for call in scene.trace.calls() {
        let Some(spell) = Spell::of(scene, call) else {
            continue;
        };
        if let Some((weight, finding)) = spell.small() {
            search.of_call(call, weight, finding);
        } else if let Some((weight, finding)) =
            spell.straggler().or_else(|| spell.chunk_too_large())
        {
            search.of_call(call, weight, finding);
        }
    }
}

/// What the workers did for one call.
struct Spell<'a> {
    scene: Scene<'a>,
    call: &'a Call,
    rows: Vec<&'a Row>,
    /// Tasks that ended, in that order.
    finished: List<'a, Entry>,
    first: Time,
    last: Time,
    /// All service times.
    work: Nanos,
    complete: bool,
}

impl<'a> Spell<'a> {
    /// `None` of a call that is too short, or of which no two workers can be compared.
    fn of(scene: Scene<'a>, call: &'a Call) -> Option<Self> {
        let finished = call.finished.until(scene.at);
        let first = call.started.entries().first()?.at;
        let last = finished.last()?.at;
        if last.since(first) < SHORTEST {
            return None;
        }
        let over = call.ended.is_some_and(|(at, _)| at <= scene.at);
        let whole = finished.len() == call.tasks().len();
        Some(Self {
            scene,
            call,
            rows: scene.trace.rows_of(call.facts.pool).collect(),
            finished,
            first,
            last,
            work: call.services_until(scene.at).sum,
            complete: whole && (over || call.facts.tasks.is_some()),
        })
    }

    fn length(&self) -> Nanos {
        self.last.since(self.first)
    }

    /// Workers that the call can keep busy: a caller that waits for each task keeps one.
    fn parallel(&self) -> usize {
        if self.scene.trace.call_kind(self.call) == CallKind::Apply {
            1
        } else {
            self.rows.len().max(1)
        }
    }

    /// The last moment at which a worker was in a task of this call's time.
    fn busy_to(&self, row: &Row) -> Time {
        let lanes = row.lanes.iter().filter_map(|&id| self.scene.trace.lane(id));
        let ends = lanes.filter_map(|lane| last_end(lane, self.last));
        ends.max().unwrap_or(self.first).max(self.first)
    }

    fn straggler(&self) -> Option<(f64, Finding)> {
        let before = self.finished.len().checked_sub(2)?;
        let (before, last) = (self.finished.get(before)?, self.finished.last()?);
        if !self.complete || self.rows.len() < 2 || self.finished.len() < 3 {
            return None;
        }
        let task = self.call.task(last.index)?;
        let service = task.service()?;
        // Sent when the others were already done, it is no straggler but next.
        if task.submitted.happened() && task.submitted > before.at {
            return None;
        }
        let alone = last.at.since(before.at.max(task.started));
        let others = Nanos(self.work.saturating_sub(service).0 / (self.finished.len() as u64 - 1));
        let share = share_of(alone, self.length());
        if share < ALONE_SHARE || service.seconds() < ALONE_TIMES * others.seconds() {
            return None;
        }
        let late = share_of(task.started.since(self.first), self.length()) > LATE_SHARE;
        let advice = if late {
            "submit the longest tasks first, or split this one"
        } else {
            "split this task: no schedule is faster than its longest task"
        };
        let finding = Finding {
            kind: FindingKind::Straggler,
            at: before.at,
            lane: task.lane,
            call: Some(self.call.facts.call),
            text: format!(
                "task {} of {} took {service}, the others {others} on average: for {alone}, {} of the call, only {} \
                 worked",
                last.index,
                named(self.call),
                percent(share),
                task.lane
                    .map_or_else(|| "one worker".to_owned(), |lane| self.worker(lane)),
            ),
            advice: advice.to_owned(),
            numbers: vec![
                ("task", f64::from(last.index)),
                ("service", service.0 as f64),
                ("others", others.0 as f64),
                ("alone", alone.0 as f64),
                ("share", share),
            ],
        };
        // At best all workers share it.
        let workers = self.rows.len() as f64;
        Some((alone.seconds() * (workers - 1.0) / workers, finding))
    }

    fn worker(&self, lane: LaneId) -> String {
        worker(self.scene.trace, lane)
    }

    fn chunk_too_large(&self) -> Option<(f64, Finding)> {
        let size = self.call.facts.chunksize.filter(|&size| size > 1)?;
        if !self.complete || self.rows.len() < 2 {
            return None;
        }
        let busy_to: Vec<Time> = self.rows.iter().map(|row| self.busy_to(row)).collect();
        let idle: Nanos = busy_to.iter().map(|&busy| self.last.since(busy)).sum();
        let share = share_of(idle, Nanos(self.length().0 * self.rows.len() as u64));
        if share < TAIL_SHARE {
            return None;
        }
        let tail = busy_to.iter().map(|&busy| self.last.since(busy)).max()?;
        let services = self.call.tasks().filter_map(|task: Task| task.service());
        let longest = services.max()?;
        if tail.seconds() < TAIL_TASKS * longest.seconds() {
            return None;
        }
        let better = self.better_chunk(size, longest)?;
        let finding = Finding {
            kind: FindingKind::ChunkTooLarge,
            at: self.last - tail,
            lane: self
                .call
                .task(self.finished.last()?.index)
                .and_then(|task| task.lane),
            call: Some(self.call.facts.call),
            text: format!(
                "chunks of {size} tasks are too large for {}: workers stood idle for up to {tail} at its end, {} of all \
                 worker time, while the last chunk was worked off",
                named(self.call),
                percent(share),
            ),
            advice: format!("use chunksize={better}"),
            numbers: vec![
                ("idle", share),
                ("tail", tail.0 as f64),
                ("chunksize", f64::from(size)),
                ("better", better as f64),
            ],
        };
        // At best all workers end at the same time.
        Some((idle.seconds() / self.rows.len() as f64, finding))
    }

    /// The largest chunk that lasts no longer than the longest task, of those that are worth their message.
    fn better_chunk(&self, size: u32, longest: Nanos) -> Option<u64> {
        let chunk = self.call.chunk_of(self.finished.last()?.index);
        let chunk = self.call.chunk(chunk)?.tasks.iter();
        let services = chunk.filter_map(|index| self.call.task(index)?.service());
        let whole: Nanos = services.sum();
        let even = u64::from(size) * longest.0 / whole.0.max(1);
        let service = (self.work.0 / self.finished.len() as u64).max(1);
        let worth = GOOD_CHUNK.0.div_ceil(service);
        Some(even.max(worth).min(u64::from(size) / 2).max(1))
    }
}

/// The end of the last piece of a lane that began before `time`.
fn last_end(lane: &Lane, time: Time) -> Option<Time> {
    let begun = lane.pieces().partition_point(|piece| piece.start < time);
    lane.pieces()
        .part(0..begun)
        .last()
        .map(|piece| piece.end.min(time))
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;
    use crate::event::Indexes;

    /// Four workers, twelve tasks of 200 ms in chunks: each worker does its tasks one after another.
    fn in_chunks(size: u32, shares: &[&[u32]]) -> Told {
        let mut told = Told::pool("Pool", 4).call(0, "map", 12, size);
        for (worker, share) in (1..).zip(shares) {
            for (&index, turn) in share.iter().zip(0..) {
                told = told.task(worker, index, 200 * turn, 200 * turn + 200);
            }
        }
        told
    }

    #[test]
    fn a_large_last_chunk_leaves_workers_idle() {
        let found = in_chunks(6, &[&[0, 1, 2, 3, 4, 5], &[6, 7, 8, 9, 10, 11]]).finding();
        assert_eq!(found.kind, FindingKind::ChunkTooLarge);
        assert_eq!(found.numbers[0], ("idle", 0.5));
        assert_eq!(found.advice, "use chunksize=1");
        found.says("chunks of 6 tasks are too large for map(square) in line 12");
    }

    #[test]
    fn even_chunks_are_not_too_large() {
        let even: [&[u32]; 4] = [&[0, 1, 2], &[3, 4, 5], &[6, 7, 8], &[9, 10, 11]];
        assert_eq!(in_chunks(3, &even).ever(), []);
        // Three quarters of the workers idle for a task's length: that is no fault of the chunks.
        let uneven: [&[u32]; 4] = [&[0, 1, 2, 3], &[4, 5, 6], &[7, 8, 9], &[10, 11]];
        assert_eq!(in_chunks(1, &uneven).ever(), []);
    }

    /// Eight tasks of 200 ms on four workers, but for the last, which ends at `end`.
    fn with_last(end: u64, sent: u64) -> Vec<Finding> {
        let mut told = Told::pool("Pool", 4)
            .announced(0, "map", 8, 1)
            .submit(0, Indexes::new(0, 7))
            .submit(sent, Indexes::one(7));
        for index in 0..7 {
            let start = u64::from(index / 4) * 200;
            told = told.task(1 + index % 4, index, start, start + 200);
        }
        told.task(4, 7, 200.max(sent), end).ever()
    }

    #[test]
    fn one_task_that_all_wait_for_is_a_straggler() {
        let found = with_last(1_000, 0);
        let [found] = found.as_slice() else {
            panic!("{found:#?}")
        };
        assert_eq!(found.kind, FindingKind::Straggler);
        found.says("task 7 of map(square) in line 12 took 800 ms, the others 200 ms on average: for 600 ms, 60 % of the call");
        assert_eq!(
            found.advice,
            "submit the longest tasks first, or split this one"
        );
    }

    #[test]
    fn a_task_that_is_a_little_longer_is_no_straggler() {
        assert_eq!(with_last(530, 0), []);
        assert_eq!(with_last(400, 0), []);
    }

    #[test]
    fn a_task_that_was_sent_after_all_others_is_no_straggler() {
        assert_eq!(with_last(1_400, 410), []);
    }
}
