//! What every number means: one table that the screen and the text report read.
//!
//! A row names the key of the JSON report, so that a number has one name everywhere. T is the makespan,
//! P the workers, C the CPUs, W the sum of all service times, B the busy time of one worker.

/// How a value is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds, shown in the unit that fits.
    Time,
    /// A factor: `4.19×`.
    Times,
    /// 0 to 1, shown in percent.
    Share,
    Count,
    /// A number without a unit.
    Plain,
    Word,
}

impl Unit {
    /// The word for it beside a definition.
    pub fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Times => "times",
            Self::Share => "share",
            Self::Count => "count",
            Self::Plain => "number",
            Self::Word => "word",
        }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name in the JSON report.
    pub key: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    pub topic: Topic,
    pub unit: Unit,
    pub meaning: &'static str,
    /// Who defined it; empty where it needs nobody's name.
    pub source: &'static str,
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
    unit: Unit,
    meaning: &'static str,
    source: &'static str,
) -> Definition {
    Definition {
        key,
        label,
        topic,
        unit,
        meaning,
        source,
    }
}

/// Every number that is shown anywhere.
#[rustfmt::skip]
pub static TABLE: [Definition; 48] = {
    use Topic::{Caller, Orders, Outcome, Pace, Tasks, Where};
    use Unit::{Count, Plain, Share, Time, Times, Word};
    [
        row(("makespan", "makespan"), Pace, Time,
            "T: from the begin of the run until the last result is ready", "Graham 1969"),
        row(("serial_time", "serial time"), Pace, Time,
            "what one worker alone would need; estimated from the tasks unless a loop of the same seed ran", "Barney, LLNL"),
        row(("speedup", "speed-up"), Pace, Times,
            "serial time / makespan", "Barney, LLNL"),
        row(("speedup_per_cpu", "per CPU"), Pace, Share,
            "speed-up / C: what each CPU gave, where workers share CPUs", ""),
        row(("efficiency", "efficiency"), Pace, Share,
            "speed-up / P", "Barney, LLNL"),
        row(("utilisation", "utilisation"), Pace, Share,
            "busy time of all workers / (P T)", "queueing theory"),
        row(("imbalance", "imbalance"), Pace, Times,
            "busiest worker / mean worker; 1 is even", "POP CoE; Sakellariou 1997"),
        row(("not_computing", "not computing"), Pace, Share,
            "(P T - W) / (P T): worker time in which no task ran", ""),
        row(("karp_flatt", "serial share"), Pace, Share,
            "(1/S - 1/P) / (1 - 1/P): the share that was not parallel, from the speed-up S", "Karp, Flatt 1990"),
        row(("lower_bound", "lower bound"), Pace, Time,
            "no schedule is faster: serial part + the longest task or W / min(P, C), whichever is more", "Graham 1969"),
        row(("parallel_efficiency", "parallel eff."), Pace, Share,
            "load balance x communication: mean B / T", "POP CoE"),
        row(("load_balance", "load balance"), Pace, Share,
            "mean B / max B: what uneven shares leave", "POP CoE"),
        row(("communication", "communication"), Pace, Share,
            "max B / T: what waiting for messages leaves", "POP CoE"),

        row(("first_result", "first result"), Caller, Time,
            "from the begin of the run until the first result is ready", ""),
        row(("blocked_main", "main blocked"), Caller, Time,
            "time the main program spends inside a call that blocks", ""),
        row(("program_end", "program end"), Caller, Time,
            "the last result is delivered and main's own work is done", ""),

        row(("inversions_finished", "out of order: finished"), Orders, Count,
            "pairs of tasks of which the later submitted one finished first", "Kendall 1938"),
        row(("inversions_delivered", "out of order: delivered"), Orders, Count,
            "pairs of tasks of which the later submitted one was delivered first", "Kendall 1938"),
        row(("kendall_tau", "Kendall tau"), Orders, Plain,
            "1 - 4 inversions / (n (n - 1)): 1 in order, 0 shuffled, -1 reversed", "Kendall 1938"),
        row(("reordered_ratio", "reordered"), Orders, Share,
            "tasks that finished after one submitted later", "RFC 4737"),

        row(("messages", "messages"), Tasks, Count,
            "chunks sent to workers", "CPython"),
        row(("chunksize", "chunk size"), Tasks, Count,
            "tasks in a message: as asked, or ceil(n / 4 P)", "CPython"),
        row(("queue_depth", "queue"), Tasks, Count,
            "tasks submitted and not started", "queueing theory, Lq"),
        row(("held_now", "held"), Tasks, Count,
            "tasks finished whose result the main program cannot take yet", ""),
        row(("wait", "wait"), Tasks, Time,
            "mean time from submission to start", "queueing theory, Wq"),
        row(("service", "service"), Tasks, Time,
            "mean time from start to finish", "queueing theory, S"),
        row(("hold", "hold"), Tasks, Time,
            "mean time from finish until the result is ready: held back behind others", "head-of-line blocking"),

        row(("on_cpu", "on CPU"), Where, Share,
            "a task computed", ""),
        row(("useful_wait", "useful wait"), Where, Share,
            "an I/O task waited as it was told to", ""),
        row(("waiting_cpu", "waiting for CPU"), Where, Share,
            "a task could run but another had the CPU: more workers than CPUs", ""),
        row(("blocked", "blocked"), Where, Share,
            "a task waited for something else: a lock, the GIL, unasked I/O", ""),
        row(("overhead", "overhead"), Where, Share,
            "start-up, taking chunks and returning results", ""),
        row(("starved", "starved"), Where, Share,
            "idle while tasks were not yet sent: the sender is the bottleneck", ""),
        row(("idle", "idle"), Where, Share,
            "nothing left to take: the tail of the call", ""),
        row(("dead", "dead"), Where, Share,
            "the lane had no live worker", ""),
        row(("unknown", "unknown"), Where, Share,
            "a task ran, but this system does not tell how", ""),

        row(("ends", "ends"), Outcome, Word,
            "returned, error, never (a result can never come), BrokenProcessPool, cancelled", ""),
        row(("ran", "ran"), Outcome, Count,
            "tasks whose function was entered", ""),
        row(("finished_count", "finished"), Outcome, Count,
            "tasks that came to an end, ok or failed", ""),
        row(("results", "results"), Outcome, Count,
            "results the main program got", ""),
        row(("lost", "lost"), Outcome, Count,
            "tasks whose worker died: their results can never come", ""),
        row(("skipped", "skipped"), Outcome, Count,
            "tasks behind a failed one in its chunk, never entered", ""),
        row(("outstanding", "outstanding"), Outcome, Count,
            "messages never answered", ""),
        row(("counter_main", "G in main"), Outcome, Plain,
            "the counter as the main program sees it at the end", ""),
        row(("counter_sum", "G in all copies"), Outcome, Plain,
            "sum of the counter over all memories", ""),
        row(("counter_min", "G at least"), Outcome, Plain,
            "the least that any interleaving gives", ""),
        row(("counter_max", "G at most"), Outcome, Plain,
            "the most that any interleaving gives", ""),
        row(("cpus", "CPUs"), Outcome, Count,
            "C: processors the tasks may use", ""),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_every_label_stands_once() {
        for row in &TABLE {
            assert_eq!(TABLE.iter().filter(|other| other.key == row.key).count(), 1);
            let labels = TABLE.iter().filter(|other| other.label == row.label);
            assert_eq!(labels.count(), 1, "{}", row.label);
            assert_eq!(of(row.key), Some(row));
        }
    }

    #[test]
    fn a_definition_is_a_line_or_two() {
        for row in &TABLE {
            assert!((5..=110).contains(&row.meaning.len()), "{}", row.key);
            assert!(
                row.meaning.is_ascii() && row.label.len() <= 23,
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
}
