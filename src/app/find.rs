//! The line in which one searches for tasks.

use crate::app::line;
use crate::app::selection::Selection;
use crate::event::{Outcome, TaskId};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Task, Trace};
use crossterm::event::KeyEvent;
use tui_input::Input;

/// What is typed, and which tasks match it.
#[derive(Clone, Debug, Default)]
pub struct Find {
    pub line: Input,
    /// Indexes of the tasks that match, in the order of submission.
    pub matches: Vec<u32>,
    /// Place in `matches` of the one that is selected.
    pub at: usize,
    /// What was selected before; leaving brings it back.
    pub before: Selection,
}

impl Find {
    pub fn new(before: Selection) -> Self {
        Self {
            before,
            ..Self::default()
        }
    }

    /// The task that is found.
    pub fn found(&self, trace: &Trace) -> Option<TaskId> {
        let call = trace.call()?.facts.call;
        let index = *self.matches.get(self.at)?;
        Some(TaskId { call, index })
    }

    pub(super) fn type_key(&mut self, event: &KeyEvent, trace: &Trace, cursor: Time) {
        if line::edit(&mut self.line, event) {
            self.search(trace, cursor);
        }
    }

    pub(super) fn paste(&mut self, text: &str, trace: &Trace, cursor: Time) {
        line::paste(&mut self.line, text);
        self.search(trace, cursor);
    }

    /// The next or previous match, round and round.
    pub(super) fn turn(&mut self, forward: bool) {
        let count = self.matches.len().max(1);
        self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
    }

    fn search(&mut self, trace: &Trace, cursor: Time) {
        let wanted = Wanted::read(self.line.value());
        self.at = 0;
        self.matches = match (wanted, trace.call()) {
            (Some(wanted), Some(call)) => (0..call.tasks().len() as u32)
                .filter(|&index| wanted.matches(trace, call, index, cursor))
                .collect(),
            _ => Vec::new(),
        };
    }
}

/// What can be typed; anything else is a part of an error's text.
pub const EXAMPLES: &str = "7, w2, lost, >1s";

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// `7`
    Number(u32),
    /// `worker 2`, `w2`
    Worker(String),
    /// `failed`, `lost`
    Outcome(Outcome),
    /// `>500ms`
    Longer(Nanos),
    /// `<20ms`
    Shorter(Nanos),
    /// Anything else: a part of the error text, without regard to case.
    Error(String),
}

impl Wanted {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let length = |text: &str| Nanos::parse(text, Nanos::MILLISECOND).ok();
        let outcomes = [
            Outcome::Ok,
            Outcome::Failed,
            Outcome::Skipped,
            Outcome::Cancelled,
            Outcome::Lost,
        ];
        if text.is_empty() {
            return None;
        }
        if let Ok(number) = text.parse() {
            return Some(Self::Number(number));
        }
        if let Some(outcome) = outcomes.into_iter().find(|o| o.word() == text) {
            return Some(Self::Outcome(outcome));
        }
        if let Some(rest) = text.strip_prefix('>') {
            return length(rest).map(Self::Longer);
        }
        if let Some(rest) = text.strip_prefix('<') {
            return length(rest).map(Self::Shorter);
        }
        let short = text
            .strip_prefix('w')
            .filter(|rest| rest.parse::<u32>().is_ok());
        Some(match short {
            Some(number) => Self::Worker(format!("worker {number}")),
            None if text.starts_with("worker") => Self::Worker(text),
            None => Self::Error(text),
        })
    }

    /// As far as is known at the cursor.
    fn matches(&self, trace: &Trace, call: &Call, index: u32, cursor: Time) -> bool {
        let Some(task) = call.task(index) else {
            return false;
        };
        let outcome = task.outcome_at(cursor);
        match self {
            Self::Number(number) => index == *number,
            Self::Worker(name) => {
                task.started <= cursor
                    && task
                        .lane
                        .and_then(|lane| trace.lane(lane))
                        .is_some_and(|lane| lane.facts.name.to_lowercase() == *name)
            }
            Self::Outcome(wanted) => outcome == Some(*wanted),
            Self::Longer(length) => service(&task, cursor).is_some_and(|service| service > *length),
            Self::Shorter(length) => {
                service(&task, cursor).is_some_and(|service| service < *length)
            }
            Self::Error(part) => {
                outcome.is_some()
                    && call
                        .error(index)
                        .is_some_and(|error| error.to_lowercase().contains(part))
            }
        }
    }
}

/// How long it ran, or has run so far.
fn service(task: &Task, cursor: Time) -> Option<Nanos> {
    (task.started <= cursor).then(|| task.finished.min(cursor).since(task.started))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_what_it_looks_like() {
        let read = |text| Wanted::read(text).unwrap();
        assert_eq!(read(" 7 "), Wanted::Number(7));
        assert_eq!(read("w12"), Wanted::Worker("worker 12".to_owned()));
        assert_eq!(read("Worker 2"), Wanted::Worker("worker 2".to_owned()));
        assert_eq!(read("failed"), Wanted::Outcome(Outcome::Failed));
        assert_eq!(read(">500ms"), Wanted::Longer(Nanos(500_000_000)));
        assert_eq!(read("<2s"), Wanted::Shorter(Nanos(2_000_000_000)));
        assert_eq!(read("wrong value"), Wanted::Error("wrong value".to_owned()));
        assert_eq!(Wanted::read(""), None);
        assert_eq!(Wanted::read(">"), None);
    }

    #[test]
    fn every_example_is_more_than_a_part_of_an_error() {
        for example in EXAMPLES.split(", ") {
            let wanted = Wanted::read(example);
            assert!(
                !matches!(wanted, None | Some(Wanted::Error(_))),
                "{example}"
            );
        }
    }
}
