//! How the threads of a run tell what they do, without waiting for anybody and without sharing anything.
//!
//! Each thread writes its events into a ring of its own; one hub thread empties all rings. A write costs
//! about as much as reading the clock. The hub also vouches for a moment up to which everything has been
//! told, although a thread may be interrupted between reading the clock and writing the event:
//!
//! 1. A thread reads the clock, then writes the event with that time. Its times never run backwards.
//! 2. Before a stretch in which it tells nothing (it waits, or computes for long) it sets its `quiet`
//!    flag, after its last event. At the end of the stretch it clears the flag, and only then reads the
//!    clock again.
//! 3. The hub reads the clock (`now`), then all `quiet` flags, and then empties the rings.
//! 4. A flag that was set: whatever that thread tells later was stamped after `now`, and what it had told
//!    before is in its ring. Its lane is complete up to `now`.
//! 5. A flag that was not set: the thread tells no time before that of its last event. Its lane is
//!    complete up to there.
//! 6. The run is complete up to the least of these. Tasks of microseconds never touch the flag, and tell
//!    so often that rule 5 is as good.

use crate::event::{Event, Kind, LaneId};
use crate::time::{Nanos, Time};
use crossbeam_channel::Sender;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Instant;

/// Processors may move a read of the clock by some instructions, and clocks of two CPUs differ by a few
/// nanoseconds; a moment that the hub vouches for stays clear of that.
const CLOCKS_DIFFER: Nanos = Nanos(1_000);

/// The clock of one run.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
        }
    }

    pub fn now(self) -> Time {
        Time(self.began.elapsed().as_nanos() as u64)
    }

    pub fn instant(self, time: Time) -> Instant {
        self.began + Nanos(time.0).std()
    }
}

/// What threads say to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// There is something to read; nothing is lost if this does not get through.
    Look,
    /// The worker of this row died, and a new one is to take its place.
    Died { row: u32 },
    /// The main program is over.
    Over(crate::event::Ends),
}

/// What a worker tells, and how: steps 1 and 2 above.
pub trait Tell {
    fn now(&self) -> Time;

    /// Tells an event; waits only for who reads it, and only if there is no room.
    fn tell(&mut self, at: Time, kind: Kind);

    /// Does something that tells nothing and takes its time: 50 microseconds and more, or a wait.
    fn quietly<T>(&self, stretch: impl FnOnce() -> T) -> T;
}

impl Tell for Recorder {
    fn now(&self) -> Time {
        Self::now(self)
    }

    fn tell(&mut self, at: Time, kind: Kind) {
        Self::tell(self, at, kind);
    }

    fn quietly<T>(&self, stretch: impl FnOnce() -> T) -> T {
        Self::quietly(self, stretch)
    }
}

/// The writing end of a lane; belongs to one thread.
pub struct Recorder {
    lane: LaneId,
    clock: Clock,
    ring: rtrb::Producer<Event>,
    quiet: Arc<AtomicBool>,
    /// Events written since the hub was last called.
    uncalled: usize,
    /// Dropped after the ring, so that the hub, when it wakes, finds it ended.
    hub: Hail,
}

/// Calls the hub at its end.
struct Hail(Sender<Note>);

impl Hail {
    fn call(&self) {
        // If the notes are full the hub is awake already.
        let _ = self.0.try_send(Note::Look);
    }
}

impl Drop for Hail {
    fn drop(&mut self) {
        self.call();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.quiet.store(true, Ordering::Release);
    }
}

/// The hub's end of a lane.
pub struct Reel {
    ring: rtrb::Consumer<Event>,
    quiet: Arc<AtomicBool>,
    /// The time of the last event read.
    told: Time,
}

/// Both ends of a lane with room for `room` events.
pub fn lane(lane: LaneId, room: usize, clock: Clock, hub: &Sender<Note>) -> (Recorder, Reel) {
    let (producer, consumer) = rtrb::RingBuffer::new(room);
    let quiet = Arc::new(AtomicBool::new(false));
    let recorder = Recorder {
        lane,
        clock,
        ring: producer,
        quiet: quiet.clone(),
        uncalled: 0,
        hub: Hail(hub.clone()),
    };
    let reel = Reel {
        ring: consumer,
        quiet,
        told: Time::ZERO,
    };
    (recorder, reel)
}

