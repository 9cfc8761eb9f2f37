//! What a run comes to, without the dashboard: as text for people and as JSON for programs.
//!
//! Both tell the state at the end of what is known, under the keys and labels of the table of definitions.

pub mod json;
pub mod program;
pub mod text;

use crate::event::LaneKind;
use crate::experiment::Experiment;
use crate::time::Time;
use crate::trace::{Call, Lane, Order, Trace};

/// A run to report: what was asked for, and all that is known of how it went.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    pub experiment: &'a Experiment,
    pub trace: &'a Trace,
}

/// The workers that ran, in the order in which they opened; one that replaced another comes later.
fn workers(trace: &Trace) -> impl Iterator<Item = &Lane> {
    trace
        .lanes()
        .filter(|lane| lane.facts.kind == LaneKind::Worker)
}

/// The four orders of a call, each with its name; of the tasks that ended only those that ran.
fn orders(call: Option<&Call>) -> [(&'static str, Vec<u32>); 4] {
    let indexes = |order: &Order| -> Vec<u32> {
        let places = order.entries().iter().enumerate();
        places
            .filter(|&(place, _)| order.is_counted(place))
            .map(|(_, entry)| entry.index)
            .collect()
    };
    let Some(call) = call else {
        return ["submitted", "started", "finished", "delivered"].map(|name| (name, Vec::new()));
    };
    let submitted = (0..).zip(call.tasks().map(|task| task.submitted));
    let mut submitted: Vec<(u32, Time)> = submitted.filter(|task| task.1.happened()).collect();
    submitted.sort_by_key(|&(_, at)| at);
    let submitted = submitted.into_iter().map(|(index, _)| index).collect();
    [
        ("submitted", submitted),
        ("started", indexes(&call.started)),
        ("finished", indexes(&call.finished)),
        ("delivered", indexes(&call.delivered)),
    ]
}
