//! What the tasks of a measured run left in the counter, and what they could have left.

use super::Shared;
use crate::event::{Counter, Ended, Event, Kind, LaneId, Outcome, Sample};
use crate::experiment::CounterEffect;
use crate::origin::simulated::race;
use crate::time::{Nanos, Span, Time};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// When the tasks ran that have raced for the counter, as they told it.
#[derive(Debug, Default)]
pub(super) struct Racing {
    under_way: HashMap<LaneId, Time>,
    over: Vec<Span>,
    /// Those that their worker was killed in, be it after their increments or before.
    cut: Vec<Span>,
}

impl Racing {
    pub(super) fn see(&mut self, event: &Event) {
        let mut ended = || {
            let since = self.under_way.remove(&event.lane)?;
            Some(Span::new(since, event.at))
        };
        match event.kind {
            Kind::Started { .. } => {
                self.under_way.insert(event.lane, event.at);
            }
            // Who crashed died of its task, which had made its increments.
            Kind::Finished {
                outcome: Outcome::Ok | Outcome::Failed,
                ..
            }
            | Kind::LaneClosed {
                ended: Ended::Crashed,
            } => self.over.extend(ended()),
            Kind::LaneClosed { .. } => self.cut.extend(ended()),
            _ => {}
        }
    }

    /// The tasks that have made `increments` in all, so many `times` each.
    fn tasks(&mut self, increments: u64, times: u64) -> &[Span] {
        let missing = (increments / times.max(1)).saturating_sub(self.over.len() as u64);
        let counted = self.cut.len().min(missing as usize);
        self.over.extend(self.cut.drain(..counted));
        &self.over
    }
}

/// The counter at the end, as samples.
pub(super) fn samples(shared: &Shared, racing: &mut Racing) -> Vec<Sample> {
    let experiment = &shared.experiment;
    if experiment.effect == CounterEffect::None {
        return Vec::new();
    }
    let counter = shared.counter.load(Ordering::Acquire);
    let increments = shared.effects.iter();
    let increments: u64 = increments.map(|count| count.load(Ordering::Acquire)).sum();
    let is_race = experiment.effect == CounterEffect::Race;
    let bounds = is_race.then(|| {
        let times = u64::from(experiment.increments);
        let tasks = racing.tasks(increments, times);
        let (least, most) = race::bounds(tasks, times, experiment.lock);
        // Clocks of two CPUs may not agree on which task was first.
        (least.min(counter), most.max(counter))
    });
    let waited = shared.lock_wait.load(Ordering::Acquire);
    let counter = Counter {
        main: counter,
        // In memory of their own the workers have counted past what main sees.
        sum: if is_race { counter } else { increments },
        bounds,
        lock_wait: experiment.lock.then_some(Nanos(waited)),
    };
    counter.samples().collect()
}
