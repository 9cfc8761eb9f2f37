//! Workers that died, of what, and what of the program died with them.

use super::FindingKind;
use super::index::About;
use super::main_module;
use super::search::{Search, noted, tells_of_interrupt};
use super::words::{call as named, ended, in_brackets, of, worker};
use crate::event::{CallId, Ended, NoteKind, PoolId, TaskId};
use crate::plural::counted;
use crate::time::Time;
use crate::trace::{Call, Lane, TimedNote, Trace};

pub(super) fn search(search: &mut Search<'_>) {
    for note in search.scene.notes() {
        match note.note.kind {
            NoteKind::WorkerExit => worker_exit(search, note),
            NoteKind::UnpicklableArgument => unpicklable_argument(search, note),
            NoteKind::QueueLockHeld => queue_deadlock(search, note),
            NoteKind::Broken => broken_pool(search, note),
            _ => {}
        }
    }
}

/// The call that a note is about: the one it names, or the one its lane was at.
fn call_of<'a>(trace: &'a Trace, note: &TimedNote) -> Option<&'a Call> {
    let at_work = || Some(last_task(trace.lane(note.lane)?, note.at)?.call);
    let id: CallId = note.note.call.or_else(at_work)?;
    trace.call_by(id)
}

/// What it began last by then.
fn last_task(lane: &Lane, at: Time) -> Option<TaskId> {
    let begun = lane.pieces().partition_point(|piece| piece.start <= at);
    Some(lane.pieces().part(0..begun).last()?.task)
}

fn worker_exit(search: &mut Search<'_>, note: &TimedNote) {
    let trace = search.scene.trace;
    let call = call_of(trace, note);
    let pool = note.note.pool.or_else(|| call?.facts.pool);
    // An executor hands such an exception to the caller like any other.
    if search.scene.is_executor(pool) {
        return;
    }
    let left = pool.and_then(|pool| trace.pool(pool)?.closed);
    if tells_of_interrupt(note) && left.is_some_and(|left| search.was_interrupted(left)) {
        return;
    }
    let task = trace
        .lane(note.lane)
        .and_then(|lane| last_task(lane, note.at));
    let task = task.filter(|task| call.is_some_and(|call| call.facts.call == task.call));
    let place = match (task, call) {
        (Some(task), Some(call)) => format!("task {} of {}", task.index, named(call)),
        (None, Some(call)) => format!("a task of {}", named(call)),
        (_, None) => "a task".to_owned(),
    };
    let text = format!(
        "{place} ended {}, exit code {}{}: its result can never come, so this call can never complete",
        worker(trace, note.lane),
        note.note.value,
        in_brackets(&note.note.text),
    );
    let advice =
        "return, or raise a subclass of Exception, instead of calling sys.exit() or the like";
    let mut finding = noted(FindingKind::WorkerExit, note, text, advice);
    finding.call = call.map(|call| call.facts.call);
    finding.numbers.push(("exit", note.note.value as f64));
    let task = task.map(|task| ("task", f64::from(task.index)));
    finding.numbers.extend(task);
    search.of_some_call(call, 0.0, finding);
}

/// The task that was lost with this worker.
fn lost_in<'a>(trace: &'a Trace, lane: &Lane, at: Time) -> Option<(&'a Call, u32)> {
    let task = last_task(lane, at)?;
    let call = trace.call_by(task.call)?;
    (call.task(task.index)?.lost <= at).then_some((call, task.index))
}

/// Whose death broke an executor. It kills the others itself, after it has asked who is dead, and never says how those
/// end.
fn first_to_die(trace: &Trace, pool: Option<PoolId>, at: Time) -> Option<&Lane> {
    let died = |lane: &&Lane| {
        let died = |(when, ended)| when <= at && matches!(ended, Ended::Killed | Ended::Crashed);
        lane.closed.is_some_and(died)
    };
    let lanes = trace.rows_of(pool).flat_map(|row| &row.lanes);
    let dead = lanes.filter_map(|&id| trace.lane(id)).filter(died);
    dead.min_by_key(|lane| {
        let when = lane.closed.map(|closed| closed.0);
        let lost = lost_in(trace, lane, at);
        (lost.is_none(), lane.exit.is_none(), when)
    })
}

