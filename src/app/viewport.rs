//! The stretch of time that the axis shows.
//!
//! It never glides and is never changed under the person's hand: a live run's axis ends at 1, 2 or
//! 5 x 10^k and grows in such steps; the first pan or zoom by hand ends even that until asked back.

use crate::time::{Nanos, Span, Time};

/// Who decides what is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// The whole run, growing with it.
    #[default]
    Fit,
    /// The whole of a run whose end is known.
    Whole,
    /// A stretch of this length that turns the page when the cursor comes to its end.
    Page,
    /// The person's own choice.
    Hand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewport {
    pub start: Time,
    pub length: Nanos,
    pub follow: Follow,
}

/// Shorter than anything that can be told apart on a clock.
const SHORTEST: Nanos = Nanos(100);
/// Longer than any run.
const LONGEST: Nanos = Nanos(6_048_000_000_000_000);

impl Default for Viewport {
    fn default() -> Self {
        Self {
            start: Time::ZERO,
            length: Nanos::SECOND,
            follow: Follow::Fit,
        }
    }
}

impl Viewport {
    /// The whole of a run that is expected to take so long.
    pub fn expecting(length: Nanos) -> Self {
        Self {
            length: ladder(Time(length.0)),
            ..Self::default()
        }
    }

    /// The axis for the next run, which is expected to take so long: the same one if that suits, so that
    /// what a switch changed is seen at one scale. A run that is `known` whole before it is seen needs no
    /// room to grow.
    #[must_use]
    pub fn next(self, length: Nanos, known: bool) -> Self {
        if self.is_whole_run() && self.suits(length) {
            let follow = if known { Follow::Whole } else { Follow::Fit };
            Self { follow, ..self }
        } else {
            Self::expecting(length)
        }
    }

    /// From the begin, and not by hand.
    fn is_whole_run(self) -> bool {
        matches!(self.follow, Follow::Fit | Follow::Whole)
    }

    /// Neither too short nor more than twice too long.
    fn suits(self, length: Nanos) -> bool {
        self.length >= length && self.length.0 / 2 <= length.0
    }

    /// The run turns out to end at `end`: an axis that was only expected to suit is fitted.
    pub fn ends(&mut self, end: Time) {
        let kept = match self.follow {
            Follow::Whole => self.suits(Nanos(end.0)),
            // It grew in steps: kept where next to nothing of it is empty.
            Follow::Fit => (self.length.0 / 16 * 15..=self.length.0).contains(&end.0),
            Follow::Page | Follow::Hand => return,
        };
        if kept {
            self.follow = Follow::Whole;
        } else {
            self.fit_exactly(end);
        }
    }

    pub fn span(&self) -> Span {
        Span::new(self.start, self.start + self.length)
    }

    /// The cursor is at `cursor`. True if the axis had to change for it.
    pub fn show(&mut self, cursor: Time) -> bool {
        let before = *self;
        match self.follow {
            Follow::Fit => {
                if past(cursor, self.start, self.length) {
                    self.length = self.length.max(ladder(cursor));
                }
            }
            Follow::Whole => {
                if cursor > self.span().end() {
                    self.fit_exactly(cursor);
                }
            }
            Follow::Page => {
                if cursor < self.start || past(cursor, self.start, self.length) {
                    self.start = cursor - Nanos(self.length.0 / 10);
                }
            }
            Follow::Hand => {}
        }
        *self != before
    }

    /// Brings a moment that the person jumped to into sight, moving as little as needed.
    pub fn reveal(&mut self, at: Time) {
        let margin = Nanos(self.length.0 / 20);
        if at < self.start {
            self.start = at - margin;
        } else if at > self.span().end() {
            self.start = at - self.length.saturating_sub(margin);
        }
    }

