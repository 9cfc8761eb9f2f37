//! The probe in real Python programs: they do what they do without it, and it tells all of that.
#![expect(
    clippy::disallowed_methods,
    reason = "starts programs, listens to them, and reads what they wrote"
)]

mod environment;
mod faults;
mod once;
mod peers;
mod watch;

use parviz::origin::python::wire::{Chunk, Told};
use std::collections::{BTreeMap, BTreeSet};
use watch::{START_METHODS, Seen, Watched, call, python, pythons, script, watch};

fn text(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

/// What may differ between two runs of one version: in which line of `result` a future was found done.
fn without_chance(seen: Seen) -> Seen {
    let is_chance = |line: &&str| line.ends_with("in result") && line.contains("_base.py");
    let out = seen
        .out
        .lines()
        .map(|line| if is_chance(&line) { "in result" } else { line });
    Seen {
        out: out.collect::<Vec<_>>().join("\n"),
        ..seen
    }
}

/// Every kind of record and how often it must come, however the workers were started.
fn fixed(watched: &Watched) -> BTreeMap<&'static str, usize> {
    let (started, ended) = watched.items();
    BTreeMap::from([
        (
            "pools",
            watched.count(|told| matches!(told, Told::PoolOpen { .. })),
        ),
        (
            "calls",
            watched.count(|told| matches!(told, Told::Call { .. })),
        ),
        (
            "put",
            watched.count(|told| matches!(told, Told::Put { .. })),
        ),
        (
            "taken",
            watched.count(|told| matches!(told, Told::Taken { .. })),
        ),
        ("started", started),
        ("ended", ended),
        (
            "results",
            watched.count(|told| matches!(told, Told::Result { .. })),
        ),
        (
            "back",
            watched.count(|told| matches!(told, Told::Back { .. })),
        ),
        (
            "ready",
            watched.count(|told| matches!(told, Told::Ready { .. })),
        ),
        (
            "delivered",
            watched.count(|told| matches!(told, Told::Delivered { .. })),
        ),
        (
            "raised",
            watched.count(|told| matches!(told, Told::Raised { .. })),
        ),
    ])
}

fn all(method: &str) {
    let program = script("all.py");
    for python in pythons() {
        let command = || call(&python, &[text(&program), method]);
        let alone = without_chance(command().output().unwrap().into());
        let watched = watch(command());
        let counts = fixed(&watched);
        let expected = [
            ("pools", 5),
            ("calls", 46),
            ("put", 105),
            ("taken", 105),
            ("started", 129),
            ("ended", 129),
            ("results", 105),
            // Not those of the threads of an executor, whose results are where they are wanted.
            ("back", 86),
            ("ready", 26),
            ("delivered", 80),
            ("raised", 5),
        ];
        assert_eq!(counts, BTreeMap::from(expected), "{}", python.display());
        in_order(&watched);
        assert_eq!(without_chance(watched.seen), alone, "{}", python.display());
    }
}

#[test]
fn a_program_is_the_same_and_told_whole_when_it_forks() {
    all("fork");
}

#[test]
fn a_program_is_the_same_and_told_whole_when_it_spawns() {
    all("spawn");
}

#[test]
fn a_program_is_the_same_and_told_whole_with_a_fork_server() {
    all("forkserver");
}

/// Each chunk is put, taken, run, given back and delivered in this order.
fn in_order(watched: &Watched) {
    let mut moments: BTreeMap<(u32, Chunk), Vec<(u8, u64)>> = BTreeMap::new();
    let parents: BTreeMap<u32, u32> = watched
        .told()
        .filter_map(|(pid, told)| match told {
            Told::WorkerBegin { parent } => Some((pid, *parent)),
            _ => None,
        })
        .collect();
    for (pid, record) in &watched.records {
        let (step, chunk) = match record.told {
            Told::Put { chunk, .. } => (0, chunk),
            Told::Taken { chunk, .. } => (1, chunk),
            Told::ItemStart { chunk, .. } => (2, chunk),
            Told::ItemNext { chunk, .. } | Told::Items { chunk, .. } => (3, chunk),
            Told::ItemEnd { chunk, .. } => (4, chunk),
            Told::Result { chunk, .. } => (5, chunk),
            Told::Back { chunk, .. } => (6, chunk),
            _ => continue,
        };
        if !chunk.work {
            let parent = parents.get(pid).unwrap_or(pid);
            moments
                .entry((*parent, chunk))
                .or_default()
                .push((step, record.at));
        }
    }
    for (chunk, mut steps) in moments {
        steps.sort_by_key(|&(step, at)| (at, step));
        assert!(
            steps.is_sorted_by_key(|&(step, _)| step),
            "{chunk:?}: {steps:?}"
        );
    }
}

#[test]
fn each_call_is_told_with_its_method_function_and_line() {
    let watched = watch(call(&python(), &[text(&script("all.py")), "fork"]));
    let calls: BTreeSet<String> = watched.calls().into_iter().collect();
    for name in [
        "map square",
        "starmap add",
        "apply add",
        "map_async slow",
        "starmap_async add",
        "apply_async slow",
        "imap slow",
        "imap_unordered slow",
        "submit slow",
        "map bad",
    ] {
        assert!(calls.contains(name), "{name}: {calls:?}");
    }
    let lines = watched
        .strings
        .values()
        .filter(|text| text.starts_with("starmap\0add\0"));
    let source = std::fs::read_to_string(script("all.py")).unwrap();
    let line = source
        .lines()
        .position(|line| line.contains("pool.starmap(add"))
        .unwrap()
        + 1;
    let here = format!("starmap\0add\0{}\0{line}", text(&script("all.py")));
    assert_eq!(lines.collect::<Vec<_>>(), [&here]);
}

#[test]
fn a_chunk_of_short_items_is_told_in_few_records_and_every_item_counts() {
    for method in START_METHODS {
        let watched = watch(call(&python(), &[text(&script("many.py")), method]));
        assert_eq!(watched.items(), (100_000, 100_000));
        assert!(watched.records.len() < 50_000, "{}", watched.records.len());
        assert_eq!(watched.seen.out, "100000\n");
        for header in watched.headers.values() {
            assert_ne!((header.record_cost, header.item_cost), (0, 0));
            assert_eq!(header.lost, 0);
        }
    }
}

#[test]
fn pools_of_any_make_are_told() {
    let watched = watch(call(&python(), &[text(&script("odd.py"))]));
    let alone: Seen = call(&python(), &[text(&script("odd.py"))])
        .output()
        .unwrap()
        .into();
    assert_eq!(watched.seen, alone);
    // 4 + 6 in nested pools of threads, 3 + 3 in nested pools of processes, 3 each with a worker and a queue
    // of the program's own; one pool is never called, and of one worker nothing can be seen.
    let (started, ended) = watched.items();
    assert_eq!(
        (started, ended),
        (4 + 6 + 3 + 3 + 3 + 3 + 3, 4 + 6 + 3 + 3 + 3 + 3 + 3)
    );
    let spawned = watched.count(|told| matches!(told, Told::Spawn { .. }));
    let opened = watched.told().filter_map(|(_, told)| match told {
        Told::PoolOpen { workers, .. } => Some(*workers as usize),
        _ => None,
    });
    assert_eq!(spawned, opened.sum::<usize>());
}
