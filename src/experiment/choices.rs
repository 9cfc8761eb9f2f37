//! What an experiment chooses from, with the words that stand for it in flags, the config file, the form
//! and reports.

use serde::{Deserialize, Serialize};

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

/// An enum whose variants have one word each, also for serde.
macro_rules! choice {
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// In the order of [`Self::ALL`].
            pub const NAMES: &'static [&'static str] = &[$($word),+];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

choice! {
    /// Which pool of CPython the tasks go to.
    PythonPool {
        /// `multiprocessing.Pool`
        Pool = "pool",
        /// `multiprocessing.pool.ThreadPool`
        ThreadPool = "threadpool",
        /// `concurrent.futures.ProcessPoolExecutor`
        Executor = "executor",
    }
}

choice! {
    /// How CPython makes a process.
    StartMethod {
        Fork = "fork",
        Spawn = "spawn",
        Forkserver = "forkserver",
    }
}

choice! {
    /// What tasks need while they run. `Mixed`: even ones compute, odd ones wait.
    WorkKind {
        Cpu = "cpu",
        Io = "io",
        Mixed = "mixed",
    }
}

choice! {
    /// What happens to a call whose worker dies.
    Policy {
        /// `multiprocessing.Pool`: a new worker, but the lost chunk is never sent again.
        Pool = "pool",
        /// `ProcessPoolExecutor`: everything outstanding fails at once.
        Executor = "executor",
    }
}

choice! {
    /// Whose memory the tasks write to.
    MemoryModel {
        Shared = "shared",
        Separate = "separate",
    }
}

choice! {
    /// What tasks do to the counter G besides their work.
    CounterEffect {
        None = "none",
        /// Each task does `G += 1`.
        Count = "count",
        /// Each task increments one shared G, load and store being two steps.
        Race = "race",
    }
}

choice! {
    /// What goes wrong in a task.
    FaultKind {
        /// Raises when its work is done.
        Raise = "raise",
        /// Takes its worker with it when its work is done.
        Die = "die",
        /// Never ends.
        Hang = "hang",
    }
}
