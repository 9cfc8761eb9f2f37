//! What a ring holds for each event: 16 bytes, half an [`Event`], for what is told of every task.
//!
//! The lane is the ring's, and the call is the run's only one. All that is rarer, and larger, waits in a
//! channel beside the ring, where its entry says that it does.

use super::CALL;
use crate::event::{CpuId, Event, Kind, LaneId, Outcome, TaskId};
use crate::time::Time;

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) at: Time,
    pub(super) mark: Mark,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Dequeued {
        chunk: u32,
    },
    Returned {
        chunk: u32,
    },
    Started {
        cpu: u16,
        index: u32,
    },
    Finished {
        outcome: Outcome,
        cpu: u16,
        index: u32,
    },
    /// What happened is the next in the channel.
    Aside,
}

/// No system numbers a CPU like this.
const UNKNOWN: u16 = u16::MAX;

impl Mark {
    /// Gives back what has no form of its own.
    #[inline]
    pub(super) fn of(kind: Kind) -> Result<Self, Kind> {
        let number = |cpu: Option<CpuId>| cpu.map_or(UNKNOWN, |CpuId(cpu)| cpu);
        Ok(match kind {
            Kind::Dequeued { call: CALL, chunk } => Self::Dequeued { chunk },
            Kind::Returned { call: CALL, chunk } => Self::Returned { chunk },
            Kind::Started {
                task: TaskId { call: CALL, index },
                cpu,
            } => Self::Started {
                cpu: number(cpu),
                index,
            },
            Kind::Finished {
                task: TaskId { call: CALL, index },
                outcome,
                cpu,
            } => Self::Finished {
                outcome,
                cpu: number(cpu),
                index,
            },
            other => return Err(other),
        })
    }
}

impl Entry {
    /// The event of a lane; `aside` takes from its channel.
    #[inline]
    pub(super) fn event(self, lane: LaneId, aside: impl FnOnce() -> Kind) -> Event {
        let task = |index| TaskId { call: CALL, index };
        let cpu = |cpu| (cpu != UNKNOWN).then_some(CpuId(cpu));
        let kind = match self.mark {
            Mark::Dequeued { chunk } => Kind::Dequeued { call: CALL, chunk },
            Mark::Returned { chunk } => Kind::Returned { call: CALL, chunk },
            Mark::Started { cpu: on, index } => Kind::Started {
                task: task(index),
                cpu: cpu(on),
            },
            Mark::Finished {
                outcome,
                cpu: on,
                index,
            } => Kind::Finished {
                task: task(index),
                outcome,
                cpu: cpu(on),
            },
            Mark::Aside => aside(),
        };
        Event {
            at: self.at,
            lane,
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CallId;

    #[test]
    fn an_entry_is_16_bytes() {
        assert_eq!(size_of::<Entry>(), 16);
    }

    #[test]
    fn what_has_a_form_of_its_own_comes_out_as_it_went_in() {
        let (call, chunk) = (CALL, 7);
        let task = TaskId { call, index: 9 };
        for cpu in [None, Some(CpuId(3))] {
            let outcome = Outcome::Failed;
            for kind in [
                Kind::Dequeued { call, chunk },
                Kind::Returned { call, chunk },
                Kind::Started { task, cpu },
                Kind::Finished { task, outcome, cpu },
            ] {
                let (at, lane) = (Time(5), LaneId(2));
                let mark = Mark::of(kind.clone()).unwrap();
                let event = Entry { at, mark }.event(lane, || unreachable!());
                assert_eq!(event, Event { at, lane, kind });
            }
        }
        let (call, chunk) = (CallId(CALL.0 + 1), 7);
        assert!(Mark::of(Kind::Dequeued { call, chunk }).is_err());
    }
}
