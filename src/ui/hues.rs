//! The colours of the tasks of one call: their place in the submission order.

use super::theme::Theme;
use crate::palette::{Depth, Ink, Ramp};
use crate::trace::{Call, Trace};

/// How much of a task's colour is left where it waits for something else than a CPU.
const PALE: f64 = 0.45;
/// How much of it a plate keeps, on which a number stands over a low box.
const PLATE: f64 = 0.35;
/// How far the line inside a chunk is from the box's colour to that of its number.
const LINE: f64 = 0.6;

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

    /// The colour of a task, the same wherever it shows.
    pub fn task(&self, index: u32) -> Ink {
        self.theme.task(index, self.of)
    }

    /// Where it has a worker but waits for something else than a CPU.
    pub fn pale(&self, index: u32) -> Ink {
        let ink = self.task(index);
        self.theme.mixed(ink, self.theme.background, PALE)
    }

    /// Behind a number on a low box; the background where colours do not mix.
    pub fn plate(&self, index: u32) -> Ink {
        if self.theme.mixes() {
            let ink = self.task(index);
            self.theme.mixed(ink, self.theme.background, PLATE)
        } else {
            self.theme.background
        }
    }

    /// Between the boxes of two tasks: a line inside a chunk, the background between chunks.
    pub fn gap(&self, before: u32, after: u32) -> Ink {
        let same = |call: &Call| call.chunk_of(before) == call.chunk_of(after);
        if self.theme.depth == Depth::None || !self.call.is_some_and(same) {
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

/// How many tasks the colours are spread over.
pub fn tasks(call: &Call) -> u32 {
    Ramp::spread(call.facts.tasks, call.tasks().len() as u32)
}
