//! The cells of tasks that came to a bad end, and of those that have not come, or never will.

use super::{Strip, Which};
use crate::event::Outcome;
use crate::palette::Ink;
use crate::time::Time;
use crate::trace::{Call, Task};

/// How many tasks had died with their workers before they came into this order: unfinished, or finished
/// and not sent back, as the results of a chunk go back together.
pub(in crate::ui) fn never(call: &Call, which: Which, cursor: Time) -> usize {
    // Of most calls nothing was, and a look at every task takes long where they are many.
    if call.lost_until(cursor) == 0 {
        return 0;
    }
    let had_come = |task: &Task| match which {
        Which::Delivered => task.delivered <= cursor,
        _ => task.finished <= cursor,
    };
    let lost = call
        .tasks()
        .filter(|task| task.outcome_at(cursor) == Some(Outcome::Lost) && !had_come(task));
    lost.count()
}

impl Strip<'_, '_, '_> {
    /// How many tasks never come here. Their cells are the last.
    pub(super) fn never(&self) -> usize {
        if !matches!(self.which, Which::Finished | Which::Delivered) {
            return 0;
        }
        never(self.call, self.which, self.cursor).min(self.known)
    }

    /// A cell that nothing has come to, or never will.
    pub(super) fn absent(&mut self, x: u16, columns: u16, never: bool) {
        let (theme, y) = (self.pen.theme, self.bottom());
        if never {
            self.bad(theme.glyphs.lost, theme.bad, x, columns);
        } else {
            let x = x + columns / 2;
            self.pen
                .cell(x, y, theme.glyphs.future, theme.faint, theme.background);
        }
    }

    /// What became of a task, if it came to a bad end.
    pub(super) fn mark(&mut self, index: u32, x: u16, columns: u16) {
        if !matches!(self.which, Which::Finished | Which::Delivered) {
            return;
        }
        let theme = self.pen.theme;
        let task = self.call.task(index);
        let outcome = task.and_then(|task| task.outcome_at(self.cursor));
        let (glyph, ground) = match outcome {
            Some(Outcome::Failed) => (theme.glyphs.failed, theme.bad),
            Some(Outcome::Skipped | Outcome::Cancelled) => (theme.glyphs.skipped, theme.faint),
            Some(Outcome::Lost) => (theme.glyphs.lost, theme.bad),
            Some(Outcome::Ok) | None => return,
        };
        self.bad(glyph, ground, x, columns);
    }

    /// A mark in the middle of a cell.
    fn bad(&mut self, glyph: &str, ground: Ink, x: u16, columns: u16) {
        let (theme, y) = (self.pen.theme, self.bottom());
        for offset in 0..columns {
            let glyph = if offset == columns / 2 { glyph } else { " " };
            if theme.is_bare() {
                self.pen.bold(x + offset, y, glyph, theme.bad);
            } else {
                self.pen
                    .bold_on(x + offset, y, glyph, theme.on(ground), ground);
            }
        }
    }
}
