//! A call that was made again and again from one line: its members, each a call of its own.

use super::Call;
use crate::event::Indexes;
use crate::time::Time;

/// One call of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub began: Time,
    pub tasks: Indexes,
}

impl Call {
    /// The calls that are shown as this one, in the order of their tasks: one, unless it is a series.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        let end = self
            .again
            .first()
            .map_or(self.tasks().len() as u32, |next| next.tasks.first);
        let first = Member {
            began: self.began,
            tasks: Indexes::new(0, end),
        };
        std::iter::once(first).chain(self.again.iter().copied())
    }

    /// How many calls are shown as this one.
    pub fn member_count(&self) -> usize {
        1 + self.again.len()
    }

    /// It was made more than once.
    pub fn is_series(&self) -> bool {
        !self.again.is_empty()
    }

    pub(super) fn begin_again(&mut self, tasks: Indexes, at: Time) {
        let place = self
            .again
            .partition_point(|member| member.tasks.first <= tasks.first);
        self.again.insert(place, Member { began: at, tasks });
        self.expect(tasks.end);
    }

    /// Tasks that were told of by `time`: of a series, those of the members that had begun.
    pub(super) fn told_until(&self, time: Time) -> usize {
        if self.again.is_empty() {
            return self.tasks().len();
        }
        let begun = self.again.partition_point(|member| member.began <= time);
        match (begun.checked_sub(1), self.again.first()) {
            (Some(last), _) => self.again[last].tasks.end as usize,
            (None, Some(next)) => next.tasks.first as usize,
            (None, None) => self.tasks().len(),
        }
    }
}
