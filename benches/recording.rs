//! What it costs a worker to tell that a task started and finished, in place: around tasks that compute,
//! while another thread reads along.
//!
//! Each round runs every side once, in turn. Times are CPU time of the threads concerned; a side's cost is
//! what it adds to the bare tasks.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench starts threads and prints"
)]

use crossbeam_channel::Sender;
use parviz::event::{CallId, Event, Kind, LaneId, Outcome, TaskId};
use parviz::origin::threads::recorder::{self, Clock, HubMessage, Recorder, Reel};
use parviz::origin::threads::work::Pace;
use parviz::platform::{self, ThreadClock};
use parviz::time::Nanos;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const ROUNDS: usize = 31;

/// What happens around each task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Bare,
    /// Two reads of the clock.
    Stamps,
    /// What the threads backend does.
    Recorded,
    /// A send over an unbounded channel for each of the two events.
    Sent,
}

const SIDES: [Side; 4] = [Side::Bare, Side::Stamps, Side::Recorded, Side::Sent];

/// Nanoseconds of CPU a task, of its worker and of the thread that reads.
#[derive(Clone, Copy)]
struct Cost {
    worker: f64,
    reader: f64,
}

fn main() {
    let Some(clock) = ThreadClock::open() else {
        return println!("no clock for the CPU time of a thread on this system");
    };
    drop(clock);
    println!("ns of CPU a task, medians of {ROUNDS} rounds\n");
    for (workers, length) in [(1, 1_000), (2, 1_000), (2, 10_000)] {
        let tasks = 100_000_000 / length;
        let mut costs = SIDES.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (side, costs) in SIDES.into_iter().zip(&mut costs) {
                costs.push(round(side, workers, Nanos(length), tasks as u32));
            }
        }
        let [bare, stamps, recorded, sent] = costs;
        // Of each round on its own: how fast the processor runs changes from round to round by more.
        let adds = |costs: &[Cost]| {
            let rounds = costs.iter().zip(&bare);
            median(rounds.map(|(cost, bare)| cost.worker - bare.worker))
        };
        let reader = |costs: &[Cost]| median(costs.iter().map(|cost| cost.reader));
        let task = median(bare.iter().map(|cost| cost.worker));
        let [adds_stamps, adds_recorded, adds_sent] =
            [&stamps, &recorded, &sent].map(|side| adds(side));
        let us = length / 1_000;
        println!("{workers} workers, tasks of {us} us ({task:.0} ns)");
        println!("  two clock stamps            {adds_stamps:7.1}");
        println!("  Started + Finished recorded {adds_recorded:7.1}");
        println!("  one send per event          {adds_sent:7.1}");
        println!(
            "  recorded / stamps           {:7.2}",
            adds_recorded / adds_stamps
        );
        println!(
            "  recorded / sent             {:7.2}  both without the stamps {:.2}",
            adds_recorded / adds_sent,
            (adds_recorded - adds_stamps) / (adds_sent - adds_stamps),
        );
        println!(
            "  recorded / task             {:6.2}%",
            100.0 * adds_recorded / task
        );
        println!(
            "  reading: recorded {:.1}, sent {:.1}\n",
            reader(&recorded),
            reader(&sent)
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One side with so many workers at once.
fn round(side: Side, workers: u32, length: Nanos, tasks: u32) -> Cost {
    let clock = Clock::start();
    let (hub, notes) = crossbeam_channel::bounded(16);
    let (sender, events) = crossbeam_channel::unbounded();
    let (recorders, mut reels): (Vec<Recorder>, Vec<Reel>) = (0..workers)
        .map(|worker| recorder::lane(LaneId(worker), 1 << 14, clock, &hub))
        .unzip();
    let steps = Pace::measured().steps(length);
    let over = AtomicBool::new(false);
    let (worker, reader) = std::thread::scope(|threads| {
        let reading = threads.spawn(|| {
            let (mut read, mut spent) = (Vec::new(), 0.0);
            while !over.load(Ordering::Acquire) || !reels.is_empty() {
                let _: Result<HubMessage, _> = notes.recv_timeout(Duration::from_millis(8));
                spent += on_cpu(|| {
                    recorder::drain(&mut reels, clock, &mut read);
                    read.extend(events.try_iter());
                });
                // What becomes of the events is another matter.
                read.clear();
            }
            spent
        });
        let working: Vec<_> = recorders
            .into_iter()
            .zip(0..)
            .map(|(mut recorder, lane)| {
                let sender = sender.clone();
                threads.spawn(move || {
                    on_cpu(|| {
                        let mut work = Work { x: 1, steps };
                        for index in 0..tasks {
                            run(side, &mut recorder, &sender, LaneId(lane), index, &mut work);
                        }
                    })
                })
            })
            .collect();
        let worked: f64 = working
            .into_iter()
            .map(|worker| worker.join().unwrap_or(f64::NAN))
            .sum();
        over.store(true, Ordering::Release);
        (worked, reading.join().unwrap_or(f64::NAN))
    });
    let tasks = f64::from(tasks * workers);
    Cost {
        worker: worker / tasks,
        reader: reader / tasks,
    }
}

/// What tasks compute. Each goes on with what the one before it has left: else a processor begins some of
/// them while the one before still computes, unless something is between them, and what is between them
/// seems to cost the time that this saved.
struct Work {
    x: u64,
    steps: u64,
}

impl Work {
    #[inline(never)]
    fn task(&mut self) {
        for step in 0..self.steps {
            self.x = (self.x ^ step).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        std::hint::black_box(self.x);
    }
}

#[inline(never)]
fn run(
    side: Side,
    recorder: &mut Recorder,
    sender: &Sender<Event>,
    lane: LaneId,
    index: u32,
    work: &mut Work,
) {
    let task = TaskId {
        call: CallId(0),
        index,
    };
    let started = || Kind::Started {
        task,
        cpu: platform::current_cpu(),
    };
    let finished = || Kind::Finished {
        task,
        outcome: Outcome::Ok,
        cpu: platform::current_cpu(),
    };
    match side {
        Side::Bare => work.task(),
        Side::Stamps => {
            std::hint::black_box(recorder.now());
            work.task();
            std::hint::black_box(recorder.now());
        }
        Side::Recorded => {
            recorder.tell(recorder.now(), started());
            work.task();
            recorder.tell(recorder.now(), finished());
        }
        Side::Sent => {
            let send = |kind| {
                let at = recorder.now();
                // The receiver lives until the workers have ended.
                let _ = sender.send(Event { at, lane, kind });
            };
            send(started());
            work.task();
            send(finished());
        }
    }
}

/// Nanoseconds of CPU time the calling thread spends.
fn on_cpu(work: impl FnOnce()) -> f64 {
    let clock = ThreadClock::open();
    let spent = || {
        clock
            .as_ref()
            .and_then(ThreadClock::read)
            .unwrap_or_default()
    };
    let before = spent();
    work();
    spent().since(before).on_cpu.0 as f64
}
