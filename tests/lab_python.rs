//! The lab on CPython's own pools: the same experiment as everywhere, run by a real interpreter.
#![expect(
    clippy::disallowed_methods,
    reason = "looks for the processes of a run that was stopped"
)]

use crate::threads::{ends, experiment, start, trace};
use parviz::event::{CallerState, Ended, Ends, Kind, LaneKind, Way};
use parviz::experiment::{
    Backend, CounterEffect, Experiment, Fault, FaultKind, PythonPool, StartMethod, WorkKind,
};
use parviz::method::{Method, Sends};
use parviz::time::{Nanos, Time};
use parviz::trace::Order;
use std::process::Command;
use std::time::{Duration, Instant};

/// In nanoseconds; a wait may be late by nearly that much.
const UNIT: u64 = 30_000_000;
const COSTS: [u64; 8] = [12, 2, 3, 8, 9, 13, 10, 3];
/// A machine where waits are badly late may turn an order.
const ATTEMPTS: u64 = 6;

fn on_python(method: Method, unit: u64) -> Experiment {
    let chunked = method.rules().sends != Sends::Tasks && method != Method::Loop;
    Experiment {
        backend: Backend::Python,
        chunksize: chunked.then_some(1),
        kind: WorkKind::Io,
        ..experiment(method, &COSTS.map(|cost| cost * unit))
    }
}

fn with_fault(kind: FaultKind, pool: PythonPool) -> Experiment {
    Experiment {
        pool,
        faults: vec![Fault { task: 3, kind }],
        ..on_python(Method::Map, UNIT / 10)
    }
}

fn indexes(order: &Order) -> Vec<u32> {
    order.entries().iter().map(|entry| entry.index).collect()
}

/// Finished and delivered.
fn orders(experiment: &Experiment) -> [Vec<u32>; 2] {
    let trace = trace(experiment);
    assert_eq!(ends(&trace), Ends::Returned, "{:?}", experiment.method);
    let call = trace.call().unwrap();
    [indexes(&call.finished), indexes(&call.delivered)]
}

/// The rules, in virtual time.
fn rules(experiment: &Experiment) -> [Vec<u32>; 2] {
    orders(&Experiment {
        backend: Backend::Simulated,
        ..experiment.clone()
    })
}

/// With a longer unit at each attempt: how far apart ends must be is a matter of the machine.
fn follows_the_rules(method: Method) {
    let expected = rules(&on_python(method, UNIT));
    let seen: Vec<_> = (1..=ATTEMPTS)
        .map(|attempt| orders(&on_python(method, attempt * UNIT)))
        .take_while(|seen| *seen != expected)
        .collect();
    assert!(
        seen.len() < ATTEMPTS as usize,
        "{method:?}: {seen:?}, not {expected:?}"
    );
}

#[test]
fn the_methods_of_a_pool_follow_the_rules_of_the_lab() {
    // They only wait, so all of them can do it at once.
    std::thread::scope(|threads| {
        for &method in &Method::ALL[..8] {
            threads.spawn(move || follows_the_rules(method));
        }
    });
}

/// Workers start one after another, and some of these ways take long for it: which one takes what is open.
#[test]
fn every_pool_and_start_method_delivers_in_order() {
    let ways = [
        (PythonPool::Pool, Some(StartMethod::Spawn), "Pool"),
        (PythonPool::Pool, Some(StartMethod::Forkserver), "Pool"),
        (PythonPool::ThreadPool, None, "ThreadPool"),
        (
            PythonPool::Executor,
            Some(StartMethod::Fork),
            "ProcessPoolExecutor",
        ),
    ];
    std::thread::scope(|threads| {
        for (pool, start_method, kind) in ways {
            threads.spawn(move || {
                let trace = trace(&Experiment {
                    pool,
                    start_method,
                    ..on_python(Method::Imap, UNIT / 30)
                });
                assert_eq!(ends(&trace), Ends::Returned, "{kind}");
                let call = trace.call().unwrap();
                assert_eq!(indexes(&call.delivered), [0, 1, 2, 3, 4, 5, 6, 7], "{kind}");
                let facts = &trace.pools().next().unwrap().facts;
                let start_method = start_method.map(StartMethod::name);
                assert_eq!(
                    (facts.kind.as_str(), facts.start_method.as_deref()),
                    (kind, start_method)
                );
            });
        }
    });
}

