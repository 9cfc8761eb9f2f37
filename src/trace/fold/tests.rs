//! What folding holds to.

use super::*;
use crate::event::{CallBegan, CallerState, Ends, Indexes, RunBegan};
use crate::time::Nanos;

const CALL: CallId = CallId(0);

fn event(at: u64, lane: u32, kind: Kind) -> Event {
    Event {
        at: Time(at),
        lane: LaneId(lane),
        kind,
    }
}

fn opened(lane: u32, kind: LaneKind, name: &str) -> Event {
    let facts = LaneOpened {
        kind,
        pool: None,
        name: name.to_owned(),
        pid: None,
        tid: None,
    };
    event(0, lane, Kind::LaneOpened(Box::new(facts)))
}

fn task(index: u32) -> TaskId {
    TaskId { call: CALL, index }
}

/// Two workers, three tasks of a map: 0 on worker 0 to 10, 1 and 2 on worker 1 to 4 and 9.
#[expect(clippy::too_many_lines, reason = "a run told event by event")]
fn small_map() -> Vec<Event> {
    let run = RunBegan {
        label: "map".to_owned(),
        measured: false,
        cpus: Some(2),
        cpu_ids: Vec::new(),
        gil: false,
        serial: Nanos::ZERO,
        work: None,
        program: false,
    };
    let call = CallBegan {
        call: CALL,
        pool: None,
        method: "map".to_owned(),
        function: "f".to_owned(),
        source: None,
        tasks: Some(3),
        chunksize: Some(1),
    };
    let all = Indexes::new(0, 3);
    let mut events = vec![
        event(0, 0, Kind::RunBegan(Box::new(run))),
        opened(0, LaneKind::Caller, "main"),
        opened(1, LaneKind::Worker, "worker 0"),
        opened(2, LaneKind::Worker, "worker 1"),
        event(0, 0, Kind::CallBegan(Box::new(call))),
        event(
            0,
            0,
            Kind::Submitted {
                call: CALL,
                tasks: all,
            },
        ),
        event(
            0,
            0,
            Kind::Enqueued {
                call: CALL,
                chunks: all,
            },
        ),
        event(
            0,
            0,
            Kind::Caller {
                state: CallerState::Blocked(crate::event::BlockedIn::Map),
            },
        ),
    ];
    for (lane, index, start, end) in [(1, 0, 0, 10), (2, 1, 0, 4), (2, 2, 4, 9)] {
        let ran = Ran {
            task: task(index),
            since: Time(start),
            on_cpu: Nanos(end - start),
            waiting: Nanos::ZERO,
            useful_wait: Nanos::ZERO,
            cpu: Some(crate::event::CpuId(lane as u16)),
            moved_to: None,
        };
        events.push(event(
            start,
            lane,
            Kind::Started {
                task: task(index),
                cpu: None,
            },
        ));
        events.push(event(end, lane, Kind::Ran(Box::new(ran))));
        events.push(event(
            end,
            lane,
            Kind::Finished {
                task: task(index),
                outcome: Outcome::Ok,
                cpu: None,
            },
        ));
    }
    events.extend([
        event(
            10,
            0,
            Kind::Ready {
                call: CALL,
                tasks: all,
            },
        ),
        event(
            10,
            0,
            Kind::Delivered {
                call: CALL,
                tasks: all,
            },
        ),
        event(
            10,
            0,
            Kind::Caller {
                state: CallerState::Done,
            },
        ),
        event(
            10,
            0,
            Kind::CallEnded {
                call: CALL,
                ends: Ends::Returned,
            },
        ),
        event(
            10,
            0,
            Kind::RunEnded {
                ends: Ends::Returned,
            },
        ),
    ]);
    events
}

#[test]
fn processes_stand_in_the_order_in_which_they_came() {
    let opens = |at: u64, lane: u32, kind: LaneKind, pid| {
        let facts = LaneOpened {
            kind,
            pool: None,
            name: format!("process {lane}"),
            pid,
            tid: None,
        };
        event(at, lane, Kind::LaneOpened(Box::new(facts)))
    };
    let process = |at, lane| opens(at, lane, LaneKind::Other, Some(lane));
    let mut trace = Trace::default();
    for late in [
        process(30, 1),
        process(10, 4),
        opens(5, 5, LaneKind::Other, None),
        opens(5, 6, LaneKind::Caller, Some(6)),
        process(30, 0),
        process(20, 2),
        // Known better later on: it came before, and that other one is a worker.
        process(15, 1),
        opens(40, 4, LaneKind::Worker, Some(4)),
        process(40, 5),
    ] {
        trace.apply(vec![late]);
    }
    let ids: Vec<u32> = trace.processes().map(|lane| lane.id.0).collect();
    assert_eq!(ids, [5, 1, 2, 0]);
}

