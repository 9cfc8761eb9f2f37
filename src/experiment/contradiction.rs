//! What in an experiment contradicts itself, and what is too much.

use super::{CounterEffect, Experiment, Fault, Misfit};
use crate::bytes;
use crate::time::Nanos;
use std::collections::HashSet;

/// Why an experiment cannot run; the text names the flag and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    #[error("{0}")]
    Misfit(Misfit),
    #[error("--workers must be from 1 to {MOST_WORKERS}, not {0}")]
    Workers(u32),
    #[error("--cpus must be from 1 to {MOST_WORKERS}, not {0}")]
    Cpus(u32),
    #[error("--tasks must be from 0 to {MOST_TASKS}, not {0}")]
    Tasks(u32),
    #[error("--chunksize must be at least 1; CPython's own rule is --chunksize auto")]
    NoChunks,
    #[error("--chunksize does not go with --method {0}: it sends one task at a time")]
    Unchunked(&'static str),
    #[error("--fault {0}: there are no tasks")]
    FaultOfNone(u32),
    #[error("--fault {0}: there is no task {0}, the last one is {1}")]
    FaultBeyond(u32, u32),
    #[error("--fault {0}: task {0} is named twice: leave one out")]
    FaultTwice(u32),
    #[error("--backend {0} does not work on this system yet: use --backend threads")]
    Unavailable(&'static str),
    #[error(
        "--payload {size}: {0} tasks of that are too much for one message: use a smaller --payload or --chunksize",
        size = bytes::exact(*.1)
    )]
    Payload(u32, u32),
    #[error("--increments must be from 1 to 1000, not {0}")]
    Increments(u32),
    #[error(
        "--effect race: {0} tasks of {1} increments are more than {MOST_RACING}: use fewer of either"
    )]
    Race(u32, u32),
    #[error("--unit must be longer than nothing")]
    Unit,
    #[error(
        "the tasks take more than {} days one after the other: use shorter --costs or --dispatch, or fewer --tasks",
        MOST_LENGTH.0 / DAY
    )]
    Length,
}

/// More workers than anybody can watch.
pub const MOST_WORKERS: u32 = 1_024;
/// A task keeps about 100 bytes of memory.
pub const MOST_TASKS: u32 = 10_000_000;
/// Bytes of a message: there is memory for several of them.
const MOST_CARRIED: u64 = 256 << 20;
/// The interleaving of a race is drawn step by step.
const MOST_RACING: u64 = 10_000_000;

const DAY: u64 = 86_400 * 1_000_000_000;
/// That of all workers together has to fit into a clock of nanoseconds.
const MOST_LENGTH: Nanos = Nanos(200 * DAY);

impl Experiment {
    /// What contradicts itself in it, if anything does.
    pub fn check(&self) -> Result<(), Contradiction> {
        if let Some(misfit) = self.misfits().into_iter().next() {
            return Err(Contradiction::Misfit(misfit));
        }
        let range = 1..=MOST_WORKERS;
        if !range.contains(&self.workers) {
            return Err(Contradiction::Workers(self.workers));
        }
        if let Some(cpus) = self.cpus.filter(|cpus| !range.contains(cpus)) {
            return Err(Contradiction::Cpus(cpus));
        }
        if self.tasks > MOST_TASKS {
            return Err(Contradiction::Tasks(self.tasks));
        }
        if self.chunksize == Some(0) {
            return Err(Contradiction::NoChunks);
        }
        self.check_faults()?;
        if !self.backend.is_available() {
            return Err(Contradiction::Unavailable(self.backend.name()));
        }
        let carried = self.real_chunksize().min(self.tasks);
        if u64::from(carried) * u64::from(self.payload) > MOST_CARRIED {
            return Err(Contradiction::Payload(carried, self.payload));
        }
        if !(1..=1_000).contains(&self.increments) {
            return Err(Contradiction::Increments(self.increments));
        }
        let increments = u64::from(self.tasks) * u64::from(self.increments);
        if self.effect == CounterEffect::Race && increments > MOST_RACING {
            return Err(Contradiction::Race(self.tasks, self.increments));
        }
        let sent = Nanos(self.dispatch.0.saturating_mul(self.tasks.into()));
        if self.costs.together(self.tasks) + sent > MOST_LENGTH {
            return Err(Contradiction::Length);
        }
        if self.unit == Nanos::ZERO {
            return Err(Contradiction::Unit);
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<(), Contradiction> {
        let mut named = HashSet::new();
        for &Fault { task, .. } in &self.faults {
            let last = self
                .tasks
                .checked_sub(1)
                .ok_or(Contradiction::FaultOfNone(task))?;
            if task > last {
                return Err(Contradiction::FaultBeyond(task, last));
            }
            if !named.insert(task) {
                return Err(Contradiction::FaultTwice(task));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Backend, FaultKind, MemoryModel};
    use crate::method::Method;
    use crate::workload::Costs;

    fn dies(task: u32) -> Fault {
        let kind = FaultKind::Die;
        Fault { task, kind }
    }

    #[test]
    fn contradictions_name_the_flag() {
        let wrong = |change: fn(&mut Experiment)| {
            let mut experiment = Experiment::default();
            change(&mut experiment);
            experiment.check().unwrap_err().to_string()
        };
        assert_eq!(
            wrong(|e| e.workers = 0),
            "--workers must be from 1 to 1024, not 0"
        );
        assert!(wrong(|e| e.cpus = Some(4)).starts_with("--cpus 4 is for --backend simulated"));
        assert!(wrong(|e| e.chunksize = Some(0)).starts_with("--chunksize must be at least 1"));
        assert_eq!(
            wrong(|e| e.faults.push(dies(24))),
            "--fault 24: there is no task 24, the last one is 23"
        );
        assert_eq!(
            wrong(|e| (e.tasks, e.faults) = (0, vec![dies(0)])),
            "--fault 0: there are no tasks"
        );
        assert_eq!(
            wrong(|e| e.faults = vec![dies(3), dies(4), dies(3)]),
            "--fault 3: task 3 is named twice: leave one out"
        );
        assert!(
            wrong(|e| e.memory = Some(MemoryModel::Separate))
                .starts_with("--memory-model separate")
        );
        assert_eq!(
            wrong(|e| (e.effect, e.tasks, e.increments) = (CounterEffect::Race, 1_000_000, 11)),
            "--effect race: 1000000 tasks of 11 increments are more than 10000000: use fewer of either"
        );
        assert_eq!(
            wrong(|e| {
                (e.backend, e.tasks, e.payload) = (Backend::Processes, 200, 25 << 20);
                (e.method, e.chunksize) = (Method::Map, None);
            }),
            "--payload 25MiB: 13 tasks of that are too much for one message: use a smaller --payload or --chunksize"
        );
        let week = Costs::Const(Nanos(7 * DAY));
        let long = |tasks| Experiment {
            costs: week.clone(),
            tasks,
            ..Experiment::default()
        };
        assert_eq!(long(28).check(), Ok(()));
        assert_eq!(
            long(29).check().unwrap_err().to_string(),
            "the tasks take more than 200 days one after the other: use shorter --costs or --dispatch, or fewer --tasks"
        );
        assert_eq!(Experiment::default().check(), Ok(()));
    }
}
