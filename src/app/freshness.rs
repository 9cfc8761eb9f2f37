//! When to look again for what takes its time to look for.

use crate::time::Nanos;

/// Between two looks, at least.
const PAUSE: Nanos = Nanos(300_000_000);
/// And more of it for each thing that is looked at: that takes a few microseconds, so that looking never
/// takes more than a tenth of the time.
const PAUSE_FOR_EACH: Nanos = Nanos(50_000);

/// Whether what was found still holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Freshness {
    /// There may be something else to find by now.
    is_doubted: bool,
    /// When the clock last called for a look.
    looked: Option<Nanos>,
}

impl Freshness {
    pub(super) fn doubt(&mut self) {
        self.is_doubted = true;
    }

    /// The clock must go on for a look.
    pub(super) fn is_doubted(self) -> bool {
        self.is_doubted
    }

    /// Somebody looks now, without being asked to by the clock.
    pub(super) fn renew(&mut self) {
        self.is_doubted = false;
    }

    /// Whether to look now at so many things: there is reason to, and the last look was long enough ago.
    pub(super) fn is_due(&mut self, now: Nanos, things: usize) -> bool {
        let more = Nanos(PAUSE_FOR_EACH.0.saturating_mul(things as u64));
        let soon = |last: Nanos| now.saturating_sub(last) < PAUSE.max(more);
        let due = self.is_doubted && !self.looked.is_some_and(soon);
        if due {
            self.is_doubted = false;
            self.looked = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_due_with_a_doubt_and_not_too_soon() {
        let mut freshness = Freshness::default();
        assert!(!freshness.is_due(Nanos(0), 0));
        freshness.doubt();
        assert!(freshness.is_due(Nanos(1), 0));
        assert!(!freshness.is_due(Nanos(1) + PAUSE, 0));
        freshness.doubt();
        assert!(!freshness.is_due(PAUSE, 0) && freshness.is_doubted());
        assert!(freshness.is_due(Nanos(1) + PAUSE, 0));
        assert!(!freshness.is_doubted());
    }

    #[test]
    fn the_more_there_is_to_look_at_the_longer_is_the_pause() {
        let mut freshness = Freshness::default();
        freshness.doubt();
        assert!(freshness.is_due(Nanos(0), 20_000));
        freshness.doubt();
        assert!(!freshness.is_due(PAUSE, 20_000) && freshness.is_doubted());
        assert!(freshness.is_due(Nanos(1_000_000_000), 20_000));
    }

    #[test]
    fn whoever_looks_by_himself_leaves_no_doubt() {
        let mut freshness = Freshness::default();
        freshness.doubt();
        freshness.renew();
        assert!(!freshness.is_doubted() && !freshness.is_due(Nanos(1), 0));
    }
}
