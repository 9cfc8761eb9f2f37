//! One process as it tells of itself: its names, threads, pools and calls.

use super::call::RawCall;
use crate::event::{CallId, CallerState, LaneId, PoolId};
use crate::origin::python::tell::harmless;
use crate::origin::python::wire::{Hello, Record, StringId};
use std::collections::{BTreeSet, HashMap, VecDeque};

/// What Python calls the thread with which a process begins.
const FIRST: &str = "MainThread";
/// Different names, threads and pools that one process may have.
const MOST_NAMES: usize = 1 << 16;
/// Bytes of all its texts.
const MOST_TEXT: usize = 1 << 24;
/// Records that wait until it is known whose worker their process is.
const MOST_HELD: usize = 1 << 17;
/// Work ids that are done and may still be spoken of, by a worker that is known late.
const MOST_DONE: usize = 1 << 12;
/// Calls whose results are all back and that nobody has asked for.
const MOST_ANSWERED: usize = 1 << 19;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub(super) pid: u32,
    names: HashMap<StringId, String>,
    threads: HashMap<u32, Thread>,
    /// Bytes of both.
    text: usize,
    /// Pools and calls by the numbers this process gave them.
    pub(super) pools: HashMap<u32, PoolId>,
    pub(super) calls: HashMap<u32, RawCall>,
    /// Those of each pool that have not ended.
    open: HashMap<PoolId, BTreeSet<u32>>,
    /// Calls of which the pool is still to be told.
    pub(super) begun: HashMap<u32, Begun>,
    /// What the work ids of its process executors stand for: call and chunk.
    pub(super) works: HashMap<Work, (u32, u32)>,
    /// The work that each chunk is, until it is done, and what was done last.
    chunks: HashMap<(u32, u32), Work>,
    done: VecDeque<Work>,
    /// Calls in the order in which they were answered.
    answered: VecDeque<u32>,
    /// The thread that works for a pool of the parent.
    pub(super) works_in: Option<u16>,
    /// The parent, as that thread told it.
    pub(super) parent: Option<u32>,
    /// What it is to its parent: a place among the workers.
    pub(super) worker: Option<usize>,
    /// Its threads that work for its own pools.
    pub(super) hands: HashMap<u16, usize>,
    /// The last reading of threads that were not known to work for a pool then.
    pub(super) early: HashMap<u16, Record>,
    /// What it told before its parent told of it.
    pub(super) held: Vec<Record>,
    pub(super) callers: HashMap<u16, Caller>,
    /// The lane of callers without a number.
    pub(super) others: Option<LaneId>,
    /// It has workers without a number.
    pub(super) has_unseen: bool,
    pub(super) is_gone: bool,
}

/// A work id, which is one in its executor only.
type Work = (PoolId, u32);

/// A call of which the pool is still to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) at: u64,
    pub(super) text: StringId,
    pub(super) tasks: Option<u32>,
}

#[derive(Clone, Debug)]
struct Thread {
    native: u32,
    name: String,
}

/// A thread that calls pools.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) lane: LaneId,
    pub(super) state: CallerState,
    pub(super) last: Option<CallId>,
}

impl Process {
    pub(super) fn new(hello: &Hello) -> Self {
        Self {
            pid: hello.pid,
            ..Self::default()
        }
    }

    /// Keeps a text; an empty one once there are too many bytes of them.
    pub(super) fn name(&mut self, id: StringId, text: String) {
        if self.names.len() < MOST_NAMES {
            let text = self.bounded(text);
            self.names.insert(id, text);
        }
    }

    pub(super) fn thread(&mut self, number: u32, native: u32, name: &str) {
        if self.threads.len() < MOST_NAMES {
            let name = self.bounded(harmless(name));
            self.threads.insert(number, Thread { native, name });
        }
    }

    fn bounded(&mut self, text: String) -> String {
        if self.text + text.len() > MOST_TEXT {
            return String::new();
        }
        self.text += text.len();
        text
    }

