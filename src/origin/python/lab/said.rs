//! What the script of the lab says, a JSON object a line. Moments are those of its monotonic clock, lengths too are
//! in nanoseconds.

use serde::Deserialize;

/// A line of the script.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Said {
    Version {
        python: String,
    },
    Ready {
        ready: u64,
    },
    Began {
        began: u32,
        at: u64,
    },
    Ended {
        ended: u32,
        at: u64,
        /// On a CPU, and waiting for one, if that is known.
        took: Vec<u64>,
        error: Option<String>,
    },
    Looped {
        looped: u64,
    },
    Hangs {
        hangs: u32,
        at: u64,
    },
    Done {
        done: u64,
        /// The name of the error that ended it.
        error: Option<String>,
    },
    /// What the counter of a process was after a task.
    Counted {
        copy: u32,
        counted: u64,
    },
    /// What that of the main program is at the end of all.
    Counter {
        main: u32,
        counter: u64,
    },
}
