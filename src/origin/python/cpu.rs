//! What the program's processes have of the CPUs, asked of the system now and then.
//!
//! Every process of the program is a lane of its own on which the time it has been on CPUs is sampled, so
//! that there is something to see of a program that calls no pool. And of each worker it is asked more often how
//! its thread spent its time; a stretch that lies within one task is told of that task. Workers read their
//! own clocks as well, which is exact; then it is asked how long they waited for a CPU, as soon as they are
//! heard. Where the system cannot tell, nothing is told.
//!
//! Interpreters among them that cannot have loaded the probe are counted: what they do is not seen.

use super::join::{Join, Peer};
use super::program;
use super::tell::harmless;
use crate::event::{self, Ended, Kind, LaneId, LaneKind, LaneOpened, NoteKind};
use crate::platform::{self, Image, Spent, ThreadTimes};
use crate::time::Nanos;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Nanoseconds between two looks at the processes, and at the workers.
const PROCESSES: u64 = 100_000_000;
const WORKERS: u64 = 20_000_000;
/// More processes than this get no lane.
const MOST: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Cpu {
    main: u32,
    looked: u64,
    sampled: u64,
    processes: HashMap<u32, Usage>,
    lanes: usize,
    threads: HashMap<Thread, Times>,
    /// The folder of the probe.
    folder: PathBuf,
}

/// A thread as the system numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Thread {
    pid: u32,
    tid: u32,
}

/// A process as it was last seen.
#[derive(Debug)]
struct Usage {
    at: u64,
    used: Nanos,
    /// When that was last told.
    told: Option<u64>,
    /// Opened when it has lived for two looks.
    lane: Option<LaneId>,
    /// It was asked whether it has loaded the probe: by then it is what it will be.
    is_known: bool,
}

#[derive(Debug)]
struct Times {
    clock: ThreadTimes,
    at: u64,
    spent: Spent,
    ahead: Ahead,
}

/// What was told before the kernel counted it, in nanoseconds. It counts a wait for a CPU when the wait is
/// over and a turn on one at its next tick, so a process that can run seems to do neither meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ahead(u64);

impl Ahead {
    /// What a stretch of this length is told to have been, out of what was counted in it. Where a process can
    /// run at its end, what nobody counted yet was a wait; it is taken off what is counted later, so that
    /// nothing is told twice.
    fn settle(
        &mut self,
        counted: Spent,
        length: Nanos,
        is_runnable: impl FnOnce() -> bool,
    ) -> Spent {
        let mut take_off = |counted: Nanos| {
            let known = counted.0.min(self.0);
            self.0 -= known;
            Nanos(counted.0 - known)
        };
        let waiting = take_off(counted.waiting);
        let on_cpu = counted.on_cpu.min(length);
        // More than fits into the stretch was on a CPU before it.
        take_off(counted.on_cpu.saturating_sub(length));
        let mut waiting = waiting.min(length.saturating_sub(on_cpu));
        let short = length.saturating_sub(on_cpu + waiting);
        if short > Nanos(length.0 / 20) && is_runnable() {
            self.0 += short.0;
            waiting += short;
        }
        Spent { on_cpu, waiting }
    }
}

impl Cpu {
    pub(super) fn new(main: u32, folder: &Path) -> Self {
        Self {
            main,
            folder: folder.to_owned(),
            looked: 0,
            sampled: 0,
            processes: HashMap::new(),
            lanes: 0,
            threads: HashMap::new(),
        }
    }

    /// Samples the main threads of these processes, and those of their threads that work for pools. What
    /// the samples mean is known only when everything up to now is joined: see [`Cpu::tell`].
    pub(super) fn sample(&mut self, peers: &[(Peer, u32)], join: &Join) -> Vec<Sample> {
        let now = platform::monotonic();
        if now.saturating_sub(self.sampled) < WORKERS {
            return Vec::new();
        }
        self.sampled = now;
        let mut threads = Vec::new();
        for &(peer, pid) in peers {
            let workers = join.threads_of(peer);
            if workers.iter().all(|&(tid, _)| tid != pid) {
                threads.push((peer, Thread { pid, tid: pid }, None));
            }
            for (tid, worker) in workers {
                threads.push((peer, Thread { pid, tid }, Some(worker)));
            }
        }
        let here: HashSet<Thread> = threads.iter().map(|&(_, thread, _)| thread).collect();
        self.threads.retain(|thread, _| here.contains(thread));
        let mut samples = Vec::new();
        for (peer, thread, worker) in threads {
            let Some(times) = self.times(thread) else {
                continue;
            };
            let Some(total) = times.clock.read() else {
                continue;
            };
            let at = platform::monotonic();
            let since = times.at;
            let length = Nanos(at.saturating_sub(since));
            if length < Nanos(WORKERS / 2) {
                // It is watched since a moment ago.
                continue;
            }
            let counted = total.since(times.spent);
            let is_runnable = || platform::is_runnable(thread.pid, thread.tid);
            let spent = times.ahead.settle(counted, length, is_runnable);
            (times.at, times.spent) = (at, total);
            samples.push(Sample {
                peer,
                is_main: thread.tid == thread.pid,
                worker,
                since,
                at,
                spent,
                total,
            });
        }
        samples
    }

