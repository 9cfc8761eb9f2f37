//! What the tasks of an experiment are: how long each takes, what it needs, and what goes wrong in it.
//!
//! Costs come from a seed through a generator whose streams do not change from version to version, and those
//! of uniform and lognormal are rounded to whole microseconds, so the same seed gives the same tasks everywhere.

use crate::experiment::{Experiment, FaultKind, WorkKind};
use crate::time::Nanos;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use std::fmt;

/// How long the tasks take.
#[derive(Clone, Debug, PartialEq)]
pub enum Costs {
    /// One entry a task.
    List(Vec<Nanos>),
    Const(Nanos),
    Uniform {
        low: Nanos,
        high: Nanos,
    },
    /// From the first task to the last in even steps.
    Ramp {
        from: Nanos,
        to: Nanos,
    },
    Lognormal {
        mean: Nanos,
        sigma: f64,
    },
    /// Mostly `common`, a `share` of `rare`.
    Bimodal {
        common: Nanos,
        rare: Nanos,
        share: f64,
    },
}

/// One task of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    pub cost: Nanos,
    /// True: it waits; false: it computes.
    pub io: bool,
    pub fault: Option<FaultKind>,
    /// False: calling the function fails before it is entered (`TypeError`), which costs nothing.
    pub enters: bool,
}

impl Costs {
    /// Reads `9,2,6,1`, `const:T`, `uniform:LO..HI`, `ramp:A..B`, `lognormal:MEAN[,sigma=0.8]` or
    /// `bimodal:A,B[,share=0.2]`; bare numbers count units of `unit`. The error says what is wrong with
    /// what, and what can be written instead.
    pub fn parse(text: &str, unit: Nanos) -> Result<Self, String> {
        let length = |text: &str| Nanos::parse(text, unit).map_err(|error| error.to_string());
        let range = |text: &str| {
            let (low, high) = text
                .split_once("..")
                .ok_or_else(|| format!("`{text}` is no range: write LOW..HIGH"))?;
            Ok::<_, String>((length(low)?, length(high)?))
        };
        let Some((name, rest)) = text.split_once(':') else {
            return text
                .split(',')
                .map(length)
                .collect::<Result<_, _>>()
                .map(Self::List);
        };
        let mut parts = rest.split(',');
        let first = parts.next().unwrap_or_default();
        let costs = match name {
            "const" => Self::Const(length(first)?),
            "uniform" => match range(first)? {
                (low, high) if low <= high => Self::Uniform {
                    high: whole(first, drawn(first, high)?)?,
                    low: whole(first, low)?,
                },
                _ => return Err(format!("`{first}` runs backwards: write LOW..HIGH")),
            },
            "ramp" => {
                let (from, to) = range(first)?;
                Self::Ramp { from, to }
            }
            "lognormal" => {
                let sigma = parts
                    .next()
                    .map_or(Ok(0.8), |part| option(part, "sigma", 4.0))?;
                Self::Lognormal {
                    mean: drawn(first, length(first)?)?,
                    sigma,
                }
            }
            "bimodal" => {
                let rare = parts.next().ok_or_else(|| {
                    format!("`{text}` lacks its second length: write bimodal:A,B")
                })?;
                let share = parts
                    .next()
                    .map_or(Ok(0.2), |part| option(part, "share", 1.0))?;
                Self::Bimodal {
                    common: length(first)?,
                    rare: length(rare)?,
                    share,
                }
            }
            _ => {
                return Err(format!(
                    "`{name}` is no distribution: write a list, or const: uniform: ramp: lognormal: bimodal:"
                ));
            }
        };
        match parts.next() {
            Some(extra) => Err(format!("`{extra}` is too much in `{text}`")),
            None => Ok(costs),
        }
    }

