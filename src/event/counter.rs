//! The counter G that tasks of the lab count in, as it stands at the end of a run.

use super::Sample;
use crate::time::Nanos;

/// The quantities of the [`Sample`]s that tell of it.
pub const COUNTER_MAIN: &str = "counter_main";
pub const COUNTER_SUM: &str = "counter_sum";
pub const COUNTER_MIN: &str = "counter_min";
pub const COUNTER_MAX: &str = "counter_max";
pub const LOCK_WAIT: &str = "lock_wait";

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// G as the main program sees it.
    pub main: u64,
    /// The sum over all copies of G.
    pub sum: u64,
    /// The least and the greatest that any interleaving gives; known of a race only.
    pub bounds: Option<(u64, u64)>,
    /// How long tasks waited for the lock around it, if there is one.
    pub lock_wait: Option<Nanos>,
}

impl Counter {
    /// What is known of it, a quantity each.
    pub fn samples(self) -> impl Iterator<Item = Sample> {
        let (least, most) = self.bounds.unzip();
        let quantities = [
            (COUNTER_MAIN, Some(self.main)),
            (COUNTER_SUM, Some(self.sum)),
            (COUNTER_MIN, least),
            (COUNTER_MAX, most),
            (LOCK_WAIT, self.lock_wait.map(|wait| wait.0)),
        ];
        quantities.into_iter().filter_map(|(quantity, value)| {
            Some(Sample {
                quantity: quantity.to_owned(),
                value: value? as f64,
            })
        })
    }
}
