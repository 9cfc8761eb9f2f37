//! For a lecture hall: three big numbers, main, a few lanes, two strips, and nothing else.

use ratatui::layout::Rect;

use super::axis::Axis;
use super::call::CallLine;
use super::digits::{self, Dot};
use super::header;
use super::lanes::{self, GUTTER, Grid};
use super::strips::{self, Place, Which};
use super::text::{self, Pen};
use super::{Moment, caller};
use crate::app::selection::{self, Selection};
use crate::app::{App, Lanes};
use crate::event::Ends;
use crate::time::Time;

/// Most lanes that are still read from the back row.
const LANES: usize = 8;
/// Of what there is to say of a run, workers and tasks; the rest is for those who sit near.
const FACTS: usize = 2;
/// Columns between two big numbers at least.
const APART: u16 = 3;
/// From this height on there are empty lines between the parts.
const TALL: u16 = 34;
/// From this height on the parts are higher than elsewhere.
const TALLEST: u16 = 50;
/// Rows of the numbers with small digits.
const LEAST: u16 = digits::HEIGHT + 2;
/// Under this width a line stands between two numbers: they come so close that they run together.
const NARROW: u16 = 110;

/// What the first number is, in two parts where there is no room for a line of both.
const SO_FAR: (&str, &str) = ("seconds", "so far");
const IN_ALL: (&str, &str) = ("seconds to", "last result");
const NEVER: (&str, &str) = ("never", "completes");

/// Draws the scene over the whole screen.
pub fn render(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    let moment = Moment {
        trace: &app.run.trace,
        cursor: app.cursor(),
        axis: Axis {
            x: screen.x + GUTTER,
            // What stands right of the axis elsewhere is too small to read here.
            width: screen.width.saturating_sub(GUTTER + 1),
            span: app.viewport.span(),
        },
        findings: &[],
    };
    let dot = Dot::for_screen(screen);
    let lanes = selection::rows(moment.trace, Lanes::Workers);
    let all = lanes.min(LANES) as u16;
    let numbers = moment.trace.numbers(moment.cursor);
    let never = never_completes(&moment);
    let first = match numbers.makespan {
        _ if never => NEVER,
        Some(_) => IN_ALL,
        None => SO_FAR,
    };
    let labels = labels(screen, first, numbers.speedup_at_most.is_some());
    let below = digits::HEIGHT * dot.rows + 1 + labels[0].len() as u16;
    let above = screen.height.saturating_sub(below);
    let (caption, rows) = caption(app, (above, screen.width), all.max(1));
    let area = |y: u16, height: u16| Rect {
        y,
        height,
        ..screen
    };
    let mut y = screen.y;
    title(app, area(y, 1), pen);
    for line in &caption {
        y += 1;
        pen.bold(screen.x + 1, y, line, pen.theme.now);
    }
    y += 1 + rows.gap;
    caller::render(&moment, area(y, 2), Rect::ZERO, pen);
    y += 2;
    let grid = Grid {
        of: Lanes::Workers,
        rows: rows.lane,
        first: 0,
    };
    // Those of the shown call, and as many others as there is room for.
    let last = lanes.saturating_sub(grid.lanes(rows.lanes));
    let grid = Grid {
        first: selection::first_of_shown(moment.trace).min(last),
        ..grid
    };
    lanes::render(
        &moment,
        grid,
        Selection::default(),
        area(y, rows.lanes),
        pen,
    );
    y += rows.lanes;
    hidden(&moment, grid, rows.lanes, (screen.x + 1, y), pen);
    y += rows.gap;
    for which in [Which::Finished, Which::Delivered] {
        let place = Place {
            x: screen.x + GUTTER,
            y,
            width: screen.width.saturating_sub(GUTTER + 2),
            rows: rows.strip,
        };
        pen.text(
            screen.x + 1,
            y + rows.strip - 1,
            which.word(),
            pen.theme.text,
        );
        strips::render(&moment, which, place, pen);
        y += rows.strip + rows.gap;
    }
    let numbers = area(screen.bottom().saturating_sub(below), below);
    big_numbers(&moment, dot, &labels, numbers, pen);
}

