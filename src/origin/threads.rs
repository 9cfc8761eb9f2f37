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
mod desk;
mod dispatcher;
mod queue;
/// Open for the benches, which measure it in place.
#[doc(hidden)]
pub mod recorder;
mod task;
#[doc(hidden)]
pub mod work;
mod worker;

use super::simulated::race;
use super::{Batch, Cancel, Feed};
use crate::call::Collector;
use crate::event::{CallId, Ended, Ends, Event, Indexes, Kind, LaneId, PoolId, Sample};
use crate::experiment::{CounterEffect, Experiment};
use crate::method::{Delivery, Sends, chunks};
use crate::time::{Nanos, Time};
use crate::workload::{self, Work};
use crossbeam_channel::{Receiver, Sender};
use recorder::{Clock, Note, Recorder, Reel};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use work::{Pace, Token};

const CALL: CallId = CallId(0);
const POOL: PoolId = PoolId(0);
const CALLER: LaneId = LaneId(0);

/// How often the hub carries events to the feed; faster than frames follow one another.
const CARRIES_EVERY: Duration = Duration::from_millis(8);
/// Events all rings together have room for.
const ROOM: usize = 1 << 17;
/// A task that waits says so this often, or all of them together would keep a CPU busy.
const WAITS_TELL_EVERY: Nanos = Nanos(20_000_000);

/// What all threads of a run share.
struct Shared {
    experiment: Experiment,
    works: Vec<Work>,
    chunks: Vec<Indexes>,
    delivery: Delivery,
    main_work: Nanos,
    clock: Clock,
    pace: Pace,
    queue: queue::Queue,
    desk: desk::Desk,
    /// The person's wish to stop.
    cancel: Cancel,
    /// Stops all tasks.
    halt: Cancel,
    /// The executor gave up.
    broken: AtomicBool,
    /// There where only one task computes at a time.
    token: Option<Arc<Token>>,
    is_loop: bool,
    counter: AtomicU64,
    /// Increments that each row of workers has made of it.
    effects: Vec<AtomicU64>,
    counter_lock: Mutex<()>,
    /// Nanoseconds that tasks have waited for that lock.
    lock_wait: AtomicU64,
    waits_tell_every: Nanos,
    hub: Sender<Note>,
}

impl Shared {
    fn new(experiment: &Experiment, cancel: Cancel, hub: Sender<Note>) -> Self {
        let works = workload::tasks(experiment);
        let costs: Vec<Nanos> = works.iter().map(|work| work.cost).collect();
        let (method, chunksize) = (experiment.method, experiment.real_chunksize());
        let workers = experiment.running_workers();
        Self {
            experiment: experiment.clone(),
            chunks: chunks(experiment.tasks, chunksize).collect(),
            delivery: method.rules().delivery,
            main_work: experiment.main_work_length(&costs),
            works,
            pace: Pace::measured(),
            clock: Clock::start(),
            queue: queue::Queue::default(),
            desk: desk::Desk::new(Collector::new(method, experiment.tasks, chunksize), workers),
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
        }
    }

    /// A loop has no pool.
    fn pool(&self) -> Option<PoolId> {
        (!self.is_loop).then_some(POOL)
    }

    fn worker_name(&self, row: u32) -> String {
        if self.is_loop {
            "main".to_owned()
        } else {
            format!("worker {row}")
        }
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// The executor gives up: all workers stop.
    fn break_down(&self) {
        self.broken.store(true, Ordering::Release);
        self.stop_workers();
    }

    fn stop_workers(&self) {
        self.halt.cancel();
        self.queue.close();
    }

    fn note(&self, note: Note) {
        // The hub outlives every thread that has something to say.
        let _ = self.hub.send(note);
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
    let lanes = experiment.running_workers() as usize + 2;
    let (hub, notes) = crossbeam_channel::bounded(lanes + 16);
    let shared = Arc::new(Shared::new(experiment, feed.cancel().clone(), hub));
    Hub {
        feed,
        room: (ROOM / lanes).clamp(512, 16_384),
        shared,
        notes,
        reels: Vec::with_capacity(lanes),
        threads: Vec::with_capacity(lanes),
        lanes: 0,
        backlog: VecDeque::new(),
        ends: None,
        told: Vec::new(),
    }
    .run();
}

struct Hub<'a> {
    feed: &'a Feed,
    /// Events a ring has room for.
    room: usize,
    shared: Arc<Shared>,
    notes: Receiver<Note>,
    reels: Vec<Reel>,
    threads: Vec<JoinHandle<()>>,
    /// Lanes opened so far.
    lanes: u32,
    /// What the feed had no room for.
    backlog: VecDeque<Batch>,
    ends: Option<Ends>,
    /// Events of its own, not sent yet.
    told: Vec<Event>,
}

impl Hub<'_> {
    fn run(mut self) {
        if let Err(error) = self.start() {
            self.tell(Kind::Marked(Box::new(format!(
                "the system refuses another thread: {error}"
            ))));
            self.ends = Some(Ends::Error);
            self.shared.stop_workers();
        }
        let mut cancelled = self.shared.cancel.closed().clone();
        while !self.reels.is_empty() {
            crossbeam_channel::select! {
                recv(self.notes) -> note => {
                    if let Ok(note) = note {
                        self.hear(note);
                    }
                }
                recv(cancelled) -> _ => {
                    cancelled = crossbeam_channel::never();
                    self.shared.stop_workers();
                    self.shared.desk.wake();
                }
                default(CARRIES_EVERY) => {}
            }
            while let Ok(note) = self.notes.try_recv() {
                self.hear(note);
            }
            self.give_up_waiting();
            self.carry();
        }
        self.end();
    }

