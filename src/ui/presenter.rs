//! For a lecture hall: a few big numbers, main, the lanes, two strips, what the last switch changed, and
//! nothing else.

mod big;
mod unit;

use ratatui::layout::Rect;

use super::axis::Axis;
use super::call::CallLine;
use super::digits;
use super::header::{self, Header, Motion};
use super::lanes::{self, GUTTER, Grid};
use super::layout::LaneRows;
use super::strips::{self, Place, Which};
use super::text::{self, Pen};
use super::{Moment, caller, hints};
use crate::app::playback::Speed;
use crate::app::selection::{self, Selection};
use crate::app::{App, Lanes, Overlay};
use crate::plural::counted;
use big::Big;

/// Of what there is to say of a run, workers and tasks; the rest is for those who sit near.
const FACTS: usize = 2;
/// From this height on there are empty lines between the parts.
const TALL: u16 = 34;
/// From this height on the parts are higher than elsewhere.
const TALLEST: u16 = 50;
/// Rows of the numbers with small digits, and of what the last switch changed.
const LEAST: u16 = digits::HEIGHT + 3;

const STRIPS: [Which; 2] = [Which::Finished, Which::Delivered];

/// Draws the scene over the whole screen.
pub fn render(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    let moment = moment(app, screen);
    let parts = Parts::of(app, &moment, screen);
    let Parts { regions, grid, .. } = &parts;
    let all = selection::rows(moment.trace, grid.of);
    let seen = grid
        .lanes(regions.lanes.height)
        .min(all - grid.first.min(all));
    title(app, (seen, all), regions.title, pen);
    for (line, y) in parts.caption.iter().zip(regions.title.bottom()..) {
        pen.bold(screen.x + 1, y, line, pen.theme.now);
    }
    caller::render(&moment, regions.caller, Rect::ZERO, pen);
    lanes::render(&moment, *grid, Selection::default(), regions.lanes, pen);
    for (which, area) in STRIPS.into_iter().zip(regions.strips) {
        strip(&moment, which, area, pen);
    }
    // Parts of a digit beside what lies on top would be another digit.
    if matches!(app.overlay, None | Some(Overlay::Find(_))) {
        parts.big.render(regions.numbers, pen);
    }
    if !hints::notice(app, regions.message, pen) {
        hints::change(app, regions.message, pen);
    }
}

/// The lanes that are in sight, and the rows of the screen that they have.
pub(super) fn grid(app: &App, screen: Rect) -> (Grid, Rect) {
    let parts = Parts::of(app, &moment(app, screen), screen);
    (parts.grid, parts.regions.lanes)
}

fn moment(app: &App, screen: Rect) -> Moment<'_> {
    Moment {
        trace: &app.run.trace,
        cursor: app.cursor(),
        axis: Axis {
            x: screen.x + GUTTER,
            // What stands right of the axis elsewhere is too small to read here.
            width: screen.width.saturating_sub(GUTTER + 1),
            span: app.viewport.span(),
        },
        findings: &[],
    }
}

/// What there is room for, and where.
struct Parts {
    big: Big,
    caption: Vec<String>,
    regions: Regions,
    grid: Grid,
}

impl Parts {
    fn of(app: &App, moment: &Moment<'_>, screen: Rect) -> Self {
        let big = Big::of(app, moment, screen);
        // The last row is for what the last switch changed.
        let above = screen.height.saturating_sub(big.rows() + 1);
        let lanes = selection::rows(moment.trace, Lanes::Workers);
        let count = u16::try_from(lanes).unwrap_or(u16::MAX).max(1);
        let (caption, rows) = caption(app, (above, screen.width), count);
        let grid = Grid {
            of: Lanes::Workers,
            rows: rows.lanes.each,
            first: 0,
        };
        let shown = grid.lanes(rows.lanes.all);
        Self {
            regions: Regions::of(screen, caption.len() as u16, rows, big.rows()),
            grid: Grid {
                first: first(app, rows.lanes, lanes.saturating_sub(shown)),
                ..grid
            },
            big,
            caption,
        }
    }
}

/// The lane at the top: the first of the shown call, or where the person scrolled to, with as many others as
/// there is room for. They may have scrolled lanes of CPUs, which are not seen here.
fn first(app: &App, rows: LaneRows, last: usize) -> usize {
    let wanted = match app.large {
        Lanes::Workers => app.first_lane(),
        Lanes::Cpus => selection::first_of_shown(&app.run.trace),
    };
    match rows.each {
        // Two lanes share a row, and nothing may keep the last one out of sight.
        0 if wanted >= last => last.next_multiple_of(2),
        0 => wanted / 2 * 2,
        _ => wanted.min(last),
    }
}

