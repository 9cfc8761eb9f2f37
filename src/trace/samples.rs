//! Quantities that were measured from time to time, each on its lane.

use super::Trace;
use crate::event::LaneId;
use crate::time::{Nanos, Span, Time};
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

    /// Whether any lane told this quantity.
    pub fn tells(&self, quantity: &str) -> bool {
        self.samples.contains_key(quantity)
    }

    /// How much a sum that is told from time to time grew within a stretch, and the length of what is known
    /// of it; `None` where nobody told. Between two samples it grew evenly, as far as anybody can say.
    pub fn growth(&self, lane: LaneId, quantity: &str, stretch: Span) -> Option<(f64, Nanos)> {
        let samples = self.samples(lane, quantity);
        let (first, last) = (samples.first()?.0, samples.last()?.0);
        let (from, to) = (stretch.start().max(first), stretch.end().min(last));
        if from >= to {
            return None;
        }
        let sum = |at: Time| {
            let next = samples.partition_point(|sample| sample.0 <= at);
            let next = next.clamp(1, samples.len() - 1);
            let ((since, before), (until, after)) = (samples[next - 1], samples[next]);
            let part = at.since(since).0 as f64 / until.since(since).0.max(1) as f64;
            before + (after - before) * part.min(1.0)
        };
        Some(((sum(to) - sum(from)).max(0.0), to.since(from)))
    }

    pub(super) fn measure(&mut self, quantity: String, lane: LaneId, at: Time, value: f64) {
        let lanes = self.samples.entry(super::text::cut(quantity)).or_default();
        let values = lanes.entry(lane).or_default();
        let place = values.partition_point(|value| value.0 <= at);
        values.insert(place, (at, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_lane_told_is_told() {
        let mut trace = Trace::default();
        trace.measure("memory".to_owned(), LaneId(7), Time(1), 5.0);
        assert_eq!(
            ["memory", "sum"].map(|quantity| trace.tells(quantity)),
            [true, false]
        );
    }

    #[test]
    fn a_sum_grows_evenly_between_two_samples_and_is_unknown_outside() {
        let mut trace = Trace::default();
        for (at, value) in [(100, 0.0), (200, 50.0), (400, 50.0), (500, 250.0)] {
            trace.measure("sum".to_owned(), LaneId(1), Time(at), value);
        }
        let growth = |from, to| {
            let grown = trace.growth(LaneId(1), "sum", Span::new(Time(from), Time(to)));
            grown.map(|(grown, known)| (grown as u64, known.0))
        };
        assert_eq!(growth(100, 200), Some((50, 100)));
        assert_eq!(growth(150, 450), Some((125, 300)));
        assert_eq!(growth(0, 150), Some((25, 50)));
        assert_eq!(
            [growth(0, 100), growth(500, 600), growth(300, 300)],
            [None; 3]
        );
        assert_eq!(
            trace.growth(LaneId(2), "sum", Span::new(Time(1), Time(2))),
            None
        );
    }
}
