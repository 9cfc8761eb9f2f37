//! A screen as SVG: the exact grid of cells, in colours, with text that can be selected.
//!
//! A cell is 8 by 16, so that an eighth of a block is a whole number of units and neighbours join
//! without seams. Blocks, shades, lines and braille are drawn as shapes; every other character is text,
//! one element a row, each character at its own place, whatever the font.

mod glyph;

use crate::palette::Rgb;
use glyph::Shape;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::collections::BTreeSet;
use std::fmt::{Display, Write};
use unicode_width::UnicodeWidthStr;

/// Units of a cell.
const WIDE: u32 = 8;
const HIGH: u32 = 16;
/// Where letters stand in their cell.
const BASELINE: u32 = 12;

const FONTS: &str = "'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',ui-monospace,monospace";

/// What the terminal's own colours are taken for.
const TEXT: u32 = 0x00e6_e9ef;
const GROUND: u32 = 0x000f_1218;

/// The picture as the text of an SVG file; `title` is for those who cannot see it.
pub fn draw(buffer: &Buffer, title: &str) -> String {
    let area = buffer.area;
    let (width, height) = (u32::from(area.width) * WIDE, u32::from(area.height) * HIGH);
    let mut grounds = Layer::default();
    let mut shapes = Layer::default();
    let mut words = String::new();
    for y in 0..area.height {
        let cells: Vec<&Cell> = (0..area.width)
            .map(|x| &buffer[(area.x + x, area.y + y)])
            .collect();
        for (x, cell) in cells.iter().enumerate() {
            let (left, top) = (x as u32 * WIDE, u32::from(y) * HIGH);
            let (ink, ground) = colours(cell);
            grounds.rect([left, top, WIDE, HIGH], &hex(ground));
            if let Some(shape) = shape_of(cell) {
                shapes.shape(&shape, left, top, ink);
            }
        }
        row_of_words(&mut words, &cells, u32::from(y));
    }
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{}</title>\n",
        escaped(title)
    );
    let patterns: BTreeSet<_> = shapes.shades.iter().copied().collect();
    if !patterns.is_empty() {
        svg.push_str("<defs>\n");
        for (quarters, ink) in patterns {
            put(
                &mut svg,
                glyph::pattern(quarters, &hex(ink), &shade_name(quarters, ink)),
            );
        }
        svg.push_str("</defs>\n");
    }
    put(
        &mut svg,
        format_args!(
            "<g shape-rendering=\"crispEdges\">\n{}{}</g>\n",
            grounds.finish(),
            shapes.finish()
        ),
    );
    put(
        &mut svg,
        format_args!(
            "<g font-family=\"{FONTS}\" font-size=\"13.3\" xml:space=\"preserve\" style=\"white-space:pre\">\n{words}</g>\n</svg>\n"
        ),
    );
    svg
}

/// Rectangles and paths, of which neighbours in a row that look the same become one.
#[derive(Default)]
struct Layer {
    svg: String,
    open: Option<([u32; 4], String)>,
    shades: Vec<(u8, u32)>,
}

impl Layer {
    fn rect(&mut self, place: [u32; 4], fill: &str) {
        let [left, top, width, height] = place;
        if let Some(([x, y, w, h], paint)) = &mut self.open
            && (*x + *w, *y, *h) == (left, top, height)
            && paint == fill
        {
            *w += width;
            return;
        }
        self.close();
        self.open = Some((place, fill.to_owned()));
    }

    fn shape(&mut self, shape: &Shape, left: u32, top: u32, ink: u32) {
        match shape {
            Shape::Rects(rects) => {
                for [x, y, width, height] in rects {
                    self.rect([left + x, top + y, *width, *height], &hex(ink));
                }
            }
            Shape::Shade(quarters) => {
                self.shades.push((*quarters, ink));
                self.rect(
                    [left, top, WIDE, HIGH],
                    &format!("url(#{})", shade_name(*quarters, ink)),
                );
            }
            Shape::Line(path) => {
                self.close();
                put(
                    &mut self.svg,
                    format_args!(
                        "<path transform=\"translate({left} {top})\" d=\"{path}\" stroke=\"{}\" fill=\"none\" shape-rendering=\"auto\"/>\n",
                        hex(ink)
                    ),
                );
            }
        }
    }

