//! What the person chose: a lane, and a task on it.

use crate::app::Lanes;
use crate::event::TaskId;
use crate::time::Time;
use crate::trace::{Row, Trace};

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
        let had = |row: &usize| {
            tasks_of(trace, lanes, *row)
                .iter()
                .any(|&(start, other)| other == task && start <= cursor)
        };
        Self {
            row: (0..rows(trace, lanes)).find(had),
            task: Some(task),
        }
    }

    /// What the lane of this row had at `at`: what ran then, or else what it had last before.
    pub fn lane(trace: &Trace, lanes: Lanes, row: usize, at: Time) -> Self {
        let tasks = tasks_of(trace, lanes, row);
        let begun = tasks.partition_point(|&(start, _)| start <= at);
        Self {
            row: Some(row),
            task: tasks[..begun].last().map(|&(_, task)| task),
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
        let tasks = tasks_of(trace, lanes, row);
        let seen = &tasks[..tasks.partition_point(|&(start, _)| start <= cursor)];
        let here = seen.iter().rposition(|&(_, other)| other == task)?;
        let there = if forward {
            here + 1
        } else {
            here.checked_sub(1)?
        };
        Some(Self {
            task: Some(seen.get(there)?.1),
            ..self
        })
    }
}

/// The place of a worker: those of the pool of the shown call stand first.
pub fn row(trace: &Trace, index: usize) -> Option<&Row> {
    if !trace.is_program() {
        return trace.rows().get(index);
    }
    let pool = trace.call().and_then(|call| call.facts.pool);
    let mut own = trace.rows_of(pool);
    let Some(other) = index.checked_sub(own.len()) else {
        return own.nth(index);
    };
    trace
        .rows()
        .iter()
        .filter(|row| row.pool != pool)
        .nth(other)
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

/// The tasks of one lane with their starts there, by start.
fn tasks_of(trace: &Trace, lanes: Lanes, row: usize) -> Vec<(Time, TaskId)> {
    let mut tasks: Vec<(Time, TaskId)> = match lanes {
        Lanes::Workers => {
            let workers = self::row(trace, row).map_or(&[][..], |row| &row.lanes);
            let pieces = workers
                .iter()
                .filter_map(|&id| trace.lane(id))
                .flat_map(|lane| lane.pieces().iter());
            pieces.map(|piece| (piece.start, piece.task)).collect()
        }
        Lanes::Cpus => {
            let pieces = trace.cpus().get(row).map(|cpu| cpu.pieces().iter());
            pieces
                .into_iter()
                .flatten()
                .map(|piece| (piece.start, piece.task))
                .collect()
        }
    };
    // A task is one piece or several.
    tasks.dedup_by_key(|(_, task)| *task);
    tasks
}
