//! A program that has called no pool: its processes with the CPU they use, and what is watched.

use ratatui::layout::Rect;

use super::lanes::GUTTER;
use super::text::{Pen, clipped, sanitised, width, wrapped};
use super::{Moment, axis, call, header, hints, news, timeline};
use crate::app::App;
use crate::definition::percent;
use crate::event::{Ended, LaneKind, PROCESS_ON_CPU};
use crate::origin::python::Stream;
use crate::time::{Nanos, Span, Time};
use crate::trace::Lane;

/// A process is asked about this often what it used; what it uses now is what it used before that.
const ASKED: Nanos = Nanos(150_000_000);

/// Most rows of a lane: a few processes fill the screen, one alone is no wall.
const HIGHEST: u16 = 8;

/// Rows that are kept for what the program printed last.
const LEAST_PRINTS: u16 = 2;
const MOST_PRINTS: u16 = 4;

/// Of one that computes for less of the time there is nothing to say.
const COMPUTES: f64 = 0.8;

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
    let top = header::of(app, &app.run, header::PROGRAM, screen.width);
    header::render(&top, row(screen.y, 1), pen);
    call::render(moment.trace, moment.cursor, row(screen.y + 1, 1), pen);
    let lanes: Vec<&Lane> = processes(&moment).collect();
    if let Some(words) = used_of_all(&moment, &lanes) {
        pen.text_within(
            moment.axis.x,
            screen.y + 2,
            moment.axis.width,
            &words,
            pen.theme.text,
        );
    }
    let words = wrapped(
        &words(app, &moment, &lanes),
        screen.width.saturating_sub(GUTTER + 2),
    );
    let below = words.len() as u16 + 5;
    let first = screen.y + 3;
    let room = screen.height.saturating_sub(3 + below).max(1);
    let count = u16::try_from(lanes.len()).unwrap_or(u16::MAX).max(1);
    let room = room - prints_of(room, count, app);
    let each = (room / count).clamp(1, HIGHEST);
    let seen = (room / each).min(count);
    let full = scale(&moment, &lanes);
    for (lane, place) in lanes.iter().zip(0..seen) {
        one(&moment, lane, full, row(first + place * each, each), pen);
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
    let end = screen.bottom().saturating_sub(2);
    prints(app, row(y + 1, end.saturating_sub(y + 1)), pen);
    news::render(app, row(screen.bottom().saturating_sub(2), 1), pen);
    hints::render(app, row(screen.bottom().saturating_sub(1), 1), pen);
}

/// Rows of this room above what is said that go to what the program printed last, once it has printed
/// anything: a few, if each process keeps a line for its name.
fn prints_of(room: u16, processes: u16, app: &App) -> u16 {
    if app.last_lines.is_empty() {
        return 0;
    }
    let left = room.saturating_sub(processes.saturating_mul(2));
    left.clamp(LEAST_PRINTS.min(room / 2), MOST_PRINTS)
}

/// As much as there is room for of what the program printed last.
fn prints(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let lines = &app.last_lines;
    let first = lines.len().saturating_sub(usize::from(area.height));
    for (line, y) in lines[first..].iter().zip(area.y..) {
        if y == area.y {
            pen.text(area.x + 1, y, "prints", theme.dim);
        }
        let ink = match line.stream {
            Stream::Out => theme.text,
            Stream::Err => theme.wait,
        };
        let room = area.width.saturating_sub(GUTTER + 1);
        let words = clipped(&line.text, room, theme.glyphs.grows);
        pen.text(area.x + GUTTER, y, &words, ink);
    }
}

/// What is to be said below the lanes at this moment.
fn words(app: &App, moment: &Moment<'_>, lanes: &[&Lane]) -> String {
    let is_late = moment.cursor.0 >= PATIENCE.0 || app.run.over;
    match call::no_probe(moment.trace, moment.cursor) {
        Some(reason) => format!(
            "no probe: {reason}. The program runs as it does without parviz; its pools cannot be seen."
        ),
        None if is_late => match alone(moment, lanes) {
            Some(words) => format!("{words} {WATCHED}"),
            None => WATCHED.to_owned(),
        },
        None => "waiting for the first call of a pool".to_owned(),
    }
}

/// How long a process had been on CPUs by now, as far as that is known.
fn used(moment: &Moment<'_>, lane: &Lane) -> Option<Nanos> {
    let samples = moment.trace.samples(lane.id, PROCESS_ON_CPU);
    let known = samples.partition_point(|sample| sample.0 <= moment.cursor);
    let last = samples[..known].last()?;
    Some(Nanos(last.1 as u64))
}

/// The moment up to which a process has lived, and whether that is its end.
fn lived(moment: &Moment<'_>, lane: &Lane) -> (Time, bool) {
    let end = lane
        .closed
        .or(moment.trace.ended().map(|(at, _)| (at, Ended::Finished)));
    match end {
        Some((at, _)) if at <= moment.cursor => (at, true),
        _ => (moment.cursor, false),
    }
}

