//! What is made of records of several processes.

use super::super::wire::{About, Child, Chunk, Closing, Hello, NoteKind, Record, StringId, Told};
use super::{Join, Peer};
use crate::event::Ended;
use crate::time::Time;
use crate::trace::Trace;

/// The main program, with the words that its records need.
const MAIN: u32 = 7;
const TEXTS: [&str; 3] = [
    "Pool\0fork",
    "imap\0f\0script.py\x0012",
    "apply_async\0f\0script.py\x0013",
];
const SECOND: u64 = 1_000_000_000;

struct Heard {
    join: Join,
    main: Peer,
}

fn hello(join: &mut Join, pid: u32) -> Peer {
    let hello = Hello {
        pid,
        parent: 1,
        version: "3.11.7".to_owned(),
        executable: "python".to_owned(),
        argv: Vec::new(),
    };
    join.hello(&hello).unwrap()
}

impl Heard {
    fn new() -> Self {
        let mut join = Join::new(0, MAIN);
        let main = hello(&mut join, MAIN);
        for (id, text) in (0..).zip(TEXTS) {
            join.name(main, StringId(id), text.to_owned());
        }
        Self { join, main }
    }

    /// By thread 0 of a process.
    fn by(&mut self, peer: Peer, at: u64, told: Told) {
        let (thread, cpu) = (0, None);
        let record = Record {
            at,
            thread,
            cpu,
            told,
        };
        self.join.record(peer, record);
    }

    fn told(&mut self, at: u64, told: Told) {
        self.by(self.main, at, told);
    }

    fn opens(&mut self, at: u64, pool: u32) {
        let (workers, text) = (2, StringId(0));
        let told = Told::PoolOpen {
            pool,
            workers,
            text,
        };
        self.told(at, told);
    }

    fn spawns(&mut self, at: u64, pool: u32, pid: u32) {
        let child = Child::Process(pid);
        let slot = 0;
        self.told(at, Told::Spawn { pool, child, slot });
    }

    /// A call that reads its tasks one by one, and sends them in chunks of this size.
    fn calls(&mut self, at: u64, (call, pool): (u32, u32), tasks: Option<u32>, size: u32) {
        let text = StringId(if tasks.is_some() { 2 } else { 1 });
        self.told(at, Told::Call { call, text, tasks });
        let chunksize = Some(size);
        let into = Told::CallIn {
            call,
            pool,
            chunksize,
        };
        self.told(at, into);
    }

    fn trace(mut self, end: u64) -> Trace {
        self.join.close(end);
        let mut trace = Trace::default();
        trace.apply(self.join.take(Time::NEVER));
        trace
    }
}

fn chunk(call: u32, chunk: u32) -> Chunk {
    let work = false;
    Chunk { call, chunk, work }
}

#[test]
fn the_last_of_very_large_chunks_has_as_many_tasks_as_its_worker_counts() {
    let mut heard = Heard::new();
    heard.opens(1, 1);
    heard.spawns(2, 1, 8);
    heard.calls(3, (1, 1), None, 100_000);
    let (items, bytes) = (u16::MAX, None);
    for (at, number) in [(4, 0), (5, 1)] {
        let chunk = chunk(1, number);
        let put = Told::Put {
            chunk,
            items,
            bytes,
        };
        heard.told(at, put);
    }
    let worker = hello(&mut heard.join, 8);
    heard.by(worker, 6, Told::WorkerBegin { parent: MAIN });
    for (at, number, items) in [(7, 0, 100_000), (8, 1, 70_000)] {
        let chunk = chunk(1, number);
        heard.by(worker, at, Told::Taken { chunk, items });
        let ok = true;
        heard.by(worker, at, Told::Result { chunk, ok, bytes });
    }
    let trace = heard.trace(9);
    assert_eq!(trace.call().unwrap().tasks().len(), 170_000);
}

#[test]
fn the_main_thread_is_known_by_its_number_whatever_its_name_is() {
    let mut heard = Heard::new();
    heard.join.thread(heard.main, 0, MAIN, "boss");
    heard.opens(1, 1);
    heard.spawns(2, 1, 8);
    let main = heard.join.main();
    assert_eq!(heard.join.main_caller(heard.main), Some(main));
    let trace = heard.trace(SECOND);
    let names: Vec<&str> = trace
        .callers()
        .iter()
        .filter_map(|caller| Some(trace.lane(caller.lane)?.facts.name.as_str()))
        .collect();
    assert_eq!(names, ["main"]);
}

#[test]
fn a_pool_that_is_closed_is_asked_for_no_more_calls() {
    let mut heard = Heard::new();
    heard.opens(1, 1);
    heard.spawns(2, 1, 8);
    for call in 1..=3 {
        heard.calls(3, (call, 1), Some(1), 1);
    }
    let open = |heard: &Heard| heard.join.open_calls(0);
    assert_eq!(open(&heard), (vec![1, 2, 3], 3));
    let (call, chunk, raised) = (2, None, false);
    let delivered = Told::Delivered {
        call,
        chunk,
        raised,
    };
    heard.told(4, delivered);
    assert_eq!(open(&heard), (vec![1, 3], 2));
    let series = |heard: &Heard| heard.join.pools[0].series.values().next().copied();
    assert_eq!(series(&heard).map(|series| series.open), Some(2));
    let (pool, how, outstanding) = (1, Closing::Close, 0);
    let closed = Told::PoolClose {
        pool,
        how,
        outstanding,
    };
    heard.told(5, closed);
    // What is kept of it is what has not ended.
    assert!(series(&heard).is_none());
    assert_eq!(open(&heard), (vec![1, 3], 2));
    assert_eq!(heard.trace(6).calls().len(), 1);
}

/// A worker of one of two pools that its parent tells of after it was waited for in vain.
fn told_late(pool: u32) -> Trace {
    let mut heard = Heard::new();
    heard.opens(1, 1);
    heard.spawns(2, 1, 8);
    heard.opens(3, 2);
    heard.spawns(4, 2, 9);
    let worker = hello(&mut heard.join, 10);
    heard.by(worker, 5, Told::WorkerBegin { parent: MAIN });
    heard.join.pass(2 * SECOND, 2 * SECOND);
    heard.spawns(2 * SECOND, pool, 10);
    heard.trace(3 * SECOND)
}

#[test]
fn a_worker_that_its_parent_tells_of_late_is_one_worker_of_that_pool() {
    for (pool, workers) in [(1, [2, 1]), (2, [1, 2])] {
        let trace = told_late(pool);
        assert_eq!(trace.rows().len(), 3);
        let pools = trace.pools().map(|pool| Some(pool.facts.pool));
        let counts: Vec<usize> = pools.map(|pool| trace.rows_of(pool).len()).collect();
        assert_eq!(counts, workers);
    }
}

#[test]
fn a_broken_executor_kills_also_who_has_not_said_a_word() {
    let ended = |is_broken: bool| {
        let mut heard = Heard::new();
        heard.opens(1, 1);
        heard.spawns(2, 1, 8);
        let note = Told::Note {
            kind: NoteKind::Broken,
            about: About::Pool(1),
            text: None,
            value: 1,
        };
        if is_broken {
            heard.told(3, note);
        }
        let trace = heard.trace(SECOND);
        let lane = trace.rows()[0].lanes[0];
        trace
            .lane(lane)
            .and_then(|lane| lane.closed)
            .map(|closed| closed.1)
    };
    assert_eq!(ended(true), Some(Ended::Killed));
    assert_eq!(ended(false), Some(Ended::Finished));
}
