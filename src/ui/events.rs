//! What happened last, newest first.

use super::Moment;
use super::lanes::GUTTER;
use super::news;
use super::text::{Pen, sanitised};
use crate::event::Outcome;
use crate::time::Time;
use crate::trace::{Call, Entry, List, Trace};

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
    let lines = newest(moment, usize::from(area.height));
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        let ink = match (line.bad, y == area.y) {
            (true, _) => theme.bad,
            (false, true) => theme.text,
            (false, false) => theme.dim,
        };
        let x = moment.axis.x + 8;
        pen.text_until(x, y, &theme.units(&line.at.to_string()), ink);
        let room = area.right().saturating_sub(x + 2);
        pen.text_within(x + 2, y, room, &theme.units(&line.words), ink);
    }
}

/// The newest events up to a moment, the newest first.
pub fn newest(moment: &Moment<'_>, count: usize) -> Vec<Line> {
    let (trace, until) = (moment.trace, moment.cursor);
    let mut lines: Vec<(Line, u8)> = Vec::new();
    if let Some(call) = trace.call() {
        for entry in last(call.started.until(until), count).iter() {
            let words = format!("{} starts {}", worker(trace, call, &entry), entry.index);
            lines.push((line(entry.at, words), 2));
        }
        for entry in last(call.finished.until(until), count).iter() {
            lines.push((finish(trace, call, &entry, until), 0));
        }
        let delivered = receptions(call.delivered.until(until), count);
        lines.extend(delivered.into_iter().map(|line| (line, 1)));
    }
    let past = trace.markers().partition_point(|marker| marker.at <= until);
    for marker in &trace.markers()[past.saturating_sub(count)..past] {
        lines.push((line(marker.at, sanitised(&trace.marker_words(marker))), 3));
    }
    let found = moment.findings.iter().filter(|found| found.at <= until);
    for found in found.take(count) {
        let line = Line {
            at: found.at,
            words: news::line(found),
            bad: found.kind.is_fault(),
        };
        lines.push((line, 4));
    }
    lines.sort_by_key(|(line, rank)| (line.at, *rank));
    lines
        .into_iter()
        .rev()
        .take(count)
        .map(|(line, _)| line)
        .collect()
}

fn last(entries: List<'_, Entry>, count: usize) -> List<'_, Entry> {
    let all = entries.len();
    entries.part(all.saturating_sub(count)..all)
}

/// The newest moments at which main received something, with how much that was.
fn receptions(delivered: List<'_, Entry>, count: usize) -> Vec<Line> {
    let mut before = delivered;
    let mut lines = Vec::new();
    while let Some(last) = before.last().filter(|_| lines.len() < count) {
        let first = before.partition_point(|entry| entry.at < last.at);
        let words = match before.len() - first {
            1 => format!("main receives {}", last.index),
            many => format!("main receives {many} results"),
        };
        lines.push(line(last.at, words));
        before = before.part(0..first);
    }
    lines
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
        Some(Outcome::Cancelled) => format!("{worker} cancels {index}"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::ui::samples;

    fn words(method: Method, cursor: u64, count: usize) -> Vec<String> {
        let run = samples::run(method, 1, &[]);
        let lines = newest(&samples::at(&run, cursor, 20), count);
        lines.into_iter().map(|line| line.words).collect()
    }

    #[test]
    fn the_newest_stands_first() {
        assert_eq!(
            words(Method::Map, 4, 4),
            [
                "worker 1 starts 6",
                "worker 1 finishes 5: held back",
                "worker 1 starts 5",
                "worker 1 finishes 1: held back",
            ]
        );
    }

    #[test]
    fn what_fails_at_one_moment_stands_as_it_was_submitted() {
        let run = samples::run_of(Method::Map, 1, &[], |experiment| experiment.pairs = true);
        let lines = newest(&samples::at(&run, 0, 20), 10);
        let said = lines
            .iter()
            .map(|line| line.words.split(": ").next().unwrap());
        let mut expected = vec!["map ends".to_owned()];
        expected.extend((0..8).rev().map(|index| format!("task {index}")));
        expected.push("map begins".to_owned());
        assert_eq!(said.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn results_that_come_at_once_are_one_line() {
        assert!(words(Method::Map, 12, 5).contains(&"main receives 8 results".to_owned()));
    }
}
