//! What became of a run as of any moment: how it ended, and what of its tasks came to something.

use crate::event::{
    COUNTER_MAIN, COUNTER_MAX, COUNTER_MIN, COUNTER_SUM, Ended, Ends, LOCK_WAIT, PoolId,
};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Lane, Pool, Task, Trace};

/// See the module. Fields are the keys of the JSON report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunOutcome {
    /// `None` while the run goes on.
    pub ends: Option<Ends>,
    /// Tasks whose function was entered.
    pub ran: u32,
    /// Tasks that ended, ok or failed.
    pub finished_count: u32,
    /// Results the caller got.
    pub results: u32,
    /// Tasks whose result can never come: the whole chunk of a worker that died.
    pub lost: u32,
    pub skipped: u32,
    /// Tasks that the program took back before they were started.
    pub cancelled: u32,
    /// Messages that were not answered, be it with an error.
    pub outstanding: u32,
    /// The counter G as the main program sees it; `None` if the tasks do not count.
    pub counter_main: Option<u64>,
    /// The sum over all copies of G.
    pub counter_sum: Option<u64>,
    /// The least and the greatest that any interleaving gives; of a race only.
    pub counter_min: Option<u64>,
    pub counter_max: Option<u64>,
    /// Time that tasks waited for the lock around the counter; `None` without that lock.
    pub lock_wait: Option<Nanos>,
}

impl Trace {
    /// The outcome as of `time`, the moment itself included; in a program that of the shown call.
    pub fn outcome(&self, time: Time) -> RunOutcome {
        self.outcome_in(self.call(), time)
    }

    /// The outcome of a call of a program.
    pub fn outcome_of(&self, call: &Call, time: Time) -> RunOutcome {
        self.outcome_in(Some(call), time)
    }

    fn outcome_in(&self, call: Option<&Call>, time: Time) -> RunOutcome {
        // After the end nothing changes, and what never happened has not happened.
        let time = time.min(self.end());
        let counter = |name| self.sample(name, time).map(|value| value as u64);
        let ended = self.scope(call).ended.filter(|&(at, _)| at <= time);
        let outcome = RunOutcome {
            ends: ended.map(|(_, ends)| ends),
            counter_main: counter(COUNTER_MAIN),
            counter_sum: counter(COUNTER_SUM),
            counter_min: counter(COUNTER_MIN),
            counter_max: counter(COUNTER_MAX),
            lock_wait: counter(LOCK_WAIT).map(Nanos),
            ..RunOutcome::default()
        };
        call.map_or(outcome, |call| count(call, time, outcome))
    }

    /// How a call ended, in a word. Threads that gave up are no process pool, and Python has a word for those
    /// of its own executor.
    pub fn ends_word(&self, call: Option<&Call>, ends: Ends) -> &'static str {
        let pool = call.and_then(|call| self.pool(call.facts.pool?));
        match pool {
            Some(pool) if ends == Ends::BrokenProcessPool && pool.has_python_threads() => {
                "BrokenThreadPool"
            }
            Some(pool) if ends == Ends::BrokenProcessPool && pool.is_of_threads() => "broken",
            _ => ends.word(),
        }
    }

    /// The workers of this pool are threads, see [`Pool::is_of_threads`](crate::trace::Pool::is_of_threads).
    pub fn is_of_threads(&self, pool: Option<PoolId>) -> bool {
        let pool = pool.and_then(|pool| self.pool(pool));
        pool.is_some_and(Pool::is_of_threads)
    }

    /// The executor of the shown call broke, and ended this worker: another one had died before. One that ended
    /// itself was the cause, even where both are told for the same moment.
    pub fn is_ended_by_pool(&self, lane: &Lane) -> bool {
        let died = |lane: &Lane| match lane.closed {
            Some((at, ended @ (Ended::Killed | Ended::Crashed))) => {
                Some((at, ended == Ended::Killed, lane.id))
            }
            _ => None,
        };
        let pool = lane.facts.pool;
        let is_broken = self
            .call()
            .is_some_and(|call| call.facts.pool == pool && self.is_broken(call));
        let others = self.lanes().filter(|other| other.facts.pool == pool);
        is_broken && died(lane).is_some() && others.filter_map(died).min() != died(lane)
    }

    /// The task was lost because its executor gave up, not because its own worker died by itself.
    pub fn is_given_up(&self, call: &Call, task: &Task) -> bool {
        let lane = task.lane.and_then(|lane| self.lane(lane));
        self.is_broken(call) && lane.is_none_or(|lane| self.is_ended_by_pool(lane))
    }

    fn is_broken(&self, call: &Call) -> bool {
        let ended = self.ends_of(call, Time::NEVER);
        ended.is_some_and(|(_, ends)| ends == Ends::BrokenProcessPool)
    }

    /// What a call of this trace raises in its main program, of what its tasks had raised by `time`. A list, and
    /// an iterator as they finish, raise the error that comes back first. Who asks for results in turn meets
    /// that of the task that was submitted first.
    pub fn raised<'a>(&self, call: &'a Call, time: Time) -> Option<&'a str> {
        let index = if self.call_kind(call).raises_in_turn() {
            call.failures.first_submitted(time)
        } else {
            call.failures.first_to_fail(time)
        };
        call.error(index?)
    }
}

impl Call {
    /// How many tasks had raised by `time`.
    pub fn failed(&self, time: Time) -> u32 {
        self.failures.count_until(time)
    }

    /// How many were passed over by `time`, because one before them in their chunk had raised.
    pub fn skipped(&self, time: Time) -> u32 {
        let ended = self.finished.count_until(time) as u32;
        let cancelled = self.cancelled.sum_until(time) as u32;
        let entered = self.finished.counted_until(time);
        (ended - entered).saturating_sub(cancelled)
    }
}

