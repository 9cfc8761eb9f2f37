//! The screen: what the state of the program looks like in cells.
//!
//! Drawing reads the state and changes nothing; a panel's place is a pure function of the size of the
//! screen and the state, so what a click hit is found by the same function that drew it.

pub mod axis;
pub mod braille;
pub mod caller;
pub mod definitions;
pub mod digits;
pub mod distribution;
pub mod events;
pub mod figures;
pub mod find;
pub mod form;
pub mod glossary;
pub mod header;
pub mod help;
pub mod hints;
pub mod hues;
pub mod inspector;
pub mod lanes;
pub mod marks;
pub mod numbers;
pub mod overlay;
pub mod queue;
pub mod slope;
pub mod strips;
pub mod text;
pub mod theme;
pub mod timebar;
pub mod worktime;

use crate::time::Time;
use crate::trace::Trace;
use axis::Axis;

/// What the panels of one run are drawn from: the run, the moment it is looked at, and the stretch of
/// time across the columns. Everything later than the cursor has not happened.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub trace: &'a Trace,
    pub cursor: Time,
    pub axis: Axis,
}

impl Moment<'_> {
    /// Whether the run had ended at the cursor.
    pub fn is_over(&self) -> bool {
        self.trace.ended().is_some_and(|(at, _)| at <= self.cursor)
    }
}