/// Where everything stands.
struct Regions {
    title: Rect,
    caller: Rect,
    lanes: Rect,
    strips: [Rect; STRIPS.len()],
    numbers: Rect,
    /// What the last switch changed, or what was said last.
    message: Rect,
}

impl Regions {
    /// With so many lines of caption, and so many rows for the numbers.
    fn of(screen: Rect, caption: u16, rows: Rows, numbers: u16) -> Self {
        let area = |y: u16, height: u16| Rect {
            y,
            height,
            ..screen
        };
        let title = area(screen.y, 1);
        let caller = area(title.bottom() + caption + rows.gap, 2);
        let lanes = area(caller.bottom(), rows.lanes.all);
        let strips = lanes.bottom() + rows.gap;
        let each = rows.strip + rows.gap;
        Self {
            title,
            caller,
            lanes,
            strips: [strips, strips + each].map(|y| area(y, rows.strip)),
            numbers: area(screen.bottom().saturating_sub(numbers + 1), numbers),
            message: area(screen.bottom().saturating_sub(1), 1),
        }
    }
}

fn strip(moment: &Moment<'_>, which: Which, area: Rect, pen: &mut Pen<'_>) {
    let place = Place {
        x: area.x + GUTTER,
        y: area.y,
        width: area.width.saturating_sub(GUTTER + 2),
        rows: area.height,
    };
    let line = area.y + area.height - 1;
    pen.text(area.x + 1, line, which.word(), pen.theme.text);
    strips::render(moment, which, place, pen);
}

/// The lines of what there is to see, and how the height is shared out below them. Where there is no demo
/// they take no row from the lanes.
fn caption(app: &App, (height, width): (u16, u16), lanes: u16) -> (Vec<String>, Rows) {
    let rows = |lines: usize| Rows::of(height, lines as u16, lanes);
    let caption = app.run.experiment().map_or_else(Vec::new, |experiment| {
        text::wrapped(experiment.rules().caption, width.saturating_sub(2))
    });
    let (bare, full) = (rows(0), rows(caption.len()));
    let is_free = full.lanes == bare.lanes;
    if app.demo.is_some() || is_free {
        (caption, full)
    } else {
        (Vec::new(), bare)
    }
}

/// How the height above the numbers is shared out.
#[derive(Clone, Copy)]
struct Rows {
    lanes: LaneRows,
    strip: u16,
    /// Empty rows between the parts.
    gap: u16,
}

impl Rows {
    /// Lanes come first: of the ways to leave the rest less room, the roomiest with the highest lanes.
    fn of(height: u16, caption: u16, count: u16) -> Self {
        let fixed = 1 + caption + 2 + 1;
        // On a very tall screen a lane of four rows looks thin.
        let highest = (height / 10).max(4);
        let shared = |(strip, gap): (u16, u16)| {
            let room = height.saturating_sub(fixed + 2 * strip + 4 * gap);
            Self {
                lanes: LaneRows::fit(room, count, highest),
                strip,
                gap,
            }
        };
        let roomy = match height + LEAST {
            TALLEST.. => 0,
            TALL.. => 3,
            _ => 6,
        };
        let ways = [
            (6, 2),
            (5, 2),
            (4, 1),
            (3, 1),
            (2, 1),
            (3, 0),
            (2, 0),
            (1, 0),
        ]
        .map(shared);
        // Where lanes share rows, more of them are seen in more.
        let worth = |way: &Self| (way.lanes.each, way.lanes.all);
        let most = ways.iter().map(worth).max();
        let best = ways[roomy..].iter().find(|way| Some(worth(way)) == most);
        best.copied().unwrap_or(ways[7])
    }
}

