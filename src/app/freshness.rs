//! When to look again for what takes its time to look for.

use crate::time::Nanos;

/// Between two looks: long traces take their time.
const PAUSE: Nanos = Nanos(300_000_000);

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

    /// Somebody looks now, without being asked to by the clock; whether there was reason to.
    pub(super) fn renew(&mut self) -> bool {
        std::mem::take(&mut self.is_doubted)
    }

    /// Whether to look now: there is reason to, and the last look was long enough ago.
    pub(super) fn is_due(&mut self, now: Nanos) -> bool {
        let soon = |last: Nanos| now.saturating_sub(last) < PAUSE;
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
        assert!(!freshness.is_due(Nanos(0)));
        freshness.doubt();
        assert!(freshness.is_due(Nanos(1)));
        assert!(!freshness.is_due(Nanos(1) + PAUSE));
        freshness.doubt();
        assert!(!freshness.is_due(PAUSE) && freshness.is_doubted());
        assert!(freshness.is_due(Nanos(1) + PAUSE));
        assert!(!freshness.is_doubted() && !freshness.renew());
    }
}