    fn close(&mut self) {
        if let Some(([x, y, width, height], fill)) = self.open.take() {
            put(
                &mut self.svg,
                format_args!(
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>\n"
                ),
            );
        }
    }

    fn finish(&mut self) -> &str {
        self.close();
        &self.svg
    }
}

/// What a stretch of words looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    ink: u32,
    modifier: Modifier,
}

/// A stretch of words with the place of each character.
struct Words {
    look: Look,
    text: String,
    places: String,
}

/// One row of words: spaces where nothing or a shape stands, so that a copied row keeps its columns.
fn row_of_words(svg: &mut String, cells: &[&Cell], y: u32) {
    let mut stretches: Vec<Words> = Vec::new();
    let mut covered = 0;
    let end = cells
        .iter()
        .rposition(|cell| is_word(cell))
        .map_or(0, |last| last + 1);
    for (x, cell) in cells[..end].iter().enumerate() {
        // The cells behind a wide character are part of it.
        if covered > 0 {
            covered -= 1;
            continue;
        }
        let symbol = if is_word(cell) { cell.symbol() } else { " " };
        covered = symbol.width().saturating_sub(1);
        let look = look(cell);
        let same = stretches.last().is_some_and(|last| {
            // A space looks the same in every ink.
            last.look == look || symbol == " " && !last.look.modifier.contains(Modifier::UNDERLINED)
        });
        if !same {
            stretches.push(Words {
                look,
                text: String::new(),
                places: String::new(),
            });
        }
        if let Some(words) = stretches.last_mut() {
            words.text.push_str(symbol);
            // SVG counts characters as UTF-16 does.
            for _ in symbol.encode_utf16() {
                let gap = if words.places.is_empty() { "" } else { " " };
                put(&mut words.places, format_args!("{gap}{}", x as u32 * WIDE));
            }
        }
    }
    if stretches.is_empty() {
        return;
    }
    put(svg, format_args!("<text y=\"{}\">", y * HIGH + BASELINE));
    for Words { look, text, places } in stretches {
        put(
            svg,
            format_args!("<tspan x=\"{places}\" fill=\"{}\"", hex(look.ink)),
        );
        for (modifier, attribute) in [
            (Modifier::BOLD, " font-weight=\"bold\""),
            (Modifier::ITALIC, " font-style=\"italic\""),
            (Modifier::UNDERLINED, " text-decoration=\"underline\""),
            (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
            (Modifier::DIM, " opacity=\"0.6\""),
        ] {
            if look.modifier.contains(modifier) {
                svg.push_str(attribute);
            }
        }
        put(svg, format_args!(">{}</tspan>", escaped(&text)));
    }
    svg.push_str("</text>\n");
}

fn is_word(cell: &Cell) -> bool {
    !cell.symbol().trim().is_empty()
        && shape_of(cell).is_none()
        && !cell.modifier.contains(Modifier::HIDDEN)
}

fn shape_of(cell: &Cell) -> Option<Shape> {
    let mut letters = cell.symbol().chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => glyph::shape(letter),
        _ => None,
    }
}

fn look(cell: &Cell) -> Look {
    let shown = Modifier::BOLD
        | Modifier::ITALIC
        | Modifier::UNDERLINED
        | Modifier::CROSSED_OUT
        | Modifier::DIM;
    Look {
        ink: colours(cell).0,
        modifier: cell.modifier & shown,
    }
}

