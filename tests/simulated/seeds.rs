//! What holds for every simulated run, whatever the experiment.

use super::{UNIT, cpu_spans, e8, told};
use crate::support::reference;
use parviz::event::{Ends, Kind, LaneId};
use parviz::experiment::{Experiment, Fault, FaultKind, MainWork, Policy, WorkKind};
use parviz::method::Method;
use parviz::origin::simulated;
use parviz::time::{Nanos, Time};
use parviz::trace::Trace;
use parviz::workload::{self, Costs};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn experiments() -> impl Strategy<Value = Experiment> {
    let length = |most: u64| (0..=most).prop_map(|tenths| Nanos(tenths * UNIT / 10));
    let shape = (
        0..Method::ALL.len(),
        1_u32..=9,
        proptest::option::of(1_u32..=9),
        proptest::collection::vec(length(120), 0..40),
        prop_oneof![
            Just(WorkKind::Cpu),
            Just(WorkKind::Io),
            Just(WorkKind::Mixed)
        ],
        proptest::option::of(1_u32..=6),
    );
    let costs = (
        length(200),
        prop_oneof![3 => Just(Nanos::ZERO), 1 => length(30)],
        length(20),
        length(20),
        any::<bool>(),
    );
    (shape, costs).prop_map(
        |(
            (method, workers, cpus, costs, kind, chunksize),
            (main_work, dispatch, startup, serial, gil),
        )| {
            Experiment {
                method: Method::ALL[method],
                workers,
                cpus,
                tasks: costs.len() as u32,
                costs: Costs::List(costs),
                kind,
                chunksize,
                main_work: MainWork::Fixed(main_work),
                dispatch,
                startup,
                serial,
                gil,
                ..e8(Method::Map)
            }
        },
    )
}

fn with_faults() -> impl Strategy<Value = Experiment> {
    let kinds = prop_oneof![
        Just(FaultKind::Raise),
        Just(FaultKind::Die),
        Just(FaultKind::Hang)
    ];
    let faults = proptest::collection::vec((any::<prop::sample::Index>(), kinds), 0..4);
    (experiments(), faults, any::<bool>(), any::<bool>()).prop_map(
        |(mut experiment, faults, executor, pairs)| {
            if experiment.tasks > 0 {
                let tasks = experiment.tasks as usize;
                experiment.faults = faults
                    .into_iter()
                    .map(|(task, kind)| Fault {
                        task: task.index(tasks) as u32,
                        kind,
                    })
                    .filter(|fault| {
                        experiment.method != Method::Loop || fault.kind != FaultKind::Die
                    })
                    .collect();
            }
            experiment.pairs = pairs && executor;
            experiment.policy = if executor {
                Policy::Executor
            } else {
                Policy::Pool
            };
            experiment
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every time and order is that of a model that counts everything down step by step.
    #[test]
    fn a_run_is_that_of_the_slow_model(experiment in experiments()) {
        let model = reference::run(&experiment);
        let told = told(&experiment);
        for (index, task) in told.tasks.iter().enumerate() {
            let expected = &model.tasks[index];
            prop_assert_eq!(
                (task.started.0, task.finished.0, task.ready.0, task.delivered.0),
                (expected.started, expected.finished, expected.ready, expected.delivered),
                "task {}", index
            );
        }
        prop_assert_eq!(told.finished, model.finished);
    }

    #[test]
    fn nothing_is_lost_without_a_fault(experiment in experiments()) {
        let told = told(&experiment);
        let all: Vec<u32> = (0..experiment.tasks).collect();
        for order in [&told.started, &told.finished, &told.ready, &told.delivered] {
            let mut order = order.clone();
            order.sort_unstable();
            prop_assert_eq!(&order, &all);
        }
        prop_assert_eq!(told.ends, Ends::Returned);
    }

    /// A simulated run knows where all of its time went, and none is faster than it can be.
    #[test]
    fn the_time_of_the_workers_adds_up(experiment in with_faults()) {
        let mut trace = Trace::default();
        trace.apply(simulated::run(&experiment));
        let (end, numbers) = (trace.end(), trace.numbers(trace.end()));
        let shares = trace.shares(end);
        prop_assert_eq!(shares.unknown, Nanos::ZERO);
        let rows = trace.rows().len() as u64;
        let length = numbers.makespan.unwrap_or(end.since(Time::ZERO));
        prop_assert_eq!(shares.total(), Nanos(rows * length.0));
        if experiment.faults.is_empty() && !experiment.pairs && experiment.tasks > 0 {
            let work: Nanos = workload::tasks(&experiment).iter().map(|work| work.cost).sum();
            prop_assert_eq!(shares.on_cpu + shares.useful_wait, work);
            prop_assert_eq!(numbers.serial_time, Some(experiment.serial + work));
            prop_assert!(numbers.lower_bound.unwrap_or_default() <= length);
        }
    }

    #[test]
    fn every_event_has_its_place(experiment in with_faults()) {
        let events = simulated::run(&experiment);
        prop_assert_eq!(&events, &simulated::run(&experiment));
        prop_assert!(events.is_sorted_by_key(|event| event.at));
        prop_assert!(matches!(events[0].kind, Kind::RunBegan(_)), "{:?}", events[0]);
        let last = events.last().map(|event| &event.kind);
        prop_assert!(matches!(last, Some(Kind::RunEnded { .. })), "{:?}", last);

        let mut running: BTreeMap<LaneId, (u32, Time)> = BTreeMap::new();
        let mut open = BTreeSet::new();
        let (mut started, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for event in &events {
            match &event.kind {
                Kind::LaneOpened(_) => prop_assert!(open.insert(event.lane)),
                Kind::LaneClosed { .. } => {
                    prop_assert!(open.remove(&event.lane));
                    running.remove(&event.lane);
                }
                Kind::Started { task, .. } => {
                    prop_assert!(open.contains(&event.lane));
                    prop_assert!(started.insert(task.index), "task {} runs twice", task.index);
                    prop_assert_eq!(running.insert(event.lane, (task.index, event.at)), None);
                }
                Kind::Ran(ran) => {
                    let now = running.get_mut(&event.lane);
                    prop_assert_eq!(now.as_deref(), Some(&(ran.task.index, ran.since)));
                    *now.unwrap() = (ran.task.index, event.at);
                    let parts = ran.on_cpu + ran.waiting + ran.useful_wait;
                    prop_assert!(parts <= event.at.since(ran.since));
                }
                Kind::Finished { task, .. } => {
                    prop_assert!(ended.insert(task.index), "task {} ends twice", task.index);
                    if started.contains(&task.index) {
                        // Its whole run has been accounted for.
                        prop_assert_eq!(running.remove(&event.lane), Some((task.index, event.at)));
                    }
                }
                _ => {}
            }
        }
        prop_assert!(open.is_empty() || running.is_empty());

        let cpus = if experiment.gil { 1 } else { experiment.simulated_cpus() };
        let spans = cpu_spans(&events);
        for pair in spans.windows(2) {
            prop_assert!(pair[0].0 != pair[1].0 || pair[0].2 <= pair[1].1, "{:?}", pair);
        }
        for span in &spans {
            prop_assert!(u32::from(span.0) < cpus && span.1 < span.2);
        }
        let mut by_task = spans;
        by_task.sort_unstable_by_key(|span| (span.3, span.1));
        for pair in by_task.windows(2) {
            prop_assert!(pair[0].3 != pair[1].3 || pair[0].2 <= pair[1].1, "a task on two CPUs: {:?}", pair);
        }
    }
}
