//! What becomes of the counter G: copies, lost updates, and what a lock makes of them.
//!
//! An increment is two steps, load and store. The steps of one worker follow one another; those of different
//! workers may be mixed in any way. A run runs one of these interleavings, each as likely as any other.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The values of G at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    /// G as the main program sees it.
    pub(super) main: u64,
    /// The sum over all copies of G.
    pub(super) sum: u64,
    /// The least and the greatest that any interleaving gives; known of a race only.
    pub(super) bounds: Option<(u64, u64)>,
}

/// One G that everybody writes to without disturbing the others.
pub(super) fn shared(increments: &[u64]) -> Counters {
    let sum = increments.iter().sum();
    Counters {
        main: sum,
        sum,
        bounds: None,
    }
}

/// A copy of G for each worker; that of the main program stays 0.
pub(super) fn separate(increments: &[u64]) -> Counters {
    Counters {
        main: 0,
        ..shared(increments)
    }
}

/// One G, and increments under a lock, which makes one step of them.
pub(super) fn locked(increments: &[u64]) -> Counters {
    let counters = shared(increments);
    Counters {
        bounds: Some(bounds(increments, true)),
        ..counters
    }
}

/// One G, and one interleaving of the workers' steps, drawn from the seed.
pub(super) fn race(increments: &[u64], seed: u64) -> Counters {
    let mut steps: Vec<u16> = increments
        .iter()
        .enumerate()
        .flat_map(|(worker, &count)| std::iter::repeat_n(worker as u16, 2 * count as usize))
        .collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // The costs of the tasks come from stream 0.
    random.set_stream(1);
    // Fisher and Yates by hand: the one in `rand` may change from version to version.
    for last in (1..steps.len()).rev() {
        let other = (u128::from(random.random::<u64>()) * (last as u128 + 1)) >> 64;
        steps.swap(last, other as usize);
    }
    let main = play(&steps, increments.len());
    Counters {
        main,
        sum: main,
        bounds: Some(bounds(increments, false)),
    }
}

/// The least and the greatest G of all interleavings. A lock makes one step of an increment.
pub(in crate::origin) fn bounds(increments: &[u64], locked: bool) -> (u64, u64) {
    let sum = increments.iter().sum();
    (if locked { sum } else { least(increments) }, sum)
}

/// G after these steps, each given by its worker: in turn a load and a store.
fn play(steps: &[u16], workers: usize) -> u64 {
    let mut loaded = vec![None; workers];
    let mut counter = 0;
    for &worker in steps {
        let register = &mut loaded[usize::from(worker)];
        match register.take() {
            None => *register = Some(counter),
            Some(value) => counter = value + 1,
        }
    }
    counter
}

/// The least G of all interleavings. The last store adds 1 to what its worker loaded. That can be 0 if the
/// worker loads only once, before anybody stores. Otherwise it has stored before; but another worker
/// that loaded 0 at the very begin may have stored 1 since then.
fn least(increments: &[u64]) -> u64 {
    let racing: Vec<u64> = increments
        .iter()
        .copied()
        .filter(|&count| count > 0)
        .collect();
    match racing[..] {
        [] => 0,
        [alone] => alone,
        _ if racing.contains(&1) => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// How many interleavings end in which G.
    fn endings(increments: &[u64]) -> BTreeMap<u64, u32> {
        fn go(left: &mut Vec<u64>, steps: &mut Vec<u16>, found: &mut BTreeMap<u64, u32>) {
            if left.iter().all(|&count| count == 0) {
                *found.entry(play(steps, left.len())).or_default() += 1;
            }
            for worker in 0..left.len() {
                if left[worker] > 0 {
                    left[worker] -= 1;
                    steps.push(worker as u16);
                    go(left, steps, found);
                    steps.pop();
                    left[worker] += 1;
                }
            }
        }
        let mut found = BTreeMap::new();
        let mut left = increments.iter().map(|count| 2 * count).collect();
        go(&mut left, &mut Vec::new(), &mut found);
        found
    }

    #[test]
    fn two_times_three_increments_have_924_interleavings() {
        let expected = [(2, 8), (3, 300), (4, 416), (5, 180), (6, 20)];
        assert_eq!(endings(&[3, 3]), BTreeMap::from(expected));
    }

    #[test]
    fn the_bounds_are_those_of_all_interleavings() {
        for increments in [
            &[3, 3][..],
            &[1, 3],
            &[2, 2],
            &[2, 2, 2],
            &[1, 1, 1],
            &[4],
            &[0, 3],
        ] {
            let endings = endings(increments);
            let bounds = race(increments, 1).bounds;
            let counted = (
                *endings.first_key_value().unwrap().0,
                *endings.last_key_value().unwrap().0,
            );
            assert_eq!(bounds, Some(counted), "{increments:?}");
        }
    }

    #[test]
    fn every_interleaving_is_drawn_as_often_as_any_other() {
        let runs = 9_240_u32;
        let mut drawn: BTreeMap<u64, u32> = BTreeMap::new();
        for seed in 0..runs {
            *drawn
                .entry(race(&[3, 3], u64::from(seed)).main)
                .or_default() += 1;
        }
        for (value, count) in endings(&[3, 3]) {
            let expected = f64::from(count) * f64::from(runs) / 924.0;
            let seen = f64::from(drawn.get(&value).copied().unwrap_or(0));
            // Five standard deviations.
            assert!(
                (seen - expected).abs() < 5.0 * expected.sqrt(),
                "{value}: {seen} of {expected}"
            );
        }
    }

    #[test]
    fn a_lock_loses_nothing() {
        assert_eq!(locked(&[3, 3]).main, 6);
        assert_eq!(separate(&[2, 2, 2, 2]).main, 0);
        assert_eq!(separate(&[2, 2, 2, 2]).sum, 8);
    }
}
