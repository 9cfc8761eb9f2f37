//! What a result that was ready waited for until main had it, in words.

use crate::event::{BlockedIn, CallerState};
use crate::time::{Nanos, Span, Time};
use crate::trace::{Call, Task, Trace};

/// What main did most of the time while a result was there for it. It wakes up in the call that takes the result, if
/// it was blocked in that; who takes results one by one may have waited for another.
pub(super) fn until(trace: &Trace, call: &Call, task: &Task, cursor: Time) -> [&'static str; 2] {
    let busy = ["main was busy", "main busy"];
    let until = task.delivered.min(cursor);
    let caller = trace.caller_of(call.caller);
    let Some(caller) = caller.filter(|_| task.ready < until) else {
        return busy;
    };
    let span = Span::new(task.ready, until);
    let half = Nanos(span.length().0 / 2);
    let kind = trace.call_kind(call);
    let takes_it = |state| match state {
        CallerState::Blocked(BlockedIn::Next) => kind.gives_iterator(),
        CallerState::Blocked(BlockedIn::Map | BlockedIn::Starmap | BlockedIn::Get) => {
            kind.gives_list()
        }
        _ => false,
    };
    let first = caller.states_in(span).next();
    if first
        .is_some_and(|(stretch, state)| takes_it(state) && stretch.end().since(task.ready) > half)
    {
        ["main wakes up", "wakes up"]
    } else if caller.blocked_in(span) > half {
        ["main was blocked", "blocked"]
    } else {
        busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallBegan, CallId, Event, Indexes, Kind, LaneId};
    use crate::method::Method;

    #[test]
    fn main_that_was_blocked_was_not_busy() {
        let said = |method: Method, states: &[(u64, CallerState)]| {
            let call = CallId(0);
            let (lane, tasks) = (LaneId(0), Indexes::one(0));
            let began = CallBegan {
                call,
                pool: None,
                method: method.name().to_owned(),
                function: "f".to_owned(),
                source: None,
                tasks: Some(1),
                chunksize: Some(1),
            };
            let mut told = vec![(0, Kind::CallBegan(Box::new(began)))];
            told.extend(
                states
                    .iter()
                    .map(|&(at, state)| (at, Kind::Caller { state })),
            );
            told.push((10, Kind::Ready { call, tasks }));
            told.push((20, Kind::Delivered { call, tasks }));
            told.sort_by_key(|told| told.0);
            let event = |(at, kind)| {
                let at = Time(at);
                Event { at, lane, kind }
            };
            let mut trace = Trace::default();
            trace.apply(told.into_iter().map(event).collect());
            let call = trace.call().unwrap();
            until(&trace, call, &call.task(0).unwrap(), trace.end())[0]
        };
        let (busy, next) = (CallerState::OwnWork, CallerState::Blocked(BlockedIn::Next));
        let get = CallerState::Blocked(BlockedIn::Get);
        let method = Method::ImapUnordered;
        assert_eq!(said(method, &[(5, next), (20, busy)]), "main wakes up");
        assert_eq!(said(method, &[(5, next), (18, busy)]), "main wakes up");
        assert_eq!(said(method, &[(5, busy), (19, next)]), "main was busy");
        assert_eq!(said(method, &[(5, get), (18, busy)]), "main was blocked");
        assert_eq!(
            said(Method::ApplyAsync, &[(5, get), (20, busy)]),
            "main was blocked"
        );
        assert_eq!(said(method, &[]), "main was busy");
    }
}
