//! Results that nobody gets, or not as they were meant: callbacks, pickling, input and work left behind.

use super::FindingKind;
use super::index::About;
use super::search::{Scene, Search, noted};
use super::words::{call as named, in_brackets, of};
use crate::bytes;
use crate::event::{EXITING, NoteKind, RAISING, TERMINATED, Way};
use crate::plural::counted;
use crate::time::{Nanos, Time};
use crate::trace::{Call, TimedNote};

/// Fewer bytes of results than this are no burden for any machine.
const SWALLOWED_BYTES: u64 = 32 << 20;
/// The time until the last result was there is looked at in so many moments.
const MOMENTS: u64 = 64;
/// The same in items where nothing is pickled: so many objects.
const SWALLOWED_ITEMS: u32 = 1_000_000;

pub(super) fn search(search: &mut Search<'_>) {
    let notes = search.scene.notes();
    for note in notes {
        match note.note.kind {
            NoteKind::CallbackRaised => callback_raised(search, note),
            NoteKind::ResultThreadDied => result_thread_died(search, note, notes),
            NoteKind::UnpicklableResult => unpicklable_result(search, note),
            NoteKind::NotSent => not_sent(search, note),
            NoteKind::InputSwallowed => input_swallowed(search, note),
            _ => {}
        }
    }
    // What is outstanding because the pool was broken is told by what broke it.
    let broken = [
        FindingKind::QueueDeadlock,
        FindingKind::CallbackRaised,
        FindingKind::InitializerRaised,
    ];
    if !broken.into_iter().any(|kind| search.has(kind)) {
        for note in notes {
            if note.note.kind == NoteKind::LeftOutstanding {
                left_outstanding(search, note);
            }
        }
    }
}

/// What follows from an error that the thread did not expect.
const THREAD_DIED: &str = "the pool's thread that hands out results died of it, so no call of this pool completes any \
                           more, and terminate() raises an AssertionError";

fn callback_raised(search: &mut Search<'_>, note: &TimedNote) {
    // An executor logs it and goes on.
    if search.scene.is_executor(note.note.pool) {
        return;
    }
    let follows = if note.note.value == 0 {
        THREAD_DIED
    } else {
        "a Pool ignores a KeyError there and never marks the call as ready, so its get() and the pool's join() wait \
         for ever"
    };
    let text = format!(
        "a callback{} raised{}: {follows}",
        of(search.scene.call_of(note)),
        in_brackets(&note.note.text),
    );
    let advice = "catch every exception inside the callback";
    let finding = noted(FindingKind::CallbackRaised, note, text, advice);
    search.of_note(note, 0.0, finding);
}

/// With no callback to blame, what came back could not be read.
fn result_thread_died(search: &mut Search<'_>, note: &TimedNote, notes: &[TimedNote]) {
    let is_callback = |other: &TimedNote| {
        other.note.kind == NoteKind::CallbackRaised
            && other.note.value == 0
            && other.note.pool == note.note.pool
    };
    if notes.iter().any(is_callback) {
        return;
    }
    let text = format!(
        "the main program could not unpickle what a task{} gave or raised{}: {THREAD_DIED}",
        of(search.scene.call_of(note)),
        in_brackets(&note.note.text),
    );
    let advice = "return plain data; and let the __init__ of an exception pass all its arguments to super().__init__";
    let finding = noted(FindingKind::UnpicklableResult, note, text, advice);
    search.of_note(note, 1.0, finding);
}

fn unpicklable_result(search: &mut Search<'_>, note: &TimedNote) {
    let call = search.scene.call_of(note);
    let size = call.and_then(|call| call.facts.chunksize).unwrap_or(1);
    let instead = match size {
        0 | 1 => "the caller gets an error instead".to_owned(),
        size => format!("all results of its chunk, up to {size}, are replaced by an error"),
    };
    let text = format!(
        "a result{} could not be pickled{}: {instead}",
        of(call),
        in_brackets(&note.note.text),
    );
    let advice = "return plain data: no lambdas, locks, open files or generators";
    let mut finding = noted(FindingKind::UnpicklableResult, note, text, advice);
    finding.numbers.push(("chunksize", f64::from(size)));
    search.of_note(note, 0.0, finding);
}

