//! A program in plain ASCII lines: its calls, the numbers of the one that took longest, its workers, and
//! what was found.

use super::Report;
use crate::control::{WHOLE, harmless};
use crate::definition::{Facts, percent};
use crate::event::{Ends, NoteKind, PoolId};
use crate::finding::short;
use crate::plural::counted;
use crate::report::text::{numbers, strips};
use crate::report::workers;
use crate::time::Nanos;
use crate::trace::{Call, Lane, Trace};
use std::fmt::Write as _;
use std::io::{self, Write};

/// More rows than this are not listed one by one.
const LISTED: usize = 50;

pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let trace = report.trace;
    title(report, out)?;
    no_probe(trace, out)?;
    calls(trace, out)?;
    if let Some(call) = longest(trace) {
        let place = source(call).map_or_else(String::new, |source| format!(", {source}"));
        writeln!(
            out,
            "\n{}{place}: the same tasks, four orders (measured)",
            name(call)
        )?;
        strips(Some(call), trace.end(), out)?;
        numbers(&Facts::of_call(trace, call, trace.end()), true, out)?;
    }
    pool_workers(trace, out)?;
    for (k, finding) in report.findings.iter().enumerate() {
        if k == 0 {
            writeln!(out, "\nwhat was found")?;
        }
        writeln!(out, "  {}: {}", finding.kind.word(), plain(&finding.text))?;
        if !finding.advice.is_empty() {
            writeln!(out, "    try: {}", plain(&finding.advice))?;
        }
    }
    losses(trace, out)
}

fn title(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let program = report.program;
    let argv: Vec<String> = program.argv.iter().map(|word| plain(word)).collect();
    write!(out, "parviz run: {}", argv.join(" "))?;
    if let Some(python) = &program.python {
        write!(out, " ({})", plain(python))?;
    }
    match program.exit {
        Some(signal @ ..0) => writeln!(out, ", killed by signal {}", signal.unsigned_abs())?,
        Some(code) => writeln!(out, ", exit {code}")?,
        None => writeln!(out)?,
    }
    let counts = report.trace.counts(report.trace.end());
    let least = if counts.dropped > 0 { ">= " } else { "" };
    let count = |count: u64, one, many| format!("{least}{}", counted(count, one, many));
    write!(
        out,
        "{}, {}, {}, {} in {}",
        count(counts.pools, "pool", "pools"),
        count(counts.workers, "worker", "workers"),
        count(counts.calls, "call", "calls"),
        count(counts.tasks, "task", "tasks"),
        count(counts.chunks, "message", "messages"),
    )?;
    for (number, word) in [(counts.failed, "failed"), (counts.lost, "lost")] {
        if number > 0 {
            write!(out, ", {least}{number} {word}")?;
        }
    }
    writeln!(out)
}

/// Why the program could not be watched, or a part of it.
fn no_probe(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    let notes = trace.notes().iter().map(|note| &note.note);
    for note in notes.filter(|note| note.kind == NoteKind::NoProbe) {
        writeln!(out, "no probe: {}", plain(&note.text))?;
    }
    if let Some(words) = trace.unwatched(trace.end()) {
        writeln!(out, "{}", plain(&words))?;
    }
    Ok(())
}

