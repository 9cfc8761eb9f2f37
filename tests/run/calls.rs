//! Calls as real programs make them, and what the report says of each.

use super::script::Script;
use serde_json::{Value, json};

#[test]
fn executors_in_workers_of_an_executor_are_counted_by_themselves() {
    let script = Script::new(
        r#"
from concurrent.futures import ProcessPoolExecutor

def leaf(x):
    return sum(range(500_000))

def inner(tasks):
    with ProcessPoolExecutor(2) as pool:
        return len(list(pool.map(leaf, range(tasks), chunksize=5)))

if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        print(list(pool.map(inner, range(8, 16))))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[8, 9, 10, 11, 12, 13, 14, 15]\n");
    assert_eq!(report["counts"]["tasks"], 8 + (8..16).sum::<u64>());
    for call in report["calls"].as_array().unwrap() {
        for order in ["started", "finished", "delivered"] {
            let tasks = call["orders"][order].as_array().unwrap().len();
            assert_eq!(Some(tasks as u64), call["tasks"].as_u64(), "{order} {call}");
        }
    }
}

#[test]
fn an_error_that_the_program_asked_for_is_not_hidden() {
    let script = Script::new(
        r#"
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
import multiprocessing, time

def work(x):
    if x == 3:
        raise ValueError("three")
    return x

def over(future):
    if future.exception() is not None:
        print("over", future.exception())

if __name__ == "__main__":
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        for future in as_completed([pool.submit(work, x) for x in range(5)]):
            if future.exception() is not None:
                print(future.exception())
    with ProcessPoolExecutor(2) as pool:
        pool.submit(work, 3).add_done_callback(over)
    with multiprocessing.Pool(2) as pool:
        results = [pool.apply_async(work, (x,)) for x in range(5)]
        # The error first: it is asked for as soon as it is there.
        for result in results[3:] + results[:3]:
            result.wait()
        print([result.successful() for result in results])
        pool.apply_async(work, (3,), callback=print, error_callback=print)
        pool.map_async(work, range(5), callback=print, error_callback=print)
        pool.close()
        pool.join()
    # What goes unasked for a tenth of a run is hidden.
    time.sleep(max(1, 10 * (time.monotonic() - begun)))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said, script.plain(&[]));
    assert_eq!(report["counts"]["failed"], 5);
    let failed = report["calls"].as_array().unwrap().iter();
    let failed: Vec<&Value> = failed.filter(|call| call["failed"] != 0).collect();
    assert_eq!(failed.len(), 5);
    for call in failed {
        assert_eq!(
            (&call["failed"], &call["error"]),
            (&json!(1), &json!("ValueError: three"))
        );
    }
    let text = script.start(&["--text"]).end().err;
    let line = text
        .lines()
        .find(|line| line.contains("map_async(work)"))
        .unwrap();
    assert!(
        line.ends_with(", 1 failed (ValueError: three), error"),
        "{text}"
    );
    assert_eq!(
        kinds(&report, "hidden-error"),
        0,
        "{:#}",
        report["findings"]
    );
}

/// How many findings are of this kind.
fn kinds(report: &Value, kind: &str) -> usize {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|found| found["kind"] == kind).count()
}

#[test]
fn what_asyncio_hands_to_an_executor_stands_where_the_program_asked_for_it() {
    let script = Script::new(
        r#"
import asyncio, functools
from concurrent.futures import ThreadPoolExecutor

def work(x):
    return x

def sum_of(x, y):
    return x + y

async def main():
    loop = asyncio.get_running_loop()
    print(await asyncio.gather(*[loop.run_in_executor(None, work, x) for x in range(3)]))
    with ThreadPoolExecutor(2) as pool:
        print(await loop.run_in_executor(pool, functools.partial(sum_of, y=1), 1))
    if hasattr(asyncio, "to_thread"):
        print(await asyncio.to_thread(work, 1))
        print(await asyncio.gather(asyncio.to_thread(work, 2)))

asyncio.run(main())
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said, script.plain(&[]));
    let calls = report["calls"].as_array().unwrap().iter();
    let lines: Vec<(&str, Option<u64>)> = calls
        .map(|call| (call["function"].as_str().unwrap(), call["line"].as_u64()))
        .collect();
    let asked = [("work", Some(13)); 3];
    assert_eq!(lines[..3], asked);
    assert_eq!(lines[3], ("sum_of", Some(15)));
    // Whoever asked for a task of a loop is not among those that run then.
    let rest = [("work", Some(17)), ("work", None)];
    assert_eq!(lines[4..], rest[..lines.len() - 4]);
}

