//! Where every worker-second went up to the cursor: one bar that adds up to all of them.

use ratatui::layout::Rect;

use super::Moment;
use super::lanes::GUTTER;
use super::text::{Pen, width};
use super::theme::Theme;
use crate::definition::{percent, percents};
use crate::palette::Ink;
use crate::trace::{Shares, Trace};
use std::cmp::Reverse;

/// Columns of the bar where it has one row only.
const SHORT: u16 = 24;
/// Columns of the bar at most where the words for all shares do not fit beside `SHORT`.
const SHORTER: u16 = 12;
/// On a narrow axis the bar has one of so many parts of that.
const SHARE: u16 = 4;
/// Columns between two entries of the legend.
const APART: u16 = 2;

/// What a legend without room for all keeps of those that are about as large, in the order of the bar: first what was
/// computed and what nobody knows, last what nobody did. It is fixed: the words would change all the time if the
/// largest had them to the last per cent.
const RANKS: [usize; 9] = [0, 2, 3, 4, 6, 8, 5, 7, 1];

/// One share of the time as it is shown.
pub struct Part {
    pub name: &'static str,
    pub short: &'static str,
    pub share: f64,
    /// Whole per cent; all of them add up to 100.
    pub percent: u32,
    /// Place among those that a legend without room for all keeps.
    rank: usize,
    pub glyph: &'static str,
    pub ink: Ink,
}

impl Part {
    /// The lower, the sooner it goes where a legend has no room for all: by whole tens of per cent. What was
    /// computed stays.
    fn worth(&self) -> (bool, u32, Reverse<usize>) {
        (self.rank == 0, self.percent / 10, Reverse(self.rank))
    }
}

/// What the share beside a worker is called, see [`Trace::row_worked`].
pub fn worked(trace: &Trace) -> &'static str {
    if trace.is_program() { "busy" } else { "worked" }
}

/// What time is called in which a task was blocked, at length and in short, and its colour. In the lab,
/// where the work is known beforehand, a task then does not get what it asks for; of one of a program nobody
/// knows.
pub fn blocked(trace: &Trace, theme: Theme) -> (&'static str, &'static str, Ink) {
    let is_lab = trace.run().is_none_or(|run| run.work.is_some());
    if trace.is_program() && !is_lab {
        ("sleep, I/O or lock", "asleep", theme.text)
    } else {
        ("blocked", "blocked", theme.wait)
    }
}

/// The shares in the order of the bar.
pub fn parts(shares: &Shares, trace: &Trace, theme: Theme) -> [Part; 9] {
    let (blocked, blocked_short, blocked_ink) = blocked(trace, theme);
    let glyphs = &theme.glyphs.shares;
    let part = |name, short, time, glyph, ink| Part {
        name,
        short,
        share: shares.share(time).unwrap_or(0.0),
        percent: 0,
        rank: 0,
        glyph,
        ink,
    };
    let mut parts = [
        part("on CPU", "CPU", shares.on_cpu, glyphs.on_cpu, theme.text),
        part(
            "I/O",
            "I/O",
            shares.useful_wait,
            glyphs.useful_wait,
            theme.text,
        ),
        part(
            "waiting for CPU",
            "waiting",
            shares.waiting_cpu,
            glyphs.waiting_cpu,
            theme.wait,
        ),
        part(
            blocked,
            blocked_short,
            shares.blocked,
            glyphs.blocked,
            blocked_ink,
        ),
        part(
            "overhead",
            "overhead",
            shares.overhead,
            glyphs.overhead,
            theme.dim,
        ),
        part(
            "starved",
            "starved",
            shares.starved,
            glyphs.starved,
            theme.dim,
        ),
        part("dead", "dead", shares.dead, glyphs.dead, theme.bad),
        part("idle", "idle", shares.idle, glyphs.idle, theme.faint),
        part(
            "unknown",
            "unknown",
            shares.unknown,
            glyphs.unknown,
            theme.dim,
        ),
    ];
    let whole = percents(parts.each_ref().map(|part| part.share));
    for ((part, percent), rank) in parts.iter_mut().zip(whole).zip(RANKS) {
        (part.percent, part.rank) = (percent, rank);
    }
    parts
}