    /// A call of this number begins.
    pub(super) fn open(&mut self, call: u32, raw: RawCall) {
        self.open.entry(raw.pool).or_default().insert(call);
        self.calls.insert(call, raw);
    }

    /// A call of this pool ends, or nobody will hear of its end.
    pub(super) fn is_ended(&mut self, pool: PoolId, call: u32) {
        if let Some(open) = self.open.get_mut(&pool) {
            open.remove(&call);
            if open.is_empty() {
                self.open.remove(&pool);
            }
        }
    }

    /// The calls of a pool that have not ended, in the order of their numbers.
    pub(super) fn open_calls(&self, pool: PoolId) -> impl Iterator<Item = (u32, &RawCall)> {
        let open = self.open.get(&pool).into_iter().flatten();
        let calls = open.filter_map(|&call| Some((call, self.calls.get(&call)?)));
        calls.filter(move |(_, raw)| raw.pool == pool && !raw.ended)
    }

    /// A work id of an executor stands for a chunk.
    pub(super) fn stands_for(&mut self, work: Work, (call, chunk): (u32, u32)) {
        self.works.insert(work, (call, chunk));
        self.chunks.insert((call, chunk), work);
    }

    /// The result of a chunk is back: soon nobody speaks of it any more, but of its call if it is asked for.
    pub(super) fn is_done(&mut self, call: u32, chunk: u32) {
        self.done.extend(self.chunks.remove(&(call, chunk)));
        if self.done.len() > MOST_DONE
            && let Some(work) = self.done.pop_front()
        {
            self.works.remove(&work);
        }
        let answered = |raw: &RawCall| raw.tasks.is_some_and(|tasks| raw.back >= tasks);
        if !self.calls.get(&call).is_some_and(answered) {
            return;
        }
        self.answered.push_back(call);
        if self.answered.len() > MOST_ANSWERED
            && let Some(call) = self.answered.pop_front()
            && let Some(raw) = self.calls.remove(&call)
        {
            self.is_ended(raw.pool, call);
        }
    }

    /// It is gone: what it told of itself is not needed any more.
    pub(super) fn forget(&mut self) {
        self.names = HashMap::new();
        self.threads = HashMap::new();
        self.begun = HashMap::new();
        self.works = HashMap::new();
        self.chunks = HashMap::new();
        self.early = HashMap::new();
        self.calls.retain(|_, raw| !raw.ended);
        self.calls.shrink_to_fit();
    }

    pub(super) fn knows(&self, id: StringId) -> bool {
        self.names.contains_key(&id)
    }

    /// The parts of a text, harmless; empty ones for those that are not there.
    pub(super) fn parts<const N: usize>(&self, id: StringId) -> [String; N] {
        let text = self.names.get(&id).map_or("", String::as_str);
        let mut parts = text.split('\0').map(harmless);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    pub(super) fn native(&self, thread: u32) -> Option<u64> {
        let thread = self.threads.get(&thread)?;
        Some(u64::from(thread.native))
    }

    /// It is the thread with which the process began: by its number, as a program may give it any name. Until that
    /// is known it is.
    pub(super) fn is_first(&self, thread: u16) -> bool {
        let Some(thread) = self.threads.get(&u32::from(thread)) else {
            return true;
        };
        // Elsewhere threads are not numbered like processes.
        thread.native == self.pid || !cfg!(target_os = "linux") && thread.name == FIRST
    }

    /// The name of a thread other than the first one of the process.
    pub(super) fn thread_name(&self, thread: u16) -> Option<&str> {
        let thread = self.threads.get(&u32::from(thread))?;
        (thread.name != FIRST && !thread.name.is_empty()).then_some(&thread.name)
    }

    /// Keeps a record until its time has come; false if there is no room.
    pub(super) fn hold(&mut self, record: Record) -> bool {
        let has_room = self.held.len() < MOST_HELD;
        if has_room {
            self.held.push(record);
        }
        has_room
    }
}
