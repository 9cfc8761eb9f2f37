//! The orders pulled apart: submitted on top, finished in the middle, delivered at the bottom, and a
//! line for each task from one to the next. Lines that cross are tasks that changed places.
//!
//! For `map` it is the best picture of what the call does: the tangle above is combed straight below.

mod places;

use ratatui::layout::Rect;

use super::braille::{self, Canvas};
use super::hues::Hues;
use super::lanes::GUTTER;
use super::text::{self, Pen};
use crate::definition::percent;
use crate::event::Outcome;
use crate::palette::Ink;
use crate::time::Time;
use crate::trace::Trace;
use places::{ORDERS, Slope};

/// Draws the view: three rows of tasks, lines between them, and what they amount to in words.
pub fn render(trace: &Trace, at: Time, area: Rect, pen: &mut Pen<'_>) {
    let Some(call) = trace.call() else { return };
    let Some(slope) = Slope::new(trace, call, at, area) else {
        return;
    };
    slope.lines(0, pen);
    slope.lines(1, pen);
    for (band, name) in ORDERS.iter().enumerate() {
        let room = GUTTER - 2;
        pen.text_within(area.x + 1, slope.row(band), room, name, pen.theme.text);
        slope.tasks(band, pen);
    }
    slope.caption(pen);
}

/// The task that stands in this cell, if it is one of a row of tasks.
pub fn task_at(trace: &Trace, at: Time, area: Rect, column: u16, row: u16) -> Option<u32> {
    let slope = Slope::new(trace, trace.call()?, at, area)?;
    let band = (0..ORDERS.len()).find(|&band| slope.row(band) == row)?;
    slope.task(band, slope.place_of(column)?)
}

