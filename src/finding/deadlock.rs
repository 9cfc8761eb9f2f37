//! Pools in which nobody is left to do what waits: their workers wait themselves, or are gone.

use super::index::About;
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

/// More moments in the past are not looked at.
const MOMENTS: usize = 20;

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
    let mut told = BTreeSet::new();
    for queue in queues(scene) {
        let found = queue.no_worker_left();
        if let Some(finding) = found.or_else(|| queue.nested(Waits::ForEver)) {
            told.insert(queue.pool.facts.pool);
            search.of_pool(queue.tasks as f64, finding);
        }
    }
    // Whoever waits with a timeout goes on some time.
    for at in gave_up(scene) {
        let then = Scene { at, ..scene };
        for queue in queues(then).filter(Queue::nobody_got_anything) {
            if !told.contains(&queue.pool.facts.pool)
                && let Some(finding) = queue.nested(Waits::InVain)
            {
                told.insert(queue.pool.facts.pool);
                search.of_pool(queue.tasks as f64, finding);
            }
        }
    }
}

/// What became of those who wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    ForEver,
    /// They gave up.
    InVain,
}

/// Of each pool what waits in it as of a moment.
fn queues(scene: Scene<'_>) -> impl Iterator<Item = Queue<'_>> {
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
    let waiting = waiting.into_iter();
    waiting.filter_map(move |(id, calls)| Queue::of(scene, scene.pool(Some(id))?, calls, since))
}

/// When workers that called went on after they had waited for long, the first such moments.
fn gave_up(scene: Scene<'_>) -> Vec<Time> {
    let trace = scene.trace;
    let workers = trace.rows().iter().flat_map(|row| &row.lanes);
    let workers = workers.filter_map(|&id| trace.lane(id));
    let workers: BTreeSet<_> = workers
        .map(|lane| (lane.facts.pid, lane.facts.tid))
        .collect();
    let callers = trace.callers().iter().filter(|caller| {
        let lane = trace.lane(caller.lane);
        lane.is_some_and(|lane| workers.contains(&(lane.facts.pid, lane.facts.tid)))
    });
    let all = Span::new(Time::ZERO, scene.at);
    let ends = callers.flat_map(|caller| caller.states_in(all));
    let ends = ends.filter(|(span, state)| {
        let is_over = span.end() <= scene.at;
        is_over && matches!(state, CallerState::Blocked(_)) && span.length() >= LONG
    });
    let mut ends: Vec<Time> = ends.map(|(span, _)| span.end()).collect();
    ends.sort_unstable();
    ends.dedup();
    ends.truncate(MOMENTS);
    ends
}

impl<'a> Queue<'a> {
    /// `None` of a pool that nobody expects anything of.
    fn of(scene: Scene<'a>, pool: &'a Pool, calls: Vec<&'a Call>, since: Time) -> Option<Self> {
        let id = Some(pool.facts.pool);
        // An executor that is shut down works on; one that gave up has no queue any more.
        let is_closed = pool.closed.is_some_and(|closed| closed <= since);
        let gave_up = scene.has_noted(NoteKind::Broken, About::Pool(id));
        if is_closed && !scene.is_executor(id) || gave_up {
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
    fn nested(&self, ending: Waits) -> Option<Finding> {
        let is_alive = |lane: &&&Lane| lane.closed.is_none_or(|(closed, _)| closed > self.since);
        let alive: Vec<&Lane> = self.lanes.iter().filter(is_alive).copied().collect();
        let callers = self.calls.iter().flat_map(|call| call.callers());
        let callers: BTreeSet<LaneId> = callers.collect();
        let mut waits = BTreeMap::new();
        for caller in callers {
            if let (Some(lane), Some(since)) = (
                self.scene.trace.lane(caller),
                self.waits_since(caller, ending),
            ) {
                waits.insert((lane.facts.pid, lane.facts.tid), since);
            }
        }
        let since = alive
            .iter()
            .map(|lane| waits.get(&(lane.facts.pid, lane.facts.tid)).copied());
        let at = since.collect::<Option<Vec<Time>>>()?.into_iter().max()?;
        let (workers, kind) = (
            counted(alive.len(), "worker", "workers"),
            &self.pool.facts.kind,
        );
        Some(Finding {
            kind: FindingKind::NestedDeadlock,
            at,
            lane: alive.last().map(|lane| lane.id),
            call: None,
            text: match ending {
                Waits::ForEver => format!(
                    "all {workers} of a {kind} wait for tasks that they gave to that same pool, and {} in its queue: \
                     nobody is left to do them, so all of them wait for ever",
                    self.wait(),
                ),
                Waits::InVain => format!(
                    "all {workers} of a {kind} waited for tasks that they gave to that same pool, with nobody left to \
                     do them, until one of them gave up after {}",
                    self.scene.at.since(at),
                ),
            },
            advice: "give the tasks that tasks call a pool of their own, or let the main program call them"
                .to_owned(),
            numbers: self.numbers(alive.len()),
        })
    }

    /// Whoever called from within did not go on because a result had come, of whatever pool.
    fn nobody_got_anything(&self) -> bool {
        let within: BTreeSet<_> = self
            .lanes
            .iter()
            .map(|lane| (lane.facts.pid, lane.facts.tid))
            .collect();
        let calls = self.scene.trace.calls().filter(|call| {
            let caller = self.scene.trace.lane(call.caller);
            caller.is_some_and(|lane| within.contains(&(lane.facts.pid, lane.facts.tid)))
        });
        let mut results = calls.map(|call| {
            let until = |at| call.ready.count_until(at);
            until(self.scene.at) - until(self.since)
        });
        results.all(|count| count == 0)
    }

    /// `1 task waits`, `3 tasks wait`
    fn wait(&self) -> String {
        counted(self.tasks, "task waits", "tasks wait")
    }

    fn numbers(&self, workers: usize) -> Vec<(&'static str, f64)> {
        vec![("waiting", self.tasks as f64), ("workers", workers as f64)]
    }

    /// Since when a caller has been waiting for results, if it has for long. Whoever waits for ever is done after it.
    fn waits_since(&self, caller: LaneId, ending: Waits) -> Option<Time> {
        let states = self.scene.trace.caller_of(caller)?;
        let now = Span::new(self.since, self.since + Nanos(1));
        let (span, state) = states.states_in(now).next()?;
        let for_results = match state {
            CallerState::Blocked(what) => !matches!(what, BlockedIn::Join | BlockedIn::Shutdown),
            _ => false,
        };
        let is_over = span.end() <= self.scene.at;
        let is_done = is_over && states.state_at(span.end()) == Some(CallerState::Done);
        let fits = ending == Waits::InVain || !is_over || is_done;
        (for_results && fits && span.end() + END > self.scene.at).then_some(span.start())
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

    #[test]
    fn workers_that_waited_with_a_timeout_waited_in_vain() {
        let waited = || {
            nested(&[1, 2], 9_000)
                .caller_on(3_000, 101, CallerState::OwnWork)
                .caller_on(3_010, 102, CallerState::OwnWork)
        };
        // Not even if the program ends then.
        let short = nested(&[1, 2], 3_020).caller_on(3_000, 101, CallerState::OwnWork);
        short.finding().says("gave up after 2.99 s");
        let found = waited().finding();
        assert_eq!(found.kind, FindingKind::NestedDeadlock);
        found.says("all 2 workers of a ThreadPoolExecutor waited for tasks that they gave to that same pool, with nobody left to do them, until one of them gave up after 2.99 s");
        // What they waited for came, from wherever.
        let call = crate::event::CallId(2);
        let tasks = crate::event::Indexes::one(0);
        let mut got = waited();
        got.tell(3_000, 102, Kind::Ready { call, tasks });
        assert_eq!(got.kinds(), []);
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
