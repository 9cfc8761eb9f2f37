//! The README against the program: its table of keys, its commands, its picture.

use parviz::app::keymap::{Context, Keymap, ROWS};
use std::fmt::Write;

const README: &str = include_str!("../README.md");

/// The table of keys as the README has it: what to press, what it does, what the config file calls it.
fn keys() -> String {
    let keymap = Keymap::default();
    let mut table = "| key | does | in the config file |\n|---|---|---|\n".to_owned();
    for (context, place) in [
        (Context::Lab, "lab: "),
        (Context::Program, "run: "),
        (Context::Main, ""),
        (Context::Everywhere, ""),
        (Context::Overlay, "on top: "),
        (Context::Form, "form: "),
        (Context::Find, "search: "),
        (Context::Output, "output: "),
        (Context::Leave, "program runs, after q: "),
    ] {
        for (number, row) in ROWS
            .iter()
            .enumerate()
            .filter(|(_, row)| row.context == context)
        {
            let coded = |words: Vec<String>| {
                words
                    .iter()
                    .map(|word| format!("`{word}`"))
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            let keys = coded(keymap.keys(number).split(' ').map(str::to_owned).collect());
            let mut names: Vec<String> = row
                .keys
                .iter()
                .map(|(_, action)| action.name().to_owned())
                .collect();
            let mut seen = std::collections::HashSet::new();
            names.retain(|name| seen.insert(name.clone()));
            let (does, names) = (row.help, coded(names));
            writeln!(table, "| {keys} | {place}{does} | {names} |").unwrap();
        }
    }
    table
}

#[test]
fn the_table_of_keys_is_the_one_the_program_reads() {
    let keys = keys();
    assert!(README.contains(&keys), "the README should have:\n{keys}");
}

#[test]
fn the_table_of_findings_is_the_one_the_program_reads() {
    let mut table = "| finding | means |\n|---|---|\n".to_owned();
    for row in &parviz::finding::TABLE {
        writeln!(table, "| `{}` | {} |", row.word, row.meaning).unwrap();
    }
    assert!(README.contains(&table), "the README should have:\n{table}");
}

#[test]
fn the_picture_and_the_commands_are_there() {
    for words in [
        "cargo run --release",
        "cargo test",
        "cargo install --path .",
        "(assets/lab.svg)",
    ] {
        assert!(README.contains(words), "{words}");
    }
    let picture = include_str!("../assets/lab.svg");
    assert!(picture.starts_with("<svg xmlns=") && picture.contains("ITERATOR as finished"));
}
