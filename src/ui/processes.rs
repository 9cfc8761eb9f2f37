//! A program that has called no pool: its processes with the CPU they use, and what is watched.

use ratatui::layout::Rect;

use super::lanes::GUTTER;
use super::text::{Pen, clipped, sanitised, wrapped};
use super::{Moment, axis, call, header, hints, news, timeline};
use crate::app::App;
use crate::event::LaneKind;
use crate::time::{Nanos, Span, Time};
use crate::trace::Lane;

/// Each span of a process is the time it was on a CPU since it was last asked; it is asked this often.
const ASKED: Nanos = Nanos(150_000_000);

/// In a stretch of many looks it matters little what lies between two.
const LONG: Nanos = Nanos(20 * ASKED.0);

/// Most rows of a lane: a few processes fill the screen, one alone is no wall.
const HIGHEST: u16 = 8;

/// A program may take this long to make its first call before it is said what is not seen.
const PATIENCE: Nanos = Nanos(2_000_000_000);

const WATCHED: &str = "parviz watches multiprocessing.Pool and ThreadPool, and the executors of \
    concurrent.futures. It does not see joblib or loky, nor a Process or Thread that a program starts \
    by itself: of those you see above how much of a CPU they use.";

/// Draws the program over the whole screen.
pub fn render(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    let moment = timeline::moment(app, screen);
    let row = |y: u16, height: u16| Rect {
        y,
        height,
        ..screen
    };
    let top = header::of(app, &app.run, "parviz", screen.width);
    header::render(&top, row(screen.y, 1), pen);
    call::render(moment.trace, moment.cursor, row(screen.y + 1, 1), pen);
    let words = words(&moment);
    let words = wrapped(&words, screen.width.saturating_sub(GUTTER + 2));
    let below = words.len() as u16 + 5;
    let first = screen.y + 3;
    let room = screen.height.saturating_sub(3 + below).max(1);
    let lanes: Vec<&Lane> = processes(&moment).collect();
    let count = u16::try_from(lanes.len()).unwrap_or(u16::MAX).max(1);
    let each = (room / count).clamp(1, HIGHEST);
    let seen = (room / each).min(count);
    for (lane, place) in lanes.iter().zip(0..seen) {
        one(&moment, lane, row(first + place * each, each), pen);
    }
    let mut y = first + seen * each;
    axis::render(&moment, y, pen);
    if seen < count {
        let hidden = format!("{seen} of {count}");
        pen.text(moment.axis.right() + 1, y, &hidden, pen.theme.wait);
    }
    y += 2;
    for line in words {
        pen.text(screen.x + GUTTER, y, &line, pen.theme.text);
        y += 1;
    }
    news::render(app, row(screen.bottom().saturating_sub(2), 1), pen);
    hints::render(app, row(screen.bottom().saturating_sub(1), 1), pen);
}

/// What is to be said below the lanes at this moment.
fn words(moment: &Moment<'_>) -> String {
    match call::no_probe(moment.trace, moment.cursor) {
        Some(reason) => format!(
            "no probe: {reason}. The program runs as it does without parviz; its pools cannot be seen."
        ),
        None if moment.cursor.0 >= PATIENCE.0 || moment.is_over() => WATCHED.to_owned(),
        None => "waiting for the first call of a pool".to_owned(),
    }
}

/// The processes that have been there, in the order in which they came; the main program until they are
/// known.
fn processes<'a>(moment: &Moment<'a>) -> impl Iterator<Item = &'a Lane> {
    let (trace, cursor) = (moment.trace, moment.cursor);
    let is_process = |lane: &&Lane| lane.facts.kind == LaneKind::Other && lane.facts.pid.is_some();
    let here = move |lane: &&Lane| lane.opened <= cursor;
    let known = trace.lanes().any(|lane| is_process(&lane) && here(&lane));
    trace
        .lanes()
        .filter(move |lane| {
            known && is_process(lane) || !known && lane.facts.kind == LaneKind::Caller
        })
        .filter(here)
}

/// `main`, or the number of a process.
fn name(moment: &Moment<'_>, lane: &Lane) -> String {
    let caller = |lane: &&Lane| lane.facts.kind == LaneKind::Caller;
    let main = moment.trace.lanes().find(caller);
    match lane.facts.pid {
        pid if main.is_some_and(|main| main.facts.pid == pid) => "main".to_owned(),
        Some(pid) => format!("pid {pid}"),
        None => sanitised(&lane.facts.name),
    }
}

