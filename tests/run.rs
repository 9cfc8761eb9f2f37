//! `parviz run` with real Python programs: what they print and how they end stays theirs, and what is told
//! of them is true.

#![expect(clippy::disallowed_methods, reason = "looks at its own files")]

mod calls;
mod events;
mod hostile;
mod interrupted;
mod outcomes;
mod script;
mod spent;
mod threads;

use rustix::process::Signal;
use script::Script;
use serde_json::Value;

/// All eight methods, with what each of them is to be counted as.
const METHODS: &str = r#"
import multiprocessing

def square(x):
    return x * x

def add(a, b):
    return a + b

if __name__ == "__main__":
    with multiprocessing.get_context(METHOD).Pool(2) as pool:
        print(pool.map(square, range(10)))
        print(pool.map_async(square, range(6), 2).get())
        print(pool.starmap(add, [(1, 2), (3, 4), (5, 6)], 2))
        print(pool.starmap_async(add, [(1, 2)]).get())
        print(list(pool.imap(square, (x for x in range(7)), 3)))
        print(sorted(pool.imap_unordered(square, range(5))))
        print([pool.apply(add, (x, 1)) for x in range(3)])
        print([result.get() for result in [pool.apply_async(add, (x, 2)) for x in range(4)]])
"#;

/// Of each call: method, tasks, chunks.
const METHOD_CALLS: [(&str, u64, u64); 13] = [
    ("map", 10, 5),
    ("map_async", 6, 3),
    ("starmap", 3, 2),
    ("starmap_async", 1, 1),
    ("imap", 7, 3),
    ("imap_unordered", 5, 5),
    ("apply", 1, 1),
    ("apply", 1, 1),
    ("apply", 1, 1),
    ("apply_async", 1, 1),
    ("apply_async", 1, 1),
    ("apply_async", 1, 1),
    ("apply_async", 1, 1),
];

fn calls(report: &Value) -> Vec<(&str, u64, u64)> {
    let calls = report["calls"].as_array().unwrap().iter();
    calls
        .map(|call| {
            let number = |key: &str| call[key].as_u64().unwrap();
            (
                call["method"].as_str().unwrap(),
                number("tasks"),
                number("chunks"),
            )
        })
        .collect()
}

#[test]
fn every_method_is_counted_exactly_whatever_starts_the_workers() {
    for method in ["fork", "spawn", "forkserver"] {
        let script = Script::new(&METHODS.replace("METHOD", &format!("{method:?}")));
        let (said, report) = script.watch(&[]);
        assert_eq!(said, script.plain(&[]), "{method}");
        assert_eq!(calls(&report), METHOD_CALLS, "{method}");
        let counts = serde_json::json!({
            "pools": 1, "calls": 13, "tasks": 39, "chunks": 26, "workers": 2,
            "failed": 0, "lost": 0, "dropped": 0, "unwatched": 0,
        });
        assert_eq!(report["counts"], counts, "{method}");
        assert_eq!(report["pools"][0]["start_method"], method);
        for call in report["calls"].as_array().unwrap() {
            assert_eq!(call["outcome"], "returned", "{call}");
            let delivered = call["orders"]["delivered"].as_array().unwrap().len();
            assert_eq!(Some(delivered as u64), call["tasks"].as_u64(), "{call}");
            assert_eq!(call["caller"], "main");
            assert!(call["line"].as_u64() > Some(10), "{call}");
        }
    }
}

