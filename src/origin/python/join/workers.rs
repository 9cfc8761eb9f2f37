//! Workers: their start, whose they are, and their end.

use super::beyond::BEYOND;
use super::call::Place;
use super::pool::Worker;
use super::{Join, Peer};
use crate::event::{
    EXITING, Ended, Kind, LaneId, LaneKind, LaneOpened, Note, NoteKind, RAISING, TERMINATED,
};
use crate::origin::python::wire::{Child, Closing, Entry, Record, Told};
use std::collections::HashMap;

/// A worker whose parent says nothing of its end is given this long.
const PATIENCE: u64 = 1_000_000_000;
/// What stands for an exit code that a parent could not know yet.
const UNKNOWN_EXIT: i32 = i32::MIN;
/// After Ctrl-C, which reaches all its processes, a program is given this long to leave its pool.
const LEAVES: u64 = 500_000_000;
/// A worker whose parent says nothing of its begin is given this long.
const UNNAMED: u64 = 1_000_000_000;

impl Join {
    pub(super) fn spawn(
        &mut self,
        peer: usize,
        thread: u16,
        at: u64,
        pool: u32,
        child: Child,
    ) -> Option<()> {
        let pool = self.pool(peer, thread, at, pool);
        match child {
            Child::Thread(number) => {
                let number = u16::try_from(number).unwrap_or(BEYOND);
                if number == BEYOND {
                    self.unseen(peer, at);
                    return None;
                }
                if !self.processes[peer].hands.contains_key(&number) {
                    self.open_thread(peer, number, pool, at);
                }
            }
            Child::Process(pid) if self.is_guessed(pid) => self.confirm(pid, pool, at),
            Child::Process(pid) => {
                let at = self.first_held(pid).map_or(at, |first| first.min(at));
                let worker = self.open_worker(pool, at, Some(pid), Some(u64::from(pid)));
                self.children.insert(pid, worker);
                self.adopt(pid, worker);
            }
        }
        Some(())
    }

    /// The worker with this pid is there without a word of its parent.
    fn is_guessed(&self, pid: u32) -> bool {
        let worker = self.children.get(&pid).map(|&worker| &self.workers[worker]);
        worker.is_some_and(|worker| worker.is_guessed && !worker.is_closed)
    }

    /// The parent of a worker that was guessed to be of some pool tells of it, late.
    fn confirm(&mut self, pid: u32, pool: usize, at: u64) {
        let Some(&worker) = self.children.get(&pid) else {
            return;
        };
        self.workers[worker].is_guessed = false;
        let Worker {
            pool: before, row, ..
        } = self.workers[worker];
        if before != pool {
            self.pools[before].free_row(row);
            let row = self.pools[pool].take_row();
            (self.workers[worker].pool, self.workers[worker].row) = (pool, row);
            let facts = self.worker_facts(pool, row, Some(pid), Some(u64::from(pid)));
            let (lane, at) = (self.workers[worker].lane, self.tell.time(at));
            self.tell.say(lane, at, Kind::LaneOpened(Box::new(facts)));
        }
    }

    /// When a process first said something that waits for its parent.
    fn first_held(&self, pid: u32) -> Option<u64> {
        let &process = self.pids.get(&pid)?;
        self.processes[process].held.first().map(|record| record.at)
    }

    /// The process with this pid is that worker: what it said before is told now.
    fn adopt(&mut self, pid: u32, worker: usize) {
        let Some(&index) = self.pids.get(&pid) else {
            return;
        };
        let process = &mut self.processes[index];
        if process.worker.is_some() {
            return;
        }
        process.worker = Some(worker);
        self.workers[worker].teller = Some(index);
        let began = process.held.first().map(|record| record.at);
        if let Some((thread, at)) = process.works_in.zip(began) {
            self.rename_caller(index, thread, worker, at);
        }
        for record in std::mem::take(&mut self.processes[index].held) {
            self.hand_on(index, record);
        }
    }

