//! Calls: their begin, what is sent, what comes back, and their end.

use super::Join;
use super::call::{BELIEVED, MOST, Place, RawCall, delivery};
use super::pool::Series;
use super::process::Begun;
use crate::event::{
    CallBegan, CallId, CallKind, CallerState, Ends, Indexes, Kind, LaneId, Note, NoteKind, Outcome,
    PoolId, Raised, TaskId, Way,
};
use crate::origin::python::wire::{Chunk, Record, StringId, Told};

impl Join {
    pub(super) fn begin_call(
        &mut self,
        peer: usize,
        at: u64,
        call: u32,
        text: StringId,
        tasks: Option<u32>,
    ) -> Option<()> {
        let begun = Begun { at, text, tasks };
        let waiting = &mut self.processes[peer].begun;
        (waiting.len() < BELIEVED as usize).then(|| {
            waiting.insert(call, begun);
        })
    }

    pub(super) fn call_in(
        &mut self,
        peer: usize,
        thread: u16,
        call: u32,
        pool: u32,
        chunksize: Option<u32>,
    ) -> Option<()> {
        let begun = self.processes[peer].begun.remove(&call)?;
        let Begun { at, text, tasks } = begun;
        let tasks = tasks.filter(|&tasks| tasks <= MOST);
        let pool = self.pool(peer, thread, at, pool);
        let (id, is_executor) = (self.pools[pool].id, self.pools[pool].is_executor);
        let lane = self.caller(peer, thread, at);
        let [method, function, file, row] = self.processes[peer].parts(text);
        let kind = CallKind::named(&method).of(is_executor);
        if kind.blocks() {
            self.turn(peer, thread, at, CallerState::Submitting);
        }
        // Such calls are shown together when a loop makes them.
        let is_single = tasks == Some(1) && kind.is_single();
        let delivery = delivery(kind, &method);
        let time = self.tell.time(at);
        let again = self.again(peer, thread, id, text).filter(|_| is_single);
        let (shown, base) = again.unwrap_or((CallId(self.calls), 0));
        if again.is_some() {
            let tasks = Indexes::one(base);
            self.tell
                .say(lane, time, Kind::CallAgain { call: shown, tasks });
        } else {
            self.calls += 1;
            let facts = CallBegan {
                call: shown,
                pool: Some(id),
                method,
                function,
                source: source(file, &row),
                tasks: tasks.filter(|&tasks| tasks <= BELIEVED),
                chunksize: Some(chunksize.unwrap_or(1).max(1)),
            };
            self.tell.say(lane, time, Kind::CallBegan(Box::new(facts)));
        }
        self.remember(
            peer,
            thread,
            id,
            text,
            is_single.then_some((shown, base)),
            shown,
        );
        let mut raw = RawCall::new(shown, base, id, lane, thread);
        raw.series = is_single.then_some(text);
        raw.delivery = delivery;
        raw.chunksize = chunksize.unwrap_or(1).max(1);
        raw.tasks = tasks;
        if let Some(tasks) = tasks.filter(|&tasks| 0 < tasks && tasks <= BELIEVED) {
            raw.submitted = tasks;
            let submitted = Kind::Submitted {
                call: shown,
                tasks: raw.all(),
            };
            self.tell.say(lane, time, submitted);
        }
        self.processes[peer].open(call, raw);
        Some(())
    }

    /// The call that is shown and is joined by another of this line, with the index of that.
    fn again(
        &self,
        peer: usize,
        thread: u16,
        pool: PoolId,
        text: StringId,
    ) -> Option<(CallId, u32)> {
        let caller = self.processes[peer].callers.get(&thread)?;
        let series = self.pools[pool.0 as usize].series.get(&(thread, text))?;
        let goes_on = caller.last == Some(series.shown) || series.open > 0;
        (goes_on && series.next < MOST).then_some((series.shown, series.next))
    }

    fn remember(
        &mut self,
        peer: usize,
        thread: u16,
        pool: PoolId,
        text: StringId,
        single: Option<(CallId, u32)>,
        shown: CallId,
    ) {
        let Some(caller) = self.processes[peer].callers.get_mut(&thread) else {
            return;
        };
        caller.last = Some(shown);
        if let Some((shown, index)) = single {
            let all = &mut self.pools[pool.0 as usize].series;
            let series = all.entry((thread, text)).or_insert(Series {
                shown,
                next: 0,
                open: 0,
            });
            if series.shown != shown {
                (series.shown, series.open) = (shown, 0);
            }
            series.next = index + 1;
            series.open += 1;
        }
    }

