//! What a list of events tells, read in the plainest way.

use parviz::event::{CallerState, Ends, Event, Indexes, Kind};
use parviz::time::{Nanos, Time};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) struct Told {
    pub(crate) tasks: Vec<Task>,
    pub(crate) started: Vec<u32>,
    /// Without the skipped ones.
    pub(crate) finished: Vec<u32>,
    pub(crate) ready: Vec<u32>,
    pub(crate) delivered: Vec<u32>,
    pub(crate) lost: BTreeSet<u32>,
    pub(crate) lanes_named: BTreeMap<String, Vec<u32>>,
    pub(crate) samples: BTreeMap<String, u64>,
    pub(crate) blocked: Nanos,
    pub(crate) ends: Ends,
    pub(crate) end: Time,
}

#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) started: Time,
    pub(crate) finished: Time,
    pub(crate) ready: Time,
    pub(crate) delivered: Time,
}

impl Told {
    /// Of a whole run, in the order of time.
    pub(crate) fn of(events: &[Event]) -> Self {
        let never = Task {
            started: Time::NEVER,
            finished: Time::NEVER,
            ready: Time::NEVER,
            delivered: Time::NEVER,
        };
        let mut told = Self {
            tasks: Vec::new(),
            started: Vec::new(),
            finished: Vec::new(),
            ready: Vec::new(),
            delivered: Vec::new(),
            lost: BTreeSet::new(),
            lanes_named: BTreeMap::new(),
            samples: BTreeMap::new(),
            blocked: Nanos::ZERO,
            ends: Ends::Cancelled,
            end: Time::ZERO,
        };
        let mut blocked_since = None;
        for Event { at, lane, kind } in events {
            let mark =
                |tasks: &mut Vec<Task>, indexes: Indexes, place: fn(&mut Task) -> &mut Time| {
                    for index in indexes.iter() {
                        *place(&mut tasks[index as usize]) = *at;
                    }
                };
            match kind {
                Kind::CallBegan(call) => {
                    told.tasks = vec![never.clone(); call.tasks.unwrap_or(0) as usize];
                }
                Kind::LaneOpened(opened) => {
                    told.lanes_named
                        .entry(opened.name.clone())
                        .or_default()
                        .push(lane.0);
                }
                Kind::Started { task, .. } => {
                    told.started.push(task.index);
                    told.tasks[task.index as usize].started = *at;
                }
                Kind::Finished { task, outcome, .. } => {
                    if *outcome != parviz::event::Outcome::Skipped {
                        told.finished.push(task.index);
                    }
                    told.tasks[task.index as usize].finished = *at;
                }
                Kind::Ready { tasks, .. } => {
                    told.ready.extend(tasks.iter());
                    mark(&mut told.tasks, *tasks, |task| &mut task.ready);
                }
                Kind::Delivered { tasks, .. } => {
                    told.delivered.extend(tasks.iter());
                    mark(&mut told.tasks, *tasks, |task| &mut task.delivered);
                }
                Kind::Lost { tasks, .. } => told.lost.extend(tasks.iter()),
                Kind::Caller { state } => {
                    if let Some(since) = blocked_since.take() {
                        told.blocked += at.since(since);
                    }
                    if matches!(state, CallerState::Blocked(_)) {
                        blocked_since = Some(*at);
                    }
                }
                Kind::Sample(sample) => {
                    told.samples
                        .insert(sample.quantity.clone(), sample.value as u64);
                }
                Kind::RunEnded { ends } => (told.ends, told.end) = (*ends, *at),
                _ => {}
            }
        }
        told
    }

    pub(crate) fn first_ready(&self) -> Time {
        self.tasks
            .iter()
            .map(|task| task.ready)
            .min()
            .unwrap_or(Time::NEVER)
    }

    pub(crate) fn last_ready(&self) -> Time {
        self.tasks
            .iter()
            .map(|task| task.ready)
            .max()
            .unwrap_or(Time::NEVER)
    }
}