    fn open_thread(&mut self, peer: usize, number: u16, pool: usize, at: u64) -> usize {
        let process = &self.processes[peer];
        let (pid, native) = (process.pid, process.native(u32::from(number)));
        let worker = self.open_worker(pool, at, Some(pid), native);
        self.workers[worker].teller = Some(peer);
        self.workers[worker].thread = Some(number);
        self.processes[peer].hands.insert(number, worker);
        if let Some(record) = self.processes[peer].early.remove(&number) {
            self.work(worker, record);
        }
        worker
    }

    fn open_worker(&mut self, pool: usize, at: u64, pid: Option<u32>, tid: Option<u64>) -> usize {
        let row = self.pools[pool].take_row();
        let facts = self.worker_facts(pool, row, pid, tid);
        let at = self.tell.time(at);
        let lane = self.tell.open(at, facts);
        self.workers.push(Worker::new(lane, pool, row));
        self.workers.len() - 1
    }

    /// A thread says its number in the system itself, perhaps after who started it told of it.
    pub(super) fn thread_said(&mut self, peer: usize, thread: u16, native: u32) {
        let Some(&worker) = self.processes[peer].hands.get(&thread) else {
            return;
        };
        let Worker {
            lane, pool, row, ..
        } = self.workers[worker];
        let (pid, tid) = (self.processes[peer].pid, u64::from(native));
        let facts = self.worker_facts(pool, row, Some(pid), Some(tid));
        let at = self.tell.time(self.joined);
        self.tell.say(lane, at, Kind::LaneOpened(Box::new(facts)));
    }

    fn worker_facts(
        &self,
        pool: usize,
        row: usize,
        pid: Option<u32>,
        tid: Option<u64>,
    ) -> LaneOpened {
        LaneOpened {
            kind: LaneKind::Worker,
            pool: Some(self.pools[pool].id),
            name: format!("worker {row}"),
            pid,
            tid,
        }
    }

    /// Hands a record to the worker that its thread is; keeps it while that is not known.
    pub(super) fn hand_on(&mut self, peer: usize, record: Record) -> Option<()> {
        if record.thread == BEYOND {
            self.unseen(peer, record.at);
            return None;
        }
        let process = &self.processes[peer];
        let worker = if process.works_in == Some(record.thread) {
            if process.worker.is_none() {
                let process = &mut self.processes[peer];
                if process.held.is_empty() {
                    self.holding.push(peer);
                }
                return process.hold(record).then_some(());
            }
            process.worker
        } else {
            let known = process.hands.get(&record.thread).copied();
            let worker = known.or_else(|| self.thread_of_own_call(peer, &record));
            if let (None, Told::Spent { .. }) = (worker, record.told) {
                // A thread reads its clock before it takes its first chunk.
                self.processes[peer].early.insert(record.thread, record);
            }
            worker
        }?;
        match record.told {
            Told::Note { .. } => self.worker_note(worker, record),
            _ => self.work(worker, record),
        }
    }

    /// A thread that takes a chunk of a call of its own process works for the pool of that call.
    fn thread_of_own_call(&mut self, peer: usize, record: &Record) -> Option<usize> {
        let Told::Taken { chunk, .. } = record.told else {
            return None;
        };
        let call = self.processes[peer].calls.get(&chunk.call)?;
        let pool = call.pool.0 as usize;
        Some(self.open_thread(peer, record.thread, pool, record.at))
    }

    pub(super) fn reap(&mut self, peer: usize, at: u64, child: Child, exit: i32) -> Option<()> {
        let worker = match child {
            Child::Process(pid) => self.children.get(&pid).copied()?,
            Child::Thread(number) => {
                let number = u16::try_from(number).ok()?;
                let worker = self.processes[peer].hands.remove(&number)?;
                self.workers[worker].said_end = true;
                worker
            }
        };
        // Only the process that has the pool knows of its workers.
        if self.pools[self.workers[worker].pool].owner != peer {
            return None;
        }
        self.workers[worker].exit = Some(exit);
        self.workers[worker].reaped = Some(at);
        if !self.workers[worker].is_closed {
            // Its place is free for the next one, also while the end of its own telling is still to come.
            let (pool, row) = (self.workers[worker].pool, self.workers[worker].row);
            self.pools[pool].free_row(row);
        }
        if self.workers[worker].teller.is_none() || matches!(child, Child::Thread(_)) {
            // Nothing was heard of it, or it has no connection of its own.
            self.died(worker, at, None);
        }
        if self.workers[worker].died.is_some() {
            self.close_worker(worker);
        }
        Some(())
    }

