//! What the thread of a worker had of the CPUs: its own readings, and what the system says of it.
//!
//! A worker reads its CPU clock now and then, between two items, so between two readings its time on a CPU
//! is exact. How long it waited for a CPU it says sometimes, and the system says it of a thread that
//! lives; of readings without, what was waited meanwhile is spread over the time they were on no CPU.

use super::{Join, Peer};
use crate::event::{Kind, Spent};
use crate::platform::Spent as Times;
use crate::time::Nanos;

/// Numbers of a clock and of a counter that are no further apart than this are not at odds.
const SLACK: u64 = 1_000_000;
/// Who waits for work so long is on no CPU.
const RESTS: u64 = 10_000_000;
/// Who worked so long since its last reading reads its clock again when it is done; a worker leaves that out only after
/// work that is much shorter.
const READS: u64 = 10_000_000;
/// More readings than this do not wait for what the system says.
const MOST: usize = 4_096;

/// A moment at which it is known how long a thread was on a CPU since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    at: u64,
    on_cpu: u64,
    /// Since the one before the thread only waited for work, and that is no wait for a CPU.
    rested: bool,
}

impl Reading {
    /// How long it was on no CPU since an earlier one, and would have liked to.
    fn off_since(self, before: Self) -> u64 {
        if self.rested {
            return 0;
        }
        let on_cpu = self.on_cpu.saturating_sub(before.on_cpu);
        self.at.saturating_sub(before.at).saturating_sub(on_cpu)
    }
}

/// A thread that works for a pool.
#[derive(Clone, Copy, Debug)]
pub(in crate::origin::python) struct Working {
    /// Its number in the system.
    pub(in crate::origin::python) tid: u32,
    /// Which of the workers it is.
    pub(in crate::origin::python) worker: usize,
    /// It has a chunk in hand.
    pub(in crate::origin::python) is_busy: bool,
    /// And is in an item of it.
    pub(in crate::origin::python) runs: bool,
}

/// See the module. All numbers are nanoseconds, and on the clock of all processes.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// Up to here everything was told.
    told: Option<Reading>,
    /// So long it had waited by then, as far as that was told.
    waited: Option<u64>,
    /// Readings after that.
    open: Vec<Reading>,
    /// It had an item in hand since the last reading.
    worked: bool,
    /// Until then, as far as is known.
    worked_until: u64,
    /// What is to be told when all is joined that was told until now.
    ready: Vec<Stretch>,
    /// When the thread was first seen to be gone.
    gone: Option<u64>,
}

/// A stretch between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    since: u64,
    until: u64,
    on_cpu: u64,
    waiting: Option<u64>,
}

impl Account {
    /// The thread has an item in hand, or had one until then.
    pub(super) fn works(&mut self, at: u64) {
        self.worked = true;
        self.worked_until = self.worked_until.max(at);
    }

    fn has_news(&self) -> bool {
        !(self.open.is_empty() && self.ready.is_empty())
    }

    /// The thread read its own clock.
    fn read(&mut self, at: u64, on_cpu: u64, waiting: Option<u64>) {
        let rested = !self.worked;
        let new = Reading { at, on_cpu, rested };
        let last = self.open.last().copied().or(self.told);
        let fits = last.is_some_and(|last| {
            let length = at.saturating_sub(last.at);
            let more = on_cpu.checked_sub(last.on_cpu);
            at >= last.at && more.is_some_and(|more| more <= length + SLACK)
        });
        if !fits {
            (self.told, self.waited) = (Some(new), waiting);
            self.open.clear();
            return;
        }
        self.open.push(new);
        if waiting.is_some() || self.open.len() >= MOST {
            self.settle(waiting, 0);
        }
    }

    /// All readings are ready to be told, by what the system counted until `at`. `rested`: since the last of
    /// them the thread waits for work.
    fn settle_by(&mut self, at: u64, counted: Times, rested: bool) {
        let on_cpu = counted.on_cpu.0;
        let now = Reading { at, on_cpu, rested };
        let later = self.open.last().map_or(0, |&last| now.off_since(last));
        self.settle(Some(counted.waiting.0), later);
    }

