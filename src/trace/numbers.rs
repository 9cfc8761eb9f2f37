//! Every number of a run as of any moment.
//!
//! Names, formulas and sources are the columns of the JSON report; `None` is "not defined, or not known
//! yet" and never stands for 0. With `T` the makespan, `P` the workers, `C` the CPUs, `B_w` the time
//! worker `w` was in tasks, and `c` what a task really needed. The begin is
//! that of the run; in a program that makes its own calls it is that of the call, and `P` are the workers
//! of its pool that were alive until its end.

use super::scope::{Scope, has_result};
use crate::event::{CallKind, CallerState, Ends};
use crate::time::{Nanos, Span, Time};
use crate::trace::order::pairs;
use crate::trace::sums::Needs;
use crate::trace::{Call, Pool, Row, Trace};

/// Of fewer results than this a share of the pairs says nothing yet: it may be all of one and soon a tenth.
pub const ENOUGH: u32 = 8;

/// What can still come of a main program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MainProgram {
    #[default]
    GoesOn,
    /// Its run has ended.
    Over,
    /// So has its run, inside a call that never returns.
    BlockedForEver,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// The run, or the call of a program, has ended as of this moment: what is `None` stays so.
    pub complete: bool,
    /// What can still come of the main program.
    pub main: MainProgram,
    /// Events were not seen that belong to this: counts and times are at least what they are here.
    pub at_least: bool,
    /// From the begin to this moment, or to its makespan if that is known.
    pub elapsed: Nanos,
    /// Last ready - begin; none if the call never completes. (Graham 1969)
    pub makespan: Option<Nanos>,
    /// What a plain loop needs: serial part + sum of `c`. Measured: an estimate, unless a run of the loop
    /// replaced it, see [`Trace::know_loop`].
    pub serial_time: Option<Nanos>,
    /// `S` = serial time / `T`.
    pub speedup: Option<f64>,
    /// `S` as if no task had ever waited for another, where `S` is not known because they may have.
    pub speedup_at_most: Option<f64>,
    /// `S` / `P`.
    pub efficiency: Option<f64>,
    /// sum `B_w` / (`P` `T`).
    pub utilisation: Option<f64>,
    /// max `B_w` / mean `B_w`.
    pub imbalance: Option<f64>,
    /// (`P` `T` - sum `B_w`) / (`P` `T`).
    pub not_computing: Option<f64>,
    /// (1/`S` - 1/`P`) / (1 - 1/`P`); none for one worker. (Karp & Flatt 1990)
    pub karp_flatt: Option<f64>,
    /// serial + max(longest `c`, CPU work / min(`P`, `C`), all work / `P`); none where tasks went on after the
    /// makespan, which that does not bound. (Graham)
    pub lower_bound: Option<Nanos>,
    /// Pairs that finished the other way round than they were submitted. (Kendall 1938)
    pub inversions_finished: u64,
    pub inversions_delivered: u64,
    /// 1 - 4 inversions / (n (n - 1)) over the finished tasks.
    pub kendall_tau: Option<f64>,
    /// Share of finished tasks that came after one of a higher index. (RFC 4737)
    pub reordered_ratio: Option<f64>,
    /// Mean start - submitted.
    pub wait: Option<Nanos>,
    /// Mean finished - started.
    pub service: Option<Nanos>,
    /// Mean ready - finished.
    pub hold: Option<Nanos>,
    /// First ready - begin, of a task that has a result.
    pub first_result: Option<Nanos>,
    /// Time main spent inside blocking calls; in a program, from the begin to the end of the call.
    pub blocked_main: Option<Nanos>,
    /// Main runs the tasks itself, in a loop: no call blocks it, and it is not free for anything else.
    pub main_computes: bool,
    /// When main had everything and had done its own work, or was out of it by an error, from the begin.
    pub program_end: Option<Nanos>,
    /// Chunks sent.
    pub messages: u32,
    pub chunksize: Option<u32>,
    /// Submitted - started.
    pub queue_depth: u32,
    pub queue_depth_max: u32,
    /// Tasks so far.
    pub submitted: u32,
    pub started: u32,
    pub finished: u32,
    pub ready: u32,
    pub delivered: u32,
    workers: u32,
}

