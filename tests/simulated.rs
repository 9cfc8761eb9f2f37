//! The simulated backend: published vectors, and in `seeds` what holds for every run.

mod moments;
mod seeds;

use crate::support::reference::{self, Model};
use crate::support::told::Told;
use parviz::event::{Ends, Event, Kind};
use parviz::experiment::{
    Backend, CounterEffect, Experiment, Fault, FaultKind, MainWork, Policy, WorkKind,
};
use parviz::method::Method;
use parviz::origin::{self, simulated};
use parviz::time::{Nanos, Time};
use parviz::trace::Trace;
use parviz::workload::Costs;
use std::collections::{BTreeMap, BTreeSet};

const UNIT: u64 = 10_000_000;

/// E8: costs 9,2,6,1,4,1,8,5 on 4 workers, one task a chunk.
fn e8(method: Method) -> Experiment {
    Experiment {
        method,
        backend: Backend::Simulated,
        costs: Costs::List(
            [9, 2, 6, 1, 4, 1, 8, 5]
                .map(|cost| Nanos(cost * UNIT))
                .into(),
        ),
        tasks: 8,
        main_work: MainWork::Fixed(Nanos::ZERO),
        ..Experiment::default()
    }
}

fn told(experiment: &Experiment) -> Told {
    Told::of(&simulated::run(experiment))
}

#[test]
fn e8_gives_the_published_orders_and_times_for_every_method() {
    use Method::{
        Apply, ApplyAsync, Imap, ImapUnordered, Loop, Map, MapAsync, Starmap, StarmapAsync,
    };
    let (ends, input) = ([3, 1, 5, 4, 2, 0, 7, 6], [0, 1, 2, 3, 4, 5, 6, 7]);
    for (methods, makespan, first, finished, delivered, held) in [
        (
            &[Map, MapAsync, Starmap, StarmapAsync][..],
            11,
            11,
            ends,
            input,
            41,
        ),
        (&[Imap], 11, 9, ends, input, 29),
        (&[ImapUnordered, ApplyAsync], 11, 1, ends, ends, 0),
        (&[Apply, Loop], 36, 9, input, input, 0),
    ] {
        for &method in methods {
            let told = told(&e8(method));
            assert_eq!(told.last_ready(), Time(makespan * UNIT), "{method:?}");
            assert_eq!(told.first_ready(), Time(first * UNIT), "{method:?}");
            assert_eq!(told.finished, finished, "{method:?}");
            assert_eq!(told.delivered, delivered, "{method:?}");
            let hold: u64 = (0..8)
                .map(|task| told.tasks[task].ready.since(told.tasks[task].finished).0)
                .sum();
            assert_eq!(hold, held * UNIT, "{method:?}");
            assert_eq!(told.ends, Ends::Returned);
        }
    }
}

#[test]
fn own_work_is_done_after_map_and_during_map_async() {
    let ended = |method| {
        let told = told(&Experiment {
            main_work: MainWork::Fixed(Nanos(6 * UNIT)),
            ..e8(method)
        });
        (told.blocked.0 / UNIT, told.end.0 / UNIT)
    };
    assert_eq!(ended(Method::Map), (11, 17));
    assert_eq!(ended(Method::MapAsync), (5, 11));
}

#[test]
fn what_a_busy_caller_has_to_leave_waits_for_it() {
    let told = told(&Experiment {
        main_work: MainWork::Fixed(Nanos(6 * UNIT)),
        ..e8(Method::ImapUnordered)
    });
    let delivered = told
        .delivered
        .iter()
        .map(|&task| told.tasks[task as usize].delivered.0 / UNIT);
    assert_eq!(told.delivered, [3, 1, 5, 4, 2, 0, 7, 6]);
    assert!(delivered.eq([6, 6, 6, 6, 6, 9, 10, 11]));
}

#[test]
fn more_workers_than_cpus_share_them_evenly() {
    let tenths = |workers, cpus| {
        let told = told(&Experiment {
            workers,
            cpus: Some(cpus),
            tasks: 16,
            costs: Costs::Const(Nanos(10 * UNIT)),
            ..e8(Method::Map)
        });
        told.last_ready().0 * 10 / UNIT
    };
    assert_eq!(tenths(16, 4), 400);
    assert_eq!(tenths(5, 4), 475);
    assert_eq!(tenths(4, 4), 400);
}

