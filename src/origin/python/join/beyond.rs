//! Threads without a number of their own.
//!
//! Records have room for so many numbers of threads, and no number is given out twice in a process. All threads
//! that come later share the last one, and whose record of it is whose nobody can tell. What workers among them
//! do is counted as not seen. Of those that call, the calls are seen, each for itself, but not what they wait for.

use super::{Join, Peer};
use crate::event::{Ended, Kind, LaneId, LaneKind, LaneOpened};

/// The number of all of them.
pub(super) const BEYOND: u16 = u16::MAX;

/// Said once of a process.
const TOLD: &str =
    "a process has had more than 65535 threads: what those do that came later is not seen";

impl Join {
    /// A worker among them did something.
    pub(super) fn unseen(&mut self, peer: usize, at: u64) {
        let lane = self.lane(Peer(peer));
        let at = self.tell.time(at);
        if !std::mem::replace(&mut self.processes[peer].has_unseen, true) {
            let told = Kind::Marked(Box::new(TOLD.to_owned()));
            self.tell.say(lane, at, told);
        }
        self.tell.say(lane, at, Kind::Dropped { count: 1 });
    }

    /// The lane of all of them that call.
    pub(super) fn others(&mut self, peer: usize, at: u64) -> LaneId {
        let process = &self.processes[peer];
        if let Some(lane) = process.others {
            return lane;
        }
        let facts = LaneOpened {
            kind: LaneKind::Caller,
            pool: None,
            name: "other threads".to_owned(),
            pid: Some(process.pid),
            tid: None,
        };
        let lane = self.tell.open(self.tell.time(at), facts);
        self.processes[peer].others = Some(lane);
        lane
    }

    /// Their process is over.
    pub(super) fn close_others(&mut self, peer: usize, at: u64) {
        if let Some(lane) = self.processes[peer].others.take() {
            let ended = Ended::Finished;
            let at = self.tell.time(at);
            self.tell.say(lane, at, Kind::LaneClosed { ended });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::origin::python::wire::{Child, Chunk, Hello, Record, StringId, Told};
    use crate::time::Time;
    use crate::trace::Trace;

    const TEXTS: [&str; 2] = ["ThreadPool\0", "map\0f\0script.py\x0012"];

    /// What is made of records of one process, each told a microsecond after the one before.
    fn trace(records: &[(u16, Told)]) -> Trace {
        let mut join = Join::new(0, 7);
        let peer = join
            .hello(&Hello {
                pid: 7,
                parent: 1,
                version: "3.11.7".to_owned(),
                executable: "python".to_owned(),
                argv: Vec::new(),
            })
            .unwrap();
        for (id, text) in (0..).zip(TEXTS) {
            join.name(peer, StringId(id), text.to_owned());
        }
        for (at, &(thread, told)) in (1..).zip(records) {
            let (at, cpu) = (at * 1_000, None);
            let record = Record {
                at,
                thread,
                cpu,
                told,
            };
            join.record(peer, record);
        }
        join.close(1_000_000);
        let events: Vec<Event> = join.take(Time::NEVER);
        let mut trace = Trace::default();
        trace.apply(events);
        trace
    }

    fn spawned(thread: u32) -> (u16, Told) {
        let told = Told::Spawn {
            pool: 1,
            child: Child::Thread(thread),
            slot: 0,
        };
        (0, told)
    }

    /// A pool of threads, and a call of two tasks by a thread.
    fn called(by: u16, call: u32) -> [(u16, Told); 2] {
        let text = StringId(1);
        let begun = Told::Call {
            call,
            text,
            tasks: Some(2),
        };
        let into = Told::CallIn {
            call,
            pool: 1,
            chunksize: Some(1),
        };
        [(by, begun), (by, into)]
    }

    fn opened() -> (u16, Told) {
        let told = Told::PoolOpen {
            pool: 1,
            workers: 2,
            text: StringId(0),
        };
        (0, told)
    }

    /// A worker takes a message and begins its task.
    fn works(thread: u16, chunk: u32) -> [(u16, Told); 2] {
        let chunk = Chunk {
            call: 1,
            chunk,
            work: false,
        };
        let taken = Told::Taken { chunk, items: 1 };
        let started = Told::ItemStart { chunk, item: 0 };
        [(thread, taken), (thread, started)]
    }

    #[test]
    fn workers_without_a_number_are_not_one_worker() {
        let mut records = vec![opened(), spawned(65_534), spawned(65_535), spawned(65_535)];
        records.extend(called(0, 1));
        records.extend([works(65_534, 0), works(BEYOND, 1)].concat());
        let trace = trace(&records);
        assert_eq!(trace.rows().len(), 1);
        let started = trace.call().unwrap().started.entries().iter();
        assert_eq!(started.map(|entry| entry.index).collect::<Vec<_>>(), [0]);
        // The starts of two workers, and what one of them did.
        assert_eq!(trace.dropped(), 2 + 2);
        let markers = trace.markers().iter();
        assert_eq!(
            markers
                .filter(|marker| trace.marker_words(marker) == TOLD)
                .count(),
            1
        );
    }

    #[test]
    fn callers_without_a_number_wait_for_nothing_that_is_known() {
        let mut records = vec![opened()];
        records.extend([called(BEYOND, 1), called(BEYOND, 2)].concat());
        let blocks = Told::Unblock { call: Some(1) };
        records.extend([(BEYOND, blocks), (BEYOND, Told::ThreadEnd)]);
        let trace = trace(&records);
        let callers: Vec<LaneId> = trace.calls().map(|call| call.caller).collect();
        assert_eq!((callers.len(), callers[0]), (2, callers[1]));
        let lane = trace.lane(callers[0]).unwrap();
        assert_eq!(lane.facts.name, "other threads");
        assert!(lane.closed.is_some());
        // So how long their calls blocked them is not known.
        assert!(trace.caller_of(callers[0]).is_none());
        assert_eq!(trace.dropped(), 0);
    }
}
