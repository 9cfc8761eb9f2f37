//! The second line of a program that is watched: which of its calls is shown, and the pool that runs it.

use ratatui::layout::Rect;

use super::header;
use super::text::{Pen, clipped, sanitised, width};
use crate::app::calls::place_of_shown;
use crate::event::{CallKind, NoteKind};
use crate::method::{Badge, Method};
use crate::plural::counted;
use crate::time::Time;
use crate::trace::{Call, Pool, TimedNote, Trace};

/// Columns of a function's name that tell which one it is.
const NAME: u16 = 9;

/// What the line says of the shown call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLine {
    /// `call 3 of 7`
    pub place: String,
    /// `map(f)`
    pub text: String,
    pub badge: Option<Badge>,
    /// In the order of their worth: what does not fit is left out from the last.
    pub facts: Vec<String>,
    /// `Pool, fork, 4 workers`
    pub pool: String,
    pub workers: Option<u32>,
}

impl CallLine {
    /// `None` before the first call.
    pub fn of(trace: &Trace, at: Time) -> Option<Self> {
        let (place, count) = place_of_shown(trace)?;
        let call = trace.call()?;
        let pool = call.facts.pool.and_then(|pool| trace.pool(pool));
        let facts = &call.facts;
        let mut told = Vec::new();
        if let Some((path, line)) = &facts.source {
            told.push(format!("at {}:{line}", file(path)));
        }
        told.push(tasks(trace, call, at));
        told.extend(
            facts
                .chunksize
                .filter(|&size| size > 1)
                .map(|size| format!("chunk {size}")),
        );
        Some(Self {
            place: format!("call {} of {count}", place + 1),
            text: text(call),
            badge: badge(trace, call),
            facts: told,
            pool: pool.map(|pool| words(trace, pool)).unwrap_or_default(),
            workers: pool.and_then(|pool| pool.facts.workers),
        })
    }
}

/// The name of a file without its folders.
pub fn file(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    sanitised(name)
}

/// `map(f)`
pub fn text(call: &Call) -> String {
    let (method, function) = (
        sanitised(&call.facts.method),
        sanitised(&call.facts.function),
    );
    format!("{method}({function})")
}

/// `map(long_nam…)`: what of a call is shown in so many columns, and more than that where else no name could be told.
fn shortened(call: &str, room: u16, more: &str) -> String {
    let Some((method, function)) = call.split_once('(') else {
        return call.to_owned();
    };
    let function = function.strip_suffix(')').unwrap_or(function);
    let room = room.saturating_sub(width(method) + 2).max(NAME);
    format!("{method}({})", clipped(function, room, more))
}

/// How many tasks there are, and how many calls of one task each they came in.
fn tasks(trace: &Trace, call: &Call, at: Time) -> String {
    let tasks = |count| counted(count, "task", "tasks");
    match call.facts.tasks {
        _ if at < call.began => "not called yet".to_owned(),
        _ if call.is_series() => counted(call.members_until(at), "call", "calls"),
        Some(count) => tasks(count as usize),
        None if is_over(trace, call, at) => tasks(call.tasks().len()),
        None => format!("{} so far", tasks(call.tasks().len())),
    }
}

fn is_over(trace: &Trace, call: &Call, at: Time) -> bool {
    let ended = [call.ended, trace.ended()];
    ended.into_iter().flatten().any(|(ended, _)| ended <= at)
}

/// What kind of call it is.
fn badge(trace: &Trace, call: &Call) -> Option<Badge> {
    match trace.call_kind(call) {
        CallKind::MapOfExecutor => Some(Badge::IteratorInOrder),
        CallKind::Submit => Some(Badge::Async),
        _ => Method::named(&call.facts.method).map(|method| method.rules().badge),
    }
}

/// `Pool, fork, 4 workers`, with its place where there are several.
fn words(trace: &Trace, pool: &Pool) -> String {
    let mut words = Vec::new();
    if trace.pools().len() > 1 {
        let number = trace.pool_number(pool.facts.pool);
        words.extend(number.map(|number| format!("pool {number} of {}", trace.pools().len())));
    }
    words.push(sanitised(&pool.facts.kind));
    words.extend(pool.facts.start_method.as_deref().map(sanitised));
    let workers = pool.facts.workers;
    words.extend(workers.map(|workers| counted(workers, "worker", "workers")));
    words.retain(|word| !word.is_empty());
    words.join(", ")
}

/// Draws the line into the row of the area.
pub fn render(trace: &Trace, at: Time, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 {
        return;
    }
    let (theme, y) = (pen.theme, area.y);
    let Some(line) = CallLine::of(trace, at) else {
        let (says, ink) = match no_probe(trace, at) {
            Some(reason) => (format!("no probe: {reason}"), theme.wait),
            None if ended(trace, at).is_some() => ("it called no pool".to_owned(), theme.dim),
            None => ("no call of a pool yet".to_owned(), theme.dim),
        };
        let room = area.width.saturating_sub(2);
        pen.text_within(area.x + 1, y, room, &says, ink);
        return;
    };
    let mut x = pen.text(area.x + 1, y, &line.place, theme.dim) + 2;
    let end = area.right().saturating_sub(1);
    let badge = line.badge.map_or(0, |badge| width(badge.word()) + 4);
    // A long name gives way to the place and to how many tasks there are, as long as it can still be told.
    let facts = line.facts.iter().take(2).map(|fact| width(fact) + 2);
    let facts: Vec<u16> = facts.collect();
    let mut rooms = (0..=facts.len()).rev().map(|count| {
        let others = x + badge + facts[..count].iter().sum::<u16>();
        end.saturating_sub(others)
    });
    let least = width(&shortened(&line.text, 0, theme.glyphs.grows));
    let room = rooms.find(|&room| room >= least).unwrap_or(least);
    let call = shortened(&line.text, room, theme.glyphs.grows);
    x = pen.bold(x, y, &call, theme.now) + 2;
    if let Some(badge) = line.badge {
        x = header::word(badge, (x, y), area.right().saturating_sub(x + 1), pen) + 2;
    }
    for fact in &line.facts {
        if x + width(fact) > end {
            return;
        }
        x = pen.text(x, y, fact, theme.text) + 2;
    }
    if x + width(&line.pool) <= end {
        pen.text_until(end, y, &line.pool, theme.dim);
    }
}

/// Why the program cannot be watched, if that was told by then.
pub fn no_probe(trace: &Trace, at: Time) -> Option<String> {
    let note = last(trace, NoteKind::NoProbe, at)?;
    Some(sanitised(&note.note.text))
}

/// How the program ended, if it had by then: `program ended, exit 3`, and whether that is well.
pub fn ended(trace: &Trace, at: Time) -> Option<(String, bool)> {
    let note = last(trace, NoteKind::ProgramEnded, at)?;
    Some((note.note.words()?, note.note.value == 0))
}

/// The last note of a kind.
fn last(trace: &Trace, kind: NoteKind, at: Time) -> Option<&TimedNote> {
    let known = trace.notes().partition_point(|note| note.at <= at);
    trace.notes()[..known]
        .iter()
        .rfind(|note| note.note.kind == kind)
}
