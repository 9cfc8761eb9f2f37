//! Everything that decides a run in the lab: two equal experiments run the same tasks in the same way.

use crate::method::{Method, Sends};
use crate::time::Nanos;
use crate::workload::Costs;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Where the workers of a lab run come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Threads of this process; time is measured.
    Threads,
    /// Processes with memory of their own; time is measured.
    Processes,
    /// CPython's own pools, driven by a script; time is measured.
    Python,
    /// Virtual time, deterministic, any number of workers and CPUs.
    Simulated,
}

impl Backend {
    /// Name and one-line description, in the order in which `b` goes through them.
    pub const TABLE: [(Self, &'static str, &'static str); 4] = [
        (
            Self::Threads,
            "threads",
            "threads of this process, measured",
        ),
        (
            Self::Processes,
            "processes",
            "processes with memory of their own, measured",
        ),
        (Self::Python, "python", "a pool of CPython itself, measured"),
        (
            Self::Simulated,
            "simulated",
            "virtual time, exact, any number of CPUs",
        ),
    ];

    pub fn name(self) -> &'static str {
        Self::TABLE
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    /// It runs in real time on the CPUs of this machine.
    pub fn is_measured(self) -> bool {
        self != Self::Simulated
    }

    /// Messages between main and the workers carry bytes.
    pub fn carries(self) -> bool {
        matches!(self, Self::Processes | Self::Python)
    }

    /// It can run on this system.
    pub fn is_available(self) -> bool {
        match self {
            Self::Threads | Self::Simulated => true,
            Self::Processes => cfg!(target_os = "linux"),
            Self::Python => cfg!(unix),
        }
    }

    /// The one that `b` goes to.
    #[must_use]
    pub fn next(self) -> Self {
        let here = Self::TABLE
            .iter()
            .position(|row| row.0 == self)
            .unwrap_or(0);
        let others = Self::TABLE.iter().cycle().skip(here + 1);
        others
            .map(|row| row.0)
            .find(|backend| backend.is_available())
            .unwrap_or(self)
    }
}

/// Which pool of CPython the tasks go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PythonPool {
    /// `multiprocessing.Pool`
    Pool,
    /// `multiprocessing.pool.ThreadPool`
    ThreadPool,
    /// `concurrent.futures.ProcessPoolExecutor`
    Executor,
}

impl PythonPool {
    pub const TABLE: [(Self, &'static str); 3] = [
        (Self::Pool, "pool"),
        (Self::ThreadPool, "threadpool"),
        (Self::Executor, "executor"),
    ];

    pub fn name(self) -> &'static str {
        Self::TABLE[self as usize].1
    }
}

/// How CPython makes a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartMethod {
    Fork,
    Spawn,
    Forkserver,
}

impl StartMethod {
    pub const TABLE: [(Self, &'static str); 3] = [
        (Self::Fork, "fork"),
        (Self::Spawn, "spawn"),
        (Self::Forkserver, "forkserver"),
    ];

    pub fn name(self) -> &'static str {
        Self::TABLE[self as usize].1
    }
}

/// What tasks need while they run. `Mixed`: even ones compute, odd ones wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    Cpu,
    Io,
    Mixed,
}

/// What happens to a call whose worker dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// `multiprocessing.Pool`: a new worker, but the lost chunk is never sent again.
    Pool,
    /// `ProcessPoolExecutor`: everything outstanding fails at once.
    Executor,
}

/// Whose memory the tasks write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryModel {
    Shared,
    Separate,
}

/// What tasks do to the counter G besides their work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterEffect {
    None,
    /// Each task does `G += 1`.
    Count,
    /// Each task increments one shared G, load and store being two steps.
    Race,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Raises when its work is done.
    Raise,
    /// Takes its worker with it when its work is done.
    Die,
    /// Never ends.
    Hang,
}

/// Something that goes wrong in one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Fault {
    pub task: u32,
    pub kind: FaultKind,
}

/// The caller's own work besides the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MainWork {
    /// Half of [`Experiment::expected_makespan`], so that it is seen to change when the caller is freed.
    Half,
    Fixed(Nanos),
}

/// See the module. Fields are those of the command line, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    pub method: Method,
    pub backend: Backend,
    pub workers: u32,
    /// CPUs of a simulated run; `None`: as many as workers.
    pub cpus: Option<u32>,
    /// Always the length of a list of costs.
    pub tasks: u32,
    pub costs: Costs,
    pub kind: WorkKind,
    /// Each item is a pair and the function takes two arguments.
    pub pairs: bool,
    /// `None`: CPython's rule.
    pub chunksize: Option<u32>,
    pub main_work: MainWork,
    /// Bytes that go along with each task, to its worker and back.
    pub payload: u32,
    /// Time the dispatcher needs for a message, one after another.
    pub dispatch: Nanos,
    pub startup: Nanos,
    /// What the caller alone does before the call.
    pub serial: Nanos,
    /// CPU tasks compute one at a time.
    pub gil: bool,
    /// The increments of `race` are done under a lock.
    pub lock: bool,
    pub policy: Policy,
    /// `None`: separate where workers are processes, real or simulated; shared between threads.
    pub memory: Option<MemoryModel>,
    pub effect: CounterEffect,
    pub increments: u32,
    pub faults: Vec<Fault>,
    pub seed: u64,
    pub unit: Nanos,
    /// Ends a run that can never complete; zero: as soon as nothing else can happen.
    pub stop_at: Nanos,
    /// The python backend only, as the next two.
    pub pool: PythonPool,
    /// `None`: what this Python does by itself.
    pub start_method: Option<StartMethod>,
    /// The interpreter; `None`: that of the virtual environment, or `python3`.
    pub python: Option<String>,
}

