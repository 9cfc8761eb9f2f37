//! What is said in the place of the hint bar, and for how long.

use crate::app::App;
use crate::time::Nanos;

/// How long an answer to a key is read.
const LASTS: Nanos = Nanos(5_000_000_000);

/// When a notice goes without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Passing {
    /// Never: what went wrong in a run has to be read.
    #[default]
    Stays,
    /// Some seconds after the next tick: what is said reads no clock.
    Fresh,
    At(Nanos),
}

impl App {
    /// Answers a key, for some seconds.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(text.into());
        self.passing = Passing::Fresh;
    }

    /// Says it until the next key.
    pub(super) fn keep_saying(&mut self, text: impl Into<String>) {
        self.notice = Some(text.into());
        self.passing = Passing::Stays;
    }

    /// Something is said that goes by itself.
    pub(super) fn is_passing(&self) -> bool {
        self.notice.is_some() && self.passing != Passing::Stays
    }

    /// Lets go what was said long enough.
    pub(super) fn let_notice_pass(&mut self, now: Nanos) {
        if !self.is_passing() {
            return;
        }
        match self.passing {
            Passing::Fresh => self.passing = Passing::At(now + LASTS),
            Passing::At(end) if now >= end => {
                self.notice = None;
                self.changed();
            }
            Passing::At(_) | Passing::Stays => {}
        }
    }
}