    /// Brings a whole stretch into sight that the person asked for; nothing changes where it is.
    pub fn focus(&mut self, span: Span) {
        let seen = self.span();
        let is_wide = span.length().0 >= seen.length().0 / 8;
        if seen.start() <= span.start() && span.end() <= seen.end() && is_wide {
            return;
        }
        let margin = Nanos(span.length().0 / 16).max(SHORTEST);
        self.start = span.start() - margin;
        self.length = (span.length() + margin + margin).clamp(SHORTEST, LONGEST);
        self.follow = Follow::Hand;
    }

    /// Everything from the begin to `end` and no more.
    pub fn fit_exactly(&mut self, end: Time) {
        *self = Self {
            start: Time::ZERO,
            length: Nanos(end.0.saturating_add(end.0 / 64)).max(SHORTEST),
            follow: Follow::Whole,
        };
    }

    /// The whole of a run that still grows.
    pub fn fit_growing(&mut self, cursor: Time) {
        *self = Self {
            length: ladder(cursor),
            ..Self::default()
        };
    }

    /// Goes on with the end in sight, at this zoom.
    pub fn follow(&mut self, cursor: Time) {
        if self.follow == Follow::Hand {
            self.follow = Follow::Page;
        }
        self.show(cursor);
    }

    /// By so many eighths of what is seen; negative: towards the begin. Where there is nothing more that
    /// way, nothing changes: nobody could tell that the axis had stopped following.
    pub fn pan(&mut self, eighths: i64) {
        let step = Nanos((self.length.0 / 8).saturating_mul(eighths.unsigned_abs()));
        let start = if eighths < 0 {
            self.start - step
        } else {
            self.start + step
        };
        if start != self.start {
            self.start = start;
            self.follow = Follow::Hand;
        }
    }

    /// Moves the moment `from` to where `to` is now.
    pub fn drag(&mut self, from: Time, to: Time) {
        self.start = (self.start + from.since(to)) - to.since(from);
        self.follow = Follow::Hand;
    }

    /// Twice as near or far, leaving `around` where it is.
    pub fn zoom(&mut self, nearer: bool, around: Time) {
        let around = around.clamp(self.start, self.span().end());
        let length = if nearer {
            Nanos(self.length.0 / 2)
        } else {
            Nanos(self.length.0.saturating_mul(2))
        };
        let length = length.clamp(SHORTEST, LONGEST);
        let before = around.since(self.start).0 as f64 / self.length.0.max(1) as f64;
        self.start = around - Nanos((before * length.0 as f64) as u64);
        self.length = length;
        self.follow = Follow::Hand;
    }
}

/// Past 95 % of the axis.
fn past(cursor: Time, start: Time, length: Nanos) -> bool {
    cursor.since(start).0 > length.0 / 20 * 19
}