/// The first start: 24 tasks of 600 ms on average on 4 threads, chunk size 1.
impl Default for Experiment {
    fn default() -> Self {
        Self {
            method: Method::Map,
            backend: Backend::Threads,
            workers: 4,
            cpus: None,
            tasks: 24,
            costs: Costs::Lognormal {
                mean: Nanos(600_000_000),
                sigma: 0.8,
            },
            kind: WorkKind::Cpu,
            pairs: false,
            chunksize: Some(1),
            main_work: MainWork::Half,
            payload: 0,
            dispatch: Nanos::ZERO,
            startup: Nanos::ZERO,
            serial: Nanos::ZERO,
            gil: false,
            lock: false,
            policy: Policy::Pool,
            memory: None,
            effect: CounterEffect::None,
            increments: 3,
            faults: Vec::new(),
            seed: 7,
            unit: Nanos(10_000_000),
            stop_at: Nanos::ZERO,
            pool: PythonPool::Pool,
            start_method: None,
            python: None,
        }
    }
}

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

    /// Its workers are processes of the system, which can be killed.
    pub fn is_mortal(&self) -> bool {
        let has_pool = self.method.rules().sends != Sends::Nothing;
        match self.backend {
            Backend::Processes => true,
            Backend::Python => has_pool && self.pool != PythonPool::ThreadPool,
            Backend::Threads | Backend::Simulated => false,
        }
    }

    /// Workers that really run tasks: a loop has the main program only.
    pub fn running_workers(&self) -> u32 {
        self.method.workers(self.workers)
    }

    /// CPUs of a simulated run.
    pub fn simulated_cpus(&self) -> u32 {
        self.cpus.unwrap_or(self.workers)
    }

    /// The chunk size the call has; see [`Method::chunksize`].
    pub fn real_chunksize(&self) -> u32 {
        self.method
            .chunksize(self.chunksize, self.tasks, self.workers)
    }

    pub fn memory_model(&self) -> MemoryModel {
        match (self.memory, self.backend) {
            (Some(memory), _) => memory,
            (None, Backend::Threads) => MemoryModel::Shared,
            (None, Backend::Python) if self.pool == PythonPool::ThreadPool => MemoryModel::Shared,
            (None, Backend::Processes | Backend::Python | Backend::Simulated) => {
                MemoryModel::Separate
            }
        }
    }

    /// False if calling the function fails before it is entered: it takes two arguments and gets one pair.
    pub fn enters(&self) -> bool {
        !self.pairs || self.method.rules().unpacks
    }

    /// The call that task `index` makes, as Python writes it: `f(3)`, `f(3, 4)`, `f((3, 4))`.
    pub fn call_text(&self, index: u32) -> String {
        let starmap = self.method.family() == Method::Starmap;
        match (self.pairs || starmap, self.method.rules().unpacks) {
            (false, _) => format!("f({index})"),
            (true, true) => format!("f({index}, {})", u64::from(index) + 1),
            (true, false) => format!("f(({index}, {}))", u64::from(index) + 1),
        }
    }

    /// What Python prints for a task that fails for this reason.
    pub fn error_text(&self, index: u32) -> String {
        if self.enters() {
            format!("ValueError: task {index} failed")
        } else {
            "TypeError: f() missing 1 required positional argument: 'y'".to_owned()
        }
    }

    /// How long the call should take at best: Graham's bound `max(longest, work / processors)`, or what
    /// the dispatcher needs, after start-up and the serial part. An expectation, never shown as a result.
    pub fn expected_makespan(&self, costs: &[Nanos]) -> Nanos {
        let work: Nanos = costs.iter().copied().sum();
        let longest = costs.iter().copied().max().unwrap_or_default();
        let rules = self.method.rules();
        let processors = match (rules.one_at_a_time, self.kind, self.backend) {
            (true, _, _) => 1,
            (false, WorkKind::Cpu, Backend::Simulated) if self.gil => 1,
            (false, WorkKind::Cpu, Backend::Simulated) => self.workers.min(self.simulated_cpus()),
            (false, _, _) => self.workers,
        };
        let messages = u64::from(self.tasks.div_ceil(self.real_chunksize().max(1)));
        let shared = Nanos(work.0 / u64::from(processors.max(1)));
        let dispatched = Nanos(self.dispatch.0.saturating_mul(messages));
        self.startup + self.serial + longest.max(shared).max(dispatched)
    }

    /// The length of the caller's own work.
    pub fn main_work_length(&self, costs: &[Nanos]) -> Nanos {
        match self.main_work {
            MainWork::Fixed(length) => length,
            MainWork::Half => Nanos(self.expected_makespan(costs).0 / 2),
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

    #[test]
    fn the_inspector_shows_the_call_that_python_makes() {
        let call = |method, pairs| {
            Experiment {
                method,
                pairs,
                ..Experiment::default()
            }
            .call_text(3)
        };
        assert_eq!(call(Method::Map, false), "f(3)");
        assert_eq!(call(Method::Starmap, false), "f(3, 4)");
        assert_eq!(call(Method::Imap, true), "f((3, 4))");
        assert_eq!(call(Method::Apply, true), "f(3, 4)");
        assert!(
            !Experiment {
                pairs: true,
                ..Experiment::default()
            }
            .enters()
        );
    }
}
