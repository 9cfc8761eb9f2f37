//! One task, from its start to its end: the work itself, what goes wrong in it, and where its time went.

use super::CALL;
use super::cpu_time::{CpuTime, SHORTER_THAN_A_TURN};
use super::recorder::Tell;
use super::work::{Held, Pace, Token, compute};
use crate::event::{CpuId, Kind, Ran, TaskId};
use crate::experiment::FaultKind;
use crate::origin::Cancel;
use crate::platform::{self, Spent};
use crate::time::{Nanos, Time};
use crate::workload::Work;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Instant;

/// Shorter tasks do not have their time accounted for: reading the clocks would cost more than a percent.
pub(super) const WORTH_MEASURING: Nanos = Nanos(50_000);
/// How often a running task says where its time went.
const TELLS_EVERY: Nanos = Nanos(10_000_000);
/// Work between two looks at whether the run was stopped.
const LOOKS_UP_EVERY: Nanos = Nanos(250_000);
/// Work between two looks at the clock, by which it sees whether it has lost its CPU.
const LOOKS_AT_CLOCK_EVERY: Nanos = Nanos(10_000);
/// How long a task may keep the token of the `gil`; that of CPython's switch interval.
const HOLDS_TOKEN_FOR: Nanos = Nanos(5_000_000);

/// How a task came out.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::origin) enum Fate {
    Done,
    /// It raised this error.
    Raised(String),
    /// It took its worker with it.
    Died,
    /// The run was stopped under it.
    Halted,
}

/// The payload of an error that was asked for; it really unwinds, but says nothing on its way.
struct Asked;

/// Why the body of a task ends before its end.
enum Cut {
    Died,
    Halted,
}

/// Where a task runs: what its worker has around it.
pub(in crate::origin) trait Place {
    fn pace(&self) -> Pace;
    /// This moment of the run, as this system's clock tells it.
    fn instant(&self, at: Time) -> Instant;
    /// Stops all tasks.
    fn halt(&self) -> &Cancel;
    /// There where only one task computes at a time.
    fn token(&self) -> Option<Arc<Token>>;
    /// A task that waits says so this often.
    fn waits_tell_every(&self) -> Nanos;
    /// What the task does to the counter.
    fn count(&self);
    /// This task, which never ends, has begun not to.
    fn hangs(&self, index: u32, at: Time);
    /// What Python prints for a task that fails as it was asked to.
    fn error_text(&self, index: u32) -> String;
}

/// Runs tasks and tells what becomes of them, wherever that is.
pub(in crate::origin) struct Runner<P, R> {
    pub(in crate::origin) place: P,
    pub(in crate::origin) recorder: R,
    cpu_time: CpuTime,
}

impl<P: Place, R: Tell> Runner<P, R> {
    /// For tasks on the calling thread.
    pub(in crate::origin) fn new(place: P, recorder: R) -> Self {
        Self {
            place,
            recorder,
            cpu_time: CpuTime::open(),
        }
    }

    /// Runs a task that starts `at`. Returns when it ended, and how.
    pub(in crate::origin) fn run_task(&mut self, at: Time, index: u32, work: Work) -> (Time, Fate) {
        if !work.enters {
            return (at, Fate::Raised(self.place.error_text(index)));
        }
        let task = TaskId { call: CALL, index };
        let cpu = platform::current_cpu();
        self.recorder.tell(at, Kind::Started { task, cpu });
        let measures = work.cost >= WORTH_MEASURING;
        let mut meter = Meter {
            task,
            since: at,
            measures,
            spent: measures.then(|| self.cpu_time.at(at)).flatten(),
            cpu,
            waited: Nanos::ZERO,
            hangs: false,
        };
        // Nothing is seen of a task that unwound but what it told before.
        let body = catch_unwind(AssertUnwindSafe(|| self.body(&work, at, &mut meter)));
        let now = self.measure(&mut meter);
        let fate = match body {
            Ok(Ok(())) => Fate::Done,
            Ok(Err(Cut::Died)) => Fate::Died,
            Ok(Err(Cut::Halted)) => Fate::Halted,
            Err(payload) => Fate::Raised(self.error_text(index, payload.as_ref())),
        };
        (now, fate)
    }

    fn body(&mut self, work: &Work, began: Time, meter: &mut Meter) -> Result<(), Cut> {
        if work.io {
            self.wait(began + work.cost, meter)?;
        } else {
            self.compute(work.cost, meter)?;
        }
        if work.fault == Some(FaultKind::Hang) {
            return self.hang(meter);
        }
        self.place.count();
        match work.fault {
            Some(FaultKind::Raise) if panics_aloud() => panic!("asked to panic in a task"),
            Some(FaultKind::Raise) => resume_unwind(Box::new(Asked)),
            Some(FaultKind::Die) => Err(Cut::Died),
            _ => Ok(()),
        }
    }