/// `1.8 of 2 CPUs used on average`, `0.05 of 2 CPUs used on average`
fn used_of_all(moment: &Moment<'_>, lanes: &[&Lane]) -> Option<String> {
    let cpus = moment.trace.run()?.cpus?;
    let known: Vec<Nanos> = lanes.iter().filter_map(|lane| used(moment, lane)).collect();
    let length = moment.cursor.since(Time::ZERO);
    if known.is_empty() || length == Nanos::ZERO {
        return None;
    }
    let all = known.into_iter().sum::<Nanos>().seconds() / length.seconds();
    let decimals = if all < 0.995 { 2 } else { 1 };
    Some(format!("{all:.decimals$} of {cpus} CPUs used on average"))
}

/// One process computed nearly all the time, and others could have had a CPU meanwhile.
fn alone(moment: &Moment<'_>, lanes: &[&Lane]) -> Option<String> {
    let cpus = moment.trace.run()?.cpus?;
    let length = moment.cursor.since(Time::ZERO).seconds();
    let shares = lanes
        .iter()
        .map(|lane| Some(used(moment, lane)?.seconds() / length));
    let shares: Vec<f64> = shares.collect::<Option<_>>()?;
    let most = shares.iter().copied().fold(0.0, f64::max);
    let idle = f64::from(cpus) - shares.iter().sum::<f64>();
    let is_alone = (COMPUTES..1.1).contains(&most) && idle >= COMPUTES;
    is_alone.then(|| {
        format!(
            "One process computed {} of the time, and the program had no use for {idle:.0} of {cpus} CPUs: \
             `parviz examples pool_map` shows how a pool uses them.",
            percent(most.min(1.0))
        )
    })
}

/// The processes that have been there, in the order in which they came; the main program until they are
/// known.
fn processes<'a>(moment: &Moment<'a>) -> impl Iterator<Item = &'a Lane> {
    let (trace, cursor) = (moment.trace, moment.cursor);
    let here = move |lane: &&Lane| lane.opened <= cursor;
    let known = trace.processes().any(|lane| here(&lane));
    let callers = trace
        .lanes()
        .filter(move |lane| !known && lane.facts.kind == LaneKind::Caller);
    trace.processes().chain(callers).filter(here)
}

fn is_main(moment: &Moment<'_>, lane: &Lane) -> bool {
    let caller = |lane: &&Lane| lane.facts.kind == LaneKind::Caller;
    let main = moment.trace.lanes().find(caller);
    main.is_some_and(|main| main.facts.pid == lane.facts.pid)
}

/// `main`, or the number of a process.
fn name(moment: &Moment<'_>, lane: &Lane) -> String {
    match lane.facts.pid {
        _ if is_main(moment, lane) => "main".to_owned(),
        Some(pid) => format!("pid {pid}"),
        None => sanitised(&lane.facts.name),
    }
}

/// `python3 work.py  pid 4711  120 ms - 3.02 s  CPU 2.80 s, 96 % of one`; `since 120 ms` while it lives.
/// Where that is too long its number goes first, then the end of its command.
fn facts(moment: &Moment<'_>, lane: &Lane, room: u16, grows: &str) -> String {
    let (until, has_ended) = lived(moment, lane);
    let mut facts = vec![if has_ended {
        format!("{} - {until}", lane.opened)
    } else {
        format!("since {}", lane.opened)
    }];
    let life = until.since(lane.opened).seconds();
    if let Some(used) = used(moment, lane).filter(|_| life > 0.0) {
        let share = used.seconds() / life;
        facts.push(format!("CPU {used}, {:.0} % of one", share * 100.0));
    }
    let known = facts.join("  ");
    let name = sanitised(&lane.facts.name);
    if let Some(pid) = lane.facts.pid {
        let whole = format!("{name}  pid {pid}  {known}");
        if width(&whole) <= room {
            return whole;
        }
    }
    let left = room.saturating_sub(width(&known) + 2);
    format!("{}  {known}", clipped(&name, left, grows))
}

/// How many CPUs a full lane stands for: all lanes have one scale.
fn scale(moment: &Moment<'_>, lanes: &[&Lane]) -> f64 {
    let columns = || moment.axis.stretches();
    let shares = lanes
        .iter()
        .flat_map(|lane| columns().filter_map(|stretch| share(moment, lane, stretch)));
    // A clock that is a little late makes no second CPU.
    (shares.fold(0.0, f64::max) - 0.2).ceil().max(1.0)
}

