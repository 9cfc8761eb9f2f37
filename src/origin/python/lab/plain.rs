//! A plain loop: a call without a pool, of which the script itself tells.

use super::{CALL, HANDS, main};
use crate::event::{
    CallBegan, CallerState, Ends, Event, Indexes, Kind, LaneKind, LaneOpened, Note, Outcome,
    Raised, Ran, TaskId,
};
use crate::method::Method;
use crate::time::{Nanos, Time};

/// The call begins, in the process with this pid.
pub(super) fn begins(pid: u32, tasks: u32, at: Time) -> Vec<Event> {
    let hands = LaneOpened {
        kind: LaneKind::Worker,
        pool: None,
        name: "main".to_owned(),
        pid: Some(pid),
        tid: None,
    };
    let hands = Event {
        at,
        lane: HANDS,
        kind: Kind::LaneOpened(Box::new(hands)),
    };
    let state = CallerState::RunsTasks;
    let call = call(Method::Loop, tasks);
    vec![hands, main(at, call), main(at, Kind::Caller { state })]
}

/// A call without tasks, of whatever method.
pub(super) fn nothing(method: Method, at: Time) -> [Event; 2] {
    let ends = Ends::Returned;
    let ended = Kind::CallEnded { call: CALL, ends };
    [main(at, call(method, 0)), main(at, ended)]
}

fn call(method: Method, tasks: u32) -> Kind {
    Kind::CallBegan(Box::new(CallBegan {
        call: CALL,
        pool: None,
        method: method.name().to_owned(),
        function: "f".to_owned(),
        source: None,
        tasks: Some(tasks),
        chunksize: Some(1),
    }))
}

/// One task of a plain loop starts: it was not submitted before.
pub(super) fn starts(task: TaskId, at: Time) -> Vec<Event> {
    let tasks = Indexes::one(task.index);
    let started = Event {
        at,
        lane: HANDS,
        kind: Kind::Started { task, cpu: None },
    };
    vec![main(at, Kind::Submitted { call: CALL, tasks }), started]
}

/// How one task of a plain loop spent its time: on a CPU and waiting for one. `None` where the latter is not known.
pub(super) fn ran(task: TaskId, since: Time, at: Time, took: &[u64]) -> Option<Event> {
    let &[on_cpu, waiting] = took else {
        return None;
    };
    let ran = Ran {
        task,
        since,
        on_cpu: Nanos(on_cpu),
        waiting: Nanos(waiting),
        useful_wait: Nanos::ZERO,
        cpu: None,
        moved_to: None,
    };
    Some(Event {
        at,
        lane: HANDS,
        kind: Kind::Ran(Box::new(ran)),
    })
}

/// One task of a plain loop ends: its value is there at once.
pub(super) fn ends(task: TaskId, at: Time, error: Option<String>) -> Vec<Event> {
    let outcome = match error {
        Some(_) => Outcome::Failed,
        None => Outcome::Ok,
    };
    let ok = error.is_none();
    let raised = error.map(|error| Kind::Raised(Box::new(Raised { task, error })));
    let finished = Kind::Finished {
        task,
        outcome,
        cpu: None,
    };
    let mut events: Vec<Event> = raised
        .into_iter()
        .chain([finished])
        .map(|kind| Event {
            at,
            lane: HANDS,
            kind,
        })
        .collect();
    let tasks = Indexes::one(task.index);
    events.push(main(at, Kind::Ready { call: CALL, tasks }));
    events.push(main(
        at,
        if ok {
            Kind::Delivered { call: CALL, tasks }
        } else {
            Kind::Noted(Box::new(Note::error_taken(CALL, None, task.index)))
        },
    ));
    events
}