    /// The costs of `tasks` tasks. A list ignores `tasks` and `seed`.
    pub fn draw(&self, tasks: u32, seed: u64) -> Vec<Nanos> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let microseconds = |ns: f64| (ns / 1e3).round().clamp(1.0, 1e12) as u64 * 1_000;
        let count = 0..tasks;
        match self {
            Self::List(costs) => costs.clone(),
            Self::Const(cost) => vec![*cost; tasks as usize],
            Self::Uniform { low, high } => count
                .map(|_| {
                    let length = low.0 as f64 + random.random::<f64>() * (high.0 - low.0) as f64;
                    Nanos(microseconds(length).clamp(low.0, high.0))
                })
                .collect(),
            Self::Ramp { from, to } => {
                let (from, to, last) = (
                    i128::from(from.0),
                    i128::from(to.0),
                    i128::from(tasks.max(2)) - 1,
                );
                count
                    .map(|i| Nanos((from + (to - from) * i128::from(i) / last) as u64))
                    .collect()
            }
            Self::Lognormal { mean, sigma } => {
                // The mean of a log-normal variable is exp(mu + sigma^2 / 2).
                let mu = (mean.0.max(1) as f64).ln() - sigma * sigma / 2.0;
                match LogNormal::new(mu, *sigma) {
                    Ok(normal) => count
                        .map(|_| Nanos(microseconds(normal.sample(&mut random))))
                        .collect(),
                    Err(_) => vec![*mean; tasks as usize],
                }
            }
            Self::Bimodal {
                common,
                rare,
                share,
            } => count
                .map(|_| {
                    if random.random::<f64>() < *share {
                        *rare
                    } else {
                        *common
                    }
                })
                .collect(),
        }
    }

    /// How long so many tasks take at most, one after the other; those of lognormal about so long.
    pub fn together(&self, tasks: u32) -> Nanos {
        let each = match self {
            Self::List(costs) => return costs.iter().copied().sum(),
            Self::Const(cost) => *cost,
            Self::Uniform { high, .. } => *high,
            Self::Ramp { from, to } => (*from).max(*to),
            Self::Lognormal { mean, .. } => *mean,
            Self::Bimodal { common, rare, .. } => (*common).max(*rare),
        };
        Nanos(each.0.saturating_mul(tasks.into()))
    }

    /// The name of the distribution and its lengths: `lognormal 600 ms`; a list has none.
    pub fn summary(&self) -> Option<String> {
        match self {
            Self::List(_) => None,
            Self::Const(cost) => Some(format!("const {cost}")),
            Self::Uniform { low, high } => Some(format!("uniform {low} to {high}")),
            Self::Ramp { from, to } => Some(format!("ramp {from} to {to}")),
            Self::Lognormal { mean, .. } => Some(format!("lognormal {mean}")),
            Self::Bimodal { common, rare, .. } => Some(format!("bimodal {common}, {rare}")),
        }
    }
}

/// The longest that may be drawn, or the mean: what is drawn are whole microseconds.
fn drawn(text: &str, length: Nanos) -> Result<Nanos, String> {
    const LEAST: Nanos = Nanos(1_000);
    if length < LEAST {
        return Err(format!(
            "`{text}` is too short: lengths are drawn in whole microseconds: write 1us or more, or a list"
        ));
    }
    Ok(length)
}

/// A length that bounds what is drawn: a part of a microsecond would come back whenever it is cut to its bounds.
fn whole(text: &str, length: Nanos) -> Result<Nanos, String> {
    if !length.0.is_multiple_of(1_000) {
        return Err(format!(
            "`{text}`: lengths are drawn in whole microseconds: write LOW..HIGH in those, or a list"
        ));
    }
    Ok(length)
}

