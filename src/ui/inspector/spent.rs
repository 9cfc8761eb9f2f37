//! How the time of a task was spent: a bar that adds up to it, and what its marks mean.

use ratatui::layout::Rect;

use crate::definition::{percents, rounded};
use crate::palette::Ink;
use crate::time::Nanos;
use crate::trace::Sums;
use crate::ui::text::{self, Pen};

/// How the time between start and end was spent, as a bar that adds up to it, and in words.
pub(super) fn render(
    title: &str,
    sums: &Sums,
    blocked: (&'static str, Ink),
    area: Rect,
    pen: &mut Pen<'_>,
) {
    let theme = pen.theme;
    let shares = &theme.glyphs.shares;
    let parts = [
        ("on CPU", sums.on_cpu, shares.on_cpu, theme.text),
        ("I/O", sums.useful_wait, shares.useful_wait, theme.text),
        (
            "waiting for CPU",
            sums.waiting,
            shares.waiting_cpu,
            theme.wait,
        ),
        (blocked.0, sums.blocked, shares.blocked, blocked.1),
        ("unknown", sums.unknown, shares.unknown, theme.dim),
    ];
    let left = area.x + 12;
    let columns = area.right().saturating_sub(left);
    pen.text_on(area.x, area.y, title, theme.text, theme.panel);
    let whole = sums.busy.seconds().max(1e-9);
    let (mut sum, mut x) = (0.0, left);
    for (_, part, glyph, ink) in parts {
        sum += part.seconds() / whole;
        let end = left + (sum.min(1.0) * f64::from(columns)).round() as u16;
        while x < end {
            pen.cell(x, area.y, glyph, ink, theme.panel);
            x += 1;
        }
    }
    let shares = parts.map(|part| part.1.seconds() / whole);
    let known = parts
        .into_iter()
        .zip(shares.into_iter().zip(percents(shares)))
        .filter(|((_, part, ..), (share, _))| !is_residue(*part, *share));
    let mut named: Vec<_> = known
        .map(|((name, part, glyph, ink), (share, percent))| {
            let words = format!("{name} {part} {}", rounded(share, percent));
            (part, glyph, ink, theme.units(&words).into_owned())
        })
        .collect();
    // Where not all can be named, the least are left out.
    let mut places = places(&named, columns);
    while places
        .last()
        .is_some_and(|&(_, y)| area.y + 1 + y >= area.bottom())
    {
        let least = (0..named.len()).min_by_key(|&place| named[place].0);
        least.map(|least| named.remove(least));
        places = self::places(&named, columns);
    }
    for ((_, glyph, ink, words), (x, y)) in named.iter().zip(places) {
        let (x, y) = (left + x, area.y + 1 + y);
        pen.cell(x, y, glyph, *ink, theme.panel);
        pen.text_on(x + 2, y, words, theme.text, theme.panel);
    }
}

/// What clocks that do not quite agree leave over: nobody can tell it from nothing.
fn is_residue(part: Nanos, share: f64) -> bool {
    part == Nanos::ZERO || part < Nanos(1_000) && share < 0.001
}

/// Where the names of parts stand, one behind another and in as many lines as it takes.
fn places<T, U, V>(named: &[(T, U, V, String)], columns: u16) -> Vec<(u16, u16)> {
    let (mut x, mut y) = (0, 0);
    let place = |(_, _, _, words): &(T, U, V, String)| {
        let wide = 2 + text::width(words);
        if x > 0 && x + wide > columns {
            (x, y) = (0, y + 1);
        }
        let here = (x, y);
        x += wide + 2;
        here
    };
    named.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::samples::{PLAIN, lines};

    #[test]
    fn where_the_marks_are_too_many_the_largest_is_named() {
        let sums = Sums {
            busy: Nanos(9_000_000),
            on_cpu: Nanos(1_000),
            waiting: Nanos(2_000),
            unknown: Nanos(8_997_000),
            ..Sums::default()
        };
        let drawn = lines(PLAIN, (48, 2), |area, pen| {
            render("of its time", &sums, ("asleep", pen.theme.text), area, pen);
        });
        assert_eq!(drawn[1], "            ? unknown 9.00 ms >99 %");
    }

    #[test]
    fn what_rounding_leaves_over_is_not_named() {
        let named = |busy, blocked| {
            let sums = Sums {
                busy: Nanos(busy),
                on_cpu: Nanos(busy - blocked),
                blocked: Nanos(blocked),
                ..Sums::default()
            };
            let drawn = lines(PLAIN, (72, 2), |area, pen| {
                let blocked = ("sleep, I/O or lock", pen.theme.text);
                render("of its time", &sums, blocked, area, pen);
            });
            drawn[1].contains("sleep")
        };
        assert!(!named(2_000_000, 1));
        assert!(named(2_000_000, 1_000));
        // Of a task so short it is much.
        assert!(named(5_000, 500));
    }

    #[test]
    fn every_mark_of_the_bar_is_named_in_as_many_lines_as_it_takes() {
        let ms = |count: u64| Nanos(count * 1_000_000);
        let sums = Sums {
            busy: ms(93),
            on_cpu: ms(15),
            waiting: ms(45),
            blocked: ms(33),
            ..Sums::default()
        };
        let drawn = lines(PLAIN, (72, 3), |area, pen| {
            let blocked = ("sleep, I/O or lock", pen.theme.text);
            render("of its time", &sums, blocked, area, pen);
        });
        assert_eq!(
            drawn[1..],
            [
                "            # on CPU 15 ms 16 %  ~ waiting for CPU 45 ms 48 %",
                "            b sleep, I/O or lock 33 ms 36 %"
            ]
        );
    }
}
