//! What is found, gathered: the same thing found many times is told once, with the worst of it.

use super::{Finding, FindingKind};
use crate::event::PoolId;
use crate::time::{Nanos, Time};
use crate::trace::{Call, Pool, TimedNote, Trace};
use std::collections::BTreeMap;

/// A run as of a moment.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) trace: &'a Trace,
    pub(super) at: Time,
}

impl<'a> Scene<'a> {
    /// What the program told of itself by then, by time.
    pub(super) fn notes(self) -> &'a [TimedNote] {
        let notes = self.trace.notes();
        &notes[..notes.partition_point(|note| note.at <= self.at)]
    }

    pub(super) fn pool(self, id: Option<PoolId>) -> Option<&'a Pool> {
        self.trace.pool(id?)
    }

    /// An executor answers for workers that die; a Pool does not.
    pub(super) fn is_executor(self, id: Option<PoolId>) -> bool {
        self.pool(id)
            .is_some_and(|pool| pool.facts.kind.ends_with("Executor"))
    }

    /// Its workers are threads of the program: nothing is pickled, and one computes at a time.
    pub(super) fn has_threads(self, id: Option<PoolId>) -> bool {
        self.pool(id)
            .is_some_and(|pool| pool.facts.kind.to_lowercase().contains("thread"))
    }
}

/// From 0 to 1; of nothing it is nothing.
pub(super) fn share_of(part: Nanos, whole: Nanos) -> f64 {
    if whole == Nanos::ZERO {
        return 0.0;
    }
    part.0 as f64 / whole.0 as f64
}

/// What has been found so far.
pub(super) struct Search<'a> {
    pub(super) scene: Scene<'a>,
    found: BTreeMap<(FindingKind, Place<'a>), Heap>,
}

/// Where in the program something is so. What is so there again is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    /// Some pool.
    Pools,
    /// Calls of this method in this line.
    Line(&'a str, u32, &'a str),
    Call(u32),
}

/// The same finding at one place: the worst, and how many there were.
struct Heap {
    worst: Finding,
    weight: f64,
    count: u32,
}

impl<'a> Search<'a> {
    pub(super) fn new(trace: &'a Trace, at: Time) -> Self {
        Self {
            scene: Scene { trace, at },
            found: BTreeMap::new(),
        }
    }

    /// Something is so of this call; the more `weight`, the worse.
    pub(super) fn of_call(&mut self, call: &'a Call, weight: f64, finding: Finding) {
        let place = match &call.facts.source {
            Some((file, line)) => Place::Line(file, *line, &call.facts.method),
            None => Place::Call(call.facts.call.0),
        };
        self.add(place, weight, finding);
    }

    /// The same of a pool.
    pub(super) fn of_pool(&mut self, weight: f64, finding: Finding) {
        self.add(Place::Pools, weight, finding);
    }

    fn add(&mut self, place: Place<'a>, weight: f64, finding: Finding) {
        let key = (finding.kind, place);
        match self.found.get_mut(&key) {
            None => {
                let heap = Heap {
                    worst: finding,
                    weight,
                    count: 1,
                };
                self.found.insert(key, heap);
            }
            Some(heap) => {
                heap.count += 1;
                if weight > heap.weight {
                    (heap.worst, heap.weight) = (finding, weight);
                }
            }
        }
    }

    /// Something of this kind was found.
    pub(super) fn has(&self, kind: FindingKind) -> bool {
        self.found.keys().any(|key| key.0 == kind)
    }

    /// What went wrong first, then by kind and time.
    pub(super) fn findings(self) -> Vec<Finding> {
        let told = self.found.into_iter().map(|((_, place), heap)| {
            let mut finding = heap.worst;
            if heap.count > 1 {
                let what = match place {
                    Place::Pools => "pools",
                    Place::Line(..) | Place::Call(_) => "times there",
                };
                let more = format!(" (the worst of {} {what})", heap.count);
                finding.text.push_str(&more);
                finding.numbers.push(("times", f64::from(heap.count)));
            }
            finding
        });
        let mut findings: Vec<_> = told.collect();
        findings.sort_by_key(|finding| (finding.kind, finding.at));
        findings
    }
}
