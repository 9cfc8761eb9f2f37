//! What every number means and what it is: one table that the screen and the text report read.
//!
//! A row is named by the key of the JSON report, where it has one, so that a number has one name
//! everywhere. T is the makespan, P the workers, C the CPUs, B the busy time of one worker, S the speed-up.

use crate::event::{COUNTER_MAIN, COUNTER_MAX, COUNTER_MIN, COUNTER_SUM, Ends};
use crate::time::{Nanos, Time};
use crate::trace::{Call, MainProgram, Numbers, RunOutcome, Shares, Trace};

/// What the table takes its values from: a run as of a moment, and the call that it counts.
pub struct Facts<'a> {
    pub trace: &'a Trace,
    pub call: Option<&'a Call>,
    pub at: Time,
    pub numbers: Numbers,
    pub shares: Shares,
}

impl<'a> Facts<'a> {
    pub fn of(trace: &'a Trace, at: Time) -> Self {
        Self {
            trace,
            call: trace.call(),
            at,
            numbers: trace.numbers(at),
            shares: trace.shares(at),
        }
    }

    /// The same with a call of the program's instead of the one that is shown.
    pub fn of_call(trace: &'a Trace, call: &'a Call, at: Time) -> Self {
        Self {
            trace,
            call: Some(call),
            at,
            numbers: trace.numbers_of(call, at),
            shares: trace.shares_of(call, at),
        }
    }

    fn whole_outcome(&self) -> RunOutcome {
        match self.call {
            Some(call) => self.trace.outcome_of(call, self.at),
            None => self.trace.outcome(self.at),
        }
    }

    /// Main was out of its call by an error before the last task had ended.
    pub fn is_cut_short(&self) -> bool {
        let numbers = &self.numbers;
        let ended = self.call.and_then(|call| call.ended);
        ended.is_some_and(|(at, ends)| ends == Ends::Error && at <= self.at)
            && numbers
                .program_end
                .is_some_and(|end| Some(end) < numbers.makespan)
    }

    /// Where a row has no value there will be none.
    pub fn is_final(&self, row: &Definition) -> bool {
        match row.key {
            "program_end" | "never_begun" => self.numbers.main != MainProgram::GoesOn,
            "blocked_main" if self.numbers.main_computes => true,
            _ => self.numbers.complete,
        }
    }

    /// What stands before a value that is only known to be no less, or no more.
    pub fn bound(&self, row: &Definition) -> &'static str {
        match row.key {
            _ if self.numbers.at_least => ">=",
            "speedup" if self.numbers.speedup.is_none() => "<=",
            _ => "",
        }
    }

    /// A part of where time went, rounded so that all of them add up.
    fn part(&self, key: &str) -> Option<Value> {
        let parts = self.shares.parts();
        let place = parts.iter().position(|part| part.0 == key)?;
        self.shares.share(parts[place].1)?;
        let shares = parts.map(|part| self.shares.share(part.1).unwrap_or_default());
        Some(Value::Part(shares[place], percents(shares)[place]))
    }

    fn call(&self, count: fn(&Call, Time) -> u64) -> Option<Value> {
        Some(Value::Count(count(self.call?, self.at)))
    }

    /// Counts of the outcome; they are made only when asked for.
    fn outcome(&self, count: fn(RunOutcome) -> u32) -> Option<Value> {
        self.call?;
        Some(Value::Count(count(self.whole_outcome()).into()))
    }

    fn counter(&self, quantity: &str) -> Option<Value> {
        let value = self.trace.sample(quantity, self.at)?;
        Some(Value::Count(value as u64))
    }
}

/// `S / C` of tasks that compute all the time: of others it says nothing about a CPU.
fn speedup_per_cpu(facts: &Facts<'_>) -> Option<Value> {
    let shares = &facts.shares;
    let waits = shares.useful_wait + shares.blocked + shares.unknown;
    let computes = waits.0 <= shares.on_cpu.0 / 20;
    let cpus = facts.trace.run()?.cpus?.max(1);
    let speedup = facts.numbers.speedup.filter(|_| computes)?;
    Some(Value::Share(speedup / f64::from(cpus)))
}

