//! The first line: what runs, what kind of call that is, and what time it is in the run.

use ratatui::layout::Rect;

use super::call;
use super::text::{Pen, clipped, sanitised, width};
use super::theme::Theme;
use crate::app::{App, Run, Subject, Watched};
use crate::experiment::{Backend, Experiment, WorkKind};
use crate::method::{Badge, Sends};
use crate::palette::Ink;
use crate::plural::counted;
use crate::workload::Costs;

/// Before the method, where not two runs are to be told apart.
pub const PROGRAM: &str = "parviz";

/// From so many columns on tasks are described; beside the name of an interpreter from so many.
const WIDE: u16 = 110;
const WIDER: u16 = 150;

/// Columns of a speed and of a time, which both grow and shrink while a run plays: what stands before them
/// does not move.
const SPEED: u16 = 3;
pub const TIME: u16 = 7;

/// Columns of a method, or of a command line that may be longer, before the name gives way to it.
const MOST_METHOD: u16 = 24;
/// Columns that are left of it in any case.
const LEAST_METHOD: u16 = 8;

/// What the first line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `parviz`, or which of two runs this is.
    pub name: String,
    pub method: String,
    pub badge: Option<Badge>,
    /// Whether a program runs or how it ended; always shown.
    pub state: String,
    /// In the order of their worth, each at length and in short: what does not fit is left out from
    /// the last.
    pub facts: Vec<Vec<String>>,
    /// `measured` or `simulated`.
    pub origin: String,
    pub clock: Clock,
}

/// Whether the picture moves, how fast, and the moment it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    pub motion: Motion,
    pub speed: String,
    pub time: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    Playing,
    Paused,
    Ended,
}

/// What the first line says of a run.
pub fn of(app: &App, run: &Run, name: &str, columns: u16) -> Header {
    let mut state = String::new();
    let (method, badge, facts, measured) = match &run.subject {
        Subject::Experiment(experiment) => {
            let measured = experiment.backend.is_measured();
            let rules = experiment.rules();
            let facts = tasks_and_workers(app, run, experiment, columns);
            (rules.name.to_owned(), Some(rules.badge), facts, measured)
        }
        Subject::Program(program) => {
            let ended = call::ended(&run.trace, run.playback.cursor);
            state = ended.map_or_else(|| "program running".to_owned(), |(words, _)| words);
            let command = sanitised(&program.command);
            (command, None, python_and_cpus(run, program), true)
        }
    };
    let measured = run.trace.run().map_or(measured, |told| told.measured);
    let playback = run.playback;
    let motion = if run.over && playback.cursor >= run.end() {
        Motion::Ended
    } else if playback.is_paused() {
        Motion::Paused
    } else {
        Motion::Playing
    };
    Header {
        name: name.to_owned(),
        method,
        badge,
        state,
        facts,
        origin: if measured { "measured" } else { "simulated" }.to_owned(),
        clock: Clock {
            motion,
            speed: run.speed().to_string(),
            time: playback.cursor.to_string(),
        },
    }
}

/// What is said of a program, the most useful first.
fn python_and_cpus(run: &Run, program: &Watched) -> Vec<Vec<String>> {
    let python = program.python.as_deref().map(|version| {
        let python = sanitised(version);
        vec![python]
    });
    let cpus = run.trace.run().and_then(|run| run.cpus);
    let cpus = cpus.map(|cpus| vec![counted(cpus, "CPU", "CPUs")]);
    python.into_iter().chain(cpus).collect()
}

/// What is said of an experiment, the most useful first.
fn tasks_and_workers(
    app: &App,
    run: &Run,
    experiment: &Experiment,
    columns: u16,
) -> Vec<Vec<String>> {
    let rules = experiment.rules();
    let told = run.trace.run();
    let cpus = told.and_then(|run| run.cpus).or(experiment.cpus).unwrap_or(
        if experiment.backend.is_measured() {
            app.cpus
        } else {
            experiment.workers
        },
    );
    let mut workers = Vec::new();
    if rules.sends != Sends::Nothing {
        let count = workers_of(experiment.backend, experiment.workers);
        let cpus_in_words = counted(cpus, "CPU", "CPUs");
        workers.push(format!("{count} on {cpus_in_words}"));
        // Where that is worth a word, and the name of the backend needs none.
        if experiment.workers > cpus && experiment.backend == Backend::Simulated {
            workers.push(format!("{} on {cpus_in_words}", experiment.workers));
        }
        workers.push(count);
    }
    let is_python = experiment.backend == Backend::Python;
    let is_wide = columns >= if is_python { WIDER } else { WIDE };
    let mut facts = vec![workers, tasks(experiment, is_wide)];
    if is_python {
        facts.push(interpreter(run));
    }
    facts.retain(|fact| !fact.is_empty());
    if matches!(rules.sends, Sends::ChunksByRule | Sends::ChunksOfOne) {
        let told = run.trace.call().and_then(|call| call.facts.chunksize);
        let size = told.or(experiment.chunksize);
        let words = size.map_or_else(|| "chunk auto".to_owned(), |size| format!("chunk {size}"));
        facts.push(vec![words]);
    }
    facts.push(vec![format!("seed {}", experiment.seed)]);
    facts
}