#[test]
fn threads_executors_replaced_and_nested_workers_are_counted() {
    let script = Script::new(
        r#"
import concurrent.futures, multiprocessing, os
from multiprocessing.pool import ThreadPool

def square(x):
    return x * x

def pid(x):
    return os.getpid()

def nested(x):
    with ThreadPool(2) as pool:
        return sum(pool.map(square, range(4), 1))

if __name__ == "__main__":
    with ThreadPool(3) as pool:
        print(pool.map(square, range(12), 2))
    with multiprocessing.Pool(1, maxtasksperchild=2) as pool:
        pids = pool.map(pid, range(6), 1)
    # What waits to be written while a worker is replaced may be written by that one, too.
    print(len(set(pids)))
    with multiprocessing.Pool(2) as pool:
        print(pool.map(nested, range(3), 1))
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        print(list(pool.map(square, range(10), chunksize=4)))
        print([future.result() for future in [pool.submit(square, x) for x in range(5)]])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        print(list(pool.map(square, range(5))))
        print([future.result() for future in [pool.submit(square, x) for x in range(3)]])
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said, script.plain(&[]));
    // 12 + 6 + 3 + 3 * 4 + 10 + 5 + 5 + 3 tasks; an Executor.map is one call.
    let count = |key: &str| report["counts"][key].as_u64().unwrap();
    assert_eq!(
        (count("pools"), count("calls"), count("tasks")),
        (8, 16, 56)
    );
    assert_eq!(count("chunks"), 6 + 6 + 3 + 12 + 3 + 5 + 5 + 3);
    assert_eq!(
        (count("failed"), count("lost"), count("dropped")),
        (0, 0, 0)
    );
    let workers = report["workers"].as_array().unwrap();
    let of_pool = |pool: u64| workers.iter().filter(move |worker| worker["pool"] == pool);
    assert_eq!(of_pool(0).count(), 3);
    let retired = of_pool(1).filter(|worker| worker["tasks"] == 2);
    assert_eq!(retired.count(), 3);
    for kind in ["ProcessPoolExecutor", "ThreadPoolExecutor"] {
        let pools = report["pools"].as_array().unwrap();
        assert!(pools.iter().any(|pool| pool["kind"] == kind), "{kind}");
    }
}

#[test]
fn output_exit_code_and_traceback_are_the_programs_own() {
    for (code, ends) in [
        (
            "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)",
            Some(3),
        ),
        ("raise ValueError('x')", Some(1)),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            Some(137),
        ),
        (
            "import multiprocessing\nif __name__ == '__main__':\n    multiprocessing.Pool(2).map(int, ['1', 'x'])",
            Some(1),
        ),
        ("print(input())", Some(0)),
        (
            "import os, sys; print(sorted(os.environ), sys.path, sys.argv)",
            Some(0),
        ),
    ] {
        let script = Script::new(code).input("a line\n");
        let plain = script.plain(&["--text", "x"]);
        let (said, report) = script.watch(&["--text", "x"]);
        assert_eq!((&said.out, &said.err), (&plain.out, &plain.err), "{code}");
        assert_eq!(said.code, ends, "{code}");
        let told = report["program"]["exit"].as_i64().map(|exit| match exit {
            ..0 => 128 - exit,
            _ => exit,
        });
        assert_eq!(told, ends.map(i64::from), "{code}");
    }
}

#[test]
fn a_signal_is_passed_on_and_the_report_still_comes() {
    for (signal, handler) in [
        (Signal::INT, "KeyboardInterrupt"),
        (Signal::TERM, "SystemExit"),
    ] {
        let script = Script::new(
            r#"
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
try:
    print("ready", flush=True)
    # One long sleep may begin with a signal that Python has taken and not yet handled.
    while True:
        time.sleep(0.01)
except BaseException as error:
    print(type(error).__name__)
    sys.exit(9)
"#,
        );
        let mut running = script.start(&["--text"]);
        running.read_line("ready");
        running.signal(signal);
        let said = running.end();
        assert_eq!(said.code, Some(9));
        assert_eq!(said.out, format!("{handler}\n"));
        assert!(said.err.contains("exit 9"), "{}", said.err);
    }
}

#[test]
fn the_program_goes_on_when_its_watcher_is_killed() {
    let script = Script::new(
        r#"
import multiprocessing, sys

def square(x):
    return x * x

if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(pool.map(square, range(10)), flush=True)
        sys.stdin.readline()
        print(sum(pool.map(square, range(1000), 1)))
        print("rest", file=sys.stderr)
        pool.close()
        pool.join()
    print("done")
"#,
    );
    let mut running = script.start_talking(&["--report", "report.json"]);
    running.read_line("[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]");
    running.signal(Signal::KILL);
    running.wait_until_killed();
    running.write_line();
    // Its output ends only when it has ended itself.
    let (out, err) = running.rest();
    assert_eq!(out, "332833500\ndone\n");
    assert_eq!(err, "rest\n");
}

