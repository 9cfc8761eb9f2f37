//! Initializers that raise, or whatever else ends each worker at its start, and the storm of workers that die of it.

use super::main_module;
use super::search::{Scene, Search, noted};
use super::words::in_brackets;
use super::{Finding, FindingKind};
use crate::event::{Ended, LaneId, NoteKind, PoolId, exit_words};
use crate::plural::counted;
use crate::time::{Nanos, Time};
use crate::trace::{Lane, Pool, TimedNote, Trace};
use std::collections::{BTreeMap, BTreeSet};

/// Workers that die of their initializer before that is called a storm with a rate: a pool that starts
/// its first workers has no rate.
const STORM: usize = 3;

pub(super) fn search(search: &mut Search<'_>) {
    let mut pools: BTreeMap<Option<PoolId>, Vec<&TimedNote>> = BTreeMap::new();
    let notes = search.scene.notes().iter();
    for note in notes.filter(|note| note.note.kind == NoteKind::InitializerRaised) {
        let pool = pool_of(search.scene.trace, note);
        pools.entry(pool).or_default().push(note);
    }
    // What is known of why they die is told for itself.
    let explained = [FindingKind::UnguardedMain, FindingKind::QueueDeadlock];
    if !explained.into_iter().any(|kind| search.has(kind)) {
        let scene = search.scene;
        let silent = scene.trace.pools();
        for pool in silent.filter(|pool| !pools.contains_key(&Some(pool.facts.pool))) {
            if let Some((died, finding)) = dead_at_start(scene, pool) {
                search.of_pool(died as f64, finding);
            }
        }
    }
    for (pool, notes) in pools {
        let finding = initializer(search, pool, &notes);
        search.of_pool(notes.len() as f64, finding);
    }
}

fn pool_of(trace: &Trace, note: &TimedNote) -> Option<PoolId> {
    note.note.pool.or_else(|| trace.lane(note.lane)?.facts.pool)
}

/// `notes`: all of one pool, at least one.
fn initializer(search: &Search<'_>, pool: Option<PoolId>, notes: &[&TimedNote]) -> Finding {
    let (first, last) = (notes[0], notes[notes.len() - 1]);
    let died = notes.len();
    let rows = search.scene.trace.rows_of(pool).flat_map(|row| &row.lanes);
    let lanes = rows.filter_map(|&id| search.scene.trace.lane(id));
    let started = lanes.filter(|lane| lane.opened <= search.scene.at);
    let started: Vec<&Lane> = started.collect();
    let others_work = started.iter().any(|lane| lane.pieces().first().is_some());
    let started = started.len().max(died);
    let error = in_brackets(&first.note.text);
    let span = last.at.since(first.at);
    let rate = (died >= STORM && span > Nanos::ZERO).then(|| (died - 1) as f64 / span.seconds());
    let mut numbers = vec![("workers", started as f64)];
    let text = if search.scene.is_executor(pool) {
        format!(
            "the initializer raised{error}: the executor is broken, and every result raises an error"
        )
    } else if others_work {
        format!(
            "the initializer raised{error}: {} died of it and had to be replaced",
            counted(died, "worker", "workers"),
        )
    } else if let Some(rate) = rate {
        numbers.push(("rate", rate));
        let (so_far, ever) = so_far(search.scene);
        format!(
            "the initializer raises{error}: {} died of it{so_far}, {rate:.0} a second, each replaced by one \
             that dies as well; {ever}",
            counted(died, "worker", "workers"),
        )
    } else {
        format!(
            "the initializer raised{error}: {} died of it and will be replaced by workers that die as well",
            counted(died, "worker", "workers"),
        )
    };
    let advice = "let the initializer keep the error instead of raising it, and each task raise it: so the caller gets \
                  it, and nothing dies";
    let mut finding = noted(FindingKind::InitializerRaised, first, text, advice);
    (finding.call, finding.numbers) = (None, numbers);
    finding
}

/// Until when so many died, and what that means for the tasks.
fn so_far(scene: Scene<'_>) -> (&'static str, &'static str) {
    if scene.is_over() {
        ("", "no task could run")
    } else {
        (" so far", "no task will ever run")
    }
}