/// The first of 1, 2, 5 x 10^k (from 1 us) that has `cursor` within its first 95 %.
fn ladder(cursor: Time) -> Nanos {
    let mut decade = 1_000;
    loop {
        for step in [1, 2, 5] {
            let length = Nanos(decade * step);
            if !past(cursor, Time::ZERO, length) || length >= LONGEST {
                return length;
            }
        }
        decade *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Time {
        Time(Nanos::from_seconds(seconds).0)
    }

    #[test]
    fn the_axis_grows_in_steps_when_the_cursor_comes_near_its_end() {
        let mut view = Viewport::default();
        assert!(!view.show(seconds(0.94)));
        assert!(view.show(seconds(0.96)));
        assert_eq!(view.length, Nanos(2 * Nanos::SECOND.0));
        view.show(seconds(1.91));
        assert_eq!(view.length, Nanos(5 * Nanos::SECOND.0));
        view.show(seconds(0.1));
        assert_eq!(view.length, Nanos(5 * Nanos::SECOND.0));
    }

    #[test]
    fn a_pan_by_hand_stops_following_until_asked_back() {
        let mut view = Viewport::default();
        view.pan(1);
        assert!(!view.show(seconds(30.0)));
        assert_eq!(view.start, seconds(0.125));
        view.follow(seconds(30.0));
        assert!(view.span().contains(seconds(30.0)));
        assert_eq!(view.length, Nanos::SECOND);
        view.fit_growing(seconds(30.0));
        assert_eq!((view.start, view.length.seconds()), (Time::ZERO, 50.0));
    }

    #[test]
    fn a_pan_that_moves_nothing_goes_on_following() {
        let mut view = Viewport::default();
        view.pan(-1);
        assert_eq!(view, Viewport::default());
        assert!(view.show(seconds(5.0)));
        assert!(view.span().contains(seconds(5.0)));
    }

    #[test]
    fn the_axis_of_a_run_whose_end_is_known_does_not_grow_before_it() {
        let mut view = Viewport::default();
        view.fit_exactly(seconds(4.0));
        assert!(!view.show(seconds(4.0)));
        assert!(view.show(seconds(9.0)));
        assert!(view.span().end() < seconds(10.0));
    }

    #[test]
    fn an_axis_that_grew_is_fitted_at_the_end_unless_it_is_full_or_by_hand() {
        let ends = |mut view: Viewport, at: f64| {
            view.show(seconds(at));
            view.ends(seconds(at));
            view
        };
        let fitted = ends(Viewport::default(), 5.05);
        assert!(fitted.length < Nanos::from_seconds(5.2) && fitted.follow == Follow::Whole);
        let again = ends(fitted.next(Nanos::from_seconds(4.0), false), 4.85);
        assert_eq!(again, fitted);
        let mut by_hand = Viewport::default();
        by_hand.pan(1);
        assert_eq!(ends(by_hand, 5.05), by_hand);
    }

    #[test]
    fn the_next_run_is_seen_at_the_same_scale_if_that_suits() {
        let mut view = Viewport::default();
        view.fit_exactly(seconds(4.2));
        let scale = view.length;
        view = view.next(Nanos::from_seconds(2.6), true);
        view.ends(seconds(2.9));
        assert_eq!((view.length, view.follow), (scale, Follow::Whole));
        view = view.next(Nanos::from_seconds(0.3), true);
        view.ends(seconds(0.4));
        assert!(view.length < Nanos::SECOND);
        view = view.next(Nanos::from_seconds(30.0), false);
        assert_eq!(view, Viewport::expecting(Nanos::from_seconds(30.0)));
    }

    #[test]
    fn zooming_leaves_the_moment_under_the_pointer_where_it_is() {
        let mut view = Viewport::default();
        view.zoom(true, seconds(0.5));
        assert_eq!(view.span(), Span::new(seconds(0.25), seconds(0.75)));
        view.zoom(false, seconds(0.5));
        assert_eq!(view.span(), Span::new(seconds(0.0), seconds(1.0)));
        for _ in 0..100 {
            view.zoom(true, seconds(0.3));
        }
        assert!(view.length.0 >= 100);
        for _ in 0..200 {
            view.zoom(false, seconds(0.3));
        }
        assert!(view.length <= LONGEST);
    }

    #[test]
    fn dragging_moves_the_picture_with_the_pointer() {
        let mut view = Viewport::default();
        view.drag(seconds(0.5), seconds(0.2));
        assert_eq!(view.start, seconds(0.3));
        view.drag(seconds(0.4), seconds(0.5));
        assert_eq!(view.start, seconds(0.2));
        view.drag(seconds(0.1), seconds(0.9));
        assert_eq!(view.start, Time::ZERO);
    }

    #[test]
    fn a_jump_out_of_sight_is_followed_as_little_as_needed() {
        let mut view = Viewport::default();
        view.zoom(true, Time::ZERO);
        view.reveal(seconds(0.2));
        assert_eq!(view.start, Time::ZERO);
        view.reveal(seconds(0.9));
        assert!(view.span().contains(seconds(0.9)) && view.start < seconds(0.5));
        view.reveal(seconds(0.1));
        assert!(view.span().contains(seconds(0.1)));
    }
}