/// Draws the bar into the first row of the area. With two rows it is as wide as the time axis and the
/// legend stands below it; with one the legend stands behind it as far as it fits.
pub fn render(moment: &Moment<'_>, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (y, rows, end) = (area.y, area.height, area.right());
    pen.text_within(area.x + 1, y, GUTTER - 2, "time", theme.text);
    let parts = parts(&moment.trace.shares(moment.cursor), moment.trace, theme);
    let axis = moment.axis;
    if rows > 1 {
        bar(&parts, (axis.x, y), axis.width, pen);
        let names = Names::Long;
        let x = legend(&parts, names, (axis.x, y + 1), end, pen);
        probe(moment, (x, y + 1), end, pen);
    } else {
        let names = Names::Short;
        let beside = |columns: u16| axis.x + columns + 1;
        let columns = if beside(SHORT) + names.columns(&seen(&parts)) <= end {
            SHORT
        } else {
            SHORTER.min(axis.width / SHARE)
        };
        bar(&parts, (axis.x, y), columns, pen);
        legend(&parts, names, (beside(columns), y), end, pen);
    }
}

/// Draws the shares as filled cells; each boundary is rounded once, so that they add up.
pub fn bar(parts: &[Part], at: (u16, u16), columns: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let mut sum = 0.0;
    let mut x = at.0;
    for part in parts {
        sum += part.share;
        let end = at.0 + ((sum * f64::from(columns)).round() as u16).min(columns);
        if x < end {
            pen.cell(x, at.1, part.glyph, part.ink, theme.background);
            pen.repeat(Rect::new(x, at.1, end - x, 1));
            x = end;
        }
    }
}

/// What watching itself took of the overhead, once that is told.
fn probe(moment: &Moment<'_>, (x, y): (u16, u16), end: u16, pen: &mut Pen<'_>) {
    if let Some(share) = moment.trace.watching_share(moment.cursor) {
        let words = format!("({} of overhead is watching)", percent(share));
        if x + width(&words) <= end {
            pen.text(x, y, &words, pen.theme.dim);
        }
    }
}

/// What the shares are called in a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Long,
    Short,
}

impl Names {
    fn words(self, part: &Part) -> String {
        let name = match self {
            Self::Long => part.name,
            Self::Short => part.short,
        };
        format!("{name} {} %", part.percent)
    }

    /// The columns of a legend of these, its marks included. A share of one digit has room for two: it may grow.
    fn columns(self, parts: &[&Part]) -> u16 {
        let each = parts.iter().map(|part| {
            let grows = u16::from(part.percent < 10);
            2 + width(&self.words(part)) + grows + APART
        });
        each.sum::<u16>().saturating_sub(APART)
    }
}

/// The shares that are at least a per cent.
fn seen(parts: &[Part]) -> Vec<&Part> {
    parts.iter().filter(|part| part.percent > 0).collect()
}

/// What the shares that are not among these add up to, in words.
fn others(parts: &[Part], shown: &[&Part]) -> Option<String> {
    let all: u32 = parts.iter().map(|part| part.percent).sum();
    let said: u32 = shown.iter().map(|part| part.percent).sum();
    (said < all).then(|| format!("other {} %", all - said))
}

