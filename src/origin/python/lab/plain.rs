//! A plain loop: a call without a pool, of which the script itself tells.

use super::{CALL, HANDS, main};
use crate::event::{
    CallBegan, CallerState, Event, Indexes, Kind, LaneKind, LaneOpened, Outcome, Raised, TaskId,
};
use crate::method::Method;
use crate::time::Time;

/// The call begins, in the process with this pid.
pub(super) fn begins(pid: u32, tasks: u32, at: Time) -> Vec<Event> {
    let hands = LaneOpened {
        kind: LaneKind::Worker,
        pool: None,
        name: "main".to_owned(),
        pid: Some(pid),
        tid: None,
    };
    let call = CallBegan {
        call: CALL,
        pool: None,
        method: Method::Loop.name().to_owned(),
        function: "f".to_owned(),
        source: None,
        tasks: Some(tasks),
        chunksize: Some(1),
    };
    let hands = Event {
        at,
        lane: HANDS,
        kind: Kind::LaneOpened(Box::new(hands)),
    };
    let state = CallerState::RunsTasks;
    let call = Kind::CallBegan(Box::new(call));
    vec![hands, main(at, call), main(at, Kind::Caller { state })]
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
    if ok {
        events.push(main(at, Kind::Ready { call: CALL, tasks }));
        events.push(main(at, Kind::Delivered { call: CALL, tasks }));
    }
    events
}
