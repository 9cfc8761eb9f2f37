//! The experiment that flags ask for, the rest as on the first start; and what contradicts itself in them.

use crate::cli::flags::{CostsText, Faults, Flags, Length, Unit};
use crate::experiment::{
    Backend, Contradiction, CounterEffect, Experiment, FaultKind, MainWork, Part, PythonPool,
    WorkKind,
};
use crate::method::Sends;
use crate::time::Nanos;
use crate::workload::Costs;

impl Flags {
    /// How many costs there are, if they are a list.
    pub(crate) fn listed_costs(&self) -> Option<usize> {
        match self.costs.as_ref()?.in_units(Nanos::MILLISECOND) {
            Ok(Costs::List(list)) => Some(list.len()),
            _ => None,
        }
    }

    /// Whether they ask for this part of an experiment.
    pub(super) fn ask_for(&self, part: Part) -> bool {
        match part {
            Part::Cpus => self.cpus.is_some(),
            Part::Payload => self.payload.is_some(),
            Part::Dispatch => self.dispatch.is_some(),
            Part::Startup => self.startup.is_some(),
            Part::Gil => self.gil,
            Part::Policy => self.policy.is_some(),
            Part::Memory => self.memory_model.is_some(),
            Part::Race => self.effect == Some(CounterEffect::Race),
            Part::Die => {
                let mut faults = self.fault.iter().flat_map(Faults::each);
                faults.any(|fault| fault.kind == FaultKind::Die)
            }
        }
    }

    /// What in these flags contradicts itself, so far as that depends on what was given: the rest is for
    /// [`Experiment::check`]. A default of the config file gives way instead.
    pub(super) fn contradictions(&self, config: &Self) -> Result<(), String> {
        if let Some(tasks) = self.tasks {
            let contradicts = |&length: &usize| u32::try_from(length) != Ok(tasks);
            if let Some(length) = self.listed_costs().filter(contradicts) {
                let costs = self.costs.as_ref().map_or("", CostsText::written);
                return Err(match length {
                    1 => format!(
                        "--costs {costs} is a list of one task: write --costs const:{costs} for {tasks} like it"
                    ),
                    _ => format!("--costs lists {length} tasks: leave --tasks {tasks} out"),
                });
            }
            let listed = config.listed_costs().filter(contradicts);
            if let Some(length) = listed.filter(|_| self.costs.is_none()) {
                return Err(format!(
                    "--tasks {tasks}: the config file lists the costs of {length} tasks: add --costs, such as --costs lognormal:600ms"
                ));
            }
        }
        let method = self
            .method
            .or(config.method)
            .unwrap_or(Experiment::default().method);
        let backend = self.backend.or(config.backend);
        let usual = Experiment::default();
        let rules = Experiment {
            method,
            backend: backend.unwrap_or(usual.backend),
            pool: self.pool.or(config.pool).unwrap_or(usual.pool),
            ..usual
        }
        .rules();
        let unchunked = matches!(rules.sends, Sends::Tasks | Sends::Nothing);
        let of_python = [
            (self.pool.is_some(), "pool"),
            (self.start_method.is_some(), "start-method"),
            (self.python.is_some(), "python"),
        ];
        if let Some((_, flag)) = of_python.into_iter().find(|row| row.0)
            && backend != Some(Backend::Python)
        {
            return Err(format!("--{flag} is for --backend python: add that"));
        }
        if self.start_method.is_some() && self.pool == Some(PythonPool::ThreadPool) {
            let text = "--start-method does not go with --pool threadpool: its workers are threads";
            return Err(text.to_owned());
        }
        if self.chunksize.is_some() && unchunked {
            return Err(Contradiction::Unchunked(method.name()).to_string());
        }
        let effect = self.effect.or(config.effect);
        let (races, counts) = (
            effect == Some(CounterEffect::Race),
            effect.is_some_and(|effect| effect != CounterEffect::None),
        );
        let of_effects = [
            (self.lock, "--lock", "race", races),
            (self.increments.is_some(), "--increments", "race", races),
            (
                self.memory_model.is_some(),
                "--memory-model",
                "count",
                counts,
            ),
        ];
        let mut of_effects = of_effects.into_iter();
        let in_vain = of_effects.find(|&(given, _, _, fits)| given && !fits);
        in_vain.map_or(Ok(()), |(_, flag, effect, _)| {
            Err(format!(
                "{flag} is for --effect {effect}: add it, or leave {flag} out"
            ))
        })
    }