    /// The clock of a thread, and when it was last looked at: now, if it was not before.
    fn times(&mut self, thread: Thread) -> Option<&mut Times> {
        match self.threads.entry(thread) {
            Entry::Occupied(there) => Some(there.into_mut()),
            Entry::Vacant(place) => {
                let clock = ThreadTimes::open(thread.pid, thread.tid)?;
                let spent = clock.read()?;
                let at = platform::monotonic();
                let ahead = Ahead::default();
                Some(place.insert(Times {
                    clock,
                    at,
                    spent,
                    ahead,
                }))
            }
        }
    }

    /// Tells what samples mean, and now and then what every process used.
    pub(super) fn tell(&mut self, join: &mut Join, samples: Vec<Sample>) {
        for sample in samples {
            let Sample { since, at, .. } = sample;
            if let Some(worker) = sample.worker {
                let Spent { on_cpu, waiting } = sample.spent;
                join.spent(worker, since, at, on_cpu, waiting);
                join.rests(worker, at, sample.total);
            }
            if let Some(lane) = join.main_caller(sample.peer).filter(|_| sample.is_main) {
                let sample = event::Sample {
                    quantity: event::CALLER_ON_CPU.to_owned(),
                    value: sample.total.on_cpu.0 as f64,
                };
                let tell = join.tell();
                tell.say(lane, tell.time(at), Kind::Sample(Box::new(sample)));
            }
        }
        for (worker, thread) in join.unsettled() {
            let times = thread.and_then(|(pid, tid)| self.times(Thread { pid, tid }));
            let total = times.and_then(|times| times.clock.read());
            join.settle(worker, platform::monotonic(), total);
        }
        let now = platform::monotonic();
        if now.saturating_sub(self.looked) >= PROCESSES {
            self.looked = now;
            self.look(join, now);
        }
    }

    fn look(&mut self, join: &mut Join, now: u64) {
        let all = family(self.main);
        self.processes.retain(|pid, usage| {
            let is_here = all.contains(pid);
            if let Some(lane) = usage.lane.filter(|_| !is_here) {
                // How it ended is known to its parent alone.
                let ended = Ended::Finished;
                let tell = join.tell();
                tell.say(lane, tell.time(now), Kind::LaneClosed { ended });
            }
            is_here
        });
        let mut unwatched = Vec::new();
        for pid in all {
            let Some(used) = platform::process_time(pid) else {
                continue;
            };
            let Some(before) = self.processes.get_mut(&pid) else {
                let usage = Usage {
                    at: now,
                    used,
                    told: None,
                    lane: None,
                    // Of the main program it is told in other words.
                    is_known: pid == self.main,
                };
                self.processes.insert(pid, usage);
                continue;
            };
            let image = (!before.is_known).then(|| platform::image(pid)).flatten();
            // One that is just being replaced has no environment yet.
            if let Some(image) = image.as_ref().filter(|image| !image.environment.is_empty()) {
                before.is_known = true;
                unwatched.extend(obstacle(image, &self.folder));
            }
            if before.lane.is_none() && self.lanes < MOST {
                self.lanes += 1;
                let image = image.or_else(|| platform::image(pid));
                before.lane = Some(open(join, pid, image.as_ref(), before.at));
            }
            if let (Some(lane), true) = (before.lane, used > before.used || before.told.is_none()) {
                // Where it was idle meanwhile, what it used was used since the last look.
                if before.told != Some(before.at) {
                    sample(join, lane, before.at, before.used);
                }
                sample(join, lane, now, used);
                before.told = Some(now);
            }
            (before.at, before.used) = (now, used);
        }
        if let Some(why) = unwatched.last() {
            join.unwatched(now, NoteKind::Unwatched, unwatched.len() as u32, why);
        }
    }
}

/// Why an interpreter cannot have loaded the probe. One that another forked was started as that one was.
fn obstacle(image: &Image, folder: &Path) -> Option<&'static str> {
    let probe = [OsStr::new("PYTHONPATH="), folder.as_os_str()]
        .map(OsStr::as_encoded_bytes)
        .concat();
    let is_python = image.name.as_encoded_bytes().starts_with(b"python");
    let finds = |entry: &OsString| entry.as_encoded_bytes().starts_with(&probe);
    if !is_python {
        None
    } else if image.environment.iter().any(finds) {
        program::refusal(image.words.get(1..)?)
    } else {
        Some("Python was started without the environment that loads the probe")
    }
}

/// What a thread had since it was last asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    peer: Peer,
    is_main: bool,
    /// Which of the workers it is.
    worker: Option<usize>,
    since: u64,
    at: u64,
    spent: Spent,
    /// Since it began.
    total: Spent,
}