/// No worker of this pool ever had a task, and all that ended died, one after the other.
fn dead_at_start(scene: Scene<'_>, pool: &Pool) -> Option<(usize, Finding)> {
    let id = Some(pool.facts.pool);
    if scene.is_executor(id) {
        return None;
    }
    let lanes = scene.trace.rows_of(id).flat_map(|row| &row.lanes);
    let lanes = lanes.filter_map(|&id| scene.trace.lane(id));
    let mut died: Vec<(Time, &Lane)> = Vec::new();
    for lane in lanes {
        if lane.pieces().first().is_some() || lane.others().first().is_some() {
            return None;
        }
        let Some((at, ended)) = lane.closed.filter(|&(at, _)| at <= scene.at) else {
            continue;
        };
        // A pool that ends kills its workers.
        let is_end = pool.closed.is_some_and(|closed| closed <= at);
        if !is_end && matches!(ended, Ended::Killed | Ended::Crashed) {
            died.push((at, lane));
        }
    }
    if died.len() < STORM {
        return None;
    }
    // One that could not read its message tells that.
    let explaining = scene.notes().iter().filter(|note| tells_why(note));
    let explained: BTreeSet<LaneId> = explaining.map(|note| note.lane).collect();
    if died.iter().any(|(_, lane)| explained.contains(&lane.id)) {
        return None;
    }
    died.sort_by_key(|&(at, _)| at);
    let (first, (until, last)) = (died[0].0, died[died.len() - 1]);
    // Those that have nothing to do may be killed by anybody.
    let mut calls = scene.calls_of(id);
    if !calls.any(|call| call.queue_at(until) > 0) {
        return None;
    }
    let span = until.since(first);
    let rate = (died.len() - 1) as f64 / span.seconds().max(0.001);
    let exit = last.exit.map(exit_words).unwrap_or_default();
    let (so_far, ever) = so_far(scene);
    let advice = match last.exit {
        Some(1) if main_module::is_fresh(pool) => main_module::ADVICE,
        Some(0..) => {
            "look for what ends a fresh worker before its first task, such as os._exit() in the initializer or in a \
             module that it imports"
        }
        Some(-9 | -15) | None => {
            "find out what kills fresh workers (the kernel, for want of memory? see dmesg)"
        }
        Some(_) => "run it with `python -X faulthandler` to see where a fresh worker crashes",
    };
    let finding = Finding {
        kind: FindingKind::InitializerRaised,
        at: first,
        lane: Some(last.id),
        call: None,
        text: format!(
            "{} died{so_far} before their first task{}, {rate:.0} a second, each replaced by one that dies as \
             well; {ever}",
            counted(died.len(), "worker", "workers"),
            in_brackets(&exit),
        ),
        advice: advice.to_owned(),
        numbers: vec![("workers", died.len() as f64), ("rate", rate)],
    };
    Some((died.len(), finding))
}

fn tells_why(note: &TimedNote) -> bool {
    let kinds = [NoteKind::UnpicklableArgument, NoteKind::WorkerExit];
    kinds.contains(&note.note.kind)
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;

    /// Workers that end one after the other before their first task.
    fn dying(kind: &str, count: u32, exit: i64) -> Told {
        let told = Told::pool(kind, count).call(0, "map", 4, 1);
        told.dying(count, exit)
    }

    #[test]
    fn workers_that_die_at_their_start_are_told_with_their_exit_code() {
        let found = dying("Pool", 5, 3).finding();
        assert_eq!(found.kind, FindingKind::InitializerRaised);
        found.says("5 workers died so far before their first task (exit code 3), 10 a second, each replaced by one that");
        assert!(found.advice.contains("os._exit()"));
        let crashed = dying("Pool", 3, -11).finding();
        crashed.says("(SIGSEGV)");
        assert!(crashed.advice.contains("faulthandler"));
    }

    #[test]
    fn a_pool_that_works_or_ends_has_no_storm() {
        assert_eq!(dying("Pool", 2, 3).kinds(), []);
        assert_eq!(dying("ProcessPoolExecutor", 5, 3).kinds(), []);
        assert_eq!(dying("Pool", 5, 3).task(5, 0, 10, 20).kinds(), []);
        assert_eq!(dying("Pool", 5, -15).pool_closed(50).kinds(), []);
        let reads = dying("Pool", 5, 1).note(90, 1, NoteKind::UnpicklableArgument, 0);
        assert_eq!(reads.kinds(), [FindingKind::UnpicklableArgument]);
    }

    #[test]
    fn an_initializer_that_raises_again_and_again_has_a_rate() {
        let once = Told::pool("Pool", 2)
            .note(10, 1, NoteKind::InitializerRaised, 0)
            .finding();
        assert_eq!(
            (once.kind, once.numbers.as_slice()),
            (FindingKind::InitializerRaised, &[("workers", 2.0)][..])
        );
        let others = Told::pool("Pool", 2)
            .note(10, 1, NoteKind::InitializerRaised, 0)
            .task(2, 0, 20, 30);
        others
            .finding()
            .says("1 worker died of it and had to be replaced");
        let mut storm = Told::pool("Pool", 2);
        for k in 0..101 {
            storm = storm.note(10 + 10 * k, 1, NoteKind::InitializerRaised, 0);
        }
        let over = storm.clone().over(2_000).finding();
        over.says("101 workers died of it, 100 a second, each replaced by one that dies as well; no task could run");
        let found = storm.finding();
        assert_eq!(found.numbers, [("workers", 101.0), ("rate", 100.0)]);
        found.says("(TypeError: no): 101 workers died of it so far, 100 a second");
        let executor =
            Told::pool("ProcessPoolExecutor", 2).note(10, 1, NoteKind::InitializerRaised, 0);
        assert!(executor.finding().text.contains("the executor is broken"));
    }
}
