//! What happens at which moment: the end of a call, what main does, what is side by side and what is not.

use super::{UNIT, e8};
use parviz::event::{CallerState, Event};
use parviz::experiment::{CounterEffect, Experiment, MainWork};
use parviz::method::Method;
use parviz::origin::simulated;
use parviz::time::{Nanos, Time};
use parviz::trace::{Order, Trace};
use parviz::workload::Costs;

fn trace(experiment: &Experiment) -> Trace {
    let mut trace = Trace::default();
    trace.apply(simulated::run(experiment));
    trace
}

#[test]
fn a_call_ends_when_it_returns_and_not_with_main() {
    use Method::{Apply, ApplyAsync, Imap, ImapUnordered, Loop, Map, MapAsync};
    for (method, ends, done) in [
        (Map, 11, 17),
        (MapAsync, 11, 11),
        (Imap, 11, 11),
        (ImapUnordered, 11, 11),
        (Apply, 36, 42),
        (ApplyAsync, 11, 11),
        (Loop, 36, 42),
    ] {
        let trace = trace(&Experiment {
            main_work: MainWork::Fixed(Nanos(6 * UNIT)),
            ..e8(method)
        });
        let (ended, _) = trace.call().unwrap().ended.unwrap();
        assert_eq!(ended, Time(ends * UNIT), "{method:?}");
        let program_end = trace.numbers(trace.end()).program_end;
        assert_eq!(program_end, Some(Nanos(done * UNIT)), "{method:?}");
    }
}

#[test]
fn main_runs_the_tasks_of_a_loop_before_its_own_work() {
    let trace = trace(&Experiment {
        main_work: MainWork::Fixed(Nanos(6 * UNIT)),
        ..e8(Method::Loop)
    });
    let changes: Vec<_> = trace.caller().unwrap().changes().collect();
    let expected = [
        (Time::ZERO, CallerState::RunsTasks),
        (Time(36 * UNIT), CallerState::OwnWork),
        (Time(42 * UNIT), CallerState::Done),
    ];
    assert!(changes.ends_with(&expected), "{changes:?}");
}

fn indexes(order: &Order) -> Vec<u32> {
    order.entries().iter().map(|entry| entry.index).collect()
}

/// Pairs fail before they are entered, and all of them at the begin; tasks that cost nothing end there too.
#[test]
fn what_happens_at_one_moment_happens_as_it_was_submitted() {
    let pairs = Experiment {
        pairs: true,
        tasks: 24,
        costs: Costs::Const(Nanos(UNIT)),
        ..e8(Method::Map)
    };
    let nothing = Experiment {
        tasks: 1_000,
        costs: Costs::Const(Nanos::ZERO),
        ..e8(Method::ImapUnordered)
    };
    let alike = Experiment {
        tasks: 10,
        costs: Costs::List(
            [2, 1, 1, 1, 1, 2, 2, 1, 1, 1]
                .map(|cost| Nanos(cost * UNIT))
                .into(),
        ),
        workers: 3,
        ..e8(Method::ImapUnordered)
    };
    for experiment in [pairs, nothing] {
        let trace = trace(&experiment);
        let call = trace.call().unwrap();
        let submitted: Vec<u32> = (0..experiment.tasks).collect();
        assert_eq!(indexes(&call.finished), submitted);
        assert_eq!(call.finished.inversions_until(trace.end()), 0);
    }
    // Whoever takes results as they come takes them as they finished, also those of one moment.
    let trace = trace(&alike);
    let call = trace.call().unwrap();
    assert_eq!(indexes(&call.finished), indexes(&call.delivered));
}

#[test]
fn the_order_of_a_moment_does_not_depend_on_how_lanes_are_told() {
    let events = simulated::run(&Experiment {
        tasks: 200,
        costs: Costs::Const(Nanos::ZERO),
        workers: 7,
        ..e8(Method::ImapUnordered)
    });
    let whole = {
        let mut trace = Trace::default();
        trace.apply(events.clone());
        trace
    };
    let lanes = events.iter().map(|event| event.lane).max().unwrap().0;
    let mut lane_by_lane = Trace::default();
    for lane in (0..=lanes).rev() {
        let own = events.iter().filter(|event| event.lane.0 == lane);
        lane_by_lane.apply(own.cloned().collect::<Vec<Event>>());
    }
    assert!(whole == lane_by_lane);
}

#[test]
fn increments_are_lost_only_where_tasks_overlap() {
    let counters = |experiment: Experiment| {
        let trace = trace(&Experiment {
            effect: CounterEffect::Race,
            costs: Costs::Const(Nanos(5 * UNIT)),
            ..experiment
        });
        ["counter_main", "counter_min", "counter_max"]
            .map(|name| trace.sample(name, Time::NEVER).unwrap() as u64)
    };
    let (workers, tasks) = (4, 4);
    let one_at_a_time = |method| Experiment {
        workers,
        tasks,
        ..e8(method)
    };
    assert_eq!(counters(one_at_a_time(Method::Apply)), [12, 12, 12]);
    assert_eq!(counters(one_at_a_time(Method::Loop)), [12, 12, 12]);
    let slowly_sent = |dispatch| Experiment {
        dispatch: Nanos(dispatch * UNIT),
        ..one_at_a_time(Method::Map)
    };
    assert_eq!(counters(slowly_sent(10)), [12, 12, 12]);
    // Two by two at a time, and then all.
    assert_eq!(counters(slowly_sent(4))[1..], [2, 12]);
    assert_eq!(counters(slowly_sent(0))[1..], [2, 12]);
    let in_turn = Experiment {
        workers: 2,
        ..one_at_a_time(Method::Map)
    };
    // The second two begin when the first two have ended.
    assert_eq!(counters(in_turn)[1..], [4, 12]);
}
