//! Workers that are threads, and how they end.

use super::script::Script;
use serde_json::Value;

fn words<'a>(report: &'a Value, part: &str, key: &str) -> Vec<&'a str> {
    let list = report[part].as_array().unwrap().iter();
    list.map(|one| one[key].as_str().unwrap()).collect()
}

#[test]
fn an_initializer_that_raises_in_a_thread_is_found_and_no_call_returned() {
    let script = Script::new(
        r#"
from concurrent.futures import ThreadPoolExecutor
import logging, threading

logging.disable()
submitted = threading.Event()

def initializer():
    submitted.wait()
    raise ValueError("no")

def error(future):
    return type(future.exception()).__name__

if __name__ == "__main__":
    pool = ThreadPoolExecutor(1, initializer=initializer)
    futures = [pool.submit(abs, x) for x in range(3)]
    futures.append(pool.submit(len, ()))
    submitted.set()
    print([error(future) for future in futures])
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(
        said.out,
        format!("{:?}\n", ["BrokenThreadPool"; 4]).replace('"', "'")
    );
    assert_eq!(words(&report, "calls", "outcome"), ["BrokenThreadPool"; 4]);
    assert_eq!(words(&report, "findings", "kind"), ["initializer-raised"]);
    let text = report["findings"][0]["text"].as_str().unwrap();
    assert!(text.contains("ValueError: no"), "{text}");
}

#[test]
fn each_thread_that_calls_has_the_name_that_the_program_gave_it() {
    let script = Script::new(
        r#"
from multiprocessing.pool import ThreadPool
import threading

if __name__ == "__main__":
    names = ["W%02d" % number for number in range(24)]
    with ThreadPool(2) as pool:
        threads = [threading.Thread(target=pool.apply, args=(abs, (-1,)), name=name) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
"#,
    );
    let (_, report) = script.watch(&[]);
    let mut callers = words(&report, "calls", "caller");
    callers.sort_unstable();
    let names: Vec<String> = (0..24).map(|number| format!("W{number:02}")).collect();
    assert_eq!(callers, names);
}

#[test]
fn a_task_that_leaves_ends_the_thread_that_ran_it() {
    let script = Script::new(
        r#"
from multiprocessing.pool import ThreadPool
import os

def leave(x):
    if x == 2:
        raise SystemExit(4)
    return x

if __name__ == "__main__":
    pool = ThreadPool(1)
    first = pool._pool[0]
    result = pool.map_async(leave, range(6), 1)
    first.join()
    print(result.ready(), flush=True)
    os._exit(0)
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "False\n");
    assert_eq!(words(&report, "calls", "outcome"), ["never"]);
    assert_eq!(report["calls"][0]["lost"], 1);
    assert_eq!(words(&report, "workers", "ended")[0], "crashed");
    let text = report["findings"][0]["text"].as_str().unwrap();
    assert!(text.contains("ended worker 0"), "{text}");
}
