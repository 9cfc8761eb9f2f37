//! Traces folded from events: as they were told, and in batches and mixtures of lanes at random.

use parviz::event::{Event, LaneId};
use parviz::trace::Trace;
use proptest::sample::Index;
use std::collections::BTreeMap;

pub(crate) fn folded(events: Vec<Event>) -> Trace {
    let mut trace = Trace::default();
    trace.apply(events);
    trace
}

/// Every lane keeps its own order; which lane speaks next, and for how long, is picked.
pub(crate) fn mixed(events: Vec<Event>, picks: &[Index]) -> Trace {
    let mut lanes: BTreeMap<LaneId, Vec<Event>> = BTreeMap::new();
    for event in events {
        lanes.entry(event.lane).or_default().insert(0, event);
    }
    let mut mixed = Trace::default();
    let mut picks = picks.iter().cycle();
    while !lanes.is_empty() {
        let pick = picks.next().unwrap();
        let lane = *lanes.keys().nth(pick.index(lanes.len())).unwrap();
        let rest = lanes.get_mut(&lane).unwrap();
        mixed.apply((0..=pick.index(5)).filter_map(|_| rest.pop()).collect());
        if rest.is_empty() {
            lanes.remove(&lane);
        }
    }
    mixed
}