    /// Waits until `end`, or until the run is stopped.
    fn wait(&mut self, end: Time, meter: &mut Meter) -> Result<(), Cut> {
        let every = self.place.waits_tell_every();
        loop {
            let piece = end.min(meter.since + every);
            let until = self.place.instant(piece);
            let halt = self.place.halt();
            let halted = self.recorder.quietly(|| halt.wait_until(until));
            meter.waited = self.recorder.now().min(end).since(meter.since);
            if halted {
                return Err(Cut::Halted);
            }
            if piece == end {
                return Ok(());
            }
            self.measure(meter);
        }
    }

    /// Computes for as long as `cost` takes a CPU that does nothing else.
    fn compute(&mut self, cost: Nanos, meter: &mut Meter) -> Result<(), Cut> {
        let pace = self.place.pace();
        let mut left = pace.steps(cost);
        let token = self.place.token();
        let mut held = self.take(token.as_deref());
        if cost < WORTH_MEASURING {
            compute(left);
            return Ok(());
        }
        let mut held_since = self.recorder.now();
        while left > 0 {
            // Before the work: many may have waited here for their turn.
            if self.place.halt().is_cancelled() {
                return Err(Cut::Halted);
            }
            let steps = left.min(pace.steps(LOOKS_UP_EVERY).max(1));
            let began = self.recorder.now();
            let stayed = self.recorder.quietly(|| self.compute_attentively(steps));
            left -= steps;
            let now = self.recorder.now();
            if stayed {
                self.cpu_time.stayed(began, now);
            }
            if now.since(meter.since) >= TELLS_EVERY {
                self.measure(meter);
            }
            if let Some(token) = token.as_deref()
                && now.since(held_since) >= HOLDS_TOKEN_FOR
                && token.is_wanted()
            {
                drop(held.take());
                held = self.take(Some(token));
                held_since = self.recorder.now();
            }
        }
        Ok(())
    }

    /// Computes; true if the thread stayed on its CPU all the while: no part took much longer than another.
    fn compute_attentively(&self, steps: u64) -> bool {
        let parts = (steps / self.place.pace().steps(LOOKS_AT_CLOCK_EVERY).max(1)).max(2);
        compute(steps % parts);
        let (mut least, mut most) = (Nanos(u64::MAX), Nanos::ZERO);
        let mut before = self.recorder.now();
        for _ in 0..parts {
            compute(steps / parts);
            let now = self.recorder.now();
            let took = now.since(before);
            (least, most) = (least.min(took), most.max(took));
            before = now;
        }
        most.saturating_sub(least) < SHORTER_THAN_A_TURN
    }

    /// Waits for its turn to compute, if there are turns.
    fn take<'a>(&self, token: Option<&'a Token>) -> Option<Held<'a>> {
        token.map(|token| self.recorder.quietly(|| token.take()))
    }

    /// Never ends by itself. What it did before is told first: this is a wait that nobody asked for.
    fn hang(&mut self, meter: &mut Meter) -> Result<(), Cut> {
        let now = self.measure(meter);
        meter.hangs = true;
        self.place.hangs(meter.task.index, now);
        let every = self.place.waits_tell_every();
        loop {
            let until = self.place.instant(meter.since + every);
            let halt = self.place.halt();
            if self.recorder.quietly(|| halt.wait_until(until)) {
                return Err(Cut::Halted);
            }
            self.measure(meter);
        }
    }

    /// Tells how the task spent the stretch that ends now, and begins the next one.
    fn measure(&mut self, meter: &mut Meter) -> Time {
        let now = self.recorder.now();
        let before = meter.spent;
        meter.spent = before.and_then(|_| self.cpu_time.at(now));
        let spent = before.and_then(|before| Some(meter.spent?.since(before)));
        if let Some((end, ran)) = meter.ran(now, spent) {
            self.recorder.tell(end, Kind::Ran(Box::new(ran)));
        }
        meter.since = now;
        now
    }

    fn error_text(&self, index: u32, payload: &(dyn Any + Send)) -> String {
        if payload.is::<Asked>() {
            return self.place.error_text(index);
        }
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        format!("panic: {}", text.unwrap_or("without a text"))
    }
}

/// For tests: a task that raises panics as a mistake in our code would, with all that this sets off.
fn panics_aloud() -> bool {
    cfg!(debug_assertions) && std::env::var_os("PARVIZ_PANIC").is_some_and(|what| what == "task")
}