#[test]
fn what_a_program_cancels_or_leaves_is_told_as_that() {
    let script = Script::new(
        r#"
from concurrent.futures import ThreadPoolExecutor
import multiprocessing, threading, time

def wait(x):
    go_on.wait()
    return x

def last(x):
    time.sleep(60 * x)
    return x

if __name__ == "__main__":
    go_on = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(wait, x) for x in range(6)]
        print([future.cancel() for future in futures[3:]])
        go_on.set()
        print([future.result() for future in futures[:3]])
    go_on = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(wait, 0)
        print(pool.submit(wait, 1).cancel())
        go_on.set()
    with multiprocessing.Pool(2) as pool:
        print(next(pool.imap(last, range(3))))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[True, True, True]\n[0, 1, 2]\nTrue\n0\n");
    let calls = report["calls"].as_array().unwrap().iter();
    let outcomes: Vec<(&str, &Value)> = calls
        .map(|call| (call["outcome"].as_str().unwrap(), &call["cancelled"]))
        .collect();
    let (kept, cancelled) = (("returned", &json!(0)), ("cancelled", &json!(1)));
    assert_eq!(outcomes[..6], [[kept; 3], [cancelled; 3]].concat());
    assert_eq!(outcomes[6..], [kept, cancelled, ("left", &json!(0))]);

    let text = script.start(&["--text"]).end().err;
    let line = |words: &str| text.lines().find(|line| line.contains(words)).unwrap();
    assert!(
        line("submit(wait) x 6").ends_with(", 3 cancelled, returned"),
        "{text}"
    );
    assert!(
        line("imap(last)").ends_with(", left before its end"),
        "{text}"
    );
}

#[test]
fn a_worker_whose_death_breaks_its_executor_was_killed_and_lost_its_task() {
    for (pool, start) in [
        ("ProcessPoolExecutor(2)", "fork"),
        ("ProcessPoolExecutor(1)", "spawn"),
    ] {
        let script = Script::new(
            &r#"
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
import multiprocessing, os, signal

def work(x):
    if x == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    return x

if __name__ == "__main__":
    multiprocessing.set_start_method("START")
    with POOL as pool:
        print(pool.submit(work, 0).result())
        try:
            pool.submit(work, 1).result()
        except BrokenProcessPool as error:
            print(error)
"#
            .replace("START", start)
            .replace("POOL", pool),
        );
        let (said, report) = script.watch(&[]);
        assert_eq!(said, script.plain(&[]));
        let workers = report["workers"].as_array().unwrap();
        // The executor itself kills the others.
        let mut ended = workers.iter().map(|worker| &worker["ended"]);
        assert!(ended.all(|ended| ended == "killed"), "{workers:#?}");
        let by_itself = workers.iter().filter(|worker| worker["exit"] == -11);
        assert_eq!(by_itself.count(), 1, "{workers:#?}");
        assert_eq!(report["counts"]["lost"], 1);
        let outcomes = [&report["calls"][0], &report["calls"][1]].map(|call| &call["outcome"]);
        assert_eq!(outcomes, ["returned", "BrokenProcessPool"]);
    }
}

#[test]
fn an_imap_whose_input_raises_ends_with_that_error() {
    let script = Script::new(
        r#"
from multiprocessing import Pool

def items():
    yield from range(3)
    raise ValueError("no more")

if __name__ == "__main__":
    with Pool(2) as pool:
        for method in (pool.imap, pool.imap_unordered):
            got = []
            results = method(abs, items())
            while True:
                try:
                    got.append(next(results))
                except StopIteration:
                    break
                except ValueError as error:
                    got.append(9)
            print(sorted(got))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[0, 1, 2, 9]\n[0, 1, 2, 9]\n");
    for call in report["calls"].as_array().unwrap() {
        assert_eq!(
            (&call["outcome"], &call["tasks"]),
            (&json!("error"), &json!(3))
        );
    }
}

#[test]
fn a_method_that_a_library_runs_in_a_thread_is_called_by_its_name() {
    let script = Script::new(
        r#"
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.pool import ThreadPool
import threading

def square(x):
    return x * x

def run(thread):
    thread.start()
    thread.join()

if __name__ == "__main__":
    with ThreadPool(2) as pool, ThreadPoolExecutor(2) as executor:
        run(threading.Thread(target=pool.map, args=(square, range(4))))
        run(threading.Timer(0, pool.starmap, (pow, [(1, 2)])))
        print(executor.submit(pool.map, square, range(3)).result())
        print(pool.apply(pool.map, (square, range(2))))
        first, ran = executor.submit(square, 1), threading.Event()
        first.add_done_callback(lambda _: ran.set())
        ran.wait()
        first.add_done_callback(partial(executor.submit, repr))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[0, 1, 4]\n[0, 1]\n", "{}", said.err);
    let calls: Vec<(&str, bool)> = report["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| (call["method"].as_str().unwrap(), call["line"].is_u64()))
        .collect();
    let expected = [
        ("map", false),
        ("starmap", false),
        ("submit", true),
        ("map", false),
        ("apply", true),
        ("map", false),
        ("submit", true),
        ("submit", false),
    ];
    assert_eq!(calls, expected);
}
