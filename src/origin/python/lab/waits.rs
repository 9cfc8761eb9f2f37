//! The sleep that a task of the lab asked for: nobody sees from outside that it wanted it, but the lab knows.

use crate::event::{Event, Kind, Ran};
use crate::experiment::Experiment;
use crate::time::{Nanos, Time};
use crate::workload;
use std::collections::HashMap;

/// See the module.
#[derive(Debug)]
pub(super) struct Waits {
    /// How long each task sleeps.
    sleeps: Vec<Nanos>,
    /// By their index, those that run: up to when they were accounted for, and what of their sleep is left.
    running: HashMap<u32, (Time, Nanos)>,
}

impl Waits {
    pub(super) fn new(experiment: &Experiment) -> Self {
        let works = workload::tasks(experiment);
        let sleep = |io, cost| if io { cost } else { Nanos::ZERO };
        Self {
            sleeps: works.iter().map(|work| sleep(work.io, work.cost)).collect(),
            running: HashMap::new(),
        }
    }

    /// Tells of tasks that slept how much of that they had asked for.
    pub(super) fn tell(&mut self, events: Vec<Event>) -> Vec<Event> {
        let mut told = Vec::with_capacity(events.len());
        for mut event in events {
            match &mut event.kind {
                Kind::Started { task, .. } => {
                    let sleep = self.sleeps.get(task.index as usize).copied();
                    if let Some(sleep) = sleep.filter(|&sleep| sleep > Nanos::ZERO) {
                        self.running.insert(task.index, (event.at, sleep));
                    }
                }
                Kind::Ran(ran) => {
                    if let Some((until, left)) = self.running.get_mut(&ran.task.index) {
                        // What it did before it was looked at was that as well.
                        ran.since = ran.since.min(*until);
                        let length = event.at.since(ran.since);
                        let off = length.saturating_sub(ran.on_cpu);
                        ran.useful_wait = off.min(*left);
                        // Who sleeps misses no CPU, whatever the system counts.
                        ran.waiting = ran.waiting.min(off.saturating_sub(ran.useful_wait));
                        (*until, *left) = (event.at, left.saturating_sub(off));
                    }
                }
                Kind::Finished { task, .. } => {
                    if let Some((since, left)) = self.running.remove(&task.index) {
                        let ran = Ran {
                            task: *task,
                            since,
                            on_cpu: Nanos::ZERO,
                            waiting: Nanos::ZERO,
                            useful_wait: left.min(event.at.since(since)),
                            cpu: None,
                            moved_to: None,
                        };
                        told.push(Event {
                            kind: Kind::Ran(Box::new(ran)),
                            ..event
                        });
                    }
                }
                _ => {}
            }
            told.push(event);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallId, LaneId, Outcome, TaskId};
    use crate::experiment::WorkKind;

    #[test]
    fn a_sleep_is_a_useful_wait_as_far_as_it_was_asked_for() {
        let mut waits = Waits::new(&Experiment {
            kind: WorkKind::Io,
            tasks: 1,
            ..Experiment::default()
        });
        waits.sleeps = vec![Nanos(100)];
        let task = TaskId {
            call: CallId(0),
            index: 0,
        };
        let at = |at: u64, kind| Event {
            at: Time(at),
            lane: LaneId(1),
            kind,
        };
        let ran = Ran {
            task,
            since: Time(10),
            on_cpu: Nanos(5),
            waiting: Nanos(5),
            useful_wait: Nanos::ZERO,
            cpu: None,
            moved_to: None,
        };
        let (outcome, cpu) = (Outcome::Ok, None);
        let told = waits.tell(vec![
            at(10, Kind::Started { task, cpu }),
            at(50, Kind::Ran(Box::new(ran))),
            at(130, Kind::Finished { task, outcome, cpu }),
        ]);
        let stretches: Vec<_> = told
            .iter()
            .filter_map(|event| match &event.kind {
                Kind::Ran(ran) => Some((ran.since.0, event.at.0, ran.useful_wait.0)),
                _ => None,
            })
            .collect();
        assert_eq!(stretches, [(10, 50, 35), (50, 130, 65)]);
    }
}