#[test]
fn numbers_follow_their_definitions() {
    let mut trace = Trace::default();
    trace.apply(small_map());
    let numbers = trace.numbers(trace.end());
    assert_eq!(numbers.makespan, Some(Nanos(10)));
    assert_eq!(numbers.serial_time, Some(Nanos(19)));
    assert_eq!(numbers.speedup, Some(1.9));
    assert_eq!(numbers.efficiency, Some(0.95));
    assert_eq!(numbers.inversions_finished, 2);
    assert_eq!((numbers.inversions_delivered, numbers.delivered), (0, 3));
    assert_eq!(numbers.blocked_main, Some(Nanos(10)));
    assert_eq!(numbers.hold, Some(Nanos(7 / 3)));
    assert_eq!(numbers.lower_bound, Some(Nanos(10)));
    let half = trace.numbers(Time(5));
    assert_eq!(
        (half.finished, half.started, half.queue_depth, half.makespan),
        (1, 3, 0, None)
    );
}

#[test]
fn a_program_whose_tasks_were_blocked_has_a_bound_instead_of_a_speedup() {
    let with = |blocked: u64| {
        let mut events = small_map();
        for event in &mut events {
            match &mut event.kind {
                Kind::RunBegan(run) => (run.measured, run.program) = (true, true),
                Kind::Ran(ran) => ran.on_cpu = Nanos(ran.on_cpu.0 - blocked.min(ran.on_cpu.0)),
                _ => {}
            }
        }
        let mut trace = Trace::default();
        trace.apply(events);
        trace.numbers(trace.end())
    };
    let known = with(0);
    assert_eq!((known.speedup, known.speedup_at_most), (Some(1.9), None));
    let bound = with(2);
    assert_eq!((bound.speedup, bound.speedup_at_most), (None, Some(1.9)));
    let others = (bound.serial_time, bound.efficiency, bound.karp_flatt);
    assert_eq!((others, bound.lower_bound), ((None, None, None), None));
}

#[test]
fn before_its_first_call_nothing_of_a_program_is_measured() {
    for (program, elapsed) in [(false, 7), (true, 0)] {
        let mut events = small_map();
        events.truncate(4);
        if let Kind::RunBegan(run) = &mut events[0].kind {
            run.program = program;
        }
        let mut trace = Trace::default();
        trace.apply(events);
        assert_eq!(trace.numbers(Time(7)).elapsed, Nanos(elapsed));
    }
}

#[test]
fn shares_add_up_at_every_moment() {
    let mut trace = Trace::default();
    trace.apply(small_map());
    for at in 0..=12 {
        let shares = trace.shares(Time(at));
        assert_eq!(shares.total(), Nanos(2 * at.min(10)), "{at}: {shares:?}");
    }
    assert_eq!(trace.shares(Time(10)).idle, Nanos(1));
    assert_eq!(trace.shares(Time(10)).on_cpu, Nanos(19));
}

#[test]
fn any_batches_and_any_mixture_of_lanes_give_the_same_trace() {
    let mut whole = Trace::default();
    whole.apply(small_map());
    for first in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0]] {
        let mut mixed = Trace::default();
        for lane in first {
            for event in small_map()
                .into_iter()
                .filter(|event| event.lane == LaneId(lane))
            {
                mixed.apply(vec![event]);
            }
        }
        for at in 0..12 {
            assert_eq!(
                mixed.numbers(Time(at)),
                whole.numbers(Time(at)),
                "{first:?} at {at}"
            );
            assert_eq!(
                mixed.shares(Time(at)),
                whole.shares(Time(at)),
                "{first:?} at {at}"
            );
        }
    }
}

