//! The flags that decide an experiment, as they are written on the command line and in the config file.
//!
//! Both are read into the one [`Flags`]: what a flag is called there is what its key is called here.
//! Lengths of time stay as written until the unit that bare numbers count is known.

mod value;

use crate::bytes;
use crate::experiment::{
    Backend, CounterEffect, Fault, MemoryModel, Policy, PythonPool, StartMethod, WorkKind, whole,
    whole_or_auto,
};
use crate::method::Method;
use crate::time::Nanos;
use crate::ui::layout::SMALLEST;
use crate::workload::Costs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;
use value::{NoName, Value};

/// What was given; what was not is `None`, false or empty.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[command(next_help_heading = "Experiment")]
pub struct Flags {
    /// How the main program calls the pool [default: map]
    #[arg(long, value_name = "NAME", value_parser = methods())]
    #[serde(deserialize_with = "named")]
    pub method: Option<Method>,
    /// What a worker is: a thread, a process or one of a CPython pool, measured, or simulated, exact on any
    /// number of CPUs
    /// [default: threads]
    #[arg(long, value_name = "NAME", value_parser = backends())]
    #[serde(deserialize_with = "named")]
    pub backend: Option<Backend>,
    /// Workers of the pool [default: the usable CPUs, 4 to 8]
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    #[serde(deserialize_with = "number")]
    pub workers: Option<u32>,
    /// CPUs of a simulated run [default: as many as workers]
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    #[serde(deserialize_with = "number")]
    pub cpus: Option<u32>,
    /// Tasks of the call [default: 24]
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    #[serde(deserialize_with = "number")]
    pub tasks: Option<u32>,
    /// How long the tasks take: a list 9,2,6,1, or const:T, uniform:LO..HI, ramp:A..B,
    /// lognormal:MEAN[,sigma=0.8], bimodal:A,B[,share=0.2] [default: lognormal:600ms]
    #[arg(long, value_name = "COSTS")]
    #[serde(deserialize_with = "written")]
    pub costs: Option<CostsText>,
    /// What the tasks need: a CPU, a wait, or by turns [default: cpu; mixed where it is measured
    /// with fewer CPUs than workers]
    #[arg(long, value_name = "KIND", value_parser = words::<WorkKind>(WorkKind::NAMES))]
    #[serde(deserialize_with = "named")]
    pub kind: Option<WorkKind>,
    /// Give each task a pair: starmap unpacks it, map fails as Python does
    #[arg(long)]
    pub pairs: bool,
    /// Tasks sent as one message; auto is CPython's own rule [default: 1]
    #[arg(long, value_name = "N|auto")]
    #[serde(deserialize_with = "written")]
    pub chunksize: Option<ChunkSize>,
    /// The main program's own work [default: half of what map should take at best; 0 with --text and --json]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "written")]
    pub main_work: Option<Length>,
    /// Bytes that go to the worker with each task and back with its result: 64KiB [default: 0]
    #[arg(long, value_name = "BYTES")]
    #[serde(deserialize_with = "written")]
    pub payload: Option<Payload>,
    /// Time that sending one message takes [default: 0]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "written")]
    pub dispatch: Option<Length>,
    /// Time that starting the pool takes [default: 0]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "written")]
    pub startup: Option<Length>,
    /// What the main program does alone before the call [default: 0]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "written")]
    pub serial: Option<Length>,
    /// Let only one task compute at a time
    #[arg(long)]
    pub gil: bool,
    /// Take a lock around each increment of --effect race
    #[arg(long)]
    pub lock: bool,
    /// What a worker's death does: a Pool never completes, an executor gives up [default: pool]
    #[arg(long, value_name = "POLICY", value_parser = words::<Policy>(Policy::NAMES))]
    #[serde(deserialize_with = "named")]
    pub policy: Option<Policy>,
    /// Whose memory the counter is in [default: shared between threads and by --effect race, else separate]
    #[arg(long, value_name = "MODEL", value_parser = words::<MemoryModel>(MemoryModel::NAMES))]
    #[serde(rename = "memory-model", deserialize_with = "named")]
    pub memory_model: Option<MemoryModel>,
    /// What each task does to a counter: adds 1, or races with the others [default: none]
    #[arg(long, value_name = "EFFECT", value_parser = words::<CounterEffect>(CounterEffect::NAMES))]
    #[serde(deserialize_with = "named")]
    pub effect: Option<CounterEffect>,
    /// Increments of each task in --effect race [default: 3]
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    #[serde(deserialize_with = "number")]
    pub increments: Option<u32>,
    /// Tasks that go wrong: 3:die, 1,5,9:raise, 2:hang (may be given again)
    #[arg(long, value_name = "TASKS:WHAT")]
    #[serde(deserialize_with = "faults")]
    pub fault: Vec<Faults>,
    /// Decides the costs that are drawn: same seed, same tasks [default: 7]
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    #[serde(deserialize_with = "number")]
    pub seed: Option<u64>,
    /// What a bare number in a length of time counts [default: 10ms]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "written")]
    pub unit: Option<Unit>,
    /// The pool of CPython, with --backend python [default: pool]
    #[arg(long, value_name = "POOL", value_parser = words::<PythonPool>(PythonPool::NAMES))]
    #[serde(deserialize_with = "named")]
    pub pool: Option<PythonPool>,
    /// How CPython makes processes, with --backend python [default: what this Python does]
    #[arg(long, value_name = "METHOD", value_parser = words::<StartMethod>(StartMethod::NAMES))]
    #[serde(deserialize_with = "named")]
    pub start_method: Option<StartMethod>,
    /// The interpreter of --backend python [default: that of the virtual environment, or python3]
    #[arg(long, value_name = "EXE")]
    pub python: Option<String>,
}

