//! The colours of the tasks of one call: their place in the submission order.

use super::theme::Theme;
use crate::event::{CallId, TaskId};
use crate::palette::{Depth, Ink, Ramp};
use crate::time::Time;
use crate::trace::{Call, Trace};

/// How much of the grey of words a task of another call has.
const GREY: f64 = 0.5;
/// How much of a task's colour is left where it waits for something else than a CPU.
const PALE: f64 = 0.45;
/// How much of it is left in half a cell while it waits for a CPU, for each third of a whole that it computes.
const WAITS: [f64; 3] = [0.5, 0.7, 0.85];
/// How much of it a plate keeps, on which a number stands over a low box.
const PLATE: f64 = 0.35;
/// How far the line inside a chunk is from the box's colour to that of its number.
const LINE: f64 = 0.6;

/// Marks the number of a task of another call than the one that is shown. No index is so large.
const OTHER: u32 = 1 << 31;
/// Keeps neighbours from different calls apart.
const CALLS: u32 = 0b111 << 28;

/// The number under which a lane draws a task: its index if it is of the shown call.
pub fn number(task: TaskId, shown: Option<CallId>) -> u32 {
    if shown.is_none_or(|shown| shown == task.call) {
        task.index
    } else {
        OTHER | (task.call.0 << 28) & CALLS | task.index & !(OTHER | CALLS)
    }
}

/// It has no place in the order of the shown call, and so no colour and no number.
pub fn is_other(number: u32) -> bool {
    number & OTHER != 0
}

/// The colours of the tasks of one call.
#[derive(Clone, Copy)]
pub struct Hues<'a> {
    theme: Theme,
    call: Option<&'a Call>,
    of: u32,
}

impl<'a> Hues<'a> {
    pub fn new(theme: Theme, trace: &'a Trace) -> Self {
        let call = trace.call();
        let of = call.map_or(0, tasks);
        Self { theme, call, of }
    }

    /// Those of so many tasks of no call.
    pub fn of(theme: Theme, tasks: u32) -> Self {
        let call = None;
        Self {
            theme,
            call,
            of: tasks,
        }
    }

    /// The colour of a task, the same wherever it shows.
    pub fn task(&self, index: u32) -> Ink {
        if is_other(index) {
            return self
                .theme
                .mixed(self.theme.dim, self.theme.background, GREY);
        }
        self.theme.task(index, self.of)
    }

    /// Where it has a worker but waits for something else than a CPU.
    pub fn pale(&self, index: u32) -> Ink {
        self.faded(index, PALE)
    }

    /// Where it waits for a CPU, and no height can say how much of a whole, 0 to 1, it computes.
    pub fn waiting(&self, index: u32, share: f64) -> Ink {
        let third = (share * WAITS.len() as f64) as usize;
        self.faded(index, WAITS[third.min(WAITS.len() - 1)])
    }

    fn faded(&self, index: u32, share: f64) -> Ink {
        if is_other(index) {
            let ink = self.task(index);
            return self.theme.mixed(ink, self.theme.background, share);
        }
        self.theme.faded_task(index, self.of, share)
    }

    /// Behind a number on a low box; the background where colours do not mix.
    pub fn plate(&self, index: u32) -> Ink {
        if self.theme.mixes() {
            self.faded(index, PLATE)
        } else {
            self.theme.background
        }
    }

    /// Between the boxes of two tasks: a line inside a chunk, the background between chunks.
    pub fn gap(&self, before: u32, after: u32) -> Ink {
        let same = |call: &Call| call.chunk_of(before) == call.chunk_of(after);
        let other = is_other(before) || is_other(after);
        if other || self.theme.depth == Depth::None || !self.call.is_some_and(same) {
            return self.theme.background;
        }
        let ink = self.task(after);
        let number = self.theme.on(ink);
        if self.theme.mixes() {
            self.theme.mixed(number, ink, LINE)
        } else {
            number
        }
    }
}

/// How many tasks are known at this moment: all of the call, or those that were read of an input without
/// a length.
pub fn known(call: &Call, time: Time) -> u32 {
    let read = || call.submitted.count_until(time);
    call.facts.tasks.unwrap_or_else(read)
}

/// How many tasks the colours are spread over. Of an input without a length that is known once the call has ended.
pub fn tasks(call: &Call) -> u32 {
    let seen = call.tasks().len() as u32;
    let all = call.facts.tasks.or(call.ended.map(|_| seen));
    Ramp::spread(all, seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;
    use crate::experiment::{Backend, Experiment};
    use crate::method::Method;
    use crate::origin::simulated;

    #[test]
    fn of_an_input_without_a_length_the_last_task_has_the_last_colour_at_the_end() {
        let experiment = Experiment {
            method: Method::Imap,
            backend: Backend::Simulated,
            tasks: 40,
            ..Experiment::default()
        };
        let spread = |ends: bool| {
            let mut events = simulated::run(&experiment);
            events.retain(|event| ends || !matches!(event.kind, Kind::CallEnded { .. }));
            for event in &mut events {
                if let Kind::CallBegan(call) = &mut event.kind {
                    call.tasks = None;
                }
            }
            let mut trace = Trace::default();
            trace.apply(events);
            trace.call().map(tasks)
        };
        assert_eq!([false, true].map(spread), [Some(64), Some(40)]);
    }
}
