//! What is known of a run, folded from its events.
use crate::event::Event;
use crate::time::Time;

/// Nothing yet.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    end: Time,
}

impl Trace {
    pub fn apply(&mut self, events: Vec<Event>) {
        for event in events {
            self.end = self.end.max(event.at);
        }
    }

    pub fn end(&self) -> Time {
        self.end
    }
}
