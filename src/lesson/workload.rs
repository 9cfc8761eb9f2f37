//! What the tasks of a lesson are.

use crate::experiment::{CounterEffect, Fault, FaultKind, WorkKind};
use crate::time::Nanos;
use crate::workload::Costs;
use serde::Deserialize;

/// The workload of a lesson, or what a run replaces in it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LessonWorkload {
    pub costs: Option<LessonCosts>,
    pub unit_ms: Option<f64>,
    pub kind: Option<WorkKind>,
    /// What the caller alone does before the call.
    pub serial: Option<f64>,
    /// The caller's own work besides the call.
    pub main_work: Option<f64>,
    pub effect: Option<CounterEffect>,
    pub increments: Option<u32>,
    pub faults: Option<Vec<LessonFault>>,
}

/// A list of costs, or how they are drawn.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "costs are a list of numbers, or { dist = \"const\", n = 8, value = 1 }, ramp (from, to), uniform or bimodal (lo, hi), lognormal (value)"
)]
pub enum LessonCosts {
    List(Vec<f64>),
    Drawn(Drawn),
}

/// A distribution of `n` costs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "dist", rename_all = "snake_case", deny_unknown_fields)]
pub enum Drawn {
    Const {
        n: u32,
        value: f64,
    },
    Ramp {
        n: u32,
        from: f64,
        to: f64,
    },
    Uniform {
        n: u32,
        lo: f64,
        hi: f64,
        seed: Option<u64>,
    },
    Bimodal {
        n: u32,
        lo: f64,
        hi: f64,
        seed: Option<u64>,
    },
    Lognormal {
        n: u32,
        value: f64,
        seed: Option<u64>,
    },
}

/// A fault of one task, or of every so many.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LessonFault {
    pub task: Option<u32>,
    pub every: Option<u32>,
    pub from: Option<u32>,
    pub kind: FaultKind,
}

impl LessonCosts {
    /// Every length of time in it, in units.
    pub(super) fn lengths(&self) -> Vec<f64> {
        match self {
            Self::List(costs) => costs.clone(),
            Self::Drawn(drawn) => match *drawn {
                Drawn::Const { value, .. } | Drawn::Lognormal { value, .. } => vec![value],
                Drawn::Ramp { from, to, .. } => vec![from, to],
                Drawn::Uniform { lo, hi, .. } | Drawn::Bimodal { lo, hi, .. } => vec![lo, hi],
            },
        }
    }
}

impl LessonWorkload {
    /// This, and what it leaves out from `base`.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let (this, base) = (self.clone(), base.clone());
        Self {
            costs: this.costs.or(base.costs),
            unit_ms: this.unit_ms.or(base.unit_ms),
            kind: this.kind.or(base.kind),
            serial: this.serial.or(base.serial),
            main_work: this.main_work.or(base.main_work),
            effect: this.effect.or(base.effect),
            increments: this.increments.or(base.increments),
            faults: this.faults.or(base.faults),
        }
    }

    /// The costs; drawn ones come from a seed of their own or from that of the run.
    pub(super) fn costs(&self, run_seed: u64, length: impl Fn(f64) -> Nanos) -> Vec<Nanos> {
        let drawn = match &self.costs {
            None => return Vec::new(),
            Some(LessonCosts::List(costs)) => {
                return costs.iter().map(|&cost| length(cost)).collect();
            }
            Some(LessonCosts::Drawn(drawn)) => drawn,
        };
        let (costs, tasks, seed) = match *drawn {
            Drawn::Const { n, value } => (Costs::Const(length(value)), n, None),
            Drawn::Ramp { n, from, to } => {
                let (from, to) = (length(from), length(to));
                (Costs::Ramp { from, to }, n, None)
            }
            Drawn::Uniform { n, lo, hi, seed } => {
                let (low, high) = (length(lo), length(hi));
                (Costs::Uniform { low, high }, n, seed)
            }
            Drawn::Bimodal { n, lo, hi, seed } => {
                let (common, rare, share) = (length(lo), length(hi), 0.2);
                (
                    Costs::Bimodal {
                        common,
                        rare,
                        share,
                    },
                    n,
                    seed,
                )
            }
            Drawn::Lognormal { n, value, seed } => {
                let (mean, sigma) = (length(value), 0.8);
                (Costs::Lognormal { mean, sigma }, n, seed)
            }
        };
        costs.draw(tasks, seed.unwrap_or(run_seed))
    }

    pub(super) fn faults(&self, tasks: u32) -> Vec<Fault> {
        let faults = self.faults.iter().flatten();
        faults
            .flat_map(|fault| {
                let (first, step, end) = match (fault.task, fault.every) {
                    (Some(task), _) => (task, 1, task + 1),
                    (None, every) => (fault.from.unwrap_or(0), every.unwrap_or(1), tasks),
                };
                let kind = fault.kind;
                (first..end)
                    .step_by(step.max(1) as usize)
                    .map(move |task| Fault { task, kind })
            })
            .collect()
    }
}
