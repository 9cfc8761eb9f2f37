//! `parviz cpus`: how many processors there are. One count is never enough: what the system lists, what
//! this process may use, and what computing at once really brings are different numbers.
#![expect(
    clippy::disallowed_methods,
    reason = "measures how much faster several threads compute than one"
)]

use crate::platform::{Processors, processors};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long each measurement computes.
const SPELL: Duration = Duration::from_millis(200);
/// A neighbour on the machine spoils one measurement more easily than the best of several.
const TIMES: usize = 3;

/// The text that `parviz cpus` prints.
pub fn tell() -> String {
    let processors = processors();
    let best = |threads| (0..TIMES).map(|_| rate(threads)).fold(0.0, f64::max);
    let capacity = best(processors.logical) / best(1);
    lines(processors, capacity)
}

fn lines(processors: Processors, capacity: f64) -> String {
    let Processors {
        logical,
        physical,
        usable,
    } = processors;
    format!(
        "Number of processors: {logical}\n\
         physical cores:       {physical}\n\
         usable here:          {usable}  (affinity and limits of this process)\n\
         measured capacity:    {capacity:.1}  ({logical} threads at once compute {capacity:.1} times as much as one)\n"
    )
}

/// Steps a second that so many threads make together.
fn rate(threads: u32) -> f64 {
    let (steps, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    steps.fetch_add(compute(), Ordering::Relaxed);
                    if began.elapsed() >= SPELL {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    steps.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

/// About 100 microseconds of arithmetic in registers; says how many steps that was.
fn compute() -> u64 {
    const STEPS: u64 = 50_000;
    let mut number = 1_u64;
    for step in 0..STEPS {
        number = black_box(
            number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(step),
        );
    }
    STEPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_what_python_users_know() {
        let processors = Processors {
            logical: 8,
            physical: 4,
            usable: 2,
        };
        let told = lines(processors, 1.94);
        let told: Vec<&str> = told.lines().collect();
        assert_eq!(told[0], "Number of processors: 8");
        assert_eq!(
            told[2],
            "usable here:          2  (affinity and limits of this process)"
        );
        assert!(told[3].ends_with("1.9  (8 threads at once compute 1.9 times as much as one)"));
    }
}
