//! The threads backend as a whole: against bare pools, against a schedule without any cost, and how long
//! a switch takes.
//!
//! Both sides of a comparison take turns in one run, with the same computing in each task.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads the clock and prints"
)]

use parviz::event::{Event, Kind};
use parviz::experiment::{Experiment, MainWork, WorkKind};
use parviz::method::Method;
use parviz::origin::threads::work::{Pace, compute};
use parviz::origin::{self, Running};
use parviz::platform::process_cpu;
use parviz::time::Nanos;
use parviz::trace::Trace;
use parviz::workload::Costs;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

const ROUNDS: usize = 9;
const WORKERS: u32 = 2;

fn main() {
    throughput();
    makespan();
    switch();
}

/// What a side needed for all its tasks.
#[derive(Clone, Copy)]
struct Spent {
    wall: f64,
    cpu: f64,
}

fn spent(work: impl FnOnce()) -> Spent {
    let cpu = || process_cpu().unwrap_or_default().seconds();
    let (began, cpu_before) = (Instant::now(), cpu());
    work();
    Spent {
        wall: began.elapsed().as_secs_f64(),
        cpu: cpu() - cpu_before,
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn experiment(tasks: u32, cost: Nanos) -> Experiment {
    Experiment {
        method: Method::Map,
        workers: WORKERS,
        tasks,
        costs: Costs::Const(cost),
        kind: WorkKind::Cpu,
        chunksize: Some(1),
        main_work: MainWork::Fixed(Nanos::ZERO),
        ..Experiment::default()
    }
}

fn start(experiment: &Experiment) -> Running {
    origin::start(experiment).unwrap_or_else(|error| panic!("no thread for the run: {error}"))
}

/// Runs it whole, all events sent and read.
fn ours(experiment: &Experiment) {
    let running = start(experiment);
    let events: usize = running.batches.iter().map(|batch| batch.events.len()).sum();
    assert!(events >= 4 * experiment.tasks as usize);
    running.join();
}

fn throughput() {
    println!("{WORKERS} workers, chunk size 1, all events read; medians of {ROUNDS} rounds");
    println!(
        "                     tasks/s: ours, other, ours/other   CPU us a task: ours, other, other/ours"
    );
    let Ok(rayon) = rayon::ThreadPoolBuilder::new()
        .num_threads(WORKERS as usize)
        .build()
    else {
        return println!("rayon has no threads");
    };
    let threadpool = threadpool::ThreadPool::new(WORKERS as usize);
    for (name, cost, tasks) in [
        ("no-op", Nanos(0), 1_000_000),
        ("10 us", Nanos(10_000), 120_000),
        ("100 us", Nanos(100_000), 12_000),
    ] {
        let steps = Pace::measured().steps(cost);
        let experiment = experiment(tasks, cost);
        let (mut our_rounds, mut their_rounds) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            our_rounds.push(spent(|| ours(&experiment)));
            their_rounds.push(spent(|| {
                if cost == Nanos::ZERO {
                    for _ in 0..tasks {
                        threadpool.execute(move || compute(steps));
                    }
                    threadpool.join();
                } else {
                    rayon.scope(|scope| {
                        for _ in 0..tasks {
                            scope.spawn(move |_| compute(steps));
                        }
                    });
                }
            }));
        }
        let middle = |rounds: &[Spent]| Spent {
            wall: median(rounds.iter().map(|spent| spent.wall)),
            cpu: median(rounds.iter().map(|spent| spent.cpu)),
        };
        let (ours, theirs) = (middle(&our_rounds), middle(&their_rounds));
        let other = if cost == Nanos::ZERO {
            "threadpool"
        } else {
            "rayon scope"
        };
        println!(
            "{name:>7} {other:>12} {:9.0} {:9.0} {:6.3} {:10.3} {:8.3} {:6.3}",
            f64::from(tasks) / ours.wall,
            f64::from(tasks) / theirs.wall,
            theirs.wall / ours.wall,
            ours.cpu * 1e6 / f64::from(tasks),
            theirs.cpu * 1e6 / f64::from(tasks),
            theirs.cpu / ours.cpu,
        );
    }
}

/// When the last task would end if taking and handing in cost nothing.
fn first_come_first_served(durations: &[Nanos], workers: u32) -> Nanos {
    let mut free: BinaryHeap<Reverse<u64>> = (0..workers).map(|_| Reverse(0)).collect();
    let mut last = 0;
    for duration in durations {
        let Reverse(begin) = free.pop().unwrap_or_default();
        last = last.max(begin + duration.0);
        free.push(Reverse(begin + duration.0));
    }
    Nanos(last)
}

fn makespan() {
    println!("\nmakespan / first come, first served without any cost, least of {ROUNDS} runs");
    for (mean, tasks) in [(100_000, 4_000), (200_000, 2_000), (1_000_000, 400)] {
        let mean = Nanos(mean);
        let costs = Costs::Lognormal { mean, sigma: 0.8 };
        for (name, costs) in [("const", Costs::Const(mean)), ("lognormal", costs)] {
            let experiment = Experiment {
                costs,
                ..experiment(tasks, mean)
            };
            let ratio = (0..ROUNDS)
                .map(|_| {
                    let mut trace = Trace::default();
                    let running = start(&experiment);
                    for batch in &running.batches {
                        trace.apply(batch.events);
                    }
                    running.join();
                    let services: Vec<Nanos> = trace
                        .call()
                        .into_iter()
                        .flat_map(parviz::trace::Call::tasks)
                        .filter_map(|task| task.service())
                        .collect();
                    let bound = first_come_first_served(&services, WORKERS);
                    let makespan = trace.numbers(trace.end()).makespan.unwrap_or_default();
                    makespan.seconds() / bound.seconds()
                })
                .fold(f64::INFINITY, f64::min);
            println!("{name:>10} {mean:>8} {ratio:8.4}");
        }
    }
}

/// From the key to the first task of the new run, while tasks of ten seconds run.
fn switch() {
    println!("\nswitch during tasks of 10 s, ms: first new task, all workers, the old run's end");
    for kind in [WorkKind::Cpu, WorkKind::Io] {
        let experiment = Experiment {
            workers: 4,
            kind,
            ..experiment(8, Nanos(10_000_000_000))
        };
        let mut old = start(&experiment);
        wait_for_started(&old, 4);
        let mut rounds = Vec::new();
        for _ in 0..25 {
            let pressed = Instant::now();
            let since = || pressed.elapsed().as_secs_f64() * 1e3;
            old.cancel();
            let new = start(&experiment);
            let seen = wait_for_started(&new, 1);
            let first = since();
            wait_for_started(&new, 4 - seen);
            let all = since();
            old.join();
            rounds.push([first, all, since()]);
            old = new;
        }
        let column = |place: usize| {
            let values = rounds.iter().map(move |round| round[place]);
            (median(values.clone()), values.fold(0.0, f64::max))
        };
        let [first, all, end] = [0, 1, 2].map(column);
        println!(
            "{kind:?}: median (most) {:.1} ({:.1}), {:.1} ({:.1}), {:.1} ({:.1})",
            first.0, first.1, all.0, all.1, end.0, end.1
        );
    }
}

/// How many tasks have started when `least` of them have.
fn wait_for_started(running: &Running, least: usize) -> usize {
    let is_start = |event: &Event| matches!(event.kind, Kind::Started { .. });
    let mut started = 0;
    while started < least {
        let Ok(batch) = running.batches.recv() else {
            break;
        };
        started += batch.events.iter().filter(|event| is_start(event)).count();
    }
    started
}
