//! The real binary without a terminal, in a clean environment: exact output and exit codes.

use crate::support::program::{Program, Said};
use serde_json::Value;

/// E8: eight tasks of which no two end together.
const E8: &str =
    "lab --backend simulated --costs 9,2,6,1,4,1,8,5 --unit 10ms --workers 4 --chunksize 1";

fn json(words: &str) -> Value {
    serde_json::from_str(&Program::new(words).succeed().out).unwrap()
}

#[test]
fn e8_tells_its_orders_and_numbers_as_json() {
    let told = json(&format!("{E8} --method imap_unordered --json"));
    for order in ["finished", "delivered"] {
        assert_eq!(
            told["orders"][order],
            serde_json::json!([3, 1, 5, 4, 2, 0, 7, 6])
        );
    }
    assert_eq!(told["numbers"]["makespan"], 110_000_000);
    assert_eq!(told["numbers"]["first_result"], 10_000_000);
    assert_eq!(told["numbers"]["blocked_main"], 110_000_000);
    assert_eq!(
        (&told["measured"], &told["unit_ns"]),
        (&Value::Bool(false), &10_000_000.into())
    );
    let task = serde_json::json!({
        "index": 4, "chunk": 4, "worker": 3, "cpu": 3,
        "submitted": 0, "started": 10_000_000, "finished": 50_000_000, "ready": 50_000_000, "delivered": 50_000_000,
        "on_cpu": 40_000_000, "waiting_cpu": 0, "blocked": 0, "outcome": "ok", "error": null,
    });
    assert_eq!(told["tasks"][4], task);
    let worker = serde_json::json!({
        "index": 1, "name": told["workers"][1]["name"], "pid": null, "tid": null,
        "busy": 110_000_000, "tasks": 3, "ended": "finished",
    });
    assert_eq!(told["workers"][1], worker);
}

#[test]
fn the_json_object_has_every_key_in_its_place() {
    let told = json(&format!("{E8} --json"));
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        keys(&told),
        "experiment measured unit_ns numbers outcome where orders tasks workers"
    );
    assert_eq!(
        keys(&told["experiment"]),
        "method backend workers cpus tasks costs kind pairs chunksize main_work payload dispatch startup serial \
         gil lock policy memory_model effect increments fault seed pool start_method python \
         unit"
    );
    assert_eq!(
        keys(&told["numbers"]),
        "makespan serial_time speedup efficiency utilisation imbalance not_computing karp_flatt lower_bound \
         inversions_finished inversions_delivered kendall_tau reordered_ratio wait service hold first_result \
         blocked_main program_end messages chunksize queue_depth queue_depth_max"
    );
    assert_eq!(
        keys(&told["outcome"]),
        "ends ran finished_count results lost skipped outstanding counter_main counter_sum counter_min counter_max lock_wait"
    );
    assert_eq!(
        keys(&told["where"]),
        "on_cpu useful_wait waiting_cpu blocked overhead starved idle dead unknown"
    );
    assert_eq!(
        keys(&told["orders"]),
        "submitted started finished delivered"
    );
}

