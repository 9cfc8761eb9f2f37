//! The threads backend, held to what must be true of every run, whatever the scheduler does.

use parviz::event::{Ended, Ends, Event, Indexes, Kind, LaneId, LaneKind, Outcome};
use parviz::experiment::{CounterEffect, Experiment, Fault, FaultKind, MainWork, Policy, WorkKind};
use parviz::method::{Delivery, Method};
use parviz::origin::{self, Batch, Running};
use parviz::time::{Nanos, Time};
use parviz::trace::Trace;
use parviz::workload::Costs;
use std::collections::HashMap;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;

/// Short tasks and no work of the caller's own.
pub(crate) fn experiment(method: Method, costs: &[u64]) -> Experiment {
    let costs = costs.iter().map(|&cost| Nanos(cost));
    Experiment {
        method,
        chunksize: None,
        tasks: costs.len() as u32,
        costs: Costs::List(costs.collect()),
        main_work: MainWork::Fixed(Nanos::ZERO),
        ..Experiment::default()
    }
}

pub(crate) fn start(experiment: &Experiment) -> Running {
    assert_eq!(experiment.check(), Ok(()));
    origin::start(experiment).expect("a thread for the run")
}

/// Reads a run to its end.
fn batches(experiment: &Experiment) -> Vec<Batch> {
    let running = start(experiment);
    let batches = running.batches.iter().collect();
    running.join();
    batches
}

/// A run as the trace knows it.
pub(crate) fn trace(experiment: &Experiment) -> Trace {
    let mut trace = Trace::default();
    for batch in batches(experiment) {
        trace.apply(batch.events);
    }
    trace
}

fn ends(trace: &Trace) -> Ends {
    trace.ended().expect("the end is told").1
}

fn with_faults(method: Method, faults: &[(u32, FaultKind)]) -> Experiment {
    let faults = faults.iter().map(|&(task, kind)| Fault { task, kind });
    Experiment {
        faults: faults.collect(),
        ..experiment(method, &[200 * MICROSECOND; 6])
    }
}

/// A generator of variety, not of randomness.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn any_experiment(seed: u64) -> Experiment {
    let mut dice = Dice(seed);
    let method = Method::ALL[(seed % 9) as usize];
    let tasks = dice.below(25);
    let costs: Vec<u64> = (0..tasks).map(|_| dice.below(400) * MICROSECOND).collect();
    let mut any = experiment(method, &costs);
    any.workers = 1 + dice.below(6) as u32;
    any.kind = [WorkKind::Cpu, WorkKind::Io, WorkKind::Mixed][dice.below(3) as usize];
    if method.rules().delivery != Delivery::Callback && !method.rules().one_at_a_time {
        any.chunksize = [None, Some(1), Some(2), Some(3)][dice.below(4) as usize];
    }
    any.gil = dice.below(4) == 0;
    any.pairs = dice.below(8) == 0;
    any.dispatch = Nanos([0, 0, 50 * MICROSECOND][dice.below(3) as usize]);
    any.main_work = MainWork::Fixed(Nanos(dice.below(2) * MILLISECOND));
    any.policy = [Policy::Pool, Policy::Executor][dice.below(2) as usize];
    any.effect = [CounterEffect::None, CounterEffect::Race][dice.below(2) as usize];
    for task in 0..tasks as u32 {
        let kind = match dice.below(30) {
            0 => FaultKind::Raise,
            1 if method != Method::Loop => FaultKind::Die,
            2 => FaultKind::Hang,
            _ => continue,
        };
        any.faults.push(Fault { task, kind });
    }
    any
}

/// When something happened to each task or chunk; twice is a failure.
#[derive(Default)]
struct Moments(HashMap<u32, Time>);

impl Moments {
    fn note(&mut self, indexes: Indexes, at: Time, what: &str) {
        for index in indexes.iter() {
            let before = self.0.insert(index, at);
            assert_eq!(before, None, "{what} {index} twice");
        }
    }

    fn of(&self, index: u32) -> Option<Time> {
        self.0.get(&index).copied()
    }
}