/// Ink and ground of a cell as it is seen.
fn colours(cell: &Cell) -> (u32, u32) {
    let (ink, ground) = (rgb(cell.fg, TEXT), rgb(cell.bg, GROUND));
    if cell.modifier.contains(Modifier::REVERSED) {
        (ground, ink)
    } else {
        (ink, ground)
    }
}

fn rgb(colour: Color, own: u32) -> u32 {
    let number = match colour {
        Color::Reset => return own,
        Color::Rgb(red, green, blue) => return u32::from_be_bytes([0, red, green, blue]),
        Color::Indexed(number) => number,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    let Rgb(red, green, blue) = Rgb::numbered(number);
    u32::from_be_bytes([0, red, green, blue])
}

fn hex(rgb: u32) -> String {
    format!("#{rgb:06x}")
}

fn shade_name(quarters: u8, ink: u32) -> String {
    format!("shade{quarters}-{ink:06x}")
}

fn escaped(words: &str) -> String {
    words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn put(svg: &mut String, part: impl Display) {
    // Writing to a String cannot fail.
    let _ = write!(svg, "{part}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn picture(rows: &[(&str, Style)]) -> String {
        let width = rows
            .iter()
            .map(|row| row.0.chars().count())
            .max()
            .unwrap_or(0) as u16;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, rows.len() as u16));
        for (y, (words, style)) in rows.iter().enumerate() {
            buffer.set_string(0, y as u16, words, *style);
        }
        draw(&buffer, "a <picture>")
    }

    #[test]
    fn words_stand_on_the_grid_and_can_be_selected() {
        let style = Style::new()
            .fg(Color::Rgb(1, 2, 3))
            .bg(Color::Rgb(0, 0, 0))
            .add_modifier(Modifier::BOLD);
        let svg = picture(&[("a<b", style)]);
        assert!(svg.contains("viewBox=\"0 0 24 16\""), "{svg}");
        assert!(svg.contains("<title>a &lt;picture&gt;</title>"), "{svg}");
        assert!(svg.contains("<text y=\"12\"><tspan x=\"0 8 16\" fill=\"#010203\" font-weight=\"bold\">a&lt;b</tspan></text>"), "{svg}");
        assert!(
            svg.contains("<rect x=\"0\" y=\"0\" width=\"24\" height=\"16\" fill=\"#000000\"/>"),
            "{svg}"
        );
    }

    #[test]
    fn neighbouring_blocks_become_one_rectangle() {
        let svg = picture(&[("██▌", Style::new().fg(Color::Indexed(196)))]);
        assert!(
            svg.contains("<rect x=\"0\" y=\"0\" width=\"20\" height=\"16\" fill=\"#ff0000\"/>"),
            "{svg}"
        );
        assert!(!svg.contains("<text"), "{svg}");
    }

    #[test]
    fn reversed_cells_swap_their_colours() {
        let style = Style::new()
            .fg(Color::Rgb(0, 0, 1))
            .bg(Color::Rgb(0, 0, 2))
            .add_modifier(Modifier::REVERSED);
        let svg = picture(&[("x", style)]);
        assert!(
            svg.contains("fill=\"#000001\"/>") && svg.contains("fill=\"#000002\">x"),
            "{svg}"
        );
    }

    #[test]
    fn a_row_keeps_its_columns_around_shapes() {
        let svg = picture(&[("a█b", Style::new())]);
        assert!(
            svg.contains("<text y=\"12\"><tspan x=\"0 8 16\" fill=\"#e6e9ef\">a b</tspan>"),
            "{svg}"
        );
    }

    #[test]
    fn a_shade_is_one_pattern_for_each_colour() {
        let svg = picture(&[("░░", Style::new()), ("░", Style::new())]);
        assert_eq!(svg.matches("<pattern id=\"shade1-e6e9ef\"").count(), 1);
        assert!(
            svg.contains(
                "<rect x=\"0\" y=\"0\" width=\"16\" height=\"16\" fill=\"url(#shade1-e6e9ef)\"/>"
            ),
            "{svg}"
        );
    }
}