/// What runs, on what, how many of the lanes are seen, and whether that is real.
fn title(app: &App, lanes: (usize, usize), line: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let top = header::of(app, &app.run, "", 0);
    let room = usize::from(header::TIME);
    let right = format!("{}  {:>room$} ", top.origin, top.clock.time);
    let right_x = line.right().saturating_sub(text::width(&right));
    let mark = mark(top.clock.motion, app.run.speed());
    let end = right_x.saturating_sub(mark.as_ref().map_or(0, |mark| text::width(mark) + 2));
    let call = CallLine::of(&app.run.trace, app.cursor()).filter(|_| app.run.program().is_some());
    let facts = facts(&top, call.as_ref(), lanes);
    let least = |words: &Vec<String>| words.last().map_or(0, |words| text::width(words) + 3);
    let end_of_names = end.saturating_sub(facts.first().map_or(0, least));
    let mut names = vec![top.method];
    names.extend(call.as_ref().map(|call| call.text.clone()));
    let badge = call.map_or(top.badge, |call| call.badge);
    // What is called tells more than the name of the program.
    let columns = |names: &[String]| names.iter().map(|name| text::width(name) + 2).sum::<u16>();
    // Of a badge the first word is enough.
    let word = badge.and_then(|badge| badge.word().split(' ').next());
    let badged = word.map_or(0, |word| text::width(word) + 4);
    if names.len() > 1 && line.x + 1 + columns(&names) + badged > end_of_names {
        names.remove(0);
    }
    let mut x = line.x + 1;
    for name in &names {
        let room = end_of_names.saturating_sub(x + badged);
        let name = text::clipped(name, room, theme.glyphs.grows);
        x = pen.bold(x, line.y, &name, theme.now) + 2;
    }
    if let Some(badge) = badge {
        x = header::word(badge, (x, line.y), end_of_names.saturating_sub(x), pen) + 2;
    }
    if x < end {
        pen.text(right_x, line.y, &theme.units(&right), theme.dim);
        pen.bold(end, line.y, &mark.unwrap_or_default(), theme.now);
    }
    header::facts(&facts, (x, line.y), end, theme.background, pen);
}

/// That time does not pass as it did in the run: who comes in later must not take it for that.
fn mark(motion: Motion, speed: Speed) -> Option<String> {
    let as_it_was = speed == Speed::default();
    match motion {
        Motion::Paused if as_it_was => Some("paused".to_owned()),
        Motion::Paused => Some(format!("paused, {speed}")),
        Motion::Playing if !as_it_was => Some(format!("at {speed}")),
        Motion::Playing | Motion::Ended => None,
    }
}