#[test]
fn a_loop_has_no_pool_and_one_task_after_another() {
    let trace = trace(&on_python(Method::Loop, UNIT / 10));
    assert_eq!(ends(&trace), Ends::Returned);
    let call = trace.call().unwrap();
    assert_eq!(indexes(&call.delivered), [0, 1, 2, 3, 4, 5, 6, 7]);
    let rows: Vec<&str> = trace.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(rows, ["main"]);
    assert_eq!(trace.pools().len(), 0);
}

#[test]
fn a_worker_that_dies_takes_its_task_with_it_and_the_pool_never_returns() {
    let trace = trace(&with_fault(FaultKind::Die, PythonPool::Pool));
    assert_eq!(ends(&trace), Ends::Never);
    let call = trace.call().unwrap();
    let lost: Vec<u32> = (0..8)
        .filter(|&index| call.task(index).unwrap().lost.happened())
        .collect();
    assert_eq!(lost, [3]);
    let killed = trace
        .lanes()
        .filter(|lane| matches!(lane.closed, Some((_, Ended::Killed))));
    assert_eq!(killed.count(), 1);
    let workers = trace
        .lanes()
        .filter(|lane| lane.facts.kind == LaneKind::Worker);
    assert_eq!(workers.count(), 5, "four, and one in the place of the dead");
    assert_eq!(trace.rows().len(), 4, "the new one has the row of the dead");
}

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
}

#[test]
fn a_sleep_that_the_lab_asked_for_is_a_useful_wait() {
    let trace = trace(&on_python(Method::Map, UNIT / 3));
    let call = trace.call().unwrap();
    for (task, cost) in call.tasks().zip(COSTS) {
        assert!(task.useful_wait.0 <= cost * (UNIT / 3));
    }
    assert!(trace.shares(trace.end()).useful_wait > Nanos::ZERO);
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
}

#[test]
fn processes_count_for_themselves_and_threads_together() {
    let main_finds = |pool| {
        let trace = trace(&Experiment {
            pool,
            effect: CounterEffect::Count,
            ..on_python(Method::Map, UNIT / 30)
        });
        ["main", "sum", "min", "max"]
            .map(|name| trace.sample(&format!("counter_{name}"), Time::NEVER))
    };
    assert_eq!(
        main_finds(PythonPool::Pool),
        [Some(0.0), Some(8.0), None, None]
    );
    assert_eq!(
        main_finds(PythonPool::ThreadPool),
        [Some(8.0), Some(8.0), None, None]
    );
}

#[test]
fn only_threads_race_for_a_counter() {
    let found = |pool| {
        let trace = trace(&Experiment {
            pool,
            effect: CounterEffect::Race,
            increments: 2,
            ..on_python(Method::Map, UNIT / 30)
        });
        trace.outcome(trace.end())
    };
    let threads = found(PythonPool::ThreadPool);
    assert_eq!(threads.counter_max, Some(16));
    assert!(threads.counter_min >= Some(2) && threads.counter_main <= Some(16));
    let processes = found(PythonPool::Pool);
    assert_eq!(
        (processes.counter_main, processes.counter_sum),
        (Some(0), Some(16))
    );
    assert_eq!((processes.counter_min, processes.counter_max), (None, None));
}

