//! What happens at which moment: what main does.

use super::{UNIT, e8};
use parviz::event::CallerState;
use parviz::experiment::{Experiment, MainWork};
use parviz::method::Method;
use parviz::origin::simulated;
use parviz::time::{Nanos, Time};
use parviz::trace::Trace;

fn trace(experiment: &Experiment) -> Trace {
    let mut trace = Trace::default();
    trace.apply(simulated::run(experiment));
    trace
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
