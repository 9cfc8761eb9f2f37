//! The processes backend, held to what must be true of every run, and to what only processes do: real
//! deaths, memory of their own, bytes on their way, and nobody left behind.

#![expect(
    clippy::disallowed_methods,
    reason = "looks at processes from outside, with a deadline"
)]

use crate::support::program::Program;
use crate::threads::{
    FOR_EVER, any_experiment, ends, experiment, hanging, hangs_unasked, keeps_its_promises,
    read_until, start, trace, with_faults,
};
use parviz::event::{Category, Ended, Ends, Event, Kind, LaneId, LaneKind, Outcome, Way};
use parviz::experiment::{Backend, CounterEffect, Experiment, FaultKind, Policy, WorkKind};
use parviz::method::Method;
use parviz::origin::Running;
use parviz::time::{Nanos, Time};
use parviz::trace::{MarkerKind, Trace};
use parviz::workload::Costs;
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const MILLISECOND: u64 = 1_000_000;

fn processes(experiment: Experiment) -> Experiment {
    Experiment {
        backend: Backend::Processes,
        gil: false,
        ..experiment
    }
}

/// Waits for something that happens soon; a failure reaches the deadline.
fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < Duration::from_secs(180), "never: {what}");
        std::thread::yield_now();
    }
}

/// Whether this process is there and no zombie.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// The workers in the order of their lanes, with their processes.
fn workers(events: &[Event]) -> Vec<(LaneId, u32)> {
    let mut workers: Vec<(LaneId, u32)> = events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::LaneOpened(facts) if facts.kind == LaneKind::Worker => {
                Some((event.lane, facts.pid?))
            }
            _ => None,
        })
        .collect();
    workers.sort_unstable();
    workers
}

/// Reads a run that is under way to its end.
fn rest(running: Running, events: Vec<Event>) -> Trace {
    let mut trace = Trace::default();
    trace.apply(events);
    for batch in &running.batches {
        trace.apply(batch.events);
    }
    running.join();
    trace
}

fn starts(count: usize) -> impl FnMut(&Event) -> bool {
    let mut seen = 0;
    move |event| {
        seen += usize::from(matches!(event.kind, Kind::Started { .. }));
        seen == count
    }
}

#[test]
fn every_run_of_processes_keeps_its_promises() {
    for seed in 0..180 {
        keeps_its_promises(seed, &processes(any_experiment(seed)));
    }
}

#[test]
fn workers_are_other_processes_and_say_so() {
    let trace = trace(&processes(experiment(Method::Map, &[MILLISECOND; 4])));
    assert_eq!(ends(&trace), Ends::Returned);
    let workers: Vec<_> = trace
        .lanes()
        .filter(|lane| lane.facts.kind == LaneKind::Worker)
        .collect();
    assert_eq!(workers.len(), 4);
    let mut pids: Vec<_> = workers.iter().filter_map(|lane| lane.facts.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 4);
    assert!(!pids.contains(&std::process::id()) && !pids.iter().any(|&pid| lives(pid)));
    for lane in workers {
        let start_up = lane.others().first().unwrap();
        assert_eq!(
            (lane.name_of(&start_up), start_up.category),
            ("start-up", Category::Overhead)
        );
    }
}

#[test]
fn a_million_tasks_come_back_from_processes() {
    let experiment = processes(Experiment {
        costs: Costs::Const(Nanos::ZERO),
        tasks: 1_000_000,
        chunksize: Some(10),
        workers: 2,
        ..experiment(Method::Map, &[])
    });
    let trace = trace(&experiment);
    let call = trace.call().unwrap();
    assert_eq!(call.finished.entries().len(), 1_000_000);
    assert!(
        call.tasks()
            .all(|task| task.outcome == Some(Outcome::Ok) && task.delivered.happened())
    );
}

