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
    /// `sums[k]`: over the entries of block `k` and all before it.
    sums: Vec<Mean>,
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
        let base = block.checked_sub(1).map(|last| self.sums[last]);
        let rest = entries.part(block * BLOCK..entries.len());
        add(base.unwrap_or_default(), rest, tasks, (from, to))
    }
}

fn add(base: Mean, entries: List<'_, Entry>, tasks: &Tasks, (from, to): Stretch) -> Mean {
    let lengths = entries.iter();
    let lengths = lengths.filter_map(|entry| tasks.between(from, to, entry.index));
    lengths.fold(base, |mean, length| Mean {
        sum: mean.sum + length,
        count: mean.count + 1,
        longest: mean.longest.max(length),
    })
}

/// A sum of lengths, how many there are, and the longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    pub sum: Nanos,
    pub count: u32,
    pub longest: Nanos,
}

impl Mean {
    /// The mean; `None` of nothing.
    pub fn value(self) -> Option<Nanos> {
        (self.count > 0).then(|| Nanos(self.sum.0 / u64::from(self.count)))
    }
}

/// So small a part of the time of all tasks may be unknown where their sum is told: 2 %.
const UNKNOWN: u64 = 50;
/// So small a part of the sum may be waits for each other, at the very most: 5 %.
const LOCKED: u64 = 20;

/// What the tasks of a call really needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) sum: Nanos,
    pub(super) longest: Nanos,
    /// The part of the sum that was spent on a CPU.
    pub(super) on_cpu: Nanos,
    /// The part of the sum in which they were blocked.
    blocked: Nanos,
}

/// What the tasks of a call needed, kept by blocks of their indexes until something is told of one.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// `None`: to be made anew.
    blocks: Vec<Option<Part>>,
    is_old: bool,
    needs: Option<Needs>,
}

/// Which blocks are kept is no fact.
impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        self.needs == other.needs
    }
}

/// What the tasks of a block that were entered and ended needed.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    needs: Needs,
    count: u32,
    services: Nanos,
    /// What little of it is not accounted for counts as needed.
    unknown: Nanos,
}

impl Account {
    /// Something was told of a task.
    pub(super) fn changed(&mut self, index: u32) {
        let block = index as usize / BLOCK;
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, Some(Part::default()));
        }
        self.blocks[block] = None;
        self.is_old = true;
    }

    /// All is to be made anew.
    pub(super) fn doubt(&mut self) {
        self.blocks.fill(None);
        self.is_old = true;
    }

    pub(super) fn settle(&mut self, tasks: &Tasks, measured: bool) {
        if !std::mem::take(&mut self.is_old) {
            return;
        }
        let blocks = (0..).zip(&mut self.blocks);
        let all = blocks.fold(Part::default(), |all, (block, part)| {
            all.plus(part.get_or_insert_with(|| Part::of(tasks, block, measured)))
        });
        self.needs = all.needs();
    }

    /// What all of them needed is not known yet.
    pub(super) fn forget(&mut self) {
        self.needs = None;
        self.is_old = true;
    }

    /// `None` of no task, and if too much of their time was not accounted for.
    pub(super) fn needs(&self) -> Option<Needs> {
        self.needs
    }
}

impl Part {
    fn of(tasks: &Tasks, block: u32, measured: bool) -> Self {
        let first = block * BLOCK as u32;
        let mut part = Self::default();
        for index in first..first + BLOCK as u32 {
            let Some(service) = tasks.between(Of::Started, Of::Finished, index) else {
                continue;
            };
            let on_cpu = tasks.sum(Of::OnCpu, index);
            let waiting = tasks.sum(Of::Waiting, index);
            let useful_wait = tasks.sum(Of::UsefulWait, index);
            let known = tasks.sum(Of::Known, index);
            let need = if measured {
                // What it was on a CPU it needed, however the waits between tasks were shared out.
                service.saturating_sub(waiting).max(on_cpu.min(service))
            } else {
                on_cpu + useful_wait
            };
            let blocked = known.saturating_sub(on_cpu + waiting + useful_wait);
            part = part.plus(&Self {
                needs: Needs {
                    sum: need,
                    longest: need,
                    on_cpu,
                    blocked,
                },
                count: 1,
                services: service,
                unknown: service.saturating_sub(known),
            });
        }
        part
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            needs: Needs {
                sum: self.needs.sum + other.needs.sum,
                longest: self.needs.longest.max(other.needs.longest),
                on_cpu: self.needs.on_cpu + other.needs.on_cpu,
                blocked: self.needs.blocked + other.needs.blocked,
            },
            count: self.count + other.count,
            services: self.services + other.services,
            unknown: self.unknown + other.unknown,
        }
    }

    fn needs(&self) -> Option<Needs> {
        let known = self.unknown <= Nanos(self.services.0 / UNKNOWN);
        (self.count > 0 && known).then_some(self.needs)
    }
}

