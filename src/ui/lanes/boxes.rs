//! One lane in one or more rows of cells: boxes, their numbers, marks, and the edge of what runs now.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::columns::{Column, Level, Part};
use crate::palette::{Depth, Ink};
use crate::ui::hues::{self, Hues};
use crate::ui::text::{Pen, width};

/// The cells of a lane: `rows` of them on top of each other, from column `x` on.
///
/// Of two or more rows the upper half of the top one stays empty, so that lanes do not touch. Boxes
/// grow from the bottom.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub x: u16,
    pub y: u16,
    pub rows: u16,
}

impl Place {
    pub fn bottom(self) -> u16 {
        self.y + self.rows.saturating_sub(1)
    }

    /// The screen row of the `row`-th row from the bottom.
    fn row(self, row: u16) -> u16 {
        self.bottom() - row.min(self.rows.saturating_sub(1))
    }

    /// The highest box in eighths of a cell.
    fn tall(self, ascii: bool) -> u16 {
        match self.rows {
            0 | 1 => 8,
            rows if ascii => (rows - 1) * 8,
            rows => rows * 8 - 4,
        }
    }
}

/// Draws boxes into the cells of a lane.
pub struct Painter<'p, 'b, 'h> {
    pub pen: &'p mut Pen<'b>,
    pub hues: Hues<'h>,
    pub place: Place,
}

