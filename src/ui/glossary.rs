//! The words of the screen, one meaning each.

/// A word and what it means here.
#[rustfmt::skip]
pub static WORDS: [(&str, &str); 34] = [
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
    ("held, hold", "finished but kept back; how long, mean"),
    ("delivered", "main has the result and can use it"),
    ("out of order", "pairs whose later task came first"),
    ("enqueued", "chunk is in the queue; returned: back"),
    ("makespan", "from the begin to the last result ready"),
    ("speed-up", "over a loop; efficiency: per worker"),
    ("seed", "same seed, same tasks"),
    ("counter G", "tasks add to it, if --effect says so"),
    ("mixed, I/O", "half of the tasks, or all, wait as told"),
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
    ("asleep", "of a program: sleep, I/O or a lock"),
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