    pub(super) fn submit(
        &mut self,
        peer: usize,
        at: u64,
        call: u32,
        chunk: u32,
        work: u32,
        items: u16,
    ) -> Option<()> {
        let process = &mut self.processes[peer];
        let raw = process.calls.get_mut(&call)?;
        raw.sized(chunk, u32::from(items));
        let place = raw.place(chunk)?;
        let (lane, new, pool) = (raw.caller, raw.submit(place), raw.pool);
        process.stands_for((pool, work), (call, chunk));
        self.submitted(lane, at, place.call, new);
        Some(())
    }

    /// A worker of this process took a chunk, and says how many tasks it has.
    pub(super) fn counted(&mut self, peer: usize, at: u64, (call, chunk): (u32, u32), items: u32) {
        let raw = self.processes[peer].calls.get_mut(&call);
        let Some(raw) = raw.filter(|raw| !raw.ended) else {
            return;
        };
        if raw.counted(chunk, items)
            && let Some(place) = raw.place(chunk)
        {
            let (lane, new) = (raw.caller, raw.submit(place));
            self.submitted(lane, at, place.call, new);
        }
    }

    fn submitted(&mut self, lane: LaneId, at: u64, call: CallId, tasks: Option<Indexes>) {
        if let Some(tasks) = tasks {
            let at = self.tell.time(at);
            self.tell.say(lane, at, Kind::Submitted { call, tasks });
        }
    }

    pub(super) fn put(
        &mut self,
        peer: usize,
        at: u64,
        chunk: Chunk,
        items: u16,
        bytes: Option<u32>,
    ) -> Option<()> {
        let (call, number) = own(chunk)?;
        let raw = self.processes[peer].calls.get_mut(&call)?;
        raw.sized(number, u32::from(items));
        let place = raw.place(number)?;
        let (lane, new) = (raw.caller, raw.submit(place));
        self.submitted(lane, at, place.call, new);
        let time = self.tell.time(at);
        let chunks = Indexes::one(place.chunk);
        let call = place.call;
        self.tell.say(lane, time, Kind::Enqueued { call, chunks });
        self.carried(lane, at, place, bytes, Way::ToWorker);
        Some(())
    }

    pub(super) fn carried(
        &mut self,
        lane: LaneId,
        at: u64,
        place: Place,
        bytes: Option<u32>,
        way: Way,
    ) {
        let Some(bytes) = bytes else {
            return;
        };
        let carried = Kind::Carried {
            call: place.call,
            chunk: place.chunk,
            bytes,
            way,
        };
        self.tell.say(lane, self.tell.time(at), carried);
    }

    pub(super) fn back(&mut self, peer: usize, at: u64, chunk: Chunk) -> Option<()> {
        let (call, number) = own(chunk)?;
        let raw = self.processes[peer].calls.get_mut(&call)?;
        let place = raw.place(number)?;
        let (lane, ready) = (raw.caller, raw.returned(number, place));
        let time = self.tell.time(at);
        let returned = Kind::Returned {
            call: place.call,
            chunk: place.chunk,
        };
        self.tell.say(lane, time, returned);
        if let Some(tasks) = ready.filter(|tasks| !tasks.is_empty()) {
            let call = place.call;
            self.tell.say(lane, time, Kind::Ready { call, tasks });
        }
        self.processes[peer].is_done(call, number);
        let is_future =
            self.pools[self.processes[peer].calls.get(&call)?.pool.0 as usize].is_executor;
        if is_future {
            // Nothing stands between the result of a future and its use.
            self.ready(peer, at, call);
        }
        self.forget(peer, call);
        Some(())
    }

    /// A chunk is not sent, of this error: its tasks have an outcome, and nobody will run them.
    pub(super) fn not_sent(
        &mut self,
        peer: usize,
        at: u64,
        (call, chunk): (u32, u32),
        error: &str,
    ) -> Option<()> {
        let raw = self.processes[peer].calls.get_mut(&call)?;
        let place = raw.place(chunk)?;
        let (lane, new) = (raw.caller, raw.submit(place));
        self.submitted(lane, at, place.call, new);
        let time = self.tell.time(at);
        for index in place.tasks.iter().take(BELIEVED as usize) {
            let (call, cpu) = (place.call, None);
            let task = TaskId { call, index };
            let outcome = if index == place.tasks.first {
                let error = format!("not sent: {error}");
                let raised = Kind::Raised(Box::new(Raised { task, error }));
                self.tell.say(lane, time, raised);
                Outcome::Failed
            } else {
                Outcome::Skipped
            };
            self.tell
                .say(lane, time, Kind::Finished { task, outcome, cpu });
        }
        let work = false;
        self.back(peer, at, Chunk { call, chunk, work })
    }