/// The lines of what there is to see, and how the height is shared out below them. Where there is no demo
/// they take no row from the lanes.
fn caption(app: &App, (height, width): (u16, u16), lanes: u16) -> (Vec<String>, Rows) {
    let rows = |lines: usize| Rows::of(height, lines as u16, lanes);
    let method = app.run.experiment().map(|experiment| experiment.method);
    let caption = method.map_or_else(Vec::new, |method| {
        text::wrapped(method.rules().caption, width.saturating_sub(2))
    });
    let (bare, full) = (rows(0), rows(caption.len()));
    let is_free = (full.lane, full.lanes) == (bare.lane, bare.lanes);
    if app.demo.is_some() || is_free {
        (caption, full)
    } else {
        (Vec::new(), bare)
    }
}

/// How the height above the numbers is shared out.
#[derive(Clone, Copy)]
struct Rows {
    /// Rows of a lane; none: two share a row.
    lane: u16,
    lanes: u16,
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
            let lane = (room / count).min(highest);
            Self {
                lane,
                lanes: if lane == 0 {
                    count.div_ceil(2).min(room)
                } else {
                    lane * count
                },
                strip,
                gap,
            }
        };
        let roomy = match height + LEAST {
            TALLEST.. => 0,
            TALL.. => 3,
            _ => 5,
        };
        let ways = [(6, 2), (5, 2), (4, 1), (3, 1), (2, 1), (2, 0)].map(shared);
        let highest = ways.iter().map(|way| way.lane).max().unwrap_or(0);
        let best = ways[roomy..].iter().find(|way| way.lane == highest);
        best.copied().unwrap_or(ways[5])
    }
}

/// Says how many lanes are seen where not all are, left of what follows them: no strip has its name there.
fn hidden(moment: &Moment<'_>, grid: Grid, height: u16, at: (u16, u16), pen: &mut Pen<'_>) {
    let (seen, all) = (grid.lanes(height), selection::rows(moment.trace, grid.of));
    if seen < all {
        let words = format!("{seen} of {all}");
        pen.text_within(at.0, at.1, GUTTER - 2, &words, pen.theme.wait);
    }
}

/// What runs, on what, and whether that is real.
fn title(app: &App, line: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let top = header::of(app, &app.run, "", 0);
    let x = pen.bold(line.x + 1, line.y, &top.method, theme.now);
    let x = top.badge.map_or(x, |badge| {
        header::word(badge, (x + 2, line.y), line.width, pen)
    });
    let room = usize::from(header::TIME);
    let right = format!("{}  {:>room$} ", top.origin, top.clock.time);
    let end = line.right().saturating_sub(text::width(&right));
    if x < end {
        pen.text(end, line.y, &right, theme.dim);
    }
    let call = CallLine::of(&app.run.trace, app.cursor()).filter(|_| app.run.program().is_some());
    let x = call.map_or(x, |call| {
        let words = format!("{}: {}", call.place, call.text);
        let words = text::clipped(&words, end.saturating_sub(x + 3), theme.glyphs.grows);
        pen.text(x + 2, line.y, &words, theme.text)
    });
    let facts = top.facts.get(..FACTS).unwrap_or(&top.facts);
    header::facts(facts, (x + 2, line.y), end, theme.background, pen);
}

/// Whether it is certain that the call will not come to its end.
fn never_completes(moment: &Moment<'_>) -> bool {
    let call = moment.trace.call();
    let ends = call.and_then(|call| moment.trace.ends_of(call, moment.cursor));
    ends.is_some_and(|(_, ends)| ends == Ends::Never)
}

