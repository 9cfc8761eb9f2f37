//! The lessons as an oracle: every file is read strictly, and every simulated run gives what it promises.
#![expect(clippy::disallowed_methods, reason = "looks which files there are")]

use parviz::definition::{self, Facts, Value};
use parviz::experiment::Backend;
use parviz::lesson::{Expected, FILES, Lesson, Run};
use parviz::origin::simulated;
use parviz::time::Time;
use parviz::trace::{Order, Trace};

/// How far a number may be off, in units.
const TOLERANCE: f64 = 6e-4;

fn lesson(name: &str, text: &str) -> Lesson {
    Lesson::parse(name, text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_run_of_every_lesson_gives_what_it_promises() {
    let (mut checked, mut wrong) = (0, Vec::new());
    for (name, text) in FILES {
        let lesson = lesson(name, text);
        for run in &lesson.runs {
            let run = run.get_ref();
            assert_eq!(run.backend, Backend::Simulated);
            for (key, expected) in &run.expect {
                checked += 1;
                let seen = seen(&lesson, run, key);
                if !agree(expected, seen.as_ref()) {
                    wrong.push(format!(
                        "{name} {}: {key} is {seen:?}, not {expected:?}",
                        run.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(checked, 116, "promises checked");
}

/// A number in units, a word or an order of the ended run.
fn seen(lesson: &Lesson, run: &Run, key: &str) -> Option<Expected> {
    let experiment = lesson.experiment(run);
    let mut trace = Trace::default();
    trace.apply(simulated::run(&experiment));
    let order = |order: &Order| {
        let entries = order.entries().iter();
        Some(Expected::Order(entries.map(|entry| entry.index).collect()))
    };
    match key {
        "finished" => order(&trace.call()?.finished),
        "delivered" => order(&trace.call()?.delivered),
        _ => {
            let facts = Facts::of(&trace, Time::NEVER);
            let value = (definition::of(key)?.value)(&facts)?;
            Some(match value {
                Value::Time(length) => {
                    Expected::Number(length.seconds() / experiment.unit.seconds())
                }
                Value::Times(number)
                | Value::Share(number)
                | Value::Part(number, _)
                | Value::Plain(number) => Expected::Number(number),
                Value::Count(count) => Expected::Number(count as f64),
                Value::Word(word) => Expected::Word(word.to_owned()),
            })
        }
    }
}

fn agree(expected: &Expected, seen: Option<&Expected>) -> bool {
    match (expected, seen) {
        (Expected::Number(expected), Some(Expected::Number(seen))) => {
            (expected - seen).abs() < TOLERANCE
        }
        (expected, seen) => seen == Some(expected),
    }
}

#[test]
fn the_list_of_lessons_is_complete() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lessons");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert!(
        files
            .iter()
            .map(|file| file.trim_end_matches(".toml"))
            .eq(FILES.iter().map(|file| file.0))
    );
}

#[test]
fn a_mistake_in_a_lesson_is_told_with_its_line() {
    let (name, text) = FILES[12];
    let wrong = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Lesson::parse(name, &text.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    };
    let place = |line: usize, what: &str| format!("lesson 13-worker-dies, line {line}: {what}");
    for (from, to, line, what) in [
        ("minutes = 6", "minutos = 6", 5, "unknown field `minutos`"),
        ("format = 1", "format = 2", 1, "format 2 is not known here"),
        (
            "policy = \"pool\"",
            "policy = \"poll\"",
            15,
            "unknown variant `poll`",
        ),
        (
            "stop_at = 40",
            "stop_at = -1",
            10,
            "run `pool`: -1 is no length of time",
        ),
        (
            "lost = 1",
            "lots = 1",
            10,
            "run `pool`: `lots` is no such number",
        ),
        (
            "workers = 4",
            "workers = 0",
            10,
            "run `pool`: --workers must be from 1",
        ),
        (
            "task = 3,",
            "task = 30,",
            10,
            "run `pool`: --fault 30: there is no task 30",
        ),
        (
            "answer = 2",
            "answer = 4",
            27,
            "answer 4 is none of the 4 choices",
        ),
        (
            "runs = [\"pool\"",
            "runs = [\"pond\"",
            34,
            "there is no run `pond`",
        ),
        (
            "kind = \"die\"",
            "kind = \"die\", after = 2",
            8,
            "unknown field `after`",
        ),
        ("minutes = 6", "minutes = ", 5, ""),
    ] {
        let error = wrong(from, to);
        assert!(error.starts_with(&place(line, what)), "{error}");
    }
}
