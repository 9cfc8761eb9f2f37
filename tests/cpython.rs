//! The measured backends against a real `multiprocessing.Pool`: the same tasks make the same chunks, finish
//! in the same order and reach the caller in the same order; the same error is raised, and a worker that
//! dies takes as much with it.
//!
//! The tasks only wait, and no two of them end within a unit of each other, so the orders do not depend
//! on how fast either side is. On a machine where waits are badly late an order may still turn: then both
//! sides run again, more slowly, and a difference counts only where two runs of CPython agree on the other
//! order.
#![expect(
    clippy::disallowed_methods,
    reason = "what only waits can wait at the same time"
)]

use crate::threads::{self, ends, trace};
use parviz::event::Indexes;
use parviz::experiment::{Backend, Experiment, Fault, FaultKind, WorkKind};
use parviz::method::{Delivery, Method, Sends};
use parviz::time::{Nanos, Time};
use parviz::trace::Trace;
use parviz::workload;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Barrier;

/// In nanoseconds; a wait may be late by nearly that much. At each attempt it is that much longer.
const UNIT: u64 = 30_000_000;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cpython/pool.py");
/// On a machine on which no two of so many runs agree nothing can be compared.
const ATTEMPTS: u64 = 10;
/// A difference is no accident of the machine after so many.
const ENOUGH: u64 = 5;

/// A call that both sides make.
#[derive(Clone, Copy, Debug)]
struct Case {
    chunksize: Option<u32>,
    workers: u32,
    /// In units.
    costs: &'static [u64],
    faults: &'static [(u32, FaultKind)],
    /// Methods that it tells something of.
    is_for: fn(Method) -> bool,
}

const COSTS: &[u64] = &[12, 2, 3, 8, 9, 13, 10, 3];
const SINGLE: Case = Case {
    chunksize: Some(1),
    workers: 4,
    costs: COSTS,
    faults: &[],
    is_for: |_| true,
};
const CHUNKS: Case = Case {
    chunksize: Some(2),
    is_for: has_chunks,
    ..SINGLE
};

const CASES: [Case; 9] = [
    SINGLE,
    CHUNKS,
    // By its own rule map sends two at a time here.
    Case {
        chunksize: None,
        workers: 2,
        costs: &[2, 4, 1, 3, 1, 8, 1, 1, 2, 2],
        ..SINGLE
    },
    // The error that comes first is not that of the first task.
    Case {
        faults: &[(0, FaultKind::Raise), (2, FaultKind::Raise)],
        ..SINGLE
    },
    Case {
        faults: &[(3, FaultKind::Raise), (6, FaultKind::Raise)],
        ..CHUNKS
    },
    // Two chunks are back before one fails.
    Case {
        faults: &[(1, FaultKind::Raise), (5, FaultKind::Raise)],
        ..CHUNKS
    },
    Case {
        workers: 2,
        costs: &[3],
        faults: &[(0, FaultKind::Raise)],
        ..CHUNKS
    },
    Case {
        faults: &[(2, FaultKind::Die)],
        ..SINGLE
    },
    // A task of the chunk that is lost had ended. An iterator of chunks cannot be asked without waiting.
    Case {
        faults: &[(3, FaultKind::Die)],
        is_for: |method| method.rules().delivery == Delivery::List,
        ..CHUNKS
    },
];