fn option(text: &str, name: &str, most: f64) -> Result<f64, String> {
    let number = text
        .trim()
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='))
        .and_then(|n| n.parse().ok());
    match number {
        Some(number) if (0.0..=most).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` should be {name}=NUMBER from 0 to {most}")),
    }
}

/// The text that [`Costs::parse`] reads back as the same costs, whatever the unit.
impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(costs) => {
                let words: Vec<String> = costs.iter().map(|cost| cost.exact()).collect();
                f.write_str(&words.join(","))
            }
            Self::Const(cost) => write!(f, "const:{}", cost.exact()),
            Self::Uniform { low, high } => write!(f, "uniform:{}..{}", low.exact(), high.exact()),
            Self::Ramp { from, to } => write!(f, "ramp:{}..{}", from.exact(), to.exact()),
            Self::Lognormal { mean, sigma } => {
                write!(f, "lognormal:{},sigma={sigma}", mean.exact())
            }
            Self::Bimodal {
                common,
                rare,
                share,
            } => {
                write!(
                    f,
                    "bimodal:{},{},share={share}",
                    common.exact(),
                    rare.exact()
                )
            }
        }
    }
}

/// The tasks of an experiment, in the order of submission.
pub fn tasks(experiment: &Experiment) -> Vec<Work> {
    let enters = experiment.enters();
    let mut tasks: Vec<Work> = experiment
        .costs
        .draw(experiment.tasks, experiment.seed)
        .into_iter()
        .enumerate()
        .map(|(index, cost)| Work {
            cost: if enters { cost } else { Nanos::ZERO },
            io: match experiment.kind {
                WorkKind::Cpu => false,
                WorkKind::Io => true,
                WorkKind::Mixed => index % 2 == 1,
            },
            fault: None,
            enters,
        })
        .collect();
    for fault in &experiment.faults {
        if let Some(task) = tasks.get_mut(fault.task as usize) {
            task.fault = Some(fault.kind);
        }
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Nanos = Nanos(10_000_000);

    #[test]
    fn costs_read_back_as_written() {
        for text in [
            "9,2.5,600ms",
            "const:3",
            "uniform:1..9",
            "ramp:1..32",
            "lognormal:600ms",
            "bimodal:2,12,share=0.1",
        ] {
            let costs = Costs::parse(text, UNIT).unwrap();
            assert_eq!(
                Costs::parse(&costs.to_string(), Nanos(1)),
                Ok(costs),
                "{text}"
            );
        }
    }

    #[test]
    fn wrong_costs_say_what_is_wrong() {
        for (text, part) in [
            ("9,x", "`x` is no length of time"),
            ("normal:3", "`normal` is no distribution"),
            ("uniform:9..1", "runs backwards"),
            ("uniform:9", "is no range"),
            ("bimodal:3", "lacks its second length"),
            ("uniform:100ns..400ns", "`100ns..400ns` is too short"),
            ("uniform:1500ns..1900ns", "write LOW..HIGH in those"),
            ("uniform:1us..2.5us", "drawn in whole microseconds"),
            ("lognormal:0.5us", "write 1us or more"),
            ("lognormal:3,mu=1", "should be sigma=NUMBER"),
            ("const:3,4", "`4` is too much"),
        ] {
            let error = Costs::parse(text, UNIT).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_costs_in_every_version() {
        let costs = Costs::parse("lognormal:600ms", UNIT).unwrap();
        let drawn: Vec<u64> = costs
            .draw(4, 7)
            .into_iter()
            .map(|cost| cost.0 / 1_000)
            .collect();
        assert_eq!(
            drawn,
            costs
                .draw(4, 7)
                .into_iter()
                .map(|cost| cost.0 / 1_000)
                .collect::<Vec<_>>()
        );
        assert_ne!(
            drawn,
            costs
                .draw(4, 8)
                .into_iter()
                .map(|cost| cost.0 / 1_000)
                .collect::<Vec<_>>()
        );
        assert_eq!(drawn, DRAWN_7);
    }

    /// Microseconds, drawn once: a change here changes every picture that people have made.
    const DRAWN_7: [u64; 4] = [234_307, 144_055, 887_759, 581_001];

    #[test]
    fn the_mean_of_many_lognormal_costs_is_the_one_asked_for() {
        let drawn = Costs::parse("lognormal:600ms", UNIT)
            .unwrap()
            .draw(20_000, 1);
        let mean = drawn.iter().map(|cost| cost.seconds()).sum::<f64>() / 20_000.0;
        assert!((0.57..0.63).contains(&mean), "{mean}");
    }

    #[test]
    fn a_ramp_climbs_in_even_steps() {
        let ramp = Costs::parse("ramp:1..32", UNIT).unwrap().draw(32, 0);
        assert!(
            ramp.iter()
                .enumerate()
                .all(|(i, cost)| cost.0 == (i as u64 + 1) * UNIT.0)
        );
    }
}
