//! For a lecture hall: three big numbers, main, a few lanes, two strips, and nothing else.

use ratatui::layout::Rect;

use super::digits::{self, Dot};
use super::header;
use super::lanes::{self, GUTTER, Grid};
use super::strips::{self, Place, Which};
use super::text::{self, Pen};
use super::{Moment, caller};
use crate::app::selection::Selection;
use crate::app::{App, Lanes};
use crate::time::Time;

/// Most lanes that are still read from the back row.
const LANES: usize = 8;
/// Most rows of a lane.
const HIGHEST: u16 = 4;
/// From this height on there are empty lines between the parts.
const TALL: u16 = 34;

/// Draws the scene over the whole screen.
pub fn render(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    let tall = u16::from(screen.height >= TALL);
    let moment = Moment {
        trace: &app.run.trace,
        cursor: app.cursor(),
        axis: super::axis::Axis {
            x: screen.x + GUTTER,
            // What stands right of the axis elsewhere is too small to read here.
            width: screen.width.saturating_sub(GUTTER + 1),
            span: app.viewport.span(),
        },
    };
    let area = |y: u16, height: u16| Rect {
        y,
        height,
        ..screen
    };
    let mut y = screen.y;
    title(app, area(y, 1), pen);
    y += 1;
    if let Some(demo) = &app.demo {
        let lines = text::wrapped(demo.act().caption, screen.width.saturating_sub(2));
        for line in &lines {
            pen.bold(screen.x + 1, y, line, pen.theme.now);
            y += 1;
        }
    }
    y += tall;
    let dot = Dot::for_screen(screen);
    let numbers = digits::HEIGHT * dot.rows + 2;
    let strip = 2 + tall;
    caller::render(&moment, area(y, 2), pen);
    y += 2;
    let below = numbers + 2 * strip + 2 * tall + 1;
    let room = screen.bottom().saturating_sub(y + below);
    y += self::lanes(&moment, area(y, room), pen) + tall;
    for which in [Which::Finished, Which::Delivered] {
        let place = Place {
            x: screen.x + GUTTER,
            y,
            width: screen.width.saturating_sub(GUTTER + 2),
            rows: strip,
        };
        pen.text(screen.x + 1, y + strip - 1, which.word(), pen.theme.text);
        strips::render(&moment, which, place, pen);
        y += strip + tall;
    }
    let y = screen.bottom().saturating_sub(numbers);
    big_numbers(&moment, dot, area(y, numbers), pen);
}

/// What runs, and whether that is real.
fn title(app: &App, line: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let top = header::of(app, &app.run, "", line.width);
    let x = pen.bold(line.x + 1, line.y, &top.method, theme.now);
    let x = top
        .badge
        .map_or(x, |badge| header::word(badge, (x + 2, line.y), pen));
    let right = format!("{}  {} ", top.origin, top.clock.time);
    if x + text::width(&right) < line.right() {
        pen.text_until(line.right(), line.y, &right, theme.dim);
    }
}

/// At most eight workers, as high as fits; answers the rows used.
fn lanes(moment: &Moment<'_>, area: Rect, pen: &mut Pen<'_>) -> u16 {
    let all = lanes::count(moment.trace, Lanes::Workers);
    let count = all.min(LANES) as u16;
    let rows = (area.height / count.max(1)).min(HIGHEST);
    let grid = Grid {
        of: Lanes::Workers,
        rows,
        first: 0,
    };
    let used = match rows {
        0 => count.div_ceil(2).min(area.height),
        rows => rows * count,
    };
    lanes::render(
        moment,
        grid,
        Selection::default(),
        Rect {
            height: used,
            ..area
        },
        pen,
    );
    used
}

fn big_numbers(moment: &Moment<'_>, dot: Dot, area: Rect, pen: &mut Pen<'_>) {
    let numbers = moment.trace.numbers(moment.cursor);
    let each = area.width.saturating_sub(4) / 3;
    // With two decimals three numbers run together on a narrow screen.
    let decimals = usize::from(area.width >= 110) + 1;
    let number = |value: Option<f64>, decimals: usize| match value {
        None => "-".to_owned(),
        Some(value) => (0..=decimals)
            .rev()
            .map(|decimals| format!("{value:.decimals$}"))
            .find(|number| digits::width(number, dot) < each)
            .unwrap_or_else(|| "-".to_owned()),
    };
    let so_far = moment.cursor.min(moment.trace.end()).since(Time::ZERO);
    let seconds = numbers.makespan.unwrap_or(so_far).seconds();
    let pairs = numbers.pairs_delivered();
    let disorder = numbers.inversions_delivered as f64 * 100.0 / pairs as f64;
    let values = [
        ("seconds", number(Some(seconds), decimals)),
        (
            "times faster than a loop",
            number(numbers.speedup, decimals),
        ),
        (
            "% delivered out of order",
            number((pairs > 0).then_some(disorder), 0),
        ),
    ];
    let theme = pen.theme;
    for ((label, value), place) in values.into_iter().zip(0u16..) {
        let x = area.x + 2 + place * each;
        digits::render(pen, x, area.y, &value, dot, theme.now);
        let y = area.y + digits::HEIGHT * dot.rows + 1;
        pen.text_within(x, y, each, label, theme.text);
    }
}
