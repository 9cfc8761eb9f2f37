//! What the program's processes have of the CPUs, asked of the system now and then.
//!
//! Every process of the program is a lane of its own on which the time it has been on CPUs is sampled, so
//! that there is something to see of a program that calls no pool. And of each worker it is asked more often how
//! its thread spent its time; a stretch that lies within one task is told of that task. Workers read their
//! own clocks as well, which is exact; then it is asked how long they waited for a CPU, as soon as they are
//! heard. Where the system cannot tell, nothing is told.
//!
//! Interpreters among them that cannot have loaded the probe are counted: what they do is not seen.

mod process;

use super::join::{Join, Peer};
use super::peers;
use crate::event::{self, Ended, Kind, NoteKind};
use crate::platform::{self, Spent, ThreadTimes};
use crate::time::Nanos;
use process::{Usage, obstacle, sample};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Nanoseconds between two looks at the processes, at the workers, and at those of them that have nothing to do.
const PROCESSES: u64 = 100_000_000;
const WORKERS: u64 = 20_000_000;
const RESTING: u64 = 500_000_000;
/// Who was forked and is to become another program has become it by then, in nanoseconds.
const BECOMES: u64 = 2_000_000_000;
/// More threads than this are looked at in turns: each takes some microseconds.
const AT_ONCE: usize = 64;
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
    /// So many of their clocks may be kept open.
    clocks: usize,
    /// When each was last asked, whether or not it answered.
    asked: HashMap<Thread, u64>,
    /// The folder of the probe.
    folder: PathBuf,
}

/// A thread as the system numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Thread {
    pid: u32,
    tid: u32,
}

#[derive(Debug)]
struct Times {
    /// `None`: it is opened each time, as there are more threads than files that may be open.
    clock: Option<ThreadTimes>,
    at: u64,
    spent: Spent,
    ahead: Ahead,
}

impl Times {
    /// `None` when the thread is gone.
    fn read(&self, thread: Thread) -> Option<Spent> {
        match &self.clock {
            Some(clock) => clock.read(),
            None => ThreadTimes::open(thread.pid, thread.tid)?.read(),
        }
    }
}

/// A thread that may be sampled.
#[derive(Clone, Copy, Debug)]
struct Watched {
    peer: Peer,
    thread: Thread,
    /// Which of the workers it is.
    worker: Option<usize>,
    /// It only waits for work.
    rests: bool,
    /// It is in an item.
    runs: bool,
}

impl Watched {
    /// Between two samples of it, in nanoseconds.
    fn pause(&self) -> u64 {
        if self.rests { RESTING } else { WORKERS }
    }
}

