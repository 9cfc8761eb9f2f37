//! A program that has called no pool: its processes with the CPU they use, and what is watched.

use ratatui::layout::Rect;

use super::lanes::GUTTER;
use super::text::{Pen, clipped, sanitised, wrapped};
use super::{Moment, axis, call, header, hints, news, timeline};
use crate::app::App;
use crate::time::{Nanos, Time};
use crate::trace::Lane;

/// The quantity that tells how many CPUs a process used since it was told last.
pub const CPU: &str = "cpu";

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
    let rows = (lanes.len() as u16).clamp(1, room);
    for (lane, y) in lanes.iter().zip(first..first + rows) {
        one(&moment, lane, row(y, 1), pen);
    }
    let mut y = first + rows;
    axis::render(&moment, y, pen);
    if lanes.len() > usize::from(rows) {
        let hidden = format!("{rows} of {}", lanes.len());
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

/// One lane for each process that has been there, in the order in which they came.
fn processes<'a>(moment: &Moment<'a>) -> impl Iterator<Item = &'a Lane> {
    let (trace, cursor) = (moment.trace, moment.cursor);
    let mut seen = Vec::new();
    trace.lanes().filter(move |lane| {
        let pid = lane.facts.pid;
        let told = !trace.samples(lane.id, CPU).is_empty();
        let new = pid.is_some() && (told || lane.id.0 == 0) && !seen.contains(&pid);
        let opened = lane.opened <= cursor;
        if new && opened {
            seen.push(pid);
        }
        new && opened
    })
}

/// A process: how much of a CPU it used in each column, as height.
fn one(moment: &Moment<'_>, lane: &Lane, area: Rect, pen: &mut Pen<'_>) {
    let (theme, y) = (pen.theme, area.y);
    let glyphs = theme.glyphs;
    let name = clipped(&sanitised(&lane.facts.name), GUTTER - 2, glyphs.grows);
    pen.text(area.x + 1, y, &name, theme.text);
    let samples = moment.trace.samples(lane.id, CPU);
    let gone = lane.closed.map_or(Time::NEVER, |(at, _)| at);
    for x in moment.axis.x..moment.axis.right() {
        let stretch = moment.axis.stretch(x);
        if stretch.start() >= moment.cursor || stretch.start() < lane.opened {
            continue;
        }
        if stretch.start() >= gone {
            break;
        }
        let share = used(samples, stretch.start(), stretch.end().min(moment.cursor));
        let eighths = (share.unwrap_or(0.0) * 8.0).round().clamp(0.0, 8.0) as usize;
        let glyph = match eighths {
            0 if share.is_some_and(|share| share > 0.01) => glyphs.bars[1],
            0 => glyphs.rule,
            eighths => glyphs.bars[eighths],
        };
        let ink = if eighths == 0 { theme.faint } else { theme.dim };
        pen.cell(x, y, glyph, ink, theme.background);
    }
    let x = moment.axis.right() + 1;
    let words = match used(samples, moment.cursor, moment.cursor) {
        _ if gone <= moment.cursor => "ended".to_owned(),
        Some(share) => format!("{:>3.0} % CPU", share * 100.0),
        None => "runs".to_owned(),
    };
    pen.text(x, y, &words, theme.dim);
}

/// The mean of the samples that cover a stretch: each is about the time before it.
fn used(samples: &[(Time, f64)], from: Time, to: Time) -> Option<f64> {
    let first = samples.partition_point(|sample| sample.0 <= from);
    let last = samples.partition_point(|sample| sample.0 <= to);
    let about = match samples.get(first..(last + 1).min(samples.len())) {
        Some(about) if !about.is_empty() => about,
        // Nothing is told yet of what is going on: the last that is known stands.
        _ => samples.last().map(std::slice::from_ref)?,
    };
    Some(about.iter().map(|sample| sample.1).sum::<f64>() / about.len() as f64)
}
