//! What a CPU task does: so many steps of arithmetic, and never a look at the clock to know when to stop.
//!
//! A task that spun until a moment had come would take the same time however many others had the CPU, and
//! would show neither oversubscription nor the cost of anything. How many steps a CPU makes in a
//! nanosecond is found out once a process.

use crate::time::Nanos;
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// Steps of arithmetic for each nanosecond of work.
#[derive(Clone, Copy, Debug)]
pub struct Pace(f64);

impl Pace {
    /// Measured at the first call, which takes about two milliseconds; best on a thread nobody waits for.
    pub fn measured() -> Self {
        static PACE: OnceLock<Pace> = OnceLock::new();
        *PACE.get_or_init(|| {
            const STEPS: u64 = 100_000;
            // The fastest of several tries: the others were interrupted.
            let fastest = (0..12)
                .map(|_| {
                    let began = Instant::now();
                    compute(STEPS);
                    began.elapsed().as_nanos().max(1)
                })
                .min()
                .unwrap_or(1);
            Self(STEPS as f64 / fastest as f64)
        })
    }

    /// A pace that was measured elsewhere.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "for workers that are processes")
    )]
    pub(in crate::origin) fn of(steps_a_nanosecond: f64) -> Self {
        Self(steps_a_nanosecond)
    }

    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "for workers that are processes")
    )]
    pub(in crate::origin) fn value(self) -> f64 {
        self.0
    }

    pub fn steps(self, length: Nanos) -> u64 {
        (length.0 as f64 * self.0) as u64
    }
}

/// Each step needs the one before, so a processor cannot do two at once; memory is not touched.
#[inline(never)]
pub fn compute(steps: u64) {
    let mut x = black_box(1_u64);
    for step in 0..steps {
        x = (x ^ step).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    black_box(x);
}

/// The right to compute, which one task has at a time (`gil`), first come, first served.
#[derive(Debug, Default)]
pub(in crate::origin) struct Token(Mutex<Line>);

#[derive(Debug, Default)]
struct Line {
    taken: bool,
    waiting: VecDeque<Sender<()>>,
}

/// Somebody has the token; gives it on when dropped.
#[derive(Debug)]
pub(in crate::origin) struct Held<'a>(&'a Token);

impl Token {
    /// Waits for its turn.
    pub(super) fn take(&self) -> Held<'_> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.taken {
            let (turn, my_turn) = crossbeam_channel::bounded(1);
            line.waiting.push_back(turn);
            drop(line);
            // The sender stays in the line until it sends, so this cannot fail.
            let _ = my_turn.recv();
        } else {
            line.taken = true;
        }
        Held(self)
    }

    pub(super) fn is_wanted(&self) -> bool {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !line.waiting.is_empty()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut line = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.taken = false;
        if let Some(turn) = line.waiting.pop_front() {
            // Handed over without being free in between: nobody can push in.
            line.taken = turn.send(()).is_ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_whoever_waited_first() {
        let token = Token::default();
        let held = token.take();
        let (log, order) = crossbeam_channel::unbounded();
        std::thread::scope(|threads| {
            for name in 0..3 {
                let (token, log) = (&token, log.clone());
                threads.spawn(move || {
                    let _held = token.take();
                    log.send(name).unwrap();
                });
                // In line before the next one comes.
                while token.0.lock().unwrap().waiting.len() <= name {
                    std::thread::yield_now();
                }
            }
            drop(held);
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert!(!token.is_wanted());
    }

    #[test]
    fn twice_the_work_is_twice_the_steps() {
        let pace = Pace::measured();
        let (one, two) = (pace.steps(Nanos(1_000_000)), pace.steps(Nanos(2_000_000)));
        assert!(one > 0 && two.abs_diff(2 * one) <= 1, "{one} {two}");
    }
}
