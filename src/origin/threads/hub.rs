//! The thread that owns a run: starts the others, carries what they tell, and tells the end.

use super::counter::{self, Racing};
use super::dispatcher::Sending;
use super::recorder::{self, HubMessage, Recorder, Reel};
use super::{CALLER, Shared, caller, dispatcher, worker};
use crate::event::{Ended, Ends, Event, Kind, LaneId};
use crate::experiment::{CounterEffect, Experiment};
use crate::origin::{Batch, Feed};
use crate::time::{Nanos, Time};
use crossbeam_channel::Receiver;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the hub carries events to the feed; faster than frames follow one another.
const CARRIES_EVERY: Duration = Duration::from_millis(8);
/// Events all rings together have room for.
const ROOM: usize = 1 << 17;

/// The workers of a backend: how they are made and replaced, and how they end.
pub(in crate::origin) trait Staff {
    /// Starts what the pool begins with. Lanes are numbered in the order in which they are asked for, the
    /// caller's being there already.
    fn start(&mut self, base: &mut Base) -> io::Result<Sending>;

    /// The worker of this row died.
    fn died(&mut self, base: &mut Base, row: u32);

    /// The person wants the worker of this lane to die.
    fn kill(&mut self, _lane: LaneId) {}

    /// All workers shall end, whatever they do. Called again and again.
    fn stop(&mut self, _base: &mut Base) {}

    /// Looks at what workers say of themselves besides what they tell.
    fn look(&mut self, _base: &mut Base) {}

    /// Reads what workers told in a way of their own, and returns the moment up to which that is everything.
    fn drain(&mut self, _into: &mut Vec<Event>) -> Time {
        Time::NEVER
    }

    /// None is left that could tell anything.
    fn is_gone(&self) -> bool {
        true
    }
}

/// What a run has, whatever its workers are.
pub(in crate::origin) struct Base {
    pub(in crate::origin) shared: Arc<Shared>,
    /// Events a lane has room for.
    pub(in crate::origin) room: usize,
    reels: Vec<Reel>,
    threads: Vec<JoinHandle<()>>,
    /// Lanes opened so far.
    lanes: u32,
    /// Events of its own, not sent yet.
    told: Vec<Event>,
    /// Why the run cannot go on.
    failed: Option<String>,
}

impl Base {
    pub(in crate::origin) fn next_lane(&mut self) -> LaneId {
        let lane = LaneId(self.lanes);
        self.lanes += 1;
        lane
    }

    pub(in crate::origin) fn lane(&mut self) -> Recorder {
        let lane = self.next_lane();
        let (recorder, reel) = recorder::lane(lane, self.room, self.shared.clock, &self.shared.hub);
        self.reels.push(reel);
        recorder
    }

    pub(in crate::origin) fn spawn(
        &mut self,
        name: String,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(body)
            .map_err(|error| {
                let text = format!("the system refuses another thread: {error}");
                io::Error::new(error.kind(), text)
            })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Tells something on the caller's lane, now.
    pub(in crate::origin) fn tell(&mut self, kind: Kind) {
        let at = self.shared.clock.now();
        self.tell_of(CALLER, at, kind);
    }

    /// Tells something on a lane that tells nothing itself any more, or not yet.
    pub(in crate::origin) fn tell_of(&mut self, lane: LaneId, at: Time, kind: Kind) {
        self.told.push(Event { at, lane, kind });
    }

    /// Passes on what was told by somebody who tells nothing any more.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "for workers that are processes")
    )]
    pub(in crate::origin) fn tell_all(&mut self, events: Vec<Event>) {
        self.told.extend(events);
    }

    /// The run cannot go on, for this reason.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "for workers that are processes")
    )]
    pub(in crate::origin) fn fail(&mut self, why: String) {
        self.failed.get_or_insert(why);
    }
}

/// Workers that are threads.
pub(super) struct Threads;

impl Staff for Threads {
    fn start(&mut self, base: &mut Base) -> io::Result<Sending> {
        let experiment = &base.shared.experiment;
        let (workers, dispatched) = (experiment.workers, experiment.dispatch > Nanos::ZERO);
        let sending = if dispatched {
            let (orders, taken) = crossbeam_channel::bounded(1);
            let recorder = base.lane();
            let shared = base.shared.clone();
            base.spawn("dispatcher".to_owned(), move || {
                dispatcher::dispatch(&shared, recorder, &taken);
            })?;
            Sending::Dispatched(orders)
        } else {
            Sending::Direct
        };
        for row in 0..workers {
            Self::start_worker(base, row, Some(Time::ZERO))?;
        }
        Ok(sending)
    }