    /// The executor of a call will give it none of the results that are still missing.
    pub(super) fn give_up(&mut self, peer: usize, at: u64, call: u32) -> Option<()> {
        let raw = self.processes[peer].calls.get(&call)?;
        if raw.back >= raw.all().len() {
            return Some(());
        }
        if raw.is_iterator() {
            let (lane, call, tasks) = (raw.caller, raw.shown, raw.rest());
            let time = self.tell.time(at);
            self.tell.say(lane, time, Kind::Ready { call, tasks });
        } else {
            self.ready(peer, at, call);
        }
        self.end_call(peer, at, call, Ends::BrokenProcessPool)
    }

    pub(super) fn ready(&mut self, peer: usize, at: u64, call: u32) -> Option<()> {
        let raw = self.processes[peer].calls.get_mut(&call)?;
        if raw.is_iterator() || std::mem::replace(&mut raw.is_ready, true) {
            return Some(());
        }
        let (lane, tasks, shown) = (raw.caller, raw.all(), raw.shown);
        if !tasks.is_empty() {
            let at = self.tell.time(at);
            self.tell.say(lane, at, Kind::Ready { call: shown, tasks });
        }
        Some(())
    }

    pub(super) fn delivered(
        &mut self,
        peer: usize,
        at: u64,
        call: u32,
        chunk: Option<u32>,
        raised: bool,
    ) -> Option<()> {
        let raw = self.processes[peer].calls.get(&call)?;
        // A result may be asked for again, and one that was there before its executor gave up counts.
        if raw.ended && raw.delivered >= raw.all().len() {
            return Some(());
        }
        if !raw.is_iterator() {
            self.ready(peer, at, call);
        }
        let raw = self.processes[peer].calls.get_mut(&call)?;
        let is_executor = self.pools[raw.pool.0 as usize].is_executor;
        if is_executor && raw.is_iterator() {
            // An executor has submitted everything before it hands out the first result of a map.
            raw.chunks = Some(raw.sent);
        }
        let tasks = match chunk {
            Some(chunk) => raw.place(chunk)?.tasks,
            None => raw.all(),
        };
        let (lane, thread, shown) = (raw.caller, raw.thread, raw.shown);
        let time = self.tell.time(at);
        raw.delivered = raw.delivered.saturating_add(tasks.len());
        raw.chunks_delivered += u32::from(chunk.is_some());
        // The error of its input comes in a message without tasks.
        if raised && tasks.is_empty() {
            raw.becomes = Ends::Error;
        }
        let is_dead = raised && (raw.chunksize > 1 || is_executor);
        let ends = match chunk {
            None if raised => Some(Ends::Error),
            None => Some(Ends::Returned),
            Some(_) if is_dead => Some(Ends::Error),
            Some(_) => raw.collected(),
        };
        if raised {
            let note = Note::error_taken(shown, Some(raw.pool), tasks.first);
            self.tell.say(lane, time, Kind::Noted(Box::new(note)));
        }
        if !raised && !tasks.is_empty() {
            self.tell
                .say(lane, time, Kind::Delivered { call: shown, tasks });
        }
        if let Some(ends) = ends {
            self.end_call(peer, at, call, ends);
            self.stop_collecting(peer, thread, at);
        }
        Some(())
    }

    /// The call is over as far as its caller is concerned.
    pub(super) fn end_call(&mut self, peer: usize, at: u64, call: u32, ends: Ends) -> Option<()> {
        let raw = self.processes[peer].calls.get_mut(&call)?;
        if std::mem::replace(&mut raw.ended, true) {
            return Some(());
        }
        let (lane, shown, pool) = (raw.caller, raw.shown, raw.pool);
        let series = raw.series.map(|text| (raw.thread, text));
        let at = self.tell.time(at);
        self.tell
            .say(lane, at, Kind::CallEnded { call: shown, ends });
        let all = &mut self.pools[pool.0 as usize].series;
        if let Some(series) = series.and_then(|series| all.get_mut(&series))
            && series.shown == shown
        {
            series.open = series.open.saturating_sub(1);
        }
        self.processes[peer].is_ended(pool, call);
        self.forget(peer, call);
        Some(())
    }

