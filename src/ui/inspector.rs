//! The whole story of one task: when it was where, what it waited for, and how it ended.

mod delivered;
mod fate;
mod spent;

use ratatui::layout::Rect;

use super::overlay;
use super::text::{self, Pen};
use crate::app::action::Action;
use crate::app::{App, Run};
use crate::bytes;
use crate::method::{Delivery, Method};
use crate::palette::Ink;
use crate::time::{Nanos, Time};
use crate::trace::{Call, Sums, Task, Trace};

/// Columns of a function's name that tell which one it is.
const NAME: u16 = 10;
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
    /// At length and in short.
    before: [&'static str; 2],
    /// The time before it is the task's own.
    ran: bool,
}

/// Draws the story of a task, as far as the cursor, over the screen.
pub fn render(app: &App, screen: Rect, pen: &mut Pen<'_>) {
    let (run, task) = (&app.run, app.selection.task);
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
    let closes = format!("{} close", app.keymap.of(Action::Close));
    let inside = overlay::render(pen, area, &format!("task {index}"), &closes);
    let cursor = run.playback.cursor;
    facts(run, call, index, &task, inside, pen);
    let of = super::hues::tasks(call);
    let ink = pen.theme.task(index, of);
    let moments = moments(&run.trace, call, (index, &task), cursor);
    let over = run.trace.ended().is_some_and(|(at, _)| at <= cursor);
    let lines = Rect {
        y: inside.y + 4,
        ..inside
    };
    Story::new(&moments, (cursor, over), inside.width.saturating_sub(BAR))
        .render(&moments, ink, lines, pen);
    let ended = task.finished <= cursor;
    if let Some(sums) = sums(&run.trace, &task, cursor).filter(|sums| ended || sums.is_known()) {
        let y = inside.y + 5 + moments.len() as u16;
        let lines = Rect {
            y,
            height: inside.bottom().saturating_sub(y),
            ..inside
        };
        let title = title(&task, cursor);
        let blocked = super::timebar::blocked(&run.trace, pen.theme);
        spent::render(title, &sums, (blocked.0, blocked.2), lines, pen);
    }
}

/// What of its time is shown: also one that was lost has no more of it to come.
fn title(task: &Task, cursor: Time) -> &'static str {
    match task.outcome_at(cursor) {
        Some(_) => "of its time",
        None => "so far",
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
    let (word, ink) = fate::state(&run.trace, call, task, cursor, theme);
    let room = inside.width.saturating_sub(text::width(&word) + 2);
    let called = run.experiment().map_or_else(
        || foreign_call(call, room, theme.glyphs.grows),
        |experiment| experiment.call_text(index),
    );
    let called = text::clipped(&called, room, theme.glyphs.grows);
    let end = pen.bold_on(x, y, &called, theme.now, panel);
    let from = (end + 2).max(x + 12);
    let end = pen.bold_on(from, y, &within(from, &word), ink, panel);
    let words = whereabouts(&run.trace, call, (index, task), cursor, theme.glyphs.arrow);
    let mut lines = text::wrapped(&words, inside.width);
    if let Some(error) = call.error(index).filter(|_| task.finished <= cursor) {
        let error = text::sanitised(error);
        // A long one has a line of its own.
        let (x, y) = if end + 2 + text::width(&error) <= inside.right() {
            (end + 2, y)
        } else {
            lines = vec![words];
            (x, y + 2)
        };
        pen.text_on(x, y, &within(x, &error), theme.bad, panel);
    }
    for (line, y) in lines.iter().take(2).zip(y + 1..) {
        pen.text_on(x, y, &within(x, line), theme.text, panel);
    }
}

/// `f(...) at script.py:12`: the arguments of a program's call are not known. A long name gives way to the place.
fn foreign_call(call: &Call, room: u16, more: &str) -> String {
    let source = call.facts.source.as_ref();
    let place = source.map(|(file, line)| format!(" at {}:{line}", super::call::file(file)));
    let rest = format!("(...){}", place.unwrap_or_default());
    let room = room.saturating_sub(text::width(&rest)).max(NAME);
    let function = text::clipped(&text::sanitised(&call.facts.function), room, more);
    format!("{function}{rest}")
}

