//! The whole story of one task: when it was where, what it waited for, and how it ended.

use ratatui::layout::Rect;

use super::overlay;
use super::text::{self, Pen};
use crate::app::Run;
use crate::bytes;
use crate::definition::{percents, rounded};
use crate::event::{Outcome, TaskId};
use crate::palette::Ink;
use crate::time::{Nanos, Time};
use crate::trace::{Call, Sums, Task, Trace};

/// Letters of a function's name.
const NAME: usize = 60;
const NARROW: u16 = 78;
const WIDE: u16 = 104;
const HEIGHT: u16 = 19;
/// Where the columns of the moments end or begin.
const AT: u16 = 20;
const AFTER: u16 = 31;
const BAR: u16 = 34;

/// A moment in the life of a task, and what the time before it was spent with.
struct Moment {
    word: &'static str,
    at: Time,
    before: &'static str,
    /// The time before it is the task's own.
    ran: bool,
}

/// Draws the story of a task, as far as the cursor, over the screen.
pub fn render(run: &Run, task: Option<TaskId>, screen: Rect, pen: &mut Pen<'_>) {
    let width = if screen.width > WIDE + 10 {
        WIDE
    } else {
        NARROW
    };
    let area = overlay::place(screen, width, HEIGHT);
    let task = task.and_then(|task| {
        let call = run.trace.call_by(task.call)?;
        Some((task.index, call, call.task(task.index)?))
    });
    let Some((index, call, task)) = task else {
        let inside = overlay::render(pen, area, "no task", "");
        let says = "no task is selected: choose a lane and a task with the arrows";
        pen.text_on(
            inside.x,
            inside.y + 1,
            says,
            pen.theme.text,
            pen.theme.panel,
        );
        return;
    };
    let inside = overlay::render(pen, area, &format!("task {index}"), "Esc close");
    let cursor = run.playback.cursor;
    facts(run, call, index, &task, inside, pen);
    let of = super::hues::tasks(call);
    let ink = pen.theme.task(index, of);
    let moments = moments(call, index, &task);
    let over = run.trace.ended().is_some_and(|(at, _)| at <= cursor);
    let lines = Rect {
        y: inside.y + 4,
        ..inside
    };
    Story::new(&moments, (cursor, over), inside.width.saturating_sub(BAR))
        .render(&moments, ink, lines, pen);
    let ended = task.finished <= cursor;
    if let Some(sums) = sums(&run.trace, &task, cursor).filter(|sums| ended || sums.is_known()) {
        let line = Rect {
            y: inside.y + 5 + moments.len() as u16,
            ..inside
        };
        let title = if ended { "of its time" } else { "so far" };
        let blocked = super::timebar::blocked(&run.trace, pen.theme);
        spent(title, &sums, blocked, line, pen);
    }
}

/// How its time went up to the cursor: while it runs, as far as it was told.
fn sums(trace: &Trace, task: &Task, cursor: Time) -> Option<Sums> {
    let lane = trace.lane(task.lane?)?;
    // A worker runs one task at a time.
    (task.started <= cursor)
        .then(|| lane.sums_between(task.started, task.finished.min(task.lost).min(cursor)))
}

/// What it calls, how it ended, who ran it where.
fn facts(run: &Run, call: &Call, index: u32, task: &Task, inside: Rect, pen: &mut Pen<'_>) {
    let (theme, cursor, y) = (pen.theme, run.playback.cursor, inside.y + 1);
    let (x, panel) = (inside.x, theme.panel);
    let within = |from: u16, words: &str| {
        text::clipped(
            words,
            inside.right().saturating_sub(from),
            theme.glyphs.grows,
        )
    };
    let called = run.experiment().map_or_else(
        || foreign_call(call),
        |experiment| experiment.call_text(index),
    );
    let end = pen.bold_on(x, y, &within(x, &called), theme.now, panel);
    let (word, ink) = state(&run.trace, task, cursor, pen);
    let end = pen.bold_on((end + 2).max(x + 12), y, &word, ink, panel);
    if let Some(error) = call.error(index).filter(|_| task.finished <= cursor) {
        let error = text::sanitised(error);
        // A long one has a line of its own.
        let (x, y) = if end + 2 + text::width(&error) <= inside.right() {
            (end + 2, y)
        } else {
            (x, y + 2)
        };
        pen.text_on(x, y, &within(x, &error), theme.bad, panel);
    }
    let words = whereabouts(&run.trace, call, index, task, theme.glyphs.arrow);
    pen.text_on(x, y + 1, &within(x, &words), theme.text, panel);
}

/// `f(...) at script.py:12`: the arguments of a program's call are not known.
fn foreign_call(call: &Call) -> String {
    let function: String = call.facts.function.chars().take(NAME).collect();
    let source = call.facts.source.as_ref();
    let place = source.map(|(file, line)| format!(" at {}:{line}", super::call::file(file)));
    let function = text::sanitised(&function);
    format!("{function}(...){}", place.unwrap_or_default())
}

