//! Where every worker-second went.

use crate::event::{Category, Ended};
use crate::time::{Nanos, Time};
use crate::trace::{Row, Trace};

/// Parts of workers x time; they add up to `total` exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    pub on_cpu: Nanos,
    /// The wait an I/O task asked for.
    pub useful_wait: Nanos,
    /// Runnable, but the scheduler ran something else.
    pub waiting_cpu: Nanos,
    /// Waiting inside a task for something else: a lock, the GIL, unrequested I/O.
    pub blocked: Nanos,
    /// Start-up, and between tasks while there were tasks to take.
    pub overhead: Nanos,
    /// Idle while tasks of the call were not yet dispatched.
    pub starved: Nanos,
    /// Idle with nothing left to take.
    pub idle: Nanos,
    /// The lane had no live worker.
    pub dead: Nanos,
    /// In a task, and nobody knows how.
    pub unknown: Nanos,
}

impl Shares {
    /// Key and value, in the order of the time bar.
    pub fn parts(&self) -> [(&'static str, Nanos); 9] {
        [
            ("on_cpu", self.on_cpu),
            ("useful_wait", self.useful_wait),
            ("waiting_cpu", self.waiting_cpu),
            ("blocked", self.blocked),
            ("overhead", self.overhead),
            ("starved", self.starved),
            ("idle", self.idle),
            ("dead", self.dead),
            ("unknown", self.unknown),
        ]
    }

    pub fn total(&self) -> Nanos {
        self.parts().iter().map(|part| part.1).sum()
    }

    /// A part of all, from 0 to 1; `None` of nothing.
    pub fn share(&self, part: Nanos) -> Option<f64> {
        let total = self.total().0;
        (total > 0).then(|| part.0 as f64 / total as f64)
    }

    fn add(&mut self, other: &Self) {
        self.on_cpu += other.on_cpu;
        self.useful_wait += other.useful_wait;
        self.waiting_cpu += other.waiting_cpu;
        self.blocked += other.blocked;
        self.overhead += other.overhead;
        self.starved += other.starved;
        self.idle += other.idle;
        self.dead += other.dead;
        self.unknown += other.unknown;
    }
}

impl Trace {
    /// Where the time of all workers went up to `time`, but not past the makespan (a run without one:
    /// not past its end).
    pub fn shares(&self, time: Time) -> Shares {
        let mut all = Shares::default();
        for row in self.rows() {
            all.add(&self.row_shares(row, time));
        }
        all
    }

    /// The same for one worker.
    pub fn row_shares(&self, row: &Row, time: Time) -> Shares {
        let time = time.min(self.accounted_to(time));
        let mut shares = Shares::default();
        let mut begun = Time::ZERO;
        for (k, &id) in row.lanes.iter().enumerate() {
            let Some(lane) = self.lane(id) else { continue };
            let opened = lane.opened.min(time);
            let gap = opened.since(begun);
            // Before its first worker a lane starts up; before a later one it had none.
            *(if k == 0 {
                &mut shares.overhead
            } else {
                &mut shares.dead
            }) += gap;
            let closed = lane.closed.map_or(time, |(at, _)| at.min(time));
            let sums = lane.sums_until(closed);
            shares.on_cpu += sums.on_cpu;
            shares.useful_wait += sums.useful_wait;
            shares.waiting_cpu += sums.waiting;
            shares.blocked += sums.blocked;
            shares.unknown += sums.unknown;
            let other = lane.others_until(closed, Category::Overhead);
            shares.overhead += other;
            self.divide_idle(lane, closed, time, &mut shares);
            begun = closed.max(opened);
        }
        let rest = time.since(begun);
        match row
            .lanes
            .last()
            .and_then(|&id| self.lane(id))
            .and_then(|lane| lane.closed)
        {
            Some((_, Ended::Finished | Ended::Retired)) | None => shares.idle += rest,
            Some(_) => shares.dead += rest,
        }
        shares
    }

    /// Splits what a lane did outside tasks up to `until`: starved while tasks were still to be
    /// dispatched; after that overhead, if a task followed, and idle, if none did.
    fn divide_idle(&self, lane: &super::Lane, until: Time, now: Time, shares: &mut Shares) {
        let idle_until = |time: Time| {
            let busy = lane.busy_until(time) + lane.others_until(time, Category::Overhead);
            time.since(lane.opened).saturating_sub(busy)
        };
        let all = idle_until(until);
        let dispatching = self
            .call()
            .map_or(now, |call| call.dispatching_until(now))
            .min(until);
        let starved = if dispatching > lane.opened {
            idle_until(dispatching)
        } else {
            Nanos::ZERO
        };
        let tail = match lane.piece_at(until) {
            Some(_) => Nanos::ZERO,
            None => until.since(lane.idle_since(until).max(dispatching).max(lane.opened)),
        };
        let tail = tail.0.min(all.0 - starved.0.min(all.0));
        shares.starved += starved;
        shares.idle += Nanos(tail);
        shares.overhead += Nanos(all.0.saturating_sub(starved.0).saturating_sub(tail));
    }
}