impl Numbers {
    pub fn pairs_delivered(&self) -> u64 {
        pairs(self.delivered)
    }

    /// Inversions / pairs of what was delivered, once that says something.
    pub fn out_of_order(&self) -> Option<f64> {
        let pairs = self.pairs_delivered();
        let share = self.inversions_delivered as f64 / pairs.max(1) as f64;
        (pairs > 0 && (self.complete || self.delivered >= ENOUGH)).then_some(share)
    }

    /// The same numbers with this serial time.
    #[must_use]
    fn with_serial_time(mut self, serial_time: Option<Nanos>) -> Self {
        self.serial_time = serial_time;
        let workers = f64::from(self.workers);
        self.speedup = self.times_faster(serial_time);
        self.efficiency = self
            .speedup
            .filter(|_| self.workers > 0)
            .map(|speedup| speedup / workers);
        self.karp_flatt = self
            .speedup
            .filter(|&speedup| self.workers > 1 && speedup > 0.0)
            .map(|speedup| (1.0 / speedup - 1.0 / workers) / (1.0 - 1.0 / workers));
        self
    }

    /// Than a loop that takes so long.
    fn times_faster(&self, serial_time: Option<Nanos>) -> Option<f64> {
        let makespan = self.makespan.filter(|makespan| makespan.0 > 0);
        let both = serial_time.zip(makespan);
        both.map(|(serial, makespan)| serial.0 as f64 / makespan.0 as f64)
    }
}

impl Trace {
    /// The numbers as of `time`, the moment itself included; in a program those of the shown call.
    pub fn numbers(&self, time: Time) -> Numbers {
        self.numbers_in(&self.scope(self.call()), time)
    }

    /// The numbers of a call of a program.
    pub fn numbers_of(&self, call: &Call, time: Time) -> Numbers {
        self.numbers_in(&self.scope(Some(call)), time)
    }

    /// When the last result became ready, if as of `time` no other will.
    pub fn makespan_at(&self, time: Time) -> Option<Time> {
        self.scope(self.call()).makespan(time)
    }

    fn numbers_in(&self, scope: &Scope<'_>, time: Time) -> Numbers {
        let from = scope.from;
        let ended = scope.ended.filter(|&(at, _)| at <= time);
        let makespan = scope.makespan(time);
        let to = scope.accounted_to(time).min(time);
        let rows = self.rows_in(scope, to);
        let mut numbers = Numbers {
            complete: ended.is_some(),
            main: match self.ended() {
                Some((at, _)) if at <= time => MainProgram::Over,
                _ => MainProgram::GoesOn,
            },
            elapsed: if self.is_program() && scope.call.is_none() {
                // It begins with the call.
                Nanos::ZERO
            } else {
                to.since(from)
            },
            makespan: makespan.map(|at| at.since(from)),
            workers: rows.len() as u32,
            at_least: self.is_touched(scope, time) || scope.call.is_some_and(|call| call.is_cut),
            ..Numbers::default()
        };
        self.tell_caller(scope, time, &mut numbers);
        if let Some(call) = scope.call {
            count(call, time, &mut numbers);
            numbers.main_computes = call.kind == CallKind::Loop;
            numbers.first_result = first_result(scope, call, time).map(|at| at.since(from));
        }
        if let Some(over) = makespan.or(ended.map(|ended| ended.0)) {
            self.weigh(scope, &rows, over, &mut numbers);
        }
        let over = makespan.is_some() || ended.is_some();
        // What its tasks needed is known of all of them together: not while a series is still to go on.
        let is_whole = |call: &&Call| call.told_until(time) == call.tasks().len();
        let call = scope.call.filter(|_| over).filter(is_whole);
        numbers.lower_bound = call.and_then(|call| self.lower_bound(call, rows.len()));
        let serial = call.and_then(|call| {
            let needs = || self.needs(call, rows.len());
            self.loop_time
                .or_else(|| needs().map(|needs| self.serial_time(needs)))
        });
        let mut numbers = numbers.with_serial_time(serial);
        // Work that goes on after the last result is in no makespan, and what an executor gave up was not done:
        // nothing can be compared with it.
        let broken = ended.is_some_and(|(_, ends)| ends == Ends::BrokenProcessPool);
        let goes_on = makespan.is_some_and(|makespan| works_after(scope, makespan));
        if goes_on {
            numbers.lower_bound = None;
        }
        if broken || goes_on {
            (numbers.speedup, numbers.efficiency, numbers.karp_flatt) = (None, None, None);
        } else if numbers.speedup.is_none() && !numbers.at_least {
            let most = call.and_then(|call| self.most_needs(call, rows.len()));
            let most = most.map(|needs| self.serial_time(needs));
            numbers.speedup_at_most = numbers.times_faster(most);
        }
        numbers
    }

