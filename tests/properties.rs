//! What holds for every run: batching, mixtures of lanes, numbers at random cursors.

use parviz::event::{Ends, Event, Kind, Outcome};
use parviz::experiment::{Backend, Experiment, Fault, FaultKind, MainWork, Policy, WorkKind};
use parviz::method::Method;
use parviz::origin::simulated;
use parviz::time::{Nanos, Time};
use parviz::trace::Numbers;
use parviz::workload::Costs;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

use crate::support::folded::{folded, mixed};
use crate::support::recount::{Figure, Recount};

/// Small experiments of every method, with every kind of fault.
pub(crate) fn experiments() -> impl Strategy<Value = Experiment> {
    let costs = proptest::collection::vec(1u64..13, 1..24);
    let pool = (
        1u32..7,
        1u32..5,
        0usize..9,
        prop_oneof![Just(None), (1u32..5).prop_map(Some)],
    );
    let kinds = (
        prop_oneof![
            Just(WorkKind::Cpu),
            Just(WorkKind::Io),
            Just(WorkKind::Mixed)
        ],
        any::<bool>(),
        prop_oneof![Just(Policy::Pool), Just(Policy::Executor)],
        prop_oneof![
            Just(None),
            Just(Some(FaultKind::Raise)),
            Just(Some(FaultKind::Die)),
            Just(Some(FaultKind::Hang))
        ],
        any::<proptest::sample::Index>(),
    );
    let sending = (0u64..4, 0u64..4, 0u64..4, 0u64..9);
    (costs, pool, kinds, sending).prop_map(|(costs, pool, kinds, sending)| {
        let (workers, cpus, method, chunksize) = pool;
        let (kind, gil, policy, fault, place) = kinds;
        let method = Method::ALL[method];
        let unit = |count: u64| Nanos(count * 1_000);
        let tasks = costs.len() as u32;
        let die_in_loop = method == Method::Loop && fault == Some(FaultKind::Die);
        let faults = fault.filter(|_| !die_in_loop).map(|kind| Fault {
            task: place.index(costs.len()) as u32,
            kind,
        });
        Experiment {
            method,
            backend: Backend::Simulated,
            workers,
            cpus: Some(cpus),
            tasks,
            costs: Costs::List(costs.into_iter().map(unit).collect()),
            kind,
            chunksize,
            main_work: MainWork::Fixed(unit(sending.3)),
            dispatch: unit(sending.0),
            startup: unit(sending.1),
            serial: unit(sending.2),
            gil,
            policy,
            faults: faults.into_iter().collect(),
            ..Experiment::default()
        }
    })
}

/// The figures of a run as of a moment, counted from its events one by one.
#[derive(Debug, PartialEq)]
struct Counted {
    submitted: u32,
    started: u32,
    finished: u32,
    delivered: u32,
    inversions_finished: u64,
    inversions_delivered: u64,
    wait: Option<Nanos>,
    service: Option<Nanos>,
    hold: Option<Nanos>,
    first_result: Option<Nanos>,
    messages: u32,
    queue: u32,
    longest_queue: u32,
    held: u32,
}

fn mean(lengths: &[u64]) -> Option<Nanos> {
    (!lengths.is_empty()).then(|| Nanos(lengths.iter().sum::<u64>() / lengths.len() as u64))
}

fn inversions(order: &[u32]) -> u64 {
    (0..order.len())
        .map(|b| order[..b].iter().filter(|&&a| a > order[b]).count() as u64)
        .sum()
}

/// Tasks that were submitted and are neither started, nor ended, nor lost, nor given up.
fn queue(events: &[Event], at: Time) -> u32 {
    let (mut waits, mut left) = (BTreeSet::new(), BTreeSet::new());
    for event in events.iter().filter(|event| event.at <= at) {
        match &event.kind {
            Kind::Submitted { tasks, .. } => waits.extend(tasks.iter()),
            Kind::Started { task, .. } | Kind::Finished { task, .. } => left.extend([task.index]),
            Kind::Lost { tasks, .. } | Kind::Ready { tasks, .. } => left.extend(tasks.iter()),
            _ => {}
        }
    }
    waits.difference(&left).count() as u32
}

