//! The words of the screen, one meaning each.

/// A word and what it means here.
#[rustfmt::skip]
pub static WORDS: [(&str, &str); 31] = [
    ("task", "one unit of work: one item of the call"),
    ("call", "one pool.map(...) or its like"),
    ("chunk", "tasks sent to a worker as one message"),
    ("worker", "runs tasks; MiB: memory of its process"),
    ("pool", "workers that share one queue of chunks"),
    ("main", "the program that calls the pool"),
    ("SYNC", "the call blocks main until all is there"),
    ("ASYNC", "returns at once; main asks later"),
    ("ITERATOR", "returns at once; main waits in next()"),
    ("SERIAL", "no pool: main runs the tasks itself"),
    ("queue", "tasks handed over but not begun"),
    ("finished", "the task's work is done, on its worker"),
    ("ready", "only main stands before its use"),
    ("held", "finished, but kept back behind others"),
    ("delivered", "main has the result and can use it"),
    ("out of order", "pairs whose later task came first"),
    ("enqueued", "its chunk went into the pool's queue"),
    ("returned", "its chunk's results left the worker"),
    ("mixed", "every second task waits, others compute"),
    ("I/O", "a task waits as it was told to"),
    ("waiting", "a task could run, another has the CPU"),
    ("blocked", "a task waits for a lock, or unasked I/O"),
    ("overhead", "starting, taking chunks, sending back"),
    ("starved", "no work yet: it is still to be sent"),
    ("idle", "no work left to take"),
    ("unknown", "a task runs, and nobody tells how"),
    ("measured", "real work, timed by real clocks"),
    ("simulated", "virtual time: exact, the same each time"),
    ("expected", "foretold in virtual time, not measured"),
    ("worked, busy", "computed or waited as asked; in tasks"),
    ("p50, p95", "half, 95 % of the tasks took no longer"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_words_with_their_meanings_fit_a_line_of_a_wide_help() {
        for (word, meaning) in WORDS {
            assert!(word.len() <= 12 && meaning.len() <= 39, "{word}");
        }
    }
}
