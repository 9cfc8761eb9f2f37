//! Pools in which nobody is left to do what waits: their workers wait themselves, or are gone.

use super::search::{Scene, Search};
use super::words::call as named;
use super::{Finding, FindingKind};
use crate::event::{BlockedIn, CallerState, LaneId, NoteKind, PoolId};
use crate::plural::counted;
use crate::time::{Nanos, Span, Time};
use crate::trace::{Call, Lane, Pool};
use std::collections::{BTreeMap, BTreeSet};

/// Whoever waits that long is not about to go on.
const LONG: Nanos = Nanos(1_000_000_000);
/// When a program ends, all that waits in it ends as well, not quite at the same moment.
const END: Nanos = Nanos(100_000_000);

/// Tasks that nobody has taken for long, and the workers that should.
struct Queue<'a> {
    scene: Scene<'a>,
    pool: &'a Pool,
    /// The calls that they are of, at least one.
    calls: Vec<&'a Call>,
    tasks: u64,
    /// All workers that the pool ever had, at least one.
    lanes: Vec<&'a Lane>,
    since: Time,
}

pub(super) fn search(search: &mut Search<'_>) {
    let scene = search.scene;
    let since = Time(scene.at.0.saturating_sub(LONG.0));
    let mut waiting: BTreeMap<PoolId, Vec<&Call>> = BTreeMap::new();
    for call in scene.trace.calls() {
        // A call that ended with the program was open until then.
        let is_open = call.began <= since && call.ended.is_none_or(|(at, _)| at + END > scene.at);
        if let Some(pool) = call.facts.pool
            && is_open
            && call.queue_at(since) > 0
        {
            waiting.entry(pool).or_default().push(call);
        }
    }
    for (id, calls) in waiting {
        let queue = scene
            .pool(Some(id))
            .and_then(|pool| Queue::of(scene, pool, calls, since));
        let found = queue.and_then(|queue| {
            let found = queue.no_worker_left().or_else(|| queue.nested());
            found.map(|found| (queue.tasks as f64, found))
        });
        if let Some((weight, finding)) = found {
            search.of_pool(weight, finding);
        }
    }
}

impl<'a> Queue<'a> {
    /// `None` of a pool that nobody expects anything of.
    fn of(scene: Scene<'a>, pool: &'a Pool, calls: Vec<&'a Call>, since: Time) -> Option<Self> {
        let id = Some(pool.facts.pool);
        // An executor that is shut down works on; one that gave up has no queue any more.
        let is_closed = pool.closed.is_some_and(|closed| closed <= since);
        let gave_up =
            |(kind, pool): (NoteKind, Option<PoolId>)| kind == NoteKind::Broken && pool == id;
        let mut notes = scene.notes().iter();
        if is_closed && !scene.is_executor(id)
            || notes.any(|note| gave_up((note.note.kind, note.note.pool)))
        {
            return None;
        }
        let rows = scene.trace.rows_of(id).flat_map(|row| &row.lanes);
        let lanes = rows.filter_map(|&id| scene.trace.lane(id));
        let lanes: Vec<&Lane> = lanes.filter(|lane| lane.opened <= scene.at).collect();
        let tasks = calls
            .iter()
            .map(|call| u64::from(call.queue_at(since)))
            .sum();
        (!lanes.is_empty()).then_some(Self {
            scene,
            pool,
            calls,
            tasks,
            lanes,
            since,
        })
    }

    fn no_worker_left(&self) -> Option<Finding> {
        let gone = self
            .lanes
            .iter()
            .map(|lane| lane.closed.map_or(Time::NEVER, |(at, _)| at));
        let gone = gone.max().filter(|&gone| gone <= self.since)?;
        let call = self.calls[0];
        Some(Finding {
            kind: FindingKind::NoWorkerLeft,
            at: gone,
            lane: None,
            call: Some(call.facts.call),
            text: format!(
                "{} in the queue of a {} whose {} are all gone, and no other is started: nobody will take what is left \
                 of {}",
                self.wait(),
                self.pool.facts.kind,
                counted(self.lanes.len(), "worker", "workers"),
                named(call),
            ),
            advice: "if workers retire (max_tasks_per_child), do without it, or use a newer Python: in some versions \
                     nobody replaces the last ones"
                .to_owned(),
            numbers: self.numbers(self.lanes.len()),
        })
    }

