//! The loop for a screen in the hall: methods one after another, each with a caption.

use crate::method::Method;
use crate::time::Nanos;

/// A method and what to look at while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    pub method: Method,
    pub caption: &'static str,
}

/// The acts, round and round.
pub const ACTS: [Act; 4] = [
    Act {
        method: Method::Map,
        caption: "map: main waits for the list; tasks finish in any order, the list is in order",
    },
    Act {
        method: Method::MapAsync,
        caption: "map_async: main works meanwhile; the same list, in order, all at once",
    },
    Act {
        method: Method::Imap,
        caption: "imap: results one by one, in order; an early one is held back until its turn",
    },
    Act {
        method: Method::ImapUnordered,
        caption: "imap_unordered: each result as it finishes: scrambled, and the first one early",
    },
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
    pub fn act(&self) -> Act {
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
    fn a_caption_is_one_line_of_80_columns() {
        for act in ACTS {
            assert!(act.caption.len() <= 78, "{}", act.caption);
        }
    }

    #[test]
    fn each_act_stays_a_few_seconds_after_its_end() {
        let mut demo = Demo::default();
        let second = |n: u64| Nanos(n * 1_000_000_000);
        assert!(!demo.tick(second(1), false));
        assert!(!demo.tick(second(9), true));
        assert!(!demo.tick(second(12), true));
        assert!(demo.tick(second(13), true));
        assert_eq!(demo.act().method, Method::MapAsync);
        assert!(!demo.tick(second(14), false));
        assert!(!demo.tick(second(99), true));
    }
}
