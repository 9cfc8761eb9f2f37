//! The screen: what the state of the program looks like in cells.
//!
//! Drawing reads the state and changes nothing; a panel's place is a pure function of the size of the
//! screen and the state, so what a click hit is found by the same function that drew it.

pub mod axis;
pub mod braille;
pub mod call;
pub mod caller;
pub mod compare;
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
pub mod leave;
pub mod marks;
pub mod news;
pub mod numbers;
pub mod output;
pub mod overlay;
pub mod presenter;
pub mod processes;
pub mod queue;
#[cfg(test)]
mod samples;
pub mod slope;
pub mod strips;
pub mod text;
pub mod theme;
pub mod timebar;
pub mod timeline;
pub mod worktime;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::{App, Hit, Overlay, Scene, View};
use crate::event::CallId;
use crate::finding::Finding;
use crate::time::Time;
use crate::trace::Trace;
use axis::Axis;
use text::Pen;
use theme::Theme;

/// Draws the state.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let mut pen = Pen::new(frame.buffer_mut(), Theme::of(app.look));
    pen.prepare();
    if !layout::fits(screen) {
        too_small(screen, &mut pen);
        return;
    }
    scene(app, screen, &mut pen);
    overlay(app, screen, &mut pen);
}

fn scene(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    let (trace, at) = (&app.run.trace, app.cursor());
    if app.run.program().is_some() && trace.call().is_none() {
        // There is nothing that any other view could show.
        processes::render(app, screen, pen);
        return;
    }
    match (app.scene, app.view) {
        (Scene::Panel, _) => {
            let body = framed(app, screen, pen);
            timeline::panel(app, screen, body, pen);
        }
        (Scene::View, View::Order) => {
            let body = framed(app, screen, pen);
            slope::render(trace, at, app.selection.task, body, pen);
        }
        (Scene::View, View::Numbers) => {
            let body = framed(app, screen, pen);
            figures::render(app, body, pen);
        }
        (Scene::Compare, _) => match &app.previous {
            Some(previous) => compare::render(app, previous, screen, pen),
            None => compare::nothing(app, framed(app, screen, pen), pen),
        },
        (Scene::Presenter, _) => presenter::render(app, screen, pen),
        (Scene::View, View::Timeline) => timeline::render(app, screen, pen),
    }
}

fn overlay(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    match &app.overlay {
        Some(Overlay::Help { page }) => help::render(app, *page, screen, pen),
        Some(Overlay::Definitions { page }) => definitions::render(app, *page, screen, pen),
        Some(Overlay::Findings { page }) => news::list(app, *page, screen, pen),
        Some(Overlay::Inspector) => inspector::render(app, screen, pen),
        Some(Overlay::Form(form)) => form::render(form, &hints::line(app), screen, pen),
        Some(Overlay::Find(find)) => find::render(find, &hints::line(app), screen, pen),
        Some(Overlay::Output(panel)) => output::render(app, panel, screen, pen),
        Some(Overlay::Leave) => leave::render(app, screen, pen),
        None => {}
    }
}

/// The header, and at the bottom what the last switch changed and the hints; answers what is between.
fn framed(app: &App, screen: Rect, pen: &mut Pen<'_>) -> Rect {
    let top = header::of(app, &app.run, header::PROGRAM, screen.width);
    header::render(&top, screen, pen);
    let row = |above: u16| Rect {
        y: screen.bottom().saturating_sub(above),
        height: 1,
        ..screen
    };
    if app.run.program().is_some() {
        let second = Rect {
            y: screen.y + 1,
            height: 1,
            ..screen
        };
        call::render(&app.run.trace, app.cursor(), second, pen);
        news::render(app, row(2), pen);
    } else {
        hints::change(app, row(2), pen);
    }
    hints::render(app, row(1), pen);
    body(app, screen)
}

/// Rows right above the hints that say what a switch changed or what was found.
fn message_rows(app: &App, screen: Rect) -> u16 {
    let is_program = app.run.program().is_some();
    match (app.scene, app.view) {
        (Scene::Compare | Scene::Presenter, _) => 0,
        (Scene::View, View::Timeline) if !is_program => timeline::message_rows(app, screen),
        _ => u16::from(is_program || app.change.is_some()),
    }
}

