//! How many there were of everything in a run, as of any moment.

use super::{Tally, Trace};
use crate::time::Time;

/// See the module. Fields are the keys of the JSON report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub pools: u64,
    /// Calls of a pool's methods: each `apply` and each `submit` is one, an `Executor.map` is one.
    pub calls: u64,
    /// Items that were started, those that failed too.
    pub tasks: u64,
    /// Messages to workers.
    pub chunks: u64,
    /// Workers that were started, replacements included.
    pub workers: u64,
    /// Items that raised.
    pub failed: u64,
    /// Items whose result can never come, because their worker died.
    pub lost: u64,
    /// Events that were not seen.
    pub dropped: u64,
    /// Processes of a program that are known not to be watched.
    pub unwatched: u64,
}

/// What is counted as it comes, over all calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tallies {
    /// Calls that repeat one that is shown.
    pub(super) again: Tally,
    pub(super) tasks: Tally,
    pub(super) chunks: Tally,
    pub(super) workers: Tally,
    pub(super) failed: Tally,
    pub(super) lost: Tally,
    pub(super) dropped: Tally,
    pub(super) unwatched: Tally,
    /// Of the unwatched those that had something to tell.
    pub(super) refused: Tally,
}

impl Trace {
    /// The counts as of `time`, the moment itself included.
    pub fn counts(&self, time: Time) -> Counts {
        let tallies = &self.tallies;
        let pools = self.pools().filter(|pool| pool.opened <= time);
        Counts {
            pools: pools.count() as u64,
            calls: self.calls.begun(time) as u64 + tallies.again.sum_until(time),
            tasks: tallies.tasks.sum_until(time),
            chunks: tallies.chunks.sum_until(time),
            workers: tallies.workers.sum_until(time),
            failed: tallies.failed.sum_until(time),
            lost: tallies.lost.sum_until(time),
            dropped: tallies.dropped.sum_until(time),
            unwatched: tallies.unwatched.sum_until(time),
        }
    }

    /// A task had failed or was lost at `time`.
    pub fn has_bad_ends(&self, time: Time) -> bool {
        let Tallies { failed, lost, .. } = &self.tallies;
        failed.sum_until(time) + lost.sum_until(time) > 0
    }
}
