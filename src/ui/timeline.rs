//! View 1: the run over time. Which panels there are, where they stand, and what a click in them hit.

use ratatui::layout::Rect;
use std::ops::Range;

use super::lanes::{self, Grid};
use super::layout::{self, LaneRows, Layout, Needs};
use super::strips::{self, Which};
use super::text::Pen;
use super::{
    Moment, axis, call, caller, dispatcher, events, figures, header, hints, news, numbers,
    presenter, queue, timebar,
};
use crate::app::selection::{self, Selection};
use crate::app::{App, Hit, Lanes, Panel, Scene, Subject, View};
use crate::experiment::{Backend, Experiment};

/// Rows of a lane that has the screen with the others.
const MOST_ROWS: u16 = 6;

/// Draws the view over the whole screen.
pub fn render(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    let Some(layout) = Layout::new(screen, needs(app)) else {
        return;
    };
    let moment = moment(app, screen);
    let top = header::of(app, &app.run, header::PROGRAM, screen.width);
    header::render(&top, layout.header, pen);
    call::render(moment.trace, moment.cursor, layout.call, pen);
    caption(app, layout.caption, pen);
    // Where no switch has anything to say, its row is free.
    let spare = match (&app.change, app.run.program()) {
        (None, None) => layout.change,
        _ => Rect::ZERO,
    };
    caller::render(&moment, layout.caller, spare, pen);
    dispatcher::render(&moment, layout.dispatcher, pen);
    let large = grid(app, app.large, layout.lanes, layout.lane_rows);
    lanes::render(&moment, large, app.selection, layout.lanes, pen);
    axis::render(&moment, layout.axis.y, pen);
    lanes::scrolled(&moment, large, layout.lanes.height, layout.axis.y, pen);
    if layout.block.height > 0 {
        let block = Grid {
            of: other(app.large),
            rows: 0,
            first: 0,
        };
        // What is chosen is one of the large lanes.
        lanes::render(&moment, block, Selection::default(), layout.block, pen);
    }
    queue::render(&moment, queue::Depth::Waiting, layout.queue, pen);
    queue::render(&moment, queue::Depth::Held, layout.held, pen);
    for (which, area) in Which::ALL.into_iter().zip(layout.strips) {
        strips::panel(&moment, which, screen, area, pen);
    }
    numbers::render(&moment.trace.numbers(moment.cursor), layout.numbers, pen);
    timebar::render(&moment, layout.timebar, pen);
    events::render(&moment, layout.events, pen);
    point(app, &layout, pen);
    if app.run.program().is_some() {
        news::render(app, layout.change, pen);
        hints::render(app, layout.hints, pen);
        return;
    }
    if hints_give_way(app, &layout) {
        hints::change(app, layout.hints, pen);
    } else {
        hints::change(app, layout.change, pen);
        hints::render(app, layout.hints, pen);
    }
}

/// What there is to see of the method, where a row is left for it.
fn caption(app: &App, area: Rect, pen: &mut Pen<'_>) {
    if let Some(experiment) = app.run.experiment().filter(|_| area.height > 0) {
        let caption = experiment.rules().caption;
        let room = area.width.saturating_sub(2);
        pen.text_within(area.x + 1, area.y, room, caption, pen.theme.dim);
    }
}

/// What the last switch changed stands in the row of the hints: it is news and has none of its own.
fn hints_give_way(app: &App, layout: &Layout) -> bool {
    let news = app.change.as_ref().is_some_and(|change| change.is_news);
    let is_program = app.run.program().is_some();
    layout.change.height == 0 && news && app.notice.is_none() && !is_program
}

/// Rows above the hints that say what the last switch changed.
pub fn message_rows(app: &App, screen: Rect) -> u16 {
    let layout = Layout::new(screen, needs(app)).filter(|_| app.change.is_some());
    layout.map_or(0, |layout| layout.change.height)
}

/// What the hint at this column of the last row does, if it shows hints.
pub fn hint(app: &App, screen: Rect, x: u16) -> Option<Hit> {
    let layout = Layout::new(screen, needs(app))?;
    if hints_give_way(app, &layout) {
        return None;
    }
    hints::hit(app, layout.hints, x)
}

/// Points at the panel that would get the screen, once the person has chosen one.
fn point(app: &App, layout: &Layout, pen: &mut Pen<'_>) {
    let area = match app.panel {
        Panel::Lanes => return,
        Panel::Cpus => layout.block,
        Panel::Strips => layout.strips[0],
        Panel::Numbers => layout.numbers,
        Panel::Events => layout.events,
    };
    if area.height > 0 {
        let y = match app.panel {
            Panel::Strips => area.bottom() - 1,
            _ => area.y,
        };
        pen.text(area.x, y, pen.theme.glyphs.here, pen.theme.now);
    }
}