    /// A process is gone, and everything that it told has been told. `entry`: what its page says of the
    /// thread that worked for its parent.
    pub(in crate::origin::python) fn gone(
        &mut self,
        Peer(peer): Peer,
        at: u64,
        entry: Option<Entry>,
    ) {
        if let (Some(thread), Some(entry)) = (self.processes[peer].works_in, entry) {
            self.seen(Peer(peer), thread, entry);
        }
        self.processes[peer].is_gone = true;
        if self.processes[peer].worker.is_none() && at > 0 && !self.processes[peer].held.is_empty()
        {
            // Its parent may still tell of it.
            return;
        }
        self.gone_for_good(peer, at, entry);
    }

    fn gone_for_good(&mut self, peer: usize, at: u64, entry: Option<Entry>) {
        if let Some(worker) = self.processes[peer].worker {
            // What its parent did after it had noticed its end has nothing to do with that.
            let at = self.workers[worker].reaped.unwrap_or(at);
            self.died(worker, at, entry);
        }
        // Its workers end with it: they did not leave by themselves.
        for id in self.processes[peer].pools.values() {
            self.pools[id.0 as usize].give_up(at);
        }
        let threads: Vec<usize> = self.processes[peer].hands.drain().map(|(_, k)| k).collect();
        for worker in threads {
            self.workers[worker].said_end = true;
            self.workers[worker].hand = None;
            self.died(worker, at, None);
            self.close_worker(worker);
        }
        // What is left of the main program is told when it has ended.
        if self.processes[peer].pid != self.main_pid {
            let callers = std::mem::take(&mut self.processes[peer].callers);
            for caller in callers.into_values() {
                self.close_caller(caller.lane, at);
            }
            self.close_others(peer, at);
            self.processes[peer].forget();
        }
    }

    fn died(&mut self, worker: usize, at: u64, entry: Option<Entry>) {
        let Worker {
            lane, pool, died, ..
        } = self.workers[worker];
        if died.is_some() {
            return;
        }
        self.workers[worker].died = Some(at);
        let hand = self.workers[worker].hand.take();
        let pool = &self.pools[pool];
        let given_up = pool.gave_up <= at && !pool.is_broken;
        let (owner, id) = (pool.owner, pool.id);
        let was_idle = hand.is_none();
        if let Some(hand) = hand.filter(|_| !given_up) {
            let number = if hand.raw.work {
                let works = &self.processes[owner].works;
                works.get(&(id, hand.raw.call)).map(|work| work.0)
            } else {
                Some(hand.raw.call)
            };
            if self.workers[worker].interrupted {
                self.workers[worker].undecided = Some((number, hand.place));
            } else {
                self.lose(worker, at, number, hand.place);
            }
        }
        let held = entry.is_some_and(|entry| entry.holds_lock);
        if held && was_idle && !given_up && !self.workers[worker].said_end {
            self.say_note(lane, at, NoteKind::QueueLockHeld, worker, 0);
        }
        self.dying.push(worker);
    }

    /// What a worker had in hand that ended because of Ctrl-C is lost only if the program does not leave the pool
    /// as well.
    fn decide(&mut self, worker: usize, now: u64) {
        let Worker {
            undecided: Some((call, place)),
            died: Some(died),
            pool,
            ..
        } = self.workers[worker]
        else {
            return;
        };
        let last = died.saturating_add(LEAVES);
        let is_left = self.pools[pool].gave_up <= last;
        if is_left || now > last {
            self.workers[worker].undecided = None;
            if !is_left {
                self.lose(worker, died, call, place);
            }
        }
    }

