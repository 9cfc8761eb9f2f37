//! What the caller of a call met, one by one: results, and errors that were raised in the place of a result.

use super::order::Entry;
use super::packed::List;
use crate::event::{NoteKind, Outcome};
use crate::time::Time;
use crate::trace::{Call, Trace};

/// The error of a task that its caller got where it asked for a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorTaken {
    pub at: Time,
    pub index: u32,
    /// How many results the caller had by then.
    pub results: usize,
}

/// Results and errors in the order in which the caller met them, as of a moment. A call that raises as a
/// whole, as `map` does, has results only.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    results: List<'a, Entry>,
    errors: Vec<ErrorTaken>,
}

impl Received<'_> {
    /// By time.
    pub fn errors(&self) -> &[ErrorTaken] {
        &self.errors
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
            Err(error) => Some(self.errors[error].index),
        }
    }

    /// Which result stands at this place, or which error.
    pub fn result_at(&self, place: usize) -> Result<usize, usize> {
        let places = self.errors.iter().zip(0..);
        let before = places
            .take_while(|(error, nth)| error.results + nth < place)
            .count();
        let next = self.errors.get(before);
        if next.is_some_and(|next| next.results + before == place) {
            Err(before)
        } else {
            Ok(place - before)
        }
    }

    /// The place of a result among all.
    pub fn place_of_result(&self, result: usize) -> usize {
        result + self.errors.partition_point(|error| error.results <= result)
    }

    /// The place of a task whose error was met.
    pub fn place_of_error(&self, index: u32) -> Option<usize> {
        let nth = self.errors.iter().position(|error| error.index == index)?;
        Some(self.errors[nth].results + nth)
    }
}

impl Trace {
    /// What the caller of a call had met by `time`.
    pub fn received<'a>(&self, call: &'a Call, time: Time) -> Received<'a> {
        let errors = if call.failed(time) > 0 && self.raises_one_by_one(call) {
            self.errors_taken(call, time)
        } else {
            Vec::new()
        };
        Received {
            results: call.delivered.until(time),
            errors,
        }
    }

    /// How many results of a call could be used at `time` and wait for their caller to ask for them. Those that go
    /// to a callback wait for nobody.
    pub fn untaken(&self, call: &Call, time: Time) -> u32 {
        let over = call.ended.is_some_and(|(at, _)| at <= time);
        if over || call.facts.method == "apply_async" {
            return 0;
        }
        let ready = call.ready.count_until(time);
        ready.saturating_sub(self.received(call, time).len()) as u32
    }

    /// What the caller met instead of results, in words, as of `time`:
    /// `next() raised ValueError: task 5 failed (1 of 12)`
    pub fn errors_in_words(&self, call: &Call, time: Time) -> Option<String> {
        let received = self.received(call, time);
        let first = received.errors().first()?;
        let raised = received.errors().len();
        let error = call.error(first.index).unwrap_or("an error");
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

    fn errors_taken(&self, call: &Call, time: Time) -> Vec<ErrorTaken> {
        let known = self.notes().partition_point(|note| note.at <= time);
        let notes = self.notes()[..known].iter().filter(|note| {
            note.note.kind == NoteKind::ErrorTaken && note.note.call == Some(call.facts.call)
        });
        let mut errors: Vec<ErrorTaken> = Vec::new();
        for note in notes {
            let Ok(first) = u32::try_from(note.note.value) else {
                continue;
            };
            let failed = |&index: &u32| call.outcome_at(index, time) == Some(Outcome::Failed);
            let index = call.chunk_from(first).iter().find(failed).unwrap_or(first);
            // An error may be asked for again.
            if errors.iter().all(|error| error.index != index) {
                let results = results_before(call, index, note.at);
                errors.push(ErrorTaken {
                    at: note.at,
                    index,
                    results,
                });
            }
        }
        errors.sort_by_key(|error| (error.results, error.at));
        errors
    }
}

/// How many results the caller had when it met the error of a task. What it took at the same moment it took in
/// the order in which it was ready.
fn results_before(call: &Call, index: u32, at: Time) -> usize {
    let ready = |index: u32| call.task(index).map(|task| (task.ready, index));
    let before = call.delivered.count_before(at);
    let same = before..call.delivered.count_until(at);
    let same = call.delivered.entries().part(same);
    let earlier = same
        .iter()
        .filter(|entry| ready(entry.index) < ready(index));
    before + earlier.count()
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
                    .place_of_error(received.errors()[error].index)
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