/// What lies at a cell of the view.
pub fn hit(app: &App, screen: Rect, x: u16, y: u16) -> Option<Hit> {
    let layout = Layout::new(screen, needs(app))?;
    let moment = moment(app, screen);
    let inside = |area: Rect| area.contains((x, y).into());
    let at = moment.axis.time(x);
    if inside(layout.lanes) {
        let large = grid(app, app.large, layout.lanes, layout.lane_rows);
        let row = large.lane_at(y - layout.lanes.y);
        return (row < selection::rows(moment.trace, large.of)).then_some(Hit::Lane { row, at });
    }
    for (which, area) in Which::ALL.into_iter().zip(layout.strips) {
        if inside(area) {
            return Some(
                match strips::hit(&moment, which, screen, app.is_ascii(), x) {
                    Some(index) => Hit::Task { index },
                    None => Hit::Panel(Panel::Strips),
                },
            );
        }
    }
    let over_time = [layout.caller, layout.axis, layout.queue, layout.held];
    if over_time.into_iter().any(inside) && (moment.axis.x..moment.axis.right()).contains(&x) {
        return Some(Hit::Axis { at });
    }
    let panels = [
        (layout.block, Panel::Cpus),
        (layout.numbers, Panel::Numbers),
        (layout.timebar, Panel::Numbers),
        (layout.events, Panel::Events),
    ];
    let panel = panels.into_iter().find(|(area, _)| inside(*area));
    panel.map(|(_, panel)| Hit::Panel(panel))
}

/// The run that is watched, as of its cursor, on the axis of this screen.
pub fn moment(app: &App, screen: Rect) -> Moment<'_> {
    Moment {
        trace: &app.run.trace,
        cursor: app.cursor(),
        axis: layout::axis(screen, app.viewport.span()),
        findings: &app.findings.found,
    }
}

/// How many lanes there are, or will be: the layout does not wait for the last worker to open.
fn needs(app: &App) -> Needs {
    let trace = &app.run.trace;
    let seen = selection::rows(trace, Lanes::Workers);
    let used = selection::rows(trace, Lanes::Cpus);
    let (workers, cpus) = match &app.run.subject {
        Subject::Experiment(experiment) => {
            let workers = if experiment.is_loop() {
                1
            } else {
                experiment.workers as usize
            };
            let workers = workers.max(seen);
            let cpus = match experiment.backend {
                Backend::Simulated => experiment.cpus.map_or(workers, |cpus| cpus as usize),
                // Nobody tells on which CPU a task of a Python program is.
                Backend::Python => used,
                Backend::Threads | Backend::Processes => app.cpus as usize,
            };
            (workers, cpus)
        }
        Subject::Program(_) => (seen, app.cpus as usize),
    };
    // No more CPUs can be busy than there are workers, and some systems do not tell which they are. What
    // was kept free for them stays so at the end: nothing moves then.
    let cpus = if app.run.over && used == 0 {
        0
    } else {
        cpus.min(workers).max(used)
    };
    let count = |lanes: usize| u16::try_from(lanes).unwrap_or(u16::MAX);
    let (lanes, block) = match app.large {
        Lanes::Workers => (workers, cpus),
        Lanes::Cpus => (cpus, workers),
    };
    Needs {
        lanes: count(lanes),
        block: count(block),
        dispatcher: trace.dispatcher().is_some(),
        program: app.run.program().is_some(),
        serial: app.run.experiment().is_some_and(Experiment::is_loop),
    }
}

fn other(lanes: Lanes) -> Lanes {
    match lanes {
        Lanes::Workers => Lanes::Cpus,
        Lanes::Cpus => Lanes::Workers,
    }
}

/// What is selected, as a row of these lanes.
pub(super) fn chosen(app: &App, of: Lanes) -> Selection {
    let selected = app.selection;
    match selected.task {
        _ if of == app.large => selected,
        Some(task) => Selection::task(&app.run.trace, of, task, app.cursor()),
        None => Selection::default(),
    }
}

/// Lanes with the selected one in sight.
pub(super) fn grid(app: &App, of: Lanes, area: Rect, rows: u16) -> Grid {
    let all = selection::rows(&app.run.trace, of);
    let first = if of == app.large { app.first_lane() } else { 0 };
    let grid = Grid { of, rows, first };
    let shown = grid.lanes(area.height).max(1);
    let mut first = first.min(all.saturating_sub(shown));
    if let Some(selected) = chosen(app, of).row {
        first = first.clamp((selected + 1).saturating_sub(shown), selected);
    }
    if rows == 0 {
        first = first.next_multiple_of(2).min(all.saturating_sub(1)) / 2 * 2;
    }
    Grid { first, ..grid }
}

/// Whether lanes are out of sight that scrolling would show.
pub fn hides_lanes(app: &App) -> bool {
    let has_lanes = match app.scene {
        Scene::View => app.view == View::Timeline,
        Scene::Panel => matches!(app.panel, Panel::Lanes | Panel::Cpus),
        // Only workers have lanes there.
        Scene::Presenter => app.large == Lanes::Workers,
        Scene::Compare => false,
    };
    has_lanes && scrolled(app, true).len() < selection::rows(&app.run.trace, app.large)
}

