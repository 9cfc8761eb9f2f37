//! Sums over the tasks of a call, kept as its orders grow.

use super::{Order, Task};
use crate::time::{Nanos, Time};

/// Entries of an order between two kept sums.
const BLOCK: usize = 4_096;

/// A mean whose parts come from different lanes: sums over the first entries of an order, kept every
/// few thousand entries and thrown away from where a late fact changes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Running {
    /// `sums[k]`: sum and count over the entries of block `k` and all before it.
    sums: Vec<(u64, u32)>,
}

impl Running {
    pub(super) fn settle(
        &mut self,
        order: &Order,
        tasks: &[Task],
        value: fn(&Task) -> Option<Nanos>,
    ) {
        while let Some(block) = order
            .entries()
            .get(self.sums.len() * BLOCK..(self.sums.len() + 1) * BLOCK)
        {
            let before = self.sums.last().copied().unwrap_or_default();
            self.sums.push(add(
                before,
                block.iter().map(|entry| entry.index),
                tasks,
                value,
            ));
        }
    }

    pub(super) fn forget_from(&mut self, place: usize) {
        self.sums.truncate(place / BLOCK);
    }

    pub(super) fn until(
        &self,
        time: Time,
        order: &Order,
        tasks: &[Task],
        value: fn(&Task) -> Option<Nanos>,
    ) -> Mean {
        let entries = order.until(time);
        let block = (entries.len() / BLOCK).min(self.sums.len());
        let base = block.checked_sub(1).map_or((0, 0), |last| self.sums[last]);
        let rest = entries[block * BLOCK..].iter().map(|entry| entry.index);
        let (sum, count) = add(base, rest, tasks, value);
        Mean {
            sum: Nanos(sum),
            count,
        }
    }
}

fn add(
    base: (u64, u32),
    indexes: impl Iterator<Item = u32>,
    tasks: &[Task],
    value: fn(&Task) -> Option<Nanos>,
) -> (u64, u32) {
    indexes
        .filter_map(|index| value(&tasks[index as usize]))
        .fold(base, |(sum, count), value| (sum + value.0, count + 1))
}

/// A sum of lengths and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    pub sum: Nanos,
    pub count: u32,
}

impl Mean {
    /// The mean; `None` of nothing.
    pub fn value(self) -> Option<Nanos> {
        (self.count > 0).then(|| Nanos(self.sum.0 / u64::from(self.count)))
    }
}

/// What the tasks of a call really needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) sum: Nanos,
    pub(super) longest: Nanos,
    /// The part of the sum that was spent on a CPU.
    pub(super) on_cpu: Nanos,
}

impl Needs {
    /// Of the tasks that were entered and ended; `None` of none, and if one of them was not accounted for.
    pub(super) fn of(tasks: &[Task], measured: bool) -> Option<Self> {
        let mut needs: Option<Self> = None;
        for task in tasks {
            let Some(service) = task.service() else {
                continue;
            };
            if !task.is_accounted() {
                return None;
            }
            let need = if measured {
                service.saturating_sub(task.waiting)
            } else {
                task.on_cpu + task.useful_wait
            };
            let before = needs.unwrap_or(Self {
                sum: Nanos::ZERO,
                longest: Nanos::ZERO,
                on_cpu: Nanos::ZERO,
            });
            needs = Some(Self {
                sum: before.sum + need,
                longest: before.longest.max(need),
                on_cpu: before.on_cpu + task.on_cpu,
            });
        }
        needs
    }
}
