//! The line in which one searches for tasks.

use crate::app::selection::Selection;
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