/// The lanes that are in sight when they have been scrolled by half of what is in sight.
pub fn scrolled(app: &App, down: bool) -> Range<usize> {
    let screen = Rect::new(0, 0, app.size.0, app.size.1);
    let (grid, area) = match (app.scene, Layout::new(screen, needs(app))) {
        (Scene::Panel, _) => {
            let tall = TallLanes::new(app, &moment(app, screen), super::body(app, screen));
            (tall.grid, tall.area)
        }
        (Scene::Presenter, Some(_)) => presenter::grid(app, screen),
        (_, Some(layout)) => {
            let area = layout.lanes;
            (grid(app, app.large, area, layout.lane_rows), area)
        }
        (_, None) => (grid(app, app.large, screen, 1), screen),
    };
    let shown = grid.lanes(area.height).max(1);
    let last = selection::rows(&app.run.trace, grid.of).saturating_sub(shown);
    let step = match grid.rows {
        // Two of them share a row.
        0 => (shown / 2).next_multiple_of(2),
        _ => (shown / 2).max(1),
    };
    let first = if down {
        (grid.first + step).min(last)
    } else {
        grid.first.saturating_sub(step)
    };
    first..first + shown
}

/// One panel over all of the screen that is between header and hints.
pub fn panel(app: &App, screen: Rect, body: Rect, pen: &mut Pen<'_>) {
    let moment = moment(app, screen);
    match app.panel {
        Panel::Lanes | Panel::Cpus => {
            let tall = TallLanes::new(app, &moment, body);
            let rows = Rect { height: 2, ..body };
            caller::render(&moment, rows, Rect::ZERO, pen);
            lanes::render(
                &moment,
                tall.grid,
                chosen(app, tall.grid.of),
                tall.area,
                pen,
            );
            axis::render(&moment, tall.axis, pen);
            lanes::scrolled(&moment, tall.grid, tall.area.height, tall.axis, pen);
        }
        Panel::Strips => {
            for (which, area) in Which::ALL.into_iter().zip(tall_strips(body)) {
                strips::panel(&moment, which, screen, area, pen);
            }
        }
        Panel::Numbers => {
            figures::render(app, body, pen);
        }
        Panel::Events => events::render(&moment, body, pen),
    }
}

/// What lies at a cell of a panel that has the screen.
pub fn panel_hit(app: &App, screen: Rect, body: Rect, x: u16, y: u16) -> Option<Hit> {
    let moment = moment(app, screen);
    let at = moment.axis.time(x);
    match app.panel {
        Panel::Lanes | Panel::Cpus => {
            let tall = TallLanes::new(app, &moment, body);
            let row = tall.grid.lane_at(y.checked_sub(tall.area.y)?);
            if !tall.area.contains((x, y).into()) {
                return body.contains((x, y).into()).then_some(Hit::Axis { at });
            }
            if row >= selection::rows(moment.trace, tall.grid.of) {
                return None;
            }
            if tall.grid.of == app.large {
                return Some(Hit::Lane { row, at });
            }
            let at = at.min(moment.cursor);
            let task = Selection::lane(moment.trace, tall.grid.of, row, at).task?;
            Some(Hit::Task { index: task.index })
        }
        Panel::Strips => {
            let strips = Which::ALL.into_iter().zip(tall_strips(body));
            let (which, _) = strips
                .into_iter()
                .find(|(_, area)| area.contains((x, y).into()))?;
            let index = strips::hit(&moment, which, screen, app.is_ascii(), x)?;
            Some(Hit::Task { index })
        }
        Panel::Numbers | Panel::Events => None,
    }
}

/// Lanes with as many rows each as there are, main above them and the axis below.
struct TallLanes {
    grid: Grid,
    area: Rect,
    axis: u16,
}

impl TallLanes {
    fn new(app: &App, moment: &Moment<'_>, body: Rect) -> Self {
        let of = match app.panel {
            Panel::Cpus => other(app.large),
            _ => app.large,
        };
        let room = body.height.saturating_sub(3);
        let count = u16::try_from(selection::rows(moment.trace, of)).unwrap_or(u16::MAX);
        let rows = LaneRows::fit(room, count, MOST_ROWS);
        let area = Rect {
            y: body.y + 2,
            height: rows.all,
            ..body
        };
        Self {
            grid: grid(app, of, area, rows.each),
            area,
            axis: area.bottom(),
        }
    }
}

/// The four strips over each other, as high as they get.
fn tall_strips(body: Rect) -> [Rect; 4] {
    let each = body.height / 4;
    [0, 1, 2, 3].map(|place| Rect {
        y: body.y + place * each + 1,
        height: each.saturating_sub(1),
        ..body
    })
}