/// How many CPUs a process used on average in a stretch, up to the cursor; `None` where it was not there.
fn share(moment: &Moment<'_>, lane: &Lane, stretch: Span) -> Option<f64> {
    let (until, _) = lived(moment, lane);
    if stretch.start() < lane.opened || stretch.start() >= until {
        return None;
    }
    let now = Span::new(stretch.start(), stretch.end().min(until));
    let grown = moment.trace.growth(lane.id, PROCESS_ON_CPU, now);
    // What it has not used since it was last told, it has not used.
    Some(grown.map_or(0.0, |(used, _)| used / now.length().0.max(1) as f64))
}

/// A process: how much of the CPUs it used in each column, as height, below what is known of it.
fn one(moment: &Moment<'_>, lane: &Lane, full: f64, area: Rect, pen: &mut Pen<'_>) {
    let (theme, y) = (pen.theme, area.bottom().saturating_sub(1));
    let glyphs = theme.glyphs;
    let bars = area.height - u16::from(area.height > 1);
    // The upper half of the top row stays empty, so that lanes do not touch.
    let tall = if bars > 1 { bars * 8 - 4 } else { 8 };
    let axis = moment.axis;
    if area.height > 1 {
        let room = area.right().saturating_sub(axis.x);
        let facts = facts(moment, lane, room, glyphs.grows);
        pen.text_within(axis.x, area.y, room, &theme.units(&facts), theme.dim);
    }
    let name = clipped(&name(moment, lane), GUTTER - 2, glyphs.grows);
    pen.text(area.x + 1, y, &name, theme.text);
    if bars > 1 {
        let most = format!("{:.0} %", full * 100.0);
        pen.text_until(axis.x - 1, y + 1 - bars, &most, theme.dim);
    }
    for (x, stretch) in (axis.x..).zip(axis.stretches()) {
        let Some(share) = share(moment, lane, stretch) else {
            continue;
        };
        let height = (share / full * f64::from(tall)).round();
        let eighths = match height.clamp(0.0, f64::from(tall)) as u16 {
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
    let (_, has_ended) = lived(moment, lane);
    let words = if has_ended {
        "ended".to_owned()
    } else {
        let since = moment.cursor - Nanos(2 * ASKED.0);
        let until = moment.cursor - ASKED;
        let share = share(moment, lane, Span::new(since, until.max(since)));
        format!("{:>3.0} % CPU", share.unwrap_or(0.0) * 100.0)
    };
    pen.text(axis.right() + 1, y, &words, theme.dim);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Kind, LaneId, LaneOpened, Sample};
    use crate::trace::Trace;
    use crate::ui::axis::Axis;

    /// A process that has used so many milliseconds at 0, 100, 200 ... ms.
    fn process(used: &[u64]) -> Trace {
        let lane = LaneId(0);
        let opened = LaneOpened {
            kind: LaneKind::Other,
            pool: None,
            name: "python3 work.py".to_owned(),
            pid: Some(7),
            tid: None,
        };
        let at = |at: u64, kind| Event {
            at: Time(at * 1_000_000),
            lane,
            kind,
        };
        let mut events = vec![at(0, Kind::LaneOpened(Box::new(opened)))];
        for (step, used) in (0..).zip(used) {
            let quantity = PROCESS_ON_CPU.to_owned();
            let value = (used * 1_000_000) as f64;
            let sample = Sample { quantity, value };
            events.push(at(step * 100, Kind::Sample(Box::new(sample))));
        }
        let mut trace = Trace::default();
        trace.apply(events);
        trace
    }

    fn moment(trace: &Trace) -> Moment<'_> {
        let cursor = Time(400_000_000);
        Moment {
            trace,
            cursor,
            axis: Axis {
                x: 11,
                width: 4,
                span: Span::new(Time::ZERO, cursor),
            },
            findings: &[],
        }
    }

    #[test]
    fn two_threads_that_compute_are_two_hundred_per_cent() {
        let trace = process(&[0, 190, 380, 380, 390]);
        let moment = moment(&trace);
        let lanes: Vec<&Lane> = processes(&moment).collect();
        let shares = moment
            .axis
            .stretches()
            .map(|span| share(&moment, lanes[0], span));
        assert_eq!(shares.collect::<Vec<_>>(), [1.9, 1.9, 0.0, 0.1].map(Some));
        assert!((scale(&moment, &lanes) - 2.0).abs() < 1e-9);
        let says = |room| facts(&moment, lanes[0], room, "...");
        assert_eq!(
            says(59),
            "python3 work.py  pid 7  since 0 ms  CPU 390 ms, 98 % of one"
        );
        assert_eq!(
            says(58),
            "python3 work.py  since 0 ms  CPU 390 ms, 98 % of one"
        );
        assert_eq!(says(48), "python3 ...  since 0 ms  CPU 390 ms, 98 % of one");
    }

    #[test]
    fn a_clock_that_is_late_makes_no_second_cpu() {
        let trace = process(&[0, 80, 190, 290, 390]);
        let moment = moment(&trace);
        let lanes: Vec<&Lane> = processes(&moment).collect();
        assert!((scale(&moment, &lanes) - 1.0).abs() < 1e-9);
    }
}