/// An executor gave up: because of the worker that died in a task, or else because of one that was idle.
fn broken_pool(search: &mut Search<'_>, note: &TimedNote) {
    let (trace, at) = (search.scene.trace, search.scene.at);
    if search.was_interrupted(note.at) || search.has(FindingKind::UnguardedMain) {
        return;
    }
    let Some(lane) = first_to_die(trace, note.note.pool, at) else {
        return;
    };
    // Who could not read its message is told for itself.
    let unreadable = NoteKind::UnpicklableArgument;
    if search.scene.has_noted(unreadable, About::Lane(lane.id)) {
        return;
    }
    let lost = lost_in(trace, lane, at);
    let place = match lost {
        Some((call, index)) => format!("in task {index} of {}", named(call)),
        None => "outside of any task".to_owned(),
    };
    let futures = u64::try_from(note.note.value).unwrap_or(0);
    let text = format!(
        "{} {place}, so {} got BrokenProcessPool, and the executor takes nothing more",
        ended(trace, lane.id),
        counted(futures, "future", "futures"),
    );
    let is_fresh = search.scene.pool(note.note.pool);
    let is_fresh = is_fresh.is_some_and(main_module::is_fresh) && lost.is_none();
    let cause = match lane.exit {
        Some(1) | None if is_fresh && lane.pieces().first().is_none() => main_module::ADVICE,
        Some(0..) => "raise an Exception, which its future hands on, instead of calling os._exit()",
        Some(-9) | None => "find out what killed it (the kernel, for want of memory? see dmesg)",
        Some(_) => "run that task with `python -X faulthandler` to see where it crashes",
    };
    let advice = format!("{cause}; submit again, to a new executor, what got the error");
    let mut finding = noted(FindingKind::BrokenPool, note, text, &advice);
    finding.lane = Some(lane.id);
    finding.at = lane.closed.map_or(note.at, |closed| closed.0);
    finding.call = lost.map(|(call, _)| call.facts.call);
    finding.numbers.push(("futures", futures as f64));
    let exit = lane.exit.map(|exit| ("exit", f64::from(exit)));
    finding.numbers.extend(exit);
    let task = lost.map(|(_, index)| ("task", f64::from(index)));
    finding.numbers.extend(task);
    search.of_some_call(lost.map(|(call, _)| call), futures as f64, finding);
}

fn unpicklable_argument(search: &mut Search<'_>, note: &TimedNote) {
    let text = format!(
        "{} could not unpickle a message{} and died of it{}: its tasks never started, and their results can never \
         come",
        worker(search.scene.trace, note.lane),
        of(search.scene.call_of(note)),
        in_brackets(&note.note.text),
    );
    let advice = "send plain data, and build the object inside the task";
    let finding = noted(FindingKind::UnpicklableArgument, note, text, advice);
    search.of_note(note, 0.0, finding);
}

fn queue_deadlock(search: &mut Search<'_>, note: &TimedNote) {
    let trace = search.scene.trace;
    let pool = note.note.pool.or_else(|| trace.lane(note.lane)?.facts.pool);
    // An executor gives up when a worker dies. And a pool that does not replace the worker was at its end.
    let goes_on = trace.rows_of(pool).flat_map(|row| &row.lanes).any(|&id| {
        let lane = trace.lane(id);
        lane.is_some_and(|lane| (note.at..=search.scene.at).contains(&lane.opened))
    });
    if search.scene.is_executor(pool) || !goes_on {
        return;
    }
    let calls = search.scene.calls_of(pool);
    let waiting: usize = calls.map(|call| waiting(call, search.scene.at)).sum();
    let text = format!(
        "{} was killed while it held the lock of the queue: no worker can take a task any more, and {} for ever; \
         terminate() hangs too",
        worker(trace, note.lane),
        match waiting {
            0 => "what is sent from now on waits".to_owned(),
            count => counted(count, "chunk waits", "chunks wait"),
        },
    );
    let advice = "never kill the idle workers of a Pool; concurrent.futures.ProcessPoolExecutor gives up when \
                  one dies, instead of waiting for ever";
    let mut finding = noted(FindingKind::QueueDeadlock, note, text, advice);
    finding.call = None;
    finding.numbers.push(("waiting", waiting as f64));
    search.of_pool(0.0, finding);
}

/// Chunks of a call that were sent and that nobody took.
pub(super) fn waiting(call: &Call, at: Time) -> usize {
    let left = call.chunks();
    left.filter(|chunk| chunk.enqueued <= at && chunk.dequeued > at)
        .count()
}

#[cfg(test)]
mod tests {
    use super::super::told::{POOL, Told};
    use super::*;
    use crate::event::{Ended, Kind};

    #[test]
    fn a_task_that_ends_its_worker_is_told_once() {
        let found = Told::killed("Pool", 1)
            .note(20, 2, NoteKind::WorkerExit, 3)
            .finding();
        assert_eq!(found.kind, FindingKind::WorkerExit);
        found.says("task 2 of map(square) in line 12 ended worker 2 (process 4002), exit code 3 (TypeError: no): ");
        assert_eq!(found.numbers, [("exit", 3.0), ("task", 2.0)]);
        let executor = Told::killed("ProcessPoolExecutor", 1).note(20, 2, NoteKind::WorkerExit, 3);
        assert_eq!(executor.kinds(), []);
    }

