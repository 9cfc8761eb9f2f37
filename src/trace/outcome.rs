//! What became of a run as of any moment: how it ended, and what of its tasks came to something.

use crate::event::Ends;
use crate::time::{Nanos, Time};
use crate::trace::{Call, Task, Trace};

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
            counter_main: counter("counter_main"),
            counter_sum: counter("counter_sum"),
            counter_min: counter("counter_min"),
            counter_max: counter("counter_max"),
            lock_wait: counter("lock_wait").map(Nanos),
            ..RunOutcome::default()
        };
        call.map_or(outcome, |call| count(call, time, outcome))
    }
}

impl Call {
    /// Tasks that had raised by `time`.
    pub fn failed(&self, time: Time) -> impl Iterator<Item = (u32, Task)> {
        let failed = move |task: &Task| task.failed && task.finished <= time;
        (0..)
            .zip(self.tasks())
            .filter(move |(_, task)| failed(task))
    }

    /// What the first task to fail raised.
    pub fn first_error(&self, time: Time) -> Option<&str> {
        let (index, _) = self.failed(time).min_by_key(|(_, task)| task.finished)?;
        self.error(index)
    }
}

fn count(call: &Call, time: Time, outcome: RunOutcome) -> RunOutcome {
    let ended = call.finished.count_until(time) as u32;
    let finished_count = call.finished.counted_until(time);
    let cancelled = call.cancelled.sum_until(time) as u32;
    RunOutcome {
        ran: call.started.count_until(time) as u32,
        finished_count,
        results: call.delivered.count_until(time) as u32,
        lost: call.lost_until(time) as u32,
        skipped: (ended - finished_count).saturating_sub(cancelled),
        cancelled,
        outstanding: call.unanswered_at(time),
        ..outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallBegan, CallId, Event, Indexes, Kind, LaneId, Outcome, Sample, TaskId};

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

    #[test]
    fn an_outcome_is_that_of_its_moment() {
        let before = trace().outcome(Time(1));
        assert_eq!((before.ends, before.lost, before.outstanding), (None, 0, 2));
        assert_eq!((before.ran, before.finished_count), (5, 3));
    }
}