    fn tell_caller(&self, scope: &Scope<'_>, time: Time, numbers: &mut Numbers) {
        let (caller, end) = match scope.call {
            Some(call) if scope.program => {
                let end = scope.ended.map_or(time, |(at, _)| at.min(time));
                (self.caller_of(call.caller), end)
            }
            // What a program waits for without a call of a pool is not told.
            None if self.is_program() => return,
            // Where main waits for ever, no longer than there was a run.
            _ => (
                self.caller(),
                self.ended().map_or(time, |(at, _)| at.min(time)),
            ),
        };
        let Some(caller) = caller else { return };
        numbers.blocked_main = Some(caller.blocked_in(Span::new(scope.from.min(end), end)));
        let ended = scope.ended.filter(|&(at, _)| at <= time);
        let is_blocked = matches!(caller.state_at(end), Some(CallerState::Blocked(_)));
        if is_blocked && ended.is_some_and(|(_, ends)| ends == Ends::Never) {
            numbers.main = MainProgram::BlockedForEver;
        }
        numbers.program_end = caller
            .done()
            .filter(|&done| {
                done <= time && (scope.program || ended.is_none_or(|(_, ends)| has_result(ends)))
            })
            .map(|done| done.since(scope.from));
    }

    /// What is known once nothing more can come, which is at `over`.
    fn weigh(&self, scope: &Scope<'_>, rows: &[&Row], over: Time, numbers: &mut Numbers) {
        let span = Span::new(scope.from, over.max(scope.from));
        let busy: Vec<Nanos> = rows.iter().map(|row| self.row_busy_in(row, span)).collect();
        let (sum, most) = (
            busy.iter().copied().sum::<Nanos>(),
            busy.iter().copied().max().unwrap_or_default(),
        );
        let whole = span.length().0 as f64 * busy.len() as f64;
        if whole > 0.0 && numbers.makespan.is_some() {
            numbers.utilisation = Some(sum.0 as f64 / whole);
            // With those that were cut short: they have no service time, but they kept their workers.
            numbers.not_computing = Some((whole - sum.0 as f64) / whole);
        }
        // Its workers may have been busy with tasks of another call.
        if sum.0 > 0 && numbers.started > 0 {
            numbers.imbalance = Some(most.0 as f64 * busy.len() as f64 / sum.0 as f64);
        }
    }

    /// Time that a row's workers spent in tasks within a span.
    fn row_busy_in(&self, row: &Row, span: Span) -> Nanos {
        let first = self.opened_by(row, span.start()).len().saturating_sub(1);
        let end = self.opened_by(row, span.end()).len().max(first);
        let (mut sum, mut place) = (Nanos::ZERO, first);
        while place < end {
            // Those after the first had nothing before the span.
            if place > first
                && let Some((busy, next)) = row.past.busy_in(place..end, span.end())
            {
                (sum, place) = (sum + busy, next);
                continue;
            }
            if let Some(lane) = self.lane(row.lanes[place]) {
                let before = lane.busy_until(span.start());
                sum += lane.busy_until(span.end()).saturating_sub(before);
            }
            place += 1;
        }
        sum
    }

