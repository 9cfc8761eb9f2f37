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

    /// The part in which a task worked, from 0 to 1: it computed, or had a wait that it asked for.
    pub fn worked(&self) -> Option<f64> {
        self.share(self.on_cpu + self.useful_wait + self.unknown)
    }

    /// The part in which there was a task, from 0 to 1, whatever it did.
    pub fn busy(&self) -> Option<f64> {
        let waits = self.useful_wait + self.waiting_cpu + self.blocked;
        self.share(self.on_cpu + waits + self.unknown)
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
        let mut lanes = row.lanes.iter().filter_map(|&id| self.lane(id));
        let shares = self.row_shares(row, time);
        if self.is_program() && !lanes.any(|lane| self.hangs(lane, time)) {
            shares.busy()
        } else {
            shares.worked()
        }
    }

    /// Whether nothing more will ever happen, and the worker's task has not ended.
    pub fn hangs(&self, lane: &Lane, time: Time) -> bool {
        let over = self.ended().filter(|&(at, _)| at <= time);
        if over.is_none_or(|(_, ends)| ends != Ends::Never) {
            return false;
        }
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
        let mut shares = Shares::default();
        let dispatching = scope
            .call
            .map_or(to, |call| call.dispatching_until(to))
            .min(to);
        let mut begun = scope.from;
        // The last that was there at the begin, and those after it.
        let first = self.opened_by(row, scope.from).len().saturating_sub(1);
        for (k, &id) in row.lanes.iter().enumerate().skip(first) {
            let Some(lane) = self.lane(id) else { continue };
            let gap = lane.opened.min(to).since(begun);
            match k {
                // Before its first worker a lane starts up, unless the pool makes workers as it needs them.
                0 if scope.program => shares.idle += gap,
                0 => shares.overhead += gap,
                // Before a later one it had none.
                _ => shares.dead += gap,
            }
            if lane.opened >= to && k > 0 {
                return shares;
            }
            begun = begun.max(lane.opened.min(to));
            let closed = lane.closed.map_or(to, |(at, _)| at.min(to));
            if closed > begun {
                shares.add(&lane_shares(
                    lane,
                    Span::new(begun, closed),
                    scope,
                    dispatching,
                ));
                begun = closed;
            }
        }
        let rest = to.since(begun);
        let last = row.lanes.last().and_then(|&id| self.lane(id));
        match last.and_then(|lane| lane.closed) {
            Some((_, Ended::Finished | Ended::Retired)) | None => shares.idle += rest,
            Some(_) => shares.dead += rest,
        }
        shares
    }
}

/// Splits a stretch of a lane; they add up to its length. Outside tasks it was starved while tasks were
/// still to be dispatched; after that it is overhead, if a task followed, and idle, if none did.
fn lane_shares(lane: &Lane, span: Span, scope: &Scope<'_>, dispatching: Time) -> Shares {
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
    let of_scope = |piece: &Piece| {
        let call = scope.call.filter(|_| scope.program);
        call.is_none_or(|call| call.facts.call == piece.task.call)
    };
    let tail = match lane.piece_at(to).filter(of_scope) {
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
