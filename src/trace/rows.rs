//! The places of the workers: a name in a pool, and the lanes that had it one after another.

use crate::event::{LaneId, PoolId};
use std::collections::BTreeMap;

/// The lanes of one place in a pool: a worker, and those that replaced it, by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name in its pool; another pool may have the same.
    pub name: String,
    pub pool: Option<PoolId>,
    pub lanes: Vec<LaneId>,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    /// By their first lanes.
    all: Vec<Row>,
    /// The first lane of each.
    named: BTreeMap<(Option<PoolId>, String), LaneId>,
    /// The first lanes of the rows of each pool, by number.
    of_pool: BTreeMap<Option<PoolId>, Vec<LaneId>>,
}

impl Rows {
    pub(super) fn all(&self) -> &[Row] {
        &self.all
    }

    pub(super) fn of(&self, pool: Option<PoolId>) -> impl ExactSizeIterator<Item = &Row> {
        let firsts = self.of_pool.get(&pool).map_or(&[][..], Vec::as_slice);
        firsts.iter().map(|&first| &self.all[self.place(first)])
    }

    /// The row at this place where those of a pool stand together and pools in the order of their numbers.
    pub(super) fn by_pool(&self, mut index: usize) -> Option<&Row> {
        for firsts in self.of_pool.values() {
            match firsts.get(index) {
                Some(&first) => return Some(&self.all[self.place(first)]),
                None => index -= firsts.len(),
            }
        }
        None
    }

    /// How many rows stand before those of a pool there.
    pub(super) fn before(&self, pool: Option<PoolId>) -> usize {
        self.of_pool.range(..pool).map(|(_, rows)| rows.len()).sum()
    }

    /// Adds a lane that is in no row yet.
    pub(super) fn add(&mut self, lane: LaneId, pool: Option<PoolId>, name: &str) {
        let key = (pool, name.to_owned());
        let Some(&first) = self.named.get(&key) else {
            let row = Row {
                name: name.to_owned(),
                pool,
                lanes: vec![lane],
            };
            self.named.insert(key, lane);
            self.put(row);
            return;
        };
        let place = self.place(first);
        if lane > first {
            let lanes = &mut self.all[place].lanes;
            let behind = lanes.partition_point(|&other| other < lane);
            lanes.insert(behind, lane);
            return;
        }
        let mut row = self.all.remove(place);
        row.lanes.insert(0, lane);
        if let Some(firsts) = self.of_pool.get_mut(&pool) {
            firsts.retain(|&other| other != first);
        }
        self.named.insert(key, lane);
        self.put(row);
    }

    fn put(&mut self, row: Row) {
        let first = row.lanes[0];
        let firsts = self.of_pool.entry(row.pool).or_default();
        let behind = firsts.partition_point(|&other| other < first);
        firsts.insert(behind, first);
        let place = self.place(first);
        self.all.insert(place, row);
    }

    fn place(&self, first: LaneId) -> usize {
        self.all.partition_point(|row| row.lanes[0] < first)
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
    }
}
