//! What workers do with their chunks, item by item.

use super::call::{MANY, Place};
use super::hand::Hand;
use super::{Join, Peer};
use crate::event::{Category, CpuId, Kind, LaneId, NamedSpan, Raised, Ran, Way};
use crate::origin::python::wire::{Chunk, Entry, Record, Told};
use crate::time::Nanos;

impl Join {
    /// A record of a worker, whose place among the workers is known.
    pub(super) fn work(&mut self, worker: usize, record: Record) -> Option<()> {
        let Record { at, cpu, told, .. } = record;
        let cpu = cpu.map(CpuId);
        match told {
            Told::WorkerBegin { .. } => {}
            Told::WorkerEnd => self.worker_end(worker, record.thread, at),
            Told::Taken { chunk, items } => self.taken(worker, chunk, items, at)?,
            Told::ItemStart { chunk, item } => {
                self.with_hand(worker, chunk, at, |hand, tell| {
                    hand.start(item, at, cpu, tell);
                })?;
            }
            Told::ItemNext { chunk, item } => {
                self.with_hand(worker, chunk, at, |hand, tell| {
                    if let Some(before) = item.checked_sub(1) {
                        hand.end(before, at, true, cpu, tell);
                    }
                    hand.start(item, at, cpu, tell);
                })?;
            }
            Told::ItemEnd { chunk, item, ok } => {
                self.with_hand(worker, chunk, at, |hand, tell| {
                    hand.end(item, at, ok, cpu, tell);
                })?;
            }
            Told::Items {
                chunk,
                first,
                count,
                last,
            } => {
                let next = first.checked_add(u32::from(count))?;
                self.with_hand(worker, chunk, at, |hand, tell| {
                    hand.all_before(next, at, cpu, tell);
                    if !last {
                        hand.start(next, at, cpu, tell);
                    }
                })?;
            }
            Told::Raised { chunk, item, text } => {
                let owner = self.workers[worker].teller?;
                let [error] = self.processes[owner].parts(text);
                let lane = self.workers[worker].lane;
                self.with_hand(worker, chunk, at, |hand, tell| {
                    let task = hand.raised(item);
                    let raised = Kind::Raised(Box::new(Raised { task, error }));
                    tell.say(lane, tell.time(at), raised);
                })?;
            }
            Told::Spent { on_cpu, waiting } => self.reading(worker, at, on_cpu, waiting),
            Told::Result { chunk, ok, bytes } => self.result(worker, chunk, ok, bytes, at)?,
            Told::Cost {
                pickling, nanos, ..
            } => self.cost(self.workers[worker].lane, at, pickling, nanos),
            _ => return None,
        }
        Some(())
    }

    fn taken(&mut self, worker: usize, chunk: Chunk, items: u32, at: u64) -> Option<()> {
        let owner = self.pools[self.workers[worker].pool].owner;
        if let Some(number) = self.own_number(worker, chunk).filter(|_| items > MANY) {
            self.counted(owner, at, number, items);
        }
        let place = self.place(worker, chunk)?;
        let lane = self.workers[worker].lane;
        let dequeued = Kind::Dequeued {
            call: place.call,
            chunk: place.chunk,
        };
        self.tell.say(lane, self.tell.time(at), dequeued);
        self.workers[worker].hand = Some(Hand::new(chunk, place, lane, items, at));
        Some(())
    }

    /// Does something with what the worker has in hand; where its taking was not seen, from now on.
    fn with_hand(
        &mut self,
        worker: usize,
        chunk: Chunk,
        at: u64,
        act: impl FnOnce(&mut Hand, &mut super::Tell),
    ) -> Option<()> {
        let has = self.workers[worker].hand.as_ref();
        if has.is_none_or(|hand| hand.raw != chunk) {
            let (place, lane) = (self.place(worker, chunk)?, self.workers[worker].lane);
            let items = place.tasks.len();
            self.workers[worker].hand = Some(Hand::new(chunk, place, lane, items, at));
        }
        self.workers[worker].account.works(at);
        let hand = self.workers[worker].hand.as_mut()?;
        act(hand, &mut self.tell);
        Some(())
    }