/// A line for each call; those that one line of the program made again and again are one.
fn calls(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    if trace.calls().len() == 0 {
        return writeln!(out, "\nno call of a pool was seen");
    }
    writeln!(out, "\ncalls (measured)")?;
    for call in trace.calls().take(LISTED) {
        let mut line = format!("  {}", name(call));
        if call.is_series() {
            let _ = write!(line, " x {}", call.member_count());
        }
        if let Some(source) = source(call) {
            let _ = write!(line, ", {source}");
        }
        let own = trace.numbers_of(call, trace.end());
        let least = if own.at_least { ">= " } else { "" };
        let _ = write!(
            line,
            ": {least}{} in {least}{}",
            counted(call.tasks().len(), "task", "tasks"),
            counted(own.messages, "message", "messages"),
        );
        let pool = call.facts.pool.and_then(|pool| trace.pool(pool));
        if let Some(pool) = pool.filter(|pool| !pool.facts.kind.is_empty()) {
            let _ = write!(line, ", {} of {}", pool.facts.kind, pool.facts.workers);
        }
        let ends = trace.ends_of(call, trace.end());
        if let Some(length) = own.makespan.or(ends.map(|ends| ends.0.since(call.began))) {
            let _ = write!(line, ", {length}");
        }
        if let Some(speedup) = own.speedup {
            let _ = write!(line, ", {speedup:.2}x");
        } else if let Some(most) = own.speedup_at_most {
            let _ = write!(line, ", <= {most:.2}x");
        }
        let failed = call.failed(trace.end());
        if failed > 0 {
            let _ = write!(line, ", {failed} failed");
            if let Some(error) = trace.raised(call, trace.end()) {
                let _ = write!(line, " ({})", short(error));
            }
        }
        let cancelled = trace.outcome_of(call, trace.end()).cancelled;
        if cancelled > 0 {
            let _ = write!(line, ", {cancelled} cancelled");
        }
        let how = match ends.map(|ends| ends.1) {
            Some(Ends::Never) => "can never complete",
            Some(Ends::Left) => "left before its end",
            Some(ends) => ends.word(),
            None => "not over",
        };
        writeln!(out, "{}, {how}", plain(&line))?;
    }
    more(trace.calls().len(), out)
}

/// `map(work)`
fn name(call: &Call) -> String {
    let method = match call.facts.method.as_str() {
        "" => "a call that was not seen to begin",
        method => method,
    };
    plain(&format!("{method}({})", call.facts.function))
}

/// `prog.py:12`, without the folder.
fn source(call: &Call) -> Option<String> {
    let (file, line) = call.facts.source.as_ref()?;
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    Some(plain(&format!("{file}:{line}")))
}

/// The call that took the most time, of all that have tasks.
fn longest(trace: &Trace) -> Option<&Call> {
    let length = |call: &Call| {
        let end = trace.ends_of(call, trace.end());
        end.map_or(trace.end(), |end| end.0).since(call.began)
    };
    let with_tasks = trace.calls().filter(|call| call.has_tasks());
    // The first of several.
    with_tasks.rev().max_by_key(|call| length(call))
}

fn pool_workers(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    let count = workers(trace).count();
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "\nworkers")?;
    for lane in workers(trace).take(LISTED) {
        let end = lane.closed.map_or(trace.end(), |closed| closed.0);
        let (life, busy) = (end.since(lane.opened), lane.busy_until(trace.end()));
        let share = (life > Nanos::ZERO).then(|| percent(busy.0 as f64 / life.0 as f64));
        let share = share.map_or_else(String::new, |share| format!(" ({share} of its life)"));
        let ended = lane.ending();
        let place = whose(trace, lane);
        writeln!(out, "  {place}: busy {busy}{share}, {ended}")?;
    }
    more(count, out)
}

/// `Pool worker 0, pid 4711`
fn whose(trace: &Trace, lane: &Lane) -> String {
    let kind = |pool: PoolId| trace.pool(pool).map(|pool| pool.facts.kind.as_str());
    let mut place = lane.facts.pool.and_then(kind).unwrap_or("").to_owned();
    if !place.is_empty() {
        place.push(' ');
    }
    place.push_str(&lane.facts.name);
    if let Some(pid) = lane.facts.pid {
        let _ = write!(place, ", pid {pid}");
    }
    plain(&place)
}

fn losses(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    if trace.dropped() == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\n{} events were not seen; what they touch is marked >=",
        trace.dropped()
    )?;
    for loss in trace.losses().iter().take(LISTED) {
        let lane = trace.lane(loss.lane);
        let place = lane.map_or_else(|| "somewhere".to_owned(), |lane| whose(trace, lane));
        writeln!(out, "  {place}: {}", loss.count)?;
    }
    more(trace.losses().len(), out)
}

fn more(count: usize, out: &mut dyn Write) -> io::Result<()> {
    if count > LISTED {
        writeln!(out, "  ... and {} more", count - LISTED)?;
    }
    Ok(())
}

/// Text from a program, so that a terminal only shows it.
fn plain(text: &str) -> String {
    harmless(text, WHOLE)
}
