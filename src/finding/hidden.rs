//! Errors of tasks that nothing shows until somebody asks for their results.

use super::index::About;
use super::search::{Search, share_of};
use super::words::{call as named, short};
use super::{Finding, FindingKind};
use crate::event::{CallKind, NoteKind, Outcome};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Task};

/// An error that waits for less of the run than this was asked for soon enough.
const HIDDEN_SHARE: f64 = 0.1;
/// And less than this is how long any result takes.
const HIDDEN_LEAST: Nanos = Nanos(20_000_000);

pub(super) fn search(search: &mut Search<'_>) {
    let trace = search.scene.trace;
    let counts = trace.counts(search.scene.at);
    // Nor is it known who asked where events were not seen.
    if counts.failed > 0 && counts.dropped == 0 && trace.is_program() {
        let scene = search.scene;
        let broken = |pool| scene.has_noted(NoteKind::ResultThreadDied, About::Pool(pool));
        // Where nothing comes back any more, that is what is told.
        for call in trace.calls().filter(|call| !broken(call.facts.pool)) {
            hidden_errors(search, call);
        }
    }
}

/// An error of a call that does not block, and nobody asks.
struct Hidden {
    index: u32,
    failed: Time,
    /// `None`: nobody did, and the program is over.
    asked: Option<Time>,
    length: Nanos,
}

/// How the errors of a call reach its caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// Each where its own result is asked for.
    Each,
    /// One for all tasks, where the list is asked for.
    Whole,
    /// The first of them, where an iterator comes to it.
    InTurn,
}

/// `None` of a call that returns only with what its tasks gave or raised.
fn shows(kind: CallKind) -> Option<Shows> {
    if kind.gives_iterator() {
        return Some(Shows::InTurn);
    }
    let shows = if kind.gives_list() {
        Shows::Whole
    } else {
        Shows::Each
    };
    kind.returns_at_once().then_some(shows)
}

fn hidden_errors<'a>(search: &mut Search<'a>, call: &'a Call) {
    let scene = search.scene;
    let kind = scene.trace.call_kind(call);
    let Some(shows) = shows(kind) else {
        return;
    };
    let over = scene.trace.ended().map(|ended| ended.0);
    let over = over.filter(|&over| over <= scene.at);
    let run = scene.at.since(Time::ZERO);
    let long = |length: Nanos| length >= HIDDEN_LEAST && share_of(length, run) >= HIDDEN_SHARE;
    // Of an iterator it is the first error of all that counts: most end with that, and who goes on after one knows of
    // errors.
    let first_met = match shows {
        Shows::InTurn => {
            let received = scene.trace.received(call, scene.at);
            received.errors().first().map(|met| met.at)
        }
        Shows::Whole => call.error_met_at(0),
        Shows::Each => None,
    };
    let failed = call
        .tasks()
        .enumerate()
        .filter(|(_, task)| failed_at(task, scene.at));
    let hidden = failed.filter_map(|(index, task)| {
        let index = index as u32;
        // When the caller got the error of this task, if it did.
        let asked = match shows {
            Shows::Each => call.error_met_at(index),
            Shows::InTurn | Shows::Whole => first_met,
        };
        let asked = asked.filter(|&asked| asked <= scene.at);
        // A list is there only with its last result.
        let there = task.ready.max(task.finished);
        let length = asked.or(over).unwrap_or(scene.at).since(there);
        let never = over.is_some() && asked.is_none();
        // An iterator gives an error in its turn; only one that nobody waits for is hidden.
        (never || shows != Shows::InTurn && long(length)).then_some(Hidden {
            index,
            failed: task.finished,
            asked,
            length,
        })
    });
    let mut hidden: Vec<Hidden> = hidden.collect();
    hidden.sort_by_key(|hidden| (hidden.asked.is_some(), std::cmp::Reverse(hidden.length)));
    let Some(worst) = hidden.first() else { return };
    let error = call
        .error(worst.index)
        .map_or_else(|| "an error".to_owned(), short);
    let how = match worst.asked {
        Some(_) => format!(
            "nothing showed it until its result was asked for {} later",
            worst.length
        ),
        None if over.is_some() => {
            "nobody ever asked for its result, so nothing showed it".to_owned()
        }
        None => format!(
            "nothing shows it until its result is asked for, {} so far",
            worst.length
        ),
    };
    let more = match hidden.len() {
        1 => String::new(),
        count => format!("; the same of {} more", count - 1),
    };
    let finding = Finding {
        kind: FindingKind::HiddenError,
        at: worst.failed,
        lane: call.task(worst.index).and_then(|task| task.lane),
        call: Some(call.facts.call),
        text: format!(
            "task {} of {} raised {error}, and {how}{more}",
            worst.index,
            named(call)
        ),
        advice: advice(kind, shows).to_owned(),
        numbers: vec![
            ("task", f64::from(worst.index)),
            ("errors", hidden.len() as f64),
            ("hidden", worst.length.0 as f64),
        ],
    };
    search.of_call(call, worst.length.seconds(), finding);
}

