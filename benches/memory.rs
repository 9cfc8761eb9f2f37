//! What a task costs in memory, once everything about it is in the trace, and what telling of it takes.
//!
//! Each case runs in a process of its own, so that what one gives back is not there for the next. Bytes are
//! those the process has resident more than before; times are CPU time of the thread that folds.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench starts processes and prints"
)]

use parviz::event::{
    CallBegan, CallId, Category, CpuId, Event, Indexes, Kind, LaneId, LaneKind, LaneOpened,
    NamedSpan, Outcome, Ran, TaskId,
};
use parviz::experiment::{Backend, Experiment};
use parviz::origin;
use parviz::platform::{ThreadClock, resident_memory};
use parviz::time::{Nanos, Time};
use parviz::trace::Trace;
use parviz::workload::Costs;
use std::process::Command;

const TASKS: u32 = 1_000_000;
const WORKERS: u32 = 2;
const CALL: CallId = CallId(0);
/// Events that are told at once.
const BATCH: usize = 4_000;

/// A million tasks, as an origin tells them.
struct Told {
    name: &'static str,
    /// Tasks in a message.
    chunksize: u32,
    /// From the start of a task to its end.
    length: u64,
    /// The clocks of its worker are read at the end of each task.
    accounted: bool,
    /// Each task is handed in, becomes ready and is delivered alone.
    alone: bool,
    /// What a worker does besides tasks: of each chunk it unpickles the tasks, and pickles and sends the
    /// results.
    spans: bool,
}

const TOLD: [Told; 5] = [
    Told {
        name: "map, chunks of 125000, 1 us",
        chunksize: TASKS / 8,
        length: 1_000,
        accounted: false,
        alone: false,
        spans: false,
    },
    Told {
        name: "map, chunk size 1, 1 us",
        chunksize: 1,
        length: 1_000,
        accounted: false,
        alone: false,
        spans: false,
    },
    Told {
        name: "map, chunk size 1, 100 us, with clocks",
        chunksize: 1,
        length: 100_000,
        accounted: true,
        alone: false,
        spans: false,
    },
    Told {
        name: "imap, chunk size 1, 100 us, with clocks",
        chunksize: 1,
        length: 100_000,
        accounted: true,
        alone: true,
        spans: false,
    },
    Told {
        name: "imap, the same, with three spans a task",
        chunksize: 1,
        length: 100_000,
        accounted: true,
        alone: true,
        spans: true,
    },
];

const LAB: [(&str, Backend); 2] = [
    ("lab, threads", Backend::Threads),
    ("lab, simulated", Backend::Simulated),
];

fn main() {
    let cases = TOLD.iter().map(|told| told.name);
    let cases = cases.chain(LAB.iter().map(|lab| lab.0));
    if let Some(case) = std::env::args().nth(1).filter(|arg| !arg.starts_with("--")) {
        return run(&case);
    }
    println!("{TASKS} tasks            bytes a task   the most   ns of CPU a task");
    for case in cases {
        let own = std::env::current_exe().map(Command::new);
        let ran = own.and_then(|mut own| own.arg(case).status());
        if !ran.is_ok_and(|status| status.success()) {
            println!("{case}: did not run");
        }
    }
}

fn run(case: &str) {
    let before = resident_memory();
    let (trace, spent) = match TOLD.iter().find(|told| told.name == case) {
        Some(told) => folded(told),
        None => ran(LAB.iter().find(|lab| lab.0 == case).map(|lab| lab.1)),
    };
    let a_task = |bytes: Option<u64>| {
        let more = bytes
            .zip(before)
            .map(|(now, before)| now.saturating_sub(before));
        more.map_or(f64::NAN, |more| more as f64 / f64::from(TASKS))
    };
    let [now, most] = [a_task(resident_memory()), a_task(highest())];
    println!("{case:42} {now:6.1}     {most:6.1}   {spent:6.1}");
    drop(trace);
}

/// The most that was resident so far.
fn highest() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// CPU time of the calling thread.
fn on_cpu(clock: Option<&ThreadClock>) -> Nanos {
    let spent = clock.and_then(ThreadClock::read);
    spent.unwrap_or_default().on_cpu
}

/// A run of the lab, folded as it goes.
fn ran(backend: Option<Backend>) -> (Trace, f64) {
    let experiment = Experiment {
        backend: backend.unwrap_or(Backend::Simulated),
        tasks: TASKS,
        workers: WORKERS,
        // Of no length at all they would all end at the first moment of a simulation.
        costs: Costs::Const(Nanos(u64::from(backend == Some(Backend::Simulated)))),
        ..Experiment::default()
    };
    let (mut trace, mut spent) = (Trace::default(), Nanos::ZERO);
    if let Ok(running) = origin::start(&experiment) {
        let clock = ThreadClock::open();
        for batch in &running.batches {
            let before = on_cpu(clock.as_ref());
            trace.apply(batch.events);
            spent += on_cpu(clock.as_ref()).saturating_sub(before);
        }
        running.join();
    }
    (trace, spent.0 as f64 / f64::from(TASKS))
}