fn not_sent(search: &mut Search<'_>, note: &TimedNote) {
    let text = format!(
        "a message{} could not be pickled{}: it was not sent, and the caller gets an error instead of its results",
        of(search.scene.call_of(note)),
        in_brackets(&note.note.text),
    );
    let advice =
        "pass plain data and functions of a module: no lambdas, locks, open files or generators";
    let finding = noted(FindingKind::UnpicklableArgument, note, text, advice);
    search.of_note(note, 0.0, finding);
}

fn input_swallowed(search: &mut Search<'_>, note: &TimedNote) {
    let Some(call) = search.scene.call_of(note) else {
        return;
    };
    let items = call
        .submitted
        .count_until(note.at)
        .max(call.facts.tasks.unwrap_or(0));
    let taken = u32::try_from(note.note.value).unwrap_or(0).min(items);
    let pile = match highest_pile(search.scene, call, note.at) {
        // What goes to threads and back is not pickled: all of it waits as it is.
        None if items - taken >= SWALLOWED_ITEMS => Pile {
            at: note.at,
            taken,
            untaken: items - taken,
            bytes: None,
        },
        Some(pile) if pile.bytes >= Some(SWALLOWED_BYTES) => pile,
        _ => return,
    };
    if pile.untaken < items / 4 {
        return;
    }
    let Pile {
        at, taken, untaken, ..
    } = pile;
    let size = pile
        .bytes
        .map_or_else(String::new, |size| format!(", {},", bytes::words(size)));
    let text = format!(
        "{} had read its whole input of {items} items after {}: nothing holds it back, and {} after its begin the \
         caller had taken {} while {untaken} others{size} waited in memory",
        named(call),
        note.at.since(call.began),
        at.since(call.began),
        counted(taken, "result", "results"),
    );
    let advice = "feed it a list at a time (list(itertools.islice(items, 50))), or let the input wait on a semaphore \
                  that each result releases";
    let mut finding = noted(FindingKind::InputSwallowed, note, text, advice);
    finding.numbers = vec![
        ("items", f64::from(items)),
        ("taken", f64::from(taken)),
        ("untaken", f64::from(untaken)),
    ];
    finding
        .numbers
        .extend(pile.bytes.map(|bytes| ("bytes", bytes as f64)));
    search.of_call(call, f64::from(untaken), finding);
}

/// Results that were there at a moment, and that nobody had taken.
struct Pile {
    at: Time,
    taken: u32,
    untaken: u32,
    /// As pickled; `None` where nothing is.
    bytes: Option<u64>,
}

/// The largest of a call, in bytes, since all its input was read. `None` where nothing is pickled.
fn highest_pile(scene: Scene<'_>, call: &Call, since: Time) -> Option<Pile> {
    // A pipe holds back what is on its way to the workers; what they gave back piles up.
    let pile = |at: Time| {
        let back = call.bytes_until(at, Way::ToCaller)?;
        let done = call.finished.count_until(at) as u32;
        let taken = scene.trace.received(call, at).len() as u32;
        let untaken = done.saturating_sub(taken);
        Some(Pile {
            at,
            taken,
            untaken,
            bytes: Some((back as f64 * f64::from(untaken) / f64::from(done.max(1))) as u64),
        })
    };
    let last = call
        .finished
        .until(scene.at)
        .last()
        .map_or(since, |last| last.at);
    let length = last.since(since).0;
    let moments = (0..=MOMENTS).map(|k| since + Nanos(length / MOMENTS * k));
    let all = moments.chain([last.max(since)]).filter_map(pile);
    all.max_by_key(|pile| pile.bytes)
}

