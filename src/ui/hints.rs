//! The last line: keys that work now, and what they do.

use ratatui::layout::Rect;

use super::text::{Pen, width};

/// Draws as many hints as fit into the row, the most useful first.
pub fn render(hints: &[(String, &str)], area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let mut x = area.x + 1;
    for (keys, words) in hints {
        if x + width(keys) + 1 + width(words) > area.right() {
            return;
        }
        x = pen.bold(x, area.y, keys, theme.now) + 1;
        x = pen.text(x, area.y, words, theme.dim) + 2;
    }
}
