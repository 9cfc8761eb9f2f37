//! Characters that must join their neighbours, as shapes in a cell of 8 by 16.

/// How a character is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Left, top, width, height.
    Rects(Vec<[u32; 4]>),
    /// A pattern of 1, 2 or 3 quarters.
    Shade(u8),
    /// A stroked path.
    Line(&'static str),
}

/// The shape of a character, if it is one that is not text.
pub(super) fn shape(letter: char) -> Option<Shape> {
    let code = u32::from(letter);
    Some(match letter {
        // Lower eighths, then the whole block.
        '▁'..='█' => {
            let height = 2 * (code - u32::from('▁') + 1);
            Shape::Rects(vec![[0, 16 - height, 8, height]])
        }
        // Left parts, from seven eighths down to one.
        '▉'..='▏' => Shape::Rects(vec![[0, 0, 7 - (code - u32::from('▉')), 16]]),
        '▀' => Shape::Rects(vec![[0, 0, 8, 8]]),
        '▐' => Shape::Rects(vec![[4, 0, 4, 16]]),
        '▔' => Shape::Rects(vec![[0, 0, 8, 2]]),
        '▕' => Shape::Rects(vec![[7, 0, 1, 16]]),
        '░' => Shape::Shade(1),
        '▒' => Shape::Shade(2),
        '▓' => Shape::Shade(3),
        '▖'..='▟' => Shape::Rects(quadrants(QUADRANTS[(code - u32::from('▖')) as usize])),
        '\u{2800}'..='\u{28ff}' => Shape::Rects(dots(code - 0x2800)),
        _ => return line(letter),
    })
}

/// Upper left, upper right, lower left, lower right are 8, 4, 2, 1; from `▖` to `▟`.
const QUADRANTS: [u8; 10] = [2, 1, 8, 11, 9, 14, 13, 4, 6, 7];

fn quadrants(which: u8) -> Vec<[u32; 4]> {
    [
        (8, [0, 0, 4, 8]),
        (4, [4, 0, 4, 8]),
        (2, [0, 8, 4, 8]),
        (1, [4, 8, 4, 8]),
    ]
    .into_iter()
    .filter(|(bit, _)| which & bit != 0)
    .map(|(_, place)| place)
    .collect()
}

/// The dots of a braille character, two by four in a cell; bit k is dot k + 1 of the standard.
fn dots(bits: u32) -> Vec<[u32; 4]> {
    const PLACES: [(u32, u32); 8] = [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
        (1, 2),
        (0, 3),
        (1, 3),
    ];
    PLACES
        .iter()
        .enumerate()
        .filter(|(bit, _)| bits >> bit & 1 == 1)
        .map(|(_, (column, row))| [1 + 4 * column, 1 + 4 * row, 2, 2])
        .collect()
}

/// Rulers and frames; light lines go through the middle of the cell.
fn line(letter: char) -> Option<Shape> {
    Some(match letter {
        '─' => Shape::Rects(vec![[0, 8, 8, 1]]),
        '━' => Shape::Rects(vec![[0, 7, 8, 2]]),
        '│' => Shape::Rects(vec![[4, 0, 1, 16]]),
        '┃' => Shape::Rects(vec![[3, 0, 2, 16]]),
        '┊' => Shape::Rects((0..4).map(|k| [4, 1 + 4 * k, 1, 2]).collect()),
        '┌' => Shape::Rects(vec![[4, 8, 4, 1], [4, 8, 1, 8]]),
        '┐' => Shape::Rects(vec![[0, 8, 5, 1], [4, 8, 1, 8]]),
        '└' => Shape::Rects(vec![[4, 8, 4, 1], [4, 0, 1, 9]]),
        '┘' => Shape::Rects(vec![[0, 8, 5, 1], [4, 0, 1, 9]]),
        '├' => Shape::Rects(vec![[4, 0, 1, 16], [4, 8, 4, 1]]),
        '┤' => Shape::Rects(vec![[4, 0, 1, 16], [0, 8, 4, 1]]),
        '┬' => Shape::Rects(vec![[0, 8, 8, 1], [4, 8, 1, 8]]),
        '┴' => Shape::Rects(vec![[0, 8, 8, 1], [4, 0, 1, 9]]),
        '┼' => Shape::Rects(vec![[0, 8, 8, 1], [4, 0, 1, 16]]),
        '╭' => Shape::Line("M8 8.5H7.5Q4.5 8.5 4.5 12V16"),
        '╮' => Shape::Line("M0 8.5H1.5Q4.5 8.5 4.5 12V16"),
        '╰' => Shape::Line("M8 8.5H7.5Q4.5 8.5 4.5 5V0"),
        '╯' => Shape::Line("M0 8.5H1.5Q4.5 8.5 4.5 5V0"),
        '╳' => Shape::Line("M0 0L8 16M8 0L0 16"),
        '╱' => Shape::Line("M8 0L0 16"),
        '╲' => Shape::Line("M0 0L8 16"),
        _ => return None,
    })
}

/// The definition of a shade: `quarters` of the squares of a 4 by 4 grid.
pub(super) fn pattern(quarters: u8, fill: &str, name: &str) -> String {
    let path = match quarters {
        1 => "M0 0h1v1h-1zM2 1h1v1h-1zM0 2h1v1h-1zM2 3h1v1h-1z",
        2 => {
            "M0 0h1v1h-1zM2 0h1v1h-1zM1 1h1v1h-1zM3 1h1v1h-1zM0 2h1v1h-1zM2 2h1v1h-1zM1 3h1v1h-1zM3 3h1v1h-1z"
        }
        _ => "M1 0h3v1h-3zM0 1h2v1h-2zM3 1h1v1h-1zM1 2h3v1h-3zM0 3h2v1h-2zM3 3h1v1h-1z",
    };
    format!(
        "<pattern id=\"{name}\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\"><path d=\"{path}\" fill=\"{fill}\"/></pattern>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rects(letter: char) -> Vec<[u32; 4]> {
        match shape(letter) {
            Some(Shape::Rects(rects)) => rects,
            other => panic!("{letter}: {other:?}"),
        }
    }

    #[test]
    fn blocks_are_as_large_as_their_eighths() {
        assert_eq!(rects('▁'), [[0, 14, 8, 2]]);
        assert_eq!(rects('▄'), [[0, 8, 8, 8]]);
        assert_eq!(rects('█'), [[0, 0, 8, 16]]);
        assert_eq!(rects('▉'), [[0, 0, 7, 16]]);
        assert_eq!(rects('▌'), [[0, 0, 4, 16]]);
        assert_eq!(rects('▏'), [[0, 0, 1, 16]]);
        assert_eq!(rects('▙'), [[0, 0, 4, 8], [0, 8, 4, 8], [4, 8, 4, 8]]);
        assert_eq!(rects('▞'), [[4, 0, 4, 8], [0, 8, 4, 8]]);
    }

    #[test]
    fn braille_dots_stand_where_the_standard_has_them() {
        assert_eq!(rects('⠁'), [[1, 1, 2, 2]]);
        assert_eq!(rects('⢀'), [[5, 13, 2, 2]]);
        assert_eq!(rects('⣿').len(), 8);
        assert!(rects('\u{2800}').is_empty());
    }

    #[test]
    fn letters_are_no_shapes() {
        for letter in ['a', '3', '✓', '►', '…'] {
            assert_eq!(shape(letter), None);
        }
    }
}
