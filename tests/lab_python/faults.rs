//! What goes wrong in a run on CPython's own pools, and how it ends then.

use super::{COSTS, UNIT, on_python, with_fault};
use crate::threads::{ends, experiment, trace};
use parviz::event::{Ended, Ends};
use parviz::experiment::{
    Backend, CounterEffect, Experiment, Fault, FaultKind, MainWork, Policy, PythonPool,
};
use parviz::method::{Method, Sends};
use parviz::time::Nanos;
use parviz::workload::Costs;

#[test]
fn an_executor_gives_up_when_a_worker_dies() {
    for method in [Method::Map, Method::ApplyAsync] {
        let chunksize = (method == Method::Map).then_some(2);
        let trace = trace(&Experiment {
            method,
            chunksize,
            ..with_fault(FaultKind::Die, PythonPool::Executor)
        });
        assert_eq!(ends(&trace), Ends::BrokenProcessPool, "{method:?}");
        assert_eq!(trace.failure(), None);
        let end = trace.numbers(trace.end());
        assert_eq!((end.ready, end.queue_depth), (8, 0), "{method:?}");
        // The others are made to end, with what they have in hand.
        let call = trace.call().unwrap();
        let tasks = (0..8).map(|index| call.task(index).unwrap());
        let in_hand = tasks.filter(|task| task.started.happened() && !task.finished.happened());
        for task in in_hand {
            assert!(task.lost.happened(), "{method:?}: {task:?}");
        }
        for lane in trace.rows().iter().flat_map(|row| &row.lanes) {
            let (_, ended) = trace.lane(*lane).unwrap().closed.unwrap();
            assert_eq!(ended, Ended::Killed, "{method:?}");
        }
    }
}

/// What would come of the same in virtual time, as far as it does not depend on when tasks end.
fn comes_to_the_same(experiment: &Experiment) {
    let came = |experiment: &Experiment| {
        let trace = trace(experiment);
        let out = trace.outcome(trace.end());
        let program_end = trace.numbers(trace.end()).program_end;
        let counts = (out.ran, out.finished_count, out.lost, out.outstanding);
        (out.ends, counts, program_end.is_some())
    };
    let expected = came(&Experiment {
        backend: Backend::Simulated,
        ..experiment.clone()
    });
    assert_eq!(came(experiment), expected, "{experiment:?}");
}

#[test]
fn what_cannot_end_ends_when_nothing_else_can_happen() {
    let fault = |task, kind| vec![Fault { task, kind }];
    let on = |method, chunksize, faults| Experiment {
        chunksize,
        faults,
        ..on_python(method, UNIT / 10)
    };
    comes_to_the_same(&on(Method::Map, Some(3), fault(1, FaultKind::Die)));
    comes_to_the_same(&on(Method::Map, Some(1), fault(3, FaultKind::Hang)));
    comes_to_the_same(&on(Method::Map, Some(3), fault(4, FaultKind::Hang)));
    comes_to_the_same(&on(Method::Imap, Some(2), fault(3, FaultKind::Hang)));
    comes_to_the_same(&on(Method::Apply, None, fault(3, FaultKind::Die)));
    comes_to_the_same(&on(Method::ApplyAsync, None, fault(3, FaultKind::Hang)));
    comes_to_the_same(&on(Method::Loop, None, fault(3, FaultKind::Hang)));
}

#[test]
fn main_leaves_its_calls_of_one_task_each_with_the_first_error() {
    for (pool, policy, kind) in [
        (PythonPool::Pool, Policy::Pool, FaultKind::Raise),
        (PythonPool::Executor, Policy::Executor, FaultKind::Die),
    ] {
        let faults = vec![Fault { task: 3, kind }];
        let experiment = Experiment {
            pool,
            faults,
            ..on_python(Method::Apply, UNIT / 10)
        };
        let came = |experiment: &Experiment| {
            let trace = trace(experiment);
            let call = trace.call().unwrap();
            let tasks = call.tasks().filter(|task| task.submitted.happened());
            let known = (tasks.count(), call.tasks().len());
            let out = trace.outcome(trace.end());
            (ends(&trace), known, out.results, out.lost)
        };
        let expected = came(&Experiment {
            backend: Backend::Simulated,
            policy,
            ..experiment.clone()
        });
        assert_eq!(expected.1, (4, 8));
        assert_eq!(came(&experiment), expected, "{experiment:?}");
    }
}

#[test]
fn a_task_that_hangs_does_its_work_before() {
    let faults = (0..8).map(|task| Fault {
        task,
        kind: FaultKind::Hang,
    });
    let trace = trace(&Experiment {
        faults: faults.collect(),
        ..on_python(Method::Map, UNIT / 10)
    });
    assert_eq!(ends(&trace), Ends::Never);
    let tasks = trace.call().unwrap().tasks().zip(COSTS);
    let mut started = tasks.filter(|(task, _)| task.started.happened());
    assert!(started.all(|(task, cost)| trace.end().since(task.started).0 >= cost * (UNIT / 10)));
}

#[test]
fn a_task_that_raises_fails_its_call() {
    let trace = trace(&with_fault(FaultKind::Raise, PythonPool::Pool));
    assert_eq!(ends(&trace), Ends::Error);
    assert_eq!(
        trace.call().unwrap().error(3),
        Some("ValueError: task 3 failed")
    );
}

