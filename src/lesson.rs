//! Lessons as their files tell them: data only, read strictly.
//!
//! A lesson is a workload, some runs of it with what they must give, and the steps that show them to
//! somebody. Lengths of time are in units; `unit_ms` says how long a unit takes on the screen. A word that
//! is not known here is an error with its line, so that a file never promises what nobody does.

mod check;
mod workload;

pub use workload::{LessonCosts, LessonFault, LessonWorkload};

use crate::experiment::{
    Backend, CounterEffect, Experiment, MainWork, MemoryModel, Policy, WorkKind,
};
use crate::method::Method;
use crate::time::Nanos;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use std::collections::BTreeMap;
use toml::Spanned;

macro_rules! lesson {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../assets/lessons/", $name, ".toml")),
        )
    };
}

/// The lessons that come with the program: name and text.
pub const FILES: [(&str, &str); 14] = [
    lesson!("01-apply-is-one-at-a-time"),
    lesson!("02-three-orders"),
    lesson!("03-async-does-not-run-faster"),
    lesson!("04-first-result"),
    lesson!("05-small-tasks-lose"),
    lesson!("06-chunks"),
    lesson!("07-straggler"),
    lesson!("08-how-many-workers"),
    lesson!("09-amdahl"),
    lesson!("10-threads-and-the-gil"),
    lesson!("11-separate-memory"),
    lesson!("12-race-and-lock"),
    lesson!("13-worker-dies"),
    lesson!("14-errors-and-chunks"),
];

/// What is wrong with a lesson, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lesson {name}, line {line}: {what}")]
pub struct LessonError {
    pub name: String,
    pub line: usize,
    pub what: String,
}

/// A file of `assets/lessons`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    format: Spanned<u32>,
    /// The name of the file without its ending.
    pub id: Spanned<String>,
    pub title: String,
    pub goal: String,
    pub minutes: u32,
    /// The statements it teaches, by their codes.
    pub seed: Vec<String>,
    pub misconceptions: Vec<String>,
    /// That of every run, unless the run replaces parts of it.
    pub workload: LessonWorkload,
    #[serde(rename = "run")]
    pub runs: Vec<Spanned<Run>>,
    #[serde(rename = "step")]
    pub steps: Vec<Spanned<Step>>,
}

/// One run of a lesson.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    pub name: String,
    #[serde(default = "simulated")]
    pub backend: Backend,
    pub method: Method,
    pub workers: u32,
    pub cpus: Option<u32>,
    pub memory: Option<MemoryModel>,
    #[serde(default, deserialize_with = "chunksize")]
    pub chunksize: Option<u32>,
    #[serde(default)]
    pub dispatch: f64,
    #[serde(default)]
    pub startup: f64,
    #[serde(default)]
    pub gil: bool,
    #[serde(default)]
    pub lock: bool,
    #[serde(default = "pool")]
    pub policy: Policy,
    #[serde(default = "one")]
    pub seed: u64,
    #[serde(default)]
    pub stop_at: f64,
    #[serde(default)]
    pub workload: LessonWorkload,
    /// What the run must give, by the keys of the report; a length of time in units.
    pub expect: BTreeMap<String, Expected>,
}

/// What a number or an order must be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, a word or a list of task numbers"
)]
pub enum Expected {
    Number(f64),
    Word(String),
    Order(Vec<u32>),
}

/// One step of a lesson; steps are played in order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    Say {
        text: String,
    },
    Ask {
        text: String,
        choices: Vec<String>,
        /// The place of the right choice, from 0.
        answer: usize,
        /// One reason for each choice.
        why: Vec<String>,
    },
    Play {
        run: String,
        #[serde(default)]
        pause_at: Vec<f64>,
        speed: Option<f64>,
        #[serde(default)]
        point: Vec<String>,
    },
    Compare {
        runs: Vec<String>,
        #[serde(default)]
        point: Vec<String>,
    },
    Sweep {
        over: Sweep,
        values: Vec<u32>,
        #[serde(default)]
        point: Vec<String>,
    },
    Show {
        point: Vec<String>,
    },
    /// The learner is the scheduler.
    Drive {
        run: String,
        target: BTreeMap<String, u64>,
        text: String,
    },
}

/// What a sweep varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sweep {
    Chunksize,
    Workers,
}

impl Lesson {
    /// Reads the file `name` (without its ending).
    pub fn parse(name: &str, text: &str) -> Result<Self, LessonError> {
        let wrong = |at: usize, what: String| LessonError {
            name: name.to_owned(),
            line: text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1,
            what,
        };
        let lesson: Self = toml::from_str(text).map_err(|error| {
            wrong(
                error.span().map_or(0, |span| span.start),
                error.message().to_owned(),
            )
        })?;
        match lesson.check(name) {
            Some((at, what)) => Err(wrong(at, what)),
            None => Ok(lesson),
        }
    }

    /// The experiment that a run of this lesson is.
    pub fn experiment(&self, run: &Run) -> Experiment {
        let workload = run.workload.over(&self.workload);
        let unit = Nanos::from_seconds(workload.unit_ms.unwrap_or(10.0) / 1e3);
        let length = |units: f64| Nanos::from_seconds(units * unit.seconds());
        let costs = workload.costs(run.seed, length);
        let faults = workload.faults(costs.len() as u32);
        Experiment {
            method: run.method,
            backend: run.backend,
            workers: run.workers,
            cpus: run.cpus,
            tasks: costs.len() as u32,
            costs: crate::workload::Costs::List(costs),
            kind: workload.kind.unwrap_or(WorkKind::Cpu),
            pairs: false,
            chunksize: run.chunksize,
            main_work: MainWork::Fixed(length(workload.main_work.unwrap_or(0.0))),
            payload: 0,
            dispatch: length(run.dispatch),
            startup: length(run.startup),
            serial: length(workload.serial.unwrap_or(0.0)),
            gil: run.gil,
            lock: run.lock,
            policy: run.policy,
            memory: run.memory,
            effect: workload.effect.unwrap_or(CounterEffect::None),
            increments: workload.increments.unwrap_or(3),
            faults,
            seed: run.seed,
            unit,
            stop_at: length(run.stop_at),
            ..Experiment::default()
        }
    }
}

/// `"auto"` or a number.
fn chunksize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a chunk size is \"auto\" or a number")]
    enum Size {
        Number(u32),
        Word(String),
    }
    match Size::deserialize(from)? {
        Size::Number(number) => Ok(Some(number)),
        Size::Word(word) if word == "auto" => Ok(None),
        Size::Word(word) => Err(D::Error::custom(format!(
            "a chunk size is \"auto\" or a number, not \"{word}\""
        ))),
    }
}

fn simulated() -> Backend {
    Backend::Simulated
}

fn pool() -> Policy {
    Policy::Pool
}

fn one() -> u64 {
    1
}
