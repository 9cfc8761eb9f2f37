//! What goes wrong is told, and looks to the program as it always does.

use crate::probe::watch::{Seen, Watched, call, python, pythons, script, watch};
use parviz::origin::python::wire::{Closing, Told, Waits};

/// A fork server starts its workers as `fork` does.
const METHODS: [&str; 2] = ["fork", "spawn"];

fn run(fault: &str, method: &str) -> Watched {
    watch(call(
        &python(),
        &[script("faults.py").to_str().unwrap(), fault, method],
    ))
}

/// The notes of this fault, told in the same way by each start method; stdout, stderr and the code are as without.
fn notes(fault: &str) -> Vec<String> {
    let mut first: Option<Vec<String>> = None;
    for method in METHODS {
        let watched = run(fault, method);
        let path = script("faults.py");
        let alone = Seen::from(
            call(&python(), &[path.to_str().unwrap(), fault, method])
                .output()
                .unwrap(),
        );
        assert_eq!(
            without_names(&watched.seen),
            without_names(&alone),
            "{fault} {method}"
        );
        let notes: Vec<String> = watched.notes().into_iter().collect();
        let first = first.get_or_insert_with(|| notes.clone());
        assert_eq!(&notes, first, "{fault} {method}");
    }
    first.unwrap()
}

/// Of a resource that was left behind Python tells the name, which is another one each time.
fn without_names(seen: &Seen) -> Seen {
    let lines = seen.err.lines().map(|line| {
        let (known, _) = line.split_once(": {'/").unwrap_or((line, ""));
        format!("{known}\n")
    });
    Seen {
        code: seen.code,
        out: seen.out.clone(),
        err: lines.collect(),
    }
}

#[test]
fn a_task_that_leaves_takes_its_worker_with_it() {
    assert_eq!(notes("worker_exit"), ["WorkerExit SystemExit: 5 5"]);
}

#[test]
fn an_argument_that_cannot_be_read_ends_the_worker() {
    assert_eq!(
        notes("unpicklable_argument"),
        ["UnpicklableArgument KeyError: 'no' 0"]
    );
}

#[test]
fn a_result_that_cannot_be_pickled_is_told_by_the_worker() {
    let notes = notes("unpicklable_result");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("UnpicklableResult "), "{notes:?}");
}

#[test]
fn a_callback_that_raises_ends_the_thread_of_the_results() {
    let expected = [
        "CallbackRaised ValueError: no 0",
        "ResultThreadDied ValueError: no 0",
    ];
    assert_eq!(notes("callback_raised"), expected);
}

#[test]
fn a_callback_that_raises_a_key_error_is_passed_over() {
    assert_eq!(
        notes("callback_raised_key_error"),
        ["CallbackRaised KeyError 1"]
    );
    let watched = run("callback_raised_key_error", "fork");
    let passed_over = |told: &Told| matches!(told, Told::Note { .. });
    assert_eq!(watched.count(passed_over), 2);
    // Those whose callback raised are not complete; the last one is.
    assert_eq!(watched.count(|told| matches!(told, Told::Ready { .. })), 1);
}

#[test]
fn an_error_that_cannot_be_read_ends_the_thread_of_the_results() {
    let notes = notes("result_thread_died");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].starts_with("ResultThreadDied TypeError: "),
        "{notes:?}"
    );
}

#[test]
fn an_initializer_that_raises_is_told_by_each_worker() {
    for method in METHODS {
        let watched = run("initializer_raised", method);
        let notes: Vec<String> = watched.notes().into_iter().collect();
        assert_eq!(notes, ["InitializerRaised KeyError: 'no' 0"], "{method}");
        assert!(watched.count(|told| matches!(told, Told::Reap { exit: 1, .. })) >= 1);
        assert!(watched.count(|told| matches!(told, Told::Spawn { .. })) >= 3);
    }
}

