//! What in an experiment contradicts itself, and what is too much.

use super::{
    Backend, CounterEffect, Experiment, Fault, FaultKind, MemoryModel, Policy, PythonPool,
};
use crate::method::Sends;
use crate::time::Nanos;
use std::collections::HashSet;

/// Why an experiment cannot run; the text names the flag and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    #[error("--workers must be from 1 to {MOST_WORKERS}, not {0}")]
    Workers(u32),
    #[error("--cpus must be from 1 to {MOST_WORKERS}, not {0}")]
    Cpus(u32),
    #[error("--tasks must be from 0 to {MOST_TASKS}, not {0}")]
    Tasks(u32),
    #[error("--cpus is for --backend simulated: a measured run has the CPUs of this machine")]
    RealCpus,
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
    #[error("--fault {0}:die needs a pool: --method loop has no workers")]
    DieInLoop(u32),
    #[error("--fault {0}:die needs processes: --pool threadpool has threads")]
    DieInThreads(u32),
    #[error("--{0} is not for --backend python: {1}")]
    NotInPython(&'static str, &'static str),
    #[error("--memory-model separate is for --backend simulated: threads share their memory")]
    SharedThreads,
    #[error("--memory-model shared is for --backend simulated: processes have memory of their own")]
    SeparateProcesses,
    #[error(
        "--gil is for --backend threads and simulated: each process has an interpreter of its own"
    )]
    OwnInterpreters,
    #[error("--backend {0} does not work on this system yet: use --backend threads")]
    Unavailable(&'static str),
    #[error("--payload is for --backend processes and python: elsewhere nothing is sent")]
    NothingSent,
    #[error(
        "--payload: {0} tasks of {1} bytes are too much for one message: use a smaller --payload or --chunksize"
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
}

/// More workers than anybody can watch.
pub const MOST_WORKERS: u32 = 1_024;
/// A task keeps about 100 bytes of memory.
pub const MOST_TASKS: u32 = 10_000_000;
/// Bytes of a message: there is memory for several of them.
const MOST_CARRIED: u64 = 256 << 20;
/// The interleaving of a race is drawn step by step.
const MOST_RACING: u64 = 10_000_000;

impl Experiment {
    /// What contradicts itself in it, if anything does.
    pub fn check(&self) -> Result<(), Contradiction> {
        let range = 1..=MOST_WORKERS;
        if !range.contains(&self.workers) {
            return Err(Contradiction::Workers(self.workers));
        }
        if let Some(cpus) = self.cpus {
            if self.backend.is_measured() {
                return Err(Contradiction::RealCpus);
            }
            if !range.contains(&cpus) {
                return Err(Contradiction::Cpus(cpus));
            }
        }
        if self.tasks > MOST_TASKS {
            return Err(Contradiction::Tasks(self.tasks));
        }
        if self.chunksize == Some(0) {
            return Err(Contradiction::NoChunks);
        }
        self.check_faults()?;
        if self.backend == Backend::Python {
            self.check_python()?;
        }
        if self.backend == Backend::Threads && self.memory == Some(MemoryModel::Separate) {
            return Err(Contradiction::SharedThreads);
        }
        self.check_processes()?;
        if !(1..=1_000).contains(&self.increments) {
            return Err(Contradiction::Increments(self.increments));
        }
        let increments = u64::from(self.tasks) * u64::from(self.increments);
        if self.effect == CounterEffect::Race && increments > MOST_RACING {
            return Err(Contradiction::Race(self.tasks, self.increments));
        }
        if self.unit == Nanos::ZERO {
            return Err(Contradiction::Unit);
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<(), Contradiction> {
        let mut named = HashSet::new();
        for &Fault { task, kind } in &self.faults {
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
            if kind == FaultKind::Die && self.method.rules().sends == Sends::Nothing {
                return Err(Contradiction::DieInLoop(task));
            }
        }
        Ok(())
    }

    /// What needs a backend that can do it: to run here, to carry bytes, to have its own memory.
    fn check_processes(&self) -> Result<(), Contradiction> {
        if !self.backend.is_available() {
            return Err(Contradiction::Unavailable(self.backend.name()));
        }
        if self.payload > 0 && !self.backend.carries() {
            return Err(Contradiction::NothingSent);
        }
        let tasks = self.real_chunksize().min(self.tasks);
        if u64::from(tasks) * u64::from(self.payload) > MOST_CARRIED {
            return Err(Contradiction::Payload(tasks, self.payload));
        }
        if self.backend == Backend::Processes {
            if self.memory == Some(MemoryModel::Shared) {
                return Err(Contradiction::SeparateProcesses);
            }
            if self.gil {
                return Err(Contradiction::OwnInterpreters);
            }
        }
        Ok(())
    }

    /// CPython decides itself what other backends can be told.
    fn check_python(&self) -> Result<(), Contradiction> {
        let decided = [
            (
                self.dispatch > Nanos::ZERO,
                "dispatch",
                "CPython takes its own time to send",
            ),
            (
                self.gil,
                "gil",
                "CPython has its own; see --pool threadpool",
            ),
            (
                self.policy == Policy::Executor,
                "policy",
                "take --pool executor",
            ),
            (self.memory.is_some(), "memory-model", "--pool decides it"),
        ];
        if let Some((_, flag, why)) = decided.into_iter().find(|row| row.0) {
            return Err(Contradiction::NotInPython(flag, why));
        }
        let dies = self
            .faults
            .iter()
            .find(|fault| fault.kind == FaultKind::Die);
        match dies {
            Some(fault) if self.pool == PythonPool::ThreadPool => {
                Err(Contradiction::DieInThreads(fault.task))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(wrong(|e| e.cpus = Some(4)).starts_with("--cpus is for --backend simulated"));
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
        assert_eq!(Experiment::default().check(), Ok(()));
    }
}
