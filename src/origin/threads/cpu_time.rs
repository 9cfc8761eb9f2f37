//! What a worker's thread has spent on a CPU, asked of the system as seldom as is truthful.
//!
//! Asking takes a system call or two: more than half a percent of a task of 100 microseconds. But a thread
//! that computes sees for itself when it has lost its CPU: it looks at the clock again and again, and
//! the clock jumps. As long as it does not, all time that passes is time on a CPU, and nobody needs to be
//! asked.

use crate::platform::{Spent, ThreadClock};
use crate::time::{Nanos, Time};

/// To take a CPU from a thread and to give it back takes the system longer than this.
pub(super) const SHORTER_THAN_A_TURN: Nanos = Nanos(2_000);
/// A thread that is seen again this soon has neither slept nor been interrupted for long.
const SAME_BREATH: Nanos = Nanos(5_000);

/// Belongs to one thread.
pub(super) struct CpuTime {
    clock: Option<ThreadClock>,
    /// What the system said last, and when.
    said: Option<(Time, Spent)>,
    /// The thread has not left its CPU since then, up to here.
    stayed_to: Time,
}

impl CpuTime {
    /// Of the calling thread.
    pub(super) fn open() -> Self {
        Self {
            clock: ThreadClock::open(),
            said: None,
            stayed_to: Time::ZERO,
        }
    }

    /// What the thread had spent at this moment, which must have come just now; `None` where the system
    /// does not tell.
    pub(super) fn at(&mut self, now: Time) -> Option<Spent> {
        if let Some((then, spent)) = self.said
            && self.is_there(now)
        {
            self.stayed_to = now;
            return Some(Spent {
                on_cpu: spent.on_cpu + now.since(then),
                ..spent
            });
        }
        let spent = self.clock.as_ref()?.read()?;
        self.said = Some((now, spent));
        self.stayed_to = now;
        Some(spent)
    }

    /// The thread saw that it did not leave its CPU between these moments.
    pub(super) fn stayed(&mut self, since: Time, to: Time) {
        if self.is_there(since) {
            self.stayed_to = to;
        }
    }

    fn is_there(&self, now: Time) -> bool {
        now.since(self.stayed_to) <= SAME_BREATH
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const BEGIN: Time = Time(1_000_000);
    const LATER: Time = Time(9_000_000);

    #[test]
    fn a_thread_that_stayed_on_its_cpu_spent_all_time_there() {
        let mut time = CpuTime::open();
        let before = time.at(BEGIN).unwrap();
        time.stayed(BEGIN, LATER);
        let spent = time.at(LATER + SAME_BREATH).unwrap().since(before);
        assert_eq!(spent.on_cpu, Nanos(8_000_000) + SAME_BREATH);
        assert_eq!(spent.waiting, Nanos::ZERO);
    }

    #[test]
    fn of_one_that_may_have_left_it_the_system_is_asked() {
        let mut time = CpuTime::open();
        let before = time.at(BEGIN).unwrap();
        // It saw nothing of the first half.
        time.stayed(BEGIN + SAME_BREATH + Nanos(1), LATER);
        let spent = time.at(LATER).unwrap().since(before);
        // This test has not been computing for as long as it says.
        assert_ne!(spent.on_cpu, LATER.since(BEGIN));
    }
}
