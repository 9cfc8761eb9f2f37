//! Where every worker-second went.

use super::scope::Scope;
use crate::event::{Ended, Ends};
use crate::time::{Nanos, Span, Time};
use crate::trace::{Call, Lane, Piece, Row, Trace};

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

    /// The part in which a task worked, from 0 to 1: it computed, or had a wait that it asked for. Where it is
    /// not known what it did, it counts as working.
    pub fn worked(&self) -> Option<f64> {
        self.share(self.on_cpu + self.useful_wait + self.unknown)
    }

    /// The part in which there was a task, from 0 to 1, whatever it did.
    pub fn busy(&self) -> Option<f64> {
        let waits = self.useful_wait + self.waiting_cpu + self.blocked;
        self.share(self.on_cpu + waits + self.unknown)
    }

    pub(super) fn add(&mut self, other: &Self) {
        *self = self.with(other, |own, other| own + other);
    }

    /// What there is more of than in these.
    pub(super) fn since(&self, other: &Self) -> Self {
        self.with(other, Nanos::saturating_sub)
    }

    fn with(&self, other: &Self, of: impl Fn(Nanos, Nanos) -> Nanos) -> Self {
        Self {
            on_cpu: of(self.on_cpu, other.on_cpu),
            useful_wait: of(self.useful_wait, other.useful_wait),
            waiting_cpu: of(self.waiting_cpu, other.waiting_cpu),
            blocked: of(self.blocked, other.blocked),
            overhead: of(self.overhead, other.overhead),
            starved: of(self.starved, other.starved),
            idle: of(self.idle, other.idle),
            dead: of(self.dead, other.dead),
            unknown: of(self.unknown, other.unknown),
        }
    }
}

/// Where the time of a place went, up to some moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accounted {
    pub(super) until: Time,
    pub(super) shares: Shares,
}

impl Accounted {
    /// Goes on to the end of the next worker, or to `to`; before it the place had none. Tasks were still to be
    /// dispatched up to `dispatching`. Of another call than this one no task follows.
    pub(super) fn pass(&mut self, lane: &Lane, to: Time, dispatching: Time, call: Option<&Call>) {
        let opened = lane.opened.min(to);
        self.shares.dead += opened.since(self.until);
        self.until = self.until.max(opened);
        let closed = lane.closed.map_or(to, |(at, _)| at.min(to));
        if closed > self.until {
            let span = Span::new(self.until, closed);
            self.shares.add(&lane_shares(lane, span, call, dispatching));
            self.until = closed;
        }
    }
}

impl Trace {
    /// Where the time of the workers went up to `time`, but not past the makespan (without one: not past
    /// the end). Of all workers from the begin of the run; in a program of those that the shown call had.
    pub fn shares(&self, time: Time) -> Shares {
        self.shares_in(&self.scope(self.call()), time)
    }

    /// The same of a call of a program.
    pub fn shares_of(&self, call: &Call, time: Time) -> Shares {
        self.shares_in(&self.scope(Some(call)), time)
    }

    /// The same for one worker.
    pub fn row_shares(&self, row: &Row, time: Time) -> Shares {
        let scope = self.scope(self.call());
        let to = time.min(scope.accounted_to(time));
        self.row_shares_in(row, &scope, to)
    }

    /// In what share of that time the worker worked. Which of its waits a program asks for nobody knows: there it
    /// is the share in which it was busy, unless that never ends.
    pub fn row_worked(&self, row: &Row, time: Time) -> Option<f64> {
        let shares = self.row_shares(row, time);
        if self.is_program() && !self.has_hanging(row, time) {
            shares.busy()
        } else {
            shares.worked()
        }
    }

    /// Whether nothing more will ever happen, and the worker's task has not ended.
    pub fn hangs(&self, lane: &Lane, time: Time) -> bool {
        self.never_ends(time) && self.has_open_task(lane, time)
    }

    fn has_hanging(&self, row: &Row, time: Time) -> bool {
        let mut lanes = row.lanes.iter().rev().filter_map(|&id| self.lane(id));
        self.never_ends(time) && lanes.any(|lane| self.has_open_task(lane, time))
    }

    /// It is known at `time` that nothing more will ever happen.
    fn never_ends(&self, time: Time) -> bool {
        let over = self.ended().filter(|&(at, _)| at <= time);
        over.is_some_and(|(_, ends)| ends == Ends::Never)
    }

