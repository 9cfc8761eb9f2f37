//! Where to find what belongs to a pool, a caller or a moment, so that nobody goes through all of a run for
//! each of its parts: a program may have thousands of pools, and as many calls.

use crate::event::{CallId, LaneId, NoteKind, PoolId};
use crate::time::Time;
use crate::trace::{Call, Lane, Trace};
use std::collections::{BTreeMap, HashMap};

/// See the module.
pub(super) struct Index<'a> {
    by_pool: BTreeMap<Option<PoolId>, Vec<&'a Call>>,
    by_caller: BTreeMap<LaneId, Vec<&'a Call>>,
    /// When it was first noted.
    notes: HashMap<(NoteKind, About), Time>,
    /// Of workers in pools, by their begin.
    lives: Vec<Life<'a>>,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum About {
    Pool(Option<PoolId>),
    Call(CallId),
    Lane(LaneId),
}

struct Life<'a> {
    lane: &'a Lane,
    /// When the last of those up to this one was over.
    all_over: Time,
}

impl<'a> Index<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        let mut index = Self {
            by_pool: BTreeMap::new(),
            by_caller: BTreeMap::new(),
            notes: HashMap::new(),
            lives: lives(trace),
        };
        for call in trace.calls() {
            let pool = index.by_pool.entry(call.facts.pool).or_default();
            pool.push(call);
            let caller = index.by_caller.entry(call.caller).or_default();
            caller.push(call);
        }
        for note in trace.notes() {
            let call = note.note.call.map(About::Call);
            let about = [About::Pool(note.note.pool), About::Lane(note.lane)];
            for about in about.into_iter().chain(call) {
                index
                    .notes
                    .entry((note.note.kind, about))
                    .or_insert(note.at);
            }
        }
        index
    }

    /// In the order in which they began.
    pub(super) fn calls_of(&self, pool: Option<PoolId>) -> &[&'a Call] {
        self.by_pool.get(&pool).map_or(&[], Vec::as_slice)
    }

    /// The same of those that a caller made first.
    pub(super) fn calls_by(&self, caller: LaneId) -> &[&'a Call] {
        self.by_caller.get(&caller).map_or(&[], Vec::as_slice)
    }

    /// When this was first noted of it.
    pub(super) fn noted(&self, kind: NoteKind, about: About) -> Option<Time> {
        self.notes.get(&(kind, about)).copied()
    }

    /// The workers of all pools that were there at some time between two moments.
    pub(super) fn workers_in(&self, begin: Time, end: Time) -> impl Iterator<Item = &'a Lane> {
        let count = self.lives.partition_point(|life| life.lane.opened <= end);
        let lives = self.lives[..count].iter().rev();
        // Whatever stands before the first that fails was over as well.
        let lives = lives.take_while(move |life| life.all_over >= begin);
        lives
            .map(|life| life.lane)
            .filter(move |lane| over(lane) >= begin)
    }
}

fn lives(trace: &Trace) -> Vec<Life<'_>> {
    let pools = trace.pools().map(|pool| Some(pool.facts.pool));
    let rows = pools.flat_map(|pool| trace.rows_of(pool));
    let lanes = rows.flat_map(|row| &row.lanes);
    let mut lanes: Vec<&Lane> = lanes.filter_map(|&id| trace.lane(id)).collect();
    lanes.sort_by_key(|lane| (lane.opened, lane.id));
    let mut all_over = Time::ZERO;
    let lives = lanes.into_iter().map(|lane| {
        all_over = all_over.max(over(lane));
        Life { lane, all_over }
    });
    lives.collect()
}

fn over(lane: &Lane) -> Time {
    lane.closed.map_or(Time::NEVER, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::super::told::{Told, ms};
    use super::*;
    use crate::event::{Ended, Kind, LaneKind, LaneOpened, PoolOpened};

    /// Pools with a worker each, one after the other, of 10 ms each and 10 ms apart.
    fn one_by_one(count: u32) -> Told {
        let mut told = Told::pool("Pool", 0);
        for pool in (1..=count).map(PoolId) {
            let (begin, lane) = (u64::from(pool.0) * 20, 100 + pool.0);
            let facts = PoolOpened {
                pool,
                kind: "Pool".to_owned(),
                start_method: None,
                workers: Some(1),
            };
            told.tell(begin, 0, Kind::PoolOpened(Box::new(facts)));
            let facts = LaneOpened {
                kind: LaneKind::Worker,
                pool: Some(pool),
                name: "worker 1".to_owned(),
                pid: None,
                tid: None,
            };
            told.tell(begin, lane, Kind::LaneOpened(Box::new(facts)));
            let ended = Ended::Finished;
            told.tell(begin + 10, lane, Kind::LaneClosed { ended });
        }
        told
    }

    #[test]
    fn workers_are_found_by_the_time_they_lived_in() {
        let told = one_by_one(4);
        let trace = told.trace();
        let index = Index::of(&trace);
        let there = |begin, end| {
            let lanes = index.workers_in(ms(begin), ms(end)).map(|lane| lane.id.0);
            let mut lanes: Vec<u32> = lanes.collect();
            lanes.sort_unstable();
            lanes
        };
        assert_eq!(there(0, 19), [0_u32; 0]);
        assert_eq!(there(25, 25), [101]);
        assert_eq!(there(30, 60), [101, 102, 103]);
        assert_eq!(there(31, 39), [0_u32; 0]);
        assert_eq!(there(90, 500), [104]);
    }

    #[test]
    fn a_pool_is_given_its_own_calls_and_what_was_noted_of_it_first() {
        let told = Told::pool("Pool", 2).call(0, "map", 2, 1);
        let told = told.note(7, 0, NoteKind::ResultThreadDied, 0);
        let told = told.note(9, 0, NoteKind::ResultThreadDied, 0);
        let trace = told.trace();
        let index = Index::of(&trace);
        let pool = trace.pools().next().map(|pool| pool.facts.pool);
        assert_eq!(index.calls_of(pool).len(), 1);
        assert_eq!(index.calls_of(None).len(), 0);
        let noted = |kind| index.noted(kind, About::Pool(pool));
        assert_eq!(noted(NoteKind::ResultThreadDied), Some(ms(7)));
        assert_eq!(noted(NoteKind::Broken), None);
    }
}
