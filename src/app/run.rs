//! A run as it is watched.

use crate::app::playback::Playback;
use crate::event::Ends;
use crate::experiment::{Backend, Experiment};
use crate::time::{Nanos, Time};
use crate::trace::{Numbers, Trace};

/// Runs are numbered in the order in which they were started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u32);

/// A run and how far it has been seen.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: RunId,
    pub experiment: Experiment,
    pub trace: Trace,
    pub playback: Playback,
    /// Everything that happened before this is in the trace. Never `NEVER`: see `over`.
    pub complete_to: Time,
    /// Told to its end.
    pub over: bool,
    /// What its tasks took in a plain loop that was watched before.
    pub serial_time: Option<Nanos>,
}

impl Run {
    pub(super) fn new(id: RunId, experiment: Experiment) -> Self {
        let playback = match experiment.backend {
            Backend::Threads => Playback::default(),
            Backend::Simulated => Playback::from_start(),
        };
        Self {
            id,
            experiment,
            trace: Trace::default(),
            playback,
            complete_to: Time::ZERO,
            over: false,
            serial_time: None,
        }
    }

    /// It ran to its own end and everything is known of it.
    pub fn is_whole(&self) -> bool {
        let ended = self.trace.ended();
        self.over && ended.is_some_and(|(_, ends)| ends != Ends::Cancelled)
    }

    /// The numbers as of `at`, with the serial time of a plain loop where one was watched.
    pub fn numbers(&self, at: Time) -> Numbers {
        let numbers = self.trace.numbers(at);
        match self.serial_time {
            Some(time) if numbers.makespan.is_some() => numbers.with_serial_time(Some(time)),
            _ => numbers,
        }
    }

    /// Where what is known of it ends: the last place for the cursor.
    pub fn end(&self) -> Time {
        if self.over {
            self.trace.end()
        } else {
            self.complete_to
        }
    }
}