fn watched(peers: &[(Peer, u32)], join: &Join) -> Vec<Watched> {
    let mut all = Vec::new();
    for &(peer, pid) in peers {
        let workers = join.threads_of(peer);
        if workers.iter().all(|working| working.tid != pid) {
            all.push(Watched {
                peer,
                thread: Thread { pid, tid: pid },
                worker: None,
                rests: false,
                runs: false,
            });
        }
        all.extend(workers.into_iter().map(|working| Watched {
            peer,
            thread: Thread {
                pid,
                tid: working.tid,
            },
            worker: Some(working.worker),
            rests: !working.is_busy,
            runs: working.runs,
        }));
    }
    all
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
            clocks: peers::most(),
            asked: HashMap::new(),
        }
    }

    /// Samples the main threads of these processes, and those of their threads that work for pools: those whose
    /// turn it is. What the samples mean is known only when everything up to now is joined: see [`Cpu::tell`].
    pub(super) fn sample(&mut self, peers: &[(Peer, u32)], join: &Join) -> Vec<Sample> {
        let now = platform::monotonic();
        if now.saturating_sub(self.sampled) < WORKERS {
            return Vec::new();
        }
        self.sampled = now;
        let watched = watched(peers, join);
        let here: HashSet<Thread> = watched.iter().map(|watched| watched.thread).collect();
        self.threads.retain(|thread, _| here.contains(thread));
        self.asked.retain(|thread, _| here.contains(thread));
        let turn = self.turn(watched, now);
        let samples = turn.iter().filter_map(|watched| self.sample_of(watched));
        samples.collect()
    }

    /// Those that are asked now: whose turn came first of those whose turn it is, and no more than cost little.
    fn turn(&mut self, watched: Vec<Watched>, now: u64) -> Vec<Watched> {
        let asked = |watched: &Watched| self.asked.get(&watched.thread).copied();
        let due = |watched: &Watched| asked(watched).map_or(0, |asked| asked + watched.pause());
        let mut turn: Vec<(u64, Watched)> = watched
            .into_iter()
            .map(|watched| (due(&watched), watched))
            .filter(|&(due, _)| due <= now)
            .collect();
        turn.sort_by_key(|&(due, _)| due);
        turn.truncate(AT_ONCE);
        let turn: Vec<Watched> = turn.into_iter().map(|(_, watched)| watched).collect();
        self.asked
            .extend(turn.iter().map(|watched| (watched.thread, now)));
        turn
    }

    fn sample_of(&mut self, watched: &Watched) -> Option<Sample> {
        let thread = watched.thread;
        let times = self.times(thread)?;
        let total = times.read(thread)?;
        let at = platform::monotonic();
        let since = times.at;
        let length = Nanos(at.saturating_sub(since));
        if length < Nanos(WORKERS / 2) {
            // It is watched since a moment ago.
            return None;
        }
        let counted = total.since(times.spent);
        // Asking costs more than all the rest. Who waits for work sleeps.
        let is_runnable = || watched.runs && platform::is_runnable(thread.pid, thread.tid);
        let spent = times.ahead.settle(counted, length, is_runnable);
        (times.at, times.spent) = (at, total);
        Some(Sample {
            peer: watched.peer,
            is_main: thread.tid == thread.pid,
            worker: watched.worker,
            since,
            at,
            spent,
            total,
        })
    }

    /// The clock of a thread, and when it was last looked at: now, if it was not before.
    fn times(&mut self, thread: Thread) -> Option<&mut Times> {
        let has_room = self.threads.len() < self.clocks;
        match self.threads.entry(thread) {
            Entry::Occupied(there) => Some(there.into_mut()),
            Entry::Vacant(place) => {
                let clock = ThreadTimes::open(thread.pid, thread.tid)?;
                let spent = clock.read()?;
                let at = platform::monotonic();
                let ahead = Ahead::default();
                Some(place.insert(Times {
                    clock: has_room.then_some(clock),
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
            let thread = thread.map(|(pid, tid)| Thread { pid, tid });
            let total = thread.and_then(|thread| self.times(thread)?.read(thread));
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
                    name: String::new(),
                    since: now,
                    // Of the main program it is told in other words.
                    is_known: pid == self.main,
                };
                self.processes.insert(pid, usage);
                continue;
            };
            // One that was forked, or is a script that looks for its program, may still become another one.
            let becomes = now.saturating_sub(before.since) <= BECOMES;
            let image = (!before.is_known || becomes)
                .then(|| platform::image(pid))
                .flatten();
            // One that is just being replaced has no environment yet.
            let image = image.filter(|image| !image.environment.is_empty());
            if let Some(image) = image.as_ref().filter(|_| !before.is_known) {
                let why = obstacle(image, &self.folder);
                before.is_known = why.is_some() || !becomes;
                unwatched.extend(why);
            }
            if before.lane.is_some() || self.lanes < MOST {
                self.lanes += usize::from(before.lane.is_none());
                let image =
                    image.or_else(|| platform::image(pid).filter(|_| before.lane.is_none()));
                before.name_lane(join, pid, image.as_ref());
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

    fn resting(tid: u32) -> Watched {
        Watched {
            peer: Peer(0),
            thread: Thread { pid: 1, tid },
            worker: Some(0),
            rests: true,
            runs: false,
        }
    }

    #[test]
    fn workers_that_rest_are_looked_at_now_and_then() {
        let mut cpu = Cpu::new(1, Path::new("/probe"));
        let mut asked = |rests: bool, now: u64| {
            let working = Watched {
                rests,
                ..resting(2)
            };
            cpu.turn(vec![working], SECOND + now).len()
        };
        assert_eq!(asked(true, 0), 1);
        assert_eq!(asked(true, RESTING - 1), 0);
        assert_eq!(asked(false, RESTING - 1), 1);
        assert_eq!(asked(false, RESTING - 1 + WORKERS), 1);
    }

    #[test]
    fn of_many_threads_each_has_its_turn() {
        let mut cpu = Cpu::new(1, Path::new("/probe"));
        let all: Vec<Watched> = (0..3 * AT_ONCE as u32).map(resting).collect();
        let mut seen = HashSet::new();
        for look in 0..3 {
            let turn = cpu.turn(all.clone(), SECOND + look * WORKERS);
            assert_eq!(turn.len(), AT_ONCE);
            seen.extend(turn.iter().map(|watched| watched.thread));
        }
        assert_eq!(seen.len(), all.len());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_is_asked_without_a_file_of_its_own_where_there_are_none_left() {
        let mut cpu = Cpu::new(1, Path::new("/probe"));
        cpu.clocks = 1;
        // A test runs in another thread than the first.
        let pid = std::process::id();
        let this = rustix::thread::gettid().as_raw_nonzero().get() as u32;
        let [main, this] = [pid, this].map(|tid| Thread { pid, tid });
        for (thread, has_file) in [(main, true), (this, false)] {
            let times = cpu.times(thread).unwrap();
            assert_eq!(times.clock.is_some(), has_file);
            assert!(times.read(thread).is_some());
        }
    }

    /// Some time after the machine was started.
    const SECOND: u64 = 1_000_000_000;

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
