//! How tasks stand in the columns of a strip: what is drawn and what a click finds follow from it.

use crate::trace::Call;
use crate::ui::hues::tasks;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    pub(super) tasks: usize,
    width: u16,
    ascii: bool,
}

impl Cells {
    pub(super) fn new(call: &Call, width: u16, ascii: bool) -> Self {
        let tasks = (tasks(call) as usize).max(1);
        Self {
            tasks,
            width,
            ascii,
        }
    }

    /// There are more tasks than columns.
    pub(super) fn is_crowded(self) -> bool {
        self.tasks > usize::from(self.width)
    }

    /// Columns a task has where each has one or more.
    pub(super) fn each(self) -> u16 {
        let most = match self.tasks {
            _ if self.ascii => 2,
            ..=10 => 9,
            _ if self.width > 120 => 6,
            _ => 4,
        };
        let even = usize::from(self.width) / self.tasks;
        (even as u16).clamp(1, most)
    }

    /// Tasks that a cell of a crowded strip shows.
    pub(super) fn in_a_cell(self) -> usize {
        if self.ascii { 1 } else { 2 }
    }

    /// Tasks that a crowded strip shows.
    pub(super) fn shown(self) -> usize {
        (usize::from(self.width) * self.in_a_cell()).min(self.tasks)
    }

    /// The place in its order of one of those.
    pub(super) fn shown_place(self, number: usize) -> usize {
        number * self.tasks / self.shown()
    }

    /// The place of the first task in this column.
    pub(super) fn place(self, column: u16) -> Option<usize> {
        let column = usize::from(column);
        if !self.is_crowded() {
            return Some(column / usize::from(self.each()));
        }
        let number = column * self.in_a_cell();
        (number < self.shown()).then(|| self.shown_place(number))
    }
}
