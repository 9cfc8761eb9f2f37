//! A pool in virtual time: exact, deterministic, with any number of workers and CPUs.

use super::Feed;
use crate::event::Event;
use crate::experiment::Experiment;
use crate::time::Time;

/// Events that are sent together.
const BATCH: usize = 4_096;

/// Everything that happens in a run of `experiment`, in the order of time.
pub fn run(_experiment: &Experiment) -> Vec<Event> {
    Vec::new()
}

/// Runs `experiment` and sends all of it.
pub(crate) fn feed(experiment: &Experiment, feed: &Feed) {
    let mut events = run(experiment).into_iter().peekable();
    loop {
        let batch: Vec<Event> = events.by_ref().take(BATCH).collect();
        let complete_to = events.peek().map_or(Time::NEVER, |next| next.at);
        feed.send(batch, complete_to);
        if complete_to == Time::NEVER || feed.cancel().is_cancelled() {
            return;
        }
    }
}