/// What is said behind the method, the most useful first: how many workers, and of how many lanes how many
/// are seen if not all are.
fn facts(top: &Header, call: Option<&CallLine>, (seen, all): (usize, usize)) -> Vec<Vec<String>> {
    let mut facts = match call {
        None => top.facts.get(..FACTS).unwrap_or(&top.facts).to_vec(),
        Some(call) => {
            let workers = call
                .workers
                .map(|count| counted(count, "worker", "workers"));
            let mut facts = vec![Vec::from_iter(workers), vec![call.place.clone()]];
            facts.extend(top.facts.iter().cloned());
            facts
        }
    };
    if let Some(workers) = facts.first_mut().filter(|_| seen < all) {
        for words in workers.iter_mut() {
            *words = format!("{words}, {seen} shown");
        }
        workers.push(format!("{seen} of {all} shown"));
        workers.push(format!("{seen} of {all}"));
    }
    facts.retain(|fact| !fact.is_empty());
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Message, Scene, Settings};
    use crate::experiment::{Backend, Experiment};
    use crate::method::Method;
    use crate::origin::simulated;
    use crate::ui::samples::{PLAIN, lines};
    use crate::ui::timeline;

    #[test]
    fn lanes_get_the_rows_before_strips_and_empty_lines() {
        let medium = Rows::of(36 - LEAST, 0, 8);
        assert_eq!((medium.lanes.each, medium.strip, medium.gap), (2, 2, 1));
        let few = Rows::of(36 - LEAST, 0, 3);
        assert_eq!((few.lanes.each, few.strip, few.gap), (4, 3, 1));
        assert_eq!(Rows::of(24 - LEAST, 2, 9).lanes.each, 0);
        assert_eq!(Rows::of(24 - LEAST, 0, 4).lanes.each, 2);
    }

    /// The state at the end of a run of eight tasks.
    pub(super) fn at_end(change: impl Fn(&mut Experiment)) -> App {
        let mut experiment = Experiment {
            backend: Backend::Simulated,
            tasks: 8,
            ..Experiment::default()
        };
        change(&mut experiment);
        let mut app = App::new(experiment.clone(), Settings::default());
        app.run.trace.apply(simulated::run(&experiment));
        app.run.playback.cursor = app.run.trace.end();
        app
    }

    /// The scene then.
    pub(super) fn drawn(size: (u16, u16), change: impl Fn(&mut Experiment)) -> Vec<String> {
        let app = at_end(change);
        lines(PLAIN, size, |area, pen| render(&app, area, pen))
    }

    #[test]
    fn no_digits_stand_under_what_lies_on_top() {
        let mut app = at_end(|_| {});
        let has_digits = |app: &App| {
            let drawn = lines(PLAIN, (80, 24), |area, pen| render(app, area, pen));
            drawn[17..].concat().contains("##")
        };
        assert!(has_digits(&app));
        app.overlay = Some(Overlay::Inspector);
        assert!(!has_digits(&app));
    }

    #[test]
    fn how_many_work_and_how_many_are_seen_is_said_above_all() {
        for (size, says) in [
            ((60, 20), "  12 of 64 shown  8 tasks"),
            ((80, 24), "  64 workers on 16 CPUs, 20 shown"),
            ((120, 36), "  64 workers on 16 CPUs, 44 shown"),
        ] {
            let lines = drawn(size, |run| (run.workers, run.cpus) = (64, Some(16)));
            assert!(lines[0].contains(says), "{}", lines[0]);
        }
        let unordered = |size| {
            drawn(size, |run| {
                (run.method, run.workers) = (Method::ImapUnordered, 64);
            })
            .remove(0)
        };
        let long = unordered((60, 20));
        assert!(
            long.contains("imap_unordered  [ITERATOR]  12 of 64  "),
            "{long}"
        );
        let medium = unordered((80, 24));
        assert!(medium.contains("]  20 of 64  8 tasks"), "{medium}");
        for (size, workers) in [((80, 24), 16), ((200, 60), 32)] {
            let all = drawn(size, |run| run.workers = workers).concat();
            assert!(!all.contains("shown"), "{all}");
        }
    }

    #[test]
    fn workers_stay_where_lanes_of_cpus_were_scrolled() {
        let mut app = at_end(|run| (run.workers, run.cpus) = (64, Some(64)));
        let screen = Rect::new(0, 0, 120, 36);
        let scrolled = |lanes| Message::Scrolled { lanes };
        app.update(scrolled(7..9));
        // Two lanes share a row.
        assert_eq!(grid(&app, screen).0.first, 6);
        app.update(scrolled(19..64));
        app.large = Lanes::Cpus;
        assert_eq!(app.first_lane(), 19);
        assert_eq!(grid(&app, screen).0.first, 0);
    }

    #[test]
    fn the_last_of_an_odd_number_of_lanes_can_be_seen() {
        let mut app = at_end(|run| run.workers = 65);
        app.scene = Scene::Presenter;
        app.size = (120, 36);
        for _ in 0..4 {
            let lanes = timeline::scrolled(&app, true);
            app.update(Message::Scrolled { lanes });
        }
        let drawn = lines(PLAIN, app.size, |area, pen| render(&app, area, pen));
        assert!(drawn[0].contains("43 shown"), "{drawn:#?}");
        assert!(
            drawn.iter().any(|line| line.starts_with(" w 64")),
            "{drawn:#?}"
        );
    }

    #[test]
    fn that_time_stands_still_or_is_slow_is_said() {
        let mut app = at_end(|_| {});
        app.run.over = true;
        let title =
            |app: &App| lines(PLAIN, (80, 24), |area, pen| render(app, area, pen)).remove(0);
        assert!(!title(&app).contains("paused"));
        app.run.playback.cursor = crate::time::Time(1);
        app.run.playback.slower(false);
        assert!(
            title(&app).contains("  at 1/2x  simulated"),
            "{}",
            title(&app)
        );
        app.run.playback.stop_at(crate::time::Time(1));
        assert!(
            title(&app).contains("  paused, 1/2x  simulated"),
            "{}",
            title(&app)
        );
    }

    #[test]
    fn what_a_key_does_not_do_here_is_said() {
        let mut app = at_end(|_| {});
        app.notice = Some("only a process can be killed".to_owned());
        let drawn = lines(PLAIN, (80, 24), |area, pen| render(&app, area, pen));
        assert!(drawn[23].starts_with(" only a process"), "{drawn:#?}");
    }

    #[test]
    fn everything_fits_every_screen() {
        for height in 20 - LEAST - 1..120 {
            for count in 1..=8 {
                let rows = Rows::of(height, 2, count);
                let used = 3 + 2 + rows.lanes.all + 2 * rows.strip + 4 * rows.gap;
                assert!(used <= height, "{height} {count}: {used}");
            }
        }
    }
}
