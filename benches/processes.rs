//! The processes backend against `multiprocessing.Pool.map` of the `python3` on the path: tasks that do
//! nothing, one in each message, with and without bytes to carry.
//!
//! Both sides take turns in one run. Each starts its pool, makes one call and ends the pool; ours tells
//! all its events besides. CPU time is that of the main program and all its workers.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads the clock and prints"
)]

use parviz::event::Kind;
use parviz::experiment::{Backend, Experiment, MainWork};
use parviz::method::Method;
use parviz::origin;
use parviz::platform::process_cpu;
use parviz::time::Nanos;
use parviz::workload::Costs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 7;
const WORKERS: u32 = 2;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/processes/pool.py");

/// What a side needed for a task.
#[derive(Clone, Copy)]
struct Spent {
    wall: f64,
    cpu: f64,
}

/// A Python that makes one call after another.
struct Python {
    process: Child,
    calls: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Python {
    fn start() -> Option<Self> {
        let mut process = Command::new("python3")
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let calls = process.stdin.take()?;
        let answers = BufReader::new(process.stdout.take()?).lines();
        Some(Self {
            process,
            calls,
            answers,
        })
    }

    fn run(&mut self, tasks: u32, payload: u32) -> Option<Spent> {
        writeln!(self.calls, "{tasks} {payload} {WORKERS}").ok()?;
        let answer = self.answers.next()?.ok()?;
        let mut numbers = answer.split(' ').map(str::parse::<f64>);
        let (wall, cpu) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(each(wall, cpu, tasks))
    }
}

fn each(wall: f64, cpu: f64, tasks: u32) -> Spent {
    Spent {
        wall: wall / f64::from(tasks),
        cpu: cpu / f64::from(tasks),
    }
}

/// Seconds of CPU time of this process and of those it has waited for.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_whitespace().skip(13);
    let mut ticks = || fields.next().and_then(|field| field.parse::<f64>().ok());
    let children = ticks().unwrap_or_default() + ticks().unwrap_or_default();
    process_cpu().unwrap_or_default().seconds() + children / 100.0
}

fn ours(tasks: u32, payload: u32) -> Spent {
    let experiment = Experiment {
        method: Method::Map,
        backend: Backend::Processes,
        workers: WORKERS,
        tasks,
        costs: Costs::Const(Nanos::ZERO),
        chunksize: Some(1),
        main_work: MainWork::Fixed(Nanos::ZERO),
        payload,
        ..Experiment::default()
    };
    let parviz = Path::new(env!("CARGO_BIN_EXE_parviz"));
    let (began, cpu_before) = (Instant::now(), cpu());
    let running = origin::start_with(&experiment, Some(parviz))
        .unwrap_or_else(|error| panic!("no thread for the run: {error}"));
    let mut finished = 0;
    for batch in &running.batches {
        let ends = |event: &&parviz::event::Event| matches!(event.kind, Kind::Finished { .. });
        finished += batch.events.iter().filter(ends).count();
    }
    running.join();
    assert_eq!(finished, tasks as usize);
    each(began.elapsed().as_secs_f64(), cpu() - cpu_before, tasks)
}

fn median(rounds: &[Spent], what: fn(&Spent) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(what).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let Some(mut python) = Python::start() else {
        return println!("there is no python3 on the path to compare with");
    };
    println!("{WORKERS} workers, chunk size 1, no work; medians of {ROUNDS} rounds in turn");
    println!(
        "               tasks/s: ours, CPython, ours/CPython   CPU us a task: ours, CPython, CPython/ours"
    );
    for (name, payload, our_tasks, their_tasks) in [
        ("no bytes", 0, 400_000, 60_000),
        ("1 KiB", 1 << 10, 200_000, 40_000),
        ("64 KiB", 1 << 16, 8_000, 6_000),
    ] {
        let (mut our_rounds, mut their_rounds) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            our_rounds.push(ours(our_tasks, payload));
            let Some(spent) = python.run(their_tasks, payload) else {
                return println!("python3 gave no answer");
            };
            their_rounds.push(spent);
        }
        let [wall, their_wall] =
            [&our_rounds, &their_rounds].map(|r| median(r, |spent| spent.wall));
        let [cpu, their_cpu] = [&our_rounds, &their_rounds].map(|r| median(r, |spent| spent.cpu));
        println!(
            "{name:>10} {:12.0} {:9.0} {:7.2} {:14.3} {:8.3} {:7.2}",
            1.0 / wall,
            1.0 / their_wall,
            their_wall / wall,
            cpu * 1e6,
            their_cpu * 1e6,
            their_cpu / cpu,
        );
    }
    drop(python.calls);
    // It ends with its input.
    let _ = python.process.wait();
}
