//! What the person chose: a lane, and a task on it.

use crate::app::Lanes;
use crate::event::TaskId;
use crate::time::Time;
use crate::trace::{CpuLane, CpuPiece, Lane, List, Piece, Row, Trace};

/// The lane is a row of what is large: workers by name, or CPUs. Without a lane nothing is chosen,
/// unless a search found a task that no worker had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub row: Option<usize>,
    pub task: Option<TaskId>,
}

impl Selection {
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// This task, on the lane that had it by `cursor`, if one had.
    pub fn task(trace: &Trace, lanes: Lanes, task: TaskId, cursor: Time) -> Self {
        let had = |row: &usize| Pieces::of(trace, lanes, *row).last_of(trace, task, cursor);
        Self {
            row: (0..rows(trace, lanes)).find(|row| had(row).is_some()),
            task: Some(task),
        }
    }

    /// What the lane of this row had at `at`: what ran then, or else what it had last before.
    pub fn lane(trace: &Trace, lanes: Lanes, row: usize, at: Time) -> Self {
        let pieces = Pieces::of(trace, lanes, row);
        let last = pieces.begun(at).checked_sub(1);
        Self {
            row: Some(row),
            task: last.and_then(|last| pieces.task(last)),
        }
    }

    /// The lane below or above; from nothing, the first or the last one.
    #[must_use]
    pub fn next_lane(self, trace: &Trace, lanes: Lanes, down: bool, cursor: Time) -> Self {
        let Some(last) = rows(trace, lanes).checked_sub(1) else {
            return self;
        };
        let row = match (self.row, down) {
            (None, true) => 0,
            (None, false) => last,
            (Some(row), true) => (row + 1).min(last),
            (Some(row), false) => row.saturating_sub(1),
        };
        Self::lane(trace, lanes, row, cursor)
    }

    /// The task after or before on the same lane, as far as the cursor has come.
    pub fn next_task(
        self,
        trace: &Trace,
        lanes: Lanes,
        forward: bool,
        cursor: Time,
    ) -> Option<Self> {
        let (row, task) = (self.row?, self.task?);
        let pieces = Pieces::of(trace, lanes, row);
        let here = pieces.last_of(trace, task, cursor)?;
        let other = |place: &usize| pieces.task(*place) != Some(task);
        // A task is one piece or several.
        let there = if forward {
            (here..pieces.begun(cursor)).find(other)?
        } else {
            (0..here).rev().find(other)?
        };
        Some(Self {
            task: pieces.task(there),
            ..self
        })
    }
}

/// The place of a worker, the same whichever call is shown.
pub fn row(trace: &Trace, index: usize) -> Option<&Row> {
    if trace.is_program() {
        trace.row_by_pool(index)
    } else {
        trace.rows().get(index)
    }
}

/// The first place of the pool of the shown call.
pub fn first_of_shown(trace: &Trace) -> usize {
    let call = trace.call().filter(|_| trace.is_program());
    call.map_or(0, |call| trace.rows_before(call.facts.pool))
}

/// How many lanes there are to show and to select.
pub fn rows(trace: &Trace, lanes: Lanes) -> usize {
    match lanes {
        Lanes::Workers => trace.rows().len(),
        Lanes::Cpus => trace.cpus().len().max(simulated_cpus(trace)),
    }
}

/// CPUs that a simulated run could have used, whether it did or not: that most of them had nothing to do
/// is worth seeing. Those of a machine are in the trace, as they have numbers of their own.
fn simulated_cpus(trace: &Trace) -> usize {
    let run = trace.run().filter(|run| !run.measured);
    let cpus = run.and_then(|run| run.cpus).unwrap_or(0) as usize;
    cpus.min(trace.rows().len())
}

