//! The line in which one searches for tasks.

use crate::app::freshness::Freshness;
use crate::app::line;
use crate::app::selection::Selection;
use crate::app::{App, Overlay};
use crate::event::{CallId, Outcome, TaskId};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Trace};
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
    /// The call of these tasks.
    call: Option<CallId>,
    pub(super) freshness: Freshness,
}

impl Find {
    pub fn new(before: Selection) -> Self {
        Self {
            before,
            ..Self::default()
        }
    }

    /// The task that is found.
    pub fn found(&self) -> Option<TaskId> {
        let (call, index) = (self.call?, *self.matches.get(self.at)?);
        Some(TaskId { call, index })
    }

    pub(super) fn type_key(&mut self, event: &KeyEvent, trace: &Trace, cursor: Time) {
        if line::edit(&mut self.line, event) {
            self.search(trace, cursor);
            self.at = 0;
        }
    }

    pub(super) fn paste(&mut self, text: &str, trace: &Trace, cursor: Time) {
        line::paste(&mut self.line, text);
        self.search(trace, cursor);
        self.at = 0;
    }

    /// The next or previous match as of now, round and round.
    pub(super) fn turn(&mut self, forward: bool, trace: &Trace, cursor: Time) {
        if self.freshness.is_doubted() {
            let before = self.found();
            self.search_again(trace, cursor);
            if forward && before != self.found() {
                // Where nothing was, or where what was there does not match any more, the next one stands.
                return;
            }
        }
        let count = self.matches.len().max(1);
        self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
    }

    /// Searches again; what was found stays so, if it still matches.
    fn search_again(&mut self, trace: &Trace, cursor: Time) {
        let before = self.found();
        self.search(trace, cursor);
        let same_call = before.filter(|before| Some(before.call) == self.call);
        let place = |before: TaskId| self.matches.partition_point(|&index| index < before.index);
        let last = self.matches.len().saturating_sub(1);
        self.at = same_call.map_or(0, place).min(last);
    }

    fn search(&mut self, trace: &Trace, cursor: Time) {
        self.freshness.renew();
        let wanted = Wanted::read(self.line.value());
        self.call = trace.call().map(|call| call.facts.call);
        self.matches = match (wanted, trace.call()) {
            (Some(wanted), Some(call)) => wanted.search(trace, call, cursor),
            _ => Vec::new(),
        };
    }
}

impl App {
    /// Searches again where the search is open, as findings are looked for.
    pub(super) fn look_for_matches(&mut self, now: Nanos) {
        let cursor = self.cursor();
        let things = self.run.trace.calls().len() + self.run.trace.rows().len();
        let Some(Overlay::Find(find)) = &mut self.overlay else {
            return;
        };
        if !find.freshness.is_due(now, things) {
            return;
        }
        let before = (find.found(), find.at, find.matches.len());
        find.search_again(&self.run.trace, cursor);
        let after = (find.found(), find.at, find.matches.len());
        if before.0 != after.0 {
            self.select_found();
        }
        if before != after {
            self.changed();
        }
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
        if text.is_empty() {
            return None;
        }
        if let Ok(number) = text.parse() {
            return Some(Self::Number(number));
        }
        if let Some(outcome) = Outcome::ALL.into_iter().find(|o| o.word() == text) {
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

    /// The tasks that match as far as is known at the cursor. There may be very many: of each only what is
    /// asked for is read.
    fn search(&self, trace: &Trace, call: &Call, cursor: Time) -> Vec<u32> {
        let count = call.tasks().len() as u32;
        let all = 0..count;
        match self {
            Self::Number(number) => all
                .contains(number)
                .then_some(*number)
                .into_iter()
                .collect(),
            Self::Worker(name) => tasks_of(trace, call, name, cursor),
            Self::Outcome(wanted) => all
                .filter(|&index| call.outcome_at(index, cursor) == Some(*wanted))
                .collect(),
            Self::Longer(length) => all
                .filter(|&index| service(call, index, cursor).is_some_and(|took| took > *length))
                .collect(),
            Self::Shorter(length) => all
                .filter(|&index| service(call, index, cursor).is_some_and(|took| took < *length))
                .collect(),
            Self::Error(part) => call
                .errors()
                .filter(|(_, error)| error.to_lowercase().contains(part))
                .map(|(index, _)| index)
                .filter(|&index| call.outcome_at(index, cursor).is_some())
                .collect(),
        }
    }
}

/// The tasks of a call that the workers of this name had started.
fn tasks_of(trace: &Trace, call: &Call, name: &str, cursor: Time) -> Vec<u32> {
    let lanes = trace
        .lanes()
        .filter(|lane| lane.facts.name.to_lowercase() == name);
    let of_call = |task: &TaskId| task.call == call.facts.call;
    let mut tasks: Vec<u32> = lanes
        .flat_map(|lane| {
            let pieces = lane.pieces();
            let begun = pieces.partition_point(|piece| piece.start <= cursor);
            pieces.part(0..begun).iter()
        })
        .map(|piece| piece.task)
        .filter(of_call)
        .map(|task| task.index)
        .filter(|&index| call.ran(index).0 <= cursor)
        .collect();
    tasks.sort_unstable();
    tasks.dedup();
    tasks
}

/// How long a task ran, or has run so far.
fn service(call: &Call, index: u32, cursor: Time) -> Option<Nanos> {
    let (started, ended) = call.ran(index);
    (started <= cursor).then(|| ended.min(cursor).since(started))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, Fault, FaultKind};
    use crate::method::Method;
    use crate::origin::simulated;
    use crate::workload::Costs;

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
    fn what_is_searched_for_is_found_as_of_the_cursor() {
        let experiment = Experiment {
            workers: 2,
            tasks: 12,
            chunksize: Some(1),
            costs: Costs::List((1..13).map(|cost| Nanos(cost * 1_000_000)).collect()),
            faults: vec![Fault {
                task: 5,
                kind: FaultKind::Raise,
            }],
            method: Method::ImapUnordered,
            ..Experiment::default()
        };
        let mut trace = Trace::default();
        trace.apply(simulated::run(&experiment));
        let call = trace.call().unwrap();
        let find = |text: &str, at| Wanted::read(text).unwrap().search(&trace, call, at);
        let end = trace.end();
        assert_eq!((find("7", end), find("12", end)), (vec![7], vec![]));
        assert_eq!(
            (find("failed", end), find("failed", Time(5))),
            (vec![5], vec![])
        );
        assert_eq!(find("<3ms", end), [0, 1]);
        assert_eq!(find(">11ms", end), [11]);
        let error = call.error(5).unwrap().to_uppercase();
        assert_eq!(
            (find(&error, end), find("no such text", end)),
            (vec![5], vec![])
        );
        let mut both = find("w0", end);
        both.extend(find("worker 1", end));
        both.sort_unstable();
        assert!(both.iter().copied().eq(0..12));
        assert_eq!(find("w0", Time::ZERO), [0]);
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