fn state(trace: &Trace, task: &Task, at: Time, pen: &Pen<'_>) -> (String, Ink) {
    let theme = pen.theme;
    let lane = task.lane.and_then(|lane| trace.lane(lane));
    if let (Some(Outcome::Lost), Some(lane)) = (task.outcome_at(at), lane)
        && lane.exit.is_some()
    {
        let word = Outcome::Lost.word();
        return (format!("{word}, worker {}", lane.ending()), theme.bad);
    }
    let (word, ink) = match task.outcome_at(at) {
        Some(outcome @ Outcome::Ok) => (outcome.word(), theme.text),
        Some(outcome) => (outcome.word(), theme.bad),
        None if task.started <= at => ("running", theme.text),
        None if task.submitted <= at => ("in the queue", theme.wait),
        None => ("not submitted yet", theme.dim),
    };
    (word.to_owned(), ink)
}

/// `worker 3, thread 812, CPU 1 -> 2, chunk 6 (tasks 12-13)`
fn whereabouts(trace: &Trace, call: &Call, index: u32, task: &Task, arrow: &str) -> String {
    let mut parts = Vec::new();
    if let Some(lane) = task.lane.and_then(|id| trace.lane(id)) {
        parts.push(text::sanitised(&lane.facts.name));
        parts.extend(lane.facts.pid.map(|pid| format!("process {pid}")));
        // The first thread of a process has its number.
        let (pid, tid) = (lane.facts.pid.map(u64::from), lane.facts.tid);
        parts.extend(
            tid.filter(|_| tid != pid)
                .map(|tid| format!("thread {tid}")),
        );
    }
    match (task.cpu_start, task.cpu_end) {
        (Some(from), Some(to)) if from != to => {
            parts.push(format!("CPU {} {arrow} {}", from.0, to.0));
        }
        (Some(cpu), _) | (None, Some(cpu)) => parts.push(format!("CPU {}", cpu.0)),
        (None, None) => {}
    }
    let chunk = call.chunk_of(index);
    if let Some(sent) = call.chunk(chunk) {
        let noun = if sent.tasks.len() == 1 {
            "task"
        } else {
            "tasks"
        };
        parts.push(format!(
            "chunk {chunk} ({noun} {})",
            Call::words(sent.tasks)
        ));
        // The message may carry other tasks of the chunk as well.
        let carried = [(sent.bytes_there, "there"), (sent.bytes_back, "back")];
        parts.extend(carried.into_iter().filter_map(|(size, way)| {
            let size = bytes::words(u64::from(size?));
            Some(format!("{size} {way}"))
        }));
    }
    parts.join(", ")
}

fn moments(call: &Call, index: u32, task: &Task) -> Vec<Moment> {
    let chunk = call.chunk(call.chunk_of(index));
    let of_chunk = |at: fn(crate::trace::Chunk) -> Time| chunk.map_or(Time::NEVER, at);
    let moment = |word, at, before| Moment {
        word,
        at,
        before,
        ran: false,
    };
    let mut moments = vec![
        moment("submitted", task.submitted, ""),
        moment("enqueued", of_chunk(|chunk| chunk.enqueued), "to the queue"),
        moment("dequeued", of_chunk(|chunk| chunk.dequeued), "in the queue"),
        moment("started", task.started, "behind its chunk"),
        Moment {
            ran: task.started.happened(),
            ..moment(
                "finished",
                task.finished,
                if task.started.happened() { "ran" } else { "" },
            )
        },
        moment(
            "returned",
            of_chunk(|chunk| chunk.returned),
            "rest of its chunk",
        ),
        moment("ready", task.ready, "held behind others"),
        moment("delivered", task.delivered, "main was busy"),
    ];
    if task.lost.happened() {
        // A task that had ended before its worker died was lost with it all the same.
        let running = task.started.happened() && !task.finished.happened();
        moments.truncate(if running { 4 } else { 5 });
        moments.push(Moment {
            ran: running,
            ..moment("lost", task.lost, "its worker died")
        });
    }
    moments
}

/// The lines of the moments on one scale of time.
struct Story {
    cursor: Time,
    /// Nothing more will happen in the run.
    over: bool,
    begin: Time,
    end: Time,
    /// Columns of the bars.
    columns: u16,
}

impl Story {
    fn new(moments: &[Moment], (cursor, over): (Time, bool), columns: u16) -> Self {
        let seen = moments.iter().map(|moment| moment.at);
        let seen = seen.filter(|&at| at <= cursor);
        let going_on = !over && moments.iter().any(|moment| moment.at > cursor);
        let begin = seen.clone().min().unwrap_or(cursor);
        let last = seen.max().unwrap_or(cursor);
        Self {
            cursor,
            over,
            begin,
            end: if going_on { cursor } else { last },
            columns,
        }
    }

    fn column(&self, at: Time) -> u16 {
        let whole = self.end.since(self.begin).0.max(1);
        let since = at.since(self.begin).0.min(whole);
        (u128::from(since) * u128::from(self.columns) / u128::from(whole)) as u16
    }

