//! Makes one story of what many processes tell, each in its own words.
//!
//! Processes number their pools and calls for themselves, name what they call by numbers of texts, and know
//! nothing of each other's lanes. Here all of that gets one numbering, and each record becomes the events
//! that it means. It comes in the order of time over all processes, so that what caused something is known
//! before it: a call before its chunks are taken. Only a worker may be heard of before its parent tells
//! that it is one; what it says is held until then.
//!
//! Whatever a process says concerns its own pools, its own calls, and those of the parent that named it as a
//! worker. A number that nobody gave out before means nothing.

mod account;
mod beyond;
mod call;
mod calls;
mod hand;
mod items;
mod notes;
mod pool;
mod process;
#[cfg(test)]
mod tests;
mod workers;

use super::tell::{Tell, harmless};
use super::wire::{About, Hello, Record, StringId, Told, Waits};
use crate::event::{
    BlockedIn, CallerState, Ended, Event, Kind, LaneId, LaneKind, LaneOpened, Note, NoteKind,
    PoolId, PoolOpened,
};
use crate::time::Time;
use beyond::BEYOND;
use pool::{Pool, Worker};
use process::{Caller, Process};
use std::collections::HashMap;

/// The number of a process here, in the order in which they said hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Peer(pub(super) usize);

/// See the module.
#[derive(Debug)]
pub(super) struct Join {
    tell: Tell,
    /// The lane of the main program, which is there from the start.
    main: LaneId,
    main_pid: u32,
    main_is_taken: bool,
    processes: Vec<Process>,
    /// The process that has a pid now.
    pids: HashMap<u32, usize>,
    pools: Vec<Pool>,
    workers: Vec<Worker>,
    /// Workers that are processes, by the pid their parent gave.
    children: HashMap<u32, usize>,
    calls: u32,
    callers: u32,
    /// Processes that said something and whose parent is waited for.
    holding: Vec<usize>,
    /// Workers that died and whose lane is still open.
    dying: Vec<usize>,
    /// Workers that told how long they were on a CPU, and nobody yet how long they waited for one.
    unsettled: Vec<usize>,
    /// Up to here all records are joined.
    joined: u64,
}

impl Join {
    /// For a run that began at this time of the clock, whose first process has this pid.
    pub(super) fn new(began: u64, main_pid: u32) -> Self {
        let mut tell = Tell::new(began);
        let facts = LaneOpened {
            kind: LaneKind::Caller,
            pool: None,
            name: "main".to_owned(),
            pid: Some(main_pid),
            tid: Some(u64::from(main_pid)),
        };
        let main = tell.open(Time::ZERO, facts);
        let state = CallerState::OwnWork;
        tell.say(main, Time::ZERO, Kind::Caller { state });
        Self {
            tell,
            main,
            main_pid,
            main_is_taken: false,
            processes: Vec::new(),
            pids: HashMap::new(),
            pools: Vec::new(),
            workers: Vec::new(),
            children: HashMap::new(),
            calls: 0,
            callers: 1,
            holding: Vec::new(),
            dying: Vec::new(),
            unsettled: Vec::new(),
            joined: 0,
        }
    }

    pub(super) fn main(&self) -> LaneId {
        self.main
    }

    pub(super) fn tell(&mut self) -> &mut Tell {
        &mut self.tell
    }

    /// What was told up to a moment and not taken before.
    pub(super) fn take(&mut self, until: Time) -> Vec<Event> {
        self.tell.take(until)
    }

    /// A process came. One that says a pid that another has now is not believed.
    pub(super) fn hello(&mut self, hello: &Hello) -> Option<Peer> {
        let taken = self.pids.get(&hello.pid);
        if taken.is_some_and(|&other| !self.processes[other].is_gone) {
            return None;
        }
        let index = self.processes.len();
        let mut process = Process::new(hello);
        let worker = self.children.get(&hello.pid).copied();
        process.worker = worker.filter(|&worker| self.workers[worker].died.is_none());
        if let Some(worker) = process.worker {
            self.workers[worker].teller = Some(index);
        }
        self.processes.push(process);
        self.pids.insert(hello.pid, index);
        Some(Peer(index))
    }

    pub(super) fn name(&mut self, Peer(peer): Peer, id: StringId, text: String) {
        self.processes[peer].name(id, text);
    }

    /// A process has said the text of this number.
    pub(super) fn knows(&self, Peer(peer): Peer, id: StringId) -> bool {
        self.processes[peer].knows(id)
    }

    /// It has said the name of this thread, or has none to say.
    pub(super) fn knows_thread(&self, Peer(peer): Peer, thread: u16) -> bool {
        thread == BEYOND || self.processes[peer].native(thread.into()).is_some()
    }