    /// The last task of a worker had not ended at `time`.
    fn has_open_task(&self, lane: &Lane, time: Time) -> bool {
        let last = lane.pieces().last().filter(|piece| piece.start <= time);
        let task = last.and_then(|piece| self.call_by(piece.task.call)?.task(piece.task.index));
        task.is_some_and(|task| task.outcome_at(time).is_none())
    }

    fn shares_in(&self, scope: &Scope<'_>, time: Time) -> Shares {
        let to = time.min(scope.accounted_to(time));
        let mut all = Shares::default();
        for row in self.rows_in(scope, to) {
            all.add(&self.row_shares_in(row, scope, to));
        }
        all
    }

    fn row_shares_in(&self, row: &Row, scope: &Scope<'_>, to: Time) -> Shares {
        let to = to.max(scope.from);
        let call = scope.call.filter(|_| scope.program);
        let dispatching = scope.call.map_or(to, |call| call.dispatching_until(to));
        let dispatching = dispatching.min(to);
        let mut account = self.before_first(row, scope, to);
        // The last that was there at the begin, and those after it.
        let mut place = self.opened_by(row, scope.from).len().saturating_sub(1);
        while place < row.lanes.len() && account.until < to {
            if let Some(next) = row.past.skip(place, &mut account, to, dispatching) {
                place = next;
                continue;
            }
            if let Some(lane) = self.lane(row.lanes[place]) {
                account.pass(lane, to, dispatching, call);
            }
            place += 1;
        }
        let Accounted { until, mut shares } = account;
        let rest = to.since(until);
        let last = row.lanes.last().and_then(|&id| self.lane(id));
        match last.and_then(|lane| lane.closed) {
            Some((_, Ended::Finished | Ended::Retired)) | None => shares.idle += rest,
            Some(_) => shares.dead += rest,
        }
        shares
    }

    /// Before its first worker a place starts up, unless the pool makes workers as it needs them.
    fn before_first(&self, row: &Row, scope: &Scope<'_>, to: Time) -> Accounted {
        let first = row.lanes.first().and_then(|&id| self.lane(id));
        let until = first.map_or(scope.from, |lane| lane.opened.min(to).max(scope.from));
        let gap = until.since(scope.from);
        let mut shares = Shares::default();
        if scope.program {
            shares.idle = gap;
        } else {
            shares.overhead = gap;
        }
        Accounted { until, shares }
    }
}

/// Splits a stretch of a lane; they add up to its length. Outside tasks it was starved while tasks were
/// still to be dispatched; after that it is overhead, if a task followed, and idle, if none did.
fn lane_shares(lane: &Lane, span: Span, call: Option<&Call>, dispatching: Time) -> Shares {
    let (from, to) = (span.start(), span.end());
    let before = (lane.sums_until(from), lane.overhead_until(from));
    let within = |time: Time| {
        let sums = lane.sums_until(time).since(before.0);
        let other = lane.overhead_until(time).saturating_sub(before.1);
        let free = time.since(from).saturating_sub(sums.busy);
        // What is told twice, as a task and as overhead, is a task.
        (sums, other.min(free), free.saturating_sub(other))
    };
    let (sums, other, free) = within(to);
    let starved = if dispatching > from {
        within(dispatching.min(to)).2.min(free)
    } else {
        Nanos::ZERO
    };
    // What starts as this call ends is of another one.
    let is_of_call = |piece: &Piece| call.is_none_or(|call| call.facts.call == piece.task.call);
    let tail = match lane.piece_at(to).filter(is_of_call) {
        Some(_) => Nanos::ZERO,
        None => to.since(lane.idle_since(to).max(dispatching).max(from)),
    };
    let after = free.saturating_sub(starved);
    let idle = tail.min(after);
    Shares {
        on_cpu: sums.on_cpu,
        useful_wait: sums.useful_wait,
        waiting_cpu: sums.waiting,
        blocked: sums.blocked,
        overhead: other + after.saturating_sub(idle),
        starved,
        idle,
        dead: Nanos::ZERO,
        unknown: sums.unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_work_where_a_task_asked_for_it_and_keeps_a_worker_busy_in_any_case() {
        let shares = Shares {
            on_cpu: Nanos(2),
            useful_wait: Nanos(3),
            blocked: Nanos(1),
            waiting_cpu: Nanos(4),
            ..Shares::default()
        };
        assert_eq!(shares.worked(), Some(0.5));
        assert_eq!(shares.busy(), Some(1.0));
        assert_eq!(Shares::default().busy(), None);
    }
}
