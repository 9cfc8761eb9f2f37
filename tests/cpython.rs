//! The measured backends against a real `multiprocessing.Pool`: the same tasks make the same chunks, finish
//! in the same order and reach the caller in the same order.
//!
//! The tasks only wait, and no two of them end within a unit of each other, so the orders do not depend
//! on how fast either side is. On a machine where waits are badly late an order may still turn: then both
//! sides run again, and a difference counts only where two runs of CPython agree on the other order.
#![expect(
    clippy::disallowed_methods,
    reason = "what only waits can wait at the same time"
)]

use crate::threads::{experiment, trace};
use parviz::event::Indexes;
use parviz::experiment::{Backend, Experiment, WorkKind};
use parviz::method::{Method, Sends};
use parviz::time::Nanos;
use parviz::trace::Trace;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Barrier;

/// In nanoseconds; a wait may be late by nearly that much.
const UNIT: u64 = 30_000_000;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cpython/pool.py");
const ATTEMPTS: usize = 6;

/// Chunk size, workers, costs in units.
const CASES: [(Option<u32>, u32, &[u64]); 3] = [
    (Some(1), 4, &[12, 2, 3, 8, 9, 13, 10, 3]),
    (Some(2), 4, &[12, 2, 3, 8, 9, 13, 10, 3]),
    // By its own rule map sends two at a time here.
    (None, 2, &[2, 4, 1, 3, 1, 8, 1, 1, 2, 2]),
];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Orders {
    chunks: Vec<Vec<u64>>,
    finished: Vec<u64>,
    delivered: Vec<u64>,
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

    fn run(&mut self, experiment: &Experiment, costs: &[u64]) -> Orders {
        let chunked = experiment.method.rules().sends != Sends::Tasks;
        let seconds: Vec<f64> = costs
            .iter()
            .map(|&cost| (cost * UNIT) as f64 / 1e9)
            .collect();
        let call = json!({
            "method": experiment.method.name(),
            "chunksize": experiment.chunksize.filter(|_| chunked),
            "workers": experiment.workers,
            "costs": seconds,
        });
        writeln!(self.calls, "{call}").unwrap();
        let answer = self.answers.next().expect("an answer").unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        Orders {
            chunks: serde_json::from_value(answer["chunks"].clone()).unwrap(),
            finished: serde_json::from_value(answer["finished"].clone()).unwrap(),
            delivered: serde_json::from_value(answer["delivered"].clone()).unwrap(),
        }
    }

    fn end(mut self) {
        drop(self.calls);
        assert!(self.process.wait().unwrap().success());
    }
}

fn orders(trace: &Trace) -> Orders {
    let call = trace.call().unwrap();
    let indexes = |tasks: Indexes| tasks.iter().map(u64::from).collect();
    let order = |order: &parviz::trace::Order| {
        let entries = order.entries().iter();
        entries.map(|entry| u64::from(entry.index)).collect()
    };
    Orders {
        chunks: call.chunks().map(|chunk| indexes(chunk.tasks)).collect(),
        finished: order(&call.finished),
        delivered: order(&call.delivered),
    }
}

fn case(method: Method, case: usize) -> (Experiment, &'static [u64]) {
    let (chunksize, workers, costs) = CASES[case];
    let nanoseconds: Vec<u64> = costs.iter().map(|&cost| cost * UNIT).collect();
    let chunked = method.rules().sends != Sends::Tasks;
    let experiment = Experiment {
        workers,
        chunksize: chunksize.filter(|_| chunked),
        kind: WorkKind::Io,
        ..experiment(method, &nanoseconds)
    };
    (experiment, costs)
}

/// Runs both sides until they agree.
fn compare(python: &mut Python, experiment: &Experiment, costs: &[u64]) {
    let mut theirs: Vec<Orders> = Vec::new();
    let mut ours = Vec::new();
    for _ in 0..ATTEMPTS {
        let (expected, run) = std::thread::scope(|threads| {
            let run = threads.spawn(|| orders(&trace(experiment)));
            (python.run(experiment, costs), run.join().unwrap())
        });
        if run == expected {
            return;
        }
        let twice = theirs.contains(&expected);
        theirs.push(expected);
        ours.push(run);
        // Three times the same difference is no accident of the machine.
        if twice && ours.len() > 2 {
            break;
        }
    }
    panic!(
        "{} on {} of {costs:?}, chunk size {:?}:\nours    {ours:#?}\nCPython {theirs:#?}",
        experiment.method.name(),
        experiment.backend.name(),
        experiment.chunksize
    );
}

#[test]
fn a_real_pool_has_the_same_chunks_and_orders() {
    let methods = &Method::ALL[..8];
    // All of them only wait, so they can do it at once; but not while others still start.
    let ready = Barrier::new(methods.len());
    std::thread::scope(|threads| {
        for &method in methods {
            let ready = &ready;
            threads.spawn(move || {
                let mut python = Python::start();
                ready.wait();
                for number in 0..CASES.len() {
                    let (experiment, costs) = case(method, number);
                    // A method without chunks does the same in both of the first two.
                    if number == 1 && method.rules().sends == Sends::Tasks {
                        continue;
                    }
                    compare(&mut python, &experiment, costs);
                    if Backend::Processes.is_available() {
                        let experiment = Experiment {
                            backend: Backend::Processes,
                            // All workers have begun by then, however busy the machine is.
                            startup: Nanos(5 * UNIT),
                            ..experiment
                        };
                        compare(&mut python, &experiment, costs);
                    }
                }
                python.end();
            });
        }
    });
}

#[test]
fn no_two_tasks_of_the_comparison_end_within_a_unit() {
    for method in &Method::ALL[..8] {
        for number in 0..CASES.len() {
            let (mut experiment, _) = case(*method, number);
            experiment.backend = Backend::Simulated;
            let trace = trace(&experiment);
            let ends: Vec<_> = trace.call().unwrap().finished.entries().iter().collect();
            assert!(
                ends.windows(2)
                    .all(|pair| pair[1].at.since(pair[0].at).0 >= UNIT),
                "{method:?}: {ends:?}"
            );
        }
    }
}
