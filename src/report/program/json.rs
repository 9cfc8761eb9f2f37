//! One object that holds everything about a program: times in nanoseconds since it began, `null` for what
//! is undefined or unknown; [`super::keys`] says what each key means. Written as it is read from the
//! trace, call by call, so that a program of millions of tasks needs no second copy of itself.

use super::Report;
use crate::event::{CallId, LaneId, PROCESS_ON_CPU, PoolId, Way};
use crate::finding::{Finding, short};
use crate::report::json::{Orders, numbers, shares};
use crate::report::{orders, workers};
use crate::time::Time;
use crate::trace::{Call, Lane, Loss, Pool, Trace};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let trace = self.trace;
        let places = Places::of(trace);
        let mut object = serializer.serialize_map(None)?;
        let program = json!({
            "argv": self.program.argv,
            "python": self.program.python,
            "exit": self.program.exit,
        });
        object.serialize_entry("program", &program)?;
        object.serialize_entry("counts", &counts(trace))?;
        object.serialize_entry("pools", &pools(trace))?;
        object.serialize_entry("calls", &Calls(trace, &places))?;
        object.serialize_entry("workers", &worker_rows(trace, &places))?;
        object.serialize_entry("processes", &processes(trace))?;
        let findings = self.findings.iter();
        let findings: Vec<Value> = findings.map(|found| finding(found, &places)).collect();
        object.serialize_entry("findings", &findings)?;
        object.serialize_entry("losses", &losses(trace))?;
        object.end()
    }
}

/// Where in its list of the report a pool, the first call of a series, and a worker stand.
struct Places {
    pools: BTreeMap<PoolId, usize>,
    calls: BTreeMap<CallId, usize>,
    workers: BTreeMap<LaneId, usize>,
}

impl Places {
    fn of(trace: &Trace) -> Self {
        let mut next = 0;
        let calls = trace.calls().map(|call| {
            let place = next;
            next += call.member_count();
            (call.facts.call, place)
        });
        Self {
            calls: calls.collect(),
            pools: trace.pools().map(|pool| pool.facts.pool).zip(0..).collect(),
            workers: workers(trace).map(|lane| lane.id).zip(0..).collect(),
        }
    }

    fn pool(&self, pool: Option<PoolId>) -> Option<usize> {
        self.pools.get(&pool?).copied()
    }
}

fn counts(trace: &Trace) -> Value {
    let counts = trace.counts(trace.end());
    json!({
        "pools": counts.pools,
        "calls": counts.calls,
        "tasks": counts.tasks,
        "chunks": counts.chunks,
        "workers": counts.workers,
        "failed": counts.failed,
        "lost": counts.lost,
        "dropped": counts.dropped,
        "unwatched": counts.unwatched,
    })
}

fn pools(trace: &Trace) -> Vec<Value> {
    let row = |(index, pool): (usize, &Pool)| {
        json!({
            "index": index,
            "number": index + 1,
            "kind": said(&pool.facts.kind),
            "start_method": pool.facts.start_method,
            "workers": pool.facts.workers,
            "opened": pool.opened.0,
            "closed": pool.closed.map(|at| at.0),
        })
    };
    trace.pools().enumerate().map(row).collect()
}

/// A name, unless it is not known.
fn said(name: &str) -> Option<&str> {
    (!name.is_empty()).then_some(name)
}

/// The rows of the calls, one at a time; of a series one for each call that was made.
struct Calls<'a>(&'a Trace, &'a Places);

impl Serialize for Calls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(trace, places) = *self;
        let mut rows = serializer.serialize_seq(None)?;
        for call in trace.calls() {
            if call.is_series() {
                for member in call.members() {
                    let part = trace.part(call, member);
                    rows.serialize_element(&CallRow(trace, places, &part))?;
                }
            } else {
                rows.serialize_element(&CallRow(trace, places, call))?;
            }
        }
        rows.end()
    }
}

struct CallRow<'a>(&'a Trace, &'a Places, &'a Call);

