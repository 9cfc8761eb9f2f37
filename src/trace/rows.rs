//! The places of the workers: a name in a pool, and the lanes that had it one after another.

use super::past::{Lanes, Past};
use crate::event::{LaneId, PoolId};
use std::collections::BTreeMap;

/// The lanes of one place in a pool: a worker, and those that replaced it, by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name in its pool; another pool may have the same.
    pub name: String,
    pub pool: Option<PoolId>,
    pub lanes: Vec<LaneId>,
    pub(super) past: Past,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    /// By their first lanes.
    all: Vec<Row>,
    /// The first lane of each.
    named: BTreeMap<(Option<PoolId>, String), LaneId>,
    /// Their pools and first lanes, in this order.
    by_pool: Vec<(Option<PoolId>, LaneId)>,
    is_renamed: bool,
}

impl Rows {
    pub(super) fn all(&self) -> &[Row] {
        &self.all
    }

    pub(super) fn of(&self, pool: Option<PoolId>) -> impl ExactSizeIterator<Item = &Row> {
        let begin = self.before(pool);
        let rows = &self.by_pool[begin..];
        let rows = &rows[..rows.partition_point(|row| row.0 == pool)];
        rows.iter().map(|&(_, first)| &self.all[self.place(first)])
    }

    /// The row at this place where those of a pool stand together and pools in the order of their numbers.
    pub(super) fn by_pool(&self, index: usize) -> Option<&Row> {
        let &(_, first) = self.by_pool.get(index)?;
        self.all.get(self.place(first))
    }

    /// How many rows stand before those of a pool there.
    pub(super) fn before(&self, pool: Option<PoolId>) -> usize {
        self.by_pool.partition_point(|row| row.0 < pool)
    }

    /// Adds a lane that is in no row yet.
    pub(super) fn add(&mut self, lane: LaneId, pool: Option<PoolId>, name: &str) {
        let key = (pool, name.to_owned());
        let Some(&first) = self.named.get(&key) else {
            let row = Row {
                name: name.to_owned(),
                pool,
                lanes: vec![lane],
                past: Past::default(),
            };
            self.named.insert(key, lane);
            self.put(row);
            return;
        };
        let place = self.place(first);
        if lane > first {
            let row = &mut self.all[place];
            let behind = row.lanes.partition_point(|&other| other < lane);
            row.lanes.insert(behind, lane);
            row.past.forget_from(behind);
            return;
        }
        let mut row = self.all.remove(place);
        row.lanes.insert(0, lane);
        row.past.forget_from(0);
        self.by_pool.remove(self.place_by_pool((pool, first)));
        self.named.insert(key, lane);
        self.put(row);
    }

    /// Takes a lane out of the row that has it: it was told anew as a worker of another.
    pub(super) fn remove(&mut self, lane: LaneId, pool: Option<PoolId>, name: &str) {
        let key = (pool, name.to_owned());
        let Some(&first) = self.named.get(&key) else {
            return;
        };
        let place = self.place(first);
        let mut row = self.all.remove(place);
        self.by_pool.remove(self.place_by_pool((pool, first)));
        self.named.remove(&key);
        row.lanes.retain(|&other| other != lane);
        row.past.forget_from(0);
        if let Some(&first) = row.lanes.first() {
            self.named.insert(key, first);
            self.put(row);
        }
    }

    /// Something was told of these lanes that were over, or they are now. `all`: no more is to be told.
    pub(super) fn settle(&mut self, changed: &[LaneId], lanes: &Lanes, all: bool) {
        if self.is_renamed {
            return;
        }
        let mut counts = BTreeMap::<usize, usize>::new();
        for &lane in changed {
            if let Some((place, behind)) = self.find(lane, lanes) {
                self.all[place].past.forget_from(behind);
                *counts.entry(place).or_default() += 1;
            }
        }
        if all {
            counts = (0..self.all.len())
                .map(|place| (place, usize::MAX))
                .collect();
        }
        for (place, count) in counts {
            let row = &mut self.all[place];
            row.past.settle(&row.lanes, lanes, count);
        }
    }