/// Accounts for the time of one task, stretch by stretch.
struct Meter {
    task: TaskId,
    /// The begin of the stretch.
    since: Time,
    measures: bool,
    /// What the thread had spent at the begin of the stretch, if that is known.
    spent: Option<Spent>,
    cpu: Option<CpuId>,
    /// What the task has waited of its own will in this stretch.
    waited: Nanos,
    /// It does nothing any more.
    hangs: bool,
}

impl Meter {
    /// The account of the stretch that ends `now`, and the moment up to which it accounts. Without a
    /// clock only a wait that was asked for is known, and that a task hangs.
    fn ran(&mut self, now: Time, spent: Option<Spent>) -> Option<(Time, Ran)> {
        let waited = std::mem::take(&mut self.waited);
        let is_measured = self.measures && (spent.is_some() || waited > Nanos::ZERO);
        if !is_measured && !self.hangs {
            return None;
        }
        let end = if spent.is_some() || self.hangs {
            now
        } else {
            now.min(self.since + waited)
        };
        let length = end.since(self.since);
        let spent = spent.unwrap_or_default();
        // The parts come from three clocks; together they are never more than the whole.
        let on_cpu = spent.on_cpu.min(length);
        // Who asked for a wait misses no CPU before its end, whatever the system counts.
        let useful_wait = waited.min(length.saturating_sub(on_cpu));
        let waiting = spent
            .waiting
            .min(length.saturating_sub(on_cpu + useful_wait));
        let cpu_now = platform::current_cpu();
        let cpu = std::mem::replace(&mut self.cpu, cpu_now);
        Some((
            end,
            Ran {
                task: self.task,
                since: self.since,
                on_cpu,
                waiting,
                useful_wait,
                cpu,
                moved_to: cpu_now.filter(|_| cpu_now != cpu),
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::panic_any;

    /// A place whose tasks panic in their own way, by the number of the task.
    struct Panics {
        halt: Cancel,
        with: fn(),
    }

    impl Place for Panics {
        fn pace(&self) -> Pace {
            Pace::measured()
        }

        fn instant(&self, _: Time) -> Instant {
            unreachable!("nothing waits")
        }

        fn halt(&self) -> &Cancel {
            &self.halt
        }

        fn token(&self) -> Option<Arc<Token>> {
            None
        }

        fn waits_tell_every(&self) -> Nanos {
            Nanos::SECOND
        }

        fn count(&self) {
            (self.with)();
        }

        fn hangs(&self, _: u32, _: Time) {}

        fn error_text(&self, index: u32) -> String {
            format!("ValueError: task {index} failed")
        }
    }

    #[derive(Default)]
    struct Told(Vec<Kind>);

    impl Tell for Told {
        fn now(&self) -> Time {
            Time(self.0.len() as u64)
        }

        fn tell(&mut self, _: Time, kind: Kind) {
            self.0.push(kind);
        }

        fn quietly<T>(&self, stretch: impl FnOnce() -> T) -> T {
            stretch()
        }
    }

    fn raised(with: fn(), fault: Option<FaultKind>) -> Fate {
        let place = Panics {
            halt: Cancel::default(),
            with,
        };
        let work = Work {
            cost: Nanos::ZERO,
            io: false,
            fault,
            enters: true,
        };
        Runner::new(place, Told::default())
            .run_task(Time::ZERO, 5, work)
            .1
    }

    #[test]
    fn who_asked_for_a_wait_waits_for_a_cpu_only_after_it() {
        let mut meter = Meter {
            task: TaskId {
                call: CALL,
                index: 0,
            },
            since: Time(100),
            measures: true,
            spent: None,
            cpu: None,
            waited: Nanos(300),
            hangs: false,
        };
        let spent = Spent {
            on_cpu: Nanos(2),
            waiting: Nanos(50),
        };
        let (end, ran) = meter.ran(Time(410), Some(spent)).unwrap();
        assert_eq!(end, Time(410));
        let parts = (ran.on_cpu, ran.useful_wait, ran.waiting);
        assert_eq!(parts, (Nanos(2), Nanos(300), Nanos(8)));
    }

    #[test]
    fn a_task_that_panics_has_raised_what_the_panic_says() {
        let error = |text: &str| Fate::Raised(text.to_owned());
        let (five, ok) = (|| panic!("it is {}", 5), || {});
        assert_eq!(
            raised(|| panic!("a plain text"), None),
            error("panic: a plain text")
        );
        assert_eq!(raised(five, None), error("panic: it is 5"));
        assert_eq!(
            raised(|| panic_any(5), None),
            error("panic: without a text")
        );
        assert_eq!(
            raised(ok, Some(FaultKind::Raise)),
            error("ValueError: task 5 failed")
        );
        assert_eq!(raised(ok, None), Fate::Done);
    }
}
