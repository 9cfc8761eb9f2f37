//! What is known of one task and of one chunk.

use crate::event::{CpuId, Indexes, LaneId, Outcome};
use crate::time::{Nanos, Time};

/// The story of a task. A moment that has not come, or was not seen, is [`Time::NEVER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    pub submitted: Time,
    pub started: Time,
    pub finished: Time,
    pub ready: Time,
    pub delivered: Time,
    /// When its result was found to be lost.
    pub lost: Time,
    /// Sums over the stretches that were accounted for, `known` being their length.
    pub on_cpu: Nanos,
    pub waiting: Nanos,
    pub useful_wait: Nanos,
    pub known: Nanos,
    /// The worker that ran it.
    pub lane: Option<LaneId>,
    pub cpu_start: Option<CpuId>,
    pub cpu_end: Option<CpuId>,
    /// How it ended, if it did; `Lost` also for one that had ended before its worker died.
    pub outcome: Option<Outcome>,
    /// Its end told that it failed, whatever became of it.
    pub(super) failed: bool,
}

impl Default for Task {
    fn default() -> Self {
        Self {
            submitted: Time::NEVER,
            started: Time::NEVER,
            finished: Time::NEVER,
            ready: Time::NEVER,
            delivered: Time::NEVER,
            lost: Time::NEVER,
            on_cpu: Nanos::ZERO,
            waiting: Nanos::ZERO,
            useful_wait: Nanos::ZERO,
            known: Nanos::ZERO,
            lane: None,
            cpu_start: None,
            cpu_end: None,
            outcome: None,
            failed: false,
        }
    }
}

impl Task {
    /// Between start and end, if it had both.
    pub fn service(&self) -> Option<Nanos> {
        (self.started.happened() && self.finished.happened())
            .then(|| self.finished.since(self.started))
    }

    /// Between submission and start.
    pub fn wait(&self) -> Option<Nanos> {
        (self.submitted.happened() && self.started.happened())
            .then(|| self.started.since(self.submitted))
    }

    /// Between its end and the moment when only the caller stood before its use.
    pub fn hold(&self) -> Option<Nanos> {
        (self.finished.happened() && self.ready.happened()).then(|| self.ready.since(self.finished))
    }

    /// All of its service time is accounted for.
    pub fn is_accounted(&self) -> bool {
        self.service().is_some_and(|service| self.known >= service)
    }

    /// Time inside the task that was neither on a CPU, nor waiting for one, nor an asked-for wait.
    pub fn blocked(&self) -> Nanos {
        self.known
            .saturating_sub(self.on_cpu)
            .saturating_sub(self.waiting)
            .saturating_sub(self.useful_wait)
    }

    /// How it had ended as of `time`; `None` while it had not.
    pub fn outcome_at(&self, time: Time) -> Option<Outcome> {
        match self.outcome {
            Some(Outcome::Lost) if self.lost <= time => Some(Outcome::Lost),
            Some(Outcome::Lost) => (self.finished <= time).then_some(Outcome::Ok),
            outcome => outcome.filter(|_| self.finished <= time),
        }
    }
}

/// Tasks that were sent as one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub tasks: Indexes,
    pub enqueued: Time,
    pub dequeued: Time,
    pub returned: Time,
    /// The size of its message as pickled, where that was measured; and that of its results.
    pub bytes_there: Option<u32>,
    pub bytes_back: Option<u32>,
}

impl Default for Chunk {
    fn default() -> Self {
        Self {
            tasks: Indexes::default(),
            enqueued: Time::NEVER,
            dequeued: Time::NEVER,
            returned: Time::NEVER,
            bytes_there: None,
            bytes_back: None,
        }
    }
}
