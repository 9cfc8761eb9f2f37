//! A canvas of braille dots, 2x4 to a cell: lines finer than cells, each in the colour of its task.
//! Where there is no braille a line is one digit a row.

use ratatui::layout::Rect;

use super::text::Pen;
use crate::palette::Ink;

/// Dots a cell is wide and high.
pub const DOTS: (u16, u16) = (2, 4);

/// Which bit of a braille character is the dot in this row and column.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Dots on an area of the screen; a cell has the colour of the line drawn last in it.
pub struct Canvas {
    area: Rect,
    cells: Vec<(u8, Option<Ink>)>,
}

impl Canvas {
    pub fn new(area: Rect) -> Self {
        Self {
            area,
            cells: vec![(0, None); usize::from(area.width) * usize::from(area.height)],
        }
    }

    /// Dots the canvas is high.
    pub fn height(&self) -> u16 {
        self.area.height * DOTS.1
    }

    /// Sets the dot at column `x` and row `y`, counted in dots from the upper left.
    pub fn set(&mut self, x: u16, y: u16, ink: Ink) {
        let (column, row) = (x / DOTS.0, y / DOTS.1);
        if column >= self.area.width || row >= self.area.height {
            return;
        }
        let cell =
            &mut self.cells[usize::from(row) * usize::from(self.area.width) + usize::from(column)];
        cell.0 |= BITS[usize::from(y % DOTS.1)][usize::from(x % DOTS.0)];
        cell.1 = Some(ink);
    }

    /// A line from the top at column `from` to the bottom at column `to`, all in dots: upright at both
    /// ends and steepest across the middle, so that crossings lie apart.
    pub fn descend(&mut self, (from, to): (f64, f64), width: u16, ink: Ink) {
        let height = self.height();
        let steps = (f64::from(height).max((to - from).abs()) * 2.0) as u32;
        for step in 0..=steps {
            let share = f64::from(step) / f64::from(steps.max(1));
            let x = from + (to - from) * smoothstep(share);
            let y = (share * f64::from(height.saturating_sub(1))).round() as u16;
            let left = (x - f64::from(width) / 2.0).round().max(0.0) as u16;
            for x in left..left + width {
                self.set(x, y, ink);
            }
        }
    }

    /// Puts the dots on the screen.
    pub fn render(&self, pen: &mut Pen<'_>) {
        let ground = pen.theme.background;
        for (position, (bits, ink)) in self.area.positions().zip(&self.cells) {
            let Some(ink) = *ink else { continue };
            let braille = char::from_u32(0x2800 + u32::from(*bits)).unwrap_or(' ');
            let mut bytes = [0; 4];
            let glyph = braille.encode_utf8(&mut bytes);
            pen.cell(position.x, position.y, glyph, ink, ground);
        }
    }
}

/// The line of [`Canvas::descend`] as one glyph a row, with its ends in columns of the area.
pub fn descend_in_cells(
    area: Rect,
    (from, to): (u16, u16),
    glyph: &str,
    ink: Ink,
    pen: &mut Pen<'_>,
) {
    let (from, to) = (f64::from(from), f64::from(to));
    for row in 0..area.height {
        let share = (f64::from(row) + 0.5) / f64::from(area.height);
        let x = area.x + (from + (to - from) * smoothstep(share)).round() as u16;
        pen.cell(x, area.y + row, glyph, ink, pen.theme.background);
    }
}

/// The curve that leaves 0 and reaches 1 without a slope: `3t² - 2t³`.
pub fn smoothstep(share: f64) -> f64 {
    let share = share.clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::Look;
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    fn drawn(draw: impl FnOnce(&mut Canvas)) -> Vec<String> {
        let area = Rect::new(0, 0, 6, 6);
        let mut buffer = Buffer::empty(area);
        let mut canvas = Canvas::new(area);
        draw(&mut canvas);
        canvas.render(&mut Pen::new(&mut buffer, Theme::of(Look::default())));
        (0..6)
            .map(|y| (0..6).map(|x| buffer[(x, y)].symbol()).collect())
            .collect()
    }

    #[test]
    fn a_line_straight_down_fills_one_column_of_cells() {
        let lines = drawn(|canvas| {
            canvas.descend((3.0, 3.0), 2, Ink::WHITE);
        });
        assert_eq!(lines, [" ⣿    "; 6]);
    }

    #[test]
    fn a_line_leaves_and_arrives_upright() {
        let lines = drawn(|canvas| {
            canvas.descend((1.0, 11.0), 2, Ink::WHITE);
        });
        assert!(lines[0].starts_with('⣿'), "{lines:?}");
        assert!(lines[5].ends_with('⣿'), "{lines:?}");
        assert!(!lines[2].starts_with('⣿') && !lines[3].ends_with('⣿'));
    }

    #[test]
    fn no_row_of_a_steep_line_is_missing() {
        let mut canvas = Canvas::new(Rect::new(0, 0, 100, 2));
        canvas.descend((1.0, 199.0), 2, Ink::WHITE);
        let columns = (0..100)
            .filter(|&x| canvas.cells[x].0 | canvas.cells[100 + x].0 != 0)
            .count();
        assert_eq!(columns, 100);
    }

    #[test]
    fn dots_outside_are_left_out() {
        let lines = drawn(|canvas| {
            canvas.set(500, 500, Ink::WHITE);
            canvas.descend((-9.0, 99.0), 2, Ink::WHITE);
        });
        assert!(lines.iter().all(|line| line.chars().count() == 6));
    }

    #[test]
    fn without_braille_a_line_is_a_glyph_a_row() {
        let area = Rect::new(0, 0, 6, 6);
        let mut buffer = Buffer::empty(area);
        let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
        descend_in_cells(area, (0, 5), "7", Ink::WHITE, &mut pen);
        let columns: Vec<u16> = (0..6)
            .filter_map(|y| (0..6).find(|&x| buffer[(x, y)].symbol() == "7"))
            .collect();
        assert_eq!(columns, [0, 1, 2, 3, 4, 5]);
    }
}
