//! The script of the lab as a program to be watched.

use crate::experiment::{Experiment, StartMethod};
use crate::method::{Method, Sends};
use crate::origin::python::{Input, Outlet, Program, Target};
use crate::platform;
use crate::time::Nanos;
use crate::workload;
use serde_json::json;
use std::collections::HashMap;

/// The script with the experiment beside it.
pub(in crate::origin) fn of(experiment: &Experiment) -> Program {
    Program {
        python: experiment.python.clone().map(Into::into),
        target: Target::Text {
            name: "lab.py".to_owned(),
            text: include_str!("../../../../assets/probe/lab.py").to_owned(),
            beside: vec![("experiment.json".to_owned(), spec(experiment))],
        },
        flags: Vec::new(),
        args: Vec::new(),
        input: Input::Empty,
        outlet: Outlet::Kept,
        group: true,
    }
}

/// What the script has to know, lengths in nanoseconds.
fn spec(experiment: &Experiment) -> String {
    let works = workload::tasks(experiment);
    let costs: Vec<Nanos> = works.iter().map(|work| work.cost).collect();
    let works: Vec<(u64, bool)> = works.iter().map(|work| (work.cost.0, work.io)).collect();
    let faults: HashMap<String, &str> = experiment
        .faults
        .iter()
        .map(|fault| (fault.task.to_string(), fault.kind.name()))
        .collect();
    let rules = experiment.rules();
    let starmap = experiment.method.family() == Method::Starmap;
    let chunked = matches!(rules.sends, Sends::ChunksByRule | Sends::ChunksOfOne);
    let spec = json!({
        "method": experiment.method.name(),
        "pool": experiment.pool.name(),
        "start_method": experiment.start_method.map(StartMethod::name),
        "workers": experiment.workers,
        "chunksize": experiment.chunksize.filter(|_| chunked),
        "pairs": experiment.pairs || starmap,
        "two_arguments": experiment.pairs || starmap,
        "works": works,
        "payload": experiment.payload,
        "effect": experiment.effect,
        "increments": experiment.increments,
        "lock": experiment.lock,
        "faults": faults,
        "main_work": experiment.main_work_length(&costs, platform::usable_cpus()).0,
        "serial": experiment.serial.0,
    });
    spec.to_string()
}
