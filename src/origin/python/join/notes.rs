//! What a process says in words about itself.

use super::Join;
use crate::event::{CallId, Kind, LaneId, Note, NoteKind, PoolId};
use crate::origin::python::wire::{About, Chunk, NoteKind as Said, Record, Told};

impl Join {
    /// By the process that has the pool.
    pub(super) fn note(&mut self, peer: usize, record: Record) -> Option<()> {
        let Told::Note {
            kind,
            about,
            text,
            value,
        } = record.told
        else {
            return None;
        };
        let (lane, pool, call) = match about {
            About::Pool(pool) => {
                let id = *self.processes[peer].pools.get(&pool)?;
                (self.pools[id.0 as usize].lane, id, None)
            }
            About::Call { call, .. } => {
                let raw = self.processes[peer].calls.get(&call)?;
                (raw.caller, raw.pool, Some(raw.shown))
            }
            About::Worker => return None,
        };
        if kind == Said::Broken {
            self.broken(peer, record.at, pool, (lane, value));
            return Some(());
        }
        let [text] = text.map_or_else(|| [String::new()], |text| self.processes[peer].parts(text));
        if let (Said::NotSent, About::Call { call, .. }) = (kind, about) {
            self.not_sent(peer, record.at, (call, value.cast_unsigned()), &text);
        }
        self.noted(lane, record.at, (kind, Some(pool), call), text, value)
    }

    /// By a worker.
    pub(super) fn worker_note(&mut self, worker: usize, record: Record) -> Option<()> {
        let Told::Note {
            kind,
            about,
            text,
            value,
        } = record.told
        else {
            return None;
        };
        if matches!(kind, Said::UnpicklableArgument | Said::WorkerExit) {
            self.workers[worker].said_why = true;
        }
        let teller = self.workers[worker].teller?;
        let [text] = text.map_or_else(
            || [String::new()],
            |text| self.processes[teller].parts(text),
        );
        self.workers[worker].interrupted |=
            kind == Said::WorkerExit && text.starts_with("KeyboardInterrupt");
        let call_number = match about {
            About::Call { call, work: false } => Some(call),
            _ => None,
        };
        let about = match about {
            About::Call { call, work } => self.place(
                worker,
                Chunk {
                    call,
                    // What could not be read is of this chunk.
                    chunk: if kind == Said::UnpicklableArgument {
                        value.cast_unsigned()
                    } else {
                        0
                    },
                    work,
                },
            ),
            _ => None,
        };
        let hand = self.workers[worker].hand.as_ref();
        let call = about
            .or(hand.map(|hand| hand.place))
            .map(|place| place.call);
        if let (Said::UnpicklableArgument, Some(place)) = (kind, about) {
            self.lose(worker, record.at, call_number, place);
        }
        let pool = self.pools[self.workers[worker].pool].id;
        let lane = self.workers[worker].lane;
        self.noted(lane, record.at, (kind, Some(pool), call), text, value)
    }

    fn noted(
        &mut self,
        lane: LaneId,
        at: u64,
        (kind, pool, call): (Said, Option<PoolId>, Option<CallId>),
        text: String,
        value: i32,
    ) -> Option<()> {
        let kind = match kind {
            Said::UnpicklableArgument => NoteKind::UnpicklableArgument,
            Said::WorkerExit => NoteKind::WorkerExit,
            Said::UnpicklableResult => NoteKind::UnpicklableResult,
            Said::NotSent => NoteKind::NotSent,
            Said::InitializerRaised => NoteKind::InitializerRaised,
            Said::CallbackRaised => NoteKind::CallbackRaised,
            Said::ResultThreadDied => NoteKind::ResultThreadDied,
            Said::Broken => return None,
        };
        let note = Note {
            kind,
            pool,
            call,
            text,
            value: i64::from(value),
        };
        let at = self.tell.time(at);
        self.tell.say(lane, at, Kind::Noted(Box::new(note)));
        Some(())
    }

    /// An executor gave up: none of its calls will get what it has not got.
    fn broken(&mut self, peer: usize, at: u64, pool: PoolId, (lane, futures): (LaneId, i32)) {
        let index = pool.0 as usize;
        let (calls, _) = self.open_calls(index);
        for call in calls {
            self.give_up(peer, at, call);
        }
        if self.pools[index].give_up(at) {
            // Threads cannot be made to end.
            self.pools[index].is_broken = !self.pools[index].has_threads;
            let note = Note {
                kind: NoteKind::Broken,
                pool: Some(pool),
                call: None,
                text: String::new(),
                value: i64::from(futures),
            };
            let at = self.tell.time(at);
            self.tell.say(lane, at, Kind::Noted(Box::new(note)));
        }
    }
}
