//! What the numbers of a call are counted over: which stretch of time, which workers.
//!
//! A run of one call counts from its own begin to its own end, over all workers. In a program that makes
//! its own calls each counts for itself: from its begin to its end, over the workers of its pool that
//! were alive meanwhile. What happens between calls is charged to none.

use super::{Call, Row, Trace};
use crate::event::{Ends, LaneId};
use crate::time::{Nanos, Span, Time};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) call: Option<&'a Call>,
    pub(super) from: Time,
    /// When and how nothing more of it could come, if that is so.
    pub(super) ended: Option<(Time, Ends)>,
    /// It is one call of a program.
    pub(super) program: bool,
}

impl Scope<'_> {
    /// When the last result became ready, if as of `time` no other will.
    pub(super) fn makespan(&self, time: Time) -> Option<Time> {
        let call = self.call?;
        let ready = call.ready.until(time);
        let there = ready.len() + call.cancelled.sum_until(time) as usize;
        // Whoever left it, nothing more can come of what is all there.
        let all = there == call.told_until(time);
        let over = |(at, ends)| at <= time && (has_result(ends) || ends == Ends::Left && all);
        let complete = self.ended.is_some_and(over) || all && call.facts.tasks.is_some();
        ready.last().filter(|_| complete).map(|last| last.at)
    }

    /// As far as the time of the workers is accounted for: the makespan, or the end of what has none.
    pub(super) fn accounted_to(&self, time: Time) -> Time {
        self.makespan(time)
            .or(self.ended.map(|ended| ended.0))
            .unwrap_or(Time::NEVER)
    }
}

impl Trace {
    /// True if the run is a program that makes its own calls, see [`RunBegan::program`](crate::event::RunBegan).
    pub fn is_program(&self) -> bool {
        self.run().is_some_and(|run| run.program)
    }

    /// The moment from which the numbers of the call that is shown are counted.
    pub fn counted_from(&self) -> Time {
        self.scope(self.call()).from
    }

    /// When and how a call ended, as of `time`; a call of a program also when the program left it. `None`
    /// while something may still come.
    pub fn ends_of(&self, call: &Call, time: Time) -> Option<(Time, Ends)> {
        let ended = self.scope(Some(call)).ended;
        ended.filter(|&(at, _)| at <= time)
    }

    pub(super) fn scope<'a>(&self, call: Option<&'a Call>) -> Scope<'a> {
        match call {
            Some(shown) if self.is_program() => Scope {
                call,
                from: self.began_with_serial(shown),
                ended: self.end_of(shown),
                program: true,
            },
            _ => Scope {
                call,
                from: Time::ZERO,
                ended: self.ended(),
                program: false,
            },
        }
    }

    /// When a call of a program began; where the run has a serial part, that is what main did directly before.
    fn began_with_serial(&self, call: &Call) -> Time {
        let has_serial = self.run().is_some_and(|run| run.serial > Nanos::ZERO);
        let caller = self.caller_of(call.caller).filter(|_| has_serial);
        let own_work = caller.and_then(|caller| caller.own_work_before(call.began));
        own_work.unwrap_or(call.began)
    }

    /// When and how a call of a program ended, or the program left it: a result that was outstanding then
    /// never comes. A series ends with its last result.
    fn end_of(&self, call: &Call) -> Option<(Time, Ends)> {
        if let Some(ended) = call.ended.filter(|_| !call.is_series()) {
            return Some(ended);
        }
        // Who does not tell when results are ready may tell when the caller has them.
        let has_lost = call.lost_until(Time::NEVER) > 0;
        let there = call
            .ready
            .entries()
            .len()
            .max(call.delivered.entries().len());
        let cancelled = call.cancelled.sum_until(Time::NEVER) as usize;
        let whole = there + cancelled >= call.tasks().len();
        let returned = match there {
            0 if cancelled > 0 => Ends::Cancelled,
            _ => Ends::Returned,
        };
        let ended = match (call.ended, self.ended()) {
            (Some((at, Ends::Cancelled)), _) if whole => Some((at, returned)),
            (Some(ended), _) if whole => Some(ended),
            (_, Some((at, _))) if whole && !self.is_iterator(call) => Some((at, returned)),
            (_, Some((at, ends @ (Ends::Cancelled | Ends::Never)))) => Some((at, ends)),
            // Main met this in the middle of its calls of one task each.
            (Some((at, _)), Some((_, ends @ (Ends::Error | Ends::BrokenProcessPool)))) => {
                Some((at, ends))
            }
            (_, Some((at, _))) if has_lost && !whole => Some((at, Ends::Never)),
            (_, Some((at, _))) if self.is_iterator(call) => Some(self.ends_untaken(call, at)),
            (_, Some((at, _))) => Some((at, Ends::Left)),
            (_, None) => None,
        };
        ended.map(|ended| self.given_up(call, ended))
    }

    /// The workers that count, of what had happened by `to`.
    pub(super) fn rows_in<'a>(&'a self, scope: &Scope<'_>, to: Time) -> Vec<&'a Row> {
        match scope.call {
            Some(call) if scope.program => {
                let rows = self.rows_of(call.facts.pool);
                rows.filter(|row| self.is_alive(row, scope.from, to))
                    .collect()
            }
            _ => self.rows().iter().collect(),
        }
    }

    fn is_alive(&self, row: &Row, from: Time, to: Time) -> bool {
        let opened = self.opened_by(row, to);
        let last = opened.last().and_then(|&id| self.lane(id));
        last.is_some_and(|lane| lane.closed.is_none_or(|(at, _)| at > from))
    }

    /// The lanes of a row that had opened by `time`; those that share a row open in the order of their numbers.
    pub fn opened_by<'a>(&self, row: &'a Row, time: Time) -> &'a [LaneId] {
        let opened = |&id: &LaneId| self.lane(id).is_some_and(|lane| lane.opened <= time);
        &row.lanes[..row.lanes.partition_point(opened)]
    }

    /// The lanes of a row that may have pieces in a span; where very many had it, few others.
    pub fn lanes_in<'a>(&self, row: &'a Row, span: Span) -> &'a [LaneId] {
        let opened = self.opened_by(row, span.end());
        let over = row.past.over_before(span.start()).min(opened.len());
        &opened[over..]
    }

    /// Events that were not seen touch what is counted here.
    pub(super) fn is_touched(&self, scope: &Scope<'_>, time: Time) -> bool {
        let to = time.min(scope.accounted_to(time));
        let mut losses = self.losses.between(scope.from, time);
        // A worker that is not watched may have any task.
        let refused = self.tallies.refused.sum_until(to) > 0;
        refused
            || losses.any(|loss| {
                let lane = self.lane(loss.lane);
                let elsewhere = scope.call.filter(|_| scope.program).is_some_and(|call| {
                    let pool = lane.and_then(|lane| lane.facts.pool);
                    let other_pool = pool.is_some() && pool != call.facts.pool;
                    let other_caller =
                        loss.lane != call.caller && self.caller_of(loss.lane).is_some();
                    other_pool || pool.is_none() && other_caller
                });
                loss.since <= to && !elsewhere
            })
    }
}

pub(super) fn has_result(ends: Ends) -> bool {
    matches!(ends, Ends::Returned | Ends::Error | Ends::BrokenProcessPool)
}
