//! What happens at which moment: the end of a call, and what main does.

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
