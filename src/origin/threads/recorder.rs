//! How the threads of a run tell what they do, without waiting for anybody and without sharing anything.
//!
//! Each thread writes its events into a ring of its own, what is told of every task as two words; one hub
//! thread empties all rings. A write costs less than reading the clock. The hub also vouches for a moment
//! up to which everything has been told, although a thread may be interrupted between reading the clock
//! and writing the event:
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

pub use super::clock::Clock;
use super::entry::{Entry, Mark};
use super::ring;
use crate::event::{Event, Kind, LaneId};
use crate::time::{Nanos, Time};
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// Processors may move a read of the clock by some instructions, and clocks of two CPUs differ by a few
/// nanoseconds; a moment that the hub vouches for stays clear of that.
pub(in crate::origin) const CLOCKS_DIFFER: Nanos = Nanos(1_000);

/// What threads say to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubMessage {
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
    #[inline]
    fn now(&self) -> Time {
        Self::now(self)
    }

    #[expect(clippy::inline_always, reason = "as below")]
    #[inline(always)]
    fn tell(&mut self, at: Time, kind: Kind) {
        Self::tell(self, at, kind);
    }

    fn quietly<T>(&self, stretch: impl FnOnce() -> T) -> T {
        Self::quietly(self, stretch)
    }
}

/// The writing end of a lane; belongs to one thread.
pub struct Recorder {
    clock: Clock,
    ring: ring::Writer,
    /// What has no form in the ring; never more than the ring has entries.
    aside: Sender<Kind>,
    quiet: Arc<AtomicBool>,
    /// Dropped after the ring, so that the hub, when it wakes, finds it ended.
    hub: Hail,
}

/// Calls the hub at its end.
struct Hail(Sender<HubMessage>);

impl Hail {
    fn call(&self) {
        // If the messages are full the hub is awake already.
        let _ = self.0.try_send(HubMessage::Look);
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
    lane: LaneId,
    ring: ring::Reader,
    aside: Receiver<Kind>,
    quiet: Arc<AtomicBool>,
    /// The time of the last event read.
    told: Time,
}

/// Both ends of a lane with room for `room` events.
pub fn lane(lane: LaneId, room: usize, clock: Clock, hub: &Sender<HubMessage>) -> (Recorder, Reel) {
    let (writer, reader) = ring::ring(room);
    let (sender, receiver) = crossbeam_channel::unbounded();
    let quiet = Arc::new(AtomicBool::new(false));
    let recorder = Recorder {
        clock,
        ring: writer,
        aside: sender,
        quiet: quiet.clone(),
        hub: Hail(hub.clone()),
    };
    let reel = Reel {
        lane,
        ring: reader,
        aside: receiver,
        quiet,
        told: Time::ZERO,
    };
    (recorder, reel)
}

impl Recorder {
    #[inline]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Writes an event; waits only for the hub, and only if the ring is full.
    #[expect(
        clippy::inline_always,
        reason = "the kind is known where this is called"
    )]
    #[inline(always)]
    pub fn tell(&mut self, at: Time, kind: Kind) {
        match Mark::of(kind) {
            Ok(mark) => self.write(Entry { at, mark }),
            Err(kind) => self.tell_aside(at, kind),
        }
    }

    /// Before its entry: whoever reads that finds this.
    #[inline(never)]
    fn tell_aside(&mut self, at: Time, kind: Kind) {
        // The hub reads as long as there are recorders; if it has died, nobody misses this.
        let _ = self.aside.send(kind);
        let mark = Mark::ASIDE;
        self.write(Entry { at, mark });
    }

    #[inline]
    fn write(&mut self, entry: Entry) {
        self.ring.write(entry, || self.hub.call());
    }

    /// Does something that tells nothing and takes its time: 50 microseconds and more, or a wait.
    pub fn quietly<T>(&self, stretch: impl FnOnce() -> T) -> T {
        self.quiet.store(true, Ordering::Release);
        let result = stretch();
        // Nothing of what follows, reading the clock above all, may move before this.
        self.quiet.swap(false, Ordering::SeqCst);
        result
    }
}

/// Empties all rings and forgets those that ended; returns the moment up to which everything is told.
pub fn drain(reels: &mut Vec<Reel>, clock: Clock, into: &mut Vec<Event>) -> Time {
    let now = clock.now() - CLOCKS_DIFFER;
    fence(Ordering::SeqCst);
    // All are looked at before the first one is read: what is told meanwhile waits for the next time, or
    // the last lanes would be ahead of the first by as long as reading takes.
    let looks: Vec<Look> = reels.iter().map(Reel::look).collect();
    into.reserve(looks.iter().map(|look| look.waiting as usize).sum());
    let mut complete_to = now;
    let mut looks = looks.into_iter();
    reels.retain_mut(|reel| {
        let look = looks.next().unwrap_or_default();
        reel.read(look.waiting, into);
        if !look.quiet && !look.ended {
            complete_to = complete_to.min(reel.told);
        }
        !look.ended
    });
    complete_to
}

/// How a lane stands at a moment.
#[derive(Default)]
struct Look {
    quiet: bool,
    ended: bool,
    /// Entries in its ring.
    waiting: u64,
}

impl Reel {
    /// The entries last: a lane that is quiet, or at its end, had written all of them before.
    fn look(&self) -> Look {
        Look {
            quiet: self.quiet.load(Ordering::SeqCst),
            ended: self.ring.has_ended(),
            waiting: self.ring.waiting(),
        }
    }

    fn read(&mut self, waiting: u64, into: &mut Vec<Event>) {
        let (lane, aside) = (self.lane, &self.aside);
        self.ring.read(waiting, |entry| {
            entry.add(lane, into, |into| add_aside(entry.at, lane, aside, into));
        });
        if waiting > 0 {
            self.told = into.last().map_or(self.told, |event| event.at);
        }
    }
}

/// Adds what an entry says that has no form of its own.
#[cold]
#[inline(never)]
fn add_aside(at: Time, lane: LaneId, aside: &Receiver<Kind>, into: &mut Vec<Event>) {
    // It was sent before its entry was written, so it is always there.
    let kind = aside.try_recv().unwrap_or(Kind::Dropped { count: 1 });
    into.push(Event { at, lane, kind });
}

#[cfg(test)]
mod tests {
    use super::super::CALL;
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
    fn what_is_told_of_every_task_and_what_is_rare_come_out_in_one_order() {
        let (mut recorder, mut reels, clock) = one();
        let often = |chunk| Kind::Dequeued { call: CALL, chunk };
        let rarely = |count| Kind::Dropped { count };
        // More than the ring holds, so that it is read across its end.
        for round in 0..10_u32 {
            let kinds: Vec<Kind> = (0..20)
                .map(|i| {
                    if (i + round) % 3 == 0 {
                        rarely(i)
                    } else {
                        often(i)
                    }
                })
                .collect();
            for kind in &kinds {
                recorder.tell(Time(u64::from(round)), kind.clone());
            }
            let mut events = Vec::new();
            drain(&mut reels, clock, &mut events);
            let read: Vec<Kind> = events.into_iter().map(|event| event.kind).collect();
            assert_eq!(read, kinds);
        }
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
