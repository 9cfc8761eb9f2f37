//! What a length is counted in where its seconds have no room, or are next to nothing.

use std::fmt;

use crate::time::Nanos;

/// The smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Unit {
    pub(super) const ALL: [Self; 6] = [
        Self::Microseconds,
        Self::Milliseconds,
        Self::Seconds,
        Self::Minutes,
        Self::Hours,
        Self::Days,
    ];

    /// For what takes so long as a whole: of a tenth of a second one decimal still tells something.
    pub(super) fn for_whole(length: Nanos) -> Self {
        match length.0 {
            ..100_000 => Self::Microseconds,
            100_000..100_000_000 => Self::Milliseconds,
            _ => Self::Seconds,
        }
    }

    pub(super) fn count(self, length: Nanos) -> f64 {
        length.seconds() / self.seconds()
    }

    fn seconds(self) -> f64 {
        match self {
            Self::Microseconds => 1e-6,
            Self::Milliseconds => 1e-3,
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3_600.0,
            Self::Days => 86_400.0,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microseconds => "microseconds",
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        })
    }
}