    /// A line for each moment: when, how long after the one before, and the same as a bar.
    fn render(&self, moments: &[Moment], ink: Ink, area: Rect, pen: &mut Pen<'_>) {
        let theme = pen.theme;
        let mut before: Option<Time> = None;
        for (moment, y) in moments.iter().zip(area.y..area.bottom()) {
            pen.text_on(area.x, y, moment.word, theme.text, theme.panel);
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            let happened = moment.at <= self.cursor;
            let (words, at) = match before {
                _ if happened => (moment.at.to_string(), Some(moment.at)),
                // What is going on now has lasted until the cursor.
                Some(_) if !self.over => (theme.glyphs.grows.to_owned(), Some(self.cursor)),
                _ => ("-".to_owned(), None),
            };
            let value = if happened { theme.now } else { theme.dim };
            right_aligned(pen, (area.x + AT, y), &words, value);
            if let Some((from, to)) = before.zip(at) {
                self.stretch(moment, (from, to), ink, line, pen);
            }
            if happened || !self.over {
                before = at.filter(|_| happened);
            }
        }
    }

    /// The time before a moment, as a length and as a bar that says what it was.
    fn stretch(
        &self,
        moment: &Moment,
        (from, to): (Time, Time),
        ink: Ink,
        line: Rect,
        pen: &mut Pen<'_>,
    ) {
        let (theme, y) = (pen.theme, line.y);
        let length = to.since(from);
        let value = if moment.ran { theme.now } else { theme.dim };
        right_aligned(pen, (line.x + AFTER, y), &format!("+ {length}"), value);
        let (glyph, bar) = if moment.ran {
            (theme.glyphs.full, ink)
        } else {
            (theme.glyphs.blocked, theme.dim)
        };
        let (from, to) = (self.column(from), self.column(to));
        let to = to.max(from + u16::from(moment.ran)).min(self.columns);
        let left = line.x + BAR;
        for offset in from..to {
            pen.cell(left + offset, y, glyph, bar, theme.panel);
        }
        if length > Nanos::ZERO {
            let (at, room) = place(text::width(moment.before), (from, to), self.columns);
            let words = text::clipped(moment.before, room, theme.glyphs.grows);
            pen.text_on(left + at, y, &words, theme.text, theme.panel);
        }
    }
}

/// The first column and the room for words of this width beside a bar: behind it, before it or in it;
/// where they fit nowhere, on the side with more room.
fn place(wide: u16, (from, to): (u16, u16), columns: u16) -> (u16, u16) {
    let inside = columns.saturating_sub(from + 1);
    if to + 1 + wide <= columns {
        (to + 1, wide)
    } else if wide < from {
        (from - wide - 1, wide)
    } else if wide <= inside || inside >= from {
        (from + 1, inside)
    } else {
        (0, from.saturating_sub(1))
    }
}

fn right_aligned(pen: &mut Pen<'_>, (end, y): (u16, u16), words: &str, ink: Ink) {
    let panel = pen.theme.panel;
    pen.text_on(end.saturating_sub(text::width(words)), y, words, ink, panel);
}

/// How the time between start and end was spent, as a bar that adds up to it, and in words.
fn spent(title: &str, sums: &Sums, blocked: (&'static str, Ink), area: Rect, pen: &mut Pen<'_>) {
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
    let mut x = left;
    let shares = parts.map(|part| part.1.seconds() / whole);
    let known = parts
        .into_iter()
        .zip(shares.into_iter().zip(percents(shares)));
    for ((name, part, glyph, ink), (share, percent)) in known {
        if part == Nanos::ZERO {
            continue;
        }
        let words = format!("{name} {part} {}", rounded(share, percent));
        if x + 2 + text::width(&words) > area.right() {
            break;
        }
        pen.cell(x, area.y + 1, glyph, ink, theme.panel);
        x = pen.text_on(x + 2, area.y + 1, &words, theme.text, theme.panel) + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::ui::samples;

    #[test]
    fn words_beside_a_bar_stand_where_there_is_most_room() {
        assert_eq!(place(5, (2, 10), 20), (11, 5));
        assert_eq!(place(5, (8, 18), 20), (2, 5));
        assert_eq!(place(12, (2, 19), 20), (3, 17));
        assert_eq!(place(18, (18, 20), 20), (0, 17));
    }

    #[test]
    fn while_a_task_runs_its_time_so_far_is_told() {
        let trace = samples::short(Method::Map);
        let task = trace.call().unwrap().task(0).unwrap();
        let middle = Time(u64::midpoint(task.started.0, task.finished.0));
        let told = |cursor| sums(&trace, &task, cursor).map(|sums| (sums.busy, sums.on_cpu));
        let half = middle.since(task.started);
        assert_eq!(told(middle), Some((half, half)));
        let whole = task.service().unwrap();
        assert_eq!(told(trace.end()), Some((whole, whole)));
    }
}