#[test]
fn an_error_that_ends_main_leaves_no_task_undone() {
    for (method, chunksize) in [
        (Method::ApplyAsync, None),
        (Method::Imap, Some(2)),
        (Method::Map, Some(1)),
    ] {
        for pool in [PythonPool::Pool, PythonPool::Executor] {
            let failing = Experiment {
                chunksize,
                ..with_fault(FaultKind::Raise, pool)
            };
            let trace = trace(&Experiment { method, ..failing });
            assert_eq!(ends(&trace), Ends::Error, "{method:?} {pool:?}");
            let call = trace.call().unwrap();
            assert_eq!(call.error(3), Some("ValueError: task 3 failed"));
            assert_eq!(call.finished.entries().len(), 8, "{method:?} {pool:?}");
            assert_eq!(trace.counts(trace.end()).lost, 0, "{method:?} {pool:?}");
        }
    }
}

#[test]
fn an_iterator_goes_on_after_an_error_as_in_virtual_time() {
    let fault = Fault {
        task: 3,
        kind: FaultKind::Raise,
    };
    let iterator = |chunksize| Experiment {
        chunksize: Some(chunksize),
        faults: vec![fault],
        ..on_python(Method::Imap, UNIT / 10)
    };
    let met = |experiment: &Experiment| {
        let trace = trace(experiment);
        let received = trace.received(trace.call().unwrap(), trace.end());
        let places = 0..received.len();
        let met: Vec<u32> = places.filter_map(|at| received.get(at)).collect();
        (ends(&trace), received.errors().len(), met)
    };
    for chunksize in [1, 3] {
        let python = iterator(chunksize);
        let simulated = Experiment {
            backend: Backend::Simulated,
            ..python.clone()
        };
        assert_eq!(met(&python), met(&simulated), "chunks of {chunksize}");
    }
}

#[test]
fn a_map_of_pairs_fails_as_python_says() {
    let pairs = Experiment {
        pairs: true,
        ..on_python(Method::Map, UNIT / 30)
    };
    let trace = trace(&pairs);
    assert_eq!(ends(&trace), Ends::Error);
    assert_eq!(
        trace.call().unwrap().error(0),
        Some(pairs.error_text(0).as_str())
    );
    // Python refuses the calls: none of them is entered.
    assert_eq!(trace.outcome(trace.end()).ran, 0);
}

#[test]
fn what_main_meets_first_ends_it() {
    use FaultKind::{Die, Hang, Raise};
    let (pool, executor) = (PythonPool::Pool, PythonPool::Executor);
    for (pool, method, second, expected) in [
        (executor, Method::Map, Hang, Ends::Error),
        (executor, Method::ApplyAsync, Hang, Ends::Error),
        (executor, Method::ApplyAsync, Die, Ends::Error),
        (executor, Method::ImapUnordered, Die, Ends::Error),
        (pool, Method::ApplyAsync, Hang, Ends::Error),
        (pool, Method::ApplyAsync, Die, Ends::Error),
    ] {
        let faults = [(1, Raise), (7, second)].map(|(task, kind)| Fault { task, kind });
        let chunked = method.rules().sends != Sends::Tasks;
        let mut costs = COSTS.map(|cost| cost * UNIT / 3);
        if pool == executor && second == Die {
            // Main has met the error long before that, however late it gets a CPU.
            costs[7] = 100 * UNIT / 3;
        }
        let trace = trace(&Experiment {
            pool,
            chunksize: chunked.then_some(1),
            faults: faults.into(),
            costs: experiment(method, &costs).costs,
            ..on_python(method, UNIT / 3)
        });
        let out = trace.outcome(trace.end());
        assert_eq!(ends(&trace), expected, "{method:?} {second:?}");
        assert_eq!(out.ends, Some(expected), "{method:?} {second:?}");
        let numbers = trace.numbers(trace.end());
        assert!(numbers.program_end.is_some() && numbers.makespan.is_some());
    }
}

#[test]
fn a_loop_that_raises_lasts_until_it_does() {
    let experiment = Experiment {
        faults: vec![Fault {
            task: 2,
            kind: FaultKind::Raise,
        }],
        ..on_python(Method::Loop, UNIT / 10)
    };
    comes_to_the_same(&experiment);
    let trace = trace(&experiment);
    let makespan = trace.numbers(trace.end()).makespan.unwrap();
    let costs: u64 = COSTS[..3].iter().sum();
    assert!(makespan.0 >= costs * (UNIT / 10), "{makespan}");
    let words = trace.errors_in_words(trace.call().unwrap(), trace.end());
    let words = words.unwrap_or_default();
    assert!(
        words.starts_with("f() raised ValueError: task 2 failed"),
        "{words}"
    );
}

#[test]
fn a_task_that_raises_has_counted_before() {
    let faults = [2, 4].map(|task| Fault {
        task,
        kind: FaultKind::Raise,
    });
    let trace = trace(&Experiment {
        effect: CounterEffect::Count,
        faults: faults.into(),
        ..on_python(Method::Imap, UNIT / 30)
    });
    let out = trace.outcome(trace.end());
    assert_eq!((out.counter_main, out.counter_sum), (Some(0), Some(8)));
}

#[test]
fn nothing_to_do_takes_main_no_less_time_than_it_works() {
    for (pool, method) in [
        (PythonPool::Pool, Method::Apply),
        (PythonPool::Executor, Method::Imap),
        (PythonPool::Pool, Method::Loop),
    ] {
        let length = Nanos(UNIT / 2);
        let trace = trace(&Experiment {
            pool,
            tasks: 0,
            chunksize: None,
            costs: Costs::Const(Nanos(UNIT)),
            serial: length,
            main_work: MainWork::Fixed(length),
            ..on_python(method, UNIT)
        });
        let numbers = trace.numbers(trace.end());
        assert_eq!(ends(&trace), Ends::Returned, "{method:?}");
        assert_eq!(numbers.blocked_main, Some(Nanos::ZERO), "{method:?}");
        assert!(numbers.program_end >= Some(Nanos(UNIT)), "{method:?}");
    }
}