#[test]
fn what_goes_wrong_in_tasks_is_told_task_by_task() {
    let told = json(&format!(
        "{E8} --json --fault 1:raise --fault 3:die --method imap"
    ));
    let tasks = |key: &str| -> Vec<Value> {
        told["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task[key].clone())
            .collect()
    };
    assert_eq!(
        tasks("outcome"),
        ["ok", "failed", "ok", "lost", "ok", "ok", "ok", "ok"]
    );
    assert_eq!(tasks("error")[1], "ValueError: task 1 failed");
    assert_eq!(told["tasks"][3]["ready"], Value::Null);
    assert_eq!(
        told["experiment"]["fault"],
        serde_json::json!(["1:raise", "3:die"])
    );
    assert_eq!(told["outcome"]["ends"], "never");
    assert_eq!(told["numbers"]["makespan"], Value::Null);
    assert_eq!(told["numbers"]["blocked_main"], Value::Null);
    // The worker that replaced the dead one is a row of its own under the same name.
    let workers = told["workers"].as_array().unwrap();
    assert_eq!(workers.len(), 5);
    assert_eq!(
        (&workers[3]["ended"], &workers[4]["index"]),
        (&"crashed".into(), &4.into())
    );
    assert_eq!(workers[3]["name"], workers[4]["name"]);
}

#[test]
fn skipped_tasks_never_started() {
    let told = json(
        &format!("{E8} --chunksize 4 --json --fault 1:raise").replacen("--chunksize 1 ", "", 1),
    );
    let skipped = &told["tasks"][2];
    assert_eq!(
        (&skipped["outcome"], &skipped["started"], &skipped["on_cpu"]),
        (&"skipped".into(), &Value::Null, &Value::Null)
    );
    assert_eq!(told["outcome"]["skipped"], 2);
}

#[test]
fn the_text_report_is_the_orders_and_the_numbers() {
    let told = Program::new(&format!("{E8} --text")).succeed();
    let begin = "\
parviz lab: map (SYNC), 4 workers, 8 tasks (cpu), chunk size 1, seed 7, simulated

the same tasks, four orders (simulated)
  submitted  0 1 2 3 4 5 6 7
  started    0 1 2 3 4 5 6 7
  finished   3 1 5 4 2 0 7 6  (11 of 28 pairs out of order, 39 %)
  delivered  0 1 2 3 4 5 6 7  (in order)

how fast (simulated)
  makespan         110 ms
  serial time      360 ms
  speed-up         3.27x
";
    assert!(told.out.starts_with(begin), "{}", told.out);
    assert!(told.out.contains("\nwhere worker time went (simulated)\n  on CPU           82 %\n  idle             18 %\n"), "{}", told.out);
    assert!(
        told.out.contains("  ends             returned\n"),
        "{}",
        told.out
    );
    assert!(told.out.is_ascii());
}

#[test]
fn a_call_that_can_never_complete_says_so_last() {
    let told = Program::new(&format!("{E8} --text --fault 3:die")).succeed();
    assert!(
        told.out
            .ends_with("\n\nthe result of a task will never come: this call can never complete\n"),
        "{}",
        told.out
    );
}

#[test]
fn the_text_report_of_every_method_says_that_a_task_failed() {
    for (method, chunk, asked) in [
        ("map", " --chunksize 1", "map()"),
        ("map_async", " --chunksize 1", "get()"),
        ("starmap", " --chunksize 1", "starmap()"),
        ("imap", "", "next()"),
        ("apply", "", "apply()"),
        ("loop", "", "f()"),
    ] {
        let run =
            "lab --backend simulated --tasks 6 --costs const:1 --text --fault 3:raise --method";
        let said = Program::new(&format!("{run} {method}{chunk}"))
            .succeed()
            .out;
        let error = format!("\n  {asked} raised ValueError: task 3 failed (1 of 6");
        assert!(said.contains(&error), "{said}");
        assert!(said.contains("\n  failed           1\n"), "{said}");
        let well = Program::new(&format!("{run} {method}{chunk}").replace("--fault 3:raise ", ""))
            .succeed()
            .out;
        assert!(!well.contains("failed"), "{well}");
    }
}

#[test]
fn the_text_report_says_how_long_the_queue_was_and_not_that_it_is_empty_in_the_end() {
    let run = "lab --text --backend simulated --tasks 6 --workers 2 --costs const:1 --method map --chunksize 1";
    let said = Program::new(run).succeed().out;
    assert!(said.contains("\n  queue            at most 4\n"), "{said}");
}

#[test]
fn threads_that_give_up_are_no_broken_process_pool() {
    let run = "lab --backend threads --policy executor --method imap --workers 2 --tasks 6 --costs const:1ms \
               --kind io --fault 2:die";
    let said = Program::new(&format!("{run} --text")).succeed().out;
    assert!(said.contains("  ends             broken\n"), "{said}");
    let last = said.lines().last().unwrap();
    assert!(
        last.starts_with("a worker's thread ended, and the pool gave up"),
        "{last}"
    );
    for untrue in ["BrokenProcessPool", "killed"] {
        assert!(!said.contains(untrue), "{said}");
    }
    assert_eq!(json(&format!("{run} --json"))["outcome"]["ends"], "broken");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let words = "--backend simulated --workers 6 --cpus 2 --seed 11 --json";
    let first = Program::new(words).succeed().out;
    assert_eq!(first, Program::new(words).succeed().out);
    assert_ne!(
        first,
        Program::new(&words.replace("11", "12")).succeed().out
    );
}

#[test]
fn without_a_terminal_one_line_says_so_and_the_text_report_follows() {
    let Said { out, err, code } = Program::new("--backend simulated").run();
    assert_eq!(code, Some(0));
    assert_eq!(
        err,
        "parviz: stdout is not a terminal: printing the text report (--json and --picture work here too)\n"
    );
    assert!(out.starts_with("parviz lab: map (SYNC), "), "{out}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
fn a_mistake_is_one_line_and_exit_2() {
    for (words, line) in [
        (
            "--costs 9,2,6 --tasks 4",
            "--costs lists 3 tasks: leave --tasks 4 out",
        ),
        (
            "lab --method apply --chunksize 2",
            "--chunksize does not go with --method apply: it sends one task at a time",
        ),
        (
            "lab --method apply_async --chunksize 2",
            "--chunksize does not go with --method apply_async: it sends one task at a time",
        ),
        (
            "lab --method loop --chunksize 2",
            "--chunksize does not go with --method loop: it sends one task at a time",
        ),
        (
            "lab --cpus 2",
            "--cpus 2 is for --backend simulated: a measured run has the CPUs of this machine",
        ),
        (
            "lab --pool executor",
            "--pool is for --backend python: add that",
        ),
        (
            "lab --backend python --pool threadpool --start-method spawn",
            "--start-method does not go with --pool threadpool: its workers are threads",
        ),
        (
            "lab --backend python --pool threadpool --fault 3:die",
            "--fault 3:die is for processes: --pool threadpool has threads",
        ),
        (
            "lab --backend python --policy executor",
            "--policy executor is for --backend threads, processes and simulated: that of CPython is --pool executor",
        ),
        (
            "lab --text --json",
            "--text and --json contradict each other: give one of them",
        ),
        (
            "lab --at 2.4s",
            "--at is for pictures: add --picture FILE.svg",
        ),
        (
            "lab --size 110x30",
            "--size is for pictures: add --picture FILE.svg",
        ),
        (
            "lab --demo",
            "--demo is for the dashboard, and stdout is not a terminal: leave it out",
        ),
        (
            "lab --wokers 3",
            "unknown flag --wokers: did you mean --workers?",
        ),
        (
            "lab --workers three",
            "--workers three: write a whole number",
        ),
        (
            "lab --chunksize 99999999999999999999",
            "--chunksize 99999999999999999999: at most 4294967295",
        ),
        (
            "lab --tasks 4294967296",
            "--tasks 4294967296: at most 4294967295",
        ),
        (
            "lab --payload 4GiB",
            "--payload 4GiB: `4GiB` is too much: less than 4GiB",
        ),
        (
            "lab --unit 1000000s",
            "--unit 1000000s: `1000000s` is too long: at most a week, 168h",
        ),
        (
            "lab --costs const:700000s",
            "--costs const:700000s: `700000s` is too long: at most a week, 168h",
        ),
        (
            "lab --backend python --python /nowhere",
            "--python /nowhere: there is no such interpreter",
        ),
        (
            "lab --workers a\u{1b}[31m",
            r"--workers a\u{1b}[31m: write a whole number",
        ),
        (
            "run --text --config nowhere.toml -c pass",
            "--config nowhere.toml: there is no such file: leave it out, or write the file",
        ),
        (
            "lab --config /dev/zero",
            "/dev/zero: cannot be read: it is too long for a config file",
        ),
        ("lab --seed", "--seed needs a value: see parviz --help"),
        (
            "lab --picture x/y.svg",
            "--picture x/y.svg: there is no folder x",
        ),
        (
            "replay",
            "unknown subcommand replay: there are lab, run, cpus, examples, completions, man",
        ),
        (
            "examples pool_mpa",
            "there is no example \"pool_mpa\": see parviz examples for those there are",
        ),
        (
            "--config nowhere.toml",
            "--config nowhere.toml: there is no such file: leave it out, or write the file",
        ),
    ] {
        let Said { out, err, code } = Program::new(words).run();
        assert_eq!(
            (out.as_str(), err, code),
            ("", format!("parviz: {line}\n"), Some(2)),
            "{words}"
        );
    }
}

#[test]
fn the_config_file_gives_defaults_and_the_command_line_wins() {
    let program = Program::new("--backend simulated --json --method map_async")
        .config("[lab]\nmethod = \"imap\"\nworkers = 3\ncosts = [3, 2, \"1s\"]\n");
    let told: Value = serde_json::from_str(&program.succeed().out).unwrap();
    assert_eq!(told["experiment"]["method"], "map_async");
    assert_eq!(told["experiment"]["workers"], 3);
    assert_eq!(told["experiment"]["costs"], "30ms,20ms,1s");
}

#[test]
fn a_bad_config_file_is_told_with_its_line() {
    let Said { err, code, .. } = Program::new("--text --backend simulated")
        .config("theme = \"dark\"\n\ncolour = 3\n")
        .run();
    assert_eq!(code, Some(2));
    assert!(
        err.starts_with("parviz: /") && err.ends_with("/parviz/config.toml:3: unknown key `colour`, expected one of `theme`, `ascii`, `mouse`, `lab`, `keys`\n"),
        "{err}"
    );
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let said = Program::new("--backend simulated --tasks 20000 --costs const:1 --json").cut_short();
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)));
}

