//! The words of the screen, one meaning each.

/// A word and what it means here.
pub static WORDS: [(&str, &str); 16] = [
    ("task", "one unit of work: one item of the call"),
    ("call", "one pool.map(...) or its like, with all its tasks"),
    ("chunk", "tasks that go to a worker as one message"),
    (
        "worker",
        "what runs tasks: a thread, a process (MiB: its memory)",
    ),
    ("pool", "workers that share one queue of chunks"),
    (
        "main",
        "the program that calls the pool and wants the results",
    ),
    ("queue", "tasks handed over that no worker has begun"),
    ("finished", "the task's work is done, on its worker"),
    ("ready", "only main stands between the result and its use"),
    ("held", "finished, but kept back behind other tasks"),
    (
        "delivered",
        "main has the result: returned, yielded, called back",
    ),
    (
        "out of order",
        "share of pairs in which the later task came first",
    ),
    (
        "measured",
        "real work, timed with the clocks of this machine",
    ),
    (
        "simulated",
        "computed in virtual time: exact, the same each time",
    ),
    (
        "worked",
        "share of the time so far on a CPU or in waits asked for",
    ),
    (
        "p50, p95",
        "half of the tasks, 95 % of them, took no longer",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meaning_fits_a_line_of_the_help() {
        for (word, meaning) in WORDS {
            assert!(word.len() <= 12 && meaning.len() <= 56, "{word}");
        }
    }
}
