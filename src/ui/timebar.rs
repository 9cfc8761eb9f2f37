//! Where every worker-second went up to the cursor: one bar that adds up to all of them.

use ratatui::layout::Rect;

use super::Moment;
use super::lanes::GUTTER;
use super::text::{Pen, width};
use super::theme::Theme;
use crate::definition::{percent, percents};
use crate::palette::Ink;
use crate::trace::{Shares, Trace};

/// Most columns of the bar where it has one row only.
const SHORT: u16 = 24;
/// The share of the axis that it has there.
const SHARE: u16 = 4;

/// One share of the time as it is shown.
pub struct Part {
    pub name: &'static str,
    pub short: &'static str,
    pub share: f64,
    /// Whole per cent; all of them add up to 100.
    pub percent: u32,
    pub glyph: &'static str,
    pub ink: Ink,
}

/// What the share beside a worker is called, see [`Trace::row_worked`].
pub fn worked(trace: &Trace) -> &'static str {
    if trace.is_program() { "busy" } else { "worked" }
}

/// What time is called in which a task was blocked, and its colour. In the lab a task then does not get what it asks
/// for; of one of a program nobody knows.
pub fn blocked(trace: &Trace, theme: Theme) -> (&'static str, Ink) {
    if trace.is_program() {
        ("sleep, I/O or lock", theme.text)
    } else {
        ("blocked", theme.wait)
    }
}

/// The shares in the order of the bar.
pub fn parts(shares: &Shares, trace: &Trace, theme: Theme) -> [Part; 9] {
    let (blocked, blocked_ink) = blocked(trace, theme);
    let glyphs = &theme.glyphs.shares;
    let part = |name, short, time, glyph, ink| Part {
        name,
        short,
        share: shares.share(time).unwrap_or(0.0),
        percent: 0,
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
            blocked,
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
    for (part, percent) in parts.iter_mut().zip(whole) {
        part.percent = percent;
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
    let columns = if rows > 1 {
        axis.width
    } else {
        (axis.width / SHARE).min(SHORT)
    };
    bar(&parts, (axis.x, y), columns, pen);
    if rows > 1 {
        let x = legend(&parts, (axis.x, y + 1), end, false, pen);
        probe(moment, (x, y + 1), end, pen);
    } else {
        legend(&parts, (axis.x + columns + 1, y), end, true, pen);
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
        while x < end {
            pen.cell(x, at.1, part.glyph, part.ink, theme.background);
            x += 1;
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

/// The largest shares in the order of the bar, as many as fit: what was computed in any case, idle time
/// only if all others fit. Answers the column after them.
fn legend(parts: &[Part], at: (u16, u16), end: u16, short: bool, pen: &mut Pen<'_>) -> u16 {
    let theme = pen.theme;
    let words = |part: &Part| {
        let name = if short { part.short } else { part.name };
        format!(" {name} {} %", part.percent)
    };
    let mut named: Vec<&Part> = parts.iter().filter(|part| part.percent > 0).collect();
    let columns = |named: &[&Part]| -> u16 {
        let each = named.iter().map(|part| width(&words(part)) + 3);
        each.sum()
    };
    while at.0 + columns(&named) > end + 2 {
        let least = (0..named.len()).rev();
        let worth = |&place: &usize| match named[place].name {
            "idle" => (0, 0),
            "on CPU" => (2, 0),
            _ => (1, named[place].percent),
        };
        let Some(least) = least.min_by_key(worth) else {
            break;
        };
        named.remove(least);
    }
    let mut x = at.0;
    for part in named {
        let words = words(part);
        pen.cell(x, at.1, part.glyph, part.ink, theme.background);
        x = pen.text(x + 1, at.1, &words, theme.text) + 2;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Kind, LaneId, RunBegan};
    use crate::method::Method;
    use crate::time::{Nanos, Time};
    use crate::ui::samples::{self, PLAIN, lines};

    #[test]
    fn where_words_do_not_fit_the_largest_shares_have_them() {
        let ms = |count: u64| Nanos(count * 1_000_000);
        let shares = Shares {
            on_cpu: ms(12),
            overhead: ms(9),
            starved: ms(60),
            idle: ms(19),
            ..Shares::default()
        };
        let drawn = |width| {
            let drawn = lines(PLAIN, (width, 1), |area, pen| {
                let parts = parts(&shares, &Trace::default(), pen.theme);
                legend(&parts, (area.x, area.y), area.right(), true, pen);
            });
            drawn[0].clone()
        };
        let all = "# CPU 12 %  % overhead 9 %  s starved 60 %  . idle 19 %";
        assert_eq!(drawn(55), all);
        assert_eq!(drawn(54), "# CPU 12 %  % overhead 9 %  s starved 60 %");
        assert_eq!(drawn(41), "# CPU 12 %  s starved 60 %");
        assert_eq!(drawn(25), "# CPU 12 %");
        assert_eq!(drawn(9), "");
    }

    #[test]
    fn of_a_program_nobody_knows_which_waits_were_asked_for() {
        let began = RunBegan {
            label: String::new(),
            measured: true,
            cpus: None,
            cpu_ids: Vec::new(),
            gil: false,
            serial: Nanos::ZERO,
            work: None,
            program: true,
        };
        let mut program = Trace::default();
        program.apply(vec![Event {
            at: Time::ZERO,
            lane: LaneId(0),
            kind: Kind::RunBegan(Box::new(began)),
        }]);
        let shares = Shares {
            on_cpu: Nanos(1),
            blocked: Nanos(9),
            ..Shares::default()
        };
        let said = |run: &Trace| {
            lines(PLAIN, (60, 1), |area, pen| {
                let parts = parts(&shares, run, pen.theme);
                legend(&parts, (area.x, area.y), area.right(), true, pen);
            })
            .concat()
        };
        let lab = samples::run(Method::Map, 1, &[]);
        assert_eq!(said(&lab), "# CPU 10 %  b blocked 90 %");
        assert_eq!(said(&program), "# CPU 10 %  b sleep, I/O or lock 90 %");
    }

    #[test]
    fn the_bar_shows_where_the_time_of_all_workers_went() {
        let run = samples::run(Method::Map, 1, &[]);
        let moment = samples::at(&run, 12, 20);
        let drawn = |rows| lines(PLAIN, (70, rows), |area, pen| render(&moment, area, pen));
        assert_eq!(drawn(1), [" time      ########.. # CPU 82 %  . idle 18 %"]);
        assert_eq!(
            drawn(2),
            [
                " time      #################################.......",
                "           # on CPU 82 %  . idle 18 %",
            ]
        );
    }
}
