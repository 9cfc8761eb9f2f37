//! Every number of a run as of any moment.
//!
//! Names, formulas and sources are the columns of the JSON report; `None` is "not defined, or not known
//! yet" and never stands for 0. With `T` the makespan, `P` the workers, `C` the CPUs, `B_w` the time
//! worker `w` was in tasks, `c` what a task really needed, and `W` the sum of service times:

use crate::event::Ends;
use crate::time::{Nanos, Time};
use crate::trace::order::pairs;
use crate::trace::{Call, Trace};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// The run has ended as of this moment: what is `None` stays so.
    pub complete: bool,
    /// From the begin of the run to this moment, or to its makespan if that is known.
    pub elapsed: Nanos,
    /// Last ready - begin of the run; none if the call never completes. (Graham 1969)
    pub makespan: Option<Nanos>,
    /// What a plain loop needs: serial part + sum of `c`. Measured: an estimate, unless a run of the loop
    /// replaced it, see [`Trace::know_loop`].
    pub serial_time: Option<Nanos>,
    /// `S` = serial time / `T`.
    pub speedup: Option<f64>,
    /// `S` / `P`.
    pub efficiency: Option<f64>,
    /// sum `B_w` / (`P` `T`).
    pub utilisation: Option<f64>,
    /// max `B_w` / mean `B_w`.
    pub imbalance: Option<f64>,
    /// (`P` `T` - `W`) / (`P` `T`).
    pub not_computing: Option<f64>,
    /// (1/`S` - 1/`P`) / (1 - 1/`P`); none for one worker. (Karp & Flatt 1990)
    pub karp_flatt: Option<f64>,
    /// serial + max(longest `c`, CPU work / min(`P`, `C`), all work / `P`). (Graham)
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
    /// First ready - begin of the run.
    pub first_result: Option<Nanos>,
    /// Time main spent inside blocking calls.
    pub blocked_main: Option<Nanos>,
    /// When main had everything and had done its own work.
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

    /// The same numbers with this serial time.
    #[must_use]
    fn with_serial_time(mut self, serial_time: Option<Nanos>) -> Self {
        self.serial_time = serial_time;
        let workers = f64::from(self.workers);
        let makespan = self.makespan.filter(|makespan| makespan.0 > 0);
        self.speedup = serial_time
            .zip(makespan)
            .map(|(serial, makespan)| serial.0 as f64 / makespan.0 as f64);
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
}

impl Trace {
    /// The numbers as of `time`, the moment itself included.
    pub fn numbers(&self, time: Time) -> Numbers {
        let ended = self.ended().filter(|&(at, _)| at <= time);
        let makespan = self.makespan_at(time);
        let mut numbers = Numbers {
            complete: ended.is_some(),
            elapsed: self.accounted_to(time).min(time).since(Time::ZERO),
            makespan: makespan.map(|at| at.since(Time::ZERO)),
            workers: self.rows().len() as u32,
            ..Numbers::default()
        };
        if let Some(caller) = self.caller() {
            numbers.blocked_main = Some(caller.blocked_until(time));
            numbers.program_end = caller
                .done()
                .filter(|&done| done <= time && ended.is_none_or(|(_, ends)| has_result(ends)))
                .map(|done| done.since(Time::ZERO));
        }
        if let Some(call) = self.call() {
            count(call, time, &mut numbers);
        }
        if let Some(over) = makespan.or(ended.map(|ended| ended.0)) {
            self.weigh(over, &mut numbers);
        }
        let over = makespan.is_some() || ended.is_some();
        let serial = self
            .call()
            .filter(|_| over)
            .and_then(|call| self.loop_time.or_else(|| self.serial_time(call)));
        numbers.with_serial_time(serial)
    }

    /// What is known once nothing more can come, which is at `over`.
    fn weigh(&self, over: Time, numbers: &mut Numbers) {
        let busy: Vec<Nanos> = self
            .rows()
            .iter()
            .map(|row| self.row_busy(row, over))
            .collect();
        let (sum, most) = (
            busy.iter().copied().sum::<Nanos>(),
            busy.iter().copied().max().unwrap_or_default(),
        );
        let whole = over.0 as f64 * busy.len() as f64;
        if whole > 0.0 && numbers.makespan.is_some() {
            numbers.utilisation = Some(sum.0 as f64 / whole);
            let service = self
                .call()
                .map_or(Nanos::ZERO, |call| call.services_until(over).sum);
            numbers.not_computing = Some((whole - service.0 as f64) / whole);
        }
        if sum.0 > 0 {
            numbers.imbalance = Some(most.0 as f64 * busy.len() as f64 / sum.0 as f64);
        }
        numbers.lower_bound = self.call().and_then(|call| self.lower_bound(call));
    }

    fn serial_time(&self, call: &Call) -> Option<Nanos> {
        let serial = self.run().map_or(Nanos::ZERO, |run| run.serial);
        call.needs().map(|needs| serial + needs.sum)
    }

    fn lower_bound(&self, call: &Call) -> Option<Nanos> {
        let (run, needs) = (self.run()?, call.needs()?);
        let workers = self.rows().len().max(1) as u64;
        let cpus = match run.cpus {
            _ if run.gil => 1,
            cpus => u64::from(cpus.unwrap_or(u32::MAX)).clamp(1, workers),
        };
        let shared = Nanos(needs.sum.0.div_ceil(workers)).max(Nanos(needs.on_cpu.0.div_ceil(cpus)));
        (needs.sum.0 > 0).then(|| run.serial + needs.longest.max(shared))
    }

    /// When the last result became ready, if as of `time` no other will.
    pub fn makespan_at(&self, time: Time) -> Option<Time> {
        let call = self.call()?;
        let ready = call.ready.until(time);
        let over = self
            .ended()
            .is_some_and(|(at, ends)| at <= time && has_result(ends));
        let complete = over || ready.len() == call.told_until(time) && call.facts.tasks.is_some();
        ready.last().filter(|_| complete).map(|last| last.at)
    }

    /// As far as the time of the workers is accounted for: the makespan, or the end of a run without one.
    pub(super) fn accounted_to(&self, time: Time) -> Time {
        self.makespan_at(time)
            .or(self.ended().map(|ended| ended.0))
            .unwrap_or(Time::NEVER)
    }
}

fn has_result(ends: Ends) -> bool {
    matches!(ends, Ends::Returned | Ends::Error | Ends::BrokenProcessPool)
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
    let first = call
        .ready
        .entries()
        .first()
        .filter(|first| first.at <= time);
    numbers.first_result = first.map(|first| first.at.since(Time::ZERO));
}
