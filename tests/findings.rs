//! What is found in real programs on the real CPython: each script in `tests/findings` makes one thing go
//! wrong, or makes one thing slow, and ends by itself once that has come to be so.

use crate::support::python::{Watched, watch};
use parviz::finding::{FindingKind, TABLE};
use serde_json::Value;

/// A script of `tests/findings`, watched.
fn watched(script: &str) -> Watched {
    let file = format!("{}/tests/findings/{script}", env!("CARGO_MANIFEST_DIR"));
    watch(&[&file])
}

/// The same with an argument.
fn watched_as(script: &str, how: &str) -> Watched {
    let file = format!("{}/tests/findings/{script}", env!("CARGO_MANIFEST_DIR"));
    watch(&[&file, how])
}

/// The findings of a report that are of this kind.
fn of_kind(report: &Value, kind: FindingKind) -> Vec<&Value> {
    let findings = report["findings"].as_array().unwrap();
    let same = findings.iter().filter(|found| found["kind"] == kind.word());
    same.collect()
}

/// Whatever went wrong, by its words.
fn faults(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    let words = findings.iter().map(|found| found["kind"].as_str().unwrap());
    let is_fault = |word: &&str| {
        TABLE
            .iter()
            .any(|row| row.word == *word && row.kind.is_fault())
    };
    words.filter(is_fault).collect()
}

/// The only fault that the script has: its text and its numbers.
#[track_caller]
fn the_fault(script: &str, kind: FindingKind) -> (String, Value) {
    let report = watched(script).report;
    assert_eq!(faults(&report), [kind.word()], "{:#}", report["findings"]);
    told(&report, kind)
}

/// The slowness that the script has, where nothing goes wrong: its text and its numbers.
#[track_caller]
fn the_slowness(script: &str, kind: FindingKind) -> (String, Value) {
    let report = watched(script).report;
    assert_eq!(faults(&report), [""; 0], "{:#}", report["findings"]);
    told(&report, kind)
}

#[track_caller]
fn told(report: &Value, kind: FindingKind) -> (String, Value) {
    let found = of_kind(report, kind);
    let [found] = found.as_slice() else {
        panic!("{:#}", report["findings"])
    };
    let text = found["text"].as_str().unwrap().to_owned();
    assert!(
        found["advice"]
            .as_str()
            .is_some_and(|advice| !advice.is_empty())
    );
    (text, found["numbers"].clone())
}