    fn serial_time(&self, needs: Needs) -> Nanos {
        self.run().map_or(Nanos::ZERO, |run| run.serial) + needs.sum
    }

    /// What the tasks of a call would have needed one after the other; `None` also where they may have waited
    /// for each other.
    fn needs(&self, call: &Call, workers: usize) -> Option<Needs> {
        let needs = self.most_needs(call, workers)?;
        // The tasks of the lab wait for nothing but what is asked of them.
        let is_program = self.run().is_some_and(|run| run.program);
        (!is_program || needs.is_of_each_alone(workers)).then_some(needs)
    }

    /// The same with all that they may have waited for each other; `None` where that is the lock of an
    /// interpreter, which threads that compute wait for all the time.
    fn most_needs(&self, call: &Call, workers: usize) -> Option<Needs> {
        let needs = call.needs()?;
        let pool = call.facts.pool.and_then(|pool| self.pool(pool));
        let run = self.run().filter(|run| run.measured);
        let share_lock = run.is_some_and(|run| {
            run.gil || run.program && pool.is_some_and(Pool::has_python_threads)
        });
        (!share_lock || needs.is_without_lock(workers)).then_some(needs)
    }

    fn lower_bound(&self, call: &Call, workers: usize) -> Option<Nanos> {
        let (run, needs) = (self.run()?, self.needs(call, workers)?);
        let workers = workers.max(1) as u64;
        let cpus = match run.cpus {
            _ if run.gil => 1,
            cpus => u64::from(cpus.unwrap_or(u32::MAX)).clamp(1, workers),
        };
        let shared = Nanos(needs.sum.0.div_ceil(workers)).max(Nanos(needs.on_cpu.0.div_ceil(cpus)));
        // Without any work it is the serial part.
        Some(run.serial + needs.longest.max(shared))
    }
}

/// Tasks ended after the last result that main could have, because the results before theirs never came.
fn works_after(scope: &Scope<'_>, makespan: Time) -> bool {
    let last = scope.call.and_then(|call| call.finished.entries().last());
    last.is_some_and(|last| last.at > makespan)
}

/// When the first result could be used. A task that failed has none, nor has one that was lost, nor a call
/// that ended without handing any over.
fn first_result(scope: &Scope<'_>, call: &Call, time: Time) -> Option<Time> {
    let failed = |(at, ends): (Time, Ends)| {
        at <= time && matches!(ends, Ends::Error | Ends::BrokenProcessPool)
    };
    if scope.ended.is_some_and(failed) && call.delivered.count_until(time) == 0 {
        return None;
    }
    call.first_result(time)
}

/// What is counted in orders.
fn count(call: &Call, time: Time, numbers: &mut Numbers) {
    numbers.chunksize = call.facts.chunksize;
    numbers.messages = call.enqueued.count_until(time);
    numbers.submitted = call.submitted.count_until(time);
    numbers.started = call.started.count_until(time) as u32;
    numbers.finished = call.finished.counted_until(time);
    numbers.ready = call.ready.count_until(time) as u32;
    numbers.delivered = call.delivered.count_until(time) as u32;
    numbers.queue_depth = call.queue_at(time);
    numbers.queue_depth_max = call.longest_queue_until(time);
    numbers.inversions_finished = call.finished.inversions_until(time);
    numbers.inversions_delivered = call.delivered.inversions_until(time);
    if numbers.finished >= 2 {
        let pairs = pairs(numbers.finished) as f64;
        numbers.kendall_tau = Some(1.0 - 2.0 * numbers.inversions_finished as f64 / pairs);
    }
    if numbers.finished >= 1 {
        let reordered = f64::from(call.finished.reordered_until(time));
        numbers.reordered_ratio = Some(reordered / f64::from(numbers.finished));
    }
    numbers.wait = call.waits_until(time).value();
    numbers.service = call.services_until(time).value();
    numbers.hold = call.holds_until(time).value();
}
