//! What the caller of a call met, one by one: results, and errors that were raised in the place of a result.

use super::order::Entry;
use super::packed::List;
use super::walk::run;
use crate::event::{CallKind, Ends, Outcome};
use crate::time::Time;
use crate::trace::{Call, ErrorMet, Pool, Trace};

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

    /// The task of a chunk that raised: those before it ended well. If none did, as with a result that cannot be
    /// pickled, the first.
    fn failed(&self, error: &ErrorMet) -> u32 {
        let told = |index| self.call.task(index).and_then(|task| task.told);
        let chunk = self.call.chunk_from(error.first);
        let is_ok = |place| told(chunk.first + place as u32) == Some(Outcome::Ok);
        let first = chunk.first + run(chunk.len() as usize, is_ok) as u32;
        if first < chunk.end && told(first) == Some(Outcome::Failed) {
            first
        } else {
            error.first
        }
    }
}

impl Trace {
    /// What the program asked for with a call of this trace.
    pub fn call_kind(&self, call: &Call) -> CallKind {
        let pool = call.facts.pool.and_then(|pool| self.pool(pool));
        call.kind.of(pool.is_some_and(Pool::is_executor))
    }

    /// What the caller of a call had met by `time`.
    pub fn received<'a>(&self, call: &'a Call, time: Time) -> Received<'a> {
        let errors = call.errors_met_until(time);
        Received {
            call,
            results: call.delivered.until(time),
            errors: if self.call_kind(call).gives_list() {
                &[]
            } else {
                errors
            },
        }
    }

    /// How many results of a call, and errors, could be had at `time` and wait for their caller to ask for them; of a
    /// chunk that failed one error, and one of a call that raises as a whole. Those of `apply_async` mostly go to a
    /// callback, which waits for nobody: none.
    pub fn untaken(&self, call: &Call, time: Time) -> u32 {
        let over = call.ended.is_some_and(|(at, _)| at <= time);
        let kind = self.call_kind(call);
        if over || kind == CallKind::ApplyAsync {
            return 0;
        }
        let raises = kind.gives_list() && call.failed(time) > 0;
        let ready = call.takeable_until(time);
        let ready = if raises { ready.min(1) } else { ready };
        ready.saturating_sub(self.received(call, time).len()) as u32
    }

    /// The results of this call come from an iterator.
    pub(super) fn is_iterator(&self, call: &Call) -> bool {
        self.call_kind(call).gives_iterator()
    }

    /// How an iterator ended that was not taken to its end when the program was over: with the error that was the
    /// last the caller took, if that was one, and otherwise the program left it then.
    pub(super) fn ends_untaken(&self, call: &Call, over: Time) -> (Time, Ends) {
        let received = self.received(call, over);
        let last = received.len().checked_sub(1);
        let error = last.and_then(|last| received.errors().get(received.result_at(last).err()?));
        error.map_or((over, Ends::Left), |error| (error.at, Ends::Error))
    }

    /// What the caller met instead of results, in words, as of `time`:
    /// `next() raised ValueError: task 5 failed (1 of 12 failed)`
    pub fn errors_in_words(&self, call: &Call, time: Time) -> Option<String> {
        let received = self.received(call, time);
        let first = received.errors().first()?;
        let index = received.failed(first);
        let error = call.error(index);
        let error = error.or_else(|| self.broken_word(call, index, time));
        let error = error.unwrap_or("an error");
        let more = if received.errors().len() > 1 {
            ", ..."
        } else {
            ""
        };
        let asked = self.call_kind(call).taken_with();
        let failed = failed_in_words(call, time);
        Some(format!("{asked} raised {error}{more}{failed}"))
    }

    /// What a broken executor gives in the place of a result, if this task did not fail itself.
    fn broken_word(&self, call: &Call, index: u32, time: Time) -> Option<&'static str> {
        let broken = Ends::BrokenProcessPool;
        let is_so = |ended: (Time, Ends)| ended.1 == broken;
        let failed = call.task(index)?.told == Some(Outcome::Failed);
        let gave_up = || {
            self.ends_of(call, time).is_some_and(is_so)
                || is_so(self.given_up(call, (time, Ends::Returned)))
        };
        (!failed && gave_up()).then(|| self.ends_word(Some(call), broken))
    }

    /// What a list raised as a whole, in words, as of `time`: `map() raised ValueError: task 5 failed (2 of 12 failed)`
    pub fn whole_error_in_words(&self, call: &Call, time: Time) -> Option<String> {
        let kind = self.call_kind(call);
        if !kind.gives_list() {
            return None;
        }
        self.ends_of(call, time)
            .filter(|&(_, ends)| ends == Ends::Error)?;
        let error = self.raised(call, time)?;
        let failed = failed_in_words(call, time);
        Some(format!("{} raised {error}{failed}", kind.taken_with()))
    }
}

