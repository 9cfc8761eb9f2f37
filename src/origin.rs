//! Where events come from, and the channel they come through.
//!
//! An origin only reports: from threads of its own it sends what happens in batches through a bounded
//! channel, and never waits for the screen. Dropping the [`Running`] of a run cancels it.
#![expect(
    clippy::disallowed_methods,
    reason = "every run has a thread of its own, owned by its `Running`"
)]

#[cfg(target_os = "linux")]
pub mod processes;
pub mod python;
pub mod simulated;
pub mod threads;

use crate::event::{Event, LaneId};
use crate::experiment::{Backend, Experiment};
use crate::time::Time;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// Batches that may wait for a slow reader before the origin has to wait.
const WAITING_BATCHES: usize = 64;

/// Wishes to kill a worker that may wait for the origin.
const WAITING_KILLS: usize = 16;

/// Events that arrive together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub events: Vec<Event>,
    /// The origin has told everything that happened before this moment. [`Time::NEVER`]: the run is over
    /// and told whole.
    pub complete_to: Time,
}

/// Tells an origin to stop; cheap to clone and to ask, and what waits for something else can wait for
/// this as well.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<Signal>);

#[derive(Debug)]
struct Signal {
    raised: AtomicBool,
    /// Dropped on cancellation, which closes the channel: that wakes everybody who waits.
    open: Mutex<Option<Sender<Infallible>>>,
    closed: Receiver<Infallible>,
}

impl Default for Cancel {
    fn default() -> Self {
        let (open, closed) = crossbeam_channel::bounded(0);
        Self(Arc::new(Signal {
            raised: AtomicBool::new(false),
            open: Mutex::new(Some(open)),
            closed,
        }))
    }
}

impl Cancel {
    pub fn cancel(&self) {
        self.0.raised.store(true, Ordering::Release);
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(open.take());
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.raised.load(Ordering::Acquire)
    }

    /// Carries nothing; closes on cancellation.
    pub(crate) fn closed(&self) -> &Receiver<Infallible> {
        &self.0.closed
    }

    /// Waits until `deadline` or cancellation; true if it was cancelled.
    pub(crate) fn wait_until(&self, deadline: Instant) -> bool {
        self.0.closed.recv_deadline(deadline) == Err(RecvTimeoutError::Disconnected)
    }
}

/// The end an origin sends into.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    batches: Sender<Batch>,
    cancel: Cancel,
    kills: Receiver<LaneId>,
}

impl Feed {
    /// Waits while the channel is full: nothing is lost. If nobody listens any more, this does nothing.
    pub(crate) fn send(&self, events: Vec<Event>, complete_to: Time) {
        // The reader has gone, and with it the need for the events.
        let _ = self.batches.send(Batch {
            events,
            complete_to,
        });
    }

    /// Sends a batch if there is room for it, and gives it back if there is none.
    pub(crate) fn offer(&self, batch: Batch) -> Result<(), Batch> {
        match self.batches.try_send(batch) {
            // The reader has gone, and with it the need for the events.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(()),
            Err(TrySendError::Full(batch)) => Err(batch),
        }
    }

    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Workers that the person wants to die.
    pub(crate) fn kills(&self) -> &Receiver<LaneId> {
        &self.kills
    }
}

/// What of the system an experiment needs and does not find; one line that says what to do.
pub fn check(experiment: &Experiment) -> Result<(), String> {
    match experiment.backend {
        Backend::Python => {
            let checked = python::lab::program::of(experiment).check();
            checked.map_err(|wrong| wrong.to_string())
        }
        _ => Ok(()),
    }
}

/// Starts a run of `experiment`, which has passed its [`Experiment::check`]. Fails only if the system
/// refuses another thread.
pub fn start(experiment: &Experiment) -> io::Result<Running> {
    start_with(experiment, None)
}

/// The same where this program is not parviz: workers that are processes run `parviz` then.
pub fn start_with(experiment: &Experiment, parviz: Option<&Path>) -> io::Result<Running> {
    let parviz = parviz.map(Path::to_owned);
    let (sender, batches) = crossbeam_channel::bounded(WAITING_BATCHES);
    let cancel = Cancel::default();
    let (killer, kills) = crossbeam_channel::bounded(WAITING_KILLS);
    let feed = Feed {
        batches: sender,
        cancel: cancel.clone(),
        kills,
    };
    let experiment = experiment.clone();
    let thread =
        std::thread::Builder::new()
            .name("run".to_owned())
            .spawn(move || match experiment.backend {
                Backend::Simulated => simulated::feed(&experiment, &feed),
                Backend::Threads => threads::feed(&experiment, &feed),
                Backend::Python => python::lab::feed(&experiment, &feed),
                #[cfg(target_os = "linux")]
                Backend::Processes => processes::feed(&experiment, &feed, parviz.as_deref()),
                // Nothing asks for it: it is a contradiction there.
                #[cfg(not(target_os = "linux"))]
                Backend::Processes => drop(parviz),
            })?;
    Ok(Running {
        batches,
        cancel,
        killer,
        thread: Some(thread),
    })
}

/// A run under way.
#[derive(Debug)]
pub struct Running {
    /// Closes after the batch with `complete_to == NEVER`.
    pub batches: Receiver<Batch>,
    cancel: Cancel,
    killer: Sender<LaneId>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Asks the run to end. It does so within a millisecond or two; what was under way is told as
    /// cancelled. Does not wait.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Kills the worker of this lane where workers are processes; elsewhere nothing happens. Does not wait.
    pub fn kill(&self, lane: LaneId) {
        // Where nobody reads this there is nothing to kill, and a worker dies once.
        let _ = self.killer.try_send(lane);
    }

    /// Waits until every thread of the run has ended. Cancel it first, or it may take as long as the run.
    pub fn join(mut self) {
        // Nobody reads the rest: an origin that finds its channel closed goes on without sending.
        self.batches = crossbeam_channel::never();
        if let Some(thread) = self.thread.take() {
            // A panic there was told through the panic hook; there is nothing left to report it to.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