fn has_chunks(method: Method) -> bool {
    method.rules().sends != Sends::Tasks
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Told {
    /// Those that were sent.
    chunks: Vec<Vec<u64>>,
    /// Tasks that ended, also with an error.
    finished: Vec<u64>,
    delivered: Vec<u64>,
    /// The first error that the main program met.
    error: Option<String>,
    ends: String,
    outstanding: u32,
}

/// A Python that runs one call after another.
struct Python {
    process: Child,
    calls: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Python {
    fn start() -> Self {
        let mut process = Command::new("python3")
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests compare with CPython and need `python3` on the path");
        let calls = process.stdin.take().unwrap();
        let mut answers = BufReader::new(process.stdout.take().unwrap()).lines();
        assert_eq!(answers.next().unwrap().unwrap(), "ready");
        Self {
            process,
            calls,
            answers,
        }
    }

    fn run(&mut self, experiment: &Experiment) -> Told {
        let faults = experiment.faults.iter().map(|fault| {
            let kind = if fault.kind == FaultKind::Raise {
                "raise"
            } else {
                "die"
            };
            (fault.task.to_string(), Value::from(kind))
        });
        let works = workload::tasks(experiment);
        let seconds: Vec<f64> = works.iter().map(|work| work.cost.seconds()).collect();
        let call = json!({
            "method": experiment.method.name(),
            "chunksize": experiment.chunksize,
            "workers": experiment.workers,
            "costs": seconds,
            "faults": faults.collect::<Map<_, _>>(),
        });
        writeln!(self.calls, "{call}").unwrap();
        let answer = self.answers.next().expect("an answer").unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    fn end(mut self) {
        drop(self.calls);
        assert!(self.process.wait().unwrap().success());
    }
}

fn told(trace: &Trace) -> Told {
    let call = trace.call().unwrap();
    let indexes = |tasks: Indexes| tasks.iter().map(u64::from).collect();
    let sent = call.chunks().filter(|chunk| chunk.enqueued.happened());
    let entries = call.finished.entries().iter().enumerate();
    let ran = entries.filter(|&(place, _)| call.finished.is_counted(place));
    let delivered = call.delivered.entries().iter();
    Told {
        chunks: sent.map(|chunk| indexes(chunk.tasks)).collect(),
        finished: ran.map(|(_, entry)| u64::from(entry.index)).collect(),
        delivered: delivered.map(|entry| u64::from(entry.index)).collect(),
        error: trace.raised(call, trace.end()).map(str::to_owned),
        ends: ends(trace).word().to_owned(),
        outstanding: trace.outcome(trace.end()).outstanding,
    }
}

fn experiment(method: Method, case: &Case, unit: u64) -> Experiment {
    let nanoseconds: Vec<u64> = case.costs.iter().map(|&cost| cost * unit).collect();
    let faults = case.faults.iter().map(|&(task, kind)| Fault { task, kind });
    Experiment {
        workers: case.workers,
        chunksize: case.chunksize.filter(|_| has_chunks(method)),
        kind: WorkKind::Io,
        faults: faults.collect(),
        ..threads::experiment(method, &nanoseconds)
    }
}

/// Runs both sides until they agree, or CPython has said twice that ours is wrong.
fn compare(python: &mut Python, backend: Backend, method: Method, case: &Case) {
    let mut theirs: Vec<Told> = Vec::new();
    let mut ours = Vec::new();
    let mut agreed = false;
    for attempt in 1..=ATTEMPTS {
        let unit = attempt * UNIT;
        let experiment = Experiment {
            backend,
            // All processes have begun by then, however busy the machine is.
            startup: Nanos(if backend == Backend::Processes {
                5 * unit
            } else {
                0
            }),
            ..experiment(method, case, unit)
        };
        let (expected, run) = std::thread::scope(|threads| {
            let run = threads.spawn(|| told(&trace(&experiment)));
            (python.run(&experiment), run.join().unwrap())
        });
        if run == expected {
            return;
        }
        agreed |= theirs.contains(&expected);
        theirs.push(expected);
        ours.push(run);
        if agreed && attempt >= ENOUGH {
            break;
        }
    }
    let verdict = if agreed {
        "differs"
    } else {
        "cannot be compared: no two runs of CPython agree"
    };
    panic!(
        "{} on {} of {case:?}, {verdict}:\nours    {ours:?}\nCPython {theirs:?}",
        method.name(),
        backend.name(),
    );
}

#[test]
fn a_real_pool_has_the_same_chunks_orders_errors_and_losses() {
    let methods = &Method::ALL[..8];
    // All of them only wait, so they can do it at once; but not while others still start.
    let ready = Barrier::new(methods.len());
    std::thread::scope(|threads| {
        for &method in methods {
            let ready = &ready;
            threads.spawn(move || {
                let mut python = Python::start();
                ready.wait();
                for case in CASES.iter().filter(|case| (case.is_for)(method)) {
                    compare(&mut python, Backend::Threads, method, case);
                    if Backend::Processes.is_available() {
                        compare(&mut python, Backend::Processes, method, case);
                    }
                }
                python.end();
            });
        }
    });
}

#[test]
fn no_two_tasks_of_the_comparison_end_within_a_unit() {
    for &method in &Method::ALL[..8] {
        for case in CASES.iter().filter(|case| (case.is_for)(method)) {
            let mut experiment = experiment(method, case, UNIT);
            experiment.backend = Backend::Simulated;
            let trace = trace(&experiment);
            let finished = &trace.call().unwrap().finished;
            let entries = finished.entries().iter().enumerate();
            // Those that were passed over end with the one that raised.
            let ends: Vec<_> = entries
                .filter(|&(place, _)| finished.is_counted(place))
                .map(|(_, entry)| entry.at)
                .collect();
            let apart = |pair: &[Time]| pair[1].since(pair[0]).0 >= UNIT;
            assert!(ends.windows(2).all(apart), "{method:?}: {ends:?}");
        }
    }
}
