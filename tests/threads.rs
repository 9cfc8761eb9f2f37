//! The threads backend, held to what must be true of every run, whatever the scheduler does.

mod caller;

use parviz::event::{Ended, Ends, Event, Indexes, Kind, LaneId, LaneKind, Outcome};
use parviz::experiment::{
    Backend, CounterEffect, Experiment, Fault, FaultKind, MOST_WORKERS, MainWork, Policy, WorkKind,
};
use parviz::method::{Delivery, Method};
use parviz::origin::{self, Batch, Running};
use parviz::time::{Nanos, Time};
use parviz::trace::{Piece, Trace};
use parviz::workload::Costs;
use std::collections::HashMap;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
/// Milliseconds of a task that never ends by itself.
pub(crate) const FOR_EVER: u64 = 1_000_000;

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
    let parviz = std::path::Path::new(env!("CARGO_BIN_EXE_parviz"));
    origin::start_with(experiment, Some(parviz)).expect("a thread for the run")
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

pub(crate) fn ends(trace: &Trace) -> Ends {
    trace.ended().expect("the end is told").1
}

pub(crate) fn with_faults(method: Method, faults: &[(u32, FaultKind)]) -> Experiment {
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

pub(crate) fn any_experiment(seed: u64) -> Experiment {
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
    for misfit in any.misfits() {
        any.leave_out(misfit.part);
    }
    any
}

/// What happens to a task or a chunk, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Submitted,
    Enqueued,
    Dequeued,
    Started,
    Finished,
    Returned,
    Ready,
    Delivered,
}

/// Looks at every event as it comes, and at the whole story at the end.
#[derive(Default)]
struct Watch {
    complete_to: Time,
    /// The last moment of each lane, and whether it is open.
    lanes: HashMap<LaneId, (Time, bool)>,
    running: HashMap<LaneId, u32>,
    moments: HashMap<(What, u32), Time>,
    ended: Option<Ends>,
}

impl Watch {
    fn batch(&mut self, batch: &Batch) {
        for event in &batch.events {
            self.event(event);
        }
        self.complete_to = batch.complete_to;
    }

    fn event(&mut self, Event { at, lane, kind }: &Event) {
        assert!(
            *at >= self.complete_to,
            "{kind:?} at {at:?} came after {:?}",
            self.complete_to
        );
        assert_eq!(self.ended, None, "{kind:?} after the end");
        let (last, open) = self.lanes.entry(*lane).or_insert((*at, true));
        let may_tell = *open || matches!(kind, Kind::RunEnded { .. });
        assert!(*last <= *at && may_tell, "{lane:?} goes back to {kind:?}");
        *last = *at;
        match kind {
            Kind::LaneClosed { .. } => {
                *open = false;
                self.running.remove(lane);
            }
            Kind::Submitted { tasks, .. } => self.note(What::Submitted, *tasks, *at),
            Kind::Enqueued { chunks, .. } => self.note(What::Enqueued, *chunks, *at),
            Kind::Dequeued { chunk, .. } => {
                self.note(What::Dequeued, Indexes::one(*chunk), *at);
            }
            Kind::Started { task, .. } => {
                self.note(What::Started, Indexes::one(task.index), *at);
                assert_eq!(self.running.insert(*lane, task.index), None);
            }
            Kind::Finished { task, outcome, .. } => {
                self.note(What::Finished, Indexes::one(task.index), *at);
                let was_running = self.running.remove(lane);
                assert!(*outcome != Outcome::Ok || was_running == Some(task.index));
            }
            Kind::Ran(ran) => {
                assert_eq!(self.running.get(lane), Some(&ran.task.index));
                let length = at.since(ran.since);
                assert!(ran.on_cpu + ran.waiting + ran.useful_wait <= length);
            }
            Kind::Returned { chunk, .. } => {
                self.note(What::Returned, Indexes::one(*chunk), *at);
            }
            Kind::Ready { tasks, .. } => self.note(What::Ready, *tasks, *at),
            Kind::Delivered { tasks, .. } => self.note(What::Delivered, *tasks, *at),
            Kind::RunEnded { ends } => self.ended = Some(*ends),
            _ => {}
        }
    }

    fn note(&mut self, what: What, indexes: Indexes, at: Time) {
        for index in indexes.iter() {
            let before = self.moments.insert((what, index), at);
            assert_eq!(before, None, "{what:?} {index} twice");
        }
    }

