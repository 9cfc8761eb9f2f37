//! The four orders of the same tasks: submitted, started, finished, delivered.
//!
//! A cell is a task, left to right in the order it happened, in the colour and at the height of its
//! place in the submission order: in order a strip climbs, out of order it is jagged. Where tasks share
//! columns a strip is flat and an overtaken task is a notch; local disorder would be lost in steps.

mod cells;
mod fate;

use ratatui::layout::Rect;

use super::Moment;
use super::hues::{Hues, known, tasks};
use super::lanes::GUTTER;
use super::layout::Layout;
use super::text::{Pen, sanitised, width};
use super::theme::Theme;
use crate::definition::percent;
use crate::event::Ends;
use crate::palette::{Depth, Ink};
use crate::time::Time;
use crate::trace::{Call, ENOUGH, Order, Received, pairs};
use cells::Cells;
pub(super) use fate::never;

/// So many tasks have numbers of one digit.
const FEW: u32 = 10;

/// One of the four orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Submitted,
    Started,
    Finished,
    Delivered,
}

impl Which {
    pub const ALL: [Self; 4] = [
        Self::Submitted,
        Self::Started,
        Self::Finished,
        Self::Delivered,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Delivered => "delivered",
        }
    }

    /// `None`: the order of the indexes themselves.
    pub fn order(self, call: &Call) -> Option<&Order> {
        match self {
            Self::Submitted => None,
            Self::Started => Some(&call.started),
            Self::Finished => Some(&call.finished),
            Self::Delivered => Some(&call.delivered),
        }
    }
}

/// The cells of a strip.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub rows: u16,
}

/// Draws a strip with its name and its caption.
pub fn panel(moment: &Moment<'_>, which: Which, screen: Rect, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 {
        return;
    }
    let y = area.bottom() - 1;
    pen.text_within(area.x + 1, y, GUTTER - 2, which.word(), pen.theme.text);
    let place = place(screen, area);
    let end = render(moment, which, place, pen);
    let with_pairs = screen.width >= 100;
    caption(moment, which, (end + 1, y), with_pairs, pen);
}

/// The task whose cell is at this column, if it is there yet; `ascii` is how the strip was drawn.
pub fn hit(moment: &Moment<'_>, which: Which, screen: Rect, ascii: bool, x: u16) -> Option<u32> {
    let call = moment.trace.call()?;
    let (first, width) = Layout::strip_columns(screen);
    let column = x.checked_sub(first).filter(|&x| x < width)?;
    let place = Cells::new(call, width, ascii).place(column)?;
    match which.order(call) {
        Some(_) if which == Which::Delivered => {
            moment.trace.received(call, moment.cursor).get(place)
        }
        Some(order) => order
            .until(moment.cursor)
            .get(place)
            .map(|entry| entry.index),
        None => {
            (place < call.submitted.count_until(moment.cursor) as usize).then_some(place as u32)
        }
    }
}

fn place(screen: Rect, area: Rect) -> Place {
    let (x, width) = Layout::strip_columns(screen);
    Place {
        x,
        y: area.y,
        width,
        rows: area.height,
    }
}

/// Draws a strip and answers the column after it.
pub fn render(moment: &Moment<'_>, which: Which, place: Place, pen: &mut Pen<'_>) -> u16 {
    let Some(call) = moment.trace.call() else {
        return place.x;
    };
    let order = which.order(call);
    let received = (which == Which::Delivered).then(|| moment.trace.received(call, moment.cursor));
    let happened = match (&received, order) {
        (Some(received), _) => received.len(),
        (None, Some(order)) => order.count_until(moment.cursor),
        (None, None) => call.submitted.count_until(moment.cursor) as usize,
    };
    let mut strip = Strip {
        call,
        which,
        order,
        received,
        happened,
        cursor: moment.cursor,
        hues: Hues::new(pen.theme, moment.trace),
        cells: Cells::new(call, place.width, pen.theme.is_ascii()),
        known: known(call, moment.cursor) as usize,
        place,
        pen,
    };
    if strip.cells.is_crowded() {
        strip.crowded()
    } else if strip.pen.theme.is_ascii() {
        strip.digits()
    } else {
        strip.steps()
    }
}

