//! Where the time of each worker went: a bar per worker, each of the same length, adding up to 100 %.

use ratatui::layout::Rect;

use super::lanes::GUTTER;
use super::text::{self, Pen};
use super::timebar::{self, Part};
use crate::definition::{Facts, percent, rounded};
use crate::trace::{Numbers, Row};

/// Columns right of a bar: the share in which the worker worked, and what that is called.
const WORKED: u16 = 7;
/// Columns of an entry of the legend.
const ENTRY: u16 = 26;
/// Most rows a worker has: two for the bar, and an empty one.
const HIGHEST: u16 = 3;

/// Draws as many workers from `first` on as fit, then all of them together, what the marks mean, and
/// the efficiency as a product.
pub fn render(facts: &Facts<'_>, first: usize, area: Rect, pen: &mut Pen<'_>) {
    let (trace, at) = (facts.trace, facts.at);
    let theme = pen.theme;
    let all = timebar::parts(&facts.shares, trace, theme);
    let rows: Vec<&Row> = if trace.is_program() {
        let pool = trace.call().and_then(|call| call.facts.pool);
        trace.rows_of(pool).collect()
    } else {
        trace.rows().iter().collect()
    };
    let entries: Vec<&Part> = all.iter().filter(|part| part.share > 0.0).collect();
    let legend = Legend::new(&entries, area.width);
    // The title, the bar of all, an empty line, the legend.
    let room = area.height.saturating_sub(3 + legend.rows());
    let each = (room / (rows.len() as u16 + 1)).clamp(1, HIGHEST);
    let seen = usize::from(room / each).min(rows.len());
    let first = first.min(rows.len() - seen);
    let mut title = "where time went".to_owned();
    if seen < rows.len() {
        let last = (first + seen).saturating_sub(1);
        title = format!("{title}: {first} to {last} of {}", rows.len());
    }
    pen.text_within(area.x, area.y, area.width, &title, theme.now);
    if area.width < GUTTER + WORKED + 4 {
        return;
    }
    if text::width(&title) + WORKED < area.width {
        pen.text_until(area.right(), area.y, timebar::worked(trace), theme.dim);
    }
    let mut y = area.y + 1;
    let mut next = |name: &str, parts: &[Part], worked: Option<f64>, pen: &mut Pen<'_>| {
        let height = each.min(area.bottom().saturating_sub(y));
        bar(name, (parts, worked), Rect { y, height, ..area }, pen);
        y += each;
    };
    for &row in &rows[first..first + seen] {
        let parts = timebar::parts(&trace.row_shares(row, at), trace, theme);
        let name = text::sanitised(&row.name);
        next(&name, &parts, trace.row_worked(row, at), pen);
    }
    if rows.len() > 1 {
        let worked = if trace.is_program() {
            facts.shares.busy()
        } else {
            facts.shares.worked()
        };
        next("all", &all, worked, pen);
    }
    let mut y = y + u16::from(each == 1);
    legend.render(
        Rect {
            y,
            height: area.bottom().saturating_sub(y),
            ..area
        },
        pen,
    );
    y += legend.rows() + 1;
    if y < area.bottom() {
        product(
            &facts.numbers,
            Rect {
                y,
                height: 1,
                ..area
            },
            pen,
        );
    }
}

/// The bar of a worker; with more than one row the last stays empty.
fn bar(name: &str, (parts, worked): (&[Part], Option<f64>), area: Rect, pen: &mut Pen<'_>) {
    let rows = area.height.saturating_sub(1).max(1).min(area.height);
    let columns = area.width - (GUTTER - 1) - WORKED;
    for y in area.y..area.y + rows {
        timebar::bar(parts, (area.x + GUTTER - 1, y), columns, pen);
    }
    if rows > 0 {
        let y = area.y + rows - 1;
        pen.text_within(area.x, y, GUTTER - 2, name, pen.theme.text);
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
            let end = pen.text_within(x + 2, y, ENTRY - 9, part.name, pen.theme.text);
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
    use crate::time::Time;
    use crate::ui::samples::short as run;
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    #[test]
    fn every_bar_is_full_to_its_last_cell() {
        let trace = run(Method::Map);
        for at in [20, 50, 110].map(Time) {
            let area = Rect::new(0, 0, 60, 12);
            let mut buffer = Buffer::empty(area);
            let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
            render(&Facts::of(&trace, at), 0, area, &mut pen);
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
        render(&Facts::of(&trace, trace.end()), 9, area, &mut pen);
        let title: String = (0..60).map(|x| buffer[(x, 0)].symbol()).collect();
        assert!(
            title.starts_with("where time went: 1 to 3 of 4 "),
            "{title}"
        );
    }
}
