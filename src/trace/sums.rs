//! Sums over the tasks of a call, kept as its orders grow.

use super::task::{Of, Tasks};
use super::{Entry, List, Order};
use crate::time::{Nanos, Time};

/// From one moment of a task to another.
pub(super) type Stretch = (Of, Of);

/// Entries of an order between two kept sums.
const BLOCK: usize = 512;

/// A mean whose parts come from different lanes: sums over the first entries of an order, kept every
/// few hundred entries and thrown away from where a late fact changes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Running {
    /// `sums[k]`: sum and count over the entries of block `k` and all before it.
    sums: Vec<(u64, u32)>,
}

impl Running {
    pub(super) fn settle(&mut self, order: &Order, tasks: &Tasks, (from, to): Stretch) {
        let entries = order.entries();
        while (self.sums.len() + 1) * BLOCK <= entries.len() {
            let first = self.sums.len() * BLOCK;
            let before = self.sums.last().copied().unwrap_or_default();
            let block = entries.part(first..first + BLOCK);
            self.sums.push(add(before, block, tasks, (from, to)));
        }
    }

    pub(super) fn forget_from(&mut self, place: usize) {
        self.sums.truncate(place / BLOCK);
    }

    pub(super) fn until(
        &self,
        time: Time,
        order: &Order,
        tasks: &Tasks,
        (from, to): Stretch,
    ) -> Mean {
        let entries = order.until(time);
        let block = (entries.len() / BLOCK).min(self.sums.len());
        let base = block.checked_sub(1).map_or((0, 0), |last| self.sums[last]);
        let rest = entries.part(block * BLOCK..entries.len());
        let (sum, count) = add(base, rest, tasks, (from, to));
        Mean {
            sum: Nanos(sum),
            count,
        }
    }
}

fn add(
    base: (u64, u32),
    entries: List<'_, Entry>,
    tasks: &Tasks,
    (from, to): Stretch,
) -> (u64, u32) {
    entries
        .iter()
        .filter_map(|entry| tasks.between(from, to, entry.index))
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
    pub(super) fn of(tasks: &Tasks, measured: bool) -> Option<Self> {
        let mut needs: Option<Self> = None;
        for (index, _) in tasks.moments(Of::Finished) {
            let Some(service) = tasks.between(Of::Started, Of::Finished, index) else {
                continue;
            };
            if tasks.sum(Of::Known, index) < service {
                return None;
            }
            let on_cpu = tasks.sum(Of::OnCpu, index);
            let need = if measured {
                service.saturating_sub(tasks.sum(Of::Waiting, index))
            } else {
                on_cpu + tasks.sum(Of::UsefulWait, index)
            };
            let before = needs.unwrap_or(Self {
                sum: Nanos::ZERO,
                longest: Nanos::ZERO,
                on_cpu: Nanos::ZERO,
            });
            needs = Some(Self {
                sum: before.sum + need,
                longest: before.longest.max(need),
                on_cpu: before.on_cpu + on_cpu,
            });
        }
        needs
    }
}