impl Flags {
    /// These, and where one was not given, that of `defaults`. `--costs` and `--tasks` go together.
    #[must_use]
    pub fn over(self, defaults: &Self) -> Self {
        let defaults = defaults.clone();
        let own_tasks = self.costs.is_some() || self.tasks.is_some();
        Self {
            method: self.method.or(defaults.method),
            backend: self.backend.or(defaults.backend),
            workers: self.workers.or(defaults.workers),
            cpus: self.cpus.or(defaults.cpus),
            tasks: self.tasks.or(defaults.tasks.filter(|_| !own_tasks)),
            costs: self.costs.or(defaults.costs),
            kind: self.kind.or(defaults.kind),
            pairs: self.pairs || defaults.pairs,
            chunksize: self.chunksize.or(defaults.chunksize),
            main_work: self.main_work.or(defaults.main_work),
            payload: self.payload.or(defaults.payload),
            dispatch: self.dispatch.or(defaults.dispatch),
            startup: self.startup.or(defaults.startup),
            serial: self.serial.or(defaults.serial),
            gil: self.gil || defaults.gil,
            lock: self.lock || defaults.lock,
            policy: self.policy.or(defaults.policy),
            memory_model: self.memory_model.or(defaults.memory_model),
            effect: self.effect.or(defaults.effect),
            increments: self.increments.or(defaults.increments),
            fault: if self.fault.is_empty() {
                defaults.fault
            } else {
                self.fault
            },
            seed: self.seed.or(defaults.seed),
            unit: self.unit.or(defaults.unit),
            pool: self.pool.or(defaults.pool),
            start_method: self.start_method.or(defaults.start_method),
            python: self.python.or(defaults.python),
        }
    }
}

/// A length of time as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Length(String);

impl Length {
    pub fn in_units(&self, unit: Nanos) -> Result<Nanos, String> {
        Nanos::parse(&self.0, unit).map_err(|error| error.to_string())
    }
}

impl FromStr for Length {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let length = Self(text.to_owned());
        length.in_units(Nanos::MILLISECOND).map(|_| length)
    }
}

/// Costs as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostsText(String);

impl CostsText {
    pub(super) fn written(&self) -> &str {
        &self.0
    }

    pub fn in_units(&self, unit: Nanos) -> Result<Costs, String> {
        Costs::parse(&self.0, unit)
    }
}

impl FromStr for CostsText {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let costs = Self(text.to_owned());
        costs.in_units(Nanos::MILLISECOND).map(|_| costs)
    }
}

