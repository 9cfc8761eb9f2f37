//! Where workers hand in what they have done and the caller waits for it.
//!
//! One lock guards it. It is held for a few dozen instructions, never while something is told.

use super::recorder::Clock;
use crate::call::{Caller, ChunkResult, Collector, Step};
use crate::event::{Ends, Indexes};
use crate::origin::Cancel;
use crate::time::{Nanos, Time};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

/// On lines of memory of its own, as the queue.
#[repr(align(128))]
pub(in crate::origin) struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    collector: Collector,
    workers: u32,
    /// Chunks the caller has handed over, and how many of them are back, or never will be.
    submitted: u32,
    returned: u32,
    stuck: u32,
    /// Workers inside a task that never ends.
    hanging: u32,
    /// The moment of the last chunk handed in: moments follow the order in which the lock was had.
    last: Time,
    caller_waits: bool,
    /// There are no workers any more.
    stranded: bool,
}

/// What handing in a chunk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::origin) struct Handed {
    pub(in crate::origin) at: Time,
    pub(in crate::origin) ready: Option<Indexes>,
}

impl State {
    /// Every chunk that can come back is back.
    fn nothing_can_happen(&self) -> bool {
        self.stranded
            || self.returned + self.stuck == self.submitted
            || self.hanging == self.workers
    }
}

impl Desk {
    pub(in crate::origin) fn new(collector: Collector, workers: u32) -> Self {
        Self {
            state: Mutex::new(State {
                collector,
                workers,
                submitted: 0,
                returned: 0,
                stuck: 0,
                hanging: 0,
                last: Time::ZERO,
                caller_waits: false,
                stranded: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in a chunk whose last task ended at `finished`. That moment counts, unless the worker had to
    /// wait for another one here.
    pub(in crate::origin) fn hand_in(
        &self,
        clock: Clock,
        finished: Time,
        chunk: u32,
        result: ChunkResult,
    ) -> Handed {
        self.hand_in_all(clock, finished, [(chunk, result)])
    }

    /// Hands in several chunks at once, of a call whose results become ready all together.
    pub(super) fn hand_in_all(
        &self,
        clock: Clock,
        finished: Time,
        chunks: impl IntoIterator<Item = (u32, ChunkResult)>,
    ) -> Handed {
        let (mut state, at) = self.lock_at(clock, finished);
        let mut ready = None;
        for (chunk, result) in chunks {
            state.returned += 1;
            ready = state.collector.returned(chunk, result).or(ready);
        }
        self.changed(&state, ready.is_some());
        Handed { at, ready }
    }

    /// The lock, and the moment at which it was had.
    fn lock_at(&self, clock: Clock, finished: Time) -> (MutexGuard<'_, State>, Time) {
        let (mut state, had) = match self.state.try_lock() {
            Ok(state) => (state, finished),
            Err(TryLockError::Poisoned(poisoned)) => (poisoned.into_inner(), finished),
            Err(TryLockError::WouldBlock) => {
                let state = self.lock();
                (state, clock.now())
            }
        };
        // A nanosecond between neighbours: nobody has this lock and gives it back in less.
        let at = had.max(state.last + Nanos(1));
        state.last = at;
        (state, at)
    }

    /// A chunk will never come back.
    pub(in crate::origin) fn lose(&self) {
        let mut state = self.lock();
        state.stuck += 1;
        self.changed(&state, true);
    }

    /// A worker hangs: neither its chunk nor the worker will come back.
    pub(in crate::origin) fn hang(&self) {
        let mut state = self.lock();
        state.stuck += 1;
        state.hanging += 1;
        self.changed(&state, true);
    }

    /// A worker that hung was killed and has a successor; its chunk stays lost.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "for workers that are processes")
    )]
    pub(in crate::origin) fn no_longer_hangs(&self) {
        let mut state = self.lock();
        state.hanging -= 1;
        self.changed(&state, true);
    }

    /// There are no workers any more, and there will be none.
    pub(in crate::origin) fn strand(&self) {
        let mut state = self.lock();
        state.stranded = true;
        self.changed(&state, true);
    }

    /// The results of this chunk are here.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "for workers that are processes")
    )]
    pub(in crate::origin) fn is_back(&self, chunk: u32) -> bool {
        self.lock().collector.result(chunk).is_some()
    }

    /// The executor gives up; see [`Collector::give_up`]. Tasks that were submitted.
    pub(in crate::origin) fn give_up(&self) -> Vec<Indexes> {
        let mut state = self.lock();
        let mut failed = state.collector.give_up();
        let last = state.submitted.checked_sub(1);
        let submitted = last.map_or(0, |last| state.collector.chunks().tasks(last).end);
        failed.retain(|tasks| tasks.end <= submitted);
        self.changed(&state, true);
        failed
    }

    /// Wakes the caller if it waits and this concerns it.
    fn changed(&self, state: &State, news: bool) {
        if state.caller_waits && (news || state.nothing_can_happen()) {
            self.changed.notify_all();
        }
    }

    /// Makes the caller look up, because it was cancelled.
    pub(in crate::origin) fn wake(&self) {
        let _state = self.lock();
        self.changed.notify_all();
    }

    pub(in crate::origin) fn submit(&self, chunks: u32) {
        self.lock().submitted += chunks;
    }

    /// Some task hangs, and every chunk that can come back is back.
    pub(in crate::origin) fn is_stuck(&self) -> bool {
        let state = self.lock();
        state.hanging > 0 && state.nothing_can_happen()
    }

    pub(in crate::origin) fn step(&self, caller: &mut Caller) -> Step {
        caller.step(&self.lock().collector)
    }

    /// The first step of the caller that is not to wait. If there will never be one: why.
    pub(in crate::origin) fn wait(
        &self,
        caller: &mut Caller,
        cancel: &Cancel,
    ) -> Result<Step, Ends> {
        let mut state = self.lock();
        let found = loop {
            if cancel.is_cancelled() {
                break Err(Ends::Cancelled);
            }
            match caller.step(&state.collector) {
                Step::Wait => {}
                step => break Ok(step),
            }
            if state.nothing_can_happen() {
                break Err(Ends::Never);
            }
            state.caller_waits = true;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        state.caller_waits = false;
        found
    }
}