    pub(super) fn thread(&mut self, Peer(peer): Peer, number: u32, native: u32, name: &str) {
        if number < u32::from(BEYOND) {
            let is_new = self.processes[peer].native(number).is_none();
            self.processes[peer].thread(number, native, name);
            if is_new {
                self.thread_said(peer, number as u16, native);
            }
        }
    }

    /// The lane on which a process is shown: its worker's, or that of its first caller.
    pub(super) fn lane(&self, Peer(peer): Peer) -> LaneId {
        let process = &self.processes[peer];
        let worker = process.worker.map(|worker| self.workers[worker].lane);
        let caller = process.callers.values().map(|caller| caller.lane).min();
        worker.or(caller).unwrap_or(self.main)
    }

    /// The lane of a process whose main thread calls pools.
    pub(super) fn main_caller(&self, Peer(peer): Peer) -> Option<LaneId> {
        let process = &self.processes[peer];
        let mut callers = process.callers.iter();
        let main = callers.find(|&(&thread, _)| process.is_first(thread));
        main.map(|(_, caller)| caller.lane)
    }

    /// So many records of this process were lost.
    pub(super) fn dropped(&mut self, peer: Peer, at: u64, count: u64) {
        self.forget_readings(peer);
        let lane = self.lane(peer);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let at = self.tell.time(at);
        self.tell.say(lane, at, Kind::Dropped { count });
    }

    /// A process cannot watch something from then on. Without its ring, or with too small a one, it is not watched
    /// itself; of the main program that is told in other words.
    pub(super) fn no_probe(&mut self, peer: Peer, at: u64, is_ring: bool, why: &str) {
        let why = harmless(why);
        if is_ring && self.processes[peer.0].pid != self.main_pid {
            return self.unwatched(at, NoteKind::Refused, 1, &why);
        }
        let lane = self.lane(peer);
        let note = Note {
            kind: NoteKind::NoProbe,
            pool: None,
            call: None,
            text: why,
            value: 0,
        };
        let note = Kind::Noted(Box::new(note));
        self.tell.say(lane, self.tell.time(at), note);
    }

    /// So many more processes are not watched.
    pub(super) fn unwatched(&mut self, at: u64, kind: NoteKind, count: u32, why: &str) {
        let at = self.tell.time(at);
        let note = Note {
            kind,
            pool: None,
            call: None,
            text: why.to_owned(),
            value: count.into(),
        };
        let note = Kind::Noted(Box::new(note));
        self.tell.say(self.main, at, note);
    }

    /// A record, in the order of time over all processes.
    pub(super) fn record(&mut self, Peer(peer): Peer, record: Record) {
        let Record {
            at, thread, told, ..
        } = record;
        let known = match told {
            Told::PoolOpen {
                pool,
                workers,
                text,
            } => {
                self.open_pool(peer, thread, at, pool, workers, text);
                None
            }
            Told::PoolClose { pool, how, .. } => self.close_pool(peer, at, pool, how),
            Told::Spawn { pool, child, .. } => self.spawn(peer, thread, at, pool, child),
            Told::Reap { child, exit, .. } => self.reap(peer, at, child, exit),
            Told::WorkerBegin { parent } => {
                let process = &mut self.processes[peer];
                (process.works_in, process.parent) = (Some(thread), Some(parent));
                self.hand_on(peer, record)
            }
            Told::WorkerEnd
            | Told::Taken { .. }
            | Told::ItemStart { .. }
            | Told::ItemEnd { .. }
            | Told::ItemNext { .. }
            | Told::Items { .. }
            | Told::Raised { .. }
            | Told::Spent { .. }
            | Told::Result { .. } => self.hand_on(peer, record),
            Told::Cost { chunk, .. } => {
                let is_parent = self.processes[peer].calls.contains_key(&chunk.call);
                let is_own = self.processes[peer].works_in != Some(thread);
                if is_own && is_parent {
                    self.parent_cost(peer, record)
                } else {
                    self.hand_on(peer, record)
                }
            }
            Told::Call { call, text, tasks } => self.begin_call(peer, at, call, text, tasks),
            Told::CallIn {
                call,
                pool,
                chunksize,
            } => self.call_in(peer, thread, call, pool, chunksize),
            Told::Submit {
                call,
                chunk,
                work,
                items,
            } => self.submit(peer, at, call, chunk, work, items),
            Told::Put {
                chunk,
                items,
                bytes,
            } => self.put(peer, at, chunk, items, bytes),
            Told::Cancelled { call, chunk } => self.cancelled(peer, at, call, chunk),
            Told::Back { chunk, .. } => self.back(peer, at, chunk),
            Told::Ready { call, taken } => {
                if taken {
                    self.delivered(peer, at, call, None, false)
                } else {
                    self.ready(peer, at, call)
                }
            }
            Told::Block { waits, .. } => {
                self.block(peer, thread, at, waits);
                None
            }
            Told::Unblock { call } => {
                self.unblock(peer, thread, at, call);
                None
            }
            Told::Delivered {
                call,
                chunk,
                raised,
            } => self.delivered(peer, at, call, chunk, raised),
            Told::InputEnd {
                call,
                chunks,
                sized,
                ..
            } => self.input_end(peer, at, call, chunks, sized),
            Told::ThreadEnd => {
                let caller = self.processes[peer].callers.remove(&thread);
                caller.map(|caller| self.close_caller(caller.lane, at))
            }
            Told::Note { kind, about, .. } => match about {
                About::Worker | About::Call { work: true, .. } => self.hand_on(peer, record),
                About::Call { call, .. }
                    if kind.is_of_worker() && self.processes[peer].hands.contains_key(&thread)
                        || !self.processes[peer].calls.contains_key(&call) =>
                {
                    self.hand_on(peer, record)
                }
                _ => self.note(peer, record),
            },
        };
        // What speaks of a number that nobody gave out, or did long ago, means nothing.
        let _: Option<()> = known;
    }

