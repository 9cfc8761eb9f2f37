//! The screen: what the state of the program looks like in cells.
//!
//! Drawing reads the state and changes nothing; a panel's place is a pure function of the size of the
//! screen and the state, so what a click hit is found by the same function that drew it.

pub mod axis;
pub mod braille;
pub mod caller;
pub mod definitions;
pub mod digits;
pub mod dispatcher;
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
pub mod layout;
pub mod marks;
pub mod numbers;
pub mod overlay;
pub mod queue;
pub mod slope;
pub mod strips;
pub mod text;
pub mod theme;
pub mod timebar;
pub mod timeline;
pub mod worktime;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::{App, Hit, Overlay, Scene};
use crate::time::Time;
use crate::trace::Trace;
use axis::Axis;
use text::Pen;
use theme::Theme;

/// Draws the state.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let mut pen = Pen::new(frame.buffer_mut(), Theme::of(app.look));
    pen.fill(screen, pen.theme.background);
    let fits = match app.scene {
        Scene::Panel => timeline::panel(app, screen, &mut pen),
        _ => timeline::render(app, screen, &mut pen),
    };
    if !fits {
        too_small(screen, &mut pen);
        return;
    }
    match &app.overlay {
        Some(Overlay::Help { page }) => help::render(app, *page, screen, &mut pen),
        Some(Overlay::Form(form)) => form::render(form, screen, &mut pen),
        Some(Overlay::Find(find)) => find::render(find, screen, &mut pen),
        Some(Overlay::Definitions { .. } | Overlay::Inspector) | None => {}
    }
}

/// What lies at a cell of the screen, if it is anything a click could mean.
pub fn hit(app: &App, x: u16, y: u16) -> Option<Hit> {
    let screen = Rect::new(0, 0, app.size.0, app.size.1);
    match app.scene {
        Scene::View if app.overlay.is_none() => timeline::hit(app, screen, x, y),
        _ => None,
    }
}

/// All that a screen without room for the panels shows.
fn too_small(screen: Rect, pen: &mut Pen<'_>) {
    let (columns, rows) = layout::SMALLEST;
    let words = format!("too small: parviz needs {columns}x{rows}");
    let words = text::clipped(&words, screen.width, pen.theme.glyphs.grows);
    pen.text(screen.x, screen.y, &words, pen.theme.text);
}

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
