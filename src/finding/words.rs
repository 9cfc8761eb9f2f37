//! How findings name things: calls, workers, and what the program itself says.

use crate::control::harmless;
use crate::event::{Ended, Indexes, LaneId, exit_words};
use crate::trace::{Call, Trace};

/// What a name or an error of the program may take of a line.
const LONGEST: usize = 60;

/// `map(square) in line 12`
pub(super) fn call(call: &Call) -> String {
    let facts = &call.facts;
    let name = match facts.function.as_str() {
        "" => facts.method.clone(),
        function => format!("{}({})", facts.method, short(function)),
    };
    match (&facts.source, name.as_str()) {
        (_, "") => "a call".to_owned(),
        (Some((_, line)), _) => format!("{name} in line {line}"),
        (None, _) => name,
    }
}

/// ` of map(square) in line 12`, or nothing where the call is not known.
pub(super) fn of(some: Option<&Call>) -> String {
    some.map_or_else(String::new, |some| format!(" of {}", call(some)))
}

/// `worker 2 (process 4711)`
pub(super) fn worker(trace: &Trace, lane: LaneId) -> String {
    let Some(lane) = trace.lane(lane) else {
        return "a worker".to_owned();
    };
    let name = short(&lane.facts.name);
    match lane.facts.pid {
        Some(pid) => format!("{name} (process {pid})"),
        None => name,
    }
}

/// `worker 2 (process 4711) was killed (SIGKILL)`, or `crashed (exit code 3)`
pub(super) fn ended(trace: &Trace, lane: LaneId) -> String {
    let name = worker(trace, lane);
    let lane = trace.lane(lane);
    let how = match lane.and_then(|lane| lane.closed) {
        Some((_, Ended::Killed)) => "was killed",
        _ => "crashed",
    };
    let exit = lane.and_then(|lane| lane.exit).map(exit_words);
    format!("{name} {how}{}", in_brackets(&exit.unwrap_or_default()))
}

/// `task 3`, `tasks 3-5`
pub(super) fn tasks(tasks: Indexes) -> String {
    let plural = if tasks.len() == 1 { "" } else { "s" };
    format!("task{plural} {}", Call::words(tasks))
}

/// ` (ValueError: no)`, or nothing.
pub(super) fn in_brackets(error: &str) -> String {
    match short(error).as_str() {
        "" => String::new(),
        error => format!(" ({error})"),
    }
}

/// The first line of a text from outside, as a part of a line.
pub(crate) fn short(text: &str) -> String {
    harmless(text.trim().lines().next().unwrap_or_default(), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_text_from_outside_the_first_line_is_quoted() {
        assert_eq!(short("ValueError: \x1b[2Jno\nmore"), "ValueError: [2Jno");
        assert_eq!(short(&"x".repeat(10_000_000)).len(), LONGEST + 3);
        assert_eq!(
            (short(" \n"), in_brackets("")),
            (String::new(), String::new())
        );
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(tasks(Indexes::new(3, 4)), "task 3");
        assert_eq!(tasks(Indexes::new(3, 6)), "tasks 3-5");
    }
}