impl Painter<'_, '_, '_> {
    /// The boxes without numbers and marks.
    pub fn boxes(&mut self, columns: &[Column]) {
        let mut x = self.place.x;
        for run in columns.chunk_by(PartialEq::eq) {
            let wide = run.len() as u16;
            self.column(x, &run[0]);
            if run[0] != Column::Idle {
                let Place { y, rows, .. } = self.place;
                self.pen.repeat(Rect::new(x, y, wide, rows));
            }
            x += wide;
        }
    }

    fn column(&mut self, x: u16, column: &Column) {
        match *column {
            Column::Idle => {}
            Column::Whole { task, level, after } if column.is_full() && level.is_plain() => {
                self.full(x, task, level.pale > level.solid, after);
            }
            Column::Whole { task, level, .. } | Column::Several { task, level } => {
                self.stack(x, task, level);
            }
            Column::Cut { at, left, right } => self.cut(x, at, left, right),
        }
    }

    /// What a box is filled with.
    fn ink(&self, part: Part) -> Ink {
        if part.pale && self.pen.theme.pales() {
            self.hues.pale(part.task)
        } else {
            self.hues.task(part.task)
        }
    }

    /// Rows from the bottom with the eighths a box of full height fills in them.
    fn filled(&self, height: u16) -> impl Iterator<Item = (u16, u16)> + use<> {
        let place = self.place;
        (0..place.rows).map(move |row| (place.row(row), height.saturating_sub(row * 8).min(8)))
    }

    fn full(&mut self, x: u16, task: u32, pale: bool, after: Option<u32>) {
        let theme = self.pen.theme;
        let ink = self.ink(Part { task, pale });
        let shade = pale && !theme.pales();
        for (y, eighths) in self.filled(self.place.tall(theme.is_ascii())) {
            match after {
                _ if shade && eighths == 8 => {
                    self.pen
                        .cell(x, y, theme.glyphs.blocked, ink, theme.background);
                }
                Some(before) if eighths == 8 => {
                    let gap = self.hues.gap(before, task);
                    if theme.is_bare() {
                        self.pen
                            .cell(x, y, theme.glyphs.between, ink, theme.background);
                    } else if theme.is_ascii() {
                        let line = theme.on(ink);
                        self.pen.cell(x, y, theme.glyphs.between, line, ink);
                    } else {
                        self.pen.cell(x, y, theme.glyphs.left[1], gap, ink);
                    }
                }
                _ if shade || eighths == 0 => {}
                _ if eighths == 8 => self.solid(x, y, ink),
                _ => {
                    let bar = theme.glyphs.bars[usize::from(eighths)];
                    self.pen.cell(x, y, bar, ink, theme.background);
                }
            }
        }
    }

    /// A cell that is all box.
    fn solid(&mut self, x: u16, y: u16, ink: Ink) {
        let theme = self.pen.theme;
        let full = theme.glyphs.full;
        if theme.is_bare() {
            self.pen.cell(x, y, full, ink, theme.background);
        } else {
            let glyph = if theme.is_ascii() { full } else { " " };
            self.pen.cell(x, y, glyph, theme.on(ink), ink);
        }
    }

    /// The share of a CPU as height, and above it, paler, what was spent waiting for something else.
    fn stack(&mut self, x: u16, task: u32, level: Level) {
        let theme = self.pen.theme;
        let tall = self.place.tall(theme.is_ascii());
        let eighths = |share: f64| ((share * f64::from(tall)).round() as u16).min(tall);
        // What is there shows, and what has the worker most of the time shows more.
        let least = if level.held >= 0.5 {
            tall / 4
        } else {
            tall / 8
        }
        .max(1);
        let mut solid = eighths(level.solid);
        let mut all = eighths(level.solid + level.pale).max(solid);
        if all < least {
            all = least;
            if level.pale <= level.solid || level.pale < 0.05 {
                solid = least;
            }
        }
        let ink = self.hues.task(task);
        let pale = if all > solid {
            self.ink(Part { task, pale: true })
        } else {
            ink
        };
        for row in 0..self.place.rows {
            let y = self.place.row(row);
            let low = solid.saturating_sub(row * 8).min(8);
            let high = all.saturating_sub(row * 8).min(8);
            let bar = |eighths: u16| theme.glyphs.bars[usize::from(eighths)];
            match (low, high) {
                (_, 0) => {}
                (8, _) => self.solid(x, y, ink),
                (low, high) if low * 2 >= high && (high < 8 || !theme.pales()) => {
                    self.pen.cell(x, y, bar(low), ink, theme.background);
                }
                (_, 8) if theme.pales() => {
                    self.pen.cell(x, y, bar(low), ink, pale);
                }
                (_, high) if theme.pales() => {
                    self.pen.cell(x, y, bar(high), pale, theme.background);
                }
                // Shades have no heights: one above a box that ends lower would stand out of it. In the
                // lowest row it is the only sign of what waits.
                (low, high) if row > 0 && high < if theme.is_ascii() { 4 } else { 8 } => {
                    self.pen.cell(x, y, bar(low), ink, theme.background);
                }
                _ => self
                    .pen
                    .cell(x, y, theme.glyphs.blocked, ink, theme.background),
            }
        }
    }

    /// Two boxes, or the edge of one, in a cell. Between boxes the gap takes the rest of the cell from
    /// the middle on, else its begin.
    fn cut(&mut self, x: u16, at: u8, left: Option<Part>, right: Option<Part>) {
        let theme = self.pen.theme;
        let ground = theme.background;
        let (ink, under) = match (left, right) {
            (Some(left), Some(right)) => {
                let gap = self.hues.gap(left.task, right.task);
                if at >= 4 {
                    (self.ink(left), gap)
                } else {
                    (gap, self.ink(right))
                }
            }
            (left, right) => (
                left.map_or(ground, |part| self.ink(part)),
                right.map_or(ground, |part| self.ink(part)),
            ),
        };
        let shaded = |part: Option<Part>| part.is_some_and(|part| part.pale && !theme.pales());
        let mostly = if at >= 4 { left } else { right };
        let between = left.is_some() && right.is_some();
        for (y, eighths) in self.filled(self.place.tall(theme.is_ascii())) {
            match mostly {
                _ if eighths == 0 => {}
                Some(part) if shaded(mostly) => {
                    if eighths == 8 {
                        let ink = self.ink(part);
                        self.pen.cell(x, y, theme.glyphs.blocked, ink, ground);
                    }
                }
                _ if eighths < 8 => self.half(x, y, at, (ink, under)),
                _ if between && theme.is_ascii() => {
                    let part = mostly.map_or(ground, |part| self.ink(part));
                    let (line, part) = if theme.is_bare() {
                        (part, ground)
                    } else {
                        (theme.on(part), part)
                    };
                    self.pen.cell(x, y, theme.glyphs.between, line, part);
                }
                Some(part) if theme.is_ascii() => self.solid(x, y, self.ink(part)),
                _ if theme.is_ascii() => {}
                _ => {
                    let glyph = theme.glyphs.left[usize::from(at.min(8))];
                    self.pen.cell(x, y, glyph, ink, under);
                }
            }
        }
    }

    /// The half-filled cell above a boundary, as near as quarters come.
    fn half(&mut self, x: u16, y: u16, at: u8, (left, right): (Ink, Ink)) {
        let theme = self.pen.theme;
        let (glyphs, ground) = (theme.glyphs, theme.background);
        let (glyph, ink) = if left == ground {
            let glyph = match at {
                ..3 => glyphs.lower_half,
                3..6 => glyphs.lower_right,
                _ => " ",
            };
            (glyph, right)
        } else if right == ground {
            let glyph = match at {
                ..3 => " ",
                3..6 => glyphs.lower_left,
                _ => glyphs.lower_half,
            };
            (glyph, left)
        } else {
            (glyphs.lower_half, if at >= 4 { left } else { right })
        };
        self.pen.cell(x, y, glyph, ink, ground);
    }

    /// A number at the left end of each box with room for it.
    pub fn numbers(&mut self, columns: &[Column]) {
        let mut from = 0;
        while from < columns.len() {
            let Some(task) = columns[from].whole() else {
                from += 1;
                continue;
            };
            let run = columns[from..]
                .iter()
                .take_while(|column| column.whole() == Some(task))
                .count();
            self.number(task, from, &columns[from..from + run]);
            from += run;
        }
    }

    /// The number of a box that has these columns, the first being the `from`-th of the lane. It stands
    /// at the left end, on a plate where the box is low there, and never moves while the box grows.
    fn number(&mut self, task: u32, from: usize, columns: &[Column]) {
        if hues::is_other(task) {
            return;
        }
        let edge = |column: &Column| matches!(column, Column::Whole { after: Some(_), .. });
        let free = usize::from(columns.first().is_some_and(edge));
        let columns = &columns[free..];
        let digits = task.checked_ilog10().unwrap_or(0) as usize + 1;
        if digits > columns.len() {
            return;
        }
        let label = task.to_string();
        let (theme, y) = (self.pen.theme, self.place.bottom());
        let x = self.place.x + (from + free) as u16;
        let pale = |column: &Column| matches!(column, Column::Whole { level, .. } if level.pale > level.solid);
        let is_full = columns.iter().take(label.len()).all(Column::is_full);
        for ((digit, column), x) in label.chars().zip(columns).zip(x..) {
            let ink = if is_full {
                let pale = pale(column);
                self.ink(Part { task, pale })
            } else {
                self.hues.plate(task)
            };
            let bare = theme.is_bare() || ink == theme.background || pale(column) && !theme.pales();
            let (ink, ground) = if bare {
                (theme.text, theme.background)
            } else {
                (theme.on(ink), ink)
            };
            self.pen
                .bold_on(x, y, digit.encode_utf8(&mut [0; 4]), ink, ground);
            if bare && !theme.is_ascii() {
                self.pen.add(x, y, Modifier::UNDERLINED);
            }
        }
    }

    /// The number of the chosen task in the colours of the cursor, over whatever is there.
    pub fn select(&mut self, task: u32, columns: &[Column]) {
        let of = |column: &Column| column.has(task);
        // Where its number stands: behind the boundary, if the box is wide enough.
        let numbered = |column: &Column| matches!(*column, Column::Whole { task: of, after: None, .. } if of == task);
        let first = columns.iter().position(numbered);
        let Some(first) = first.or_else(|| columns.iter().position(of)) else {
            return;
        };
        let theme = self.pen.theme;
        let (x, y) = (self.place.x + first as u16, self.place.bottom());
        let label = (!hues::is_other(task)).then(|| task.to_string());
        let label = label.unwrap_or_else(|| theme.glyphs.here.to_owned());
        if theme.is_bare() {
            // The bracket takes the cell of the boundary before the number.
            let x = x.saturating_sub(1).max(self.place.x);
            self.pen.bold(x, y, &format!("[{label}]"), theme.now);
        } else {
            self.pen.bold_on(x, y, &label, theme.background, theme.now);
        }
    }

    /// A mark in the last cell of a box that came to a bad end, as high as the box.
    pub fn mark(&mut self, column: u16, glyph: &str) {
        let theme = self.pen.theme;
        let (x, y) = (self.place.x + column, self.place.bottom());
        if theme.is_bare() {
            self.pen.bold(x, y, glyph, theme.bad);
            return;
        }
        let ink = theme.on(theme.bad);
        self.pen.bold_on(x, y, glyph, ink, theme.bad);
        for row in 1..self.place.rows.saturating_sub(1) {
            self.solid(x, self.place.row(row), theme.bad);
        }
    }

    /// Words behind a mark, if the cells there are free up to `end`.
    pub fn note(&mut self, column: u16, end: u16, words: &str) {
        let theme = self.pen.theme;
        let (x, y) = (self.place.x + column, self.place.bottom());
        let after = x.saturating_add(width(words)).saturating_add(1);
        let free = |x: u16| self.pen.is_empty(x, y) || self.pen.shows(x, y, theme.glyphs.dead);
        if after < end && (x..after).all(free) {
            self.pen.text(x, y, words, theme.bad);
            self.pen.text(after - 1, y, " ", theme.bad);
        }
    }

    /// Nobody is there to work.
    pub fn dead(&mut self, from: u16, to: u16) {
        let theme = self.pen.theme;
        for x in self.place.x + from..self.place.x + to {
            let y = self.place.bottom();
            if self.pen.is_empty(x, y) {
                self.pen
                    .cell(x, y, theme.glyphs.dead, theme.faint, theme.background);
            }
        }
    }

    /// The white edge of a task that runs at the cursor: the rest of its last cell, or half of the next
    /// where none is left. It is as high as its box. `eighth` counts from the begin of the lane.
    pub fn hot_edge(&mut self, eighth: u32, columns: &[Column]) {
        let theme = self.pen.theme;
        let glyphs = theme.glyphs;
        let (column, at) = ((eighth / 8) as usize, (eighth % 8) as u8);
        // Of the column that begins with the edge nothing has happened.
        let last = columns.get(column).unwrap_or(&Column::Idle);
        let part = match *last {
            Column::Cut {
                at: end,
                left: Some(part),
                right: None,
            } if end == at => Some(part),
            _ => None,
        };
        let before = column.checked_sub(1).and_then(|before| columns.get(before));
        let height = self.height([Some(last), before]);
        let x = self.place.x + column as u16;
        for (y, eighths) in self.filled(height) {
            let (glyph, ink, ground) = match (part, eighths) {
                (_, 0..2) => continue,
                (Some(_), 2..7) if at >= 4 => (glyphs.lower_right, theme.now, theme.background),
                (Some(_), 2..7) => (glyphs.lower_half, theme.now, theme.background),
                (None, 2..7) if theme.depth == Depth::None => {
                    (glyphs.lower_right, theme.now, theme.background)
                }
                (None, 2..7) => (glyphs.lower_left, theme.now, theme.background),
                (Some(part), _) if !theme.is_ascii() && theme.depth != Depth::None => {
                    (glyphs.left[usize::from(at)], self.ink(part), theme.now)
                }
                // Without colour the edge would melt into its box: reversed, a gap stands between them.
                _ if theme.depth == Depth::None && !theme.is_ascii() => {
                    (glyphs.hot, theme.now, theme.now)
                }
                _ => (glyphs.hot, theme.now, theme.background),
            };
            self.pen.cell(x, y, glyph, ink, ground);
        }
    }

    /// How high the box in these columns is, in eighths; that of the first that tells.
    fn height(&self, columns: [Option<&Column>; 2]) -> u16 {
        let tall = self.place.tall(self.pen.theme.is_ascii());
        // A single row of characters has no halves.
        if self.pen.theme.is_ascii() && self.place.rows == 1 {
            return 8;
        }
        let level = |column: &Column| match *column {
            Column::Cut { left: Some(_), .. } => Some(1.0),
            Column::Whole { level, .. } => Some(level.solid + level.pale),
            Column::Several { level, .. } if level.held > 0.0 => {
                Some((level.solid + level.pale) / level.held)
            }
            _ => None,
        };
        let share = columns.into_iter().flatten().find_map(level);
        let eighths = (share.unwrap_or(1.0) * f64::from(tall)).round() as u16;
        eighths.clamp(4.min(tall), tall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::Look;
    use crate::trace::Trace;
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    #[test]
    fn the_digits_of_a_number_stand_on_one_ground() {
        let column = |share| Column::Whole {
            task: 12,
            level: Level {
                solid: share,
                pale: 0.0,
                held: 1.0,
            },
            after: None,
        };
        let trace = Trace::default();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        let hues = Hues::new(pen.theme, &trace);
        let place = Place {
            x: 0,
            y: 0,
            rows: 1,
        };
        Painter {
            pen: &mut pen,
            hues,
            place,
        }
        .numbers(&[0.4, 1.0, 1.0].map(column));
        assert_eq!(
            (buffer[(0, 0)].symbol(), buffer[(1, 0)].symbol()),
            ("1", "2")
        );
        assert_eq!(buffer[(0, 0)].bg, buffer[(1, 0)].bg);
    }

    #[test]
    fn where_nothing_is_paler_no_shade_stands_out_of_a_box() {
        let trace = Trace::default();
        let column = Column::Whole {
            task: 12,
            level: Level {
                solid: 0.6,
                pale: 0.4,
                held: 1.0,
            },
            after: None,
        };
        for depth in [Depth::None, Depth::Sixteen] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 2));
            let look = Look {
                depth,
                ..Look::default()
            };
            let mut pen = Pen::new(&mut buffer, Theme::of(look));
            let (hues, place) = (
                Hues::new(pen.theme, &trace),
                Place {
                    x: 0,
                    y: 0,
                    rows: 2,
                },
            );
            Painter {
                pen: &mut pen,
                hues,
                place,
            }
            .boxes(&[column]);
            assert_eq!(buffer[(0, 0)].symbol(), " ", "{depth:?}");
        }
    }

    #[test]
    fn in_ascii_a_box_has_its_character_with_colour_too() {
        let column = |solid: f64| Column::Whole {
            task: 12,
            level: Level {
                solid,
                pale: 1.0 - solid,
                held: 1.0,
            },
            after: None,
        };
        let trace = Trace::default();
        for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
            let look = Look {
                charset: crate::palette::Charset::Ascii,
                depth,
                ..Look::default()
            };
            let mut pen = Pen::new(&mut buffer, Theme::of(look));
            let hues = Hues::new(pen.theme, &trace);
            let place = Place {
                x: 0,
                y: 0,
                rows: 1,
            };
            Painter {
                pen: &mut pen,
                hues,
                place,
            }
            .boxes(&[1.0, 0.0].map(column));
            let shown = [0, 1].map(|x| buffer[(x, 0)].symbol());
            assert_eq!(shown, ["=", "."], "{depth:?}");
        }
    }
}