    /// A call that has ended and of which everything is back needs no memory.
    fn forget(&mut self, peer: usize, call: u32) {
        let calls = &mut self.processes[peer].calls;
        let is_over = |raw: &RawCall| raw.ended && raw.back >= raw.all().len() && raw.back > 0;
        if calls.get(&call).is_some_and(is_over) {
            calls.remove(&call);
        }
    }

    pub(super) fn cancelled(&mut self, peer: usize, at: u64, call: u32, chunk: u32) -> Option<()> {
        let raw = self.processes[peer].calls.get_mut(&call)?;
        let place = raw.place(chunk)?;
        raw.back = raw.back.saturating_add(place.tasks.len());
        let (lane, is_single, time) = (raw.caller, raw.tasks == Some(1), self.tell.time(at));
        for index in place.tasks.iter().take(BELIEVED as usize) {
            let task = TaskId {
                call: place.call,
                index,
            };
            let (outcome, cpu) = (Outcome::Cancelled, None);
            self.tell
                .say(lane, time, Kind::Finished { task, outcome, cpu });
        }
        if is_single {
            self.end_call(peer, at, call, Ends::Cancelled)?;
        }
        self.processes[peer].is_done(call, chunk);
        self.forget(peer, call);
        Some(())
    }

    pub(super) fn input_end(
        &mut self,
        peer: usize,
        at: u64,
        call: u32,
        chunks: u32,
        sized: bool,
    ) -> Option<()> {
        let raw = self.processes[peer].calls.get_mut(&call)?;
        raw.chunks = Some(chunks);
        let note = Note {
            kind: NoteKind::InputSwallowed,
            pool: Some(raw.pool),
            call: Some(raw.shown),
            text: String::new(),
            value: i64::from(raw.delivered),
        };
        let (lane, ends) = (raw.caller, raw.collected());
        // What was all there before was not made for it.
        if !sized {
            let time = self.tell.time(at);
            self.tell.say(lane, time, Kind::Noted(Box::new(note)));
        }
        if let Some(ends) = ends {
            self.end_call(peer, at, call, ends);
        }
        Some(())
    }

    /// Time in pickling on the side of the parent is a span of the caller.
    pub(super) fn parent_cost(&mut self, peer: usize, record: Record) -> Option<()> {
        let Told::Cost {
            chunk,
            pickling,
            nanos,
        } = record.told
        else {
            return None;
        };
        let lane = self.processes[peer].calls.get(&chunk.call)?.caller;
        self.cost(lane, record.at, pickling, nanos);
        Some(())
    }

    /// The program is over: what has lost a task never ended, and says so.
    pub(super) fn end_calls(&mut self, at: u64) {
        for peer in 0..self.processes.len() {
            let calls = self.processes[peer].calls.iter();
            let lost: Vec<u32> = calls
                .filter(|(_, raw)| raw.has_lost && !raw.ended)
                .map(|(&call, _)| call)
                .collect();
            for call in lost {
                self.end_call(peer, at, call, Ends::Never);
            }
        }
    }

    /// The calls of a pool that have not ended, and how many tasks of them have no result.
    pub(super) fn open_calls(&self, pool: usize) -> (Vec<u32>, u32) {
        let Some(owner) = self.pools.get(pool) else {
            return (Vec::new(), 0);
        };
        let process = &self.processes[owner.owner];
        let open = process.open_calls(owner.id);
        let open = open.map(|(call, raw)| (call, raw.all().len().saturating_sub(raw.back)));
        let (calls, tasks): (Vec<u32>, Vec<u32>) = open.unzip();
        (calls, tasks.into_iter().fold(0, u32::saturating_add))
    }
}

/// The call and the chunk that the process with the call speaks of: it names none by a work id.
fn own(chunk: Chunk) -> Option<(u32, u32)> {
    (!chunk.work).then_some((chunk.call, chunk.chunk))
}

/// Where a call stands in the program, if that is known: lines count from 1.
fn source(file: String, line: &str) -> Option<(String, u32)> {
    let line = line.parse().ok().filter(|&line| line > 0)?;
    (!file.is_empty()).then_some((file, line))
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn a_call_without_a_file_or_a_line_has_no_place() {
        let place = |file: &str, line| source(file.to_owned(), line);
        assert_eq!(place("a.py", "12"), Some(("a.py".to_owned(), 12)));
        let unknown = [("a.py", "0"), ("a.py", ""), ("a.py", "x"), ("", "12")];
        assert!(unknown.map(|(file, line)| place(file, line)) == [None, None, None, None]);
    }
}
