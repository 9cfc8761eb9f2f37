//! The main program of a run on threads, and the counter that it finds at the end.

use super::{MICROSECOND, ends, experiment, trace, with_faults};
use parviz::event::Ends;
use parviz::experiment::CounterEffect;
use parviz::method::Method;
use parviz::time::Time;

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
