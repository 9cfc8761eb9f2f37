//! A main module that starts processes as soon as it is run, although each fresh worker runs it as well.
//!
//! That is said where a worker that died was about to have a pool of its own: it may die of much else that has to
//! do with its main module.

use super::search::{Scene, Search};
use super::{Finding, FindingKind};
use crate::event::{LaneKind, NoteKind};
use crate::plural::counted;
use crate::trace::{Lane, Pool};
use std::collections::BTreeSet;

/// A pool that goes on has lost so many workers before it is called a habit of theirs; an executor gives up
/// with the first.
const HABIT: usize = 3;

/// The exit code of a Python that ends with an exception.
const RAISED: i32 = 1;

/// These start a fresh interpreter, which runs the main module.
const FRESH: [&str; 2] = ["spawn", "forkserver"];

/// Of workers that die at their start, and that are fresh interpreters. Whether they die in the main module or of
/// what they do not find there, nobody tells.
pub(super) const ADVICE: &str = "put what starts processes, and `set_start_method`, under \
                                 `if __name__ == \"__main__\":`; if the workers print to stderr that they cannot \
                                 find something, define that outside of it, where a fresh worker finds it";

/// Its workers run the main module.
pub(super) fn is_fresh(pool: &Pool) -> bool {
    let method = pool.facts.start_method.as_deref();
    method.is_some_and(|method| FRESH.contains(&method))
}

pub(super) fn search(search: &mut Search<'_>) {
    let scene = search.scene;
    let mut pools = scene.trace.pools().filter(|pool| is_fresh(pool)).peekable();
    if pools.peek().is_none() {
        return;
    }
    // Those that say of what they died.
    let about = [NoteKind::InitializerRaised, NoteKind::UnpicklableArgument];
    let notes = || scene.notes().iter();
    let explaining = notes().filter(|note| about.contains(&note.note.kind));
    let explained: BTreeSet<_> = explaining.map(|note| note.lane).collect();
    let giving_up = notes().filter(|note| note.note.kind == NoteKind::Broken);
    let broken: BTreeSet<_> = giving_up.map(|note| note.note.pool).collect();
    // Whoever calls a pool, or has begun to make one.
    let callers = scene.trace.lanes();
    let callers = callers.filter(|lane| lane.facts.kind == LaneKind::Caller);
    let calling: BTreeSet<_> = callers.filter_map(|lane| lane.facts.pid).collect();
    let has_pool = |lane: &&Lane| lane.facts.pid.is_some_and(|pid| calling.contains(&pid));
    for pool in pools {
        let rows = scene.trace.rows_of(Some(pool.facts.pool));
        let lanes = rows.flat_map(|row| &row.lanes);
        let lanes = lanes.filter_map(|&id| scene.trace.lane(id));
        let lanes: Vec<&Lane> = lanes.collect();
        if lanes.iter().any(|lane| explained.contains(&lane.id)) {
            continue;
        }
        let gave_up = broken.contains(&Some(pool.facts.pool));
        let died: Vec<&Lane> = lanes
            .iter()
            .filter(|lane| died_at_once(scene, lane, gave_up))
            .copied()
            .collect();
        let is_all = died.len() == lanes.len();
        let is_habit = died.len() >= HABIT || gave_up && is_all && !died.is_empty();
        if is_habit && died.iter().any(has_pool) {
            search.of_pool(died.len() as f64, finding(pool, &died));
        }
    }
}

/// It ended with an exception before it took a message. How the workers of an executor ended that gave up is
/// not always known.
fn died_at_once(scene: Scene<'_>, lane: &Lane, gave_up: bool) -> bool {
    let ended = lane.closed.is_some_and(|(at, _)| at <= scene.at);
    let raised = lane.exit.map_or(gave_up, |exit| exit == RAISED);
    ended && raised && lane.pieces().first().is_none()
}

/// `died`: at least one.
fn finding(pool: &Pool, died: &[&Lane]) -> Finding {
    let method = pool.facts.start_method.as_deref().unwrap_or_default();
    let last = died[died.len() - 1];
    Finding {
        kind: FindingKind::UnguardedMain,
        at: died[0].closed.map_or(pool.opened, |(at, _)| at),
        lane: Some(last.id),
        call: None,
        text: format!(
            "{} died at the start with an exception, before taking any task: a worker that is started by {method} \
             runs the main module anew, and that makes a pool at its top level, which fails there",
            counted(died.len(), "worker", "workers"),
        ),
        advice: "put what the program does under `if __name__ == \"__main__\":`; what the workers print to stderr \
                 tells more"
            .to_owned(),
        numbers: vec![("workers", died.len() as f64)],
    }
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;

    /// Workers of a pool that end one after the other with this exit code.
    fn dying_without(kind: &str, method: &str, count: u32, exit: i64) -> Told {
        let told = Told::started_by(kind, count, method).call(0, "map", 4, 1);
        told.dying(count, exit)
    }

    /// The same; the last of them was about to have a pool of its own.
    fn dying(kind: &str, method: &str, count: u32, exit: i64) -> Told {
        let mut told = dying_without(kind, method, count, exit);
        told.lane(99, 50, LaneKind::Caller, "main", 4_000 + count);
        told
    }

    #[test]
    fn fresh_workers_that_die_at_once_run_an_unguarded_main_module() {
        let found = dying("Pool", "spawn", 3, 1).finding();
        assert_eq!(found.kind, FindingKind::UnguardedMain);
        found.says("3 workers died at the start with an exception, before taking any task: a worker that is started by spawn");
        assert_eq!(dying("Pool", "spawn", 2, 1).kinds(), []);
        // Those die of something else.
        for (method, exit) in [("fork", 1), ("spawn", -9)] {
            let others = dying("Pool", method, 3, exit);
            assert_eq!(others.kinds(), [FindingKind::InitializerRaised]);
        }
        let executor = || dying("ProcessPoolExecutor", "spawn", 1, 1);
        assert_eq!(executor().kinds(), []);
        let gave_up = executor().note(150, 0, NoteKind::Broken, 4);
        assert_eq!(gave_up.kinds(), [FindingKind::UnguardedMain]);
    }

    #[test]
    fn fresh_workers_that_make_no_pool_may_die_of_anything() {
        let found = dying_without("Pool", "spawn", 3, 1).finding();
        assert_eq!(found.kind, FindingKind::InitializerRaised);
        found.says("3 workers died so far before their first task (exit code 1)");
        assert_eq!(found.advice, ADVICE);
        assert!(
            ADVICE.starts_with(
                "put what starts processes, and `set_start_method`, under `if __name__"
            )
        );
        assert!(!found.advice.contains("  "), "{}", found.advice);
        let executor = dying_without("ProcessPoolExecutor", "spawn", 1, 1);
        let found = executor.note(150, 0, NoteKind::Broken, 4).finding();
        assert_eq!(found.kind, FindingKind::BrokenPool);
        assert!(found.advice.starts_with(ADVICE), "{}", found.advice);
    }

    #[test]
    fn workers_that_say_of_what_they_died_are_told_for_that() {
        let mut told = dying("Pool", "spawn", 3, 1);
        for worker in 1..=3 {
            told = told.note(90, worker, NoteKind::InitializerRaised, 0);
        }
        assert_eq!(told.kinds(), [FindingKind::InitializerRaised]);
    }
}