impl Serialize for CallRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(trace, places, call) = *self;
        let end = trace.end();
        let own = trace.numbers_of(call, end);
        let (file, line) = call
            .facts
            .source
            .as_ref()
            .map_or((None, None), |source| (said(&source.0), Some(source.1)));
        let caller = trace.lane(call.caller).map(|lane| &lane.facts.name);
        let ends = trace.ends_of(call, end);
        let mut row = serializer.serialize_map(None)?;
        row.serialize_entry("pool", &places.pool(call.facts.pool))?;
        row.serialize_entry("method", &said(&call.facts.method))?;
        row.serialize_entry("function", &said(&call.facts.function))?;
        row.serialize_entry("file", &file)?;
        row.serialize_entry("line", &line)?;
        row.serialize_entry("caller", &caller)?;
        row.serialize_entry("began", &call.began.0)?;
        row.serialize_entry("ended", &ends.map(|(at, _)| at.0))?;
        row.serialize_entry("tasks", &call.tasks().len())?;
        row.serialize_entry("chunks", &own.messages)?;
        row.serialize_entry("chunksize", &call.facts.chunksize)?;
        row.serialize_entry(
            "outcome",
            &ends.map(|(_, ends)| trace.ends_word(Some(call), ends)),
        )?;
        let outcome = trace.outcome_of(call, end);
        row.serialize_entry("lost", &outcome.lost)?;
        row.serialize_entry("cancelled", &outcome.cancelled)?;
        row.serialize_entry("untaken", &trace.untaken(call, end))?;
        row.serialize_entry("failed", &call.failed(end))?;
        row.serialize_entry("error", &trace.raised(call, end).map(short))?;
        row.serialize_entry("bytes_sent", &call.bytes_until(Time::NEVER, Way::ToWorker))?;
        row.serialize_entry("bytes_back", &call.bytes_until(Time::NEVER, Way::ToCaller))?;
        row.serialize_entry("at_least", &own.at_least)?;
        row.serialize_entry("numbers", &numbers(&own))?;
        row.serialize_entry("speedup_at_most", &own.speedup_at_most)?;
        row.serialize_entry("where", &shares(&trace.shares_of(call, end)))?;
        row.serialize_entry("orders", &Orders(&orders(Some(call))))?;
        row.end()
    }
}

fn worker_rows(trace: &Trace, places: &Places) -> Vec<Value> {
    let mut tasks = vec![0_u64; places.workers.len()];
    let ran = trace.calls().flat_map(Call::tasks);
    for lane in ran
        .filter(|task| task.started.happened())
        .filter_map(|task| task.lane)
    {
        if let Some(&place) = places.workers.get(&lane) {
            tasks[place] += 1;
        }
    }
    let row = |(index, lane): (usize, &Lane)| {
        json!({
            "index": index,
            "name": lane.facts.name,
            "pid": lane.facts.pid,
            "tid": lane.facts.tid,
            "pool": places.pool(lane.facts.pool),
            "tasks": tasks[index],
            "busy": lane.busy_until(trace.end()).0,
            "opened": lane.opened.0,
            "closed": lane.closed.map(|(at, _)| at.0),
            "ended": lane.closed.map(|(_, ended)| ended.word()),
            "exit": lane.exit,
        })
    };
    workers(trace).enumerate().map(row).collect()
}

fn processes(trace: &Trace) -> Vec<Value> {
    let row = |(index, lane): (usize, &Lane)| {
        let used = trace.samples(lane.id, PROCESS_ON_CPU).last();
        json!({
            "index": index,
            "command": lane.facts.name,
            "pid": lane.facts.pid,
            "opened": lane.opened.0,
            "closed": lane.closed.map(|(at, _)| at.0),
            "on_cpu": used.map(|used| used.1 as u64),
        })
    };
    trace.processes().enumerate().map(row).collect()
}

fn finding(found: &Finding, places: &Places) -> Value {
    let numbers: Map<String, Value> = found
        .numbers
        .iter()
        .map(|&(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({
        "kind": found.kind.word(),
        "text": found.text,
        "advice": found.advice,
        "at": found.at.0,
        "worker": found.lane.and_then(|lane| places.workers.get(&lane)),
        "call": found.call.and_then(|call| places.calls.get(&call)),
        "numbers": numbers,
    })
}

fn losses(trace: &Trace) -> Vec<Value> {
    let row = |loss: &Loss| {
        let lane = trace.lane(loss.lane);
        json!({
            "lane": lane.map(|lane| &lane.facts.name),
            "pid": lane.and_then(|lane| lane.facts.pid),
            "since": loss.since.0,
            "at": loss.at.0,
            "count": loss.count,
        })
    };
    trace.losses().map(row).collect()
}