    /// The results of these tasks will not come; `call` is the number of their call in its process.
    pub(super) fn lose(&mut self, worker: usize, at: u64, call: Option<u32>, place: Place) {
        self.workers[worker].lost = true;
        let (lane, pool) = (self.workers[worker].lane, self.workers[worker].pool);
        let lost = Kind::Lost {
            call: place.call,
            tasks: place.tasks,
        };
        let at = self.tell.time(at);
        self.tell.say(lane, at, lost);
        let calls = &mut self.processes[self.pools[pool].owner].calls;
        if let Some(raw) = call.and_then(|call| calls.get_mut(&call)) {
            raw.has_lost = true;
        }
    }

    /// A worker said that it ends by itself: a process has more to say until it is gone, a thread has not.
    pub(super) fn worker_end(&mut self, worker: usize, thread: u16, at: u64) {
        self.workers[worker].said_end = true;
        let Some(teller) = self.workers[worker].teller else {
            return;
        };
        if self.processes[teller].hands.get(&thread) == Some(&worker) {
            self.died(worker, at, None);
            self.close_worker(worker);
        }
    }

    fn say_note(&mut self, lane: LaneId, at: u64, kind: NoteKind, worker: usize, value: i32) {
        let note = Note {
            kind,
            pool: Some(self.pools[self.workers[worker].pool].id),
            call: None,
            text: String::new(),
            value: i64::from(value),
        };
        let at = self.tell.time(at);
        self.tell.say(lane, at, Kind::Noted(Box::new(note)));
    }

    fn close_worker(&mut self, worker: usize) {
        let Some(at) = self.workers[worker].died else {
            return;
        };
        if self.workers[worker].undecided.is_some() {
            return;
        }
        if std::mem::replace(&mut self.workers[worker].is_closed, true) {
            return;
        }
        let Worker {
            lost,
            said_end,
            said_why,
            exit,
            ..
        } = self.workers[worker];
        if lost && said_end && !said_why {
            // It left by itself in the middle of a task, and its Python did not say of what.
            let lane = self.workers[worker].lane;
            self.say_note(lane, at, NoteKind::WorkerExit, worker, exit.unwrap_or(0));
        }
        let (pool, row) = (self.workers[worker].pool, self.workers[worker].row);
        let ended = self.workers[worker].ended(&self.pools[pool]);
        let died = matches!(ended, Ended::Killed | Ended::Crashed);
        if let Some(exit) = exit.filter(|&exit| died && exit != UNKNOWN_EXIT) {
            let lane = self.workers[worker].lane;
            self.say_note(lane, at, NoteKind::ExitCode, worker, exit);
        }
        if self.workers[worker].reaped.is_none() {
            self.pools[pool].free_row(row);
        }
        let (lane, at) = (self.workers[worker].lane, self.tell.time(at));
        self.tell.say(lane, at, Kind::LaneClosed { ended });
    }

    pub(super) fn close_pool(
        &mut self,
        peer: usize,
        at: u64,
        pool: u32,
        how: Closing,
    ) -> Option<()> {
        let id = *self.processes[peer].pools.get(&pool)?;
        let index = id.0 as usize;
        let lane = self.pools[index].lane;
        let time = self.tell.time(at);
        let gives_up = !matches!(how, Closing::Close | Closing::Shutdown);
        let first = !std::mem::replace(&mut self.pools[index].is_closed, true);
        self.show_pool(index);
        if first {
            // Nobody calls it any more.
            self.pools[index].series = HashMap::new();
            self.tell.say(lane, time, Kind::PoolClosed { pool: id });
        }
        if gives_up && self.pools[index].give_up(at) {
            let (calls, tasks) = self.open_calls(index);
            if tasks > 0 {
                let call = calls.first();
                let call = call.and_then(|call| self.processes[peer].calls.get(call));
                let why = match how {
                    Closing::Raising => RAISING,
                    Closing::Terminate => TERMINATED,
                    Closing::Exit => EXITING,
                    _ => "the end of `with`",
                };
                let note = Note {
                    kind: NoteKind::LeftOutstanding,
                    pool: Some(id),
                    call: call.map(|call| call.shown),
                    text: why.to_owned(),
                    value: i64::from(tasks),
                };
                self.tell.say(lane, time, Kind::Noted(Box::new(note)));
            }
        }
        Some(())
    }

