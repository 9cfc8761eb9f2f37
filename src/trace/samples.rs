//! Quantities that were measured from time to time, each on its lane.

use super::Trace;
use crate::event::LaneId;
use crate::time::Time;
use std::collections::BTreeMap;

/// By quantity and lane, each in order of time.
pub(super) type Samples = BTreeMap<String, BTreeMap<LaneId, Vec<(Time, f64)>>>;

impl Trace {
    /// The last value of a quantity up to `time`, on whatever lane it was told.
    pub fn sample(&self, quantity: &str, time: Time) -> Option<f64> {
        let lanes = self.samples.get(quantity)?;
        let last = lanes.iter().filter_map(|(&lane, values)| {
            let told = values.partition_point(|value| value.0 <= time);
            let &(at, value) = values[..told].last()?;
            Some((at, lane, value))
        });
        last.max_by_key(|&(at, lane, _)| (at, lane))
            .map(|(_, _, value)| value)
    }

    /// Every value of a quantity on one lane, by time.
    pub fn samples(&self, lane: LaneId, quantity: &str) -> &[(Time, f64)] {
        let lanes = self.samples.get(quantity);
        lanes
            .and_then(|lanes| lanes.get(&lane))
            .map_or(&[][..], Vec::as_slice)
    }

    pub(super) fn measure(&mut self, quantity: String, lane: LaneId, at: Time, value: f64) {
        let lanes = self.samples.entry(super::text::cut(quantity)).or_default();
        let values = lanes.entry(lane).or_default();
        let place = values.partition_point(|value| value.0 <= at);
        values.insert(place, (at, value));
    }
}