fn left_outstanding(search: &mut Search<'_>, note: &TimedNote) {
    // An exception that ends the program, or is handled, is what is to be told of, not what it leaves.
    let is_raising = note.note.text == RAISING || search.was_interrupted(note.at);
    // Nor is it known how many they were where events were not seen.
    let is_guess = search.scene.trace.counts(note.at).dropped > 0;
    if search.scene.is_executor(note.note.pool) || is_raising || is_guess {
        return;
    }
    // What a thread that died does not hand out is told for itself.
    let pool = About::Pool(note.note.pool);
    if search.scene.has_noted(NoteKind::ResultThreadDied, pool) {
        return;
    }
    // What was lost before would not have come either.
    let calls = search.scene.calls_of(note.note.pool);
    let lost: usize = calls.map(|call| call.lost_until(note.at)).sum();
    let left = u64::try_from(note.note.value)
        .unwrap_or(0)
        .saturating_sub(lost as u64);
    if left == 0 {
        return;
    }
    let have = counted(left, "task had", "tasks had");
    let (what, advice) = match note.note.text.as_str() {
        TERMINATED => (
            "the program called terminate()",
            "fetch the results before that, or call close() and join() instead",
        ),
        EXITING => (
            "the program ended, which terminated its pool,",
            "fetch the results before that, or call close() and join()",
        ),
        _ => (
            "leaving `with Pool()` terminated the pool",
            "fetch the results inside the `with`, or call close() and join() at its end",
        ),
    };
    let text = format!(
        "{what} while {have} no result: that does not wait for them, which is fine if nobody wants them"
    );
    let mut finding = noted(FindingKind::LeftOutstanding, note, text, advice);
    finding.numbers.push(("outstanding", left as f64));
    search.of_pool(left as f64, finding);
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;

    fn call(method: &str, tasks: u32) -> Told {
        Told::pool("Pool", 2).call(0, method, tasks, 1)
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        let found = Told::pool("Pool", 2)
            .call(0, "map", 2, 1)
            .note(5, 0, NoteKind::NotSent, 0)
            .finding();
        assert_eq!(found.kind, FindingKind::UnpicklableArgument);
        found.says("a message of map(square) in line 12 could not be pickled (TypeError: no): it was not sent");
    }

    #[test]
    fn a_callback_that_raises_stops_a_pool_and_no_executor() {
        let of = |kind| {
            Told::pool(kind, 2)
                .call(0, "map_async", 1, 1)
                .note(5, 0, NoteKind::CallbackRaised, 0)
                .note(5, 0, NoteKind::ResultThreadDied, 0)
                .note(9, 0, NoteKind::LeftOutstanding, 1)
        };
        let found = of("Pool").finding();
        assert_eq!(found.kind, FindingKind::CallbackRaised);
        found.says("a callback of map_async(square) in line 12 raised (TypeError: no): ");
        assert_eq!(of("ThreadPoolExecutor").kinds(), []);
    }

    #[test]
    fn a_callback_that_raises_a_key_error_stops_one_call() {
        let ignored = call("map_async", 1).note(5, 0, NoteKind::CallbackRaised, 1);
        ignored
            .finding()
            .says("so its get() and the pool's join() wait for ever");
        let died = call("map_async", 1)
            .note(5, 0, NoteKind::CallbackRaised, 1)
            .note(9, 0, NoteKind::ResultThreadDied, 0);
        assert_eq!(
            died.kinds(),
            [FindingKind::CallbackRaised, FindingKind::UnpicklableResult]
        );
    }

    #[test]
    fn an_error_that_cannot_be_read_stops_a_pool() {
        let found = call("map", 1)
            .note(5, 0, NoteKind::ResultThreadDied, 0)
            .finding();
        assert_eq!(found.kind, FindingKind::UnpicklableResult);
        found.says("could not unpickle what a task of map(square)");
        // What it leaves behind is no news.
        let died = call("map", 2).note(5, 0, NoteKind::ResultThreadDied, 0);
        let left = died.note(9, 0, NoteKind::LeftOutstanding, 2);
        assert_eq!(left.kinds(), [FindingKind::UnpicklableResult]);
    }

    #[test]
    fn a_result_that_cannot_be_pickled_takes_its_chunk_along() {
        let found = call("map", 1)
            .note(5, 1, NoteKind::UnpicklableResult, 0)
            .finding();
        assert_eq!(found.kind, FindingKind::UnpicklableResult);
        found.says("(TypeError: no): the caller gets an error instead");
        let chunk =
            Told::pool("Pool", 2)
                .call(0, "map", 8, 4)
                .note(5, 1, NoteKind::UnpicklableResult, 0);
        assert!(
            chunk
                .finding()
                .text
                .ends_with("all results of its chunk, up to 4, are replaced by an error")
        );
    }

    /// So many tasks of an iterator with so many bytes of results, all read at 5 ms, of which one is done each
    /// millisecond from then on; the caller takes so many of them at once, and the rest at the end.
    fn reads_ahead(bytes: u32, items: u32, taken: u32) -> Told {
        let told = call("imap", items).note(5, 0, NoteKind::InputSwallowed, 0);
        let mut told = told.bytes_back(6, bytes);
        for index in 0..items {
            let at = 5 + u64::from(index);
            told = told.task(1 + index % 2, index, at, at + 1);
            let taken_at = if index < taken {
                at + 1
            } else {
                6 + u64::from(items)
            };
            told = told.ready(at + 1, index).takes(taken_at, index);
        }
        told
    }

    #[test]
    fn input_that_is_read_ahead_is_told_where_it_is_much() {
        let found = reads_ahead(80 << 20, 100, 25).finding();
        assert!(!found.kind.is_fault());
        found.says("had read its whole input of 100 items after 5.00 ms: nothing holds it back, and 105 ms after its begin");
        found.says("the caller had taken 25 results while 75 others, 60 MiB, waited in memory");
        assert_eq!(found.numbers[..2], [("items", 100.0), ("taken", 25.0)]);
        assert_eq!(reads_ahead(80 << 20, 100, 90).kinds(), []);
        // However many they are, they are small.
        assert_eq!(reads_ahead(20 << 20, 100, 3).kinds(), []);
        let of_threads = |items| {
            let call = Told::pool("ThreadPool", 2).call(0, "imap", items, 1_000);
            call.note(5, 0, NoteKind::InputSwallowed, 0).kinds()
        };
        assert_eq!(of_threads(999_999), []);
        assert_eq!(of_threads(1_000_000), [FindingKind::InputSwallowed]);
    }

    #[test]
    fn work_left_behind_is_told_without_what_could_never_come() {
        let left = |value| call("map_async", 8).note(50, 0, NoteKind::LeftOutstanding, value);
        let found = left(5).finding();
        assert_eq!(
            (found.kind, found.numbers.as_slice()),
            (FindingKind::LeftOutstanding, &[("outstanding", 5.0)][..])
        );
        found.says("leaving `with Pool()` terminated the pool while 5 tasks had no result");
        assert_eq!(left(0).kinds(), []);
        let why = |text| call("map_async", 8).note_of(50, 0, NoteKind::LeftOutstanding, (text, 5));
        why(TERMINATED)
            .finding()
            .says("the program called terminate() while 5 tasks had no result");
        why(EXITING)
            .finding()
            .says("the program ended, which terminated its pool, while 5 tasks had no result");
        assert_eq!(why(RAISING).kinds(), []);
        let lost = left(1).start(1, 0, 1).lost(20, 1, 0, 1);
        assert_eq!(lost.kinds(), [FindingKind::LostTask]);
    }
}
