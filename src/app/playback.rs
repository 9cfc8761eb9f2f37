//! Where the cursor of a run is, and how it moves: live, playing at a speed, or paused.
//!
//! Everything is playback. Live means that the cursor sticks to the moment up to which the run is known
//! whole; nothing here stops or slows the run itself.

use crate::time::{Nanos, Time};
use std::fmt;

/// How the cursor moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// It sticks to the end of what is known.
    #[default]
    Live,
    /// It follows the clock at a speed.
    Playing,
    Paused,
}

/// Run time per clock time: a power of two from 1/64 to 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speed(i8);

impl Speed {
    const MOST: i8 = 6;

    #[must_use]
    pub fn slower(self) -> Self {
        Self((self.0 - 1).max(-Self::MOST))
    }

    #[must_use]
    pub fn faster(self) -> Self {
        Self((self.0 + 1).min(Self::MOST))
    }

    fn is_slow(self) -> bool {
        self < Self::default()
    }

    fn of(self, clock: Nanos) -> Nanos {
        if self.0 < 0 {
            Nanos(clock.0 >> -self.0)
        } else {
            Nanos(clock.0.saturating_mul(1 << self.0))
        }
    }
}

/// `1x`, `16x`, `1/4x`.
impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            write!(f, "1/{}x", 1 << -self.0)
        } else {
            write!(f, "{}x", 1 << self.0)
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Playback {
    pub cursor: Time,
    pub pace: Pace,
    /// The person's choice; what is live has the speed of the clock meanwhile.
    pub speed: Speed,
}

impl Playback {
    /// From the begin, at the speed of the clock.
    pub fn from_start() -> Self {
        Self {
            pace: Pace::Playing,
            ..Self::default()
        }
    }

    /// This at the speed that the person chose before: slow motion lags behind a live run from its begin.
    #[must_use]
    pub fn at_speed(self, speed: Speed) -> Self {
        let pace = match self.pace {
            Pace::Live if speed.is_slow() => Pace::Playing,
            pace => pace,
        };
        Self {
            pace,
            speed,
            ..self
        }
    }

    pub fn is_paused(&self) -> bool {
        self.pace == Pace::Paused
    }

    /// The clock went on by `elapsed`; the run is known up to `end`. Unless it `has_no_now`, what catches
    /// up with it stays with it.
    pub fn tick(&mut self, elapsed: Nanos, end: Time, has_no_now: bool) {
        if self.pace == Pace::Playing {
            self.cursor = (self.cursor + self.speed.of(elapsed)).min(end);
            if self.cursor == end && !has_no_now && !self.speed.is_slow() {
                self.go_live(end);
            }
        }
    }

    /// The run is now known up to `end`. That can be earlier than before, when it ended in a moment
    /// that was already known to be quiet.
    pub fn known_to(&mut self, end: Time) {
        if self.pace == Pace::Live || self.cursor > end {
            self.cursor = end;
        }
    }

    /// Whether a tick would move the cursor.
    pub fn moves(&self, end: Time) -> bool {
        self.pace == Pace::Playing && self.cursor < end
    }

    /// Space: pause, go on, or play once more from the start when everything has been seen.
    pub fn toggle(&mut self, end: Time, over: bool) {
        if over && self.cursor >= end {
            self.cursor = Time::ZERO;
            self.pace = Pace::Playing;
        } else {
            self.pace = match self.pace {
                Pace::Live | Pace::Playing => Pace::Paused,
                Pace::Paused => Pace::Playing,
            };
        }
    }

    /// Puts the cursor somewhere and leaves it there.
    pub fn stop_at(&mut self, at: Time) {
        self.cursor = at;
        self.pace = Pace::Paused;
    }

    /// Back to the begin: what plays goes on from there; what is live, stands or was seen to its end waits there.
    pub fn rewind(&mut self, end: Time, over: bool) {
        let stands = over && self.cursor >= end;
        if stands || self.pace == Pace::Live {
            self.pace = Pace::Paused;
        }
        self.cursor = Time::ZERO;
    }

    pub fn go_live(&mut self, end: Time) {
        self.cursor = end;
        self.pace = Pace::Live;
    }

    /// What is live goes on in slow motion, as slow as it was before.
    pub fn slower(&mut self, over: bool) {
        let is_live = self.pace == Pace::Live && !over;
        if !is_live {
            self.speed = self.speed.slower();
        } else if !self.speed.is_slow() {
            self.speed = Speed::default().slower();
        }
        if is_live {
            self.pace = Pace::Playing;
        }
    }

    /// False if nothing can be faster: the cursor is at the live end already.
    pub fn faster(&mut self, over: bool) -> bool {
        let can = over || self.pace != Pace::Live;
        if can {
            self.speed = self.speed.faster();
        }
        can
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Time = Time(1_000_000_000);
    const FRAME: Nanos = Nanos(32_000_000);

    #[test]
    fn live_sticks_to_what_is_known() {
        let mut playback = Playback::default();
        playback.known_to(Time(5));
        playback.tick(FRAME, Time(5), false);
        assert_eq!(playback.cursor, Time(5));
        assert!(!playback.moves(Time(9)));
    }

    #[test]
    fn a_paused_cursor_stays_while_the_run_goes_on() {
        let mut playback = Playback::default();
        playback.known_to(Time(5));
        playback.toggle(Time(5), false);
        playback.known_to(Time(9));
        playback.tick(FRAME, Time(9), false);
        assert_eq!(playback.cursor, Time(5));
    }

    #[test]
    fn the_speed_scales_the_clock() {
        let mut playback = Playback::from_start();
        playback.tick(FRAME, END, true);
        assert_eq!(playback.cursor, Time(FRAME.0));
        playback.slower(false);
        playback.slower(false);
        playback.tick(FRAME, END, true);
        assert_eq!(playback.cursor, Time(FRAME.0 + FRAME.0 / 4));
        assert_eq!(playback.speed.to_string(), "1/4x");
        for _ in 0..20 {
            playback.faster(false);
        }
        assert_eq!(playback.speed.to_string(), "64x");
        playback.tick(FRAME, END, true);
        assert_eq!(playback.cursor, END);
        assert!(!playback.moves(END));
    }

    #[test]
    fn catching_up_with_a_run_is_live_again() {
        let mut playback = Playback::from_start();
        playback.tick(FRAME, Time(7), false);
        assert_eq!(playback.pace, Pace::Live);
        // Slow motion does not race ahead: it waits.
        playback.slower(false);
        playback.tick(FRAME, Time(8), false);
        assert_eq!((playback.pace, playback.cursor), (Pace::Playing, Time(8)));
    }

    #[test]
    fn at_the_end_going_on_plays_it_again() {
        let mut playback = Playback::from_start();
        playback.tick(Nanos::SECOND, END, true);
        playback.toggle(END, true);
        assert_eq!(playback, Playback::from_start());
    }

    #[test]
    fn nothing_starts_to_move_by_going_back_to_the_begin() {
        let rewound = |pace, cursor| {
            let mut playback = Playback {
                cursor,
                pace,
                ..Playback::default()
            };
            playback.rewind(END, true);
            (playback.pace, playback.cursor)
        };
        for pace in [Pace::Playing, Pace::Live, Pace::Paused] {
            assert_eq!(rewound(pace, END), (Pace::Paused, Time::ZERO));
        }
        assert_eq!(rewound(Pace::Playing, Time(5)), (Pace::Playing, Time::ZERO));
        assert_eq!(rewound(Pace::Paused, Time(5)), (Pace::Paused, Time::ZERO));
    }

    #[test]
    fn a_speed_stays_until_it_is_changed() {
        let mut playback = Playback::from_start();
        playback.slower(false);
        let slow = playback.speed;
        playback.go_live(Time(5));
        assert_eq!((playback.pace, playback.speed), (Pace::Live, slow));
        // Live is never slow: to be slower is to be as slow as before.
        playback.slower(false);
        assert_eq!((playback.pace, playback.speed), (Pace::Playing, slow));
        playback.go_live(END);
        // Of a run that is over there is nothing live.
        assert!(playback.faster(true));
        assert_eq!(playback.speed, Speed::default());
        let lags = Playback::default().at_speed(slow);
        assert_eq!((lags.pace, lags.cursor), (Pace::Playing, Time::ZERO));
        let fast = Playback::default().at_speed(Speed::default().faster());
        assert_eq!(fast.pace, Pace::Live);
    }

    #[test]
    fn nothing_is_faster_than_live() {
        let mut playback = Playback::default();
        assert!(!playback.faster(false));
        assert_eq!(playback.speed, Speed::default());
    }
}
