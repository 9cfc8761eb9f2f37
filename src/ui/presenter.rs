//! For a lecture hall: three big numbers, main, a few lanes, two strips, and nothing else.

use ratatui::layout::Rect;

use super::axis::Axis;
use super::digits::{self, Dot};
use super::header;
use super::lanes::{self, GUTTER, Grid};
use super::strips::{self, Place, Which};
use super::text::{self, Pen};
use super::{Moment, caller};
use crate::app::selection::{self, Selection};
use crate::app::{App, Lanes};
use crate::time::Time;

/// Most lanes that are still read from the back row.
const LANES: usize = 8;
/// Most rows of a lane.
const HIGHEST: u16 = 4;
/// Columns between two big numbers at least.
const APART: u16 = 3;
/// From this height on there are empty lines between the parts.
const TALL: u16 = 34;

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
    let caption = app.demo.as_ref().map_or_else(Vec::new, |demo| {
        text::wrapped(demo.act().caption, screen.width.saturating_sub(2))
    });
    let dot = Dot::for_screen(screen);
    let all = selection::rows(moment.trace, Lanes::Workers).min(LANES) as u16;
    let rows = Rows::of(screen.height, caption.len() as u16, all.max(1), dot);
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
    lanes::render(
        &moment,
        grid,
        Selection::default(),
        area(y, rows.lanes),
        pen,
    );
    y += rows.lanes + rows.gap;
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
    let height = digits::HEIGHT * dot.rows + 2;
    big_numbers(
        &moment,
        dot,
        area(screen.bottom().saturating_sub(height), height),
        pen,
    );
}

/// How the height of the screen is shared out.
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
    fn of(height: u16, caption: u16, count: u16, dot: Dot) -> Self {
        let fixed = 1 + caption + 2 + digits::HEIGHT * dot.rows + 3;
        let shared = |(strip, gap): (u16, u16)| {
            let room = height.saturating_sub(fixed + 2 * strip + 4 * gap);
            let lane = (room / count).min(HIGHEST);
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
        let roomy = if height >= TALL { 0 } else { 2 };
        let ways = [(3, 1), (2, 1), (2, 0)].map(shared);
        let highest = ways.iter().map(|way| way.lane).max().unwrap_or(0);
        let best = ways[roomy..].iter().find(|way| way.lane == highest);
        best.copied().unwrap_or(ways[2])
    }
}

/// What runs, and whether that is real.
fn title(app: &App, line: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let top = header::of(app, &app.run, "", line.width);
    let x = pen.bold(line.x + 1, line.y, &top.method, theme.now);
    let x = top.badge.map_or(x, |badge| {
        header::word(badge, (x + 2, line.y), line.width, pen)
    });
    let right = format!("{}  {} ", top.origin, top.clock.time);
    if x + text::width(&right) < line.right() {
        pen.text_until(line.right(), line.y, &right, theme.dim);
    }
}

fn big_numbers(moment: &Moment<'_>, dot: Dot, area: Rect, pen: &mut Pen<'_>) {
    let numbers = moment.trace.numbers(moment.cursor);
    // With two decimals three numbers run together on a narrow screen.
    let decimals = usize::from(area.width >= 110) + 1;
    let so_far = moment.cursor.min(moment.trace.end()).since(Time::ZERO);
    let seconds = numbers.makespan.unwrap_or(so_far).seconds();
    let pairs = numbers.pairs_delivered();
    let disorder = numbers.inversions_delivered as f64 * 100.0 / pairs as f64;
    let values = [
        ("seconds", "seconds", Some(seconds), decimals),
        (
            "times faster than a loop",
            "times faster",
            numbers.speedup,
            decimals,
        ),
        (
            "% delivered out of order",
            "% out of order",
            (pairs > 0).then_some(disorder),
            0,
        ),
    ];
    let theme = pen.theme;
    let y = area.y + digits::HEIGHT * dot.rows + 1;
    for ((long, short, value, decimals), (x, room)) in values.into_iter().zip(places(area)) {
        let number = number(value, decimals, room, dot);
        digits::render(pen, x, area.y, &number, dot, theme.now);
        let label = if text::width(long) <= room {
            long
        } else {
            short
        };
        pen.text_within(x, y, room + APART, label, theme.text);
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

    #[test]
    fn lanes_get_the_rows_before_strips_and_empty_lines() {
        let medium = Rows::of(36, 1, 8, Dot::SMALL);
        assert_eq!((medium.lane, medium.strip, medium.gap), (2, 2, 1));
        let few = Rows::of(36, 0, 3, Dot::SMALL);
        assert_eq!((few.lane, few.strip, few.gap), (4, 3, 1));
        assert_eq!(Rows::of(24, 2, 8, Dot::SMALL).lane, 0);
        assert_eq!(Rows::of(24, 0, 4, Dot::SMALL).lane, 2);
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
    fn everything_fits_every_screen() {
        for height in 20..120 {
            for count in 1..=8 {
                let rows = Rows::of(height, 2, count, Dot::SMALL);
                let used = 3 + 2 + rows.lanes + 2 * rows.strip + 4 * rows.gap + digits::HEIGHT + 2;
                assert!(used <= height, "{height} {count}: {used}");
            }
        }
    }
}