/// The shares in the order of the bar; where not all fit, those that are worth most, and what is left as one
/// number, so that it adds up. Answers the column after them.
fn legend(parts: &[Part], names: Names, at: (u16, u16), end: u16, pen: &mut Pen<'_>) -> u16 {
    let theme = pen.theme;
    let mut shown = seen(parts);
    let mut rest = None;
    let columns = |shown: &[&Part], rest: &Option<String>| {
        let rest = rest.as_ref().map_or(0, |words| APART + width(words));
        names.columns(shown) + rest
    };
    while at.0 + columns(&shown, &rest) > end {
        let Some(least) = (0..shown.len()).min_by_key(|&place| shown[place].worth()) else {
            break;
        };
        shown.remove(least);
        // A number of all that is there would say nothing.
        rest = others(parts, &shown).filter(|_| !shown.is_empty());
    }
    let mut x = at.0;
    for part in shown {
        pen.cell(x, at.1, part.glyph, part.ink, theme.background);
        x = pen.text(x + 2, at.1, &names.words(part), theme.text) + APART;
    }
    match rest {
        Some(words) => pen.text(x, at.1, &words, theme.dim) + APART,
        None => x,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::time::Nanos;
    use crate::ui::samples::{self, PLAIN, lines};

    #[test]
    fn where_words_do_not_fit_always_the_same_shares_have_them_and_all_adds_up() {
        let ms = |count: u64| Nanos(count * 1_000_000);
        let drawn = |width, [on_cpu, overhead, starved, idle]: [u64; 4]| {
            let shares = Shares {
                on_cpu: ms(on_cpu),
                overhead: ms(overhead),
                starved: ms(starved),
                idle: ms(idle),
                ..Shares::default()
            };
            let drawn = lines(PLAIN, (width, 1), |area, pen| {
                let parts = parts(&shares, &Trace::default(), pen.theme);
                legend(&parts, Names::Short, (area.x, area.y), area.right(), pen);
            });
            drawn[0].clone()
        };
        let some = [12, 9, 60, 19];
        let all = "# CPU 12 %  % overhead 9 %  s starved 60 %  . idle 19 %";
        assert_eq!(drawn(56, some), all);
        let first = "# CPU 12 %  s starved 60 %  . idle 19 %  other 9 %";
        assert_eq!(drawn(55, some), first);
        assert_eq!(drawn(49, some), "# CPU 12 %  s starved 60 %  other 28 %");
        assert_eq!(drawn(37, some), "# CPU 12 %  other 88 %");
        assert_eq!(drawn(21, some), "");
        // While the shares change, the words stay.
        let later = "# CPU 7 %  s starved 68 %  . idle 18 %  other 7 %";
        assert_eq!(drawn(54, [7, 7, 68, 18]), later);
        let other = "# CPU 46 %  % overhead 10 %  . idle 43 %  other 1 %";
        assert_eq!(drawn(55, [46, 10, 1, 43]), other);
    }

    #[test]
    fn of_a_program_nobody_knows_which_waits_were_asked_for() {
        let program = samples::of_python(None);
        let shares = Shares {
            on_cpu: Nanos(1),
            blocked: Nanos(9),
            ..Shares::default()
        };
        let said = |run: &Trace, names| {
            lines(PLAIN, (60, 1), |area, pen| {
                let parts = parts(&shares, run, pen.theme);
                legend(&parts, names, (area.x, area.y), area.right(), pen);
            })
            .concat()
        };
        let lab = samples::run(Method::Map, 1, &[]);
        assert_eq!(said(&lab, Names::Short), "# CPU 10 %  b blocked 90 %");
        let whole = "# on CPU 10 %  b sleep, I/O or lock 90 %";
        assert_eq!(said(&program, Names::Long), whole);
        assert_eq!(said(&program, Names::Short), "# CPU 10 %  b asleep 90 %");
        let python = samples::of_python(Some(Nanos(10)));
        assert_eq!(said(&python, Names::Long), "# on CPU 10 %  b blocked 90 %");
    }

    #[test]
    fn the_bar_shows_where_the_time_of_all_workers_went() {
        let run = samples::run(Method::Map, 1, &[]);
        let moment = samples::at(&run, 12, 20);
        let drawn = |rows, columns| {
            lines(PLAIN, (columns, rows), |area, pen| {
                render(&moment, area, pen);
            })
        };
        let beside = "# CPU 82 %  . idle 18 %";
        let bar = "####################....";
        assert_eq!(drawn(1, 59), [format!(" time      {bar} {beside}")]);
        // One column less has no room for so long a bar and all words.
        assert_eq!(drawn(1, 58), [format!(" time      ########.. {beside}")]);
        assert_eq!(
            drawn(2, 70),
            [
                " time      #################################.......",
                "           # on CPU 82 %  . idle 18 %",
            ]
        );
    }
}
