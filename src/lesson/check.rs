//! What a lesson's file must hold together besides its grammar.

use super::{Expected, Lesson, LessonFault, LessonWorkload, Run, Step};
use crate::definition;
use std::collections::BTreeSet;

/// What a step may point at besides numbers.
const PLACES: [&str; 6] = [
    "lanes",
    "strip_finished",
    "memory",
    "counter",
    "lock_wait",
    "gil_holder",
];

/// Orders that a run may be held to.
const ORDERS: [&str; 2] = ["finished", "delivered"];

impl Lesson {
    /// The first thing that does not fit, with its place in the file.
    pub(super) fn check(&self, name: &str) -> Option<(usize, String)> {
        if *self.format.get_ref() != 1 {
            let what = format!("format {} is not known here, only 1", self.format.get_ref());
            return Some((self.format.span().start, what));
        }
        if self.id.get_ref() != name {
            let what = format!("id is `{}`, but the file is `{name}`", self.id.get_ref());
            return Some((self.id.span().start, what));
        }
        let mut names = BTreeSet::new();
        for run in &self.runs {
            let what = self.run_is_wrong(run.get_ref()).or_else(|| {
                let is_new = names.insert(&run.get_ref().name);
                (!is_new).then(|| format!("there is another run `{}`", run.get_ref().name))
            });
            if let Some(what) = what {
                return Some((run.span().start, what));
            }
        }
        self.steps.iter().find_map(|step| {
            let what = self.step_is_wrong(step.get_ref())?;
            Some((step.span().start, what))
        })
    }

    fn run_is_wrong(&self, run: &Run) -> Option<String> {
        let workload = run.workload.over(&self.workload);
        let what = length_is_wrong([run.dispatch, run.startup, run.stop_at])
            .or_else(|| workload_is_wrong(&workload))
            .or_else(|| {
                run.expect
                    .iter()
                    .find_map(|(key, value)| expect_is_wrong(key, value))
            })
            .or_else(|| {
                self.experiment(run)
                    .check()
                    .err()
                    .map(|error| error.to_string())
            })?;
        Some(format!("run `{}`: {what}", run.name))
    }

    fn step_is_wrong(&self, step: &Step) -> Option<String> {
        let unknown_run = |name: &String| {
            let is_known = self.runs.iter().any(|run| run.get_ref().name == *name);
            (!is_known).then(|| format!("there is no run `{name}`"))
        };
        match step {
            Step::Say { .. } => None,
            Step::Ask {
                choices,
                answer,
                why,
                ..
            } => {
                if *answer >= choices.len() {
                    Some(format!(
                        "answer {answer} is none of the {} choices",
                        choices.len()
                    ))
                } else if why.len() != choices.len() {
                    Some(format!(
                        "{} reasons for {} choices",
                        why.len(),
                        choices.len()
                    ))
                } else {
                    None
                }
            }
            Step::Play {
                run,
                pause_at,
                point,
                ..
            } => unknown_run(run)
                .or_else(|| length_is_wrong(pause_at.iter().copied()))
                .or_else(|| point_is_wrong(point)),
            Step::Compare { runs, point } => runs
                .iter()
                .find_map(unknown_run)
                .or_else(|| point_is_wrong(point)),
            Step::Sweep { point, .. } | Step::Show { point } => point_is_wrong(point),
            Step::Drive { run, target, .. } => {
                let keys: Vec<String> = target.keys().cloned().collect();
                unknown_run(run).or_else(|| point_is_wrong(&keys))
            }
        }
    }
}

fn length_is_wrong(lengths: impl IntoIterator<Item = f64>) -> Option<String> {
    let wrong = lengths
        .into_iter()
        .find(|units| !(0.0..=1e9).contains(units))?;
    Some(format!("{wrong} is no length of time in units"))
}

fn workload_is_wrong(workload: &LessonWorkload) -> Option<String> {
    let Some(costs) = &workload.costs else {
        return Some("there are no costs".to_owned());
    };
    let costs = costs.lengths();
    let lengths = [workload.unit_ms, workload.serial, workload.main_work];
    let fault = workload.faults.iter().flatten().find_map(fault_is_wrong);
    fault.or_else(|| length_is_wrong(costs.into_iter().chain(lengths.into_iter().flatten())))
}

fn fault_is_wrong(fault: &LessonFault) -> Option<String> {
    match (fault.task, fault.every, fault.from) {
        (Some(_), None, None) | (None, Some(1..), _) => None,
        _ => Some("a fault has either `task`, or `every` (at least 1) and `from`".to_owned()),
    }
}

fn expect_is_wrong(key: &str, value: &Expected) -> Option<String> {
    let fits = match value {
        Expected::Order(_) => ORDERS.contains(&key),
        Expected::Word(_) => key == "ends",
        Expected::Number(_) => key != "ends" && definition::of(key).is_some(),
    };
    (!fits).then(|| format!("`{key}` is no such number"))
}

fn point_is_wrong(point: &[String]) -> Option<String> {
    let wrong = point
        .iter()
        .find(|key| !PLACES.contains(&key.as_str()) && definition::of(key).is_none())?;
    Some(format!("nothing is called `{wrong}`"))
}