impl Needs {
    /// Whether it is what each task would have needed alone, if so many workers were threads of one
    /// interpreter. One may have waited for its lock while others had that, so for as long as the others
    /// were on a CPU; what it was blocked longer, or whether at all, has nothing to do with the lock.
    pub(super) fn is_without_lock(&self, workers: usize) -> bool {
        let others = workers.saturating_sub(1) as u64;
        let locked = Nanos(self.on_cpu.0.saturating_mul(others)).min(self.blocked);
        locked <= Nanos(self.sum.0 / LOCKED)
    }

    /// Whether it is what so many workers would have needed one after the other: while tasks were blocked,
    /// they may have slept, which a loop must do too, or waited for a lock that another of them held, which
    /// it need not. No clock tells these apart.
    pub(super) fn is_of_each_alone(&self, workers: usize) -> bool {
        workers < 2 || self.blocked <= Nanos(self.sum.0 / LOCKED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tasks that took 1000 each, of which so much was on a CPU, so much a wait for one, and so much unknown.
    fn needs(spent: &[(u64, u64, u64)]) -> Option<Needs> {
        let mut tasks = Tasks::default();
        tasks.grow(spent.len());
        for (index, &(on_cpu, waiting, unknown)) in (0..).zip(spent) {
            tasks.set(Of::Started, index, 500);
            tasks.set(Of::Finished, index, 1_500);
            tasks.add(Of::OnCpu, index, Nanos(on_cpu));
            tasks.add(Of::Waiting, index, Nanos(waiting));
            tasks.add(Of::Known, index, Nanos(1_000 - unknown));
        }
        let mut account = Account::default();
        (0..spent.len() as u32).for_each(|index| account.changed(index));
        account.settle(&tasks, true);
        account.needs()
    }

    #[test]
    fn what_is_kept_of_other_tasks_stays_right_as_one_changes() {
        let (mut tasks, mut kept) = (Tasks::default(), Account::default());
        tasks.grow(3_000);
        for index in (0..3_000).chain([5, 2_999, 700, 0]) {
            tasks.set(Of::Started, index, 0);
            tasks.set(Of::Finished, index, 1_000 + u64::from(index * 7 % 100));
            tasks.add(Of::OnCpu, index, Nanos(300));
            tasks.add(Of::Known, index, Nanos(1_100));
            kept.changed(index);
            if index % 400 == 5 || index == 0 {
                kept.settle(&tasks, true);
                let mut anew = Account::default();
                (0..3_000).for_each(|index| anew.changed(index));
                anew.settle(&tasks, true);
                assert_eq!(kept.needs(), anew.needs());
            }
        }
        kept.doubt();
        kept.settle(&tasks, false);
        assert_eq!(kept.needs().map(|needs| needs.sum.0), Some(3_004 * 300));
    }

    #[test]
    fn what_tasks_needed_is_known_as_far_as_nearly_all_of_their_time_is() {
        let sum = |spent: &[(u64, u64, u64)]| needs(spent).map(|needs| needs.sum.0);
        assert_eq!(sum(&[(600, 400, 0), (100, 0, 0)]), Some(1_600));
        assert_eq!(sum(&[(600, 380, 20), (1_000, 0, 20)]), Some(1_620));
        assert_eq!(sum(&[(600, 300, 100), (1_000, 0, 0)]), None);
        assert_eq!(sum(&[]), None);
    }

    #[test]
    fn threads_that_compute_may_have_waited_for_their_interpreter() {
        let needs = |spent: &[(u64, u64, u64)]| needs(spent).unwrap();
        let computing = needs(&[(250, 0, 0), (250, 0, 0)]);
        assert!(!computing.is_without_lock(4) && computing.is_without_lock(1));
        let sleeping = needs(&[(2, 0, 0), (3, 10, 0)]);
        assert!(sleeping.is_without_lock(4));
        assert!(!sleeping.is_of_each_alone(4) && sleeping.is_of_each_alone(1));
        assert!(needs(&[(960, 0, 0), (600, 360, 0)]).is_of_each_alone(4));
        // They had it for themselves: of another interpreter, or one after the other.
        assert!(needs(&[(1_000, 0, 0), (600, 400, 0)]).is_without_lock(4));
    }
}
