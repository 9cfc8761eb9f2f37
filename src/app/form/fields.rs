//! The fields of the form as one table: label, how it is read and written, and what stands beside it.

use super::{Draft, Remark};
use crate::bytes;
use crate::experiment::{
    AUTO, Backend, CounterEffect, Experiment, Fault, MainWork, MemoryModel, Policy, PythonPool,
    StartMethod, WorkKind, whole, whole_or_auto,
};
use crate::method::{Method, Sends};
use crate::time::Nanos;
use crate::workload::Costs;

/// How a field goes in and out of an experiment.
#[derive(Clone, Copy)]
pub(super) enum Fill {
    Text {
        read: fn(&Experiment) -> String,
        write: fn(&mut Experiment, &str) -> Result<(), String>,
    },
    /// A text that mostly is a whole number.
    Number {
        /// The one before all others: `auto`, or a number.
        least: &'static str,
        read: fn(&Experiment) -> String,
        write: fn(&mut Experiment, &str) -> Result<(), String>,
    },
    Choice {
        words: &'static [&'static str],
        read: fn(&Experiment) -> usize,
        write: fn(&mut Experiment, usize),
    },
}

pub(super) struct Spec {
    pub(super) label: &'static str,
    pub(super) fill: Fill,
    pub(super) remark: fn(&Draft<'_>) -> Remark,
}

const METHODS: [&str; 9] = {
    let mut names = [""; 9];
    let mut place = 0;
    while place < names.len() {
        names[place] = Method::ALL[place].rules().name;
        place += 1;
    }
    names
};

const BACKENDS: [&str; Backend::TABLE.len()] = {
    let mut names = [""; Backend::TABLE.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = Backend::TABLE[place].1;
        place += 1;
    }
    names
};
const MEMORIES: [&str; MemoryModel::NAMES.len() + 1] = after_auto(MemoryModel::NAMES);
const START_METHODS: [&str; StartMethod::NAMES.len() + 1] = after_auto(StartMethod::NAMES);
const NO_YES: &[&str] = &["no", "yes"];

/// In the order of the command line; the unit last, because it is read first.
pub(super) const FIELDS: [Spec; 26] = [
    Spec {
        label: "method",
        fill: Fill::Choice {
            words: &METHODS,
            read: |e| place(&Method::ALL, &e.method),
            write: |e, at| e.method = Method::ALL[at],
        },
        remark: |d| plain(method_remark(d.experiment.method)),
    },
    Spec {
        label: "backend",
        fill: Fill::Choice {
            words: &BACKENDS,
            read: |e| place(&Backend::TABLE.map(|row| row.0), &e.backend),
            write: |e, at| e.backend = Backend::TABLE[at].0,
        },
        remark: |d| {
            plain(match d.experiment.backend {
                Backend::Threads => "real threads, measured",
                Backend::Processes => "own memory, measured",
                Backend::Python => "a pool of CPython itself",
                Backend::Simulated => "virtual time, exact",
            })
        },
    },
    Spec {
        label: "workers",
        fill: Fill::Number {
            least: "1",
            read: |e| e.workers.to_string(),
            write: |e, text| whole(text).map(|number| e.workers = number),
        },
        remark: |d| match d.shared_cpus() {
            Some(cpus) => Remark::Warning(format!("more than the {cpus} CPUs here")),
            None => plain(""),
        },
    },
    Spec {
        label: "cpus",
        fill: Fill::Number {
            least: AUTO,
            read: |e| or_auto(e.cpus),
            write: |e, text| auto_or_whole(text).map(|number| e.cpus = number),
        },
        remark: |d| match (d.experiment.backend.is_measured(), d.experiment.cpus) {
            (true, _) => Remark::Plain(format!("{} here", d.cpus)),
            (false, None) => plain("auto: as many as workers"),
            (false, Some(_)) => plain("of the simulated machine"),
        },
    },
    Spec {
        label: "tasks",
        fill: Fill::Number {
            least: "0",
            read: |e| e.tasks.to_string(),
            write: |e, text| match &e.costs {
                Costs::List(costs) => {
                    e.tasks = u32::try_from(costs.len()).unwrap_or(u32::MAX);
                    Ok(())
                }
                _ => whole(text).map(|number| e.tasks = number),
            },
        },
        remark: |d| match &d.experiment.costs {
            Costs::List(_) => plain("as many as costs"),
            _ => plain(""),
        },
    },
    Spec {
        label: "costs",
        fill: Fill::Text {
            read: |e| costs_text(&e.costs),
            write: |e, text| Costs::parse(text, e.unit).map(|costs| e.costs = costs),
        },
        remark: |d| match &d.experiment.costs {
            Costs::List(_) => plain("a list: one a task"),
            _ => plain("const uniform bimodal ramp"),
        },
    },
    Spec {
        label: "kind",
        fill: Fill::Choice {
            words: WorkKind::NAMES,
            read: |e| place(WorkKind::ALL, &e.kind),
            write: |e, at| e.kind = WorkKind::ALL[at],
        },
        remark: |d| {
            plain(match d.experiment.kind {
                WorkKind::Cpu => "tasks compute",
                WorkKind::Io => "tasks wait",
                WorkKind::Mixed => "every second one waits",
            })
        },
    },
    Spec {
        label: "pairs",
        fill: Fill::Choice {
            words: NO_YES,
            read: |e| usize::from(e.pairs),
            write: |e, at| e.pairs = at == 1,
        },
        remark: |d| {
            if d.experiment.enters() {
                Remark::Plain(d.experiment.call_text(3))
            } else {
                Remark::Warning("TypeError: f takes two".to_owned())
            }
        },
    },
    Spec {
        label: "chunk size",
        fill: Fill::Number {
            least: AUTO,
            read: |e| or_auto(e.chunksize),
            write: |e, text| auto_or_whole(text).map(|number| e.chunksize = number),
        },
        remark: |d| {
            let experiment = d.experiment;
            match experiment.rules().sends {
                Sends::Nothing => plain("a loop sends nothing"),
                Sends::Tasks => plain("one task at a time"),
                Sends::ChunksOfOne | Sends::ChunksByRule => {
                    let auto =
                        experiment
                            .rules()
                            .chunksize(None, experiment.tasks, experiment.workers);
                    Remark::Plain(format!("auto is {auto} here"))
                }
            }
        },
    },
    Spec {
        label: "main's own work",
        fill: Fill::Text {
            read: |e| match e.main_work {
                MainWork::Half => "half".to_owned(),
                MainWork::Fixed(length) => length_text(length),
            },
            write: |e, text| {
                e.main_work = match text {
                    "half" => MainWork::Half,
                    _ => MainWork::Fixed(length(text, e.unit)?),
                };
                Ok(())
            },
        },
        remark: |d| match d.half {
            Some(half) => Remark::Plain(format!("half is {half} here")),
            None => plain("half the makespan, or 300ms"),
        },
    },
    Spec {
        label: "dispatch",
        fill: Fill::Text {
            read: |e| length_text(e.dispatch),
            write: |e, text| length(text, e.unit).map(|length| e.dispatch = length),
        },
        remark: |_| plain("to send one message"),
    },
    Spec {
        label: "startup",
        fill: Fill::Text {
            read: |e| length_text(e.startup),
            write: |e, text| length(text, e.unit).map(|length| e.startup = length),
        },
        remark: |_| plain("before anything"),
    },
    Spec {
        label: "serial",
        fill: Fill::Text {
            read: |e| length_text(e.serial),
            write: |e, text| length(text, e.unit).map(|length| e.serial = length),
        },
        remark: |_| plain("main alone, before the call"),
    },
    Spec {
        label: "payload",
        fill: Fill::Text {
            read: |e| bytes::exact(e.payload),
            write: |e, text| bytes::parse(text).map(|bytes| e.payload = bytes),
        },
        remark: |_| plain("bytes to each task and back"),
    },
    Spec {
        label: "pool",
        fill: Fill::Choice {
            words: PythonPool::NAMES,
            read: |e| place(PythonPool::ALL, &e.pool),
            write: |e, at| e.pool = PythonPool::ALL[at],
        },
        remark: |_| plain("of CPython, on python"),
    },
    Spec {
        label: "start method",
        fill: Fill::Choice {
            words: &START_METHODS,
            read: |e| place_or_auto(StartMethod::ALL, e.start_method),
            write: |e, at| e.start_method = at_or_auto(StartMethod::ALL, at),
        },
        remark: |_| plain("of processes, on python"),
    },
    Spec {
        label: "python",
        fill: Fill::Text {
            read: |e| e.python.clone().unwrap_or_else(|| AUTO.to_owned()),
            write: |e, text| {
                let named = !matches!(text, "" | AUTO);
                e.python = named.then(|| text.to_owned());
                Ok(())
            },
        },
        remark: |_| plain("the interpreter"),
    },
    Spec {
        label: "gil",
        fill: Fill::Choice {
            words: NO_YES,
            read: |e| usize::from(e.gil),
            write: |e, at| e.gil = at == 1,
        },
        remark: |_| plain("one computes at a time"),
    },
    Spec {
        label: "policy",
        fill: Fill::Choice {
            words: Policy::NAMES,
            read: |e| place(Policy::ALL, &e.policy),
            write: |e, at| e.policy = Policy::ALL[at],
        },
        remark: |d| {
            plain(match d.experiment.policy {
                Policy::Pool => "a death: waits for ever",
                Policy::Executor => "a death: the call breaks",
            })
        },
    },
    Spec {
        label: "faults",
        fill: Fill::Text {
            read: |e| Fault::all_written(&e.faults),
            write: |e, text| Fault::parse_all(text).map(|faults| e.faults = faults),
        },
        remark: |_| plain("3:die 1,5:raise 2:hang"),
    },
    Spec {
        label: "memory",
        fill: Fill::Choice {
            words: &MEMORIES,
            read: |e| place_or_auto(MemoryModel::ALL, e.memory),
            write: |e, at| e.memory = at_or_auto(MemoryModel::ALL, at),
        },
        remark: |d| {
            plain(match d.experiment.memory_model() {
                MemoryModel::Shared => "one G for all",
                MemoryModel::Separate => "each worker has its own G",
            })
        },
    },
    Spec {
        label: "effect",
        fill: Fill::Choice {
            words: CounterEffect::NAMES,
            read: |e| place(CounterEffect::ALL, &e.effect),
            write: |e, at| e.effect = CounterEffect::ALL[at],
        },
        remark: |d| {
            plain(match d.experiment.effect {
                CounterEffect::None => "",
                CounterEffect::Count => "each task does G += 1",
                CounterEffect::Race => "load and store: two steps",
            })
        },
    },
    Spec {
        label: "increments",
        fill: Fill::Number {
            least: "1",
            read: |e| e.increments.to_string(),
            write: |e, text| whole(text).map(|number| e.increments = number),
        },
        remark: |_| plain("of a task, with race"),
    },
    Spec {
        label: "lock",
        fill: Fill::Choice {
            words: NO_YES,
            read: |e| usize::from(e.lock),
            write: |e, at| e.lock = at == 1,
        },
        remark: |_| plain("around each increment"),
    },
    Spec {
        label: "seed",
        fill: Fill::Number {
            least: "0",
            read: |e| e.seed.to_string(),
            write: |e, text| whole(text).map(|number| e.seed = number),
        },
        remark: |_| plain("same seed, same tasks"),
    },
    Spec {
        label: "unit",
        fill: Fill::Text {
            read: |e| length_text(e.unit),
            write: |e, text| {
                e.unit = Nanos::parse_unit(text).map_err(|error| error.to_string())?;
                Ok(())
            },
        },
        remark: |_| plain("of bare numbers"),
    },
];

fn plain(text: &str) -> Remark {
    Remark::Plain(text.to_owned())
}

fn method_remark(method: Method) -> &'static str {
    match method {
        Method::Map => "main waits for the list",
        Method::MapAsync => "main goes on meanwhile",
        Method::Imap => "one by one, in order",
        Method::ImapUnordered => "one by one, as finished",
        Method::Apply => "main waits for each task",
        Method::ApplyAsync => "a callback for each",
        Method::Starmap => "map; arguments unpacked",
        Method::StarmapAsync => "map_async; unpacked",
        Method::Loop => "no pool: main does it all",
    }
}