#[test]
fn an_executor_that_breaks_says_what_it_gave_up() {
    let expected = ["Broken  1", "InitializerRaised  0"];
    assert_eq!(notes("executor_initializer_raised"), expected);
    assert_eq!(notes("executor_killed"), ["Broken  1"]);
}

#[test]
fn a_killed_worker_leaves_the_item_that_it_had() {
    for method in METHODS {
        let watched = run("worker_killed", method);
        assert_eq!(watched.seen.out, "[9]\n");
        assert_eq!(
            watched.count(|told| matches!(told, Told::Reap { exit: -9, .. })),
            1
        );
        let running: Vec<_> = watched
            .entries
            .values()
            .filter(|entry| entry.since.is_some())
            .map(|entry| (entry.chunk, entry.item))
            .collect();
        assert_eq!(running, [(0, 1)], "{method}");
        // The first item of the call ended, the third never started.
        let (started, ended) = watched.items();
        assert!(started <= 3 && ended == started - 1, "{started} {ended}");
    }
}

#[test]
fn a_thread_that_leaves_is_told() {
    let watched = watch(call(
        &python(),
        &[script("faults.py").to_str().unwrap(), "thread_exit", "fork"],
    ));
    let notes: Vec<String> = watched.notes().into_iter().collect();
    assert_eq!(notes, ["WorkerExit SystemExit: 5 5"]);
}

#[test]
fn leaving_a_pool_says_what_was_outstanding_and_how_much_of_the_input_was_read() {
    let watched = run("left_outstanding", "fork");
    let closed = watched.told().find_map(|(_, told)| match told {
        Told::PoolClose {
            how, outstanding, ..
        } => Some((*how, *outstanding)),
        _ => None,
    });
    assert_eq!(closed, Some((Closing::With, 2)));
    let read = watched.told().find_map(|(_, told)| match told {
        Told::InputEnd {
            chunks, delivered, ..
        } => Some((*chunks, *delivered)),
        _ => None,
    });
    assert_eq!(read, Some((5, 0)));
}

#[test]
fn an_error_that_nobody_gets_is_ready_and_never_delivered() {
    let watched = run("hidden_error", "fork");
    let count = |of: fn(&Told) -> bool| watched.count(of);
    assert_eq!(
        count(|told| matches!(told, Told::Back { ok: false, .. })),
        1
    );
    assert_eq!(count(|told| matches!(told, Told::Ready { .. })), 1);
    assert_eq!(count(|told| matches!(told, Told::Delivered { .. })), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_worker_that_holds_the_lock_is_known_after_its_death() {
    let watched = run("lock_held", "fork");
    let holds: Vec<_> = watched
        .entries
        .values()
        .filter(|entry| entry.holds_lock)
        .collect();
    assert_eq!(holds.len(), 1, "{:?}", watched.entries);
    assert_eq!(holds[0].since, None);
}

#[test]
fn whoever_is_interrupted_waits_no_longer_and_each_executor_is_closed() {
    for python in pythons() {
        let path = script("left.py");
        let watched = watch(call(&python, &[path.to_str().unwrap()]));
        let place = python.display();
        assert_eq!(watched.seen.out, "interrupted\n".repeat(2), "{place}");
        let mut told = watched.told().map(|(_, told)| told);
        let mut waits = 0;
        while told.any(|told| {
            matches!(
                told,
                Told::Block {
                    waits: Waits::Join | Waits::Shutdown,
                    ..
                }
            )
        }) {
            let next = told.find(|told| matches!(told, Told::Call { .. } | Told::Unblock { .. }));
            assert!(
                matches!(next, Some(Told::Unblock { .. })),
                "{place}: {next:?}"
            );
            waits += 1;
        }
        assert!(waits >= 3, "{place}: {waits}");
        let closed = |told: &Told| {
            matches!(
                told,
                Told::PoolClose {
                    how: Closing::Shutdown,
                    ..
                }
            )
        };
        assert_eq!(watched.count(closed), 3, "{place}");
    }
}