    /// The thread waits for work, and so much was counted. What is counted is exact of a thread on no CPU.
    fn rests(&mut self, at: u64, counted: Times) {
        let on_cpu = counted.on_cpu.0;
        let rests = self.told.is_some_and(|told| {
            let reads = self.worked && self.worked_until.saturating_sub(told.at) > READS;
            at.saturating_sub(told.at) > RESTS && on_cpu >= told.on_cpu && !reads
        });
        if rests && self.open.is_empty() {
            let rested = true;
            self.told = Some(Reading { at, on_cpu, rested });
            self.waited = Some(counted.waiting.0);
        }
    }

    /// All readings are ready to be told, given how long the thread had waited when it was on no CPU for `later` more.
    fn settle(&mut self, waiting: Option<u64>, later: u64) {
        let open = std::mem::take(&mut self.open);
        let (Some(first), Some(&last)) = (self.told, open.last()) else {
            return;
        };
        let before = || std::iter::once(&first).chain(&open);
        let owns = || {
            open.iter()
                .zip(before())
                .map(|(now, &before)| now.off_since(before))
        };
        let mut off = owns().sum::<u64>().saturating_add(later);
        let known = waiting.zip(self.waited);
        let mut left = known.map(|(waiting, waited)| waiting.saturating_sub(waited));
        for ((reading, before), own) in open.iter().zip(before()).zip(owns()) {
            let part = left.map(|left| {
                let part = u128::from(left) * u128::from(own) / u128::from(off.max(1));
                (part as u64).min(own)
            });
            left = left.zip(part).map(|(left, part)| left.saturating_sub(part));
            off = off.saturating_sub(own);
            self.ready.push(Stretch {
                since: before.at,
                until: reading.at,
                on_cpu: reading.on_cpu.saturating_sub(before.on_cpu),
                waiting: part,
            });
        }
        let rested = open.iter().any(|reading| reading.rested);
        self.told = Some(last);
        // What did not fit was waited after the last reading, or when there was work again.
        let later = left.filter(|_| !rested).unwrap_or(0);
        self.waited = waiting.map(|waiting| waiting.saturating_sub(later));
    }
}

impl Join {
    /// A worker tells how long its thread was on a CPU, and perhaps how long it waited for one.
    pub(super) fn reading(&mut self, worker: usize, at: u64, on_cpu: u64, waiting: Option<u64>) {
        let hand = self.workers[worker].hand.as_ref();
        let runs = hand.is_some_and(|hand| hand.running().is_some());
        let account = &mut self.workers[worker].account;
        let had_news = account.has_news();
        account.read(at, on_cpu, waiting);
        account.worked = runs;
        if !had_news && account.has_news() {
            self.unsettled.push(worker);
        }
    }

    fn say_spent(&mut self, worker: usize) {
        let there = &mut self.workers[worker];
        for stretch in std::mem::take(&mut there.account.ready) {
            let spent = Spent {
                since: self.tell.time(stretch.since),
                until: self.tell.time(stretch.until),
                on_cpu: Nanos(stretch.on_cpu),
                waiting: stretch.waiting.map(Nanos),
            };
            let until = spent.until;
            self.tell
                .say(there.lane, until, Kind::Spent(Box::new(spent)));
        }
    }

    /// Records of a process were lost: what its threads tell next is of more than the items that are known.
    pub(super) fn forget_readings(&mut self, Peer(peer): Peer) {
        let process = &self.processes[peer];
        let workers: Vec<usize> = process
            .hands
            .values()
            .copied()
            .chain(process.worker)
            .collect();
        for worker in workers {
            self.workers[worker].account = Account::default();
        }
    }

    /// Workers of which something is to be told as soon as the system says how long they waited for a CPU, with
    /// their processes and threads.
    pub(in crate::origin::python) fn unsettled(&mut self) -> Vec<(usize, Option<(u32, u32)>)> {
        let workers = std::mem::take(&mut self.unsettled);
        let threads = workers.into_iter().map(|worker| {
            let thread = self.thread_of(worker);
            (worker, thread)
        });
        threads.collect()
    }

    /// Process and thread of a worker, as the system numbers them.
    fn thread_of(&self, worker: usize) -> Option<(u32, u32)> {
        let process = &self.processes[self.workers.get(worker)?.teller?];
        let thread = if process.worker == Some(worker) {
            process.works_in
        } else {
            let thread = self.workers[worker].thread;
            thread.filter(|thread| process.hands.get(thread) == Some(&worker))
        };
        let native = u32::try_from(process.native(u32::from(thread?))?).ok()?;
        Some((process.pid, native))
    }

