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

    /// Cancels the current one.
    pub(super) fn retire(&mut self) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{App, Effect, Message, Settings};
    use crate::event::{Event, Kind};
    use crate::experiment::{Backend, WorkKind};
    use crate::method::Method;
    use crate::time::{Nanos, Time};
    use crate::trace::Trace;
    use crate::workload::Costs;
    use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
    use std::time::Duration;

    fn started(trace: &Trace) -> usize {
        trace
            .call()
            .map_or(0, |call| call.started.count_until(Time::NEVER))
    }

    fn perform(runs: &mut Runs, effect: Option<Effect>) {
        match effect {
            Some(Effect::Start { run, experiment }) => runs.start(run, &experiment).unwrap(),
            other => panic!("no start: {other:?}"),
        }
    }

    /// Takes what the current run tells until its tasks run on every worker.
    fn until_all_run(app: &mut App, runs: &Runs) {
        while started(&app.run.trace) < 4 {
            let batch = runs.batches().recv_timeout(Duration::from_secs(180));
            let batch = batch.expect("tasks begin on every worker");
            let message = Message::Batch {
                run: runs.current().unwrap(),
                events: batch.events,
                complete_to: batch.complete_to,
            };
            app.update(message);
        }
    }

    /// The tasks take longer than anybody waits.
    #[test]
    fn after_a_switch_the_new_tasks_run_before_any_old_one_has_ended() {
        for kind in [WorkKind::Io, WorkKind::Cpu] {
            let experiment = Experiment {
                backend: Backend::Threads,
                kind,
                tasks: 8,
                workers: 4,
                chunksize: Some(1),
                costs: Costs::Const(Nanos(600 * Nanos::SECOND.0)),
                ..Experiment::default()
            };
            let mut app = App::new(experiment, Settings::default());
            let mut runs = Runs::new().unwrap();
            let opening = app.opening();
            perform(&mut runs, Some(opening));
            until_all_run(&mut app, &runs);
            let old = runs.batches().clone();
            let key = KeyEvent::new(KeyCode::Char('s'), KeyModifiers::NONE);
            let effect = app.update(Message::Input(Input::Key(key)));
            perform(&mut runs, effect);
            until_all_run(&mut app, &runs);
            assert_eq!(app.run.experiment().unwrap().method, Method::MapAsync);
            let before = app.previous.as_ref().unwrap();
            assert_eq!(started(&before.trace), 4);
            let ended = before
                .trace
                .call()
                .unwrap()
                .finished
                .count_until(Time::NEVER);
            assert_eq!(ended, 0);
            runs.finish();
            let mut rest = old.iter().flat_map(|batch| batch.events);
            assert!(!rest.any(|event: Event| matches!(event.kind, Kind::Finished { .. })));
        }
    }
}