    fn open_pool(
        &mut self,
        peer: usize,
        thread: u16,
        at: u64,
        pool: u32,
        workers: u32,
        text: StringId,
    ) {
        let lane = self.caller(peer, thread, at);
        let [kind, start_method] = self.processes[peer].parts(text);
        let index = self.add_pool(peer, lane, pool);
        let facts = PoolOpened {
            pool: self.pools[index].id,
            kind,
            start_method: Some(start_method).filter(|word| !word.is_empty()),
            workers: Some(workers).filter(|&workers| workers > 0),
        };
        self.pools[index].is_executor = facts.is_executor();
        self.pools[index].has_threads = facts.kind.starts_with("Thread");
        self.pools[index].unshown = Some((lane, at, facts));
        if self.pools[index].is_executor {
            self.show_pool(index);
        }
    }

    /// A pool whose constructor cannot start a worker never was one: it is told with the first.
    pub(super) fn show_pool(&mut self, pool: usize) {
        if let Some((lane, at, facts)) = self.pools[pool].unshown.take() {
            let at = self.tell.time(at);
            self.tell.say(lane, at, Kind::PoolOpened(Box::new(facts)));
        }
    }

    fn add_pool(&mut self, peer: usize, lane: LaneId, number: u32) -> usize {
        let index = self.pools.len();
        let id = PoolId(index as u32);
        self.pools.push(Pool::new(id, peer, lane));
        self.processes[peer].pools.insert(number, id);
        index
    }

    /// The pool of this number, opened without a name if its begin was not seen.
    fn pool(&mut self, peer: usize, thread: u16, at: u64, number: u32) -> usize {
        if let Some(id) = self.processes[peer].pools.get(&number) {
            let pool = id.0 as usize;
            self.show_pool(pool);
            return pool;
        }
        let lane = self.caller(peer, thread, at);
        self.add_unnamed(peer, lane, number, at)
    }

    /// A pool of which only what it did is known.
    fn add_unnamed(&mut self, peer: usize, lane: LaneId, number: u32, at: u64) -> usize {
        let index = self.add_pool(peer, lane, number);
        let facts = PoolOpened {
            pool: self.pools[index].id,
            kind: String::new(),
            start_method: None,
            workers: None,
        };
        let at = self.tell.time(at);
        self.tell.say(lane, at, Kind::PoolOpened(Box::new(facts)));
        index
    }

    /// The lane of a thread that calls.
    fn caller(&mut self, peer: usize, thread: u16, at: u64) -> LaneId {
        if thread == BEYOND {
            return self.others(peer, at);
        }
        if let Some(caller) = self.processes[peer].callers.get(&thread) {
            return caller.lane;
        }
        let process = &self.processes[peer];
        let own_name = process.thread_name(thread).map(str::to_owned);
        let is_main =
            process.pid == self.main_pid && process.is_first(thread) && !self.main_is_taken;
        let lane = if is_main {
            self.main_is_taken = true;
            self.main
        } else {
            self.callers += 1;
            let number = self.callers;
            let worker = self.worker_of(peer, thread);
            let name = worker.map(|worker| self.worker_name(worker)).or(own_name);
            let facts = self.caller_facts(
                peer,
                thread,
                name.unwrap_or_else(|| format!("main {number}")),
            );
            let at = self.tell.time(at);
            let lane = self.tell.open(at, facts);
            let state = CallerState::OwnWork;
            self.tell.say(lane, at, Kind::Caller { state });
            lane
        };
        let caller = Caller {
            lane,
            state: CallerState::OwnWork,
            last: None,
        };
        self.processes[peer].callers.insert(thread, caller);
        lane
    }

