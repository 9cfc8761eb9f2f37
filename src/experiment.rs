//! Everything that decides a run in the lab: two equal experiments run the same tasks in the same way.

use crate::method::{Method, Rules, Sends};
use crate::time::Nanos;
use crate::workload::Costs;

mod choices;
mod contradiction;
mod fault;
mod misfit;
mod number;

pub use choices::{
    Backend, CounterEffect, FaultKind, MemoryModel, Policy, PythonPool, StartMethod, WorkKind,
};
pub use contradiction::{Contradiction, MOST_TASKS, MOST_WORKERS};
pub use fault::Fault;
pub use misfit::{Misfit, Part};
pub use number::{AUTO, whole, whole_or_auto};

/// The caller's own work besides the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MainWork {
    /// Half of what `map` should take at best, whatever the method: so it is seen to change when the caller is
    /// freed, and to be the same work when the method changes.
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
    /// `None`: separate where workers are processes, real or simulated; shared between threads and in a race.
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

impl Experiment {
    /// Its workers are processes of the system, which can be killed.
    pub fn is_mortal(&self) -> bool {
        match self.backend {
            _ if self.is_loop() => false,
            Backend::Processes => true,
            Backend::Python => self.pool != PythonPool::ThreadPool,
            Backend::Threads | Backend::Simulated => false,
        }
    }

    /// Main runs the tasks itself: there is no pool, and no worker.
    pub fn is_loop(&self) -> bool {
        self.method.rules().sends == Sends::Nothing
    }

    /// Workers that really run tasks: a loop has the main program only.
    pub fn running_workers(&self) -> u32 {
        self.method.workers(self.workers)
    }

    /// The rules of its method, on an executor where it runs on one of CPython.
    pub fn rules(&self) -> Rules {
        if self.is_on_executor() {
            self.method.rules_on_executor()
        } else {
            self.method.rules()
        }
    }

    /// It runs on an executor of `concurrent.futures` itself.
    pub fn is_on_executor(&self) -> bool {
        self.backend == Backend::Python && self.pool == PythonPool::Executor
    }

    /// What a worker's death does, also where the pool of CPython decides it.
    pub fn real_policy(&self) -> Policy {
        if self.is_on_executor() {
            Policy::Executor
        } else {
            self.policy
        }
    }

    /// CPUs of a simulated run.
    pub fn simulated_cpus(&self) -> u32 {
        self.cpus.unwrap_or(self.workers)
    }

    /// The chunk size the call has; see [`Rules::chunksize`].
    pub fn real_chunksize(&self) -> u32 {
        self.rules()
            .chunksize(self.chunksize, self.tasks, self.workers)
    }

    pub fn memory_model(&self) -> MemoryModel {
        match (self.memory, self.backend) {
            // A race is always for one G.
            _ if self.effect == CounterEffect::Race => MemoryModel::Shared,
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

    /// One task at a time computes: the workers share a lock as the threads of a CPython do.
    pub fn has_one_interpreter(&self) -> bool {
        self.gil || self.backend == Backend::Python && self.pool == PythonPool::ThreadPool
    }

    /// The same in virtual time, on so many CPUs where it would be measured on those of this machine.
    #[must_use]
    pub fn in_virtual_time(self, cpus: u32) -> Self {
        if !self.backend.is_measured() {
            return self;
        }
        Self {
            gil: self.has_one_interpreter(),
            backend: Backend::Simulated,
            payload: 0,
            cpus: Some(cpus),
            ..self
        }
    }

    /// How long the call should take at best: Graham's bound `max(longest, work / processors)`, or what
    /// the dispatcher needs, after start-up and the serial part. An expectation, never shown as a result.
    /// `cpus` are those of this machine, for a run that is measured.
    pub fn expected_makespan(&self, costs: &[Nanos], cpus: u32) -> Nanos {
        self.makespan_by(self.method, costs, cpus)
    }

    fn makespan_by(&self, method: Method, costs: &[Nanos], cpus: u32) -> Nanos {
        let work: Nanos = costs.iter().copied().sum();
        let longest = costs.iter().copied().max().unwrap_or_default();
        let processors = match (method.rules().one_at_a_time, self.kind, self.backend) {
            (true, _, _) => 1,
            (false, WorkKind::Cpu, _) if self.has_one_interpreter() => 1,
            (false, WorkKind::Cpu, Backend::Simulated) => self.workers.min(self.simulated_cpus()),
            (false, WorkKind::Cpu, _) => self.workers.min(cpus),
            (false, _, _) => self.workers,
        };
        let chunksize = method.chunksize(self.chunksize, self.tasks, self.workers);
        let messages = u64::from(self.tasks.div_ceil(chunksize.max(1)));
        let shared = Nanos(work.0 / u64::from(processors.max(1)));
        let dispatched = Nanos(self.dispatch.0.saturating_mul(messages));
        self.startup + self.serial + longest.max(shared).max(dispatched)
    }

    /// The length of the caller's own work; `cpus` are those of this machine, for a run that is measured.
    pub fn main_work_length(&self, costs: &[Nanos], cpus: u32) -> Nanos {
        match self.main_work {
            MainWork::Fixed(length) => length,
            MainWork::Half => Nanos(self.makespan_by(Method::Map, costs, cpus).0 / 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_of_cpython_decides_what_a_death_does() {
        let of = |pool, policy| Experiment {
            backend: Backend::Python,
            pool,
            policy,
            ..Experiment::default()
        };
        let real = |pool| of(pool, Policy::Pool).real_policy();
        assert_eq!(real(PythonPool::Executor), Policy::Executor);
        assert_eq!(real(PythonPool::Pool), Policy::Pool);
        // What is told can be asked for again.
        assert!(
            of(PythonPool::Executor, Policy::Executor)
                .misfits()
                .is_empty()
        );
        assert_eq!(of(PythonPool::Pool, Policy::Executor).misfits().len(), 1);
    }

    #[test]
    fn tasks_that_share_an_interpreter_compute_one_after_the_other() {
        let costs = [Nanos(100); 4];
        let half = |backend, pool, gil| {
            let experiment = Experiment {
                backend,
                pool,
                gil,
                kind: WorkKind::Cpu,
                workers: 4,
                tasks: 4,
                ..Experiment::default()
            };
            experiment.main_work_length(&costs, 8)
        };
        assert_eq!(half(Backend::Threads, PythonPool::Pool, false), Nanos(50));
        assert_eq!(half(Backend::Threads, PythonPool::Pool, true), Nanos(200));
        assert_eq!(half(Backend::Python, PythonPool::Pool, false), Nanos(50));
        let threads = PythonPool::ThreadPool;
        assert_eq!(half(Backend::Python, threads, false), Nanos(200));
    }

    #[test]
    fn the_main_program_has_as_much_to_do_whatever_the_method() {
        let costs = [Nanos(30), Nanos(50), Nanos(120), Nanos(200)];
        for method in Method::ALL {
            let experiment = Experiment {
                method,
                workers: 2,
                ..Experiment::default()
            };
            assert_eq!(
                experiment.main_work_length(&costs, 8),
                Nanos(100),
                "{method:?}"
            );
        }
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