    /// Time passes: whoever was waited for long enough is waited for no longer. All records up to `joined` are
    /// there.
    pub(in crate::origin::python) fn pass(&mut self, now: u64, joined: u64) {
        self.joined = joined;
        self.decide_all(joined);
        let (late, rest): (Vec<usize>, Vec<usize>) =
            std::mem::take(&mut self.dying).into_iter().partition(|&k| {
                let worker = &self.workers[k];
                let late = now.saturating_sub(worker.died.unwrap_or_default()) > PATIENCE;
                worker.undecided.is_none() && (worker.exit.is_some() || late)
            });
        self.dying = rest;
        for worker in late {
            self.close_worker(worker);
        }
        for peer in std::mem::take(&mut self.holding) {
            let first = self.processes[peer].held.first().map(|record| record.at);
            if first.is_some_and(|first| now.saturating_sub(first) > UNNAMED) {
                self.give_up_waiting(peer);
            } else if first.is_some() {
                self.holding.push(peer);
            }
        }
    }

    pub(super) fn decide_all(&mut self, now: u64) {
        for place in 0..self.dying.len() {
            self.decide(self.dying[place], now);
        }
    }

    /// Nobody told whose worker this process is: it gets the pool of the call it works for, or the one that its
    /// parent opened last, or one without a name.
    pub(super) fn give_up_waiting(&mut self, peer: usize) {
        if self.processes[peer].held.is_empty() || self.processes[peer].worker.is_some() {
            return;
        }
        let (pid, at) = (self.processes[peer].pid, self.processes[peer].held[0].at);
        let claimed = self.claimed_pool(peer).or_else(|| self.latest_pool(peer));
        let pool = claimed.unwrap_or_else(|| self.add_unnamed(peer, self.main, u32::MAX, at));
        self.show_pool(pool);
        let worker = self.open_worker(pool, at, Some(pid), Some(u64::from(pid)));
        self.workers[worker].is_guessed = true;
        self.children.insert(pid, worker);
        self.adopt(pid, worker);
        if self.processes[peer].is_gone {
            self.gone_for_good(peer, at, None);
        }
    }

    /// The pool of the first call that the process speaks of, if its parent is as it says.
    fn claimed_pool(&self, peer: usize) -> Option<usize> {
        let process = &self.processes[peer];
        let parent = *self.pids.get(&process.parent?)?;
        let call = process.held.iter().find_map(|record| match record.told {
            Told::Taken { chunk, .. } if !chunk.work => Some(chunk.call),
            _ => None,
        })?;
        let call = self.processes[parent].calls.get(&call)?;
        Some(call.pool.0 as usize)
    }

    /// The pool of processes that the parent opened last, and did not close.
    fn latest_pool(&self, peer: usize) -> Option<usize> {
        let parent = *self.pids.get(&self.processes[peer].parent?)?;
        let pools = self.processes[parent].pools.values();
        let pools = pools.map(|id| id.0 as usize).filter(|&pool| {
            let pool = &self.pools[pool];
            !pool.has_threads && !pool.is_closed
        });
        pools.max()
    }

    /// Every lane of a worker that is still open ends with the program.
    pub(super) fn close_workers(&mut self, at: u64) {
        for worker in std::mem::take(&mut self.dying) {
            self.close_worker(worker);
        }
        for worker in 0..self.workers.len() {
            if !self.workers[worker].is_closed {
                self.workers[worker].is_closed = true;
                let (lane, at) = (self.workers[worker].lane, self.tell.time(at));
                // A broken executor also kills those that have not said a word yet.
                let is_killed = self.pools[self.workers[worker].pool].is_broken;
                let ended = if is_killed && !self.workers[worker].said_end {
                    Ended::Killed
                } else {
                    Ended::Finished
                };
                self.tell.say(lane, at, Kind::LaneClosed { ended });
            }
        }
    }

    /// The thread of a process that works for its parent.
    pub(in crate::origin::python) fn working_thread(&self, Peer(peer): Peer) -> Option<u16> {
        self.processes.get(peer)?.works_in
    }
}