    fn died(&mut self, base: &mut Base, row: u32) {
        if let Err(error) = Self::start_worker(base, row, None) {
            let text = format!("worker {row} is not replaced: {error}");
            base.tell(Kind::Marked(Box::new(text)));
        }
    }
}

impl Threads {
    /// Starts a worker. Those the pool begins with have been there since then, whenever their threads
    /// come to life; `None`: the lane opens when it does.
    fn start_worker(base: &mut Base, row: u32, opens: Option<Time>) -> io::Result<()> {
        let recorder = base.lane();
        let shared = base.shared.clone();
        base.spawn(base.shared.worker_name(row), move || {
            let at = opens.unwrap_or_else(|| recorder.now());
            let mut worker = worker::Worker::open(shared, recorder, row, at);
            if opens.is_some() {
                worker.start_up();
            }
            worker.work();
        })
    }
}

/// The hub of a run; see the module.
pub(in crate::origin) struct Hub<'a, S> {
    feed: &'a Feed,
    base: Base,
    staff: S,
    messages: Receiver<HubMessage>,
    /// What the feed had no room for.
    backlog: VecDeque<Batch>,
    racing: Racing,
    ends: Option<Ends>,
}

impl<'a, S: Staff> Hub<'a, S> {
    pub(in crate::origin) fn new(experiment: &Experiment, feed: &'a Feed, staff: S) -> Self {
        let lanes = experiment.running_workers() as usize + 3;
        let (hub, messages) = crossbeam_channel::bounded(lanes + 16);
        let shared = Arc::new(Shared::new(experiment, feed.cancel().clone(), hub));
        Self {
            feed,
            base: Base {
                room: (ROOM / lanes).clamp(512, 16_384),
                shared,
                reels: Vec::with_capacity(lanes),
                threads: Vec::with_capacity(lanes),
                lanes: 0,
                told: Vec::new(),
                failed: None,
            },
            staff,
            messages,
            backlog: VecDeque::new(),
            racing: Racing::default(),
            ends: None,
        }
    }

    /// From the first thread to the last word.
    pub(in crate::origin) fn run(mut self) {
        let shared = self.base.shared.clone();
        if let Err(error) = self.start() {
            self.fail(error.to_string());
        }
        let mut cancelled = shared.cancel.closed().clone();
        let mut kills = self.feed.kills().clone();
        while !self.base.reels.is_empty() || !self.staff.is_gone() {
            crossbeam_channel::select! {
                recv(self.messages) -> message => {
                    if let Ok(message) = message {
                        self.hear(message);
                    }
                }
                recv(kills) -> lane => match lane {
                    Ok(lane) => self.staff.kill(lane),
                    Err(_) => kills = crossbeam_channel::never(),
                },
                recv(cancelled) -> _ => {
                    cancelled = crossbeam_channel::never();
                    shared.stop_workers();
                    shared.desk.wake();
                }
                default(CARRIES_EVERY) => {}
            }
            while let Ok(message) = self.messages.try_recv() {
                self.hear(message);
            }
            self.staff.look(&mut self.base);
            self.give_up_waiting();
            if let Some(why) = self.base.failed.take() {
                self.fail(why);
            }
            if shared.halt.is_cancelled() {
                self.staff.stop(&mut self.base);
            }
            self.carry();
        }
        self.end();
    }

    /// Starts all threads. Lanes are numbered from the caller's on.
    fn start(&mut self) -> io::Result<()> {
        let main = self.base.lane();
        let (sending, hands) = if self.base.shared.is_loop {
            (Sending::Direct, Some(self.base.lane()))
        } else {
            (self.staff.start(&mut self.base)?, None)
        };
        let shared = self.base.shared.clone();
        self.base.spawn("main".to_owned(), move || {
            caller::MainProgram::run(&shared, main, sending, hands);
        })
    }

    /// The run cannot go on, or not even begin.
    fn fail(&mut self, why: String) {
        self.base.tell(Kind::Marked(Box::new(why)));
        self.ends = Some(Ends::Error);
        self.base.shared.stop_workers();
        self.base.shared.desk.strand();
    }