/// `worker 3, thread 812, CPU 1 -> 2, chunk 6 (tasks 12-13)`: as far as it was settled at the cursor.
fn whereabouts(
    trace: &Trace,
    call: &Call,
    (index, task): (u32, &Task),
    cursor: Time,
    arrow: &str,
) -> String {
    let mut parts = Vec::new();
    let chunk = call.chunk_of(index);
    let sent = call.chunk(chunk);
    let dequeued = sent.map_or(Time::NEVER, |sent| sent.dequeued);
    let taken = dequeued.min(task.started).min(task.finished).min(task.lost);
    let lane = task.lane.filter(|_| taken <= cursor);
    if let Some(lane) = lane.and_then(|id| trace.lane(id)) {
        parts.push(text::sanitised(&lane.facts.name));
        parts.extend(lane.facts.pid.map(|pid| format!("process {pid}")));
        // The first thread of a process has its number.
        let (pid, tid) = (lane.facts.pid.map(u64::from), lane.facts.tid);
        parts.extend(
            tid.filter(|_| tid != pid)
                .map(|tid| format!("thread {tid}")),
        );
    }
    let cpus = (
        task.cpu_start.filter(|_| task.started <= cursor),
        task.cpu_end.filter(|_| task.finished <= cursor),
    );
    match cpus {
        (Some(from), Some(to)) if from != to => {
            parts.push(format!("CPU {} {arrow} {}", from.0, to.0));
        }
        (Some(cpu), _) | (None, Some(cpu)) => parts.push(format!("CPU {}", cpu.0)),
        (None, None) => {}
    }
    if let Some(sent) = sent {
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
        let carried = [
            (sent.bytes_there, sent.enqueued, "there"),
            (sent.bytes_back, sent.returned, "back"),
        ];
        parts.extend(carried.into_iter().filter_map(|(size, at, way)| {
            let size = size.filter(|_| at <= cursor)?;
            Some(format!("{} {way}", bytes::words(u64::from(size))))
        }));
    }
    parts.join(", ")
}