    /// The experiment these flags ask for, the rest as on the first start.
    pub(super) fn experiment(
        &self,
        usable_cpus: u32,
        main_work: MainWork,
    ) -> Result<Experiment, String> {
        let usual = Experiment::default();
        let unit = self.unit.unwrap_or(Unit(usual.unit)).0;
        let length = |name: &str, length: &Option<Length>| {
            let length = length.as_ref().map(|length| length.in_units(unit));
            length
                .transpose()
                .map_err(|wrong| format!("--{name} {wrong}"))
        };
        let costs = self.costs.as_ref().map(|costs| costs.in_units(unit));
        let costs = costs
            .transpose()
            .map_err(|wrong| format!("--costs {wrong}"))?;
        let costs = costs.unwrap_or(usual.costs);
        let tasks = match &costs {
            Costs::List(list) => u32::try_from(list.len()).unwrap_or(u32::MAX),
            _ => self.tasks.unwrap_or(usual.tasks),
        };
        let backend = self.backend.unwrap_or(usual.backend);
        let workers = self.workers.unwrap_or(usable_cpus.clamp(4, 8));
        let is_crowded = backend.is_measured() && usable_cpus < workers;
        let kind = if is_crowded {
            WorkKind::Mixed
        } else {
            WorkKind::Cpu
        };
        Ok(Experiment {
            method: self.method.unwrap_or(usual.method),
            backend,
            workers,
            cpus: self.cpus,
            tasks,
            costs,
            kind: self.kind.unwrap_or(kind),
            pairs: self.pairs,
            chunksize: self.chunksize.map_or(usual.chunksize, |size| size.0),
            main_work: length("main-work", &self.main_work)?.map_or(main_work, MainWork::Fixed),
            payload: self.payload.map_or(0, |size| size.0),
            dispatch: length("dispatch", &self.dispatch)?.unwrap_or_default(),
            startup: length("startup", &self.startup)?.unwrap_or_default(),
            serial: length("serial", &self.serial)?.unwrap_or_default(),
            gil: self.gil,
            lock: self.lock,
            policy: self.policy.unwrap_or(usual.policy),
            memory: self.memory_model,
            effect: self.effect.unwrap_or(usual.effect),
            increments: self.increments.unwrap_or(usual.increments),
            faults: self.fault.iter().flat_map(Faults::each).collect(),
            seed: self.seed.unwrap_or(usual.seed),
            unit,
            stop_at: usual.stop_at,
            pool: self.pool.unwrap_or(usual.pool),
            start_method: self.start_method,
            python: self.python.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Args;
    use std::ffi::OsString;

    fn experiment(words: &str) -> Experiment {
        let words = std::iter::once("parviz").chain(words.split_whitespace());
        let args = Args::read(words.map(OsString::from)).unwrap();
        args.lab.flags.experiment(2, MainWork::Half).unwrap()
    }

    #[test]
    fn bare_numbers_count_units() {
        let e8 = experiment("--costs 9,2.5 --unit 1ms --main-work 6 --dispatch 2us");
        assert_eq!(
            e8.costs,
            Costs::List(vec![Nanos(9_000_000), Nanos(2_500_000)])
        );
        assert_eq!(e8.tasks, 2);
        assert_eq!(e8.main_work, MainWork::Fixed(Nanos(6_000_000)));
        assert_eq!(e8.dispatch, Nanos(2_000));
    }
}