impl Slope<'_> {
    /// The lines from an order to the next.
    fn lines(&self, order: usize, pen: &mut Pen<'_>) {
        let y = self.row(order) + 1;
        let x = self.area.x + GUTTER;
        let area = Rect::new(x, y, self.width(), self.band);
        let mut canvas = Canvas::new(area);
        // Thick lines in neighbouring columns would be one surface.
        let dots = if self.columns() == Some(1) { 1 } else { 2 };
        let hues = Hues::new(pen.theme, self.trace);
        for index in (0..self.count).step_by(self.every() as usize) {
            let places = (self.place(order, index), self.place(order + 1, index));
            let (Some(from), Some(to)) = places else {
                continue;
            };
            let ink = hues.task(index);
            if pen.theme.is_ascii() {
                let half = self.columns().unwrap_or(1).saturating_sub(1) / 2;
                let ends = (self.column(from) + half, self.column(to) + half);
                braille::descend_in_cells(area, ends, self.digit(index), ink, pen);
            } else {
                let ends = (self.middle(from), self.middle(to));
                canvas.descend(ends, dots, ink);
            }
        }
        canvas.render(pen);
    }

    /// Without blocks and colours: the task's tenth of the submission order, as in the strips.
    fn digit(&self, index: u32) -> &'static str {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let tenth = match self.count {
            ..=10 => index,
            count => (u64::from(index) * 10 / u64::from(count)) as u32,
        };
        DIGITS[tenth.min(9) as usize]
    }

    /// A row of tasks in one of the orders.
    fn tasks(&self, order: usize, pen: &mut Pen<'_>) {
        let (theme, y, left) = (pen.theme, self.row(order), self.area.x + GUTTER);
        let hues = Hues::new(theme, self.trace);
        let Some(columns) = self.columns() else {
            for column in 0..self.width() {
                let place = self.place_of(left + column).unwrap_or_default();
                match self.task(order, place) {
                    Some(index) => {
                        self.fill((left + column, y), 1, index, hues.task(index), pen);
                    }
                    None => pen.cell(
                        left + column,
                        y,
                        theme.glyphs.future,
                        theme.faint,
                        theme.background,
                    ),
                }
            }
            return;
        };
        for place in 0..self.count {
            let x = left + self.column(place);
            let Some(index) = self.task(order, place) else {
                pen.cell(
                    x + columns / 2,
                    y,
                    theme.glyphs.future,
                    theme.faint,
                    theme.background,
                );
                continue;
            };
            let (ink, mark) = match self.bad_end(index).filter(|_| order > 0) {
                Some(Outcome::Failed) => (theme.bad, Some(theme.glyphs.failed)),
                Some(Outcome::Skipped | Outcome::Cancelled) => {
                    (theme.faint, Some(theme.glyphs.skipped))
                }
                Some(Outcome::Lost) => (theme.bad, Some(theme.glyphs.lost)),
                _ => (hues.task(index), None),
            };
            self.fill((x, y), columns, index, ink, pen);
            if let Some(mark) = mark {
                let x = x + (columns - text::width(mark)) / 2;
                if theme.is_bare() {
                    pen.bold(x, y, mark, theme.text);
                } else {
                    pen.bold_on(x, y, mark, theme.on(ink), ink);
                }
            }
        }
        self.numbers(order, columns, pen);
    }

    /// Every task's number where all have room beside their neighbours; else the top row, in order,
    /// has every fifth or tenth.
    fn numbers(&self, order: usize, columns: u16, pen: &mut Pen<'_>) {
        let (theme, y, left) = (pen.theme, self.row(order), self.area.x + GUTTER);
        let hues = Hues::new(theme, self.trace);
        if theme.is_bare() {
            return;
        }
        let digits = text::width(&(self.count - 1).to_string());
        let every = match (digits < columns, order, columns) {
            (true, _, _) => 1,
            (false, 0, 1) => 10,
            (false, 0, _) => 5,
            _ => return,
        };
        let end = left + columns * self.happened(order) as u16;
        for place in (0..self.happened(order)).step_by(every) {
            let Some(index) = self.task(order, place) else {
                continue;
            };
            let label = index.to_string();
            let wide = text::width(&label);
            let from = left + self.column(place);
            let bad = self.bad_end(index).is_some_and(|_| order > 0);
            if bad || from + wide > end {
                continue;
            }
            let x = from + columns.saturating_sub(wide) / 2;
            for (digit, x) in label.chars().zip(x..) {
                // A long number reaches over the cells of the next tasks.
                let under = self.task(order, u32::from((x - left) / columns));
                let ink = hues.task(under.unwrap_or(index));
                pen.bold_on(x, y, digit.encode_utf8(&mut [0; 4]), theme.on(ink), ink);
            }
        }
    }

    /// The cells of a task.
    fn fill(&self, (x, y): (u16, u16), columns: u16, index: u32, ink: Ink, pen: &mut Pen<'_>) {
        let theme = pen.theme;
        if theme.is_bare() {
            pen.text(x, y, self.digit(index), theme.text);
            return;
        }
        for x in x..x + columns {
            pen.cell(x, y, " ", theme.on(ink), ink);
        }
    }

    /// `out of order: finished 47 of 276 pairs, delivered 0 of 276 pairs`
    fn caption(&self, pen: &mut Pen<'_>) {
        let (theme, y) = (pen.theme, self.row(2) + 2);
        let mut x = pen.text(self.area.x + 1, y, "out of order:", theme.dim);
        let said = [
            ("finished", &self.call.finished),
            ("delivered", &self.call.delivered),
        ]
        .map(|(name, order)| {
            let inversions = order.inversions_until(self.at);
            let pairs = crate::trace::pairs(order.counted_until(self.at));
            let share = percent(inversions as f64 / pairs.max(1) as f64);
            let forms = [
                format!("{name} {inversions} of {pairs} pairs"),
                format!("{name} {inversions} of {pairs}"),
                format!("{name} {share}"),
            ];
            (inversions, forms)
        });
        let fits = |form: &usize| {
            let words = said.iter().map(|(_, forms)| text::width(&forms[*form]) + 2);
            x + words.sum::<u16>() <= self.area.right()
        };
        let form = (0..3).find(fits).unwrap_or(2);
        for (inversions, forms) in &said {
            let ink = if *inversions > 0 {
                theme.wait
            } else {
                theme.now
            };
            x = pen.bold(x + 2, y, &forms[form], ink);
        }
        if self.every() > 1 {
            let words = format!(
                "drawn: {} of the {} tasks",
                self.count.div_ceil(self.every()),
                self.count
            );
            let left = self.area.right().saturating_sub(text::width(&words) + 1);
            if left > x + 2 {
                pen.text(left, y, &words, theme.dim);
            } else {
                pen.text(self.area.x + 1, y + 1, &words, theme.dim);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::palette::Look;
    use crate::ui::samples::short as run;
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    const AREA: Rect = Rect::new(0, 1, 80, 21);

    fn drawn(trace: &Trace, at: Time) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        render(trace, at, AREA, &mut pen);
        buffer
    }

    fn line(buffer: &Buffer, y: u16) -> String {
        (0..80).map(|x| buffer[(x, y)].symbol()).collect()
    }

    #[test]
    fn map_is_tangled_above_and_straight_in_its_lowest_row() {
        let trace = run(Method::Map);
        let buffer = drawn(&trace, trace.end());
        let numbers = |y| -> String { line(&buffer, y)[11..].split_whitespace().collect() };
        let slope = Slope::new(&trace, trace.call().unwrap(), trace.end(), AREA).unwrap();
        assert_eq!(numbers(slope.row(0)), "01234567");
        assert_eq!(numbers(slope.row(1)), "31542076");
        assert_eq!(numbers(slope.row(2)), "01234567");
        let caption = line(&buffer, slope.row(2) + 2);
        assert!(
            caption.contains("finished 11 of 28 pairs  delivered 0 of 28 pairs"),
            "{caption}"
        );
    }

    #[test]
    fn a_click_hits_the_task_whose_number_is_there() {
        let trace = run(Method::ImapUnordered);
        let at = Time(60);
        let buffer = drawn(&trace, at);
        let mut hits = 0;
        for position in AREA.positions() {
            let symbol = buffer[position].symbol();
            let hit = task_at(&trace, at, AREA, position.x, position.y);
            if let (Some(hit), Ok(number)) = (hit, symbol.parse::<u32>()) {
                assert_eq!(hit, number);
                hits += 1;
            }
        }
        // All are submitted; five have finished, and main has them.
        assert_eq!(hits, 8 + 5 + 5);
        assert_eq!(task_at(&trace, at, AREA, 3, 2), None);
    }

    #[test]
    fn what_has_not_finished_has_no_line() {
        let trace = run(Method::Map);
        let buffer = drawn(&trace, Time(5));
        let braille = |cell: &&ratatui::buffer::Cell| {
            let glyph = cell.symbol().chars().next();
            glyph.is_some_and(|glyph| ('\u{2801}'..='\u{28ff}').contains(&glyph))
        };
        assert_eq!(buffer.content().iter().filter(braille).count(), 0);
    }

    #[test]
    fn a_narrow_caption_leaves_out_what_it_counts() {
        let trace = run(Method::ImapUnordered);
        let caption = |columns| {
            let screen = Rect::new(0, 0, columns, 20);
            let mut buffer = Buffer::empty(screen);
            let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
            render(&trace, trace.end(), screen, &mut pen);
            let slope = Slope::new(&trace, trace.call().unwrap(), trace.end(), screen).unwrap();
            let y = slope.row(2) + 2;
            let line: String = (0..columns).map(|x| buffer[(x, y)].symbol()).collect();
            line.trim().to_owned()
        };
        let of = |noun: &str| {
            format!("out of order:  finished 11 of 28{noun}  delivered 11 of 28{noun}")
        };
        assert_eq!(caption(80), of(" pairs"));
        assert_eq!(caption(60), of(""));
        assert_eq!(caption(50), "out of order:  finished 39 %  delivered 39 %");
    }
}