#[test]
fn a_task_that_shares_a_cpu_waits_for_it_and_one_that_lacks_the_gil_is_blocked() {
    let parts = |gil| {
        let events = simulated::run(&Experiment {
            workers: 4,
            cpus: Some(2),
            gil,
            tasks: 4,
            costs: Costs::Const(Nanos(10 * UNIT)),
            ..e8(Method::Map)
        });
        let told = Told::of(&events);
        let (mut on_cpu, mut waiting) = (0, 0);
        for event in &events {
            if let Kind::Ran(ran) = &event.kind {
                on_cpu += ran.on_cpu.0;
                waiting += ran.waiting.0;
            }
        }
        (on_cpu / UNIT, waiting / UNIT, told.last_ready().0 / UNIT)
    };
    assert_eq!(parts(false), (40, 40, 20));
    assert_eq!(parts(true), (40, 0, 40));
}

#[test]
fn tasks_without_any_work_leave_the_serial_part_as_the_bound() {
    let experiment = Experiment {
        serial: Nanos(5 * UNIT),
        costs: Costs::Const(Nanos::ZERO),
        ..e8(Method::Map)
    };
    let mut trace = Trace::default();
    trace.apply(simulated::run(&experiment));
    let bound = trace.numbers(Time::NEVER).lower_bound;
    assert_eq!(bound, Some(Nanos(5 * UNIT)));
}

#[test]
fn no_run_is_faster_than_its_lower_bound() {
    let bound = |gil, kind| {
        let mut trace = Trace::default();
        trace.apply(simulated::run(&Experiment {
            gil,
            kind,
            ..e8(Method::Map)
        }));
        trace
            .numbers(Time::NEVER)
            .lower_bound
            .map(|bound| bound.0 / UNIT)
    };
    assert_eq!(bound(false, WorkKind::Cpu), Some(9));
    assert_eq!(bound(true, WorkKind::Cpu), Some(36));
    assert_eq!(bound(true, WorkKind::Io), Some(9));
}

#[test]
fn work_after_the_last_result_is_not_bounded_by_it() {
    // Main is out of the iterator after the error of task 1; that of task 3 keeps all later results back.
    let kinds = [(1, FaultKind::Raise), (3, FaultKind::Die)];
    let mut trace = Trace::default();
    trace.apply(simulated::run(&Experiment {
        workers: 2,
        chunksize: Some(2),
        faults: kinds.map(|(task, kind)| Fault { task, kind }).into(),
        ..e8(Method::Imap)
    }));
    let numbers = trace.numbers(Time::NEVER);
    assert_eq!(numbers.makespan, Some(Nanos(11 * UNIT)));
    let (finished, bound) = (numbers.finished, numbers.lower_bound);
    assert_eq!((finished, bound), (7, None));
}

#[test]
fn display_slices_share_the_cpus_fairly_and_never_overlap() {
    let events = simulated::run(&Experiment {
        workers: 5,
        cpus: Some(4),
        tasks: 5,
        costs: Costs::Const(Nanos(100 * UNIT)),
        ..e8(Method::Map)
    });
    let mut shown: BTreeMap<u32, u64> = BTreeMap::new();
    for (_, since, at, task) in cpu_spans(&events) {
        *shown.entry(task).or_default() += at.since(since).0;
    }
    for (task, shown) in shown {
        let (shown, fair) = (shown as f64 / UNIT as f64, 100.0);
        assert!(
            (shown - fair).abs() <= 5.0,
            "task {task} had a CPU for {shown} units"
        );
    }
}

#[test]
fn the_number_of_slices_stays_small_for_many_tasks() {
    let events = simulated::run(&Experiment {
        workers: 16,
        cpus: Some(4),
        tasks: 50_000,
        costs: Costs::Const(Nanos(UNIT)),
        ..e8(Method::Map)
    });
    assert!(cpu_spans(&events).len() < 450_000);
}

