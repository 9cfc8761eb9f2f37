//! What an experiment asks for and its backend or its method has no place for.
//!
//! All that use it ask here: the command line refuses it, a default of the config file gives way, a key that
//! switches leaves it out, and the form warns. A flag that says something only beside another one, such as
//! `--lock` beside `--effect race`, is not of that kind: an experiment may keep it for the time when it does, and
//! whether it was given is known to the command line alone, which refuses it in `cli/experiment.rs`.

use super::{Backend, CounterEffect, Experiment, FaultKind, MemoryModel, Policy, PythonPool};
use crate::method::Sends;
use crate::time::Nanos;
use std::fmt;

/// A part of an experiment that some backend or method has no place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Cpus,
    Payload,
    Dispatch,
    Startup,
    Gil,
    Policy,
    Memory,
    /// The counter that all tasks race for.
    Race,
    /// The faults that take a worker along.
    Die,
}

/// A part that an experiment asks for in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub part: Part,
    /// As on the command line: `--cpus 2`.
    flag: String,
    /// What has no place for it: `threads`, `a loop`.
    pub not_for: &'static str,
    is_for: &'static str,
    why: &'static str,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is for {}: {}", self.flag, self.is_for, self.why)
    }
}

impl Misfit {
    /// What is said where it is left out.
    pub fn left_out(&self) -> String {
        format!("without {}: {}", self.flag, self.why)
    }
}

impl Experiment {
    /// What its backend and its method have no place for.
    pub fn misfits(&self) -> Vec<Misfit> {
        let parts = Part::ALL.into_iter();
        parts
            .filter_map(|part| {
                let flag = part.flag(self)?;
                let (not_for, is_for, why) = part.misfit(self)?;
                Some(Misfit {
                    part,
                    flag,
                    not_for,
                    is_for,
                    why,
                })
            })
            .collect()
    }

    pub fn leave_out(&mut self, part: Part) {
        match part {
            Part::Cpus => self.cpus = None,
            Part::Payload => self.payload = 0,
            Part::Dispatch => self.dispatch = Nanos::ZERO,
            Part::Startup => self.startup = Nanos::ZERO,
            Part::Gil => self.gil = false,
            Part::Policy => self.policy = Policy::Pool,
            Part::Memory => self.memory = None,
            Part::Race => self.effect = CounterEffect::Count,
            Part::Die => self.faults.retain(|fault| fault.kind != FaultKind::Die),
        }
    }
}

impl Part {
    const ALL: [Self; 9] = [
        Self::Cpus,
        Self::Payload,
        Self::Dispatch,
        Self::Startup,
        Self::Gil,
        Self::Policy,
        Self::Memory,
        Self::Race,
        Self::Die,
    ];

    /// How it is asked for, if it is.
    fn flag(self, experiment: &Experiment) -> Option<String> {
        let given = |is_given: bool, flag: &str| is_given.then(|| flag.to_owned());
        match self {
            Self::Cpus => experiment.cpus.map(|cpus| format!("--cpus {cpus}")),
            Self::Payload => given(experiment.payload > 0, "--payload"),
            Self::Dispatch => given(experiment.dispatch > Nanos::ZERO, "--dispatch"),
            Self::Startup => given(experiment.startup > Nanos::ZERO, "--startup"),
            Self::Gil => given(experiment.gil, "--gil"),
            Self::Policy => given(experiment.policy == Policy::Executor, "--policy executor"),
            Self::Memory => {
                let model = experiment.memory?;
                Some(format!("--memory-model {}", model.name()))
            }
            Self::Race => given(experiment.effect == CounterEffect::Race, "--effect race"),
            Self::Die => {
                let faults = experiment.faults.iter();
                let die = faults.filter(|fault| fault.kind == FaultKind::Die);
                let tasks: Vec<String> = die.map(|fault| fault.task.to_string()).collect();
                (!tasks.is_empty()).then(|| format!("--fault {}:die", tasks.join(",")))
            }
        }
    }