impl Recorder {
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Writes an event; waits only for the hub, and only if the ring is full.
    pub fn tell(&mut self, at: Time, kind: Kind) {
        let mut event = Event {
            at,
            lane: self.lane,
            kind,
        };
        self.uncalled += 1;
        if self.uncalled * 2 > self.ring.buffer().capacity() {
            self.call();
        }
        while let Err(rtrb::PushError::Full(back)) = self.ring.push(event) {
            event = back;
            self.call();
            std::thread::yield_now();
        }
    }

    /// Does something that tells nothing and takes its time: 50 microseconds and more, or a wait.
    pub fn quietly<T>(&self, stretch: impl FnOnce() -> T) -> T {
        self.quiet.store(true, Ordering::Release);
        let result = stretch();
        // Nothing of what follows, reading the clock above all, may move before this.
        self.quiet.swap(false, Ordering::SeqCst);
        result
    }

    fn call(&mut self) {
        self.uncalled = 0;
        self.hub.call();
    }
}

/// Empties all rings and forgets those that ended; returns the moment up to which everything is told.
pub fn drain(reels: &mut Vec<Reel>, clock: Clock, into: &mut Vec<Event>) -> Time {
    let now = clock.now() - CLOCKS_DIFFER;
    fence(Ordering::SeqCst);
    let quiet: Vec<bool> = reels
        .iter()
        .map(|reel| reel.quiet.load(Ordering::SeqCst))
        .collect();
    let mut complete_to = now;
    let mut was_quiet = quiet.into_iter();
    reels.retain_mut(|reel| {
        let ended = reel.ring.is_abandoned();
        reel.read(into);
        if !was_quiet.next().unwrap_or(false) && !ended {
            complete_to = complete_to.min(reel.told);
        }
        !ended
    });
    complete_to
}

impl Reel {
    fn read(&mut self, into: &mut Vec<Event>) {
        let waiting = self.ring.slots();
        let Ok(events) = self.ring.read_chunk(waiting) else {
            return;
        };
        into.extend(events);
        if waiting > 0 {
            self.told = into.last().map_or(self.told, |event| event.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> (Recorder, Vec<Reel>, Clock) {
        let (hub, _) = crossbeam_channel::bounded(4);
        let clock = Clock::start();
        let (recorder, reel) = lane(LaneId(0), 64, clock, &hub);
        (recorder, vec![reel], clock)
    }

    const EVENT: Kind = Kind::Dropped { count: 1 };

    #[test]
    fn a_lane_is_complete_up_to_its_last_event_while_it_may_tell_more() {
        let (mut recorder, mut reels, clock) = one();
        let mut events = Vec::new();
        assert_eq!(drain(&mut reels, clock, &mut events), Time::ZERO);
        recorder.tell(Time(5), EVENT);
        recorder.tell(Time(9), EVENT);
        assert_eq!(drain(&mut reels, clock, &mut events), Time(9));
        assert_eq!(drain(&mut reels, clock, &mut events), Time(9));
        assert_eq!(events.len(), 2);
    }

    #[test]
    fn a_quiet_lane_is_complete_up_to_now() {
        let (mut recorder, mut reels, clock) = one();
        let mut events = Vec::new();
        recorder.tell(Time(5), EVENT);
        let before = clock.now();
        recorder.quietly(|| {
            while clock.now() < before + Nanos(2_000) {}
            assert!(drain(&mut reels, clock, &mut events) > before);
        });
        assert_eq!(drain(&mut reels, clock, &mut events), Time(5));
        assert_eq!(events.len(), 1);
    }

    #[test]
    fn a_lane_that_ended_holds_nobody_up_and_is_read_whole() {
        let (mut recorder, mut reels, clock) = one();
        let mut events = Vec::new();
        recorder.tell(Time(5), EVENT);
        drop(recorder);
        while clock.now() < Time(3_000) {}
        assert!(drain(&mut reels, clock, &mut events) > Time(5));
        assert_eq!((events.len(), reels.len()), (1, 0));
    }
}
