//! A run as it is watched.

use crate::app::playback::Playback;
use crate::event::Ends;
use crate::experiment::{Backend, Experiment};
use crate::time::Time;
use crate::trace::Trace;

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
        }
    }

    /// It ran to its own end and everything is known of it.
    pub fn is_whole(&self) -> bool {
        let ended = self.trace.ended();
        self.over && ended.is_some_and(|(_, ends)| ends != Ends::Cancelled)
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