#[test]
fn the_bytes_of_a_payload_really_go_both_ways() {
    // Smaller and larger than what the queue and the streams have room for.
    for (payload, chunksize) in [(10, 4), (65_536, 1), (1 << 20, 2)] {
        let experiment = processes(Experiment {
            payload,
            chunksize: Some(chunksize),
            ..experiment(Method::Imap, &[0; 12])
        });
        let running = start(&experiment);
        let events: Vec<Event> = running
            .batches
            .iter()
            .flat_map(|batch| batch.events)
            .collect();
        running.join();
        for way in [Way::ToWorker, Way::ToCaller] {
            let carried: Vec<u32> = events
                .iter()
                .filter_map(|event| match event.kind {
                    Kind::Carried {
                        bytes, way: other, ..
                    } if other == way => Some(bytes),
                    _ => None,
                })
                .collect();
            assert_eq!(carried.len() as u32, 12_u32.div_ceil(chunksize));
            let least = payload * chunksize;
            assert!(
                carried
                    .iter()
                    .all(|bytes| (least..least + 400).contains(bytes)),
                "{carried:?}"
            );
        }
        // Bytes that came back as others would have failed their chunk.
        assert!(matches!(
            events.last().unwrap().kind,
            Kind::RunEnded {
                ends: Ends::Returned
            }
        ));
        let serialised = events
            .iter()
            .any(|event| matches!(&event.kind, Kind::Span(span) if span.name == "deserialise"));
        assert!(serialised || payload < 65_536);
    }
}

#[test]
fn a_fault_takes_its_worker_with_it_for_real() {
    let trace = trace(&processes(with_faults(Method::Map, &[(2, FaultKind::Die)])));
    assert_eq!(ends(&trace), Ends::Never);
    let lanes: Vec<_> = trace
        .lanes()
        .filter(|lane| lane.facts.kind == LaneKind::Worker)
        .collect();
    assert_eq!((lanes.len(), trace.rows().len()), (5, 4));
    let crashed = lanes
        .iter()
        .filter(|lane| lane.closed.is_some_and(|closed| closed.1 == Ended::Crashed));
    assert_eq!(crashed.count(), 1);
    assert_eq!(
        trace.call().unwrap().task(2).unwrap().outcome,
        Some(Outcome::Lost)
    );
}

#[test]
fn raising_and_hanging_are_as_in_threads() {
    let mut raising = processes(with_faults(Method::Map, &[(1, FaultKind::Raise)]));
    raising.chunksize = Some(3);
    let raised = trace(&raising);
    let call = raised.call().unwrap();
    let outcomes: Vec<_> = call.tasks().map(|task| task.outcome).collect();
    let (ok, failed, skipped) = (Outcome::Ok, Outcome::Failed, Outcome::Skipped);
    assert_eq!(outcomes, [ok, failed, skipped, ok, ok, ok].map(Some));
    assert_eq!(call.error(1), Some("ValueError: task 1 failed"));
    assert_eq!(ends(&raised), Ends::Error);
    for method in Method::ALL {
        let hung = trace(&processes(with_faults(method, &[(3, FaultKind::Hang)])));
        assert_eq!(ends(&hung), Ends::Never, "{method:?}");
        let finished = hung.call().unwrap().finished.entries().len();
        let expected = if method.rules().one_at_a_time { 3 } else { 5 };
        assert_eq!(finished, expected, "{method:?}");
    }
}

#[test]
fn a_task_that_hangs_waits_for_what_it_did_not_ask_for() {
    for cost in [MILLISECOND, 1_000] {
        hangs_unasked(&trace(&processes(hanging(Backend::Processes, cost))));
    }
}

/// Tasks that only wait, long enough for a test to do something meanwhile.
fn waiting(method: Method, tasks: usize) -> Experiment {
    let mut experiment = processes(experiment(method, &vec![FOR_EVER * MILLISECOND; tasks]));
    experiment.kind = WorkKind::Io;
    experiment
}

#[test]
fn a_worker_that_is_killed_is_replaced_and_its_chunk_is_lost() {
    let mut experiment = waiting(Method::Map, 3);
    experiment.costs = Costs::List([FOR_EVER, 1, 1].map(|ms| Nanos(ms * MILLISECOND)).to_vec());
    experiment.workers = 2;
    experiment.chunksize = Some(1);
    let running = start(&experiment);
    let mut lane = None;
    let events = read_until(&running, |event| {
        if matches!(event.kind, Kind::Started { task, .. } if task.index == 0) {
            lane = Some(event.lane);
        }
        lane.is_some()
    });
    let pid = workers(&events)
        .into_iter()
        .find(|worker| Some(worker.0) == lane)
        .unwrap()
        .1;
    assert!(lives(pid));
    running.kill(lane.unwrap());
    let trace = rest(running, events);
    assert!(!lives(pid));
    assert_eq!(ends(&trace), Ends::Never);
    assert_eq!(
        trace.lane(lane.unwrap()).unwrap().closed.unwrap().1,
        Ended::Killed
    );
    let outcomes: Vec<_> = trace.call().unwrap().tasks().map(|t| t.outcome).collect();
    let (lost, ok) = (Some(Outcome::Lost), Some(Outcome::Ok));
    assert_eq!(outcomes, [lost, ok, ok]);
    // The successor has the same place.
    let row = trace
        .rows()
        .iter()
        .find(|row| row.lanes.contains(&lane.unwrap()));
    assert_eq!(row.unwrap().lanes.len(), 2);
}

