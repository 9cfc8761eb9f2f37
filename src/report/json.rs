//! One object that holds everything about a run: times in nanoseconds since it began, `null` for what is
//! undefined or unknown. Written as it is read from the trace, so that a run of millions of tasks needs
//! no second copy of itself.

use super::{Report, orders, workers};
use crate::event::{LaneId, Outcome};
use crate::experiment::{Backend, Experiment, Fault};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Lane, MainProgram, Numbers, Shares, Task, Trace};
use crate::workload;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the object of a report on a line of its own.
pub fn write(report: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, report).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let trace = self.trace;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("experiment", &experiment(self.experiment, trace))?;
        object.serialize_entry("measured", &trace.run().map(|run| run.measured))?;
        object.serialize_entry("unit_ns", &self.experiment.unit.0)?;
        object.serialize_entry("numbers", &numbers(&trace.numbers(trace.end())))?;
        object.serialize_entry("outcome", &outcome(trace))?;
        object.serialize_entry("where", &shares(&trace.shares(trace.end())))?;
        object.serialize_entry("orders", &Orders(&orders(trace.call())))?;
        let places = Places::of(trace);
        object.serialize_entry(
            "tasks",
            &Tasks {
                trace,
                places: &places,
            },
        )?;
        object.serialize_entry("workers", &worker_rows(trace, &places))?;
        object.end()
    }
}

/// Every flag that decides a run, with the value it really had.
fn experiment(asked: &Experiment, trace: &Trace) -> Value {
    let costs: Vec<Nanos> = workload::tasks(asked)
        .into_iter()
        .map(|work| work.cost)
        .collect();
    let used = trace.run().and_then(|run| run.cpus).unwrap_or(u32::MAX);
    let cpus = (!asked.backend.is_measured()).then(|| asked.simulated_cpus());
    let on_python = asked.backend == Backend::Python;
    json!({
        "method": asked.method.name(),
        "backend": asked.backend.name(),
        "workers": asked.workers,
        "cpus": cpus,
        "tasks": asked.tasks,
        "costs": asked.costs.to_string(),
        "kind": asked.kind,
        "pairs": asked.pairs,
        "chunksize": asked.chunksize.map_or_else(|| json!("auto"), |size| json!(size)),
        "main_work": asked.main_work_length(&costs, used).0,
        "payload": asked.payload,
        "dispatch": asked.dispatch.0,
        "startup": asked.startup.0,
        "serial": asked.serial.0,
        "gil": asked.gil,
        "lock": asked.lock,
        "policy": asked.real_policy(),
        "memory_model": asked.memory_model(),
        "effect": asked.effect,
        "increments": asked.increments,
        "fault": asked.faults.iter().copied().map(fault).collect::<Vec<_>>(),
        "seed": asked.seed,
        "pool": on_python.then_some(asked.pool),
        "start_method": asked.start_method.filter(|_| on_python),
        "python": asked.python.as_deref().filter(|_| on_python),
        "unit": asked.unit.0,
    })
}

/// As `--fault` reads it.
fn fault(fault: Fault) -> String {
    format!("{}:{}", fault.task, fault.kind.name())
}

pub(super) fn numbers(numbers: &Numbers) -> Value {
    let time = |length: Option<Nanos>| length.map(|length| length.0);
    // No number says for ever.
    let is_finite = numbers.main != MainProgram::BlockedForEver;
    json!({
        "makespan": time(numbers.makespan),
        "serial_time": time(numbers.serial_time),
        "speedup": numbers.speedup,
        "efficiency": numbers.efficiency,
        "utilisation": numbers.utilisation,
        "imbalance": numbers.imbalance,
        "not_computing": numbers.not_computing,
        "karp_flatt": numbers.karp_flatt,
        "lower_bound": time(numbers.lower_bound),
        "inversions_finished": numbers.inversions_finished,
        "inversions_delivered": numbers.inversions_delivered,
        "kendall_tau": numbers.kendall_tau,
        "reordered_ratio": numbers.reordered_ratio,
        "wait": time(numbers.wait),
        "service": time(numbers.service),
        "hold": time(numbers.hold),
        "first_result": time(numbers.first_result),
        "blocked_main": time(numbers.blocked_main.filter(|_| is_finite)),
        "program_end": time(numbers.program_end),
        "messages": numbers.messages,
        "chunksize": numbers.chunksize,
        "queue_depth": numbers.queue_depth,
        "queue_depth_max": numbers.queue_depth_max,
    })
}