    #[test]
    fn an_executor_that_broke_says_of_what_and_what_it_cost() {
        let found = Told::pool("ProcessPoolExecutor", 2)
            .call(0, "submit", 6, 1)
            .task(1, 0, 1, 10)
            .start(2, 2, 11)
            .start(1, 3, 12)
            .note(20, 2, NoteKind::ExitCode, -9)
            .lost(20, 2, 2, 3)
            .note(21, 0, NoteKind::Broken, 5)
            .lost(20, 1, 3, 4)
            .finding();
        assert_eq!(found.kind, FindingKind::BrokenPool);
        assert_eq!(
            found.text,
            "worker 2 (process 4002) was killed (SIGKILL) in task 2 of submit(square) in line 12, so 5 futures got \
             BrokenProcessPool, and the executor takes nothing more"
        );
        assert!(found.advice.contains("dmesg"));
        assert_eq!(
            found.numbers,
            [("futures", 5.0), ("exit", -9.0), ("task", 2.0)]
        );
    }

    #[test]
    fn an_interrupted_program_did_nothing_wrong() {
        let told = || Told::pool("Pool", 2).call(0, "map", 4, 1).start(1, 0, 5);
        let interrupted = told().interrupted(20, 1).pool_closed(21);
        let left = interrupted.note(21, 0, NoteKind::LeftOutstanding, 4);
        assert_eq!(left.kinds(), []);
        let by_us = |at: u64| {
            told()
                .note(at, 0, NoteKind::Signalled, 15)
                .note(1_000, 0, NoteKind::LeftOutstanding, 4)
        };
        assert_eq!(by_us(20).kinds(), []);
        assert_eq!(by_us(1_500).kinds(), [FindingKind::LeftOutstanding]);
        let killed = |at| Told::killed("Pool", 1).note(at, 0, NoteKind::Signalled, 9);
        assert_eq!(killed(15).lost(20, 2, 2, 3).kinds(), []);
        let later = killed(1_500).lost(20, 2, 2, 3);
        assert_eq!(later.kinds(), [FindingKind::LostTask]);
        let by_itself = told().interrupted(20, 1).pool_closed(900);
        assert_eq!(by_itself.kinds(), [FindingKind::WorkerExit]);
    }

    #[test]
    fn a_signal_that_the_program_outlived_excuses_nothing_later() {
        let told = || Told::pool("Pool", 2).call(0, "map", 6, 1).start(2, 2, 11);
        let signalled = || told().note(15, 0, NoteKind::Signalled, 2);
        assert_eq!(signalled().lost(9_000, 2, 2, 3).kinds(), []);
        let long_after = signalled().lost(15_000, 2, 2, 3);
        assert_eq!(long_after.kinds(), [FindingKind::LostTask]);
        let goes_on = signalled().begins_another(600).lost(900, 2, 2, 3);
        assert_eq!(goes_on.kinds(), [FindingKind::LostTask]);
        let left = |at| {
            signalled()
                .begins_another(at)
                .note(900, 0, NoteKind::LeftOutstanding, 4)
        };
        assert_eq!(left(300).kinds(), []);
        assert_eq!(left(600).kinds(), [FindingKind::LeftOutstanding]);
    }

    #[test]
    fn a_message_that_cannot_be_read_is_told_once() {
        let found = Told::pool("Pool", 2)
            .call(0, "map", 2, 1)
            .note(5, 1, NoteKind::UnpicklableArgument, 0)
            .lost(6, 1, 0, 1)
            .finding();
        assert_eq!(found.kind, FindingKind::UnpicklableArgument);
        found.says("a message of map(square) in line 12 and died of it (TypeError: no)");
    }

    #[test]
    fn a_worker_that_died_with_the_lock_blocks_the_others() {
        let found = Told::pool("Pool", 2)
            .call(9, "map", 4, 1)
            .note(5, 1, NoteKind::QueueLockHeld, 0)
            .replaced(6, 3)
            .finding();
        assert_eq!(found.kind, FindingKind::QueueDeadlock);
        let of = |kind| Told::pool(kind, 2).note(5, 1, NoteKind::QueueLockHeld, 0);
        // Nobody goes on without it.
        assert_eq!(of("Pool").kinds(), []);
        let executor = of("ProcessPoolExecutor").replaced(6, 3);
        assert_eq!(executor.kinds(), []);
        found.says("4 chunks wait for ever");
    }

    #[test]
    fn a_worker_that_dies_idle_or_retires_is_no_finding() {
        let mut told = Told::pool("Pool", 2)
            .call(0, "map", 2, 1)
            .task(1, 0, 1, 5)
            .task(2, 1, 1, 5);
        told.tell(
            6,
            1,
            Kind::LaneClosed {
                ended: Ended::Retired,
            },
        );
        told.tell(
            7,
            2,
            Kind::LaneClosed {
                ended: Ended::Killed,
            },
        );
        told.tell(8, 0, Kind::PoolClosed { pool: POOL });
        assert_eq!(told.ever(), []);
    }
}
