//! Where a program runs looks as it always does, to it and to its children, and all of them are watched.

use crate::probe::text;
use crate::probe::watch::{Place, Seen, Watched, call, python, pythons, script, watch};
use parviz::origin::python::wire::{Message, Told};
use std::path::Path;
use std::process::Command;

fn hellos(watched: &Watched) -> usize {
    let is_hello = |(_, message): &&(u32, Message)| matches!(message, Message::Hello(_));
    watched.messages.iter().filter(is_hello).count()
}

/// The same with and without; how many processes said hello.
fn same(command: impl Fn() -> Command) -> usize {
    let alone = Seen::from(command().output().unwrap());
    let watched = watch(command());
    assert_eq!(watched.seen, alone);
    assert!(watched.records.is_empty(), "no pool, no ring");
    hellos(&watched)
}

fn path() -> String {
    script("environment.py").to_str().unwrap().to_owned()
}

#[test]
fn a_program_and_its_children_see_nothing_of_the_probe() {
    for python in pythons() {
        assert_eq!(
            same(|| call(&python, &[&path(), "children"])),
            7,
            "{}",
            python.display()
        );
    }
}

#[test]
fn a_program_keeps_its_own_sitecustomize_and_path() {
    for python in pythons() {
        let own = script("own");
        let command = || {
            let mut command = call(&python, &[&path(), "children"]);
            command.env("PYTHONPATH", &own);
            command
        };
        assert_eq!(same(command), 7, "{}", python.display());
    }
}

#[test]
fn a_module_and_a_command_are_watched() {
    let python = python();
    assert_eq!(
        same(|| call(
            &python,
            &["-c", "import sys; print(sys.argv, sys.path)", "a"]
        )),
        1
    );
    assert_eq!(same(|| call(&python, &["-m", "this"])), 1);
}

#[test]
fn a_python_that_takes_no_path_runs_unwatched() {
    for flag in ["-E", "-I", "-S"] {
        let said = same(|| call(&python(), &[flag, "-c", "print(1)"]));
        assert_eq!(said, 0, "{flag}");
    }
}

#[test]
fn a_virtual_environment_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("env");
    let made = call(
        &python(),
        &["-m", "venv", "--without-pip", place.to_str().unwrap()],
    )
    .status()
    .unwrap();
    assert!(made.success());
    assert_eq!(same(|| call(&place.join("bin/python3"), &[&path()])), 1);
}

#[test]
fn without_its_folder_a_program_runs_as_ever() {
    let command = || call(&python(), &["-c", "import multiprocessing.pool; print(1)"]);
    let alone = Seen::from(command().output().unwrap());
    let place = Place::new();
    let watched = place.watch(command());
    for name in ["_parviz_ring.py", "_parviz_pool.py", "sitecustomize.py"] {
        std::fs::remove_file(Path::join(place.main.path(), name)).unwrap();
        let mut again = call(&python(), &["-c", "import multiprocessing.pool; print(1)"]);
        for (name, value) in watched.get_envs() {
            again.env(name, value.unwrap_or_default());
        }
        assert_eq!(Seen::from(again.output().unwrap()), alone);
    }
}

#[test]
fn a_program_that_closes_what_it_does_not_know_is_watched_on_and_its_files_are_its_own() {
    let program = script("closes.py");
    for python in pythons() {
        for when in ["before", "after"] {
            let run = || {
                let folder = tempfile::tempdir().unwrap();
                let words = [text(&program), when, text(folder.path())];
                (call(&python, &words), folder)
            };
            let (mut command, _folder) = run();
            let alone: Seen = command.output().unwrap().into();
            let (command, _folder) = run();
            let watched = watch(command);
            assert_eq!(watched.seen, alone, "{}", python.display());
            assert_eq!(alone.err, "");
            let mut calls = vec!["map square", "map write"];
            if when == "after" {
                calls.insert(0, "map square");
            }
            assert_eq!(watched.calls(), calls, "{}", python.display());
        }
    }
}

#[test]
fn a_program_that_stops_its_clocks_is_told_of_by_the_real_ones() {
    let watched = watch(call(&python(), &[text(&script("clocks.py"))]));
    assert_eq!(watched.seen.out, "[0, 1, 2, 3]\n".repeat(2));
    let (first, last) = watched
        .records
        .iter()
        .map(|(_, record)| record.at)
        .fold((u64::MAX, 0), |(first, last), at| {
            (first.min(at), last.max(at))
        });
    assert!(first > 1_000_000_000 && last > first, "{first} to {last}");
    let on_cpu = |told: &Told| matches!(told, Told::Spent { on_cpu, .. } if *on_cpu > 1);
    assert!(watched.count(on_cpu) > 0);
}

#[test]
fn a_task_finds_the_tools_of_monitoring_free_and_no_event_asked_for() {
    for python in pythons() {
        let watched = watch(call(&python, &[text(&script("tool.py"))]));
        let free = "[([], True), ([], True)]\n";
        assert_eq!(watched.seen.out, free, "{}", python.display());
    }
}