fn place<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|other| other == one).unwrap_or(0)
}

/// These words after `auto`, which stands for none of them.
const fn after_auto<const N: usize>(names: &[&'static str]) -> [&'static str; N] {
    let mut words = [AUTO; N];
    let mut place = 0;
    while place < names.len() {
        words[place + 1] = names[place];
        place += 1;
    }
    words
}

fn place_or_auto<T: PartialEq>(all: &[T], one: Option<T>) -> usize {
    one.map_or(0, |one| place(all, &one) + 1)
}

fn at_or_auto<T: Copy>(all: &[T], at: usize) -> Option<T> {
    at.checked_sub(1).map(|at| all[at])
}

fn or_auto(number: Option<u32>) -> String {
    number.map_or_else(|| AUTO.to_owned(), |number| number.to_string())
}

/// An empty box is `auto` too.
fn auto_or_whole(text: &str) -> Result<Option<u32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    whole_or_auto(text)
}

fn length(text: &str, unit: Nanos) -> Result<Nanos, String> {
    Nanos::parse(text, unit).map_err(|error| error.to_string())
}

/// Without what [`Costs::parse`] takes for granted, so that it fits its box.
fn costs_text(costs: &Costs) -> String {
    let text = costs.to_string();
    let short = text
        .strip_suffix(",sigma=0.8")
        .or_else(|| text.strip_suffix(",share=0.2"));
    short.unwrap_or(&text).to_owned()
}

fn length_text(length: Nanos) -> String {
    match length {
        Nanos::ZERO => "0".to_owned(),
        length => length.exact(),
    }
}
