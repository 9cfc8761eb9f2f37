//! Tasks that a main program gives out one at a time, each when it has the result of the one before.

use super::search::{Scene, Search};
use super::words::call as named;
use super::{Finding, FindingKind};
use crate::event::CallKind;
use crate::time::Nanos;
use crate::trace::Call;

/// Fewer tasks than this are no habit.
const FEWEST: u32 = 4;
/// So many neighbours are compared at most, evenly spread.
const LOOKED_AT: u32 = 1_000;
/// Of what the workers did meanwhile, this part is of the call: otherwise others kept them busy.
const OWN_SHARE: f64 = 0.8;

pub(super) fn search(search: &mut Search<'_>) {
    let scene = search.scene;
    for call in scene.trace.calls().filter(|call| call.is_series()) {
        if let Some((saved, finding)) = one_at_a_time(scene, call) {
            search.of_call(call, saved.seconds(), finding);
        }
    }
}

fn one_at_a_time(scene: Scene<'_>, call: &Call) -> Option<(Nanos, Finding)> {
    let pool = scene.pool(call.facts.pool)?;
    // An executor starts no more workers than it needs.
    let rows = scene.trace.rows_of(call.facts.pool);
    let workers = pool.facts.workers.unwrap_or(0).max(rows.len() as u32);
    let tasks = call.finished.counted_until(scene.at);
    if workers < 2 || tasks < FEWEST {
        return None;
    }
    let begin = call.started.entries().first()?.at;
    let end = call.finished.until(scene.at).last()?.at;
    let sums = scene.sums_of(call.facts.pool, begin, end);
    let work = call.services_until(scene.at).sum;
    if (work.0 as f64) < OWN_SHARE * sums.busy.0 as f64 || !takes_turns(call, tasks) {
        return None;
    }
    // What the workers can share, and what the CPUs can.
    let cpus = scene
        .trace
        .run()
        .and_then(|run| run.cpus)
        .unwrap_or(workers);
    let computing = if scene.has_threads(call.facts.pool) {
        sums.on_cpu
    } else {
        Nanos(sums.on_cpu.0 / u64::from(cpus.clamp(1, workers)))
    };
    let shared = Nanos(work.0 / u64::from(workers.min(tasks))).max(computing);
    let saved = work.saturating_sub(shared);
    let advice = match scene.trace.call_kind(call) {
        CallKind::Submit => {
            "if no task needs the result of the one before: submit all, keep the futures in a list, and only \
                     then ask for result()"
        }
        CallKind::ApplyAsync => {
            "if no task needs the result of the one before: call apply_async for all, keep what it \
                          returns in a list, and only then get()"
        }
        _ => {
            "if no task needs the result of the one before: use map, or call apply_async for all and only then get()"
        }
    };
    let finding = Finding {
        kind: FindingKind::OneAtATime,
        at: end,
        lane: None,
        call: Some(call.facts.call),
        text: format!(
            "{} sends {tasks} tasks one at a time, each when the result of the one before is there: {workers} workers \
             do the work of one, {work} of it; side by side it would take about {shared}",
            named(call),
        ),
        advice: advice.to_owned(),
        numbers: vec![
            ("tasks", f64::from(tasks)),
            ("workers", f64::from(workers)),
            ("work", work.0 as f64),
            ("shared", shared.0 as f64),
        ],
    };
    Some((saved, finding))
}

/// Each task was sent when the one before was ready, as far as it was looked at.
fn takes_turns(call: &Call, tasks: u32) -> bool {
    let step = tasks.div_ceil(LOOKED_AT).max(1);
    let pairs = (1..tasks).step_by(step as usize);
    pairs
        .map(|index| (call.task(index - 1), call.task(index)))
        .all(|pair| match pair {
            (Some(before), Some(next)) => next.submitted >= before.ready,
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;

    /// Eight tasks of 100 ms on workers in turn, each sent `early` before the one before was ready.
    fn series(method: &str, workers: u32, early: u64) -> Told {
        (0..8).fold(Told::pool("Pool", workers), |told, index| {
            let at = 1_000 + u64::from(index) * 110;
            let worker = 1 + index % workers.min(2);
            told.called_again(method, index, at - early)
                .task(worker, index, at, at + 100)
                .ready(at + 105, index)
        })
    }

    #[test]
    fn a_main_program_that_waits_for_each_task_uses_one_worker() {
        let found = series("apply", 4, 0).finding();
        assert_eq!(found.kind, FindingKind::OneAtATime);
        found.says("apply(square) in line 12 sends 8 tasks one at a time, each when the result of the one before is there: 4 workers do the work of one, 800 ms of it; side by side it would take about 200 ms");
        let submitted = series("submit", 4, 0).finding();
        assert!(submitted.advice.contains("keep the futures in a list"));
    }

    #[test]
    fn tasks_that_are_sent_ahead_and_a_pool_of_one_are_no_finding() {
        assert_eq!(series("apply_async", 4, 10).ever(), []);
        assert_eq!(series("apply", 1, 0).ever(), []);
        // Another call keeps the workers busy.
        let busy = series("apply", 4, 0).other(3, 1_000, 1_880);
        assert_eq!(busy.kinds(), []);
    }
}
