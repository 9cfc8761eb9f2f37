//! The orders pulled apart: submitted on top, finished in the middle, delivered at the bottom, and a
//! line for each task from one to the next. Lines that cross are tasks that changed places.
//!
//! For `map` it is the best picture of what the call does: the tangle above is combed straight below.

mod places;

use ratatui::layout::Rect;

use super::braille::{self, Canvas};
use super::hues::Hues;
use super::lanes::GUTTER;
use super::strips::{self, Which};
use super::text::{self, Pen};
use crate::definition::percent;
use crate::event::{Outcome, TaskId};
use crate::palette::{Depth, Ink};
use crate::time::Time;
use crate::trace::Trace;
use places::{ORDERS, Slope};

/// Draws the view: three rows of tasks, lines between them, and what they amount to in words; the chosen
/// task in the colour of the cursor.
pub fn render(trace: &Trace, at: Time, chosen: Option<TaskId>, area: Rect, pen: &mut Pen<'_>) {
    let Some(call) = trace.call() else { return };
    let Some(slope) = Slope::new(trace, call, at, area) else {
        return;
    };
    let chosen = chosen.filter(|task| task.call == call.facts.call);
    let chosen = chosen.map(|task| task.index);
    slope.lines(0, chosen, pen);
    slope.lines(1, chosen, pen);
    for (band, name) in ORDERS.iter().enumerate() {
        let room = GUTTER - 2;
        pen.text_within(area.x + 1, slope.row(band), room, name, pen.theme.text);
        slope.tasks(band, pen);
        if let Some(chosen) = chosen {
            slope.choose(band, chosen, pen);
        }
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
    /// The lines from an order to the next; that of the chosen task lies over the others.
    fn lines(&self, order: usize, chosen: Option<u32>, pen: &mut Pen<'_>) {
        let y = self.row(order) + 1;
        let x = self.area.x + GUTTER;
        let area = Rect::new(x, y, self.width(), self.band);
        let mut canvas = Canvas::new(area);
        // Thick lines in neighbouring columns would be one surface.
        let dots = if self.columns() == Some(1) { 1 } else { 2 };
        let hues = Hues::new(pen.theme, self.trace);
        let each = (0..self.count).step_by(self.every() as usize);
        for index in each.chain(chosen) {
            let places = (self.place(order, index), self.place(order + 1, index));
            let (Some(from), Some(to)) = places else {
                continue;
            };
            let ink = if chosen == Some(index) {
                pen.theme.now
            } else {
                hues.task(index)
            };
            if pen.theme.is_ascii() {
                let half = self.columns().unwrap_or(1).saturating_sub(1) / 2;
                let ends = (self.column(from) + half, self.column(to) + half);
                braille::descend_in_cells(area, ends, &self.class(index), ink, pen);
            } else {
                let ends = (self.middle(from), self.middle(to));
                // Without colour it is told by its width.
                let is_wide = chosen == Some(index) && pen.theme.depth == Depth::None;
                canvas.descend(ends, if is_wide { dots * 2 } else { dots }, ink);
            }
        }
        canvas.render(pen);
    }

    /// Without blocks and colours, as in the strips.
    fn class(&self, index: u32) -> String {
        strips::class(index, self.count).to_string()
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
        let never = |which| strips::never(self.call, which, self.at) as u32;
        let never = match order {
            0 => 0,
            1 => never(Which::Finished),
            _ => never(Which::Delivered),
        };
        for place in 0..self.count {
            let x = left + self.column(place);
            let Some(index) = self.task(order, place) else {
                // As in the strips: the last are those that never come.
                if place >= self.count.saturating_sub(never) {
                    for x in x..x + if theme.is_bare() { 0 } else { columns } {
                        pen.cell(x, y, " ", theme.on(theme.bad), theme.bad);
                    }
                    bad(theme.glyphs.lost, theme.bad, (x, y), columns, pen);
                    continue;
                }
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
                bad(mark, ink, (x, y), columns, pen);
            }
        }
        self.numbers(order, columns, pen);
    }

    /// The number of the chosen task in the colours of the cursor, as in the lanes.
    fn choose(&self, order: usize, index: u32, pen: &mut Pen<'_>) {
        let Some(place) = self.place(order, index) else {
            return;
        };
        let (theme, y) = (pen.theme, self.row(order));
        let columns = self.columns().unwrap_or(1);
        let label = index.to_string();
        let wide = text::width(&label);
        let left = self.area.x + GUTTER + self.column(place);
        let x = left + columns.saturating_sub(wide) / 2;
        if theme.is_bare() {
            pen.bold(x - 1, y, &format!("[{label}]"), theme.now);
            return;
        }
        // Without colour all tasks are reversed: the chosen one is not.
        let (ink, ground) = match theme.depth {
            Depth::None => (theme.now, theme.background),
            _ => (theme.background, theme.now),
        };
        for x in left..left + columns {
            pen.cell(x, y, " ", ink, ground);
        }
        // A long number reaches over the cells of the next tasks.
        pen.bold_on(x, y, &label, ink, ground);
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
            pen.text(x, y, &self.class(index), theme.text);
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
            if order.until(self.at).is_empty() {
                return (0, [(); 3].map(|()| format!("nothing {name}")));
            }
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

/// A mark in the middle of a task's cells.
fn bad(mark: &str, ink: Ink, (x, y): (u16, u16), columns: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let x = x + (columns - text::width(mark)) / 2;
    if theme.is_bare() {
        pen.bold(x, y, mark, theme.text);
    } else {
        pen.bold_on(x, y, mark, theme.on(ink), ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Fault, FaultKind};
    use crate::method::Method;
    use crate::palette::Look;
    use crate::ui::samples::{self, short as run};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;
    use ratatui::style::Modifier;

    const AREA: Rect = Rect::new(0, 1, 80, 21);

    fn drawn(trace: &Trace, at: Time) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        render(trace, at, None, AREA, &mut pen);
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
    fn the_chosen_task_and_its_lines_have_the_colour_of_the_cursor() {
        let trace = run(Method::Map);
        let call = trace.call().unwrap().facts.call;
        let now = Theme::of(Look::default()).now;
        let style = Theme::of(Look::default()).style(now, now);
        let lit = |chosen: Option<TaskId>, y: u16| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
            let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
            render(&trace, trace.end(), chosen, AREA, &mut pen);
            let is_lit = |x: &u16| {
                let here = &buffer[(*x, y)];
                Some(here.bg) == style.bg || here.symbol() > "\u{2800}" && Some(here.fg) == style.fg
            };
            (GUTTER..80).filter(is_lit).count()
        };
        let slope = Slope::new(&trace, trace.call().unwrap(), trace.end(), AREA).unwrap();
        let chosen = Some(TaskId { call, index: 3 });
        for order in 0..3 {
            assert_eq!(lit(None, slope.row(order)), 0);
            assert_eq!(
                lit(chosen, slope.row(order)),
                usize::from(slope.columns().unwrap())
            );
        }
        for order in 0..2 {
            assert_eq!(lit(None, slope.row(order) + 3), 0);
            assert!(lit(chosen, slope.row(order) + 3) > 0);
        }
    }

    #[test]
    fn without_colour_the_chosen_task_is_the_one_that_is_not_reversed() {
        let trace = run(Method::Map);
        let call = trace.call().unwrap().facts.call;
        let look = Look {
            depth: Depth::None,
            ..Look::default()
        };
        let row = Slope::new(&trace, trace.call().unwrap(), trace.end(), AREA)
            .unwrap()
            .row(1);
        let plain = |chosen: Option<TaskId>| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
            let mut pen = Pen::new(&mut buffer, Theme::of(look));
            pen.prepare();
            render(&trace, trace.end(), chosen, AREA, &mut pen);
            let cells = (GUTTER..80).map(|x| &buffer[(x, row)]);
            let is_plain = |cell: &&ratatui::buffer::Cell| {
                cell.symbol() == "3" && !cell.modifier.contains(Modifier::REVERSED)
            };
            cells.filter(is_plain).count()
        };
        let chosen = Some(TaskId { call, index: 3 });
        assert_eq!((plain(None), plain(chosen)), (0, 1));
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
    fn what_never_comes_has_its_mark_at_the_end_as_in_the_strips() {
        let kinds = [(1, FaultKind::Raise), (3, FaultKind::Die)];
        let faults = kinds.map(|(task, kind)| Fault { task, kind });
        let trace = samples::run(Method::Imap, 1, &faults);
        let slope = |at| Slope::new(&trace, trace.call().unwrap(), at, AREA).unwrap();
        let last = |at, order| {
            let slope = slope(at);
            let row = line(&drawn(&trace, at), slope.row(order));
            let row: String = row.chars().skip(usize::from(GUTTER)).collect();
            row.trim().chars().last()
        };
        let (begin, end) = (Time(samples::UNIT / 2), trace.end());
        assert_eq!([1, 2].map(|order| last(begin, order)), [Some('·'); 2]);
        assert_eq!([1, 2].map(|order| last(end, order)), [Some('†'); 2]);
        assert_eq!(last(end, 0), Some('7'));
    }

    #[test]
    fn before_anything_was_delivered_there_are_no_pairs_of_it() {
        let trace = run(Method::Map);
        let buffer = drawn(&trace, Time(60));
        let slope = Slope::new(&trace, trace.call().unwrap(), Time(60), AREA).unwrap();
        let caption = line(&buffer, slope.row(2) + 2);
        let says = "finished 5 of 10 pairs  nothing delivered ";
        assert!(caption.contains(says), "{caption}");
    }

    #[test]
    fn a_narrow_caption_leaves_out_what_it_counts() {
        let trace = run(Method::ImapUnordered);
        let caption = |columns| {
            let screen = Rect::new(0, 0, columns, 20);
            let mut buffer = Buffer::empty(screen);
            let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
            render(&trace, trace.end(), None, screen, &mut pen);
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
