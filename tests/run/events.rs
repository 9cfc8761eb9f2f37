//! What is told of real programs, event by event.

use super::script::Script;
use parviz::event::{CallerState, Outcome};
use parviz::origin::python::{self, Input, Outlet, Program, Target};
use parviz::time::Time;
use parviz::trace::Trace;

fn program(script: &Script) -> Program {
    Program {
        python: Some(super::script::python().into()),
        flags: Vec::new(),
        target: Target::Script(script.path("script.py")),
        args: Vec::new(),
        input: Input::Empty,
        outlet: Outlet::Kept,
        group: true,
    }
}

fn trace_of(script: &Script) -> Trace {
    let watched = python::start(&program(script)).unwrap();
    let mut trace = Trace::default();
    let mut complete_to = Time::ZERO;
    let mut output = watched.output.iter();
    for batch in &watched.running.batches {
        assert!(batch.complete_to >= complete_to);
        complete_to = batch.complete_to;
        trace.apply(batch.events);
        if complete_to == Time::NEVER {
            break;
        }
    }
    // Whatever it prints is handed on before the end.
    assert!(output.by_ref().count() > 0);
    watched.running.join();
    trace
}

#[test]
fn a_task_goes_through_its_stages_in_order() {
    for method in ["fork", "spawn"] {
        let script = Script::new(&super::METHODS.replace("METHOD", &format!("{method:?}")));
        let trace = trace_of(&script);
        let calls: Vec<_> = trace.calls().collect();
        assert_eq!(calls.len(), 8, "series are shown as one");
        for call in calls {
            for (index, task) in (0..).zip(call.tasks()) {
                let chunk = call.chunk(call.chunk_of(index)).unwrap();
                let stages = [
                    ("submitted", task.submitted),
                    ("enqueued", chunk.enqueued),
                    ("dequeued", chunk.dequeued),
                    ("started", task.started),
                    ("finished", task.finished),
                    ("returned", chunk.returned),
                    ("ready", task.ready),
                    ("delivered", task.delivered),
                ];
                assert!(
                    stages.is_sorted_by_key(|stage| stage.1)
                        && stages.iter().all(|stage| stage.1.happened()),
                    "{} task {index}: {stages:?}",
                    call.facts.method
                );
            }
        }
    }
}

#[test]
fn an_end_with_an_error_is_told_with_its_last_line() {
    let script = Script::new("print('asks', flush=True)\ninput()\n");
    let trace = trace_of(&script);
    let found = parviz::finding::of(&trace, trace.end());
    let [found] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!(
        found.text,
        "the program ended with exit code 1; the last line on stderr is: EOFError: EOF when reading a line"
    );
    assert!(found.advice.contains("--stdin FILE"), "{}", found.advice);
}

/// Of several chunks some fail, at their first item, at their last, and between; some items take long enough to be
/// told alone. Each error has the number of its task as its text.
const ERRORS: &str = r#"
import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

FAILING = 0, 5, 11, 14, 23

def work(index):
    if index in (4, 12):
        end = time.perf_counter() + 0.001
        while time.perf_counter() < end:
            pass
    if index in FAILING:
        raise ValueError(index)

def wait_for(results):
    while True:
        try:
            next(results)
        except ValueError:
            pass
        except StopIteration:
            return

if __name__ == "__main__":
    for make in multiprocessing.Pool, ThreadPool:
        with make(2) as pool:
            result = pool.map_async(work, range(24), 4)
            result.wait()
            wait_for(pool.imap(work, range(24)))
            wait_for(pool.imap_unordered(work, range(24)))
            for result in [pool.apply_async(work, (index,)) for index in range(24)]:
                result.wait()
            pool.close()
            pool.join()
    for make in ProcessPoolExecutor, ThreadPoolExecutor:
        with make(2) as executor:
            executor.map(work, range(24), chunksize=4)
            for index in range(24):
                executor.submit(work, index)
    print("done")
"#;

#[test]
fn an_error_is_told_of_the_task_that_raised_it() {
    let failing = [0, 5, 11, 14, 23];
    let trace = trace_of(&Script::new(ERRORS));
    let calls: Vec<_> = trace.calls().collect();
    assert_eq!(calls.len(), 12);
    for call in calls {
        let errors: Vec<(u32, &str)> = (0..24)
            .filter_map(|index| Some((index, call.error(index)?)))
            .collect();
        let expected = failing.map(|index| (index, format!("ValueError: {index}")));
        let expected: Vec<_> = expected
            .iter()
            .map(|(index, text)| (*index, text.as_str()))
            .collect();
        let method = &call.facts.method;
        assert_eq!(errors, expected, "{method}");
        for (index, task) in (0..).zip(call.tasks()) {
            let failed = task.outcome == Some(Outcome::Failed);
            assert_eq!(failed, failing.contains(&index), "{method} task {index}");
        }
    }
}

#[test]
fn a_thread_that_called_is_done_when_it_ends() {
    let script = Script::new(
        r#"
from multiprocessing import Pool
import threading

def square(x):
    return x * x

if __name__ == "__main__":
    with Pool(1) as pool:
        caller = threading.Thread(target=pool.map, args=(square, range(3)), name="another")
        caller.start()
        caller.join()
        print(pool.map(square, range(3)))
"#,
    );
    let trace = trace_of(&script);
    let mut lanes = trace.lanes();
    let lane = lanes.find(|lane| lane.facts.name == "another").unwrap();
    let (closed, _) = lane.closed.unwrap();
    let last = trace.calls().last().unwrap();
    assert!(closed < last.ended.unwrap().0, "{closed:?}");
    let caller = trace.caller_of(lane.id).unwrap();
    let (at, state) = caller.changes().last().unwrap();
    assert_eq!((at, state), (closed, CallerState::Done));
}

#[test]
fn interpreters_that_find_no_probe_are_counted() {
    let script = Script::new(
        r#"
import os, sys, time

reader, writer = os.pipe()
for flags, env in [([], dict(os.environ)), (["-I"], None), ([], None)]:
    words = [sys.executable, *flags, "-c", "import sys; sys.stdin.read()"]
    child = os.fork()
    if child == 0:
        os.dup2(reader, 0)
        os.close(writer)
        time.sleep(0.3)  # It is a copy of this program for a while.
        os.execve(words[0], words, env) if env is not None else os.execv(words[0], words)
if os.fork() == 0:
    os.close(writer)
    os.read(reader, 1)
    os._exit(0)
time.sleep(60)
"#,
    );
    let watched = python::start(&program(&script)).unwrap();
    let mut trace = Trace::default();
    let mut all = 0;
    for batch in &watched.running.batches {
        trace.apply(batch.events);
        let now = trace.counts(trace.end()).unwatched;
        assert!(now <= 2, "{:?}", trace.notes());
        if now == 2 && all < 2 {
            watched.handle.terminate();
        }
        all = now;
    }
    assert_eq!(all, 2);
    watched.running.join();
    let words = trace.unwatched(trace.end()).unwrap();
    assert!(
        words.starts_with("2 processes are not watched: Python was started"),
        "{words}"
    );
}