    /// The threads of a process that work for a pool, but those that have nothing to do any more.
    pub(in crate::origin::python) fn threads_of(&self, Peer(peer): Peer) -> Vec<Working> {
        let process = &self.processes[peer];
        let own = process.works_in.zip(process.worker);
        let hands = process
            .hands
            .iter()
            .map(|(&thread, &worker)| (thread, worker));
        let threads = hands.chain(own).filter_map(|(thread, worker)| {
            let there = &self.workers[worker];
            let hand = there.hand.as_ref();
            if hand.is_none() && self.pools[there.pool].is_closed {
                return None;
            }
            let tid = u32::try_from(process.native(u32::from(thread))?).ok()?;
            Some(Working {
                tid,
                worker,
                is_busy: hand.is_some(),
                runs: hand.is_some_and(|hand| hand.running().is_some()),
            })
        });
        threads.collect()
    }

    /// The system says how long the thread of a worker was on a CPU and waited for one until then; nothing
    /// any more, perhaps.
    pub(in crate::origin::python) fn settle(
        &mut self,
        worker: usize,
        at: u64,
        spent: Option<Times>,
    ) {
        let Some(there) = self.workers.get_mut(worker) else {
            return;
        };
        let idle = there.hand.is_none();
        match spent {
            Some(spent) => {
                there.account.gone = None;
                there.account.settle_by(at, spent, idle);
            }
            // The last that a thread tells is how it waited. It may have done so since we looked.
            None if self.joined <= *there.account.gone.get_or_insert(at) => {
                self.unsettled.push(worker);
                return;
            }
            None => there.account.settle(None, 0),
        }
        self.say_spent(worker);
    }

    /// Nothing more will come: tells what is known.
    pub(super) fn settle_all(&mut self) {
        for worker in std::mem::take(&mut self.unsettled) {
            self.workers[worker].account.settle(None, 0);
            self.say_spent(worker);
        }
    }

