//! Which call of a program is shown: the latest at the cursor, before it the first, unless the person chose one.
//! The end of the program changes nothing in that: what is looked at stays.

use crate::app::App;
use crate::app::selection::Selection;
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
        let first = || trace.calls().next().map(|call| call.facts.call);
        let wanted = chosen
            .or_else(|| trace.latest_call(self.cursor()))
            .or_else(first);
        let shown = trace.call().map(|call| call.facts.call);
        if wanted.is_some() && wanted != shown {
            self.run.trace.show(wanted);
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
            let shown = trace.call().map(|call| call.facts.call);
            let follows = shown == trace.latest_call(self.cursor());
            self.chosen_call = shown.filter(|_| !follows);
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
        let Some(call) = next.and_then(|next| trace.call_at(next)) else {
            self.say("this is the first call");
            return;
        };
        let (id, began) = (call.facts.call, call.began);
        let end = last_of(call).max(began).min(self.run.end());
        self.chosen_call = Some(id);
        self.scrolled_to = None;
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
    let place = trace.calls_before(trace.call()?.facts.call)?;
    Some((place, trace.calls().len()))
}

/// The last moment at which something happened to a call.
fn last_of(call: &Call) -> Time {
    let orders = [&call.finished, &call.ready, &call.delivered, &call.started];
    let last = orders.iter().filter_map(|order| order.entries().last());
    let last = last.map(|entry| entry.at).max();
    let ended = call.ended.map(|(at, _)| at);
    last.max(ended).unwrap_or(call.began)
}
