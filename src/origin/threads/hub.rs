//! The thread that owns a run: starts the others, carries what they tell, and tells the end.

use super::recorder::{self, Note, Recorder, Reel};
use super::{CALLER, Shared, caller, dispatcher, worker};
use crate::event::{Ended, Ends, Event, Kind, LaneId, Sample};
use crate::experiment::{CounterEffect, Experiment};
use crate::origin::simulated::race;
use crate::origin::{Batch, Feed};
use crate::time::{Nanos, Time};
use crossbeam_channel::Receiver;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the hub carries events to the feed; faster than frames follow one another.
const CARRIES_EVERY: Duration = Duration::from_millis(8);
/// Events all rings together have room for.
const ROOM: usize = 1 << 17;
pub(super) struct Hub<'a> {
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

impl<'a> Hub<'a> {
    pub(super) fn new(experiment: &Experiment, feed: &'a Feed) -> Self {
        let lanes = experiment.running_workers() as usize + 2;
        let (hub, notes) = crossbeam_channel::bounded(lanes + 16);
        let shared = Arc::new(Shared::new(experiment, feed.cancel().clone(), hub));
        Self {
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
    }

    /// From the first thread to the last word.
    pub(super) fn run(mut self) {
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