#[test]
fn a_worker_that_dies_takes_its_chunk_along_and_is_replaced_at_once() {
    let mut experiment = Experiment {
        faults: vec![Fault {
            task: 3,
            kind: FaultKind::Die,
        }],
        ..e8(Method::Map)
    };
    let pool = told(&experiment);
    assert_eq!(
        (pool.ends, pool.lost.len(), pool.finished.len()),
        (Ends::Never, 1, 7)
    );
    // The new worker of place 3 takes task 4 at the death of the old one.
    assert_eq!(pool.tasks[4].started, Time(UNIT));
    assert_eq!(pool.lanes_named["worker 3"].len(), 2);
    assert_eq!(pool.end, Time(11 * UNIT));

    experiment.stop_at = Nanos(40 * UNIT);
    assert_eq!(told(&experiment).end, Time(40 * UNIT));

    experiment.policy = Policy::Executor;
    let executor = told(&experiment);
    assert_eq!(
        (executor.ends, executor.end),
        (Ends::BrokenProcessPool, Time(UNIT))
    );
    assert_eq!(executor.lost, BTreeSet::from([0, 1, 2, 3]));
    assert!(executor.tasks.iter().all(|task| task.ready == Time(UNIT)));
    assert!(executor.delivered.is_empty());
}

#[test]
fn a_task_that_hangs_keeps_its_worker_and_the_call() {
    let told = told(&Experiment {
        faults: vec![Fault {
            task: 2,
            kind: FaultKind::Hang,
        }],
        ..e8(Method::ImapUnordered)
    });
    assert_eq!((told.ends, told.delivered.len()), (Ends::Never, 7));
    assert!(!told.tasks[2].finished.happened());
}

#[test]
fn an_error_skips_the_rest_of_its_chunk() {
    let ran = |method, chunksize| {
        let experiment = Experiment {
            tasks: 16,
            costs: Costs::Const(Nanos(2 * UNIT)),
            chunksize: Some(chunksize),
            faults: [1, 5, 9, 13]
                .map(|task| Fault {
                    task,
                    kind: FaultKind::Raise,
                })
                .into(),
            ..e8(method)
        };
        let told = told(&experiment);
        (told.started.len(), told.delivered.len(), told.ends)
    };
    assert_eq!(ran(Method::Map, 1), (16, 0, Ends::Error));
    assert_eq!(ran(Method::Map, 4), (8, 0, Ends::Error));
    assert_eq!(ran(Method::Map, 8), (4, 0, Ends::Error));
    assert_eq!(ran(Method::Imap, 1), (16, 12, Ends::Returned));
    assert_eq!(ran(Method::Imap, 4), (8, 0, Ends::Error));
    assert_eq!(ran(Method::Apply, 1), (2, 1, Ends::Error));
}

#[test]
fn map_with_pairs_fails_before_the_function_is_entered() {
    let told = told(&Experiment {
        pairs: true,
        ..e8(Method::Map)
    });
    assert_eq!((told.started.len(), told.finished.len()), (0, 8));
    assert_eq!((told.ends, told.end), (Ends::Error, Time::ZERO));
}

#[test]
fn counters_tell_whose_memory_was_written() {
    use parviz::experiment::MemoryModel::{Separate, Shared};
    let counters = |effect, memory, lock| {
        told(&Experiment {
            effect,
            memory,
            lock,
            workers: 2,
            tasks: 2,
            costs: Costs::Const(Nanos(UNIT)),
            ..e8(Method::Map)
        })
        .samples
    };
    let separate = counters(CounterEffect::Count, Some(Separate), false);
    assert_eq!((separate["counter_main"], separate["counter_sum"]), (0, 2));
    assert_eq!(separate.get("counter_min"), None);
    assert_eq!(
        counters(CounterEffect::Count, Some(Shared), false)["counter_main"],
        2
    );
    let race = counters(CounterEffect::Race, Some(Separate), false);
    assert_eq!((race["counter_min"], race["counter_max"]), (2, 6));
    assert!((2..=6).contains(&race["counter_main"]));
    assert_eq!(counters(CounterEffect::Race, None, true)["counter_main"], 6);
}

#[test]
fn batches_tell_the_whole_run_in_order_and_how_far_they_go() {
    let experiment = Experiment {
        tasks: 5_000,
        costs: Costs::Const(Nanos(UNIT)),
        ..e8(Method::Imap)
    };
    let running = origin::start(&experiment).unwrap();
    let (mut events, mut complete_to) = (Vec::new(), Time::ZERO);
    for batch in &running.batches {
        assert!(batch.events.iter().all(|event| event.at >= complete_to));
        complete_to = batch.complete_to;
        events.extend(batch.events);
    }
    assert_eq!(complete_to, Time::NEVER);
    assert!(events == simulated::run(&experiment));
}