/// Everything that is true of every run.
fn check(experiment: &Experiment, batches: &[Batch]) {
    let mut complete_to = Time::ZERO;
    let mut lanes: HashMap<LaneId, (Time, bool)> = HashMap::new();
    let mut running: HashMap<LaneId, u32> = HashMap::new();
    let mut moments: [Moments; 8] = Default::default();
    let [
        submitted,
        enqueued,
        dequeued,
        started,
        finished,
        returned,
        ready,
        delivered,
    ] = &mut moments;
    let mut ended = None;
    for Batch {
        events,
        complete_to: next,
    } in batches
    {
        for Event { at, lane, kind } in events {
            assert!(
                *at >= complete_to,
                "{kind:?} at {at:?} came after {complete_to:?}"
            );
            assert_eq!(ended, None, "{kind:?} after the end");
            let (last, open) = lanes.entry(*lane).or_insert((*at, true));
            let may_tell = *open || matches!(kind, Kind::RunEnded { .. });
            assert!(
                *last <= *at && may_tell,
                "{lane:?} runs backwards to {kind:?}"
            );
            *last = *at;
            match kind {
                Kind::LaneClosed { .. } => {
                    *open = false;
                    running.remove(lane);
                }
                Kind::Submitted { tasks, .. } => submitted.note(*tasks, *at, "submitted"),
                Kind::Enqueued { chunks, .. } => enqueued.note(*chunks, *at, "enqueued"),
                Kind::Dequeued { chunk, .. } => {
                    dequeued.note(Indexes::one(*chunk), *at, "dequeued");
                }
                Kind::Started { task, .. } => {
                    started.note(Indexes::one(task.index), *at, "started");
                    assert_eq!(running.insert(*lane, task.index), None);
                }
                Kind::Finished { task, outcome, .. } => {
                    finished.note(Indexes::one(task.index), *at, "finished");
                    let was_running = running.remove(lane);
                    if *outcome == Outcome::Ok {
                        assert_eq!(was_running, Some(task.index));
                    }
                }
                Kind::Ran(ran) => {
                    assert_eq!(running.get(lane), Some(&ran.task.index));
                    let length = at.since(ran.since);
                    assert!(ran.on_cpu + ran.waiting + ran.useful_wait <= length);
                }
                Kind::Returned { chunk, .. } => {
                    returned.note(Indexes::one(*chunk), *at, "returned");
                }
                Kind::Ready { tasks, .. } => ready.note(*tasks, *at, "ready"),
                Kind::Delivered { tasks, .. } => delivered.note(*tasks, *at, "delivered"),
                Kind::RunEnded { ends } => ended = Some(*ends),
                _ => {}
            }
        }
        complete_to = *next;
    }
    assert_eq!(complete_to, Time::NEVER);
    assert!(running.is_empty(), "{running:?} have no end");
    let chunksize = experiment.real_chunksize().max(1);
    for index in 0..experiment.tasks {
        let chunk = index / chunksize;
        let mut story = vec![("submitted", submitted.of(index))];
        if experiment.method != Method::Loop {
            story.push(("enqueued", enqueued.of(chunk)));
        }
        story.extend([
            ("dequeued", dequeued.of(chunk)),
            ("started", started.of(index)),
            ("finished", finished.of(index)),
            ("ready", ready.of(index)),
            ("delivered", delivered.of(index)),
        ]);
        if ended == Some(Ends::BrokenProcessPool) {
            // At the death everything outstanding failed, whatever still went on for a moment.
            story.retain(|(what, _)| *what != "ready");
        }
        let told: Vec<_> = story.iter().filter_map(|(_, at)| *at).collect();
        assert!(told.is_sorted(), "task {index}: {story:?}");
        if ended == Some(Ends::Returned) {
            assert!(
                ready.of(index).is_some(),
                "task {index} is ready at the end"
            );
        }
    }
    let dies_or_hangs = |fault: &Fault| fault.kind != FaultKind::Raise;
    if experiment.faults.is_empty() && experiment.enters() {
        assert_eq!(ended, Some(Ends::Returned));
        assert_eq!(delivered.0.len(), experiment.tasks as usize);
        assert_eq!(finished.0.len(), experiment.tasks as usize);
    } else if !experiment.faults.iter().any(dies_or_hangs)
        && !experiment.method.rules().one_at_a_time
    {
        // Every other chunk still runs.
        assert_eq!(finished.0.len(), experiment.tasks as usize);
    }
}