/// How many there are, as what they are on this backend.
fn workers_of(backend: Backend, workers: u32) -> String {
    match backend {
        Backend::Threads => counted(workers, "thread", "threads"),
        Backend::Processes => counted(workers, "process", "processes"),
        Backend::Simulated => counted(workers, "worker", "workers"),
        Backend::Python => format!("python: {}", counted(workers, "worker", "workers")),
    }
}

/// How many tasks there are, at length with how long they take and in short without what they do.
fn tasks(experiment: &Experiment, is_wide: bool) -> Vec<String> {
    let kind = match experiment.kind {
        WorkKind::Io => "I/O ",
        WorkKind::Cpu | WorkKind::Mixed => "",
    };
    let (one, more) = (format!("{kind}task"), format!("{kind}tasks"));
    let tasks = counted(experiment.tasks, &one, &more);
    // One task alone computes.
    let is_mixed = experiment.kind == WorkKind::Mixed && experiment.tasks > 1;
    let waits = if is_mixed { ", half wait" } else { "" };
    let mut words = Vec::new();
    if is_wide {
        words.push(format!("{tasks} {}{waits}", costs(&experiment.costs)));
    }
    if is_mixed {
        words.push(format!("{tasks}{waits}"));
        // That half of them wait is said in any case: it is why they take less of the CPUs.
        words.push(format!("{} mixed tasks", experiment.tasks));
    } else {
        words.push(tasks);
    }
    words
}

/// `3.11.7 Pool fork`, as far as is known; that it is Python is said of the workers.
fn interpreter(run: &Run) -> Vec<String> {
    let told = run.trace.run();
    let python = told.map_or_else(String::new, |run| sanitised(&run.label));
    let python = python.strip_prefix("python ").unwrap_or(&python);
    let pool = run.trace.pools().next().map(|pool| {
        let start_method = pool.facts.start_method.as_deref().unwrap_or_default();
        sanitised(format!("{} {start_method}", pool.facts.kind).trim_end())
    });
    let Some(pool) = pool else {
        return Vec::from_iter((!python.is_empty()).then(|| python.to_owned()));
    };
    vec![format!("{python} {pool}").trim().to_owned(), pool]
}

/// How long tasks take, in a few words.
fn costs(costs: &Costs) -> String {
    match costs {
        Costs::List(_) => "of listed lengths".to_owned(),
        Costs::Const(cost) => format!("of {cost}"),
        Costs::Uniform { low, high } => format!("uniform {low} to {high}"),
        Costs::Ramp { from, to } => format!("ramp {from} to {to}"),
        Costs::Lognormal { mean, .. } => format!("lognormal {mean}"),
        Costs::Bimodal { common, rare, .. } => format!("of {common} or {rare}"),
    }
}

