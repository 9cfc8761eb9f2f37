//! Tasks that died with their workers.

use super::search::Search;
use super::words::{call as named, ended, tasks};
use super::{Finding, FindingKind};
use crate::event::{CallId, Indexes, LaneId, NoteKind};
use crate::time::Time;
use crate::trace::{Call, TimedNote};
use std::collections::BTreeSet;

pub(super) fn search(search: &mut Search<'_>) {
    let trace = search.scene.trace;
    if trace.counts(search.scene.at).lost == 0 {
        return;
    }
    let explained = Explained::by(search.scene.notes());
    for call in trace.calls() {
        // An executor tells of it by itself.
        let tells = search.scene.is_executor(call.facts.pool);
        if !tells && call.lost_until(search.scene.at) > 0 {
            lost_tasks(search, call, &explained);
        }
    }
}

/// Where notes tell why tasks were lost.
struct Explained {
    lanes: BTreeSet<LaneId>,
    /// Of tasks that no worker is known to have had.
    calls: BTreeSet<CallId>,
}

impl Explained {
    fn by(notes: &[TimedNote]) -> Self {
        let about = [NoteKind::WorkerExit, NoteKind::UnpicklableArgument];
        let notes = || notes.iter().filter(|note| about.contains(&note.note.kind));
        Self {
            lanes: notes().map(|note| note.lane).collect(),
            calls: notes().filter_map(|note| note.note.call).collect(),
        }
    }

    fn has(&self, call: &Call, lane: Option<LaneId>) -> bool {
        match lane {
            Some(lane) => self.lanes.contains(&lane),
            None => self.calls.contains(&call.facts.call),
        }
    }
}

/// A worker that died in a task, each with the tasks that went with it.
fn lost_tasks<'a>(search: &mut Search<'a>, call: &'a Call, explained: &Explained) {
    let closed = search
        .scene
        .pool(call.facts.pool)
        .and_then(|pool| pool.closed);
    for (at, lost) in losses(call, search.scene.at) {
        // A pool that is terminated kills its workers, and so may a signal that was sent to the program.
        if closed.is_some_and(|closed| closed <= at) || search.was_interrupted(at) {
            continue;
        }
        let lane = lost.iter().find_map(|index| call.task(index)?.lane);
        if explained.has(call, lane) {
            continue;
        }
        let trace = search.scene.trace;
        let inside = running(call, lost);
        let died = lane.map_or_else(|| "a worker died".to_owned(), |lane| ended(trace, lane));
        let place = inside.map_or_else(
            || format!("with {}", tasks(lost)),
            |index| format!("in task {index}"),
        );
        let with_it = if inside.is_some() && lost.len() > 1 {
            format!(", and with it its chunk, {}", tasks(lost))
        } else {
            String::new()
        };
        let mut numbers = vec![("lost", f64::from(lost.len()))];
        numbers.extend(inside.map(|index| ("task", f64::from(index))));
        let finding = Finding {
            kind: FindingKind::LostTask,
            at,
            lane,
            call: Some(call.facts.call),
            text: format!(
                "{died} {place} of {}{with_it}: that result can never come, so this call can never complete; \
                 a ProcessPoolExecutor would have raised BrokenProcessPool",
                named(call)
            ),
            advice: format!(
                "{}, and use concurrent.futures.ProcessPoolExecutor, which gives up instead of waiting for ever",
                cause(lane.and_then(|lane| trace.lane(lane)?.exit)),
            ),
            numbers,
        };
        search.of_call(call, f64::from(lost.len()), finding);
    }
}

/// What to do about a worker that ended like this.
fn cause(exit: Option<i32>) -> &'static str {
    match exit {
        Some(0..) => "raise an Exception instead of calling os._exit()",
        Some(-15 | -2 | -1) => "find out who ended it",
        Some(-9) | None => "find out what ended it (the kernel, for want of memory? see dmesg)",
        Some(_) => "run that task with `python -X faulthandler` to see where it crashes",
    }
}

/// The stretches of tasks that were lost together by `at`.
fn losses(call: &Call, at: Time) -> Vec<(Time, Indexes)> {
    let mut losses: Vec<(Time, Indexes)> = Vec::new();
    let lost = call.tasks().enumerate().filter(|(_, task)| task.lost <= at);
    for (index, task) in lost {
        let index = index as u32;
        match losses.last_mut() {
            Some((then, tasks))
                if *then == task.lost
                    && tasks.end == index
                    && call.chunk_of(tasks.first) == call.chunk_of(index) =>
            {
                tasks.end = index + 1;
            }
            _ => losses.push((task.lost, Indexes::one(index))),
        }
    }
    losses
}

/// The one that its worker had entered and not left.
fn running(call: &Call, lost: Indexes) -> Option<u32> {
    lost.iter().find(|&index| {
        call.task(index)
            .is_some_and(|task| task.started.happened() && !task.finished.happened())
    })
}

#[cfg(test)]
mod tests {
    use super::super::told::{CALL, Told, ms};
    use super::*;

    #[test]
    fn a_task_whose_worker_was_killed_is_named() {
        let found = Told::killed("Pool", 1).finding();
        assert_eq!((found.kind, found.at), (FindingKind::LostTask, ms(20)));
        assert_eq!((found.lane, found.call), (Some(LaneId(2)), Some(CALL)));
        assert_eq!(
            found.text,
            "worker 2 (process 4002) was killed in task 2 of map(square) in line 12: that result can never come, so \
             this call can never complete; a ProcessPoolExecutor would have raised BrokenProcessPool"
        );
        assert_eq!(found.numbers, [("lost", 1.0), ("task", 2.0)]);
    }

    #[test]
    fn what_to_do_depends_on_how_the_worker_ended() {
        let advice = |exit| {
            let told = Told::killed("Pool", 1).note(20, 2, NoteKind::ExitCode, exit);
            told.finding().advice
        };
        assert!(advice(-9).contains("dmesg"));
        assert!(
            advice(3).starts_with("raise an Exception instead of calling os._exit(), and use ")
        );
        assert!(advice(-11).contains("faulthandler"));
    }

    #[test]
    fn the_chunk_goes_with_its_task() {
        let found = Told::killed("Pool", 2).finding();
        found.says("in task 2 of map(square) in line 12, and with it its chunk, tasks 2-3:");
        assert_eq!(found.numbers[0], ("lost", 2.0));
    }

    #[test]
    fn an_executor_tells_of_dead_workers_itself() {
        assert_eq!(Told::killed("ProcessPoolExecutor", 1).kinds(), []);
    }

    #[test]
    fn what_a_terminated_pool_leaves_is_not_lost() {
        assert_eq!(Told::killed("Pool", 1).pool_closed(20).kinds(), []);
        assert_eq!(
            Told::killed("Pool", 1).pool_closed(21).kinds(),
            [FindingKind::LostTask]
        );
    }
}