/// The lines under each number; all have as many. `bounded`: the second is a bound.
fn labels(screen: Rect, first: (&'static str, &'static str), bounded: bool) -> [Vec<String>; 3] {
    let than = if bounded { "at most" } else { "than a loop" };
    let labels = [
        first,
        ("times faster", than),
        ("% delivered", "out of order"),
    ];
    let room = |place: usize| places(screen)[place].1 + if place < 2 { APART - 1 } else { 0 };
    let whole = labels.map(|(first, second)| format!("{first} {second}"));
    if (0..3).all(|place| text::width(&whole[place]) <= room(place)) {
        return whole.map(|label| vec![label]);
    }
    labels.map(|(first, second)| vec![first.to_owned(), second.to_owned()])
}

fn big_numbers(
    moment: &Moment<'_>,
    dot: Dot,
    labels: &[Vec<String>; 3],
    area: Rect,
    pen: &mut Pen<'_>,
) {
    let numbers = moment.trace.numbers(moment.cursor);
    // With two decimals three numbers run together on a narrow screen.
    let decimals = usize::from(area.width >= NARROW) + 1;
    let so_far = moment.cursor.min(moment.trace.end()).since(Time::ZERO);
    let never = never_completes(moment);
    let seconds = numbers.makespan.unwrap_or(so_far).seconds();
    let pairs = numbers.pairs_delivered();
    let disorder = numbers.inversions_delivered as f64 * 100.0 / pairs as f64;
    let values = [
        ((!never).then_some(seconds), decimals),
        (numbers.speedup.or(numbers.speedup_at_most), decimals),
        ((pairs > 0).then_some(disorder), 0),
    ];
    let theme = pen.theme;
    let below = area.y + digits::HEIGHT * dot.rows + 1;
    let places = places(area);
    let inks = [
        if never { theme.bad } else { theme.text },
        theme.text,
        theme.text,
    ];
    let columns = values.into_iter().zip(places).zip(labels).zip(inks);
    for ((((value, decimals), (x, room)), lines), ink) in columns {
        let number = number(value, decimals, room, dot);
        digits::render(pen, x, area.y, &number, dot, theme.now);
        for (line, y) in lines.iter().zip(below..) {
            pen.text_within(x, y, room + APART, line, ink);
        }
    }
    if area.width < NARROW {
        let line = theme.glyphs.frame.vertical;
        for (x, _) in &places[1..] {
            for y in area.top()..below - 1 {
                let x = x.saturating_sub(2);
                pen.cell(x, y, line, theme.faint, theme.background);
            }
        }
    }
}

/// Where the three big numbers begin, and their columns.
fn places(area: Rect) -> [(u16, u16); 3] {
    let each = area.width.saturating_sub(2) / 3;
    [0, 1, 2].map(|place| {
        let x = area.x + 1 + place * each;
        // Nothing stands right of the last one.
        let room = match place {
            2 => area.right().saturating_sub(x),
            _ => each.saturating_sub(APART),
        };
        (x, room)
    })
}