/// Draws what a strip's disorder amounts to, in words.
pub fn caption(
    moment: &Moment<'_>,
    which: Which,
    at: (u16, u16),
    with_pairs: bool,
    pen: &mut Pen<'_>,
) {
    let (theme, (mut x, y)) = (pen.theme, at);
    let Some(call) = moment.trace.call() else {
        return;
    };
    let Some(order) = which.order(call) else {
        pen.text(x, y, key(theme, tasks(call)), theme.dim);
        return;
    };
    let raised = if which == Which::Delivered {
        match raised(moment, call) {
            Raised::Whole => {
                let room = pen.buffer.area.right().saturating_sub(x);
                let method = format!("none: {} raised", sanitised(&call.facts.method));
                let forms = [method.as_str(), "none: it raised", "none"];
                if let Some(words) = forms.into_iter().find(|words| width(words) <= room) {
                    pen.bold(x, y, words, theme.bad);
                }
                return;
            }
            Raised::Each(count) => count,
        }
    } else {
        0
    };
    let started = call.started.count_until(moment.cursor);
    if which == Which::Started && started == 0 && call.failed(moment.cursor) > 0 {
        pen.text(x, y, "none could start", theme.bad);
        return;
    }
    let counted = order.counted_until(moment.cursor);
    let pairs = pairs(counted);
    let inversions = order.inversions_until(moment.cursor);
    let ends = moment.trace.ends_of(call, moment.cursor);
    let known = known(call, moment.cursor);
    let all = call.facts.tasks.or(ends.map(|_| known));
    if pairs == 0 {
        let so_far = match all {
            Some(all) => format!("{counted} of {all}"),
            None => format!("{counted} of {known} so far"),
        };
        x = pen.text(x, y, &so_far, theme.dim);
    } else if inversions == 0 {
        x = pen.bold(x, y, theme.glyphs.in_order, theme.text);
    } else if counted < ENOUGH && ends.is_none() {
        // Of two results that came the other way round it would be all.
        let what = if with_pairs { " out of order" } else { "" };
        let words = format!("{inversions} of {pairs} pairs{what}");
        x = pen.bold(x, y, &words, theme.wait);
    } else {
        let words = format!(
            "{} out of order",
            percent(inversions as f64 / pairs.max(1) as f64)
        );
        x = pen.bold(x, y, &words, theme.wait);
        let words = format!("{inversions} of {pairs} pairs");
        if with_pairs && width(&words) <= pen.buffer.area.right().saturating_sub(x + 3) {
            x = pen.text(x + 2, y, &words, theme.dim);
        }
    }
    if which != Which::Delivered {
        return;
    }
    let ready = moment.trace.untaken(call, moment.cursor);
    for (count, word, ink) in [(raised, "raised", theme.bad), (ready, "ready", theme.text)] {
        let words = format!("{count} {word}");
        if count > 0 && x + 2 + width(&words) <= pen.buffer.area.right() {
            x = pen.bold(x + 2, y, &words, ink);
        }
    }
}

/// What the order of submission decides in all other strips.
fn key(theme: Theme, tasks: u32) -> &'static str {
    match (theme.depth, theme.is_ascii()) {
        (Depth::None, true) if tasks > FEW => "sets the letters",
        (Depth::None, true) => "sets the digits",
        (Depth::None, false) => "sets the heights",
        _ => "sets the colours",
    }
}

/// One letter for a task where there is no room for its number: which tenth of the submission order it is of, from
/// `a` to `j`. Of few tasks it is the number.
pub(super) fn class(index: u32, tasks: u32) -> char {
    let (first, place) = match tasks {
        ..=FEW => ('0', index),
        _ => ('a', (u64::from(index) * 10 / u64::from(tasks)) as u32),
    };
    char::from_u32(first as u32 + place.min(9)).unwrap_or(first)
}

/// What main got instead of results.
enum Raised {
    /// The call raised, and no result will come.
    Whole,
    /// So many errors, one by one.
    Each(u32),
}

