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

/// What happened, how, where and to what: one word, which is put together in a register. As
/// an enum it would be written in parts and read as a whole, and that takes as long as reading the clock.
///
/// From the lowest bit: 8 what, 8 outcome, 16 CPU, 32 index or chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(pub(super) u64);

const DEQUEUED: u64 = 0;
const RETURNED: u64 = 1;
const STARTED: u64 = 2;
const FINISHED: u64 = 3;
const ASIDE: u64 = 4;

/// No system numbers a CPU like this.
const UNKNOWN: u16 = u16::MAX;

impl Mark {
    /// What happened is the next in the channel.
    pub(super) const ASIDE: Self = Self(ASIDE);

    /// Gives back what has no form of its own.
    #[expect(
        clippy::inline_always,
        reason = "the kind is known where this is called"
    )]
    #[inline(always)]
    pub(super) fn of(kind: Kind) -> Result<Self, Kind> {
        let on = |cpu: Option<CpuId>| u64::from(cpu.map_or(UNKNOWN, |CpuId(cpu)| cpu)) << 16;
        let number = |number: u32| u64::from(number) << 32;
        Ok(Self(match kind {
            Kind::Dequeued { call: CALL, chunk } => DEQUEUED | number(chunk),
            Kind::Returned { call: CALL, chunk } => RETURNED | number(chunk),
            Kind::Started {
                task: TaskId { call: CALL, index },
                cpu,
            } => STARTED | on(cpu) | number(index),
            Kind::Finished {
                task: TaskId { call: CALL, index },
                outcome,
                cpu,
            } => FINISHED | (outcome as u64) << 8 | on(cpu) | number(index),
            other => return Err(other),
        }))
    }
}

impl Entry {
    /// Adds the event of a lane; `aside` adds what waits in its channel.
    ///
    /// Each kind is added where it is known. As one value that is then added, it would be put together in
    /// one place, because `aside` needs one, and copied to another: a store read back before it has got
    /// anywhere, which takes longer than all the rest.
    #[inline]
    pub(super) fn add(
        self,
        lane: LaneId,
        into: &mut Vec<Event>,
        aside: impl FnOnce(&mut Vec<Event>),
    ) {
        let (at, Mark(word)) = (self.at, self.mark);
        let (cpu, number) = ((word >> 16) as u16, (word >> 32) as u32);
        let cpu = (cpu != UNKNOWN).then_some(CpuId(cpu));
        let (call, chunk) = (CALL, number);
        let task = TaskId {
            call,
            index: number,
        };
        let event = |kind| Event { at, lane, kind };
        match word & 0xFF {
            DEQUEUED => into.push(event(Kind::Dequeued { call, chunk })),
            RETURNED => into.push(event(Kind::Returned { call, chunk })),
            STARTED => into.push(event(Kind::Started { task, cpu })),
            FINISHED => {
                let outcome = Outcome::ALL[usize::from((word >> 8) as u8) % Outcome::ALL.len()];
                into.push(event(Kind::Finished { task, outcome, cpu }));
            }
            _ => aside(into),
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
            let finished = Outcome::ALL.map(|outcome| Kind::Finished { task, outcome, cpu });
            let others = [
                Kind::Dequeued { call, chunk },
                Kind::Returned { call, chunk },
                Kind::Started { task, cpu },
            ];
            for kind in others.into_iter().chain(finished) {
                let (at, lane) = (Time(5), LaneId(2));
                let mark = Mark::of(kind.clone()).unwrap();
                let mut events = Vec::new();
                Entry { at, mark }.add(lane, &mut events, |_| unreachable!());
                assert_eq!(events, [Event { at, lane, kind }]);
            }
        }
        let (call, chunk) = (CallId(CALL.0 + 1), 7);
        assert!(Mark::of(Kind::Dequeued { call, chunk }).is_err());
    }
}