/// A process and all that came of it.
fn family(main: u32) -> Vec<u32> {
    let mut all = vec![main];
    let mut next = 0;
    while let (Some(&pid), true) = (all.get(next), all.len() < 4 * MOST) {
        all.extend(platform::children(pid));
        next += 1;
    }
    all
}

/// What a process was started with, its own name without the folder; empty if that is not known.
fn command(image: &Image) -> String {
    let mut words = image.words.iter();
    let first = words.next().map(Path::new).and_then(Path::file_name);
    let words: Vec<_> = first
        .into_iter()
        .chain(words.map(OsString::as_os_str))
        .collect();
    harmless(&words.join(OsStr::new(" ")).to_string_lossy())
}

fn sample(join: &mut Join, lane: LaneId, at: u64, used: Nanos) {
    let sample = event::Sample {
        quantity: event::PROCESS_ON_CPU.to_owned(),
        value: used.0 as f64,
    };
    let tell = join.tell();
    tell.say(lane, tell.time(at), Kind::Sample(Box::new(sample)));
}

fn open(join: &mut Join, pid: u32, image: Option<&Image>, at: u64) -> LaneId {
    let name = image.map(command).filter(|name| !name.is_empty());
    let facts = LaneOpened {
        kind: LaneKind::Other,
        pool: None,
        name: name.unwrap_or_else(|| format!("process {pid}")),
        pid: Some(pid),
        tid: None,
    };
    let tell = join.tell();
    let at = tell.time(at);
    tell.open(at, facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(on_cpu: u64, waiting: u64) -> Spent {
        let (on_cpu, waiting) = (Nanos(on_cpu), Nanos(waiting));
        Spent { on_cpu, waiting }
    }

    /// What stretches of 20 are told to have been, of what was counted in each and whether it could run at its end.
    fn settled<const N: usize>(stretches: [((u64, u64), bool); N]) -> [Spent; N] {
        let mut ahead = Ahead::default();
        stretches.map(|((on_cpu, waiting), is_runnable)| {
            ahead.settle(spent(on_cpu, waiting), Nanos(20), || is_runnable)
        })
    }

    #[test]
    fn an_interpreter_is_watched_if_it_found_the_probe_and_was_not_told_to_ignore_it() {
        let why = |name: &str, words: &[&str], environment: &str| {
            let image = Image {
                name: name.into(),
                words: words.iter().map(OsString::from).collect(),
                environment: vec!["A=1".into(), environment.into()],
            };
            obstacle(&image, Path::new("/probe"))
        };
        let script = ["python3", "-u", "s.py", "-I"];
        assert_eq!(why("python3.11", &script, "PYTHONPATH=/probe"), None);
        assert_eq!(why("python3.11", &script, "PYTHONPATH=/probe:/own"), None);
        assert_eq!(why("sh", &["sh"], "PYTHONPATH=/own"), None);
        let without = why("python3.11", &script, "PYTHONPATH=/own");
        assert!(without.unwrap().contains("environment"));
        let isolated = why("python3", &["python3", "-uI", "s.py"], "PYTHONPATH=/probe");
        assert!(isolated.unwrap().contains("-I"));
    }

    #[test]
    fn a_process_is_named_as_it_was_started() {
        let image = Image {
            name: "python3.11".into(),
            words: ["/usr/bin/python3", "-u", "a\nb.py"]
                .map(OsString::from)
                .to_vec(),
            environment: Vec::new(),
        };
        assert_eq!(command(&image), "python3 -u a b.py");
    }

    #[test]
    fn a_wait_is_told_before_it_is_counted_and_only_once() {
        let told = settled([((5, 3), true), ((6, 26), true), ((9, 11), true)]);
        assert_eq!(told, [spent(5, 15), spent(6, 14), spent(9, 11)]);
        // A wait longer than a stretch.
        let told = settled([((0, 0), true), ((0, 0), true), ((10, 50), false)]);
        assert_eq!(told, [spent(0, 20), spent(0, 20), spent(10, 10)]);
    }

    #[test]
    fn a_process_that_sleeps_does_not_wait_for_a_cpu() {
        let told = settled([((1, 2), false), ((0, 0), false)]);
        assert_eq!(told, [spent(1, 2), spent(0, 0)]);
    }

    #[test]
    fn what_was_sleep_after_all_is_taken_off_later() {
        let told = settled([((2, 0), true), ((4, 5), false), ((4, 16), false)]);
        assert_eq!(told, [spent(2, 18), spent(4, 0), spent(4, 3)]);
    }

    #[test]
    fn a_turn_on_a_cpu_that_is_counted_late_is_no_debt() {
        let told = settled([((16, 0), true), ((24, 0), true), ((10, 8), false)]);
        assert_eq!(told, [spent(16, 4), spent(20, 0), spent(10, 8)]);
    }
}