#[test]
fn an_executor_breaks_when_somebody_else_kills_a_worker() {
    let mut experiment = waiting(Method::Map, 4);
    experiment.policy = Policy::Executor;
    let running = start(&experiment);
    let events = read_until(&running, starts(4));
    let (_, pid) = workers(&events)[1];
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
    let trace = rest(running, events);
    assert_eq!(ends(&trace), Ends::BrokenProcessPool);
    let killed = trace
        .lanes()
        .filter(|lane| lane.closed.is_some_and(|closed| closed.1 == Ended::Killed));
    assert_eq!(killed.count(), 4);
    // Nobody waited for the tasks that were under way.
    let mut tasks = trace.call().unwrap().tasks();
    assert!(tasks.all(|task| !task.finished.happened()));
}

#[test]
fn a_broken_executor_kills_its_idle_workers() {
    for _ in 0..8 {
        let mut experiment = processes(with_faults(Method::Apply, &[(3, FaultKind::Die)]));
        experiment.policy = Policy::Executor;
        let trace = trace(&experiment);
        assert_eq!(ends(&trace), Ends::BrokenProcessPool);
        let workers = trace
            .lanes()
            .filter(|lane| lane.facts.kind == LaneKind::Worker);
        let mut ended: Vec<_> = workers.filter_map(|lane| Some(lane.closed?.1)).collect();
        ended.sort_unstable_by_key(|ended| ended.word());
        let (crashed, killed) = (Ended::Crashed, Ended::Killed);
        assert_eq!(ended, [crashed, killed, killed, killed]);
    }
}

#[test]
fn an_idle_worker_can_be_killed_without_harm() {
    // One task at a time: three of the four workers have nothing to do.
    let mut experiment = waiting(Method::Apply, 20);
    experiment.costs = Costs::Const(Nanos(MILLISECOND));
    let running = start(&experiment);
    let events = read_until(&running, starts(1));
    for (lane, _) in workers(&events) {
        let busy = events
            .iter()
            .any(|event| event.lane == lane && matches!(event.kind, Kind::Started { .. }));
        if !busy {
            running.kill(lane);
            break;
        }
    }
    let trace = rest(running, events);
    // It may have taken a task just then, which is lost with it.
    let lost = trace.outcome(Time::NEVER).lost;
    assert_eq!(
        ends(&trace),
        if lost == 0 {
            Ends::Returned
        } else {
            Ends::Never
        }
    );
}

#[test]
fn a_hanging_worker_that_is_killed_makes_room_for_the_others() {
    let mut experiment = processes(with_faults(Method::ImapUnordered, &[(0, FaultKind::Hang)]));
    experiment.workers = 1;
    experiment.stop_at = Nanos(60_000 * MILLISECOND);
    let running = start(&experiment);
    let events = read_until(&running, starts(1));
    let (lane, _) = workers(&events)[0];
    running.kill(lane);
    let more = read_until(&running, starts(5));
    running.cancel();
    let trace = rest(running, [events, more].concat());
    assert_eq!(ends(&trace), Ends::Cancelled);
    assert_eq!(trace.call().unwrap().started.entries().len(), 6);
}

#[test]
fn main_finds_nothing_in_a_counter_that_processes_have_copied() {
    let counters = |backend, effect| {
        let trace = trace(&Experiment {
            backend,
            effect,
            lock: effect == CounterEffect::Race,
            increments: 50,
            ..experiment(Method::Map, &[100_000; 8])
        });
        let outcome = trace.outcome(Time::NEVER);
        (outcome.counter_main, outcome.counter_sum)
    };
    let count = CounterEffect::Count;
    assert_eq!(counters(Backend::Processes, count), (Some(0), Some(8)));
    assert_eq!(counters(Backend::Threads, count), (Some(8), Some(8)));
    // A race is for one counter, which is in memory that they share.
    let race = CounterEffect::Race;
    assert_eq!(counters(Backend::Processes, race), (Some(400), Some(400)));
}