/// What a bare number counts; has a suffix itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit(pub Nanos);

impl FromStr for Unit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let unit = Nanos::parse_unit(text).map_err(|error| error.to_string())?;
        Ok(Self(unit))
    }
}

/// So many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload(pub u32);

impl FromStr for Payload {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        bytes::parse(text).map(Self)
    }
}

/// A number of tasks, or `None` for CPython's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSize(pub Option<u32>);

impl FromStr for ChunkSize {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        whole_or_auto(text).map(Self)
    }
}

/// Faults of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn each(&self) -> impl Iterator<Item = Fault> {
        self.0.iter().copied()
    }
}

impl FromStr for Faults {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = match Fault::parse(text) {
            Ok(faults) => return Ok(Self(faults)),
            Err(wrong) => wrong,
        };
        Err(apart(text).map_or(wrong, |flags| format!("write each on its own: {flags}")))
    }
}

/// `--fault 3:die --fault 4,5:raise` for `3:die,4,5:raise`: several faults in one flag, each fit for its own.
fn apart(text: &str) -> Option<String> {
    let (mut flags, mut tasks) = (Vec::new(), Vec::new());
    for part in text.split(',') {
        tasks.push(part);
        if part.contains(':') {
            let fault = std::mem::take(&mut tasks).join(",");
            let is_one = Fault::parse(&fault).is_ok();
            is_one.then_some(())?;
            flags.push(format!("--fault {fault}"));
        }
    }
    (flags.len() > 1 && tasks.is_empty()).then(|| flags.join(" "))
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

impl Size {
    /// What `--picture` draws unless told otherwise.
    pub const PICTURE: Self = Self {
        columns: 110,
        rows: 30,
    };
}

impl FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write COLUMNSxROWS, such as 110x30".to_owned();
        let (columns, rows) = text.split_once('x').ok_or_else(form)?;
        let number = |text: &str, least, most| match text.parse::<u16>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            Err(error) if *error.kind() != IntErrorKind::PosOverflow => Err(form()),
            _ => Err(format!(
                "write a size from {}x{} to 500x200",
                SMALLEST.0, SMALLEST.1
            )),
        };
        Ok(Self {
            columns: number(columns, SMALLEST.0, 500)?,
            rows: number(rows, SMALLEST.1, 200)?,
        })
    }
}

fn methods() -> impl TypedValueParser<Value = Method> {
    PossibleValuesParser::new(Method::ALL.map(Method::name))
        .try_map(|name| Method::named(&name).ok_or("no method"))
}

fn backends() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::TABLE.map(|row| row.1))
        .try_map(|name| word::<Backend>(&name).ok_or("no backend"))
}

/// A parser for the words that serde knows for `T`.
fn words<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| word::<T>(&name).ok_or("no such word"))
}

/// The value that serde reads from this word.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    let words: StrDeserializer<'_, WordError> = text.into_deserializer();
    T::deserialize(words).ok()
}

/// Reads in the config file what the command line would read.
pub fn written<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String>,
{
    let text = Value::deserialize(deserializer)?.text();
    let value = text
        .parse()
        .map_err(|error| D::Error::custom(format!("{text}: {error}")))?;
    Ok(Some(value))
}

/// A name of the config file, which is one of those that serde knows for `T`.
fn named<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let text = Value::deserialize(deserializer)?.text();
    let words: StrDeserializer<'_, NoName> = text.as_str().into_deserializer();
    T::deserialize(words).map(Some).map_err(D::Error::custom)
}

fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = ParseIntError>,
{
    let text = Value::deserialize(deserializer)?.text();
    let number = whole(&text).map_err(|error| D::Error::custom(format!("{text}: {error}")))?;
    Ok(Some(number))
}

fn faults<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Faults>, D::Error> {
    let values = match Value::deserialize(deserializer)? {
        Value::List(values) => values,
        value @ Value::Text(_) => vec![value],
    };
    let texts = values.into_iter().map(Value::text);
    texts
        .map(|text| {
            text.parse()
                .map_err(|error| D::Error::custom(format!("{text}: {error}")))
        })
        .collect()
}