/// A million tasks, told in batches.
fn folded(told: &Told) -> (Trace, f64) {
    let (mut trace, mut spent) = (Trace::default(), Nanos::ZERO);
    let clock = ThreadClock::open();
    let mut tell = |events: Vec<Event>| {
        let before = on_cpu(clock.as_ref());
        trace.apply(events);
        spent += on_cpu(clock.as_ref()).saturating_sub(before);
    };
    let chunks = TASKS.div_ceil(told.chunksize);
    let mut events = begin(told, chunks);
    // Each worker takes every other chunk, and all keep step.
    for turn in 0..chunks.div_ceil(WORKERS) {
        for place in 0..told.chunksize {
            for worker in 0..WORKERS {
                let chunk = turn * WORKERS + worker;
                task(told, chunk, place, worker, turn, &mut events);
            }
            if events.len() > BATCH {
                tell(std::mem::take(&mut events));
            }
        }
    }
    tell(events);
    let end = Time(u64::from(TASKS) * told.length);
    let all = Indexes::new(0, TASKS);
    if !told.alone {
        let ready = Kind::Ready {
            call: CALL,
            tasks: all,
        };
        let delivered = Kind::Delivered {
            call: CALL,
            tasks: all,
        };
        tell(vec![event(end, 0, ready), event(end, 0, delivered)]);
    }
    (trace, spent.0 as f64 / f64::from(TASKS))
}

fn event(at: Time, lane: u32, kind: Kind) -> Event {
    Event {
        at,
        lane: LaneId(lane),
        kind,
    }
}

/// The pool opens, and the caller calls.
fn begin(told: &Told, chunks: u32) -> Vec<Event> {
    let opened = (0..=WORKERS).map(|lane| {
        let kind = [LaneKind::Caller, LaneKind::Worker][lane.min(1) as usize];
        let facts = LaneOpened {
            kind,
            pool: None,
            name: format!("lane {lane}"),
            pid: None,
            tid: None,
        };
        event(Time::ZERO, lane, Kind::LaneOpened(Box::new(facts)))
    });
    let began = CallBegan {
        call: CALL,
        pool: None,
        method: "map".to_owned(),
        function: "f".to_owned(),
        source: None,
        tasks: Some(TASKS),
        chunksize: Some(told.chunksize),
    };
    let mut events: Vec<Event> = opened.collect();
    events.push(event(Time::ZERO, 0, Kind::CallBegan(Box::new(began))));
    if !told.alone {
        let tasks = Indexes::new(0, TASKS);
        let chunks = Indexes::new(0, chunks);
        events.push(event(Time::ZERO, 0, Kind::Submitted { call: CALL, tasks }));
        events.push(event(Time::ZERO, 0, Kind::Enqueued { call: CALL, chunks }));
    }
    events
}

/// All that is told of one task, at the `place`-th place of its chunk.
fn task(told: &Told, chunk: u32, place: u32, worker: u32, turn: u32, events: &mut Vec<Event>) {
    let index = chunk * told.chunksize + place;
    if index >= TASKS {
        return;
    }
    let (call, lane, cpu) = (CALL, worker + 1, Some(CpuId(worker as u16)));
    let task = TaskId { call, index };
    let (tasks, chunks) = (Indexes::one(index), Indexes::one(chunk));
    let (pause, before) = (told.length / 10, u64::from(turn * told.chunksize + place));
    let start = Time(before * (told.length + pause) + u64::from(worker) * 7);
    // Not all take the same time.
    let end = start + Nanos(told.length - u64::from(index) * 37 % pause);
    let mut tell = |at: Time, lane: u32, kind: Kind| events.push(event(at, lane, kind));
    if told.alone {
        tell(start - Nanos(50), 0, Kind::Submitted { call, tasks });
        tell(start - Nanos(50), 0, Kind::Enqueued { call, chunks });
    }
    if place == 0 {
        tell(start, lane, Kind::Dequeued { call, chunk });
    }
    tell(start, lane, Kind::Started { task, cpu });
    if told.accounted {
        let waiting = Nanos(u64::from(index) % 5_000);
        let ran = Ran {
            task,
            since: start,
            on_cpu: end.since(start).saturating_sub(waiting),
            waiting,
            useful_wait: Nanos::ZERO,
            cpu,
            moved_to: None,
        };
        tell(end, lane, Kind::Ran(Box::new(ran)));
    }
    let outcome = Outcome::Ok;
    tell(end, lane, Kind::Finished { task, outcome, cpu });
    let mut span = |name: &str, since: Time, length: u64| {
        let span = NamedSpan {
            name: name.to_owned(),
            category: Category::Overhead,
            since,
        };
        tell(since + Nanos(length), lane, Kind::Span(Box::new(span)));
    };
    if told.spans {
        span("pickle", end, 900 + u64::from(index) % 700);
        span("send", end + Nanos(1_700), 300 + u64::from(index) % 90);
        span("unpickle", end + Nanos(2_500), 600 + u64::from(index) % 500);
    }
    if place + 1 == told.chunksize {
        tell(end + Nanos(40), 0, Kind::Returned { call, chunk });
    }
    if told.alone {
        tell(end + Nanos(50), 0, Kind::Ready { call, tasks });
        tell(end + Nanos(60), 0, Kind::Delivered { call, tasks });
    }
}
