//! The question what shall become of a program that still runs.

use ratatui::layout::Rect;

use super::overlay;
use super::text::{self, Pen};
use crate::app::keymap::Context;
use crate::app::{App, Asked};

const WIDTH: u16 = 70;
/// Columns of a key before what it does.
const KEYS: u16 = 5;

/// Draws the question over the screen.
pub fn render(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    let Some(program) = app.run.program() else {
        return;
    };
    let answers: Vec<_> = app.keymap.answers(Context::Leave).collect();
    let height = answers.len() as u16 + 5;
    let area = overlay::place(screen, WIDTH, height);
    let inside = overlay::render(pen, area, "the program still runs", "");
    let theme = pen.theme;
    let clip = |words: &str| text::clipped(words, inside.width, theme.glyphs.grows);
    let mut y = inside.y;
    let command = clip(&text::sanitised(&program.command));
    pen.bold_on(inside.x, y, &command, theme.now, theme.panel);
    if let Some(asked) = program.asked {
        let was = match asked {
            Asked::Interrupt => "it was interrupted and has not ended yet",
            Asked::Terminate => "it was told to terminate and has not ended yet",
            Asked::Kill => "it was killed and has not ended yet",
        };
        pen.text_on(inside.x, y + 1, was, theme.wait, theme.panel);
    }
    y += 2;
    for answer in answers {
        pen.bold_on(inside.x, y, &answer.keys, theme.now, theme.panel);
        let room = inside.width.saturating_sub(KEYS);
        let words = text::clipped(answer.words, room, theme.glyphs.grows);
        pen.text_on(inside.x + KEYS, y, &words, theme.text, theme.panel);
        y += 1;
    }
}
