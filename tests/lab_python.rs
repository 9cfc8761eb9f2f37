//! The lab on CPython's own pools: the same experiment as everywhere, run by a real interpreter.
#![expect(
    clippy::disallowed_methods,
    reason = "looks for the processes of a run that was stopped"
)]

mod faults;

use crate::threads::{ends, experiment, start, trace};
use parviz::event::{CallerState, Ended, Ends, Kind, LaneKind, Way};
use parviz::experiment::{
    Backend, CounterEffect, Experiment, Fault, FaultKind, MainWork, PythonPool, StartMethod,
    WorkKind,
};
use parviz::method::{Badge, Delivery, Method, Sends};
use parviz::time::{Nanos, Span, Time};
use parviz::trace::{Order, Trace};
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
    let states: Vec<_> = trace
        .caller()
        .unwrap()
        .changes()
        .map(|change| change.1)
        .collect();
    let ends = [
        CallerState::RunsTasks,
        CallerState::OwnWork,
        CallerState::Done,
    ];
    assert_eq!(states[states.len() - 3..], ends, "{states:?}");
    if cfg!(target_os = "linux") {
        let shares = trace.shares(trace.end());
        assert_eq!(shares.unknown, Nanos::ZERO);
        assert!(shares.useful_wait > Nanos::ZERO);
        assert!(trace.numbers(trace.end()).serial_time.is_some());
    }
}

/// When main did what, of which the first is starting, the second own work and the third this.
fn starts_and_then(trace: &Trace, state: CallerState) -> Vec<(Time, CallerState)> {
    let changes: Vec<_> = trace.caller().unwrap().changes().collect();
    let states: Vec<_> = changes.iter().map(|change| change.1).collect();
    let first = [CallerState::Starting, CallerState::OwnWork, state];
    assert_eq!(states[..3], first, "{states:?}");
    changes
}

/// Shorter than it takes to hear of all that happened.
#[test]
fn the_serial_part_before_a_loop_counts_however_short() {
    let serial = Nanos(2_000_000);
    let trace = trace(&Experiment {
        serial,
        ..on_python(Method::Loop, UNIT / 30)
    });
    let changes = starts_and_then(&trace, CallerState::RunsTasks);
    assert_eq!(trace.counted_from(), changes[1].0);
    assert!(changes[2].0.since(changes[1].0) >= serial);
}

#[test]
fn a_loop_that_raises_ends_main_there() {
    let trace = trace(&Experiment {
        faults: vec![Fault {
            task: 3,
            kind: FaultKind::Raise,
        }],
        ..on_python(Method::Loop, UNIT / 30)
    });
    assert_eq!(ends(&trace), Ends::Error);
    let numbers = trace.numbers(trace.end());
    let ended = trace.counted_from() + numbers.program_end.unwrap();
    assert!(ended <= trace.end());
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

/// What a method is on an executor holds for CPython's: whether main works before it has the first result, and
/// whether it has all results at once.
#[test]
fn a_method_is_on_an_executor_what_its_rules_say() {
    // Longer than main is held up anywhere else.
    let work = Nanos(20 * UNIT);
    for method in [
        Method::Map,
        Method::MapAsync,
        Method::Imap,
        Method::ImapUnordered,
        Method::ApplyAsync,
    ] {
        let experiment = Experiment {
            pool: PythonPool::Executor,
            main_work: MainWork::Fixed(work),
            workers: 2,
            chunksize: None,
            ..on_python(method, UNIT / 3)
        };
        let rules = experiment.rules();
        let trace = trace(&experiment);
        let call = trace.call().unwrap();
        assert_eq!(call.delivered.entries().len(), 8, "{method:?}");
        let times = call.delivered.entries();
        let (first, last) = (times.first().unwrap().at, times.last().unwrap().at);
        if rules.delivery == Delivery::InOrder {
            assert!(first < last, "{method:?}");
            let is_list = method == Method::ApplyAsync;
            let badge = if is_list {
                Badge::Async
            } else {
                Badge::IteratorInOrder
            };
            assert_eq!(rules.badge, badge);
            assert_eq!(call.facts.chunksize, Some(1), "{method:?}");
        }
        // Main's own work is no collecting, before the results or after them.
        let whole = Span::new(Time::ZERO, trace.end());
        let states = trace.caller().unwrap().states_in(whole);
        let works =
            states.filter(|(span, state)| *state == CallerState::OwnWork && span.length() >= work);
        // Before a call that blocks it may take long to start the workers.
        let counts = |span: &Span| !rules.blocks || span.start() >= call.began;
        let works: Vec<Span> = works.map(|(span, _)| span).filter(counts).collect();
        assert_eq!(works.len(), 1, "{method:?}: {works:?}");
        if rules.delivery != Delivery::Callback {
            assert_eq!(works[0].start() >= last, rules.blocks, "{method:?}");
        }
    }
}

#[test]
fn main_ends_before_its_pool_does() {
    for method in [Method::Map, Method::ImapUnordered] {
        let trace = trace(&on_python(method, UNIT / 10));
        let numbers = trace.numbers(trace.end());
        let ended = trace.counted_from() + numbers.program_end.unwrap();
        let last = trace.call().unwrap().delivered.entries().last().unwrap();
        assert!(last.at <= ended, "{method:?}");
        let mut workers = trace.rows().iter().flat_map(|row| &row.lanes);
        let closed = |lane| trace.lane(lane).unwrap().closed.unwrap().0;
        assert!(workers.all(|&lane| closed(lane) > ended), "{method:?}");
    }
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
fn threads_race_for_a_counter() {
    let trace = trace(&Experiment {
        pool: PythonPool::ThreadPool,
        effect: CounterEffect::Race,
        increments: 2,
        ..on_python(Method::Map, UNIT / 30)
    });
    let threads = trace.outcome(trace.end());
    assert_eq!(threads.counter_max, Some(16));
    assert!(threads.counter_min >= Some(2) && threads.counter_main <= Some(16));
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
    let changes = starts_and_then(&trace, CallerState::Submitting);
    assert_eq!(changes[0].0, Time::ZERO);
    assert!(changes[1].0 >= trace.pools().next().unwrap().opened);
    assert!(changes[2].0.since(changes[1].0) >= serial);
    // It counts in the time with a pool as in that without one.
    assert_eq!(trace.counted_from(), changes[1].0);
    let numbers = trace.numbers(trace.end());
    assert!(numbers.makespan.unwrap() >= serial);
    assert!(
        numbers
            .lower_bound
            .is_none_or(|least| least <= numbers.makespan.unwrap())
    );
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