#[test]
fn help_version_completions_and_the_manual_come_from_the_same_flags() {
    let help = Program::new("lab --help").succeed().out;
    assert_eq!(
        Program::new("--version").succeed().out,
        format!("parviz {}\n", env!("CARGO_PKG_VERSION"))
    );
    let manual = Program::new("man").succeed().out.replace("\\-", "-");
    assert!(manual.contains(".TH parviz 1"), "{manual}");
    for word in [
        "--report",
        "--output",
        "--stdin",
        "--quit-at-end",
        "-m MODULE",
    ] {
        assert!(manual.contains(word), "{word}: {manual}");
    }
    assert!(!manual.contains("parviz-run(1)"), "{manual}");
    let bash = Program::new("completions bash").succeed().out;
    let flags = "--method --backend --workers --cpus --tasks --costs --kind --pairs --chunksize --main-work \
        --payload --dispatch --startup --serial --gil --lock --policy --memory-model --effect --increments --fault --seed \
        --unit --demo --text --json --picture --size --at --theme --ascii --no-mouse --config";
    for flag in flags.split_whitespace() {
        assert!(
            help.contains(flag) && manual.contains(flag) && bash.contains(flag),
            "{flag}"
        );
    }
    // What does not work yet is nowhere.
    for later in ["--record", "--memory ", "replay", "sweep", "lesson"] {
        assert!(
            !help.contains(later) && !manual.contains(later) && !bash.contains(later),
            "{later}"
        );
    }
}