fn moments(trace: &Trace, call: &Call, (index, task): (u32, &Task), cursor: Time) -> Vec<Moment> {
    let chunk = call.chunk(call.chunk_of(index));
    let of_chunk = |at: fn(crate::trace::Chunk) -> Time| chunk.map_or(Time::NEVER, at);
    let is_first = chunk.is_none_or(|chunk| chunk.tasks.first == index);
    let is_last = chunk.is_none_or(|chunk| chunk.tasks.end == index + 1);
    let to_start = if is_first {
        ["to its start", "to start"]
    } else {
        ["behind its chunk", "chunk"]
    };
    let back = if is_last {
        ["on its way back", "way back"]
    } else {
        ["rest of its chunk", "chunk"]
    };
    let ran = if task.started.happened() { "ran" } else { "" };
    let delivery = Method::named(&call.facts.method).map(|method| method.rules().delivery);
    let to_ready = match delivery {
        Some(Delivery::List | Delivery::InOrder) => ["held behind others", "held"],
        // No other task is waited for.
        _ => ["handed over", "handed"],
    };
    let to_delivered = delivered::until(trace, call, task, cursor);
    let moment = |word, at, before| Moment {
        word,
        at,
        before,
        ran: false,
    };
    let enqueued = of_chunk(|chunk| chunk.enqueued);
    let dequeued = of_chunk(|chunk| chunk.dequeued);
    let mut moments = vec![
        moment("submitted", task.submitted, [""; 2]),
        moment("enqueued", enqueued, ["to the queue", "to queue"]),
        moment("dequeued", dequeued, ["in the queue", "queued"]),
        moment("started", task.started, to_start),
        Moment {
            ran: task.started.happened(),
            ..moment("finished", task.finished, [ran; 2])
        },
        moment("returned", of_chunk(|chunk| chunk.returned), back),
        moment("ready", task.ready, to_ready),
        moment("delivered", task.delivered, to_delivered),
    ];
    if task.lost.happened() {
        // A task that had ended before its worker died was lost with it all the same.
        let running = task.started.happened() && !task.finished.happened();
        moments.truncate(if running { 4 } else { 5 });
        moments.push(Moment {
            ran: running,
            ..moment("lost", task.lost, fate::lost_by(trace, call, task))
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
    /// Columns of the longest bar.
    scale: u16,
    /// Columns of bars and words.
    columns: u16,
}

impl Story {
    fn new(moments: &[Moment], (cursor, over): (Time, bool), columns: u16) -> Self {
        let seen = moments.iter().map(|moment| moment.at);
        let seen = seen.filter(|&at| at <= cursor);
        let going_on = !over && moments.iter().any(|moment| moment.at > cursor);
        let begin = seen.clone().min().unwrap_or(cursor);
        let last = seen.max().unwrap_or(cursor);
        let mut story = Self {
            cursor,
            over,
            begin,
            end: if going_on { cursor } else { last },
            scale: columns,
            columns,
        };
        // Bars are as long as leaves room for all words beside them: at length, if that does not make them short.
        let ways = [(columns * 2 / 3, 1), (columns / 2, 2)];
        let mut ways = ways
            .iter()
            .flat_map(|&(least, words)| (least..=columns).rev().map(move |scale| (scale, words)));
        let best = ways.find(|&(scale, words)| {
            story.scale = scale;
            story.has_room(moments, words)
        });
        story.scale = best.map_or(columns / 2, |best| best.0);
        story
    }

    /// Whether the first so many words of each moment, or one of them, fit beside its bar.
    fn has_room(&self, moments: &[Moment], words: usize) -> bool {
        let mut before: Option<Time> = None;
        moments.iter().all(|moment| {
            let until = moment.at.min(self.cursor);
            let stretch = before.map(|from| (from, until));
            before = (moment.at <= self.cursor).then_some(moment.at);
            stretch
                .filter(|(from, to)| from < to)
                .is_none_or(|stretch| {
                    let bar = self.bar(moment, stretch);
                    let words = moment.before.iter().take(words);
                    words
                        .into_iter()
                        .any(|words| place(text::width(words), bar, self.columns).is_some())
                })
        })
    }

    /// The columns from and to which the time before a moment is drawn.
    fn bar(&self, moment: &Moment, (from, to): (Time, Time)) -> (u16, u16) {
        let (from, to) = (self.column(from), self.column(to));
        (from, to.max(from + u16::from(moment.ran)).min(self.scale))
    }

    fn column(&self, at: Time) -> u16 {
        let whole = self.end.since(self.begin).0.max(1);
        let since = at.since(self.begin).0.min(whole);
        (u128::from(since) * u128::from(self.scale) / u128::from(whole)) as u16
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
        let (from, to) = self.bar(moment, (from, to));
        let left = line.x + BAR;
        for offset in from..to {
            pen.cell(left + offset, y, glyph, bar, theme.panel);
        }
        if length > Nanos::ZERO {
            let fits = |words: &&str| place(text::width(words), (from, to), self.columns);
            let placed = moment
                .before
                .iter()
                .find_map(|words| Some((fits(words)?, words)));
            // Where no word fits, the length stands for itself.
            if let Some((at, words)) = placed {
                pen.text_on(left + at, y, words, theme.text, theme.panel);
            }
        }
    }
}

/// The first column for words of this width beside a bar: behind it or before it, never on it.
fn place(wide: u16, (from, to): (u16, u16), columns: u16) -> Option<u16> {
    if to + 1 + wide <= columns {
        Some(to + 1)
    } else {
        from.checked_sub(wide + 1)
    }
}

fn right_aligned(pen: &mut Pen<'_>, (end, y): (u16, u16), words: &str, ink: Ink) {
    let theme = pen.theme;
    let x = end.saturating_sub(text::width(words));
    pen.text_on(x, y, &theme.units(words), ink, theme.panel);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Settings;
    use crate::event::TaskId;
    use crate::experiment::{Backend, Experiment, Fault, FaultKind};
    use crate::origin::simulated;
    use crate::ui::samples::{self, PLAIN, lines};

    #[test]
    fn words_stand_beside_a_bar_and_never_on_it() {
        assert_eq!(place(5, (2, 10), 20), Some(11));
        assert_eq!(place(5, (8, 18), 20), Some(2));
        assert_eq!(place(12, (2, 19), 20), None);
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

    #[test]
    fn no_worker_is_named_before_one_took_the_task() {
        let trace = samples::run(Method::Map, 1, &[]);
        let call = trace.call().unwrap();
        let task = call.task(7).unwrap();
        let chunk = call.chunk(call.chunk_of(7)).unwrap();
        let says = |cursor| whereabouts(&trace, call, (7, &task), cursor, "->");
        assert_eq!(says(Time(chunk.dequeued.0 - 1)), "chunk 7 (task 7)");
        let taken = says(chunk.dequeued);
        assert!(
            taken.starts_with("worker ") && taken.ends_with("chunk 7 (task 7)"),
            "{taken}"
        );
        assert!(!taken.contains("->"), "{taken}");
    }

    #[test]
    fn a_lost_task_has_no_more_time_to_come() {
        let fault = Fault {
            task: 3,
            kind: FaultKind::Die,
        };
        let trace = samples::run(Method::Map, 1, &[fault]);
        let task = trace.call().unwrap().task(3).unwrap();
        let says = [Time(task.lost.0 - 1), task.lost].map(|cursor| title(&task, cursor));
        assert_eq!(says, ["so far", "of its time"]);
    }

    #[test]
    fn only_where_others_are_waited_for_a_result_is_held() {
        let to_ready = |method| {
            let trace = samples::short(method);
            let call = trace.call().unwrap();
            let task = call.task(0).unwrap();
            moments(&trace, call, (0, &task), trace.end())[6].before[0]
        };
        for method in [Method::Map, Method::MapAsync, Method::Imap] {
            assert_eq!(to_ready(method), "held behind others");
        }
        for method in [Method::ImapUnordered, Method::ApplyAsync] {
            assert_eq!(to_ready(method), "handed over");
        }
    }

    #[test]
    fn the_time_around_a_task_is_that_of_its_chunk_only_where_there_is_more_of_it() {
        let before = |chunksize, index| {
            let trace = samples::run(Method::Imap, chunksize, &[]);
            let call = trace.call().unwrap();
            let task = call.task(index).unwrap();
            let moments = moments(&trace, call, (index, &task), trace.end());
            [3, 5].map(|moment| moments[moment].before[0])
        };
        assert_eq!(before(1, 2), ["to its start", "on its way back"]);
        assert_eq!(before(2, 2), ["to its start", "rest of its chunk"]);
        assert_eq!(before(2, 3), ["behind its chunk", "on its way back"]);
    }

    #[test]
    fn a_narrow_screen_has_all_of_who_ran_it_and_whole_words_beside_the_bars() {
        let experiment = Experiment {
            backend: Backend::Simulated,
            method: Method::Map,
            workers: 2,
            tasks: 64,
            chunksize: Some(16),
            ..Experiment::default()
        };
        let mut app = App::new(experiment.clone(), Settings::default());
        app.run.trace.apply(simulated::run(&experiment));
        app.run.playback.cursor = app.run.trace.end();
        let call = app.run.trace.call().unwrap().facts.call;
        app.selection.task = Some(TaskId { call, index: 17 });
        let drawn = |columns| {
            let drawn = lines(PLAIN, (columns, 20), |area, pen| render(&app, area, pen));
            drawn.join("\n")
        };
        let small = drawn(60);
        assert!(small.contains(".. chunk "), "{small}");
        assert!(small.contains(" held ."), "{small}");
        assert!(drawn(40).contains("  16-31) "), "{}", drawn(40));
    }
}
