//! The Python examples: they do with parviz what they do without, and the report shows what their line says.

use crate::support::python::{environment, watch};
use parviz::examples::{TABLE, find};
use serde_json::Value;
use std::process::Command;

/// A text without its numbers, and how many signs they take.
fn without_numbers(text: &str) -> String {
    let rest = text.replace(|sign: char| sign.is_ascii_digit(), "");
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The report of an example, which prints the same as with plain Python.
#[track_caller]
fn report(name: &str) -> (Value, String) {
    assert!(find(name).is_some());
    let file = format!("{}/assets/examples/{name}.py", env!("CARGO_MANIFEST_DIR"));
    let mut plain = Command::new("python3");
    let plain = plain.arg(file).env_clear().envs(environment()).output();
    let plain = plain.expect("python3 is on the path");
    let watched = watch(&[&format!("example:{name}")]);
    let plain_out = String::from_utf8(plain.stdout).unwrap();
    assert_eq!(without_numbers(&watched.out), without_numbers(&plain_out));
    assert_eq!((watched.err.as_str(), watched.code), ("", Some(0)));
    (watched.report, watched.out)
}

fn calls(report: &Value) -> &[Value] {
    report["calls"].as_array().unwrap()
}

/// The only call of an example, with these tasks, and back with every result.
#[track_caller]
fn the_call<'a>(report: &'a Value, method: &str, tasks: u32) -> &'a Value {
    let [call] = calls(report) else {
        panic!("{:#}", report["calls"])
    };
    assert_eq!(
        (&call["method"], &call["tasks"]),
        (&method.into(), &tasks.into())
    );
    assert_eq!(call["outcome"], "returned");
    assert_eq!(
        call["orders"]["delivered"].as_array().unwrap().len(),
        tasks as usize
    );
    call
}

fn in_order(tasks: u32) -> Value {
    (0..tasks).collect::<Vec<_>>().into()
}

#[test]
fn every_example_is_tested_here() {
    let tested = "cpu_count pool_map pool_starmap pool_map_apply pool_map_async pool_starmap_async \
                  pool_apply_async pool_imap pool_imap_unordered small_tasks separate_memory";
    let names: Vec<&str> = TABLE.iter().map(|example| example.name).collect();
    assert_eq!(names, tested.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn cpu_count_starts_a_worker_for_each_processor() {
    let (report, out) = report("cpu_count");
    let printed = |line: usize| {
        out.lines()
            .nth(line)
            .unwrap()
            .rsplit(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(report["counts"]["workers"].to_string(), printed(1));
    assert_eq!(
        (&report["counts"]["pools"], &report["counts"]["calls"]),
        (&1.into(), &0.into())
    );
}

#[test]
fn pool_map_blocks_until_all_results_are_there() {
    let (report, _) = report("pool_map");
    let call = the_call(&report, "map", 10);
    assert_eq!(call["orders"]["delivered"], in_order(10));
    // Main was blocked for about as long as the call took.
    let numbers = &call["numbers"];
    assert!(
        numbers["blocked_main"].as_u64().unwrap() * 2 > numbers["makespan"].as_u64().unwrap(),
        "{numbers}"
    );
}

#[test]
fn pool_starmap_unpacks_tuples() {
    let (report, _) = report("pool_starmap");
    let call = the_call(&report, "starmap", 16);
    assert_eq!(
        (&call["function"], &call["orders"]["delivered"]),
        (&"power".into(), &in_order(16))
    );
}

#[test]
fn pool_map_apply_runs_side_by_side_and_one_after_another() {
    let (report, _) = report("pool_map_apply");
    let [map, applied @ ..] = calls(&report) else {
        panic!("{:#}", report["calls"])
    };
    assert_eq!(
        (&map["method"], &map["tasks"], applied.len()),
        (&"map".into(), &8.into(), 8)
    );
    assert!(
        applied
            .iter()
            .all(|call| call["method"] == "apply" && call["tasks"] == 1)
    );
    // Each apply begins when the one before has ended.
    for pair in applied.windows(2) {
        assert!(
            pair[0]["ended"].as_u64() <= pair[1]["began"].as_u64(),
            "{pair:#?}"
        );
    }
    let found = report["findings"].as_array().unwrap();
    assert!(
        found.iter().any(|found| found["kind"] == "one-at-a-time"),
        "{found:#?}"
    );
}

#[test]
fn pool_map_async_lets_main_work_meanwhile() {
    let (report, out) = report("pool_map_async");
    assert!(
        out.starts_with("map_async is back; all results there: False\n"),
        "{out}"
    );
    let call = the_call(&report, "map_async", 16);
    let numbers = &call["numbers"];
    assert!(
        numbers["blocked_main"].as_u64() < numbers["makespan"].as_u64(),
        "{numbers}"
    );
}

#[test]
fn pool_starmap_async_hands_over_the_whole_list() {
    let (report, out) = report("pool_starmap_async");
    assert!(out.contains("callback: 16 results at once\n"), "{out}");
    let call = the_call(&report, "starmap_async", 16);
    assert_eq!(call["orders"]["delivered"], in_order(16));
}

#[test]
fn pool_apply_async_is_a_call_for_each_task() {
    let (report, _) = report("pool_apply_async");
    let counts = &report["counts"];
    assert_eq!(
        (&counts["calls"], &counts["tasks"]),
        (&12.into(), &12.into())
    );
    for call in calls(&report) {
        assert_eq!(
            (&call["method"], &call["tasks"]),
            (&"apply_async".into(), &1.into())
        );
    }
}

#[test]
fn pool_imap_delivers_in_order() {
    let (report, _) = report("pool_imap");
    let call = the_call(&report, "imap", 8);
    assert_eq!(call["orders"]["delivered"], in_order(8));
    assert_ne!(call["orders"]["finished"], in_order(8));
}

#[test]
fn pool_imap_unordered_delivers_as_finished() {
    let (report, _) = report("pool_imap_unordered");
    let call = the_call(&report, "imap_unordered", 8);
    // Two that end nearly together may be handed over the other way round.
    let delivered = call["orders"]["delivered"].as_array().unwrap();
    let mut all: Vec<u64> = delivered.iter().filter_map(Value::as_u64).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..8), "{delivered:?}");
    assert_ne!(call["orders"]["delivered"], in_order(8));
}

#[test]
fn small_tasks_are_faster_in_a_loop() {
    let (report, _) = report("small_tasks");
    let call = the_call(&report, "map", 30_000);
    assert_eq!(call["chunks"], 30_000);
    let kinds: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| &found["kind"])
        .collect();
    assert!(
        kinds.contains(&&"chunk-too-small-overhead".into()),
        "{kinds:?}"
    );
    if let Some(speedup) = call["numbers"]["speedup"].as_f64() {
        assert!(speedup < 1.0, "{speedup}");
    }
}

#[test]
fn separate_memory_counts_in_every_worker_and_not_in_main() {
    let (report, out) = report("separate_memory");
    assert!(out.ends_with("counter in the main program: 0\n"), "{out}");
    the_call(&report, "map", 12);
    let workers = report["workers"].as_array().unwrap();
    let counted: u64 = workers
        .iter()
        .map(|worker| worker["tasks"].as_u64().unwrap())
        .sum();
    let pids: std::collections::BTreeSet<_> = workers
        .iter()
        .map(|worker| worker["pid"].as_u64())
        .collect();
    assert_eq!((counted, pids.len()), (12, workers.len()));
    let busy = workers
        .iter()
        .filter(|worker| worker["tasks"].as_u64() > Some(0));
    assert!(busy.count() > 1, "{workers:?}");
}