/// Tasks that ran to their end and whose results are neither ready nor lost.
fn held(events: &[Event], at: Time) -> u32 {
    let (mut ended, mut gone) = (BTreeSet::new(), BTreeSet::new());
    for event in events.iter().filter(|event| event.at <= at) {
        match &event.kind {
            Kind::Finished {
                task,
                outcome: Outcome::Ok | Outcome::Failed,
                ..
            } => ended.extend([task.index]),
            Kind::Lost { tasks, .. } | Kind::Ready { tasks, .. } => gone.extend(tasks.iter()),
            _ => {}
        }
    }
    ended.difference(&gone).count() as u32
}

/// The executor gave up by then: its last results were ready, each as an error.
fn is_given_up(all: &[Event], at: Time) -> bool {
    let broken = |event: &Event| {
        let ends = Ends::BrokenProcessPool;
        matches!(event.kind, Kind::CallEnded { ends: ended, .. } if ended == ends)
    };
    let mut ready = all
        .iter()
        .filter(|event| matches!(event.kind, Kind::Ready { .. }));
    all.iter().any(broken) && ready.next_back().is_some_and(|last| last.at <= at)
}

/// When the first task was ready that came to a result, as did all of its chunk.
fn first_result(all: &[Event], at: Time) -> Option<Nanos> {
    let (mut size, mut good, mut bad) = (1, BTreeSet::new(), BTreeSet::new());
    let (mut ready, mut delivered, mut failed) = (Vec::new(), 0, false);
    for event in all.iter().filter(|event| event.at <= at) {
        match &event.kind {
            Kind::CallBegan(call) => size = call.chunksize.unwrap_or(1).max(1),
            Kind::Finished { task, outcome, .. } => {
                let ended = if *outcome == Outcome::Ok {
                    &mut good
                } else {
                    &mut bad
                };
                ended.insert(task.index);
            }
            Kind::Lost { tasks, .. } => bad.extend(tasks.iter()),
            Kind::Ready { tasks, .. } => ready.extend(tasks.iter().map(|index| (event.at, index))),
            Kind::Delivered { tasks, .. } => delivered += tasks.len(),
            Kind::RunEnded { ends } => {
                failed = matches!(ends, Ends::Error | Ends::BrokenProcessPool);
            }
            _ => {}
        }
    }
    if failed && delivered == 0 {
        return None;
    }
    let spoilt: BTreeSet<u32> = bad.iter().map(|index| index / size).collect();
    let usable =
        |&&(_, index): &&(Time, u32)| good.contains(&index) && !spoilt.contains(&(index / size));
    let first = ready.iter().filter(usable).min();
    first.map(|&(at, _)| Nanos(at.0))
}