#[test]
fn every_run_keeps_its_promises() {
    for seed in 0..180 {
        let experiment = any_experiment(seed);
        let batches = batches(&experiment);
        let result = std::panic::catch_unwind(|| check(&experiment, &batches));
        assert!(result.is_ok(), "seed {seed}: {experiment:?}");
    }
}

#[test]
fn a_million_tasks_arrive_in_the_trace() {
    let experiment = Experiment {
        costs: Costs::Const(Nanos::ZERO),
        tasks: 1_000_000,
        chunksize: Some(10),
        ..experiment(Method::Map, &[])
    };
    let trace = trace(&experiment);
    let call = trace.call().unwrap();
    assert_eq!(call.tasks().len(), 1_000_000);
    assert!(
        call.tasks()
            .iter()
            .all(|task| task.outcome == Some(Outcome::Ok) && task.delivered.happened())
    );
    assert_eq!(call.finished.entries().len(), 1_000_000);
}

#[test]
fn a_failed_task_fails_its_chunk_and_nobody_else() {
    let mut experiment = with_faults(Method::Map, &[(1, FaultKind::Raise)]);
    experiment.chunksize = Some(3);
    let trace = trace(&experiment);
    let call = trace.call().unwrap();
    let outcomes: Vec<_> = call.tasks().iter().map(|task| task.outcome).collect();
    use Outcome::{Failed, Ok, Skipped};
    assert_eq!(outcomes, [Ok, Failed, Skipped, Ok, Ok, Ok].map(Some));
    assert_eq!(call.error(1), Some("ValueError: task 1 failed"));
    assert_eq!(ends(&trace), Ends::Error);
}

#[test]
fn a_dead_worker_is_replaced_and_its_call_never_completes() {
    let trace = trace(&with_faults(Method::Map, &[(2, FaultKind::Die)]));
    assert_eq!(ends(&trace), Ends::Never);
    assert_eq!(trace.rows().len(), 4);
    let lanes: Vec<_> = trace
        .lanes()
        .filter(|lane| lane.facts.kind == LaneKind::Worker)
        .collect();
    assert_eq!(lanes.len(), 5);
    let dead = lanes.iter().filter(|lane| {
        lane.closed
            .is_some_and(|(_, ended)| ended == Ended::Crashed)
    });
    assert_eq!(dead.count(), 1);
    let lost = trace.call().unwrap().tasks()[2].outcome;
    assert_eq!(lost, Some(Outcome::Lost));
}

#[test]
fn an_executor_gives_up_when_a_worker_dies() {
    let mut experiment = with_faults(Method::Imap, &[(0, FaultKind::Die)]);
    experiment.policy = Policy::Executor;
    experiment.kind = WorkKind::Io;
    experiment.costs = Costs::List(
        [1, 10_000, 10_000, 10_000, 1, 1]
            .map(|ms| Nanos(ms * MILLISECOND))
            .to_vec(),
    );
    let trace = trace(&experiment);
    assert_eq!(ends(&trace), Ends::BrokenProcessPool);
    let closed = |ended| {
        trace
            .lanes()
            .filter(|lane| lane.closed.is_some_and(|closed| closed.1 == ended))
            .count()
    };
    assert_eq!((closed(Ended::Crashed), closed(Ended::Killed)), (1, 3));
    let call = trace.call().unwrap();
    assert_eq!(call.ready.entries().len(), 6);
    assert_eq!(call.delivered.entries().len(), 0);
    assert!(trace.end() < Time(5_000 * MILLISECOND));
}

#[test]
fn a_hanging_task_ends_the_run_when_nothing_else_can_happen() {
    for method in Method::ALL {
        let trace = trace(&with_faults(method, &[(3, FaultKind::Hang)]));
        assert_eq!(ends(&trace), Ends::Never, "{method:?}");
        let finished = trace.call().unwrap().finished.entries().len();
        let expected = if method.rules().one_at_a_time { 3 } else { 5 };
        assert_eq!(finished, expected, "{method:?}");
    }
}

