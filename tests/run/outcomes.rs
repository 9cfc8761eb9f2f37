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
    let numbers = report["pools"].as_array().unwrap().iter();
    let numbers: Vec<_> = numbers
        .map(|pool| (&pool["number"], &pool["kind"]))
        .collect();
    let executor = (&1.into(), &"ProcessPoolExecutor".into());
    assert_eq!(numbers[0], executor);
    let text = script.start(&["--text"]).end().err;
    for worker in [
        "ProcessPoolExecutor worker 0 of pool 1, pid",
        "ThreadPool worker 0 of pool 2, pid",
    ] {
        assert!(text.contains(worker), "{text}");
    }
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

#[test]
fn a_program_that_closes_all_descriptors_or_becomes_another_is_watched_on() {
    let script = Script::new(
        r#"
import gc, multiprocessing, os, sys

try:
    # A thread that ends opens this library, maybe a while after its join; whoever closes it then ends the program.
    import ctypes
    ctypes.CDLL("libgcc_s.so.1")
except (ImportError, OSError):
    pass

fork = multiprocessing.get_context("fork")

def first(x):
    return x

def second(x):
    return x

def third(x):
    return x

def use(function):
    with fork.Pool(1) as pool:
        print(pool.map(function, range(3)), flush=True)
    pool.join()
    del pool
    gc.collect()

if __name__ == "__main__":
    if len(sys.argv) > 1:
        use(third)
    else:
        use(first)
        os.closerange(3, 1024)
        use(second)
        os.closerange(3, 1024)
        os.execv(sys.executable, [sys.executable, sys.argv[0], "again"])
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(
        (said.out, said.err),
        ("[0, 1, 2]\n".repeat(3), String::new())
    );
    let calls = report["calls"].as_array().unwrap().iter();
    let calls: Vec<&Value> = calls.map(|call| &call["function"]).collect();
    assert_eq!(calls, ["first", "second", "third"]);
    assert_eq!(outcomes(&report), ["returned"; 3]);
    assert_eq!(report["counts"]["tasks"], 9);
    assert_eq!(report["losses"], serde_json::json!([]));
}

#[test]
fn an_interpreter_that_came_in_the_place_of_another_and_went_before_anybody_looked_is_known() {
    let script = Script::new(
        r#"
from multiprocessing.pool import ThreadPool
import os, signal, subprocess, sys

def first(x):
    return x

def second(x):
    return x

def use(function):
    with ThreadPool(1) as pool:
        print(pool.map(function, range(3)), flush=True)

if __name__ == "__main__":
    if len(sys.argv) > 1:
        use(second)
        # Whoever looks goes on when this has ended.
        words = ["sh", "-c", "read end; kill -CONT $0", str(os.getppid())]
        there = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        sys.stdout.flush()
        os._exit(0)
    else:
        # Nobody looks before the other interpreter has come and gone.
        os.kill(os.getppid(), signal.SIGSTOP)
        use(first)
        os.execv(sys.executable, [sys.executable, sys.argv[0], "again"])
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[0, 1, 2]\n".repeat(2));
    let calls = report["calls"].as_array().unwrap().iter();
    let calls: Vec<&Value> = calls.map(|call| &call["function"]).collect();
    assert_eq!(calls, ["first", "second"]);
    assert_eq!(report["counts"]["tasks"], 6);
    assert_eq!(report["losses"], serde_json::json!([]));
}

#[test]
fn what_runs_in_an_executor_that_cancels_the_rest_and_breaks_did_not_return() {
    let script = Script::new(
        r#"
from concurrent.futures import ProcessPoolExecutor
import multiprocessing, os, signal, sys, threading

fork = multiprocessing.get_context("fork")
started = fork.Event()

def wait(x):
    started.set()
    signal.pause()

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, mp_context=fork)
    futures = [pool.submit(wait, x) for x in range(6)]
    started.wait()
    workers = list(pool._processes)
    cancelled = threading.Event()
    futures[-1].add_done_callback(lambda _: cancelled.set())
    if sys.version_info >= (3, 9):
        pool.shutdown(wait=False, cancel_futures=True)
    else:
        list(map(lambda future: future.cancel(), futures))
    cancelled.wait()
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    for future in futures:
        print("cancelled" if future.cancelled() else type(future.exception()).__name__)
"#,
    );
    let (said, report) = script.watch(&[]);
    let said: Vec<&str> = said.out.lines().collect();
    assert_eq!(outcomes(&report), said);
    assert!(said.contains(&"cancelled") && said.contains(&"BrokenProcessPool"));
    assert!(findings(&report).contains(&"broken-process-pool"));
}

#[test]
fn a_program_that_dies_of_a_signal_leaves_no_workers_behind() {
    let script = Script::new(
        r#"
import multiprocessing, signal

fork = multiprocessing.get_context("fork")
both = fork.Barrier(3)

def wait(x):
    both.wait()
    signal.pause()

if __name__ == "__main__":
    with fork.Pool(2) as pool:
        result = pool.map_async(wait, range(2), 1)
        both.wait()
        print("they run", flush=True)
        result.get()
"#,
    );
    let mut running = script.start(&["--report", "report.json"]);
    running.read_line("they run");
    running.signal(Signal::TERM);
    // Its workers have its stdout: this is the end of all of them.
    let said = running.end();
    assert_eq!((said.out.as_str(), said.code), ("", Some(143)));
    assert_eq!(script.report()["counts"]["workers"], 2);
}

#[test]
fn a_process_of_the_program_is_no_worker_whatever_its_name() {
    let script = Script::new(
        r#"
import multiprocessing

fork = multiprocessing.get_context("fork")

def pass_on(there, back):
    for task in iter(there.get, None):
        back.put(task)

if __name__ == "__main__":
    with fork.Pool(2) as pool:
        print(pool.map(abs, range(4)))
    there, back = fork.SimpleQueue(), fork.SimpleQueue()
    process = fork.Process(target=pass_on, args=(there, back), name="OwnPoolWorker-1")
    process.start()
    for number in range(3):
        there.put((number, 0, abs, (1,), {}))
    there.put(None)
    process.join()
    print(back.get()[0])
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[0, 1, 2, 3]\n0\n");
    assert_eq!(report["counts"]["workers"], 2);
    assert_eq!(outcomes(&report), ["returned"]);
}