fn recount(all: &[Event], at: Time) -> Counted {
    let mut events: Vec<&Event> = all.iter().filter(|event| event.at <= at).collect();
    events.sort_by_key(|event| (event.at, event.lane));
    let (mut submitted, mut started, mut finished) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut ready, mut delivered, mut ended) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut messages = 0;
    for event in events {
        let at = event.at.0;
        match &event.kind {
            Kind::Submitted { tasks, .. } => {
                submitted.extend(tasks.iter().map(|index| (index, at)));
            }
            Kind::Enqueued { chunks, .. } => messages += chunks.len(),
            Kind::Started { task, .. } => drop(started.insert(task.index, at)),
            Kind::Finished { task, outcome, .. } => {
                if matches!(outcome, Outcome::Ok | Outcome::Failed) {
                    finished.insert(task.index, at);
                    ended.push((at, task.index));
                }
            }
            Kind::Ready { tasks, .. } => ready.extend(tasks.iter().map(|index| (index, at))),
            Kind::Delivered { tasks, .. } => delivered.extend(tasks.iter()),
            _ => {}
        }
    }
    // Of tasks that end at one moment none is the first.
    ended.sort_unstable();
    let ended: Vec<u32> = ended.into_iter().map(|(_, index)| index).collect();
    let between = |from: &BTreeMap<u32, u64>, to: &BTreeMap<u32, u64>| {
        mean(
            &to.iter()
                .filter_map(|(index, at)| Some(at - from.get(index)?))
                .collect::<Vec<_>>(),
        )
    };
    Counted {
        submitted: submitted.len() as u32,
        started: started.len() as u32,
        finished: ended.len() as u32,
        delivered: delivered.len() as u32,
        inversions_finished: inversions(&ended),
        inversions_delivered: inversions(&delivered),
        wait: between(&submitted, &started),
        service: between(&started, &finished),
        hold: between(&finished, &ready),
        first_result: first_result(all, at),
        messages,
        queue: if is_given_up(all, at) {
            0
        } else {
            queue(all, at)
        },
        longest_queue: (all.iter())
            .filter(|event| event.at <= at && matches!(event.kind, Kind::Submitted { .. }))
            .map(|event| queue(all, event.at))
            .max()
            .unwrap_or(0),
        held: held(all, at),
    }
}

fn pace(numbers: &Numbers) -> Vec<Figure> {
    let time = |time: Option<Nanos>| time.map(|time| time.0 as f64);
    vec![
        ("makespan", time(numbers.makespan)),
        ("serial_time", time(numbers.serial_time)),
        ("speedup", numbers.speedup),
        ("efficiency", numbers.efficiency),
        ("utilisation", numbers.utilisation),
        ("imbalance", numbers.imbalance),
        ("not_computing", numbers.not_computing),
        ("karp_flatt", numbers.karp_flatt),
        ("lower_bound", time(numbers.lower_bound)),
        ("blocked_main", time(numbers.blocked_main)),
        ("program_end", time(numbers.program_end)),
    ]
}

fn orders(numbers: &Numbers) -> Vec<Figure> {
    vec![
        ("kendall_tau", numbers.kendall_tau),
        ("reordered_ratio", numbers.reordered_ratio),
    ]
}

