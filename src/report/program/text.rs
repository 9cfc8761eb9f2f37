//! A program in plain ASCII lines: its calls, the numbers of the one with the most task time, its workers, and
//! what was found.

use super::Report;
use crate::control::{WHOLE, harmless};
use crate::definition::{Facts, percent};
use crate::event::{Ends, NoteKind, PROCESS_ON_CPU, PoolId};
use crate::finding::short;
use crate::plural::counted;
use crate::report::text::{numbers, strips};
use crate::report::workers;
use crate::time::{Nanos, Time};
use crate::trace::{Call, Lane, Trace};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

/// More rows than this are not listed one by one.
const LISTED: usize = 50;

pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let trace = report.trace;
    title(report, out)?;
    no_probe(trace, out)?;
    calls(trace, out)?;
    if let Some(call) = trace.largest_call().and_then(|call| trace.call_by(call)) {
        let place = source(call).map_or_else(String::new, |source| format!(", {source}"));
        let which = match trace.calls().len() {
            1 => "",
            _ => ", the call with the most task time",
        };
        writeln!(
            out,
            "\n{}{place}{which}: the same tasks, four orders (measured)",
            name(call)
        )?;
        strips(Some(call), trace.end(), out)?;
        numbers(&Facts::of_call(trace, call, trace.end()), true, out)?;
    }
    pool_workers(trace, out)?;
    processes(trace, out)?;
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
    // As the lines of the calls have them: those that no worker got, too.
    let tasks = report.trace.calls().map(|call| call.tasks().len() as u64);
    let end = report.trace.end();
    let failed = report.trace.calls().map(|call| u64::from(call.failed(end)));
    let count = |count: u64, one, many| format!("{least}{}", counted(count, one, many));
    write!(
        out,
        "{}, {}, {}, {} in {}",
        count(counts.pools, "pool", "pools"),
        count(counts.workers, "worker", "workers"),
        count(counts.calls, "call", "calls"),
        count(tasks.sum(), "task", "tasks"),
        count(counts.chunks, "message", "messages"),
    )?;
    for (number, word) in [(failed.sum(), "failed"), (counts.lost, "lost")] {
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

/// A line for each line of the program that made calls, in the order of the first.
fn calls(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    if trace.calls().len() == 0 {
        return writeln!(out, "\nno call of a pool was seen");
    }
    writeln!(out, "\ncalls (measured)")?;
    let lines = by_line(trace);
    for calls in lines.iter().take(LISTED) {
        let line = match calls[..] {
            [call] => one(trace, call),
            _ => many(trace, calls),
        };
        writeln!(out, "  {}", plain(&line))?;
    }
    more(lines.len(), out)
}

/// Calls of the same function by one line of the program belong together. Those of a series are one already.
fn by_line(trace: &Trace) -> Vec<Vec<&Call>> {
    let mut lines: Vec<Vec<&Call>> = Vec::new();
    let mut places = BTreeMap::new();
    for call in trace.calls() {
        let facts = &call.facts;
        let Some(source) = facts.source.as_ref().filter(|_| !call.is_series()) else {
            lines.push(vec![call]);
            continue;
        };
        let key = (source, &facts.method, &facts.function);
        let place = *places.entry(key).or_insert(lines.len());
        match lines.get_mut(place) {
            Some(line) => line.push(call),
            None => lines.push(vec![call]),
        }
    }
    lines
}

/// `map(f), prog.py:12: 24 tasks in 12 messages, Pool of 2, 1.20 s, 1.90x, returned`
fn one(trace: &Trace, call: &Call) -> String {
    let mut line = name(call);
    if call.is_series() {
        let _ = write!(line, " x {}", call.member_count());
    }
    let own = trace.numbers_of(call, trace.end());
    let tasks = (call.tasks().len() as u32, own.messages);
    work(trace, call, tasks, own.at_least, &mut line);
    let ends = trace.ends_of(call, trace.end());
    if let Some(length) = own.makespan.or(ends.map(|ends| ends.0.since(call.began))) {
        let _ = write!(line, ", {length}");
    }
    if let Some(speedup) = own.speedup {
        let _ = write!(line, ", {speedup:.2}x");
    } else if let Some(most) = own.speedup_at_most {
        let _ = write!(line, ", <= {most:.2}x");
    }
    bad_ends(trace, &[call], &mut line);
    let _ = write!(line, ", {}", how(trace, call, ends));
    let untaken = trace.untaken(call, trace.end());
    if untaken > 0 && ends.is_some_and(|(_, ends)| ends == Ends::Left) {
        let results = counted(untaken, "result", "results");
        let _ = write!(line, " with {results} that nobody took");
    }
    line
}

/// `map(f) x 60, prog.py:12: 480 tasks in 480 messages, Pool of 2, each 21 ms to 34 ms (median 22 ms), 1.35 s in all,
/// slowest: call 31 at 1.20 s, returned`
fn many(trace: &Trace, calls: &[&Call]) -> String {
    let end = trace.end();
    let mut line = format!("{} x {}", name(calls[0]), calls.len());
    let tasks = calls.iter().map(|call| call.tasks().len() as u32).sum();
    let messages = calls
        .iter()
        .map(|call| call.enqueued.count_until(end))
        .sum();
    let at_least = trace.dropped() > 0;
    work(trace, calls[0], (tasks, messages), at_least, &mut line);
    let ends = calls.iter().map(|call| trace.ends_of(call, end));
    let ends: Vec<Option<(Time, Ends)>> = ends.collect();
    let lengths = calls.iter().zip(&ends);
    let mut lengths: Vec<(Nanos, &Call)> = lengths
        .filter_map(|(call, ends)| Some(((*ends)?.0.since(call.began), *call)))
        .collect();
    lengths.sort_by_key(|(length, call)| (*length, call.began));
    if let [(least, _), .., (most, slowest)] = lengths[..] {
        let middle = [(lengths.len() - 1) / 2, lengths.len() / 2].map(|place| lengths[place].0.0);
        let median = Nanos(middle[0].midpoint(middle[1]));
        let all = under_way(&lengths);
        let place = trace
            .calls()
            .take_while(|call| call.facts.call != slowest.facts.call);
        let _ = write!(
            line,
            ", each {least} to {most} (median {median}), {all} in all, slowest: call {} at {}",
            place.count() + 1,
            slowest.began,
        );
    }
    bad_ends(trace, calls, &mut line);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (call, ends) in calls.iter().zip(ends) {
        *counts.entry(how(trace, call, ends)).or_default() += 1;
    }
    for (word, count) in &counts {
        let _ = match counts.len() {
            1 => write!(line, ", {word}"),
            _ => write!(line, ", {count} {word}"),
        };
    }
    line
}

/// How long at least one of these calls was under way.
fn under_way(calls: &[(Nanos, &Call)]) -> Nanos {
    let spans = calls.iter();
    let mut spans: Vec<(Time, Time)> = spans
        .map(|&(length, call)| (call.began, call.began + length))
        .collect();
    spans.sort_unstable();
    let mut until = Time::ZERO;
    let fresh = spans.into_iter().map(|(begin, end)| {
        let fresh = end.since(begin.max(until));
        until = until.max(end);
        fresh
    });
    fresh.sum()
}

/// Where calls stand, how many tasks they have and messages, and the pool of the first.
fn work(
    trace: &Trace,
    call: &Call,
    (tasks, messages): (u32, u32),
    at_least: bool,
    line: &mut String,
) {
    if let Some(source) = source(call) {
        let _ = write!(line, ", {source}");
    }
    let least = if at_least { ">= " } else { "" };
    let _ = write!(
        line,
        ": {least}{} in {least}{}",
        counted(tasks, "task", "tasks"),
        counted(messages, "message", "messages"),
    );
    let pool = call.facts.pool.and_then(|pool| trace.pool(pool));
    if let Some(pool) = pool.filter(|pool| !pool.facts.kind.is_empty()) {
        let _ = write!(line, ", {}", pool.facts.kind);
        if let Some(workers) = pool.facts.workers {
            let _ = write!(line, " of {workers}");
        }
    }
}

/// Tasks that failed or were cancelled, if any.
fn bad_ends(trace: &Trace, calls: &[&Call], line: &mut String) {
    let end = trace.end();
    let failed: u32 = calls.iter().map(|call| call.failed(end)).sum();
    if failed > 0 {
        let _ = write!(line, ", {failed} failed");
        if let Some(error) = calls.iter().find_map(|call| trace.raised(call, end)) {
            let _ = write!(line, " ({})", short(error));
        }
    }
    let cancelled = calls
        .iter()
        .map(|call| trace.outcome_of(call, end).cancelled);
    let cancelled: u32 = cancelled.sum();
    if cancelled > 0 {
        let _ = write!(line, ", {cancelled} cancelled");
    }
}

/// How a call ended, in words.
fn how(trace: &Trace, call: &Call, ends: Option<(Time, Ends)>) -> &'static str {
    match ends.map(|(_, ends)| ends) {
        Some(Ends::Never) => "can never complete",
        Some(Ends::Left) => "left before its end",
        Some(ends) => trace.ends_word(Some(call), ends),
        None => "not over",
    }
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

/// The processes of a program that calls no pool: there is nothing else to tell of it.
fn processes(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<&Lane> = trace.processes().collect();
    if trace.calls().len() > 0 || all.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nprocesses")?;
    for lane in all.iter().take(LISTED) {
        let pid = lane.facts.pid.unwrap_or_default();
        let end = lane.closed.map_or(trace.end(), |closed| closed.0);
        let life = end.since(lane.opened).seconds();
        let used = trace.samples(lane.id, PROCESS_ON_CPU).last();
        let used = used.map_or_else(String::new, |&(_, used)| {
            let used = Nanos(used as u64);
            let share = used.seconds() / life.max(1e-9) * 100.0;
            format!(", CPU {used} ({share:.0} % of one)")
        });
        let name = plain(&lane.facts.name);
        writeln!(out, "  pid {pid}, {name}: {} to {end}{used}", lane.opened)?;
    }
    more(all.len(), out)
}

/// `Pool worker 0, pid 4711`, and which pool if there are several: `Pool worker 0 of pool 2, pid 4711`.
fn whose(trace: &Trace, lane: &Lane) -> String {
    let kind = |pool: PoolId| trace.pool(pool).map(|pool| pool.facts.kind.as_str());
    let mut place = lane.facts.pool.and_then(kind).unwrap_or("").to_owned();
    if !place.is_empty() {
        place.push(' ');
    }
    place.push_str(&lane.facts.name);
    let number = lane.facts.pool.and_then(|pool| trace.pool_number(pool));
    if let Some(number) = number.filter(|_| trace.pools().len() > 1) {
        let _ = write!(place, " of pool {number}");
    }
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
    for loss in trace.losses().take(LISTED) {
        let lane = trace.lane(loss.lane);
        let place = lane.map_or_else(|| "somewhere".to_owned(), |lane| whose(trace, lane));
        writeln!(out, "  {place}: {}", loss.count)?;
    }
    more(trace.losses().count(), out)
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
