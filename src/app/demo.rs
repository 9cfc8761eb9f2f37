//! The loop for a screen in the hall: methods one after another.

use crate::method::Method;
use crate::time::Nanos;

/// The methods, round and round.
pub const ACTS: [Method; 4] = [
    Method::Map,
    Method::MapAsync,
    Method::Imap,
    Method::ImapUnordered,
];

/// How long a finished run stays.
const PAUSE: Nanos = Nanos(4_000_000_000);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demo {
    act: usize,
    /// When the run was seen to its end.
    ended: Option<Nanos>,
}

impl Demo {
    /// The method that is shown.
    pub fn act(&self) -> Method {
        ACTS[self.act % ACTS.len()]
    }

    /// True when it is time for the next act; `at_end`: this one has been seen to its end.
    pub fn tick(&mut self, now: Nanos, at_end: bool) -> bool {
        match (at_end, self.ended) {
            (false, _) => self.ended = None,
            (true, None) => self.ended = Some(now),
            (true, Some(ended)) if now.saturating_sub(ended) >= PAUSE => {
                self.act = (self.act + 1) % ACTS.len();
                self.ended = None;
                return true;
            }
            (true, Some(_)) => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_stays_a_few_seconds_after_its_end() {
        let mut demo = Demo::default();
        let second = |n: u64| Nanos(n * 1_000_000_000);
        assert!(!demo.tick(second(1), false));
        assert!(!demo.tick(second(9), true));
        assert!(!demo.tick(second(12), true));
        assert!(demo.tick(second(13), true));
        assert_eq!(demo.act(), Method::MapAsync);
        assert!(!demo.tick(second(14), false));
        assert!(!demo.tick(second(99), true));
    }
}