#[test]
fn how_a_call_ended_is_said_the_same_whether_its_pool_was_told_before_or_after() {
    let pool = PoolOpened {
        pool: PoolId(0),
        kind: "ThreadPoolExecutor".to_owned(),
        start_method: None,
        workers: None,
    };
    let call = CallBegan {
        call: CALL,
        pool: Some(PoolId(0)),
        method: "submit".to_owned(),
        function: "f".to_owned(),
        source: None,
        tasks: Some(1),
        chunksize: Some(1),
    };
    let ends = Ends::BrokenProcessPool;
    let told = [
        event(0, 0, Kind::PoolOpened(Box::new(pool))),
        event(1, 1, Kind::CallBegan(Box::new(call))),
        event(2, 2, Kind::CallEnded { call: CALL, ends }),
    ];
    for order in [[0, 1, 2], [1, 2, 0], [2, 1, 0], [2, 0, 1]] {
        let mut trace = Trace::default();
        for place in order {
            trace.apply(vec![told[place].clone()]);
        }
        let words = trace
            .markers()
            .iter()
            .map(|marker| trace.marker_words(marker));
        let words: Vec<_> = words.collect();
        assert_eq!(
            words,
            ["submit begins", "submit ends: BrokenThreadPool"],
            "{order:?}"
        );
    }
}

#[test]
fn stepping_visits_every_moment_forth_and_back() {
    let mut trace = Trace::default();
    trace.apply(small_map());
    let forth: Vec<u64> = std::iter::successors(Some(Time(0)), |&at| trace.moment_after(at))
        .map(|at| at.0)
        .collect();
    assert_eq!(forth, [0, 4, 9, 10]);
    let back: Vec<u64> = std::iter::successors(Some(Time(10)), |&at| trace.moment_before(at))
        .map(|at| at.0)
        .collect();
    assert_eq!(back, [10, 9, 4, 0]);
}

#[test]
fn a_trace_may_begin_anywhere() {
    let mut trace = Trace::default();
    trace.apply(small_map().split_off(9));
    assert_eq!(
        trace.call().map(|call| call.finished.entries().len()),
        Some(3)
    );
    assert_eq!(
        trace.lane(LaneId(1)).map(|lane| lane.pieces().len()),
        Some(1)
    );
}

#[test]
fn a_second_start_of_a_lost_task_changes_no_count() {
    let starts = |at| {
        let (task, cpu) = (task(0), None);
        event(at, 1, Kind::Started { task, cpu })
    };
    let tasks = Indexes::new(0, 2);
    let mut events = small_map();
    events.truncate(7);
    events.push(event(5, 0, Kind::Lost { call: CALL, tasks }));
    let mut trace = Trace::default();
    trace.apply(events);
    for at in [2, 3] {
        trace.apply(vec![starts(at)]);
        let queued = |at| trace.call().map(|call| call.queue_at(Time(at)));
        assert_eq!([1, 2, 3, 5].map(queued), [3, 2, 2, 1].map(Some));
        assert_eq!(trace.numbers(Time(9)).started, 1);
    }
}

#[test]
fn a_few_cpus_have_their_lanes_before_a_task_is_on_them() {
    let lanes = |cpu_ids: Vec<u16>| -> Vec<u16> {
        let mut events = small_map();
        if let Kind::RunBegan(run) = &mut events[0].kind {
            run.cpu_ids = cpu_ids.into_iter().map(CpuId).collect();
        }
        events.truncate(1);
        let mut trace = Trace::default();
        trace.apply(events);
        trace.cpus().iter().map(|lane| lane.cpu.0).collect()
    };
    assert_eq!(lanes(vec![0, 3]), [0, 3]);
    assert_eq!(lanes(vec![]), [0; 0]);
    assert_eq!(lanes((0..64).collect()), [0; 0]);
}

#[test]
fn what_is_told_twice_counts_once() {
    let (call, tasks) = (CALL, Indexes::new(0, 3));
    let again = |event: &Event| {
        !matches!(
            event.kind,
            Kind::Ran(_) | Kind::CallBegan(_) | Kind::LaneOpened(_) | Kind::CallEnded { .. }
        )
    };
    let (mut once, mut twice) = (Trace::default(), Trace::default());
    once.apply(small_map());
    twice.apply(small_map());
    twice.apply(small_map().into_iter().filter(again).collect());
    let more = [
        event(11, 0, Kind::Submitted { call, tasks }),
        event(12, 0, Kind::Ready { call, tasks }),
        event(12, 0, Kind::Delivered { call, tasks }),
    ];
    twice.apply(more.to_vec());
    for at in (0..13).map(Time) {
        assert_eq!(twice.counts(at), once.counts(at), "{at:?}");
        let (twice, once) = (twice.numbers(at), once.numbers(at));
        assert_eq!(
            (twice.submitted, twice.started),
            (once.submitted, once.started)
        );
        assert_eq!((twice.ready, twice.delivered), (once.ready, once.delivered));
        assert_eq!(
            (twice.messages, twice.queue_depth),
            (once.messages, once.queue_depth)
        );
        assert_eq!((twice.wait, twice.hold), (once.wait, once.hold));
    }
    assert_eq!(twice.call(), once.call());
}

