//! The run in plain ASCII lines: the four orders, the numbers with their units, where worker time went.

use super::{Report, orders};
use crate::definition::{self, Facts, Topic, Value, percent};
use crate::event::Ends;
use crate::experiment::Experiment;
use crate::plural::counted;
use crate::time::{Nanos, Time};
use crate::trace::{Call, pairs};
use std::io::{self, Write};

/// More tasks than this are not listed one by one.
const LISTED: usize = 200;

pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Report { experiment, trace } = *report;
    let measured = trace.run().is_none_or(|run| run.measured);
    let how = if measured { "measured" } else { "simulated" };
    title(experiment, measured, out)?;
    writeln!(out, "\nthe same tasks, four orders ({how})")?;
    strips(trace.call(), trace.end(), out)?;
    let met = |call| {
        let one_by_one = trace.errors_in_words(call, trace.end());
        one_by_one.or_else(|| trace.whole_error_in_words(call, trace.end()))
    };
    if let Some(errors) = trace.call().and_then(met) {
        writeln!(out, "  {errors}")?;
    }
    numbers(&Facts::of(trace, trace.end()), measured, out)?;
    let explained = match trace.ended().map(|(_, ends)| ends) {
        Some(Ends::Never) => "the result of a task will never come: this call can never complete",
        Some(Ends::BrokenProcessPool)
            if trace.is_of_threads(trace.call().and_then(|call| call.facts.pool)) =>
        {
            "a worker's thread ended, and the pool gave up what was outstanding; no task does that to a \
             ThreadPoolExecutor"
        }
        _ => return Ok(()),
    };
    writeln!(out, "\n{explained}")?;
    Ok(())
}

/// What ran, in one line.
fn title(experiment: &Experiment, measured: bool, out: &mut dyn Write) -> io::Result<()> {
    let rules = experiment.rules();
    let kind = experiment.kind.name();
    let costs = experiment
        .costs
        .summary()
        .map(|costs| format!(" of {costs}"));
    writeln!(
        out,
        "parviz lab: {} ({}), {}, {} ({kind}){}, chunk size {}, seed {}, {}",
        rules.name,
        rules.badge.word(),
        counted(experiment.running_workers(), "worker", "workers"),
        counted(experiment.tasks, "task", "tasks"),
        costs.unwrap_or_default(),
        experiment.real_chunksize(),
        experiment.seed,
        if measured {
            format!("{}, measured", experiment.backend.name())
        } else {
            "simulated".to_owned()
        },
    )
}

/// The numbers by topic. Those that are only known to be at least so much say so.
pub(super) fn numbers(facts: &Facts<'_>, measured: bool, out: &mut dyn Write) -> io::Result<()> {
    let how = if measured { "measured" } else { "simulated" };
    for topic in Topic::ALL {
        writeln!(out, "\n{} ({how})", topic.word())?;
        for row in definition::about(topic) {
            let value = (row.value)(facts);
            // Of where time went and of counters only what there was.
            let nothing = matches!(value, None | Some(Value::Part(0.0, _) | Value::Share(0.0)))
                || matches!(row.key, "failed" | "cancelled" | "never_begun")
                    && value == Some(Value::Count(0));
            if nothing && matches!(topic, Topic::Where | Topic::Outcome) {
                continue;
            }
            let note = match row.key {
                "serial_time" if measured && value.is_some() => " (estimated)",
                "program_end" if facts.is_cut_short() => " (an error ended main, tasks went on)",
                // All others here are shares of the time of the workers.
                "watching" => " of overhead",
                "held" if value.is_some() => " (at the end)",
                "out_of_order" if value.is_some() => " of the pairs delivered",
                "program_end" if facts.trace.is_program() && value.is_some() => {
                    let serial = facts.trace.run().map_or(Nanos::ZERO, |run| run.serial);
                    match serial {
                        Nanos::ZERO => " (from the begin of the call)",
                        _ => " (from the begin of the serial part)",
                    }
                }
                _ => "",
            };
            let bound = facts.bound(row);
            let space = if bound.is_empty() { "" } else { " " };
            let value = match value {
                None => "n/a".to_owned(),
                // At the end of most runs nothing waits any more.
                Some(_) if row.key == "queue_depth" => {
                    format!("at most {bound}{space}{}", facts.numbers.queue_depth_max)
                }
                Some(word @ Value::Word(_)) => word.text("x"),
                Some(value) => format!("{bound}{space}{}", value.text("x")),
            };
            writeln!(out, "  {:<16} {value}{note}", row.label)?;
        }
    }
    Ok(())
}

/// The four orders of a call, a line each.
pub(super) fn strips(call: Option<&Call>, end: Time, out: &mut dyn Write) -> io::Result<()> {
    let inversions = |name: &str| {
        let call = call?;
        let order = match name {
            "finished" => &call.finished,
            "delivered" => &call.delivered,
            _ => return None,
        };
        Some((order.inversions_until(end), pairs(order.counted_until(end))))
    };
    for (name, order) in orders(call) {
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
            Some((wrong, all @ 1..)) => {
                let share = percent(wrong as f64 / all as f64);
                writeln!(out, "  ({wrong} of {all} pairs out of order, {share})")?;
            }
            _ => writeln!(out)?,
        }
    }
    Ok(())
}
