//! How the calls of real programs end when something goes wrong, and who is to blame.

use super::script::{Said, Script};
use rustix::process::Signal;
use serde_json::Value;

fn outcomes(report: &Value) -> Vec<&str> {
    let calls = report["calls"].as_array().unwrap().iter();
    calls
        .map(|call| call["outcome"].as_str().unwrap())
        .collect()
}

fn findings(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|found| found["kind"].as_str().unwrap())
        .collect()
}

fn callers(report: &Value) -> Vec<&str> {
    let calls = report["calls"].as_array().unwrap().iter();
    let mut callers: Vec<&str> = calls.map(|call| call["caller"].as_str().unwrap()).collect();
    callers.dedup();
    callers
}

#[test]
fn futures_of_a_broken_executor_did_not_return() {
    let script = Script::new(
        r#"
from concurrent.futures import ProcessPoolExecutor
import os, time

def work(x):
    if x == 1:
        while not os.path.exists("all are submitted"):
            time.sleep(0.01)
        os._exit(3)
    return x

if __name__ == "__main__":
    with ProcessPoolExecutor(1) as pool:
        print(pool.submit(work, 0).result())
        futures = [pool.submit(work, x) for x in range(1, 6)]
        open("all are submitted", "w").close()
        for future in futures:
            print(type(future.exception()).__name__)
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, format!("0\n{}", "BrokenProcessPool\n".repeat(5)));
    assert_eq!(outcomes(&report)[0], "returned");
    assert_eq!(outcomes(&report)[1..], ["BrokenProcessPool"; 5]);
    for call in report["calls"].as_array().unwrap() {
        assert_eq!(call["numbers"]["queue_depth"], 0, "{call}");
    }
}

#[test]
fn a_message_that_cannot_be_pickled_is_told_with_its_error() {
    let script = Script::new(
        r#"
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool
import threading

def work(x):
    return 1

def asked(get):
    try:
        return get()
    except TypeError:
        return "TypeError"

if __name__ == "__main__":
    with Pool(2) as pool:
        print(asked(lambda: pool.map(work, [1, threading.Lock(), 3], 1)))
        print(asked(lambda: list(pool.imap(work, [1, threading.Lock()]))))
        print(asked(pool.apply_async(work, [threading.Lock()]).get))
        print(pool.apply(work, [1]))
    with ProcessPoolExecutor(2) as pool:
        print(asked(pool.submit(work, threading.Lock()).result))
        print(pool.submit(work, 2).result())
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(
        said.out,
        "TypeError\nTypeError\nTypeError\n1\nTypeError\n1\n"
    );
    assert_eq!(
        outcomes(&report),
        // An iterator goes on after an error.
        [
            "error", "returned", "error", "returned", "error", "returned"
        ]
    );
    for (place, call) in report["calls"].as_array().unwrap().iter().enumerate() {
        let error = call["error"].as_str().unwrap_or_default();
        let is_sent = [3, 5].contains(&place);
        assert_eq!(error.starts_with("not sent: TypeError"), !is_sent, "{call}");
        assert_eq!(call["numbers"]["queue_depth"], 0, "{call}");
    }
    let kinds = findings(&report);
    // A slow machine makes much of the start of pools that have so little to do.
    let expected = ["unpicklable-argument", "start-up-cost"];
    assert!(
        kinds.iter().all(|kind| expected.contains(kind)),
        "{kinds:?}"
    );
    assert!(kinds.contains(&expected[0]), "{kinds:?}");
}

#[test]
fn a_program_told_to_end_lets_its_workers_finish() {
    let script = Script::new(
        r#"
import multiprocessing, signal, time

asked = []

def square(x):
    return x * x

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
        print(pool.map(square, range(4), 1), flush=True)
        while not asked:
            time.sleep(0.01)
        print(pool.map(square, range(4), 1))
        pool.close()
        pool.join()
"#,
    );
    let mut running = script.start(&["--report", "report.json"]);
    running.read_line("[0, 1, 4, 9]");
    running.signal(Signal::TERM);
    let Said { out, code, .. } = running.end();
    assert_eq!((out.as_str(), code), ("[0, 1, 4, 9]\n", Some(0)));
    let report = script.report();
    assert_eq!(report["counts"]["workers"], 2);
    assert_eq!(report["counts"]["lost"], 0);
}

#[test]
fn who_traces_the_program_finds_no_file_of_ours_and_a_map_stays_one_call() {
    let script = Script::new(
        r#"
import os, sys, threading

files = set()

def trace(frame, event, argument):
    files.add(frame.f_code.co_filename)
    return trace

threading.settrace(trace)
sys.settrace(trace)
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool

def square(x):
    return x * x

if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(square, range(4)))
    with ThreadPoolExecutor(2) as pool:
        print(list(pool.map(square, range(4))))
        print(list(pool.map(square, range(3))))
    sys.settrace(None)
    print([name for name in files if not name.startswith("<") and not os.path.exists(name)])
    print([name for name in files if "parviz" in os.path.basename(name) and os.path.exists(name)])
"#,
    );
    let (said, report) = script.watch(&[]);
    let lists = "[0, 1, 4, 9]\n[0, 1, 4, 9]\n[0, 1, 4]\n[]\n[]\n";
    assert_eq!(said.out, lists);
    let tasks = report["calls"].as_array().unwrap().iter();
    let tasks: Vec<u64> = tasks.map(|call| call["tasks"].as_u64().unwrap()).collect();
    assert_eq!(tasks, [4, 4, 3]);
}

#[test]
fn a_worker_that_calls_is_named_as_the_worker_it_is() {
    let script = Script::new(
        r#"
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import ThreadPool

def leaf(x):
    return x

def inner(x):
    with ThreadPool(1) as pool:
        return sum(pool.map(leaf, range(x)))

if __name__ == "__main__":
    with ProcessPoolExecutor(1) as pool:
        print(list(pool.map(inner, [2, 3])))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[1, 3]\n");
    assert_eq!(callers(&report), ["main", "worker 0 of pool 1"]);
}

#[test]
fn a_worker_without_room_for_its_ring_is_not_watched() {
    let script = Script::new(
        r#"
import multiprocessing, resource

fork = multiprocessing.get_context("fork")
both = fork.Barrier(2)

def square(x):
    both.wait()
    return x * x

if __name__ == "__main__":
    with fork.Pool(2) as pool:
        print(pool.map(square, range(4)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    with fork.Pool(2) as pool:
        print(pool.map(square, range(4)))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[0, 1, 4, 9]\n".repeat(2));
    assert_eq!(report["counts"]["unwatched"], 2);
    let calls = report["calls"].as_array().unwrap();
    let at_least: Vec<&Value> = calls.iter().map(|call| &call["at_least"]).collect();
    assert_eq!(at_least, [false, true]);
}