fn raised(moment: &Moment<'_>, call: &Call) -> Raised {
    let received = moment.trace.received(call, moment.cursor);
    let ended = if moment.trace.is_program() {
        moment.trace.ends_of(call, moment.cursor)
    } else {
        moment.trace.ended().filter(|&(at, _)| at <= moment.cursor)
    };
    let nothing = received.is_empty() && call.failed(moment.cursor) > 0;
    if nothing && ended.is_some_and(|(_, ends)| ends == Ends::Error) {
        Raised::Whole
    } else {
        Raised::Each(received.errors().len() as u32)
    }
}

struct Strip<'s, 'p, 'b> {
    call: &'s Call,
    which: Which,
    order: Option<&'s Order>,
    /// Of the delivered ones: with the errors that came instead of results.
    received: Option<Received<'s>>,
    /// To how many tasks it has happened.
    happened: usize,
    cursor: Time,
    hues: Hues<'s>,
    cells: Cells,
    /// Of the tasks that the cells have room for, those that are known.
    known: usize,
    place: Place,
    pen: &'p mut Pen<'b>,
}

impl Strip<'_, '_, '_> {
    fn bottom(&self) -> u16 {
        self.place.y + self.place.rows.saturating_sub(1)
    }

    /// The task to which it happened as the `place`-th, if it has happened.
    fn index(&self, place: usize) -> Option<u32> {
        let index = match (&self.received, self.order) {
            (Some(received), _) => received.get(place)?,
            (None, Some(order)) => order.entries().get(place)?.index,
            (None, None) => place as u32,
        };
        (place < self.happened).then_some(index)
    }

    /// The height in eighths of a task that came at this place, of at most `levels`.
    fn height(&self, index: u32, levels: u16) -> u16 {
        let low = levels * 3 / 10;
        let last = self.cells.tasks.max(2) - 1;
        let step = (index as usize * usize::from(levels - low) + last / 2) / last;
        low + (step as u16).min(levels - low)
    }

    /// The height in eighths where tasks share columns: less by an eighth for each doubling of the
    /// number of tasks that overtook this one.
    fn notch(&self, place: usize, levels: u16) -> u16 {
        let result = self.received.as_ref().map(|all| all.result_at(place));
        let overtaken = match (self.order, result) {
            (Some(order), Some(Ok(result))) => order.overtaken_by(result),
            (Some(order), None) => order.overtaken_by(place),
            (_, Some(Err(_))) | (None, _) => 0,
        };
        let doublings = u64::BITS - overtaken.leading_zeros();
        let depth = u16::try_from(doublings).unwrap_or(u16::MAX);
        levels - (depth.saturating_mul(levels) / 8).min(levels * 3 / 4)
    }

    /// A bar of this many eighths that stands on row `bottom`.
    fn bar(&mut self, x: u16, bottom: u16, rows: u16, eighths: u16, ink: Ink) {
        let theme = self.pen.theme;
        for row in 0..rows {
            let part = eighths.saturating_sub(row * 8).min(8);
            let glyph = theme.glyphs.bars[usize::from(part)];
            if part > 0 {
                self.pen.cell(x, bottom - row, glyph, ink, theme.background);
            }
        }
    }

    /// With a column or more for each task.
    fn steps(&mut self) -> u16 {
        let columns = self.cells.each();
        let digits = width(&(self.cells.tasks - 1).to_string());
        let theme = self.pen.theme;
        let every = match columns {
            _ if columns > digits => 1,
            _ if self.which != Which::Submitted => 0,
            1 => 10,
            _ => 5,
        };
        // Numbers need a whole row below the steps; without colour they would hide the height.
        let base = every > 0 && (self.place.rows > 1 || theme.depth > Depth::None);
        let rows = self.place.rows - u16::from(base);
        let bottom = self.bottom();
        let never = self.known - self.never();
        for place in 0..self.known {
            let x = self.place.x + place as u16 * columns;
            let Some(index) = self.index(place) else {
                self.absent(x, columns, place >= never);
                continue;
            };
            let ink = self.hues.task(index);
            let top = u16::from(rows > 0 && self.place.rows > 1);
            let height = self
                .height(index, rows * 8)
                .min((rows * 8).saturating_sub(top));
            for x in x..x + columns {
                if base {
                    self.pen.cell(x, bottom, " ", theme.on(ink), ink);
                }
                self.bar(x, bottom - u16::from(base), rows, height, ink);
            }
            if every == 1 && base {
                let label = index.to_string();
                let x = x + (columns - width(&label)) / 2;
                self.pen.bold_on(x, bottom, &label, theme.on(ink), ink);
            }
            self.mark(index, x, columns);
        }
        // Its heights say nothing that its numbers do not.
        let is_key = self.which == Which::Submitted && !base;
        if every > usize::from(!is_key) {
            self.scale(columns, every);
        }
        self.place.x + self.known as u16 * columns
    }

    /// Every so many tasks the number, over the cells of the tasks behind it.
    fn scale(&mut self, columns: u16, every: usize) {
        for place in (0..self.happened).step_by(every) {
            let label = place.to_string();
            let x = self.place.x + place as u16 * columns;
            if x + width(&label) > self.place.x + self.cells.tasks as u16 * columns {
                return;
            }
            for (digit, offset) in label.chars().zip(0u16..) {
                let under = place + usize::from(offset / columns);
                if under >= self.happened {
                    return;
                }
                let theme = self.pen.theme;
                let (on, ink) = match theme.depth {
                    Depth::None if self.place.rows == 1 => (theme.now, theme.background),
                    _ => {
                        let ink = self.hues.task(under as u32);
                        (theme.on(ink), ink)
                    }
                };
                let digit = digit.to_string();
                self.pen.bold_on(x + offset, self.bottom(), &digit, on, ink);
            }
        }
    }

    /// Without blocks: a letter or a digit for each task, see [`class`].
    fn digits(&mut self) -> u16 {
        let columns = self.cells.each();
        let never = self.known - self.never();
        for place in 0..self.known {
            let x = self.place.x + place as u16 * columns;
            let Some(index) = self.index(place) else {
                self.absent(x, 1, place >= never);
                continue;
            };
            self.digit(x, index);
            self.mark(index, x, 1);
        }
        self.place.x + self.known as u16 * columns
    }

    fn digit(&mut self, x: u16, index: u32) {
        let theme = self.pen.theme;
        let class = class(index, self.cells.tasks as u32).to_string();
        let ink = self.hues.task(index);
        let y = self.bottom();
        if theme.depth == Depth::None {
            self.pen.text(x, y, &class, theme.text);
        } else {
            self.pen.text_on(x, y, &class, theme.on(ink), ink);
        }
    }

    /// More tasks than columns: two to a cell, each the first of its group and never a mean, because
    /// means look sorted.
    fn crowded(&mut self) -> u16 {
        let theme = self.pen.theme;
        let cells = self.cells;
        let bottom = self.bottom();
        let columns = cells.shown().div_ceil(cells.in_a_cell());
        for (column, x) in (0..columns).zip(self.place.x..) {
            let number = column * cells.in_a_cell();
            let place = cells.shown_place(number);
            if place >= self.known {
                return x;
            }
            let Some(index) = self.index(place) else {
                // Nor has it to any other from here on.
                let rest = (column..columns).take_while(|column| {
                    cells.shown_place(column * cells.in_a_cell()) < self.known
                });
                let rest = rest.count() as u16;
                let (glyph, ink) = (theme.glyphs.future, theme.faint);
                self.pen.cell(x, bottom, glyph, ink, theme.background);
                self.pen.repeat(Rect::new(x, bottom, rest, 1));
                return x + rest;
            };
            let ink = self.hues.task(index);
            if theme.is_ascii() {
                self.digit(x, index);
            } else if self.place.rows == 1 && theme.depth > Depth::None {
                let next = self.index(cells.shown_place((number + 1).min(cells.shown() - 1)));
                let under = next.map_or(theme.background, |next| self.hues.task(next));
                self.pen.cell(x, bottom, theme.glyphs.left[4], ink, under);
            } else {
                let levels = self.place.rows * 8;
                let top = levels - u16::from(self.place.rows > 1);
                let height = self.notch(place, levels).min(top);
                self.bar(x, bottom, self.place.rows, height, ink);
            }
        }
        self.place.x + columns as u16
    }
}

#[cfg(test)]
mod tests;
