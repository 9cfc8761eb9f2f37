//! Where the time of each worker went: a bar per worker, each of the same length, adding up to 100 %.

use ratatui::layout::Rect;

use super::lanes::GUTTER;
use super::text::{self, Pen};
use super::timebar::{self, Part};
use crate::definition::{Facts, percent, rounded};
use crate::trace::{Numbers, Row, Trace};
use std::ops::Range;

/// Columns right of a bar: the share in which the worker worked, and what that is called.
const WORKED: u16 = 7;
/// Columns of an entry of the legend.
const ENTRY: u16 = 26;
/// Columns of the name in it, between its mark and a share of less than everything.
const NAME: u16 = ENTRY - 8;
/// Most rows a worker has: two for the bar, and an empty one.
const HIGHEST: u16 = 3;

/// Which workers are seen where not all fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// The one at the top, unless the chosen one would be out of sight.
    pub first: usize,
    pub chosen: Option<usize>,
    /// The chosen task.
    pub task: Option<u32>,
}

impl Seen {
    /// The first of so many that are seen.
    fn first_of(self, seen: usize, all: usize) -> usize {
        let first = self.first.min(all - seen);
        match self.chosen.filter(|&row| row < all && seen > 0) {
            Some(chosen) => first.clamp((chosen + 1).saturating_sub(seen), chosen),
            None => first,
        }
    }
}

/// Draws as many workers as fit, then all of them together, what the marks mean, and
/// the efficiency as a product.
pub fn render(facts: &Facts<'_>, which: Seen, area: Rect, pen: &mut Pen<'_>) {
    let trace = facts.trace;
    let all = timebar::parts(&facts.shares, trace, pen.theme);
    let rows = rows(trace);
    let entries = named(&all, rows.len(), area);
    let legend = Legend::new(&entries, area.width);
    let regions = Regions::of(area, rows.len(), legend.rows(), which);
    let end = title(&regions.workers, rows.len(), which.task, area, pen);
    if area.width < GUTTER + WORKED + 4 {
        return;
    }
    if end + WORKED < area.right() {
        pen.text_until(area.right(), area.y, timebar::worked(trace), pen.theme.dim);
    }
    for (place, number) in regions.workers.clone().enumerate() {
        let row = rows[number];
        let parts = timebar::parts(&trace.row_shares(row, facts.at), trace, pen.theme);
        let worked = trace.row_worked(row, facts.at);
        let name = text::sanitised(&row.name);
        let is_chosen = which.chosen == Some(number);
        bar(
            (&name, is_chosen),
            (&parts, worked),
            regions.bar(place),
            pen,
        );
    }
    if rows.len() > 1 {
        let worked = if trace.is_program() {
            facts.shares.busy()
        } else {
            facts.shares.worked()
        };
        let place = regions.workers.len();
        bar(("all", false), (&all, worked), regions.bar(place), pen);
    }
    legend.render(regions.legend, pen);
    if !regions.product.is_empty() {
        product(&facts.numbers, regions.product, pen);
    }
}

/// The workers of the lab, or of the pool whose call is shown.
fn rows(trace: &Trace) -> Vec<&Row> {
    if !trace.is_program() {
        return trace.rows().iter().collect();
    }
    let pool = trace.call().and_then(|call| call.facts.pool);
    trace.rows_of(pool).collect()
}

/// The parts that the legend names: the largest in the lines that the workers, which come first, leave, and in a
/// third of the lines at least.
fn named(all: &[Part], workers: usize, area: Rect) -> Vec<&Part> {
    let mut entries: Vec<&Part> = all.iter().filter(|part| part.share > 0.0).collect();
    let left = area.height.saturating_sub(3 + workers.min(100) as u16);
    let lines = left.max(area.height / 3).max(1);
    while Legend::new(&entries, area.width).rows() > lines {
        let share = |&place: &usize| (entries[place].percent, usize::MAX - place);
        let Some(least) = (0..entries.len()).min_by_key(share) else {
            break;
        };
        entries.remove(least);
    }
    entries
}