    fn result(
        &mut self,
        worker: usize,
        chunk: Chunk,
        ok: bool,
        bytes: Option<u32>,
        at: u64,
    ) -> Option<()> {
        let place = self.place(worker, chunk)?;
        let lane = self.workers[worker].lane;
        let hand = self.workers[worker].hand.take();
        if let Some(mut hand) = hand.filter(|hand| hand.raw == chunk && !ok) {
            hand.skip_rest(at, &mut self.tell);
        }
        self.carried(lane, at, place, bytes, Way::ToCaller);
        let pool = &self.pools[self.workers[worker].pool];
        if pool.is_executor && !chunk.work {
            // A thread sets the result of its future itself.
            self.back(pool.owner, at, chunk)?;
        }
        Some(())
    }

    pub(super) fn cost(&mut self, lane: LaneId, at: u64, pickling: bool, nanos: u32) {
        let name = if pickling { "pickle" } else { "unpickle" };
        let span = NamedSpan {
            name: name.to_owned(),
            category: Category::Overhead,
            since: self.tell.time(at.saturating_sub(u64::from(nanos))),
        };
        let at = self.tell.time(at);
        self.tell.say(lane, at, Kind::Span(Box::new(span)));
    }

    /// What a chunk is that a worker speaks of: one of the process that has its pool.
    pub(super) fn place(&self, worker: usize, chunk: Chunk) -> Option<Place> {
        let pool = &self.pools[self.workers[worker].pool];
        let (call, number) = self.own_number(worker, chunk)?;
        self.processes[pool.owner].calls.get(&call)?.place(number)
    }

    /// The call and the chunk as that process numbers them.
    fn own_number(&self, worker: usize, chunk: Chunk) -> Option<(u32, u32)> {
        if !chunk.work {
            return Some((chunk.call, chunk.chunk));
        }
        let pool = &self.pools[self.workers[worker].pool];
        let works = &self.processes[pool.owner].works;
        works.get(&(pool.id, chunk.call)).copied()
    }

    /// The page of a ring was looked at: what a thread does at this moment, records or not.
    pub(in crate::origin::python) fn seen(&mut self, Peer(peer): Peer, thread: u16, entry: Entry) {
        let Some(since) = entry.since else {
            return;
        };
        let process = &self.processes[peer];
        let is_worker = process.works_in == Some(thread);
        let worker = if is_worker {
            process.worker
        } else {
            process.hands.get(&thread).copied()
        };
        let Some(hand) = worker.and_then(|worker| self.workers[worker].hand.as_mut()) else {
            return;
        };
        let is_same =
            hand.raw.call == entry.call && (hand.raw.work || hand.raw.chunk == entry.chunk);
        if is_same {
            hand.start(entry.item, since, None, &mut self.tell);
        }
    }

    /// How a process of a worker spent the stretch from `since` to `at`, if that lies within one task.
    pub(in crate::origin::python) fn spent(
        &mut self,
        worker: usize,
        since: u64,
        at: u64,
        on_cpu: Nanos,
        waiting: Nanos,
    ) {
        let Some(worker) = self.workers.get(worker) else {
            return;
        };
        let running = worker.hand.as_ref().and_then(Hand::running);
        let Some((task, _)) = running.filter(|&(_, started)| started <= since) else {
            return;
        };
        let ran = Ran {
            task,
            since: self.tell.time(since),
            on_cpu,
            waiting,
            useful_wait: Nanos::ZERO,
            cpu: None,
            moved_to: None,
        };
        let (lane, at) = (worker.lane, self.tell.time(at));
        self.tell.say(lane, at, Kind::Ran(Box::new(ran)));
    }
}
