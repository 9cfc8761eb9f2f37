//! The last lines: what the last switch changed, and the keys that work now.

use ratatui::layout::Rect;

use super::text::{Pen, width};
use crate::app::App;

/// Draws the line about the last switch into the row of the area.
pub fn change(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let Some(change) = app.change.as_ref().filter(|_| area.height > 0) else {
        return;
    };
    let theme = pen.theme;
    let basis = change.basis.word();
    let room = area.width.saturating_sub(width(basis) + 4);
    let words = change.text.replace("->", theme.glyphs.arrow);
    let words = whole_clauses(&words, room);
    let x = pen.text_within(area.x + 1, area.y, room, words, theme.text);
    pen.text(x + 2, area.y, basis, theme.dim);
}

/// As many clauses as fit; the first in any case.
fn whole_clauses(words: &str, room: u16) -> &str {
    let mut words = words;
    while width(words) > room {
        let Some((first, _)) = words.rsplit_once("; ") else {
            break;
        };
        words = first;
    }
    words
}

/// Draws as many hints as fit into the row, the most useful first; a notice takes their place.
pub fn render(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    if let Some(notice) = &app.notice {
        let room = area.width.saturating_sub(2);
        pen.text_within(area.x + 1, area.y, room, notice, theme.wait);
        return;
    }
    let mut x = area.x + 1;
    for hint in app.keymap.hints(app) {
        if x + width(&hint.keys) + 1 + width(hint.words) > area.right() {
            return;
        }
        x = pen.bold(x, area.y, &hint.keys, theme.now) + 1;
        x = pen.text(x, area.y, hint.words, theme.dim) + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_ends_with_a_whole_clause() {
        let words = "makespan same; first result 4 s; delivered in order";
        assert_eq!(whole_clauses(words, 80), words);
        assert_eq!(whole_clauses(words, 40), "makespan same; first result 4 s");
        assert_eq!(whole_clauses(words, 5), "makespan same");
    }
}
