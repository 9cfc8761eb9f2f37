//! The run on the screen, and the threads of those before it.
//!
//! A run that is replaced is told to end and left to a thread that waits for it, so that starting
//! the next one never takes the time of a task.

#![expect(
    clippy::disallowed_methods,
    reason = "owns the thread that waits for old runs"
)]

use crate::app::RunId;
use crate::event::LaneId;
use crate::experiment::Experiment;
use crate::origin::{self, Batch, Running};
use crossbeam_channel::{Receiver, Sender, never, unbounded};
use std::io;
use std::thread::{self, JoinHandle};

pub(super) struct Runs {
    current: Option<(RunId, Running)>,
    batches: Receiver<Batch>,
    old: Sender<Running>,
    waiter: JoinHandle<()>,
}

impl Runs {
    pub(super) fn new() -> io::Result<Self> {
        let (old, ending) = unbounded::<Running>();
        let waiter = thread::Builder::new()
            .name("old runs".into())
            .spawn(move || ending.into_iter().for_each(Running::join))?;
        Ok(Self {
            current: None,
            batches: never(),
            old,
            waiter,
        })
    }

    /// Opens a run in the place of the current one. Waits for neither.
    pub(super) fn start(&mut self, run: RunId, experiment: &Experiment) -> io::Result<()> {
        self.retire();
        self.adopt(run, origin::start(experiment)?);
        Ok(())
    }

    /// Takes a run that was started as the current one.
    pub(super) fn adopt(&mut self, run: RunId, running: Running) {
        self.retire();
        self.batches = running.batches.clone();
        self.current = Some((run, running));
    }

    /// Kills a worker of this run, if it is still the current one.
    pub(super) fn kill(&self, run: RunId, lane: LaneId) {
        if let Some((current, running)) = &self.current
            && *current == run
        {
            running.kill(lane);
        }
    }

    /// The one that is under way.
    pub(super) fn running(&self) -> Option<&Running> {
        self.current.as_ref().map(|(_, running)| running)
    }

    fn retire(&mut self) {
        self.batches = never();
        if let Some((_, running)) = self.current.take() {
            running.cancel();
            // The waiter lives as long as this value.
            let _ = self.old.send(running);
        }
    }

    pub(super) fn current(&self) -> Option<RunId> {
        self.current.as_ref().map(|(run, _)| *run)
    }

    pub(super) fn batches(&self) -> &Receiver<Batch> {
        &self.batches
    }

    /// All of the current run has been told.
    pub(super) fn is_over(&mut self) {
        self.retire();
    }

    /// Ends every run and waits for their threads.
    pub(super) fn finish(mut self) {
        self.retire();
        drop(self.old);
        let _ = self.waiter.join();
    }
}
