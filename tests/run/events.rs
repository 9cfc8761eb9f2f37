//! What is told of real programs, event by event.

use super::script::Script;
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
        os.execve(words[0], words, env) if env is not None else os.execv(words[0], words)
if os.fork() == 0:
    os.close(writer)
    os.read(reader, 1)
    os._exit(0)
time.sleep(600)
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
