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

/// From so many columns on tasks are described.
const WIDE: u16 = 110;

/// Columns of a method, or of a command line that may be longer, before the name gives way to it.
const MOST_METHOD: u16 = 24;

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
            let rules = experiment.method.rules();
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
            speed: playback.speed.to_string(),
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
    let rules = experiment.method.rules();
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
        let count = match (experiment.backend, experiment.workers) {
            (Backend::Processes, workers) => counted(workers, "process", "processes"),
            (_, workers) => counted(workers, "worker", "workers"),
        };
        workers.push(format!("{count} on {}", counted(cpus, "CPU", "CPUs")));
        workers.push(count);
    }
    let kind = match experiment.kind {
        WorkKind::Cpu => "",
        WorkKind::Io => "I/O ",
        WorkKind::Mixed => "mixed ",
    };
    let tasks = counted(
        experiment.tasks,
        &format!("{kind}task"),
        &format!("{kind}tasks"),
    );
    let described = format!("{tasks} {}", costs(&experiment.costs));
    // Which interpreter runs them matters more than how long they are.
    let is_full = experiment.backend == Backend::Python && experiment.kind == WorkKind::Mixed;
    let tasks = if columns < WIDE || is_full {
        vec![tasks]
    } else {
        vec![described, tasks]
    };
    let mut facts = if experiment.kind == WorkKind::Mixed {
        vec![mixed(&workers, &tasks, experiment.tasks)]
    } else {
        vec![workers, tasks]
    };
    if experiment.backend == Backend::Python {
        facts.insert(1, interpreter(run));
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

/// Workers and tasks as one fact: tasks may be mixed without having been asked for, and that is said in
/// the least room there is.
fn mixed(workers: &[String], tasks: &[String], count: u32) -> Vec<String> {
    let short = format!("{count} mixed");
    let beside = |workers: &String, tasks: &String| format!("{workers}  {tasks}");
    let long = workers.first().into_iter();
    let long = long.flat_map(|workers| tasks.iter().map(|tasks| beside(workers, tasks)));
    let shorter = workers.iter().map(|workers| beside(workers, &short));
    let alone = tasks.iter().cloned();
    let least = [short.clone(), "mixed".to_owned()];
    long.chain(shorter).chain(alone).chain(least).collect()
}

/// `python 3.11.7 Pool fork`, as far as is known.
fn interpreter(run: &Run) -> Vec<String> {
    let told = run.trace.run();
    let python = told.map_or_else(|| "python".to_owned(), |run| sanitised(&run.label));
    let pool = run.trace.pools().next().map(|pool| {
        let start_method = pool.facts.start_method.as_deref().unwrap_or_default();
        sanitised(format!("{} {start_method}", pool.facts.kind).trim_end())
    });
    let pool = pool.map(|pool| format!("{python} {pool}"));
    pool.into_iter().chain([python]).collect()
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
    let clock = format!("{glyph} {}  {} ", header.clock.speed, header.clock.time);
    let clock_x = area.right().saturating_sub(width(&clock));
    let end = clock_x.saturating_sub(width(&header.origin) + 3);
    pen.text_on(end, y, &header.origin, theme.dim, panel);
    pen.bold_on(clock_x, y, &clock, theme.now, panel);

    let badge = header.badge.map_or("", Badge::word);
    let said = width(&header.method).min(MOST_METHOD) + width(&header.state);
    let named = width(&header.name) + said + width(badge) + 7;
    let mut x = area.x + 1;
    if x + named < end {
        x = pen.bold_on(x, y, &header.name, theme.now, panel) + 1;
    }
    // A method is short; the command line of a program may not be.
    let most = end
        .saturating_sub(x + 1)
        .max(1)
        .min((area.width / 2).max(20));
    let method = clipped(&header.method, most, theme.glyphs.grows);
    x = pen.bold_on(x, y, &method, theme.now, panel) + 2;
    if let Some(badge) = header.badge {
        x = word(badge, (x, y), end.saturating_sub(x + 1), pen) + 2;
    }
    if !header.state.is_empty() {
        x = pen.bold_on(x, y, &header.state, theme.text, panel) + 2;
    }
    for fact in &header.facts {
        let fits = |words: &String| x + width(words) + 1 < end;
        let Some(words) = fact.iter().find(|words| fits(words)) else {
            break;
        };
        x = pen.text_on(x, y, words, theme.text, panel) + 2;
    }
}

/// The word for a kind of call, as it stands out, in so much room; answers the column after it.
pub fn word(badge: Badge, (x, y): (u16, u16), room: u16, pen: &mut Pen<'_>) -> u16 {
    let theme = pen.theme;
    let (ink, ground) = colours(badge, theme);
    let word = badge.word();
    let word = match word.split_once(' ') {
        Some((_, rest)) if width(word) + 2 > room => rest,
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
    use crate::ui::samples::{PLAIN, lines};

    fn drawn(width: u16) -> String {
        let header = Header {
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
        };
        lines(PLAIN, (width, 1), |area, pen| render(&header, area, pen)).remove(0)
    }

    #[test]
    fn that_tasks_are_mixed_is_said_in_the_least_room() {
        let facts = |workers: &[&str], tasks: &[&str]| {
            let owned = |words: &[&str]| -> Vec<String> {
                words.iter().map(|&words| words.to_owned()).collect()
            };
            mixed(&owned(workers), &owned(tasks), 24)
        };
        let workers = ["4 workers on 2 CPUs", "4 workers"];
        assert_eq!(
            facts(&workers, &["24 mixed tasks"]),
            [
                "4 workers on 2 CPUs  24 mixed tasks",
                "4 workers on 2 CPUs  24 mixed",
                "4 workers  24 mixed",
                "24 mixed tasks",
                "24 mixed",
                "mixed",
            ]
        );
        assert_eq!(
            facts(&[], &["24 mixed tasks"]),
            ["24 mixed tasks", "24 mixed", "mixed"]
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out_but_never_method_origin_or_time() {
        assert_eq!(
            drawn(140),
            " parviz imap_unordered  [ITERATOR as finished]  8 workers on 4 CPUs  \
             24 tasks lognormal 600 ms  seed 7              measured   > 1x  1.07 s"
        );
        assert_eq!(
            drawn(90),
            " parviz imap_unordered  [ITERATOR as finished]  8 workers         measured   > 1x  1.07 s"
        );
        assert_eq!(
            drawn(60),
            " imap_unordered  [as finished]      measured   > 1x  1.07 s"
        );
    }
}
