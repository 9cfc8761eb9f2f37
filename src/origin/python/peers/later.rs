//! What was said, until everything that it speaks of is there.

use crate::origin::python::join::{Join, Peer};
use crate::origin::python::wire::{Record, StringId};

/// What has not come so many nanoseconds after the record that speaks of it was seen will not.
const OVERDUE: u64 = 100_000_000;

/// What a process said that has its place among what all others say.
#[derive(Debug)]
pub(super) enum Said {
    Record(Record),
    NoProbe { part: String, reason: String },
}

impl Said {
    fn text(&self) -> Option<StringId> {
        match self {
            Self::Record(record) => record.told.text(),
            Self::NoProbe { .. } => None,
        }
    }

    fn thread(&self) -> Option<u16> {
        match self {
            Self::Record(record) => Some(record.thread),
            Self::NoProbe { .. } => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Later {
    /// Of what time it tells: whoever said it may have been held up since.
    pub(super) at: u64,
    /// When it was first seen here.
    pub(super) came: u64,
    pub(super) said: Said,
}

impl Later {
    /// Its text, or the name of its thread, is on its way: both are sent before the record, but may be read after it.
    /// With `all_threads` all names are there.
    pub(super) fn waits(&self, join: &Join, peer: Peer, all_threads: bool, now: u64) -> bool {
        let knows_text = |text| join.knows(peer, text);
        let knows_thread = |thread| all_threads || join.knows_thread(peer, thread);
        let is_whole =
            self.said.text().is_none_or(knows_text) && self.said.thread().is_none_or(knows_thread);
        !is_whole && self.came + OVERDUE > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::python::wire::{Hello, Told};

    #[test]
    fn who_was_held_up_before_he_said_it_is_waited_for_all_the_same() {
        const SECOND: u64 = 1_000_000_000;
        let mut join = Join::new(0, 7);
        let hello = Hello {
            pid: 7,
            parent: 1,
            version: "3.11.7".to_owned(),
            executable: "python".to_owned(),
            argv: Vec::new(),
        };
        let peer = join.hello(&hello).unwrap();
        let text = StringId(3);
        let told = Told::Call {
            call: 0,
            text,
            tasks: None,
        };
        let (at, thread, cpu) = (SECOND, 0, None);
        let record = Record {
            at,
            thread,
            cpu,
            told,
        };
        let later = Later {
            at,
            came: 2 * SECOND,
            said: Said::Record(record),
        };
        let waits = |join: &Join, after: u64| later.waits(join, peer, false, 2 * SECOND + after);
        assert!(waits(&join, 0) && waits(&join, OVERDUE - 1));
        assert!(!waits(&join, OVERDUE));
        join.name(peer, text, "map".to_owned());
        assert!(waits(&join, 0), "nobody said the name of its thread");
        join.thread(peer, 0, 7, "MainThread");
        assert!(!waits(&join, 0));
    }
}