/// A process: how much of a CPU it used in each column, as height.
fn one(moment: &Moment<'_>, lane: &Lane, area: Rect, pen: &mut Pen<'_>) {
    let (theme, y) = (pen.theme, area.bottom().saturating_sub(1));
    let glyphs = theme.glyphs;
    // Of several rows the upper half of the top one stays empty, so that lanes do not touch.
    let tall = if area.height > 1 {
        area.height * 8 - 4
    } else {
        8
    };
    let name = clipped(&name(moment, lane), GUTTER - 2, glyphs.grows);
    pen.text(area.x + 1, y, &name, theme.text);
    let gone = lane.closed.map_or(Time::NEVER, |(at, _)| at);
    for x in moment.axis.x..moment.axis.right() {
        let stretch = moment.axis.stretch(x);
        if stretch.start() >= moment.cursor || stretch.start() < lane.opened {
            continue;
        }
        if stretch.start() >= gone {
            break;
        }
        let now = Span::new(stretch.start(), stretch.end().min(moment.cursor));
        let share = used(lane, now);
        let eighths = match (share * f64::from(tall))
            .round()
            .clamp(0.0, f64::from(tall)) as u16
        {
            0 if share > 0.01 => 1,
            eighths => eighths,
        };
        if eighths == 0 {
            pen.cell(x, y, glyphs.rule, theme.faint, theme.background);
        }
        for row in 0..eighths.div_ceil(8) {
            let bar = glyphs.bars[usize::from((eighths - row * 8).min(8))];
            pen.cell(x, y - row, bar, theme.text, theme.background);
        }
    }
    let x = moment.axis.right() + 1;
    let words = if gone <= moment.cursor || moment.is_over() {
        "ended".to_owned()
    } else {
        let since = moment.cursor - Nanos(2 * ASKED.0);
        let until = moment.cursor - ASKED;
        let share = used(lane, Span::new(since, until.max(since)));
        format!("{:>3.0} % CPU", share * 100.0)
    };
    pen.text(x, y, &words, theme.dim);
}

/// The share of a stretch that a process was on a CPU. When between two looks is not known, so it is
/// spread over all of the time between them; in a long stretch that makes no difference.
fn used(lane: &Lane, stretch: Span) -> f64 {
    let whole = stretch.length().seconds().max(1e-9);
    if stretch.length() > LONG {
        let before = lane.others_until(stretch.start());
        let busy = lane.others_until(stretch.end()).saturating_sub(before);
        return busy.seconds() / whole;
    }
    let spans = lane.others();
    let first = spans.partition_point(|other| other.span.start() + ASKED <= stretch.start());
    let near = spans.part(first..spans.len()).iter();
    let next = near.clone().skip(1).map(|next| next.span.start());
    let mut busy = 0.0;
    for (other, next) in near.zip(next.chain([Time::NEVER])) {
        let start = other.span.start();
        if start >= stretch.end() {
            break;
        }
        let between = Span::new(start, next.min(start + ASKED).max(start));
        let share = other.span.length().seconds() / between.length().seconds().max(1e-9);
        busy += share.min(1.0) * between.overlap(stretch).seconds();
    }
    busy / whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Category, Event, Kind, LaneId, NamedSpan};
    use crate::trace::Trace;

    const LANE: LaneId = LaneId(1);

    /// A process that was on a CPU from one millisecond for so many.
    fn process(spans: impl IntoIterator<Item = (u64, u64)>) -> Trace {
        let told = spans.into_iter().map(|(start, length)| Event {
            at: Time((start + length) * 1_000_000),
            lane: LANE,
            kind: Kind::Span(Box::new(NamedSpan {
                name: String::new(),
                category: Category::Other,
                since: Time(start * 1_000_000),
            })),
        });
        let mut trace = Trace::default();
        trace.apply(told.collect());
        trace
    }

    /// Per cent between two milliseconds.
    fn percent(trace: &Trace, from: u64, to: u64) -> u32 {
        let stretch = Span::new(Time(from * 1_000_000), Time(to * 1_000_000));
        (used(trace.lane(LANE).unwrap(), stretch) * 100.0).round() as u32
    }

    #[test]
    fn what_a_process_used_is_spread_between_two_looks() {
        let trace = process([(0, 50), (100, 100), (900, 10)]);
        let used = |from, to| percent(&trace, from, to);
        assert_eq!([used(0, 100), used(50, 100), used(50, 150)], [50, 50, 58]);
        assert_eq!([used(400, 500), used(0, 0)], [0, 0]);
    }

    #[test]
    fn a_long_stretch_tells_what_many_short_ones_do() {
        let trace = process((0..1_000).map(|look| (look * 150, 30 + look % 60)));
        let part = |second: u64| percent(&trace, second * 1_000, (second + 1) * 1_000);
        let short: u32 = (0..100).map(part).sum();
        assert!(percent(&trace, 0, 100_000).abs_diff(short / 100) <= 1);
    }
}
