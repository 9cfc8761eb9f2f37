//! What has become of a task, in words.

use crate::event::{Ended, Outcome};
use crate::palette::Ink;
use crate::time::Time;
use crate::trace::{Call, Lane, Task, Trace};
use crate::ui::theme::Theme;

/// What has become of it by `at`, and why, where its worker told.
pub(super) fn state(
    trace: &Trace,
    call: &Call,
    task: &Task,
    at: Time,
    theme: Theme,
) -> (String, Ink) {
    let lane = task.lane.and_then(|lane| trace.lane(lane));
    let word = match task.outcome_at(at) {
        Some(Outcome::Lost) if trace.is_given_up(call, task) => {
            return ("lost: the executor broke".to_owned(), theme.bad);
        }
        Some(outcome) => outcome.word(),
        None if task.started <= at => return ("running".to_owned(), theme.text),
        None if task.submitted <= at => return ("in the queue".to_owned(), theme.wait),
        None => return ("not submitted yet".to_owned(), theme.dim),
    };
    match (task.outcome_at(at), lane) {
        (Some(Outcome::Ok), _) => (word.to_owned(), theme.text),
        (Some(Outcome::Lost), Some(lane)) if lane.exit.is_some() || has_crashed(lane) => {
            (format!("{word}, worker {}", lane.ending()), theme.bad)
        }
        _ => (word.to_owned(), theme.bad),
    }
}

/// It ended itself, though nobody may have told with which exit code.
fn has_crashed(lane: &Lane) -> bool {
    matches!(lane.closed, Some((_, Ended::Crashed)))
}

/// What a task was lost by, at length and in short.
pub(super) fn lost_by(trace: &Trace, call: &Call, task: &Task) -> [&'static str; 2] {
    if trace.is_given_up(call, task) {
        ["the executor broke", "broke"]
    } else {
        ["its worker died", "died"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Fault, FaultKind, Policy};
    use crate::method::Method;
    use crate::palette::Look;
    use crate::ui::samples;

    #[test]
    fn who_broke_the_executor_is_told_from_those_that_it_ended() {
        let fault = Fault {
            task: 1,
            kind: FaultKind::Die,
        };
        let said = |policy, index| {
            let run = samples::run_of(Method::Map, 1, &[fault], |experiment| {
                experiment.policy = policy;
            });
            let call = run.call().unwrap();
            let task = call.task(index).unwrap();
            let (words, _) = state(&run, call, &task, run.end(), Theme::of(Look::default()));
            (words, lost_by(&run, call, &task)[0])
        };
        let own = ("lost, worker crashed".to_owned(), "its worker died");
        let broke = ("lost: the executor broke".to_owned(), "the executor broke");
        assert_eq!(said(Policy::Pool, 1), own);
        assert_eq!(said(Policy::Executor, 1), own);
        assert_eq!(said(Policy::Executor, 0), broke);
    }
}
