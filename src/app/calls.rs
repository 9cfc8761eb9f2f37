//! Which call of a program is shown: the latest at the cursor, at the end of the program the one with the most task
//! time, unless the person chose one.

use crate::app::App;
use crate::app::selection::{self, Selection};
use crate::event::TaskId;
use crate::time::{Span, Time};
use crate::trace::{Call, Task, Trace};

impl App {
    /// Shows the call that is to be shown now; after anything that may change which one that is.
    pub(super) fn follow_call(&mut self) {
        if self.run.program().is_none() {
            return;
        }
        let trace = &self.run.trace;
        let chosen = self.chosen_call.filter(|&id| trace.call_by(id).is_some());
        // At its end a program is seen whole: what it ended on may be the least of it.
        let is_whole = self.run.over && self.cursor() >= self.run.end();
        let largest = || trace.largest_call().filter(|_| is_whole);
        let wanted = chosen
            .or_else(largest)
            .or_else(|| trace.latest_call(self.cursor()));
        let shown = trace.call().map(|call| call.facts.call);
        if wanted.is_some() && wanted != shown {
            let pool = |trace: &Trace| trace.call().map(|call| call.facts.pool);
            let before = pool(&self.run.trace);
            self.run.trace.show(wanted);
            if pool(&self.run.trace) != before {
                self.first_lane = selection::first_of_shown(&self.run.trace);
            }
            let (cursor, large) = (self.cursor(), self.large);
            let chosen = self.selection.task;
            self.selection = chosen.map_or_else(Selection::default, |task| {
                Selection::task(&self.run.trace, large, task, cursor)
            });
            self.changed();
        }
    }

    /// Goes to the call after or before the one that is shown; behind the latest one follows again.
    pub(super) fn step_call(&mut self, forward: bool) {
        let trace = &self.run.trace;
        let Some((place, count)) = place_of_shown(trace) else {
            self.say("the program has made no call of a pool yet");
            return;
        };
        if forward && place + 1 == count && self.run.over {
            self.chosen_call = trace.call().map(|call| call.facts.call);
            self.say("this is the last call");
            return;
        }
        if forward && place + 1 == count {
            self.chosen_call = None;
            self.say("this is the latest call: the view follows");
            let cursor = self.cursor();
            self.viewport.follow(cursor);
            return;
        }
        let next = if forward {
            Some(place + 1)
        } else {
            place.checked_sub(1)
        };
        let Some(call) = next.and_then(|next| trace.calls().nth(next)) else {
            self.say("this is the first call");
            return;
        };
        let (id, began) = (call.facts.call, call.began);
        let end = last_of(call).max(began).min(self.run.end());
        self.chosen_call = Some(id);
        if self.cursor() < began {
            self.run.playback.stop_at(end);
        }
        self.viewport.focus(Span::new(began, end));
    }

    /// A task of whatever call.
    pub(super) fn task(&self, id: TaskId) -> Option<Task> {
        self.run.trace.call_by(id.call)?.task(id.index)
    }
}

/// The place of the shown call among all, from 0 on, and how many there are.
pub fn place_of_shown(trace: &Trace) -> Option<(usize, usize)> {
    let shown = trace.call()?.facts.call;
    let mut calls = trace.calls();
    let count = calls.len();
    let place = calls.position(|call| call.facts.call == shown)?;
    Some((place, count))
}

/// The last moment at which something happened to a call.
fn last_of(call: &Call) -> Time {
    let orders = [&call.finished, &call.ready, &call.delivered, &call.started];
    let last = orders.iter().filter_map(|order| order.entries().last());
    let last = last.map(|entry| entry.at).max();
    let ended = call.ended.map(|(at, _)| at);
    last.max(ended).unwrap_or(call.began)
}