#[test]
fn a_payload_is_really_carried_both_ways() {
    let trace = trace(&Experiment {
        payload: 10_000,
        ..on_python(Method::Map, UNIT / 30)
    });
    let call = trace.call().unwrap();
    for way in [Way::ToWorker, Way::ToCaller] {
        let bytes = call.bytes_until(Time::NEVER, way);
        assert!(bytes > Some(80_000), "{way:?}: {bytes:?}");
    }
}

#[test]
fn a_run_that_is_left_leaves_no_process_behind() {
    let running = start(&with_fault(FaultKind::Hang, PythonPool::Pool));
    let mut pids = Vec::new();
    for batch in &running.batches {
        for event in batch.events {
            match event.kind {
                Kind::LaneOpened(lane) => pids.extend(lane.pid),
                Kind::Started { .. } => running.cancel(),
                _ => {}
            }
        }
    }
    running.join();
    assert!(pids.len() > 1, "main and a worker: {pids:?}");
    assert_eq!(state(pids[0]), "", "nobody waited for main");
    let limit = Instant::now() + Duration::from_secs(60);
    while pids.iter().any(|&pid| is_alive(pid)) {
        assert!(Instant::now() < limit, "still there: {pids:?}");
        std::thread::yield_now();
    }
}

#[test]
fn main_is_starting_until_all_is_started_and_then_does_the_serial_part() {
    let serial = Nanos(200_000_000);
    let trace = trace(&Experiment {
        serial,
        ..on_python(Method::Map, UNIT / 10)
    });
    let changes: Vec<_> = trace.caller().unwrap().changes().collect();
    let states: Vec<_> = changes.iter().map(|change| change.1).collect();
    let first = [
        CallerState::Starting,
        CallerState::OwnWork,
        CallerState::Submitting,
    ];
    assert_eq!(states[..3], first, "{states:?}");
    assert_eq!(changes[0].0, Time::ZERO);
    assert!(changes[1].0 >= trace.pools().next().unwrap().opened);
    assert!(changes[2].0.since(changes[1].0) >= serial);
}

#[test]
fn a_busy_machine_does_not_shorten_what_tasks_compute() {
    let folder = tempfile::tempdir().unwrap();
    let script = include_str!("../assets/probe/lab.py");
    std::fs::write(folder.path().join("lab.py"), script).unwrap();
    std::fs::write(
        folder.path().join("experiment.json"),
        r#"{"two_arguments": false}"#,
    )
    .unwrap();
    // Each look at a clock is 1 ms later on the CPU, and 1 s by the wall.
    let code = "import lab, itertools\n\
        def clock(step): return itertools.count(0, step).__next__\n\
        class Busy: thread_time_ns, perf_counter_ns = clock(10**6), clock(10**9)\n\
        lab.time = Busy; print(lab.steps_in_a_ms())";
    let mut python = Command::new("python3");
    let said = python.args(["-c", code]).current_dir(folder.path());
    let said = said.output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&said.stdout),
        "10000.0\n",
        "{said:?}"
    );
}

/// A process that nobody has waited for yet is dead all the same.
fn is_alive(pid: u32) -> bool {
    let state = state(pid);
    !state.is_empty() && !state.starts_with('Z')
}

/// One letter; nothing of a process that is gone.
#[cfg(target_os = "linux")]
fn state(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest.trim());
    rest.chars().take(1).collect()
}

#[cfg(not(target_os = "linux"))]
fn state(pid: u32) -> String {
    let words = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    String::from_utf8_lossy(&words.stdout).trim().to_owned()
}

#[test]
fn a_program_that_makes_no_call_is_a_run_that_failed() {
    for (python, words) in [("true", "exit code 0"), ("false", "exit code 1")] {
        let experiment = Experiment {
            python: Some(python.to_owned()),
            ..on_python(Method::Map, 1)
        };
        let trace = trace(&experiment);
        let told = format!("python made no call: it ended with {words} and said nothing");
        assert_eq!(trace.failure(), Some(told.as_str()));
    }
}