    fn hear(&mut self, message: HubMessage) {
        match message {
            HubMessage::Look => {}
            HubMessage::Died { row } => self.staff.died(&mut self.base, row),
            HubMessage::Over(ends) => {
                self.ends.get_or_insert(ends);
                if ends == Ends::Never || ends == Ends::Cancelled {
                    self.base.shared.stop_workers();
                }
            }
        }
    }

    /// A task that hangs would keep the run from its end where nobody waits for it: in a loop, and after
    /// the caller has left with an error.
    fn give_up_waiting(&mut self) {
        let nobody_waits = self.ends.is_some() || self.base.shared.is_loop;
        if nobody_waits && self.base.shared.desk.is_stuck() {
            let stop_at = Time(self.base.shared.experiment.stop_at.0);
            if self.base.shared.clock.now() >= stop_at {
                self.base.shared.stop_workers();
            }
        }
    }

    /// Carries what was told to the feed, as far as it has room.
    fn carry(&mut self) {
        let mut events = std::mem::take(&mut self.base.told);
        let clock = self.base.shared.clock;
        let complete_to = recorder::drain(&mut self.base.reels, clock, &mut events)
            .min(self.staff.drain(&mut events));
        if self.base.shared.experiment.effect == CounterEffect::Race {
            for event in &events {
                self.racing.see(event);
            }
        }
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
        for thread in std::mem::take(&mut self.base.threads) {
            // One that panicked has been reported by the panic hook.
            let _ = thread.join();
        }
        while let Ok(message) = self.messages.try_recv() {
            if let HubMessage::Over(ends) = message {
                self.ends.get_or_insert(ends);
            }
        }
        let shared = self.base.shared.clone();
        for sample in counter::samples(&shared, &mut self.racing) {
            self.base.tell(Kind::Sample(Box::new(sample)));
        }
        if let Some(pool) = self.base.shared.pool() {
            self.base.tell(Kind::PoolClosed { pool });
        }
        self.base.tell(Kind::LaneClosed {
            ended: Ended::Finished,
        });
        let ends = self.ends.unwrap_or(Ends::Error);
        self.base.tell(Kind::RunEnded { ends });
        for batch in std::mem::take(&mut self.backlog) {
            self.feed.send(batch.events, batch.complete_to);
        }
        self.feed.send(self.base.told, Time::NEVER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::origin::Cancel;

    /// Staff that fills the channel at the moment when all threads have said their last.
    struct Flood(Threads, Option<Arc<Shared>>);

    impl Staff for Flood {
        fn start(&mut self, base: &mut Base) -> io::Result<Sending> {
            self.1 = Some(base.shared.clone());
            self.0.start(base)
        }

        fn died(&mut self, base: &mut Base, row: u32) {
            self.0.died(base, row);
        }

        fn is_gone(&self) -> bool {
            let shared = self.1.as_ref();
            while shared.is_some_and(|shared| shared.hub.try_send(HubMessage::Look).is_ok()) {}
            true
        }
    }

    #[test]
    fn a_run_ends_also_if_the_channel_is_full_when_its_main_program_does() {
        let (ended, end) = crossbeam_channel::bounded(1);
        let run = std::thread::spawn(move || {
            for _ in 0..200 {
                let (batches, taken) = crossbeam_channel::unbounded();
                let feed = Feed {
                    batches,
                    cancel: Cancel::default(),
                    kills: crossbeam_channel::never(),
                };
                let experiment = Experiment {
                    method: Method::MapAsync,
                    tasks: 0,
                    costs: crate::workload::Costs::List(Vec::new()),
                    workers: 1,
                    ..Experiment::default()
                };
                Hub::new(&experiment, &feed, Flood(Threads, None)).run();
                let last = taken
                    .try_iter()
                    .last()
                    .and_then(|batch| batch.events.last().cloned());
                let ends = Ends::Returned;
                assert_eq!(last.map(|event| event.kind), Some(Kind::RunEnded { ends }));
            }
            ended.send(()).unwrap();
        });
        // Only a failure reaches the deadline.
        let over = end.recv_timeout(Duration::from_secs(60));
        assert_eq!(
            over,
            Ok(()),
            "the hub and the main program wait for each other"
        );
        run.join().unwrap();
    }
}
