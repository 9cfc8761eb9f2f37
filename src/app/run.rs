//! A run as it is watched.

use crate::app::playback::{Pace, Playback, Speed};
use crate::app::watched::Watched;
use crate::event::Ends;
use crate::experiment::{Backend, Experiment};
use crate::time::Time;
use crate::trace::Trace;

/// Runs are numbered in the order in which they were started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u32);

/// What a run is of.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The lab's own: keys change it and start the next one.
    Experiment(Box<Experiment>),
    /// Somebody else's, started once: keys look at it, and at its end decide about it.
    Program(Box<Watched>),
}

/// A run and how far it has been seen.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: RunId,
    pub subject: Subject,
    pub trace: Trace,
    pub playback: Playback,
    /// Everything that happened before this is in the trace. Never `NEVER`: see `over`.
    pub complete_to: Time,
    /// Told to its end.
    pub over: bool,
}

impl Run {
    pub(super) fn of_experiment(id: RunId, experiment: Experiment) -> Self {
        let mut run = Self::new(id, Subject::Experiment(Box::new(experiment)));
        if run.is_computed() {
            run.playback = Playback::from_start();
        }
        run
    }

    pub(super) fn of_program(id: RunId, program: Watched) -> Self {
        Self::new(id, Subject::Program(Box::new(program)))
    }

    fn new(id: RunId, subject: Subject) -> Self {
        Self {
            id,
            subject,
            trace: Trace::default(),
            playback: Playback::default(),
            complete_to: Time::ZERO,
            over: false,
        }
    }

    pub fn experiment(&self) -> Option<&Experiment> {
        match &self.subject {
            Subject::Experiment(experiment) => Some(experiment),
            Subject::Program(_) => None,
        }
    }

    pub fn program(&self) -> Option<&Watched> {
        match &self.subject {
            Subject::Program(program) => Some(program),
            Subject::Experiment(_) => None,
        }
    }

    /// It is of the same experiment as the other one.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.experiment() == other.experiment()
    }

    /// It is computed faster than it is played: there is no now to catch up with.
    pub(super) fn is_computed(&self) -> bool {
        let simulated = |experiment: &Experiment| experiment.backend == Backend::Simulated;
        self.experiment().is_some_and(simulated)
    }

    /// Ctrl-Z stops its tasks too: they are of this process, or of its job.
    pub(super) fn stops_with_us(&self) -> bool {
        self.experiment()
            .is_some_and(|experiment| match experiment.backend {
                Backend::Threads | Backend::Processes => true,
                Backend::Simulated | Backend::Python => false,
            })
    }

    /// How fast its cursor moves, or would if it did.
    pub fn speed(&self) -> Speed {
        if self.playback.pace == Pace::Live && !self.over {
            Speed::default()
        } else {
            self.playback.speed
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