#[test]
fn a_million_items_are_counted_in_bounded_memory() {
    let script = Script::new(
        r#"
import multiprocessing, os

def same(x):
    return x

if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(len(pool.map(same, range(1_000_000))))
    lines = open("/proc/%d/status" % os.getppid()).read().splitlines()
    print(*(line.split()[1] for line in lines if line.startswith("VmHWM")))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(report["counts"]["tasks"], 1_000_000);
    assert_eq!(report["counts"]["dropped"], 0);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[0], "1000000");
    let kib: u64 = lines[1].parse().unwrap();
    assert!(kib < 1024 * 1024, "{kib} KiB");
}

#[test]
fn names_with_escape_sequences_and_long_ones_stay_harmless() {
    let script = Script::new(
        r#"
from multiprocessing.pool import ThreadPool

class Loud:
    def __repr__(self):
        return "\x1b[2J" * 2_500_000

    def __call__(self, x):
        raise ValueError("\x1b[31mred\x07", x)

def plain(x):
    return x

plain.__qualname__ = "\x1b]0;title\x07" + "x" * 10_000_000

if __name__ == "__main__":
    pool = ThreadPool(2)
    try:
        pool.map(Loud(), range(4))
    except ValueError:
        pass
    pool.map(plain, range(4))
"#,
    );
    let (_, report) = script.watch(&[]);
    let said = script.start(&["--text"]).end();
    for text in [said.err, report.to_string()] {
        assert!(
            !text.contains(['\u{1b}', '\u{7}']) && !text.contains("\\u001b"),
            "{text}"
        );
        assert!(text.len() < 100_000, "{}", text.len());
    }
    assert_eq!(report["counts"]["tasks"], 8);
}

#[test]
fn a_program_without_a_probe_runs_and_says_why() {
    for (flag, why) in [("-I", "-I"), ("-E", "-E"), ("-S", "-S")] {
        let script =
            Script::new("import multiprocessing.pool as p\nprint(p.ThreadPool(1).map(abs, [1]))");
        let said = script.start_with(&["--text", flag], &[]).end();
        assert_eq!((said.out.as_str(), said.code), ("[1]\n", Some(0)));
        let line = said.err.lines().find(|line| line.starts_with("no probe: "));
        assert!(line.is_some_and(|line| line.contains(why)), "{}", said.err);
    }
}

#[test]
fn words_of_python_mean_what_they_mean_to_python() {
    let code = "import sys, multiprocessing.pool as p\n\
        print(p.ThreadPool(1).map(abs, [1]), sys.argv, sys.flags.dont_write_bytecode, sys.warnoptions)";
    let script = Script::new(code).input(code);
    for (words, printed) in [
        (&["-", "x"][..], "[1] ['-', 'x'] 0 []\n"),
        (&["-mscript", "x"], "script.py', 'x'] 0 []\n"),
        (&["-uBWI", "-", "x"], "[1] ['-', 'x'] 1 ['I']\n"),
        (&[&format!("-Bc{code}"), "x"], "[1] ['-c', 'x'] 1 []\n"),
    ] {
        let said = script.command(&[&["--text"], words].concat()).end();
        assert!(said.out.ends_with(printed), "{said:?}");
        assert!(said.err.contains("1 call"), "{said:?}");
    }
}

#[test]
fn processes_that_are_too_many_are_counted() {
    let script = Script::new(
        r#"
import multiprocessing

def know(one):
    global barrier
    barrier = one

def together(x):
    barrier.wait()
    return x

if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    with fork.Pool(16, know, (fork.Barrier(16),)) as pool:
        print(sum(pool.map(together, range(16), 1)))
"#,
    );
    // As many files as 8 connections and all the rest may take. Each of the workers has a task, and none
    // ends before the others have theirs: all of them and main want a connection at once.
    let words = ["--report", "report.json", "script.py"];
    let said = script.limited("ulimit -n 148", &words).end();
    assert_eq!(
        (said.out.as_str(), said.code),
        ("120\n", Some(0)),
        "{said:?}"
    );
    let report = script.report();
    assert_eq!(report["counts"]["unwatched"], 9);
    assert_eq!(report["calls"][0]["at_least"], true);
}