/// ` (3 of 12 failed)`: so many tasks had raised, whether or not the caller hears of them. Nothing if it met
/// other errors only.
fn failed_in_words(call: &Call, time: Time) -> String {
    let all = call.facts.tasks.unwrap_or(call.tasks().len() as u32);
    match call.failed(time) {
        0 => String::new(),
        failed => format!(" ({failed} of {all} failed)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        CallBegan, CallId, Event, Indexes, Kind, LaneId, Note, NoteKind, RunBegan, TaskId,
    };
    use crate::experiment::{Backend, Experiment, Fault, FaultKind, MainWork};
    use crate::method::Method;
    use crate::origin::simulated;
    use crate::time::Nanos;
    use crate::workload::Costs;

    fn run(method: Method, chunksize: u32, faults: &[u32]) -> Trace {
        run_beside(Nanos(6), method, chunksize, faults)
    }

    /// While main does so much work of its own.
    fn run_beside(work: Nanos, method: Method, chunksize: u32, faults: &[u32]) -> Trace {
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
            main_work: MainWork::Fixed(work),
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
            Some("next() raised ValueError: task 2 failed, ... (2 of 8 failed)")
        );
        let as_finished = run(Method::ImapUnordered, 1, &[4]);
        assert_eq!(met(&as_finished), [3, 1, 5, 4, 2, 0, 7, 6]);
        assert_eq!(
            words(&as_finished).as_deref(),
            Some("next() raised ValueError: task 4 failed (1 of 8 failed)")
        );
    }

    #[test]
    fn how_many_failed_is_said_whether_or_not_main_meets_them() {
        for (method, asked) in [(Method::Map, "map()"), (Method::ApplyAsync, "get()")] {
            let trace = run(method, 1, &[3, 4, 5]);
            let call = trace.call().unwrap();
            let whole = || trace.whole_error_in_words(call, trace.end());
            let said = words(&trace).or_else(whole).unwrap();
            assert!(
                said.starts_with(asked) && said.ends_with(" (3 of 8 failed)"),
                "{said}"
            );
        }
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
    fn of_a_chunk_that_failed_one_error_waits() {
        let untaken = |trace: &Trace, at| trace.untaken(trace.call().unwrap(), Time(at));
        // Tasks 4 and 5 are a chunk that takes 5; of task 5 nothing comes where 4 raises.
        for (failed, at) in [(4, 4), (5, 5)] {
            let trace = run(Method::ImapUnordered, 2, &[failed]);
            assert_eq!([at - 1, at, 6].map(|at| untaken(&trace, at)), [0, 1, 0]);
        }
        // Of three chunks the first fails at 11, and the last, which is shorter, at 13.
        let trace = run_beside(Nanos(20), Method::Imap, 3, &[1, 7]);
        let moments = [10, 11, 13, 20];
        assert_eq!(moments.map(|at| untaken(&trace, at)), [0, 1 + 3, 5, 0]);
    }

    #[test]
    fn one_error_waits_of_a_list_that_raises_as_a_whole() {
        let trace = run_beside(Nanos(20), Method::MapAsync, 2, &[3, 4]);
        let untaken = |at| trace.untaken(trace.call().unwrap(), Time(at));
        assert_eq!([12, 13, 19, 20].map(untaken), [0, 1, 1, 0]);
        let well = run_beside(Nanos(20), Method::MapAsync, 2, &[]);
        assert_eq!(well.untaken(well.call().unwrap(), Time(19)), 8);
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
        let whole = |trace: &Trace, at| trace.whole_error_in_words(trace.call().unwrap(), at);
        for (method, asked) in [
            (Method::Map, "map()"),
            (Method::StarmapAsync, "get()"),
            (Method::Starmap, "starmap()"),
        ] {
            let trace = run(method, 1, &[3, 5]);
            let words = format!("{asked} raised ValueError: task 3 failed (2 of 8 failed)");
            assert_eq!(whole(&trace, trace.end()), Some(words));
            assert_eq!(whole(&trace, Time(9)), None);
        }
        let one_by_one = run(Method::ApplyAsync, 1, &[3]);
        assert_eq!(whole(&one_by_one, one_by_one.end()), None);
    }

    /// A program whose main program began one call of three tasks in messages of their own, and ended at 100.
    fn program(method: &str, told: &[(u64, Kind)]) -> Trace {
        let (call, lane) = (CallId(0), LaneId(0));
        let run = RunBegan::of_program("script.py".to_owned(), Some(2));
        let began = CallBegan {
            call,
            pool: None,
            method: method.to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: None,
            chunksize: Some(1),
        };
        let tasks = Indexes::new(0, 3);
        let ends = Ends::Returned;
        let mut kinds = vec![
            (0, Kind::RunBegan(Box::new(run))),
            (0, Kind::CallBegan(Box::new(began))),
            (1, Kind::Submitted { call, tasks }),
        ];
        kinds.extend_from_slice(told);
        kinds.push((100, Kind::RunEnded { ends }));
        let mut trace = Trace::default();
        trace.apply(
            kinds
                .into_iter()
                .map(|(at, kind)| {
                    let at = Time(at);
                    Event { at, lane, kind }
                })
                .collect(),
        );
        trace
    }

    fn done(index: u32, outcome: Outcome) -> [(u64, Kind); 3] {
        let task = TaskId {
            call: CallId(0),
            index,
        };
        let at = 10 * u64::from(index + 1);
        let (call, tasks, cpu) = (task.call, Indexes::one(index), None);
        [
            (at, Kind::Started { task, cpu }),
            (at + 5, Kind::Finished { task, outcome, cpu }),
            (at + 5, Kind::Ready { call, tasks }),
        ]
    }

    fn taken(at: u64, first: u32) -> (u64, Kind) {
        let note = Note::error_taken(CallId(0), None, first);
        (at, Kind::Noted(Box::new(note)))
    }

    #[test]
    fn a_result_that_cannot_be_pickled_is_the_error_of_its_own_task() {
        let mut told = done(0, Outcome::Ok).to_vec();
        told.push(taken(17, 0));
        told.extend(done(1, Outcome::Failed));
        told.push(taken(27, 1));
        let trace = program("imap", &told);
        assert_eq!(met(&trace), [0, 1]);
    }

    #[test]
    fn what_a_broken_executor_gives_instead_of_a_result_has_its_name() {
        let (call, tasks) = (CallId(0), Indexes::new(1, 3));
        let note = Note {
            kind: NoteKind::Broken,
            pool: None,
            call: None,
            text: String::new(),
            value: 2,
        };
        let mut told = done(0, Outcome::Ok).to_vec();
        let before = told.len();
        told.push((20, Kind::Noted(Box::new(note))));
        told.push((20, Kind::Ready { call, tasks }));
        told.push(taken(21, 1));
        let said = |told: &[(u64, Kind)]| words(&program("submit", told));
        let broken = said(&told).unwrap();
        assert_eq!(broken, "result() raised BrokenProcessPool");
        // Nobody tells of what this one is.
        told.remove(before);
        assert_eq!(said(&told).unwrap(), "result() raised an error");
    }

    #[test]
    fn a_series_whose_last_answer_was_an_error_is_left_when_the_program_ends() {
        let mut told = done(0, Outcome::Failed).to_vec();
        told.push(taken(17, 0));
        for (method, ended) in [
            ("imap", (Time(17), Ends::Error)),
            ("apply_async", (Time(100), Ends::Left)),
        ] {
            let trace = program(method, &told);
            let call = trace.call().unwrap();
            assert_eq!(trace.ends_of(call, Time(100)), Some(ended), "{method}");
        }
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