    /// The same of a worker that may wait for work.
    pub(in crate::origin::python) fn rests(&mut self, worker: usize, at: u64, spent: Times) {
        if let Some(there) = self
            .workers
            .get_mut(worker)
            .filter(|there| there.hand.is_none())
        {
            there.account.rests(at, spent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::origin::python::wire::{Child, Hello, Record, StringId, Told};
    use crate::time::Time;

    fn counted(on_cpu: u64, waiting: u64) -> Times {
        Times {
            on_cpu: Nanos(on_cpu),
            waiting: Nanos(waiting),
        }
    }

    /// Since, until, on a CPU, waiting: what is ready to be told.
    fn told(account: &mut Account) -> Vec<(u64, u64, u64, Option<u64>)> {
        let ready = std::mem::take(&mut account.ready);
        let told = ready
            .iter()
            .map(|it| (it.since, it.until, it.on_cpu, it.waiting));
        told.collect()
    }

    fn working() -> Account {
        let mut account = Account::default();
        account.read(100, 10, Some(5));
        account.works(150);
        account
    }

    #[test]
    fn the_first_reading_tells_nothing() {
        let mut account = Account::default();
        account.read(100, 10, Some(5));
        assert_eq!(told(&mut account), []);
        assert!(!account.has_news());
    }

    #[test]
    fn what_was_waited_is_spread_over_the_time_on_no_cpu() {
        let mut account = working();
        account.read(200, 100, None);
        account.read(300, 130, Some(45));
        // 10 and 70 on no CPU.
        let all = [(100, 200, 90, Some(5)), (200, 300, 30, Some(35))];
        assert_eq!(told(&mut account), all);
    }

    #[test]
    fn what_the_system_says_later_is_only_in_part_of_what_was_told() {
        let mut account = working();
        account.read(200, 80, None);
        account.settle_by(230, counted(80, 30), false);
        assert_eq!(told(&mut account), [(100, 200, 70, Some(12))]);
        account.read(300, 100, Some(50));
        assert_eq!(told(&mut account), [(200, 300, 20, Some(33))]);
    }

    #[test]
    fn who_rests_does_not_wait_for_a_cpu() {
        let mut account = working();
        account.read(200, 80, None);
        account.worked = false;
        account.settle_by(10_200, counted(80, 20), true);
        assert_eq!(told(&mut account), [(100, 200, 70, Some(15))]);
        account.read(20_000, 90, None);
        account.works(20_050);
        account.read(20_100, 120, Some(60));
        let all = [(200, 20_000, 10, Some(0)), (20_000, 20_100, 30, Some(40))];
        assert_eq!(told(&mut account), all);
    }

    #[test]
    fn without_a_word_of_the_system_nobody_knows_how_it_waited() {
        let mut account = working();
        account.read(200, 80, None);
        account.settle(None, 0);
        assert_eq!(told(&mut account), [(100, 200, 70, None)]);
        // Nor from when on to count.
        account.read(300, 100, Some(50));
        assert_eq!(told(&mut account), [(200, 300, 20, None)]);
        account.read(400, 200, Some(50));
        assert_eq!(told(&mut account), [(300, 400, 100, Some(0))]);
    }

    #[test]
    fn what_the_system_says_of_a_thread_at_rest_begins_a_stretch() {
        let mut account = working();
        account.rests(20_000_100, counted(20, 5));
        account.read(20_000_200, 30, Some(9));
        assert_eq!(told(&mut account), [(20_000_100, 20_000_200, 10, Some(4))]);
    }

    #[test]
    fn the_reading_after_a_long_item_is_waited_for() {
        let mut account = working();
        account.works(20_000_050);
        account.rests(20_000_100, counted(20, 5));
        account.read(20_000_200, 30, Some(9));
        assert_eq!(told(&mut account), [(100, 20_000_200, 20, Some(4))]);
    }

    #[test]
    fn a_clock_that_runs_backwards_or_too_fast_is_not_believed() {
        for (at, on_cpu) in [(50, 20), (200, 9), (200, 100 + 2 * SLACK)] {
            let mut account = working();
            account.read(at, on_cpu, Some(7));
            assert_eq!(told(&mut account), []);
            account.read(300, on_cpu + 1, Some(7));
            assert_eq!(told(&mut account).len(), 1);
        }
    }

    /// What is told of a thread of which the system says nothing any more when all of it is joined up to
    /// `joined`, if its last words come then; how it waited.
    fn told_of_one_that_is_gone(joined: &[u64], last_words: bool) -> Vec<Option<Nanos>> {
        let mut join = Join::new(0, 7);
        let hello = Hello {
            pid: 7,
            parent: 1,
            version: "3.11.7".to_owned(),
            executable: "python".to_owned(),
            argv: Vec::new(),
        };
        let peer = join.hello(&hello).unwrap();
        join.name(peer, StringId(0), "ThreadPool\0".to_owned());
        let opened = Told::PoolOpen {
            pool: 1,
            workers: 1,
            text: StringId(0),
        };
        let spawned = Told::Spawn {
            pool: 1,
            child: Child::Thread(3),
            slot: 0,
        };
        for told in [opened, spawned] {
            let record = Record {
                at: 10,
                thread: 0,
                cpu: None,
                told,
            };
            join.record(peer, record);
        }
        join.reading(0, 100, 10, Some(5));
        join.workers[0].account.works(150);
        join.reading(0, 200, 20, None);
        for &joined in joined {
            join.pass(joined, joined);
            for (worker, _) in join.unsettled() {
                join.settle(worker, joined + 50, None);
            }
        }
        if last_words {
            join.reading(0, 300, 25, Some(35));
        }
        join.close(1_000);
        let spent = |event: &Event| match &event.kind {
            Kind::Spent(spent) => Some(spent.waiting),
            _ => None,
        };
        join.take(Time::NEVER).iter().filter_map(spent).collect()
    }

    #[test]
    fn a_thread_that_is_gone_may_have_said_since_how_it_waited() {
        let of = told_of_one_that_is_gone;
        let known = vec![Some(Nanos(30)), Some(Nanos(0))];
        assert_eq!(of(&[210], true), known);
        assert_eq!(of(&[210, 250], true), known);
        // Everything is there that it told before it was seen to be gone.
        assert_eq!(of(&[210, 270], true)[0], None);
        assert_eq!(of(&[210], false), [None]);
    }
}
