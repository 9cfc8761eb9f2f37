//! What is found, gathered: the same thing found many times is told once, with the worst of it.

use super::index::{About, Index};
use super::{Finding, FindingKind};
use crate::event::{LaneId, NoteKind, PoolId};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Pool, Sums, TimedNote, Trace};
use std::collections::BTreeMap;

/// What costs less than this in all is not worth a change of the program; nor is what costs less than a
/// hundredth of the run.
const WORTH: Nanos = Nanos(250_000_000);
/// The same of starting pools: a pool of fresh interpreters takes that long, and few programs mind.
const WORTH_OF_START: Nanos = Nanos(500_000_000);
const WORTH_SHARE: f64 = 0.01;

/// Between two things of which one made the other happen.
const AT_ONCE: Nanos = Nanos(500_000_000);

/// This long a program may take to end after it was told to: whoever sends a signal rarely waits longer.
const ENDS_WITHIN: Nanos = Nanos(10_000_000_000);

/// A run as of a moment.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) trace: &'a Trace,
    pub(super) index: &'a Index<'a>,
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

    /// In the order in which they began.
    pub(super) fn calls_of(self, pool: Option<PoolId>) -> impl Iterator<Item = &'a Call> {
        self.index.calls_of(pool).iter().copied()
    }

    /// The same of those that a caller made first.
    pub(super) fn calls_by(self, caller: LaneId) -> impl Iterator<Item = &'a Call> {
        self.index.calls_by(caller).iter().copied()
    }

    /// The program told this of it by then.
    pub(super) fn has_noted(self, kind: NoteKind, about: About) -> bool {
        let first = self.index.noted(kind, about);
        first.is_some_and(|first| first <= self.at)
    }

    /// How all workers of a pool spent their time in tasks between two moments.
    pub(super) fn sums_of(self, pool: Option<PoolId>, begin: Time, end: Time) -> Sums {
        let lanes = self.trace.rows_of(pool).flat_map(|row| &row.lanes);
        lanes
            .filter_map(|&id| self.trace.lane(id))
            .map(|lane| lane.sums_between(begin, end))
            .fold(Sums::default(), |all, sums| all + sums)
    }

    /// The same of the workers of all pools.
    pub(super) fn sums_of_all(self, begin: Time, end: Time) -> Sums {
        let lanes = self.index.workers_in(begin, end);
        lanes
            .map(|lane| lane.sums_between(begin, end))
            .fold(Sums::default(), |all, sums| all + sums)
    }

    /// The call that a note names.
    pub(super) fn call_of(self, note: &TimedNote) -> Option<&'a Call> {
        self.trace.call_by(note.note.call?)
    }

    /// How long the run took, or takes so far.
    fn length(self) -> Nanos {
        let over = self.trace.ended().map_or(self.at, |ended| ended.0);
        over.min(self.at).since(Time::ZERO)
    }

    /// The program had ended by then.
    pub(super) fn is_over(self) -> bool {
        self.trace.ended().is_some_and(|ended| ended.0 <= self.at)
    }

    /// As [`Pool::is_executor`].
    pub(super) fn is_executor(self, id: Option<PoolId>) -> bool {
        self.pool(id).is_some_and(Pool::is_executor)
    }

    /// As [`Pool::has_python_threads`]: nothing is pickled, and one worker computes at a time.
    pub(super) fn has_threads(self, id: Option<PoolId>) -> bool {
        self.pool(id).is_some_and(Pool::has_python_threads)
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
    /// What tells that the program was interrupted, at any time.
    interrupts: Vec<&'a TimedNote>,
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

/// The same finding at one place: the worst, how many there were, and their weights together.
struct Heap {
    worst: Finding,
    weight: f64,
    sum: f64,
    count: u32,
}

impl<'a> Search<'a> {
    pub(super) fn new(trace: &'a Trace, index: &'a Index<'a>, at: Time) -> Self {
        let notes = trace.notes().iter();
        Self {
            scene: Scene { trace, index, at },
            found: BTreeMap::new(),
            interrupts: notes.filter(|note| tells_of_interrupt(note)).collect(),
        }
    }

    /// Whoever watches sent the program a signal not long before it left something, or its workers tell of Ctrl-C
    /// at that time, which reaches all processes of a program: the caller leaves the pool at once, or all of them
    /// die. Then the workers' errors and ends, and what they left, say nothing of their tasks. A task that raises
    /// it by itself leaves a caller who waits; and a program that goes on has not been ended by a signal.
    pub(super) fn was_interrupted(&self, left: Time) -> bool {
        self.interrupts.iter().any(|note| {
            let after = left.since(note.at);
            let within = match note.note.kind {
                NoteKind::Signalled => after < ENDS_WITHIN && !self.goes_on(note.at, left),
                _ => after < AT_ONCE,
            };
            within && note.at.since(left) < AT_ONCE
        })
    }

    /// The program began another call after it was told to end, and before it left something.
    fn goes_on(&self, told: Time, left: Time) -> bool {
        let trace = self.scene.trace;
        let latest = trace.latest_call(left).and_then(|call| trace.call_by(call));
        latest.is_some_and(|call| call.began > told + AT_ONCE)
    }

    /// Something is so of this call; the more `weight`, the worse. Of what is slow the weight is the seconds
    /// that it costs.
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

    /// The same of the call that a note names, or else of its pool.
    pub(super) fn of_note(&mut self, note: &TimedNote, weight: f64, finding: Finding) {
        self.of_some_call(self.scene.call_of(note), weight, finding);
    }

    pub(super) fn of_some_call(&mut self, call: Option<&'a Call>, weight: f64, finding: Finding) {
        match call {
            Some(call) => self.of_call(call, weight, finding),
            None => self.of_pool(weight, finding),
        }
    }

    fn add(&mut self, place: Place<'a>, weight: f64, finding: Finding) {
        let key = (finding.kind, place);
        match self.found.get_mut(&key) {
            None => {
                let heap = Heap {
                    worst: finding,
                    weight,
                    sum: weight,
                    count: 1,
                };
                self.found.insert(key, heap);
            }
            Some(heap) => {
                heap.count += 1;
                heap.sum += weight;
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

    /// Something went wrong that may have ended the program: an error that nobody saw did not.
    pub(super) fn has_cause(&self) -> bool {
        let mut kinds = self.found.keys().map(|key| key.0);
        kinds.any(|kind| kind.is_fault() && kind != FindingKind::HiddenError)
    }

    /// What went wrong first, then by kind and time. What is slow, only where it is worth a change.
    pub(super) fn findings(self) -> Vec<Finding> {
        let run = self.scene.length();
        let told = self.found.into_iter().filter_map(|((kind, place), heap)| {
            let cost = Nanos((heap.sum * 1e9).round() as u64);
            let mut finding = heap.worst;
            if kind.is_slow() {
                if cost < worth(kind) || share_of(cost, run) < WORTH_SHARE {
                    return None;
                }
                finding.numbers.push(("cost", cost.0 as f64));
            }
            if heap.count > 1 {
                let what = match place {
                    Place::Pools => "pools",
                    Place::Line(..) | Place::Call(_) => "times there",
                };
                let in_all = if kind.is_slow() {
                    format!(", {cost} in all")
                } else {
                    String::new()
                };
                let more = format!(" (the worst of {} {what}{in_all})", heap.count);
                finding.text.push_str(&more);
                finding.numbers.push(("times", f64::from(heap.count)));
            }
            Some(finding)
        });
        let mut findings: Vec<_> = told.collect();
        findings.sort_by_key(|finding| (finding.kind, finding.at));
        findings
    }
}

/// Ctrl-C, or a worker that ends because of it.
pub(super) fn tells_of_interrupt(note: &TimedNote) -> bool {
    match note.note.kind {
        NoteKind::Signalled => true,
        NoteKind::WorkerExit => note.note.text.starts_with("KeyboardInterrupt"),
        _ => false,
    }
}

fn worth(kind: FindingKind) -> Nanos {
    match kind {
        FindingKind::StartUpCost => WORTH_OF_START,
        _ => WORTH,
    }
}

/// A finding of what a note tells, as yet without numbers.
pub(super) fn noted(kind: FindingKind, note: &TimedNote, text: String, advice: &str) -> Finding {
    Finding {
        kind,
        at: note.at,
        lane: Some(note.lane),
        call: note.note.call,
        text,
        advice: advice.to_owned(),
        numbers: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::told::ms;
    use super::*;

    /// This often the same of a pool, at the end of a run of so many milliseconds.
    fn found(kind: FindingKind, times: u32, seconds: f64, run: u64) -> Vec<Finding> {
        let trace = Trace::default();
        let index = Index::of(&trace);
        let mut search = Search::new(&trace, &index, ms(run));
        for _ in 0..times {
            let finding = Finding {
                kind,
                at: Time::ZERO,
                lane: None,
                call: None,
                text: "it is slow".to_owned(),
                advice: String::new(),
                numbers: Vec::new(),
            };
            search.of_pool(seconds, finding);
        }
        search.findings()
    }

    #[test]
    fn slowness_is_told_where_it_costs_something_in_all() {
        let many = found(FindingKind::ChunkTooLarge, 10, 0.025, 2_000);
        assert_eq!(
            many[0].text,
            "it is slow (the worst of 10 pools, 250 ms in all)"
        );
        assert_eq!(many[0].numbers, [("cost", 250_000_000.0), ("times", 10.0)]);
        assert_eq!(found(FindingKind::ChunkTooLarge, 9, 0.025, 2_000), []);
        assert_eq!(found(FindingKind::StartUpCost, 10, 0.025, 2_000), []);
        assert_eq!(found(FindingKind::StartUpCost, 20, 0.025, 2_000).len(), 1);
    }

    #[test]
    fn slowness_is_told_where_it_is_some_part_of_the_run() {
        assert_eq!(found(FindingKind::Straggler, 1, 1.0, 100_000).len(), 1);
        assert_eq!(found(FindingKind::Straggler, 1, 1.0, 101_000), []);
    }

    #[test]
    fn what_went_wrong_is_told_whatever_it_costs() {
        let faults = found(FindingKind::LostTask, 2, 0.0, 1_000);
        assert_eq!(faults[0].text, "it is slow (the worst of 2 pools)");
    }
}