fn outcome(trace: &Trace) -> Value {
    let outcome = trace.outcome(trace.end());
    json!({
        "ends": outcome.ends.map(|ends| trace.ends_word(trace.call(), ends)),
        "ran": outcome.ran,
        "finished_count": outcome.finished_count,
        "results": outcome.results,
        "lost": outcome.lost,
        "skipped": outcome.skipped,
        "outstanding": outcome.outstanding,
        "counter_main": outcome.counter_main,
        "counter_sum": outcome.counter_sum,
        "counter_min": outcome.counter_min,
        "counter_max": outcome.counter_max,
        "lock_wait": outcome.lock_wait.map(|wait| wait.0),
    })
}

/// Each part as a share of all worker time.
pub(super) fn shares(shares: &Shares) -> Value {
    let parts = shares.parts();
    parts
        .into_iter()
        .map(|(key, part)| (key.to_owned(), json!(shares.share(part))))
        .collect()
}

/// An object whose keys are in the order of the list.
pub(super) struct Orders<'a>(pub(super) &'a [(&'static str, Vec<u32>)]);

impl Serialize for Orders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, order)| (name, order)))
    }
}

/// The rows of the tasks, one at a time.
struct Tasks<'a> {
    trace: &'a Trace,
    places: &'a Places,
}

impl Serialize for Tasks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let call = self.trace.call();
        let tasks = call.into_iter().flat_map(Call::tasks);
        serializer.collect_seq((0..).zip(tasks).map(|(index, task)| TaskRow {
            index,
            worker: self.places.of_task(&task),
            task,
            call,
        }))
    }
}

/// The row of each worker's lane in the report.
struct Places(Vec<Option<u32>>);

impl Places {
    fn of(trace: &Trace) -> Self {
        let mut places = Vec::new();
        for (index, lane) in workers(trace).enumerate() {
            let slot = lane.id.0 as usize;
            places.resize(places.len().max(slot + 1), None);
            places[slot] = Some(index as u32);
        }
        Self(places)
    }

    fn of_task(&self, task: &Task) -> Option<u32> {
        let LaneId(slot) = task.lane?;
        self.0.get(slot as usize).copied().flatten()
    }
}

struct TaskRow<'a> {
    index: u32,
    task: Task,
    call: Option<&'a Call>,
    worker: Option<u32>,
}

/// A moment that came.
fn moment(time: Time) -> Option<u64> {
    time.known().map(|time| time.0)
}

impl Serialize for TaskRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let task = &self.task;
        let known = |length: Nanos| task.is_accounted().then_some(length.0);
        let mut row = serializer.serialize_map(Some(14))?;
        row.serialize_entry("index", &self.index)?;
        row.serialize_entry("chunk", &self.call.map(|call| call.chunk_of(self.index)))?;
        row.serialize_entry("worker", &self.worker)?;
        row.serialize_entry("cpu", &task.cpu_start.map(|cpu| cpu.0))?;
        row.serialize_entry("submitted", &moment(task.submitted))?;
        row.serialize_entry("started", &moment(task.started))?;
        // What was skipped has no end.
        let ended = task.outcome != Some(Outcome::Skipped);
        row.serialize_entry("finished", &moment(task.finished).filter(|_| ended))?;
        row.serialize_entry("ready", &moment(task.ready))?;
        row.serialize_entry("delivered", &moment(task.delivered))?;
        row.serialize_entry("on_cpu", &known(task.on_cpu))?;
        row.serialize_entry("waiting_cpu", &known(task.waiting))?;
        row.serialize_entry("blocked", &known(task.blocked()))?;
        row.serialize_entry("outcome", &task.outcome.map(Outcome::word))?;
        row.serialize_entry("error", &self.call.and_then(|call| call.error(self.index)))?;
        row.end()
    }
}

fn worker_rows(trace: &Trace, places: &Places) -> Vec<Value> {
    let mut tasks = vec![0_u32; workers(trace).count()];
    let ran = trace
        .call()
        .into_iter()
        .flat_map(Call::tasks)
        .filter(|task| task.started.happened());
    for place in ran.filter_map(|task| places.of_task(&task)) {
        tasks[place as usize] += 1;
    }
    let row = |(index, lane): (usize, &Lane)| {
        json!({
            "index": index,
            "name": lane.facts.name,
            "pid": lane.facts.pid,
            "tid": lane.facts.tid,
            "busy": lane.busy_until(trace.end()).0,
            "tasks": tasks[index],
            "ended": lane.closed.map(|(_, ended)| ended.word()),
        })
    };
    workers(trace).enumerate().map(row).collect()
}