#[test]
fn the_number_of_processors_is_the_one_that_python_prints() {
    let python = std::process::Command::new("python3")
        // Without the variables that tell it what to say: parviz does not get them here either.
        .args([
            "-Ic",
            "import multiprocessing; print('Number of processors:', multiprocessing.cpu_count())",
        ])
        .output()
        .expect("python3 is on the path");
    let python = String::from_utf8(python.stdout).unwrap();
    let told = Program::new("cpus").succeed().out;
    assert_eq!(told.lines().next(), python.lines().next(), "{told}");
    assert_eq!(told.lines().count(), 4, "{told}");
}

#[test]
fn the_examples_are_listed_and_printed() {
    let listed = Program::new("examples").succeed().out;
    assert_eq!(
        listed.lines().count(),
        parviz::examples::TABLE.len(),
        "{listed}"
    );
    assert!(
        listed.lines().all(|line| line.len() <= 80) && listed.is_ascii(),
        "{listed}"
    );
    let source = Program::new("examples pool_imap").succeed().out;
    assert_eq!(source, include_str!("../assets/examples/pool_imap.py"));
    assert_eq!(Program::new("examples pool_imap.py").succeed().out, source);
}

#[test]
fn a_picture_is_the_screen_at_that_moment() {
    let program = Program::new(&format!(
        "{E8} --method imap --picture e8.svg --size 90x24 --at 50ms"
    ));
    program.succeed();
    let picture = program.file("e8.svg");
    assert!(picture.starts_with("<svg xmlns="), "{picture}");
    assert!(
        picture.contains("viewBox=\"0 0 720 384\"")
            && picture.contains("<title>parviz: imap at 50 ms</title>"),
        "{picture}"
    );
    for words in ["ITERATOR in order", "simulated", "worker 3", "delivered"] {
        assert!(picture.contains(words), "{words}: {picture}");
    }
    assert!(!picture.contains('\u{2588}') && picture.ends_with("</svg>\n"));
    program.succeed();
    assert_eq!(program.file("e8.svg"), picture);
}

