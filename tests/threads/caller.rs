//! The main program of a run on threads, and the counter that it finds at the end.

use super::{MICROSECOND, MILLISECOND, ends, experiment, trace, with_faults};
use parviz::event::{CallerState, Ends};
use parviz::experiment::{CounterEffect, FaultKind, MainWork};
use parviz::method::Method;
use parviz::time::{Nanos, Time};

/// A call that never completes keeps main waiting, and has no end.
#[test]
fn main_waits_for_ever_for_what_never_comes() {
    for kind in [FaultKind::Die, FaultKind::Hang] {
        for method in Method::ALL {
            if method == Method::Loop && kind == FaultKind::Die {
                continue;
            }
            let trace = trace(&with_faults(method, &[(3, kind)]));
            let state = trace.caller().unwrap().state_at(trace.end());
            let waits = method.rules().blocked_in.map(CallerState::Blocked);
            assert_eq!(
                state,
                Some(waits.unwrap_or(CallerState::RunsTasks)),
                "{method:?}"
            );
            assert_eq!(trace.call().unwrap().ended, None);
            assert_eq!(trace.numbers(trace.end()).program_end, None);
        }
    }
}

#[test]
fn a_call_ends_before_main_does_its_own_work_if_it_blocks() {
    for method in Method::ALL {
        let mut experiment = experiment(method, &[200 * MICROSECOND; 4]);
        experiment.main_work = MainWork::Fixed(Nanos(2 * MILLISECOND));
        let trace = trace(&experiment);
        let (ended, ends) = trace.call().unwrap().ended.unwrap();
        assert_eq!(ends, Ends::Returned);
        let mut states = trace.caller().unwrap().changes();
        let works = states
            .find(|change| change.1 == CallerState::OwnWork)
            .unwrap()
            .0;
        assert_eq!(works >= ended, method.rules().blocks, "{method:?}");
    }
}

#[test]
fn one_task_at_a_time_loses_no_increment() {
    let mut experiment = with_faults(Method::Apply, &[]);
    experiment.effect = CounterEffect::Race;
    let trace = trace(&experiment);
    for name in ["counter_main", "counter_min", "counter_max"] {
        assert_eq!(trace.sample(name, Time::NEVER), Some(18.0), "{name}");
    }
}

#[test]
fn a_loop_runs_on_the_main_program() {
    let trace = trace(&experiment(Method::Loop, &[300 * MICROSECOND; 4]));
    assert_eq!(ends(&trace), Ends::Returned);
    let names: Vec<_> = trace.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["main"]);
    assert_eq!(trace.numbers(Time::NEVER).delivered, 4);
}

#[test]
fn increments_under_a_lock_are_never_lost() {
    let mut experiment = with_faults(Method::Map, &[]);
    experiment.effect = CounterEffect::Race;
    experiment.lock = true;
    experiment.increments = 50;
    let trace = trace(&experiment);
    assert_eq!(trace.sample("counter_main", Time::NEVER), Some(300.0));
}