/// What `ran`, `skipped` and `cancelled` leave of all tasks. While the run goes on they may begin, and where events
/// were not seen they may have begun.
fn never_begun(facts: &Facts<'_>) -> Option<Value> {
    let is_over = facts.trace.ended().is_some_and(|(at, _)| at <= facts.at);
    let call = facts.call.filter(|_| is_over && !facts.numbers.at_least)?;
    let outcome = facts.whole_outcome();
    let told = outcome.ran + outcome.skipped + outcome.cancelled;
    let count = (call.tasks().len() as u64).saturating_sub(told.into());
    Some(Value::Count(count))
}

/// A value with how it is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Time(Nanos),
    /// A factor.
    Times(f64),
    /// 0 to 1.
    Share(f64),
    /// The same of several that add up, and its whole per cent.
    Part(f64, u32),
    Count(u64),
    /// A number without a unit.
    Plain(f64),
    Word(&'static str),
}

impl Value {
    /// `642 ms`, `4.19x`, `52 %`, `24`, `0.66`; `times` is the sign behind a factor.
    pub fn text(self, times: &str) -> String {
        match self {
            Self::Time(length) => length.to_string(),
            Self::Times(factor) => format!("{factor:.2}{times}"),
            Self::Share(share) => percent(share),
            Self::Part(share, whole) => rounded(share, whole),
            Self::Count(count) => count.to_string(),
            // What rounds to nothing has no sign.
            Self::Plain(number) => format!("{:.2}", (number * 100.0).round() / 100.0 + 0.0),
            Self::Word(word) => word.to_owned(),
        }
    }
}

/// Amounts nearer than this share of the larger one read as the same: two measured runs never agree exactly.
const SAME: f64 = 0.03;

/// Whether two values of one number read as the same, wherever two runs are compared.
pub fn is_same(before: Value, after: Value) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= SAME * a.abs().max(b.abs());
    match (before, after) {
        (Value::Time(a), Value::Time(b)) => near(a.0 as f64, b.0 as f64),
        (Value::Times(a), Value::Times(b))
        | (Value::Share(a), Value::Share(b))
        | (Value::Part(a, _), Value::Part(b, _)) => near(a, b),
        // A task more or less is one, however many there are.
        (before, after) => before == after,
    }
}

/// How long main waits in a call that never returns.
pub const FOR_EVER: &str = "for ever";

/// A share in whole per cent that is nothing or all only where it is that.
pub fn percent(share: f64) -> String {
    rounded(share, (share * 100.0).round() as u32)
}

/// The shares of one whole in whole per cent that add up as the shares do, so that whoever adds them up
/// finds 100: those that rounding down takes most from are rounded up.
pub fn percents<const N: usize>(shares: [f64; N]) -> [u32; N] {
    let mut whole = shares.map(|share| (share * 100.0) as u32);
    let sum = (shares.iter().sum::<f64>() * 100.0).round() as u32;
    let missing = sum.saturating_sub(whole.iter().sum());
    let mut places: [usize; N] = std::array::from_fn(|place| place);
    places.sort_by(|&one, &other| {
        let lost = |place: usize| (shares[place] * 100.0).fract();
        lost(other).total_cmp(&lost(one))
    });
    for &place in places.iter().take(missing as usize) {
        whole[place] += 1;
    }
    whole
}

/// The words for a share whose whole per cent are these.
pub fn rounded(share: f64, whole: u32) -> String {
    match whole {
        0 if share > 0.0 => "<1 %".to_owned(),
        100 if share < 1.0 => ">99 %".to_owned(),
        whole => format!("{whole} %"),
    }
}

/// What a group of numbers tells about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Pace,
    Caller,
    Orders,
    Tasks,
    Where,
    Outcome,
}