#[test]
fn a_picture_of_a_moment_after_the_end_is_one_of_the_end() {
    let program = Program::new(&format!(
        "{E8} --picture e8.svg --at 9s --main-work 0 --ascii --theme light"
    ));
    program.succeed();
    let picture = program.file("e8.svg");
    assert!(
        picture.contains("<title>parviz: map at 110 ms</title>"),
        "{picture}"
    );
    assert!(picture.is_ascii() && picture.contains("#ffffff"));
}

#[cfg(unix)]
#[test]
fn what_is_no_text_is_told_with_its_flag() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_parviz"));
    let said = command
        .args(["lab", "--method"])
        .arg(OsStr::from_bytes(b"\xff"));
    let said = said.output().unwrap();
    let line = "parviz: --method \u{fffd}: write it in UTF-8\n";
    assert_eq!(String::from_utf8_lossy(&said.stderr), line);
    assert_eq!(said.status.code(), Some(2));
}

#[test]
fn a_config_folder_that_nobody_can_read_is_none() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_parviz"));
    let said = command
        .args(["--backend", "simulated", "--json"])
        .env_remove("XDG_CONFIG_HOME")
        .env("HOME", "/dev/null")
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_nobody_listens_to_any_more_ends_it() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;
    let mut child = Program::new("--json --backend simulated --tasks 20000").start();
    // It is being told, so the run is over, and more than a pipe holds.
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_stops_a_run_at_once() {
    use rustix::process::{Pid, Signal, kill_process};
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut child = Program::new("--json --kind io --costs const:1000s").start();
        crate::support::program::wait_until_it_catches(&child, signal);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn the_experiment_that_is_told_can_be_asked_for_again() {
    let words = "--backend simulated --method imap --workers 5 --cpus 2 --tasks 12 --costs bimodal:2,12,share=0.3 \
        --kind mixed --pairs --chunksize 3 --main-work 6 --dispatch 0.5 --startup 2ms --serial 1 --gil --lock \
        --policy executor --memory-model shared --effect race --increments 2 --fault 3:raise --fault 7:die \
        --seed 5 --unit 1ms --json";
    let first = Program::new(words).succeed().out;
    let told: Value = serde_json::from_str(&first).unwrap();
    let mut again = vec!["--json".to_owned()];
    for (key, value) in told["experiment"].as_object().unwrap() {
        let flag = format!("--{}", key.replace('_', "-"));
        let is_time =
            ["main_work", "dispatch", "startup", "serial", "unit"].contains(&key.as_str());
        match value {
            // It is for another backend.
            Value::Null => {}
            Value::Bool(true) => again.push(flag),
            Value::Array(faults) => {
                for fault in faults {
                    again.extend([flag.clone(), fault.as_str().unwrap().to_owned()]);
                }
            }
            Value::Number(length) if is_time => again.extend([flag, format!("{length}ns")]),
            Value::String(word) => again.extend([flag, word.clone()]),
            other => again.extend([flag, other.to_string()]),
        }
    }
    assert_eq!(Program::new(&again.join(" ")).succeed().out, first);
}
