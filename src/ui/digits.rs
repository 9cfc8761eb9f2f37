//! Numbers that are read from the back row: digits of 3x5 dots, each dot a block of cells.

use ratatui::layout::Rect;

use super::text::Pen;
use crate::palette::Ink;

/// Dots a digit is high.
pub const HEIGHT: u16 = 5;

/// How many cells a dot is wide and high; both look square, as a cell is twice as high as wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dot {
    pub columns: u16,
    pub rows: u16,
}

impl Dot {
    /// As many rows high.
    const fn of(rows: u16) -> Self {
        Self {
            columns: 2 * rows,
            rows,
        }
    }

    /// The dot for a screen of this size: three numbers beside each other, under all the rest.
    pub fn for_screen(area: Rect) -> Self {
        let wide = area.width.saturating_sub(40) / 65;
        let high = area.height.saturating_sub(20) / 15;
        Self::of(wide.min(high).max(1))
    }

    /// Between two digits: half a dot, so that they stay apart and the point stays close.
    fn gap(self) -> u16 {
        self.columns / 2
    }
}

/// Draws the digits of `number` with their upper left corner at (x, y); answers the column after them.
/// A character that has no dots is left out.
pub fn render(pen: &mut Pen<'_>, x: u16, y: u16, number: &str, dot: Dot, ink: Ink) -> u16 {
    // In ASCII the densest character there is.
    let full = if pen.theme.is_ascii() {
        "#"
    } else {
        pen.theme.glyphs.full
    };
    let mut x = x;
    for rows in number.chars().filter_map(dots) {
        for (row, pattern) in (0..).zip(rows) {
            for (column, _) in (0..).zip(pattern.bytes()).filter(|(_, dot)| *dot == b'#') {
                let block = Rect::new(
                    x + column * dot.columns,
                    y + row * dot.rows,
                    dot.columns,
                    dot.rows,
                );
                for position in block.intersection(pen.buffer.area).positions() {
                    pen.cell(position.x, position.y, full, ink, pen.theme.background);
                }
            }
        }
        x += columns(rows) * dot.columns + dot.gap();
    }
    x
}

/// Columns that a number takes.
pub fn width(number: &str, dot: Dot) -> u16 {
    let each = |rows| columns(rows) * dot.columns + dot.gap();
    let all: u16 = number.chars().filter_map(dots).map(each).sum();
    all.saturating_sub(dot.gap())
}

fn columns(rows: [&str; 5]) -> u16 {
    rows[0].len() as u16
}

#[rustfmt::skip]
fn dots(char: char) -> Option<[&'static str; 5]> {
    Some(match char {
        '0' => ["###", "# #", "# #", "# #", "###"],
        '1' => [" # ", "## ", " # ", " # ", "###"],
        '2' => ["###", "  #", "###", "#  ", "###"],
        '3' => ["###", "  #", "###", "  #", "###"],
        '4' => ["# #", "# #", "###", "  #", "  #"],
        '5' => ["###", "#  ", "###", "  #", "###"],
        '6' => ["###", "#  ", "###", "# #", "###"],
        '7' => ["###", "  #", "  #", "  #", "  #"],
        '8' => ["###", "# #", "###", "# #", "###"],
        '9' => ["###", "# #", "###", "  #", "###"],
        '.' => [" ", " ", " ", " ", "#"],
        '-' => ["   ", "   ", "###", "   ", "   "],
        '<' => ["  #", " # ", "#  ", " # ", "  #"],
        '>' => ["#  ", " # ", "  #", " # ", "#  "],
        ' ' => [" ", " ", " ", " ", " "],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::{Charset, Look};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    const SMALL: Dot = Dot::of(1);

    fn lines(number: &str, dot: Dot, charset: Charset) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 16, 5));
        let look = Look {
            charset,
            ..Look::default()
        };
        let mut pen = Pen::new(&mut buffer, Theme::of(look));
        let ink = pen.theme.now;
        render(&mut pen, 0, 0, number, dot, ink);
        (0..5)
            .map(|y| {
                let row: String = (0..16).map(|x| buffer[(x, y)].symbol()).collect();
                row.trim_end().to_owned()
            })
            .collect()
    }

    #[test]
    fn a_dot_is_two_cells_wide_and_a_point_stands_close() {
        assert_eq!(
            lines("1.4", SMALL, Charset::Ascii),
            [
                "  ##      ##  ##",
                "####      ##  ##",
                "  ##      ######",
                "  ##          ##",
                "###### ##     ##",
            ]
        );
        assert_eq!(width("1.4", SMALL), 16);
        assert_eq!(width("1.4", Dot::of(2)), 32);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_what_has_no_dots_is_left_out() {
        assert_eq!(lines("8x", SMALL, Charset::Unicode)[0], "██████");
        assert_eq!(lines("7", Dot::of(2), Charset::Unicode)[4], "        ████");
        assert_eq!(width("%", SMALL), 0);
    }

    #[test]
    fn dots_grow_with_the_screen() {
        let rows = |width, height| Dot::for_screen(Rect::new(0, 0, width, height)).rows;
        assert_eq!((rows(60, 20), rows(170, 49), rows(170, 50)), (1, 1, 2));
        assert_eq!((rows(235, 80), rows(300, 80)), (3, 4));
    }
}
