//! What the person chose: a lane, and a task on it.

use crate::event::TaskId;

/// The lane is a row of what is large: workers by name, or CPUs. Without a lane nothing is chosen,
/// unless a search found a task that no worker had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub row: Option<usize>,
    pub task: Option<TaskId>,
}

impl Selection {
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}