#[track_caller]
fn assert_says(text: &str, words: &str) {
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_worker_killed_in_a_task_loses_that_task() {
    let (text, numbers) = the_fault("lost_task.py", FindingKind::LostTask);
    assert_says(
        &text,
        " was killed (SIGKILL) in task 3 of map_async(work) in line 22: ",
    );
    assert_says(
        &text,
        "this call can never complete; a ProcessPoolExecutor would have raised BrokenProcessPool",
    );
    assert_eq!(
        (&numbers["lost"], &numbers["task"]),
        (&1.0.into(), &3.0.into())
    );
}

#[test]
fn a_worker_of_an_executor_that_dies_costs_every_future_without_a_result() {
    let of = |how: &str| {
        let file = format!(
            "{}/tests/findings/broken_pool.py",
            env!("CARGO_MANIFEST_DIR")
        );
        watch(&[&file, how])
    };
    for (how, words, exit) in [
        ("kill", " was killed (SIGKILL) in task ", -9),
        ("exit", " crashed (exit code 3) in task ", 3),
    ] {
        let Watched { report, out, .. } = of(how);
        assert_eq!(
            faults(&report),
            ["broken-process-pool"],
            "{:#}",
            report["findings"]
        );
        let (text, numbers) = told(&report, FindingKind::BrokenPool);
        assert_says(&text, words);
        assert_says(&text, " of submit(work) in line ");
        let futures = out.trim();
        assert_says(
            &text,
            &format!(", so {futures} futures got BrokenProcessPool"),
        );
        let number = |name: &str| numbers[name].as_f64();
        assert_eq!(number("exit"), Some(f64::from(exit)));
        let workers = report["workers"].as_array().unwrap();
        assert!(workers.iter().any(|worker| worker["exit"] == exit));
    }
}

#[test]
fn an_idle_worker_killed_with_the_lock_of_the_queue_is_a_deadlock() {
    let (text, _) = the_fault("queue_deadlock.py", FindingKind::QueueDeadlock);
    assert_says(&text, "no worker can take a task any more");
}

#[test]
fn a_task_that_leaves_its_worker_is_told_with_its_exit_code() {
    let (text, numbers) = the_fault("worker_exit.py", FindingKind::WorkerExit);
    assert_says(&text, "task 2 of map_async(work) in line 21 ended worker ");
    assert_eq!(
        (&numbers["exit"], &numbers["task"]),
        (&7.0.into(), &2.0.into())
    );
}

#[test]
fn an_argument_that_cannot_be_unpickled_kills_its_worker() {
    let (text, _) = the_fault("unpicklable_argument.py", FindingKind::UnpicklableArgument);
    assert_says(
        &text,
        "a message of apply_async(work) in line 28 and died of it (ValueError: nobody can make me)",
    );
}

#[test]
fn a_callback_that_raises_stops_the_pool() {
    let (text, _) = the_fault("callback_raised.py", FindingKind::CallbackRaised);
    assert_says(
        &text,
        "a callback of apply_async(abs) in line 13 raised (ValueError: no such result)",
    );
    assert_says(&text, "no call of this pool completes any more");
}

#[test]
fn a_callback_that_raises_a_key_error_stops_its_call() {
    let watched = watched("callback_key_error.py");
    assert_eq!(watched.out, "2 False\n");
    let report = watched.report;
    assert_eq!(faults(&report), ["callback-raised"]);
    let (text, _) = told(&report, FindingKind::CallbackRaised);
    assert_says(
        &text,
        "a callback of apply_async(abs) in line 14 raised (KeyError): a Pool ignores a KeyError there",
    );
}

#[test]
fn an_initializer_that_raises_kills_worker_after_worker() {
    let (text, numbers) = the_fault("initializer_raised.py", FindingKind::InitializerRaised);
    assert_says(
        &text,
        "the initializer raises (RuntimeError: no database): ",
    );
    assert!(numbers["workers"].as_f64() >= Some(10.0), "{numbers}");
    assert!(numbers["rate"].as_f64() > Some(0.0), "{numbers}");
}

#[test]
fn whatever_ends_each_worker_at_its_start_is_told() {
    let (text, numbers) = the_fault("dead_at_start.py", FindingKind::InitializerRaised);
    assert_says(
        &text,
        " workers died before their first task (exit code 3), ",
    );
    assert!(numbers["workers"].as_f64() >= Some(3.0), "{numbers}");
}

#[test]
fn a_result_that_cannot_be_pickled_takes_its_chunk_along() {
    let (text, numbers) = the_fault("unpicklable_result.py", FindingKind::UnpicklableResult);
    assert_says(
        &text,
        "a result of map(work) in line 14 could not be pickled",
    );
    assert_eq!(numbers["chunksize"], 4.0);
}

#[test]
fn an_error_that_cannot_be_unpickled_stops_the_pool() {
    let (text, _) = the_fault("unreadable_error.py", FindingKind::UnpicklableResult);
    assert_says(&text, "the main program could not unpickle what a task");
}

#[test]
fn errors_are_hidden_until_they_are_asked_for() {
    let report = watched("hidden_error.py").report;
    assert_eq!(
        faults(&report),
        ["hidden-error"; 3],
        "{:#}",
        report["findings"]
    );
    let found = of_kind(&report, FindingKind::HiddenError);
    let texts: Vec<&str> = found
        .iter()
        .map(|found| found["text"].as_str().unwrap())
        .collect();
    let of = |words: &str| *texts.iter().find(|text| text.contains(words)).unwrap();
    assert_says(
        of("of apply_async(work)"),
        "raised ValueError: task 1, and nothing showed it until its result was asked for ",
    );
    assert_says(
        of("of map_async(work)"),
        "raised ValueError: task 2, and nobody ever asked for its result",
    );
    assert_says(
        of("of map(work)"),
        "raised ValueError: task 3, and nobody ever asked for its result",
    );
}

#[test]
fn errors_that_are_shown_as_soon_as_they_can_be_had_are_not_hidden() {
    let Watched { report, out, .. } = watched("shown_error.py");
    assert_eq!(out.matches("task 1").count(), 13, "{out}");
    assert_eq!(faults(&report), [""; 0], "{:#}", report["findings"]);
}

#[test]
fn imap_reads_its_whole_input_ahead() {
    let (text, numbers) = the_slowness("input_swallowed.py", FindingKind::InputSwallowed);
    assert_says(
        &text,
        "imap(work) in line 23 had read its whole input of 500 items",
    );
    assert_eq!(
        (&numbers["items"], &numbers["taken"]),
        (&500.0.into(), &0.0.into())
    );
    assert!(numbers["bytes"].as_f64() >= Some(32e6), "{numbers}");
    // All of it was read before a result was there.
    let report = watched_as("input_swallowed.py", "late").report;
    let (_, numbers) = told(&report, FindingKind::InputSwallowed);
    assert!(numbers["bytes"].as_f64() >= Some(32e6), "{numbers}");
}

#[test]
fn leaving_a_pool_with_work_outstanding_gives_that_work_up() {
    let (text, numbers) = the_slowness("left_outstanding.py", FindingKind::LeftOutstanding);
    assert_says(&text, "leaving `with Pool()` terminated the pool while ");
    assert_eq!(numbers["outstanding"], 6.0);
    let report = left("terminate").report;
    let (text, _) = told(&report, FindingKind::LeftOutstanding);
    assert_says(&text, "the program called terminate() while 6 tasks ");
    // What is handled around the block does not end it.
    let (text, _) = told(&left("handling").report, FindingKind::LeftOutstanding);
    assert_says(&text, "leaving `with Pool()` terminated the pool while ");
}

#[test]
fn an_iterator_that_is_left_says_so_and_one_that_raised_is_an_error() {
    let report = watched("left_iterator.py").report;
    let calls = report["calls"].as_array().unwrap();
    let outcomes: Vec<&Value> = calls.iter().map(|call| &call["outcome"]).collect();
    assert_eq!(outcomes, ["left", "error", "error"]);
    assert_eq!(calls[0]["untaken"], 7);
    assert_eq!(faults(&report), [""; 0], "{:#}", report["findings"]);
}

#[test]
fn an_exception_is_told_instead_of_what_it_leaves_behind() {
    let Watched { report, code, .. } = left("error");
    assert_eq!(
        (code, faults(&report)),
        (Some(1), vec!["program-failed"]),
        "{:#}",
        report["findings"]
    );
    let (text, numbers) = told(&report, FindingKind::ProgramFailed);
    assert_says(&text, "the program ended with exit code 1");
    assert_eq!(numbers["exit"], 1.0);
    assert!(of_kind(&report, FindingKind::LeftOutstanding).is_empty());
}

#[test]
fn a_pool_that_is_open_when_the_program_ends_is_terminated_by_python_itself() {
    for how in ["end", "exit", "close"] {
        let report = open_pool(how, 0, &[]);
        let (text, _) = told(&report, FindingKind::LeftOutstanding);
        assert_says(
            &text,
            "the program ended, which terminated its pool, while 6 tasks had no result",
        );
    }
    for (how, code, faults) in [
        ("raise", 1, &["program-failed"][..]),
        ("interrupt", 130, &[]),
    ] {
        let report = open_pool(how, code, faults);
        assert!(of_kind(&report, FindingKind::LeftOutstanding).is_empty());
    }
}

#[track_caller]
fn open_pool(how: &str, expected: i32, expected_faults: &[&str]) -> Value {
    let file = format!("{}/tests/findings/open_pool.py", env!("CARGO_MANIFEST_DIR"));
    let Watched { report, code, .. } = watch(&[&file, how]);
    assert_eq!(code, Some(expected), "{how}");
    assert_eq!(faults(&report), expected_faults, "{:#}", report["findings"]);
    let call = &report["calls"][0];
    assert_eq!(call["outcome"], "left", "{how}");
    assert_eq!(report["counts"]["lost"], 0, "{how}");
    assert!(report["pools"][0]["closed"].is_u64(), "{how}");
    report
}

#[test]
fn fresh_workers_run_the_main_module_and_die_if_it_starts_processes() {
    let (text, numbers) = the_fault("unguarded_main.py", FindingKind::UnguardedMain);
    assert_says(&text, " died at the start with an exception");
    assert!(numbers["workers"].as_f64() >= Some(3.0), "{numbers}");
}

#[test]
fn workers_that_wait_for_their_own_pool_are_a_deadlock() {
    let (text, _) = the_fault("nested_calls.py", FindingKind::NestedDeadlock);
    assert_says(&text, "all 2 workers of a ThreadPool wait for tasks");
    assert_says(&text, "6 tasks wait in its queue");
}

#[test]
fn workers_that_waited_for_their_own_pool_until_a_timeout_waited_in_vain() {
    let (text, _) = the_fault("nested_timeout.py", FindingKind::NestedDeadlock);
    assert_says(
        &text,
        "all 2 workers of a ThreadPoolExecutor waited for tasks",
    );
    assert_says(&text, ", until one of them gave up after ");
}

#[test]
fn tasks_of_a_pool_without_workers_wait_for_ever() {
    let (text, _) = the_fault("no_worker_left.py", FindingKind::NoWorkerLeft);
    assert_says(&text, "4 tasks wait in the queue of a Pool whose 2 workers");
    assert_says(&text, "map_async(work) in line 16");
}

#[test]
fn a_main_program_that_waits_for_each_task_gets_one_worker() {
    for (how, words) in [
        ("apply", "apply(work) in line "),
        ("submit", "submit(work)"),
    ] {
        let file = format!(
            "{}/tests/findings/one_at_a_time.py",
            env!("CARGO_MANIFEST_DIR")
        );
        let report = watch(&[&file, how]).report;
        assert_eq!(faults(&report), [""; 0], "{:#}", report["findings"]);
        let (text, numbers) = told(&report, FindingKind::OneAtATime);
        assert_says(&text, words);
        assert_says(&text, " sends 8 tasks one at a time");
        assert_eq!(numbers["workers"], 4.0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn threads_that_compute_share_an_interpreter() {
    let report = watched("one_interpreter.py").report;
    let shares = &report["calls"][0]["where"];
    let part = |key: &str| 4.0 * shares[key].as_f64().unwrap();
    let found = of_kind(&report, FindingKind::OneInterpreter);
    // Where other programs have the CPUs it cannot be told, and one CPU is shared whoever computes.
    let is_told = parviz::platform::usable_cpus() >= 2
        && part("on_cpu") > 0.45
        && (0.85..1.15).contains(&(part("on_cpu") + part("waiting_cpu")));
    assert!(!found.is_empty() || !is_told, "{shares:#}");
}

#[test]
fn workers_that_are_replaced_after_each_task_cost_more_than_the_tasks() {
    let (text, numbers) = the_slowness("restart_cost.py", FindingKind::RestartCost);
    assert_says(
        &text,
        " retired and had to be replaced while there was work",
    );
    assert!(numbers["restarts"].as_f64() >= Some(2.0), "{numbers}");
}

#[test]
fn a_generator_that_is_slower_than_the_workers_is_told() {
    let (text, _) = the_slowness("slow_input.py", FindingKind::SlowInput);
    assert_says(
        &text,
        "the input of imap(work) in line 21 comes more slowly",
    );
    let report = watched_as("slow_input.py", "few").report;
    let (_, numbers) = told(&report, FindingKind::SlowInput);
    assert!(numbers["starved"].as_f64() > Some(0.5), "{numbers}");
}

#[test]
fn an_interrupted_program_leaves_nothing_by_mistake() {
    for how in ["caught", "raised"] {
        let Watched { report, code, .. } = left(how);
        assert_eq!((code, faults(&report)), (Some(130), vec![]), "{how}");
    }
}

/// The script that leaves work behind, watched.
fn left(how: &str) -> Watched {
    let file = format!(
        "{}/tests/findings/left_outstanding.py",
        env!("CARGO_MANIFEST_DIR")
    );
    watch(&[&file, how])
}

#[test]
fn two_chunks_are_too_large_for_four_workers() {
    let (text, numbers) = the_slowness("chunk_too_large.py", FindingKind::ChunkTooLarge);
    assert_says(
        &text,
        "chunks of 4 tasks are too large for map(work) in line 13",
    );
    assert_eq!(numbers["better"], 1.0);
}

#[test]
fn a_message_for_each_task_that_does_nothing_is_overhead() {
    let (text, numbers) = the_slowness("chunk_too_small.py", FindingKind::ChunkTooSmall);
    assert_says(&text, "map(abs) in line 7 sends 30000 messages");
    assert!(numbers["overhead"].as_f64() >= Some(0.5), "{numbers}");
}

#[test]
fn a_task_that_all_others_wait_for_is_a_straggler() {
    let (text, numbers) = the_slowness("straggler.py", FindingKind::Straggler);
    assert_says(&text, "task 7 of map(work) in line 27 took ");
    assert_eq!(numbers["task"], 7.0);
}

#[cfg(target_os = "linux")]
#[test]
fn more_processes_than_cpus_wait_for_a_cpu() {
    let (_, numbers) = the_slowness("oversubscribed.py", FindingKind::Oversubscribed);
    let number = |key: &str| numbers[key].as_f64().unwrap();
    assert!(number("workers") >= 4.0 * number("cpus"), "{numbers}");
    assert!(number("share") > 0.5, "{numbers}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_others_keep_from_the_cpus_has_no_processes_too_many() {
    let report = watched("loaded_machine.py").report;
    let found = of_kind(&report, FindingKind::Oversubscribed);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn large_messages_take_longer_to_pickle_than_to_work_on() {
    let (text, numbers) = the_slowness("pickling_cost.py", FindingKind::PicklingCost);
    assert_says(&text, "pickling and unpickling ");
    assert!(
        numbers["bytes"].as_f64() > Some(8.0 * 2.0 * 500_000.0),
        "{numbers}"
    );
}

#[test]
fn fresh_interpreters_for_no_work_cost_more_than_they_bring() {
    let (text, numbers) = the_slowness("start_up_cost.py", FindingKind::StartUpCost);
    assert_says(&text, "the program waited ");
    assert_says(&text, " for 2 workers to start, ");
    assert!(numbers["cost"].as_f64() >= Some(5e8), "{numbers}");
}

#[test]
fn a_first_item_that_comes_late_is_no_start() {
    let report = watched("slow_first.py").report;
    assert!(of_kind(&report, FindingKind::StartUpCost).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_main_program_that_waits_before_its_own_work_could_do_both_at_once() {
    let (text, numbers) = the_slowness("caller_blocked.py", FindingKind::CallerBlocked);
    assert_says(&text, "the main program waited ");
    assert_says(&text, " for map(work) in line 13 and computed ");
    assert!(numbers["share"].as_f64() > Some(0.0), "{numbers}");
}

/// Nothing is found but what becomes so when the machine stands still for half a second.
fn says_nothing(report: &Value) {
    let noise = [
        FindingKind::Straggler,
        FindingKind::ChunkTooLarge,
        FindingKind::StartUpCost,
    ];
    let found = report["findings"].as_array().unwrap().iter();
    let others: Vec<_> = found
        .filter(|found| noise.iter().all(|kind| found["kind"] != kind.word()))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn a_program_in_which_all_is_well_has_no_findings() {
    let report = watched("quiet.py").report;
    says_nothing(&report);
    // It was seen all the same.
    assert_eq!(report["counts"]["pools"], 4);
    assert_eq!(
        (&report["counts"]["failed"], &report["counts"]["lost"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn pools_that_end_with_the_interpreter_have_no_findings() {
    let report = watched("left_to_exit.py").report;
    says_nothing(&report);
    assert_eq!(report["counts"]["workers"], 6);
}

#[test]
fn a_pool_that_cannot_start_a_worker_never_was_one() {
    let Watched { report, out, .. } = watched("no_pool.py");
    assert_eq!(out, "['no pool', 'no pool']\n");
    assert_eq!(report["counts"]["pools"], 1);
    assert_eq!(report["pools"].as_array().unwrap().len(), 1);
}