/// The pieces on one lane, by start: those of the workers that had it one after another, or of a CPU.
enum Pieces<'a> {
    /// Of each worker, with how many pieces the workers before it had.
    Workers(Vec<(usize, List<'a, Piece>)>),
    Cpu(Option<List<'a, CpuPiece>>),
}

impl<'a> Pieces<'a> {
    fn of(trace: &'a Trace, lanes: Lanes, row: usize) -> Self {
        match lanes {
            Lanes::Workers => {
                let workers = self::row(trace, row).map_or(&[][..], |row| &row.lanes);
                let workers = workers.iter().filter_map(|&id| trace.lane(id));
                Self::Workers(numbered(workers.map(Lane::pieces)))
            }
            Lanes::Cpus => Self::Cpu(trace.cpus().get(row).map(CpuLane::pieces)),
        }
    }

    fn task(&self, place: usize) -> Option<TaskId> {
        match self {
            Self::Workers(workers) => {
                let begun = workers.partition_point(|&(before, _)| before <= place);
                let (before, pieces) = begun.checked_sub(1).map(|last| workers[last])?;
                Some(pieces.get(place - before)?.task)
            }
            Self::Cpu(pieces) => Some(pieces.as_ref()?.get(place)?.task),
        }
    }

    /// How many had begun at `time`, the moment itself included.
    fn begun(&self, time: Time) -> usize {
        self.count(|start| start <= time)
    }

    fn count(&self, has: impl Fn(Time) -> bool) -> usize {
        match self {
            Self::Workers(workers) => {
                let counts = workers
                    .iter()
                    .map(|(_, pieces)| pieces.partition_point(|piece| has(piece.start)));
                counts.sum()
            }
            Self::Cpu(pieces) => {
                pieces.map_or(0, |pieces| pieces.partition_point(|piece| has(piece.start)))
            }
        }
    }

    /// The place of the last piece of a task that had begun at `cursor`.
    fn last_of(&self, trace: &Trace, task: TaskId, cursor: Time) -> Option<usize> {
        let call = trace.call_by(task.call);
        let (started, ended) = call.map_or((Time::NEVER, Time::NEVER), |call| call.ran(task.index));
        // What is not known to have started may be anywhere.
        let from = started.known().unwrap_or(Time::ZERO);
        let first = self.count(|start| start < from);
        let end = self.begun(ended.min(cursor));
        (first..end)
            .rev()
            .find(|&place| self.task(place) == Some(task))
    }
}

/// Each list with how many pieces are in those before it.
fn numbered<'a>(workers: impl Iterator<Item = List<'a, Piece>>) -> Vec<(usize, List<'a, Piece>)> {
    let mut all = 0;
    let numbered = workers.map(|pieces| {
        let before = all;
        all += pieces.len();
        (before, pieces)
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallId, Ended, Event, Kind, LaneId, LaneKind, LaneOpened, Outcome};
    use crate::experiment::Experiment;
    use crate::origin::simulated;

    fn trace() -> Trace {
        let experiment = Experiment {
            workers: 3,
            cpus: Some(2),
            tasks: 40,
            ..Experiment::default()
        };
        let mut trace = Trace::default();
        trace.apply(simulated::run(&experiment));
        trace
    }

    /// The tasks that a lane had by `cursor`, one after another.
    fn tasks(trace: &Trace, lanes: Lanes, row: usize, cursor: Time) -> Vec<TaskId> {
        let pieces = Pieces::of(trace, lanes, row);
        let mut tasks: Vec<TaskId> = (0..pieces.begun(cursor))
            .filter_map(|place| pieces.task(place))
            .collect();
        tasks.dedup();
        tasks
    }

    #[test]
    fn the_tasks_of_a_lane_are_stepped_through_back_and_forth() {
        let trace = trace();
        let cursor = Time(trace.end().0 * 2 / 3);
        let lanes = Lanes::Workers;
        for row in 0..rows(&trace, lanes) {
            let tasks = tasks(&trace, lanes, row, cursor);
            assert!(tasks.len() > 5);
            let mut at = Selection::lane(&trace, lanes, row, cursor);
            assert_eq!(at.next_task(&trace, lanes, true, cursor), None);
            for task in tasks.iter().rev() {
                assert_eq!(at.task, Some(*task));
                assert_eq!(Selection::task(&trace, lanes, *task, cursor), at);
                at = at.next_task(&trace, lanes, false, cursor).unwrap_or(at);
            }
            for task in &tasks {
                assert_eq!(at.task, Some(*task));
                at = at.next_task(&trace, lanes, true, cursor).unwrap_or(at);
            }
        }
    }

    #[test]
    fn on_a_shared_cpu_a_task_is_found_by_its_last_piece() {
        let trace = trace();
        let cursor = trace.end();
        for row in 0..rows(&trace, Lanes::Cpus) {
            let last = Selection::lane(&trace, Lanes::Cpus, row, cursor);
            assert_eq!(
                last.task,
                tasks(&trace, Lanes::Cpus, row, cursor).last().copied()
            );
            let before = last.next_task(&trace, Lanes::Cpus, false, cursor).unwrap();
            assert_ne!(before.task, last.task);
        }
    }

    /// A row of many workers one after another, some of which had no task, and some several.
    fn replaced() -> Trace {
        let mut events = Vec::new();
        let mut tell = |at, lane, kind| {
            let (at, lane) = (Time(at), LaneId(lane));
            events.push(Event { at, lane, kind });
        };
        let mut index = 0;
        for lane in 0..300 {
            let at = u64::from(lane) * 100;
            let opened = LaneOpened {
                kind: LaneKind::Worker,
                pool: None,
                name: "worker 0".to_owned(),
                pid: None,
                tid: None,
            };
            tell(at, lane, Kind::LaneOpened(Box::new(opened)));
            for turn in 0..u64::from(lane % 4) {
                let call = CallId(0);
                let task = TaskId { call, index };
                let (cpu, outcome) = (None, Outcome::Ok);
                let (start, end) = (at + 10 + turn * 20, at + 25 + turn * 20);
                tell(start, lane, Kind::Started { task, cpu });
                tell(end, lane, Kind::Finished { task, outcome, cpu });
                index += 1;
            }
            let ended = Ended::Retired;
            tell(at + 90, lane, Kind::LaneClosed { ended });
        }
        let mut trace = Trace::default();
        trace.apply(events);
        trace
    }

    #[test]
    fn each_piece_of_a_row_has_its_place_however_many_workers_were_in_it() {
        let trace = replaced();
        let pieces = Pieces::of(&trace, Lanes::Workers, 0);
        let lanes = trace.rows()[0].lanes.iter();
        let lanes = lanes.filter_map(|&id| trace.lane(id));
        let all: Vec<TaskId> = lanes
            .flat_map(|lane| lane.pieces().iter().map(|piece| piece.task))
            .collect();
        assert_eq!(all.len(), 450);
        for (place, task) in all.iter().enumerate() {
            assert_eq!(pieces.task(place), Some(*task));
            let found = Selection::task(&trace, Lanes::Workers, *task, Time::NEVER);
            assert_eq!((found.row, found.task), (Some(0), Some(*task)));
        }
        assert_eq!(pieces.task(all.len()), None);
        // A task that nobody told of is looked for everywhere.
        let unknown = TaskId {
            call: CallId(7),
            index: 0,
        };
        assert_eq!(pieces.last_of(&trace, unknown, Time::NEVER), None);
    }
}
