//! What went wrong and what is slow in a program, as of the cursor; looked for now and then.

use crate::app::App;
use crate::finding::{self, Finding};
use crate::time::Nanos;

/// Between two looks: long traces take their time.
const PAUSE: Nanos = Nanos(300_000_000);
/// More than anybody reads.
const MOST: usize = 200;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The worst first, no more than anybody reads.
    pub found: Vec<Finding>,
    /// How many others there are.
    pub more: usize,
    /// There may be others by now.
    are_old: bool,
    /// When they were looked for.
    looked: Option<Nanos>,
}

impl Findings {
    /// The clock must go on for a look.
    pub(super) fn wait(&self) -> bool {
        self.are_old
    }
}

impl App {
    /// The trace or the cursor has changed, and with them what can be found.
    pub(super) fn doubt_findings(&mut self) {
        self.findings.are_old = self.run.program().is_some();
    }

    /// Looks again, if there is anything new to be found and the last look was long enough ago.
    pub(super) fn look_for_findings(&mut self, now: Nanos) {
        let soon = |last: Nanos| now.saturating_sub(last) < PAUSE;
        if !self.findings.are_old || self.findings.looked.is_some_and(soon) {
            return;
        }
        self.findings.are_old = false;
        self.findings.looked = Some(now);
        let mut found = finding::of(&self.run.trace, self.cursor());
        let more = found.len().saturating_sub(MOST);
        found.truncate(MOST);
        if (more, &found) != (self.findings.more, &self.findings.found) {
            self.findings.more = more;
            self.findings.found = found;
            self.changed();
        }
    }
}