    /// A worker was told anew as something else: what was kept of the lanes around it does not hold, and no sums are
    /// kept from now on.
    pub(super) fn rename(&mut self) {
        self.is_renamed = true;
        for row in &mut self.all {
            row.past.forget_from(0);
        }
    }

    /// The row of a worker, and how many stand before it there.
    fn find(&self, lane: LaneId, lanes: &Lanes) -> Option<(usize, usize)> {
        let facts = &lanes.get(lane.0 as usize)?.as_deref()?.facts;
        let first = self.named.get(&(facts.pool, facts.name.clone()))?;
        let row = self.place(*first);
        Some((row, self.all[row].lanes.binary_search(&lane).ok()?))
    }

    fn put(&mut self, row: Row) {
        let first = row.lanes[0];
        let by_pool = self.place_by_pool((row.pool, first));
        self.by_pool.insert(by_pool, (row.pool, first));
        let place = self.place(first);
        self.all.insert(place, row);
    }

    fn place_by_pool(&self, row: (Option<PoolId>, LaneId)) -> usize {
        self.by_pool.partition_point(|&other| other < row)
    }

    fn place(&self, first: LaneId) -> usize {
        self.all.partition_point(|row| row.lanes[0] < first)
    }
}

#[cfg(test)]
impl Rows {
    /// Nothing is kept of what has ended, so that everything is counted anew.
    pub(super) fn forget_past(&mut self) {
        for row in &mut self.all {
            row.past.forget_from(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_a_pool_stand_together_and_pools_in_their_order() {
        let mut rows = Rows::default();
        let pools = [1, 0, 1, 0];
        for (lane, pool) in pools.into_iter().enumerate() {
            let lane = LaneId(lane as u32);
            rows.add(lane, Some(PoolId(pool)), &format!("worker {}", lane.0 / 2));
        }
        let first = |index| rows.by_pool(index).map(|row| row.lanes[0].0);
        assert_eq!(
            [0, 1, 2, 3, 4].map(first),
            [Some(1), Some(3), Some(0), Some(2), None]
        );
        assert_eq!([0, 1].map(|pool| rows.before(Some(PoolId(pool)))), [0, 2]);
        let of = |pool| rows.of(pool).map(|row| row.lanes[0].0).collect::<Vec<_>>();
        assert_eq!(
            [1, 9].map(|pool| of(Some(PoolId(pool)))),
            [vec![0, 2], vec![]]
        );
        assert!(of(None).is_empty());
    }

    #[test]
    fn a_lane_that_is_taken_out_leaves_the_rest_of_its_row() {
        let pool = Some(PoolId(0));
        let mut rows = Rows::default();
        for lane in [1, 2, 3] {
            rows.add(LaneId(lane), pool, "worker 0");
        }
        rows.remove(LaneId(1), pool, "worker 0");
        assert_eq!(rows.all()[0].lanes, [LaneId(2), LaneId(3)]);
        assert_eq!(rows.of(pool).len(), 1);
        rows.remove(LaneId(3), pool, "worker 0");
        rows.remove(LaneId(2), pool, "worker 0");
        assert!(rows.all().is_empty() && rows.by_pool.is_empty());
        rows.add(LaneId(2), Some(PoolId(1)), "worker 0");
        assert_eq!(rows.of(Some(PoolId(1))).len(), 1);
    }

    #[test]
    fn a_row_is_known_by_its_lowest_lane_in_whatever_order_its_lanes_open() {
        let rows = |lanes: &[u32]| {
            let mut rows = Rows::default();
            for &lane in lanes {
                let name = format!("worker {}", lane % 3);
                rows.add(LaneId(lane), Some(PoolId(lane % 2)), &name);
            }
            rows
        };
        let forth: Vec<u32> = (0..40).collect();
        let back: Vec<u32> = (0..40).rev().collect();
        assert_eq!(rows(&forth), rows(&back));
        assert_eq!(rows(&forth).by_pool.len(), 6);
    }
}