    fn caller_facts(&self, peer: usize, thread: u16, name: String) -> LaneOpened {
        let process = &self.processes[peer];
        LaneOpened {
            kind: LaneKind::Caller,
            pool: None,
            name,
            pid: Some(process.pid),
            tid: process.native(u32::from(thread)),
        }
    }

    /// The worker that this thread is.
    fn worker_of(&self, peer: usize, thread: u16) -> Option<usize> {
        let process = &self.processes[peer];
        let hand = process.hands.get(&thread).copied();
        hand.or(process
            .worker
            .filter(|_| process.works_in.is_none_or(|own| own == thread)))
    }

    /// As a caller, a worker is named with its pool, counted from 1.
    fn worker_name(&self, worker: usize) -> String {
        let Worker { row, pool, .. } = self.workers[worker];
        format!("worker {row} of pool {}", pool + 1)
    }

    /// A caller turns out to be this worker.
    fn rename_caller(&mut self, peer: usize, thread: u16, worker: usize, at: u64) {
        if let Some(caller) = self.processes[peer].callers.get(&thread) {
            let (lane, name) = (caller.lane, self.worker_name(worker));
            let facts = Box::new(self.caller_facts(peer, thread, name));
            let at = self.tell.time(at);
            self.tell.say(lane, at, Kind::LaneOpened(facts));
        }
    }

    /// A caller calls no more.
    fn close_caller(&mut self, lane: LaneId, at: u64) {
        if lane != self.main {
            let at = self.tell.time(at);
            let state = CallerState::Done;
            self.tell.say(lane, at, Kind::Caller { state });
            let ended = Ended::Finished;
            self.tell.say(lane, at, Kind::LaneClosed { ended });
        }
    }

    /// The caller of this thread does something else from now on.
    fn turn(&mut self, peer: usize, thread: u16, at: u64, state: CallerState) {
        let lane = self.caller(peer, thread, at);
        let at = self.tell.time(at);
        let caller = self.processes[peer].callers.get_mut(&thread);
        if let Some(caller) = caller.filter(|caller| caller.state != state) {
            caller.state = state;
            self.tell.say(lane, at, Kind::Caller { state });
        }
    }

    fn block(&mut self, peer: usize, thread: u16, at: u64, waits: Waits) {
        let blocked = match waits {
            Waits::Map => BlockedIn::Map,
            Waits::Starmap => BlockedIn::Starmap,
            Waits::Apply => BlockedIn::Apply,
            Waits::Next => BlockedIn::Next,
            Waits::Result => BlockedIn::Result,
            Waits::Futures => BlockedIn::Futures,
            Waits::Join => BlockedIn::Join,
            Waits::Shutdown => BlockedIn::Shutdown,
            Waits::Get | Waits::Other => BlockedIn::Get,
        };
        self.turn(peer, thread, at, CallerState::Blocked(blocked));
    }

    fn unblock(&mut self, peer: usize, thread: u16, at: u64, call: Option<u32>) {
        let call = call.and_then(|call| self.processes[peer].calls.get(&call));
        let is_collecting = call.is_some_and(|call| call.is_iterator() && !call.is_collected());
        let state = if is_collecting {
            CallerState::Collecting
        } else {
            CallerState::OwnWork
        };
        self.turn(peer, thread, at, state);
    }

    /// A caller that was collecting has got the last that there was.
    fn stop_collecting(&mut self, peer: usize, thread: u16, at: u64) {
        let caller = self.processes[peer].callers.get(&thread);
        if caller.is_some_and(|caller| caller.state == CallerState::Collecting) {
            self.turn(peer, thread, at, CallerState::OwnWork);
        }
    }

    /// Everything that is still open ends with the program.
    pub(super) fn close(&mut self, at: u64) {
        self.settle_all();
        for peer in 0..self.processes.len() {
            self.give_up_waiting(peer);
            self.close_others(peer, at);
        }
        self.decide_all(u64::MAX);
        self.end_calls(at);
        self.close_workers(at);
        let mut lanes: Vec<LaneId> = self
            .processes
            .iter()
            .flat_map(|process| process.callers.values().map(|caller| caller.lane))
            .collect();
        lanes.sort_unstable();
        for lane in lanes {
            self.close_caller(lane, at);
        }
        let (at, state) = (self.tell.time(at), CallerState::Done);
        self.tell.say(self.main, at, Kind::Caller { state });
        let ended = Ended::Finished;
        self.tell.say(self.main, at, Kind::LaneClosed { ended });
    }

    /// The moment from which on something is still to be told of a process whose parent is waited for.
    pub(super) fn held_since(&self) -> Option<Time> {
        let held = self
            .holding
            .iter()
            .filter_map(|&peer| self.processes[peer].held.first());
        held.map(|record| self.tell.time(record.at)).min()
    }
}
