//! The run in plain ASCII lines: the four orders, the numbers with their units, where worker time went.

use super::{Report, orders};
use crate::definition::{self, Facts, Topic, Value};
use crate::event::Ends;
use crate::trace::{Trace, pairs};
use std::io::{self, Write};

/// More tasks than this are not listed one by one.
const LISTED: usize = 200;

pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Report { experiment, trace } = *report;
    let rules = experiment.method.rules();
    let how = if trace.run().is_none_or(|run| run.measured) {
        "measured"
    } else {
        "simulated"
    };
    writeln!(
        out,
        "parviz lab: {} ({}), {}, {}, chunk size {}, seed {}; {how} ({})",
        rules.name,
        rules.badge.word(),
        counted(experiment.running_workers(), "worker"),
        counted(experiment.tasks, "task"),
        experiment.real_chunksize(),
        experiment.seed,
        experiment.backend.name(),
    )?;
    writeln!(out, "\nthe same tasks, four orders ({how})")?;
    strips(trace, out)?;
    let facts = Facts::of(trace, trace.end());
    for topic in Topic::ALL {
        writeln!(out, "\n{} ({how})", topic.word())?;
        for row in definition::about(topic) {
            let value = (row.value)(&facts);
            // Of where time went and of counters only what there was.
            let nothing = matches!(value, None | Some(Value::Share(0.0)));
            if nothing && matches!(topic, Topic::Where | Topic::Outcome) {
                continue;
            }
            let value = value.map_or_else(|| "n/a".to_owned(), |value| value.text("x"));
            writeln!(out, "  {:<16} {value}", row.label)?;
        }
    }
    if trace.ended().is_some_and(|(_, ends)| ends == Ends::Never) {
        writeln!(
            out,
            "\nthe result of a task will never come: this call can never complete"
        )?;
    }
    Ok(())
}

fn counted(count: u32, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn strips(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    let end = trace.end();
    let inversions = |name: &str| {
        let call = trace.call()?;
        let order = match name {
            "finished" => &call.finished,
            "delivered" => &call.delivered,
            _ => return None,
        };
        Some((order.inversions_until(end), pairs(order.counted_until(end))))
    };
    for (name, order) in orders(trace) {
        let listed: Vec<String> = order.iter().take(LISTED).map(u32::to_string).collect();
        write!(
            out,
            "  {name:<10} {}",
            if listed.is_empty() {
                "-".to_owned()
            } else {
                listed.join(" ")
            }
        )?;
        if order.len() > LISTED {
            write!(out, " ... and {} more", order.len() - LISTED)?;
        }
        match inversions(name) {
            Some((0, 1..)) => writeln!(out, "  (in order)")?,
            Some((wrong, all @ 1..)) => writeln!(out, "  ({wrong} of {all} pairs out of order)")?,
            _ => writeln!(out)?,
        }
    }
    Ok(())
}
