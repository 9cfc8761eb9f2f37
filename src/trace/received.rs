//! What the caller of a call met, one by one: results, and errors that were raised in the place of a result.

use super::order::Entry;
use super::packed::List;
use super::walk::run;
use crate::event::Outcome;
use crate::time::Time;
use crate::trace::{Call, ErrorMet, Trace};

/// Results and errors in the order in which the caller met them, as of a moment. A call that raises as a
/// whole, as `map` does, has results only.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    call: &'a Call,
    results: List<'a, Entry>,
    errors: &'a [ErrorMet],
}

impl Received<'_> {
    /// By time.
    pub fn errors(&self) -> &[ErrorMet] {
        self.errors
    }

    pub fn len(&self) -> usize {
        self.results.len() + self.errors.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The task that came at this place.
    pub fn get(&self, place: usize) -> Option<u32> {
        match self.result_at(place) {
            Ok(result) => self.results.get(result).map(|entry| entry.index),
            Err(error) => self.errors.get(error).map(|error| self.failed(error)),
        }
    }

    /// Which result stands at this place, or which error.
    pub fn result_at(&self, place: usize) -> Result<usize, usize> {
        let before = self.errors_before(|nth| self.place_of(nth) < place);
        if before < self.errors.len() && self.place_of(before) == place {
            Err(before)
        } else {
            Ok(place - before)
        }
    }

    /// The place of a result among all.
    pub fn place_of_result(&self, result: usize) -> usize {
        result + self.errors_before(|nth| self.results_before(nth) <= result)
    }

    /// The place of a task whose error was met.
    pub fn place_of_error(&self, index: u32) -> Option<usize> {
        let first = index - index % self.call.facts.chunksize.unwrap_or(1).max(1);
        let at = self.call.error_met_at(first)?;
        let same = self.errors_before(|nth| self.errors[nth].at < at);
        let nth = same
            + self.errors[same..]
                .iter()
                .position(|error| error.first == first)?;
        (self.failed(&self.errors[nth]) == index).then(|| self.place_of(nth))
    }

    /// How many errors at the begin are so, none behind them being so.
    fn errors_before(&self, is_so: impl Fn(usize) -> bool) -> usize {
        run(self.errors.len(), is_so)
    }

    fn place_of(&self, nth: usize) -> usize {
        nth + self.results_before(nth)
    }

    /// How many results the caller had when it met an error. What it took at the same moment it took in the order
    /// in which it was ready.
    fn results_before(&self, nth: usize) -> usize {
        let error = self.errors[nth];
        let ready = |index: u32| self.call.task(index).map(|task| (task.ready, index));
        let own = ready(self.failed(&error));
        let delivered = &self.call.delivered;
        let before = delivered.count_before(error.at);
        let same = delivered
            .entries()
            .part(before..delivered.count_until(error.at));
        before + same.partition_point(|entry| ready(entry.index) < own)
    }

    /// The task of a chunk that raised: those before it ended well.
    fn failed(&self, error: &ErrorMet) -> u32 {
        let told = |index| self.call.task(index).and_then(|task| task.told);
        let chunk = self.call.chunk_from(error.first);
        let is_ok = |place| told(chunk.first + place as u32) == Some(Outcome::Ok);
        let first = chunk.first + run(chunk.len() as usize, is_ok) as u32;
        if told(first) == Some(Outcome::Failed) {
            first
        } else {
            error.first
        }
    }
}

impl Trace {
    /// What the caller of a call had met by `time`.
    pub fn received<'a>(&self, call: &'a Call, time: Time) -> Received<'a> {
        let errors = call.errors_met_until(time);
        Received {
            call,
            results: call.delivered.until(time),
            errors: if self.raises_one_by_one(call) {
                errors
            } else {
                &[]
            },
        }
    }

    /// How many results of a call, and errors, could be had at `time` and wait for their caller to ask for them; of a
    /// chunk that failed all of it. Those of `apply_async` mostly go to a callback, which waits for nobody: none.
    pub fn untaken(&self, call: &Call, time: Time) -> u32 {
        let over = call.ended.is_some_and(|(at, _)| at <= time);
        if over || call.facts.method == "apply_async" {
            return 0;
        }
        let received = self.received(call, time);
        let with_error = call.facts.chunksize.unwrap_or(1) as usize * received.errors.len();
        let ready = call.ready.count_until(time);
        ready.saturating_sub(received.results.len() + with_error) as u32
    }

    /// What the caller met instead of results, in words, as of `time`:
    /// `next() raised ValueError: task 5 failed (1 of 12)`
    pub fn errors_in_words(&self, call: &Call, time: Time) -> Option<String> {
        let received = self.received(call, time);
        let first = received.errors().first()?;
        let raised = received.errors().len();
        let error = call.error(received.failed(first)).unwrap_or("an error");
        let all = call.facts.tasks.unwrap_or(call.tasks().len() as u32);
        let more = if raised > 1 { ", ..." } else { "" };
        let asked = asked_in(&call.facts.method);
        Some(format!("{asked} raised {error}{more} ({raised} of {all})"))
    }

    /// Each result is asked for on its own. A list raises as a whole.
    fn raises_one_by_one(&self, call: &Call) -> bool {
        let pool = call.facts.pool.and_then(|pool| self.pool(pool));
        let is_executor = pool.is_some_and(|pool| pool.facts.kind.ends_with("Executor"));
        is_executor || !call.facts.method.contains("map") || call.facts.method.starts_with("imap")
    }
}