fn advice(kind: CallKind, shows: Shows) -> &'static str {
    match shows {
        _ if kind == CallKind::Submit => {
            "call result() on every future as it completes (concurrent.futures.as_completed)"
        }
        Shows::InTurn => "take every result of the iterator",
        Shows::Each | Shows::Whole => "call get() on every result, or give an error_callback",
    }
}

/// The task raised, and its caller could have had its error by then.
fn failed_at(task: &Task, at: Time) -> bool {
    // What was not sent is told for itself.
    task.finished.max(task.ready) <= at
        && task.started.happened()
        && task.outcome == Some(Outcome::Failed)
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;
    use crate::event::Ends;

    fn call(method: &str, tasks: u32) -> Told {
        Told::pool("Pool", 2).call(0, method, tasks, 1)
    }

    /// Its only task fails at this moment and can be asked for at once.
    fn fails(method: &str, at: u64) -> Told {
        call(method, 1).fails(1, 0, 1, at).ready(at, 0)
    }

    #[test]
    fn an_error_that_nobody_asked_for_is_hidden() {
        let found = fails("apply_async", 5).over(6).finding();
        assert_eq!(found.kind, FindingKind::HiddenError);
        found.says(
            "raised ValueError: no, and nobody ever asked for its result, so nothing showed it",
        );
        // What was never there could not be asked for.
        let left = call("apply_async", 1).fails(1, 0, 1, 5).over(6);
        assert_eq!(left.ever(), []);
    }

    #[test]
    fn an_error_that_was_asked_for_late_was_hidden_till_then() {
        let asked = |at| {
            fails("apply_async", 100)
                .note(at, 0, NoteKind::ErrorTaken, 0)
                .over(400)
        };
        let found = asked(140).finding();
        found.says("nothing showed it until its result was asked for 40 ms later");
        assert_eq!(asked(139).kinds(), []);
        // A tenth of a short run is no time.
        let of = |at| fails("apply_async", 5).note(at, 0, NoteKind::ErrorTaken, 0);
        assert_eq!(of(24).over(30).kinds(), []);
        assert_eq!(of(25).over(30).kinds(), [FindingKind::HiddenError]);
    }

    #[test]
    fn nobody_knows_who_asked_where_events_were_not_seen() {
        let mut told = fails("apply_async", 5);
        told.tell(6, 0, crate::event::Kind::Dropped { count: 1 });
        assert_eq!(told.over(7).ever(), []);
    }

    #[test]
    fn a_call_that_blocks_hides_nothing() {
        let map = call("map", 2)
            .fails(1, 0, 1, 5)
            .task(2, 1, 1, 100)
            .ready(100, 0)
            .ready(100, 1)
            .call_ended(100, Ends::Error)
            .over(110);
        assert_eq!(map.ever(), []);
    }

    #[test]
    fn a_list_can_raise_only_when_all_its_tasks_are_done() {
        let list = |asked| {
            call("map_async", 2)
                .fails(1, 0, 1, 5)
                .task(2, 1, 1, 300)
                .ready(300, 0)
                .ready(300, 1)
                .note(asked, 0, NoteKind::ErrorTaken, 0)
                .over(400)
        };
        assert_eq!(list(301).ever(), []);
        let found = list(350).finding();
        found.says("nothing showed it until its result was asked for 50 ms later");
    }

    #[test]
    fn what_cannot_come_back_is_told_where_that_broke() {
        let told = fails("apply_async", 5)
            .note(6, 0, NoteKind::ResultThreadDied, 0)
            .over(60);
        assert_eq!(told.kinds(), [FindingKind::UnpicklableResult]);
    }

    #[test]
    fn an_iterator_gives_an_error_in_its_turn() {
        let imap = || {
            let told = call("imap", 2).task(1, 0, 1, 100).fails(2, 1, 1, 5);
            told.ready(100, 0).ready(100, 1)
        };
        let asked = imap().note(101, 0, NoteKind::ErrorTaken, 1);
        assert_eq!(asked.over(110).ever(), []);
        assert_eq!(imap().over(110).kinds(), [FindingKind::HiddenError]);
    }

    /// Chunks of two tasks, of which the second of the first chunk fails, and another.
    fn in_chunks(kind: &str, method: &str) -> Told {
        let told = Told::pool(kind, 2).call(0, method, 6, 2);
        let told = told.task(1, 0, 1, 5).fails(1, 1, 5, 10).fails(2, 2, 1, 10);
        (0..4).fold(told, |told, index| told.ready(10, index))
    }

    #[test]
    fn who_got_the_error_of_a_chunk_or_the_first_of_many_knows() {
        for (kind, method) in [
            ("Pool", "imap"),
            ("ThreadPool", "imap_unordered"),
            ("ProcessPoolExecutor", "map"),
        ] {
            let told = in_chunks(kind, method);
            let asked = told.note(11, 0, NoteKind::ErrorTaken, 0).over(500);
            assert_eq!(asked.kinds(), [], "{method}");
        }
    }

    #[test]
    fn what_an_executor_maps_and_nobody_takes_hides_its_errors() {
        let found = in_chunks("ProcessPoolExecutor", "map").over(500).finding();
        assert_eq!(found.kind, FindingKind::HiddenError);
        found.says("and nobody ever asked for its result, so nothing showed it");
        assert_eq!(found.advice, "take every result of the iterator");
    }
}
