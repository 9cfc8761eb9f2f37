//! A pool of workers as far as it is known.

use crate::event::{PoolId, PoolOpened};
use crate::time::Time;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Of one whose opening was not seen: no kind, and not how many workers.
    pub facts: PoolOpened,
    pub opened: Time,
    pub closed: Option<Time>,
}

impl Pool {
    pub(super) fn unseen(pool: PoolId, at: Time) -> Self {
        let facts = PoolOpened {
            pool,
            kind: String::new(),
            start_method: None,
            workers: None,
        };
        Self {
            facts,
            opened: at,
            closed: None,
        }
    }

    /// It is one of `concurrent.futures`, which answers for workers that die; a Pool does not.
    pub fn is_executor(&self) -> bool {
        self.facts.is_executor()
    }

    /// Its workers are threads of one process in Python: they share the lock of an interpreter.
    pub fn has_python_threads(&self) -> bool {
        self.facts.kind.starts_with("Thread")
    }

    /// Its workers are threads, of Python or of the lab: one may end, but nobody can kill it.
    pub fn is_of_threads(&self) -> bool {
        self.has_python_threads() || self.facts.kind == "threads"
    }
}