/// What the caller asked for a result with.
fn asked_in(method: &str) -> &'static str {
    match method {
        "apply" => "apply()",
        "apply_async" => "get()",
        "submit" => "result()",
        "loop" => "f()",
        _ => "next()",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Backend, Experiment, Fault, FaultKind, MainWork};
    use crate::method::Method;
    use crate::origin::simulated;
    use crate::time::Nanos;
    use crate::workload::Costs;

    fn run(method: Method, chunksize: u32, faults: &[u32]) -> Trace {
        let fault = |&task: &u32| Fault {
            task,
            kind: FaultKind::Raise,
        };
        let mut trace = Trace::default();
        trace.apply(simulated::run(&Experiment {
            method,
            backend: Backend::Simulated,
            workers: 4,
            tasks: 8,
            main_work: MainWork::Fixed(Nanos(6)),
            chunksize: Some(chunksize),
            costs: Costs::List([9, 2, 6, 1, 4, 1, 8, 5].map(Nanos).into()),
            faults: faults.iter().map(fault).collect(),
            ..Experiment::default()
        }));
        trace
    }

    fn met(trace: &Trace) -> Vec<u32> {
        let received = trace.received(trace.call().unwrap(), trace.end());
        let places = 0..received.len();
        let met: Vec<u32> = places.clone().filter_map(|at| received.get(at)).collect();
        for place in places {
            let back = match received.result_at(place) {
                Ok(result) => received.place_of_result(result),
                Err(error) => received
                    .place_of_error(received.failed(&received.errors()[error]))
                    .unwrap(),
            };
            assert_eq!(back, place);
        }
        met
    }

    fn words(trace: &Trace) -> Option<String> {
        trace.errors_in_words(trace.call().unwrap(), trace.end())
    }

    #[test]
    fn an_error_stands_where_its_result_would() {
        let in_order = run(Method::Imap, 1, &[5, 2]);
        assert_eq!(met(&in_order), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            words(&in_order).as_deref(),
            Some("next() raised ValueError: task 2 failed, ... (2 of 8)")
        );
        let as_finished = run(Method::ImapUnordered, 1, &[4]);
        assert_eq!(met(&as_finished), [3, 1, 5, 4, 2, 0, 7, 6]);
        assert_eq!(
            words(&as_finished).as_deref(),
            Some("next() raised ValueError: task 4 failed (1 of 8)")
        );
    }

    #[test]
    fn of_a_chunk_it_is_the_task_that_failed_and_nothing_comes_behind_it() {
        let trace = run(Method::Imap, 2, &[3]);
        assert_eq!(met(&trace), [0, 1, 3]);
    }

    #[test]
    fn what_is_ready_waits_until_main_asks() {
        let trace = run(Method::ImapUnordered, 1, &[5]);
        let untaken = |at| trace.untaken(trace.call().unwrap(), Time(at));
        // Main does its own work until 6: tasks 1, 3, 4 and 5 have ended by then.
        assert_eq!([0, 1, 4, 5, 6, 11].map(untaken), [0, 1, 3, 4, 0, 0]);
    }

    #[test]
    fn every_error_of_very_many_is_met() {
        let tasks = 20_000;
        let faults = (0..tasks).filter(|index| index % 3 != 0);
        let mut trace = Trace::default();
        trace.apply(simulated::run(&Experiment {
            method: Method::Imap,
            backend: Backend::Simulated,
            tasks,
            costs: Costs::Const(Nanos(7)),
            faults: faults
                .map(|task| Fault {
                    task,
                    kind: FaultKind::Raise,
                })
                .collect(),
            ..Experiment::default()
        }));
        let received = trace.received(trace.call().unwrap(), trace.end());
        let met = (0..received.len()).map(|place| received.get(place));
        assert!(met.eq((0..tasks).map(Some)));
        assert_eq!(trace.counts(trace.end()).dropped, 0);
    }

    #[test]
    fn a_list_raises_as_a_whole() {
        let trace = run(Method::Map, 1, &[3]);
        assert_eq!((met(&trace), words(&trace)), (vec![], None));
    }

    #[test]
    fn what_main_has_not_asked_for_yet_it_has_not_met() {
        let trace = run(Method::Imap, 1, &[0]);
        let call = trace.call().unwrap();
        let task = call.task(0).unwrap();
        let before = trace.received(call, Time(task.finished.0 - 1));
        assert!(before.is_empty() && before.errors().is_empty());
    }
}