    /// Starts all threads. Lanes are numbered from the caller's on.
    fn start(&mut self) -> io::Result<()> {
        let main = self.lane();
        let dispatched = self.shared.experiment.dispatch > Nanos::ZERO && !self.shared.is_loop;
        let sending = if dispatched {
            let (orders, taken) = crossbeam_channel::bounded(1);
            let recorder = self.lane();
            let shared = self.shared.clone();
            self.spawn("dispatcher".to_owned(), move || {
                dispatcher::dispatch(&shared, recorder, &taken);
            })?;
            dispatcher::Sending::Dispatched(orders)
        } else {
            dispatcher::Sending::Direct
        };
        let mut hands = None;
        if self.shared.is_loop {
            hands = Some(self.lane());
        } else {
            for row in 0..self.shared.experiment.workers {
                self.start_worker(row, Some(Time::ZERO))?;
            }
        }
        let shared = self.shared.clone();
        self.spawn("main".to_owned(), move || {
            caller::MainProgram::run(&shared, main, sending, hands);
        })
    }

    /// Starts a worker. Those the pool begins with have been there since then, whenever their threads
    /// come to life; `None`: the lane opens when it does.
    fn start_worker(&mut self, row: u32, opens: Option<Time>) -> io::Result<()> {
        let recorder = self.lane();
        let shared = self.shared.clone();
        self.spawn(self.shared.worker_name(row), move || {
            let at = opens.unwrap_or_else(|| recorder.now());
            let mut worker = worker::Worker::open(shared, recorder, row, at);
            if opens.is_some() {
                worker.start_up();
            }
            worker.work();
        })
    }

    fn lane(&mut self) -> Recorder {
        let lane = LaneId(self.lanes);
        self.lanes += 1;
        let (recorder, reel) = recorder::lane(lane, self.room, self.shared.clock, &self.shared.hub);
        self.reels.push(reel);
        recorder
    }

    fn spawn(&mut self, name: String, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = std::thread::Builder::new().name(name).spawn(body)?;
        self.threads.push(thread);
        Ok(())
    }

    fn hear(&mut self, note: Note) {
        match note {
            Note::Look => {}
            Note::Died { row } => {
                if let Err(error) = self.start_worker(row, None) {
                    let text = format!("worker {row} is not replaced: {error}");
                    self.tell(Kind::Marked(Box::new(text)));
                }
            }
            Note::Over(ends) => {
                self.ends.get_or_insert(ends);
                if ends == Ends::Never || ends == Ends::Cancelled {
                    self.shared.stop_workers();
                }
            }
        }
    }

    /// A task that hangs would keep the run from its end where nobody waits for it: in a loop, and after
    /// the caller has left with an error.
    fn give_up_waiting(&mut self) {
        let nobody_waits = self.ends.is_some() || self.shared.is_loop;
        if nobody_waits && self.shared.desk.is_stuck() {
            let stop_at = Time(self.shared.experiment.stop_at.0);
            if self.shared.clock.now() >= stop_at {
                self.shared.stop_workers();
            }
        }
    }

    /// Carries what was told to the feed, as far as it has room.
    fn carry(&mut self) {
        let mut events = std::mem::take(&mut self.told);
        let complete_to = recorder::drain(&mut self.reels, self.shared.clock, &mut events);
        match self.backlog.back_mut() {
            Some(last) if events.is_empty() => last.complete_to = complete_to,
            _ => self.backlog.push_back(Batch {
                events,
                complete_to,
            }),
        }
        while let Some(batch) = self.backlog.pop_front() {
            if let Err(batch) = self.feed.offer(batch) {
                self.backlog.push_front(batch);
                break;
            }
        }
    }

    /// All threads have said their last; tells the end of the run.
    fn end(mut self) {
        for thread in std::mem::take(&mut self.threads) {
            // One that panicked has been reported by the panic hook.
            let _ = thread.join();
        }
        while let Ok(note) = self.notes.try_recv() {
            if let Note::Over(ends) = note {
                self.ends.get_or_insert(ends);
            }
        }
        self.tell_counter();
        if let Some(pool) = self.shared.pool() {
            self.tell(Kind::PoolClosed { pool });
        }
        self.tell(Kind::LaneClosed {
            ended: Ended::Finished,
        });
        let ends = self.ends.unwrap_or(Ends::Error);
        self.tell(Kind::RunEnded { ends });
        for batch in std::mem::take(&mut self.backlog) {
            self.feed.send(batch.events, batch.complete_to);
        }
        self.feed.send(self.told, Time::NEVER);
    }

    /// What the tasks left in the counter that they share.
    fn tell_counter(&mut self) {
        let experiment = &self.shared.experiment;
        if experiment.effect == CounterEffect::None {
            return;
        }
        let counter = self.shared.counter.load(Ordering::Acquire);
        let increments: Vec<u64> = self
            .shared
            .effects
            .iter()
            .map(|count| count.load(Ordering::Acquire))
            .collect();
        let bounds = (experiment.effect == CounterEffect::Race)
            .then(|| race::bounds(&increments, experiment.lock));
        let (least, most) = bounds.unzip();
        for (quantity, value) in [
            ("counter_main", Some(counter)),
            ("counter_sum", Some(counter)),
            ("counter_min", least),
            ("counter_max", most),
            (
                "lock_wait",
                experiment
                    .lock
                    .then(|| self.shared.lock_wait.load(Ordering::Acquire)),
            ),
        ] {
            if let Some(value) = value {
                let (quantity, value) = (quantity.to_owned(), value as f64);
                self.tell(Kind::Sample(Box::new(Sample { quantity, value })));
            }
        }
    }

    /// Tells something on the caller's lane, now.
    fn tell(&mut self, kind: Kind) {
        let at = self.shared.clock.now();
        self.told.push(Event {
            at,
            lane: CALLER,
            kind,
        });
    }
}