/// Draws the header into the first row of the area. The method, the origin and the time always show;
/// where it is narrow the name goes first, then words of the badge.
pub fn render(header: &Header, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (y, panel) = (area.y, theme.panel);
    pen.fill(Rect { height: 1, ..area }, panel);
    let glyph = match header.clock.motion {
        Motion::Playing => theme.glyphs.playing,
        Motion::Paused => theme.glyphs.paused,
        Motion::Ended => theme.glyphs.ended,
    };
    let Clock { speed, time, .. } = &header.clock;
    let reserved = width(glyph) + 1 + width(speed).max(SPEED) + 2 + width(time).max(TIME) + 1;
    let clock_x = area.right().saturating_sub(reserved);
    let end = clock_x.saturating_sub(width(&header.origin) + 3);
    pen.text_on(end, y, &header.origin, theme.dim, panel);
    pen.bold_on(clock_x, y, &format!("{glyph} {speed}"), theme.now, panel);
    let time_x = area.right().saturating_sub(width(time) + 1);
    pen.bold_on(time_x, y, &theme.units(time), theme.now, panel);

    let badge = header.badge.map_or("", Badge::word);
    let said = width(&header.method).min(MOST_METHOD) + width(&header.state);
    let said = said + width(badge) + 7;
    let named = width(&header.name) + said;
    // The first two facts tell more than the name of the program.
    let worth = |from: u16| {
        let told = fitting(&header.facts, from, end);
        let columns = told.first().map_or(0, |words| width(words));
        (told.len().min(2), columns)
    };
    let mut x = area.x + 1;
    let gives_way = header.name == PROGRAM && worth(area.x + said) > worth(x + named);
    if x + named < end && !gives_way {
        x = pen.bold_on(x, y, &header.name, theme.now, panel) + 1;
    }
    // A method is short; the command line of a program may not be, and makes room for what became of it.
    let state = match width(&header.state) {
        0 => 0,
        columns => columns + 3,
    };
    let most = end
        .saturating_sub(x + 1 + state)
        .max(LEAST_METHOD)
        .min((area.width / 2).max(20));
    let method = clipped(&header.method, most, theme.glyphs.grows);
    x = pen.bold_on(x, y, &method, theme.now, panel) + 2;
    if let Some(badge) = header.badge {
        x = word(badge, (x, y), end.saturating_sub(x + 1), pen) + 2;
    }
    if !header.state.is_empty() {
        x = pen.bold_on(x, y, &header.state, theme.text, panel) + 2;
    }
    facts(&header.facts, (x, y), end, panel, pen);
}

/// Draws facts from a column on as far as they fit before another, each as long as it fits; answers the
/// column after them.
pub fn facts(
    facts: &[Vec<String>],
    (x, y): (u16, u16),
    end: u16,
    ground: Ink,
    pen: &mut Pen<'_>,
) -> u16 {
    let mut x = x;
    for words in fitting(facts, x, end) {
        let theme = pen.theme;
        x = pen.text_on(x, y, &theme.units(words), theme.text, ground) + 2;
    }
    x
}

/// The words for as many facts as fit from a column on, each as long as it fits. The first makes room for the
/// shortest of the second: how many there are and what they do belong together.
fn fitting(facts: &[Vec<String>], x: u16, end: u16) -> Vec<&String> {
    let mut x = x;
    let mut told = Vec::new();
    let second = facts.get(1).and_then(|fact| fact.last());
    let mut reserved = second.map_or(0, |words| width(words) + 2);
    for fact in facts {
        let longest = |room: u16| {
            let mut words = fact.iter();
            words.find(|words| x + width(words) + room + 1 < end)
        };
        let Some(words) = longest(reserved).or_else(|| longest(0)) else {
            break;
        };
        x += width(words) + 2;
        told.push(words);
        reserved = 0;
    }
    told
}

/// The word for a kind of call, as it stands out, in so much room; answers the column after it.
pub fn word(badge: Badge, (x, y): (u16, u16), room: u16, pen: &mut Pen<'_>) -> u16 {
    let theme = pen.theme;
    let (ink, ground) = colours(badge, theme);
    let word = badge.word();
    let word = match word.split_once(' ') {
        Some((first, _)) if width(word) + 2 > room => first,
        _ => word,
    };
    if theme.is_bare() {
        return pen.bold_on(x, y, &format!("[{word}]"), theme.now, theme.panel);
    }
    pen.bold_on(x, y, &format!(" {word} "), ink, ground)
}