    /// Every worker that is alive has been waiting for a result of a call that it made itself to its own pool.
    fn nested(&self) -> Option<Finding> {
        let is_alive = |lane: &&&Lane| lane.closed.is_none_or(|(closed, _)| closed > self.since);
        let alive: Vec<&Lane> = self.lanes.iter().filter(is_alive).copied().collect();
        let callers = self.calls.iter().flat_map(|call| call.callers());
        let callers: BTreeSet<LaneId> = callers.collect();
        let mut waits = BTreeMap::new();
        for caller in callers {
            if let (Some(lane), Some(since)) =
                (self.scene.trace.lane(caller), self.waits_since(caller))
            {
                waits.insert((lane.facts.pid, lane.facts.tid), since);
            }
        }
        let since = alive
            .iter()
            .map(|lane| waits.get(&(lane.facts.pid, lane.facts.tid)).copied());
        let at = since.collect::<Option<Vec<Time>>>()?.into_iter().max()?;
        Some(Finding {
            kind: FindingKind::NestedDeadlock,
            at,
            lane: alive.last().map(|lane| lane.id),
            call: None,
            text: format!(
                "all {} of a {} wait for tasks that they gave to that same pool, and {} in its queue: nobody is left \
                 to do them, so all of them wait for ever",
                counted(alive.len(), "worker", "workers"),
                self.pool.facts.kind,
                self.wait(),
            ),
            advice: "give the tasks that tasks call a pool of their own, or let the main program call them"
                .to_owned(),
            numbers: self.numbers(alive.len()),
        })
    }

    /// `1 task waits`, `3 tasks wait`
    fn wait(&self) -> String {
        counted(self.tasks, "task waits", "tasks wait")
    }

    fn numbers(&self, workers: usize) -> Vec<(&'static str, f64)> {
        vec![("waiting", self.tasks as f64), ("workers", workers as f64)]
    }

    /// Since when a caller has been waiting for results, if it has for long.
    fn waits_since(&self, caller: LaneId) -> Option<Time> {
        let states = self.scene.trace.caller_of(caller)?;
        let now = Span::new(self.since, self.since + Nanos(1));
        let (span, state) = states.states_in(now).next()?;
        let for_results = match state {
            CallerState::Blocked(what) => !matches!(what, BlockedIn::Join | BlockedIn::Shutdown),
            _ => false,
        };
        (for_results && span.end() + END > self.scene.at).then_some(span.start())
    }
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;
    use crate::event::{Ended, Kind};

    /// A pool of two threads with four tasks, of which the first two wait for what they call from 10 ms on,
    /// until `until`.
    fn nested(callers: &[u32], until: u64) -> Told {
        let mut told = Told::pool("ThreadPoolExecutor", 2).call(0, "map", 4, 1);
        for &worker in callers {
            told = told.called_in(worker, 10).start(worker, worker - 1, 5);
        }
        told.over(until)
    }

    #[test]
    fn workers_that_all_wait_for_their_own_pool_wait_for_ever() {
        let found = nested(&[1, 2], 1_500).finding();
        assert_eq!(found.kind, FindingKind::NestedDeadlock);
        found.says("all 2 workers of a ThreadPoolExecutor wait for tasks that they gave to that same pool, and 6 tasks wait in its queue");
        assert_eq!(nested(&[1, 2], 900).ever(), []);
        // The other worker may do what the first waits for.
        assert_eq!(nested(&[1], 1_500).ever(), []);
    }

    /// Two of four tasks were done when both workers left.
    fn left(kind: &str, until: u64) -> Told {
        let mut told = Told::pool(kind, 2)
            .call(0, "map", 4, 1)
            .task(1, 0, 1, 10)
            .task(2, 1, 1, 10);
        for worker in [1, 2] {
            let ended = Ended::Retired;
            told.tell(20, worker, Kind::LaneClosed { ended });
        }
        told.over(until)
    }

    #[test]
    fn tasks_that_wait_when_all_workers_are_gone_wait_for_ever() {
        let found = left("ProcessPoolExecutor", 1_500).finding();
        assert_eq!(found.kind, FindingKind::NoWorkerLeft);
        found.says(
            "2 tasks wait in the queue of a ProcessPoolExecutor whose 2 workers are all gone",
        );
        assert_eq!(left("ProcessPoolExecutor", 900).ever(), []);
        assert_eq!(left("Pool", 1_500).replaced(120, 3).kinds(), []);
        let gave_up = left("ProcessPoolExecutor", 1_500).note(30, 0, NoteKind::Broken, 2);
        assert_eq!(gave_up.kinds(), []);
        assert_eq!(left("Pool", 1_500).pool_closed(30).kinds(), []);
    }
}
