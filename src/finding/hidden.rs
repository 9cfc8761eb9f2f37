//! Errors of tasks that nothing shows until somebody asks for their results.

use super::search::{Search, share_of};
use super::words::{call as named, short};
use super::{Finding, FindingKind};
use crate::event::{NoteKind, Outcome, PoolId};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Task, TimedNote};

/// An error that waits for less of the run than this was asked for soon enough.
const HIDDEN_SHARE: f64 = 0.1;
/// And less than this is how long any result takes.
const HIDDEN_LEAST: Nanos = Nanos(20_000_000);

pub(super) fn search(search: &mut Search<'_>) {
    let trace = search.scene.trace;
    if trace.counts(search.scene.at).failed > 0 && trace.run().is_some_and(|run| run.program) {
        let notes = search.scene.notes();
        let broken = |pool: Option<PoolId>| {
            let died = |note: &TimedNote| {
                note.note.kind == NoteKind::ResultThreadDied && note.note.pool == pool
            };
            notes.iter().any(died)
        };
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

fn hidden_errors<'a>(search: &mut Search<'a>, call: &'a Call) {
    let method = call.facts.method.as_str();
    let is_result = method.ends_with("_async") || method == "submit";
    if !is_result && !method.starts_with("imap") {
        return;
    }
    let over = search
        .scene
        .trace
        .ended()
        .map(|ended| ended.0)
        .filter(|&over| over <= search.scene.at);
    let run = search.scene.at.since(Time::ZERO);
    let long = |length: Nanos| length >= HIDDEN_LEAST && share_of(length, run) >= HIDDEN_SHARE;
    let failed = call
        .tasks()
        .enumerate()
        .filter(|(_, task)| failed_at(task, search.scene.at));
    let hidden = failed.filter_map(|(index, task)| {
        let index = index as u32;
        let asked = asked(call, index).filter(|&asked| asked <= search.scene.at);
        let length = asked
            .or(over)
            .unwrap_or(search.scene.at)
            .since(task.finished);
        let never = over.is_some() && asked.is_none();
        // An iterator gives an error in its turn; only one that nobody waits for is hidden.
        (never || is_result && long(length)).then_some(Hidden {
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
        advice: advice(method).to_owned(),
        numbers: vec![
            ("task", f64::from(worst.index)),
            ("errors", hidden.len() as f64),
            ("hidden", worst.length.0 as f64),
        ],
    };
    search.of_call(call, worst.length.seconds(), finding);
}

fn advice(method: &str) -> &'static str {
    match method {
        "submit" => {
            "call result() on every future as it completes (concurrent.futures.as_completed)"
        }
        _ if method.starts_with("imap") => "take every result of the iterator",
        _ => "call get() on every result, or give an error_callback",
    }
}

fn failed_at(task: &Task, at: Time) -> bool {
    // What was not sent is told for itself.
    task.finished <= at && task.started.happened() && task.outcome == Some(Outcome::Failed)
}

/// When the caller got the error of this task, if it did.
fn asked(call: &Call, index: u32) -> Option<Time> {
    let whole = call.facts.method.starts_with("map") || call.facts.method.starts_with("starmap");
    call.error_met_at(if whole { 0 } else { index })
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;
    use crate::event::Ends;

    fn call(method: &str, tasks: u32) -> Told {
        Told::pool("Pool", 2).call(0, method, tasks, 1)
    }

    #[test]
    fn an_error_that_nobody_asked_for_is_hidden() {
        let found = call("apply_async", 1).fails(1, 0, 1, 5).over(6).finding();
        assert_eq!(found.kind, FindingKind::HiddenError);
        found.says(
            "raised ValueError: no, and nobody ever asked for its result, so nothing showed it",
        );
    }

    #[test]
    fn an_error_that_was_asked_for_late_was_hidden_till_then() {
        let asked = |at| {
            call("apply_async", 1)
                .fails(1, 0, 1, 100)
                .note(at, 0, NoteKind::ErrorTaken, 0)
                .over(400)
        };
        let found = asked(140).finding();
        found.says("nothing showed it until its result was asked for 40 ms later");
        assert_eq!(asked(139).kinds(), []);
        // A tenth of a short run is no time.
        let soon = call("apply_async", 1)
            .fails(1, 0, 1, 5)
            .note(24, 0, NoteKind::ErrorTaken, 0)
            .over(30);
        assert_eq!(soon.kinds(), []);
        let late = call("apply_async", 1)
            .fails(1, 0, 1, 5)
            .note(25, 0, NoteKind::ErrorTaken, 0)
            .over(30);
        assert_eq!(late.kinds(), [FindingKind::HiddenError]);
    }

    #[test]
    fn a_call_that_blocks_hides_nothing() {
        let map = call("map", 2)
            .fails(1, 0, 1, 5)
            .task(2, 1, 1, 100)
            .call_ended(100, Ends::Error)
            .over(110);
        assert_eq!(map.ever(), []);
    }

    #[test]
    fn what_cannot_come_back_is_told_where_that_broke() {
        let told = call("apply_async", 1)
            .fails(1, 0, 1, 5)
            .note(6, 0, NoteKind::ResultThreadDied, 0)
            .over(60);
        assert_eq!(told.kinds(), [FindingKind::UnpicklableResult]);
    }

    #[test]
    fn an_iterator_gives_an_error_in_its_turn() {
        let imap = call("imap", 2)
            .task(1, 0, 1, 100)
            .fails(2, 1, 1, 5)
            .note(101, 0, NoteKind::ErrorTaken, 1)
            .over(110);
        assert_eq!(imap.ever(), []);
        let left = call("imap", 2).task(1, 0, 1, 10).fails(2, 1, 1, 5).over(12);
        assert_eq!(left.kinds(), [FindingKind::HiddenError]);
    }
}
