//! What happened last, newest first.

use super::Moment;
use super::lanes::GUTTER;
use super::text::{Pen, clipped, sanitised};
use crate::event::Outcome;
use crate::time::Time;
use crate::trace::{Call, Entry, Trace};

use ratatui::layout::Rect;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Time,
    pub words: String,
    pub bad: bool,
}

/// Draws the newest events that fit into the area, one a row.
pub fn render(moment: &Moment<'_>, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 {
        return;
    }
    let theme = pen.theme;
    pen.text_within(area.x + 1, area.y, GUTTER - 2, "events", theme.text);
    let lines = newest(moment.trace, moment.cursor, usize::from(area.height));
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        let ink = match (line.bad, y == area.y) {
            (true, _) => theme.bad,
            (false, true) => theme.text,
            (false, false) => theme.dim,
        };
        let x = moment.axis.x + 8;
        pen.text_until(x, y, &line.at.to_string(), ink);
        let room = area.right().saturating_sub(x + 2);
        let words = clipped(&line.words, room, theme.glyphs.grows);
        pen.text(x + 2, y, &words, ink);
    }
}

/// The newest events up to a moment, the newest first.
pub fn newest(trace: &Trace, until: Time, count: usize) -> Vec<Line> {
    let mut lines: Vec<(Line, u8)> = Vec::new();
    if let Some(call) = trace.call() {
        let last = |entries: &'_ [Entry]| entries.len().saturating_sub(count);
        let started = call.started.until(until);
        for entry in &started[last(started)..] {
            let words = format!("{} starts {}", worker(trace, call, entry), entry.index);
            lines.push((line(entry.at, words), 2));
        }
        let finished = call.finished.until(until);
        for entry in &finished[last(finished)..] {
            lines.push((finish(trace, call, entry, until), 0));
        }
        let delivered = call.delivered.until(until);
        for entry in &delivered[last(delivered)..] {
            lines.push((line(entry.at, format!("main receives {}", entry.index)), 1));
        }
    }
    let past = trace.markers().partition_point(|marker| marker.at <= until);
    for marker in &trace.markers()[past.saturating_sub(count)..past] {
        lines.push((line(marker.at, sanitised(&marker.text)), 3));
    }
    lines.sort_by_key(|(line, rank)| (line.at, *rank));
    lines
        .into_iter()
        .rev()
        .take(count)
        .map(|(line, _)| line)
        .collect()
}

fn line(at: Time, words: String) -> Line {
    Line {
        at,
        words,
        bad: false,
    }
}

fn finish(trace: &Trace, call: &Call, entry: &Entry, until: Time) -> Line {
    let worker = worker(trace, call, entry);
    let index = entry.index;
    let task = call.task(index);
    let outcome = task.and_then(|task| task.outcome_at(until));
    let words = match outcome {
        Some(Outcome::Failed) => format!("{worker} fails {index}"),
        Some(Outcome::Skipped) => format!("{worker} skips {index}"),
        Some(Outcome::Lost) => format!("{index} is lost with {worker}"),
        _ if task.is_some_and(|task| task.ready > until) => {
            format!("{worker} finishes {index}: held back")
        }
        _ => format!("{worker} finishes {index}"),
    };
    let bad = matches!(outcome, Some(Outcome::Failed | Outcome::Lost));
    Line {
        at: entry.at,
        words,
        bad,
    }
}

fn worker(trace: &Trace, call: &Call, entry: &Entry) -> String {
    let task = call.task(entry.index);
    task.and_then(|task| task.lane)
        .and_then(|id| trace.lane(id))
        .map_or_else(|| "a worker".to_owned(), |lane| sanitised(&lane.facts.name))
}
