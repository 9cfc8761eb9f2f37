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
    /// What is to be told when all is joined that was told until now.
    ready: Vec<Stretch>,
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
    /// The thread has an item in hand.
    pub(super) fn works(&mut self) {
        self.worked = true;
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
        let rests = self
            .told
            .is_some_and(|told| at.saturating_sub(told.at) > RESTS && on_cpu >= told.on_cpu);
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
            let mut hands = process.hands.iter();
            hands.find(|&(_, &hand)| hand == worker).map(|hand| *hand.0)
        };
        let native = u32::try_from(process.native(u32::from(thread?))?).ok()?;
        Some((process.pid, native))
    }

    /// The threads of a process that work for a pool: their numbers in the system, and which workers they are.
    pub(in crate::origin::python) fn threads_of(&self, Peer(peer): Peer) -> Vec<(u32, usize)> {
        let process = &self.processes[peer];
        let own = process.works_in.zip(process.worker);
        let hands = process
            .hands
            .iter()
            .map(|(&thread, &worker)| (thread, worker));
        let threads = hands.chain(own).filter_map(|(thread, worker)| {
            let native = u32::try_from(process.native(u32::from(thread))?).ok()?;
            Some((native, worker))
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
            Some(spent) => there.account.settle_by(at, spent, idle),
            None => there.account.settle(None, 0),
        }
        self.say_spent(worker);
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
        account.works();
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
        account.works();
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
    fn a_clock_that_runs_backwards_or_too_fast_is_not_believed() {
        for (at, on_cpu) in [(50, 20), (200, 9), (200, 100 + 2 * SLACK)] {
            let mut account = working();
            account.read(at, on_cpu, Some(7));
            assert_eq!(told(&mut account), []);
            account.read(300, on_cpu + 1, Some(7));
            assert_eq!(told(&mut account).len(), 1);
        }
    }
}