fn body(app: &App, screen: Rect) -> Rect {
    let above = 1 + u16::from(app.run.program().is_some());
    Rect {
        y: screen.y + above,
        height: screen.height.saturating_sub(above + 2),
        ..screen
    }
}

/// What lies at a cell of the screen, if it is anything a click could mean.
pub fn hit(app: &App, x: u16, y: u16) -> Option<Hit> {
    let screen = Rect::new(0, 0, app.size.0, app.size.1);
    if !layout::fits(screen) {
        return None;
    }
    if y + 1 == screen.bottom() {
        return hint(app, screen, x);
    }
    let (trace, at) = (&app.run.trace, app.cursor());
    match (&app.overlay, app.scene, app.view) {
        (Some(Overlay::Form(form)), ..) => form::field_at(form, screen, x, y).map(Hit::Field),
        (None, Scene::View, View::Timeline) => timeline::hit(app, screen, x, y),
        (None, Scene::View, View::Order) => {
            slope::task_at(trace, at, body(app, screen), x, y).map(|index| Hit::Task { index })
        }
        (None, Scene::Panel, _) => timeline::panel_hit(app, screen, body(app, screen), x, y),
        _ => None,
    }
}

/// What the hint at this column of the last row does.
fn hint(app: &App, screen: Rect, x: u16) -> Option<Hit> {
    let row = Rect {
        y: screen.bottom() - 1,
        height: 1,
        ..screen
    };
    match (&app.overlay, app.scene, app.view) {
        // They lie over the hints, or may.
        (Some(Overlay::Find(_) | Overlay::Output(_)), ..) | (_, Scene::Presenter, _) => None,
        (_, Scene::View, View::Timeline) => timeline::hint(app, screen, x),
        _ => hints::hit(app, row, x),
    }
}

/// The page that is seen of what lies on top, and how many it has, if it has pages.
fn pages(app: &App) -> Option<(usize, usize)> {
    let screen = Rect::new(0, 0, app.size.0, app.size.1);
    match app.overlay {
        Some(Overlay::Help { page }) => Some((page, help::page_count(app, screen))),
        Some(Overlay::Definitions { page }) => Some((page, definitions::page_count(app, screen))),
        Some(Overlay::Findings { page }) => Some((page, news::page_count(app, screen))),
        _ => None,
    }
}

/// The page that one comes to by turning.
pub fn turned(app: &App, down: bool) -> usize {
    let (page, count) = pages(app).unwrap_or_default();
    let last = count.saturating_sub(1);
    if down {
        (page + 1).min(last)
    } else {
        // On a screen that has grown, the page may have been beyond the last.
        page.min(last).saturating_sub(1)
    }
}

/// All that a screen without room for the panels shows.
fn too_small(screen: Rect, pen: &mut Pen<'_>) {
    let (columns, rows) = layout::SMALLEST;
    let size = format!("{columns}x{rows}");
    let words = [
        format!("too small: parviz needs {size}"),
        format!("too small: {size}"),
        size,
    ];
    let fitting = words
        .iter()
        .find(|words| text::width(words) <= screen.width);
    if let Some(words) = fitting {
        pen.text(screen.x, screen.y, words, pen.theme.text);
    }
}

/// What the panels of one run are drawn from: the run, the moment it is looked at, and the stretch of
/// time across the columns. Everything later than the cursor has not happened.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub trace: &'a Trace,
    pub cursor: Time,
    pub axis: Axis,
    /// What went wrong and what is slow, as far as it was looked for.
    pub findings: &'a [Finding],
}

impl Moment<'_> {
    /// The call whose tasks have the colours.
    pub fn shown(&self) -> Option<CallId> {
        self.trace.call().map(|call| call.facts.call)
    }

    /// Whether the run had ended at the cursor.
    pub fn is_over(&self) -> bool {
        self.trace.ended().is_some_and(|(at, _)| at <= self.cursor)
    }
}