impl Topic {
    pub const ALL: [Self; 6] = [
        Self::Pace,
        Self::Caller,
        Self::Orders,
        Self::Tasks,
        Self::Where,
        Self::Outcome,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Pace => "how fast",
            Self::Caller => "the main program",
            Self::Orders => "orders",
            Self::Tasks => "tasks and messages",
            Self::Where => "where worker time went",
            Self::Outcome => "how it ended",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name in the JSON report.
    pub key: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    pub topic: Topic,
    pub meaning: &'static str,
    /// Who defined it; empty where it needs nobody's name.
    pub source: &'static str,
    /// `None` where it is not defined, or not known yet.
    pub value: fn(&Facts<'_>) -> Option<Value>,
}

/// The row of a key.
pub fn of(key: &str) -> Option<&'static Definition> {
    TABLE.iter().find(|row| row.key == key)
}

/// The rows of one topic, in the order of the table.
pub fn about(topic: Topic) -> impl Iterator<Item = &'static Definition> {
    TABLE.iter().filter(move |row| row.topic == topic)
}

const fn row(
    (key, label): (&'static str, &'static str),
    topic: Topic,
    meaning: &'static str,
    source: &'static str,
    value: fn(&Facts<'_>) -> Option<Value>,
) -> Definition {
    Definition {
        key,
        label,
        topic,
        meaning,
        source,
        value,
    }
}

/// Every number that is shown anywhere.
#[rustfmt::skip]
pub static TABLE: [Definition; 53] = {
    use Topic::{Caller, Orders, Outcome, Pace, Tasks, Where};
    use Value::{Count, Plain, Share, Time, Times, Word};
    [
        row(("makespan", "makespan"), Pace,
            "T: from the begin of the run, on Python of its serial part or call, until the last result is ready", "Graham 1969",
            |f| f.numbers.makespan.map(Time)),
        row(("serial_time", "serial time"), Pace,
            "what one worker would need: a loop of the same seed if one ran, or the tasks but for waiting for a CPU", "Barney, LLNL",
            |f| f.numbers.serial_time.map(Time)),
        row(("speedup", "speed-up"), Pace,
            "S: serial time / T; <= where tasks were blocked: they may have waited for each other", "Barney, LLNL",
            |f| f.numbers.speedup.or(f.numbers.speedup_at_most).map(Times)),
        row(("speedup_per_cpu", "per CPU"), Pace,
            "S / C: what each CPU gave; n/a where tasks do not compute all the time", "",
            speedup_per_cpu),
        row(("cpus", "CPUs"), Pace,
            "C: processors the tasks may use", "",
            |f| Some(Count(f.trace.run()?.cpus?.into()))),
        row(("efficiency", "efficiency"), Pace,
            "S / P: what each of the P workers gave", "Barney, LLNL",
            |f| f.numbers.efficiency.map(Share)),
        row(("utilisation", "utilisation"), Pace,
            "sum B / (P T), B: how long a worker was in tasks; = load balance x communication", "queueing theory; POP CoE",
            |f| f.numbers.utilisation.map(Share)),
        row(("imbalance", "imbalance"), Pace,
            "busiest worker / mean worker; 1 is even", "POP CoE; Sakellariou 1997",
            |f| f.numbers.imbalance.map(Times)),
        row(("not_computing", "not in tasks"), Pace,
            "(P T - sum B) / (P T): worker time in which no task ran", "",
            |f| f.numbers.not_computing.map(Share)),
        row(("karp_flatt", "serial share"), Pace,
            "(1/S - 1/P) / (1 - 1/P): the share that did not run in parallel; n/a where S < 1", "Karp, Flatt 1990",
            |f| f.numbers.karp_flatt.filter(|_| f.numbers.speedup >= Some(1.0)).map(Plain)),
        row(("lower_bound", "lower bound"), Pace,
            "no schedule is faster: serial part + the longest task, work on CPUs / min(P, C) or all work / P", "Graham 1969",
            |f| f.numbers.lower_bound.map(Time)),
        row(("load_balance", "load balance"), Pace,
            "mean B / max B: what uneven shares leave", "POP CoE",
            |f| f.numbers.imbalance.map(|imbalance| Share(1.0 / imbalance))),
        row(("communication", "communication"), Pace,
            "max B / T: what waiting for messages leaves", "POP CoE",
            |f| f.numbers.imbalance.zip(f.numbers.utilisation).map(|(most, mean)| Share(most * mean))),

        row(("first_result", "first ready"), Caller,
            "from where T begins until the first result is ready: main gets it when it asks, if that is later", "",
            |f| f.numbers.first_result.map(Time)),
        row(("blocked_main", "main blocked"), Caller,
            "time main spends inside a call that blocks; n/a in a loop: it runs the tasks", "",
            |f| match f.numbers.main {
                MainProgram::BlockedForEver => Some(Word(FOR_EVER)),
                _ if f.numbers.main_computes => None,
                _ => f.numbers.blocked_main.map(Time),
            }),
        row(("program_end", "program end"), Caller,
            "main is done: it has all results and did its own work, or an error ended it; of a program: since the call", "",
            |f| f.numbers.program_end.map(Time)),

        row(("inversions_finished", "inversions"), Orders,
            "pairs of tasks of which the one submitted later finished first", "Kendall 1938",
            |f| Some(Count(f.numbers.inversions_finished))),
        row(("inversions_delivered", "inv. delivered"), Orders,
            "inversions: pairs of tasks of which the one submitted later was delivered first", "Kendall 1938",
            |f| Some(Count(f.numbers.inversions_delivered))),
        row(("out_of_order", "out of order"), Orders,
            "inversions / pairs delivered, from 8 on or at the end", "",
            |f| f.numbers.out_of_order().map(Share)),
        row(("kendall_tau", "Kendall tau"), Orders,
            "1 - 4 inversions finished / (n (n - 1)), n tasks: 1 in order, 0 shuffled, -1 reversed", "Kendall 1938",
            |f| f.numbers.kendall_tau.map(Plain)),
        row(("reordered_ratio", "reordered"), Orders,
            "tasks that finished after one submitted later", "RFC 4737",
            |f| f.numbers.reordered_ratio.map(Share)),

        row(("messages", "messages"), Tasks,
            "chunks sent to workers", "CPython",
            |f| Some(Count(f.numbers.messages.into()))),
        row(("chunksize", "chunk size"), Tasks,
            "tasks in a message: as asked, or ceil(n / 4 P) for n tasks", "CPython",
            |f| f.numbers.chunksize.map(|size| Count(size.into()))),
        row(("queue_depth", "queue"), Tasks,
            "tasks submitted and not started at this moment; in --text the most that there were", "",
            |f| Some(Count(f.numbers.queue_depth.into()))),
        row(("held", "held"), Tasks,
            "tasks finished whose results main cannot take yet, at this moment", "",
            |f| f.call(|call, at| call.held_at(at).into())),
        row(("wait", "wait"), Tasks,
            "mean time from submission to start", "queueing theory, Wq",
            |f| f.numbers.wait.map(Time)),
        row(("service", "service"), Tasks,
            "mean time from start to finish", "queueing theory, S",
            |f| f.numbers.service.map(Time)),
        row(("hold", "hold"), Tasks,
            "mean time from finish until the result is ready: held back behind others", "head-of-line blocking",
            |f| f.numbers.hold.map(Time)),

        row(("on_cpu", "on CPU"), Where,
            "a task computed", "",
            |f| f.part("on_cpu")),
        row(("useful_wait", "I/O"), Where,
            "a task waited as it was told to, and needed no CPU", "",
            |f| f.part("useful_wait")),
        row(("waiting_cpu", "waiting for CPU"), Where,
            "a task could run but another had the CPU: more workers than CPUs", "",
            |f| f.part("waiting_cpu")),
        row(("blocked", "blocked"), Where,
            "sleep, I/O or lock: a task waited for something else, the GIL too", "",
            |f| f.part("blocked")),
        row(("overhead", "overhead"), Where,
            "start-up, taking chunks and returning results", "",
            |f| f.part("overhead")),
        row(("watching", "probe"), Where,
            "what the probe inside the watched workers itself took, as a share of their overhead", "",
            |f| f.trace.watching_share(f.at).map(Share)),
        row(("starved", "starved"), Where,
            "idle while tasks were not yet sent: the sender is the bottleneck", "",
            |f| f.part("starved")),
        row(("idle", "idle"), Where,
            "nothing left to take: the tail of the call", "",
            |f| f.part("idle")),
        row(("dead", "dead"), Where,
            "the lane had no live worker", "",
            |f| f.part("dead")),
        row(("unknown", "unknown"), Where,
            "a task ran, and nobody tells how", "",
            |f| f.part("unknown")),

        row(("ends", "ends"), Outcome,
            "returned, error, never (no result comes), left, cancelled, BrokenProcessPool, BrokenThreadPool (lab: broken)", "",
            |f| f.whole_outcome().ends.map(|ends| Word(f.trace.ends_word(f.call, ends)))),
        row(("ran", "ran"), Outcome,
            "tasks whose function was entered", "",
            |f| Some(Count(f.numbers.started.into()))),
        row(("finished_count", "finished"), Outcome,
            "tasks that came to an end, ok or failed", "",
            |f| Some(Count(f.numbers.finished.into()))),
        row(("failed", "failed"), Outcome,
            "those of them that raised an error", "",
            |f| f.call(|call, at| call.failed(at).into())),
        row(("results", "results"), Outcome,
            "results the main program got", "",
            |f| Some(Count(f.numbers.delivered.into()))),
        row(("lost", "lost"), Outcome,
            "tasks whose worker died: their results can never come", "",
            |f| f.outcome(|outcome| outcome.lost)),
        row(("skipped", "skipped"), Outcome,
            "tasks behind a failed one in its chunk, never entered", "",
            |f| f.outcome(|outcome| outcome.skipped)),
        row(("cancelled", "cancelled"), Outcome,
            "tasks that the program took back before they were started", "",
            |f| f.outcome(|outcome| outcome.cancelled)),
        row(("never_begun", "never begun"), Outcome,
            "other tasks never entered at the end: with ran, skipped and cancelled these are all tasks", "",
            never_begun),
        row(("outstanding", "outstanding"), Outcome,
            "messages sent and not answered", "",
            |f| f.outcome(|outcome| outcome.outstanding)),
        row(("counter_main", "G in main"), Outcome,
            "the counter as the main program sees it at the end", "",
            |f| f.counter(COUNTER_MAIN)),
        row(("counter_sum", "G in all copies"), Outcome,
            "sum of the counter over all memories", "",
            |f| f.counter(COUNTER_SUM)),
        row(("counter_min", "G at least"), Outcome,
            "least of all interleavings in which each task's loads and stores lie between its start and its end here", "",
            |f| f.counter(COUNTER_MIN)),
        row(("counter_max", "G at most"), Outcome,
            "the most that any interleaving gives: every increment counts", "",
            |f| f.counter(COUNTER_MAX)),
        row(("lock_wait", "lock wait"), Outcome,
            "time tasks waited for the lock around the counter; a simulated one costs none", "",
            |f| f.trace.outcome(f.at).lock_wait.map(Time)),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Backend, Experiment, Fault, FaultKind, Policy};
    use crate::method::Method;
    use crate::origin::simulated;
    use crate::workload::Costs;

    #[test]
    fn every_key_and_every_label_stands_once() {
        for row in &TABLE {
            let keys = TABLE.iter().filter(|other| other.key == row.key);
            let labels = TABLE.iter().filter(|other| other.label == row.label);
            assert_eq!((keys.count(), labels.count()), (1, 1), "{}", row.label);
            assert_eq!(of(row.key).map(|found| found.label), Some(row.label));
        }
    }

    #[test]
    fn a_definition_is_a_line_or_two() {
        for row in &TABLE {
            assert!((5..=110).contains(&row.meaning.len()), "{}", row.key);
            assert!(
                row.meaning.is_ascii() && row.label.len() <= 16,
                "{}",
                row.key
            );
        }
    }

    #[test]
    fn the_topics_hold_every_row() {
        let rows: usize = Topic::ALL.map(|topic| about(topic).count()).iter().sum();
        assert_eq!(rows, TABLE.len());
    }

    #[test]
    fn nothing_is_known_of_a_run_that_told_nothing() {
        let trace = Trace::default();
        let facts = Facts::of(&trace, crate::time::Time(5));
        for key in [
            "makespan",
            "speedup",
            "wait",
            "on_cpu",
            "ends",
            "lost",
            "counter_sum",
        ] {
            assert_eq!(of(key).and_then(|row| (row.value)(&facts)), None, "{key}");
        }
    }

    #[test]
    fn what_is_slower_than_a_loop_has_no_serial_share() {
        let mut trace = Trace::default();
        trace.apply(simulated::run(&Experiment {
            backend: Backend::Simulated,
            costs: Costs::Const(Nanos(1_000)),
            startup: Nanos(1_000_000),
            ..Experiment::default()
        }));
        let facts = Facts::of(&trace, trace.end());
        assert!(facts.numbers.karp_flatt > Some(1.0));
        let share = of("karp_flatt").and_then(|row| (row.value)(&facts));
        assert_eq!(share, None);
    }

    #[test]
    fn the_counts_of_how_it_ended_add_up_to_all_tasks() {
        let counts = |method, policy, chunksize, kind| {
            let mut trace = Trace::default();
            trace.apply(simulated::run(&Experiment {
                backend: Backend::Simulated,
                method,
                policy,
                workers: 3,
                tasks: 12,
                chunksize: Some(chunksize),
                costs: Costs::Const(Nanos(30)),
                faults: vec![Fault { task: 3, kind }],
                ..Experiment::default()
            }));
            let facts = Facts::of(&trace, trace.end());
            ["ran", "skipped", "cancelled", "never_begun"].map(|key| {
                let count = of(key).and_then(|row| (row.value)(&facts));
                count.map(|count| count.text(""))
            })
        };
        let expected = |counts: [u32; 4]| counts.map(|count| Some(count.to_string()));
        let broken = counts(Method::Map, Policy::Executor, 1, FaultKind::Die);
        assert_eq!(broken, expected([6, 0, 0, 6]));
        let raised = counts(Method::Map, Policy::Pool, 2, FaultKind::Raise);
        assert_eq!(raised, expected([12, 0, 0, 0]));
        let in_a_loop = counts(Method::Loop, Policy::Pool, 1, FaultKind::Raise);
        assert_eq!(in_a_loop, expected([4, 0, 0, 8]));
    }

    #[test]
    fn a_share_is_nothing_or_all_only_where_it_is_that() {
        let shares = [0.0, 0.001, 0.52, 0.999, 1.0].map(percent);
        assert_eq!(shares, ["0 %", "<1 %", "52 %", ">99 %", "100 %"]);
    }

    #[test]
    fn amounts_that_hardly_differ_are_the_same_and_counts_are_not() {
        let ms = |ms: u64| Value::Time(Nanos(ms * 1_000_000));
        assert!(is_same(ms(6_450), ms(6_540)) && !is_same(ms(6_450), ms(6_700)));
        assert!(is_same(Value::Times(3.63), Value::Times(3.58)));
        assert!(is_same(ms(0), ms(0)) && !is_same(ms(0), ms(1)));
        assert!(!is_same(Value::Share(0.0), Value::Share(0.004)));
        assert!(!is_same(Value::Count(100), Value::Count(101)));
        assert!(!is_same(ms(1), Value::Count(1)));
    }

    #[test]
    fn shares_of_one_whole_add_up_to_a_hundred() {
        assert_eq!(percents([0.459, 0.396, 0.145]), [46, 40, 14]);
        assert_eq!(percents([1.0 / 3.0; 3]), [34, 33, 33]);
        assert_eq!(percents([0.004, 0.996, 0.0]), [0, 100, 0]);
        assert_eq!(percents([0.0; 3]), [0; 3]);
        assert_eq!(Value::Part(0.004, 0).text("x"), "<1 %");
    }

    #[test]
    fn a_factor_and_a_plain_number_read_as_such() {
        assert_eq!(Value::Times(4.187).text("x"), "4.19x");
        assert_eq!(
            [1.0, -0.001].map(|number| Value::Plain(number).text("")),
            ["1.00", "0.00"]
        );
    }
}