#[test]
fn a_worker_tells_how_much_memory_it_has() {
    let running = start(&processes(experiment(Method::Map, &[MILLISECOND; 4])));
    let events = read_until(
        &running,
        |event| matches!(&event.kind, Kind::Sample(sample) if sample.quantity == "memory" && sample.value > 100_000.0),
    );
    assert!(!events.is_empty());
    running.join();
}

#[test]
fn a_switch_leaves_no_worker_behind() {
    for kind in [WorkKind::Cpu, WorkKind::Io] {
        let mut old = waiting(Method::Map, 8);
        old.kind = kind;
        let running = start(&old);
        let events = read_until(&running, starts(4));
        running.cancel();
        let new = start(&Experiment {
            method: Method::MapAsync,
            ..old
        });
        let pids: Vec<u32> = workers(&events)
            .into_iter()
            .map(|worker| worker.1)
            .collect();
        let trace = rest(running, events);
        assert_eq!(ends(&trace), Ends::Cancelled);
        assert_eq!(trace.call().unwrap().finished.entries().len(), 0);
        assert!(!pids.iter().any(|&pid| lives(pid)));
        let events = read_until(&new, starts(4));
        new.cancel();
        new.join();
        assert!(!workers(&events).iter().any(|worker| lives(worker.1)));
    }
}

/// Processes that have this one as their parent.
fn children(parent: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task"));
    let tasks = tasks.into_iter().flatten().flatten();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|pids| {
            let pids = pids.split_whitespace().filter_map(|pid| pid.parse().ok());
            pids.collect::<Vec<u32>>()
        })
        .collect()
}

#[test]
fn nobody_outlives_a_parviz_that_is_killed() {
    for kind in ["cpu", "io"] {
        let program = Program::new(&format!(
            "lab --backend processes --workers 4 --tasks 8 --costs const:60s --kind {kind} --text"
        ));
        let mut parviz = program.start();
        let mut workers = Vec::new();
        wait_for("four workers", || {
            workers = children(parviz.id());
            workers.len() == 4
        });
        parviz.kill().unwrap();
        parviz.wait().unwrap();
        for pid in workers {
            wait_for("the end of a worker", || !lives(pid));
        }
    }
}

#[test]
fn a_stopped_worker_does_not_outlive_parviz_either() {
    let program =
        Program::new("lab --backend processes --workers 1 --costs const:60s --tasks 1 --text");
    let mut parviz = program.start();
    let mut workers = Vec::new();
    wait_for("a worker", || {
        workers = children(parviz.id());
        workers.len() == 1
    });
    let tasks = format!("/proc/{}/task", workers[0]);
    wait_for("its second thread", || {
        std::fs::read_dir(&tasks).is_ok_and(|tasks| tasks.count() == 2)
    });
    let pid = Pid::from_raw(workers[0] as i32).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    parviz.kill().unwrap();
    parviz.wait().unwrap();
    wait_for("its end", || !lives(workers[0]));
}

#[test]
fn a_run_that_cannot_be_made_says_why() {
    let why = |parviz: PathBuf| {
        let experiment = processes(experiment(Method::Map, &[MILLISECOND; 4]));
        let running = parviz::origin::start_with(&experiment, Some(&parviz)).unwrap();
        let trace = rest(running, Vec::new());
        assert_eq!(ends(&trace), Ends::Error);
        let mut notes = trace.markers().iter();
        let note = notes.find(|marker| marker.kind == MarkerKind::Note);
        let note = note.expect("a reason");
        trace.marker_words(note).into_owned()
    };
    let missing = why(PathBuf::from("/nowhere/parviz"));
    assert!(
        missing.starts_with("worker 0 cannot be started: No such file"),
        "{missing}"
    );
    // A program that is none of ours ends at once; it is not tried again and again.
    let wrong = why(PathBuf::from("/bin/false"));
    assert!(wrong.contains("ended before it could begin"), "{wrong}");
}

#[test]
fn a_worker_started_by_hand_says_what_it_is() {
    let said = Program::new("--worker-process 0").run();
    assert_eq!(said.code, Some(2));
    assert!(said.out.is_empty());
}
