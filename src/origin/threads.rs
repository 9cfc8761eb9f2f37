//! A pool of threads of this process: real work, measured.
//!
//! ```text
//!   caller ──> (dispatcher) ──> queue ──> workers ──> desk ──> caller
//!      └──────────────┴───────────────────────┴── rings ──> hub ──> feed
//! ```
//!
//! The hub is the thread the run was started on. It owns all others: it starts them, replaces a worker
//! that died, carries what they tell to the feed, and joins them. It never waits for a reader while
//! threads run; what the feed does not take stays with it.
//!
//! Two signals stop things. `cancel` is the person's: the caller looks at it, and the hub passes it on.
//! `halt` stops tasks: on cancellation, when the executor gives up, and when the call can never complete.

#![expect(
    clippy::disallowed_methods,
    reason = "workers are threads, and what they do is measured"
)]

mod caller;
mod clock;
mod counter;
mod cpu_time;
pub(super) mod desk;
pub(super) mod dispatcher;
mod entry;
pub(super) mod hub;
mod queue;
/// Open for the benches, which measure it in place.
#[doc(hidden)]
pub mod recorder;
mod ring;
pub(super) mod task;
#[doc(hidden)]
pub mod work;
mod worker;

use super::{Cancel, Feed};
use crate::call::Collector;
use crate::event::{CallId, LaneId, PoolId};
use crate::experiment::{Backend, Experiment};
use crate::method::{Chunks, Delivery, Sends};
use crate::platform;
use crate::time::{Nanos, Time};
use crate::workload::{self, Work};
use crossbeam_channel::Sender;
use hub::{Hub, Threads};
use recorder::{Clock, HubMessage};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use work::{Pace, Token};

pub(super) const CALL: CallId = CallId(0);
const POOL: PoolId = PoolId(0);
const CALLER: LaneId = LaneId(0);

/// A task that waits says so this often, or all of them together would keep a CPU busy.
const WAITS_TELL_EVERY: Nanos = Nanos(20_000_000);

/// What all threads of a run share.
pub(super) struct Shared {
    pub(super) experiment: Experiment,
    pub(super) works: Vec<Work>,
    pub(super) chunks: Chunks,
    pub(super) delivery: Delivery,
    main_work: Nanos,
    pub(super) clock: Clock,
    pub(super) pace: Pace,
    queue: queue::Queue,
    pub(super) desk: desk::Desk,
    /// The person's wish to stop.
    cancel: Cancel,
    /// Stops all tasks.
    pub(super) halt: Cancel,
    /// The executor gave up.
    broken: AtomicBool,
    /// There where only one task computes at a time.
    token: Option<Arc<Token>>,
    is_loop: bool,
    pub(super) counter: AtomicU64,
    /// Increments that each row of workers has made of it.
    pub(super) effects: Vec<AtomicU64>,
    counter_lock: Mutex<()>,
    /// Nanoseconds that tasks have waited for that lock.
    pub(super) lock_wait: AtomicU64,
    pub(super) waits_tell_every: Nanos,
    hub: Sender<HubMessage>,
}

impl Shared {
    fn new(experiment: &Experiment, cancel: Cancel, hub: Sender<HubMessage>) -> Self {
        Clock::prepare();
        let works = workload::tasks(experiment);
        let costs: Vec<Nanos> = works.iter().map(|work| work.cost).collect();
        let (method, chunksize) = (experiment.method, experiment.real_chunksize());
        let workers = experiment.running_workers();
        let collector = Collector::new(method, experiment.tasks, chunksize);
        Self {
            experiment: experiment.clone(),
            chunks: collector.chunks(),
            delivery: method.rules().delivery,
            main_work: experiment.main_work_length(&costs, platform::usable_cpus()),
            works,
            pace: Pace::measured(),
            queue: queue::Queue::default(),
            desk: desk::Desk::new(collector, workers),
            cancel,
            halt: Cancel::default(),
            broken: AtomicBool::new(false),
            token: experiment.gil.then(Arc::default),
            is_loop: method.rules().sends == Sends::Nothing,
            counter: AtomicU64::new(0),
            effects: (0..workers).map(|_| AtomicU64::new(0)).collect(),
            counter_lock: Mutex::new(()),
            lock_wait: AtomicU64::new(0),
            waits_tell_every: Nanos(WAITS_TELL_EVERY.0 * u64::from(workers.div_ceil(16))),
            hub,
            // After all that takes its time. Other processes can only follow the system's clock.
            clock: if experiment.backend == Backend::Threads {
                Clock::start()
            } else {
                Clock::of_system()
            },
        }
    }

    /// A loop has no pool.
    pub(super) fn pool(&self) -> Option<PoolId> {
        (!self.is_loop).then_some(POOL)
    }

    pub(super) fn worker_name(&self, row: u32) -> String {
        if self.is_loop {
            "main".to_owned()
        } else {
            format!("worker {row}")
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// The executor gives up: all workers stop.
    pub(super) fn break_down(&self) {
        self.broken.store(true, Ordering::Release);
        self.stop_workers();
    }

    fn stop_workers(&self) {
        self.halt.cancel();
        self.queue.close();
    }

    pub(super) fn tell_hub(&self, message: HubMessage) {
        // The hub outlives every thread that has something to say.
        let _ = self.hub.send(message);
    }

    /// Where a call can never complete: waits for the moment at which such a run ends. True if it was
    /// cancelled before.
    fn wait_for_stop(&self) -> bool {
        let stop_at = Time(self.experiment.stop_at.0);
        self.cancel.wait_until(self.clock.instant(stop_at))
    }
}

/// Runs `experiment` and tells everything that happens in it.
pub(crate) fn feed(experiment: &Experiment, feed: &Feed) {
    Hub::new(experiment, feed, Threads).run();
}
