//! The clock of a run. Two reads of it are most of what recording a short task costs, so it counts the
//! processor's ticks where the system trusts them to tell the time, which takes a third of asking it.
//!
//! Ticks become nanoseconds at one speed for a whole run, so its times never jump or run backwards. The
//! speed comes from reading both clocks twice: when the first run prepares, and when a run starts. Over
//! the two milliseconds that the first run takes to prepare it is good to some millionths, and better
//! with every later run.

use crate::platform::Ticks;
use crate::time::Time;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Closer than this, two reads of both clocks say little about their speeds.
const FAR_ENOUGH: Duration = Duration::from_millis(2);

/// The clock of one run.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    scale: Option<Scale>,
}

impl Clock {
    /// The sooner before the first [`Clock::start`] this is called, the less that has to wait.
    pub fn prepare() {
        first_read();
    }

    /// Counts from now on. Within two milliseconds of the process's first look at the clock it waits for
    /// them to pass.
    pub fn start() -> Self {
        let Some(first) = first_read() else {
            return Self::of_system();
        };
        loop {
            let begin = Both::read(first.counter);
            if begin.at.duration_since(first.at) >= FAR_ENOUGH {
                return Self {
                    began: begin.at,
                    scale: Some(Scale::between(first, begin)),
                };
            }
            std::hint::spin_loop();
        }
    }

    /// Counts from now on, and agrees with all other clocks of the system: for threads and processes that
    /// have no part in this one.
    pub fn of_system() -> Self {
        Self {
            began: Instant::now(),
            scale: None,
        }
    }

    #[inline]
    pub fn now(self) -> Time {
        match self.scale {
            Some(scale) => scale.now(),
            None => Time(self.began.elapsed().as_nanos() as u64),
        }
    }

    /// When the system's clock says that `time` has come: rather a little later than sooner.
    pub fn instant(self, time: Time) -> Instant {
        if self.scale.is_none() {
            return self.began + Duration::from_nanos(time.0);
        }
        let left = time.since(self.now()).0;
        Instant::now() + Duration::from_nanos(left + left / 10_000)
    }
}

/// Both clocks as they stood at one moment.
#[derive(Clone, Copy)]
struct Both {
    counter: Ticks,
    at: Instant,
    ticks: u64,
}

impl Both {
    fn read(counter: Ticks) -> Self {
        // The closest of several tries: the others were interrupted.
        let tries = (0..8).map(|_| {
            let before = counter.now();
            let at = Instant::now();
            let between = counter.now().saturating_sub(before);
            let ticks = before + between / 2;
            (between, Self { counter, at, ticks })
        });
        let first = Self {
            counter,
            at: Instant::now(),
            ticks: counter.now(),
        };
        tries
            .min_by_key(|&(between, _)| between)
            .map_or(first, |(_, both)| both)
    }
}

/// The process's first read; `None` where no counter can be trusted.
fn first_read() -> Option<Both> {
    static FIRST: OnceLock<Option<Both>> = OnceLock::new();
    *FIRST.get_or_init(|| Ticks::trusted().map(Both::read))
}

/// How ticks become nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Scale {
    counter: Ticks,
    begin: u64,
    /// Nanoseconds a tick, times 2 to the 32nd.
    tick: u64,
}

impl Scale {
    fn between(first: Both, begin: Both) -> Self {
        let nanos = begin.at.duration_since(first.at).as_nanos();
        let ticks = begin.ticks.saturating_sub(first.ticks).max(1);
        Self {
            counter: begin.counter,
            begin: begin.ticks,
            tick: ((nanos << 32) / u128::from(ticks)) as u64,
        }
    }

    #[inline]
    fn now(self) -> Time {
        self.at(self.counter.now())
    }

    #[inline]
    fn at(self, ticks: u64) -> Time {
        let ticks = ticks.saturating_sub(self.begin);
        Time(((u128::from(ticks) * u128::from(self.tick)) >> 32) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::threads::work::compute;
    use crate::time::Nanos;

    #[test]
    fn ticks_become_time_at_the_speed_of_two_readings() {
        let Some(counter) = Ticks::trusted() else {
            return;
        };
        let began = Instant::now();
        let read = |nanos, ticks| Both {
            counter,
            at: began + Duration::from_nanos(nanos),
            ticks,
        };
        let scale = Scale::between(read(0, 1_000), read(2_000_000, 8_001_000));
        let at = [8_000_000, 8_001_000, 12_001_000].map(|ticks| scale.at(ticks));
        assert_eq!(at, [0, 0, 1_000_000].map(Time));
    }

    #[test]
    fn a_clock_runs_as_the_systems_does() {
        let clock = Clock::start();
        let outer = Instant::now();
        let first = clock.now();
        let inner = Instant::now();
        compute(2_000_000);
        let least = inner.elapsed();
        let counted = clock.now().since(first).std();
        let most = outer.elapsed();
        // The count lies between the shorter and the longer one, however often this thread is interrupted,
        // but for what the speed is wrong by if it was interrupted when it looked at both clocks.
        let wrong = most / 10;
        assert!(
            least.saturating_sub(wrong) <= counted && counted <= most + wrong,
            "{least:?} {counted:?} {most:?}"
        );
    }

    #[test]
    fn a_moment_of_the_run_is_not_over_before_it_has_come() {
        for clock in [Clock::start(), Clock::of_system()] {
            let soon = clock.now() + Nanos(1_000_000);
            let until = clock.instant(soon);
            while Instant::now() < until {}
            assert!(clock.now() >= soon);
            assert!(clock.instant(Time::ZERO) <= Instant::now());
        }
    }
}