fn count(call: &Call, time: Time, outcome: RunOutcome) -> RunOutcome {
    RunOutcome {
        ran: call.started.count_until(time) as u32,
        finished_count: call.finished.counted_until(time),
        results: call.delivered.count_until(time) as u32,
        lost: call.lost_until(time) as u32,
        skipped: call.skipped(time),
        cancelled: call.cancelled.sum_until(time) as u32,
        outstanding: call.unanswered_at(time),
        ..outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        CallBegan, CallId, Event, Indexes, Kind, LaneId, Outcome, PoolId, PoolOpened, Raised,
        Sample, TaskId,
    };

    const CALL: CallId = CallId(0);

    fn at(at: u64, lane: u32, kind: Kind) -> Event {
        Event {
            at: Time(at),
            lane: LaneId(lane),
            kind,
        }
    }

    fn finished(index: u32, outcome: Outcome) -> Kind {
        let task = TaskId { call: CALL, index };
        let cpu = None;
        Kind::Finished { task, outcome, cpu }
    }

    /// Three chunks of two tasks: one fails, one is lost with a task done, one is answered.
    fn trace() -> Trace {
        let call = CALL;
        let started = |index| Kind::Started {
            task: TaskId { call, index },
            cpu: None,
        };
        let began = CallBegan {
            call,
            pool: None,
            method: "map".to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(6),
            chunksize: Some(2),
        };
        let counter = Sample {
            quantity: "counter_sum".to_owned(),
            value: 4.0,
        };
        let mut trace = Trace::default();
        trace.apply(vec![
            at(0, 0, Kind::CallBegan(Box::new(began))),
            at(
                0,
                0,
                Kind::Enqueued {
                    call,
                    chunks: Indexes::new(0, 3),
                },
            ),
            at(0, 1, started(0)),
            at(0, 2, started(2)),
            at(0, 3, started(4)),
            at(1, 1, finished(0, Outcome::Failed)),
            at(1, 1, finished(1, Outcome::Skipped)),
            at(1, 0, Kind::Returned { call, chunk: 0 }),
            at(1, 2, finished(2, Outcome::Ok)),
            at(1, 2, started(3)),
            at(1, 3, finished(4, Outcome::Ok)),
            at(1, 3, started(5)),
            at(
                2,
                0,
                Kind::Lost {
                    call,
                    tasks: Indexes::new(2, 4),
                },
            ),
            at(2, 3, finished(5, Outcome::Ok)),
            at(2, 0, Kind::Returned { call, chunk: 2 }),
            at(3, 0, Kind::Sample(Box::new(counter))),
            at(3, 0, Kind::RunEnded { ends: Ends::Never }),
        ]);
        trace
    }

    #[test]
    fn a_result_that_is_lost_is_not_held() {
        let trace = trace();
        let held = |time| trace.call().unwrap().held_at(Time(time));
        assert_eq!([1, 3].map(held), [3, 3]);
    }

    #[test]
    fn an_outcome_counts_what_came_to_something() {
        let end = trace().outcome(Time(3));
        assert_eq!(
            end,
            RunOutcome {
                ends: Some(Ends::Never),
                ran: 5,
                finished_count: 4,
                results: 0,
                lost: 2,
                skipped: 1,
                outstanding: 1,
                counter_sum: Some(4),
                ..RunOutcome::default()
            }
        );
    }

    /// What a call of this method raises at its end and before, where task 2 fails first and then task 0.
    fn raised(method: &str, pool: &str) -> [Option<String>; 3] {
        let call = CallId(0);
        let opened = PoolOpened {
            pool: PoolId(0),
            kind: pool.to_owned(),
            start_method: None,
            workers: Some(2),
        };
        let began = CallBegan {
            call,
            pool: Some(PoolId(0)),
            method: method.to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(3),
            chunksize: Some(1),
        };
        let mut events = vec![
            at(0, 0, Kind::PoolOpened(Box::new(opened))),
            at(0, 0, Kind::CallBegan(Box::new(began))),
        ];
        for (end, index) in [(1, 2), (2, 0)] {
            let task = TaskId { call, index };
            let error = index.to_string();
            let lane = index + 1;
            events.push(at(
                end,
                lane,
                Kind::Raised(Box::new(Raised { task, error })),
            ));
            events.push(at(end, lane, finished(index, Outcome::Failed)));
        }
        let mut trace = Trace::default();
        trace.apply(events);
        let call = trace.call().unwrap();
        [0, 1, 2].map(|time| trace.raised(call, Time(time)).map(str::to_owned))
    }

    #[test]
    fn a_call_raises_the_error_that_its_main_program_meets_first() {
        let expected =
            |errors: [&str; 2]| [None, Some(errors[0].to_owned()), Some(errors[1].to_owned())];
        for method in ["map", "starmap_async", "imap_unordered", "submit"] {
            assert_eq!(raised(method, "Pool"), expected(["2", "2"]), "{method}");
        }
        for method in ["imap", "apply_async"] {
            assert_eq!(raised(method, "Pool"), expected(["2", "0"]), "{method}");
        }
        assert_eq!(raised("map", "ProcessPoolExecutor"), expected(["2", "0"]));
    }

    #[test]
    fn an_outcome_is_that_of_its_moment() {
        let before = trace().outcome(Time(1));
        assert_eq!((before.ends, before.lost, before.outstanding), (None, 0, 2));
        assert_eq!((before.ran, before.finished_count), (5, 3));
    }
}