/// Says which of all workers are seen, and which task is chosen; answers the column behind that.
fn title(seen: &Range<usize>, all: usize, task: Option<u32>, area: Rect, pen: &mut Pen<'_>) -> u16 {
    let theme = pen.theme;
    let mut title = "where time went".to_owned();
    if seen.len() < all {
        let last = seen.end.saturating_sub(1);
        title = format!("{title}: {} to {last} of {all}", seen.start);
    }
    let end = pen.text_within(area.x, area.y, area.width, &title, theme.now);
    let words = task.map(|task| format!("{}task {task}", theme.glyphs.here));
    match words.filter(|words| end + 2 + text::width(words) <= area.right()) {
        Some(words) => pen.bold(end + 2, area.y, &words, theme.now),
        None => end,
    }
}

/// Where everything below the title stands.
struct Regions {
    area: Rect,
    /// The workers that are seen.
    workers: Range<usize>,
    /// Rows of each of them.
    each: u16,
    legend: Rect,
    /// Empty where no line is left.
    product: Rect,
}

impl Regions {
    fn of(area: Rect, workers: usize, legend: u16, which: Seen) -> Self {
        // The title, the bar of all, an empty line, the legend.
        let room = area.height.saturating_sub(3 + legend);
        let each = (room / (workers as u16 + 1)).clamp(1, HIGHEST);
        let seen = usize::from(room / each).min(workers);
        let first = which.first_of(seen, workers);
        let bars = seen as u16 + u16::from(workers > 1);
        let below = area.y + 1 + bars * each + u16::from(each == 1);
        let part = |y: u16, most: u16| Rect {
            y,
            height: area.bottom().saturating_sub(y).min(most),
            ..area
        };
        Self {
            area,
            workers: first..first + seen,
            each,
            legend: part(below, u16::MAX),
            product: part(below + legend + 1, 1),
        }
    }

    /// The bar at this place, which may be cut.
    fn bar(&self, place: usize) -> Rect {
        let y = self.area.y + 1 + place as u16 * self.each;
        Rect {
            y,
            height: self.each.min(self.area.bottom().saturating_sub(y)),
            ..self.area
        }
    }
}

/// The bar of a worker, who may be the chosen one; with more than one row the last stays empty.
fn bar(
    (name, chosen): (&str, bool),
    (parts, worked): (&[Part], Option<f64>),
    area: Rect,
    pen: &mut Pen<'_>,
) {
    let rows = area.height.saturating_sub(1).max(1).min(area.height);
    let columns = area.width - (GUTTER - 1) - WORKED;
    for y in area.y..area.y + rows {
        timebar::bar(parts, (area.x + GUTTER - 1, y), columns, pen);
    }
    if rows > 0 {
        let y = area.y + rows - 1;
        if chosen {
            let name = text::clipped(name, GUTTER - 2, pen.theme.glyphs.grows);
            pen.text(
                area.x.saturating_sub(1),
                y,
                pen.theme.glyphs.here,
                pen.theme.now,
            );
            pen.bold(area.x, y, &name, pen.theme.now);
        } else {
            pen.text_within(area.x, y, GUTTER - 2, name, pen.theme.text);
        }
        if let Some(worked) = worked {
            pen.text_until(area.right(), y, &percent(worked), pen.theme.dim);
        }
    }
}

struct Legend<'a> {
    entries: &'a [&'a Part],
    columns: u16,
}

impl<'a> Legend<'a> {
    fn new(entries: &'a [&'a Part], width: u16) -> Self {
        Self {
            entries,
            columns: (width / ENTRY).max(1),
        }
    }

    fn rows(&self) -> u16 {
        (self.entries.len() as u16).div_ceil(self.columns)
    }

    fn render(&self, area: Rect, pen: &mut Pen<'_>) {
        for (number, part) in (0..).zip(self.entries) {
            let x = area.x + number % self.columns * ENTRY;
            let y = area.y + number / self.columns;
            if y >= area.bottom() {
                return;
            }
            pen.cell(x, y, part.glyph, part.ink, pen.theme.background);
            let end = pen.text_within(x + 2, y, NAME, part.name, pen.theme.text);
            let words = rounded(part.share, part.percent);
            pen.bold(end + 1, y, &words, pen.theme.now);
        }
    }
}