#[test]
fn a_mean_follows_what_is_told_late_of_the_first_moment() {
    let count = 2_000;
    let all = Indexes::new(0, count);
    let mut facts = small_map();
    facts.truncate(5);
    if let Kind::CallBegan(call) = &mut facts[4].kind {
        call.tasks = Some(count);
    }
    let mut trace = Trace::default();
    trace.apply(facts);
    let told = |at: u64, lane: u32, kind: fn(TaskId) -> Kind| {
        let events = (0..count).map(|index| event(at, lane, kind(task(index))));
        events.collect::<Vec<Event>>()
    };
    trace.apply(told(0, 1, |task| Kind::Started { task, cpu: None }));
    trace.apply(vec![event(
        0,
        0,
        Kind::Ready {
            call: CALL,
            tasks: all,
        },
    )]);
    trace.apply(told(0, 1, |task| Kind::Finished {
        task,
        outcome: Outcome::Ok,
        cpu: None,
    }));
    trace.apply(vec![event(
        0,
        0,
        Kind::Submitted {
            call: CALL,
            tasks: all,
        },
    )]);
    let numbers = trace.numbers(Time(5));
    assert_eq!(
        (numbers.wait, numbers.hold),
        (Some(Nanos::ZERO), Some(Nanos::ZERO))
    );
    let call = trace
        .call()
        .map(|call| [call.waits_until(Time(5)), call.holds_until(Time(5))]);
    assert_eq!(
        call.map(|means| means.map(|mean| mean.count)),
        Some([count; 2])
    );
}

#[test]
fn very_many_notes_are_kept_up_to_a_limit_and_counted_beyond() {
    let note = |at: u64| {
        let note = crate::event::Note {
            kind: crate::event::NoteKind::ExitCode,
            pool: None,
            call: None,
            text: String::new(),
            value: 0,
        };
        event(at, 1, Kind::Noted(Box::new(note)))
    };
    let mut trace = Trace::default();
    trace.apply((0..10_050).map(note).collect());
    assert_eq!((trace.notes().len(), trace.dropped()), (10_000, 50));
}

#[test]
fn a_task_whose_caller_was_given_an_error_waits_for_no_worker() {
    let tasks = Indexes::one(2);
    let told = [
        event(0, 0, Kind::Submitted { call: CALL, tasks }),
        event(3, 0, Kind::Ready { call: CALL, tasks }),
    ];
    let start = event(
        2,
        1,
        Kind::Started {
            task: task(2),
            cpu: None,
        },
    );
    let mut trace = Trace::default();
    trace.apply(told.to_vec());
    let queue = |trace: &Trace, at| trace.numbers(Time(at)).queue_depth;
    assert_eq!((queue(&trace, 2), queue(&trace, 3)), (1, 0));
    // What is heard of late counts all the same, and once.
    trace.apply(vec![start]);
    assert_eq!(
        (queue(&trace, 1), queue(&trace, 2), queue(&trace, 3)),
        (1, 0, 0)
    );
}

#[test]
fn pools_are_counted_by_their_numbers_in_whatever_order_they_open() {
    let opened = |pool| {
        let facts = PoolOpened {
            pool: PoolId(pool),
            kind: "Pool".to_owned(),
            start_method: None,
            workers: None,
        };
        event(5, 0, Kind::PoolOpened(Box::new(facts)))
    };
    let trace = |pools: &[u32]| {
        let mut trace = Trace::default();
        for &pool in pools {
            trace.apply(vec![opened(pool)]);
        }
        trace
    };
    let one = trace(&[9, 2, 5]);
    let number = |pool| one.pool_number(PoolId(pool));
    assert_eq!([2, 5, 9, 7].map(number), [Some(1), Some(2), Some(3), None]);
    assert!(one == trace(&[2, 5, 9]));
    assert_eq!(
        one.pool(PoolId(5)).map(|pool| pool.facts.pool),
        Some(PoolId(5))
    );
    assert_eq!(one.pool(PoolId(7)), None);
}