    fn count(&self, what: What) -> usize {
        self.moments.keys().filter(|key| key.0 == what).count()
    }

    /// When what happened to a task, in the order in which it has to happen.
    fn story(&self, experiment: &Experiment, index: u32) -> Vec<(What, Time)> {
        use What::{Delivered, Dequeued, Enqueued, Finished, Ready, Returned, Started, Submitted};
        let chunk = index / experiment.real_chunksize().max(1);
        let mut steps = vec![
            (Submitted, index),
            (Enqueued, chunk),
            (Dequeued, chunk),
            (Started, index),
            (Finished, index),
            (Returned, chunk),
            (Ready, index),
            (Delivered, index),
        ];
        let dies = |fault: &Fault| fault.kind == FaultKind::Die;
        if experiment.policy == Policy::Executor && experiment.faults.iter().any(dies) {
            // At the death everything outstanding fails, whatever still goes on for a moment; also where
            // the caller had already left with an error.
            steps.retain(|step| step.0 != Ready);
        }
        let told = steps.into_iter().filter_map(|step| {
            let at = self.moments.get(&step)?;
            Some((step.0, *at))
        });
        told.collect()
    }

    fn end(&self, experiment: &Experiment) {
        assert_eq!(self.complete_to, Time::NEVER);
        assert!(self.running.is_empty(), "{:?} have no end", self.running);
        for index in 0..experiment.tasks {
            let story = self.story(experiment, index);
            assert!(story.is_sorted_by_key(|step| step.1), "{index}: {story:?}");
            assert!(
                self.ended != Some(Ends::Returned)
                    || self.moments.contains_key(&(What::Ready, index)),
                "task {index} was never ready"
            );
        }
        let (tasks, all_enter) = (experiment.tasks as usize, experiment.enters());
        let mut faults = experiment.faults.iter();
        if experiment.faults.is_empty() && all_enter {
            assert_eq!(self.ended, Some(Ends::Returned));
            assert_eq!(self.count(What::Finished), tasks);
            assert_eq!(self.count(What::Delivered), tasks);
        } else if faults.all(|fault| fault.kind == FaultKind::Raise)
            && !experiment.method.rules().one_at_a_time
        {
            // Every other chunk still runs.
            assert_eq!(self.count(What::Finished), tasks);
        }
    }
}

#[test]
fn every_run_keeps_its_promises() {
    for seed in 0..180 {
        keeps_its_promises(seed, &any_experiment(seed));
    }
}

/// Looks at every event of a run.
pub(crate) fn keeps_its_promises(seed: u64, experiment: &Experiment) {
    let batches = batches(experiment);
    let result = std::panic::catch_unwind(|| {
        let mut watch = Watch::default();
        for batch in &batches {
            watch.batch(batch);
        }
        watch.end(experiment);
        every_moment_is_accounted_for(&batches);
    });
    assert!(result.is_ok(), "seed {seed}: {experiment:?}");
}