/// But for how floating point rounds.
fn is_same(found: &Figure, counted: &Figure) -> bool {
    found.0 == counted.0
        && match (found.1, counted.1) {
            (Some(found), Some(counted)) => {
                (found - counted).abs() <= 1e-9 * counted.abs().max(1.0)
            }
            (found, counted) => found == counted,
        }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_batches_and_any_mixture_of_lanes_give_the_same_trace(
        experiment in experiments(),
        picks in proptest::collection::vec(any::<proptest::sample::Index>(), 64),
    ) {
        let events = simulated::run(&experiment);
        let whole = folded(events.clone());
        let mixed = mixed(events, &picks);
        prop_assert_eq!(mixed.numbers(whole.end()), whole.numbers(whole.end()));
        prop_assert_eq!(mixed.call(), whole.call());
        prop_assert_eq!(mixed.caller(), whole.caller());
        prop_assert_eq!(mixed.cpus(), whole.cpus());
        prop_assert!(mixed.lanes().eq(whole.lanes()));
    }

    #[test]
    fn numbers_at_random_cursors_equal_a_naive_recount(
        experiment in experiments(),
        cursors in proptest::collection::vec(any::<proptest::sample::Index>(), 8),
    ) {
        let events = simulated::run(&experiment);
        let trace = folded(events.clone());
        for cursor in cursors {
            let at = Time(cursor.index(trace.end().0 as usize + 2) as u64);
            let numbers = trace.numbers(at);
            let found = Counted {
                submitted: numbers.submitted,
                started: numbers.started,
                finished: numbers.finished,
                delivered: numbers.delivered,
                inversions_finished: numbers.inversions_finished,
                inversions_delivered: numbers.inversions_delivered,
                wait: numbers.wait,
                service: numbers.service,
                hold: numbers.hold,
                first_result: numbers.first_result,
                messages: numbers.messages,
                queue: numbers.queue_depth,
                longest_queue: numbers.queue_depth_max,
                held: trace.call().unwrap().held_at(at),
            };
            // A mean is of the tasks that have both ends as of the cursor.
            prop_assert_eq!(found, recount(&events, at), "at {:?}", at);
        }
    }

    #[test]
    fn pace_and_orders_at_random_cursors_equal_a_naive_recount(
        experiment in experiments(),
        cursors in proptest::collection::vec(any::<proptest::sample::Index>(), 6),
    ) {
        let events = simulated::run(&experiment);
        let (trace, recount) = (folded(events.clone()), Recount::of(&events));
        let random = cursors.iter().map(|cursor| cursor.index(trace.end().0 as usize + 2) as u64);
        for at in random.map(Time).chain([trace.end()]) {
            let numbers = trace.numbers(at);
            let found = pace(&numbers).into_iter().chain(orders(&numbers));
            let counted = recount.pace(at).into_iter().chain(recount.orders(at));
            for (found, counted) in found.zip(counted) {
                prop_assert!(is_same(&found, &counted), "{found:?} {counted:?} at {at:?}");
            }
        }
    }

    #[test]
    fn where_time_went_at_random_cursors_equals_a_naive_recount(
        experiment in experiments(),
        cursors in proptest::collection::vec(any::<proptest::sample::Index>(), 6),
    ) {
        let events = simulated::run(&experiment);
        let (trace, recount) = (folded(events.clone()), Recount::of(&events));
        // What is under way is spent evenly, in whole nanoseconds.
        let rounding = 4.0 * trace.rows().len() as f64;
        let random = cursors.iter().map(|cursor| cursor.index(trace.end().0 as usize + 2) as u64);
        for at in random.map(Time).chain([trace.end()]) {
            let found = trace.shares(at);
            for ((key, found), counted) in found.parts().into_iter().zip(recount.shares(at)) {
                let apart = (found.0 as f64 - counted).abs();
                prop_assert!(apart <= rounding, "{key} {found:?} {counted} at {at:?}");
            }
        }
    }

    #[test]
    fn shares_add_up_to_the_time_of_all_workers(experiment in experiments(), cursor in any::<proptest::sample::Index>()) {
        let trace = folded(simulated::run(&experiment));
        let end = trace.makespan_at(trace.end()).or(trace.ended().map(|ended| ended.0)).unwrap();
        for at in [Time(cursor.index(trace.end().0 as usize + 1) as u64), trace.end()] {
            let whole = at.min(end).0 * trace.rows().len() as u64;
            prop_assert_eq!(trace.shares(at).total(), Nanos(whole));
        }
        prop_assert_eq!(trace.shares(trace.end()).unknown, Nanos::ZERO);
    }

    #[test]
    fn pieces_on_a_lane_never_overlap(experiment in experiments()) {
        let trace = folded(simulated::run(&experiment));
        for lane in trace.lanes() {
            let pieces = lane.pieces().iter();
            for (piece, next) in pieces.clone().zip(pieces.skip(1)) {
                prop_assert!(piece.end <= next.start, "{:?} {:?}", piece, next);
            }
            if let Some((closed, _)) = lane.closed {
                prop_assert!(lane.pieces().iter().all(|piece| piece.end <= closed));
            }
        }
    }

    #[test]
    fn stepping_never_stands_still(experiment in experiments()) {
        let trace = folded(simulated::run(&experiment));
        let mut at = Time::ZERO;
        while let Some(next) = trace.moment_after(at) {
            prop_assert!(next > at);
            prop_assert!(trace.moment_before(next).is_some_and(|before| before < next));
            at = next;
        }
        prop_assert!(at <= trace.end());
    }
}
