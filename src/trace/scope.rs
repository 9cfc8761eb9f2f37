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
            (_, Some((at, _))) if self.is_iterator(call) => {
                Some(self.ends_untaken(call, self.left_at(call, at)))
            }
            (_, Some((at, _))) => Some((self.left_at(call, at), Ends::Left)),
            (_, None) => None,
        };
        ended.map(|ended| self.given_up(call, ended))
    }

    /// When nothing more could come of a call that a program left which was over then: as soon as its pool is closed
    /// and has no worker any more, or is closed and has done all of it. What its caller takes later counts as well.
    fn left_at(&self, call: &Call, over: Time) -> Time {
        let pool = call.facts.pool.and_then(|pool| self.pool(pool));
        let Some(closed) = pool.and_then(|pool| pool.closed) else {
            return over;
        };
        let is_done = call.ready.entries().len() == call.tasks().len();
        let gone = if is_done {
            Some(closed)
        } else {
            let rows = self.rows_of(call.facts.pool);
            let mut lanes = rows.flat_map(|row| &row.lanes);
            lanes.try_fold(closed, |gone, &lane| {
                let (at, _) = self.lane(lane)?.closed?;
                Some(gone.max(at))
            })
        };
        gone.map_or(over, |gone| gone.max(call.last_told()).min(over))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        CallBegan, CallId, Ended, Event, Indexes, Kind, LaneKind, LaneOpened, PoolId, PoolOpened,
        RunBegan,
    };

    const CALL: CallId = CallId(0);
    const POOL: PoolId = PoolId(0);

    fn opened(kind: LaneKind, name: &str) -> Kind {
        Kind::LaneOpened(Box::new(LaneOpened {
            kind,
            pool: (kind == LaneKind::Worker).then_some(POOL),
            name: name.to_owned(),
            pid: None,
            tid: None,
        }))
    }

    /// A program that calls `imap` for three tasks in a pool of one worker, and ends at 100.
    fn begin() -> [Kind; 4] {
        let run = RunBegan::of_program("script.py".to_owned(), Some(2));
        let pool = PoolOpened {
            pool: POOL,
            kind: "Pool".to_owned(),
            start_method: None,
            workers: Some(1),
        };
        let began = CallBegan {
            call: CALL,
            pool: Some(POOL),
            method: "imap".to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(3),
            chunksize: Some(1),
        };
        [
            opened(LaneKind::Caller, "main"),
            Kind::RunBegan(Box::new(run)),
            Kind::PoolOpened(Box::new(pool)),
            Kind::CallBegan(Box::new(began)),
        ]
    }

    /// When it was left, as main and its worker tell this, in whatever order.
    fn left(main: &[(u64, Kind)], worker_closed: Option<u64>) -> Option<(u64, Ends)> {
        let event = |lane: u32, (at, kind): (u64, Kind)| Event {
            at: Time(at),
            lane: LaneId(lane),
            kind,
        };
        let ends = Ends::Returned;
        let mut told: Vec<Event> = begin().map(|kind| event(0, (0, kind))).to_vec();
        told.extend(main.iter().cloned().map(|told| event(0, told)));
        told.push(event(0, (100, Kind::RunEnded { ends })));
        let ended = Ended::Finished;
        let closed = worker_closed.map(|at| (at, Kind::LaneClosed { ended }));
        let worker = [(0, opened(LaneKind::Worker, "worker 0"))];
        let worker = worker.into_iter().chain(closed);
        let worker: Vec<Event> = worker.map(|told| event(1, told)).collect();
        let folded = |parts: [&[Event]; 2]| {
            let mut trace = Trace::default();
            for event in parts.concat() {
                trace.apply(vec![event]);
            }
            let call = trace.call()?;
            let (at, ends) = trace.ends_of(call, Time(100))?;
            Some((at.0, ends))
        };
        let ended = folded([&told, &worker]);
        assert_eq!(ended, folded([&worker, &told]));
        ended
    }

    #[test]
    fn an_iterator_is_left_when_nothing_can_come_of_it_any_more() {
        let ready = |end| {
            let (call, tasks) = (CALL, Indexes::new(0, end));
            (5, Kind::Ready { call, tasks })
        };
        let taken = |at| {
            let (call, tasks) = (CALL, Indexes::one(0));
            (at, Kind::Delivered { call, tasks })
        };
        let closed = |at| (at, Kind::PoolClosed { pool: POOL });
        let at = |at| Some((at, Ends::Left));
        assert_eq!(left(&[ready(1), taken(6)], None), at(100));
        // The worker of a closed pool goes on with what there is.
        let some = [ready(1), taken(6), closed(20)];
        assert_eq!(left(&some, None), at(100));
        assert_eq!(left(&some, Some(30)), at(30));
        let all = [ready(3), taken(6), closed(20)];
        assert_eq!(left(&all, None), at(20));
        assert_eq!(left(&[ready(3), closed(20), taken(40)], None), at(40));
    }
}
