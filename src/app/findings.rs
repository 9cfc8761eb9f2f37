//! What went wrong and what is slow in a program, as of the cursor; looked for now and then.

use crate::app::App;
use crate::app::freshness::Freshness;
use crate::finding::{self, Finding};
use crate::time::Nanos;

/// More than anybody reads.
const MOST: usize = 200;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The worst first, no more than anybody reads.
    pub found: Vec<Finding>,
    /// How many others there are.
    pub more: usize,
    pub(super) freshness: Freshness,
}

impl App {
    /// Looks again, if there is anything new to be found and the last look was long enough ago.
    pub(super) fn look_for_findings(&mut self, now: Nanos) {
        let trace = &self.run.trace;
        let things = trace.calls().len() + trace.rows().len() + trace.notes().len();
        if !self.findings.freshness.is_due(now, things) {
            return;
        }
        let mut found = finding::of(trace, self.cursor());
        let more = found.len().saturating_sub(MOST);
        found.truncate(MOST);
        if (more, &found) != (self.findings.more, &self.findings.found) {
            self.findings.more = more;
            self.findings.found = found;
            self.changed();
        }
    }
}