#[test]
fn a_run_that_hangs_everywhere_ends_too() {
    let mut experiment = with_faults(
        Method::ImapUnordered,
        &[(0, FaultKind::Hang), (1, FaultKind::Hang)],
    );
    experiment.workers = 2;
    let trace = trace(&experiment);
    assert_eq!(ends(&trace), Ends::Never);
    assert_eq!(trace.call().unwrap().started.entries().len(), 2);
}

#[test]
fn increments_under_a_lock_are_never_lost() {
    let mut experiment = with_faults(Method::Map, &[]);
    experiment.effect = CounterEffect::Race;
    experiment.lock = true;
    experiment.increments = 50;
    let trace = trace(&experiment);
    assert_eq!(trace.sample("counter_main", Time::NEVER), Some(300.0));
}

#[test]
fn more_workers_than_cpus_are_no_faster_than_the_cpus() {
    let cpus = parviz::platform::processors().usable;
    let mut experiment = experiment(Method::Map, &vec![20 * MILLISECOND; 8 * cpus as usize]);
    experiment.workers = 4 * cpus;
    experiment.chunksize = Some(1);
    let numbers = trace(&experiment).numbers(Time::NEVER);
    if let Some(speedup) = numbers.speedup {
        assert!(speedup <= 1.1 * f64::from(cpus), "{numbers:?}");
        assert!(speedup > 0.3, "{numbers:?}");
    } else {
        assert!(cfg!(not(target_os = "linux")), "{numbers:?}");
    }
}

#[test]
fn a_loop_runs_on_the_main_program() {
    let trace = trace(&experiment(Method::Loop, &[300 * MICROSECOND; 4]));
    assert_eq!(ends(&trace), Ends::Returned);
    let names: Vec<_> = trace.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["main"]);
    assert_eq!(trace.numbers(Time::NEVER).delivered, 4);
}

/// Reads until `found` says so; a failure reaches the deadline.
fn read_until(running: &Running, mut found: impl FnMut(&Event) -> bool) -> Vec<Event> {
    let deadline = crossbeam_channel::after(std::time::Duration::from_secs(30));
    let mut events = Vec::new();
    loop {
        crossbeam_channel::select! {
            recv(running.batches) -> batch => {
                let batch = batch.expect("the run goes on");
                let done = batch.events.iter().any(&mut found);
                events.extend(batch.events);
                if done {
                    return events;
                }
            }
            recv(deadline) -> _ => panic!("not told: {events:?}"),
        }
    }
}

#[test]
fn a_running_task_is_told_however_short_its_predecessors_were() {
    let mut costs = vec![0; 2_000];
    costs.push(10_000 * MILLISECOND);
    let mut experiment = experiment(Method::Map, &costs);
    experiment.kind = WorkKind::Io;
    let running = start(&experiment);
    let events = read_until(
        &running,
        |event| matches!(event.kind, Kind::Started { task, .. } if task.index == 2_000),
    );
    assert!(
        !events
            .iter()
            .any(|event| matches!(event.kind, Kind::Finished { task, .. } if task.index == 2_000))
    );
}

#[test]
fn a_switch_starts_the_new_run_before_any_old_task_ends() {
    for kind in [WorkKind::Cpu, WorkKind::Io] {
        let mut sync = experiment(Method::Map, &[10_000 * MILLISECOND; 8]);
        sync.kind = kind;
        let asynchronous = Experiment {
            method: Method::MapAsync,
            ..sync.clone()
        };
        let started = |count: usize| {
            let mut seen = 0;
            move |event: &Event| {
                seen += usize::from(matches!(event.kind, Kind::Started { .. }));
                seen == count
            }
        };
        let old = start(&sync);
        let mut old_events = read_until(&old, started(4));
        old.cancel();
        let new = start(&asynchronous);
        read_until(&new, started(4));
        old_events.extend(old.batches.iter().flat_map(|batch| batch.events));
        assert!(
            !old_events
                .iter()
                .any(|event| matches!(event.kind, Kind::Finished { .. }))
        );
        assert!(matches!(
            old_events.last().unwrap().kind,
            Kind::RunEnded {
                ends: Ends::Cancelled
            }
        ));
        old.join();
        new.cancel();
        new.join();
    }
}