#[test]
fn parviz_takes_all_files_it_may_have_open_and_the_program_as_many_as_ever() {
    let script = Script::new(
        r#"
import os, resource, time

print(resource.getrlimit(resource.RLIMIT_NOFILE))
limits = "/proc/%d/limits" % os.getppid()
while True:
    line = next(line for line in open(limits) if line.startswith("Max open files"))
    if line.split()[3] == line.split()[4]:
        break
    time.sleep(0.01)
"#,
    );
    let said = script.limited("ulimit -Sn 200 && ulimit -Hn 300", &["--text", "script.py"]);
    let said = said.end();
    assert_eq!(
        (said.out.as_str(), said.code),
        ("(200, 300)\n", Some(0)),
        "{said:?}"
    );
}

#[test]
fn nothing_is_left_behind() {
    let script = Script::new(
        "import multiprocessing\nif __name__ == '__main__':\n    print(multiprocessing.Pool(2).map(abs, [1]))",
    );
    let (_, _) = script.watch(&[]);
    assert_eq!(script.left(), 0);
}

#[test]
fn what_cannot_be_run_is_said_in_one_line() {
    let script = Script::new("pass");
    for (words, line) in [
        (&["nothing.py"][..], "parviz: nothing.py: no such script\n"),
        (
            &["--python", "nopython", "-c", "1"],
            "parviz: --python nopython: there is no such interpreter\n",
        ),
        (
            &["--report", "/nowhere/r.json", "-c", "1"],
            "parviz: --report /nowhere/r.json: there is no folder /nowhere: make it, or name another file\n",
        ),
        (
            &["--report", ".", "-c", "1"],
            "parviz: --report .: that is a folder: name a file\n",
        ),
        (
            &["--text", "--stdin", "nothing", "-c", "1"],
            "parviz: --stdin nothing: there is no such file: name one that is there\n",
        ),
        (
            &["--text", "--stdin", ".", "-c", "1"],
            "parviz: --stdin .: that is a folder: name a file\n",
        ),
        (
            &["--text", "--output", "file=/nowhere/o", "-c", "1"],
            "parviz: --output file=/nowhere/o: there is no folder /nowhere: make it, or name another file\n",
        ),
        (
            &["--text", "--python", "./script.py", "-c", "1"],
            "parviz: --python ./script.py: this file cannot be executed\n",
        ),
        (
            &["--report", "./script.py", "script.py"],
            "parviz: --report ./script.py: that is the program: name another file\n",
        ),
        (
            &["--text", "--output", "file=script.py", "script.py"],
            "parviz: --output file=script.py: that is the program: name another file\n",
        ),
        (
            &[
                "--text",
                "--stdin",
                "script.py",
                "--output",
                "file=script.py",
                "-",
            ],
            "parviz: --output file=script.py: that is its stdin: name another file\n",
        ),
        (
            &["--report", "new", "--output", "file=./new", "script.py"],
            "parviz: --report new: that is its output: name another file\n",
        ),
    ] {
        let said = script.command(words).end();
        assert_eq!((said.err.as_str(), said.code), (line, Some(2)));
    }
    assert_eq!(std::fs::read(script.path("script.py")).unwrap(), b"pass");
    assert!(!script.path("new").exists());
}

#[test]
fn a_signal_that_was_ignored_stays_so_for_both() {
    let script = Script::new(
        "import os, signal
os.kill(os.getppid(), signal.SIGHUP)
print(signal.getsignal(signal.SIGHUP).name)
",
    );
    let said = script
        .limited("trap '' HUP", &["--text", "script.py"])
        .end();
    assert_eq!((said.out.as_str(), said.code), ("SIG_IGN\n", Some(0)));
    assert!(said.err.contains("exit 0"), "{}", said.err);
}