/// What a trace makes of a run: no overlaps, and all the time of all workers in some share.
fn every_moment_is_accounted_for(batches: &[Batch]) {
    let mut trace = Trace::default();
    for batch in batches {
        trace.apply(batch.events.clone());
    }
    for lane in trace.lanes() {
        let pieces = lane.pieces().iter();
        let mut pairs = pieces.clone().zip(pieces.skip(1));
        assert!(pairs.all(|(piece, next)| piece.end <= next.start));
    }
    let end = trace.end();
    for at in [Time(end.0 / 3), Time(end.0 / 2), end] {
        // As far as was known then: after the last result nothing counts.
        let counted_to = trace.makespan_at(at).unwrap_or(end);
        let whole = at.min(counted_to).0 * trace.rows().len() as u64;
        assert_eq!(trace.shares(at).total(), Nanos(whole), "at {at:?}");
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
    let outcomes: Vec<_> = call.tasks().map(|task| task.outcome).collect();
    let (ok, failed, skipped) = (Outcome::Ok, Outcome::Failed, Outcome::Skipped);
    assert_eq!(outcomes, [ok, failed, skipped, ok, ok, ok].map(Some));
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
    let lost = trace.call().unwrap().task(2).unwrap().outcome;
    assert_eq!(lost, Some(Outcome::Lost));
}

#[test]
fn an_executor_gives_up_when_a_worker_dies() {
    let mut experiment = with_faults(Method::Imap, &[(0, FaultKind::Die)]);
    experiment.policy = Policy::Executor;
    experiment.kind = WorkKind::Io;
    experiment.costs = Costs::List(
        [1, FOR_EVER, FOR_EVER, FOR_EVER, 1, 1]
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
    let cut_short = |index| call.task(index).unwrap().outcome != Some(Outcome::Ok);
    assert!((1..4).all(cut_short));
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

/// A task hangs after a wait of its own, while another one waits for long.
pub(crate) fn hanging(backend: Backend, cost: u64) -> Experiment {
    let costs = [cost, cost, cost, 30 * MILLISECOND];
    Experiment {
        backend,
        workers: 2,
        kind: WorkKind::Io,
        faults: with_faults(Method::Map, &[(1, FaultKind::Hang)]).faults,
        ..experiment(Method::Map, &costs)
    }
}

/// From where its own wait is over, that task is told to have waited for what it did not ask for.
pub(crate) fn hangs_unasked(trace: &Trace) {
    let of_task = |piece: &Piece| piece.task.index == 1;
    let mut lanes = trace.lanes();
    let lane = lanes.find(|lane| lane.pieces().iter().any(|piece| of_task(&piece)));
    let pieces = lane.unwrap().pieces().iter();
    let hung: Vec<Piece> = pieces.filter(of_task).skip(1).collect();
    let unasked = |piece: &Piece| piece.known && piece.useful_wait == Nanos::ZERO;
    assert!(hung.iter().all(unasked), "{hung:?}");
    assert!(
        hung.iter().any(|piece| piece.blocked() > Nanos::ZERO),
        "{hung:?}"
    );
    let closed = lane.unwrap().closed.map(|(at, _)| at);
    assert_eq!(hung.last().map(|piece| piece.end), closed);
}

#[test]
fn a_task_that_hangs_waits_for_what_it_did_not_ask_for() {
    // The second is so short that its own time is not accounted for.
    for cost in [MILLISECOND, MICROSECOND] {
        hangs_unasked(&trace(&hanging(Backend::Simulated, cost)));
        hangs_unasked(&trace(&hanging(Backend::Threads, cost)));
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
fn more_workers_than_cpus_are_no_faster_than_the_cpus() {
    // A quota may be used up on more of them than it stands for, so it bounds nothing for a moment.
    let cpus = match parviz::platform::usable_cpu_ids().len() as u32 {
        0 => parviz::platform::processors().usable,
        ids => ids,
    };
    let mut experiment = experiment(Method::Map, &vec![20 * MILLISECOND; 8 * cpus as usize]);
    experiment.workers = (4 * cpus).min(MOST_WORKERS);
    experiment.chunksize = Some(1);
    let mut told = Vec::new();
    let honest = (0..3).any(|_| {
        let trace = trace(&experiment);
        let numbers = trace.numbers(Time::NEVER);
        // A system without clocks for it leaves the estimate out, and says so.
        assert_eq!(numbers.speedup.is_some(), cfg!(target_os = "linux"));
        let (Some(speedup), Some(serial)) = (numbers.speedup, numbers.serial_time) else {
            return true;
        };
        // Where a virtual machine stands still for a moment, the clocks of a thread do not tell of it: the
        // task seems to be blocked. A wrong account of all else shows in every run, such a moment in one.
        let tasks = trace.call().unwrap().tasks();
        let blocked: Nanos = tasks.map(|task| task.blocked()).sum();
        let (known, makespan) = (serial.saturating_sub(blocked), numbers.makespan.unwrap());
        let computed = known.seconds() / makespan.seconds();
        assert!(
            computed <= 1.02 * f64::from(cpus),
            "{computed}: {numbers:?}"
        );
        told.push(numbers);
        speedup <= 1.1 * f64::from(cpus)
    });
    assert!(honest, "{told:?}");
}

/// Reads until `found` says so; a failure reaches the deadline.
pub(crate) fn read_until(running: &Running, mut found: impl FnMut(&Event) -> bool) -> Vec<Event> {
    let deadline = crossbeam_channel::after(std::time::Duration::from_secs(180));
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
    costs.push(FOR_EVER * MILLISECOND);
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
        let mut sync = experiment(Method::Map, &[FOR_EVER * MILLISECOND; 8]);
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
