//! An unbroken stretch of a task on a lane, and how its time was spent.

use crate::event::{CallId, CpuId, TaskId};
use crate::time::{Nanos, Time};
use crate::trace::bits::NONE;
use crate::trace::order::{ahead, not_ahead};
use crate::trace::packed::Row;
use std::ops::{Add, AddAssign};

/// An unbroken stretch of one task on a lane. A task is one piece or several neighbouring ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub start: Time,
    /// [`Time::NEVER`] while it runs.
    pub end: Time,
    pub task: TaskId,
    pub on_cpu: Nanos,
    pub waiting: Nanos,
    pub useful_wait: Nanos,
    /// False: nobody told how this stretch was spent.
    pub known: bool,
    pub cpu: Option<CpuId>,
}

impl Row for Piece {
    type Numbers = [u64; 9];

    fn numbers(&self, place: usize) -> [u64; 9] {
        let is_over = self.end.happened();
        [
            self.start.0,
            if is_over { self.length().0 } else { NONE },
            self.task.call.0.into(),
            ahead(self.task.index, place),
            self.on_cpu.0,
            self.waiting.0,
            self.useful_wait.0,
            self.known.into(),
            self.cpu.map_or(NONE, |cpu| cpu.0.into()),
        ]
    }

    fn from_numbers(numbers: [u64; 9], place: usize) -> Self {
        let [
            start,
            length,
            call,
            index,
            on_cpu,
            waiting,
            useful_wait,
            known,
            cpu,
        ] = numbers;
        let start = Time(start);
        Self {
            start,
            end: if length == NONE {
                Time::NEVER
            } else {
                start + Nanos(length)
            },
            task: TaskId {
                call: CallId(call as u32),
                index: not_ahead(index, place),
            },
            on_cpu: Nanos(on_cpu),
            waiting: Nanos(waiting),
            useful_wait: Nanos(useful_wait),
            known: known == 1,
            cpu: (cpu != NONE).then_some(CpuId(cpu as u16)),
        }
    }
}

impl Piece {
    pub fn length(&self) -> Nanos {
        self.end.since(self.start)
    }

    /// What is neither on a CPU, nor waiting for one, nor an asked-for wait; zero where nothing is known.
    pub fn blocked(&self) -> Nanos {
        if self.known {
            let rest = self
                .length()
                .saturating_sub(self.on_cpu)
                .saturating_sub(self.waiting);
            rest.saturating_sub(self.useful_wait)
        } else {
            Nanos::ZERO
        }
    }

    pub(super) fn sums(&self) -> Sums {
        let busy = self.length();
        Sums {
            busy,
            on_cpu: self.on_cpu,
            waiting: self.waiting,
            useful_wait: self.useful_wait,
            blocked: self.blocked(),
            unknown: if self.known { Nanos::ZERO } else { busy },
        }
    }

    /// Its parts up to `time`, as if it had been spent evenly; rounded so that they add up to the part.
    pub(super) fn sums_until(&self, time: Time) -> Sums {
        if self.end <= time {
            return self.sums();
        }
        let busy = time.since(self.start);
        if !self.known || self.length() == Nanos::ZERO {
            return Sums {
                busy,
                unknown: busy,
                ..Sums::default()
            };
        }
        let length = self.length().0;
        let exactly = |whole: Nanos| u128::from(whole.0) * u128::from(busy.0) / u128::from(length);
        let part = |whole: Nanos| {
            let product = whole.0.checked_mul(busy.0);
            Nanos(product.map_or_else(|| exactly(whole) as u64, |product| product / length))
        };
        let (on_cpu, waiting, useful_wait) = (
            part(self.on_cpu),
            part(self.waiting),
            part(self.useful_wait),
        );
        let rest = busy
            .saturating_sub(on_cpu)
            .saturating_sub(waiting)
            .saturating_sub(useful_wait);
        // What rounding left over belongs to the largest part, not to a wait that never was.
        let (on_cpu, useful_wait, blocked) = match (self.blocked(), self.on_cpu >= self.useful_wait)
        {
            (Nanos(1..), _) => (on_cpu, useful_wait, rest),
            (_, true) => (on_cpu + rest, useful_wait, Nanos::ZERO),
            (_, false) => (on_cpu, useful_wait + rest, Nanos::ZERO),
        };
        Sums {
            busy,
            on_cpu,
            waiting,
            useful_wait,
            blocked,
            unknown: Nanos::ZERO,
        }
    }
}

/// How the time inside tasks was spent; all but `busy` add up to `busy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub busy: Nanos,
    pub on_cpu: Nanos,
    pub waiting: Nanos,
    pub useful_wait: Nanos,
    pub blocked: Nanos,
    pub unknown: Nanos,
}

impl Sums {
    /// How some of it was spent is known.
    pub fn is_known(&self) -> bool {
        self.unknown < self.busy
    }
}

impl Add for Sums {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            busy: self.busy + other.busy,
            on_cpu: self.on_cpu + other.on_cpu,
            waiting: self.waiting + other.waiting,
            useful_wait: self.useful_wait + other.useful_wait,
            blocked: self.blocked + other.blocked,
            unknown: self.unknown + other.unknown,
        }
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sums {
    /// What came after `before`; parts that were rounded apart are made to add up again.
    #[must_use]
    pub(in crate::trace) fn since(self, before: Self) -> Self {
        let mut rest = Self {
            busy: self.busy.saturating_sub(before.busy),
            on_cpu: self.on_cpu.saturating_sub(before.on_cpu),
            waiting: self.waiting.saturating_sub(before.waiting),
            useful_wait: self.useful_wait.saturating_sub(before.useful_wait),
            blocked: self.blocked.saturating_sub(before.blocked),
            unknown: self.unknown.saturating_sub(before.unknown),
        };
        let mut parts = [
            &mut rest.on_cpu,
            &mut rest.waiting,
            &mut rest.useful_wait,
            &mut rest.blocked,
            &mut rest.unknown,
        ];
        let sum: Nanos = parts.iter().map(|part| **part).sum();
        if let Some(most) = parts.iter_mut().max() {
            **most = (**most + rest.busy).saturating_sub(sum);
        }
        rest
    }
}