#[test]
fn what_happens_at_one_moment_comes_in_one_batch() {
    let experiment = Experiment {
        costs: Costs::Const(Nanos::ZERO),
        tasks: 5_000,
        ..e8(Method::Map)
    };
    let running = origin::start(&experiment).unwrap();
    let batches: Vec<Vec<Event>> = running.batches.iter().map(|batch| batch.events).collect();
    let at_begin = |event: &Event| event.at == Time::ZERO;
    assert!(batches[0].len() > 4 * 5_000 && batches[0].iter().all(at_begin));
    assert!(!batches[1..].iter().flatten().any(at_begin));
}

#[test]
fn a_run_that_nobody_wants_any_more_ends() {
    let experiment = Experiment {
        tasks: 1_000_000,
        costs: Costs::Const(Nanos(UNIT)),
        ..e8(Method::Imap)
    };
    let running = origin::start(&experiment).unwrap();
    running.cancel();
    running.join();
}

/// The iterator is dead after the error in its second chunk, and the pool works on for nobody: the results
/// behind the chunk that its worker lost never come.
#[test]
fn work_that_no_result_waits_for_is_no_speed_up() {
    let mut trace = Trace::default();
    trace.apply(simulated::run(&Experiment {
        chunksize: Some(2),
        faults: vec![
            Fault {
                task: 3,
                kind: FaultKind::Raise,
            },
            Fault {
                task: 4,
                kind: FaultKind::Die,
            },
        ],
        ..e8(Method::Imap)
    }));
    let numbers = trace.numbers(trace.end());
    assert_eq!(numbers.delivered, 2);
    assert!(numbers.makespan.is_some() && numbers.serial_time.is_some());
    assert_eq!((numbers.speedup, numbers.efficiency), (None, None));
}

/// Of a run with one fault at task 3.
fn with_fault(kind: FaultKind, chunksize: u32, policy: Policy) -> Trace {
    let mut trace = Trace::default();
    trace.apply(simulated::run(&Experiment {
        chunksize: Some(chunksize),
        faults: vec![Fault { task: 3, kind }],
        policy,
        main_work: MainWork::Fixed(Nanos(3 * UNIT)),
        ..e8(Method::MapAsync)
    }));
    trace
}

#[test]
fn a_call_that_raises_has_no_first_result() {
    let trace = with_fault(FaultKind::Raise, 3, Policy::Pool);
    let numbers = trace.numbers(trace.end());
    assert_eq!((numbers.delivered, numbers.first_result), (0, None));
    assert!(numbers.makespan.is_some());
}

#[test]
fn an_executor_that_gives_up_leaves_no_queue_and_no_speed_up() {
    let trace = with_fault(FaultKind::Die, 1, Policy::Executor);
    // Task 3 ends first of all, while the main program still works.
    let death = Time(UNIT);
    assert_eq!(trace.numbers(Time(UNIT - 1)).queue_depth, 4);
    let numbers = trace.numbers(death);
    assert_eq!((numbers.queue_depth, numbers.first_result), (0, None));
    let numbers = trace.numbers(trace.end());
    assert_eq!((numbers.queue_depth, numbers.first_result), (0, None));
    assert_eq!(
        (numbers.speedup, numbers.efficiency, numbers.karp_flatt),
        (None, None, None)
    );
    // All workers were in tasks until then, though no task came to its end.
    assert_eq!(
        numbers.utilisation.zip(numbers.not_computing),
        Some((1.0, 0.0))
    );
}

/// On each CPU: begin, end and task of every stretch.
fn cpu_spans(events: &[Event]) -> Vec<(u16, Time, Time, u32)> {
    let mut spans: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::OnCpu(on) => Some((on.cpu.0, on.since, event.at, on.task.index)),
            _ => None,
        })
        .collect();
    spans.sort_unstable();
    spans
}

/// A use of the model on its own, so that an error in both is not taken for agreement.
#[test]
fn the_slow_model_knows_e8() {
    let Model { tasks, finished } = reference::run(&e8(Method::Imap));
    assert_eq!(finished, [3, 1, 5, 4, 2, 0, 7, 6]);
    assert_eq!(tasks[3].ready, 9 * UNIT);
}