/// Methods that do not block, or hand over as finished, stand out.
fn colours(badge: Badge, theme: Theme) -> (Ink, Ink) {
    match badge {
        Badge::Async | Badge::IteratorAsFinished => (Ink::BLACK, theme.badge),
        Badge::Sync | Badge::IteratorInOrder | Badge::Serial => (theme.background, theme.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method::{Imap, Map, MapAsync};
    use crate::ui::samples::{PLAIN, lines};

    fn header() -> Header {
        Header {
            name: "parviz".into(),
            method: "imap_unordered".into(),
            badge: Some(Badge::IteratorAsFinished),
            state: String::new(),
            facts: vec![
                vec!["8 workers on 4 CPUs".into(), "8 workers".into()],
                vec!["24 tasks lognormal 600 ms".into(), "24 tasks".into()],
                vec!["seed 7".into()],
            ],
            origin: "measured".into(),
            clock: Clock {
                motion: Motion::Playing,
                speed: "1x".into(),
                time: "1.07 s".into(),
            },
        }
    }

    fn drawn(width: u16) -> String {
        let header = header();
        lines(PLAIN, (width, 1), |area, pen| render(&header, area, pen)).remove(0)
    }

    #[test]
    fn that_half_of_the_tasks_wait_is_said_where_there_is_room() {
        let mut experiment = Experiment {
            kind: WorkKind::Mixed,
            costs: Costs::Const(crate::time::Nanos::SECOND),
            tasks: 24,
            ..Experiment::default()
        };
        let short = ["24 tasks, half wait", "24 mixed tasks"];
        assert_eq!(tasks(&experiment, false), short);
        let wide = tasks(&experiment, true);
        assert_eq!(wide[0], "24 tasks of 1.00 s, half wait");
        assert_eq!(wide[1..], short);
        experiment.tasks = 1;
        assert_eq!(tasks(&experiment, false), ["1 task"]);
    }

    #[test]
    fn what_a_worker_is_and_what_tasks_do_is_said_on_the_usual_screen() {
        let told = |method, backend, kind| {
            let experiment = Experiment {
                method,
                backend,
                kind,
                ..Experiment::default()
            };
            let app = App::new(experiment, crate::app::Settings::default());
            let header = of(&app, &app.run, PROGRAM, 80);
            let drawn = lines(PLAIN, (80, 1), |area, pen| render(&header, area, pen)).remove(0);
            let (_, facts) = drawn.split_once("]  ").unwrap();
            facts.split("    ").next().unwrap().trim_end().to_owned()
        };
        let (cpu, mixed) = (WorkKind::Cpu, WorkKind::Mixed);
        for (method, backend, kind, says) in [
            (
                Map,
                Backend::Threads,
                mixed,
                "4 threads on 4 CPUs  24 mixed tasks",
            ),
            (
                Map,
                Backend::Python,
                mixed,
                "python: 4 workers  24 tasks, half wait",
            ),
            (
                MapAsync,
                Backend::Processes,
                mixed,
                "4 processes  24 mixed tasks",
            ),
            (
                MapAsync,
                Backend::Simulated,
                cpu,
                "4 workers on 4 CPUs  24 tasks",
            ),
            (Imap, Backend::Python, mixed, "python: 4 workers"),
        ] {
            let drawn = told(method, backend, kind);
            assert!(drawn.starts_with(says), "{drawn}");
        }
    }

    #[test]
    fn a_long_command_makes_room_for_what_became_of_the_program() {
        let mut header = header();
        header.badge = None;
        header.method = "script.py --with many --long options".into();
        header.state = "program ended, exit 3".into();
        let drawn =
            |width| lines(PLAIN, (width, 1), |area, pen| render(&header, area, pen)).remove(0);
        assert_eq!(
            drawn(60),
            " scrip...  program ended, exit 3  measured   > 1x    1.07 s"
        );
        assert!(
            drawn(80).contains("  program ended, exit 3  "),
            "{}",
            drawn(80)
        );
    }

    #[test]
    fn what_is_said_stays_while_the_run_plays() {
        let before = |time: &str, width: u16| {
            let mut header = header();
            header.clock.time = time.into();
            let line = lines(PLAIN, (width, 1), |area, pen| render(&header, area, pen)).remove(0);
            line.split_once('>').map(|(before, _)| before.to_owned())
        };
        for width in 60..140 {
            let begin = before("0 ms", width);
            for time in ["12.3 us", "960 ms", "1.07 s", "12.34 s", "321 s"] {
                assert_eq!(before(time, width), begin, "{width} {time}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_but_never_method_origin_or_time() {
        assert_eq!(
            drawn(140),
            " parviz imap_unordered  [ITERATOR as finished]  8 workers on 4 CPUs  \
             24 tasks lognormal 600 ms  seed 7            measured   > 1x    1.07 s"
        );
        assert_eq!(
            drawn(90),
            " imap_unordered  [ITERATOR as finished]  8 workers  24 tasks    measured   > 1x    1.07 s"
        );
        assert_eq!(
            drawn(80),
            " imap_unordered  [ITERATOR as finished]  8 workers    measured   > 1x    1.07 s"
        );
        assert_eq!(
            drawn(60),
            " imap_unordered  [ITERATOR]       measured   > 1x    1.07 s"
        );
    }
}