    /// What has no place for it there, what it is for, and why, if that is so.
    fn misfit(self, experiment: &Experiment) -> Option<(&'static str, &'static str, &'static str)> {
        use Backend::{Processes, Python, Simulated, Threads};
        const SIMULATED: &str = "--backend simulated";
        const NOT_PYTHON: &str = "--backend threads, processes and simulated";
        let backend = experiment.backend;
        let (is_for, why) = match (self, backend) {
            (Self::Payload | Self::Dispatch | Self::Startup | Self::Policy | Self::Die, _)
                if experiment.method.rules().sends == Sends::Nothing =>
            {
                let is_for = "methods with a pool";
                return Some(("a loop", is_for, "--method loop has no workers"));
            }
            (Self::Die, Python) if experiment.pool == PythonPool::ThreadPool => {
                return Some(("threadpool", "processes", "--pool threadpool has threads"));
            }
            (Self::Cpus, Threads | Processes | Python) => {
                (SIMULATED, "a measured run has the CPUs of this machine")
            }
            (Self::Payload, Threads | Simulated) => {
                let is_for = "--backend processes and python";
                (is_for, "the others send nothing")
            }
            (Self::Dispatch, Python) => (NOT_PYTHON, "CPython takes its own time to send"),
            (Self::Startup, Python) => (NOT_PYTHON, "CPython takes its own time to start"),
            (Self::Gil, Processes) => (
                "--backend threads and simulated",
                "each process has an interpreter of its own",
            ),
            (Self::Gil, Python) => (
                "--backend threads and simulated",
                "CPython has its own; see --pool threadpool",
            ),
            // There it says what is so in any case.
            (Self::Policy, Python) if experiment.is_on_executor() => return None,
            (Self::Policy, Python) => (NOT_PYTHON, "that of CPython is --pool executor"),
            (Self::Memory, Threads) if experiment.memory == Some(MemoryModel::Separate) => {
                (SIMULATED, "threads share their memory")
            }
            (Self::Memory, Python) => (SIMULATED, "--pool decides it"),
            (Self::Race, Python) if experiment.pool != PythonPool::ThreadPool => {
                let why = "processes of CPython have a counter each";
                return Some((experiment.pool.name(), "--pool threadpool", why));
            }
            (Self::Memory, _) if experiment.effect == CounterEffect::Race => {
                if experiment.memory == Some(MemoryModel::Shared) {
                    return None;
                }
                let why = "in a race all tasks have one counter";
                return Some(("a race", "--effect count", why));
            }
            (Self::Memory, Processes) if experiment.memory == Some(MemoryModel::Shared) => {
                (SIMULATED, "processes have memory of their own")
            }
            _ => return None,
        };
        Some((backend.name(), is_for, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Fault;
    use crate::method::Method;

    /// It asks for all that some backend lacks.
    fn greedy() -> Experiment {
        let kind = FaultKind::Die;
        Experiment {
            cpus: Some(2),
            payload: 10,
            dispatch: Nanos(1),
            startup: Nanos(1),
            gil: true,
            policy: Policy::Executor,
            memory: Some(MemoryModel::Separate),
            faults: [3, 5].map(|task| Fault { task, kind }).to_vec(),
            pool: PythonPool::ThreadPool,
            ..Experiment::default()
        }
    }

    #[test]
    fn each_backend_refuses_what_it_lacks_and_runs_without_it() {
        for (backend, method, lacks) in [
            (
                Backend::Threads,
                Method::Map,
                &["cpus", "payload", "memory-model"][..],
            ),
            (Backend::Processes, Method::Map, &["cpus", "gil"]),
            (
                Backend::Python,
                Method::Map,
                &[
                    "cpus",
                    "dispatch",
                    "startup",
                    "gil",
                    "policy",
                    "memory-model",
                    "fault",
                ],
            ),
            (Backend::Simulated, Method::Map, &["payload"]),
            (
                Backend::Simulated,
                Method::Loop,
                &["payload", "dispatch", "startup", "policy", "fault"],
            ),
        ] {
            let mut experiment = Experiment {
                method,
                backend,
                ..greedy()
            };
            let misfits = experiment.misfits();
            let flags = misfits
                .iter()
                .map(|misfit| misfit.flag.split(' ').next().unwrap());
            let flags: Vec<&str> = flags.map(|flag| flag.trim_start_matches("--")).collect();
            assert_eq!(flags, lacks, "{backend:?}");
            assert!(experiment.check().is_err(), "{backend:?}");
            for misfit in misfits {
                experiment.leave_out(misfit.part);
            }
            assert_eq!(experiment.misfits(), []);
            if backend.is_available() {
                assert_eq!(experiment.check(), Ok(()), "{backend:?}");
            }
        }
    }

    #[test]
    fn a_race_is_for_one_counter_on_every_backend() {
        for backend in [Backend::Simulated, Backend::Processes] {
            let race = |memory| Experiment {
                backend,
                memory,
                effect: CounterEffect::Race,
                ..Experiment::default()
            };
            assert_eq!(race(None).memory_model(), MemoryModel::Shared);
            assert_eq!(race(Some(MemoryModel::Shared)).misfits(), []);
            let misfits = race(Some(MemoryModel::Separate)).misfits();
            let words = misfits.iter().map(ToString::to_string);
            assert_eq!(
                words.collect::<Vec<_>>(),
                [
                    "--memory-model separate is for --effect count: in a race all tasks have one counter"
                ]
            );
        }
    }

    #[test]
    fn processes_of_cpython_have_nothing_to_race_for() {
        for &pool in PythonPool::ALL {
            let mut experiment = Experiment {
                backend: Backend::Python,
                effect: CounterEffect::Race,
                pool,
                ..Experiment::default()
            };
            let misfits = experiment.misfits();
            if pool == PythonPool::ThreadPool {
                assert_eq!(misfits, []);
                continue;
            }
            let words =
                "--effect race is for --pool threadpool: processes of CPython have a counter each";
            assert_eq!(misfits[0].to_string(), words);
            experiment.leave_out(misfits[0].part);
            assert_eq!(experiment.effect, CounterEffect::Count);
        }
    }

    #[test]
    fn the_words_name_the_flag_and_say_why() {
        let serial = Experiment {
            method: Method::Loop,
            backend: Backend::Simulated,
            payload: 0,
            dispatch: Nanos::ZERO,
            startup: Nanos::ZERO,
            policy: Policy::Pool,
            ..greedy()
        };
        let misfits = serial.misfits();
        assert_eq!(
            misfits[0].to_string(),
            "--fault 3,5:die is for methods with a pool: --method loop has no workers"
        );
        assert_eq!(
            misfits[0].left_out(),
            "without --fault 3,5:die: --method loop has no workers"
        );
    }
}