/// With as many decimals as fit.
fn number(value: Option<f64>, decimals: usize, room: u16, dot: Dot) -> String {
    let fitting = value.and_then(|value| {
        let mut written = (0..=decimals)
            .rev()
            .map(|decimals| format!("{value:.decimals$}"));
        written.find(|number| digits::width(number, dot) <= room)
    });
    fitting.unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Settings;
    use crate::experiment::{Backend, Experiment, Fault, FaultKind};
    use crate::origin::simulated;
    use crate::ui::samples::{PLAIN, lines};

    #[test]
    fn lanes_get_the_rows_before_strips_and_empty_lines() {
        let medium = Rows::of(36 - LEAST, 1, 8);
        assert_eq!((medium.lane, medium.strip, medium.gap), (2, 2, 1));
        let few = Rows::of(36 - LEAST, 0, 3);
        assert_eq!((few.lane, few.strip, few.gap), (4, 3, 1));
        assert_eq!(Rows::of(24 - LEAST, 2, 8).lane, 0);
        assert_eq!(Rows::of(24 - LEAST, 0, 4).lane, 2);
    }

    #[test]
    fn the_smallest_screen_has_room_for_tenths_and_for_a_hundred_per_cent() {
        let [seconds, faster, disorder] = places(Rect::new(0, 0, 60, 7)).map(|(_, room)| room);
        let written = |value, decimals, room| number(Some(value), decimals, room, Dot::SMALL);
        assert_eq!(written(2.88, 1, seconds), "2.9");
        assert_eq!(written(12.3, 1, seconds), "12");
        assert_eq!(written(3.12, 1, faster), "3.1");
        assert_eq!(written(100.0, 0, disorder), "100");
        assert_eq!(number(None, 1, seconds, Dot::SMALL), "-");
    }

    #[test]
    fn every_number_says_whole_what_it_is() {
        for width in 60..320 {
            let screen = Rect::new(0, 0, width, 24);
            for first in [SO_FAR, IN_ALL, NEVER] {
                let lines = labels(screen, first, false);
                for (lines, (_, room)) in lines.iter().zip(places(screen)) {
                    assert_eq!(lines.len(), if width < 77 { 2 } else { 1 }, "{width}");
                    let fits = |line: &String| text::width(line) < room + APART;
                    assert!(lines.iter().all(fits), "{width}: {lines:?}");
                }
                assert_eq!(lines[1].join(" "), "times faster than a loop");
            }
        }
    }

    /// The scene at the end of a run of eight tasks.
    fn drawn(size: (u16, u16), change: impl Fn(&mut Experiment)) -> Vec<String> {
        let mut experiment = Experiment {
            backend: Backend::Simulated,
            tasks: 8,
            ..Experiment::default()
        };
        change(&mut experiment);
        let mut app = App::new(experiment.clone(), Settings::default());
        app.run.trace.apply(simulated::run(&experiment));
        app.run.playback.cursor = app.run.trace.end();
        lines(PLAIN, size, |area, pen| render(&app, area, pen))
    }

    #[test]
    fn a_run_that_never_completes_has_no_length() {
        let fault = |kind| vec![Fault { task: 2, kind }];
        let hangs = drawn((80, 24), |run| run.faults = fault(FaultKind::Hang));
        assert!(hangs[23].starts_with(" never completes "), "{hangs:?}");
        let dot = hangs[18].split('|').next().map(str::trim);
        assert!(dot.is_some_and(|row| row.len() < 8), "{hangs:?}");
        let raises = drawn((80, 24), |run| run.faults = fault(FaultKind::Raise));
        assert!(
            raises[23].starts_with(" seconds to last result "),
            "{raises:?}"
        );
    }

    #[test]
    fn how_many_work_and_how_many_are_seen_is_said() {
        for (size, seen) in [
            ((60, 20), "8 of 64"),
            ((80, 24), "8 of 64"),
            ((120, 36), "8 of 64"),
        ] {
            let lines = drawn(size, |run| (run.workers, run.cpus) = (64, Some(16)));
            let says = |line: &String| line.trim_start().starts_with(seen);
            assert!(lines.iter().any(says), "{size:?} {lines:?}");
            assert!(lines[0].contains("64 workers on 16 CPUs"), "{}", lines[0]);
        }
        let all = drawn((80, 24), |run| run.workers = 8).concat();
        assert!(!all.contains("8 of"), "{all}");
    }

    #[test]
    fn everything_fits_every_screen() {
        for height in 20 - LEAST - 1..120 {
            for count in 1..=8 {
                let rows = Rows::of(height, 2, count);
                let used = 3 + 2 + rows.lanes + 2 * rows.strip + 4 * rows.gap;
                assert!(used <= height, "{height} {count}: {used}");
            }
        }
    }
}