/// `utilisation 77 % = load balance 77 % x communication 100 %`
fn product(numbers: &Numbers, line: Rect, pen: &mut Pen<'_>) {
    let (Some(imbalance), Some(utilisation)) = (numbers.imbalance, numbers.utilisation) else {
        return;
    };
    let theme = pen.theme;
    let words = format!(
        "utilisation {} = load balance {} {} communication {}",
        percent(utilisation),
        percent(1.0 / imbalance),
        theme.glyphs.times,
        percent((imbalance * utilisation).min(1.0)),
    );
    if text::width(&words) <= line.width {
        pen.text(line.x, line.y, &words, theme.dim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::palette::Look;
    use crate::time::{Nanos, Time};
    use crate::trace::Shares;
    use crate::ui::samples::{self, PLAIN, lines, short as run};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    #[test]
    fn on_a_small_screen_the_legend_leaves_the_workers_in_sight() {
        let trace = run(Method::Map);
        let drawn = lines(PLAIN, (33, 12), |area, pen| {
            render(&Facts::of(&trace, Time(50)), Seen::default(), area, pen);
        });
        let workers = drawn.iter().filter(|line| line.starts_with("worker "));
        assert_eq!(workers.count(), trace.rows().len(), "{drawn:#?}");
        assert!(!drawn[0].contains(" of "), "{drawn:#?}");
        let named = drawn.iter().filter(|line| line.ends_with(" %"));
        assert!(named.count() > 5, "{drawn:#?}");
    }

    #[test]
    fn the_chosen_worker_is_marked_and_in_sight() {
        let trace = run(Method::Map);
        let last = trace.rows().len() - 1;
        let drawn = |chosen| {
            let seen = Seen {
                chosen,
                task: chosen.map(|_| 7),
                ..Seen::default()
            };
            lines(PLAIN, (60, 5), |area, pen| {
                let area = Rect { x: 1, ..area };
                render(&Facts::of(&trace, Time(50)), seen, area, pen);
            })
        };
        assert!(!drawn(None).concat().contains('>'));
        let marked = drawn(Some(last));
        assert!(marked[0].contains(">task 7"), "{marked:#?}");
        let name = format!(">worker {last} ");
        assert!(
            marked.iter().any(|line| line.starts_with(&name)),
            "{marked:#?}"
        );
    }

    #[test]
    fn every_bar_is_full_to_its_last_cell() {
        let trace = run(Method::Map);
        for at in [20, 50, 110].map(Time) {
            let area = Rect::new(0, 0, 60, 12);
            let mut buffer = Buffer::empty(area);
            let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
            render(&Facts::of(&trace, at), Seen::default(), area, &mut pen);
            for y in 1..=5 {
                let bar = GUTTER - 1..60 - WORKED;
                assert!(
                    bar.clone().all(|x| buffer[(x, y)].symbol() != " "),
                    "row {y} at {at}"
                );
            }
        }
    }

    #[test]
    fn with_too_many_workers_it_says_which_are_seen() {
        let trace = run(Method::Map);
        let area = Rect::new(0, 0, 60, 7);
        let mut buffer = Buffer::empty(area);
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        render(
            &Facts::of(&trace, trace.end()),
            Seen {
                first: 9,
                ..Seen::default()
            },
            area,
            &mut pen,
        );
        let title: String = (0..60).map(|x| buffer[(x, 0)].symbol()).collect();
        assert!(
            title.starts_with("where time went: 1 to 3 of 4 "),
            "{title}"
        );
    }

    #[test]
    fn every_mark_has_its_whole_name() {
        let shares = Shares {
            on_cpu: Nanos(1),
            waiting_cpu: Nanos(9),
            blocked: Nanos(90),
            ..Shares::default()
        };
        let drawn = lines(PLAIN, (ENTRY, 3), |area, pen| {
            let all = timebar::parts(&shares, &samples::of_python(None), pen.theme);
            let entries: Vec<&Part> = all.iter().filter(|part| part.share > 0.0).collect();
            Legend::new(&entries, area.width).render(area, pen);
        });
        assert_eq!(
            drawn,
            [
                "# on CPU 1 %",
                "~ waiting for CPU 9 %",
                "b sleep, I/O or lock 90 %"
            ]
        );
    }
}
