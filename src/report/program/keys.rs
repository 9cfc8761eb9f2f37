//! Every key of the JSON report of a program and what it means; the one place where they are told.
//!
//! `numbers`, `where` and `orders` of a call have the keys, meanings and rules of a lab run, counted from
//! the begin of the call to its end over the workers of its pool that were alive meanwhile; the table of
//! [definitions](crate::definition) has the numbers.

/// A key of one of the report's objects.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The object it is in; empty: the report itself. Of a list: its rows.
    pub of: &'static str,
    pub name: &'static str,
    pub meaning: &'static str,
}

const fn key(of: &'static str, name: &'static str, meaning: &'static str) -> Key {
    Key { of, name, meaning }
}

/// In the order of the report. A length or a moment is in nanoseconds, a moment since the program began;
/// `null` is what is undefined or not known.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    key("", "program", "what ran"),
    key("", "counts", "how many there were of everything, in the whole program"),
    key("", "pools", "a row for each pool that was opened"),
    key("", "calls", "a row for each call of a pool's methods, by begin; calls that one line makes again and again stand together"),
    key("", "workers", "a row for each worker that was started, replacements included"),
    key("", "processes", "a row for each process that was there for a fifth of a second or more, at most 64; none where the system does not tell"),
    key("", "findings", "what went wrong and what is slow"),
    key("", "losses", "a row for each time that events were not seen; of very many the later ones of each process or thread are one"),

    key("program", "argv", "the program and its arguments, as started"),
    key("program", "python", "its interpreter"),
    key("program", "exit", "its exit code, or minus the number of the signal that killed it"),

    key("counts", "pools", "pools opened"),
    key("counts", "calls", "calls: each apply, apply_async and submit is one, an Executor.map is one"),
    key("counts", "tasks", "items started, failed ones too"),
    key("counts", "chunks", "messages to workers"),
    key("counts", "workers", "workers started, replacements included"),
    key("counts", "failed", "items that raised"),
    key("counts", "lost", "items whose result can never come because their worker died"),
    key("counts", "dropped", "events that were not seen"),
    key("counts", "unwatched", "processes that are known not to be watched; those that only forked have nothing to tell and do not count"),

    key("pools", "index", "its place in this list"),
    key("pools", "number", "its number on the screen and in the names of callers: from 1"),
    key("pools", "kind", "Pool, ThreadPool, ProcessPoolExecutor or ThreadPoolExecutor"),
    key("pools", "start_method", "fork, spawn or forkserver; null for threads"),
    key("pools", "workers", "workers it was asked to have"),
    key("pools", "opened", "when"),
    key("pools", "closed", "when it was closed, terminated or shut down"),

    key("calls", "pool", "index of its pool"),
    key("calls", "method", "map, apply, submit, ..."),
    key("calls", "function", "name of the function"),
    key("calls", "file", "where the call stands in the program"),
    key("calls", "line", "where the call stands in the program"),
    key("calls", "caller", "name of the thread or process that called; of a worker with the number of its pool"),
    key("calls", "began", "when it was made"),
    key("calls", "ended", "when it ended, or was left by the program"),
    key("calls", "tasks", "its items, as far as they were submitted"),
    key("calls", "chunks", "messages it was sent as"),
    key("calls", "chunksize", "items in a message"),
    key("calls", "outcome", "returned, error, never (a result can never come), left (the program did not wait for all of it), BrokenProcessPool, BrokenThreadPool, cancelled; null while it goes on"),
    key("calls", "lost", "items whose result can never come"),
    key("calls", "cancelled", "items that the program cancelled before they were started"),
    key("calls", "untaken", "results that were there at the end and that it had not taken; 0 of a call that came to its own end, and of apply_async"),
    key("calls", "failed", "items that raised"),
    key("calls", "error", "what the first of them raised, as Python says it in its last line"),
    key("calls", "bytes_sent", "size of its messages to the workers, as pickled"),
    key("calls", "bytes_back", "size of the results, as pickled"),
    key("calls", "at_least", "true: events that belong to it were not seen; its counts and times are lower bounds"),
    key("calls", "numbers", "as in the lab's report, of this call"),
    key("calls", "speedup_at_most", "an upper bound where numbers.speedup is null because tasks were blocked: they may have slept, or waited for each other"),
    key("calls", "where", "shares of the workers' time, as in the lab's report, of this call"),
    key("calls", "orders", "indexes of its items in four orders, as in the lab's report"),

    key("workers", "index", "its place in this list"),
    key("workers", "name", "its place in its pool; one that replaces another has the same"),
    key("workers", "pid", "its process"),
    key("workers", "tid", "its thread, as the system numbers it"),
    key("workers", "pool", "index of its pool"),
    key("workers", "tasks", "items it started"),
    key("workers", "busy", "time it was in items"),
    key("workers", "opened", "when it was started"),
    key("workers", "closed", "when it was gone"),
    key("workers", "ended", "finished, retired (maxtasksperchild), killed or crashed; null if it was not seen to end"),
    key("workers", "exit", "exit code of one that died, or minus the number of the signal that killed it; null if it did not die or that is not known"),

    key("processes", "index", "its place in this list"),
    key("processes", "command", "what it was started with; one that only forked has that of its parent"),
    key("processes", "pid", "its process"),
    key("processes", "opened", "when it was first seen"),
    key("processes", "closed", "when it was seen to be gone; null if it was there to the end"),
    key("processes", "on_cpu", "time that all its threads were on CPUs, in hundredths of a second, as far as it was seen; null if that is not known"),

    key("findings", "kind", "what it is about, one of a fixed list of words"),
    key("findings", "text", "what is so"),
    key("findings", "advice", "the one change to try"),
    key("findings", "at", "when it came to be so"),
    key("findings", "worker", "index of the worker it is about"),
    key("findings", "call", "index of the call it is about, the first of those that one line made"),
    key("findings", "numbers", "the numbers of the text by name; lengths in nanoseconds, shares from 0 to 1"),

    key("losses", "lane", "name of the process or thread whose events were not seen"),
    key("losses", "pid", "its process"),
    key("losses", "since", "they happened between this moment"),
    key("losses", "at", "and this one"),
    key("losses", "count", "how many"),
];
